from __future__ import annotations

import csv
import json
import os
import shutil
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from typer.testing import CliRunner

from nlp.bulk import undo as undo_module
from nlp.bulk.fingerprints import comparable
from nlp.bulk.run import run_bulk
from nlp.bulk.tables import open_input, open_output, text_of
from nlp.bulk.undo import Restored, undo_run
from nlp.bulk.undo_file import undo_path
from nlp.cli import app
from nlp.errors import OutputError, TableError
from nlp.pipeline import Pipeline

ENDINGS = ["csv", "tsv", "xlsx", "jsonl", "parquet"]
CANARY = "Zarinatestova"
COLUMNS = ["case_id", "place", "text", "note"]
ROWS = [
    ["a1", "Osh", f"{CANARY} was refused by the doctor.", "=1+1"],
    ["a2", "=HYPERLINK(1)", "-The doctor refused.\nShe left.", "'quoted"],
    ["a2", "", "", ""],
    ["a4", "-5", "The doctor refused to see her.", "x"],
    ["a5", "Нарын", "Врач отказал.", "y"],
]


@pytest.fixture
def source(tmp_path: Path) -> Path:
    return write_source(tmp_path)


def write_source(folder: Path) -> Path:
    path = folder / "legacy.jsonl"
    lines = [json.dumps(dict(zip(COLUMNS, row, strict=True)), ensure_ascii=False) for row in ROWS]
    path.write_text("\n".join(lines), encoding="utf-8")
    return path


