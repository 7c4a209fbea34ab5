"""A classifier that always answers the same: for tests of what surrounds a classifier, and for measuring its cost."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from ..codebook import Codebook
from ..encoding import States
from ..reading import Reading
from ..types import Redaction, Span
from .base import Column, columns_of


class ConstantClassifier:
    """Answers the given probability for the given codes and ``rest`` for all others."""

    def __init__(self, codebook: Codebook, probabilities: Mapping[str, float], *, rest: float = 0.0) -> None:
        self.columns: tuple[Column, ...] = columns_of(codebook)
        self.row = np.array([probabilities.get(column.code or "", rest) for column in self.columns])

    def featurize(self, reading: Reading, redaction: Redaction, states: States | None = None) -> int:
        return len(reading.sentences)

    def predict_proba(self, X: Sequence[int]) -> np.ndarray:
        return np.tile(self.row, (len(X), 1))

    def predict_without(self, x: int) -> np.ndarray:
        return np.tile(self.row * 0.5, (x, 1))

    def predict_primary(self, x: int) -> None:
        return None

    def words(self, x: int, column: int, sentence: Span) -> tuple[Span, ...]:
        return ()
