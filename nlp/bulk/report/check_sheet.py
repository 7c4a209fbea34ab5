"""A sheet of rows to check by hand, drawn at random with known chances, so that it says something about all rows.

Rows are drawn within each status: of a status with few rows more are taken than its share, and the weight of a row says
for how many it stands. Which rows are drawn hangs on the seed alone, such as the hash of the input.
"""

from __future__ import annotations

import hashlib
import heapq
import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from ...codebook import Codebook
from ...types import Analysis
from ..about import About
from ..descriptions import Description, Text, both
from ..tables import open_output

STRATA = ("auto", "suggest", "review", "none")
_LEAST_SHARE = 0.15  # of the sheet that each status gets, if it has as many rows

# Columns beside those of each axis: `{axis}_codes` for the reader, `{axis}_automatic` and `{axis}_suggested` for the
# command that reads the sheet again, `{axis}_right`, `{axis}_wrong` and `{axis}_missing` to be filled in.
NUMBER, ROW, TEXT, COMMENT, STRATUM, STRATUM_ROWS = (
    "check", "row", "redacted_text", "comment", "status", "rows_of_status"
)  # fmt: skip
FILLED = ("right", "wrong", "missing")
BETWEEN = ";"  # codes of one cell

_NOTHING = Text("", "")
_FOR_PROGRAM = Description(
    Text(
        "For `casecoder check-result`: leave it as it is.",
        "Для команды `casecoder check-result`: не меняйте.",
    ),
    _NOTHING,
)
_PLAIN: Mapping[str, Description] = {
    NUMBER: Description(Text("Number of the row on this sheet.", "Номер строки на этом листе."), _NOTHING),
    ROW: Description(Text("Number of the row in the coded file.", "Номер строки в файле с кодами."), _NOTHING),
    TEXT: Description(
        Text(
            "The narrative with the people in it hidden. Read all of it before you answer.",
            "Текст, в котором скрыты люди. Прочитайте его целиком, прежде чем отвечать.",
        ),
        _NOTHING,
    ),
    COMMENT: Description(Text("What you want to note.", "Ваши заметки."), Text("any text", "любой текст")),
}
_OF_AXIS: Mapping[str, Description] = {
    "codes": Description(
        Text("Suggested codes, to be checked: {axis}.", "Предложенные коды, их надо проверить: {axis}."),
        Text("a line for each code; – where there is none", "по строке на каждый код; –, если нет ни одного"),
    ),
    "right": Description(
        Text(
            "Fill in: are all suggested codes right? Also where none is suggested and none applies: {axis}.",
            "Заполните: все ли предложенные коды верны? И тогда, когда не предложено и не подходит ни одного: {axis}.",
        ),
        Text("y or n (also +, -, 1, 0); empty: not checked", "да или нет (также +, -, 1, 0); пусто: не проверено"),
    ),
    "wrong": Description(
        Text(
            "Fill in after n: the codes that are wrong. May stay empty where one code is suggested: {axis}.",
            "Заполните, если «нет»: какие коды неверны. Если предложен один код, можно не заполнять: {axis}.",
        ),
        Text("codes or labels, divided by ;", "коды или названия через ;"),
    ),
    "missing": Description(
        Text(
            "Fill in: codes that hold and are not suggested: {axis}.",
            "Заполните: какие коды подходят, но не предложены: {axis}.",
        ),
        Text("codes as listed below, divided by ;", "коды из списка ниже через ;"),
    ),
}


@dataclass(frozen=True)
class DrawnRow:
    """A row of the table, as somebody will check it. ``codes`` maps an axis to its automatic and other suggested
    codes."""

    number: int
    status: str
    text: str = field(repr=False)
    codes: Mapping[str, tuple[tuple[str, ...], tuple[str, ...]]]


