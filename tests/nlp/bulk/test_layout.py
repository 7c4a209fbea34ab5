from __future__ import annotations

import csv
import json
import re
from pathlib import Path
from typing import Any

import openpyxl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from nlp.bulk.about import MARK
from nlp.bulk.descriptions import STATUS, describe
from nlp.bulk.layout import layout_for
from nlp.bulk.run import run_bulk
from nlp.bulk.tables import Row, open_input, text_of
from nlp.codebook import Codebook
from nlp.pipeline import Pipeline
from nlp.types import Analysis

FLAT = ["csv", "tsv", "xlsx", "parquet"]


@pytest.fixture
def source(tmp_path: Path) -> Path:
    path = tmp_path / "legacy.csv"
    rows = [
        ["case_id", "=place", "text"],
        ["a1", "Osh", "The doctor refused."],
        ["a2", "-", ""],
        ["a3", "", "She left."],
    ]
    with path.open("w", encoding="utf-8", newline="") as stream:
        csv.writer(stream).writerows(rows)
    return path


def rows_of(path: Path) -> list[dict[str, Any]]:
    with open_input(path) as table:
        return [dict(zip(table.columns, row.cells, strict=True)) for row in table.rows()]


@pytest.mark.parametrize("ending", FLAT)
def test_wide_gives_each_code_a_column_of_1_and_0(
    constant_pipeline: Pipeline, source: Path, tmp_path: Path, codebook: Codebook, ending: str
) -> None:
    run_bulk(constant_pipeline, source, tmp_path / f"coded.{ending}", wide=True)
    first, failed, _ = rows_of(tmp_path / f"coded.{ending}")
    suggested = {
        "violation:health.denial",
        "violation:violence.psychological",
        "perpetrator:health",
        "population:plhiv",
    }
    for axis in codebook.axes:
        for code in axis.codes:
            name = f"{axis.id}:{code}"
            assert text_of(first[name]) == ("1" if name in suggested else "0")
            assert text_of(failed[name]) == ""
    assert not any(name.startswith("suggested_") for name in first)
    assert not any(name.endswith(":probability") for name in first)
    assert first["probabilities_population"] == "plhiv=0.97"


@pytest.mark.parametrize("ending", FLAT)
def test_wide_with_all_codes_gives_each_code_its_probability(
    constant_pipeline: Pipeline, source: Path, tmp_path: Path, codebook: Codebook, ending: str
) -> None:
    run_bulk(constant_pipeline, source, tmp_path / f"coded.{ending}", wide=True, all_codes=True)
    first, failed, _ = rows_of(tmp_path / f"coded.{ending}")
    assert float(first["violation:civic.hate:probability"]) == 0.3
    assert text_of(failed["violation:civic.hate:probability"]) == ""
    count = sum(len(axis.codes) for axis in codebook.axes)
    assert sum(name.endswith(":probability") for name in first) == count
    assert not any(name.startswith("probabilities_") for name in first)


def test_wide_columns_are_numbers_in_parquet(constant_pipeline: Pipeline, source: Path, tmp_path: Path) -> None:
    run_bulk(constant_pipeline, source, tmp_path / "coded.parquet", wide=True, all_codes=True, undo=True)
    schema = pq.read_schema(tmp_path / "coded.parquet")
    assert schema.field("violation:health.denial").type == pa.int8()
    assert schema.field("violation:health.denial:probability").type == pa.float64()
    assert schema.field("row_number").type == pa.int64()
    assert schema.field("decision").type == pa.string()


def test_a_wide_column_whose_name_is_taken_gets_a_prefix(
    constant_pipeline: Pipeline, source: Path, tmp_path: Path
) -> None:
    once, twice = tmp_path / "once.parquet", tmp_path / "twice.parquet"
    run_bulk(constant_pipeline, source, once, wide=True)
    run_bulk(constant_pipeline, once, twice, wide=True)
    assert pq.read_schema(twice).field("casecoder_violation:health.denial").type == pa.int8()
    assert rows_of(twice)[0]["violation:health.denial"] == 1


def test_jsonl_says_that_there_are_no_wide_columns(constant_pipeline: Pipeline, source: Path, tmp_path: Path) -> None:
    report = run_bulk(constant_pipeline, source, tmp_path / "coded.jsonl", wide=True)
    assert any("no yes/no columns" in note for note in report.notes)
    row = json.loads((tmp_path / "coded.jsonl").read_text(encoding="utf-8").splitlines()[0])
    assert not any(":" in name for name in row)


@pytest.mark.parametrize("ending", FLAT)
def test_decision_says_what_becomes_of_a_row(
    constant_pipeline: Pipeline, source: Path, tmp_path: Path, ending: str
) -> None:
    run_bulk(constant_pipeline, source, tmp_path / f"coded.{ending}")
    assert [row["decision"] for row in rows_of(tmp_path / f"coded.{ending}")] == ["auto", "error", "auto"]


def test_the_rule_of_the_decision_can_be_given(constant_pipeline: Pipeline, source: Path, tmp_path: Path) -> None:
    def cautious(row: Row, analysis: Analysis) -> str:
        return "review" if row.cells[0] == "a3" else "none"

    run_bulk(constant_pipeline, source, tmp_path / "coded.csv", status=cautious)
    assert [row["decision"] for row in rows_of(tmp_path / "coded.csv")] == ["none", "error", "review"]


