from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nlp.bulk.duplicate_rows import DuplicateRows
from nlp.bulk.duplicates import Duplicate

DUPLICATES = st.sampled_from([None, Duplicate(1, "near"), Duplicate(2, "exact"), Duplicate(1, "exact", identical=True)])


def _rows(found: list[Duplicate | None]) -> DuplicateRows:
    rows = DuplicateRows()
    for number, duplicate in enumerate(found, start=1):
        rows.add(number, duplicate)
    return rows


@settings(deadline=None)
@given(st.lists(DUPLICATES, max_size=40))
def test_what_was_noted_is_found_again_and_survives_a_file(found: list[Duplicate | None]) -> None:
    rows = _rows(found)
    again = DuplicateRows.from_parquet(rows.to_parquet())
    for kept in (rows, again):
        assert [kept.of(number) for number in range(1, len(found) + 1)] == found
        assert len(kept) == sum(item is not None for item in found)
        assert kept.of(0) is None
        assert kept.of(len(found) + 1) is None
    assert again.to_parquet() == rows.to_parquet()


def test_duplicates_are_counted_and_told() -> None:
    rows = _rows([None, Duplicate(1, "near"), Duplicate(1, "exact"), Duplicate(1, "exact", identical=True)])
    assert rows.counts == {"exact": 2, "near": 1}
    assert rows.notes == ["2 row(s) repeat the text of an earlier one and 1 nearly do: they are coded alike"]
    assert DuplicateRows().notes == []


def test_rows_out_of_order_are_refused() -> None:
    rows = _rows([None, Duplicate(1, "near")])
    with pytest.raises(ValueError, match="in order"):
        rows.add(2, Duplicate(1, "near"))
