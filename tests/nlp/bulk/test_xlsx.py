from __future__ import annotations

import datetime as dt
import zipfile
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

import openpyxl
import pytest

from nlp.bulk import ooxml, xlsx_cells, xlsx_input
from nlp.bulk.about import About
from nlp.bulk.descriptions import STATUS, Description, Text
from nlp.bulk.tables import InputOptions, Row, open_input, open_output
from nlp.bulk.xlsx_parts import COLORS
from nlp.codebook import Codebook
from nlp.errors import OutputError, TableError

FORMULAS = ["=1+1", "+1 x", "-1 x", "@sum", "\t=1", "\r=1", "'=1", "＝1", '=HYPERLINK("http://x")']


def book(path: Path, **sheets: Sequence[Sequence[Any]]) -> Path:
    workbook = openpyxl.Workbook()
    workbook.remove(workbook.active)
    for name, rows in sheets.items():
        sheet = workbook.create_sheet(name)
        for row in rows:
            sheet.append(row)
    workbook.save(path)
    return path


def rows_of(path: Path, **options: Any) -> list[Row]:
    with open_input(path, InputOptions(**options)) as table:
        return list(table.rows())


CASES = [["id", "text"], [1, "Уволили"]]


def test_every_kind_of_cell_survives(tmp_path: Path) -> None:
    moment = dt.datetime(2024, 3, 1, 14, 5)
    values = [7, 1.5, True, moment, dt.datetime(2024, 3, 1), "#N/A", None, " blanks ", "a\nb"]
    path = book(tmp_path / "cases.xlsx", Sheet=[["text", *"bcdefghij"], ["x", *values]])
    assert rows_of(path)[0].cells == ("x", *values)


def test_formulas_give_the_value_that_was_last_calculated(tmp_path: Path) -> None:
    path = book(tmp_path / "plain.xlsx", Sheet=[["text", "sum"], ["x", 2]])
    with zipfile.ZipFile(path) as source, zipfile.ZipFile(tmp_path / "cases.xlsx", "w") as target:
        for name in source.namelist():
            content = source.read(name)
            target.writestr(name, content.replace(b"<v>2</v>", b"<f>1+1</f><v>2</v>"))
    assert rows_of(tmp_path / "cases.xlsx")[0].cells == ("x", 2)


def test_merged_cells_keep_their_value_and_place(tmp_path: Path) -> None:
    workbook = openpyxl.Workbook()
    for row in (["id", "text", "place"], [1, "Уволили", "Ош"], [2, None, "Нарын"]):
        workbook.active.append(row)
    workbook.active.merge_cells("B2:B3")
    workbook.save(tmp_path / "cases.xlsx")
    assert [row.cells for row in rows_of(tmp_path / "cases.xlsx")] == [(1, "Уволили", "Ош"), (2, None, "Нарын")]


def test_empty_rows_between_cases_stay_and_those_at_the_end_do_not(tmp_path: Path) -> None:
    path = book(tmp_path / "cases.xlsx", Sheet=[[], ["id", "text"], [1, "a"], [], [3, "c"], [None, None], []])
    assert [row.cells for row in rows_of(path)] == [(1, "a"), (None, None), (3, "c")]


def test_cells_beyond_the_names_are_columns_of_their_own(tmp_path: Path) -> None:
    path = book(tmp_path / "cases.xlsx", Sheet=[["id", "text"], [1, "a", None, "note"]])
    with open_input(path) as table:
        assert table.columns == ("id", "text", "column_3", "column_4")


def test_a_wrong_range_in_the_sheet_hides_no_row(tmp_path: Path) -> None:
    path = book(tmp_path / "plain.xlsx", Sheet=[*CASES, [2, "Избили"]])
    with zipfile.ZipFile(path) as source, zipfile.ZipFile(tmp_path / "cases.xlsx", "w") as target:
        for name in source.namelist():
            target.writestr(name, source.read(name).replace(b'<dimension ref="A1:B3"', b'<dimension ref="A1:A1"'))
    assert len(rows_of(tmp_path / "cases.xlsx")) == 2


def test_the_only_sheet_with_data_is_taken(tmp_path: Path) -> None:
    path = book(tmp_path / "cases.xlsx", Empty=[], Cases=CASES)
    with open_input(path) as table:
        assert any("sheet 2" in note for note in table.notes)
        assert len(list(table.rows())) == 1


