"""Intervals of shares, and of agreement beyond chance."""

from __future__ import annotations

import math

Z = 1.959964  # of the normal distribution, for 95 %
_NO_SPREAD = 1e-15  # what rounding leaves of a variance of 0


def wilson(hits: int, total: int) -> tuple[float, float] | None:
    """The 95 % interval of a share (Wilson 1927); None of nothing."""
    return wilson_of_share(hits / total, total) if total else None


def wilson_of_share(share: float, n: float) -> tuple[float, float]:
    """The same of a share among ``n`` units, which need not be whole."""
    middle = share + Z**2 / (2 * n)
    spread = Z * math.sqrt(share * (1 - share) / n + Z**2 / (4 * n**2))
    scale = 1 + Z**2 / n  # the share itself bounds what rounding leaves at 0 and 1
    return max(0.0, min(share, (middle - spread) / scale)), min(1.0, max(share, (middle + spread) / scale))


def kappa(both: int, only_first: int, only_second: int, neither: int) -> float | None:
    """Cohen's kappa (1960) of two yes/no judgments; None where chance alone would agree always, or of nothing."""
    total = both + only_first + only_second + neither
    if not total:
        return None
    first, second = (both + only_first) / total, (both + only_second) / total
    expected = first * second + (1 - first) * (1 - second)
    if math.isclose(expected, 1.0):
        return None
    return ((both + neither) / total - expected) / (1 - expected)


def kappa_interval(both: int, only_first: int, only_second: int, neither: int) -> tuple[float, float] | None:
    """The 95 % interval of kappa, by the large-sample standard error of Fleiss, Cohen and Everitt (1969).

    None where kappa is undefined, and where the formula knows no spread: it gives 0 for any number of judgments that
    agree throughout, and an interval of no width would say too much.
    """
    value = kappa(both, only_first, only_second, neither)
    if value is None:
        return None
    total = both + only_first + only_second + neither
    cells = [[both / total, only_first / total], [only_second / total, neither / total]]
    first = [sum(row) for row in cells]
    second = [cells[0][at] + cells[1][at] for at in (0, 1)]
    expected = sum(first[at] * second[at] for at in (0, 1))
    agreeing = sum(cells[at][at] * (1 - (first[at] + second[at]) * (1 - value)) ** 2 for at in (0, 1))
    apart = sum(cells[at][1 - at] * (second[at] + first[1 - at]) ** 2 for at in (0, 1))
    variance = agreeing + (1 - value) ** 2 * apart - (value - expected * (1 - value)) ** 2
    variance /= total * (1 - expected) ** 2
    if variance <= _NO_SPREAD:
        return None
    spread = Z * math.sqrt(variance)
    return max(-1.0, value - spread), min(1.0, value + spread)
