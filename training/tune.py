"""Thresholds of every code, learned on the tuning split and nowhere else."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from nlp.classification.base import Column
from nlp.thresholds import DIGITS, auto_threshold

from .config import Config

_GRID = np.round(np.arange(0.05, 0.951, 0.01), 2)


def tune(
    probabilities: np.ndarray,
    targets: np.ndarray,
    columns: Sequence[Column],
    config: Config,
    *,
    before: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """The policy as it is stored: for each code where ``review``, ``suggest`` and ``auto`` begin.

    ``suggest`` is where F1 is best; a code with few cases leans on the best threshold of its axis, or on its own in
    ``before``, the policy that a site goes on from. ``auto`` is the lowest threshold from ``suggest`` up at which the
    lower bound of the precision reaches what is asked; null where no threshold shows it.

    Parameters
    ----------
    probabilities, targets : ndarray of shape (n_cases, n_columns)
        Targets are 1, 0 or nan (not coded).
    """
    codes: dict[str, Any] = {}
    for axis in dict.fromkeys(column.axis for column in columns):
        members = [at for at, column in enumerate(columns) if column.axis == axis and column.code]
        common = best_f1_threshold(probabilities[:, members].ravel(), targets[:, members].ravel())
        for at in members:
            coded = ~np.isnan(targets[:, at])
            p, y = probabilities[coded, at], targets[coded, at]
            support = int(y.sum())
            weight = support / (support + config.min_support)
            known = (before or {}).get(str(columns[at].code))
            lean = float(known["suggest"]) if known else common
            own = best_f1_threshold(p, y) if support else lean
            suggest = round(weight * own + (1 - weight) * lean, DIGITS)
            auto = auto_threshold(p, y, precision=config.auto_precision, least=suggest)
            codes[str(columns[at].code)] = {
                "review": round(config.review_share * suggest, DIGITS),
                "suggest": suggest,
                "auto": auto,
                "support": support,
            }
    return {"auto_precision": config.auto_precision, "codes": codes}


def best_f1_threshold(p: np.ndarray, y: np.ndarray) -> float:
    """The threshold with the best F1; of equal ones the middle one. 0.5 where nothing is gold."""
    coded = ~np.isnan(y)
    p, y = p[coded], y[coded]
    if not y.sum():
        return 0.5
    scores = np.array([_f1(p >= threshold, y) for threshold in _GRID])
    best = np.flatnonzero(scores >= scores.max() - 1e-9)
    return float(_GRID[best[len(best) // 2]])


def _f1(chosen: np.ndarray, y: np.ndarray) -> float:
    hits = float((chosen * y).sum())
    return 2 * hits / (chosen.sum() + y.sum()) if hits else 0.0
