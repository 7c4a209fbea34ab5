from __future__ import annotations

import pytest

from nlp.bulk.facts_columns import facts_columns
from nlp.bulk.languages_and_countries import country_called, language_called
from nlp.errors import TableError
from nlp.pseudonyms.pools import COUNTRIES

SERVED = ("en", "ru", "uk", "ro", "ka", "hy", "az", "kk", "ky", "tg", "uz", "sq", "sr", "mk")


@pytest.mark.parametrize(
    ("code", "names"),
    [
        ("en", "en, ENG, English, английский, en-GB, Английский язык"),
        ("ru", "ru, rus, RU-ru, Russian, русский, Русский язык, російська мова, limba rusă, орыс тілі, rus dili"),
        ("uk", "uk, ukr, Ukrainian, украинский, українська, Українська мова, укр."),
        ("ro", "ro, ron, rum, mo, Romanian, румынский, молдавский, română, limba romana, moldovenească"),
        ("ka", "ka, kat, geo, Georgian, грузинский, ქართული, ქართული ენა"),
        ("hy", "hy, hye, arm, Armenian, армянский, հայերեն"),
        ("az", "az, aze, Azerbaijani, азербайджанский, Azərbaycan dili, AZƏRBAYCAN DİLİ, azerbaycan"),
        ("kk", "kk, kaz, Kazakh, казахский, қазақ тілі, қазақша"),
        ("ky", "ky, kir, Kyrgyz, киргизский, кыргызский, кыргыз тили, кыргызча"),
        ("tg", "tg, tgk, Tajik, таджикский, тоҷикӣ, забони тоҷикӣ"),
        ("uz", "uz, uzb, uz_Cyrl, Uzbek, узбекский, o'zbek, O‘zbek tili, oʻzbekcha, ўзбекча, ӯзбекӣ"),
        ("sq", "sq, sqi, alb, Albanian, албанский, shqip, gjuha shqipe"),
        ("sr", "sr, srp, Serbian, сербский, српски, srpski jezik, bosanski, hr, crnogorski"),
        ("mk", "mk, mkd, mac, Macedonian, македонский, македонски јазик"),
    ],
)
def test_languages_are_known_by_code_and_by_name(code: str, names: str) -> None:
    assert {name: language_called(name) for name in names.split(", ")} == dict.fromkeys(names.split(", "), code)


@pytest.mark.parametrize(
    ("code", "names"),
    [
        ("UA", "UA, ukr, Ukraine, Украина, Україна"),
        ("MD", "MD, MDA, Moldova, Молдова, Республика Молдова, Republica Moldova, Молдавия"),
        ("GE", "ge, GEO, Georgia, Грузия, საქართველო"),
        ("AM", "am, ARM, Armenia, Армения, Հայաստան"),
        ("AZ", "az, AZE, Azerbaijan, Азербайджан, Azərbaycan, AZƏRBAYCAN"),
        ("KZ", "kz, KAZ, Kazakhstan, Казахстан, РК, Қазақстан"),
        ("KG", "kg, KGZ, Kyrgyzstan, Киргизия, Кыргызская Республика, Кыргызстан"),
        ("TJ", "tj, TJK, Tajikistan, Таджикистан, Тоҷикистон"),
        ("UZ", "uz, UZB, Uzbekistan, Узбекистан, O‘zbekiston, Ўзбекистон"),
        ("AL", "al, ALB, Albania, Албания, Shqipëria, shqiperia"),
        ("BA", "ba, BIH, Bosnia and Herzegovina, Босния и Герцеговина, Bosna i Hercegovina"),
        ("ME", "me, MNE, Montenegro, Черногория, Crna Gora, Црна Гора"),
        ("MK", "mk, MKD, North Macedonia, Северная Македония, Северна Македонија"),
        ("RS", "rs, SRB, Serbia, Сербия, Србија, Srbija"),
    ],
)
def test_countries_are_known_by_code_and_by_name(code: str, names: str) -> None:
    assert {name: country_called(name) for name in names.split(", ")} == dict.fromkeys(names.split(", "), code)


def test_every_country_that_the_software_knows_has_a_code() -> None:
    assert len({country_called(country) for country in COUNTRIES} - {None}) == len(COUNTRIES)


@pytest.mark.parametrize(
    "cell", ["", "-", "ru/kk", "русский, казахский", "?", "Мавлюда", "x" * 500, "123", "не указан"]
)
def test_what_is_no_one_language_is_not_understood(cell: str) -> None:
    assert language_called(cell) is None