def test_a_hidden_sheet_of_lists_is_not_in_the_way(tmp_path: Path) -> None:
    workbook = openpyxl.load_workbook(book(tmp_path / "cases.xlsx", Lists=[["a"], ["b"]], Cases=CASES))
    workbook["Lists"].sheet_state = "hidden"
    workbook.active = 1
    workbook.save(tmp_path / "cases.xlsx")
    assert rows_of(tmp_path / "cases.xlsx")[0].cells == (1, "Уволили")


def test_several_sheets_with_data_have_to_be_chosen_from(tmp_path: Path) -> None:
    path = book(tmp_path / "cases.xlsx", **{"2022": CASES, "Год 2023": [*CASES, [2, "Избили"]]})
    with pytest.raises(TableError, match="1 2022, 2 Год 2023"):
        open_input(path)
    assert len(rows_of(path, sheet="год 2023")) == 2
    assert len(rows_of(path, sheet="2")) == 2
    assert len(rows_of(path, sheet="2022")) == 1
    with pytest.raises(TableError, match=r"there is no sheet '3'.*1 2022"):
        open_input(path, InputOptions(sheet="3"))


def test_the_place_of_a_sheet_finds_it_again(tmp_path: Path) -> None:
    for name, titles in (("plain", ("Zarina", "Other")), ("numbered", ("2", "1"))):
        path = book(tmp_path / f"{name}.xlsx", **{titles[0]: CASES, titles[1]: [*CASES, [2, "Избили"]]})
        for title, count in zip(titles, (1, 2), strict=True):
            with open_input(path, InputOptions(sheet=title)) as table:
                place = table.sheet
            assert len(rows_of(path, sheet=place)) == count
            assert place != "Zarina"


def test_names_of_sheets_that_may_be_data_are_not_told(tmp_path: Path) -> None:
    path = book(tmp_path / "cases.xlsx", **{"Sheet1": CASES, "Zarina": CASES, "Лист 5.03.1984": CASES})
    for options in (InputOptions(), InputOptions(sheet="4")):
        with pytest.raises(TableError, match=r"1 Sheet1, 2, 3$"):
            open_input(path, options)
    assert len(rows_of(path, sheet="zarina")) == 1


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600), "password"),
        (b"\n<html><table><tr><td>Zarina</td></tr></table></html>", "web page"),
        (b"id,text\n1,Zarina\n", "call it .csv"),
        (b"PK\x03\x04" + bytes(200), "damaged"),
    ],
)
def test_what_is_no_workbook_is_refused_with_advice(tmp_path: Path, content: bytes, says: str) -> None:
    path = tmp_path / "cases.xlsx"
    path.write_bytes(content)
    with pytest.raises(TableError, match=says) as caught:
        open_input(path)
    assert "Zarina" not in str(caught.value)


