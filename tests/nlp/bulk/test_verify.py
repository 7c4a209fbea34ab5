"""The proof that an output is whole, after the run and its work folder are gone."""

from __future__ import annotations

import csv
import datetime as dt
import json

import openpyxl
import pyarrow as pa
import pyarrow.parquet
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from typer.testing import CliRunner

from nlp.bulk import stamped
from nlp.bulk.proof import read_receipt, receipt_path_of, verify_output
from nlp.bulk.run import BulkOptions, run_bulk
from nlp.bulk.sealed import file_sha256
from nlp.bulk.shard_run import run_shard
from nlp.bulk.shards import shard_path
from nlp.bulk.tables import InputOptions, open_output
from nlp.bulk.work import work_folder
from nlp.cli import app
from nlp.errors import RunError

ENDINGS = ("csv", "xlsx", "jsonl", "parquet")
CANARY = "qazanarbekovaxx"
TEXT = "The doctor refused Zarina Qodirova."
CELLS = [
    "=1+1",
    "'=x",
    "-5",
    "a\r\nb",
    "tab\t",
    " blank ",
    "",
    "ё 😀",
    "_x0041_",
    "1e5",
    "0012",
    "@x",
    '"q"',
    "x" * 40_000,
]


def write_table(path, rows):
    """A table with a header, in the format of the ending."""
    header, *data = rows
    if path.suffix == ".csv":
        with path.open("w", encoding="utf-8", newline="") as stream:
            csv.writer(stream).writerows(rows)
    elif path.suffix == ".jsonl":
        lines = (json.dumps(dict(zip(header, row, strict=True)), default=str) for row in data)
        path.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
    elif path.suffix == ".parquet":
        columns = [pa.array(column) for column in zip(*data, strict=True)]
        pyarrow.parquet.write_table(pa.table(columns, names=list(header)), path)
    else:
        book = openpyxl.Workbook()
        for row in rows:
            book.active.append(row)
        book.save(path)
    return path


@pytest.fixture
def run(constant_pipeline, tmp_path):
    """Codes three rows; gives input and output."""

    def make(ending="csv", **options):
        rows = [["nr", "text", "place"], *([number, f"{TEXT} {number}", f"place {number}"] for number in (1, 2, 3))]
        source, target = write_table(tmp_path / f"in.{ending}", rows), tmp_path / f"out.{ending}"
        run_bulk(constant_pipeline, source, target, **options)
        return source, target

    return make


def restamp(target, **changes):
    """Change an output's receipt in such a way that only the rows themselves can tell."""
    facts = read_receipt(receipt_path_of(target))
    facts["output"]["sha256"] = file_sha256(target)
    for part, values in changes.items():
        facts[part].update(values)
    receipt_path_of(target).write_bytes(stamped.content(facts))


@pytest.mark.parametrize("inward", ENDINGS)
@pytest.mark.parametrize("outward", ENDINGS)
def test_output_of_odd_cells_is_proved_in_every_format(constant_pipeline, tmp_path, inward, outward):
    cells = [cell for cell in CELLS if inward != "xlsx" or len(cell) < 32_000]
    rows = [["id", "text", "cell", "=name"], *([str(at), TEXT, cell, cell] for at, cell in enumerate(cells))]
    source, target = write_table(tmp_path / f"in.{inward}", rows), tmp_path / f"out.{outward}"
    for keep_text in (False, True):
        run_bulk(constant_pipeline, source, target, options=InputOptions("text"), keep_text=keep_text)
        assert verify_output(target, source) == (len(cells), [])


@pytest.mark.parametrize("inward", ["xlsx", "parquet"])
@pytest.mark.parametrize("outward", ENDINGS)
def test_output_of_typed_cells_is_proved_in_every_format(constant_pipeline, tmp_path, inward, outward):
    moments = [
        dt.datetime(2031, 5, 6, 13, 14, 15),
        dt.datetime(1999, 1, 1),
        dt.datetime(2020, 2, 29, 23, 59, 59, 999000),
    ]
    rows = [
        ["n", "x", "yes", "day", "at", "text"],
        *([10**at, 0.1 * at, at > 1, moment.date(), moment, TEXT] for at, moment in enumerate(moments, 1)),
    ]
    source, target = write_table(tmp_path / f"in.{inward}", rows), tmp_path / f"out.{outward}"
    run_bulk(constant_pipeline, source, target)
    assert verify_output(target, source) == (3, [])


