from __future__ import annotations

import csv
import errno
import json
from pathlib import Path

import openpyxl
import pyarrow.parquet
import pytest
from openpyxl.utils.escape import unescape
from typer.testing import CliRunner

from nlp.bulk.run import run_bulk
from nlp.cli import app
from nlp.errors import OutputError, TableError

ROWS = [
    {"case_id": "a1", "region": "Osh", "text": "Врач отказал Айгуль Садыковой.", "violation": "old code"},
    {
        "case_id": "a2",
        "region": "=HYPERLINK(1)",
        "text": "The doctor refused to see her.\r\nShe left.",
        "violation": "",
    },
    {"case_id": "a2", "region": "", "text": "", "violation": ""},
    {
        "case_id": "a4",
        "region": "-5",
        "text": "Der Arzt hat mich nicht behandelt und war sehr böse mit mir",
        "violation": "",
    },
    {"case_id": "a5", "region": "x", "text": "12345", "violation": ""},
]


@pytest.fixture
def source(tmp_path: Path) -> Path:
    path = tmp_path / "legacy.csv"
    with path.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.DictWriter(stream, list(ROWS[0]))
        writer.writeheader()
        writer.writerows(ROWS)
    return path


def _read(path: Path) -> list[dict[str, object]]:
    if path.suffix == ".jsonl":
        return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    if path.suffix == ".parquet":
        return pyarrow.parquet.read_table(path).to_pylist()
    if path.suffix == ".xlsx":
        sheet = openpyxl.load_workbook(path).active
        header, *rows = sheet.iter_rows(values_only=True)
        return [
            dict(zip(header, ["" if cell is None else unescape(str(cell)) for cell in row], strict=True))
            for row in rows
        ]
    with path.open(encoding="utf-8-sig", newline="") as stream:
        return list(csv.DictReader(stream))


@pytest.mark.parametrize("ending", ["csv", "xlsx", "jsonl", "parquet"])
def test_every_row_comes_back_in_order_with_its_columns(constant_pipeline, source, tmp_path, ending):
    target = tmp_path / f"coded.{ending}"
    report = run_bulk(constant_pipeline, source, target)
    rows = _read(target)
    assert [row["case_id"] for row in rows] == [row["case_id"] for row in ROWS]
    assert [row["violation"] for row in rows] == [row["violation"] for row in ROWS]
    assert rows[0]["text"] == "Врач отказал [PERSON_1]."
    assert rows[1]["text"].replace("\r\n", "\n") == "The doctor refused to see her.\nShe left."
    assert report.rows == len(ROWS)
    assert report.errors == {"narrative.empty": 2, "narrative.language": 1}


def test_rows_with_an_error_give_no_text(constant_pipeline, source, tmp_path):
    run_bulk(constant_pipeline, source, tmp_path / "coded.jsonl")
    rows = _read(tmp_path / "coded.jsonl")
    assert rows[3]["text"] == ""
    assert rows[3]["redacted_text"] is None
    assert rows[3]["error"].startswith("narrative.language: ")
    assert rows[0]["error"] is None


def test_jsonl_rows_keep_the_contract(constant_pipeline, source, tmp_path):
    run_bulk(constant_pipeline, source, tmp_path / "coded.jsonl")
    row = _read(tmp_path / "coded.jsonl")[0]
    assert row["id"] == "a1"
    assert row["bundle"] == "constant-1"
    assert row["codebook"].startswith("react ")
    assert row["primary"] == {"violation": "health.denial", "population": "plhiv"}
    assert row["suggestions"][0]["code"] == "health.denial"
    assert row["suggestions"][0]["evidence"][0]["redacted"] == "Врач отказал [PERSON_1]."
    assert {item["code"]: item["decision"] for item in row["suggestions"]} == {
        "health.denial": "suggest",
        "violence.psychological": "suggest",
        "civic.hate": "review",
        "health": "suggest",
        "plhiv": "auto",
    }


