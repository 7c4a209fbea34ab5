"""XLSX out, streamed straight into the archive.

No copy of the cells lies in a folder for temporary files meanwhile, and the same rows give the same bytes. What people
see first: a header that stays in sight and filters, columns as wide as their texts, rows in the color of their status,
and a second sheet that explains the columns.
"""

from __future__ import annotations

import contextlib
import zipfile
from collections.abc import Iterator, Sequence
from typing import Any, BinaryIO

from ..errors import OutputError
from . import ooxml
from .about import TITLE, About, Line, lines
from .xlsx_cells import (
    CUT,
    Column,
    column_for,
    columns_xml,
    fits,
    header_xml,
    height_for,
    letters,
    row_xml,
    styled_row_xml,
    whole_height,
)
from .xlsx_parts import (
    COLORS,
    HEAD,
    NAMESPACE,
    Style,
    content_types,
    package_relations,
    status_style,
    styles,
    workbook,
    workbook_relations,
)

__all__ = ["CUT", "XlsxWriter"]

SHEET = "Cases"
SAMPLE_ROWS = 100  # held back until it is known how wide their columns are
SAMPLE_CHARACTERS = 1 << 20
MAX_COLUMNS = 16_384  # Excel specifications and limits

_MADE = (1980, 1, 1, 0, 0, 0)  # the earliest time of an archive, so that the same rows give the same bytes
_ABOUT_WIDTHS = (34, 60, 60, 60, 48)  # characters
_FROZEN = (
    '<sheetViews><sheetView tabSelected="1" workbookViewId="0"><pane ySplit="1" topLeftCell="A2" '
    'activePane="bottomLeft" state="frozen"/><selection pane="bottomLeft" activeCell="A2" sqref="A2"/></sheetView>'
    "</sheetViews>"
)
_PAGE = (
    '<pageMargins left="0.4" right="0.4" top="0.5" bottom="0.5" header="0.3" footer="0.3"/>'
    '<pageSetup paperSize="9" orientation="landscape"{fit}/>'  # A4
)
_ONE_PAGE_WIDE = ' fitToWidth="1" fitToHeight="0"'


