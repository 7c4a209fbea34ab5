from __future__ import annotations

import csv
from pathlib import Path

import pytest

from nlp.bulk import csv_input
from nlp.bulk.tables import InputOptions, Row, open_input
from nlp.errors import TableError

CODECS = {
    "utf-8": b"",
    "utf-8-sig": b"",
    "utf-16": b"",
    "utf-16-le": b"",
    "utf-16-be": b"",
    "utf-16-be with mark": b"\xfe\xff",
    "cp1251": b"",
}
ROWS = [
    ("а1", "Его избили на улице, отобрали деньги; участковый отказал | сказал «уходи»."),
    ("а2", 'В поликлинике сказали: "таких не лечим",\r\nи закрыли дверь.\tОна ушла.'),
    ("а3", ""),
    ("а1", "Уволили с работы после того, как узнали о диагнозе."),
]


def rows_of(path: Path, **options: object) -> list[Row]:
    with open_input(path, InputOptions(**options)) as table:  # type: ignore[arg-type]
        return list(table.rows())


def save(path: Path, content: str | bytes) -> Path:
    path.write_bytes(content if isinstance(content, bytes) else content.encode("utf-8"))
    return path


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
@pytest.mark.parametrize("codec", CODECS)
def test_encoding_and_delimiter_are_found_out(tmp_path: Path, codec: str, delimiter: str) -> None:
    lines = [("номер", "описание случая"), *ROWS]
    text = "".join(delimiter.join('"' + cell.replace('"', '""') + '"' for cell in line) + "\r\n" for line in lines)
    path = save(tmp_path / "cases.csv", CODECS[codec] + text.encode(codec.partition(" ")[0]))
    with open_input(path) as table:
        assert table.delimiter == delimiter
        assert (table.columns, table.text_at, table.id_at) == (("номер", "описание случая"), 1, 0)
        found = list(table.rows())
    assert [row.cells for row in found] == ROWS
    assert [row.problem for row in found] == [None] * 4


def test_the_golden_file_of_excel(tmp_path: Path) -> None:
    golden = (
        b"\xef\xbb\xbfid;text;date\r\n"
        b'1;"Two lines,\r\nand ""quotes"" in them; and more";01.02.2023\r\n'
        b"2;plain text;\r\n"
        b"3;;\r\n"
        b"4;with \x00 inside;x;\r\n"
        b"5;short\r\n"
        b"\r\n"
        b"6;more;than;three\r\n"
        b"\r\n\r\n"
    )
    found = rows_of(save(tmp_path / "cases.csv", golden))
    assert [row.cells for row in found] == [
        ("1", 'Two lines,\r\nand "quotes" in them; and more', "01.02.2023"),
        ("2", "plain text", ""),
        ("3", "", ""),
        ("4", "with \0 inside", "x"),
        ("5", "short", ""),
        ("6", "more", "than"),
    ]
    assert [row.number for row in found if row.problem] == [5, 6]
    assert "three" not in str(found[5].problem)


@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_a_line_break_without_quotes_is_a_problem_of_the_rows_it_makes(tmp_path: Path, end: str) -> None:
    lines = ["id,text,place,year", "1,a,Osh,2020", "2,They came at night", "and left,Osh,2021", "", "3,c,Osh,2022"]
    found = rows_of(save(tmp_path / "cases.csv", end.join(lines)))
    assert [row.number for row in found if row.problem] == [2, 3]
    assert "the row has 2 cells for 4 columns" in str(found[1].problem)
    assert "night" not in str(found[1].problem)


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_every_line_end_divides_rows(tmp_path: Path, end: str) -> None:
    found = rows_of(save(tmp_path / "cases.csv", end.join(["id,text", "1,a", '2,"b"', "3,c"])))
    assert [row.cells for row in found] == [("1", "a"), ("2", "b"), ("3", "c")]


def test_empty_lines_of_a_single_column_are_empty_cells_except_at_the_end(tmp_path: Path) -> None:
    found = rows_of(save(tmp_path / "cases.csv", "text\nfirst, one\n\nthird; one\n\n\n"))
    assert [row.cells[0] for row in found] == ["first, one", "", "third; one"]


def test_the_line_by_which_excel_is_told_the_delimiter_is_no_row(tmp_path: Path) -> None:
    found = rows_of(save(tmp_path / "cases.csv", "sep=;\r\nid;text\r\n1;a, b\r\n"))
    assert [row.cells for row in found] == [("1", "a, b")]


@pytest.mark.parametrize(
    ("content", "delimiter"),
    [
        ("id;text\n1;Beaten, robbed, left\n2;Fired\n", ";"),
        ("id,text\n1,Beaten; robbed\n2,Fired; again; and again\n", ","),
        ('id,text\n1,"a;b;c\nd;e;f"\n2,"g;h;i"\n', ","),
        ("1;Beaten by police, then released\n2;Refused, insulted, sent away\n", ";"),
        ("id\ttext\n1\tBeaten, robbed\n", "\t"),
        ("id|text|place\n1|Beaten, robbed|here, there\n", "|"),
    ],
)
def test_signs_in_the_text_are_not_the_delimiter(tmp_path: Path, content: str, delimiter: str) -> None:
    with open_input(save(tmp_path / "cases.csv", content)) as table:
        assert table.delimiter == delimiter


