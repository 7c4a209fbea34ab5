from __future__ import annotations

import codecs
from pathlib import Path

import openpyxl
import pytest

from nlp.bulk.mapping import LabelMapping, Meaning, load_mapping, nearest_codes
from nlp.codebook import Codebook
from nlp.errors import TableError

BEATING = "Избиение"


def _csv(folder: Path, *lines: str, name: str = "mapping.csv") -> Path:
    path = folder / name
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


def _load(codebook: Codebook, folder: Path, *lines: str, name: str = "mapping.csv") -> LabelMapping:
    return load_mapping(_csv(folder, *lines, name=name), codebook)


@pytest.fixture
def many(codebook: Codebook, tmp_path: Path) -> LabelMapping:
    return _load(
        codebook,
        tmp_path,
        "old;code;axis;notes",
        f"{BEATING};violence.physical;;",
        "beaten by police;violence.physical, police;;two axes",
        "beaten by police;justice.detention;;a second row",
        "удар;violence.physical;;",
        "не указано;;;",
        "нарушения нет;-;violation;",
        "-9;;;",
        ";;;",
    )


def test_several_labels_have_one_code_and_one_label_has_several(many: LabelMapping) -> None:
    assert (
        many.meaning("избиение ", "violation") == many.meaning("Удар!", "violation") == Meaning(("violence.physical",))
    )
    assert many.meaning("Beaten by POLICE", "violation") == Meaning(("violence.physical", "justice.detention"))
    assert many.meaning("Beaten by police", "perpetrator") == Meaning(("police",))


def test_a_label_says_nothing_of_axes_it_has_no_code_for(many: LabelMapping) -> None:
    assert many.meaning(BEATING, "population") == Meaning()
    assert many.meaning("beaten by police", "population") == Meaning()


def test_a_label_with_an_axis_is_unknown_on_the_others(many: LabelMapping) -> None:
    assert many.meaning("нарушения нет", "perpetrator") is None


def test_an_empty_code_sets_a_label_aside_and_a_dash_says_that_nothing_applies(many: LabelMapping) -> None:
    assert many.meaning("Не указано", "violation") == Meaning(aside=True)
    assert many.meaning("-9", "perpetrator") == Meaning(aside=True)
    assert many.meaning("нарушения нет", "violation") == Meaning(nothing=True)
    assert many.set_aside == 2
    assert many.notes == ["mapping.csv maps 6 label(s), 2 of them with an empty code: set aside"]


def test_an_unknown_label_has_no_meaning(many: LabelMapping) -> None:
    assert many.meaning("9", "violation") is None
    assert many.meaning("", "violation") is None


def test_the_same_mapping_comes_from_every_format(codebook: Codebook, tmp_path: Path) -> None:
    rows = [
        ["old", "axis", "code"],
        ["да, было", "", "violence.physical;police"],
        [1, "violation", "-"],
        ["n/a", "", ""],
    ]
    book = openpyxl.Workbook()
    for row in rows:
        book.active.append(row)
    book.save(tmp_path / "m.xlsx")
    tsv = _csv(tmp_path, *("\t".join(map(str, row)) for row in rows), name="m.tsv")
    yaml = _csv(
        tmp_path,
        "# old labels of the first form",
        "да, было: [violence.physical, police]",
        "n/a:",
        "violation:",
        "  1: '-'",
        name="m.yaml",
    )
    read = [load_mapping(path, codebook).meanings for path in (tmp_path / "m.xlsx", tsv, yaml)]
    assert read[0] == read[1] == read[2]
    assert read[0]["1"]["violation"] == Meaning(nothing=True)


def test_words_that_yaml_reads_otherwise_are_labels(codebook: Codebook, tmp_path: Path) -> None:
    mapping = _load(codebook, tmp_path, "yes: plhiv", "2021-05-01: tb", "null: ost", "1.50: sw", name="m.yml")
    assert [mapping.meaning(label, "population") for label in ("Yes", "2021-05-01", "null", "1.50")] == [
        Meaning(("plhiv",)),
        Meaning(("tb",)),
        Meaning(("ost",)),
        Meaning(("sw",)),
    ]


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "windows-1251"])
def test_a_spreadsheet_may_have_saved_it_in_any_encoding(codebook: Codebook, tmp_path: Path, encoding: str) -> None:
    path = tmp_path / "mapping.csv"
    path.write_text(
        "old;code\nПобои в отделении;violence.physical\nОскорбления врача;violence.psychological\n", encoding
    )
    assert load_mapping(path, codebook).meaning("побои в отделении", "violation") == Meaning(("violence.physical",))


def test_our_own_escape_of_formulas_is_undone(codebook: Codebook, tmp_path: Path) -> None:
    mapping = _load(codebook, tmp_path, "old,code", "'=побои,violence.physical")
    assert mapping.meaning("=побои", "violation") == Meaning(("violence.physical",))