class XlsxWriter:
    """One sheet of rows. Text is always a string cell, never a formula; what is too long for Excel is shortened and
    told. ``about`` gives the colors, and the sheet that explains the columns."""

    def __init__(self, file: BinaryIO, columns: Sequence[str], about: About | None = None) -> None:
        if len(columns) > MAX_COLUMNS:
            raise OutputError(f".xlsx holds at most {MAX_COLUMNS:,} columns: write .csv, .jsonl or .parquet")
        self._archive = zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED)
        self._part: Any = None  # the open part of the archive
        self._names = tuple(columns)
        self._about = about
        self._columns: tuple[Column, ...] = ()  # once it is known how they look
        self._held: list[Sequence[Any]] | None = []
        self._characters = 0
        self._row = 1  # the last one, counted with the header
        try:
            sheets = 2 if about else 1
            self._add("[Content_Types].xml", content_types(sheets))
            self._add("_rels/.rels", package_relations())
            self._add("xl/_rels/workbook.xml.rels", workbook_relations(sheets))
            self._add("xl/styles.xml", styles())
            self._open("xl/worksheets/sheet1.xml")
        except BaseException:
            self.abort()
            raise

    def write(self, cells: Sequence[Any]) -> bool:
        if self._row >= ooxml.MAX_ROWS:
            raise OutputError(f".xlsx holds at most {ooxml.MAX_ROWS:,} rows: write .csv, .jsonl or .parquet")
        self._row += 1
        if self._held is None:
            return self._put_row(self._row, cells)
        self._held.append(tuple(cells))
        self._characters += sum(len(cell) for cell in cells if isinstance(cell, str))
        if len(self._held) >= SAMPLE_ROWS or self._characters >= SAMPLE_CHARACTERS:
            self._begin()
        return all(map(fits, cells))

    def finish(self) -> None:
        self._begin()
        self._put(f"</sheetData>{self._tail()}</worksheet>")
        self._close()
        titles = [SHEET]
        if self._about:
            self._write_about(self._about)
            titles.append(TITLE)
        last = letters(len(self._names) - 1)
        self._add("xl/workbook.xml", workbook(titles, table=f"$A$1:${last}${self._row}", header="$1:$1"))
        self._archive.close()

    def abort(self) -> None:
        with contextlib.suppress(OSError, ValueError, OutputError):
            self._close()
        with contextlib.suppress(OSError, ValueError):
            self._archive.close()

    def _begin(self) -> None:
        """Write what was held back, now that enough of it was seen."""
        if self._held is None:
            return
        held, self._held = self._held, None
        narrow = self._about.narrow if self._about else frozenset()
        self._columns = tuple(
            column_for(name, [row[at] for row in held], narrow=name in narrow) for at, name in enumerate(self._names)
        )
        height = height_for(self._columns, held)
        self._put(f'{HEAD}<worksheet xmlns="{NAMESPACE}">{_FROZEN}')
        self._put(f'<sheetFormatPr defaultRowHeight="{height:g}" customHeight="1"/>')
        self._put(f"{columns_xml(self._columns)}<sheetData>{header_xml(self._columns)}")
        for number, cells in enumerate(held, start=2):
            self._put_row(number, cells)

    def _put_row(self, number: int, cells: Sequence[Any]) -> bool:
        height = whole_height(self._columns, cells) if self._about and self._about.whole else None
        xml, whole = row_xml(number, self._columns, cells, height=height)
        self._put(xml)
        return whole

    def _tail(self) -> str:
        """What stands behind the rows and spans them all: the filter, the colors, the page, no marks at numbers in
        text."""
        span = f"A1:{letters(len(self._names) - 1)}{self._row}"
        return (
            f'<autoFilter ref="{span}"/>{self._colors(span)}{_PAGE.format(fit="")}'
            f'<ignoredErrors><ignoredError sqref="{span}" numberStoredAsText="1"/></ignoredErrors>'
        )

    def _colors(self, span: str) -> str:
        """Rows in the color of the word in their column of decisions, also of one that a person puts there."""
        if self._about is None or self._about.decision not in self._names or self._row < 2:
            return ""
        column = letters(self._names.index(self._about.decision))
        rules = "".join(
            f'<cfRule type="expression" dxfId="{at}" priority="{at + 1}">'
            f'<formula>${column}2="{word}"</formula></cfRule>'
            for at, word in enumerate(COLORS)
        )
        return f'<conditionalFormatting sqref="{span.replace("A1:", "A2:", 1)}">{rules}</conditionalFormatting>'

    def _write_about(self, about: About) -> None:
        self._open("xl/worksheets/sheet2.xml")
        self._put(f'{HEAD}<worksheet xmlns="{NAMESPACE}"><sheetPr><pageSetUpPr fitToPage="1"/></sheetPr>')
        widths = [Column("", width) for width in _ABOUT_WIDTHS]
        self._put(f'<sheetFormatPr defaultRowHeight="15"/>{columns_xml(widths)}<sheetData>')
        for number, line in enumerate(lines(about), start=1):
            self._put(styled_row_xml(number, widths, line.cells, _styles_of(line)))
        self._put(f"</sheetData>{_PAGE.format(fit=_ONE_PAGE_WIDE)}</worksheet>")
        self._close()

    def _add(self, name: str, content: str) -> None:
        self._archive.writestr(_entry(name), content)

    def _open(self, name: str) -> None:
        self._part = self._archive.open(_entry(name), "w")

    def _put(self, xml: str) -> None:
        with _in_limits():
            self._part.write(xml.encode())

    def _close(self) -> None:
        if self._part is not None:
            with _in_limits():
                self._part.close()


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


def _styles_of(line: Line) -> list[int]:
    every: list[int] = [Style.HEADER if line.heading else Style.WRAPPED] * len(line.cells)
    if line.status is not None:
        every[0] = status_style(line.status)
    return every
