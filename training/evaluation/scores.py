"""Precision, recall and F1 from arrays, and their bootstrap intervals; in arrays undefined is nan, in figures None."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from nlp.intervals import wilson

RESAMPLES = 1000  # draws of cases for an interval
_BOUNDS = (2.5, 97.5)  # per cent: a 95 % percentile interval


@dataclass(frozen=True, eq=False)
class Counts:
    """Hits, suggested and gold, each of shape (..., n_codes); the first axis, if there is one, is the draw."""

    hits: np.ndarray
    said: np.ndarray
    true: np.ndarray

    def f1(self) -> np.ndarray:
        """F1 of each code; nan where a code is neither gold nor suggested."""
        return ratio(2 * self.hits, self.said + self.true)

    def micro_f1(self) -> np.ndarray:
        """F1 over all codes together."""
        return ratio(2 * self.hits.sum(axis=-1), self.said.sum(axis=-1) + self.true.sum(axis=-1))

    def macro_f1(self) -> np.ndarray:
        """Mean F1 of the codes that have gold cases; nan where none has."""
        kept = self.true > 0
        return ratio(np.where(kept, np.nan_to_num(self.f1()), 0).sum(axis=-1), kept.sum(axis=-1))


def counts(gold: np.ndarray, said: np.ndarray, weights: np.ndarray | None = None) -> Counts:
    """Counts of each code, or with ``weights`` of shape (n_draws, n_cases) of each code in each draw.

    ``gold`` and ``said`` have the shape (n_cases, n_codes); where ``gold`` is nan nobody coded, and nothing counts.
    """
    true, chosen = gold == 1, said & ~np.isnan(gold)
    parts = [part.astype(float) for part in (true & chosen, chosen, true)]
    return Counts(*((part.sum(axis=0) if weights is None else weights @ part) for part in parts))


def draw_weights(n_cases: int, *, seed: int, resamples: int = RESAMPLES) -> np.ndarray:
    """How often each case stands in each draw with replacement, of shape (resamples, n_cases)."""
    draws = np.random.default_rng(seed).integers(0, n_cases, size=(resamples, n_cases))
    places = draws + n_cases * np.arange(resamples)[:, None]
    return np.bincount(places.ravel(), minlength=resamples * n_cases).reshape(resamples, n_cases).astype(float)


def ratio(part: np.ndarray, whole: np.ndarray) -> np.ndarray:
    """Quotients, nan where there is nothing to divide by."""
    part, whole = np.asarray(part, dtype=float), np.asarray(whole, dtype=float)
    return np.asarray(np.divide(part, whole, out=np.full(whole.shape, np.nan), where=whole > 0))


def share(part: float, whole: float) -> float | None:
    """A share as a figure; None of nothing."""
    return figure(part / whole) if whole else None


def figure(value: float) -> float | None:
    """A number as it stands in the figures: four digits, None where it is undefined."""
    return None if np.isnan(value) else round(float(value), 4)


def share_interval(hits: int, n: int) -> list[float] | None:
    """The 95 % interval of a share as it stands in the figures; None of nothing."""
    bounds = wilson(hits, n)
    return [round(bound, 4) for bound in bounds] if bounds else None


def interval(values: np.ndarray) -> list[float] | None:
    """95 % percentile interval over draws; draws in which the figure is undefined are left out."""
    known = values[~np.isnan(values)]
    return [round(float(bound), 4) for bound in np.percentile(known, _BOUNDS)] if known.size else None
