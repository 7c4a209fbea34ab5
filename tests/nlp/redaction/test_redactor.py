"""Laws of redaction, over texts made of the pieces that narratives are made of."""

from itertools import pairwise

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from nlp.errors import RedactionUnsettled
from nlp.reading import Reader, Reading
from nlp.redaction import Redactor, all_recognizers, replace
from nlp.types import Entity, Narrative, Redaction, Span

READER = Reader(languages=("en", "ru"), max_characters=10**6)
REDACTOR = Redactor(tuple(all_recognizers().values()))
PIECES = (
    "Айгуль", "Нурлановой", "Gulnora", "Levan's", "врач", "Dr.", "Ош", "в Москве", "+996 555 010 203", "AN 1234567",
    "№ 4", "34 года", "12.03.2024", "г.р.", "ул.", "Ленина", "5", "кв. 12", "a@posta.example", "@rosa_88",
    "01KG 123 ABC", "«Ак-Булак»", "клиника", "[PERSON_1]", "[PHONE_7]", "[IVAN_1]", ",", ".", "\n", "-", "А. Б.",
    "улу", "on", "March", "the", "надежда", "HIV", "ВИЧ-центр", "ნინო", "İ", "\u200b", "（", "３４", "e\u0301",
    "паспорт", "тел.", "https://t.me/a_b", "40 000 сом", "ст. 139",
)  # fmt: skip
TEXTS = st.one_of(
    st.lists(st.sampled_from(PIECES), max_size=25).map(" ".join),
    st.lists(st.sampled_from(PIECES), max_size=12).map("".join),
    st.text(max_size=60, alphabet=st.characters(exclude_categories=["Cs"], exclude_characters="\0")),
)


def reading(text: str) -> Reading:
    return READER.read(Narrative(f"{text} a", language="ru"))


def redact(text: str) -> Redaction:
    return REDACTOR.redact(reading(text))


def around(text: str, spans: list[Span]) -> list[str]:
    """What stands outside of the spans."""
    edges = [0, *(edge for span in spans for edge in (span.start, span.end)), len(text)]
    return [text[start:end] for start, end in zip(edges[::2], edges[1::2], strict=True)]


@settings(max_examples=150, deadline=None)
@given(TEXTS)
@example("[PERSON_1]-ака Айгуль")
@example("Инспектор [PERSON_1] А. Жумабекова")
def test_redacting_twice_changes_nothing(text: str) -> None:
    once = redact(text).text
    assert REDACTOR.redact(READER.read(Narrative(once, language="ru"))).text == once


@settings(max_examples=100, deadline=None)
@given(TEXTS)
def test_entities_are_disjoint_sorted_and_all_else_is_unchanged(text: str) -> None:
    redaction = redact(text)
    spans = [entity.span for entity in redaction.entities]
    assert all(one.end <= other.start for one, other in pairwise(spans))
    hidden = [replacement.redacted_span for replacement in redaction.replacements]
    assert around(f"{text} a", spans) == around(redaction.text, hidden)


@settings(max_examples=50, deadline=None)
@given(TEXTS)
def test_redaction_is_deterministic(text: str) -> None:
    assert redact(text) == redact(text)


@pytest.mark.parametrize(
    ("text", "redacted"),
    [
        ("Айгуль пришла, Айгуль плакала", "[PERSON_1] пришла, [PERSON_1] плакала"),
        ("там Айгуль и Мадина", "там [PERSON_1] и [PERSON_2]"),
        ("там Марат Садыков и Айгуль Садыкова", "там [PERSON_1] и [PERSON_2]"),
        ("[PERSON_1] и Мадина", "[PERSON_1] и [PERSON_2]"),
        ("[PERSON_3] и Мадина", "[PERSON_3] и [PERSON_4]"),
        ("тел. +996 555 010 203, +996555010203", "тел. [PHONE_1], [PHONE_1]"),
        ("Имя изменено.", "Имя изменено."),
        ("его зовут ***, город N", "его зовут ***, город N"),
        ("Айгу\u200bль пришла", "[PERSON_1] пришла"),
    ],
)
def test_numbering(text: str, redacted: str) -> None:
    assert redact(text).text.removesuffix(" a") == redacted


