from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nlp.errors import LanguageNotServed, NarrativeEmpty, NarrativeTooLong, NarrativeUnreadable
from nlp.language import detect_language
from nlp.reading import Reader
from nlp.types import Narrative

READER = Reader(languages=("en", "ru"), max_characters=10_000)


@pytest.mark.parametrize(
    ("text", "error"),
    [
        ("", NarrativeEmpty),
        (" \n\t ", NarrativeEmpty),
        ("😀 😀!!! 123", NarrativeEmpty),
        ("a" * 100_000, NarrativeTooLong),
        ("врач \ud800 отказал", NarrativeUnreadable),
        ("врач \0 отказал", NarrativeUnreadable),
        ("Der Arzt hat mich nicht behandelt und war sehr böse mit mir, das ist nicht gut.", LanguageNotServed),
        ("他们拒绝给他治疗因为他有艾滋病", LanguageNotServed),
    ],
)
def test_text_that_cannot_be_analyzed_is_refused(text, error):
    with pytest.raises(error) as caught:
        READER.read(Narrative(text))
    assert "Arzt" not in str(caught.value)
    assert len(str(caught.value)) > 40  # a sentence that says what to do


@pytest.mark.parametrize("language", ["ru", "RU", "ru-RU", "ru_KZ"])
def test_stated_language_may_have_a_region(language):
    assert READER.read(Narrative("врач отказал", language=language)).language == "ru"


def test_stated_language_is_believed():
    assert READER.read(Narrative("Der Arzt hat mich nicht behandelt und war sehr böse", language="en")).language == "en"


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("The doctor refused to treat her because she has HIV.", "en"),
        ("Врач отказался её лечить, узнав про диагноз.", "ru"),
        ("врач отказал", "ru"),
        (
            "Поехала с ним за город, там было четверо, не отпускали до утра, серёжки отобрали. В полицию идти боится.",
            "ru",
        ),
        ("Пациентката отишла в болницата, но лекарят ѝ отказал и се върна без помощ", "bg"),
        ("refused at clinic, CD4 200", "en"),
        ("Клієнтка прийшла до лікарні, але їй відмовили у прийомі", "uk"),
        ("Medicul a refuzat să o trateze pentru că are HIV", "ro"),
        ("ექიმმა უარი თქვა მკურნალობაზე", "ka"),
        ("Բժիշկը հրաժարվեց բուժել նրան", "hy"),
        ("Həkim onu qəbul etmədi və qapını göstərdi", "az"),
        ("Дәрігер оны қабылдамады және есікті көрсетті", "kk"),
        ("Дарыгер аны кабыл алган жок жана эшикти көрсөттү", "ky"),
        ("Духтур ӯро қабул накард ва ба мо гуфт, ки ҷой нест", "tg"),
        ("Shifokor uni qabul qilmadi va bu yerda joy yo‘q deb aytdi", "uz"),
        ("Mjeku nuk e pranoi dhe i tha se nuk ka vend për të", "sq"),
        ("Lekar je odbio da je primi jer je rekla da ima HIV", "sr"),
        ("Лекарот не сакаше да ја прими и ѝ рече дека нема место", "mk"),
        ("Der Arzt hat sie nicht behandelt und war sehr böse", "de"),
        ("پزشک او را نپذیرفت", None),
        ("12 345", None),
    ],
)
def test_language_is_recognized(text, language):
    assert detect_language(text) == language


@pytest.mark.parametrize(
    ("text", "sentences"),
    [
        ("He left. She stayed.", ["He left.", "She stayed."]),
        ("Врач И. Петрова с ул. Абая ушла. Потом позвонила.", ["Врач И. Петрова с ул. Абая ушла.", "Потом позвонила."]),
        ("first line\nsecond line", ["first line", "second line"]),
        ("Он сказал: «Уходи!» Я ушла", ["Он сказал: «Уходи!»", "Я ушла"]),
        ("  one  ", ["one"]),
        ("!!! ... \n what", ["what"]),
        ("გავიდა სახლიდან. ექიმი მოვიდა, ქ. თბილისი.", ["გავიდა სახლიდან.", "ექიმი მოვიდა, ქ. თბილისი."]),
        ("Գնամ տուն։ Բժիշկը եկավ: Նա լռեց։", ["Գնամ տուն։", "Բժիշկը եկավ:", "Նա լռեց։"]),
    ],
)
def test_sentences(text, sentences):
    reading = READER.read(Narrative(text, language="en"))
    assert [text[span.start : span.end] for span in reading.sentences] == sentences


@given(
    st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=200).map(
        lambda text: "a" + text
    )
)
def test_sentences_are_apart_in_order_and_lose_no_letter(text):
    sentences = READER.read(Narrative(text, language="en")).sentences
    ends = [0, *(span.end for span in sentences)]
    assert all(before <= span.start for before, span in zip(ends, sentences, strict=False))
    inside = {at for span in sentences for at in range(span.start, span.end)}
    assert all(at in inside for at, character in enumerate(text) if character.isalnum())
