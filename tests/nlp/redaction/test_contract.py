"""What every registered recognizer promises."""

import time

import pytest

from nlp.codebook import Codebook
from nlp.redaction import Recognizer, all_recognizers, recognizers_for
from nlp.redaction.base import compile_folded, fold_case

ALL = list(all_recognizers().values())
SAMPLE = (
    "Айгуль Нурланова, 34 года, Ош, ул. Ленина 5, кв. 12, тел. +996 555 010 203, паспорт AN1234567, 12.03.2024; "
    "write to a.b@posta.example or @rosa_88, plate 01KG 123 ABC, clinic No 4, IP 198.51.100.7, ნინო ბერიძე."
)
HOSTILE = (
    "1", " ", "A", "a", "Ж", ".", "@", '"', "«", "\n", "-", "/", "_", ":", "+", "(1)", "1 ", "A ", "Aa ", "Жж ",
    "A. ", "1.", "1-", "a@", "a.", "№1 ", "CARD ", "Aaa-", "тел ", "ул. ", "born ", "http://", "ა", "улу ", "May ",
    "12/", "AB12 ", "t.me/",
)  # fmt: skip


@pytest.mark.parametrize("recognizer", ALL, ids=lambda recognizer: recognizer.name)
def test_recognizer_has_name_known_types_and_source(recognizer: Recognizer, codebook: Codebook) -> None:
    assert recognizer.name
    assert recognizer.source
    assert recognizer.entity_types
    assert set(recognizer.entity_types) <= {identifier.id for identifier in codebook.identifiers}


@pytest.mark.parametrize("recognizer", ALL, ids=lambda recognizer: recognizer.name)
def test_recognizer_finds_nothing_in_nothing(recognizer: Recognizer) -> None:
    assert list(recognizer.find("")) == []


@pytest.mark.parametrize("recognizer", ALL, ids=lambda recognizer: recognizer.name)
def test_entities_lie_in_the_text_and_have_the_promised_types(recognizer: Recognizer) -> None:
    for entity in recognizer.find(SAMPLE):
        assert entity.span.end <= len(SAMPLE)
        assert entity.type in recognizer.entity_types
        assert 0 < entity.score <= 1
        assert entity.source == recognizer.name


@pytest.mark.parametrize("recognizer", ALL, ids=lambda recognizer: recognizer.name)
def test_recognizer_is_deterministic(recognizer: Recognizer) -> None:
    assert list(recognizer.find(SAMPLE)) == list(recognizer.find(SAMPLE))


@pytest.mark.slow  # measures time, by ratio
@pytest.mark.parametrize("recognizer", ALL, ids=lambda recognizer: recognizer.name)
def test_time_grows_with_the_length_of_hostile_text_and_no_faster(recognizer: Recognizer) -> None:
    recognizer.find(SAMPLE)  # loads lists and dictionaries
    for seed in HOSTILE:
        text = (seed * 20_000)[:20_000]
        start = time.perf_counter()
        recognizer.find(text)
        # Quadratic patterns take minutes here, linear ones hundredths of a second; slow machines are given room.
        assert time.perf_counter() - start < 1.5, f"slow on {seed!r}"


def test_only_recognizers_of_wanted_types_are_used() -> None:
    assert {recognizer.name for recognizer in recognizers_for(["EMAIL"])} == {"email"}
    assert recognizers_for([]) == ()


def test_folding_keeps_offsets() -> None:
    assert fold_case("İzmir Äß ЁЖ") == "İzmir äß ёж"


def test_folded_pattern_keeps_its_escapes() -> None:
    assert compile_folded(r"(?P<entity>ИИН\D\S)").fullmatch("иин x") is not None
