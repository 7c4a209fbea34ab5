"""Words planted in every part of a legacy file come out where its cells were asked for, and nowhere else.

Each is invented, and nothing that a recognizer has reason to hide: what comes out was told, not missed by redaction.
"""

from __future__ import annotations

import csv
import zipfile
from pathlib import Path

import openpyxl
import pytest
from typer.testing import CliRunner

from nlp.bulk.legacy import LegacyOptions
from nlp.bulk.run import BulkOptions, run_bulk
from nlp.bulk.tables import InputOptions
from nlp.bulk.work import work_folder
from nlp.cli import app

TEXT, ID, HEADER, SHEET, LABEL, MAPPED, DATE, LANGUAGE, COUNTRY, FILE = PLANTED = tuple(
    f"qazanarbek{place}xx" for place in "text id head sheet label mapped date lang land file".split()
)
NAMES = ["nr", "story", HEADER, "kind", "when", "tongue", "place"]
STORY = "The doctor refused to see her because of her status and told all who stood in the queue of it"


def _rows() -> list[list[str]]:
    rows = [[f"{number}", f"{STORY}, {number} times.", "", "", "2024-03-05", "en", "KZ"] for number in range(1, 9)]
    rows[1] = [ID, f"The doctor refused to see {TEXT}.", "", LABEL, DATE, LANGUAGE, COUNTRY]
    rows[2] = ["3", f"{TEXT}\0", "", MAPPED, "", "", ""]
    return rows


@pytest.fixture
def book(tmp_path: Path) -> Path:
    workbook = openpyxl.Workbook()
    sheet = workbook.active
    sheet.title = SHEET
    for row in [NAMES, *_rows()]:
        sheet.append([cell.replace("\0", "_x0000_") for cell in row])
    workbook.create_sheet("Cases").append([TEXT])
    workbook.save(tmp_path / "cases.xlsx")
    return tmp_path / "cases.xlsx"


@pytest.fixture
def mapping(tmp_path: Path) -> Path:
    path = tmp_path / "mapping.csv"
    path.write_text(f"old,code\n{MAPPED},health.denial\n", encoding="utf-8")
    return path


def _run(*arguments: object) -> tuple[int, str]:
    """How a command ended, and all it said, as one line."""
    done = CliRunner().invoke(app, [str(argument) for argument in arguments])
    return done.exit_code, "".join((done.stdout + done.stderr).split())


def _found(content: bytes) -> set[str]:
    return {word for word in PLANTED if word.encode() in content or word.encode("utf-16-le") in content}


def _content(path: Path) -> bytes:
    if not zipfile.is_zipfile(path):
        return path.read_bytes()
    with zipfile.ZipFile(path) as archive:
        return b"\n".join(archive.read(name) for name in archive.namelist())


@pytest.mark.parametrize("ending", ["csv", "xlsx", "jsonl", "parquet"])
def test_what_stands_in_a_file_is_in_its_output_and_in_no_account_of_it(
    ending, book, mapping, tmp_path, use_tiny_bundle
):
    folder = tmp_path / "out"
    folder.mkdir()
    target = folder / f"out.{ending}"
    asked = (
        *(book, "-o", target, "--sheet", SHEET, "--text-column", 2, "--id-column", 1, "--coded", "violation=4"),
        *("--mapping", mapping, "--date-column", 5, "--language-column", 6, "--country-column", 7),
    )
    tried = _run("bulk", *asked, "--dry-run")
    coded = _run("bulk", *asked, "--undo", "--check", 9, "--progress", "json")
    proved = _run("verify", target, "--input", book)
    undone = _run("undo", target, "-o", tmp_path / "restored.csv")
    estimated = _run("check-result", next(folder.glob("out.check.*")))
    assert [code for code, _ in (tried, coded, proved, undone, estimated)] == [0, 3, 0, 0, 2]
    assert not _found("".join(said for _, said in (tried, coded, proved, undone, estimated)).encode())
    told = {path.name.removeprefix(f"out.{ending}"): _found(_content(path)) for path in folder.iterdir()}
    assert {name: words for name, words in told.items() if name and words} == {
        ".unmapped.csv": {LABEL},  # to be looked up by a person
        next(name for name in told if ".check." in name): {TEXT},  # the redacted texts, to be read
    }
    assert {".receipt.json", ".report.html", ".report.json", ".undo.jsonl"} <= set(told)


@pytest.mark.parametrize(
    "arguments",
    [
        pytest.param((), id="sheet not chosen"),
        pytest.param(("--sheet", "1", "--text-column", "9"), id="no such column"),
        pytest.param(("--sheet", "1", "--text-column", "2", "--join", "9"), id="no such part"),
        pytest.param(("--sheet", "1", "--text-column", "2", "--coded", "violation=2"), id="narrative as codes"),
        pytest.param(("--sheet", "1", "--text-column", "2", "--id-column", "2"), id="narrative as id"),
        pytest.param(("--sheet", "1", "--text-column", "2", "--date-column", "9"), id="no such date"),
    ],
)
def test_what_is_refused_is_refused_without_a_word_of_the_file(arguments, book, tmp_path, use_tiny_bundle):
    code, said = _run("bulk", book, "-o", tmp_path / "out.csv", *arguments)
    assert code == 2
    assert not _found(said.encode())
    assert not (tmp_path / "out.csv").exists()


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(f"old,code\n{MAPPED},{LABEL}\n", id="no code"),
        pytest.param(f"old,code,axis\n{MAPPED},health.denial,{LABEL}\n", id="no axis"),
        pytest.param(f"{MAPPED},{LABEL}\n", id="no names"),
        pytest.param(f"old,code\n{MAPPED},health.denial\n{MAPPED},-\n", id="two meanings"),
        pytest.param(f'old,code\n"{MAPPED}', id="open quotation"),
    ],
)
def test_mapping_that_cannot_be_used_is_told_without_its_labels(content, book, mapping, tmp_path, use_tiny_bundle):
    mapping.write_text(content, encoding="utf-8")
    target = tmp_path / "out.csv"
    code, said = _run("bulk", book, "-o", target, "--sheet", 1, "--text-column", 2, "--mapping", mapping)
    assert code == 2
    assert not _found(said.encode())


def test_sealed_work_that_was_stopped_tells_nothing_of_the_file(constant_pipeline, mapping, tmp_path):
    source, target = tmp_path / f"{FILE}.csv", tmp_path / "out.csv"
    with source.open("w", encoding="utf-8", newline="") as stream:
        csv.writer(stream).writerows([NAMES, *_rows()])

    def stop(progress):
        if progress.rows > 2:
            raise KeyboardInterrupt

    legacy = LegacyOptions((HEADER,), "tongue", "place", ("violation=kind",), mapping)
    bulk = BulkOptions(legacy=legacy, key=bytes(range(32)), shard_rows=1, report=True, check=2)
    reading = InputOptions("story", "nr", sheet=SHEET)
    with pytest.raises(KeyboardInterrupt):
        run_bulk(constant_pipeline, source, target, options=reading, bulk=bulk, on_progress=stop)
    left = [path for path in work_folder(target).rglob("*") if path.is_file()]
    assert {path.parent.name for path in left} >= {"shards", "results", "receipts"}
    assert not _found("\n".join(str(path.relative_to(tmp_path)) for path in left).encode())
    assert {path.name: words for path in left if (words := _found(path.read_bytes()))} == {}
