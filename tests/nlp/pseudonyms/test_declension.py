from __future__ import annotations

import pytest

from nlp.pseudonyms.declension import analyses, form

FORMS = [
    ("ru", "Нурланова", "gen", "f", "surname", "Нурлановой"),
    ("ru", "Айгуль", "gen", "f", "given", "Айгули"),
    ("ru", "Бакыт", "ins", "m", "given", "Бакытом"),
    ("ru", "Шевченко", "gen", "m", "surname", "Шевченко"),
    ("ru", "Петров", "plgen", "m", "surname", "Петровых"),
    ("ru", "Полтава", "acc", "m", "place", "Полтаву"),
    ("ru", "Джалал-Абад", "loc", "m", "place", "Джалал-Абаде"),
    ("uk", "Ольга", "dat", "f", "given", "Ользі"),
    ("uk", "Андрій", "ins", "m", "given", "Андрієм"),
    ("uk", "Шевченко", "gen", "m", "surname", "Шевченка"),
    ("uk", "Шевченко", "gen", "f", "surname", "Шевченко"),
    ("uk", "Левицька", "ins", "f", "surname", "Левицькою"),
    ("uk", "Київ", "gen", "m", "place", "Києва"),
    ("uk", "Тернопіль", "loc", "m", "place", "Тернополі"),
    ("sr", "Marko", "dat", "m", "given", "Marku"),
    ("sr", "Petar", "gen", "m", "given", "Petra"),
    ("sr", "Jovanović", "ins", "m", "surname", "Jovanovićem"),
    ("sr", "Jovanović", "ins", "f", "surname", "Jovanović"),
    ("sr-cyrl", "Јелена", "acc", "f", "given", "Јелену"),
    ("bs", "Lejla", "gen", "f", "given", "Lejle"),
    ("mk", "Билјана", "voc", "f", "given", "Билјано"),
    ("mk", "Стојан", "acc", "m", "given", "Стојана"),
    ("ro", "Maria", "gen", "f", "given", "Mariei"),
    ("ro", "Anca", "gen", "f", "given", "Ancăi"),
    ("sq", "Mirela", "gen", "f", "given", "Mirelës"),
    ("sq", "Arben", "acc", "m", "given", "Arbenin"),
    ("sq", "Tiranë", "def", "m", "place", "Tirana"),
    ("kk", "Нұрбек", "gen", "m", "given", "Нұрбектің"),
    ("kk", "Бақытгүл", "gen", "f", "given", "Бақытгүлдің"),
    ("kk", "Алматы", "loc", "m", "place", "Алматыда"),
    ("kk", "Арман", "abl", "m", "given", "Арманнан"),
    ("ky", "Ош", "dat", "m", "place", "Ошко"),
    ("ky", "Айгүл", "gen", "f", "given", "Айгүлдүн"),
    ("ky", "Кара-Балта", "adj", "m", "place", "Кара-Балтадагы"),
    ("uz", "Oybek", "dat", "m", "given", "Oybekka"),
    ("uz", "Qoʻqon", "adj", "m", "place", "Qoʻqondagi"),
    ("uz-cyrl", "Ҳалима", "gen", "f", "given", "Ҳалиманинг"),
    ("az", "Aysu", "dat", "f", "given", "Aysuya"),
    ("az", "Günel", "gen", "f", "given", "Günelin"),
    ("az", "Bakı", "loc", "m", "place", "Bakıda"),
    ("tg", "Парвиз", "acc", "m", "given", "Парвизро"),
    ("ka", "ნიკოლოზ", "nom", "m", "given", "ნიკოლოზი"),
    ("ka", "ანა", "gen", "f", "given", "ანას"),
    ("ka", "აბაშიძე", "gen", "m", "surname", "აბაშიძის"),
    ("ka", "თბილისი", "in", "m", "place", "თბილისში"),
    ("ka", "სამტრედია", "abl", "m", "place", "სამტრედიიდან"),
    ("hy", "Նարեկ", "def", "m", "given", "Նարեկը"),
    ("hy", "Անահիտ", "abl", "f", "given", "Անահիտից"),
    ("hy", "Երևան", "loc", "m", "place", "Երևանում"),
    ("en", "Aigul", "gen", "f", "given", "Aigul"),
]


@pytest.mark.parametrize(("language", "lemma", "case", "gender", "kind", "inflected"), FORMS)
def test_name_takes_its_case(language, lemma, case, gender, kind, inflected):
    assert form(language, lemma, case, gender, kind) == inflected


# Where a vowel or consonant changes inside the word, the form is known from the lists and not cut back to a lemma.
ALTERNATING = ("Київ", "Тернопіль", "Ольга", "Petar", "Джалал-Абад")


@pytest.mark.parametrize(
    ("language", "lemma", "case", "kind", "inflected"),
    [
        (language, lemma, case, kind, inflected)
        for language, lemma, case, _, kind, inflected in FORMS
        if lemma != inflected and lemma not in ALTERNATING
    ],
)
def test_inflected_name_is_read_back(language, lemma, case, kind, inflected):
    assert (lemma, case) in {(reading.lemma, reading.case) for reading in analyses(language, inflected, kind)}
