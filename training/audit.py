"""Likely label errors: codes that contradict a model which has not seen the case (confident learning, Northcutt et
al. 2021)."""

from __future__ import annotations

import math
from collections import Counter
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


def label_doubts(
    cases: Sequence[Case], columns: Sequence[Column], probabilities: np.ndarray, *, limit: int
) -> list[Doubt]:
    """Doubted labels, the most doubtful first: up to ``limit`` codes that may be wrong and as many that may be missing,
    shared among the languages like the cases.

    A weak model doubts much that is right, so the list is cut where people stop finding errors in it.

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
            labels,
            np.column_stack([1 - p, p]),
            filter_by="confident_learning",
            return_indices_ranked_by="self_confidence",
            n_jobs=1,
        )
        for index in found:
            own = p[index] if labels[index] else 1 - p[index]
            doubts.append(Doubt(round(float(own), 4), cases[rows[index]].case_id, axis, code, bool(labels[index])))
    return _most_doubtful(doubts, cases, limit)


def _most_doubtful(doubts: Sequence[Doubt], cases: Sequence[Case], limit: int) -> list[Doubt]:
    language = {case.case_id: case.language for case in cases}
    room = {
        (spoken, coded): math.ceil(limit * count / len(cases))
        for spoken, count in Counter(language.values()).items()
        for coded in (True, False)
    }
    kept = []
    for doubt in sorted(doubts):
        key = (language[doubt.case_id], doubt.coded)
        if room[key]:
            room[key] -= 1
            kept.append(doubt)
    return kept
