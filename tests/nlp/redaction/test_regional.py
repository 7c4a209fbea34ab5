"""Identifiers as people of each country write them, found by rules alone. All people and numbers are invented."""

from __future__ import annotations

import pytest

from nlp.reading import Reader
from nlp.redaction import Redactor, all_recognizers
from nlp.redaction.regional import any_of, words_of
from nlp.types import Narrative

REDACTOR = Redactor(tuple(all_recognizers().values()))


def hidden(text, language):
    reading = Reader(languages=(language,)).read(Narrative(text, language=language))
    return REDACTOR.redact(reading).text


@pytest.mark.parametrize(
    ("language", "text", "words"),
    [
        ("uk", "Живе на вул. Зеленій 12, кв. 5, 34-річна. Прийшла 11 березня, тел. o67 41О 28 96.",
         ["Зеленій 12", "кв. 5", "34", "11 березня", "67 41"]),
        ("ro", "Locuiește pe str. Viilor 12, ap. 4. În 9.VII a venit la spitalul nr. 3, tel. 0723.51O.948.",
         ["Viilor 12", "ap. 4", "9.VII", "spitalul nr. 3", "0723"]),
        ("ka", "ცხოვრობს გურამიშვილის გამზირი 24, ბ. 5, 22 წლის, 5 მარტს მივიდა N5 საჯარო სკოლაში, პირადობა 22IF80416.",
         ["გამზირი 24", "22 წლის", "5 მარტს", "N5", "22IF80416"]),
        ("hy", "Նա ապրում է Տերյան փողոց 12, բն. 5, 34 տարեկան, հունվարի 11-ին եկավ թիվ 4 պոլիկլինիկա, քարտ՝ ՄԿ-0417։",
         ["փողոց 12", "34 տարեկան", "հունվարի 11", "թիվ 4", "0417"]),
        ("az", "Nizami küç. 118, 34 yaşında, 6 noyabr 2024-cü il tarixində 3 saylı poliklinikaya gəlib, FİN 7QX2M4D.",
         ["küç. 118", "34 yaşında", "6 noyabr", "3 saylı", "7QX2M4D"]),
        ("kk", "Абай көшесі 15, 27 жаста, 11 қаңтарда № 5 емханаға барды, тел 8-701-ноль 68-55-12.",
         ["көшесі 15", "27 жаста", "11 қаңтар", "№ 5", "701"]),
        ("ky", "Манас көчөсү 41, 16-октябрда келди, 31 жашта, арыз КУИ-ОШ/2-7714.",
         ["көчөсү 41", "16-октябр", "31 жашта", "7714"]),
        ("tg", "Дар кӯчаи Борбад 22 зиндагӣ мекунад, 29 сола, 14 феврал омад, тел. (918)60-70-2I4.",
         ["Борбад 22", "29 сола", "14 феврал", "918"]),
        ("uz", "U Navoiy koʻchasi 12-uy, 34 yoshda. 20-fevral kuni 17-sonli maktabga bordi, mashina 20 618 RKA.",
         ["koʻchasi 12", "34 yoshda", "20-fevral", "17-sonli", "20 618 RKA"]),
        ("sq", "Jeton në Rr. Fishta nr. 12, 33 vjeç, më 12 maj, nr. pers. J25604031R, zvoni nula sedum osum, 402 119.",
         ["Fishta nr. 12", "33 vjeç", "12 maj", "J25604031R", "nula", "402 119"]),
        ("sr", "Živi u ulici Kralja Petra 12, stan 4, 4.3. otišla u dom zdravlja br. 2, karton S-118.",
         ["Petra 12", "4.3", "br. 2", "S-118"]),
        ("mk", "Живее на ул. Пиринска 12, 20 мај, тел. 075 904 22 O7, таблица ШТ 2081 АА.",
         ["Пиринска 12", "20 мај", "904", "2081"]),
    ],
)  # fmt: skip
def test_identifiers_of_each_country_are_hidden(language, text, words):
    redacted = hidden(text, language)
    assert not [word for word in words if word in redacted], redacted


@pytest.mark.parametrize(
    ("language", "text"),
    [
        ("uz", "Unga 300 000 soʻm berishdi, CD4 350 edi, 139-modda bilan."),
        ("ro", "I-au dat 500 lei și 2 pastile de 300 mg, art. 135."),
        ("sr", "Dali su joj 300 evra i rekli da dođe za 2 dana u 10 časova."),
        ("kk", "Оған 20 000 теңге және 2 таблетка берді, 139-бап."),
        ("en", "One two or three of them came, and the doctor gave her two pills of 300 mg."),
        ("ru", "Раз, два, три раза просили, потом дали пять таблеток по 300 мг и двадцать тысяч сом."),
    ],
)
def test_sums_doses_and_counts_stay(language, text):
    assert hidden(text, language) == text


def test_words_of_a_kind_are_told_and_an_unknown_kind_is_an_error():
    assert "ноль" in words_of("digits")
    assert any_of("phone").count("|") > 30
    with pytest.raises(KeyError):
        words_of("nothing")