@pytest.mark.parametrize(
    ("limits", "says"),
    [
        ({"MAX_UNPACKED": 3_000_000}, "unpacks to more than 3 MB"),
        ({}, "100 times"),
        ({"MAX_RATIO": 10_000, "MAX_ENTRIES": 5}, "more than 5 parts"),
    ],
)
def test_archive_bombs_are_refused_before_they_are_unpacked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, limits: dict[str, int], says: str
) -> None:
    path = book(tmp_path / "cases.xlsx", Sheet=CASES)
    with zipfile.ZipFile(path, "a", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("xl/media/bomb.bin", bytes(5_000_000))
    for name, value in limits.items():
        monkeypatch.setattr(xlsx_input, name, value)
    monkeypatch.setattr(zipfile.ZipFile, "open", lambda *_: pytest.fail("something was unpacked"))
    with pytest.raises(TableError, match=says):
        open_input(path)


def test_long_list_of_parts_is_refused_before_it_is_held(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = book(tmp_path / "cases.xlsx", Sheet=CASES)
    with zipfile.ZipFile(path, "a") as archive:
        for number in range(2_000):
            archive.writestr(f"xl/media/{number}", b"")
    monkeypatch.setattr(xlsx_input, "MAX_DIRECTORY", 50_000)
    monkeypatch.setattr(zipfile.ZipFile, "infolist", lambda *_: pytest.fail("the list was held"))
    with pytest.raises(TableError, match="more than 10,000 parts"):
        open_input(path)


def test_large_part_beside_the_sheets_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = book(tmp_path / "cases.xlsx", Sheet=[*CASES, *([number, "She was refused."] for number in range(2_000))])
    monkeypatch.setattr(xlsx_input, "MAX_PART", 30_000)
    assert len(rows_of(path)) > 2_000
    monkeypatch.setattr(xlsx_input, "MAX_PART", 100)
    with pytest.raises(TableError, match="beside its sheets is larger"):
        open_input(path)


def test_entities_of_xml_are_refused(tmp_path: Path) -> None:
    path = book(tmp_path / "plain.xlsx", Sheet=CASES)
    bomb = b'<!DOCTYPE x [<!ENTITY a "ha"><!ENTITY b "&a;&a;">]><worksheet'
    with zipfile.ZipFile(path) as source, zipfile.ZipFile(tmp_path / "cases.xlsx", "w") as target:
        for name in source.namelist():
            target.writestr(name, source.read(name).replace(b"<worksheet", bomb, 1))
    with pytest.raises(TableError, match="damaged"):
        rows_of(tmp_path / "cases.xlsx")


def test_a_sheet_that_breaks_off_is_refused(tmp_path: Path) -> None:
    path = book(tmp_path / "plain.xlsx", Sheet=CASES)
    with zipfile.ZipFile(path) as source, zipfile.ZipFile(tmp_path / "cases.xlsx", "w") as target:
        for name in source.namelist():
            content = source.read(name)
            target.writestr(name, content[:-60] if "worksheets" in name else content)
    with pytest.raises(TableError, match="damaged"):
        rows_of(tmp_path / "cases.xlsx")


@pytest.mark.parametrize(
    ("text", "escaped"),
    [
        ("a\0b", "a_x0000_b"),
        ("a\r\n", "a_x000D_\n"),
        ("_x000D_", "_x005F_x000D_"),
        ("_x00G0_", "_x00G0_"),
        ("\uffff", "_xFFFF_"),
        ("plain_x", "plain_x"),
    ],
)
def test_what_xml_cannot_hold_is_escaped_and_comes_back(text: str, escaped: str) -> None:
    assert ooxml.escape(text) == escaped
    assert ooxml.unescape(escaped) == text


@pytest.mark.parametrize("shared", ["_x005F_x000D_", "a_x000D_\nb", "x005F_", "_xD83D__xDC4B_"])
def test_strings_of_excels_own_table_are_read_as_excel_reads_them(tmp_path: Path, shared: str) -> None:
    path = book(tmp_path / "plain.xlsx", Sheet=[["id", "text"], [1, "SHARED"]])
    with zipfile.ZipFile(path) as source, zipfile.ZipFile(tmp_path / "cases.xlsx", "w") as target:
        for name in source.namelist():
            target.writestr(name, source.read(name).replace(b"SHARED", shared.encode()))
    assert rows_of(tmp_path / "cases.xlsx")[0].cells[1] == ooxml.unescape(shared)


def test_text_never_becomes_a_formula(tmp_path: Path) -> None:
    with open_output(tmp_path / "out.xlsx", ["=id", "text"]) as table:
        for text in FORMULAS:
            table.write([text, "x"])
    sheet = openpyxl.load_workbook(tmp_path / "out.xlsx").active
    assert {cell.data_type for row in sheet.iter_rows() for cell in row} <= {"s", "inlineStr"}
    assert all(sheet.cell(row, 1).quotePrefix for row in range(1, len(FORMULAS) + 2))
    assert not sheet.cell(2, 2).quotePrefix


def test_numbers_dates_and_truth_are_cells_of_their_kind(tmp_path: Path) -> None:
    cells = [7, -1.5, True, dt.date(2024, 3, 1), dt.datetime(2024, 3, 1, 14, 5, 9), 10**20, float("nan"), None]
    cells += [dt.date(1850, 1, 1), dt.datetime(2024, 3, 1, tzinfo=dt.UTC)]
    with open_output(tmp_path / "out.xlsx", ["text", *"bcdefghij"]) as table:
        table.write(cells)
    found = [cell.value for cell in next(openpyxl.load_workbook(tmp_path / "out.xlsx").active.iter_rows(min_row=2))]
    moment = dt.datetime(2024, 3, 1, 14, 5, 9)
    assert found[:8] == [7, -1.5, True, dt.datetime(2024, 3, 1), moment, str(10**20), "nan", None]
    assert found[8:] == ["1850-01-01", "2024-03-01 00:00+00:00"]


def test_a_cell_of_excels_limit_is_whole_and_one_beyond_is_not(tmp_path: Path) -> None:
    with open_output(tmp_path / "out.xlsx", ["text"]) as table:
        for text in ("a" * 32_767, "\U0001f44b" * 16_383, "\U0001f44b" * 16_384):
            table.write([text])
    assert table.shortened == [3]
    assert [ooxml.units(row.cells[0]) for row in rows_of(tmp_path / "out.xlsx")][:2] == [32_767, 32_766]


def test_the_same_rows_give_the_same_bytes(tmp_path: Path) -> None:
    for name in ("a.xlsx", "b.xlsx"):
        with open_output(tmp_path / name, ["id", "text"]) as table:
            table.write([1, "Уволили"])
    assert (tmp_path / "a.xlsx").read_bytes() == (tmp_path / "b.xlsx").read_bytes()


def test_more_rows_than_a_sheet_has_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ooxml, "MAX_ROWS", 3)
    with pytest.raises(OutputError, match=r"at most 3 rows"), open_output(tmp_path / "out.xlsx", ["id"]) as table:
        for number in range(3):
            table.write([number])
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("at", "letters"), [(0, "A"), (25, "Z"), (26, "AA"), (701, "ZZ"), (702, "AAA"), (16383, "XFD")]
)
def test_columns_have_the_names_of_a_sheet(at: int, letters: str) -> None:
    assert xlsx_cells.letters(at) == letters


