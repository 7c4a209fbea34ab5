from __future__ import annotations

import random
import re

import pytest

from nlp.pseudonyms.declension import analyses
from nlp.pseudonyms.lexicon import known
from nlp.pseudonyms.pools import COUNTRIES, CULTURES, place_names, pool
from nlp.pseudonyms.spelling import respell
from nlp.pseudonyms.wording import like
from nlp.types import Entity, Span
from training.corpus import Case, case_from_json, case_json
from training.marking import read_marked
from training.refill import HEAVY, Refiller
from training.refill.places import Places


def _rng(seed):
    return random.Random(seed)  # noqa: S311 - draws of a test, no secret


def _case(marked, language, country=None, case_id="x-y-1"):
    """A case of text with inline marks."""
    (item,) = read_marked(f"@@ {case_id}\n---\n{marked}\n")
    entities = tuple(Entity(Span(start, end), label, 1.0, "gold") for start, end, label in item.spans)
    evidence = {"violation": {code: (item.text[start:end],) for start, end, code in item.evidence}}
    codes = {"violation": frozenset(code for _, _, code in item.evidence)}
    return Case(case_id, language, item.text, codes, evidence=evidence, entities=entities, country=country)


def _values(case):
    return [case.text[entity.span.start : entity.span.end] for entity in case.entities]


def _refilled(marked, language, country=None, seed=1):
    return Refiller(seed=seed).refill(_case(marked, language, country))


def test_narratives_survive_heavy_noise(narratives, codebook):
    refiller = Refiller(seed=3, noise=HEAVY)
    for case in narratives[::5]:
        made = refiller.refill(case)
        again = case_from_json(case_json(made), codebook, "refilled", 1)
        assert len(again.entities or ()) == len(case.entities or ())
        assert again.codes == case.codes


def test_nearly_every_identifier_differs_and_the_text_around_them_stays(narratives):
    refiller = Refiller(seed=1)
    for case in narratives[::6]:
        made = refiller.refill(case)
        assert _around(made) == _around(case)
        for by_code in made.evidence.values():
            assert all(stretch in made.text for stretches in by_code.values() for stretch in stretches)
    tally = refiller.tally
    assert tally.swapped["PERSON"] > 100
    for kind in ("PERSON", "PHONE", "LOCATION", "DATE", "DOCUMENT", "NATIONAL_ID", "EMAIL", "HANDLE", "BANK"):
        assert tally.swapped[kind] >= 0.97 * (tally.swapped[kind] + tally.unchanged[kind]), kind
    assert tally.people_told > 0.8 * tally.people


def _around(case):
    edges = [0, *(edge for entity in case.entities for edge in (entity.span.start, entity.span.end)), len(case.text)]
    return [case.text[start:end] for start, end in zip(edges[::2], edges[1::2], strict=True)]


def test_same_seed_same_copy_and_other_seed_other_copy():
    case = _case("[[PERSON:Айгуль Нурланова]] из [[LOCATION:Оша]], [[PHONE:+996 555 01 02 03]]", "ru", "Kyrgyzstan")
    assert Refiller(seed=1).refill(case) == Refiller(seed=1).refill(case)
    assert Refiller(seed=1).refill(case).text != Refiller(seed=2).refill(case).text
    assert Refiller(seed=1).refill(case, 0).text != Refiller(seed=1).refill(case, 1).text


def test_copy_belongs_to_its_original():
    case = _case("[[PERSON:Айгуль]] {{health.denial|не приняли}}.", "ru", "Kyrgyzstan", case_id="ru-a-1")
    made = Refiller(seed=1).refill(case, copy=2)
    assert (made.case_id, made.translation_of, made.source) == ("ru-a-1+2", "ru-a-1", "refilled")
    assert made.codes == case.codes
    assert made.evidence == case.evidence


