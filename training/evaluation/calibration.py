"""Whether probabilities mean what they say: Brier score, reliability in ten bins, calibration error.

All three are about pairs of a case and a code; pairs of a case that was refused or not coded on the axis are left out.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from .predictions import AxisPredictions
from .scores import figure

BINS = 10
ECE_FROM = 0.2  # probability: below it lie nearly all pairs, all rightly near 0, and would hide every error


def calibration_figures(axis: AxisPredictions, answered: np.ndarray) -> dict[str, Any]:
    """Calibration of one axis; ``answered``, of shape (n_cases,), says which cases were not refused.

    ``brier`` is the mean squared distance of probability and truth, ``brier_base_rates`` that of a model which always
    says how frequent each code is in these very cases: a useful model lies below it.
    """
    kept = axis.coded & answered
    p, y = axis.probabilities[kept], axis.gold[kept]
    return {
        "brier": _mean((p - y) ** 2),
        "brier_base_rates": _mean((y.mean(axis=0) - y) ** 2) if y.size else None,
        "reliability": reliability(p.ravel(), y.ravel()),
        "expected_calibration_error": expected_calibration_error(p.ravel(), y.ravel()),
    }


def reliability(p: np.ndarray, y: np.ndarray) -> list[dict[str, Any]]:
    """Ten bins of equal width, from the lowest probability: what was said on average, and how often it was right."""
    bins = _bins(p)
    return [
        {
            "from": round(at / BINS, 1),
            "to": round((at + 1) / BINS, 1),
            "mean_probability": _mean(p[bins == at]),
            "share_right": _mean(y[bins == at]),
            "count": int((bins == at).sum()),
        }
        for at in range(BINS)
    ]


def expected_calibration_error(p: np.ndarray, y: np.ndarray) -> float | None:
    """Mean gap between what is said and how often it is right in ten equal bins, where the probability is 0.2 or
    more."""
    kept = p >= ECE_FROM
    p, y = p[kept], y[kept]
    if not p.size:
        return None
    bins = _bins(p)
    gaps = [abs(p[bins == at].mean() - y[bins == at].mean()) * (bins == at).mean() for at in np.unique(bins)]
    return figure(float(np.sum(gaps)))


def _bins(p: np.ndarray) -> np.ndarray:
    return np.asarray(np.clip(np.digitize(p, np.linspace(0, 1, BINS + 1)) - 1, 0, BINS - 1))


def _mean(values: np.ndarray) -> float | None:
    return figure(float(values.mean())) if values.size else None
