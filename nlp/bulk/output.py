"""Tables as they are written: what all formats share, and the formats that are plain text."""

from __future__ import annotations

import codecs
import csv
from collections.abc import Sequence
from pathlib import Path
from typing import Any, BinaryIO, Protocol

from .replacing import writing
from .values import escape_cell, json_text, text_of, without_surrogates

MAX_LISTED = 20  # row numbers in one sentence


class Writer(Protocol):
    """One format. ``write`` returns whether the row is there in full; ``finish`` leaves the file open."""

    def write(self, cells: Sequence[Any]) -> bool: ...

    def finish(self) -> None: ...

    def abort(self) -> None:
        """Let go of everything without the file becoming whole."""


class OutputTable:
    """A table that is being written.

    ``shortened`` holds the numbers, from 1, of the rows of which a cell was cut; ``kept``, once the table is whole,
    where the file is now that stood there before, or None.
    """

    def __init__(self, path: Path, columns: Sequence[str], writer: Writer) -> None:
        self._path = path
        self._width = len(columns)
        self._writer = writer
        self._rows = 0
        self.shortened: list[int] = []
        self.kept: Path | None = None

    def write(self, cells: Sequence[Any]) -> None:
        """Write one row; as many cells as columns."""
        if len(cells) != self._width:
            raise ValueError(f"a row of {len(cells)} cells for {self._width} columns")
        self._rows += 1
        with writing(self._path):
            if not self._writer.write(cells):
                self.shortened.append(self._rows)

    @property
    def warnings(self) -> list[str]:
        """What the caller has to tell people about this table: sentences."""
        kept = [f"the file that stood there before is kept as {self.kept.name}"] if self.kept else []
        if not self.shortened:
            return kept
        rows = ", ".join(map(str, self.shortened[:MAX_LISTED])) + (" ..." if len(self.shortened) > MAX_LISTED else "")
        return [
            *kept,
            f"{len(self.shortened):,} row(s) hold more text than a cell of Excel can (32,767 characters) and were "
            f"shortened: {rows}; write .csv, .jsonl or .parquet to keep them whole",
        ]


class _Encoder:
    """Just what ``csv.writer`` needs: unlike a ``TextIOWrapper`` it keeps nothing back that could fail later."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file

    def write(self, text: str) -> int:
        return self._file.write(text.encode())


class CsvWriter:
    """CSV as Excel opens it without asking: UTF-8 with a mark, CRLF; no cell is a formula."""

    def __init__(self, file: BinaryIO, columns: Sequence[str], delimiter: str) -> None:
        file.write(codecs.BOM_UTF8)
        self._writer = csv.writer(_Encoder(file), delimiter=delimiter, lineterminator="\r\n")
        self.write(columns)

    def write(self, cells: Sequence[Any]) -> bool:
        self._writer.writerow([csv_cell(cell) for cell in cells])
        return True

    def finish(self) -> None:
        pass

    def abort(self) -> None:
        pass


def csv_cell(cell: Any) -> str:
    """What a CSV file holds for a cell."""
    text = without_surrogates(cell if isinstance(cell, str) else text_of(cell))
    return text if isinstance(cell, int | float) else escape_cell(text)


class JsonlWriter:
    """One object a line; a lone surrogate stays, as the escape that JSON has for it."""

    def __init__(self, file: BinaryIO, columns: Sequence[str]) -> None:
        self._file = file
        self._columns = tuple(columns)

    def write(self, cells: Sequence[Any]) -> bool:
        line = json_text(dict(zip(self._columns, cells, strict=True)))
        self._file.write(line.encode("utf-8", "backslashreplace") + b"\n")
        return True

    def finish(self) -> None:
        pass

    def abort(self) -> None:
        pass
