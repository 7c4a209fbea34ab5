from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nlp.bulk.coded import (
    MAX_CELL,
    CodedColumns,
    FinalCodes,
    PersonCodes,
    coded_columns,
    differing_axes,
    final_codes,
    known_labels,
)
from nlp.bulk.mapping import load_mapping
from nlp.bulk.tables import InputOptions, open_input
from nlp.bulk.unmapped import COLUMNS, UnmappedLabels, unmapped_path
from nlp.codebook import Codebook
from nlp.errors import TableError
from nlp.types import Analysis, Decision, Redaction, Suggestion

ANY_TIME = settings(deadline=None)

AXES = ("violation", "perpetrator", "population")


def _columns(codebook: Codebook, *axes: str, mapping: str | None = None, folder: Path | None = None) -> CodedColumns:
    """Codes of some axes, each in a column of its own from the first on."""
    if mapping is None or folder is None:
        return CodedColumns(codebook, {axis: (at,) for at, axis in enumerate(axes)})
    path = folder / "mapping.csv"
    path.write_text(mapping, encoding="utf-8")
    return CodedColumns(codebook, {axis: (at,) for at, axis in enumerate(axes)}, load_mapping(path, codebook))


def _analysis(codebook: Codebook, decisions: Mapping[str, Decision], nothing: float = 0.0) -> Analysis:
    items = [
        Suggestion(axis.id, code, 0.9 if code in decisions else 0.01, decisions.get(code, "none"))
        for axis in codebook.axes
        for code in axis.codes
    ]
    named = {axis.id: nothing for axis in codebook.axes if axis.nothing}
    return Analysis("1", "en", Redaction("", ()), tuple(items), {}, named, "constant-1", str(codebook))


@pytest.mark.parametrize(
    ("cell", "codes"),
    [
        ("health.denial", ["health.denial"]),
        (" Health.Denial ", ["health.denial"]),
        ("violence.physical;health.denial", ["health.denial", "violence.physical"]),
        ("violence.physical , health.denial", ["health.denial", "violence.physical"]),
        ("violence.physical|health.denial|", ["health.denial", "violence.physical"]),
        ("violence.physical\r\nhealth.denial\n", ["health.denial", "violence.physical"]),
        ("health.denial; health.denial", ["health.denial"]),
        ("Физическое насилие; Угрозы и запугивание", ["violence.physical", "violence.threat"]),
        ("ФИЗИЧЕСКОЕ НАСИЛИЕ.", ["violence.physical"]),
        ("Physical violence, Property, Work", ["violence.physical", "social.work", "social.property"]),
        ("Вымогательство, шантаж, взятка", ["justice.extortion"]),
        ("Жильё, Вымогательство, шантаж, взятка, Труд", ["justice.extortion", "social.work", "social.housing"]),
        ("Extortion, blackmail or bribe, Housing", ["justice.extortion", "social.housing"]),
        (["violence.physical", "Housing; Work"], ["violence.physical", "social.work", "social.housing"]),
    ],
)
def test_codes_and_labels_are_read_however_they_are_divided(codebook: Codebook, cell: object, codes: list[str]) -> None:
    assert _columns(codebook, "violation").read([cell])["violation"] == PersonCodes(tuple(codes))


@pytest.mark.parametrize("cell", [None, "", "  ", "-", "—", " ; , ", [], "?"])
def test_an_empty_cell_is_not_coded(codebook: Codebook, cell: object) -> None:
    assert not _columns(codebook, "violation").read([cell])["violation"].given


@pytest.mark.parametrize("cell", ["Not a violation", "нарушения нет", "НАРУШЕНИЯ НЕТ."])
def test_that_nothing_applies_is_an_answer(codebook: Codebook, cell: str) -> None:
    said = _columns(codebook, "violation").read([cell])["violation"]
    assert said == PersonCodes(nothing=True)
    assert said.given


def test_a_code_beside_nothing_wins(codebook: Codebook) -> None:
    said = _columns(codebook, "violation").read(["Not a violation; Housing"])["violation"]
    assert said == PersonCodes(("social.housing",))


def test_labels_of_another_axis_are_unknown(codebook: Codebook) -> None:
    said = _columns(codebook, "violation").read(["police"])["violation"]
    assert said == PersonCodes(unmapped=("police",))
    assert said.given
    assert not said.complete


def test_what_is_unknown_is_kept_as_it_was_spelt_and_once(codebook: Codebook) -> None:
    said = _columns(codebook, "violation").read(["Побили; Housing, побили!, кража"])["violation"]
    assert said == PersonCodes(("social.housing",), unmapped=("Побили", "кража"))


