"""A dry run on a sample: what a run over the whole table would bring, and how long it would take."""

from __future__ import annotations

import random
from collections import Counter
from dataclasses import dataclass, field
from typing import Any, Generic, Literal, TypeVar

from ..intervals import wilson
from ..types import Analysis
from .coded import People, differing_axes

SAMPLE_SIZE = 200  # rows; a share is then known to within 7 points
STATUSES = ("auto", "suggest", "review", "none", "failed")
_MEANT = {
    "auto": "set by the machine itself",
    "suggest": "codes are suggested, a person decides",
    "review": "a person should read the case",
    "none": "no code is likely",
    "failed": "cannot be coded",
}
RowStatus = Literal["auto", "suggest", "review", "none", "failed"]

_T = TypeVar("_T")


class SystematicSample(Generic[_T]):
    """Every n-th item of a stream whose length nobody knows, in one pass: legacy files are sorted by date or place, and
    a sample has to be of all of them (Cochran 1977, chapter 8).

    Every item is kept at first. Whenever twice as many as wanted are kept, every second one is let go, and from there
    on half as many are taken. What is let go is drawn from ``seed``, such as the hash of the file: the same file gives
    the same sample each time.
    """

    def __init__(self, seed: str, size: int = SAMPLE_SIZE) -> None:
        if size < 1:
            raise ValueError("a sample has one item at least")
        self.size = size
        self.seen = 0
        self._random = random.Random(seed)  # noqa: S311 (a sample, no secret)
        self._shift = self._random.random()
        self._step = 1
        self._start = 0
        self._kept: list[_T] = []

    def offer(self, item: _T) -> None:
        """The next item of the stream."""
        if self.seen % self._step == self._start:
            self._kept.append(item)
            if len(self._kept) == 2 * self.size:
                self._halve()
        self.seen += 1

    def items(self) -> list[_T]:
        """The sample, in the order of the stream: ``size`` items, or all where there are no more."""
        count = len(self._kept)
        if count <= self.size:
            return list(self._kept)
        return [self._kept[int((at + self._shift) * count / self.size)] for at in range(self.size)]

    def _halve(self) -> None:
        odd = self._random.getrandbits(1)
        self._kept = self._kept[odd::2]
        self._start += odd * self._step
        self._step *= 2


def row_status(analysis: Analysis | None, people: People, *, precision: float) -> RowStatus:
    """What becomes of a row.

    ``failed``
        It could not be coded.
    ``review``
        A person's codes differ from the machine's (see `differing_axes`), or nothing is suggested and some code is
        up for review.
    ``auto``
        Something is suggested, all of it is set by the machine itself, and no code is up for review; or nothing
        applies with a probability of at least ``precision``, which is what automatic codes promise.
    ``suggest``
        Something is suggested otherwise.
    ``none``
        The rest: no code is probable, and it is not sure that none applies.
    """
    if analysis is None:
        return "failed"
    decisions = {item.decision for item in analysis.suggestions}
    suggested = decisions & {"auto", "suggest"}
    if differing_axes(people, analysis) or (not suggested and "review" in decisions):
        return "review"
    if suggested:
        return "auto" if decisions <= {"auto", "none"} else "suggest"
    sure = bool(analysis.nothing) and all(value >= precision for value in analysis.nothing.values())
    return "auto" if sure else "none"


@dataclass
class Forecast:
    """Counts of a sample, and what they say about all rows of a table.

    ``seconds`` is the time that one worker needed for the sampled rows.
    """

    precision: float
    sampled: int = 0
    seconds: float = 0.0
    statuses: Counter[str] = field(default_factory=Counter)
    languages: Counter[str] = field(default_factory=Counter)
    errors: Counter[str] = field(default_factory=Counter)

    def add(self, analysis: Analysis | None, people: People, *, seconds: float, error: str | None = None) -> RowStatus:
        """Count one sampled row; ``error`` begins with its kind, as in the output."""
        status = row_status(analysis, people, precision=self.precision)
        self.sampled += 1
        self.seconds += seconds
        self.statuses[status] += 1
        if analysis is not None:
            self.languages[analysis.language] += 1
        if error is not None:
            self.errors[error.split(":")[0]] += 1
        return status

    @property
    def rate(self) -> float | None:
        """Rows a second of one worker; None where nothing was measured."""
        return self.sampled / self.seconds if self.seconds else None

    def hours(self, rows: int, workers: int) -> float | None:
        """How long all rows take, if no worker is in another's way."""
        return rows / (self.rate * workers) / 3600 if self.rate else None

    def to_json(self, *, rows: int, workers: int) -> dict[str, Any]:
        """The forecast for a table of ``rows``: shares and numbers with 95 % intervals, which have no width where the
        sample is the whole table."""
        hours = self.hours(rows, workers)
        return {
            "rows": rows,
            "sampled": self.sampled,
            "workers": workers,
            "rows_per_second_and_worker": None if self.rate is None else round(self.rate, 3),
            "hours": None if hours is None else round(hours, 3),
            "precision": self.precision,
            "statuses": {status: self._share(self.statuses[status], rows) for status in STATUSES},
            "languages": {language: self._share(n, rows) for language, n in _by_count(self.languages)},
            "errors": dict(_by_count(self.errors)),
        }

    def sentences(self, *, rows: int, workers: int) -> list[str]:
        """The forecast as people read it."""
        if not self.sampled:
            return ["no row was sampled: there is nothing to tell"]
        hours = self.hours(rows, workers)
        said = [f"{self.sampled:,} of {rows:,} rows were coded as a sample; nothing was written"]
        if self.rate and hours is not None:
            time = f"{_duration(hours)} with {workers} worker(s)"
            said.append(f"one worker codes {self.rate:.2g} rows a second: all rows take {time}")
        for status in STATUSES:
            share = self._share(self.statuses[status], rows)
            low, high = share["estimated_between"]
            said.append(
                f"{status} ({_MEANT[status]}): {share['share']:.0%}, about {share['estimated']:,} row(s); "
                f"with 95 % confidence {low:,} to {high:,}"
            )
        if self.errors:
            kinds = ", ".join(f"{kind} {count:,}" for kind, count in _by_count(self.errors))
            said.append(f"rows of the sample that cannot be coded: {kinds}")
        languages = ", ".join(f"{language} {count / self.sampled:.0%}" for language, count in _by_count(self.languages))
        return [*said, f"languages: {languages or 'none recognized'}"]

    def _share(self, count: int, rows: int) -> dict[str, Any]:
        share = count / self.sampled if self.sampled else 0.0
        whole = self.sampled >= rows
        low, high = (share, share) if whole else wilson(count, self.sampled) or (0.0, 1.0)
        return {
            "sampled": count,
            "share": round(share, 4),
            "interval": [round(low, 4), round(high, 4)],
            "estimated": round(share * rows),
            "estimated_between": [round(low * rows), round(high * rows)],
        }


def _by_count(counts: Counter[str]) -> list[tuple[str, int]]:
    return sorted(counts.items(), key=lambda item: (-item[1], item[0]))


def _duration(hours: float) -> str:
    minutes = hours * 60
    if minutes < 1:
        return "less than a minute"
    return f"{minutes:.0f} minute(s)" if minutes < 90 else f"{hours:.1f} hours"
