"""Rows and columns of a sheet as XML: how wide, how high, what is wrapped."""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any
from xml.sax.saxutils import escape as escape_xml

from . import ooxml
from .values import escape_cell, text_of, without_surrogates
from .xlsx_parts import Style

CUT = " [...]"
"""Ends a cell that was shortened."""

MAX_LINES = 8  # of a row; whoever wants to read on makes the row higher, or the cell active
LINE = 15  # points
_HIGHEST = 409  # points, Excel specifications and limits
_WIDTHS = ((120, 40), (400, 60))  # of columns with long texts: up to so many characters, so wide
_WIDEST = 90
_LONG = 40  # characters, from which on texts are wrapped
_FULL = 0.85  # of the width of a column that words fill; letters of other scripts are wider than digits
_NARROW = 6.5  # characters, for 0.93
_NAME = 26  # characters of a name that stand in one line
_BUTTON = 4  # characters that the button of the filter takes
_UPRIGHT_LETTER = 6.3  # points that a letter of an upright name takes


@dataclass(frozen=True)
class Column:
    """How a column looks. ``wraps``: its texts are long; ``narrow``: a digit in each cell, its name stands upright."""

    name: str
    width: float
    wraps: bool = False
    narrow: bool = False


def column_for(name: str, sample: Sequence[Any], *, narrow: bool) -> Column:
    """How a column should look by some of its cells: nearly all of them fit, a few long ones make nothing wide."""
    if narrow:
        return Column(name, _NARROW, narrow=True)
    texts = [text for text in map(text_of, sample) if text]
    lengths = sorted(len(text) for text in texts)
    typical = lengths[math.ceil(0.95 * len(lengths)) - 1] if lengths else 0
    if typical > _LONG:
        return Column(name, next((width for most, width in _WIDTHS if typical <= most), _WIDEST), wraps=True)
    width = max(typical + 2, min(len(name) + _BUTTON, _NAME))
    return Column(name, width, wraps=any("\n" in text for text in texts))


