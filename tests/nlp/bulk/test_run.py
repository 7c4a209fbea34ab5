from __future__ import annotations

import csv
import errno
import json
import signal
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import openpyxl
import pyarrow.parquet
import pytest
from openpyxl.utils.escape import unescape
from typer.testing import CliRunner

from nlp.bulk.run import BulkOptions, run_bulk
from nlp.cli import app
from nlp.errors import LanguageNotServed, OutputError, TableError
from nlp.pipeline import Pipeline

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


@pytest.mark.parametrize("ending", ["csv", "xlsx", "jsonl"])
def test_coding_a_coded_file_again_works(constant_pipeline, source, tmp_path, ending):
    once, twice = tmp_path / f"once.{ending}", tmp_path / f"twice.{ending}"
    run_bulk(constant_pipeline, source, once, all_codes=True)
    run_bulk(constant_pipeline, once, twice)
    once, twice = _read(once), _read(twice)
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


def test_every_earlier_output_is_kept(constant_pipeline, source, tmp_path):
    target = tmp_path / "coded.csv"
    for number in range(4):
        target.write_text(f"work {number}")
        run_bulk(constant_pipeline, source, target)
    kept = {path.name: path.read_text() for path in tmp_path.glob("coded.csv.bak*")}
    assert kept == {
        "coded.csv.bak": "work 0",
        "coded.csv.bak2": "work 1",
        "coded.csv.bak3": "work 2",
        "coded.csv.bak4": "work 3",
    }


@pytest.mark.skipif(sys.platform == "win32", reason="links need a right of their own on Windows")
def test_earlier_output_behind_a_link_is_kept_there(constant_pipeline, source, tmp_path):
    (tmp_path / "shared").mkdir()
    real = tmp_path / "shared" / "cases.csv"
    real.write_text("work of a person")
    link = tmp_path / "coded.csv"
    link.symlink_to(real)
    run_bulk(constant_pipeline, source, link)
    assert link.is_symlink()
    assert [row["case_id"] for row in _read(real)] == [row["case_id"] for row in ROWS]
    assert (tmp_path / "shared" / "cases.csv.bak").read_text() == "work of a person"


def test_earlier_output_stands_until_the_new_one_is_whole(constant_pipeline, source, tmp_path):
    target = tmp_path / "coded.csv"
    target.write_text("work of a person")
    seen = []
    run_bulk(constant_pipeline, source, target, on_progress=lambda progress: seen.append(target.read_text()))
    assert set(seen) == {"work of a person"}


def test_earlier_output_comes_back_where_the_new_one_cannot_take_its_place(
    constant_pipeline, source, tmp_path, monkeypatch
):
    def refuse(part, target):
        raise PermissionError(errno.EACCES, "refused")

    target = tmp_path / "out" / "coded.csv"
    target.parent.mkdir()
    target.write_text("work of a person")
    monkeypatch.setattr(Path, "replace", refuse)
    with pytest.raises(OutputError, match="another program has the file open") as caught:
        run_bulk(constant_pipeline, source, target)
    assert sorted(path.name for path in target.parent.iterdir()) == [".coded.csv.casecoder", "coded.csv"]
    assert target.read_text() == "work of a person"
    assert "1 of 1 shards are done" in caught.value.__notes__[0]
    assert "--resume" in caught.value.__notes__[0]


def test_work_that_is_done_is_not_done_again_when_the_output_could_not_be_placed(
    constant_pipeline, source, tmp_path, monkeypatch
):
    target = tmp_path / "out" / "coded.csv"
    target.parent.mkdir()
    with monkeypatch.context() as patched, pytest.raises(OutputError):
        patched.setattr(
            Path, "replace", lambda part, target: (_ for _ in ()).throw(PermissionError(errno.EACCES, "no"))
        )
        run_bulk(constant_pipeline, source, target)
    monkeypatch.setattr(Pipeline, "analyze_one", lambda *args: pytest.fail("a row was coded again"))
    report = run_bulk(constant_pipeline, source, target, bulk=BulkOptions(resume=True))
    assert report.errors == {"narrative.empty": 2, "narrative.language": 1}
    assert [row["case_id"] for row in _read(target)] == [row["case_id"] for row in ROWS]
    assert sorted(path.name for path in target.parent.iterdir()) == ["coded.csv", "coded.csv.receipt.json"]


def test_target_that_another_program_holds_is_refused_before_the_work(constant_pipeline, source, tmp_path, monkeypatch):
    def refuse(path, target):
        raise PermissionError(errno.EACCES, "The process cannot access the file")

    target = tmp_path / "coded.csv"
    target.write_text("open in Excel")
    monkeypatch.setattr(Path, "rename", refuse)
    with pytest.raises(OutputError, match="another program has the file open"):
        run_bulk(constant_pipeline, source, target, on_progress=lambda progress: pytest.fail("a row was coded"))


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


