from __future__ import annotations

import datetime as dt
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from nlp.bulk import parquet_input, parquet_output
from nlp.bulk.parquet_input import type_name
from nlp.bulk.tables import Row, open_input, open_output
from nlp.errors import TableError


def rows_of(path: Path) -> list[Row]:
    with open_input(path) as table:
        return list(table.rows())


COLUMNS: list[tuple[pa.DataType, list[Any]]] = [
    (pa.int64(), [2**62, None]),
    (pa.float64(), [0.1, None]),
    (pa.bool_(), [True, None]),
    (pa.date32(), [dt.date(2024, 3, 1), None]),
    (pa.timestamp("us"), [dt.datetime(2024, 3, 1, 14, 5, 9, 7), None]),
    (pa.timestamp("us", tz="UTC"), [dt.datetime(2024, 3, 1, tzinfo=dt.UTC), None]),
    (pa.decimal128(20, 3), [Decimal("12345678901234.567"), None]),
    (pa.list_(pa.struct([("a", pa.int32()), ("b", pa.string())])), [[{"a": 1, "b": "x"}], []]),
    (pa.map_(pa.string(), pa.int32()), [[("k", 1)], None]),
    (pa.binary(), [b"\xff\x00", None]),
    (pa.large_string(), ["длинный", None]),
]


@pytest.mark.parametrize(("kind", "values"), COLUMNS, ids=[str(kind) for kind, _ in COLUMNS])
def test_a_column_keeps_its_type_and_values(tmp_path: Path, kind: pa.DataType, values: list[Any]) -> None:
    table = pa.table({"text": ["a", "b"], "kept": pa.array(values, type=kind)})
    pq.write_table(table, tmp_path / "in.parquet")
    with (
        open_input(tmp_path / "in.parquet") as source,
        open_output(tmp_path / "out.parquet", ["text", "kept", "code"], schema=source.arrow_types) as out,
    ):
        for row in source.rows():
            out.write([*row.cells, row.number])
    back = pq.read_table(tmp_path / "out.parquet")
    assert back.select(["text", "kept"]).equals(table)
    assert back["code"].to_pylist() == ["1", "2"]
    assert back.schema.field("code").type == pa.string()


def test_nanoseconds_are_not_lost(tmp_path: Path) -> None:
    table = pa.table({"text": ["a"], "at": pa.array([1_700_000_000_000_000_001], type=pa.timestamp("ns"))})
    pq.write_table(table, tmp_path / "in.parquet")
    with (
        open_input(tmp_path / "in.parquet") as source,
        open_output(tmp_path / "out.parquet", source.columns, schema=source.arrow_types) as out,
    ):
        for row in source.rows():
            out.write(row.cells)
    assert pq.read_table(tmp_path / "out.parquet").equals(table)


def test_dictionaries_and_unmarked_text_are_read_as_text(tmp_path: Path) -> None:
    table = pa.table({"text": pa.array([b"\xd0\xb4\xd0\xb0", b"b"]), "place": pa.array(["x", "x"]).dictionary_encode()})
    pq.write_table(table, tmp_path / "in.parquet")
    assert [row.cells[1] for row in rows_of(tmp_path / "in.parquet")] == ["x", "x"]


def test_bytes_that_are_no_text_are_a_problem_of_their_row_only(tmp_path: Path) -> None:
    raw = pa.array([b"good", b"bad\xff", None], type=pa.binary())
    damaged = pa.StringArray.from_buffers(3, raw.buffers()[1], raw.buffers()[2], raw.buffers()[0])
    pq.write_table(pa.table({"text": damaged}), tmp_path / "in.parquet")
    rows = rows_of(tmp_path / "in.parquet")
    assert [row.cells[0] for row in rows] == ["good", "bad\ufffd", None]
    assert [bool(row.problem) for row in rows] == [False, True, False]


