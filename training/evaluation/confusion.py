"""Codes that are taken for one another: one stands in gold, its sibling is suggested in its place."""

from __future__ import annotations

from typing import Any

import numpy as np

from nlp.codebook import Axis

from .predictions import AxisPredictions

LARGEST = 15


def confusion(axis: Axis, predicted: AxisPredictions) -> list[dict[str, Any]]:
    """The most frequent pairs of siblings: in so many cases ``gold`` is gold and not suggested, while ``suggested`` is
    suggested and not gold.

    Siblings are codes of one group of the codebook, or of one axis where it has no groups. ``support`` counts the
    cases with the gold code. Pairs that never occur are left out.
    """
    missed = (axis_gold := predicted.gold == 1) & ~predicted.said
    extra = (predicted.gold == 0) & predicted.said
    pairs = missed.astype(int).T @ extra.astype(int)
    groups = [label.group for label in axis.labels]
    found = [(int(pairs[a, b]), a, b) for a, b in zip(*np.nonzero(pairs), strict=True) if groups[a] == groups[b]]
    ranked = sorted(found, key=lambda item: (-item[0], item[1], item[2]))[:LARGEST]
    support = axis_gold.sum(axis=0)
    return [
        {"gold": axis.codes[a], "suggested": axis.codes[b], "count": count, "support": int(support[a])}
        for count, a, b in ranked
    ]
