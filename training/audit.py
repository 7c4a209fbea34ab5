"""Likely label errors: codes that contradict a model which has not seen the case (confident learning, Northcutt et
al. 2021)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from cleanlab.filter import find_label_issues

from nlp.classification.base import Column

from .corpus import Case


@dataclass(frozen=True, order=True)
class Doubt:
    """A code of a case that is doubted. ``confidence`` is what the model gives to the label as it stands, in [0, 1]."""

    confidence: float
    case_id: str
    axis: str
    code: str
    coded: bool


def label_doubts(cases: Sequence[Case], columns: Sequence[Column], probabilities: np.ndarray) -> list[Doubt]:
    """Doubted labels, the most doubtful first.

    Parameters
    ----------
    probabilities : ndarray of shape (n_cases, n_columns)
        Out-of-fold: each row from a model that has not seen the case nor one of its group.
    """
    doubts = []
    for at, (axis, code) in enumerate(columns):
        rows = np.array([row for row, case in enumerate(cases) if case.codes[axis] is not None])
        if code is None or not len(rows):
            continue
        labels = np.array([int(code in (cases[row].codes[axis] or ())) for row in rows])
        if len(set(labels)) < 2:
            continue
        p = probabilities[rows, at]
        found = find_label_issues(
            labels, np.column_stack([1 - p, p]), return_indices_ranked_by="self_confidence", n_jobs=1
        )
        for index in found:
            own = p[index] if labels[index] else 1 - p[index]
            doubts.append(Doubt(round(float(own), 4), cases[rows[index]].case_id, axis, code, bool(labels[index])))
    return sorted(doubts)