def height_for(columns: Sequence[Column], sample: Sequence[Sequence[Any]]) -> float:
    """One height for all rows, in points: half of the sampled ones fit. A height for each would be kept in memory by
    whoever reads the sheet, and none makes some programs measure every text before they show the first."""
    needed = sorted(_lines_of(columns, row) for row in sample)
    lines = needed[(len(needed) - 1) // 2] if needed else 1
    return float(LINE * min(lines, MAX_LINES))


def whole_height(columns: Sequence[Column], cells: Sequence[Any]) -> float:
    """The height of one row in which all of its texts can be read, as far as rows can be so high."""
    return float(min(LINE * _lines_of(columns, cells), _HIGHEST))


def _lines_of(columns: Sequence[Column], cells: Sequence[Any]) -> int:
    return max(
        _lines(text_of(cell), column.width) if column.wraps else 1 for column, cell in zip(columns, cells, strict=True)
    )


def columns_xml(columns: Sequence[Column]) -> str:
    every = (
        f'<col min="{at}" max="{at}" width="{column.width}" customWidth="1"/>'
        for at, column in enumerate(columns, start=1)
    )
    return f"<cols>{''.join(every)}</cols>"


def header_xml(columns: Sequence[Column]) -> str:
    """The row of names."""
    cells, height = [], float(LINE)
    for at, column in enumerate(columns):
        style = Style.UPRIGHT if column.narrow else Style.HEADER
        cells.append(_text_cell(f"{letters(at)}1", without_surrogates(column.name), style)[0])
        lines = math.ceil((len(column.name) + _BUTTON) / column.width)
        height = max(height, _UPRIGHT_LETTER * len(column.name) + LINE if column.narrow else lines * LINE)
    return _row(1, cells, min(height, 400.0))


def row_xml(
    number: int, columns: Sequence[Column], cells: Sequence[Any], *, height: float | None = None
) -> tuple[str, bool]:
    """A row, and whether it holds everything; without ``height`` it is as high as all others."""
    whole, written = True, []
    for at, (column, cell) in enumerate(zip(columns, cells, strict=True)):
        content, complete = _cell(f"{letters(at)}{number}", cell, column)
        whole &= complete
        written.append(content)
    return _row(number, written, height), whole


def styled_row_xml(number: int, columns: Sequence[Column], cells: Sequence[str], styles: Sequence[int]) -> str:
    """A row of short texts, each in a format of its own, as high as they need."""
    written, lines = [], 1
    for at, (column, cell, style) in enumerate(zip(columns, cells, styles, strict=False)):
        text = without_surrogates(cell)
        written.append(_text_cell(f"{letters(at)}{number}", text, style)[0] if text else "")
        lines = max(lines, _lines(cell, column.width))
    return _row(number, written, float(LINE * lines))


def text_cell(place: str, text: str) -> str:
    """A cell with a short text."""
    return _text_cell(place, without_surrogates(text), Style.PLAIN)[0]


def fits(cell: Any) -> bool:
    """Whether Excel can hold all of it."""
    return ooxml.units(without_surrogates(text_of(cell))) <= ooxml.MAX_CELL


def shortened(text: str) -> str:
    """The text as a cell can hold it."""
    if ooxml.units(text) <= ooxml.MAX_CELL:
        return text
    return ooxml.shorten(text, ooxml.MAX_CELL - len(CUT)) + CUT


@cache
def letters(at: int) -> str:
    """The name that a sheet has for a column counted from 0: A, B, ... Z, AA."""
    return (letters(at // 26 - 1) if at >= 26 else "") + chr(ord("A") + at % 26)


def _lines(text: str, width: float) -> int:
    return sum(max(1, math.ceil(len(line) / (_FULL * width))) for line in text.split("\n"))


def _row(number: int, cells: Sequence[str], height: float | None) -> str:
    high = f' ht="{height:g}" customHeight="1"' if height is not None else ""
    return f'<row r="{number}"{high}>{"".join(cells)}</row>'


def _cell(place: str, cell: Any, column: Column) -> tuple[str, bool]:
    """The XML of one cell, and whether it holds everything."""
    if cell is None or cell == "":
        return "", True
    if isinstance(cell, bool):
        return f'<c r="{place}" t="b"><v>{int(cell)}</v></c>', True
    if isinstance(cell, int | float) and abs(cell) < 10**15:  # Excel keeps 15 digits; not true of NaN
        narrow = Style.SHARE if isinstance(cell, float) else Style.DIGIT
        style = f' s="{narrow:d}"' if column.narrow else ""
        return f'<c r="{place}"{style}><v>{cell!r}</v></c>', True
    serial = _serial(cell) if isinstance(cell, dt.date) else None
    if serial is not None:
        date = Style.MOMENT if isinstance(cell, dt.datetime) else Style.DATE
        return f'<c r="{place}" s="{date:d}"><v>{serial!r}</v></c>', True
    return _text_cell(place, without_surrogates(text_of(cell)), Style.WRAPPED if column.wraps else Style.PLAIN)


def _text_cell(place: str, text: str, style: int) -> tuple[str, bool]:
    """A string, never a formula; ``style`` is followed by its twin for texts that could be taken for one."""
    written = shortened(text)
    style += escape_cell(written) != written
    content = escape_xml(ooxml.escape(written))
    said = f' s="{style:d}"' if style else ""
    return f'<c r="{place}"{said} t="inlineStr"><is><t xml:space="preserve">{content}</t></is></c>', written == text


def _serial(moment: dt.date) -> float | int | None:
    """Days of Excel's calendar; None where it has no such day, or the zone of the time would be lost."""
    if isinstance(moment, dt.datetime):
        if moment.tzinfo is not None or moment.year < 1901:  # its 1900 has a 29th of February
            return None
        return (moment - dt.datetime(1899, 12, 30)) / dt.timedelta(days=1)
    return (moment - dt.date(1899, 12, 30)).days if moment.year >= 1901 else None