def test_flat_columns_for_spreadsheets(constant_pipeline, source, tmp_path):
    run_bulk(constant_pipeline, source, tmp_path / "coded.csv")
    row = _read(tmp_path / "coded.csv")[0]
    assert row["suggested_violation"] == "health.denial;violence.psychological"
    assert row["to_review_violation"] == "civic.hate"
    assert row["probabilities_population"] == "plhiv=0.97"
    assert row["decision"] == "auto"
    assert row["evidence_perpetrator"] == "health: Врач отказал [PERSON_1]."


def test_keep_text_keeps_it_and_adds_the_redacted_one(constant_pipeline, source, tmp_path):
    run_bulk(constant_pipeline, source, tmp_path / "coded.csv", keep_text=True)
    rows = _read(tmp_path / "coded.csv")
    assert [row["text"] for row in rows] == [row["text"] for row in ROWS]
    assert rows[0]["redacted_text"] == "Врач отказал [PERSON_1]."


def test_all_codes_gives_every_probability(constant_pipeline, source, tmp_path, codebook):
    run_bulk(constant_pipeline, source, tmp_path / "coded.csv", all_codes=True)
    assert _read(tmp_path / "coded.csv")[0]["probabilities_population"].count("=") == len(
        codebook.axis("population").codes
    )


def test_input_column_keeps_its_name_where_ours_is_taken(constant_pipeline, tmp_path):
    source = tmp_path / "in.jsonl"
    source.write_text('{"id": 7, "language": "old", "text": "The doctor refused."}\n', encoding="utf-8")
    run_bulk(constant_pipeline, source, tmp_path / "out.jsonl")
    (row,) = _read(tmp_path / "out.jsonl")
    assert row["language"] == "old"
    assert row["casecoder_language"] == "en"
    assert row["id"] == 7


def test_coding_a_coded_file_again_works(constant_pipeline, source, tmp_path):
    run_bulk(constant_pipeline, source, tmp_path / "once.jsonl")
    run_bulk(constant_pipeline, tmp_path / "once.jsonl", tmp_path / "twice.jsonl")
    once, twice = _read(tmp_path / "once.jsonl"), _read(tmp_path / "twice.jsonl")
    assert [row["text"] for row in twice] == [row["text"] for row in once]


def test_no_cell_runs_in_a_spreadsheet(constant_pipeline, source, tmp_path):
    run_bulk(constant_pipeline, source, tmp_path / "coded.xlsx")
    cells = [cell for row in openpyxl.load_workbook(tmp_path / "coded.xlsx").active.iter_rows() for cell in row]
    assert not [cell.coordinate for cell in cells if cell.data_type == "f"]
    run_bulk(constant_pipeline, source, tmp_path / "coded.csv")
    assert _read(tmp_path / "coded.csv")[1]["region"] == "'=HYPERLINK(1)"


def test_earlier_output_is_kept_aside(constant_pipeline, source, tmp_path):
    target = tmp_path / "coded.csv"
    target.write_text("work of a person")
    report = run_bulk(constant_pipeline, source, target)
    assert (tmp_path / "coded.csv.bak").read_text() == "work of a person"
    assert any("coded.csv.bak" in note for note in report.notes)


def test_input_is_never_overwritten(constant_pipeline, source):
    with pytest.raises(TableError, match="same file"):
        run_bulk(constant_pipeline, source, source)


def test_full_disk_leaves_nothing_behind(constant_pipeline, source, tmp_path, monkeypatch):
    import os

    def full(*args):
        raise OSError(errno.ENOSPC, "No space left on device")

    target = tmp_path / "out" / "coded.csv"
    target.parent.mkdir()
    target.write_text("earlier")
    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OutputError, match="full"):
        run_bulk(constant_pipeline, source, target)
    assert [path.name for path in target.parent.iterdir()] in (["coded.csv"], ["coded.csv.bak"])
    assert next(target.parent.iterdir()).read_text() == "earlier"


