"""How far a run is: numbers only, never any text of a row."""

from __future__ import annotations

import time
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from .receipts import Receipt
from .shards import Plan


@dataclass(frozen=True)
class Progress:
    """How far a run is: rows done, rows with an error, share of the input read (or None), seconds since the start.

    ``before`` of the rows were done by an earlier run that this one goes on from; ``total`` is the number of all rows,
    None where it is not known.
    """

    rows: int
    errors: int
    share: float | None
    seconds: float
    shards_done: int = 0
    shards: int = 0
    total: int | None = None
    before: int = 0

    @property
    def rate(self) -> float:
        """Rows a second so far."""
        return (self.rows - self.before) / self.seconds if self.seconds else 0.0

    @property
    def seconds_left(self) -> float | None:
        """Estimated from the rows that are left, or else from the share read so far; None before there is a rate."""
        if self.total is not None:
            return (self.total - self.rows) / self.rate if self.rate else None
        return self.seconds * (1 - self.share) / self.share if self.share else None

    def to_json(self) -> dict[str, Any]:
        """The numbers as programs get them."""
        left = self.seconds_left
        return {
            "rows": self.rows,
            "errors": self.errors,
            "shards_done": self.shards_done,
            "shards": self.shards,
            "rate": round(self.rate, 2),
            "seconds_left": None if left is None else round(left, 1),
        }


class Tally:
    """Counts the rows of a plan: of finished shards by their receipts, of others as they are worked on.

    What it says never falls, although the rows of a shard that has to be run again are worked on twice.
    """

    def __init__(self, plan: Plan, before: Iterable[Receipt] = ()) -> None:
        self._total = plan.input.rows
        self._shards = len(plan.shards)
        self._started = time.monotonic()
        self._open: dict[int, tuple[int, int]] = {}  # shard -> rows and errors of it so far
        self._finished = self._rows = self._errors = self._said_rows = self._said_errors = 0
        for receipt in before:
            self.finish(receipt)
        self._before = self._rows

    def work(self, shard: int, rows: int, errors: int) -> None:
        """So many rows of a shard are done, and so many of them have an error."""
        self._open[shard] = (rows, errors)

    def finish(self, receipt: Receipt) -> None:
        """A shard is done."""
        self._open.pop(receipt.shard, None)
        self._finished += 1
        self._rows += receipt.rows
        self._errors += sum(receipt.errors.values())

    def progress(self) -> Progress:
        """How far the run is now."""
        self._said_rows = max(self._said_rows, self._rows + sum(rows for rows, _ in self._open.values()))
        self._said_errors = max(self._said_errors, self._errors + sum(errors for _, errors in self._open.values()))
        return Progress(
            rows=self._said_rows,
            errors=self._said_errors,
            share=self._said_rows / self._total if self._total else None,
            seconds=time.monotonic() - self._started,
            shards_done=self._finished,
            shards=self._shards,
            total=self._total,
            before=self._before,
        )
