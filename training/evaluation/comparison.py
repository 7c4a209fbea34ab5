"""Whether one model is better than another on the same cases: a paired bootstrap."""

from __future__ import annotations

from typing import Any

import numpy as np

from nlp.errors import CorpusError

from .predictions import AxisPredictions, Predictions
from .scores import RESAMPLES, Counts, counts, draw_weights, figure, interval


def compare_paired(a: Predictions, b: Predictions, *, seed: int, resamples: int = RESAMPLES) -> dict[str, Any]:
    """F1 of two models by axis and the difference, first minus second, with its 95 % interval.

    Each draw takes the same cases for both, so what makes a case hard for both cancels out. Raises `CorpusError`
    unless cases, codes and gold are the same.
    """
    _require_same(a, b)
    weights = draw_weights(len(a.case_ids), seed=seed, resamples=resamples)
    axes = {axis: _axis(a.axes[axis], b.axes[axis], weights) for axis in a.axes}
    return {"a": a.name, "b": b.name, "cases": len(a.case_ids), "axes": axes}


def _require_same(a: Predictions, b: Predictions) -> None:
    same = a.case_ids == b.case_ids and list(a.axes) == list(b.axes)
    same = same and all(
        a.axes[axis].codes == b.axes[axis].codes
        and np.array_equal(a.axes[axis].gold, b.axes[axis].gold, equal_nan=True)
        for axis in a.axes
    )
    if not same:
        raise CorpusError(f"has other cases, codes or gold than {a.name}: nothing to pair", source=b.name, line=0)


def _axis(a: AxisPredictions, b: AxisPredictions, weights: np.ndarray) -> dict[str, Any]:
    found = [counts(item.gold, item.said) for item in (a, b)]
    drawn = [counts(item.gold, item.said, weights) for item in (a, b)]
    return {
        "micro_f1": _difference(*(map(Counts.micro_f1, found)), *(map(Counts.micro_f1, drawn))),
        "macro_f1": _difference(*(map(Counts.macro_f1, found)), *(map(Counts.macro_f1, drawn))),
    }


def _difference(a: np.ndarray, b: np.ndarray, drawn_a: np.ndarray, drawn_b: np.ndarray) -> dict[str, Any]:
    return {
        "a": figure(float(a)),
        "b": figure(float(b)),
        "difference": figure(float(a - b)),
        "interval": interval(drawn_a - drawn_b),
    }
