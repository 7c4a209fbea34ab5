"""XLSX, sheet by sheet; the archive is looked at before anything in it is unpacked."""

from __future__ import annotations

import datetime as dt
import io
import re
import struct
import warnings
import zipfile
import zlib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, BinaryIO
from xml.etree.ElementTree import ParseError

from ..errors import TableError
from . import about, ooxml
from .source import Record
from .values import InputOptions

MAX_UNPACKED = 200_000_000  # bytes
MAX_RATIO = 100  # unpacked to packed; spreadsheets stay below 40
MAX_ENTRIES = 10_000
MAX_DIRECTORY = 4_000_000  # bytes of the list of parts, which is held as a whole
MAX_PART = 20_000_000  # bytes of a part that is held as a whole: formats, names of sheets
_SMALL = 1_000_000  # bytes; below it, a ratio says nothing
_STRINGS = "xl/sharedStrings.xml"
_LOOK = 1_000  # rows in which a sheet has to show a value, or it counts as empty

_USUAL = frozenset(
    """sheet table data list page cases case year month quarter q лист таблица данные список страница случаи год месяц
    квартал аркуш таблиця дані список випадки рік foaie foaia date cazuri tabel anul""".split()
)  # words of names of sheets that can be shown
_MOST_DIGITS = 6  # beside them: a year and a month, no birthday and no number to call

_RESAVE = "open it in Excel or LibreOffice and save it as .xlsx, without a password"
_DIVIDE = "save the sheet as .csv, or divide it into several files"
_DAMAGED = f"this .xlsx file is damaged: {_RESAVE}"
# What openpyxl, zipfile and the XML parser raise for files that are not what they claim.
_BROKEN = (
    *(zipfile.BadZipFile, zlib.error, struct.error, ParseError, EOFError, NotImplementedError),
    *(LookupError, ValueError, TypeError, AttributeError, ArithmeticError, RecursionError),
)


class XlsxSource:
    """Rows of one sheet, with the values of formulas as they were last calculated."""

    names: Sequence[str] | None = None
    blank = None
    delimiter: str | None = None
    arrow_types: dict[str, Any] | None = None
    notes: Sequence[str]

    def __init__(self, path: Path, options: InputOptions, *, vouched: bool = False) -> None:
        check_archive(path, most=None if vouched else MAX_UNPACKED)
        self._file = path.open("rb")
        try:
            self._book = _open(self._file)
            self._sheet, self.notes = _choose(self._book, options.sheet)
            self.sheet: str | None = _place(self._book.worksheets, self._sheet)
            self._entry = _restore_strings(self._sheet, self._file)
        except BaseException:
            self._file.close()
            raise

    def records(self) -> Iterator[Record]:
        empty = 0  # rows that are written out only if a filled one follows
        for cells in _rows(self._sheet):
            if not cells:
                empty += 1
                if empty > ooxml.MAX_ROWS:
                    raise TableError(f"this sheet claims more rows than a sheet can have: {_RESAVE}")
                continue
            for _ in range(empty):
                yield Record(())
            empty = 0
            yield Record(cells)

    def progress(self) -> float | None:
        if self._entry is None or self._file.closed:
            return None
        read = self._file.tell() - self._entry.header_offset
        return min(1.0, max(0.0, read / self._entry.compress_size)) if self._entry.compress_size else 1.0

    def close(self) -> None:
        self._book.close()
        self._file.close()


