"""The parts of an XLSX archive that hold no cells: types, formats, and what binds the sheets together."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from enum import IntEnum

NAMESPACE = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
HEAD = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n'
_OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_PACKAGE = "http://schemas.openxmlformats.org/package/2006"
_TYPES = "application/vnd.openxmlformats-officedocument.spreadsheetml"

COLORS: Mapping[str, str] = {"auto": "C2E8D6", "suggest": "FFF3A6", "review": "FBB45C", "error": "D9706C"}
"""Of rows, by their status. They differ in lightness too, for print in gray and for eyes that tell fewer colors."""

_HEADER_COLOR = "E4E7EB"
_LINE_COLOR = "FF8A94A0"


class Style(IntEnum):
    """Places in the list of cell formats. A text that could be taken for a formula has the format after its own."""

    PLAIN = 0
    PLAIN_QUOTED = 1
    WRAPPED = 2
    WRAPPED_QUOTED = 3
    HEADER = 4
    HEADER_QUOTED = 5
    UPRIGHT = 6
    UPRIGHT_QUOTED = 7
    DATE = 8
    MOMENT = 9
    SHARE = 10
    DIGIT = 11
    STATUS = 12  # and one more for each further color


_TOP = '<alignment vertical="top"/>'
_WRAP = '<alignment vertical="top" wrapText="1"/>'
_HEADER = '<alignment vertical="bottom" wrapText="1"/>'
_UPRIGHT = '<alignment horizontal="center" vertical="top" textRotation="90"/>'  # the button of the filter is below
_CENTER = '<alignment horizontal="center" vertical="top"/>'


def status_style(status: str) -> int:
    """The format of a cell in the color of a status; plain for one without a color."""
    return Style.STATUS + list(COLORS).index(status) if status in COLORS else Style.WRAPPED


def content_types(sheets: int) -> str:
    numbered = "".join(
        f'<Override PartName="/xl/worksheets/sheet{number}.xml" ContentType="{_TYPES}.worksheet+xml"/>'
        for number in range(1, sheets + 1)
    )
    return (
        f'{HEAD}<Types xmlns="{_PACKAGE}/content-types">'
        '<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
        '<Default Extension="xml" ContentType="application/xml"/>'
        f'<Override PartName="/xl/workbook.xml" ContentType="{_TYPES}.sheet.main+xml"/>{numbered}'
        f'<Override PartName="/xl/styles.xml" ContentType="{_TYPES}.styles+xml"/></Types>'
    )


def package_relations() -> str:
    return (
        f'{HEAD}<Relationships xmlns="{_PACKAGE}/relationships">'
        f'<Relationship Id="rId1" Type="{_OFFICE}/officeDocument" Target="xl/workbook.xml"/></Relationships>'
    )


def workbook(titles: Sequence[str], *, table: str, header: str) -> str:
    """The sheets in order. ``table`` is what the filter of the first one spans, ``header`` its rows on every page."""
    sheets = "".join(
        f'<sheet name="{title}" sheetId="{number}" r:id="rId{number}"/>' for number, title in enumerate(titles, start=1)
    )
    return (
        f'{HEAD}<workbook xmlns="{NAMESPACE}" xmlns:r="{_OFFICE}"><bookViews><workbookView activeTab="0"/></bookViews>'
        f"<sheets>{sheets}</sheets><definedNames>"
        f'<definedName name="_xlnm._FilterDatabase" localSheetId="0" hidden="1">{titles[0]}!{table}</definedName>'
        f'<definedName name="_xlnm.Print_Titles" localSheetId="0">{titles[0]}!{header}</definedName>'
        "</definedNames></workbook>"
    )


def workbook_relations(sheets: int) -> str:
    numbered = "".join(
        f'<Relationship Id="rId{number}" Type="{_OFFICE}/worksheet" Target="worksheets/sheet{number}.xml"/>'
        for number in range(1, sheets + 1)
    )
    return (
        f'{HEAD}<Relationships xmlns="{_PACKAGE}/relationships">{numbered}'
        f'<Relationship Id="rId{sheets + 1}" Type="{_OFFICE}/styles" Target="styles.xml"/></Relationships>'
    )


def styles() -> str:
    """Formats of cells in the order of `Style`, and of rows by condition in the order of `COLORS`."""
    formats = [
        *_twins(_TOP),
        *_twins(_WRAP),
        *_twins(_HEADER, header=True),
        *_twins(_UPRIGHT, header=True),
        _format(_TOP, number=164),
        _format(_TOP, number=165),
        _format(_CENTER, number=2),  # 0.00
        _format(_CENTER),
        *(_format(_WRAP, fill=3 + at) for at in range(len(COLORS))),
    ]
    fills = "".join(map(_fill, (_HEADER_COLOR, *COLORS.values())))
    conditional = "".join(
        f'<dxf><fill><patternFill patternType="solid"><bgColor rgb="FF{color}"/></patternFill></fill>'
        f'<border><bottom style="thin"><color rgb="{_LINE_COLOR}"/></bottom></border></dxf>'  # else rows run together
        for color in COLORS.values()
    )
    return (
        f'{HEAD}<styleSheet xmlns="{NAMESPACE}">'
        '<numFmts count="2"><numFmt numFmtId="164" formatCode="yyyy\\-mm\\-dd"/>'
        '<numFmt numFmtId="165" formatCode="yyyy\\-mm\\-dd\\ hh:mm:ss"/></numFmts>'
        '<fonts count="2"><font><sz val="11"/><name val="Calibri"/></font>'
        '<font><b/><sz val="11"/><name val="Calibri"/></font></fonts>'
        f'<fills count="{3 + len(COLORS)}"><fill><patternFill patternType="none"/></fill>'
        f'<fill><patternFill patternType="gray125"/></fill>{fills}</fills>'
        '<borders count="2"><border><left/><right/><top/><bottom/><diagonal/></border>'
        f'<border><left/><right/><top/><bottom style="thin"><color rgb="{_LINE_COLOR}"/></bottom><diagonal/></border>'
        "</borders>"
        '<cellStyleXfs count="1">'
        f'<xf numFmtId="0" fontId="0" fillId="0" borderId="0" applyAlignment="1">{_TOP}</xf></cellStyleXfs>'
        f'<cellXfs count="{len(formats)}">{"".join(formats)}</cellXfs>'
        '<cellStyles count="1"><cellStyle name="Normal" xfId="0" builtinId="0"/></cellStyles>'
        f'<dxfs count="{len(COLORS)}">{conditional}</dxfs></styleSheet>'
    )


def _twins(alignment: str, *, header: bool = False) -> tuple[str, str]:
    """A format for text and its twin, whose text Excel keeps as text when a person edits it."""
    return _format(alignment, header=header), _format(alignment, header=header, quoted=True)


def _format(alignment: str, *, number: int = 0, fill: int = 0, header: bool = False, quoted: bool = False) -> str:
    font, fill, border = (1, 2, 1) if header else (0, fill, 0)
    prefix = ' quotePrefix="1"' if quoted else ""
    return (
        f'<xf numFmtId="{number}" fontId="{font}" fillId="{fill}" borderId="{border}" xfId="0" applyNumberFormat="1" '
        f'applyFont="1" applyFill="1" applyBorder="1" applyAlignment="1"{prefix}>{alignment}</xf>'
    )


def _fill(color: str) -> str:
    return f'<fill><patternFill patternType="solid"><fgColor rgb="FF{color}"/></patternFill></fill>'
