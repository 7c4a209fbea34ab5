"""CSV and TSV, as spreadsheets and databases of all kinds write them."""

from __future__ import annotations

import csv
import io
import os
import re
from collections.abc import Iterator, Sequence
from itertools import chain, islice
from pathlib import Path
from typing import Any

from ..errors import TableError
from .encodings import DAMAGE, Encoding, detect, open_text
from .source import Record
from .values import InputOptions

DELIMITERS = (",", ";", "\t", "|")
MAX_CELL = 1 << 25  # characters; a longer cell means a quotation mark that was left open
_SAMPLE = 1 << 18  # characters looked at for the delimiter
_SAMPLE_RECORDS = 50
_NAMES = {",": "a comma", ";": "a semicolon", "\t": "a tab", "|": "a vertical bar"}
_SPELLED = {"tab": "\t", "\\t": "\t", "comma": ",", "semicolon": ";", "pipe": "|"}
_EXCEL_HINT = re.compile(r'"?sep=(.)"?[\r\n]*')  # first line by which Excel is told the delimiter


class _Lines:
    """Lines of a file that remembers those of the record at hand, and whether the end was met."""

    def __init__(self, text: Iterator[str]) -> None:
        self._text = text
        self.record: list[str] = []
        self.ended = False

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        try:
            line = next(self._text)
        except StopIteration:
            self.ended = True
            raise
        self.record.append(line)
        return line


class CsvSource:
    """Records of a CSV file; damage and misplaced quotation marks become problems of their rows."""

    names: Sequence[str] | None = None
    blank = ""
    arrow_types: dict[str, Any] | None = None
    sheet: str | None = None

    def __init__(self, path: Path, options: InputOptions) -> None:
        csv.field_size_limit(MAX_CELL)  # of the whole process; the limit of the library is 131,072
        self._encoding = detect(path, options.encoding)
        hint, delimiter = _delimiter(path, self._encoding, options.delimiter)
        self._delimiter = delimiter
        self.delimiter: str | None = delimiter
        self._skip = 1 if hint else 0
        self._raw = path.open("rb", buffering=0)
        self._size = os.fstat(self._raw.fileno()).st_size
        self._text = open_text(io.BufferedReader(self._raw, 1 << 16), self._encoding, newline="")
        self.notes: Sequence[str] = [
            self._encoding.note,
            f"cells are divided by {_NAMES.get(delimiter, 'a sign of its own')}",
        ]

    def records(self) -> Iterator[Record]:
        lines = _Lines(islice(self._text, self._skip, None))
        reader = csv.reader(lines, delimiter=self._delimiter, strict=True)
        number, line = 1, 1 + self._skip
        while True:
            record = self._next(reader, lines, number, line)
            if record is None:
                return
            line += len(lines.record)
            number += 1
            lines.record.clear()
            yield record

    def progress(self) -> float | None:
        return min(1.0, self._raw.tell() / self._size) if self._size and not self._raw.closed else 1.0

    def close(self) -> None:
        self._text.close()

    def _next(self, reader: Any, lines: _Lines, number: int, line: int) -> Record | None:
        problem = None
        try:
            cells: list[str] = next(reader)
        except StopIteration:
            return None
        except csv.Error:  # its message may quote the cell
            cells = self._leniently(lines, number, line)
            problem = "a quotation mark stands in the wrong place, so that cells or rows may have run together"
        if self._encoding.damaged and any(DAMAGE in cell for cell in cells):
            cells = [cell.replace(DAMAGE, "\N{REPLACEMENT CHARACTER}") for cell in cells]
            problem = "; ".join(filter(None, [problem, f"some bytes are not {self._encoding.title} text"]))
        return Record(cells, problem)

    def _leniently(self, lines: _Lines, number: int, line: int) -> list[str]:
        """The record that the strict reader gave up on, read once more as spreadsheets read it."""
        where = f"in row {number} of the file, counted with the names of the columns (line {line})"
        if not lines.ended:
            begun = lines.record[:]
            reader = csv.reader(chain(begun, lines), delimiter=self._delimiter)
            try:
                cells = next(reader)
            except csv.Error:
                raise TableError(
                    f"a cell {where} has more than {MAX_CELL:,} characters, or a quotation mark there is never closed: "
                    "correct it in a text editor, or save the table as .xlsx"
                ) from None
            if not lines.ended:
                return cells
        raise TableError(
            f"a quotation mark that opens {where} is never closed, so the rows after it cannot be told apart: "
            "correct it in a text editor, or save the table as .xlsx"
        )


def _delimiter(path: Path, encoding: Encoding, wanted: str | None) -> tuple[bool, str]:
    """Whether the first line is Excel's hint, and the sign between cells."""
    with path.open("rb") as binary:
        text = open_text(binary, encoding, newline="")
        first = text.readline(_SAMPLE)
        hint = _EXCEL_HINT.fullmatch(first)
        sample = [] if hint else [first]
        size = len(first)
        for line in text:
            sample.append(line)
            size += len(line)
            if size > _SAMPLE or len(sample) > 20 * _SAMPLE_RECORDS:
                break
        whole = size <= _SAMPLE and not text.readline(1)
    if wanted is not None:
        return hint is not None, _known(wanted)
    if hint is not None:
        return True, hint[1]
    return False, "\t" if path.suffix.lower() == ".tsv" else _guess(sample, whole=whole)


def _known(wanted: str) -> str:
    delimiter = _SPELLED.get(wanted.lower(), wanted)
    if len(delimiter) != 1 or delimiter in '"\r\n\0':
        raise TableError("the delimiter has to be one character, such as , or ; or | or tab")
    return delimiter


def _guess(sample: list[str], *, whole: bool) -> str:
    """The delimiter that gives the records the width of the first one; a comma where nothing speaks for any."""
    widths = {delimiter: _cells(sample, delimiter, whole=whole) for delimiter in DELIMITERS}
    if all(len(records[0]) == 1 for records in widths.values() if records):
        unused = [delimiter for delimiter, records in widths.items() if all(len(cells) == 1 for cells in records)]
        return (unused or [","])[0]  # one column; a sign that is not in the text cannot cut it
    return max(DELIMITERS, key=lambda delimiter: _score(widths[delimiter]))


def _cells(sample: list[str], delimiter: str, *, whole: bool) -> list[list[str]]:
    records: list[list[str]] = []
    try:
        for record in csv.reader(sample, delimiter=delimiter):
            if record:
                records.append(record)
    except csv.Error:  # a cell beyond the limit; what came before it will do
        pass
    if not whole and len(records) > 1:
        del records[-1]
    return records[:_SAMPLE_RECORDS]


def _score(records: list[list[str]]) -> tuple[float, int]:
    """How regular the table is. Signs of prose are followed by a blank, delimiters are not."""
    width = len(records[0]) if records else 1
    if width == 1:
        return 0.0, 1
    later = [cell for record in records for cell in record[1:]]
    tight = sum(not cell.startswith(" ") for cell in later) / len(later)
    return sum(len(record) == width for record in records) / len(records) * (0.5 + 0.5 * tight), width