def test_two_columns_of_one_name_are_told_apart(tmp_path: Path) -> None:
    table = pa.Table.from_arrays([pa.array(["a"]), pa.array(["b"]), pa.array(["c"])], names=["text", "x", "x"])
    pq.write_table(table, tmp_path / "in.parquet")
    with open_input(tmp_path / "in.parquet") as source:
        assert source.columns == ("text", "x", "x_2")
        assert next(source.rows()).cells == ("a", "b", "c")


def test_row_groups_are_of_ten_thousand_rows_and_packed(tmp_path: Path) -> None:
    with open_output(tmp_path / "out.parquet", ["id", "text"]) as out:
        for number in range(25_000):
            out.write([number, "x"])
    found = pq.ParquetFile(tmp_path / "out.parquet").metadata
    assert [found.row_group(at).num_rows for at in range(found.num_row_groups)] == [10_000, 10_000, 5_000]
    assert found.row_group(0).column(0).compression == "ZSTD"


def test_very_long_texts_make_smaller_groups(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(parquet_output, "GROUP_CHARACTERS", 1_000)
    with open_output(tmp_path / "out.parquet", ["text"]) as out:
        for _ in range(4):
            out.write(["x" * 600])
    assert pq.ParquetFile(tmp_path / "out.parquet").metadata.num_row_groups == 2


def test_no_row_at_all_is_a_table_with_columns(tmp_path: Path) -> None:
    with open_output(tmp_path / "out.parquet", ["id", "text"]):
        pass
    with open_input(tmp_path / "out.parquet") as table:
        assert (table.columns, list(table.rows())) == (("id", "text"), [])


def test_a_file_that_breaks_off_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "in.parquet"
    pq.write_table(pa.table({"text": ["a" * 1_000] * 100}), path)
    path.write_bytes(path.read_bytes()[:-20])
    with pytest.raises(TableError, match="no Parquet file"):
        open_input(path)


def test_a_page_that_is_damaged_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "in.parquet"
    pq.write_table(pa.table({"text": [f"case {number}" for number in range(5_000)]}), path, compression="zstd")
    content = bytearray(path.read_bytes())
    content[200:1_200] = b"\xaa" * 1_000
    path.write_bytes(bytes(content))
    with pytest.raises(TableError, match="damaged after row"):
        rows_of(path)


@pytest.mark.parametrize(
    ("texts", "limits"),
    [
        (pa.DictionaryArray.from_arrays(pa.array([0] * 3_000, pa.int32()), pa.array(["she " * 25_000])), {}),
        (pa.array(["a" * 3_000_000] * 3), {"SMALL": 5_000_000}),
        (pa.nulls(9_000, pa.string()), {"FEW_ROWS": 1_000, "MAX_RATIO": 1}),
    ],
    ids=["one long value for all rows", "pages of one letter", "rows that take no place"],
)
@pytest.mark.parametrize("typed", [False, True])
def test_file_that_unpacks_to_far_more_than_it_is_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, texts: Any, limits: dict[str, int], typed: bool
) -> None:
    for name, value in limits.items():
        monkeypatch.setattr(parquet_input, name, value)
    pq.write_table(pa.table({"text": texts}), tmp_path / "cases.parquet", compression="zstd", store_schema=typed)
    with pytest.raises(TableError, match="unpacks to more than"):
        rows_of(tmp_path / "cases.parquet")


def test_value_that_stands_once_for_many_rows_is_read_for_each(tmp_path: Path) -> None:
    values, places = ["short", "she " * 500_000], [0, 1, None] * 20
    texts = pa.DictionaryArray.from_arrays(pa.array(places, pa.int32()), pa.array(values))
    pq.write_table(pa.table({"text": texts}), tmp_path / "cases.parquet", row_group_size=17, store_schema=False)
    assert [row.cells[0] for row in rows_of(tmp_path / "cases.parquet")] == [
        None if place is None else values[place] for place in places
    ]


def test_names_within_a_type_are_not_told() -> None:
    kinds = [pa.struct([("Zarina", pa.string())]), pa.timestamp("us", tz="Zarina"), pa.list_(pa.int8()), pa.int64()]
    assert [type_name(kind) for kind in kinds] == ["struct", "timestamp", "list", "int64"]
