"""What stored decisions tell of the suggestions: agreement, acceptance, time."""

from __future__ import annotations

import math
import statistics
from collections import defaultdict
from collections.abc import Iterable, Iterator
from typing import Any

from .store.feedback import StoredFeedback, Wanted, list_feedback
from .store.store import Store

_PAGE = 500
_Z = 1.96  # two-sided 95 %


def figures(store: Store, wanted: Wanted) -> dict[str, Any]:
    """Figures over all decisions that are asked for; None where there is nothing to divide by.

    ``agreement`` compares, for each origin and axis, the codes that people set with those the models suggested:
    ``same`` is the share of cases with the same codes, with its 95 % interval by Wilson's formula, and ``overlap``
    twice the codes in common by all codes of both. Blind decisions were made without seeing the suggestions; what
    assisted ones agree more is the pull of being shown them. ``acceptance`` counts, for each bundle and code, how
    often a suggestion that was seen was accepted.
    """
    rows = list(_all(store, wanted))
    return {
        "decisions": len(rows),
        "agreement": {
            origin: _agreement([row for row in rows if row.origin == origin]) for origin in ("blind", "assisted")
        },
        "acceptance": _acceptance(row for row in rows if row.origin == "assisted"),
        "seconds": {
            origin: _seconds([row for row in rows if row.origin == origin]) for origin in ("blind", "assisted")
        },
    }


def _all(store: Store, wanted: Wanted) -> Iterator[StoredFeedback]:
    before = None
    while page := list_feedback(store, wanted, limit=_PAGE, before=before):
        yield from page
        before = page[-1].number


def _agreement(rows: list[StoredFeedback]) -> dict[str, Any]:
    found = {}
    axes = {item.axis for row in rows for item in row.shown} | {item.axis for row in rows for item in row.decided}
    for axis in sorted(axes):
        same = common = both = 0
        decided = [row for row in rows if axis in row.decided_axes]
        for row in decided:
            chosen = set(row.chosen(axis))
            suggested = {item.code for item in row.shown if item.axis == axis and item.suggested}
            suggested -= set(row.undecided(axis))
            same += chosen == suggested
            common += len(chosen & suggested)
            both += len(chosen) + len(suggested)
        found[axis] = {
            "cases": len(decided),
            "same": round(same / len(decided), 4) if decided else None,
            "interval": [round(value, 4) for value in wilson(same, len(decided))] if decided else None,
            "overlap": round(2 * common / both, 4) if both else None,
        }
    return found


def _acceptance(rows: Iterable[StoredFeedback]) -> list[dict[str, Any]]:
    counts: dict[tuple[str, str, str], dict[str, int]] = defaultdict(lambda: defaultdict(int))
    for row in rows:
        for item in row.decided:
            counts[row.bundle, item.axis, item.code][item.verdict] += 1
            if item.instead_of:
                counts[row.bundle, item.axis, item.instead_of]["replaced"] += 1
    found = []
    for (bundle, axis, code), verdicts in sorted(counts.items()):
        accepted, shown = verdicts["accepted"], verdicts["accepted"] + verdicts["rejected"] + verdicts["replaced"]
        found.append(
            {
                "bundle": bundle,
                "axis": axis,
                "code": code,
                "shown": shown,
                "accepted": accepted,
                "rejected": verdicts["rejected"] + verdicts["replaced"],
                "added": verdicts["added"] + verdicts["edited"],
                "rate": round(accepted / shown, 4) if shown else None,
                "interval": [round(value, 4) for value in wilson(accepted, shown)] if shown else None,
            }
        )
    return found


def _seconds(rows: list[StoredFeedback]) -> dict[str, Any]:
    times = sorted(row.seconds for row in rows if row.seconds is not None)
    if not times:
        return {"cases": 0, "median": None, "quartiles": None}
    quartiles = statistics.quantiles(times, n=4, method="inclusive") if len(times) > 1 else [times[0]] * 3
    return {
        "cases": len(times),
        "median": round(statistics.median(times), 1),
        "quartiles": [round(quartiles[0], 1), round(quartiles[2], 1)],
    }


def wilson(hits: int, total: int) -> tuple[float, float]:
    """The 95 % interval of a share (Wilson 1927)."""
    share = hits / total
    spread = _Z * math.sqrt(share * (1 - share) / total + _Z**2 / (4 * total**2))
    middle = share + _Z**2 / (2 * total)
    scale = 1 + _Z**2 / total
    return max(0.0, (middle - spread) / scale), min(1.0, (middle + spread) / scale)
