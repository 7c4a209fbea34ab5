"""Cells of a coded table set anew, in every format; all that is not set stays as it was written."""

from __future__ import annotations

import datetime as dt

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from nlp.bulk.amending import amend
from nlp.bulk.tables import InputOptions, open_input, open_output
from nlp.errors import TableError

ENDINGS = (".csv", ".tsv", ".xlsx", ".jsonl", ".parquet")
COLUMNS = ("case", "codes_violation", "n", "redacted", "casecoder_codes_violation", "codes_by_violation")
ROWS = [
    ["=1+2", "theirs", -5, 'one "quoted" line\r\nand another; with, signs', "health.denial", "machine"],
    ["'=x", "theirs", 1e-07, "<t>&amp;</t></row> _x000D_", "", ""],
    ["@b", "", dt.date(2031, 5, 6), "+7 (903) 1; [PERSON_1]", "", ""],
    ["-1e3", None, None, "", "civic.hate", "machine"],
]
CELLS = {
    1: {"codes_violation": "civic.hate;health.denial", "codes_by_violation": "person"},
    3: {"codes_violation": "health.denial", "codes_by_violation": "person"},
    4: {"codes_violation": "", "codes_by_violation": "person", "codes_elsewhere": "x"},
}


def write(path, rows=ROWS, **options):
    with open_output(path, COLUMNS, **options) as out:
        for row in rows:
            out.write(row)
    return path


def read(path):
    with open_input(path, InputOptions(text_column="1", header=True)) as table:
        return [list(row.cells) for row in table.rows()]


MANY = [*ROWS, *([f"case {at}", "", at, f"text {at} " * 40, "", ""] for at in range(4_000))]
"""So many that a sheet is read in several blocks."""


@pytest.mark.parametrize("ending", ENDINGS)
def test_cells_are_set_and_all_others_stay(tmp_path, ending):
    coded = write(tmp_path / f"coded{ending}", MANY)
    amend(coded, tmp_path / f"decided{ending}", CELLS)
    before, after = read(coded), read(tmp_path / f"decided{ending}")
    assert [row[:4] for row in after] == [row[:4] for row in before]
    said = [[cell or "" for cell in row[4:]] for row in after]
    assert said[0] == ["civic.hate;health.denial", "person"]
    assert said[1] == ["", ""]
    assert said[2] == ["health.denial", "person"]
    assert said[3] == ["", "person"]
    assert all(row == ["", ""] for row in said[4:])


@pytest.mark.parametrize("ending", [".csv", ".tsv", ".xlsx", ".jsonl"])
def test_cells_that_are_set_back_give_the_same_bytes(tmp_path, ending):
    coded, decided, back = (tmp_path / f"{name}{ending}" for name in ("coded", "decided", "back"))
    write(coded)
    amend(coded, decided, CELLS)
    assert decided.read_bytes() != coded.read_bytes()
    was = {1: ("health.denial", "machine"), 3: ("", ""), 4: ("civic.hate", "machine")}
    names = ("codes_violation", "codes_by_violation")
    amend(decided, back, {row: dict(zip(names, cells, strict=True)) for row, cells in was.items()})
    assert back.read_bytes() == coded.read_bytes()


@pytest.mark.parametrize("delimiter", [";", "|", "\t", "~"])
def test_delimiter_stays(tmp_path, delimiter):
    coded = write(tmp_path / "coded.csv", delimiter=delimiter)
    amend(coded, tmp_path / "decided.csv", CELLS, delimiter="~")
    lines = (tmp_path / "decided.csv").read_text("utf-8-sig").splitlines()
    assert lines[0] == delimiter.join(COLUMNS)
    assert lines[-1].endswith(f"{delimiter}person")


def test_column_of_the_input_with_the_name_of_ours_is_left_alone(tmp_path):
    coded = write(tmp_path / "coded.csv")
    amend(coded, tmp_path / "decided.csv", CELLS)
    assert [row[1] for row in read(tmp_path / "decided.csv")] == ["theirs", "theirs", "", ""]


def test_types_and_meanings_of_parquet_stay(tmp_path):
    coded = tmp_path / "coded.parquet"
    rows = [[row[0], row[1], at, *row[3:]] for at, row in enumerate(ROWS)]
    write(coded, rows, schema={"n": pa.int32()})
    amend(coded, tmp_path / "decided.parquet", CELLS)
    assert pq.read_schema(tmp_path / "decided.parquet").equals(pq.read_schema(coded), check_metadata=True)
    assert pq.read_table(tmp_path / "decided.parquet")["n"].to_pylist() == [0, 1, 2, 3]


@pytest.mark.parametrize("ending", ENDINGS)
def test_nothing_decided_gives_the_same_table(tmp_path, ending):
    coded = write(tmp_path / f"coded{ending}", **({"delimiter": ";"} if ending == ".csv" else {}))
    amend(coded, tmp_path / f"decided{ending}", {})
    assert (tmp_path / f"decided{ending}").read_bytes() == coded.read_bytes()


def test_table_without_the_columns_is_refused(tmp_path):
    (tmp_path / "other.csv").write_text("a,b\n1,2\n")
    with pytest.raises(TableError):
        amend(tmp_path / "other.csv", tmp_path / "decided.csv", CELLS)