def test_evidence_that_cuts_through_a_name_holds_the_whole_new_name():
    case = _case("Врач {{health.denial|[[PERSON:Айгуль Нурланова]] отказала}} в приёме.", "ru", "Kyrgyzstan")
    cut = Case(
        "a", "ru", case.text, case.codes, evidence={"violation": {"health.denial": ("Нурланова отказала",)}},
        entities=case.entities, country="Kyrgyzstan",
    )  # fmt: skip
    made = Refiller(seed=1).refill(cut)
    assert made.evidence["violation"]["health.denial"] == (f"{_values(made)[0]} отказала",)


def test_case_without_marks_stays():
    case = Case("a", "ru", "Врач отказал.", {"violation": None}, entities=None)
    made = Refiller(seed=1).refill(case)
    assert made.text == case.text
    assert made.entities is None


SAME_ENDING = [
    ("ru", "Kyrgyzstan", "от [[PERSON:Нурлановой]]", r"\w+(?:ов|ев|ёв)ой"),
    ("ru", "Ukraine", "к [[PERSON:Ткачуку]]", r"\w+[ую]ку"),
    ("ru", "Kazakhstan", "с [[PERSON:Маратом Каримовым]]", r"\w+(?:ом|ем|ём|ей|ой) \w+(?:ов|ев|ёв)ым"),
    ("ru", "Armenia", "у [[PERSON:Геворгяна]]", r"[\w-]+яна"),
    ("ru", "Kazakhstan", "для [[PERSON:Сауле Маратовны]]", r"\w+ \w+овны"),
    ("uk", "Ukraine", "від [[PERSON:Шевченка]]", r"\w+енка"),
    ("uk", "Ukraine", "з [[PERSON:Левицькою]]", r"\w+ською"),
    ("kk", "Kazakhstan", "[[PERSON:Омаровтың]] үйі", r"\w+овтың"),
    ("ky", "Kyrgyzstan", "[[PERSON:Асановдун]] үйү", r"\w+овдун"),
    ("az", "Azerbaijan", "[[PERSON:Əliyevin]] evi", r"\w+yevin"),
    ("uz", "Uzbekistan", "[[PERSON:Karimovning]] uyi", r"\w+ovning"),
    ("hy", "Armenia", "[[PERSON:Գրիգորյանը]] եկավ", r"[\w-]+յանը"),
    ("ka", "Georgia", "[[PERSON:ანა ბერიძემ]] თქვა", r"\w+ \w+მა?"),
    ("sr", "Serbia", "od [[PERSON:Jovanovića]]", r"\w+ića"),
    ("kk", "Kazakhstan", "[[PERSON:Нұрбектің]] досы", r"\w+[ндт][ыі]ң"),
    ("tg", "Tajikistan", "[[PERSON:Парвизро]] дид", r"\w+ро"),
    ("sq", "Albania", "me [[PERSON:Mirelën]]", r"\w+n"),
    ("mk", "North Macedonia", "ајде, [[PERSON:Билјано]]!", r"\w+[ое]"),
    ("ro", "Moldova", "casa [[PERSON:Mariei]]", r"\w+(?:ei|ăi)"),
    ("en", "Georgia", "[[PERSON:Nino]]'s husband", r"\w+"),
]


@pytest.mark.parametrize(("language", "country", "marked", "pattern"), SAME_ENDING)
def test_grammatical_case_is_kept(language, country, marked, pattern):
    for seed in range(8):
        (new,) = _values(_refilled(marked, language, country, seed))
        assert re.fullmatch(pattern, new), new


@pytest.mark.parametrize(
    ("language", "country", "marked", "gender"),
    [
        ("ru", "Kyrgyzstan", "[[PERSON:Айгуль]] пришла", "f"),
        ("ru", "Kazakhstan", "[[PERSON:Ерлан]] пришёл", "m"),
        ("en", "Georgia", "[[PERSON:Ketevan]] came", "f"),
        ("uk", "Ukraine", "[[PERSON:Остап]] прийшов", "m"),
        ("kk", "Kazakhstan", "[[PERSON:Айгерім]] келді", "f"),
        ("uz", "Uzbekistan", "[[PERSON:Sherzod]] keldi", "m"),
        ("sr", "Bosnia and Herzegovina", "[[PERSON:Lejla]] je došla", "f"),
        ("sq", "Albania", "[[PERSON:Blerta]] erdhi", "f"),
    ],
)
def test_gender_is_kept(language, country, marked, gender):
    for seed in range(8):
        (new,) = _values(_refilled(marked, language, country, seed))
        assert gender in {entry.gender for entry in known(new, language, "given", country)}


