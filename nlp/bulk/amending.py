"""Cells of a coded table set anew, and every other one left as it stands.

They are not read as values and written again: on that way a number, a date, or the apostrophe before what looks like a
formula could come out otherwise. So this is for tables that `open_output` wrote, and relies on how it writes them.
"""

from __future__ import annotations

import csv
import json
import re
import shutil
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from itertools import count
from pathlib import Path
from typing import Any

from ..errors import TableError
from .csv_input import DELIMITERS, MAX_CELL
from .layout import PREFIX
from .parquet_output import GROUP_ROWS
from .values import json_text
from .xlsx_cells import letters, text_cell

Cells = Mapping[int, Mapping[str, str]]
"""Number of a row, from 1 -> column of casecoder, as it is called where no input has it -> what is to stand there."""

_SHEET = "xl/worksheets/sheet1.xml"
_BLOCK = 1 << 20  # bytes
_ROW_END = b"</row>"
_ROW = re.compile(rb'<row r="([0-9]+)"[^>]*>')
_CELL = re.compile(rb'<c r="([A-Z]+)[0-9]+"[^>]*?(?:/>|>.*?</c>)', re.DOTALL)
_TEXT = re.compile(rb"<t[^>]*>(.*?)</t>", re.DOTALL)


def amend(coded: Path, target: Path, cells: Cells, *, delimiter: str | None = None) -> None:
    """Write a coded table with some cells set anew. A column that the table does not have is passed over.

    ``delimiter`` is what else than the usual ones may divide the cells of a CSV file. Raises `TableError` for a table
    that is none of ours.
    """
    wanted = tuple(dict.fromkeys(name for row in cells.values() for name in row))
    ending = coded.suffix.lower()
    if not wanted:
        shutil.copyfile(coded, target)
    elif ending == ".jsonl":
        _amend_jsonl(coded, target, cells)
    elif ending == ".parquet":
        _amend_parquet(coded, target, cells, wanted)
    elif ending == ".xlsx":
        _amend_xlsx(coded, target, cells, wanted)
    else:
        _amend_csv(coded, target, cells, wanted, delimiter)


def _places(names: Sequence[str], wanted: Sequence[str]) -> dict[str, int]:
    """Where columns of casecoder are, from 0: the last ones that are called so, if need be with a prefix, since they
    stand behind those of the input."""
    found = {}
    for name in wanted:
        ours = re.compile(f"(?:{PREFIX})*{re.escape(name)}")
        at = max((at for at, title in enumerate(names) if ours.fullmatch(title)), default=None)
        if at is not None:
            found[name] = at
    return found


def _amend_csv(coded: Path, target: Path, cells: Cells, wanted: Sequence[str], delimiter: str | None) -> None:
    csv.field_size_limit(MAX_CELL)  # of the whole process
    delimiter = _delimiter(coded, wanted, delimiter)
    with (
        coded.open(encoding="utf-8-sig", newline="") as text,
        target.open("w", encoding="utf-8-sig", newline="") as out,
    ):
        reader = csv.reader(text, delimiter=delimiter)
        writer = csv.writer(out, delimiter=delimiter, lineterminator="\r\n")
        names = next(reader)
        places = _places(names, wanted)
        writer.writerow(names)
        for number, record in enumerate(reader, start=1):
            for name, value in cells.get(number, {}).items():
                if name in places:
                    record[places[name]] = value
            writer.writerow(record)


def _delimiter(coded: Path, wanted: Sequence[str], unusual: str | None) -> str:
    """The delimiter by which the wanted names are names of columns."""
    for delimiter in filter(None, (*DELIMITERS, unusual)):
        with coded.open(encoding="utf-8-sig", newline="") as text:
            if _places(next(csv.reader(text, delimiter=delimiter), []), wanted):
                return delimiter
    raise TableError("the coded file does not have the columns that it was written with")


def _amend_jsonl(coded: Path, target: Path, cells: Cells) -> None:
    with coded.open("rb") as lines, target.open("wb") as out:
        for number, line in enumerate(lines, start=1):
            out.write(_amended_line(line, cells[number]) if number in cells else line)


def _amended_line(line: bytes, cells: Mapping[str, str]) -> bytes:
    row: dict[str, Any] = json.loads(line)
    names = list(row)
    for name, at in _places(names, tuple(cells)).items():
        row[names[at]] = cells[name]
    return json_text(row).encode("utf-8", "backslashreplace") + b"\n"


def _amend_parquet(coded: Path, target: Path, cells: Cells, wanted: Sequence[str]) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    numbers = count(1)
    with pq.ParquetFile(coded) as file:
        schema = file.schema_arrow
        places = _places(schema.names, wanted)
        with pq.ParquetWriter(target, schema, compression="zstd") as writer:
            for group in range(file.num_row_groups):
                table = file.read_row_group(group)
                rows = [cells.get(next(numbers), {}) for _ in range(table.num_rows)]
                for name, at in places.items():
                    values = [row.get(name, old) for row, old in zip(rows, table.column(at).to_pylist(), strict=True)]
                    table = table.set_column(at, schema.field(at), pa.array(values, type=schema.field(at).type))
                writer.write_table(table, row_group_size=GROUP_ROWS)


def _amend_xlsx(coded: Path, target: Path, cells: Cells, wanted: Sequence[str]) -> None:
    with zipfile.ZipFile(coded) as book, zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as out:
        for entry in book.infolist():
            with book.open(entry) as part, out.open(_like(entry), "w") as written:
                for piece in _amended_sheet(part, cells, wanted) if entry.filename == _SHEET else _blocks(part):
                    written.write(piece)


def _like(entry: zipfile.ZipInfo) -> zipfile.ZipInfo:
    new = zipfile.ZipInfo(entry.filename, date_time=entry.date_time)
    new.compress_type = entry.compress_type
    return new


def _blocks(part: Any) -> Iterator[bytes]:
    while block := part.read(_BLOCK):
        yield block


def _amended_sheet(part: Any, cells: Cells, wanted: Sequence[str]) -> Iterator[bytes]:
    """A sheet as pieces of XML, of which each but the last ends with a row; the first row has the names."""
    places: dict[str, int] = {}
    rest = b""
    for block in _blocks(part):
        *rows, rest = (rest + block).split(_ROW_END)
        for row in rows:
            start = _ROW.search(row)
            if start is None:
                raise TableError("the coded file is not as it was written")
            number = int(start[1])
            if number == 1:
                places = _places([text.decode() for text in _TEXT.findall(row)], wanted)
            anew = {places[name]: value for name, value in cells.get(number - 1, {}).items() if name in places}
            yield (_amended_row(row, start.end(), number, anew) if anew else row) + _ROW_END
    yield rest


def _amended_row(row: bytes, begin: int, number: int, anew: Mapping[int, str]) -> bytes:
    """A row of XML without its end, with some cells set anew. One that is empty does not stand there at all."""
    found = {match[1].decode(): match[0] for match in _CELL.finditer(row, begin)}
    for at, value in anew.items():
        name = letters(at)
        found.pop(name, None)
        if value:
            found[name] = text_cell(f"{name}{number}", value).encode()
    ordered = sorted(found, key=lambda name: (len(name), name))
    return row[:begin] + b"".join(found[name] for name in ordered)
