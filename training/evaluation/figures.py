"""All figures of a bundle or a baseline on annotated cases, as they are written to JSON; undefined ones are null."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from nlp.codebook import Axis, Codebook
from nlp.errors import NarrativeError
from nlp.pipeline import Pipeline
from nlp.types import Analysis

from ..corpus import Case
from .calibration import calibration_figures
from .comparison import compare_paired
from .confusion import confusion
from .deletion import SAMPLE, deletion_figures
from .evidence import token_figures
from .predictions import AxisPredictions, Predictions, from_analyses
from .primary import nothing_figures, primary_figures
from .ranking import coverage, top_possible, top_recall
from .redaction import redaction_figures
from .scores import Counts, counts, draw_weights, figure, interval, share
from .slices import Masks, by_language, slice_figures, slice_masks


def evaluate(
    pipeline: Pipeline,
    cases: Sequence[Case],
    *,
    seed: int,
    step: Callable[[], None] = lambda: None,
    unheard_writers: Collection[str] | None = None,
    sample: int = SAMPLE,
) -> dict[str, Any]:
    """All figures of a bundle on some cases.

    A case that the bundle refuses counts as one without any suggestion; ``refused`` says how many. Each case is read
    in the language it is annotated with. Intervals are 95 % percentile intervals over resampled cases.
    ``unheard_writers`` are those of no training case; ``sample`` is the number of cases of the deletion test, which
    analyzes each several times again. ``step`` is called after each case, and after each of the deletion test.
    """
    return measure(pipeline, cases, seed=seed, step=step, unheard_writers=unheard_writers, sample=sample).figures


@dataclass(frozen=True)
class Measured:
    """Figures of a bundle, what they were made from, and the figures of the baselines it was compared with."""

    figures: dict[str, Any]
    predictions: Predictions
    baselines: tuple[dict[str, Any], ...] = ()


def measure(
    pipeline: Pipeline,
    cases: Sequence[Case],
    *,
    seed: int,
    step: Callable[[], None] = lambda: None,
    unheard_writers: Collection[str] | None = None,
    sample: int = SAMPLE,
    baselines: Sequence[Predictions] = (),
) -> Measured:
    """As `evaluate`, with the predictions, and beside baselines on the same cases: their figures, and under
    ``compared`` the paired differences."""
    book = pipeline.codebook

    def coded(predictions: Predictions) -> dict[str, Any]:
        return coding_figures(predictions, cases, book, seed=seed, unheard_writers=unheard_writers)

    rivals = tuple(coded(baseline) for baseline in baselines)  # first: one for other cases is refused at once
    analyses = analyze(pipeline, cases, step=step)
    predictions = from_analyses(pipeline.bundle, book, cases, analyses)
    figures = coded(predictions) | text_figures(pipeline, cases, analyses, seed=seed, sample=sample, step=step)
    if baselines:
        figures["compared"] = [compare_paired(predictions, baseline, seed=seed) for baseline in baselines]
    return Measured(figures, predictions, rivals)


def analyze(
    pipeline: Pipeline, cases: Sequence[Case], *, step: Callable[[], None] = lambda: None
) -> list[Analysis | None]:
    """What the pipeline finds in each case; None where it refuses it."""
    analyses: list[Analysis | None] = []
    for case in cases:
        try:
            analyses.append(pipeline.analyze_one(case.narrative()))
        except NarrativeError:
            analyses.append(None)
        step()
    return analyses


def coding_figures(
    predictions: Predictions,
    cases: Sequence[Case],
    codebook: Codebook,
    *,
    seed: int,
    unheard_writers: Collection[str] | None = None,
) -> dict[str, Any]:
    """The figures of coding: of a bundle, and in the same way of any baseline. Raises `CorpusError` if the predictions
    are not for these cases."""
    predictions.require(cases, codebook)
    weights = draw_weights(len(cases), seed=seed)
    masks = slice_masks(cases, unheard_writers)
    answered = ~predictions.refused
    return {
        "bundle": predictions.name,
        "codebook": str(codebook),
        "cases": len(cases),
        "refused": int(predictions.refused.sum()),
        "languages": dict(sorted(Counter(case.language for case in cases).items())),
        "axes": {axis.id: _axis(axis, predictions.axes[axis.id], answered, masks, weights) for axis in codebook.axes},
        **primary_figures(predictions, cases, codebook, weights),
    }


def text_figures(
    pipeline: Pipeline,
    cases: Sequence[Case],
    analyses: Sequence[Analysis | None],
    *,
    seed: int,
    sample: int = SAMPLE,
    step: Callable[[], None] = lambda: None,
) -> dict[str, Any]:
    """The figures that need the texts: evidence against marks and under deletion, redaction. ``step`` is called for
    each case of the deletion test."""
    return {
        "evidence": {
            "tokens": token_figures(cases, analyses),
            "deletion": deletion_figures(pipeline, cases, analyses, seed=seed, sample=sample, step=step),
        },
        "redaction": redaction_figures(pipeline, cases, analyses),
    }


def _axis(
    axis: Axis, predicted: AxisPredictions, answered: np.ndarray, masks: Masks, weights: np.ndarray
) -> dict[str, Any]:
    found = counts(predicted.gold, predicted.said)
    drawn = counts(predicted.gold, predicted.said, weights)
    slices = slice_figures(predicted, masks, weights)
    return {
        "micro_f1": figure(float(found.micro_f1())),
        "micro_f1_interval": interval(drawn.micro_f1()),
        "micro_precision": share(float(found.hits.sum()), float(found.said.sum())),
        "micro_recall": share(float(found.hits.sum()), float(found.true.sum())),
        "macro_f1": figure(float(found.macro_f1())),
        "macro_f1_interval": interval(drawn.macro_f1()),
        "macro_codes": int((found.true > 0).sum()),
        "top3_recall": top_recall(predicted, answered),
        "top3_possible": top_possible(predicted),
        **calibration_figures(predicted, answered),
        "coverage": coverage(predicted, answered),
        "languages": by_language(slices["language"]),
        "nothing": nothing_figures(predicted, answered) if axis.nothing else None,
        "codes": _codes(axis, found),
        "f1_intervals": dict(zip(axis.codes, map(interval, drawn.f1().T), strict=True)),
        "confusion": confusion(axis, predicted),
        "slices": slices,
    }


def _codes(axis: Axis, found: Counts) -> dict[str, Any]:
    f1 = found.f1()
    return {
        code: {
            "support": int(found.true[at]),
            "suggested": int(found.said[at]),
            "precision": share(found.hits[at], found.said[at]),
            "recall": share(found.hits[at], found.true[at]),
            "f1": figure(f1[at]),
        }
        for at, code in enumerate(axis.codes)
    }