def test_a_mapping_is_asked_last_and_holds_labels_with_commas(codebook: Codebook, tmp_path: Path) -> None:
    mapping = "old;code\nпобили, отняли;violence.physical, social.property\nпобили;violence.physical\nн/д;\nнет;-\n"
    read = _columns(codebook, "violation", mapping=mapping, folder=tmp_path).read
    assert read(["Побили, отняли"])["violation"].codes == ("violence.physical", "social.property")
    assert read(["Труд, побили, отняли"])["violation"].codes == ("violence.physical", "social.work", "social.property")
    assert read(["побили"])["violation"].codes == ("violence.physical",)
    assert not read(["н/д"])["violation"].given
    assert read(["н/д; побили"])["violation"] == PersonCodes(("violence.physical",))
    assert read(["Нет"])["violation"] == PersonCodes(nothing=True)


def test_one_old_label_speaks_for_two_axes(codebook: Codebook, tmp_path: Path) -> None:
    mapping = "old,code\nполиция била,violence.physical;police\n"
    columns = _columns(codebook, *AXES[:2], mapping=mapping, folder=tmp_path)
    said = columns.read(["полиция била", "Полиция била"])
    assert said == {"violation": PersonCodes(("violence.physical",)), "perpetrator": PersonCodes(("police",))}


@pytest.mark.parametrize("line", ["Housing,social.work", "жильё,", "HEALTH.DENIAL,-", "Not a violation,social.work"])
def test_a_mapping_that_gives_a_code_of_the_codebook_another_meaning_is_refused(
    codebook: Codebook, tmp_path: Path, line: str
) -> None:
    with pytest.raises(TableError, match="line 3: the codebook itself has this code or label on the axis violation"):
        _columns(codebook, "violation", mapping=f"old,code\nx,tb\n{line}\n", folder=tmp_path)


@pytest.mark.parametrize("line", ["Housing,social.housing", "Housing,business"])
def test_a_mapping_may_say_the_same_again_or_speak_of_another_axis(
    codebook: Codebook, tmp_path: Path, line: str
) -> None:
    columns = _columns(codebook, "violation", mapping=f"old,code\n{line}\n", folder=tmp_path)
    assert columns.read(["housing"])["violation"] == PersonCodes(("social.housing",))


def test_a_label_that_is_mapped_for_one_axis_is_unknown_on_another(codebook: Codebook, tmp_path: Path) -> None:
    mapping = "old,code,axis\nдругое,violence.psychological,violation\n"
    said = _columns(codebook, *AXES[:2], mapping=mapping, folder=tmp_path).read(["другое", "другое"])
    assert said["violation"].codes == ("violence.psychological",)
    assert said["perpetrator"].unmapped == ("другое",)


def test_a_text_in_the_column_is_no_list_of_labels(codebook: Codebook) -> None:
    said = _columns(codebook, "violation").read(["word, " * MAX_CELL])["violation"]
    assert len(said.unmapped) == 1
    assert len(said.unmapped[0]) < MAX_CELL


@ANY_TIME
@given(
    st.lists(st.sampled_from(["health.denial", "tb", "Housing", "нечто", "a, b", "x"]), max_size=6),
    st.sampled_from(";,|\n"),
)
def test_nothing_in_a_cell_is_lost(codebook: Codebook, items: list[str], sign: str) -> None:
    said = _columns(codebook, "violation").read([sign.join(items)])["violation"]
    known = {"health.denial": "health.denial", "Housing": "social.housing"}
    assert set(said.codes) == {known[item] for item in items if item in known}
    pieces = {piece for item in items if item not in known for piece in item.split(", ")}
    assert {piece for label in said.unmapped for piece in label.split(", ")} == pieces


@ANY_TIME
@given(
    st.lists(st.sampled_from(["Gay, lesbian, bisexual, MSM or queer", "Migrant, refugee or displaced person", "tb"]))
)
def test_no_comma_of_a_known_label_cuts_it(codebook: Codebook, items: list[str]) -> None:
    said = _columns(codebook, "population").read([", ".join(items)])["population"]
    assert said.unmapped == ()
    assert len(said.codes) == len(set(items))


def test_every_label_of_the_codebook_is_known(codebook: Codebook) -> None:
    for axis in codebook.axes:
        read = _columns(codebook, axis.id).read
        for label in axis.labels:
            for cell in (label.code, *label.label.values()):
                assert read([cell])[axis.id] == PersonCodes((label.code,))


