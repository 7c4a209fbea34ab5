"""What a classifier is, and the columns of its answers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple, Protocol

import numpy as np

from ..codebook import Codebook
from ..encoding import States
from ..reading import Reading
from ..types import Redaction, Span


class Column(NamedTuple):
    """One column of probabilities: a code of an axis, or (``code`` None) that nothing on the axis applies."""

    axis: str
    code: str | None


def columns_of(codebook: Codebook) -> tuple[Column, ...]:
    """The columns of a codebook: its codes in order, then one column for each axis on which "nothing" is an answer."""
    codes = [Column(axis.id, code) for axis in codebook.axes for code in axis.codes]
    return (*codes, *(Column(axis.id, None) for axis in codebook.axes if axis.nothing))


class Classifier(Protocol):
    """Calibrated probabilities for narratives. What ``featurize`` answers is the classifier's own affair."""

    @property
    def columns(self) -> tuple[Column, ...]: ...

    def featurize(self, reading: Reading, redaction: Redaction, states: States | None = None) -> Any:
        """What the classifier needs of one narrative. No entity's text may enter, only its type.

        ``states`` are those of the bundle's encoder, None where it has none.
        """
        ...

    def predict_proba(self, X: Sequence[Any]) -> np.ndarray:
        """Calibrated probability of each column, each by itself.

        Returns
        -------
        ndarray of shape (n_narratives, n_columns)
            float64 in [0, 1], columns in the order of ``columns``; rows need not sum to 1.
        """
        ...

    def predict_without(self, x: Any) -> np.ndarray:
        """The probabilities of one narrative with each of its sentences left out in turn.

        Returns
        -------
        ndarray of shape (n_sentences, n_columns)
            Rows in the order of ``Reading.sentences``.
        """
        ...

    def predict_primary(self, x: Any) -> np.ndarray | None:
        """Scores of shape (n_columns,) by which one code of a narrative leads on its axis, the highest first; None
        where the classifier has learned none."""
        ...

    def words(self, x: Any, column: int, sentence: Span) -> tuple[Span, ...]:
        """The words of a sentence that speak for a column, disjoint and in order; empty where it cannot tell."""
        ...
