"""Entities -> redacted text: every entity replaced by a placeholder, the same person by the same number."""

from __future__ import annotations

import re
from bisect import bisect_left
from collections import defaultdict
from collections.abc import Collection, Sequence
from functools import cached_property

from ..reading import Reading, View, normalize
from ..types import Entity, Redaction, Replacement, Span
from .base import Recognizer
from .mentions import PersonIndex, find_mentions, surface_key
from .overlap import resolve

PLACEHOLDER = re.compile(r"\[([A-Z][A-Z0-9_]{0,30})_([0-9]{1,4})\]")
MASK = "\ue000"
"""Stands for each character of a placeholder while recognizers look: no letter, no blank, part of no pattern."""

_MAX_ROUNDS = 8  # each round hides more; two are the rule
_EDGES = " \t\n\r\u00a0,;:"


class Redactor:
    """Hides what the recognizers find, and identifiers of ``types`` that something else has found. A recognizer that
    raises stops the redaction: nothing is ever half redacted."""

    def __init__(self, recognizers: Sequence[Recognizer], types: Collection[str] = ()) -> None:
        self.recognizers = tuple(recognizers)
        self.types = frozenset(types) | {kind for recognizer in self.recognizers for kind in recognizer.entity_types}

    def recognize(self, reading: Reading) -> tuple[Entity, ...]:
        """Disjoint entities of a narrative in order, spans in the received text."""
        return self.redact(reading).entities

    def redact(self, reading: Reading, named: Sequence[Entity] = ()) -> Redaction:
        """The narrative with its entities replaced by placeholders.

        ``named`` are entities that something else has found in the received text, such as the encoder; those of other
        types than the redactor's are left alone.

        What is hidden changes what stands around it, so the result is looked through again until nothing more is found:
        redacting a redacted text changes nothing.
        """
        text = reading.text
        known = [entity for entity in named if entity.type in self.types]
        redaction = replace(text, self._find(reading.view, _in_view(known, reading.view)))
        for _ in range(_MAX_ROUNDS if redaction.replacements else 0):
            more = self._find(normalize(redaction.text))
            if not more:
                break
            redaction = replace(text, resolve([*redaction.entities, *_moved_back(more, redaction)]))
        return redaction

    def _find(self, view: View, named: Sequence[Entity] = ()) -> tuple[Entity, ...]:
        masked = self._kept.sub(lambda match: MASK * len(match[0]), view.text)
        found = [part for entity in named for part in _around_placeholders(entity, masked)]
        found += [entity for recognizer in self.recognizers for entity in recognizer.find(masked)]
        whole = [_trimmed(entity, masked) for entity in found if MASK not in _words(masked, entity)]
        whole += find_mentions(masked, resolve(whole))
        return resolve(
            Entity(view.received(entity.span.start, entity.span.end), entity.type, entity.score, entity.source)
            for entity in whole
        )

    @cached_property
    def _kept(self) -> re.Pattern[str]:
        """Placeholders of the types that this redactor makes; any other word in brackets may be a name."""
        return re.compile(rf"\[(?:{'|'.join(sorted(self.types))})_[0-9]{{1,4}}\]")


def _in_view(entities: Sequence[Entity], view: View) -> list[Entity]:
    """Entities of the received text where they stand in its view; one of invisible characters alone is left out."""
    moved = []
    for entity in entities:
        start, end = (bisect_left(view.offsets, at, hi=len(view.text)) for at in (entity.span.start, entity.span.end))
        if start < end:
            moved.append(Entity(Span(start, end), entity.type, entity.score, entity.source))
    return moved


def _words(text: str, entity: Entity) -> str:
    return text[entity.span.start : entity.span.end]


_BETWEEN_PLACEHOLDERS = re.compile(f"[^{MASK}]+")


def _around_placeholders(entity: Entity, masked: str) -> list[Entity]:
    """The parts of an entity that no placeholder stands for yet."""
    start, end = entity.span.start, entity.span.end
    return [
        Entity(Span(*match.span()), entity.type, entity.score, entity.source)
        for match in _BETWEEN_PLACEHOLDERS.finditer(masked, start, end)
        if any(character.isalnum() for character in match[0])
    ]


def _trimmed(entity: Entity, text: str) -> Entity:
    """The entity without blanks and commas at its edges."""
    words = _words(text, entity)
    inner = words.strip(_EDGES)
    if not inner or inner == words:
        return entity
    start = entity.span.start + len(words) - len(words.lstrip(_EDGES))
    return Entity(Span(start, start + len(inner)), entity.type, entity.score, entity.source)


def _moved_back(entities: Sequence[Entity], redaction: Redaction) -> list[Entity]:
    """Entities of a redacted text, none of which touches a placeholder, where they stand in the received text."""
    moved = []
    at = shift = 0
    for entity in entities:
        while at < len(redaction.replacements) and redaction.replacements[at].redacted_span.end <= entity.span.start:
            replacement = redaction.replacements[at]
            shift = replacement.entity.span.end - replacement.redacted_span.end
            at += 1
        span = Span(entity.span.start + shift, entity.span.end + shift)
        moved.append(Entity(span, entity.type, entity.score, entity.source))
    return moved


def replace(text: str, entities: Sequence[Entity]) -> Redaction:
    """Replace disjoint, sorted entities by placeholders such as ``[PERSON_1]``.

    Numbers count from 1 for each type in the order of the text, past any placeholder that the text already has;
    mentions of one person, and equal values of another type, share a number.
    """
    numbers: dict[str, dict[str, int]] = defaultdict(dict)
    persons = PersonIndex()
    taken: dict[str, int] = defaultdict(int)
    for match in PLACEHOLDER.finditer(text):
        taken[match[1]] = max(taken[match[1]], int(match[2]))
    parts: list[str] = []
    replacements = []
    at = length = 0
    for entity in entities:
        span = entity.span
        words = text[span.start : span.end]
        key = persons.key(words) if entity.type == "PERSON" else surface_key(words)
        known = numbers[entity.type]
        number = known.setdefault(key, taken[entity.type] + len(known) + 1)
        placeholder = f"[{entity.type}_{number}]"
        parts += [text[at : span.start], placeholder]
        length += span.start - at
        replacements.append(Replacement(entity, placeholder, Span(length, length + len(placeholder))))
        length += len(placeholder)
        at = span.end
    parts.append(text[at:])
    return Redaction("".join(parts), tuple(replacements))
