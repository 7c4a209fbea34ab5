from __future__ import annotations

import datetime as dt

import pytest

from nlp.bulk.report.months import NOT_UNDERSTOOD, MonthColumn, month_of
from nlp.errors import TableError


@pytest.mark.parametrize(
    ("cell", "month"),
    [
        ("2024-03-05", "2024-03"),
        ("2024-03", "2024-03"),
        ("2024-03-05T10:30:00Z", "2024-03"),
        ("2024/03/05", "2024-03"),
        ("05.03.2024", "2024-03"),
        ("5.3.24", "2024-03"),
        ("05.03.2024 14:20", "2024-03"),
        ("05.03.2024 г.", "2024-03"),
        ("03.2024", "2024-03"),
        ("17/03/2024", "2024-03"),
        ("03/17/2024", "2024-03"),
        ("5 марта 2024 года", "2024-03"),
        ("March 2024", "2024-03"),
        ("5 березня 2024", "2024-03"),
        (dt.date(2024, 3, 5), "2024-03"),
        (dt.datetime(2024, 3, 5, 10), "2024-03"),
        (45356, "2024-03"),  # as Excel counts days
        ("45356", "2024-03"),
    ],
)
def test_month_of_a_date_as_people_write_it(cell, month):
    assert month_of(cell) == month


@pytest.mark.parametrize(
    "cell",
    [
        "yesterday",
        "2024",
        "2024-13-01",
        "32.01.2024",
        "05.03.1824",
        "May or June 2024",
        "12",
        7,
        1e30,
        True,
        "№ 2024/17",
    ],
)
def test_what_is_no_date_of_a_case_is_not_understood(cell):
    assert month_of(cell) == NOT_UNDERSTOOD


@pytest.mark.parametrize("cell", [None, "", "  ", float("nan")])
def test_an_empty_cell_says_no_month(cell):
    assert month_of(cell) is None


def test_an_ambiguous_date_is_not_guessed():
    assert month_of("03/04/2024") == NOT_UNDERSTOOD
    assert month_of("04/04/2024") == "2024-04"  # the same in either order


@pytest.mark.parametrize(("telling", "month"), [("25/04/2024", "2024-04"), ("04/25/2024", "2024-03")])
def test_other_cells_tell_whether_the_day_stands_first(telling, month):
    column = MonthColumn(0)
    for cell in ("03/04/2024", telling):
        column.see([cell])
    assert column.read(["03/04/2024"]) == month


def test_a_column_in_both_orders_stays_ambiguous():
    column = MonthColumn(0)
    for cell in ("25/04/2024", "04/25/2024"):
        column.see([cell])
    assert column.read(["03/04/2024"]) == NOT_UNDERSTOOD


def test_readings_are_counted():
    column = MonthColumn(1)
    for cell in ("2024-03-05", "", "soon"):
        column.read(["x", cell])
    assert column.to_json() == {"column": 2, "given": 1, "empty": 1, "not_understood": 1}


@pytest.mark.parametrize(
    ("columns", "at"),
    [
        (("id", "Дата обращения", "текст"), 1),
        (("registration_date", "text", "Date of incident"), 2),  # when it happened before when it was written down
        (("id", "text"), None),
    ],
)
def test_the_column_is_found_by_its_name(columns, at):
    found = MonthColumn.find(columns)
    assert (found.at if found else None) == at


def test_a_column_can_be_asked_for_by_name_or_number():
    assert MonthColumn.find(("id", "when it was"), "When it was").at == 1
    assert MonthColumn.find(("id", "when it was"), "2").at == 1
    with pytest.raises(TableError, match="no column"):
        MonthColumn.find(("id",), "date")
