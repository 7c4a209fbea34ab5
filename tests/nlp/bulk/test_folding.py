from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nlp.bulk.folding import composed, fold_label, has_word, without_marks

ANY_TIME = settings(deadline=None)

LETTERS = "абвёЁеЕqQiIİıßțșəƏґїўҳӣ ,.;:-–—()«»'ʻ’12"


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Physical violence", "  physical   VIOLENCE "),
        ("Отчёт не дали", "отчет не дали."),
        ("ВИЧ-инфицированный", "ВИЧ – инфицированный"),
        ("O‘zbek", "o'zbek"),
        ("Мавжуд эмас", "мавжуд\u00a0эмас"),
        ("İSTİNTAQ", "istintaq"),
        ("Qızıl", "QIZIL"),
        ("ﬁne", "fine"),
        ("отказ\u00ad", "отказ"),
        ("\ufeffrefused", "refused"),
        ("«побои»", "побои"),
        ("(1)", "1)"),
        ("- избиение", "избиение"),
        ("დაპატიმრება!", "დაპატიმრება"),
        ("ծեծ։", "ծեծ"),
    ],
)
def test_labels_that_say_the_same_are_the_same(one: str, other: str) -> None:
    assert fold_label(one) == fold_label(other)


@pytest.mark.parametrize(
    ("one", "other"), [("-9", "9"), ("1-2", "1 2"), ("health.denial", "health denial"), ("+", "-"), ("A1", "A-1")]
)
def test_codes_that_differ_stay_different(one: str, other: str) -> None:
    assert fold_label(one) != fold_label(other)


def test_a_run_of_marks_without_end_is_folded_piece_by_piece() -> None:
    text = "a\u0316\u0301" * 3 + "\u0316\u0301" * 50_000
    assert composed(f"  {text}\n b") == f"{composed(text)} b"
    assert len(fold_label(text)) > 1_000


@pytest.mark.parametrize("sign", ["-", "—", "?", "..."])
def test_nothing_but_punctuation_is_still_something(sign: str) -> None:
    assert fold_label(sign)
    assert not has_word(sign)


@ANY_TIME
@given(st.text(LETTERS))
def test_folding_twice_changes_nothing(text: str) -> None:
    assert fold_label(fold_label(text)) == fold_label(text)


@ANY_TIME
@given(st.text(LETTERS, min_size=1))
def test_case_never_matters(text: str) -> None:
    assert fold_label(text) == fold_label(text.lower())


@pytest.mark.parametrize(
    ("typed", "bare"), [("română", "romana"), ("ţara", "tara"), ("država", "drzava"), ("gjuhë", "gjuhe"), ("й", "й")]
)
def test_latin_letters_lose_their_marks_and_cyrillic_ones_do_not(typed: str, bare: str) -> None:
    assert without_marks(typed) == bare


@pytest.mark.parametrize("doubtful", ["police?", "police ?", "Police??", "police\uff1f", "?police"])
def test_a_label_with_a_question_mark_is_not_the_label(doubtful: str) -> None:
    assert fold_label(doubtful) != fold_label("police")
