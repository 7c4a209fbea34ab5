"""The sheet to check by hand, and what a filled-in one says about all rows."""

from __future__ import annotations

import csv
import json

import numpy as np
import pytest
from openpyxl import load_workbook
from typer.testing import CliRunner

from nlp.bulk.report.check_result import check_result
from nlp.bulk.report.check_sheet import CheckSample, allocated, check_path, columns_of_sheet
from nlp.bulk.report.estimates import Stratum, ratio
from nlp.bulk.tables import open_output
from nlp.cli import app
from nlp.errors import TableError
from nlp.intervals import wilson_of_share


@pytest.fixture
def sample(small, analysis):
    """A sample of a run of 400 rows: 240 automatic, 120 suggested, 30 without a code, 10 that failed."""

    def make(size, *, order=1, seed="a"):
        sample = CheckSample(small, size, seed=seed)
        for number in list(range(1, 401))[::order]:
            if number <= 240:
                sample.add(number, "auto", analysis(auto=["blow"], suggest=["police"], text=f"text {number}"))
            elif number <= 360:
                sample.add(number, "suggest", analysis(suggest=["blow", "threat"], text=f"text {number}"))
            elif number <= 390:
                sample.add(number, "none", analysis(text=f"text {number}"))
            else:
                sample.add(number, "failed", None)
        return sample

    return make


@pytest.fixture
def filled(sample, tmp_path):
    """Writes a sheet, fills it in with what a function answers for a row of it, and reads it again."""

    def fill(answer, *, size=60, ending=".csv"):
        path = tmp_path / f"filled{ending}"
        sample(size).write(path)
        rows = read(path)
        for row in rows:
            row.update(answer(row))
        with open_output(path, list(rows[0])) as out:
            for row in rows:
                out.write(list(row.values()))
        return path

    return fill


def read(path):
    if path.suffix == ".xlsx":
        sheet = load_workbook(path).worksheets[0]
        head, *rows = [["" if cell is None else str(cell) for cell in row] for row in sheet.iter_rows(values_only=True)]
        return [dict(zip(head, row, strict=True)) for row in rows]
    with path.open(encoding="utf-8-sig", newline="") as stream:
        return list(csv.DictReader(stream))


def all_right(row):
    return {"act_right": "y", "actor_right": "y"}


def test_small_statuses_get_more_than_their_share_and_none_too_much():
    assert allocated(60, {"auto": 240, "suggest": 120, "none": 30}) == {"auto": 34, "suggest": 17, "none": 9}
    assert allocated(60, {"auto": 1000, "none": 3}) == {"auto": 57, "none": 3}
    assert allocated(60, {"auto": 5}) == {"auto": 5}
    assert sum(allocated(2, {"auto": 9, "suggest": 9, "none": 9}).values()) == 2


def test_the_same_rows_are_drawn_whatever_their_order(sample):
    drawn = [row.number for row in sample(20).rows()]
    assert drawn == [row.number for row in sample(20, order=-1).rows()]
    assert drawn != [row.number for row in sample(20, seed="b").rows()]
    assert len(set(drawn)) == 20


def test_every_row_of_a_status_is_drawn_equally_often(small, analysis):
    counts = np.zeros(50)
    made = analysis(auto=["blow"])
    for seed in range(400):
        sample = CheckSample(small, 10, seed=str(seed))
        for number in range(50):
            sample.add(number, "auto", made)
        for row in sample.rows():
            counts[row.number] += 1
    assert abs(counts - 80).max() < 40  # five standard deviations


def test_rows_stand_in_an_order_that_does_not_tell_their_status(sample):
    statuses = [row.status for row in sample(60).rows()]
    assert statuses != sorted(statuses)
    assert statuses != sorted(statuses, reverse=True)


@pytest.mark.parametrize("ending", [".csv", ".xlsx"])
def test_the_sheet_shows_redacted_text_and_codes_with_empty_columns_to_fill_in(sample, tmp_path, ending):
    path = tmp_path / f"cases.check{ending}"
    assert sample(30).write(path, language="ru") == 30
    rows = read(path)
    row = next(row for row in rows if row["status"] == "auto")
    assert row["redacted_text"] == f"text {row['row']}"
    assert row["act_codes"] == "blow: Удар"
    assert row["act_right"] == row["act_wrong"] == row["act_missing"] == ""
    assert (row["act_automatic"], row["act_suggested"], row["actor_suggested"]) == ("blow", "", "police")
    assert row["rows_of_status"] == "240"


