from __future__ import annotations

import json
from pathlib import Path

import pytest

from nlp.bulk.tables import Row, open_input
from nlp.errors import TableError


def rows_of(path: Path, content: str | bytes) -> tuple[tuple[str, ...], list[Row]]:
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    with open_input(path) as table:
        rows = list(table.rows())
        return table.columns, rows


def test_columns_are_the_keys_of_all_objects_in_order_of_appearance(tmp_path: Path) -> None:
    lines = ['{"id": 1, "text": "a"}\n'] * 1_500 + ['{"late": true, "id": 2, "text": "b"}\n']
    columns, rows = rows_of(tmp_path / "cases.jsonl", "".join(lines))
    assert columns == ("id", "text", "late")
    assert rows[0].cells == (1, "a", None)
    assert rows[-1].cells == (2, "b", True)


def test_values_keep_their_kind(tmp_path: Path) -> None:
    line = '{"text": "x\\u2028y", "n": 12345678901234567890, "f": 0.5, "no": null, "in": {"a": [1, {"b": false}]}}'
    _, rows = rows_of(tmp_path / "cases.jsonl", line)
    assert rows[0].cells == ("x\u2028y", 12345678901234567890, 0.5, None, {"a": [1, {"b": False}]})


@pytest.mark.parametrize(
    ("bad", "kept"),
    [
        ('["Zarina"]', None),
        ('"Zarina"', None),
        ("null", None),
        ('{"text": "Zarina"', None),
        ("Zarina", None),
        ('{"text": ' + "9" * 5_000 + "}", None),
        ("[" * 100_000, None),
        ('{"text": ' + "[" * 150 + "]" * 150 + "}", None),
        ('{"text": "first", "text": "Zarina"}', "Zarina"),
        (b'{"text": "Zar\xffina"}', "Zar\ufffdina"),
    ],
)
def test_a_bad_line_is_a_problem_of_its_row_only(tmp_path: Path, bad: str | bytes, kept: str | None) -> None:
    raw = bad if isinstance(bad, bytes) else bad.encode()
    _, rows = rows_of(tmp_path / "cases.jsonl", '{"text": "до"}\n'.encode() + raw + '\n{"text": "после"}\n'.encode())
    assert [row.cells for row in rows] == [("до",), (kept,), ("после",)]
    assert [bool(row.problem) for row in rows] == [False, True, False]
    assert "Zarina" not in str(rows[1].problem)


def test_brackets_in_a_text_are_no_depth(tmp_path: Path) -> None:
    _, rows = rows_of(tmp_path / "cases.jsonl", json.dumps({"text": "[x] {y} " * 200}))
    assert rows[0].problem is None


@pytest.mark.parametrize("codec", ["utf-8", "utf-8-sig", "utf-16", "cp1251"])
@pytest.mark.parametrize("end", ["\n", "\r\n", "\n\n \n"])
def test_every_encoding_and_line_end(tmp_path: Path, codec: str, end: str) -> None:
    content = end.join(['{"text": "Уволили"}', '{"text": "Избили"}', ""]).encode(codec)
    _, rows = rows_of(tmp_path / "cases.jsonl", content)
    assert [row.cells for row in rows] == [("Уволили",), ("Избили",)]


def test_a_file_without_an_object_is_refused(tmp_path: Path) -> None:
    with pytest.raises(TableError, match="no JSON object"):
        rows_of(tmp_path / "cases.jsonl", "[1]\n2\n")