@pytest.mark.parametrize("outward", ENDINGS)
@settings(max_examples=15, deadline=None)
@given(st.lists(st.tuples(st.text(max_size=12), st.text(max_size=12)), min_size=1, max_size=5))
def test_output_of_any_texts_is_proved(constant_pipeline_of_module, tmp_path_factory, outward, rows):
    folder = tmp_path_factory.mktemp("proof")
    source, target = folder / "in.jsonl", folder / f"out.{outward}"
    lines = (json.dumps({"text": text, "other": other}) for text, other in rows)
    source.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
    run_bulk(constant_pipeline_of_module, source, target, options=InputOptions("text"))
    assert verify_output(target, source) == (len(rows), [])


def test_rows_that_cannot_be_read_are_proved_too(constant_pipeline, tmp_path):
    source, target = tmp_path / "in.csv", tmp_path / "out.csv"
    source.write_text(f"nr,text\n1,{TEXT}\n2,{TEXT},too much\n3,\n")
    run_bulk(constant_pipeline, source, target)
    assert verify_output(target, source) == (3, [])


def test_narrative_of_blanks_is_proved(constant_pipeline, tmp_path):
    source, target = write_table(tmp_path / "in.csv", [["id", "text"], ["1", "  "], ["2", TEXT]]), tmp_path / "out.csv"
    run_bulk(constant_pipeline, source, target)
    assert verify_output(target, source) == (2, [])


def test_table_without_names_is_proved(constant_pipeline, tmp_path):
    source, target = tmp_path / "in.csv", tmp_path / "out.csv"
    source.write_text(f"1;{TEXT}\n2;{TEXT}\n")
    run_bulk(constant_pipeline, source, target, options=InputOptions(header=False))
    assert verify_output(target, source) == (2, [])


@pytest.mark.parametrize("which", ["input", "output", "receipt"])
def test_every_altered_byte_is_found(run, which):
    source, target = run("csv")
    path = {"input": source, "output": target, "receipt": receipt_path_of(target)}[which]
    content = path.read_bytes()
    for at in range(0, len(content), 37):
        path.write_bytes(content[:at] + bytes([content[at] ^ 1]) + content[at + 1 :])
        try:
            assert verify_output(target, source)[1]
        except RunError as error:
            assert which == "receipt", error
    path.write_bytes(content)
    assert verify_output(target, source) == (3, [])


def rewrite(target, change):
    """Write an output once more with changed rows, as if its run had gone wrong."""
    with target.open(encoding="utf-8-sig", newline="") as stream:
        names, *rows = csv.reader(stream)
    with open_output(target, names) as out:
        for row in change(rows):
            out.write([cell.removeprefix("'") if cell.startswith("'=") else cell for cell in row])
    restamp(target)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda rows: rows[:2], "the output ends after 2 rows, the input has more"),
        (lambda rows: [*rows, rows[2]], "the input ends after 3 rows, the output has more"),
        (lambda rows: [rows[0], rows[0], rows[2]], "row 2: column 1 is not as in the input"),
        (lambda rows: [rows[1], rows[0], rows[2]], "row 1: column 1 is not as in the input"),
        (
            lambda rows: [rows[0], [*rows[1][:2], "Osh", *rows[1][3:]], rows[2]],
            "row 2: column 3 is not as in the input",
        ),
        (
            lambda rows: [rows[0], [cell.replace("constant-1", "constant-2") for cell in rows[1]], rows[2]],
            "row 2: it was coded by another bundle",
        ),
    ],
)
def test_rows_tell_what_no_hash_would(run, change, said):
    source, target = run("csv")
    rewrite(target, change)
    assert said in verify_output(target, source)[1]


def test_narratives_that_are_not_those_that_were_coded_are_found(run):
    source, target = run("csv")
    source.write_bytes(source.read_bytes().replace(b"doctor", b"police"))
    restamp(target, input={"sha256": file_sha256(source)})
    assert verify_output(target, source)[1] == ["the narratives of the input are not those that were coded"]


def test_workbook_of_ours_is_proved_however_large_it_is(constant_pipeline, tmp_path, monkeypatch):
    source, target = tmp_path / "in.csv", tmp_path / "out.xlsx"
    write_table(source, [["id", "text"], *([number, TEXT] for number in range(50))])
    run_bulk(constant_pipeline, source, target)
    monkeypatch.setattr("nlp.bulk.xlsx_input.MAX_UNPACKED", 1_000)
    assert verify_output(target, source) == (50, [])
    target.write_bytes(target.read_bytes() + b"\0")
    _, found = verify_output(target, source)
    assert any("unpacks to more than" in fault for fault in found)


def test_long_list_of_faults_is_cut(constant_pipeline, tmp_path):
    rows = [["nr", "text"], *([number, TEXT] for number in range(50))]
    source, target = write_table(tmp_path / "in.csv", rows), tmp_path / "out.csv"
    run_bulk(constant_pipeline, source, target)
    rewrite(target, lambda rows: rows[::-1])
    assert len(verify_output(target, source)[1]) == 10


