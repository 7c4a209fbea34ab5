"""Whether the evidence of a suggestion is the words that a person marked for the code."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from nlp.types import Analysis, Span, Suggestion

from ..corpus import Case
from .scores import share
from .slices import WORD


def suggested_gold(case: Case, analysis: Analysis | None) -> list[Suggestion]:
    """The gold codes of a case that were suggested, in the order of the analysis."""
    items = analysis.suggestions if analysis else ()
    return [item for item in items if item.suggested and item.code in (case.codes[item.axis] or ())]


def token_figures(cases: Sequence[Case], analyses: Sequence[Analysis | None]) -> dict[str, Any]:
    """Words in evidence against marked words, for gold codes that were suggested: pooled over cases and codes, and by
    axis.

    ``support`` counts pairs of a case and a code; ``without_marks`` those left out because nobody marked words for
    the code. In evidence are the words that a sentence names, or all of it where it names none. A word belongs to a
    stretch that it touches.
    """
    sums: dict[str, list[int]] = {axis: [0, 0, 0, 0, 0] for case in cases[:1] for axis in case.codes}
    for case, analysis in zip(cases, analyses, strict=True):
        for item in suggested_gold(case, analysis):
            row = _compared(case, item)
            sums[item.axis] = [total + new for total, new in zip(sums[item.axis], row, strict=True)]
    pooled = [sum(column) for column in zip(*sums.values(), strict=True)]
    return {**_figures(pooled), "axes": {axis: _figures(row) for axis, row in sums.items()}}


def _compared(case: Case, item: Suggestion) -> tuple[int, int, int, int, int]:
    """One pair: whether it counts, whether it lacks marks, words in both, words in evidence, words marked."""
    places = case.places(item.axis, item.code)
    if not places:
        return 0, 1, 0, 0, 0
    marked = _words(case.text, places)
    shown = _words(case.text, [span for evidence in item.evidence for span in evidence.words or (evidence.span,)])
    return 1, 0, len(marked & shown), len(shown), len(marked)


def _words(text: str, spans: Sequence[Span]) -> set[int]:
    """Starts of the words that some span touches."""
    words = [(match.start(), match.end()) for match in WORD.finditer(text)]
    return {start for start, end in words for span in spans if start < span.end and end > span.start}


def _figures(row: Sequence[int]) -> Mapping[str, Any]:
    support, without, both, shown, marked = row or (0, 0, 0, 0, 0)
    return {
        "support": support,
        "without_marks": without,
        "precision": share(both, shown),
        "recall": share(both, marked),
        "f1": share(2 * both, shown + marked),
    }
