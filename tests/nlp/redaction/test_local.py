"""Words of each language: towns, names and everyday words in the forms that people write. All people are invented."""

from __future__ import annotations

import pytest

from nlp.reading import Reader
from nlp.redaction import Redactor, all_recognizers
from nlp.redaction.local import LANGUAGES, fold, is_everyday, local_words
from nlp.types import Narrative

REDACTOR = Redactor(tuple(all_recognizers().values()))


def redacted(text: str, language: str) -> str:
    reading = Reader(languages=(language,)).read(Narrative(text, language=language))
    return REDACTOR.redact(reading).text


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_language_has_all_kinds_of_words(language):
    local = local_words(language)
    assert local is not None
    for words, least in (
        (local.places, 150), (local.given, 250), (local.surnames, 80), (local.common, 500), (local.endings, 20),
    ):  # fmt: skip
        assert len(words) >= least


@pytest.mark.parametrize("language", LANGUAGES)
def test_no_everyday_word_is_a_listed_given_name(language):
    local = local_words(language)
    assert local is not None
    assert not set(local.common) & local.given


def test_language_without_a_list_has_no_words():
    assert local_words("en") is None
    assert local_words("") is None


@pytest.mark.parametrize(
    ("language", "text", "place"),
    [
        ("kk", "Ол былтыр Балқашта тұрды.", "Балқаш"),
        ("kk", "Қарағандыдағы емхана оны қабылдамады.", "Қарағанды"),
        ("ka", "კლიენტი გურჯაანში ცხოვრობს.", "გურჯაან"),
        ("hy", "Նա ապրում է Կապանում։", "Կապան"),
        ("sq", "E dërguan në Tiranë për analizë.", "Tiranë"),
        ("sr", "Живела је у Нишу код тетке.", "Нишу"),
        ("uz", "U Fargʻonada ishlagan.", "Fargʻona"),
        ("uz", "У Фарғонада ишлаган.", "Фарғона"),
        ("ky", "Ал Баткенден келген.", "Баткен"),
        ("uk", "Вона живе у Борисполі.", "Бориспол"),
        ("az", "O, Sumqayıtda yaşayır.", "Sumqayıt"),
    ],
)  # fmt: skip
def test_towns_are_found_with_the_endings_of_their_language(language, text, place):
    assert place not in redacted(text, language)


@pytest.mark.parametrize(
    ("language", "text"),
    [
        ("mk", "Поднесе жалба до Министерството и до Комисијата за заштита од дискриминација."),
        ("sr", "Притужба је поднета Заштитнику грађана и Министарству здравља."),
        ("sq", "Ankesa iu dërgua Avokatit të Popullit dhe Komisionerit për Mbrojtjen nga Diskriminimi."),
        ("ky", "Кардар Саламаттыкты сактоо министрлигине арыз жазды."),
        ("uz", "Mijoz Sogʻliqni saqlash vazirligiga shikoyat yozdi."),
        ("tg", "Мизоҷ ба Вазорати тандурустӣ шикоят кард."),
        ("uk", "Заявниця написала скаргу до Міністерства охорони здоров'я."),
    ],
)
def test_everyday_words_and_bodies_of_the_state_stay(language, text):
    assert redacted(text, language) == text


@pytest.mark.parametrize(
    ("language", "text", "kept", "hidden"),
    [
        ("uz", "Онаси Ҳабибахон келди.", "Онаси", "Ҳабибахон"),
        ("az", "Qonşu Pərvanə səsi eşidib.", "Qonşu", "Pərvanə"),
        ("mk", "Снаата Цветанка не дојде.", "Снаата", "Цветанка"),
    ],
)
def test_the_word_that_says_who_somebody_is_stays_beside_the_name(language, text, kept, hidden):
    found = redacted(text, language)
    assert kept in found
    assert hidden not in found


def test_patronymic_belongs_to_the_name():
    assert "qızı" not in redacted("Məhkum Kərimova Solmaz Adil qızı ərizə yazıb.", "az")


def test_words_are_found_as_hurried_people_type_them():
    assert fold("Fargʻona") == fold("fargona")
    assert fold("Қарағанды") == fold("караганды")
    assert fold("Ştefan") == fold("stefan")


def test_name_that_is_no_word_is_no_everyday_word():
    assert is_everyday("Ministry", "en")
    assert is_everyday("Министрлик", "ky")
    assert not is_everyday("Айгүл", "ky")


def test_surname_in_small_letters_after_a_title_is_hidden():
    assert "kolmačić" not in redacted("u petak sam zvala dr kolmačić, nije se javio niko iz ambulante", "sr")
    assert "тымченко" not in redacted("вчера врач тымченко сказал что мест нет и не будет", "ru")


def test_words_between_two_parts_of_an_address_are_hidden_with_it():
    text = "Живёт: ул. Мамбетова 14, вход от двора, кв. 6."
    assert redacted(text, "ru").count("[ADDRESS_") == 1
