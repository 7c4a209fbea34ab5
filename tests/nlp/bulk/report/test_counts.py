from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nlp.bulk.report.agreement import agreement_shown
from nlp.bulk.report.counts import FEW, FEWEST, WITHHELD, shown, shown_parts
from nlp.bulk.report.groups import MOST_GROUPS, GroupCounts, Pairs


@pytest.mark.parametrize(("count", "cell"), [(0, 0), (1, FEW), (4, FEW), (5, 5), (1200, 1200)])
def test_small_counts_are_hidden(count, cell):
    assert shown(count) == cell


def test_a_single_small_part_takes_another_one_with_it():
    assert shown_parts([40, 2, 9]) == [40, FEW, WITHHELD]


def test_small_parts_that_hide_each_other_are_enough():
    assert shown_parts([40, 3, 3]) == [40, FEW, FEW]


@given(st.lists(st.integers(min_value=0, max_value=30), max_size=12))
def test_no_small_part_can_be_worked_out_from_the_total(counts):
    cells = shown_parts(counts)
    hidden = [count for count, cell in zip(counts, cells, strict=True) if isinstance(cell, str)]
    assert all(cell == count for count, cell in zip(counts, cells, strict=True) if isinstance(cell, int))
    assert not any(0 < cell < FEWEST for cell in cells if isinstance(cell, int))
    # Either two or more parts share a rest of five or more, or all that there is was hidden, and so is the total.
    assert not hidden or (len(hidden) > 1 and sum(hidden) >= FEWEST) or sum(hidden) == sum(counts) < FEWEST


def test_rows_by_month_stand_in_order_and_small_months_are_hidden():
    counts = GroupCounts("month")
    for month, rows in (("2024-02", 9), ("2024-01", 20), ("2024-03", 2)):
        for _ in range(rows):
            counts.add(month, ["blow"])
    grouping = counts.grouping(["blow", "threat"])
    assert grouping.groups == ("2024-01", "2024-02", "2024-03")
    assert grouping.rows == (20, WITHHELD, FEW)
    assert grouping.codes == {"blow": (20, WITHHELD, FEW)}


def test_many_months_become_quarters_and_many_quarters_years():
    quarters, years = GroupCounts("month"), GroupCounts("month")
    for month in range(24):
        for counts, name in ((quarters, f"{2022 + month // 12}-{month % 12 + 1:02}"), (years, f"{2000 + month}-05")):
            for _ in range(10):
                counts.add(name, [])
    assert quarters.grouping([]).groups[:2] == ("2022 Q1", "2022 Q2")
    assert quarters.grouping([]).periods == "quarter"
    assert years.grouping([]).periods == "year"
    assert len(years.grouping([]).groups) == MOST_GROUPS + 1  # and the others


def test_what_no_country_is_called_is_counted_and_never_shown():
    counts = GroupCounts("country")
    for group in ["KG"] * 6 + ["Zarina Tolova"] * 7 + [None] * 8:
        counts.add(group, [])
    grouping = counts.grouping([])
    assert grouping.groups == ("KG", "not_stated")
    assert grouping.rows == (6, 15)
    assert grouping.not_understood == 7
    assert "Zarina" not in repr((counts, grouping))


def test_a_column_without_any_group_makes_no_table():
    counts = GroupCounts("country")
    counts.add(None, ["blow"])
    assert counts.grouping(["blow"]) is None


def test_codes_that_come_together_leave_out_empty_lines():
    pairs = Pairs.of(("act", "actor"), ["blow", "threat"], ["police", "family"], Counter({("blow", "police"): 12}))
    assert (pairs.first, pairs.second, pairs.cells) == (("blow",), ("police",), ((12,),))
    assert Pairs.of(("act", "actor"), ["blow"], ["police"], Counter()) is None


def test_agreement_hides_kappa_where_it_hides_a_count():
    codes = {
        "blow": {"both": 30, "only_person": 6, "only_machine": 8, "neither": 50, "kappa": 0.61, "interval": [0.5, 0.7]},
        "threat": {
            "both": 30,
            "only_person": 1,
            "only_machine": 8,
            "neither": 50,
            "kappa": 0.7,
            "interval": [0.6, 0.8],
        },
    }
    exact = {"rows": 60, "share": 0.6316, "interval": [0.53, 0.72]}
    figures = agreement_shown({"act": {"rows": 95, "exact": exact, "codes": codes}})["act"]
    assert figures["rows"] == 95
    assert figures["exact"] == exact
    assert figures["codes"]["blow"] == {key: value for key, value in codes["blow"].items() if key != "neither"}
    assert figures["codes"]["threat"]["only_person"] == FEW
    assert figures["codes"]["threat"]["kappa"] is None


@pytest.mark.parametrize(("same", "shown"), [(4, FEW), (93, WITHHELD), (0, 0), (95, 95)])
def test_few_rows_that_agree_or_differ_are_hidden_with_their_share(same, shown):
    exact = {"rows": same, "share": same / 95, "interval": [0.0, 1.0]}
    figures = {"rows": 95, "exact": exact, "mean_overlap": same / 95, "codes": {}}
    told = agreement_shown({"act": figures})["act"]
    assert told["exact"]["rows"] == shown
    assert (told["exact"]["share"] is None) == (told["mean_overlap"] is None) == isinstance(shown, str)