@pytest.mark.parametrize("old", ["Парвине", "Мадины", "Фирузу"])
def test_inflected_given_name_does_not_become_a_surname(old):
    for seed in range(8):
        (new,) = _values(_refilled(f"к [[PERSON:{old}]]", "ru", "Tajikistan", seed))
        readings = analyses("ru", new, "given")
        assert any(known(reading.lemma, "ru", "given", "Tajikistan") for reading in readings), new


def test_one_person_keeps_one_new_name_in_all_forms_and_scripts():
    made = _refilled(
        "[[PERSON:Айгуль Нурланова]] звонила. От [[PERSON:Нурлановой]] пришло письмо: [[PERSON:Nurlanova A.]] "
        "Подпись: [[PERSON:А. Нурланова]].",
        "ru",
        "Kyrgyzstan",
    )
    full, genitive, latin, initial = _values(made)
    given_name, surname = full.split()
    assert genitive == f"{surname[:-1]}ой"
    assert initial == f"{given_name[0]}. {surname}"
    assert latin.split()[0][0] == respell(surname, "ru", "en")[0]
    assert latin.split()[0].endswith("a")
    assert latin.endswith(".")


def test_brother_and_sister_keep_one_surname():
    brother, sister = _values(_refilled("[[PERSON:Нурлан Асанов]] и [[PERSON:Айгуль Асанова]]", "ru", "Kyrgyzstan"))
    assert sister.split()[1] == f"{brother.split()[1]}а"


def test_two_people_do_not_become_one():
    names = _values(_refilled("[[PERSON:Айгуль]], [[PERSON:Бакыт]], [[PERSON:Жылдыз]], [[PERSON:Нурлан]]", "ru"))
    assert len(set(names)) == len(names)


def test_short_name_becomes_a_short_name():
    made = _values(_refilled("[[PERSON:Света]] и [[PERSON:Коля]]", "ru", "Ukraine"))
    assert made[0] not in pool("uk").women
    assert len(set(made)) == 2


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [("АЙГУЛЬ", "Бермет", "БЕРМЕТ"), ("айгуль", "Бермет", "бермет"), ("Айгуль", "Бермет", "Бермет"), ("А", "Б", "Б")],
)
def test_capitals_are_kept(old, new, expected):
    assert like(old, new, "ru") == expected


def test_text_without_marks_on_letters_gets_names_without_them():
    text = "dogru deyirem ki bu gun de hekim meni qebul etmedi ve qovdu [[PERSON:mehriban]] [[PERSON:elcin]]"
    assert all(name.isascii() for seed in range(8) for name in _values(_refilled(text, "az", "Azerbaijan", seed)))


@pytest.mark.parametrize(
    ("language", "country", "before", "old", "pattern"),
    [
        ("ru", "Kazakhstan", "в ", "Караганде", r"[\w-]+(?:е|и|ах|ом|ы|у|о|ой)"),
        ("ru", "Moldova", "в ", "Сороку", r"[\w-]+"),
        ("kk", "Kazakhstan", "", "Таразда", r"[\w-]+[дт][ае]"),
        ("ky", "Kyrgyzstan", "", "Ошко", r"[\w-]+[кг][аеоө]"),
        ("uz", "Uzbekistan", "", "Xivadan", r"\w+dan"),
        ("ka", "Georgia", "", "ბათუმში", r"\w+ში"),
        ("hy", "Armenia", "", "Երևանից", r"\w+ից"),
        ("az", "Azerbaijan", "", "Şəkidə", r"\w+d[aə]"),
        ("sq", "Albania", "në ", "Tiranë", r"[\w-]+"),
        ("sr", "Serbia", "u ", "Beogradu", r"\w+[ui]"),
        ("en", "Georgia", "in ", "KUTAISI", r"[A-Z-]+"),
        ("tg", "Tajikistan", "", "шаҳри Панҷакент", r"шаҳри \w+"),
    ],
)
def test_place_is_swapped_in_its_case(language, country, before, old, pattern):
    for seed in range(8):
        places = Places(language, country, _rng(seed))
        text = before + old
        new = places.location(text, len(before), len(text))
        assert new != old
        assert re.fullmatch(pattern, new), new


