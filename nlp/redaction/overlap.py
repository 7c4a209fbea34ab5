"""Overlapping entities become one: hidden as their union, so that no recognizer uncovers what another has found."""

from __future__ import annotations

from collections.abc import Iterable

from ..types import Entity, Span

MIN_COVERING_SCORE = 0.5  # below it an entity is a net for what nothing else has named


def resolve(entities: Iterable[Entity]) -> tuple[Entity, ...]:
    """Disjoint entities in the order they stand.

    Entities that share a character become their union, with type, score and source of the strongest. One that covers
    the whole union is stronger than its parts ("ул. Абая, 12" is an address, whatever "Абая" is by itself), unless it
    is a mere guess; then the highest score counts, then the longest span, then the alphabetical order.
    """
    resolved: list[Entity] = []
    group: list[Entity] = []
    end = -1
    for entity in sorted(entities, key=lambda entity: (entity.span, entity.type, entity.source)):
        if group and entity.span.start >= end:
            resolved.append(_union(group))
            group = []
        group.append(entity)
        end = max(end, entity.span.end) if len(group) > 1 else entity.span.end
    if group:
        resolved.append(_union(group))
    return tuple(resolved)


def _union(group: list[Entity]) -> Entity:
    span = Span(group[0].span.start, max(entity.span.end for entity in group))
    covering = [entity for entity in group if entity.span == span and entity.score >= MIN_COVERING_SCORE]
    strongest = min(
        covering or group,
        key=lambda entity: (-entity.score, entity.span.start - entity.span.end, entity.type, entity.source),
    )
    return Entity(span, strongest.type, strongest.score, strongest.source)
