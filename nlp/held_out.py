"""What a bundle says of cases that its models have not seen: calibrated probabilities beside the gold codes.

Content-free: two numbers for each case and code, no text and no id. With it a run can promise another precision than
the policy of the bundle, and can say how many cases there are behind a number of suggestions.
"""

from __future__ import annotations

import io
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from .classification.base import Column

FILE = "held-out.npy"
"""Its name in a bundle. Optional: bundles before 0.6.0 have none."""


@dataclass(frozen=True)
class HeldOut:
    """Cases of the tuning split: ``probabilities`` and ``targets`` are of shape (n_cases, n_columns).

    The calibration of each probability has not seen its case; targets are 1, 0 or nan (not coded). The columns of a
    site's own cases are in an order of their own each, so that no case can be put together from them.
    """

    columns: tuple[Column, ...]
    probabilities: np.ndarray = field(repr=False)
    targets: np.ndarray = field(repr=False)

    def of(self, code: str) -> tuple[np.ndarray, np.ndarray]:
        """Probabilities and targets of the cases that are coded on the axis of a code. Raises KeyError."""
        at = next((at for at, column in enumerate(self.columns) if column.code == code), None)
        if at is None:
            raise KeyError(code)
        coded = ~np.isnan(self.targets[:, at])
        return self.probabilities[coded, at], self.targets[coded, at]

    def to_bytes(self) -> bytes:
        """As a bundle stores it: float32 of shape (2, n_cases, n_columns)."""
        stream = io.BytesIO()
        np.save(stream, np.stack([self.probabilities, self.targets]).astype(np.float32), allow_pickle=False)
        return stream.getvalue()

    @classmethod
    def from_bytes(cls, content: bytes, columns: Sequence[Column]) -> HeldOut:
        """Read what a bundle stores. Raises ValueError, which says what is wrong with it."""
        try:
            array = np.asarray(np.load(io.BytesIO(content), allow_pickle=False))
        except (ValueError, EOFError, OSError, zipfile.BadZipFile):
            raise ValueError("is no plain array") from None
        if array.dtype.kind != "f" or array.ndim != 3 or array.shape[::2] != (2, len(columns)):
            raise ValueError(
                f"has the shape {array.shape}, not (2, cases, {len(columns)}), or no floating-point numbers"
            )
        probabilities, targets = array.astype(np.float64)
        if not ((probabilities >= 0) & (probabilities <= 1)).all():
            raise ValueError("holds probabilities that are none")
        if not (np.isnan(targets) | (targets == 0) | (targets == 1)).all():
            raise ValueError("holds targets beside 1, 0 and not coded")
        return cls(tuple(columns), probabilities, targets)

    def apart(self, seed: int) -> HeldOut:
        """The same with each column in a random order of its own: of every code all is kept that thresholds and counts
        need, and of no case which codes it has together."""
        draws = np.random.default_rng(seed)
        probabilities, targets = self.probabilities.copy(), self.targets.copy()
        for at in range(len(self.columns)):
            order = draws.permutation(len(targets))
            probabilities[:, at], targets[:, at] = probabilities[order, at], targets[order, at]
        return HeldOut(self.columns, probabilities, targets)