class Coded:
    """A coded table, its undo file, and what is made of it."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.target = path.with_name(f"restored{path.suffix}")

    @property
    def undo(self) -> Path:
        return undo_path(self.path)

    def edit(self, change: Callable[[list[str], list[list[Any]]], Any]) -> None:
        """Let a person change names and rows, in a program that keeps the escapes of text files."""
        with open_input(self.path) as table:
            names, rows = list(table.columns), [list(row.cells) for row in table.rows()]
            types = table.arrow_types
        change(names, rows)
        self.path.unlink()
        if self.path.suffix in (".csv", ".tsv"):
            with self.path.open("w", encoding="utf-8-sig", newline="") as stream:
                csv.writer(stream, delimiter="\t" if self.path.suffix == ".tsv" else ",").writerows([names, *rows])
            return
        with open_output(self.path, names, schema=types) as out:
            for row in rows:
                out.write(row)

    def restore(self) -> Restored:
        return undo_run(self.path, self.undo, self.target)

    def rows(self) -> list[dict[str, str]]:
        with open_input(self.target) as table:
            return [dict(zip(table.columns, map(text_of, row.cells), strict=True)) for row in table.rows()]


@pytest.fixture(scope="module")
def coded_once(
    constant_pipeline_of_module: Pipeline, tmp_path_factory: pytest.TempPathFactory
) -> Callable[[str, bool], Path]:
    """The folder of a coded table of each kind; tests take a copy."""
    source = write_source(tmp_path_factory.mktemp("source"))

    @cache
    def folder_of(ending: str, wide: bool) -> Path:
        folder = tmp_path_factory.mktemp("coded")
        make(constant_pipeline_of_module, source, folder / f"coded.{ending}", wide=wide, all_codes=wide)
        return folder

    return folder_of


@pytest.fixture(
    params=[(ending, wide) for ending in ENDINGS for wide in (False, True)], ids=lambda it: f"{it[0]}-{it[1]}"
)
def coded(request: pytest.FixtureRequest, coded_once: Callable[[str, bool], Path], tmp_path: Path) -> Coded:
    ending, wide = request.param
    shutil.copytree(coded_once(ending, wide), tmp_path, dirs_exist_ok=True)
    return Coded(tmp_path / f"coded.{ending}")


def make(pipeline: Pipeline, source: Path, target: Path, **options: Any) -> Coded:
    run_bulk(pipeline, source, target, undo=True, language="en", **options)
    return Coded(target)


def code_column(coded: Coded) -> str:
    """A column that holds codes or the answer to one, in any layout."""
    with open_input(coded.path) as table:
        wanted = ("suggested_violation", "violation:health.denial", "suggestions")
        return next(name for name in wanted if name in table.columns)


def test_what_the_run_added_is_gone_and_the_rest_is_as_it_was(coded: Coded) -> None:
    with open_input(coded.path) as table:
        before = [tuple(map(text_of, row.cells[:4])) for row in table.rows()]
        assert len(table.columns) > 10
    restored = coded.restore()
    with open_input(coded.target) as table:
        assert list(table.columns) == COLUMNS
        after = [tuple(map(text_of, row.cells)) for row in table.rows()]
    assert after == before
    assert (restored.rows, restored.unknown, restored.missing) == (5, 0, 0)
    assert (restored.kept, restored.emptied) == ({}, {})


def test_texts_stay_redacted_and_that_is_told(coded: Coded) -> None:
    restored = coded.restore()
    assert restored.redacted == (3,)
    assert CANARY not in str(coded.rows())
    assert "[PERSON_1]" in coded.rows()[0]["text"]


def test_a_cell_that_a_person_changed_stays_in_its_column(coded: Coded) -> None:
    column = code_column(coded)
    value = 7 if ":" in column and coded.path.suffix == ".parquet" else "7"

    def change(names: list[str], rows: list[list[Any]]) -> None:
        rows[3][names.index(column)] = value

    coded.edit(change)
    restored = coded.restore()
    assert restored.kept == {column: 1}
    assert restored.places == {column: [4]}
    assert column not in restored.removed
    assert [row[column] for row in coded.rows()] == ["", "", "", "7", ""]
    assert set(coded.rows()[0]) == {*COLUMNS, column}


def test_a_code_that_a_person_took_away_is_told_and_leaves_no_column(coded: Coded) -> None:
    column = code_column(coded)

    def change(names: list[str], rows: list[list[Any]]) -> None:
        rows[0][names.index(column)] = None

    coded.edit(change)
    restored = coded.restore()
    assert (restored.kept, restored.emptied) == ({}, {column: 1})
    assert list(coded.rows()[0]) == COLUMNS


def test_rows_in_another_order_are_found_again(coded: Coded) -> None:
    column = code_column(coded)
    value = 7 if ":" in column and coded.path.suffix == ".parquet" else "7"

    def change(names: list[str], rows: list[list[Any]]) -> None:
        rows.reverse()
        rows[1][names.index(column)] = value

    coded.edit(change)
    restored = coded.restore()
    assert restored.kept == {column: 1}
    assert restored.places == {column: [2]}
    assert [row["case_id"] for row in coded.rows()] == ["a5", "a4", "a2", "a2", "a1"]


def test_rows_that_came_and_went_are_counted(coded: Coded) -> None:
    def change(names: list[str], rows: list[list[Any]]) -> None:
        del rows[1]
        new: list[Any] = [None] * len(names)
        new[names.index("case_id")] = "b1"
        rows.append(new)

    coded.edit(change)
    restored = coded.restore()
    assert (restored.rows, restored.missing, restored.unknown) == (5, 1, 1)
    assert [row["case_id"] for row in coded.rows()] == ["a1", "a2", "a4", "a5", "b1"]
    assert list(coded.rows()[0]) == COLUMNS


def test_what_a_person_wrote_into_a_new_row_stays(coded: Coded) -> None:
    def change(names: list[str], rows: list[list[Any]]) -> None:
        new: list[Any] = [None] * len(names)
        new[names.index("bundle")] = "by hand"
        rows.insert(0, new)

    coded.edit(change)
    restored = coded.restore()
    assert restored.kept == {"bundle": 1}
    assert [row["bundle"] for row in coded.rows()] == ["by hand", "", "", "", "", ""]


def test_columns_of_a_person_stay(coded: Coded) -> None:
    def change(names: list[str], rows: list[list[Any]]) -> None:
        names.insert(0, "checked by")
        for row in rows:
            row.insert(0, "me")

    coded.edit(change)
    coded.restore()
    assert list(coded.rows()[0]) == ["checked by", *COLUMNS]
    assert {row["checked by"] for row in coded.rows()} == {"me"}


def test_without_the_numbers_rows_are_taken_in_order(coded: Coded) -> None:
    def change(names: list[str], rows: list[list[Any]]) -> None:
        at = names.index("row_number")
        for row in (names, *rows):
            del row[at]

    coded.edit(change)
    assert coded.restore().kept == {}
    assert list(coded.rows()[0]) == COLUMNS


@pytest.mark.parametrize(("change", "says"), [("delete", "4 rows, the run wrote 5"), ("reverse", "another order")])
def test_without_the_numbers_another_order_is_refused(coded: Coded, change: str, says: str) -> None:
    def spoil(names: list[str], rows: list[list[Any]]) -> None:
        at = names.index("row_number")
        for row in (names, *rows):
            del row[at]
        if change == "delete":
            del rows[0]
        else:
            rows.reverse()

    coded.edit(spoil)
    with pytest.raises(TableError, match=says):
        coded.restore()
    assert not coded.target.exists()


def test_the_undo_file_of_another_run_is_refused(constant_pipeline: Pipeline, coded: Coded, tmp_path: Path) -> None:
    other = tmp_path / "other.jsonl"
    other.write_text('{"text": "He was beaten."}\n' * 5, encoding="utf-8")
    wide = ":" in code_column(coded)
    foreign = make(constant_pipeline, other, tmp_path / f"x{coded.path.suffix}", wide=wide, all_codes=wide)
    with pytest.raises(TableError, match="another run"):
        undo_run(coded.path, foreign.undo, coded.target)
    assert not coded.target.exists()


def test_a_table_that_no_run_coded_is_refused(coded: Coded, tmp_path: Path) -> None:
    plain = tmp_path / "plain.csv"
    plain.write_text("number,text\n1,The doctor refused.\n", encoding="utf-8")
    with pytest.raises(TableError, match="no column of this table"):
        undo_run(plain, coded.undo, coded.target)


def test_the_undo_file_holds_no_text(coded: Coded) -> None:
    content = coded.undo.read_text(encoding="utf-8")
    assert CANARY not in content
    assert "doctor" not in content
    assert "Osh" not in content
    facts, *rows, last = map(json.loads, content.splitlines())
    assert facts["bundle"] == "constant-1"
    assert len(facts["run"]) == 16
    assert rows[0]["codes"]["violation"] == ["health.denial", "violence.psychological"]
    assert [row["decision"] for row in rows] == ["auto", "auto", "error", "auto", "auto"]
    assert rows[2]["codes"] is None
    assert last == {"rows": 5}


def test_the_same_cells_of_two_rows_have_nothing_in_common(constant_pipeline: Pipeline, tmp_path: Path) -> None:
    source = tmp_path / "in.jsonl"
    source.write_text('{"text": "The doctor refused."}\n' * 2, encoding="utf-8")
    coded = make(constant_pipeline, source, tmp_path / "coded.csv")
    _, first, second, _ = map(json.loads, coded.undo.read_text(encoding="utf-8").splitlines())
    pairs = zip(first["cells"].split("."), second["cells"].split("."), strict=True)
    assert all(one != other for one, other in pairs if len(one) > 1)


def test_the_same_run_writes_the_same_undo_file(constant_pipeline: Pipeline, source: Path, tmp_path: Path) -> None:
    one, two = (make(constant_pipeline, source, tmp_path / f"{name}.csv") for name in "ab")
    assert one.undo.read_bytes() == two.undo.read_bytes()


@pytest.mark.parametrize(
    "spoil",
    [
        lambda text: "",
        lambda text: "no json",
        lambda text: '{"format": "another"}\n',
        lambda text: "\n".join(text.splitlines()[:-1]),
        lambda text: "\n".join(text.splitlines()[:-2]),
        lambda text: "\n".join([text.splitlines()[0], *text.splitlines()[2:]]),
        lambda text: text.replace('"row":2', '"row":3'),
        lambda text: text.replace('"cells":"', '"cells":".'),
        lambda text: text.replace('"columns":[', '"columns":[7,'),
        lambda text: text.replace('"row_column":"row_number"', '"row_column":"case_id"'),
    ],
)
def test_an_undo_file_that_is_none_is_refused(
    constant_pipeline: Pipeline, source: Path, tmp_path: Path, spoil: Callable[[str], str]
) -> None:
    coded = make(constant_pipeline, source, tmp_path / "coded.csv")
    coded.undo.write_text(spoil(coded.undo.read_text(encoding="utf-8")), encoding="utf-8")
    with pytest.raises(TableError, match="undo file"):
        coded.restore()
    assert not coded.target.exists()


def test_a_missing_undo_file_is_a_sentence(constant_pipeline: Pipeline, source: Path, tmp_path: Path) -> None:
    coded = make(constant_pipeline, source, tmp_path / "coded.csv")
    coded.undo.unlink()
    with pytest.raises(TableError, match="there is no undo file"):
        coded.restore()


def test_a_row_that_cannot_be_read_stops_the_undoing(constant_pipeline: Pipeline, source: Path, tmp_path: Path) -> None:
    coded = make(constant_pipeline, source, tmp_path / "coded.csv")
    with coded.path.open("a", encoding="utf-8") as stream:
        stream.write(f"{CANARY},only two\r\n")
    with pytest.raises(TableError, match="row 6 of the coded table") as caught:
        coded.restore()
    assert CANARY not in str(caught.value)
    assert not coded.target.exists()


def test_an_input_is_never_overwritten(constant_pipeline: Pipeline, source: Path, tmp_path: Path) -> None:
    coded = make(constant_pipeline, source, tmp_path / "coded.jsonl")
    for target in (coded.path, coded.undo):
        with pytest.raises(TableError, match="another name"):
            undo_run(coded.path, coded.undo, target)


def test_a_table_that_changes_meanwhile_is_refused(
    constant_pipeline: Pipeline, source: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    coded = make(constant_pipeline, source, tmp_path / "coded.csv")
    rows = undo_module._Undoing.rows

    def change(self: Any, table: Any) -> Any:
        os.utime(coded.path, (1, 1))
        return rows(self, table)

    monkeypatch.setattr(undo_module._Undoing, "rows", change)
    with pytest.raises(TableError, match="changed while it was read"):
        coded.restore()
    assert not coded.target.exists()


def test_what_stood_at_the_target_is_kept(constant_pipeline: Pipeline, source: Path, tmp_path: Path) -> None:
    coded = make(constant_pipeline, source, tmp_path / "coded.csv")
    coded.target.write_text("work of a person")
    notes = coded.restore().notes
    assert (tmp_path / "restored.csv.bak").read_text() == "work of a person"
    assert any("restored.csv.bak" in note for note in notes)


def test_another_format_can_be_restored_to(constant_pipeline: Pipeline, source: Path, tmp_path: Path) -> None:
    coded = make(constant_pipeline, source, tmp_path / "coded.csv")
    undo_run(coded.path, coded.undo, tmp_path / "restored.jsonl")
    rows = [json.loads(line) for line in (tmp_path / "restored.jsonl").read_text(encoding="utf-8").splitlines()]
    assert [row["note"] for row in rows] == [row[3] for row in ROWS]


def test_two_runs_are_undone_one_after_the_other(constant_pipeline: Pipeline, source: Path, tmp_path: Path) -> None:
    once = make(constant_pipeline, source, tmp_path / "once.csv")
    twice = make(constant_pipeline, once.path, tmp_path / "twice.csv")
    restored = twice.restore()
    assert all(name.startswith("casecoder_") for name in restored.removed)
    with open_input(twice.target) as table:
        assert "suggested_violation" in table.columns
    back = undo_run(twice.target, once.undo, tmp_path / "back.csv")
    assert back.kept == {}
    with open_input(tmp_path / "back.csv") as table:
        assert list(table.columns) == COLUMNS


def test_types_of_parquet_stay(constant_pipeline: Pipeline, tmp_path: Path) -> None:
    table = pa.table({"n": pa.array([1, 2], pa.int32()), "text": ["The doctor refused.", "She left."]})
    pq.write_table(table, tmp_path / "in.parquet")
    coded = make(constant_pipeline, tmp_path / "in.parquet", tmp_path / "coded.parquet", keep_text=True)
    restored = coded.restore()
    assert pq.read_table(coded.target).to_pylist() == table.to_pylist()
    assert pq.read_schema(coded.target).field("n").type == pa.int32()
    assert restored.redacted == ()


@pytest.mark.parametrize("ending", ENDINGS)
def test_a_run_that_fails_leaves_neither_output_nor_undo_file(
    constant_pipeline: Pipeline, source: Path, tmp_path: Path, ending: str
) -> None:
    def stop(progress: Any) -> None:
        raise KeyboardInterrupt

    (tmp_path / "out").mkdir()
    with pytest.raises(KeyboardInterrupt):
        run_bulk(constant_pipeline, source, tmp_path / "out" / f"coded.{ending}", undo=True, on_progress=stop)
    assert list((tmp_path / "out").iterdir()) == []


def test_no_output_stands_without_its_undo_file(
    constant_pipeline: Pipeline, source: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    target = tmp_path / "coded.csv"
    replace = Path.replace

    def refuse(part: Path, place: Path) -> Path:
        if place.name.endswith(".undo.jsonl"):
            raise PermissionError(13, "refused")
        return replace(part, place)

    monkeypatch.setattr(Path, "replace", refuse)
    with pytest.raises(OutputError, match=r"undo\.jsonl"):
        run_bulk(constant_pipeline, source, target, undo=True)
    assert not target.exists()


def test_a_run_writes_no_undo_file_unless_asked(constant_pipeline: Pipeline, source: Path, tmp_path: Path) -> None:
    run_bulk(constant_pipeline, source, tmp_path / "coded.csv")
    assert not undo_path(tmp_path / "coded.csv").exists()
    with open_input(tmp_path / "coded.csv") as table:
        assert "row_number" not in table.columns


@pytest.mark.parametrize(
    ("written", "found"),
    [
        (0.5, "0,50"),
        (1, "1.0"),
        (1, 1.0),
        (None, float("nan")),
        (None, ""),
        ([], None),
        ("a\r\nb", "a\nb "),
        ("=1", "'=1"),
        ({"a": 1, "b": [2]}, {"b": [2], "a": 1}),
        (12, "+12"),
    ],
)
def test_cells_that_programs_save_in_their_own_way_are_the_same(written: Any, found: Any) -> None:
    assert comparable(written) == comparable(found)


@pytest.mark.parametrize(
    ("written", "found"), [(0.5, 5), (1, -1), ("health", "health;x"), (10**17, 10**17 + 1), ("a b", "ab"), (0, None)]
)
def test_cells_that_a_person_changed_are_not_the_same(written: Any, found: Any) -> None:
    assert comparable(written) != comparable(found)


class TestCommand:
    def run(self, *args: object) -> Any:
        return CliRunner().invoke(app, ["undo", *map(str, args)])

    def test_says_what_was_undone_and_what_stays(
        self, constant_pipeline: Pipeline, source: Path, tmp_path: Path
    ) -> None:
        coded = make(constant_pipeline, source, tmp_path / "coded.csv")

        def change(names: list[str], rows: list[list[Any]]) -> None:
            rows[3][names.index("suggested_violation")] = CANARY
            rows[4][names.index("suggested_violation")] = ""
            del rows[0]

        coded.edit(change)
        done = self.run(coded.path, coded.undo, "-o", coded.target)
        assert done.exit_code == 0
        assert "suggested_violation: cells that people changed: 1 kept, 1 emptied (rows 3, 4)" in done.stdout
        assert "1 row(s) of this run are no longer in the table" in done.stdout
        assert "the text stays redacted" in done.stdout
        assert f"Output: {coded.target}" in done.stdout
        assert CANARY not in done.stdout + done.stderr

    def test_finds_the_undo_file_beside_the_table(
        self, constant_pipeline: Pipeline, source: Path, tmp_path: Path
    ) -> None:
        coded = make(constant_pipeline, source, tmp_path / "coded.xlsx")
        assert self.run(coded.path, "-o", coded.target).exit_code == 0
        assert list(coded.rows()[0]) == COLUMNS

    def test_a_refusal_is_a_sentence_and_code_2(self, tmp_path: Path) -> None:
        done = self.run(tmp_path / "none.csv", "-o", tmp_path / "out.csv")
        assert done.exit_code == 2
        assert done.stderr.startswith("casecoder: there is no undo file")

    def test_stands_in_the_readme_with_help(self, root: Path) -> None:
        assert "casecoder undo" in (root / "README.md").read_text(encoding="utf-8")
        assert len(self.run("--help").stdout) > 100
