"""How many cases there are behind a number of suggestions: counts corrected for the errors of the models.

A code is suggested in some share of a file. Some of these are wrong, and some cases are missed; how often, the tuning
split of the bundle says: of its cases with the code, a share ``found`` (the true positive rate) is suggested, of those
without it, a share ``false`` (the false positive rate). If the texts of the file are like those *within each class*,
the share of cases with the code is ``(suggested - false) / (found - false)``: the adjusted count of Forman (2008), the
estimator of Gart and Buck (1966) and of Rogan and Gladen (1978).

The interval takes all three shares for uncertain, few positives of the tuning split most of all: each is drawn from its
beta distribution under Jeffreys' prior, and the middle 95 % of the corrected shares are kept. In simulations
(``tests/benchmarks/bench_prevalence.py``) it holds the true share 91 to 99 times of 100; by the delta method it is far
too narrow for codes with few cases. The method of Saerens (2002) comes closer on average, but nobody knows a good
interval for it: what was tried held the true share 72 to 98 times of 100.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any, Literal

import numpy as np

from ...decision import Thresholds
from ...held_out import HeldOut
from .counts import FEW, Shown, shown

FEWEST_POSITIVES = 10  # of the tuning split; and as many cases without the code
LEAST_GAP = 0.2  # between how often a code is suggested where it holds and where it does not
FEWEST_ROWS = 20  # of a file of which shares are told
_DRAWS = 4_000
_SEED = 20_081_966  # of the draws: the same counts give the same interval
_NO_GAP = 0.02  # of a draw, below which the formula says nothing
_JEFFREYS = 0.5
_SLACK = 1e-9  # of a bound that is a whole number but for rounding

Reason = Literal["few_cases", "weak", "few_rows", "unlike"]
"""Too few known cases, models that hardly tell the code, too few rows; or a share that errors alone could not make:
below that of false suggestions, or above that of true ones, by more than chance. Then the assumption does not hold."""


@dataclass(frozen=True)
class Confusion:
    """What the policy does with the cases of the tuning split: ``hits`` of ``positives`` are suggested, and ``false``
    of ``negatives``."""

    hits: int
    positives: int
    false: int
    negatives: int

    @classmethod
    def of(cls, held_out: HeldOut, code: str, thresholds: Thresholds) -> Confusion:
        """The confusion of a code at the thresholds of a run."""
        p, y = held_out.of(code)
        least = thresholds.suggest if thresholds.auto is None else min(thresholds.suggest, thresholds.auto)
        chosen = p >= least
        positive = y == 1
        return cls(
            int((chosen & positive).sum()), int(positive.sum()), int((chosen & ~positive).sum()), int((~positive).sum())
        )


@dataclass(frozen=True)
class Corrected:
    """The corrected count of one code, or the reason why there is none.

    ``suggested`` is the raw count among ``rows``; ``count``, ``low`` and ``high`` are rows, the bounds of the 95 %
    interval. ``found`` and ``false`` are the shares that it was corrected by, None where they cannot be told.
    """

    axis: str
    code: str
    rows: int
    suggested: Shown
    positives: Shown
    found: float | None = None
    false: float | None = None
    count: int | None = None
    low: int | None = None
    high: int | None = None
    reason: Reason | None = None

    def to_json(self) -> dict[str, Any]:
        return asdict(self)


def correct(axis: str, code: str, *, suggested: int, rows: int, confusion: Confusion) -> Corrected:
    """The corrected count of a code that is suggested in ``suggested`` of ``rows`` coded rows."""
    reason = _reason(suggested, rows, confusion)
    plain = Corrected(axis, code, rows, shown(suggested), shown(confusion.positives), reason=reason)
    if reason == "few_cases":
        return plain
    found, false = confusion.hits / confusion.positives, confusion.false / confusion.negatives
    plain = replace(plain, found=round(found, 3), false=round(false, 4))
    if reason:
        return plain
    share = float(np.clip((suggested / rows - false) / (found - false), 0, 1))
    low, high = interval(suggested, rows, confusion)
    if high <= 0 or low >= 1:
        return replace(plain, reason="unlike")
    return replace(
        plain,
        count=round(share * rows),
        low=math.floor(min(low, share) * rows + _SLACK),
        high=math.ceil(max(high, share) * rows - _SLACK),
    )


def interval(suggested: int, rows: int, confusion: Confusion) -> tuple[float, float]:
    """The 95 % interval of the share of cases with a code."""
    draws = np.random.default_rng(_SEED)

    def share(hits: int, total: int) -> np.ndarray:
        return draws.beta(hits + _JEFFREYS, total - hits + _JEFFREYS, _DRAWS)

    seen = share(suggested, rows)
    found, false = share(confusion.hits, confusion.positives), share(confusion.false, confusion.negatives)
    gap = found - false
    told = gap > _NO_GAP
    shares = np.clip((seen[told] - false[told]) / gap[told], 0, 1)
    if not len(shares):
        return 0.0, 1.0
    low, high = np.quantile(shares, (0.025, 0.975))
    return float(low), float(high)


def corrected_codes(
    held_out: HeldOut, thresholds: Mapping[str, Thresholds], suggested: Mapping[str, int], rows: int
) -> tuple[Corrected, ...]:
    """The corrected counts of all codes, in the order of the columns."""
    return tuple(
        correct(
            column.axis,
            column.code,
            suggested=suggested.get(column.code, 0),
            rows=rows,
            confusion=Confusion.of(held_out, column.code, thresholds[column.code]),
        )
        for column in held_out.columns
        if column.code
    )


def _reason(suggested: int, rows: int, confusion: Confusion) -> Reason | None:
    """Why a count cannot be corrected, or None."""
    if min(confusion.positives, confusion.negatives) < FEWEST_POSITIVES:
        return "few_cases"
    if confusion.hits / confusion.positives - confusion.false / confusion.negatives < LEAST_GAP:
        return "weak"
    if rows < FEWEST_ROWS or shown(suggested) == FEW:
        return "few_rows"
    return None