def test_missing_receipt_is_told(run):
    source, target = run("csv")
    receipt_path_of(target).unlink()
    with pytest.raises(RunError, match="--receipt"):
        verify_output(target, source)


def test_receipt_counts_the_run_and_holds_no_content(constant_pipeline, tmp_path):
    rows = [["id", "text", CANARY], [CANARY, f"{TEXT} {CANARY}", CANARY], ["2", "", CANARY]]
    source = write_table(tmp_path / f"{CANARY}.csv", rows)
    run_bulk(constant_pipeline, source, tmp_path / "out.csv")
    said = receipt_path_of(tmp_path / "out.csv").read_text()
    assert CANARY not in said
    facts = json.loads(said)
    assert (facts["rows"], facts["errors"]) == (2, {"narrative.empty": 1})
    assert facts["input"]["sha256"] == file_sha256(source)
    assert facts["output"]["sha256"] == file_sha256(tmp_path / "out.csv")
    assert facts["bundle"]["name"] == "constant-1"
    assert facts["versions"].keys() >= {"casecoder", "python", "numpy"}


def test_receipt_of_an_earlier_output_is_kept_with_it(constant_pipeline, tmp_path):
    source, target = write_table(tmp_path / "in.csv", [["id", "text"], ["1", TEXT]]), tmp_path / "out.csv"
    for _ in range(2):
        run_bulk(constant_pipeline, source, target)
    earlier = tmp_path / "out.csv.receipt.json.bak"
    assert read_receipt(earlier)["output"]["sha256"] == file_sha256(tmp_path / "out.csv.bak")


class TestCommand:
    def run(self, *args):
        return CliRunner().invoke(app, ["verify", *map(str, args)])

    @pytest.mark.parametrize("ending", ENDINGS)
    def test_whole_output_is_proved_with_exit_code_0(self, run, ending):
        source, target = run(ending)
        done = self.run(target, "--input", source)
        assert (done.exit_code, done.stdout, done.stderr) == (0, "3 rows, all there once\n", "")

    def test_receipt_can_lie_elsewhere(self, run, tmp_path):
        source, target = run()
        (tmp_path / "kept").mkdir()
        moved = receipt_path_of(target).rename(tmp_path / "kept" / "r.json")
        assert self.run(target, "--input", source).exit_code == 2
        assert self.run(target, "--input", source, "--receipt", moved).exit_code == 0

    def test_what_differs_is_told_with_exit_code_2_and_without_cells(self, run):
        source, target = run()
        rewrite(target, lambda rows: [rows[0], [CANARY, *rows[1][1:]], rows[2]])
        done = self.run(target, "--input", source)
        assert done.exit_code == 2
        assert done.stderr == "casecoder: row 2: column 1 is not as in the input\n"
        assert done.stdout == ""

    @pytest.mark.parametrize("which", ["input", "output"])
    def test_file_that_is_not_there_gives_a_sentence(self, run, which):
        source, target = run()
        (source if which == "input" else target).unlink()
        done = self.run(target, "--input", source)
        assert done.exit_code == 2
        assert "cannot be read" in done.stderr

    def test_work_of_a_stopped_run_is_proved(self, prepared, tiny):
        work, plan = prepared([TEXT] * 5)
        run_shard(work, plan.shards[0], tiny)
        done = self.run("--work", work)
        assert (done.exit_code, done.stdout) == (0, "2 of 5 rows are done, all there once (1 of 3 shards)\n")
        path = shard_path(work, 2)
        path.write_bytes(path.read_bytes()[:-1] + b"?")
        done = self.run("--work", work)
        assert done.exit_code == 2
        assert "shard 2 is gone or was altered" in done.stderr

    @pytest.mark.parametrize("args", [(), ("out.csv",), ("--input", "in.csv"), ("out.csv", "--work", ".")])
    def test_what_to_give_is_told(self, args):
        done = self.run(*args)
        assert done.exit_code == 2
        assert "--input INPUT" in done.stderr

    def test_folder_without_work_gives_a_sentence(self, tmp_path):
        done = self.run("--work", tmp_path)
        assert done.exit_code == 2
        assert "plan.json cannot be read" in done.stderr


def test_output_of_a_run_that_went_on_is_proved(write_cases, tmp_path, tiny):
    source, target = write_cases([TEXT] * 20), tmp_path / "out.csv"

    def stop(progress):
        if progress.shards_done == 3:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run_bulk(tiny, source, target, bulk=BulkOptions(workers=1, shard_rows=2), on_progress=stop)
    assert work_folder(target).exists()
    run_bulk(tiny, source, target, bulk=BulkOptions(resume=True, workers=1))
    assert verify_output(target, source) == (20, [])
