from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nlp.bulk.joining import SEPARATOR, Joining, joining
from nlp.errors import TableError
from nlp.types import Entity, Redaction, Replacement, Span

ANY_TIME = settings(deadline=None)

COLUMNS = ("id", "description", "measures", "outcome")


def _redaction(text: str, hidden: list[tuple[int, int]]) -> Redaction:
    """What a redactor gives when it hides these places."""
    replacements = []
    made, at = "", 0
    for number, (start, end) in enumerate(hidden, start=1):
        made += text[at:start]
        placeholder = f"[PERSON_{number}]"
        entity = Entity(Span(start, end), "PERSON", 1.0, "test")
        replacements.append(Replacement(entity, placeholder, Span(len(made), len(made) + len(placeholder))))
        made += placeholder
        at = end
    return Redaction(made + text[at:], tuple(replacements))


def test_cells_are_joined_in_the_order_given_by_a_blank_line():
    joined = Joining((3, 1)).join(["7", "Врач отказал.", "x", "Жалоба подана."])
    assert joined.text == "Жалоба подана.\n\nВрач отказал."
    assert [joined.text[part.start : part.end] for part in joined.parts] == ["Жалоба подана.", "Врач отказал."]


@pytest.mark.parametrize("empty", [None, "", "  ", "\n"])
def test_empty_cells_are_left_out(empty):
    joined = Joining((0, 1, 2)).join(["She was beaten.", empty, "Police came."])
    assert joined.text == "She was beaten.\n\nPolice came."
    assert joined.parts[1] is None


def test_a_row_of_empty_cells_has_no_narrative():
    joined = Joining((0, 1)).join(["", None])
    assert joined.text == ""
    assert joined.split(Redaction("", ())) == ("", "")


def test_numbers_are_joined_as_they_are_read():
    assert Joining((0, 1)).join([2021.0, "год"]).text == "2021\n\nгод"


def test_each_part_gets_its_redacted_text_back():
    joined = Joining((0, 1, 2)).join(["Лола Саидова пришла.", "", "Лоле помогли."])
    start = joined.text.index("Лоле")
    redaction = _redaction(joined.text, [(0, 12), (start, start + 4)])
    assert joined.split(redaction) == ("[PERSON_1] пришла.", "", "[PERSON_2] помогли.")


def test_what_is_hidden_across_a_border_is_whole_on_both_sides():
    joined = Joining((0, 1)).join(["Пришла Лола", "Саидова, и ушла"])
    redaction = _redaction(joined.text, [(7, 20)])
    assert joined.split(redaction) == ("Пришла [PERSON_1]", "[PERSON_1], и ушла")


@ANY_TIME
@given(st.lists(st.one_of(st.none(), st.text(max_size=20)), min_size=1, max_size=5))
def test_a_redaction_that_hides_nothing_gives_every_cell_back(cells):
    joined = Joining(tuple(range(len(cells)))).join(cells)
    expected = tuple(cell if cell and cell.strip() else "" for cell in cells)
    assert joined.split(Redaction(joined.text, ())) == expected
    assert joined.text == SEPARATOR.join(filter(None, expected))


@ANY_TIME
@given(st.lists(st.text("ab ", min_size=1, max_size=8), min_size=1, max_size=4), st.data())
def test_no_part_shows_a_piece_of_what_is_hidden(cells, data):
    joined = Joining(tuple(range(len(cells)))).join(cells)
    if not joined.text:
        return
    start = data.draw(st.integers(0, len(joined.text) - 1))
    end = data.draw(st.integers(start + 1, len(joined.text)))
    redaction = _redaction(joined.text, [(start, end)])
    for part, shown in zip(joined.parts, joined.split(redaction), strict=True):
        seen = "" if part is None else joined.text[part.start : part.end]
        if part is not None and start < part.end and end > part.start:
            seen = f"{seen[: max(0, start - part.start)]}[PERSON_1]{seen[max(0, end - part.start) :]}"
        assert shown == seen


def test_the_text_column_comes_first_and_each_column_once():
    assert joining(COLUMNS, 1, ["outcome", "3"]).columns == (1, 3, 2)
    assert joining(COLUMNS, 1).note is None
    assert "2, 4" in str(joining(COLUMNS, 1, ["Outcome"]).note)


@pytest.mark.parametrize("wanted", [["description"], ["outcome", "4"], ["id"], ["history"], ["9"]])
def test_a_column_that_cannot_be_joined_is_refused(wanted):
    with pytest.raises(TableError, match="--join"):
        joining(COLUMNS, 1, wanted, taken=[0])


def test_the_text_is_in_no_repr():
    assert "Лола" not in repr(Joining((0,)).join(["Лола пришла"]))
