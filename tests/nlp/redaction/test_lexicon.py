import pytest

from nlp.redaction.lexicon import case_forms, is_common, is_harmless, load_words, russian_word


@pytest.mark.parametrize(
    ("name", "least"),
    [
        ("given_names.txt", 1200),
        ("places.txt", 500),
        ("harmless.txt", 500),
        ("english.txt", 3000),
        ("russian.txt", 500),
    ],
)
def test_lists_have_their_size_and_clean_entries(name: str, least: int) -> None:
    words = load_words(name)
    assert len(set(words)) >= least
    assert all(word == word.strip() and "#" not in word for word in words)


@pytest.mark.parametrize("name", ["english.txt", "russian.txt"])
def test_common_words_are_in_lower_case(name: str) -> None:
    assert all(word == word.lower() for word in load_words(name))


def test_no_entry_mixes_scripts() -> None:
    for name in ("given_names.txt", "places.txt", "russian.txt"):
        for word in load_words(name):
            assert not (
                any("a" <= letter <= "z" for letter in word.lower())
                and any("а" <= letter <= "я" for letter in word.lower())
            )


def test_countries_are_no_places() -> None:
    assert not {"Казахстан", "Kazakhstan", "Россия", "Georgia", "Молдова"} & set(load_words("places.txt"))


@pytest.mark.parametrize(
    ("word", "form"),
    [
        ("Москва", "Москве"),
        ("Ош", "Оше"),
        ("Казань", "Казани"),
        ("Черкассы", "Черкассах"),
        ("Рудный", "Рудном"),
        ("Оргеев", "Оргееве"),
    ],
)
def test_case_forms_have(word: str, form: str) -> None:
    assert form in case_forms(word)


@pytest.mark.parametrize(("word", "no_form"), [("Ош", "Ошибка"), ("Ниш", "Нищ"), ("Rome", "Romani"), ("Baku", "bakes")])
def test_case_forms_have_not(word: str, no_form: str) -> None:
    assert no_form not in case_forms(word)


@pytest.mark.parametrize(
    "word", ["Казахстане", "HIV", "ВИЧ-положительный", "Telegram", "Конституции", "Muslims", "Police"]
)
def test_harmless(word: str) -> None:
    assert is_harmless(word)


@pytest.mark.parametrize("word", ["Айгуль", "Sona", "Бишкек"])
def test_not_harmless(word: str) -> None:
    assert not is_harmless(word)


@pytest.mark.parametrize(
    ("word", "common"), [("Потом", True), ("Doctor's", True), ("Нурланова", False), ("Sherzod", False)]
)
def test_common(word: str, common: bool) -> None:
    assert is_common(word) is common


@pytest.mark.parametrize(
    ("word", "reading"), [("слова", "word"), ("оксана", "name"), ("казань", "place"), ("хрумбель", "unknown")]
)
def test_russian_reading(word: str, reading: str) -> None:
    assert russian_word(word).reading == reading
