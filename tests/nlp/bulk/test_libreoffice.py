"""What people see who open an export in a spreadsheet: LibreOffice itself opens each of them."""

from __future__ import annotations

import csv
import re
import shutil
import subprocess
import zipfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any
from xml.etree.ElementTree import Element

import openpyxl
import pytest
from defusedxml.ElementTree import fromstring

from nlp.bulk.amending import amend
from nlp.bulk.legacy import LegacyOptions
from nlp.bulk.run import BulkOptions, run_bulk
from nlp.bulk.tables import InputOptions, open_input, unescape_cell
from nlp.bulk.undo import undo_run
from nlp.bulk.unmapped import unmapped_path
from nlp.bulk.values import text_of
from nlp.pipeline import Pipeline

SOFFICE = shutil.which("soffice") or shutil.which("libreoffice")

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(SOFFICE is None, reason="LibreOffice is not installed: apt-get install libreoffice-calc"),
]

HOSTILE = [
    "=1+1",
    "+1+1",
    "-1+1",
    "@SUM(1;1)",
    "\t=1+1",
    "\0=1+1",
    "\r=1+1",
    "\n=1+1",
    "=cmd|'/C calc'!A0",
    '=DDE("soffice";"/etc/hostname";"A1")',
    '=HYPERLINK("http://invalid.example";"here")',
    '=WEBSERVICE("http://invalid.example")',
    "＝1+1",
    "＋1+1",
    "－1+1",
    "＠SUM(1;1)",
    "'=1+1",
    "''=1+1",
    " =1+1",
    '"=1+1"',
    "{=1+1}",
    "of:=1+1",
    "_x003D_1+1",
    "a\nb\r\n=1+1",
    "=1;2,3\t4",
    "-5",
    "=" + "long " * 8_000,
]
COLUMNS = ["id", "=place", "text", "@note"]
ENDINGS = ["xlsx", "csv", "tsv"]
# Of a file of text every number is a number and every formula is one: the settings that do the most with a cell.
SEPARATORS = {"csv": 44, "tsv": 9}
FILTER = "--infilter=CSV:{separator},34,76,1,,0,false,true,false,false,false,0,true"

MOST = 15_000  # characters of a narrative; LibreOffice breaks longer lines in a text of several lines

_TABLE = "{urn:oasis:names:tc:opendocument:xmlns:table:1.0}"
_TEXT = "{urn:oasis:names:tc:opendocument:xmlns:text:1.0}"
_OFFICE = "{urn:oasis:names:tc:opendocument:xmlns:office:1.0}"


def convert(files: Sequence[Path], to: str, folder: Path, *options: str) -> None:
    profile = f"-env:UserInstallation={(folder / 'profile').as_uri()}"
    out = folder / to
    subprocess.run(
        [str(SOFFICE), "--headless", profile, *options, "--convert-to", to, "--outdir", str(out), *map(str, files)],
        check=True,
        capture_output=True,
        timeout=180,
    )
    assert {path.stem for path in out.iterdir()} >= {path.stem for path in files}


def write_cases(folder: Path) -> Path:
    """A table of which every cell is hostile."""
    source = folder / "cases.csv"
    with source.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.writer(stream)
        writer.writerow(COLUMNS)
        for at, cell in enumerate(HOSTILE):
            writer.writerow([f"{cell} {at}", cell, f"{cell[:MOST]} The doctor refused.", cell])
    return source


