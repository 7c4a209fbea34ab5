"""The laws that hold over all formats, and the notes and errors of the interface."""

from __future__ import annotations

import datetime as dt
import tracemalloc
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from nlp.bulk.tables import (
    INPUT_FORMATS,
    OUTPUT_FORMATS,
    InputOptions,
    Row,
    open_input,
    open_output,
    text_of,
    unescape_cell,
    unique_names,
)
from nlp.bulk.values import escape_cell
from nlp.errors import TableError

# Characters that formats trip over: quotes, line ends, formula starts, controls, XML escapes, astral planes.
TRICKY = st.sampled_from(list("=+-@'\"\t\r\n\0,;|<&_x0DFa1 ж\x0b\x1f\x85\u2028\ufeff\ufffe\U0001f44b＝＠"))
TEXTS = st.one_of(
    st.text(TRICKY, max_size=12),
    st.text(st.characters(exclude_categories=["Cs"]), max_size=20),
    st.sampled_from(["_x000D_", "_x005F_x000D_", "''=1", "-5", "'-5", "+380501234567", "x005F_", "_xD83D__xDE00_"]),
)


def read(path: Path, options: InputOptions | None = None) -> list[Row]:
    with open_input(path, options or InputOptions()) as table:
        return list(table.rows())


def write(path: Path, columns: list[str], rows: list[list[Any]], **options: Any) -> Path:
    with open_output(path, columns, **options) as table:
        for row in rows:
            table.write(row)
    return path


@pytest.mark.parametrize("ending", OUTPUT_FORMATS)
@settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(rows=st.lists(st.tuples(TEXTS, TEXTS), min_size=1, max_size=5))
def test_what_is_written_is_read_back(tmp_path: Path, ending: str, rows: list[tuple[str, str]]) -> None:
    path = write(tmp_path / f"cases{ending}", ["id", "text"], [list(row) for row in rows] + [["end", "end"]])
    back = [tuple(text_of(cell) for cell in row.cells) for row in read(path)]
    if ending in (".csv", ".tsv"):
        back = [tuple(map(unescape_cell, cells)) for cells in back]
    assert back == [*rows, ("end", "end")]


@given(TEXTS)
def test_escaping_a_cell_is_undone(text: str) -> None:
    assert unescape_cell(escape_cell(text)) == text


@pytest.mark.parametrize(
    ("text", "escaped"),
    [
        ("=1+1", "'=1+1"),
        ("＝1", "'＝1"),
        ("@sum", "'@sum"),
        ("\t=1", "'\t=1"),
        ("\0=1", "'\0=1"),
        ("+380 (50) 1", "'+380 (50) 1"),
        ("'=1", "''=1"),
        ("'' -", "'' -"),
        ("-5", "-5"),
        ("+3.2", "+3.2"),
        ("-1,5", "-1,5"),
        ("+380501234567", "+380501234567"),
        ("-", "'-"),
        ("- he said", "'- he said"),
        ("it's", "it's"),
        ("", ""),
    ],
)
def test_cells_that_could_be_formulas_are_escaped(text: str, escaped: str) -> None:
    assert escape_cell(text) == escaped


@pytest.mark.parametrize("ending", OUTPUT_FORMATS)
def test_lone_surrogates_from_json_reach_every_format(tmp_path: Path, ending: str) -> None:
    source = tmp_path / "in.jsonl"
    source.write_text('{"id": "a\\ud800b", "text": "x\\udfff", "n\\ud800": [{"k": "\\ud800"}]}\n')
    with open_input(source) as table:
        rows = list(table.rows())
        path = write(tmp_path / f"out{ending}", list(table.columns), [list(row.cells) for row in rows])
    assert rows[0].cells[:2] == ("a\ud800b", "x\udfff")
    back = read(path)[0].cells
    assert back[0] == {".jsonl": "a\ud800b"}.get(ending, "a\ufffdb")


@pytest.mark.parametrize("ending", OUTPUT_FORMATS)
def test_a_cell_of_a_megabyte_is_kept_or_reported(tmp_path: Path, ending: str) -> None:
    long = 'Её не пустили, "сказали" уйти.\n' * 40_000
    with open_output(tmp_path / f"long{ending}", ["id", "text"]) as table:
        table.write(["a", long])
        table.write(["b", "short"])
    cells = read(tmp_path / f"long{ending}")[0].cells
    if ending == ".xlsx":
        assert len(cells[1]) == 32_767
        assert cells[1].endswith("[...]")
        assert table.shortened == [1]
        assert ".jsonl" in table.warnings[0]
    else:
        assert cells == ("a", long)
        assert table.warnings == []


@pytest.mark.parametrize("ending", OUTPUT_FORMATS)
def test_duplicate_ids_and_empty_cells_stay_in_order(tmp_path: Path, ending: str) -> None:
    rows = [["7", "first"], ["7", ""], ["", "third"], ["7", "first"], ["x", "last"]]
    path = write(tmp_path / f"cases{ending}", ["id", "text"], rows)
    assert [[text_of(cell) for cell in row.cells] for row in read(path)] == rows
    assert [row.number for row in read(path)] == [1, 2, 3, 4, 5]