def test_brackets_around_a_name_do_not_save_it() -> None:
    assert "AIGUL" not in redact("[AIGUL_1] came to the clinic").text


def test_evidence_is_mapped_around_placeholders() -> None:
    text = "Вчера Айгуль избили."
    redaction = redact(text)
    assert redaction.redacted_words(Span(0, len(text))) == "Вчера [PERSON_1] избили."


def test_values_apart_from_persons_are_numbered_by_their_letters() -> None:
    text = "AB 12 / ab-12 / cd"
    entities = [
        Entity(Span(0, 5), "DOCUMENT", 1, "t"),
        Entity(Span(8, 13), "DOCUMENT", 1, "t"),
        Entity(Span(16, 18), "DOCUMENT", 1, "t"),
    ]
    assert replace(text, entities).text == "[DOCUMENT_1] / [DOCUMENT_1] / [DOCUMENT_2]"


class _Broken:
    name = "broken"
    entity_types = ("PERSON",)
    source = "test"

    def find(self, text: str, language: str = "") -> list[Entity]:
        raise RuntimeError("out of order")


def test_nothing_is_half_redacted_when_a_recognizer_fails() -> None:
    with pytest.raises(RuntimeError):
        Redactor([*all_recognizers().values(), _Broken()]).redact(reading("Айгуль пришла"))


def test_name_beside_a_placeholder_is_hidden_though_it_was_found_with_it() -> None:
    text = "She came with [PERSON_1] qwerzhanov yesterday."
    named = [Entity(Span(text.index("["), text.index(" yesterday")), "PERSON", 0.9, "encoder")]
    redaction = REDACTOR.redact(READER.read(Narrative(text, language="en")), named)
    assert redaction.text == "She came with [PERSON_1] [PERSON_2] yesterday."


def test_what_is_no_identifier_of_the_codebook_is_left_alone() -> None:
    text = "She went to the mill."
    named = [Entity(Span(16, 20), "ORGANISATION", 0.9, "encoder")]
    read = READER.read(Narrative(text, language="en"))
    assert Redactor((), ["PERSON"]).redact(read, named).text == text
    assert Redactor((), ["ORGANISATION"]).redact(read, named).text == "She went to the [ORGANISATION_1]."


@pytest.mark.parametrize(
    "text",
    [
        "тел. 0700123456 Лейла ждёт", "тел. 0555123456\nЛариса", "call 0555123456 Mark", "87011234567 часто занят",
        "0555123456 day or night", "+996\u2011555\u201112\u201134\u201156", "0555\u2212123\u2212456 звоните",
    ],
)  # fmt: skip
def test_a_number_is_hidden_whatever_word_follows_and_whichever_dash_it_has(text: str) -> None:
    hidden = redact(text).text
    assert not any(character.isdigit() for character in hidden.replace("_1]", ""))


@pytest.mark.parametrize("text", ["долг 5000000 сом", "40 000 копий", "получил 250000000 сум", "1500 лей в месяц"])
def test_sums_stay(text: str) -> None:
    assert redact(text).text == f"{text} a"


def test_minimal_hides_a_name_that_an_institution_covers() -> None:
    text = "В чате «Айгуль Садыкова» написала, что Садыкова ждёт 12.03.2024"
    minimal = REDACTOR.hiding_only(["PERSON", "PHONE"]).redact(reading(text)).text
    assert "Айгуль" not in minimal
    assert "Садыкова" not in minimal
    assert "12.03.2024" in minimal


def test_a_redaction_without_end_is_refused() -> None:
    class Restless:
        name, entity_types, source = "restless", ("PERSON",), "test"

        def find(self, text: str, language: str = "") -> list[Entity]:
            return [Entity(Span(at, at + 1), "PERSON", 1.0, "test") for at in range(len(text)) if text[at].isalpha()][
                :1
            ]

    with pytest.raises(RedactionUnsettled):
        Redactor([Restless()]).redact(reading("очень длинный рассказ " * 10))


def test_one_endless_word_costs_no_memory() -> None:
    assert "[PERSON_1]" in redact(f"Пришла Айгуль Нурланова. А{'б' * 50_000}").text


def test_placeholders_with_large_numbers_are_kept() -> None:
    assert redact("[PERSON_9999] видела Айгуль").text.startswith("[PERSON_9999] видела [PERSON_10000]")
