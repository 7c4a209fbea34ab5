"""Names beside words that look like names. All people are invented."""

import pytest

from nlp.reading import Reader
from nlp.redaction import Redactor, all_recognizers, resolve
from nlp.redaction.recognizers.georgian import GEORGIAN
from nlp.redaction.recognizers.names import NAMES
from nlp.types import Narrative


def names(text: str) -> list[str]:
    """Every name as it is hidden: overlapping finds as their union."""
    return [text[entity.span.start : entity.span.end] for entity in resolve(NAMES.find(text))]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("Ко мне пришла Айгуль Нурланова.", ["Айгуль Нурланова"]),
        ("Вчера звонили Айгуль.", ["Айгуль"]),
        ("Айгуль пришла вечером.", ["Айгуль"]),
        ("я пишу про снежану из хостела", ["снежану"]),
        ("врач Садыкова отказала", ["Садыкова"]),
        ("судья Мороз отказал", ["Мороз"]),
        ("Директор Л. Гуцу перевела", ["Л. Гуцу"]),
        ("Акушерка Б. сказала", ["Б."]),
        ("клиент Зураб К. пришёл", ["Зураб К."]),
        ("Тогда Бермет Акматовна пришла", ["Бермет Акматовна"]),
        ("позывной Ветер", ["Ветер"]),
        ("Рустам-ака пришёл", ["Рустам"]),
        ("Там был Taalaibek uulu Ermek.", ["Taalaibek uulu Ermek"]),
        ("and then Sherzod came", ["Sherzod"]),
        ("the doctor called Levan's wife", ["Levan"]),
        ("Dr. Petrosyan refused", ["Petrosyan"]),
        ("APPLICANT: GULNARA ASANOVA, HIV", ["GULNARA ASANOVA"]),
        ("У неё осталась только вера.", []),
        ("Надежда умирает последней.", []),
        ("Он сказал про СПИД-центр.", []),
        ("У клиентки ВИЧ, она пьёт АРТ.", []),
        ("He went to the Head Doctor.", []),
        ("The Constitution and the Labor Code", []),
        ("He wrote on WhatsApp and Telegram.", []),
        ("Nobody helped. Everybody laughed.", []),
        ("Каждый вторник. Потом домой.", []),
        ("She takes Tenofovir and Biseptol.", []),
        ("a Kyrgyz Muslim family", []),
        ("гепатит C. Потом АРТ.", []),
        ("", []),
    ],
)
def test_name(text: str, found: list[str]) -> None:
    assert names(text) == found


def test_a_word_that_the_text_uses_in_lower_case_is_no_name() -> None:
    assert names("Reservation was refused, though the reservation was paid and the client waited.") == []


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("გუშინ ნინო ბერიძემ დაწერა", ["ნინო ბერიძემ"]),
        ("ექიმმა გიორგიმ უარი თქვა", ["გიორგიმ"]),
        ("ექიმმა უარი თქვა მკურნალობაზე", []),
    ],
)
def test_name_in_georgian_letters(text: str, found: list[str]) -> None:
    assert [text[entity.span.start : entity.span.end] for entity in resolve(GEORGIAN.find(text))] == found


@pytest.mark.parametrize(
    ("language", "text"),
    [
        ("ru", "Пенсионерка из Жамбылской области ждала ответа"),
        ("ru", "Юрист подал жалобу в Специальную следственную службу"),
        ("en", "He came from a village in the Sumy region of the country"),
        ("ky", "Кечээ бул киши ОЗТга кирүүгө арыз берген, АРТта жүрөт"),
        ("uz", "Xotini Xorazm viloyatidan kelgan"),
    ],
)
def test_regions_institutions_and_abbreviations_are_no_names(language, text):
    reading = Reader(languages=(language,), max_characters=1_000).read(Narrative(text, language=language))
    assert Redactor(all_recognizers().values()).redact(reading).text == text