@pytest.mark.parametrize(
    ("language", "country", "old", "pattern"),
    [
        ("ru", "Kyrgyzstan", "поликлиника №4", r"поликлиника №\d"),
        ("ru", "Ukraine", "фонд «Явір»", r"фонд «[\w -]+»"),
        ("ru", "Kazakhstan", "Абайский РОВД", r"\w+ский РОВД"),
        ("en", "Ukraine", "Zhytomyr City Hospital No 7", r"Zhytomyr City Hospital No \d"),
        ("en", "Moldova", "Cahul District Hospital", r"[\w -]+ District Hospital"),
        ("ky", "Kyrgyzstan", "16-колонияда", r"\d{1,2}-колонияда"),
        ("sq", "Albania", 'IEVP "Lugina"', r'IEVP "[\w -]+"'),
    ],
)
def test_institution_keeps_the_words_for_its_kind(language, country, old, pattern):
    for seed in range(8):
        new = Places(language, country, _rng(seed)).organisation(old)
        assert new != old
        assert re.fullmatch(pattern, new), new


@pytest.mark.parametrize(
    ("language", "country", "old", "pattern"),
    [
        ("ru", "Kyrgyzstan", "ул. Тыныстанова, 209", r"ул\. [\w ]+, \d{1,3}"),
        ("ru", "Ukraine", "улице Первомайской, 63", r"улице \w+ой, \d{1,2}"),
        ("en", "Georgia", "Gorgiladze Street 57, flat 4", r"[\w -]+ Street \d{1,2}, flat \d"),
        ("ro", "Moldova", "str. Lomonosov 33, ap. 16", r"str\. [\w -]+ \d{1,2}, ap\. \d{1,2}"),
        ("ru", "Ukraine", "второй дом за элеватором", r"второй дом за элеватором"),
    ],
)
def test_address_keeps_the_words_for_street_and_flat(language, country, old, pattern):
    for seed in range(8):
        assert re.fullmatch(pattern, Places(language, country, _rng(seed)).address(old))


@pytest.mark.parametrize("culture", [culture for culture in CULTURES if culture != "ko"])
def test_lists_of_names_are_long_enough(culture):
    names = pool(culture)
    assert min(len(names.men), len(names.women)) >= 60
    assert len(names.surnames) >= 80


@pytest.mark.parametrize("country", COUNTRIES)
@pytest.mark.parametrize("spelling", ["ru", "en"])
def test_lists_of_places_are_long_enough(country, spelling):
    assert len(place_names(country, spelling)) >= 40


def test_reading_of_a_foreign_word_does_not_fail():
    assert analyses("en", "Okafor")


@pytest.mark.parametrize("language", ["tr", "zz", ""])
@pytest.mark.parametrize(
    ("name", "place", "letters"),
    [("Mehmet Aydin", "Izmir", "[A-Z][A-Za-z'-]+"), ("Айгуль Ким", "Ош", "[А-ЯЁ][А-яЁё-]+")],
)
def test_text_of_a_language_without_lists_keeps_its_script(language, name, place, letters):
    marked = f"[[PERSON:{name}]] [[LOCATION:{place}]] [[ORGANISATION:{place}]] [[DATE:3.4.2024]] [[AGE:30]]"
    for seed in range(4):
        values = _values(_refilled(marked, language, None, seed))
        assert re.fullmatch(f"{letters}(?: {letters})*", values[0]), values[0]
        assert re.fullmatch(f"{letters}(?: {letters})*", values[1]), values[1]
        assert values[0] != name and values[1] != place


def test_spelling_that_is_not_known_leaves_the_word():
    assert respell("Айгуль", "ru", "zz") == "Айгуль"
    assert respell("Mehmet", "tr", "zz") == "Mehmet"
