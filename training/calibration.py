"""Logits -> probabilities that mean what they say: a slope and an offset for each column, learned where nothing else
was."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from scipy.optimize import minimize
from sklearn.model_selection import GroupKFold

from nlp.classification import Column
from nlp.classification.linear import sigmoid

FREE = 10.0  # standard deviation of the slope and offset of an axis around those of no change: learned from the cases


def calibrate(
    logits: np.ndarray, targets: np.ndarray, columns: Sequence[Column], *, prior: float, axis_prior: float = FREE
) -> np.ndarray:
    """Slope and offset of each column, of shape (2, n_columns), by Platt's method (Platt 1999) on logits of cases that
    the model has not seen.

    Each column is drawn towards the slope and offset of its whole axis, the more the fewer cases it has: a normal
    prior of standard deviation ``prior`` around them. Those of the axis have one of ``axis_prior`` around 1 and 0:
    small where the logits are calibrated already and the cases are few.
    """
    calibration = np.vstack([np.ones(len(columns)), np.zeros(len(columns))])
    for axis in dict.fromkeys(column.axis for column in columns):
        members = [at for at, column in enumerate(columns) if column.axis == axis]
        z, y = logits[:, members], targets[:, members]
        coded = ~np.isnan(y)
        pooled = platt(z[coded], y[coded], (1.0, 0.0), prior=axis_prior)
        for at in members:
            kept = ~np.isnan(targets[:, at])
            calibration[:, at] = platt(logits[kept, at], targets[kept, at], pooled, prior=prior)
    return calibration


def cross_calibrated(
    logits: np.ndarray,
    targets: np.ndarray,
    columns: Sequence[Column],
    groups: Sequence[str],
    *,
    prior: float,
    folds: int,
    axis_prior: float = FREE,
) -> np.ndarray:
    """Probabilities of cases whose calibration has not seen their group, of shape (n_cases, n_columns): what
    thresholds are learned on."""
    probabilities = np.zeros(logits.shape)
    splitter = GroupKFold(n_splits=min(folds, len(set(groups))))
    for seen, held_out in splitter.split(logits, groups=list(groups)):
        slope, offset = calibrate(logits[seen], targets[seen], columns, prior=prior, axis_prior=axis_prior)
        probabilities[held_out] = sigmoid(slope * logits[held_out] + offset)
    return probabilities


def platt(z: np.ndarray, y: np.ndarray, center: tuple[float, float], *, prior: float) -> tuple[float, float]:
    """Slope and offset that minimize the log loss of ``sigmoid(slope * z + offset)`` with a normal prior around
    ``center``."""

    def objective(parameters: np.ndarray) -> tuple[float, np.ndarray]:
        slope, offset = parameters
        t = slope * z + offset
        away = (parameters - np.array(center)) / prior
        error = sigmoid(t) - y
        value = np.sum(np.logaddexp(0, t) - y * t) + 0.5 * np.sum(away**2)
        return float(value), np.array([np.sum(error * z), np.sum(error)]) + away / prior

    found = minimize(objective, np.array(center), jac=True, method="L-BFGS-B", bounds=[(0.05, 10), (-10, 10)])
    return float(found.x[0]), float(found.x[1])


def log_loss(logits: np.ndarray, targets: np.ndarray) -> float:
    """Mean log loss over coded values after one slope and offset for all: what settings are chosen by."""
    coded = ~np.isnan(targets)
    z, y = logits[coded], targets[coded]
    slope, offset = platt(z, y, (1.0, 0.0), prior=FREE)
    return float(np.mean(np.logaddexp(0, slope * z + offset) - y * (slope * z + offset)))