def test_progress_is_told_by_the_place_in_the_sheet(tmp_path: Path) -> None:
    with open_output(tmp_path / "cases.xlsx", ["id", "text"]) as out:
        for number in range(3_000):
            out.write([number, f"{number**7} was refused {number**5}"])
    with open_input(tmp_path / "cases.xlsx") as table:
        seen = [table.progress() or 0.0 for _ in table.rows()]
    assert 0 < seen[0] < 0.9
    assert seen == sorted(seen)
    assert seen[-1] > 0.95


def test_numbers_beyond_those_of_excel_are_text(tmp_path: Path) -> None:
    huge = [10**400, -(10**15), 10**14, float("inf")]
    with open_output(tmp_path / "out.xlsx", ["text", "b", "c", "d"]) as table:
        table.write(huge)
    assert rows_of(tmp_path / "out.xlsx")[0].cells == (str(10**400), str(-(10**15)), 10**14, "inf")


def test_a_workbook_is_never_read_without_protection(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(openpyxl, "DEFUSEDXML", False)
    with pytest.raises(TableError, match="unset OPENPYXL_DEFUSEDXML"):
        rows_of(book(tmp_path / "cases.xlsx", Sheet=CASES))


ABOUT_COLUMNS = ("id", "text", "decision", "violation:a", "note")


@pytest.fixture
def about(codebook: Codebook) -> About:
    said = Description(Text("Said.", "Сказано."), Text("", ""))
    return About(
        columns=tuple((name, said) for name in ABOUT_COLUMNS),
        facts=(),
        codebook=codebook,
        decision="decision",
        narrow=frozenset({"violation:a"}),
    )


def styled(path: Path, about: About, rows: int = 3) -> Any:
    with open_output(path, ABOUT_COLUMNS, about=about) as table:
        for number in range(rows):
            table.write([number, "The doctor refused. " * 20, "suggest", 1, "x"])
    return openpyxl.load_workbook(path)["Cases"]


def test_the_header_is_bold_stays_in_sight_and_filters(tmp_path: Path, about: About) -> None:
    sheet = styled(tmp_path / "out.xlsx", about)
    assert all(cell.font.b for cell in sheet[1])
    assert not any(cell.font.b for cell in sheet[2])
    assert sheet.freeze_panes == "A2"
    assert sheet.auto_filter.ref == "A1:E4"
    assert sheet.print_title_rows == "$1:$1"


def test_columns_are_as_wide_as_their_texts_and_long_ones_are_wrapped(tmp_path: Path, about: About) -> None:
    sheet = styled(tmp_path / "out.xlsx", about)
    widths = {name: sheet.column_dimensions[letter].width for name, letter in zip(ABOUT_COLUMNS, "ABCDE", strict=True)}
    assert widths["id"] < widths["decision"] < widths["text"] <= 100
    assert widths["violation:a"] < 10
    assert sheet["B2"].alignment.wrap_text
    assert not sheet["A2"].alignment.wrap_text
    assert sheet["D1"].alignment.textRotation == 90
    assert not sheet["A1"].alignment.textRotation


def test_one_long_text_among_many_short_ones_makes_no_column_wide(tmp_path: Path) -> None:
    with open_output(tmp_path / "out.xlsx", ["id"]) as table:
        for number in range(50):
            table.write(["long " * 100 if number == 7 else "short"])
    assert openpyxl.load_workbook(tmp_path / "out.xlsx").active.column_dimensions["A"].width < 20


def test_rows_have_the_color_of_the_word_in_their_decision(tmp_path: Path, about: About) -> None:
    sheet = styled(tmp_path / "out.xlsx", about)
    (found,) = sheet.conditional_formatting
    assert str(found.sqref) == "A2:E4"
    colors = {rule.formula[0]: rule.dxf.fill.bgColor.rgb[2:] for rule in found.rules}
    assert colors == {f'$C2="{word}"': color for word, color in COLORS.items()}
    assert set(COLORS) == set(STATUS) - {"none"}


def test_colors_can_be_told_apart_in_gray_and_black_is_readable_on_them() -> None:
    def luminance(color: str) -> float:  # WCAG 2.1, relative luminance
        parts = [int(color[at : at + 2], 16) / 255 for at in (0, 2, 4)]
        linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
        return sum(weight * part for weight, part in zip((0.2126, 0.7152, 0.0722), linear, strict=True))

    shades = sorted(116 * luminance(color) ** (1 / 3) - 16 for color in (*COLORS.values(), "FFFFFF"))  # CIE L*
    assert all(lighter - darker > 4 for darker, lighter in pairwise(shades))
    assert all((luminance(color) + 0.05) / 0.05 > 4.5 for color in COLORS.values())  # WCAG 2.1, AA


def test_a_table_without_rows_of_decisions_has_no_colors(tmp_path: Path) -> None:
    with open_output(tmp_path / "out.xlsx", ["id", "decision"]) as table:
        table.write([1, "auto"])
    book = openpyxl.load_workbook(tmp_path / "out.xlsx")
    assert book.sheetnames == ["Cases"]
    assert not list(book.active.conditional_formatting)


@pytest.mark.parametrize("rows", [0, 1, 99, 100, 101, 350])
def test_no_row_is_lost_where_the_first_ones_are_held_back(tmp_path: Path, about: About, rows: int) -> None:
    sheet = styled(tmp_path / "out.xlsx", about, rows)
    assert [row[0] for row in sheet.iter_rows(min_row=2, values_only=True)] == list(range(rows))
    assert sheet.auto_filter.ref == f"A1:E{rows + 1}"


def test_shortened_cells_are_told_wherever_they_stand(tmp_path: Path) -> None:
    with open_output(tmp_path / "out.xlsx", ["text"]) as table:
        for number in range(150):
            table.write(["a" * 40_000 if number in (0, 99, 149) else "short"])
    assert table.shortened == [1, 100, 150]


def test_more_columns_than_a_sheet_has_are_refused(tmp_path: Path) -> None:
    with (
        pytest.raises(OutputError, match=r"at most 16,384 columns"),
        open_output(tmp_path / "out.xlsx", [f"c{number}" for number in range(16_385)]),
    ):
        pass
    assert list(tmp_path.iterdir()) == []


def test_explanations_are_texts_and_no_formulas(tmp_path: Path, codebook: Codebook) -> None:
    said = Description(Text("Said.", "Сказано."), Text("", ""))
    risky = About(columns=(("=1+1", said), ("@x", said)), facts=((Text("Model", "Модель"), "=2+2"),), codebook=codebook)
    with open_output(tmp_path / "out.xlsx", ["=1+1", "@x"], about=risky) as table:
        table.write([1, 2])
    cells = [cell for row in openpyxl.load_workbook(tmp_path / "out.xlsx")["About"].iter_rows() for cell in row]
    assert "f" not in {cell.data_type for cell in cells}
    assert {cell.value for cell in cells if cell.quotePrefix} == {"=1+1", "@x", "=2+2"}