@pytest.mark.parametrize("cell", ["", "-", "Бишкек", "Europe", "UAE", "UA, KZ", "XX"])
def test_what_is_no_country_of_ours_is_not_understood(cell: str) -> None:
    assert country_called(cell) is None


@pytest.mark.parametrize(
    ("columns", "language_at", "country_at"),
    [
        (["id", "text", "Language", "Country"], 2, 3),
        (["Язык", "Страна", "текст"], 0, 1),
        (["текст", "МОВА", "Країна"], 1, 2),
        (["text", "limba", "Țara"], 1, 2),
        (["text", "LIMBĂ", "tara"], 1, 2),
        (["მოთხრობა", "ენა", "ქვეყანა"], 1, 2),
        (["տեքստ", "լեզու", "երկիր"], 1, 2),
        (["mətn", "DİL", "Ölkə"], 1, 2),
        (["мәтін", "Тілі", "Ел"], 1, 2),
        (["окуя", "тил", "өлкө"], 1, 2),
        (["матн", "забон", "кишвар"], 1, 2),
        (["matn", "til", "Davlat"], 1, 2),
        (["teksti", "gjuha", "shteti"], 1, 2),
        (["opis", "jezik", "Drzava"], 1, 2),
        (["опис", "језик", "држава"], 1, 2),
        (["text_language", "text", "country_code"], 0, 2),
        (["text", "region"], None, None),
    ],
)
def test_columns_are_found_by_their_usual_names(
    columns: list[str], language_at: int | None, country_at: int | None
) -> None:
    found = facts_columns(columns, served=SERVED)
    assert (found.language_at, found.country_at) == (language_at, country_at)


def test_columns_are_taken_as_asked_for() -> None:
    columns = ["text", "L1", "language", "where"]
    found = facts_columns(columns, served=SERVED, language_column="l1", country_column="4")
    assert (found.language_at, found.country_at) == (1, 3)
    assert len(found.notes) == 2


def test_none_leaves_a_column_unused() -> None:
    found = facts_columns(["text", "language", "country"], served=SERVED, language_column="None", country_column="none")
    assert (found.language_at, found.country_at, found.notes) == (None, None, [])
    assert found.read(["x", "ru", "KZ"]).language is None


def test_a_column_with_another_use_is_left_alone_or_refused() -> None:
    assert facts_columns(["language", "text"], served=SERVED, taken=[0]).language_at is None
    with pytest.raises(TableError, match="--language-column: column 1 has another use"):
        facts_columns(["language", "text"], served=SERVED, language_column="1", taken=[0])


def test_one_column_is_not_both() -> None:
    with pytest.raises(TableError, match="--country-column"):
        facts_columns(["text", "which"], served=SERVED, language_column="2", country_column="2")


def test_a_column_that_is_not_there_is_refused_without_the_names_of_others() -> None:
    with pytest.raises(TableError) as caught:
        facts_columns(["text", "Гульнара"], served=SERVED, country_column="land")
    assert "'land'" in str(caught.value)
    assert "1 text, 2" in str(caught.value)
    assert "Гульнара" not in str(caught.value)


def test_rows_say_their_language_and_country_and_the_rest_is_counted() -> None:
    found = facts_columns(["text", "language", "country"], served=("en", "ru"))
    rows = [("русский", "Казахстан"), ("kk", "KZ"), ("German", "Atlantis"), ("", None), ("EN", " ge ")]
    said = [found.read(["x", *row]) for row in rows]
    assert [(item.language, item.country) for item in said] == [
        ("ru", "KZ"),
        (None, "KZ"),
        (None, None),
        (None, None),
        ("en", "GE"),
    ]
    assert found.to_json() == {
        "language": {"column": 2, "given": 2, "not_served": 1, "not_understood": 1},
        "country": {"column": 3, "given": 3, "not_understood": 1},
    }


def test_what_was_not_understood_is_told_without_the_words() -> None:
    found = facts_columns(["text", "language", "country"], served=("en",))
    for cell in ("Зулфия", "Зулфия", "uz"):
        found.read(["x", cell, "Зулфия"])
    said = " ".join(found.warnings)
    assert "not understood in 2 row(s)" in said
    assert "does not serve in 1 row(s)" in said
    assert "country column was not understood in 3 row(s)" in said
    assert "Зулфия" not in said + repr(found)