@pytest.fixture(scope="module")
def exports(constant_pipeline_of_module: Pipeline, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Coded tables of hostile cells, and what LibreOffice makes of them in folders beside them."""
    folder = tmp_path_factory.mktemp("exports")
    source = write_cases(folder)
    options = InputOptions(text_column="text", header=True)
    for ending in ENDINGS:
        for wide in (False, True):
            target = folder / f"{'wide' if wide else 'flat'}-{ending}.{ending}"
            run_bulk(
                constant_pipeline_of_module,
                source,
                target,
                options=options,
                wide=wide,
                all_codes=wide,
                undo=True,
                language="en",
            )
    books = sorted(folder.glob("*.xlsx"))
    convert(books, "ods", folder)
    convert(books, "xlsx", folder)
    for ending, separator in SEPARATORS.items():
        convert(sorted(folder.glob(f"*-{ending}.{ending}")), "ods", folder, FILTER.format(separator=separator))
    return folder


@pytest.fixture(scope="module")
def beside(constant_pipeline_of_module: Pipeline, tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """What lies beside coded tables of hostile cells and labels, and these with codes set anew, in LibreOffice."""
    folder = tmp_path_factory.mktemp("beside")
    source, files = write_cases(folder), []
    for ending in ("xlsx", "csv"):
        target = folder / f"{ending}-coded.{ending}"
        coded = LegacyOptions(coded=(("violation", "@note"),), duplicates=False)
        options = InputOptions(text_column="text", header=True)
        bulk = BulkOptions(legacy=coded, check=len(HOSTILE))
        report = run_bulk(constant_pipeline_of_module, source, target, options=options, language="en", bulk=bulk)
        decided = folder / f"{ending}-decided.{ending}"
        amend(target, decided, {1: {"codes_violation": "health.denial", "codes_by_violation": "person"}})
        sheets = [path for path in report.beside if path.suffix in (".xlsx", ".csv")]
        files += [target, decided, *sheets, unmapped_path(target)]
    assert len(files) == 8
    convert([path for path in files if path.suffix == ".xlsx"], "ods", folder)
    convert(
        [path for path in files if path.suffix == ".csv"], "ods", folder, FILTER.format(separator=SEPARATORS["csv"])
    )
    return [folder / "ods" / f"{path.stem}.ods" for path in files]


def test_libreoffice_finds_no_formula_in_what_lies_beside_and_was_decided(beside: list[Path]) -> None:
    assert [path.name for path in beside if b"table:formula=" in content(path)] == []


NAMES = [f"{layout}-{ending}" for ending in ENDINGS for layout in ("flat", "wide")]


def content(path: Path) -> bytes:
    with zipfile.ZipFile(path) as archive:
        return archive.read("content.xml")


def said(paragraph: Element) -> str:
    """The text of a paragraph, with the blanks that are elements of their own."""
    blanks = {f"{_TEXT}s": " ", f"{_TEXT}tab": "\t", f"{_TEXT}line-break": "\n"}
    pieces = [paragraph.text or ""]
    for child in paragraph:
        blank = blanks.get(child.tag)
        pieces.append(blank * int(child.get(f"{_TEXT}c", "1")) if blank else said(child))
        pieces.append(child.tail or "")
    return "".join(pieces)


def rows_shown(path: Path) -> Iterator[list[str]]:
    """The rows of the first sheet as LibreOffice has them: texts, and numbers with all their digits."""
    sheet = next(fromstring(content(path)).iter(f"{_TABLE}table"))
    for row in sheet.iter(f"{_TABLE}table-row"):
        cells: list[str] = []
        for cell in row:
            number = cell.get(f"{_OFFICE}value")
            text = "\n".join(map(said, cell.iter(f"{_TEXT}p")))
            cells += [text if number is None else number] * int(cell.get(f"{_TABLE}number-columns-repeated", "1"))
        yield cells


def plain(cell: Any, *, escaped: bool) -> str:
    """A cell as every spreadsheet can show it: without what XML cannot hold, with one kind of line end."""
    text = text_of(cell).replace("\r\n", "\n").replace("\r", "\n")
    text = re.sub("[\0-\x08\x0b-\x1f]", "", text)
    text = text.replace("\t", "") if "\n" in text else text  # LibreOffice keeps no tab in a text of several lines
    text = unescape_cell(text) if escaped else text
    return f"{float(text)}" if re.fullmatch(r"-?\d+(\.\d+)?", text) else text


@pytest.mark.parametrize("name", NAMES)
def test_libreoffice_finds_no_formula(exports: Path, name: str) -> None:
    assert b"table:formula=" not in content(exports / "ods" / f"{name}.ods")


@pytest.mark.parametrize("name", NAMES)
def test_libreoffice_shows_every_text_that_was_written(exports: Path, name: str) -> None:
    ending = name.split("-")[1]
    escaped = ending != "xlsx"
    with open_input(exports / f"{name}.{ending}", InputOptions(text_column="text", header=True)) as table:
        written = [list(table.columns), *(list(row.cells) for row in table.rows())]
    shown = list(rows_shown(exports / "ods" / f"{name}.ods"))
    assert len(shown) >= len(HOSTILE) + 1
    for ours, theirs in zip(written, shown, strict=False):
        full = [*theirs, *[""] * (len(ours) - len(theirs))][: len(ours)]
        assert [plain(cell, escaped=escaped) for cell in full] == [plain(cell, escaped=escaped) for cell in ours]


@pytest.mark.parametrize("name", NAMES)
def test_what_stood_in_the_input_is_what_libreoffice_shows(exports: Path, name: str) -> None:
    escaped = not name.endswith("xlsx")
    notes = [row[3] for row in rows_shown(exports / "ods" / f"{name}.ods")][1 : len(HOSTILE) + 1]
    expected = [plain(cell, escaped=False) for cell in HOSTILE[:-1]]
    assert [plain(cell, escaped=escaped) for cell in notes[:-1]] == expected
    assert notes[-1].lstrip("'").startswith("=long long")


@pytest.mark.parametrize("name", [name for name in NAMES if name.endswith("xlsx")])
def test_a_workbook_that_libreoffice_has_saved_has_no_formula(exports: Path, name: str) -> None:
    book = openpyxl.load_workbook(exports / "xlsx" / f"{name}.xlsx")
    assert book.sheetnames == ["Cases", "About"]
    assert not [cell.coordinate for sheet in book for row in sheet.iter_rows() for cell in row if cell.data_type == "f"]


@pytest.mark.parametrize("name", [name for name in NAMES if name.endswith("xlsx")])
def test_a_run_is_undone_in_a_workbook_that_libreoffice_has_saved(exports: Path, tmp_path: Path, name: str) -> None:
    undo = exports / f"{name}.xlsx.undo.jsonl"
    restored = undo_run(exports / "xlsx" / f"{name}.xlsx", undo, tmp_path / "restored.xlsx")
    assert (restored.rows, restored.kept, restored.emptied) == (len(HOSTILE), {}, {})
    with open_input(tmp_path / "restored.xlsx", InputOptions(text_column="text", header=True)) as table:
        assert table.columns == tuple(COLUMNS)


def test_colors_filter_and_header_reach_libreoffice(exports: Path) -> None:
    sheet = openpyxl.load_workbook(exports / "xlsx" / "flat-xlsx.xlsx")["Cases"]
    assert sheet.auto_filter.ref.startswith("A1:")
    assert sheet["A1"].font.b
    (rules,) = (found.rules for found in sheet.conditional_formatting)
    assert [rule.formula[0].split("=")[1] for rule in rules] == ['"auto"', '"suggest"', '"review"', '"error"']


def test_a_formula_would_be_seen(tmp_path: Path) -> None:
    path = tmp_path / "raw.csv"
    path.write_text("text\n=1+1\n", encoding="utf-8")
    convert([path], "ods", tmp_path, FILTER.format(separator=44))
    assert b"table:formula=" in content(tmp_path / "ods" / "raw.ods")
