"""XLSX out, streamed straight into the archive.

No copy of the cells lies in a folder for temporary files meanwhile, and the same rows give the same bytes.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import zipfile
from collections.abc import Iterator, Sequence
from functools import cache
from typing import Any, BinaryIO
from xml.sax.saxutils import escape as escape_xml

from ..errors import OutputError
from . import ooxml
from .values import escape_cell, text_of, without_surrogates

CUT = " [...]"
"""Ends a cell that was shortened."""

_MADE = (1980, 1, 1, 0, 0, 0)  # the earliest time of an archive, so that the same rows give the same bytes
_NAMESPACE = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
_OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_PACKAGE = "http://schemas.openxmlformats.org/package/2006"
_TYPES = "application/vnd.openxmlformats-officedocument.spreadsheetml"
_XML = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n'
_QUOTED, _DATE, _MOMENT = 1, 2, 3  # places in cellXfs

_PARTS = {
    "[Content_Types].xml": f'<Types xmlns="{_PACKAGE}/content-types">'
    '<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
    '<Default Extension="xml" ContentType="application/xml"/>'
    f'<Override PartName="/xl/workbook.xml" ContentType="{_TYPES}.sheet.main+xml"/>'
    f'<Override PartName="/xl/worksheets/sheet1.xml" ContentType="{_TYPES}.worksheet+xml"/>'
    f'<Override PartName="/xl/styles.xml" ContentType="{_TYPES}.styles+xml"/></Types>',
    "_rels/.rels": f'<Relationships xmlns="{_PACKAGE}/relationships">'
    f'<Relationship Id="rId1" Type="{_OFFICE}/officeDocument" Target="xl/workbook.xml"/></Relationships>',
    "xl/workbook.xml": f'<workbook xmlns="{_NAMESPACE}" xmlns:r="{_OFFICE}">'
    '<sheets><sheet name="Sheet1" sheetId="1" r:id="rId1"/></sheets></workbook>',
    "xl/_rels/workbook.xml.rels": f'<Relationships xmlns="{_PACKAGE}/relationships">'
    f'<Relationship Id="rId1" Type="{_OFFICE}/worksheet" Target="worksheets/sheet1.xml"/>'
    f'<Relationship Id="rId2" Type="{_OFFICE}/styles" Target="styles.xml"/></Relationships>',
    "xl/styles.xml": f'<styleSheet xmlns="{_NAMESPACE}">'
    '<numFmts count="2"><numFmt numFmtId="164" formatCode="yyyy\\-mm\\-dd"/>'
    '<numFmt numFmtId="165" formatCode="yyyy\\-mm\\-dd\\ hh:mm:ss"/></numFmts>'
    '<fonts count="1"><font><sz val="11"/><name val="Calibri"/></font></fonts>'
    '<fills count="2"><fill><patternFill patternType="none"/></fill>'
    '<fill><patternFill patternType="gray125"/></fill></fills>'
    '<borders count="1"><border><left/><right/><top/><bottom/><diagonal/></border></borders>'
    '<cellStyleXfs count="1"><xf numFmtId="0" fontId="0" fillId="0" borderId="0"/></cellStyleXfs>'
    '<cellXfs count="4"><xf numFmtId="0" fontId="0" fillId="0" borderId="0" xfId="0"/>'
    '<xf numFmtId="0" fontId="0" fillId="0" borderId="0" xfId="0" quotePrefix="1"/>'
    '<xf numFmtId="164" fontId="0" fillId="0" borderId="0" xfId="0" applyNumberFormat="1"/>'
    '<xf numFmtId="165" fontId="0" fillId="0" borderId="0" xfId="0" applyNumberFormat="1"/></cellXfs>'
    '<cellStyles count="1"><cellStyle name="Normal" xfId="0" builtinId="0"/></cellStyles></styleSheet>',
}


class XlsxWriter:
    """One sheet. Text is always a string cell, never a formula; what is too long for Excel is shortened and told."""

    def __init__(self, file: BinaryIO, columns: Sequence[str]) -> None:
        self._archive = zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED)
        self._sheet: Any = None  # an open part of the archive, once those before it are written
        self._row = 0
        try:
            for name, content in _PARTS.items():
                self._archive.writestr(_entry(name), _XML + content)
            self._sheet = self._archive.open(_entry("xl/worksheets/sheet1.xml"), "w")
            self._put(f'{_XML}<worksheet xmlns="{_NAMESPACE}"><sheetData>')
            self.write(columns)
        except BaseException:
            self.abort()
            raise

    def write(self, cells: Sequence[Any]) -> bool:
        self._row += 1
        if self._row > ooxml.MAX_ROWS:
            raise OutputError(f".xlsx holds at most {ooxml.MAX_ROWS:,} rows: write .csv, .jsonl or .parquet")
        whole, written = True, []
        for at, cell in enumerate(cells):
            content, complete = _cell(f"{_letters(at)}{self._row}", cell)
            whole &= complete
            written.append(content)
        self._put(f'<row r="{self._row}">{"".join(written)}</row>')
        return whole

    def finish(self) -> None:
        self._put("</sheetData></worksheet>")
        self._close_sheet()
        self._archive.close()

    def abort(self) -> None:
        with contextlib.suppress(OSError, ValueError, OutputError):
            self._close_sheet()
        with contextlib.suppress(OSError, ValueError):
            self._archive.close()

    def _put(self, xml: str) -> None:
        with _in_limits():
            self._sheet.write(xml.encode())

    def _close_sheet(self) -> None:
        if self._sheet is not None:
            with _in_limits():
                self._sheet.close()


@contextlib.contextmanager
def _in_limits() -> Iterator[None]:
    try:
        yield
    except RuntimeError:  # zipfile's word for more than 2 GiB in one part
        raise OutputError(".xlsx cannot hold this much text: write .csv, .jsonl or .parquet") from None


def _entry(name: str) -> zipfile.ZipInfo:
    entry = zipfile.ZipInfo(name, date_time=_MADE)
    entry.compress_type = zipfile.ZIP_DEFLATED
    return entry


@cache
def _letters(at: int) -> str:
    """The name that a sheet has for a column counted from 0: A, B, ... Z, AA."""
    return (_letters(at // 26 - 1) if at >= 26 else "") + chr(ord("A") + at % 26)


def _cell(place: str, cell: Any) -> tuple[str, bool]:
    """The XML of one cell, and whether it holds everything."""
    if cell is None or cell == "":
        return "", True
    if isinstance(cell, bool):
        return f'<c r="{place}" t="b"><v>{int(cell)}</v></c>', True
    if isinstance(cell, int | float) and abs(cell) < 10**15:  # Excel keeps 15 digits; not true of NaN
        return f'<c r="{place}"><v>{cell!r}</v></c>', True
    serial = _serial(cell) if isinstance(cell, dt.date) else None
    if serial is not None:
        style = _MOMENT if isinstance(cell, dt.datetime) else _DATE
        return f'<c r="{place}" s="{style}"><v>{serial!r}</v></c>', True
    return _text_cell(place, without_surrogates(text_of(cell)))


def _text_cell(place: str, text: str) -> tuple[str, bool]:
    complete = ooxml.units(text) <= ooxml.MAX_CELL
    if not complete:
        text = ooxml.shorten(text, ooxml.MAX_CELL - len(CUT)) + CUT
    style = f' s="{_QUOTED}"' if escape_cell(text) != text else ""
    content = escape_xml(ooxml.escape(text))
    return f'<c r="{place}"{style} t="inlineStr"><is><t xml:space="preserve">{content}</t></is></c>', complete


def _serial(moment: dt.date) -> float | int | None:
    """Days of Excel's calendar; None where it has no such day, or the zone of the time would be lost."""
    if isinstance(moment, dt.datetime):
        if moment.tzinfo is not None or moment.year < 1901:  # its 1900 has a 29th of February
            return None
        return (moment - dt.datetime(1899, 12, 30)) / dt.timedelta(days=1)
    return (moment - dt.date(1899, 12, 30)).days if moment.year >= 1901 else None
