"""Shares of all rows, estimated from rows that were drawn within strata: a ratio estimator and its interval.

The combined ratio estimator and its variance by linearization are those of Cochran (1977, sections 6.11 and 6.12); a
row is the unit that was drawn, whatever number of codes it has. The interval is Wilson's at the effective number of
units, which fits shares near 0 and 1 (Korn and Graubard 1998, with Wilson's interval in place of the exact one).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from ...intervals import wilson_of_share

GOAL = 0.05  # half the width of an interval that is narrow enough


@dataclass(frozen=True)
class Stratum:
    """Checked rows of one stratum of ``rows`` rows: what counts in each, and out of what."""

    rows: int
    hits: Sequence[float]
    totals: Sequence[float]

    @property
    def weight(self) -> float:
        """For how many rows a checked one stands."""
        return self.rows / len(self.hits)


@dataclass(frozen=True)
class Estimate:
    """A share with its 95 % interval, from ``checked`` rows that say something about it; ``more`` rows would have to be
    checked for an interval of five points to either side, 0 where it is that narrow. None where nothing is known."""

    share: float | None
    low: float | None
    high: float | None
    checked: int
    more: int | None

    def to_json(self) -> dict[str, Any]:
        interval = None if self.low is None or self.high is None else [round(self.low, 4), round(self.high, 4)]
        share = None if self.share is None else round(self.share, 4)
        return {"share": share, "interval": interval, "rows_checked": self.checked, "more_rows_needed": self.more}


def ratio(strata: Sequence[Stratum]) -> Estimate:
    """The share of hits among totals in all rows of all strata."""
    strata = [stratum for stratum in strata if stratum.hits]
    told = sum(total > 0 for stratum in strata for total in stratum.totals)
    whole = sum(stratum.weight * sum(stratum.totals) for stratum in strata)
    if not whole:
        return Estimate(None, None, None, told, None)
    share = sum(stratum.weight * sum(stratum.hits) for stratum in strata) / whole
    if all(len(stratum.hits) >= stratum.rows for stratum in strata):
        return Estimate(share, share, share, told, 0)
    low, high = wilson_of_share(share, _effective(strata, share, whole))
    checked, rows = sum(len(stratum.hits) for stratum in strata), sum(stratum.rows for stratum in strata)
    wanted = checked * ((high - low) / 2 / GOAL) ** 2
    return Estimate(share, low, high, told, max(0, min(math.ceil(wanted - checked), rows - checked)))


def _effective(strata: Sequence[Stratum], share: float, whole: float) -> float:
    """How many units of a plain random sample would tell as much; never more than there are."""
    units = [(stratum.weight, total) for stratum in strata for total in stratum.totals if total > 0]
    most = sum(weight for weight, _ in units) ** 2 / sum(weight**2 for weight, _ in units)
    variance = sum(_variance(stratum, share) for stratum in strata) / whole**2
    return min(most, share * (1 - share) / variance) if variance > 0 and 0 < share < 1 else most


def _variance(stratum: Stratum, share: float) -> float:
    """Of the estimated sum of residuals of a stratum; a single row is taken for as far off as it can be."""
    n = len(stratum.hits)
    residuals = [hit - share * total for hit, total in zip(stratum.hits, stratum.totals, strict=True)]
    if n == 1:
        spread = max(share, 1 - share) ** 2 * max(stratum.totals[0], 1.0) ** 2
    else:
        mean = sum(residuals) / n
        spread = sum((value - mean) ** 2 for value in residuals) / (n - 1)
    return stratum.rows**2 * (1 - n / stratum.rows) * spread / n if stratum.rows > n else 0.0
