"""Whether the texts of a run look like those that the models learned from: the figures of a model card hold for such.

Compared are counts in the same bins by the population stability index, the symmetric form of the Kullback-Leibler
divergence. By custom, below 0.1 nothing has changed, from 0.25 on much has (Siddiqi 2006). The reference has many
languages and a run often one: the texts of each language are compared with those of the same one, by weighing the
reference as the run is mixed. Few texts alone make an index: of k bins about ``(k - 1) (1 / n + 1 / m)``, spread like
chi-square (Yurdakul and Naranjo 2020); that much is subtracted, and what lies within its 99 % is taken for chance.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal

import numpy as np

from .counts import FEW, shown
from .profile import Bins, Profile

Level = Literal["alike", "different", "very_different", "too_few"]

_DIFFERENT, _VERY = 0.1, 0.25
_FEWEST_ROWS = 50  # of a run of which anything is told
_Z = 2.326  # one-sided 99 %
_FEWEST_KNOWN = 20  # texts of a language in the reference; of fewer, those of all languages stand for it
_STRANGE, _MOSTLY_STRANGE = 0.1, 0.5  # share of texts in such languages
_MOST_CODES = 6
_CODE_DIFFERENCE = 0.02  # of the share of a code, from which on it is told


@dataclass(frozen=True)
class Difference:
    """One comparison. ``kind`` is ``words``, ``unknown``, ``confidence`` (of ``axis``) or ``languages``; ``index`` is
    the population stability index without what chance makes of it, None for languages.

    Where both lie farthest apart: ``share`` of the run, and ``expected`` share of the reference, are below ``at``. For
    languages the share of texts in those of which the reference has hardly any.
    """

    kind: str
    level: Level
    index: float | None
    at: float | None
    share: float
    expected: float
    axis: str | None = None


@dataclass(frozen=True)
class CodeShift:
    """A code that is suggested more or less often than in the reference, as shares of the texts."""

    axis: str
    code: str
    share: float
    expected: float


@dataclass(frozen=True)
class Drift:
    """How a run differs from the tuning split of its bundle."""

    rows: int
    reference_rows: int
    differences: tuple[Difference, ...]
    codes: tuple[CodeShift, ...]

    @property
    def level(self) -> Level:
        """The strongest of all differences."""
        levels = {item.level for item in self.differences}
        order: tuple[Level, ...] = ("too_few", "very_different", "different")
        return next((level for level in order if level in levels), "alike")

    def to_json(self) -> dict[str, Any]:
        return {
            "rows": self.rows,
            "reference_rows": self.reference_rows,
            "level": self.level,
            "differences": [asdict(item) for item in self.differences],
            "codes": [asdict(item) for item in self.codes],
        }


def compare(run: Profile, reference: Profile, codes: Sequence[tuple[str, str]]) -> Drift:
    """How the texts of a run differ; ``codes`` are pairs of axis and code, of those to compare."""
    differences = [_of_bins("words", run.lengths, reference.lengths)]
    if run.known and reference.unknown.counts:
        differences.append(_of_bins("unknown", run.unknown, reference.unknown))
    differences += [
        _of_bins("confidence", run.confidence[axis], reference.confidence[axis], axis)
        for axis in run.axes
        if reference.confidence[axis].counts
    ]
    differences.append(_of_languages(run.languages, reference.languages))
    return Drift(run.rows, reference.rows, tuple(differences), _shifts(run, reference, codes))


def _of_bins(kind: str, run: Bins, reference: Bins, axis: str | None = None) -> Difference:
    expected, size = _mixed_alike(run, reference)
    found = run.total
    index, level = _judge(found, expected, size)
    below, expected_below = (np.cumsum(shares)[:-1] for shares in (found / max(1, found.sum()), expected))
    farthest = int(np.argmax(np.abs(below - expected_below)))
    return Difference(
        kind,
        level,
        index,
        at=float(run.edges[farthest + 1]),
        share=_share(below[farthest]),
        expected=_share(expected_below[farthest]),
        axis=axis,
    )


def _mixed_alike(run: Bins, reference: Bins) -> tuple[np.ndarray, float]:
    """The shares of the reference in each bin if its languages were mixed as those of the run, and how many texts of a
    plain sample would tell as much."""
    rows = max(1, int(run.total.sum()))
    shares, uncertain = np.zeros(len(run.edges)), 0.0
    everything = reference.total
    for language, counts in run.counts.items():
        own = reference.counts.get(language, everything)
        known = own if own.sum() >= _FEWEST_KNOWN else everything
        part = counts.sum() / rows
        shares += part * known / max(1, known.sum())
        uncertain += part**2 / max(1, known.sum())
    return shares, 1 / uncertain if uncertain else 0.0


def _of_languages(run: Counter[str], reference: Counter[str]) -> Difference:
    strange = [name for name in run if reference[name] < _FEWEST_KNOWN]
    rows, known = run.total(), max(1, reference.total())
    share = sum(run[name] for name in strange) / max(1, rows)
    level: Level = "very_different" if share >= _MOSTLY_STRANGE else "different" if share >= _STRANGE else "alike"
    expected = sum(reference[name] for name in strange) / known
    return Difference(
        "languages", level if rows >= _FEWEST_ROWS else "too_few", None, None, _share(share), _share(expected)
    )


def _judge(run: np.ndarray, expected: np.ndarray, size: float) -> tuple[float, Level]:
    """The index of counts against expected shares that ``size`` texts tell, and what it means."""
    n = int(run.sum())
    if min(n, size) < _FEWEST_KNOWN or n < _FEWEST_ROWS:
        return 0.0, "too_few"
    used = (run > 0) | (expected > 0)
    bins = int(used.sum())
    found = (run[used] + 0.5) / (n + 0.5 * bins)
    wanted = (size * expected[used] + 0.5) / (size + 0.5 * bins)
    raw = float(((found - wanted) * np.log(found / wanted)).sum())
    chance = 1 / n + 1 / size
    index = round(float(max(0.0, raw - chance * (bins - 1))), 3)
    if index < _DIFFERENT or raw <= chance * _chi_square(bins - 1):
        return index, "alike"
    return index, "very_different" if index >= _VERY else "different"


def _chi_square(degrees: int) -> float:
    """The 99 % point of chi-square, by the cube root (Wilson and Hilferty 1931)."""
    if degrees < 1:
        return 0.0
    spread = 2 / (9 * degrees)
    return degrees * (1 - spread + _Z * math.sqrt(spread)) ** 3


def _shifts(run: Profile, reference: Profile, codes: Sequence[tuple[str, str]]) -> tuple[CodeShift, ...]:
    """The codes whose share differs most; those that differ little are left out, and those of too few rows to tell."""
    if min(run.rows, reference.rows) < _FEWEST_ROWS:
        return ()
    shares = [
        CodeShift(axis, code, _share(run.codes[code] / run.rows), _share(reference.codes[code] / reference.rows))
        for axis, code in codes
        if shown(run.codes[code]) != FEW
    ]
    apart = [item for item in shares if abs(item.share - item.expected) >= _CODE_DIFFERENCE]
    return tuple(sorted(apart, key=lambda item: (-abs(item.share - item.expected), item.code))[:_MOST_CODES])


def _share(value: float) -> float:
    return round(float(value), 3)
