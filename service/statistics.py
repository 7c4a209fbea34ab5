"""What stored decisions tell of the suggestions: agreement, acceptance, time."""

from __future__ import annotations

import statistics
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any, get_args

from nlp.intervals import wilson

from .store.counted import Counted, Single
from .store.feedback import CHOSEN, Wanted
from .store.receipts import Origin
from .store.store import Store

_ORIGINS: tuple[Origin, ...] = get_args(Origin)


def figures(store: Store, wanted: Wanted) -> dict[str, Any]:
    """Figures over the last decision of each coder and case, as `service.store.counted` has them; None where there is
    nothing to divide by.

    ``decisions`` are those that count, ``superseded`` those left out because their coder decided on the case again.
    ``agreement`` compares, for each origin and axis, the codes that people set with those the models suggested:
    ``same`` is the share of cases with the same codes, with its 95 % interval by Wilson's formula, and ``overlap``
    twice the codes in common by all codes of both. Blind decisions were made without seeing the suggestions; what
    assisted ones agree more is the pull of being shown them. ``acceptance`` counts, for each bundle and code, how
    often a suggestion that was seen was accepted.
    """
    with store.database.reading() as session:
        counted = Counted(session.connection(), wanted)
        asked_for = counted.asked_for()
        times = counted.seconds()
        agreement: dict[Origin, dict[str, _Agreement]] = {origin: defaultdict(_Agreement) for origin in _ORIGINS}
        agreement["assisted"] |= {axis: _Agreement(*agreed) for axis, agreed in counted.agreed().items()}
        codes = _codes(counted)
        for single in counted.singles():
            _compare(single, agreement[single.origin])
            for axis, code in _ruled_out(single):
                codes[single.bundle, axis, code]["ruled out"] += 1
    return {
        "decisions": len(times),
        "superseded": asked_for - len(times),
        "agreement": {
            origin: {axis: found.told() for axis, found in sorted(by_axis.items())}
            for origin, by_axis in agreement.items()
        },
        "acceptance": [_acceptance(*which, fates) for which, fates in sorted(codes.items())],
        "seconds": {origin: _seconds(seconds for of, seconds in times if of == origin) for origin in _ORIGINS},
    }


@dataclass
class _Agreement:
    """How far people and models agree on one axis, as `service.store.counted.Agreed` has it."""

    cases: int = 0
    same: int = 0
    common: int = 0
    both: int = 0

    def add(self, chosen: set[str], suggested: set[str]) -> None:
        self.cases += 1
        self.same += chosen == suggested
        self.common += len(chosen & suggested)
        self.both += len(chosen) + len(suggested)

    def told(self) -> dict[str, Any]:
        share, interval = _share(self.same, self.cases)
        overlap = round(2 * self.common / self.both, 4) if self.both else None
        return {"cases": self.cases, "same": share, "interval": interval, "overlap": overlap}


def _compare(single: Single, by_axis: dict[str, _Agreement]) -> None:
    """Count each axis that was decided. A suggestion that was seen and left open counts neither way."""
    for axis in single.nothing | {item.axis for item in single.said}:
        said = [item for item in single.said if item.axis == axis]
        suggested = single.suggested.get(axis, set())
        if single.origin == "assisted" and axis not in single.nothing:
            suggested = suggested & {code for item in said for code in (item.code, item.instead_of)}
        by_axis[axis].add({item.code for item in said if item.verdict in CHOSEN}, suggested)


def _codes(counted: Counted) -> dict[tuple[str, str, str], Counter[str]]:
    """How often what became of each code of each bundle, by its own verdicts and by those that replace it."""
    found: dict[tuple[str, str, str], Counter[str]] = defaultdict(Counter)
    for fates in counted.fates():
        found[fates.bundle, fates.axis, fates.code][fates.verdict] += fates.times
        if fates.instead_of:
            found[fates.bundle, fates.axis, fates.instead_of]["replaced"] += fates.times
    return found


def _ruled_out(single: Single) -> Iterator[tuple[str, str]]:
    """Suggestions that were seen and have no verdict, where the person found that no code of their axis applies."""
    if single.origin == "assisted":
        for axis in single.nothing:
            said = {item.code for item in single.said if item.axis == axis}
            yield from ((axis, code) for code in single.suggested.get(axis, set()) - said)


def _acceptance(bundle: str, axis: str, code: str, fates: Counter[str]) -> dict[str, Any]:
    accepted, rejected = fates["accepted"], fates["rejected"] + fates["replaced"] + fates["ruled out"]
    rate, interval = _share(accepted, accepted + rejected)
    return {
        "bundle": bundle,
        "axis": axis,
        "code": code,
        "shown": accepted + rejected,
        "accepted": accepted,
        "rejected": rejected,
        "added": fates["added"] + fates["edited"],
        "rate": rate,
        "interval": interval,
    }


def _seconds(told: Iterable[float | None]) -> dict[str, Any]:
    times = [time for time in told if time is not None]
    if not times:
        return {"cases": 0, "median": None, "quartiles": None}
    quartiles = statistics.quantiles(times, n=4, method="inclusive") if len(times) > 1 else [times[0]] * 3
    return {
        "cases": len(times),
        "median": round(statistics.median(times), 1),
        "quartiles": [round(quartiles[0], 1), round(quartiles[2], 1)],
    }


def _share(hits: int, total: int) -> tuple[float | None, list[float] | None]:
    """A share and its interval, rounded; None where there is nothing to divide by."""
    bounds = wilson(hits, total)
    if bounds is None:
        return None, None
    return round(hits / total, 4), [round(value, 4) for value in bounds]