def check_archive(path: Path, *, most: int | None = MAX_UNPACKED) -> None:
    """Refuse what is no XLSX file, and archives that would unpack to more than a table can be; unpacks nothing.

    ``most`` is in bytes, None for a file that is known to be one of ours.
    """
    with path.open("rb") as file:
        head = file.read(512)
    if head.startswith(b"\xd0\xcf\x11\xe0"):  # compound file: .xls, and .xlsx behind a password
        raise TableError(f"this is an old Excel file (.xls), or it is protected by a password: {_RESAVE}")
    if head.lstrip(b"\xef\xbb\xbf \t\r\n")[:1] == b"<":
        raise TableError(f"this is a web page or XML under the name of .xlsx: {_RESAVE}")
    if not head.startswith(b"PK"):
        raise TableError(f"this is no .xlsx file: {_RESAVE}; if it is CSV, call it .csv")
    try:
        with _Directory(path) as directory, zipfile.ZipFile(directory) as archive:
            entries = archive.infolist()
    except TableError:
        raise
    except (zipfile.BadZipFile, ValueError, EOFError):
        raise TableError(_DAMAGED) from None
    _check_sizes(entries, most)
    if not any(entry.filename.endswith("workbook.xml") for entry in entries):
        raise TableError(f"this is an archive, but no .xlsx workbook of tables: {_RESAVE}")


class _Directory(io.FileIO):
    """An archive of which only the list of its parts is read: in one piece, however long it is."""

    def read(self, size: int | None = -1, /) -> bytes:
        if size is not None and size > MAX_DIRECTORY:
            raise TableError(_too_many())
        return super().read(size) or b""


class _PartTooLargeError(Exception):
    """No ValueError, which openpyxl would take for damage."""


class _Parts(zipfile.ZipFile):
    """An archive whose parts are held as a whole only where they are small; sheets are read piece by piece."""

    def read(self, name: str | zipfile.ZipInfo, pwd: bytes | None = None) -> bytes:
        entry = name if isinstance(name, zipfile.ZipInfo) else self.getinfo(name)
        if entry.file_size > MAX_PART:
            raise _PartTooLargeError
        return super().read(name, pwd)


def _too_many() -> str:
    return f"this .xlsx file has more than {MAX_ENTRIES:,} parts: {_DIVIDE}"


def _check_sizes(entries: Sequence[zipfile.ZipInfo], most: int | None) -> None:
    advice = _DIVIDE
    if len(entries) > MAX_ENTRIES:
        raise TableError(_too_many())
    if most is not None and sum(entry.file_size for entry in entries) > most:
        raise TableError(f"this .xlsx file unpacks to more than {most // 1_000_000} MB: {advice}")
    if any(entry.file_size > _SMALL and entry.file_size > MAX_RATIO * entry.compress_size for entry in entries):
        raise TableError(f"this .xlsx file unpacks to more than {MAX_RATIO} times its size: {advice}")
    if any(entry.flag_bits & 1 for entry in entries):
        raise TableError(f"this .xlsx file is protected by a password: {_RESAVE}")


def _open(file: BinaryIO) -> Any:
    import openpyxl
    from openpyxl.reader.excel import ExcelReader
    from openpyxl.utils.exceptions import InvalidFileException

    if not openpyxl.DEFUSEDXML:
        raise TableError("openpyxl was told to read XML without protection: unset OPENPYXL_DEFUSEDXML")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # about styles and validations, which are not read
            reader = ExcelReader(file, read_only=True, data_only=True, keep_links=False)
            reader.archive = _Parts(file)
            reader.read()
            return reader.wb
    except _PartTooLargeError:
        said = f"a part of this .xlsx file beside its sheets is larger than {MAX_PART // 1_000_000} MB"
        raise TableError(f"{said}: {_RESAVE}") from None
    except (InvalidFileException, *_BROKEN):
        raise TableError(_DAMAGED) from None


def _choose(book: Any, wanted: str | None) -> tuple[Any, list[str]]:
    sheets = book.worksheets
    if not sheets:
        raise TableError("this workbook has no sheet of cells, only charts: give a file with a table")
    if wanted is not None:
        return _given(sheets, wanted), []
    if len(sheets) == 1:
        return sheets[0], []
    filled = [sheet for sheet in sheets if _has_data(sheet) and not _is_about(sheet)]
    visible = [sheet for sheet in filled if sheet.sheet_state == "visible"]
    for candidates, why in ((filled, "with data"), (visible, "with data that is not hidden")):
        if len(candidates) == 1:
            return candidates[0], [f"sheet {sheets.index(candidates[0]) + 1} is the only one {why}"]
    if not filled:
        raise TableError("no sheet of this workbook has data")
    raise TableError(f"several sheets have data: choose one by its name or number, of {_listing(sheets)}")