@pytest.mark.parametrize("ending", FLAT)
@pytest.mark.parametrize("wide", [False, True])
def test_every_added_column_is_described(source: Path, codebook: Codebook, ending: str, wide: bool) -> None:
    with open_input(source) as table:
        layout = layout_for(
            Path(f"x.{ending}"), table, codebook, all_codes=wide, keep_text=True, wide=wide, numbered=True
        )
    assert not [name for name in layout.added if describe(name, codebook) is None]
    for name, said in layout.about("b-1").columns:
        assert said.means.en.endswith(".")
        assert said.means.ru.endswith(".")
        assert name in layout.columns


def test_every_column_stands_in_the_documentation(source: Path, codebook: Codebook, root: Path) -> None:
    names: set[str] = set()
    for wide in (False, True):
        with open_input(source) as table:
            layout = layout_for(
                Path("x.csv"), table, codebook, all_codes=wide, keep_text=True, wide=wide, numbered=True
            )
        names |= set(layout.added)
    axes = "|".join(axis.id for axis in codebook.axes)
    general = {re.sub(rf"^({axes}):[^:]+", "AXIS:CODE", re.sub(rf"_({axes})$", "_AXIS", name)) for name in names}
    page = (root / "docs" / "bulk-output.md").read_text(encoding="utf-8")
    assert [name for name in sorted(general) if f"| `{name}` |" not in page] == []


def about_rows(path: Path) -> list[tuple[Any, ...]]:
    return list(openpyxl.load_workbook(path)["About"].iter_rows(values_only=True))


def test_the_workbook_explains_every_column_in_two_languages(
    constant_pipeline: Pipeline, source: Path, tmp_path: Path, codebook: Codebook
) -> None:
    run_bulk(constant_pipeline, source, tmp_path / "coded.xlsx")
    book = openpyxl.load_workbook(tmp_path / "coded.xlsx")
    assert book.sheetnames == ["Cases", "About"]
    names = [cell.value for cell in book["Cases"][1]]
    told = {row[0]: row for row in about_rows(tmp_path / "coded.xlsx")}
    assert [name for name in names if name not in told] == []
    assert told["suggested_violation"][1].startswith("Suggested codes: Violation type")
    assert told["suggested_violation"][2].startswith("Предложенные коды: Вид нарушения")
    assert "not redacted" in told["=place"][1]
    assert "hidden" in told["text"][1]
    assert told["health.denial"][1] == "Health care refused or obstructed"
    assert set(STATUS) <= set(told)
    assert told["Bundle of models / Комплект моделей"][1] == "constant-1"
    assert told["Codebook / Кодификатор"][1] == str(codebook)


def test_a_text_that_is_kept_is_said_to_be_there(constant_pipeline: Pipeline, source: Path, tmp_path: Path) -> None:
    run_bulk(constant_pipeline, source, tmp_path / "coded.xlsx", keep_text=True)
    told = {row[0]: row for row in about_rows(tmp_path / "coded.xlsx")}
    assert "with the people in it" in told["text"][1]
    assert "hidden" in told["redacted_text"][1]


def test_the_date_stands_on_the_sheet_only_where_it_is_given(source: Path, codebook: Codebook) -> None:
    with open_input(source) as table:
        layout = layout_for(Path("x.xlsx"), table, codebook, all_codes=False, keep_text=False)
    assert ("Date", "2024-03-01") in [(name.en, value) for name, value in layout.about("b", date="2024-03-01").facts]
    assert "Date" not in [name.en for name, _ in layout.about("b").facts]


def test_the_same_run_gives_the_same_workbook(constant_pipeline: Pipeline, source: Path, tmp_path: Path) -> None:
    for name in ("a.xlsx", "b.xlsx"):
        run_bulk(constant_pipeline, source, tmp_path / name, wide=True)
    assert (tmp_path / "a.xlsx").read_bytes() == (tmp_path / "b.xlsx").read_bytes()


def test_the_sheet_of_explanations_is_never_read_as_cases(
    constant_pipeline: Pipeline, source: Path, tmp_path: Path
) -> None:
    run_bulk(constant_pipeline, source, tmp_path / "once.xlsx")
    report = run_bulk(constant_pipeline, tmp_path / "once.xlsx", tmp_path / "twice.xlsx")
    assert report.rows == 3


def test_a_sheet_of_that_name_with_cases_of_a_person_is_read(constant_pipeline: Pipeline, tmp_path: Path) -> None:
    book = openpyxl.Workbook()
    book.active.title = "About"
    for row in (["id", "text"], [1, "The doctor refused."]):
        book.active.append(row)
    book.create_sheet("Empty")
    book.save(tmp_path / "cases.xlsx")
    assert run_bulk(constant_pipeline, tmp_path / "cases.xlsx", tmp_path / "coded.csv").rows == 1
    assert about_rows(tmp_path / "cases.xlsx")[0][0] != MARK


def test_parquet_fields_say_what_they_mean(constant_pipeline: Pipeline, source: Path, tmp_path: Path) -> None:
    run_bulk(constant_pipeline, source, tmp_path / "coded.parquet")
    schema = pq.read_schema(tmp_path / "coded.parquet")
    told = schema.field("to_review_violation").metadata
    assert told[b"description"].decode().startswith("Codes that may apply")
    assert told[b"description_ru"].decode().startswith("Возможные коды")
    assert b"not redacted" in schema.field("=place").metadata[b"description"]
