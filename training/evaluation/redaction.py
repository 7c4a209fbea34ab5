"""How many marked identifiers are hidden, how much is hidden beside them, and what redaction withstands."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from nlp.errors import NarrativeError
from nlp.pipeline import Pipeline
from nlp.reading import Reader
from nlp.redaction import replace as hide
from nlp.types import Analysis, Entity, Span

from ..corpus import Case
from .noise import spoilers
from .scores import share, share_interval

FEW = 100  # identifiers below which a recall is told with its interval


def redaction_figures(
    pipeline: Pipeline, cases: Sequence[Case], analyses: Sequence[Analysis | None]
) -> dict[str, Any] | None:
    """Recall of marked identifiers, overall, by kind, type and language; None where no case has marks.

    An identifier counts as hidden only if every letter and digit of it is. ``precision_of_characters`` is the share
    of hidden letters and digits that lie in a marked identifier; ``leaking`` the share of cases with a direct
    identifier left in sight; ``untouched`` the share of cases without any identifier in which nothing is hidden.
    """
    found = [
        analysis.redaction.entities if analysis else _recognize(pipeline, case)
        for case, analysis in zip(cases, analyses, strict=True)
    ]
    return hidden_figures(cases, found, {item.id: item.kind for item in pipeline.codebook.identifiers})


def hidden_figures(
    cases: Sequence[Case], found: Sequence[Sequence[Entity] | None], kinds: Mapping[str, str]
) -> dict[str, Any] | None:
    """The figures of `redaction_figures` from what was found in each case, None where nothing was looked for.

    ``kinds`` maps each identifier type to ``direct`` or ``quasi``.
    """
    rows: dict[str, list[int]] = defaultdict(lambda: [0, 0])
    hidden_total = hidden_right = leaks = marked = clean = untouched = 0
    for case, entities in zip(cases, found, strict=True):
        if case.entities is None or entities is None:
            continue
        marked += 1
        hidden = _characters(case.text, [entity.span for entity in entities])
        gold = _characters(case.text, [entity.span for entity in case.entities])
        hidden_total += len(hidden)
        hidden_right += len(hidden & gold)
        leaks += _count(case, hidden, kinds, rows)
        clean += not gold
        untouched += not gold and not hidden
    if not marked:
        return None
    return {
        "cases": marked,
        "precision_of_characters": share(hidden_right, hidden_total),
        "leaking": share(leaks, marked),
        "without_identifiers": clean,
        "untouched": share(untouched, clean),
        "recall": {key: _recall(*row) for key, row in sorted(rows.items())},
    }


def withstood(
    pipeline: Pipeline, cases: Sequence[Case], *, seed: int, step: Callable[[], None] = lambda: None
) -> dict[str, Any]:
    """Recall of direct and other identifiers and precision of hidden characters on the cases as they are (``plain``)
    and as each kind of noise leaves them, see `spoilers`. ``step`` is called for each case and kind."""
    kinds = {item.id: item.kind for item in pipeline.codebook.identifiers}
    known = [case for case in cases if case.entities is not None]
    table = {}
    for name, spoil in {"plain": lambda case: case, **spoilers(seed)}.items():
        spoiled = [spoil(case) for case in known]
        found = []
        for case in spoiled:
            found.append(_recognize(pipeline, case))
            step()
        table[name] = _row_of_noise(hidden_figures(spoiled, found, kinds))
    return table


def _row_of_noise(figures: Mapping[str, Any] | None) -> dict[str, Any]:
    rows = figures["recall"] if figures else {}
    return {
        **{kind: rows[f"kind:{kind}"]["recall"] if f"kind:{kind}" in rows else None for kind in ("direct", "quasi")},
        "precision_of_characters": figures["precision_of_characters"] if figures else None,
        "leaking": figures["leaking"] if figures else None,
    }


def analyze_by_gold(
    pipeline: Pipeline, cases: Sequence[Case], *, step: Callable[[], None] = lambda: None
) -> list[Analysis | None]:
    """What the pipeline codes when the identifiers that people marked are hidden instead of those that it finds; None
    where it refuses a case or nobody marked any."""
    analyses: list[Analysis | None] = []
    for case in cases:
        try:
            reading = pipeline.reader.read(case.narrative()) if case.entities is not None else None
        except NarrativeError:
            reading = None
        redaction = hide(case.text, case.entities or ())
        analyses.append(pipeline.code(reading, redaction, pipeline.states_of(reading)) if reading else None)
        step()
    return analyses


def _recall(hits: int, total: int) -> dict[str, Any]:
    row: dict[str, Any] = {"support": total, "recall": share(hits, total)}
    return row | {"interval": share_interval(hits, total)} if total < FEW else row


def _recognize(pipeline: Pipeline, case: Case) -> Sequence[Entity] | None:
    """The entities of a case that the pipeline did not analyze, for its language perhaps; None for no readable text."""
    try:
        reading = Reader(languages=(case.language,), max_characters=len(case.text)).read(case.narrative())
    except NarrativeError:
        return None
    return pipeline.redact_reading(reading, pipeline.states_of(reading)).entities


def _characters(text: str, spans: Sequence[Span]) -> set[int]:
    return {at for span in spans for at in range(span.start, span.end) if text[at].isalnum()}


def _count(case: Case, hidden: set[int], kinds: Mapping[str, str], rows: dict[str, list[int]]) -> bool:
    """Count each marked identifier under its keys; whether a direct one is left in sight."""
    leaking = False
    for entity in case.entities or ():
        whole = _is_hidden(case.text, entity, hidden)
        kind = kinds[entity.type]
        leaking |= kind == "direct" and not whole
        for key in ("all", f"kind:{kind}", f"type:{entity.type}", f"language:{case.language}:{kind}"):
            rows[key][0] += whole
            rows[key][1] += 1
    return leaking


def _is_hidden(text: str, entity: Entity, hidden: set[int]) -> bool:
    return all(at in hidden for at in range(entity.span.start, entity.span.end) if text[at].isalnum())
