from __future__ import annotations

import time
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nlp.types import Span
from nlp.view import normalize

ANY_TEXT = st.text(max_size=100) | st.text(st.sampled_from("aаHН\u0301\u0306и1١９\u200b\u00ad 𝐀ᲐοΑ"), max_size=40)


@given(ANY_TEXT)
def test_offsets_are_monotone_and_total(text):
    view = normalize(text)
    assert len(view.starts) == len(view.ends) == len(view.text)
    assert list(view.starts) == sorted(view.starts)
    assert list(view.ends) == sorted(view.ends)
    assert all(0 <= start < end <= len(text) for start, end in zip(view.starts, view.ends, strict=True))
    covered = {at for start, end in zip(view.starts, view.ends, strict=True) for at in range(start, end)}
    assert all(at in covered for at, character in enumerate(text) if character.isalnum())


@given(ANY_TEXT, st.data())
def test_range_of_the_view_comes_back_from_what_it_stands_for(text, data):
    view = normalize(text)
    if not view.text:
        return
    start = data.draw(st.integers(0, len(view.text) - 1))
    end = data.draw(st.integers(start + 1, len(view.text)))
    first, last = view.within(view.received(start, end))
    assert first <= start
    assert end <= last


@given(ANY_TEXT)
def test_view_of_a_view_is_itself(text):
    once = normalize(text).text
    assert normalize(once).text == once


@pytest.mark.parametrize(
    ("text", "seen"),
    [
        ("+９９６ 700", "+996 700"),
        ("٠١٢٣", "0123"),
        ("tel\u200b. +9\u00ad96", "tel. +996"),
        ("И\u0306ошкар", "Йошкар"),
        ("Нурла\u0301нова", "Нурланова"),  # where the stress is
        ("Ҷӣ \u0438\u0304", "Ҷӣ ӣ"),
        ("Hурланова", "Нурланова"),  # a Latin letter at its head
        ("Нuрланова", "Нuрланова"),  # no look-alike: u stays
        ("Аnna", "Anna"),  # a Cyrillic letter at its head
        ("ВИЧ HIV", "ВИЧ HIV"),
        ("HIVположительный", "HIVположительный"),  # two words in two scripts
        ("Αnna", "Anna"),  # Greek
        ("𝐀𝐧𝐧𝐚", "Anna"),
        ("ᲔᲥᲘᲛᲘ", "ექიმი"),
    ],
)
def test_what_hides_a_word_from_a_pattern_is_undone(text, seen):
    assert normalize(text).text == seen


@pytest.mark.parametrize("form", ["NFC", "NFD", "NFKC", "NFKD"])
@pytest.mark.parametrize(
    "text", ["Ёлкин и Йованов", "Ștefan țării", "Şəhla Gülər", "Đorđe Šešelj", "Ӣлҳом Ӯктам", "Нүрбек Өмүр"]
)
def test_letters_are_the_same_in_every_form(text, form):
    assert normalize(unicodedata.normalize(form, text)).text == text


def test_span_of_a_composed_letter_has_its_marks():
    text = "г. И\u0306ошкар\u0301!"
    view = normalize(text)
    start = view.text.index("Йошкар")
    assert view.received(start, start + 6) == Span(3, 11)


def test_span_of_invisible_characters_alone_is_empty():
    assert normalize("\u200b\u200bb").within(Span(0, 2)) == (0, 0)


def test_a_million_marks_take_no_longer_than_a_million_letters():
    started = time.perf_counter()
    view = normalize("a" + "\u0301" * 1_000_000 + "b")
    assert view.text == "áb"
    assert time.perf_counter() - started < 20
