"""Counts by month, country or language, with bounded memory and no group that is too small to be shown."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from ..facts_columns import NOT_UNDERSTOOD
from .counts import Shown, shown, shown_parts

MOST_GROUPS = 12  # columns of a table; the others are counted together
OTHER = "other"
NOT_STATED = "not_stated"

# What a group may be called: nothing else that stands in a cell ever gets into a report.
_NAMES = {
    "month": re.compile(r"\d{4}-\d\d"),
    "country": re.compile(r"[A-Z]{2}"),
    "language": re.compile(r"[a-z]{2,3}"),
}
KINDS = tuple(_NAMES)


@dataclass(frozen=True)
class Grouping:
    """Rows and suggested codes by group, in the order of ``groups``; `OTHER` and `NOT_STATED` last.

    ``periods`` says for months what a group is: ``month``, ``quarter`` or ``year``. ``rows`` and each of ``codes``
    have as many counts as there are groups. ``stated`` rows say which group they are of, ``not_understood`` say
    something else.
    """

    kind: str
    groups: tuple[str, ...]
    rows: tuple[Shown, ...]
    codes: dict[str, tuple[Shown, ...]]
    stated: int
    not_understood: int
    periods: str | None = None

    def to_json(self) -> dict[str, Any]:
        return {
            "by": self.kind,
            "periods": self.periods,
            "groups": list(self.groups),
            "rows": list(self.rows),
            "codes": {code: list(cells) for code, cells in self.codes.items()},
            "rows_stated": self.stated,
            "rows_not_understood": self.not_understood,
        }


@dataclass
class GroupCounts:
    """Counts of one kind of group, row by row; ``rows`` and ``codes`` have "" for rows that say no group."""

    kind: str
    rows: Counter[str] = field(default_factory=Counter)
    codes: Counter[tuple[str, str]] = field(default_factory=Counter)
    not_understood: int = 0

    def add(self, group: str | None, codes: Iterable[str]) -> None:
        """Count one row; ``group`` is None where it says none, `NOT_UNDERSTOOD` where it says something else."""
        name = group or ""
        if name and not _NAMES[self.kind].fullmatch(name):
            self.not_understood += 1
            name = ""
        self.rows[name] += 1
        self.codes.update((name, code) for code in codes)

    def grouping(self, codes: Sequence[str]) -> Grouping | None:
        """The counts as they may be shown, of some codes; None where no row says its group."""
        stated = self.rows.total() - self.rows[""]
        if not stated:
            return None
        periods = _periods(self.rows) if self.kind == "month" else None
        of = {name: _period(name, periods) for name in self.rows}
        rows = Counter[str]()
        for name, count in self.rows.items():
            rows[of[name]] += count
        names = _chosen(rows, in_order=self.kind == "month")
        of = {name: period if period in (*names, NOT_STATED) else OTHER for name, period in of.items()}
        groups = [
            *names,
            *([OTHER] if OTHER in of.values() else []),
            *([NOT_STATED] if NOT_STATED in of.values() else []),
        ]
        table = {code: self._counts(code, of, groups) for code in codes}
        return Grouping(
            self.kind,
            tuple(groups),
            tuple(shown_parts([sum(self.rows[name] for name in of if of[name] == group) for group in groups])),
            {code: tuple(shown_parts(cells)) for code, cells in table.items() if sum(cells)},
            stated,
            self.not_understood,
            periods,
        )

    def _counts(self, code: str, of: dict[str, str], groups: Sequence[str]) -> list[int]:
        cells = Counter[str]()
        for name, group in of.items():
            cells[group] += self.codes[name, code]
        return [cells[group] for group in groups]


def _chosen(rows: Counter[str], *, in_order: bool) -> list[str]:
    """The groups that get a column: the largest; periods in their order, all other groups by size."""
    names = [name for name in rows if name != NOT_STATED]
    largest = sorted(names, key=lambda name: (-rows[name], name))[:MOST_GROUPS]
    return sorted(largest) if in_order else largest


def _periods(rows: Counter[str]) -> str:
    """The finest periods of which there are not too many for a table."""
    names = [name for name in rows if name]
    finest = ("month", "quarter", "year")
    return next((kind for kind in finest if len({_period(name, kind) for name in names}) <= MOST_GROUPS), "year")


def _period(name: str, periods: str | None) -> str:
    if not name:
        return NOT_STATED
    if periods == "year":
        return name[:4]
    return f"{name[:4]} Q{(int(name[5:]) + 2) // 3}" if periods == "quarter" else name


@dataclass(frozen=True)
class Pairs:
    """In how many rows a code of the first axis and one of the second are suggested together."""

    axes: tuple[str, str]
    first: tuple[str, ...]
    second: tuple[str, ...]
    cells: tuple[tuple[Shown, ...], ...]

    @classmethod
    def of(
        cls, axes: tuple[str, str], first: Sequence[str], second: Sequence[str], counts: Counter[tuple[str, str]]
    ) -> Pairs | None:
        """The counts as they may be shown, codes without any left out; None where nothing is together."""
        rows = tuple(code for code in first if any(counts[code, other] for other in second))
        columns = tuple(other for other in second if any(counts[code, other] for code in first))
        if not rows:
            return None
        return cls(axes, rows, columns, tuple(tuple(shown(counts[code, other]) for other in columns) for code in rows))

    def to_json(self) -> dict[str, Any]:
        return {
            "axes": list(self.axes),
            "rows": list(self.first),
            "columns": list(self.second),
            "cells": [list(cells) for cells in self.cells],
        }


__all__ = ["KINDS", "NOT_STATED", "NOT_UNDERSTOOD", "OTHER", "GroupCounts", "Grouping", "Pairs"]
