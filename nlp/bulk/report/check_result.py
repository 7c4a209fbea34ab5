"""A filled-in sheet of checks -> how many codes are right in the file it was drawn from."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ...errors import TableError
from ..tables import InputOptions, open_input, text_of
from .check_sheet import BETWEEN, FILLED, ROW, STRATA, STRATUM, STRATUM_ROWS, axes_of_sheet
from .estimates import Estimate, Stratum, ratio

MAX_LISTED = 20  # rows in one sentence
_YES = frozenset({"y", "yes", "1", "true", "+", "ok", "right", "д", "да", "верно", "так", "так."})
_NO = frozenset({"n", "no", "0", "false", "-", "−", "–", "wrong", "н", "нет", "неверно", "ні"})
_OF_AXIS = ("codes", "automatic", "suggested", *FILLED)  # columns of a sheet
_BORDER = re.compile(r"[;,|\r\n]+")

MEASURES = ("automatic", "suggested", "found", "rows_right")
"""What is estimated: automatic codes that are right; all suggested codes that are right; codes that hold and are
suggested; rows of which every code is right and none is missing."""


@dataclass(frozen=True)
class Judged:
    """What a person found of one axis of a row."""

    automatic: frozenset[str]
    suggested: frozenset[str]
    wrong: frozenset[str]
    missing: int


@dataclass(frozen=True)
class CheckedRow:
    """A row of the sheet: its stratum, and the axes that were answered."""

    stratum: str
    axes: Mapping[str, Judged]


@dataclass(frozen=True)
class CheckResult:
    """Estimates by axis, and under "" of all axes together; ``unclear`` are rows of the table that have an answer which
    nobody can count."""

    axes: tuple[str, ...]
    rows_of: Mapping[str, int]
    checked: int
    unchecked: int
    unclear: tuple[int, ...]
    estimates: Mapping[str, Mapping[str, Estimate]] = field(repr=False)

    def to_json(self) -> dict[str, Any]:
        def plain(estimates: Mapping[str, Estimate]) -> dict[str, Any]:
            return {measure: estimates[measure].to_json() for measure in MEASURES}

        return {
            "rows": sum(self.rows_of.values()),
            "rows_checked": self.checked,
            "rows_unchecked": self.unchecked,
            "rows_unclear": list(self.unclear),
            "all": plain(self.estimates[""]),
            "axes": {axis: plain(self.estimates[axis]) for axis in self.axes},
        }

    @property
    def notes(self) -> list[str]:
        """Sentences on what could not be counted."""
        if not self.unclear:
            return []
        listed = ", ".join(map(str, self.unclear[:MAX_LISTED])) + (" ..." if len(self.unclear) > MAX_LISTED else "")
        return [
            f"{len(self.unclear):,} row(s) have an answer that cannot be counted: {listed}. Answer y or n; where "
            "several codes are suggested and n is the answer, write the wrong ones into the column beside it"
        ]


def check_result(sheet: Path) -> CheckResult:
    """Read a sheet and estimate. Raises `TableError` where it is none, or nobody has filled it in."""
    with open_input(sheet, InputOptions(text_column="1", header=True)) as table:
        axes = axes_of_sheet(table.columns)
        at = {name: number for number, name in enumerate(table.columns)}
        needed = {ROW, STRATUM, STRATUM_ROWS, *(f"{axis}_{name}" for axis in axes for name in _OF_AXIS)}
        if not axes or needed - set(at):
            raise TableError("this is no sheet of checks: give the file that `casecoder bulk --check` wrote, filled in")
        reader = _Reader(axes, at)
        for row in table.rows():
            if row.problem:
                raise TableError(f"row {row.number} of the sheet cannot be read: {row.problem}")
            reader.read([text_of(cell).strip() for cell in row.cells])
    if not reader.rows:
        raise TableError(f"nobody has filled in this sheet: write y or n into the columns that end in _{FILLED[0]}")
    return reader.result()


@dataclass
class _Reader:
    axes: tuple[str, ...]
    at: Mapping[str, int]
    rows: list[CheckedRow] = field(default_factory=list)
    rows_of: dict[str, int] = field(default_factory=dict)
    unclear: list[int] = field(default_factory=list)
    unchecked: int = 0

    def read(self, cells: Sequence[str]) -> None:
        stratum, size, number = (cells[self.at[name]] for name in (STRATUM, STRATUM_ROWS, ROW))
        if stratum not in STRATA or not size.isdecimal() or not number.isdecimal():
            raise TableError(
                f"the columns {ROW}, {STRATUM} and {STRATUM_ROWS} of this sheet were changed: they say for how many "
                "rows a row stands; put them back as they were"
            )
        self.rows_of[stratum] = int(size)
        judged, unclear = {}, False
        for axis in self.axes:
            found = _judged(*(cells[self.at[f"{axis}_{name}"]] for name in _OF_AXIS))
            unclear |= found is False
            if isinstance(found, Judged):
                judged[axis] = found
        if unclear:
            self.unclear.append(int(number))
        if judged:
            self.rows.append(CheckedRow(stratum, judged))
        else:
            self.unchecked += not unclear

    def result(self) -> CheckResult:
        estimates = {axis: self._estimates((axis,)) for axis in self.axes}
        estimates[""] = self._estimates(self.axes)
        unclear = tuple(sorted(self.unclear))
        return CheckResult(self.axes, self.rows_of, len(self.rows), self.unchecked, unclear, estimates)

    def _estimates(self, axes: Sequence[str]) -> dict[str, Estimate]:
        """Of the rows that were answered on all of some axes."""
        answered = [row for row in self.rows if all(axis in row.axes for axis in axes)]
        parts: dict[str, list[list[Judged]]] = defaultdict(list)
        for row in answered:
            parts[row.stratum].append([row.axes[axis] for axis in axes])
        return {
            measure: ratio([
                Stratum(self.rows_of[stratum], *zip(*(count(judged) for judged in rows), strict=True))
                for stratum, rows in sorted(parts.items())
            ])
            for measure, count in _COUNTS.items()
        }  # fmt: skip


def _judged(shown: str, automatic: str, suggested: str, right: str, wrong: str, missing: str) -> Judged | bool:
    """What a person found; True where there is no answer, False where there is one that cannot be counted."""
    if not (right or wrong or missing):
        return True
    own = frozenset(filter(None, automatic.split(BETWEEN)))
    codes = own | frozenset(filter(None, suggested.split(BETWEEN)))
    labels = {label.strip().casefold(): code for code, _, label in (line.partition(":") for line in shown.splitlines())}
    named = frozenset(_listed(wrong, labels))
    answer = right.casefold()
    if answer not in _YES | _NO or named - codes or (answer in _YES and named):
        return False
    lacking = len(set(_listed(missing, labels)) - codes)
    if answer in _NO and not named:
        if len(codes) > 1 or not (codes or lacking):
            return False
        named = codes
    return Judged(own, codes, named, lacking)


def _listed(cell: str, labels: Mapping[str, str]) -> list[str]:
    """Codes as people write them: alone, by their label, or both with a colon, one beside the other."""
    items = (item.partition(":")[0].strip(" .()[]").casefold() for item in _BORDER.split(cell))
    return [labels.get(item, item) for item in items if item]


def _pairs(of: Callable[[Judged], tuple[int, int]]) -> Callable[[Sequence[Judged]], tuple[float, float]]:
    def total(judged: Sequence[Judged]) -> tuple[float, float]:
        counts = Counter[int]()
        for item in judged:
            for at, count in enumerate(of(item)):
                counts[at] += count
        return float(counts[0]), float(counts[1])

    return total


def _all_right(judged: Sequence[Judged]) -> tuple[float, float]:
    return float(not any(item.wrong or item.missing for item in judged)), 1.0


_COUNTS: Mapping[str, Callable[[Sequence[Judged]], tuple[float, float]]] = {
    "automatic": _pairs(lambda item: (len(item.automatic - item.wrong), len(item.automatic))),
    "suggested": _pairs(lambda item: (len(item.suggested - item.wrong), len(item.suggested))),
    "found": _pairs(lambda item: (len(item.suggested - item.wrong), len(item.suggested - item.wrong) + item.missing)),
    "rows_right": _all_right,
}
