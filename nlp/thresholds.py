"""Where ``auto`` begins: the lowest threshold at which cases that the models have not seen prove its precision."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from .held_out import HeldOut

DIGITS = 4  # of a threshold
_Z = 1.645  # one-sided 95 %


def auto_thresholds(
    held_out: HeldOut, precision: float, *, least: Mapping[str, float] | None = None
) -> dict[str, float | None]:
    """For each code where ``auto`` begins at a promised precision, see `auto_threshold`; None where nothing proves it.

    ``least`` is where ``suggest`` begins, by code: what is set by itself would be shown, too.
    """
    codes = [column.code for column in held_out.columns if column.code]
    lowest = least or {}
    return {
        code: auto_threshold(*held_out.of(code), precision=precision, least=lowest.get(code, 0.0)) for code in codes
    }


def auto_threshold(p: np.ndarray, y: np.ndarray, *, precision: float, least: float = 0.0) -> float | None:
    """The lowest threshold from ``least`` up at which the Wilson lower bound of the precision is at least
    ``precision``, or None.

    Thresholds are tried from the highest down, from as many cases on as a faultless run needs, and the first that fails
    ends the search: tests in a fixed sequence need no correction for their number (Maurer, Hothorn, Lehmacher 1995).
    """
    order = np.argsort(-p, kind="stable")
    chosen = np.arange(1, len(p) + 1)
    lower = wilson_lower(np.cumsum(y[order]), chosen)
    last = np.append(p[order][:-1] > p[order][1:], True) if len(p) else np.zeros(0, bool)  # ties are taken together
    possible = wilson_lower(chosen, chosen) >= precision
    tried = np.flatnonzero(last & possible & (p[order] >= least))
    failed = np.flatnonzero(lower[tried] < precision)
    good = tried[: failed[0]] if len(failed) else tried
    return round(float(p[order][good[-1]]) + 5 * 10.0 ** -(DIGITS + 1), DIGITS) if len(good) else None


def wilson_lower(hits: np.ndarray, n: np.ndarray) -> np.ndarray:
    """Lower bound of the one-sided 95 % Wilson score interval of a share of ``hits`` among ``n`` (Wilson 1927)."""
    share = hits / n
    center = share + _Z**2 / (2 * n)
    spread = _Z * np.sqrt(share * (1 - share) / n + _Z**2 / (4 * n**2))
    return np.asarray((center - spread) / (1 + _Z**2 / n))
