from __future__ import annotations

import numpy as np
import pytest

from nlp.reading import Reader
from nlp.redaction import replace
from nlp.redaction.second_look import second_look
from nlp.types import Entity, Narrative, Span


def doubted(text, *hidden, language="ru", outside=None):
    reading = Reader(languages=(language,), max_characters=10_000).read(Narrative(text, language=language))
    entities = [Entity(Span(text.index(word), text.index(word) + len(word)), "PERSON", 1.0, "test") for word in hidden]
    spans = second_look(reading, replace(text, entities), outside)
    return [text[span.start : span.end] for span in spans]


@pytest.mark.parametrize(
    ("language", "text", "word"),
    [
        ("ru", "пришла вчера айгуль с мужем", "айгуль"),
        ("ru", "Позвонил Рахимов и пришёл", "Рахимов"),
        ("en", "then gulnora was asked to leave", "gulnora"),
        ("kk", "Кеше Айгүлге айтты", "Айгүлге"),
        ("ka", "უთხრა ნინოს გუშინ", "ნინოს"),
    ],
)
def test_listed_names_are_pointed_at_in_any_case(language, text, word):
    assert doubted(text, language=language) == [word]


@pytest.mark.parametrize("text", ["была надежда на помощь", "Вера в людей осталась", "Врач отказал ему в приёме"])
def test_words_are_left_alone(text):
    assert doubted(text) == []


def test_digits_without_a_reason_are_pointed_at():
    assert doubted("звонила на 55512, получила 50000 сом, нагрузка 40000 копий") == ["55512"]


def test_what_is_hidden_is_not_pointed_at():
    assert doubted("пришла айгуль, айгуль [PERSON_3]", "айгуль") == ["айгуль"]
    assert doubted("пришла айгуль [PERSON_3]", "айгуль") == []


def test_where_the_encoder_half_believes():
    text = "Пришёл сосед с дачи"
    outside = np.ones(len(text))
    outside[7:12] = 0.4
    assert doubted(text, outside=outside) == ["сосед"]
