"""How well probabilities order the codes: gold among the first three, and how many codes a precision leaves."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from .predictions import AxisPredictions
from .scores import figure, share

PRECISIONS = (0.90, 0.95, 0.98)
_TOP = 3
_STEPS = 20  # points of the curve
_TINY = 1e-9  # what two equal fractions may differ by as floating-point numbers


def top_recall(axis: AxisPredictions, answered: np.ndarray) -> float | None:
    """Share of the gold codes that are among the three most probable ones of their case and axis.

    Ties go by the order of the codebook; a refused case has no most probable codes.
    """
    kept = axis.coded & answered
    first = np.argsort(-axis.probabilities[kept], axis=1, kind="stable")[:, :_TOP]
    hits = np.take_along_axis(axis.gold[kept], first, axis=1).sum()
    return share(hits, np.nansum(axis.gold))


def top_possible(axis: AxisPredictions) -> float | None:
    """The largest `top_recall` that any model can have: cases with more than three gold codes bound it."""
    counts = np.nansum(axis.gold, axis=1)
    return share(float(np.minimum(counts, _TOP).sum()), float(counts.sum()))


@dataclass(frozen=True, eq=False)
class _Cuts:
    """Every cut through the ranked pairs, from the highest: pairs and gold ones at or above it."""

    at: np.ndarray
    pairs: np.ndarray
    hits: np.ndarray

    @property
    def precision(self) -> np.ndarray:
        return np.asarray(self.hits / self.pairs)


def coverage(axis: AxisPredictions, answered: np.ndarray) -> dict[str, Any]:
    """How large a share of the gold codes is reached at a precision, if one cut through the probabilities decides.

    By precision the cut that reaches most on these very cases (so what it promises elsewhere is a little less),
    ``auto`` what the policy's own decisions reach, with the number of codes that were decided so at least once;
    ``curve`` the way from few to many. Gold codes of refused cases count as not reached.
    """
    total = float(np.nansum(axis.gold))
    cuts = _cuts(axis, answered)
    return {
        **{f"{wanted:.2f}": _reached(cuts, total, wanted) for wanted in PRECISIONS},
        "auto": _auto(axis, total),
        "curve": _curve(cuts, total),
    }


def _cuts(axis: AxisPredictions, answered: np.ndarray) -> _Cuts:
    kept = axis.coded & answered
    p, y = axis.probabilities[kept].ravel(), axis.gold[kept].ravel()
    order = np.argsort(-p, kind="stable")
    p, y = p[order], y[order]
    last = np.flatnonzero(np.diff(p, append=-1.0))  # equal probabilities fall on the same side of every cut
    return _Cuts(p[last], last + 1, np.cumsum(y)[last])


def _reached(cuts: _Cuts, total: float, wanted: float) -> dict[str, Any]:
    good = np.flatnonzero(cuts.precision >= wanted - _TINY)
    if not total or not good.size:
        return {"share": share(0, total), "cut": None, "precision": None, "pairs": 0}
    best = good[np.argmax(cuts.hits[good])]
    return {
        "share": share(cuts.hits[best], total),
        "cut": figure(cuts.at[best]),
        "precision": figure(cuts.precision[best]),
        "pairs": int(cuts.pairs[best]),
    }


def _auto(axis: AxisPredictions, total: float) -> dict[str, Any] | None:
    if axis.auto is None:
        return None
    said = axis.auto & axis.coded[:, None]
    hits = float((axis.gold[said] == 1).sum())
    return {
        "share": share(hits, total),
        "precision": share(hits, float(said.sum())),
        "codes": int(said.any(axis=0).sum()),
        "pairs": int(said.sum()),
    }


def _curve(cuts: _Cuts, total: float) -> list[dict[str, float | None]]:
    """Precision at the first cut that reaches each twentieth of the gold codes; shorter where not all are reached."""
    wanted = total * np.arange(1, _STEPS + 1) / _STEPS if total else np.zeros(0)
    places = np.searchsorted(cuts.hits, wanted - _TINY)
    kept = np.unique(places[places < len(cuts.hits)])
    return [{"share": share(cuts.hits[at], total), "precision": figure(cuts.precision[at])} for at in kept]