def test_interrupted_run_leaves_nothing_behind(constant_pipeline, source, tmp_path):
    def interrupt(progress):
        if progress.rows == 2:
            raise KeyboardInterrupt

    target = tmp_path / "out" / "coded.csv"
    target.parent.mkdir()
    with pytest.raises(KeyboardInterrupt):
        run_bulk(constant_pipeline, source, target, on_progress=interrupt)
    assert not list(target.parent.iterdir())


def test_progress_is_monotone_and_ends_with_the_report(constant_pipeline, source, tmp_path):
    seen = []
    report = run_bulk(constant_pipeline, source, tmp_path / "coded.csv", on_progress=seen.append)
    assert [item.rows for item in seen] == list(range(1, report.rows + 1))
    shares = [item.share for item in seen if item.share is not None]
    assert shares == sorted(shares)
    assert seen[-1].errors == report.errors.total()


def test_row_of_a_megabyte_is_coded(constant_pipeline, tmp_path):
    text = "The doctor refused to see her again. " * 27_000
    source = tmp_path / "in.jsonl"
    source.write_text(json.dumps({"text": text}) + "\n" + json.dumps({"text": "She left."}) + "\n", encoding="utf-8")
    from dataclasses import replace

    from nlp.bulk.run import BULK_MAX_CHARACTERS
    from nlp.reading import Reader

    pipeline = replace(constant_pipeline, reader=Reader(languages=("en", "ru"), max_characters=BULK_MAX_CHARACTERS))
    report = run_bulk(pipeline, source, tmp_path / "out.jsonl")
    assert report.rows == 2
    assert not report.errors


class TestCommand:
    @pytest.fixture(autouse=True)
    def _bundle(self, use_tiny_bundle):
        return use_tiny_bundle

    def run(self, *args):
        return CliRunner().invoke(app, ["bulk", *map(str, args)])

    def test_exit_code_3_says_that_some_rows_have_an_error(self, source, tmp_path):
        done = self.run(source, "-o", tmp_path / "coded.csv", "--show", "2")
        assert done.exit_code == 3
        assert "narrative.language" in done.stdout
        assert "Output:" in done.stdout
        assert "Айгуль" not in done.stdout + done.stderr

    def test_exit_code_0_where_every_row_is_coded(self, tmp_path):
        source = tmp_path / "in.csv"
        source.write_text("text\nThe doctor refused.\n")
        assert self.run(source, "-o", tmp_path / "coded.xlsx").exit_code == 0

    @pytest.mark.parametrize(
        ("name", "content", "output", "reason"),
        [
            ("in.doc", b"x", "out.csv", ".csv"),
            ("in.csv", b"text\nThe doctor refused.\n", "out.pdf", ".csv"),
            ("in.csv", b"", "out.csv", "no row"),
            ("in.csv", b"text\n", "out.csv", "no rows"),
            ("in.csv", b'text\n"The doctor refused', "out.csv", "row"),
            ("in.xlsx", b"not a workbook", "out.csv", "no .xlsx file"),
            ("in.parquet", b"not parquet", "out.csv", "no Parquet file"),
            ("in.csv", b"text\nThe doctor refused.\n", "none/out.csv", "folder"),
        ],
    )
    def test_bad_files_give_a_sentence_and_nothing_is_written(self, tmp_path, name, content, output, reason):
        (tmp_path / name).write_bytes(content)
        done = self.run(tmp_path / name, "-o", tmp_path / output)
        assert done.exit_code == 2
        assert reason in done.stderr
        assert [path.name for path in tmp_path.iterdir() if path.name.startswith("out")] == []

    def test_missing_column_gives_a_sentence(self, source, tmp_path):
        done = self.run(source, "-o", tmp_path / "out.csv", "--text-column", "story")
        assert done.exit_code == 2
        assert "story" in done.stderr