def test_a_second_sheet_says_what_to_fill_in(small, analysis, tmp_path):
    sample = CheckSample(small, 2, seed="a")
    sample.add(1, "auto", analysis(auto=["blow"], text="Short."))
    sample.add(2, "auto", analysis(auto=["blow"], text="A long story. " * 100))
    sample.write(tmp_path / "cases.check.xlsx")
    book = load_workbook(tmp_path / "cases.check.xlsx")
    told = {row[0]: row[1] for row in book["About"].iter_rows(values_only=True)}
    assert set(columns_of_sheet(small)) <= set(told)
    assert told["act_right"].startswith("Fill in")
    low, high = sorted(book.worksheets[0].row_dimensions[row].height for row in (2, 3))
    assert low < 120 < high  # each text can be read to its end


def test_a_sheet_that_stands_there_is_kept(sample, tmp_path):
    path = tmp_path / "cases.check.csv"
    path.write_text("half filled in", encoding="utf-8")
    sample(5).write(path)
    assert (tmp_path / "cases.check.csv.bak").read_text(encoding="utf-8") == "half filled in"


def test_the_sheet_lies_beside_the_output(tmp_path):
    assert check_path(tmp_path / "coded.xlsx").name == "coded.check.xlsx"
    assert check_path(tmp_path / "coded.parquet").name == "coded.check.csv"


@pytest.mark.parametrize("ending", [".csv", ".xlsx"])
def test_a_faultless_sheet_proves_no_more_than_its_size(filled, ending):
    result = check_result(filled(all_right, ending=ending))
    estimate = result.estimates["act"]["automatic"]
    assert (result.checked, result.unchecked) == (60, 0)
    assert estimate.share == estimate.high == 1
    assert 0.85 < estimate.low < 0.95
    assert estimate.checked == 34


def test_rows_count_by_their_weight(filled):
    """Of automatic rows all are right, of the others none: one half as many rows, more of them on the sheet."""

    def answer(row):
        if row["status"] == "auto":
            return all_right(row)
        wrong = row["act_suggested"].replace(";", ", ")
        return {"act_right": "n", "act_wrong": wrong, "act_missing": "" if wrong else "blow", "actor_right": "y"}

    result = check_result(filled(answer))
    assert result.estimates["act"]["rows_right"].share == pytest.approx(240 / 390)
    assert result.estimates["act"]["suggested"].share == pytest.approx(240 / (240 + 2 * 120))
    assert result.estimates["act"]["found"].share == pytest.approx(240 / (240 + 30))
    assert result.estimates["act"]["automatic"].share == 1
    assert result.estimates["actor"]["rows_right"].share == 1


@pytest.mark.parametrize(
    ("answer", "right"),
    [("Y", True), ("да", True), (" + ", True), ("n", False), ("Нет", False), ("0", False)],
)
def test_people_answer_in_their_own_way(filled, answer, right):
    path = filled(lambda row: {"act_right": answer, "actor_right": "y"} if row["status"] == "auto" else {})
    assert check_result(path).estimates["act"]["automatic"].share == float(right)


@pytest.mark.parametrize("named", ["threat", "Threat", "threat: Threat", "THREAT ", "threat;"])
def test_wrong_codes_may_be_named_by_code_or_label(filled, named):
    path = filled(lambda row: {"act_right": "n", "act_wrong": named} if row["status"] == "suggest" else {})
    result = check_result(path)
    assert result.unclear == ()
    assert result.estimates["act"]["suggested"].share == 0.5


