from __future__ import annotations

import pytest

from nlp.bulk.columns import plan
from nlp.bulk.values import InputOptions
from nlp.errors import TableError

LONG = "The officer took her passport and asked for money to give it back."
OTHER = "They refused to admit him to the ward when they saw his papers."


@pytest.mark.parametrize(
    ("first", "text_at", "id_at"),
    [
        (["id", "text"], 1, 0),
        (["Case_ID", "Region", "Case Description"], 2, 0),
        (["№", "Дата", "Описание случая"], 2, 0),
        (["Номер случая", "СУТЬ ОБРАЩЕНИЯ", "Область"], 1, 0),
        (["Код випадку", "Опис"], 1, 0),
        (["Descrierea cazului", "Nr"], 0, 1),
        (["raqam", "matn"], 1, 0),
        (["нөмірі", "оқиға"], 1, 0),
        (["\ufeffid", " Narrative "], 1, 0),
        (["description", "narrative"], 1, None),
        (["text"], 0, None),
    ],
)
def test_usual_names_are_known(first: list[str], text_at: int, id_at: int | None) -> None:
    layout = plan(first, [], InputOptions(), named=False)
    assert (layout.has_header, layout.text_at, layout.id_at) == (True, text_at, id_at)


@pytest.mark.parametrize(
    ("first", "sample"),
    [
        (["1", LONG], [["2", OTHER]]),
        (["17", "Beaten"], [["18", OTHER]]),
        (["case-17", "Beaten"], [["case-18", OTHER], ["case-19", LONG]]),
        (["yes", "Beaten at home"], [["yes", OTHER]]),
        ([LONG], [[OTHER]]),
        (["a", "", ""], [["b", "", LONG]]),
        (["same", "same"], [["b", LONG]]),
        (["complaint", "Beaten"], [["complaint", OTHER]]),
        (["no", "#", "Beaten"], [["yes", "#", OTHER], ["no", "#", LONG]]),
    ],
)
def test_a_first_row_of_data_is_kept_as_data(first: list[str], sample: list[list[str]]) -> None:
    layout = plan(first, sample, InputOptions(), named=False)
    assert not layout.has_header
    assert layout.columns == tuple(f"column_{number}" for number in range(1, len(first) + 1))
    assert layout.text_at == len(first) - 1
    assert any("the first row is data" in note for note in layout.notes)
    assert any("longest texts" in note for note in layout.notes)


def test_questions_in_full_sentences_are_names_beside_usual_ones() -> None:
    layout = plan(["№", "Код случая", f"{LONG} {OTHER}"], [["1", "a", LONG]], InputOptions(), named=False)
    assert (layout.has_header, layout.text_at, layout.id_at) == (True, 2, 1)


def test_a_header_that_joined_files_repeat_is_still_a_header() -> None:
    layout = plan(["id", "text"], [["1", LONG], ["id", "text"], ["1", OTHER]], InputOptions(), named=False)
    assert layout.has_header


def test_unknown_names_over_clearly_one_text_column() -> None:
    layout = plan(["Ort", "Was war"], [["Bishkek", LONG], ["Osh", OTHER]], InputOptions(), named=False)
    assert (layout.has_header, layout.columns, layout.text_at) == (True, ("Ort", "Was war"), 1)
    assert any("--no-header" in note for note in layout.notes)


HUNDRED = "He was told to leave the clinic, and nobody wrote down why; he came back twice and was sent away again."


@pytest.mark.parametrize(
    ("sample", "asks"),
    [
        ([["Bishkek", "short"], ["Osh", "too"]], "--header if it does, or --no-header"),
        ([["Bishkek", "short"], ["Osh", HUNDRED]], "--header if it does, or --no-header"),
        ([[LONG, OTHER], [OTHER, LONG]], "give its name or its number.*the columns 1, 2$"),
        ([], "--header if it does, or --no-header"),
    ],
)
def test_what_is_not_clear_is_asked_without_showing_what_may_be_data(sample: list[list[str]], asks: str) -> None:
    with pytest.raises(TableError, match=asks) as caught:
        plan(["Zarina", "Testova"], sample, InputOptions(), named=False)
    assert "Zarina" not in str(caught.value)


def test_a_single_column_of_short_texts_is_asked_about() -> None:
    with pytest.raises(TableError, match="--header if it does, or --no-header"):
        plan(["Beaten"], [["Fired from work"], ["Sent away"]], InputOptions(), named=False)


@pytest.mark.parametrize(
    "first",
    [
        ["Zarina Testova", "Beaten by her husband and his brother"],
        ["Zarina Testova", "Beaten at home by police"],
        ["Zarina Testova", "12.03.2021"],
        ["Zarina Testova", "12 March 21"],
        ["Zarina Testova", "+996 555 0100"],
        ["Zarina Testova", "z.t@example.org"],
        ["Zarina Testova", "Beaten 2021"],
        ["Zarina Testova", ""],
        ["Beaten", "beaten"],
    ],
)
def test_a_first_case_never_becomes_names(first: list[str]) -> None:
    layout = plan(first, [["Aibek", LONG], ["Testov", OTHER]], InputOptions(), named=False)
    assert layout.columns == ("column_1", "column_2")
    assert any("--header" in note for note in layout.notes)


@pytest.mark.parametrize("header", [None, True])
@pytest.mark.parametrize(
    "above", [[["Register of Zarina", None, None]], [["Zarina", None, None], [], ["Where", None, "What"]]]
)
def test_names_under_a_title_are_never_a_case(above: list[list[str | None]], header: bool | None) -> None:
    rows = [*above, ["No", "Place", "Description"], ["1", "Osh", LONG], ["2", "Osh", OTHER]]
    with pytest.raises(TableError, match="names of the columns stand below other rows") as caught:
        plan(rows[0], rows[1:], InputOptions(header=header), named=False)
    assert "Zarina" not in str(caught.value)
    assert not plan(rows[0], rows[1:], InputOptions(header=False, text_column="3"), named=False).has_header