@pytest.mark.parametrize("name", ["SIGTERM", "SIGHUP", "SIGBREAK"])
def test_end_that_the_system_asks_for_leaves_nothing_behind(constant_pipeline, source, tmp_path, name):
    number = getattr(signal, name, None)
    if number is None:
        pytest.skip("this system has no such signal")
    target = tmp_path / "out" / "coded.csv"
    target.parent.mkdir()
    before = signal.signal(number, signal.SIG_DFL)
    try:
        with pytest.raises(SystemExit) as caught:
            run_bulk(constant_pipeline, source, target, on_progress=lambda progress: signal.raise_signal(number))
        assert caught.value.code == 128 + number
        assert not list(target.parent.iterdir())
        assert signal.getsignal(number) is signal.SIG_DFL
    finally:
        signal.signal(number, before)


def test_signals_of_the_caller_are_left_alone(constant_pipeline, source, tmp_path):
    before = signal.signal(signal.SIGTERM, signal.SIG_IGN)
    try:
        run_bulk(
            constant_pipeline,
            source,
            tmp_path / "coded.csv",
            on_progress=lambda progress: signal.raise_signal(signal.SIGTERM),
        )
        assert signal.getsignal(signal.SIGTERM) is signal.SIG_IGN
    finally:
        signal.signal(signal.SIGTERM, before)


def test_run_in_a_thread_needs_no_signals(constant_pipeline, source, tmp_path):
    with ThreadPoolExecutor(1) as pool:
        report = pool.submit(run_bulk, constant_pipeline, source, tmp_path / "coded.csv").result()
    assert report.rows == len(ROWS)


CANARY = "Zarinatestova"


@pytest.mark.parametrize("ending", ["csv", "xlsx", "jsonl", "parquet"])
def test_row_that_cannot_be_read_gives_none_of_its_cells(constant_pipeline, tmp_path, ending):
    source = tmp_path / "in.csv"
    lines = ["nr,place,text,year", "1,Osh,The doctor refused.,2020"]
    for width in (1, 2, 3, 5, 6):
        for at in range(width):
            lines.append(",".join(f"{CANARY} was beaten" if place == at else "x" for place in range(width)))
    source.write_text("\n".join(lines), encoding="utf-8")
    target = tmp_path / f"out.{ending}"
    report = run_bulk(constant_pipeline, source, target, preview=100)
    first, *rows = _read(target)
    assert first["place"] == "Osh"
    assert CANARY not in repr(rows) + repr(report) + repr(report.preview)
    assert [row["error"].split(": ")[:2] for row in rows] == [["row.unreadable", f"row {n}"] for n in range(2, 19)]
    assert not any(row[name] for row in rows for name in ("nr", "place", "text", "year"))


def test_row_that_cannot_be_read_is_kept_with_the_text(constant_pipeline, tmp_path):
    source = tmp_path / "in.csv"
    source.write_text("nr,text,place\n1,The doctor\nrefused.,Osh\n", encoding="utf-8")
    run_bulk(constant_pipeline, source, tmp_path / "out.csv", keep_text=True)
    assert [row["nr"] for row in _read(tmp_path / "out.csv")] == ["1", "refused."]


def test_typed_columns_of_a_row_that_cannot_be_read_are_null(constant_pipeline, tmp_path):
    text = pyarrow.array([b"The doctor refused.", b"She \xff left."]).cast(pyarrow.string(), safe=False)
    pyarrow.parquet.write_table(pyarrow.table({"n": [1, 2], "text": text}), tmp_path / "in.parquet")
    run_bulk(constant_pipeline, tmp_path / "in.parquet", tmp_path / "out.parquet")
    rows = _read(tmp_path / "out.parquet")
    assert [row["n"] for row in rows] == [1, None]
    assert rows[1]["error"].startswith("row.unreadable: row 2: ")


def test_row_that_crashes_is_marked_and_the_others_are_coded(constant_pipeline, source, tmp_path, monkeypatch, capfd):
    analyze = Pipeline.analyze_one

    def crash(pipeline, narrative):
        if narrative.case_id == "a1":
            raise ZeroDivisionError(f"{CANARY}: {narrative.text}")
        return analyze(pipeline, narrative)

    monkeypatch.setattr(Pipeline, "analyze_one", crash)
    report = run_bulk(constant_pipeline, source, tmp_path / "coded.jsonl", preview=10)
    rows = _read(tmp_path / "coded.jsonl")
    assert rows[0]["error"] == "row.failed: internal error (ZeroDivisionError)"
    assert rows[0]["text"] == ""
    assert rows[1]["suggestions"]
    assert report.errors["row.failed"] == 1
    told = "".join([*capfd.readouterr(), repr(report), repr(report.preview)])
    assert CANARY not in told + (tmp_path / "coded.jsonl").read_text(encoding="utf-8")


@pytest.mark.parametrize("language", ["de", "DE-at", "Zarina"])
def test_language_that_is_not_served_is_refused_before_anything_is_read(constant_pipeline, tmp_path, language):
    with pytest.raises(LanguageNotServed) as caught:
        run_bulk(constant_pipeline, tmp_path / "none.csv", tmp_path / "out.csv", language=language)
    assert "arina" not in str(caught.value)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("language", ["ru", "RU_kg", ""])
def test_language_that_is_served_is_taken(constant_pipeline, source, tmp_path, language):
    assert run_bulk(constant_pipeline, source, tmp_path / "out.csv", language=language).rows == len(ROWS)


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