def test_a_label_that_two_codes_share_names_neither(codebook: Codebook) -> None:
    axis = codebook.axis("violation")
    first, second, *rest = axis.labels
    twins = replace(axis, labels=(first, replace(second, label=first.label), *rest))
    assert first.label["en"].casefold() not in known_labels(twins)
    assert second.code in known_labels(twins)


def test_columns_are_given_by_axis_name_and_number(codebook: Codebook) -> None:
    names = ("text", "Type 1", "Type=2", "Who")
    found = coded_columns(names, ["violation=Type 1", "violation = Type=2", "perpetrator=4"], codebook)
    assert found.columns == {"violation": (1, 2), "perpetrator": (3,)}
    said = found.read(["", "Housing", "Work", "police"])
    assert said == {
        "violation": PersonCodes(("social.work", "social.housing")),
        "perpetrator": PersonCodes(("police",)),
    }
    assert found.notes[0] == "codes that a person gave for violation are in column 2, 3"


@pytest.mark.parametrize(
    ("wanted", "says"),
    [
        ("violation", "violation=3 or violation=Type"),
        ("violation=", "violation=3 or violation=Type"),
        ("kind=1", "violation, perpetrator, population"),
        ("violation=5", "--coded: there is no column '5'"),
    ],
)
def test_what_cannot_be_a_column_of_codes_is_refused(codebook: Codebook, wanted: str, says: str) -> None:
    with pytest.raises(TableError, match=says):
        coded_columns(("text", "type"), [wanted], codebook)


def test_the_narrative_is_no_column_of_codes(codebook: Codebook) -> None:
    with pytest.raises(TableError, match="column 1 is the narrative"):
        coded_columns(("text", "type"), ["violation=text"], codebook, narrative=[0])


def test_a_column_that_is_given_twice_is_refused(codebook: Codebook) -> None:
    with pytest.raises(TableError, match="given twice"):
        coded_columns(("text", "type"), ["violation=2", "violation=type"], codebook)


def test_what_a_person_coded_survives_a_file(codebook: Codebook) -> None:
    said = PersonCodes(("tb",), unmapped=("другое",))
    assert PersonCodes.from_json(said.to_json()) == said
    assert "другое" not in repr(said)


def test_a_persons_codes_are_never_overwritten(codebook: Codebook) -> None:
    axis = codebook.axis("violation")
    analysis = _analysis(codebook, {"health.denial": "auto"})
    assert final_codes(axis, PersonCodes(("social.work",)), analysis) == FinalCodes(("social.work",), "person")
    assert final_codes(axis, PersonCodes(nothing=True), analysis) == FinalCodes((), "person")
    assert final_codes(axis, PersonCodes(unmapped=("другое",)), analysis) == FinalCodes((), "person")


def test_the_machine_codes_only_what_it_may_set_by_itself(codebook: Codebook) -> None:
    axis = codebook.axis("violation")
    analysis = _analysis(
        codebook, {"social.work": "auto", "health.denial": "auto", "civic.hate": "suggest", "tb": "auto"}
    )
    assert final_codes(axis, PersonCodes(), analysis) == FinalCodes(("health.denial", "social.work"), "machine")
    assert final_codes(axis, None, _analysis(codebook, {"civic.hate": "suggest"})) == FinalCodes((), "")
    assert final_codes(axis, None, None) == FinalCodes((), "")


def test_the_machine_says_that_nothing_applies_only_at_the_precision_promised(codebook: Codebook) -> None:
    axis = codebook.axis("violation")
    sure = _analysis(codebook, {}, nothing=0.97)
    assert final_codes(axis, None, sure, precision=0.95) == FinalCodes((), "machine")
    assert final_codes(axis, None, sure, precision=0.98) == FinalCodes((), "")
    assert final_codes(axis, None, sure) == FinalCodes((), "")
    assert final_codes(axis, None, _analysis(codebook, {"civic.hate": "review"}, 0.97), precision=0.95).by == ""
    assert final_codes(codebook.axis("population"), None, sure, precision=0.95).by == ""


