"""A legacy file through the whole command: joined texts, codes of people, duplicates, report, undo, proof."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from typer.testing import CliRunner

from nlp.bulk.legacy import LegacyOptions
from nlp.bulk.run import BulkOptions, run_bulk
from nlp.bulk.tables import InputOptions
from nlp.errors import RunError, TableError

HEADER = ["id", "story", "outcome", "country", "kind", "date"]
FIRST = "The doctor refused to see her because of her status and told the whole queue about it, so she went home again."
ROWS = [
    ["1", FIRST, "Doctor Anna Berg called later.", "Kazakhstan", "refusal", "05.03.2024"],
    ["2", "The police stopped him near the market and kept him for a night.", "", "KG", "arrest", "17.03.2024"],
    ["3", FIRST, "Doctor Anna Berg called later.", "Narnia", "", "2024-04-01"],
    ["4", "They took his money and papers and let him go.", "", "", "something else", ""],
]


@pytest.fixture
def table(tmp_path: Path) -> Path:
    path = tmp_path / "cases.csv"
    with path.open("w", encoding="utf-8", newline="") as stream:
        csv.writer(stream).writerows([HEADER, *ROWS])
    return path


@pytest.fixture
def mapping(tmp_path: Path) -> Path:
    path = tmp_path / "mapping.csv"
    path.write_text("old,code\nrefusal,health.denial\narrest,justice.detention\n", encoding="utf-8")
    return path


def _coded(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8-sig", newline="") as stream:
        return list(csv.DictReader(stream))


def _options(mapping: Path | None = None, **others) -> LegacyOptions:
    usual = {"coded": ("violation=kind",) if mapping else (), "mapping": mapping}
    return LegacyOptions(join=("outcome",), **{**usual, **others})


def test_texts_that_are_joined_come_back_redacted_in_their_own_columns(constant_pipeline, table, tmp_path):
    target = tmp_path / "out.csv"
    run_bulk(constant_pipeline, table, target, language="en", bulk=BulkOptions(legacy=_options()))
    first, second = _coded(target)[:2]
    assert "refused" in first["story"]
    assert "Berg" not in first["outcome"]
    assert second["outcome"] == ""


def test_codes_that_a_person_gave_stand_beside_those_of_the_machine(constant_pipeline, table, mapping, tmp_path):
    target = tmp_path / "out.csv"
    report = run_bulk(constant_pipeline, table, target, language="en", bulk=BulkOptions(legacy=_options(mapping)))
    rows = _coded(target)
    assert [row["codes_violation"] for row in rows[:2]] == ["health.denial", "justice.detention"]
    assert [row["codes_by_violation"] for row in rows[:2]] == ["person", "person"]
    assert [row["kind"] for row in rows] == [row[4] for row in ROWS]
    assert rows[1]["decision"] == "review"  # the machine does not suggest what the person found
    listed = _coded(tmp_path / "out.csv.unmapped.csv")
    assert [(row["axis"], row["old"], row["rows"]) for row in listed] == [("violation", "something else", "1")]
    assert "something else" not in " ".join(report.notes)


def test_a_row_that_repeats_another_says_so(constant_pipeline, table, tmp_path):
    target = tmp_path / "out.csv"
    run_bulk(constant_pipeline, table, target, language="en", bulk=BulkOptions(legacy=_options()))
    assert [row["duplicate_of"] for row in _coded(target)] == ["", "", "1", ""]


def test_near_duplicate_that_reads_otherwise_gets_no_codes_of_another_story(
    constant_pipeline, table, tmp_path, monkeypatch
):
    monkeypatch.setattr("nlp.bulk.legacy.reads_otherwise", lambda first, own: True)
    target = tmp_path / "out.csv"
    options = _options(coded=("population=kind",))
    run_bulk(constant_pipeline, table, target, language="en", bulk=BulkOptions(legacy=options))
    rows = _coded(target)
    assert [row["duplicate_of"] for row in rows] == ["", "", "1", ""]
    assert (rows[2]["codes_population"], rows[2]["codes_by_population"]) == ("", "")
    assert (rows[2]["decision"], rows[2]["suggested_population"]) == ("review", "plhiv")


def test_without_duplicates_there_is_no_such_column(constant_pipeline, table, tmp_path):
    target = tmp_path / "out.csv"
    bulk = BulkOptions(legacy=_options(duplicates=False))
    run_bulk(constant_pipeline, table, target, language="en", bulk=bulk)
    assert "duplicate_of" not in _coded(target)[0]


def test_the_report_and_the_sheet_lie_beside_the_output(constant_pipeline, table, mapping, tmp_path):
    target = tmp_path / "out.csv"
    bulk = BulkOptions(legacy=_options(mapping), report=True, check=2)
    done = run_bulk(constant_pipeline, table, target, language="en", bulk=bulk)
    assert [path.name for path in done.beside] == ["out.csv.report.html", "out.csv.report.json", "out.check.csv"]
    assert done.statuses.total() == len(ROWS)
    told = json.loads((tmp_path / "out.csv.report.json").read_text(encoding="utf-8"))
    assert told["rows"]["total"] == len(ROWS)
    assert told["rows"]["duplicates"] == {"exact": 1}
    assert told["agreement"] is not None
    by_country = next(group for group in told["groups"] if group["by"] == "country")
    assert (by_country["rows_stated"], by_country["rows_not_understood"]) == (2, 1)
    page = (tmp_path / "out.csv.report.html").read_text(encoding="utf-8")
    assert "the country column was not understood in 1 row(s): left out there" in done.notes
    assert "Berg" not in page
    assert "<script" not in page
    assert len(_coded(tmp_path / "out.check.csv")) == 2


def test_a_column_of_dates_that_is_not_there_is_refused_before_anything_is_coded(constant_pipeline, table, tmp_path):
    def fail(progress):
        raise AssertionError("something was coded")

    bulk = BulkOptions(legacy=_options(date_column="dtae"), report=True)
    with pytest.raises(TableError, match="dtae"):
        run_bulk(constant_pipeline, table, tmp_path / "out.csv", language="en", bulk=bulk, on_progress=fail)
    assert list(tmp_path.iterdir()) == [table]


def test_a_mapping_without_columns_of_codes_is_refused(constant_pipeline, table, mapping, tmp_path):
    bulk = BulkOptions(legacy=LegacyOptions(mapping=mapping))
    with pytest.raises(TableError, match="--coded violation=Type"):
        run_bulk(constant_pipeline, table, tmp_path / "out.csv", language="en", bulk=bulk)


def test_the_undo_file_is_named_among_those_beside_the_output(constant_pipeline, table, tmp_path):
    done = run_bulk(constant_pipeline, table, tmp_path / "out.csv", language="en", undo=True)
    assert [path.name for path in done.beside] == ["out.csv.undo.jsonl"]


def test_every_column_of_a_legacy_run_stands_in_the_documentation(constant_pipeline, table, mapping, tmp_path, root):
    target = tmp_path / "out.parquet"
    run_bulk(constant_pipeline, table, target, language="en", bulk=BulkOptions(legacy=_options(mapping)))
    schema = pq.read_schema(target)
    assert schema.field("duplicate_of").type == pa.int64()
    page = (root / "docs" / "bulk-output.md").read_text(encoding="utf-8")
    added = ("duplicate_of", "codes_violation", "codes_by_violation")
    assert set(added) <= set(schema.names)
    assert [name for name in added if f"| `{name.replace('violation', 'AXIS')}` |" not in page] == []


def test_another_mapping_is_another_run(constant_pipeline, table, mapping, tmp_path):
    target = tmp_path / "out.csv"

    def stop(progress):
        if progress.rows:
            raise KeyboardInterrupt

    bulk = BulkOptions(legacy=_options(mapping), shard_rows=1)
    with pytest.raises(KeyboardInterrupt):
        run_bulk(constant_pipeline, table, target, language="en", bulk=bulk, on_progress=stop)
    mapping.write_text("old,code\nrefusal,health.coercion\n", encoding="utf-8")
    again = BulkOptions(legacy=_options(mapping), shard_rows=1, resume=True)
    with pytest.raises(RunError, match="mapping"):
        run_bulk(constant_pipeline, table, target, language="en", bulk=again)


class Watching:
    """Looks on, and notes what it sees."""

    def __init__(self, legacy):
        self.legacy = legacy
        self.seen = []

    def begin(self, table, plan, work):
        self.seen.append(("begin", plan.input.rows, (work / "results").is_dir()))

    def written(self, row, analysis, error):
        self.seen.append((row.number, self.legacy.differing(row, analysis)))

    def end(self):
        self.seen.append("end")


def test_who_looks_on_sees_each_row_beside_the_legacy_options(constant_pipeline, table, mapping, tmp_path):
    watching = []

    def watch(legacy):
        watching.append(Watching(legacy))
        return watching[0]

    bulk = BulkOptions(legacy=_options(mapping), observers=(watch,))
    run_bulk(constant_pipeline, table, tmp_path / "out.csv", language="en", bulk=bulk)
    first, *rows, last = watching[0].seen
    assert (first, last) == (("begin", 4, True), "end")
    assert [number for number, _ in rows] == [1, 2, 3, 4]
    assert rows[1][1] == ("violation",)
    assert _coded(tmp_path / "out.csv")[0]["codes_by_violation"] == "person"


def test_a_number_is_a_number_whatever_the_columns_are_called(constant_pipeline, tmp_path):
    table = tmp_path / "cases.csv"
    table.write_text("3,1,2\nx,The doctor refused to see her and shouted.,more words\n", encoding="utf-8")
    options = InputOptions(text_column=2, header=True)
    bulk = BulkOptions(legacy=LegacyOptions(join=(3,), coded=(("violation", 1),)))
    run_bulk(constant_pipeline, table, tmp_path / "out.jsonl", options=options, language="en", bulk=bulk)
    (row,) = map(json.loads, (tmp_path / "out.jsonl").read_text(encoding="utf-8").splitlines())
    assert row["redacted_text"] == "The doctor refused to see her and shouted.\n\nmore words"


def test_rows_that_state_no_language_get_the_other_one(constant_pipeline, tmp_path):
    table = tmp_path / "cases.csv"
    table.write_text("text,language\nThe doctor refused.,\nВрач отказал в приёме.,русский\n", encoding="utf-8")
    bulk = BulkOptions(legacy=LegacyOptions(otherwise="EN-gb"))
    run_bulk(constant_pipeline, table, tmp_path / "out.csv", bulk=bulk)
    assert [row["detected_language"] for row in _coded(tmp_path / "out.csv")] == ["en", "ru"]


def test_a_date_column_that_is_not_there_is_told_before_anything_is_coded(constant_pipeline, table, tmp_path):
    bulk = BulkOptions(legacy=_options(date_column="wann"), report=True)
    with pytest.raises(TableError, match="date"):
        run_bulk(constant_pipeline, table, tmp_path / "out.csv", bulk=bulk, on_progress=pytest.fail)


class TestCommand:
    """With the shipped bundle."""

    def run(self, *arguments: object):
        from nlp.cli import app

        return CliRunner().invoke(app, [str(argument) for argument in arguments])

    @pytest.mark.model
    def test_a_whole_run_is_proved_and_undone(self, table, mapping, tmp_path):
        target = tmp_path / "out.xlsx"
        asked = ("--text-column", "story", "--join", "outcome", "--coded", "violation=kind", "--mapping", mapping)
        done = self.run("bulk", table, "-o", target, *asked, "--language", "en", "--undo", "--check", 2)
        assert done.exit_code == 0, done.stderr
        assert "something else" not in done.stdout
        proved = self.run("verify", target, "--input", table)
        assert (proved.exit_code, proved.stdout) == (0, "4 rows, all there once\n")
        undone = self.run("undo", target, "-o", tmp_path / "restored.csv")
        assert undone.exit_code == 0, undone.stderr
        assert list(_coded(tmp_path / "restored.csv")[0]) == HEADER

    def test_without_a_place_for_the_output_it_says_what_to_give(self, table):
        refused = self.run("bulk", table)
        assert refused.exit_code == 2
        assert "say by -o where the coded cases go" in refused.stderr

    def test_the_help_tells_what_happens_without_an_option(self, monkeypatch):
        monkeypatch.setenv("COLUMNS", "300")
        assert "found by its name" in self.run("bulk", "--help").stdout
        assert "OUTPUT.receipt.json" in self.run("verify", "--help").stdout

    @pytest.mark.model
    def test_a_dry_run_writes_nothing(self, table, tmp_path):
        before = sorted(tmp_path.iterdir())
        asked = ("--text-column", "story", "--coded", "violation=kind")
        done = self.run("bulk", table, *asked, "--dry-run", "--sample", 4)
        assert done.exit_code == 0, done.stderr
        assert "4 of 4 rows were coded as a sample" in done.stdout
        assert "3 row(s) have codes that are neither in the codebook" in done.stdout
        assert "arrest" not in done.stdout
        assert sorted(tmp_path.iterdir()) == before