@pytest.mark.parametrize(
    ("lines", "line", "says"),
    [
        (["old,code", "Зарема,violence.fysical"], 2, "did you mean violence.physical"),
        (["old,code", "a,tb", "Зарема,physical"], 3, "did you mean violence.physical"),
        (["old,code", "Зарема,qqqqqq"], 2, "the code there is none of react"),
        (["old,code,axis", "Зарема,tb,violation"], 2, "tb is a code of the axis population"),
        (["old,code,axis", "Зарема,tb,people"], 2, "violation, perpetrator, population"),
        (["old,code", "Зарема,tb;-"], 2, "stands beside a code"),
        (["old,code", "Зарема,tb", "a,tb", "ЗАРЕМА,-"], 4, "stands on line 2 too"),
        (["old,code", "Зарема,", "Зарема,tb"], 3, "stands on line 2 too"),
        (["old,code,axis", "Зарема,tb,", "Зарема,police,perpetrator"], 3, "give it in both or none"),
        (["old,code", ",tb"], 2, "no old label"),
        (["old,code", 'Зарема,"tb'], 2, "quotation mark"),
        (["Зарема: tb", "b: [tb, {c: d}]"], 2, "a list of codes"),
        (["Зарема: tb", "Лола: [tb"], 3, "no valid YAML"),
        (["Зарема:", "  a: tb"], 1, "this is no axis"),
        (["Зарема: *unknown"], 1, "no valid YAML"),
    ],
)
def test_a_wrong_line_is_named_and_its_label_is_not_quoted(
    codebook: Codebook, tmp_path: Path, lines: list[str], line: int, says: str
) -> None:
    name = "mapping.csv" if lines[0].startswith("old") else "mapping.yaml"
    with pytest.raises(TableError) as caught:
        _load(codebook, tmp_path, *lines, name=name)
    said = str(caught.value)
    assert says in said
    assert f"line {line}" in said
    assert not any(word in said for word in ("Зарема", "ЗАРЕМА", "Лола", "qqqqqq", "fysical", "unknown"))


@pytest.mark.parametrize(
    ("name", "content", "says"),
    [
        ("m.csv", b"label,new\nx,tb\n", "no old and no code"),
        ("m.csv", "Зарема,tb\nЛола,tb\n".encode(), "no old and no code"),
        ("m.csv", b"old,code\n", "no label"),
        ("m.csv", b"", "no label"),
        ("m.txt", b"old,code\n", "a mapping is a file of .csv"),
        ("m.yaml", b"- a\n- b\n", "of the form"),
        ("m.yaml", b"", "of the form"),
        ("m.yaml", b"\xff\xfe\xfa", "UTF-8"),
        ("m.yaml", b"a: \x00", "no valid YAML"),
        ("m.yaml", b"[" * 1500, "no valid YAML"),
        ("m.xlsx", b"PK not at all", ".xlsx"),
        ("m.csv", None, "m.csv"),
        ("m.yaml", None, "m.yaml"),
    ],
)
def test_a_file_that_is_no_mapping_is_refused(
    codebook: Codebook, tmp_path: Path, name: str, content: bytes | None, says: str
) -> None:
    path = tmp_path / name
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(TableError) as caught:
        load_mapping(path, codebook)
    assert says in str(caught.value)
    assert "Зарема" not in str(caught.value)


def test_aliases_of_yaml_do_not_blow_up(codebook: Codebook, tmp_path: Path) -> None:
    levels = [f"l{number}: &l{number} [{', '.join([f'*l{number - 1}'] * 9)}]" for number in range(1, 9)]
    with pytest.raises(TableError, match="line 2: give a code"):
        _load(codebook, tmp_path, "l0: &l0 [tb]", *levels, name="m.yaml")


def test_no_label_is_in_a_repr(codebook: Codebook, tmp_path: Path) -> None:
    assert "зарема" not in repr(_load(codebook, tmp_path, "old,code", "Зарема,tb")).casefold()


def test_the_nearest_codes_are_found_by_their_parts_and_labels(codebook: Codebook) -> None:
    assert nearest_codes("detention", codebook)[0] == "justice.detention"
    assert nearest_codes("секс-работник", codebook)[0] == "sw"
    assert nearest_codes("zzzz", codebook) == []


def test_a_byte_order_mark_before_yaml_is_no_part_of_a_label(codebook: Codebook, tmp_path: Path) -> None:
    path = tmp_path / "m.yaml"
    path.write_bytes(codecs.BOM_UTF8 + b"old one: tb\n")
    assert load_mapping(path, codebook).meaning("Old one", "population") == Meaning(("tb",))