@pytest.mark.parametrize(
    "answers",
    [
        {"act_right": "n"},  # which of two?
        {"act_right": "y", "act_wrong": "threat"},
        {"act_right": "n", "act_wrong": "murder"},
        {"act_right": "perhaps"},
        {"act_missing": "blow"},
    ],
)
def test_answers_that_cannot_be_counted_are_told_by_row(filled, answers):
    path = filled(
        lambda row: answers if row["status"] == "suggest" else all_right(row) if row["status"] == "auto" else {}
    )
    result = check_result(path)
    assert len(result.unclear) == 17
    assert result.checked == 34
    assert str(result.unclear[0]) in result.notes[0]


def test_an_axis_can_be_checked_alone(filled):
    result = check_result(filled(lambda row: {"act_right": "y"}, size=390))
    assert result.estimates["actor"]["rows_right"].share is None
    assert result.estimates[""]["rows_right"].share is None
    assert result.estimates["act"]["rows_right"].share == 1


def test_a_sheet_of_all_rows_leaves_nothing_open(filled):
    estimate = check_result(filled(all_right, size=390)).estimates[""]["rows_right"]
    assert (estimate.low, estimate.high, estimate.more) == (1, 1, 0)


def test_an_empty_sheet_and_another_table_are_refused(sample, tmp_path):
    sample(10).write(tmp_path / "empty.csv")
    with pytest.raises(TableError, match="nobody has filled in"):
        check_result(tmp_path / "empty.csv")
    for head in ("id,redacted_text", "id,story"):
        (tmp_path / "other.csv").write_text(f"{head}\n1,what happened\n", encoding="utf-8")
        with pytest.raises(TableError, match="no sheet of checks"):
            check_result(tmp_path / "other.csv")


def test_a_sheet_whose_weights_were_changed_is_refused(filled):
    with pytest.raises(TableError, match="for how many rows"):
        check_result(filled(lambda row: {**all_right(row), "rows_of_status": "many"}))


def test_the_command_shows_estimates_and_gives_them_as_json(filled):
    path = filled(all_right)
    shown = CliRunner().invoke(app, ["check-result", str(path)])
    assert shown.exit_code == 0, shown.output
    assert "automatic codes that are right" in shown.output
    told = json.loads(CliRunner().invoke(app, ["check-result", str(path), "--json"]).output)
    assert told["all"]["rows_right"]["share"] == 1
    assert told["axes"]["act"]["automatic"]["rows_checked"] == 34


def test_the_command_tells_no_cell_of_the_sheet(filled):
    path = filled(lambda row: {"act_right": "Zarina Tolova", "actor_right": "y"})
    shown = CliRunner().invoke(app, ["check-result", str(path)])
    assert shown.exit_code == 0
    assert "Zarina" not in shown.output + json.dumps(check_result(path).to_json())


def test_an_estimate_of_a_plain_sample_is_wilsons():
    estimate = ratio([Stratum(10**9, [1.0] * 80 + [0.0] * 20, [1.0] * 100)])
    assert estimate.share == pytest.approx(0.8)
    assert (estimate.low, estimate.high) == pytest.approx(wilson_of_share(0.8, 100), abs=0.002)
    assert (estimate.low, estimate.high) == pytest.approx((0.711, 0.867), abs=0.002)
    assert 130 < estimate.more < 180  # some 250 rows make five points


def test_nothing_checked_is_no_estimate():
    assert ratio([]).share is None
    assert ratio([Stratum(10, [0.0], [0.0])]).share is None


def test_the_interval_of_a_stratified_sample_holds_the_truth():
    """Rows have several codes each, right together or wrong together, in strata of unequal quality and chances."""
    draws = np.random.default_rng(3)
    population = []
    for rows, quality in ((3_000, 0.95), (1_500, 0.75), (500, 0.5)):
        totals = draws.integers(1, 4, rows).astype(float)
        population.append((totals, totals * (draws.random(rows) < quality)))
    truth = sum(hits.sum() for _, hits in population) / sum(totals.sum() for totals, _ in population)
    inside = []
    for _ in range(400):
        strata = []
        for (totals, hits), n in zip(population, (60, 40, 20), strict=True):
            at = draws.choice(len(totals), n, replace=False)
            strata.append(Stratum(len(totals), hits[at].tolist(), totals[at].tolist()))
        estimate = ratio(strata)
        inside.append(estimate.low <= truth <= estimate.high)
    assert 0.91 < np.mean(inside) < 0.985