class CheckSample:
    """Draws ``size`` rows from a stream of which nobody knows the length; holds at most ``size`` rows of each
    status."""

    def __init__(self, codebook: Codebook, size: int, *, seed: str) -> None:
        if size < 1:
            raise ValueError("a sample has one row at least")
        self.codebook = codebook
        self.size = size
        self.rows_of: Counter[str] = Counter()
        self._seed = seed
        self._kept: dict[str, list[tuple[int, int, DrawnRow]]] = {status: [] for status in STRATA}

    def add(self, row_number: int, status: str, analysis: Analysis | None) -> None:
        """The next row; one that was not coded cannot be checked, and is left out."""
        if analysis is None or status not in STRATA:
            return
        self.rows_of[status] += 1
        kept = self._kept[status]
        chance = self._chance(row_number)
        if len(kept) < self.size:
            heapq.heappush(kept, (-chance, row_number, _drawn(row_number, status, analysis, self.codebook)))
        elif -chance > kept[0][0]:
            heapq.heapreplace(kept, (-chance, row_number, _drawn(row_number, status, analysis, self.codebook)))

    def rows(self) -> list[DrawnRow]:
        """The sample, in random order, so that nobody can tell the status of a row from its place."""
        sizes = allocated(self.size, self.rows_of)
        drawn = [item for status in STRATA for item in sorted(self._kept[status], reverse=True)[: sizes.get(status, 0)]]
        return [row for _, _, row in sorted(drawn, key=lambda item: self._chance(item[1], again=True))]

    def write(self, path: Path, *, language: str = "en") -> int:
        """Write the sheet in the format of its ending; returns how many rows it has. Raises `OutputError` or
        `TableError`. A sheet that stands there, and may be filled in, is kept beside it."""
        rows = self.rows()
        with open_output(
            path, columns_of_sheet(self.codebook), keep_earlier=True, about=about_sheet(self.codebook)
        ) as out:
            for number, row in enumerate(rows, start=1):
                out.write(self._cells(number, row, language))
        path.chmod(0o600)
        return len(rows)

    def _cells(self, number: int, row: DrawnRow, language: str) -> list[str | int]:
        cells: list[str | int] = [number, row.number, row.text]
        for axis in self.codebook.axes:
            automatic, other = row.codes[axis.id]
            named = (f"{code}: {self._label(code, language)}" for code in (*automatic, *other))
            cells += ["\n".join(named) or "–", *("" for _ in FILLED)]
        cells.append("")
        for axis in self.codebook.axes:
            cells += [BETWEEN.join(codes) for codes in row.codes[axis.id]]
        return [*cells, row.status, self.rows_of[row.status]]

    def _label(self, code: str, language: str) -> str:
        labels = self.codebook.label(code).label
        return labels.get(language) or labels[self.codebook.languages[0]]

    def _chance(self, row_number: int, *, again: bool = False) -> int:
        key = f"{self._seed}:{row_number}:{again}".encode()
        return int.from_bytes(hashlib.blake2b(key, digest_size=8).digest())


def columns_of_sheet(codebook: Codebook) -> tuple[str, ...]:
    """The columns of a sheet: what is read, what is filled in, and last what the command needs."""
    asked = [f"{axis.id}_{name}" for axis in codebook.axes for name in ("codes", *FILLED)]
    known = [f"{axis.id}_{name}" for axis in codebook.axes for name in ("automatic", "suggested")]
    return (NUMBER, ROW, TEXT, *asked, COMMENT, *known, STRATUM, STRATUM_ROWS)


def about_sheet(codebook: Codebook) -> About:
    """What each column asks for, for the people who fill it in."""
    asked = {
        f"{axis.id}_{name}": _of_axis(said, both(axis.label))
        for axis in codebook.axes
        for name, said in _OF_AXIS.items()
    }
    columns = ((name, _PLAIN.get(name) or asked.get(name) or _FOR_PROGRAM) for name in columns_of_sheet(codebook))
    return About(columns=tuple(columns), facts=(), codebook=codebook, whole=True)


def _of_axis(said: Description, axis: Text) -> Description:
    return Description(Text(said.means.en.format(axis=axis.en), said.means.ru.format(axis=axis.ru)), said.values)


def check_path(output: Path) -> Path:
    """Where the sheet of an output goes: beside it, for Excel if the output is."""
    return output.with_name(f"{output.stem}.check{'.xlsx' if output.suffix.lower() == '.xlsx' else '.csv'}")


def allocated(size: int, rows_of: Mapping[str, int]) -> dict[str, int]:
    """How many of ``size`` rows are drawn from each status: a least number each, the rest by the number of rows."""
    present = [status for status in STRATA if rows_of.get(status)]
    sizes = {status: min(rows_of[status], max(1, math.floor(size * _LEAST_SHARE))) for status in present}
    while sum(sizes.values()) > size:  # a sheet of fewer rows than there are statuses
        sizes[max(sizes, key=lambda status: (sizes[status], -rows_of[status]))] -= 1
    while sum(sizes.values()) < size and (open_ := [status for status in present if sizes[status] < rows_of[status]]):
        lowest = min(open_, key=lambda status: (sizes[status] / rows_of[status], STRATA.index(status)))
        sizes[lowest] += 1
    return sizes


def _drawn(number: int, status: str, analysis: Analysis, codebook: Codebook) -> DrawnRow:
    codes = {
        axis.id: (_codes(analysis, axis.id, "auto"), _codes(analysis, axis.id, "suggest")) for axis in codebook.axes
    }
    return DrawnRow(number, status, analysis.redaction.text, codes)


def _codes(analysis: Analysis, axis: str, decision: str) -> tuple[str, ...]:
    return tuple(item.code for item in analysis.suggestions if item.axis == axis and item.decision == decision)


def axes_of_sheet(columns: Sequence[str]) -> tuple[str, ...]:
    """The axes that a sheet asks about, by its columns."""
    ending = "_automatic"
    return tuple(name.removesuffix(ending) for name in columns if name.endswith(ending))
