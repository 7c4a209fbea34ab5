"""How often the primary code is found."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from nlp.codebook import Axis, Codebook

from ..corpus import Case
from .predictions import AxisPredictions, Predictions
from .scores import figure, interval, ratio, share


def primary_figures(
    predictions: Predictions, cases: Sequence[Case], codebook: Codebook, weights: np.ndarray
) -> dict[str, Any]:
    """Accuracy by axis over the cases with a primary code, with its interval, and over those of them in which at least
    one code of the axis is suggested."""
    figures: dict[str, Any] = {"primary": {}, "primary_intervals": {}, "primary_where_suggested": {}}
    for axis in codebook.axes:
        predicted = predictions.axes[axis.id]
        if not axis.has_primary or predicted.primary is None:
            continue
        has, right = _right(axis, predicted, cases)
        any_code = has & predicted.said.any(axis=1)
        figures["primary"][axis.id] = _accuracy(has, right)
        figures["primary_intervals"][axis.id] = _interval(has, right, weights)
        figures["primary_where_suggested"][axis.id] = {
            **_accuracy(any_code, right),
            "accuracy_interval": _interval(any_code, right, weights),
        }
    return figures


def _right(axis: Axis, predicted: AxisPredictions, cases: Sequence[Case]) -> tuple[np.ndarray, np.ndarray]:
    """Which cases have a primary code, and in which it was found."""
    column = {code: at for at, code in enumerate(axis.codes)}
    gold = np.array([column.get(case.primary.get(axis.id) or "", -1) for case in cases])
    has = gold >= 0
    return has, has & (gold == predicted.primary)


def _accuracy(of: np.ndarray, right: np.ndarray) -> dict[str, Any]:
    return {"support": int(of.sum()), "accuracy": share(float((of & right).sum()), float(of.sum()))}


def _interval(of: np.ndarray, right: np.ndarray, weights: np.ndarray) -> list[float] | None:
    return interval(ratio(weights @ (of & right).astype(float), weights @ of.astype(float)))


def nothing_figures(predicted: AxisPredictions, answered: np.ndarray) -> dict[str, Any]:
    """Of cases coded with nothing on the axis: how many got no suggestion on it, and how often no suggestion was right;
    the mean probability of "nothing" where it is gold and where it is not."""
    kept = predicted.coded & answered
    gold = ~np.any(predicted.gold[kept] == 1, axis=1)
    silent = ~np.any(predicted.chosen[kept], axis=1)
    both = float((gold & silent).sum())
    said = np.full(len(gold), np.nan) if predicted.nothing is None else predicted.nothing[kept]
    return {
        "support": int(gold.sum()),
        "recall": share(both, float(gold.sum())),
        "precision": share(both, float(silent.sum())),
        "mean_probability": _mean(said[gold]),
        "mean_probability_elsewhere": _mean(said[~gold]),
    }


def _mean(values: np.ndarray) -> float | None:
    return figure(float(values.mean())) if values.size else None