@pytest.mark.parametrize(
    ("person", "decisions", "differs"),
    [
        (PersonCodes(("health.denial",)), {"health.denial": "suggest"}, False),
        (PersonCodes(("health.denial",)), {"health.denial": "review"}, False),
        (PersonCodes(("health.denial",)), {}, True),
        (PersonCodes(("health.denial",)), {"health.denial": "auto", "civic.hate": "review"}, False),
        (PersonCodes(("health.denial",)), {"health.denial": "auto", "civic.hate": "suggest"}, True),
        (PersonCodes(nothing=True), {}, False),
        (PersonCodes(nothing=True), {"civic.hate": "auto"}, True),
        (PersonCodes(), {"civic.hate": "auto"}, False),
        (PersonCodes(unmapped=("другое",)), {"civic.hate": "auto"}, False),
        (PersonCodes(("health.denial",), unmapped=("другое",)), {"civic.hate": "auto"}, True),
        (PersonCodes(("health.denial",)), {"health.denial": "suggest", "tb": "auto"}, False),
    ],
)
def test_where_a_person_and_the_machine_disagree(
    codebook: Codebook, person: PersonCodes, decisions: Mapping[str, Decision], differs: bool
) -> None:
    expected = ("violation",) if differs else ()
    assert differing_axes({"violation": person}, _analysis(codebook, decisions)) == expected


def test_a_row_without_analysis_differs_only_by_what_the_person_coded(codebook: Codebook) -> None:
    assert differing_axes({"violation": PersonCodes(("health.denial",))}, None) == ()


def _rows(path: Path) -> Sequence[Sequence[object]]:
    with open_input(path, InputOptions(text_column="old", header=True)) as table:
        assert table.columns == COLUMNS
        return [row.cells for row in table.rows()]


def test_unknown_labels_are_listed_with_counts_and_nothing_else(codebook: Codebook, tmp_path: Path) -> None:
    unmapped = UnmappedLabels()
    read = _columns(codebook, "violation", "perpetrator").read
    for cells in (["Побои; Housing", "мент"], ["побои", "police"], ["=кража", ""], ["Housing", "МЕНТ."]):
        unmapped.add(read(cells))
    path = unmapped_path(tmp_path / "coded.xlsx")
    assert unmapped.write(path)
    assert path.name == "coded.xlsx.unmapped.csv"
    assert _rows(path) == [
        ("мент", "", "perpetrator", "2"),
        ("Побои", "", "violation", "2"),
        ("'=кража", "", "violation", "1"),
    ]
    assert unmapped.notes == [
        "4 row(s) have codes that are neither in the codebook nor in a mapping: 3 different label(s)"
    ]
    assert "мент" not in repr(unmapped)


def test_the_list_becomes_a_mapping_once_it_has_codes(codebook: Codebook, tmp_path: Path) -> None:
    unmapped = UnmappedLabels()
    read = _columns(codebook, "violation", "perpetrator").read
    unmapped.add(read(["=кража", "мент"]))
    unmapped.write(tmp_path / "list.csv")
    lines = (tmp_path / "list.csv").read_text("utf-8-sig").splitlines()
    path = tmp_path / "mapping.csv"
    filled = [
        line.replace(",,", f",{code},") for line, code in zip(lines[1:], ["police", "social.property"], strict=True)
    ]
    path.write_text("\n".join([lines[0], *filled]), "utf-8")
    mapping = load_mapping(path, codebook)
    columns = CodedColumns(codebook, {"violation": (0,), "perpetrator": (1,)}, mapping)
    assert columns.read(["=кража", "Мент"]) == {
        "violation": PersonCodes(("social.property",)),
        "perpetrator": PersonCodes(("police",)),
    }


def test_an_earlier_list_is_kept_since_somebody_may_have_filled_it_in(tmp_path: Path) -> None:
    unmapped = UnmappedLabels()
    unmapped.add({"violation": PersonCodes(unmapped=("кража",))})
    (tmp_path / "list.csv").write_text("filled in")
    unmapped.write(tmp_path / "list.csv")
    assert (tmp_path / "list.csv.bak").read_text() == "filled in"


def test_no_list_is_written_where_all_is_known(tmp_path: Path) -> None:
    unmapped = UnmappedLabels()
    unmapped.add({"violation": PersonCodes(("health.denial",))})
    assert not unmapped.write(tmp_path / "list.csv")
    assert not (tmp_path / "list.csv").exists()
    assert unmapped.notes == []


def test_texts_are_counted_and_not_listed(codebook: Codebook, tmp_path: Path) -> None:
    unmapped = UnmappedLabels()
    unmapped.add(_columns(codebook, "violation").read(["Зарема пришла " * 50]))
    assert not unmapped.write(tmp_path / "list.csv")
    assert "1 more are too long" in unmapped.notes[0]
