"""Whether evidence carries its code: without it the probability must fall more than without other words.

The test of faithfulness by erasure (DeYoung et al. 2020, "comprehensiveness"), held against a random stretch of the
same length from the rest of the narrative.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np

from nlp.errors import NarrativeError
from nlp.pipeline import Pipeline
from nlp.types import Analysis, Span, Suggestion

from ..corpus import Case
from .evidence import suggested_gold
from .scores import draw_weights, figure, interval, ratio, share

SAMPLE = 150  # cases
CODES = 2  # a case: so that long cases with many codes do not outweigh the others
DRAWS = 2  # random stretches for each removed evidence
MOST = 0.6  # share of the narrative: of one that is nearly all evidence, too little is left to compare with

LeftOut = Literal["without_evidence", "nothing_left", "mostly_evidence", "refused"]
_REASONS: tuple[LeftOut, ...] = ("without_evidence", "nothing_left", "mostly_evidence", "refused")
_PIECE = re.compile(r"\S+\s*")  # a word with its marks of punctuation and the blank after it


@dataclass(frozen=True)
class Falls:
    """How far the probability of a code fell: without its evidence, and on average without as much of the rest.

    ``shorter`` says that the rest was shorter than the evidence, so that less could be removed of it.
    """

    evidence: float
    elsewhere: float
    shorter: bool


def deletion_figures(
    pipeline: Pipeline,
    cases: Sequence[Case],
    analyses: Sequence[Analysis | None],
    *,
    seed: int,
    sample: int = SAMPLE,
    step: Callable[[], None] = lambda: None,
) -> dict[str, Any] | None:
    """The deletion test on a sample of the cases with a suggested gold code, at most two such codes a case, drawn.

    ``support`` counts pairs of a case and a code; ``share`` those in which removing the evidence lowers the
    probability more than removing as many characters elsewhere (mean of two draws). None where no case is sampled.
    """
    eligible = [at for at, case in enumerate(cases) if suggested_gold(case, analyses[at])]
    kept = sorted(np.random.default_rng(seed).permutation(eligible)[:sample].tolist())
    by_case: list[list[Falls]] = []
    left_out: Counter[LeftOut] = Counter()
    for at in kept:
        outcomes = list(_outcomes(pipeline, cases[int(at)], analyses[int(at)], np.random.default_rng((seed, int(at)))))
        by_case.append([outcome for outcome in outcomes if isinstance(outcome, Falls)])
        left_out.update(outcome for outcome in outcomes if not isinstance(outcome, Falls))
        step()
    return _figures(by_case, left_out, seed) if kept else None


def _figures(by_case: Sequence[Sequence[Falls]], left_out: Counter[LeftOut], seed: int) -> dict[str, Any]:
    pairs = [falls for of_case in by_case for falls in of_case]
    lower = np.array([sum(item.evidence > item.elsewhere for item in of_case) for of_case in by_case], dtype=float)
    support = np.array([len(of_case) for of_case in by_case], dtype=float)
    weights = draw_weights(len(by_case), seed=seed)
    return {
        "cases": len(by_case),
        "support": len(pairs),
        "share": share(float(lower.sum()), float(support.sum())),
        "share_interval": interval(ratio(weights @ lower, weights @ support)),
        "mean_fall": _mean([item.evidence for item in pairs]),
        "mean_fall_elsewhere": _mean([item.elsewhere for item in pairs]),
        "shorter_elsewhere": sum(item.shorter for item in pairs),
        "left_out": {reason: left_out[reason] for reason in _REASONS},
    }


def _mean(values: Sequence[float]) -> float | None:
    return figure(float(np.mean(values))) if values else None


def _outcomes(
    pipeline: Pipeline, case: Case, analysis: Analysis | None, rng: np.random.Generator
) -> Iterator[Falls | LeftOut]:
    items = suggested_gold(case, analysis)
    for at in sorted(rng.permutation(len(items))[:CODES].tolist()):
        yield _falls(pipeline, case, items[at], rng)


def _falls(pipeline: Pipeline, case: Case, item: Suggestion, rng: np.random.Generator) -> Falls | LeftOut:
    if not (spans := merged([evidence.span for evidence in item.evidence])):
        return "without_evidence"
    removed = sum(span.end - span.start for span in spans)
    rest = without(case.text, spans)
    if not any(character.isalpha() for character in rest):
        return "nothing_left"
    if removed > MOST * len(case.text):
        return "mostly_evidence"
    stretches = [stretch_elsewhere(case.text, spans, rng) for _ in range(DRAWS)]
    texts = [rest, *(without(case.text, stretch) for stretch in stretches)]
    found = [_probability(pipeline, case, item, text) for text in texts]
    falls = [item.probability - value for value in found if value is not None]
    if len(falls) < len(found):
        return "refused"
    shorter = len(case.text) - removed < removed
    return Falls(falls[0], float(np.mean(falls[1:])), shorter)


def _probability(pipeline: Pipeline, case: Case, item: Suggestion, text: str) -> float | None:
    """The probability of the same code in another text; None where the pipeline refuses it."""
    try:
        analysis = pipeline.analyze_one(replace(case.narrative(), text=text))
    except NarrativeError:
        return None
    return next(
        other.probability for other in analysis.suggestions if (other.axis, other.code) == (item.axis, item.code)
    )


def merged(spans: Sequence[Span]) -> list[Span]:
    """Spans in order, those that overlap or touch as one."""
    result: list[Span] = []
    for span in sorted(spans):
        if result and span.start <= result[-1].end:
            result[-1] = Span(result[-1].start, max(result[-1].end, span.end))
        else:
            result.append(span)
    return result


def without(text: str, spans: Sequence[Span]) -> str:
    """The text with some spans taken out, a blank in place of each, so that no two words become one."""
    ends = [0, *(span.end for span in spans)]
    starts = [*(span.start for span in spans), len(text)]
    return " ".join(text[start:end] for start, end in zip(ends, starts, strict=True))


def stretch_elsewhere(text: str, spans: Sequence[Span], rng: np.random.Generator) -> list[Span]:
    """A random run of words outside the spans with about as many characters as these; it may leap over a span.

    Each place at which enough words follow is equally likely. Where all the words outside are fewer, it is all of
    them.
    """
    ends = [0, *(span.end for span in spans)]
    starts = [*(span.start for span in spans), len(text)]
    pieces = [
        Span(*match.span())
        for start, end in zip(ends, starts, strict=True)
        for match in _PIECE.finditer(text, start, end)
    ]
    wanted = sum(span.end - span.start for span in spans)
    upto = np.cumsum([0, *(piece.end - piece.start for piece in pieces)])
    places = np.flatnonzero(upto[-1] - upto[:-1] >= wanted)
    first = int(rng.choice(places)) if places.size else 0
    lengths = upto[first + 1 :] - upto[first]
    taken = int(np.argmin(np.abs(lengths - wanted))) + 1
    return merged(pieces[first : first + taken])