def test_a_name_that_is_asked_for_is_found_under_a_title_too() -> None:
    rows = [["Ort", "Was war"], ["1", LONG]]
    with pytest.raises(TableError, match="names of the columns stand below other rows"):
        plan(["Liste", None], rows, InputOptions(text_column="was war"), named=False)


def test_a_case_of_few_words_is_no_line_of_names() -> None:
    rows = [["17", "complaint", ""], ["18", "complaint", LONG], ["19", "question", OTHER]]
    assert plan(["16", "question", HUNDRED], rows, InputOptions(), named=False).text_at == 2


@pytest.mark.parametrize(("header", "columns"), [(True, ("Ort", "Was")), (False, ("column_1", "column_2"))])
def test_the_answer_to_the_question_about_the_header_is_taken(header: bool, columns: tuple[str, ...]) -> None:
    options = InputOptions(header=header, text_column="2")
    assert plan(["Ort", "Was"], [["Osh", "short"]], options, named=False).columns == columns


def test_a_longer_text_beside_the_usual_name_has_to_be_chosen_from() -> None:
    rows = [["1", "He was sent away.", HUNDRED], ["2", OTHER, HUNDRED]]
    for named in (True, False):
        with pytest.raises(TableError, match=r"column 2 .* column 3 .*--text-column 2 or --text-column 3"):
            plan(["id", "summary", "full case story"], rows, InputOptions(), named=named)


@pytest.mark.parametrize("other", ["https://example.org/" + "a" * 90, "", "Osh, Lenin district"])
def test_long_addresses_and_short_words_are_no_other_narrative(other: str) -> None:
    layout = plan(["id", "summary", "other"], [["1", LONG, other]], InputOptions(), named=False)
    assert layout.text_at == 1
    assert not any("warning" in note for note in layout.notes)


def test_other_long_texts_are_warned_about_however_few() -> None:
    rows = [["1", LONG, HUNDRED, ""], *[["2", LONG, "", HUNDRED]] * 9]
    layout = plan(["id", "text", "rest", "more"], rows, InputOptions(text_column="2"), named=False)
    warnings = [note for note in layout.notes if "without redaction" in note]
    assert [note.split(" holds")[0] for note in warnings] == ["warning: column 3", "warning: column 4"]


def test_names_are_shown_where_they_are_surely_names() -> None:
    with pytest.raises(TableError, match="1 id, 2, 3"):
        plan(["id", "first", "second"], [["1", "a", "b"]], InputOptions(), named=False)
    with pytest.raises(TableError, match="1 nr, 2 first, 3 second"):
        plan(["nr", "first", "second"], [["1", "a", "b"]], InputOptions(header=True), named=False)
    with pytest.raises(TableError, match=r"1, 2$"):
        plan(["17", LONG], [["18", "short"]], InputOptions(header=True), named=False)
    with pytest.raises(TableError, match="1 first, 2 second"):
        plan(["first", "second"], [], InputOptions(), named=True)


@pytest.mark.parametrize(
    ("wanted", "at"),
    [("notes", 1), ("NOTES", 1), ("2", 1), ("1", 0), ("3", 2)],
)
def test_a_given_column_is_taken_by_name_or_number(wanted: str, at: int) -> None:
    layout = plan(["text", "Notes", "3"], [["a", LONG, "b"]], InputOptions(text_column=wanted), named=False)
    assert layout.text_at == at


@pytest.mark.parametrize("wanted", ["0", "4", "nothing"])
def test_a_given_column_that_is_not_there_is_refused(wanted: str) -> None:
    for options in (InputOptions(text_column=wanted), InputOptions(id_column=wanted)):
        with pytest.raises(TableError, match="there is no column"):
            plan(["id", "text", "x"], [["1", LONG, "b"]], options, named=False)


def test_a_given_name_says_that_the_first_row_is_names() -> None:
    layout = plan(["17", "Что-то"], [["18", LONG]], InputOptions(text_column="что-то"), named=False)
    assert (layout.has_header, layout.text_at) == (True, 1)


@pytest.mark.parametrize("header", [True, False])
def test_what_is_said_about_the_header_holds(header: bool) -> None:
    layout = plan(["id", "text"], [["1", LONG]], InputOptions(header=header), named=False)
    assert layout.has_header is header
    assert layout.columns == (("id", "text") if header else ("column_1", "column_2"))


@pytest.mark.parametrize(
    "options", [InputOptions("2", "2"), InputOptions("2", "text"), InputOptions("2", "3", joined=("3",))]
)
def test_a_column_of_the_narrative_is_no_id(options: InputOptions) -> None:
    with pytest.raises(TableError, match="cannot be the id"):
        plan(["nr", "text", "outcome"], [["1", LONG, OTHER]], options, named=True)


@pytest.mark.parametrize("cell", [[OTHER], {"story": OTHER, "rows": [1, 2]}, [{"deep": [OTHER]}]])
def test_a_narrative_within_a_list_or_an_object_is_warned_of(cell: object) -> None:
    layout = plan(["text", "form"], [[LONG, cell]], InputOptions(), named=True)
    assert any("warning: column 2 holds long texts too" in note for note in layout.notes)


def test_keys_and_numbers_within_an_object_are_no_narrative() -> None:
    cell = {"registration_of_the_case_in_the_district": "a" * 60, "more": list(range(100))}
    layout = plan(["text", "form"], [[LONG, cell]], InputOptions(), named=True)
    assert not any("long texts too" in note for note in layout.notes)