def peak_memory(path: Path, count: int, text: str) -> int:
    with open_output(path, ["id", "text"]) as out:
        for number in range(count):
            out.write([number, f"{number} {text}"])
    tracemalloc.start()
    try:
        with open_input(path) as table:
            assert sum(1 for _ in table.rows()) == count
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("ending", [".csv", ".jsonl", ".parquet"])
def test_memory_does_not_grow_with_the_rows(tmp_path: Path, ending: str) -> None:
    path = tmp_path / f"cases{ending}"
    few, many = [peak_memory(path, count, "was refused treatment " * 8) for count in (300, 2_000, 20_000)][1:]
    assert many < 1.3 * few


def test_memory_of_a_workbook_does_not_hold_its_text(tmp_path: Path) -> None:
    path = tmp_path / "cases.xlsx"
    few, many = [peak_memory(path, count, "was refused treatment " * 50) for count in (300, 400, 4_000)][1:]
    assert many - few < 3_600 * 200  # bytes; the parser keeps an empty node for each row of 1,100 characters


@pytest.mark.parametrize(
    ("cell", "said"),
    [
        (None, ""),
        ("as is ", "as is "),
        (5, "5"),
        (5.0, "5"),
        (0.1, "0.1"),
        (True, "TRUE"),
        (Decimal("1E+3"), "1000"),
        (dt.date(2024, 3, 1), "2024-03-01"),
        (dt.datetime(2024, 3, 1), "2024-03-01"),
        (dt.datetime(2024, 3, 1, 14, 5), "2024-03-01 14:05"),
        (dt.datetime(2024, 3, 1, 14, 5, 9), "2024-03-01 14:05:09"),
        (b"\xd0\xb4\xd0\xb0", "да"),
        (b"\xff\x00", "ff00"),
        (["а", {"when": dt.date(2024, 3, 1), "x": float("nan")}], '["а", {"when": "2024-03-01", "x": "nan"}]'),
    ],
)
def test_cells_are_said_as_a_person_writes_them(cell: Any, said: str) -> None:
    assert text_of(cell) == said


@pytest.mark.parametrize(
    ("names", "unique"),
    [
        (["a", "a", "a"], ("a", "a_2", "a_3")),
        (["a", "a_2", "a"], ("a", "a_2", "a_3")),
        (["", "x", " ", "column_1"], ("column_1_2", "x", "column_3", "column_1")),
    ],
)
def test_names_are_made_unique(names: list[str], unique: tuple[str, ...]) -> None:
    assert unique_names(names) == unique


@pytest.mark.parametrize("name", ["cases.xls", "cases.txt", "cases"])
def test_an_unknown_ending_names_the_known_ones(tmp_path: Path, name: str) -> None:
    with pytest.raises(TableError, match=r"\.csv, \.tsv, \.xlsx, \.jsonl, \.parquet"):
        open_input(tmp_path / name)
    with pytest.raises(TableError, match=r"\.csv"), open_output(tmp_path / name, ["id"]):
        pass


@pytest.mark.parametrize("ending", INPUT_FORMATS)
def test_inputs_that_cannot_be_opened_are_sentences(tmp_path: Path, ending: str) -> None:
    with pytest.raises(TableError, match="there is no file"):
        open_input(tmp_path / f"none{ending}")
    (tmp_path / f"folder{ending}").mkdir()
    with pytest.raises(TableError, match="is a folder"):
        open_input(tmp_path / f"folder{ending}")
    (tmp_path / f"empty{ending}").touch()
    with pytest.raises(TableError):
        open_input(tmp_path / f"empty{ending}")


@pytest.mark.parametrize("ending", [".xlsx", ".parquet", ".jsonl"])
def test_a_file_of_another_kind_is_a_sentence_without_its_content(tmp_path: Path, ending: str) -> None:
    path = tmp_path / f"cases{ending}"
    path.write_text("Zarina Testova was beaten\n" * 20)
    with pytest.raises(TableError) as caught:
        open_input(path)
    assert "Zarina" not in str(caught.value)
    assert caught.value.__cause__ is None


@pytest.mark.parametrize("ending", INPUT_FORMATS)
@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(at=st.integers(0, 3_000), junk=st.binary(min_size=1, max_size=30), cut=st.integers(0, 30))
def test_damage_anywhere_is_a_sentence_or_a_table(tmp_path: Path, ending: str, at: int, junk: bytes, cut: int) -> None:
    rows = [[number, f'Zarina {number} ушла, "сказала"\n'] for number in range(5)]
    path = write(tmp_path / f"cases{ending}", ["id", "text"], rows)
    content = path.read_bytes()
    at %= len(content)
    path.write_bytes(content[:at] + junk + content[at + cut :])
    try:
        assert all(len(row.cells) >= 1 for row in read(path))
    except TableError as error:
        assert "Zarina" not in str(error)


def test_cells_stay_out_of_the_repr_of_a_row() -> None:
    assert "Zarina" not in repr(Row(1, ("Zarina",)))