def _given(sheets: Sequence[Any], wanted: str) -> Any:
    for same in (str, str.casefold):
        for sheet in sheets:
            if same(sheet.title).strip() == same(wanted).strip():
                return sheet
    if wanted.isdecimal() and 1 <= int(wanted) <= len(sheets):
        return sheets[int(wanted) - 1]
    raise TableError(f"there is no sheet {wanted!r} in this workbook; it has {_listing(sheets)}")


def _place(sheets: Sequence[Any], chosen: Any) -> str:
    """By what `_given` finds a sheet: its number, or its name where another sheet is called by that number."""
    number = str(sheets.index(chosen) + 1)
    return str(chosen.title) if any(sheet.title == number for sheet in sheets if sheet is not chosen) else number


def _listing(sheets: Sequence[Any]) -> str:
    """The sheets by number, and by name where that is a usual one: others may be data, such as the name of a person."""
    return ", ".join(f"{number} {_shown(sheet.title)}".rstrip() for number, sheet in enumerate(sheets, start=1))


def _shown(title: str) -> str:
    words = re.sub(r"[\W\d_]+", " ", title).casefold().split()
    digits = sum(map(str.isdigit, title))
    return title if digits <= _MOST_DIGITS and all(word in _USUAL for word in words) else ""


def _has_data(sheet: Any) -> bool:
    for number, cells in enumerate(_rows(sheet)):
        if cells:
            return True
        if number >= _LOOK:
            break
    return False


def _is_about(sheet: Any) -> bool:
    """Whether this is the sheet that explains the columns of a table that casecoder wrote."""
    return bool(sheet.title == about.TITLE) and next(_rows(sheet), [])[:1] == [about.MARK]


def _rows(sheet: Any) -> Iterator[list[Any]]:
    sheet.reset_dimensions()  # some programs write a wrong range, and rows outside it would be lost
    rows = sheet.iter_rows(values_only=True)
    while True:
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # dates beyond Excel's calendar
                cells = next(rows, None)
        except _BROKEN:
            raise TableError(_DAMAGED) from None
        if cells is None:
            return
        values = [_value(cell) for cell in cells]
        while values and values[-1] is None:
            del values[-1]
        yield values


def _value(cell: Any) -> Any:
    if isinstance(cell, str):
        return ooxml.unescape(cell) or None
    if isinstance(cell, dt.datetime | dt.date | dt.time | bool | int | float | None):
        return cell
    return str(cell)


def _restore_strings(sheet: Any, file: BinaryIO) -> zipfile.ZipInfo | None:
    """Undo what openpyxl (3.1) takes away from escaped escapes in the table of strings; returns the part of the sheet.

    Both need names that openpyxl keeps to itself; where a later version has others, that is left out.
    """
    with zipfile.ZipFile(file) as archive:
        parts = {entry.filename: entry for entry in archive.infolist()}
        if _STRINGS in parts and hasattr(sheet, "_shared_strings") and _mentions(archive, b"x005F_"):
            sheet._shared_strings = _shared_strings(archive)
    return parts.get(str(getattr(sheet, "_worksheet_path", "")).lstrip("/"))


def _mentions(archive: zipfile.ZipFile, needle: bytes) -> bool:
    tail = b""
    with archive.open(_STRINGS) as part:
        while chunk := part.read(1 << 20):
            if needle in tail + chunk:
                return True
            tail = chunk[-len(needle) :]
    return False


def _shared_strings(archive: zipfile.ZipFile) -> list[str]:
    from defusedxml.ElementTree import iterparse
    from openpyxl.cell.text import Text

    strings: list[str] = []
    try:
        with archive.open(_STRINGS) as part:
            nodes: Any = iterparse(part)
            for _, node in nodes:
                if re.fullmatch(r"\{[^}]*\}si", node.tag):
                    text: Any = Text.from_tree(node)
                    strings.append(text.content)
                    node.clear()
    except _BROKEN:
        raise TableError(_DAMAGED) from None
    return strings
