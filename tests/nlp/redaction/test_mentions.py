import pytest

from nlp.redaction.mentions import PersonIndex, find_mentions, stem, surface_key
from nlp.types import Entity, Span


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Нурланова", "Нурлановой"), ("Айгуль", "Aigul"), ("Гульнара", "Gulnara"), ("Нурланов", "Нурланову"),
        ("Ольга", "Ольге"), ("Инга", "Ингой"),
        ("Алёна", "Алене"), ("Дмитрий", "Дмитрия"), ("Тигран", "Tigran"), ("Мадина", "Мадину"),
    ],
)  # fmt: skip
def test_forms_of_one_name_share_a_stem(one: str, other: str) -> None:
    assert stem(one) == stem(other)


@pytest.mark.parametrize(("one", "other"), [("Иван", "Иванова"), ("Айгуль", "Айнура"), ("Անահիտ", "Գոհար")])
def test_different_names_have_different_stems(one: str, other: str) -> None:
    assert stem(one) != stem(other)


@pytest.mark.parametrize(
    ("mentions", "numbers"),
    [
        (["Aigul Sadykova", "Aigul", "Sadykova"], "000"),
        (["Айгуль Садыкова", "Айгуль", "Aigul"], "000"),
        (["Aigul Sadykova", "Marat Sadykov"], "01"),
        (["А. Садыкова", "М. Садыков"], "01"),
        (["А. Садыкова", "Айгуль Садыкова", "Садыковой"], "000"),
        (["Айгуль", "Мадина", "Айгуль"], "010"),
        (["Sadykov", "Marat Sadykov", "Aigul Sadykova"], "001"),
    ],
)
def test_same_person_same_number(mentions: list[str], numbers: str) -> None:
    index = PersonIndex()
    assert [index.key(mention) for mention in mentions] == list(numbers)


def entity(text: str, words: str) -> Entity:
    start = text.index(words)
    return Entity(Span(start, start + len(words)), "PERSON", 0.9, "test")


@pytest.mark.parametrize(
    ("text", "known", "again"),
    [
        ("Айгуль Нурланова пришла. Нурлановой отказали.", "Айгуль Нурланова", ["Нурлановой"]),
        ("Гульнора ушла. Gulnora came back.", "Гульнора", ["Gulnora"]),
        ("Zhyldyz rings. then zhyldyz cries", "Zhyldyz", ["zhyldyz"]),
        ("Надежда пришла. У неё была надежда.", "Надежда", []),
        ("Rose came. He rose late.", "Rose", []),
        ("Нурланова пришла. Нурлонова ждала.", "Нурланова", ["Нурлонова"]),
        ("Qodirova came. Then Qdoirova left.", "Qodirova", ["Qdoirova"]),
        ("Садыкова, Садыква и Садыккова", "Садыкова", ["Садыква", "Садыккова"]),
        ("Марина пришла. Корина ушла, Карина осталась.", "Марина", []),
    ],
)
def test_a_found_person_is_found_again(text: str, known: str, again: list[str]) -> None:
    mentions = find_mentions(text, [entity(text, known)])
    assert [text[mention.span.start : mention.span.end] for mention in mentions] == again


def test_without_a_person_there_are_no_mentions() -> None:
    assert find_mentions("Aigul came", []) == []


def test_spelling_does_not_make_two_values() -> None:
    assert surface_key("+996 555 01-02") == surface_key("+99655501 02")
