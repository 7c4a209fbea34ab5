"""How many marked identifiers are hidden, and how much is hidden beside them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any

from nlp.errors import NarrativeError
from nlp.pipeline import Pipeline
from nlp.reading import Reader
from nlp.types import Analysis, Entity, Span

from ..corpus import Case
from .scores import share


def redaction_figures(
    pipeline: Pipeline, cases: Sequence[Case], analyses: Sequence[Analysis | None]
) -> dict[str, Any] | None:
    """Recall of marked identifiers, overall, by kind, type and language; None where no case has marks.

    An identifier counts as hidden only if every letter and digit of it is. ``precision_of_characters`` is the share
    of hidden letters and digits that lie in a marked identifier; ``leaking`` the share of cases with a direct
    identifier left in sight.
    """
    kinds = {identifier.id: identifier.kind for identifier in pipeline.codebook.identifiers}
    found: dict[str, list[int]] = defaultdict(lambda: [0, 0])
    hidden_total = hidden_right = leaks = marked_cases = 0
    for case, analysis in zip(cases, analyses, strict=True):
        if case.entities is None:
            continue
        found_entities = analysis.redaction.entities if analysis else _recognize(pipeline, case)
        if found_entities is None:
            continue
        marked_cases += 1
        hidden = _characters(case.text, [entity.span for entity in found_entities])
        gold = _characters(case.text, [entity.span for entity in case.entities])
        hidden_total += len(hidden)
        hidden_right += len(hidden & gold)
        leaks += _count(case, hidden, kinds, found)
    if not marked_cases:
        return None
    return {
        "cases": marked_cases,
        "precision_of_characters": share(hidden_right, hidden_total),
        "leaking": share(leaks, marked_cases),
        "recall": {
            key: {"support": total, "recall": share(hits, total)} for key, (hits, total) in sorted(found.items())
        },
    }


def _recognize(pipeline: Pipeline, case: Case) -> Sequence[Entity] | None:
    """The entities of a case that the pipeline did not analyze, for its language perhaps; None for no readable text."""
    try:
        reading = Reader(languages=(case.language,), max_characters=len(case.text)).read(case.narrative())
    except NarrativeError:
        return None
    return pipeline.redactor.recognize(reading)


def _characters(text: str, spans: Sequence[Span]) -> set[int]:
    return {at for span in spans for at in range(span.start, span.end) if text[at].isalnum()}


def _count(case: Case, hidden: set[int], kinds: Mapping[str, str], found: dict[str, list[int]]) -> bool:
    """Count each marked identifier under its keys; whether a direct one is left in sight."""
    leaking = False
    for entity in case.entities or ():
        whole = _is_hidden(case.text, entity, hidden)
        kind = kinds[entity.type]
        leaking |= kind == "direct" and not whole
        for key in ("all", f"kind:{kind}", f"type:{entity.type}", f"language:{case.language}:{kind}"):
            found[key][0] += whole
            found[key][1] += 1
    return leaking


def _is_hidden(text: str, entity: Entity, hidden: set[int]) -> bool:
    return all(at in hidden for at in range(entity.span.start, entity.span.end) if text[at].isalnum())