@pytest.mark.parametrize(("given", "meant"), [(";", ";"), ("tab", "\t"), ("\\t", "\t"), ("~", "~")])
def test_a_given_delimiter_is_taken(tmp_path: Path, given: str, meant: str) -> None:
    path = save(tmp_path / "cases.csv", f"id{meant}text\n1{meant}a,b,c\n")
    assert rows_of(path, delimiter=given)[0].cells == ("1", "a,b,c")


@pytest.mark.parametrize("given", ["", ",,", '"', "\n"])
def test_an_impossible_delimiter_is_refused(tmp_path: Path, given: str) -> None:
    with pytest.raises(TableError, match="delimiter"):
        rows_of(save(tmp_path / "cases.csv", "id,text\n1,a\n"), delimiter=given)


def test_damaged_bytes_are_a_problem_of_their_rows_only(tmp_path: Path) -> None:
    content = "id,text\n1,Задержали на вокзале\n2,Изби\n3,Уволили\n".encode().replace(
        "Изби".encode(), "Изби".encode()[:-1]
    )
    with open_input(save(tmp_path / "cases.csv", content)) as table:
        found = list(table.rows())
        assert any("damaged" in note for note in table.notes)
    assert [bool(row.problem) for row in found] == [False, True, False]
    assert found[1].cells == ("2", "Изб\ufffd")


@pytest.mark.parametrize("text", ["Він зайшов. Відмовили, її вигнали - Від", "Его уволили", "Ёлка № 5 — “да”"])
def test_windows_1251_is_not_taken_for_damaged_utf8(tmp_path: Path, text: str) -> None:
    found = rows_of(save(tmp_path / "cases.csv", f"id;text\n1;{text}\n".encode("cp1251")))
    assert (found[0].cells[1], found[0].problem) == (text, None)


def test_a_byte_that_the_given_encoding_lacks_is_a_problem(tmp_path: Path) -> None:
    found = rows_of(save(tmp_path / "cases.csv", b"id,text\n1,a\x98b\n2,c\n"), encoding="windows-1251")
    assert [bool(row.problem) for row in found] == [True, False]


@pytest.mark.parametrize("encoding", ["utf-16", "utf-32", "idna", "punycode", "undefined"])
def test_an_encoding_in_which_nothing_can_be_read_is_refused(tmp_path: Path, encoding: str) -> None:
    with pytest.raises(TableError, match="leave the encoding out"):
        rows_of(save(tmp_path / "cases.csv", "id,text\n1,a\n"), encoding=encoding)


@pytest.mark.parametrize("encoding", ["no-such", "rot13", "base64", "utf\0"])
def test_an_unknown_encoding_is_refused(tmp_path: Path, encoding: str) -> None:
    with pytest.raises(TableError, match="there is no encoding"):
        rows_of(save(tmp_path / "cases.csv", "id,text\n1,a\n"), encoding=encoding)


def test_a_quotation_mark_that_is_never_closed_names_its_row(tmp_path: Path) -> None:
    content = 'id,text\n1,"a\nb"\n2,"Zarina was beaten\n3,c\n4,d\n'
    with pytest.raises(TableError, match=r"row 3 of the file.*\(line 4\).*never closed") as caught:
        rows_of(save(tmp_path / "cases.csv", content))
    assert "Zarina" not in str(caught.value)


def test_a_cell_beyond_the_limit_names_its_row(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(csv_input, "MAX_CELL", 1000)
    before = csv.field_size_limit()
    try:
        with pytest.raises(TableError, match=r"row 3 of the file.*more than 1,000 characters"):
            rows_of(save(tmp_path / "cases.csv", "id,text\n1,a\n2," + "b" * 1001 + "\n"))
    finally:
        csv.field_size_limit(before)


@pytest.mark.parametrize(
    "bad",
    ['2,"He said "no" to me"', '2,"say \\"no\\" again"', '2,"closed" late'],
)
def test_misplaced_quotation_marks_are_a_problem_and_the_next_rows_are_read(tmp_path: Path, bad: str) -> None:
    found = rows_of(save(tmp_path / "cases.csv", f'id,text\n1,"a"\n{bad}\n3,"c"\n'))
    assert [bool(row.problem) for row in found] == [False, True, False]
    assert found[2].cells == ("3", "c")


def test_a_quotation_mark_closed_by_the_next_row_does_not_pass_in_silence(tmp_path: Path) -> None:
    found = rows_of(save(tmp_path / "cases.csv", 'id,text\n1,"left open\n2,"b"\n3,"c"\n'))
    assert found[0].problem
    assert found[-1].cells == ("3", "c")


def test_quotation_marks_within_a_bare_cell_are_text(tmp_path: Path) -> None:
    found = rows_of(save(tmp_path / "cases.csv", 'id,text\n1,the "boss" came\n'))
    assert (found[0].cells[1], found[0].problem) == ('the "boss" came', None)


def test_a_tsv_is_divided_by_tabs_whatever_its_text(tmp_path: Path) -> None:
    found = rows_of(save(tmp_path / "cases.tsv", "id\ttext\n1\ta, b, c\n"))
    assert found[0].cells == ("1", "a, b, c")


def test_progress_ends_at_one(tmp_path: Path) -> None:
    path = save(tmp_path / "cases.csv", "id,text\n" + "1,He was refused treatment at the clinic.\n" * 20_000)
    with open_input(path) as table:
        seen = [table.progress() or 0.0 for _ in table.rows()]
    assert 0 < seen[0] < 0.5
    assert seen == sorted(seen)
    assert seen[-1] == 1
