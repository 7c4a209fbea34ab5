from __future__ import annotations

import random
import re

import pytest
from stdnum import luhn
from stdnum.iso7064 import mod_97_10

from nlp.redaction.recognizers.national import is_jmbg, is_kz_iin, is_md_idnp, is_ua_rntrc, is_uz_pinfl
from training.refill.contacts import contact
from training.refill.dates import new_age, new_date
from training.refill.numbers import bank, document, ip, national_id, phone


def _rng(seed):
    return random.Random(seed)  # noqa: S311 - draws of a test, no secret


DRAWS = 40


def _shape(value):
    return re.sub(r"[A-Z]", "A", re.sub(r"[А-ЯІЇЄ]", "Я", re.sub(r"\d", "0", value)))


@pytest.mark.parametrize(
    ("old", "kept"),
    [
        ("+996 709 318 845", "+996 709 "),
        ("+380 68 290 71 35", "+380 68 "),
        ("+374 93 41-27-60", "+374 93 "),
        ("(099) 713 48 02", "(099) "),
        ("8 705\n341 77 02", "8 705\n"),
    ],
)
def test_phone_keeps_country_operator_and_shape(old, kept):
    for seed in range(DRAWS):
        new = phone(old, _rng(seed), "Kazakhstan")
        assert new != old
        assert new.startswith(kept)
        assert _shape(new) == _shape(old)


@pytest.mark.parametrize(
    ("old", "country", "is_valid"),
    [
        ("970822351409", "Kazakhstan", is_kz_iin),
        ("31509860230071", "Uzbekistan", is_uz_pinfl),
        ("1234567899", "Ukraine", is_ua_rntrc),
        ("2003014067186", "Moldova", is_md_idnp),
        ("0101006500006", "North Macedonia", is_jmbg),
    ],
)
def test_half_of_the_national_numbers_pass_the_check_that_the_old_one_passed(old, country, is_valid):
    valid_old = next(number for tail in range(100) if is_valid(number := f"{old[:-2]}{tail:02}"))
    drawn = [national_id(valid_old, _rng(seed), country) for seed in range(DRAWS)]
    assert valid_old not in drawn
    assert DRAWS // 4 < sum(map(is_valid, drawn)) < DRAWS
    assert {_shape(number) for number in drawn} == {_shape(valid_old)}


def test_valid_card_and_account_stay_valid():
    for seed in range(DRAWS):
        card = bank("4111 1111 1111 1111", _rng(seed))
        assert luhn.is_valid(card.replace(" ", ""))
        account = bank("GE29 NB00 0000 0101 9049 17", _rng(seed)).replace(" ", "")
        assert account.startswith("GE")
        assert mod_97_10.is_valid(account[4:] + account[:4])


@pytest.mark.parametrize(
    ("old", "pattern"),
    [
        ("nr. 77, seria K", r"nr\. \d\d, seria [A-Z]"),
        ("№ 2(103)-418/2025", r"№ \d\(\d{3}\)-\d{3}/\d{4}"),
        ("ID 2207418", r"ID \d{7}"),
        ("01 KG 482 AEM", r"\d\d KG \d{3} [A-Z]{3}"),
        ("СА 7701 КР", r"[А-ЯІ]{2} \d{4} [А-ЯІ]{2}"),
        ("АА 0418256", r"[А-ЯІ]{2} \d{7}"),
    ],
)
def test_document_keeps_its_shape(old, pattern):
    for seed in range(DRAWS):
        new = document(old, _rng(seed))
        assert new != old
        assert re.fullmatch(pattern, new)


@pytest.mark.parametrize(
    ("old", "pattern"),
    [
        ("203.0.113.118", r"203\.0\.\d{1,3}\.\d{1,3}"),
        ("A4:C1:38:5E:07:9B", r"([0-9A-F]{2}:){5}[0-9A-F]{2}"),
        ("2001:db8:7a::19", r"\d{4}:[a-f]{2}\d:\d[a-f]::\d\d"),
        ("356938104427715", r"356938\d{9}"),
    ],
)
def test_network_address_keeps_its_kind(old, pattern):
    new = ip(old, _rng(3))
    assert new != old
    assert re.fullmatch(pattern, new)


@pytest.mark.parametrize(
    ("old", "pattern"),
    [
        ("kami.uka97@gmail.com", r"[a-z]+\.[a-z]+\d\d@gmail\.com"),
        ("@aika_8_etaj", r"@[a-z]+_\d_[a-z]+"),
        ("https://t.me/bishkek_noch_417/88", r"https://t\.me/[a-z]+_[a-z]+_\d{3}/\d\d"),
        ("www.rezultate-ftiz.md/f/55827", r"www\.[a-z]+-[a-z]+\.md/f/\d{5}"),
        ("lara.kimchi.osh", r"[a-z]+\.[a-z]+\.[a-z]+"),
    ],
)
def test_address_on_the_net_keeps_provider_and_signs(old, pattern):
    for seed in range(DRAWS):
        new = contact(old, _rng(seed), "Kyrgyzstan", {})
        assert new != old
        assert re.fullmatch(pattern.replace("/f/", "/[a-z]/"), new)


def test_address_made_of_a_name_follows_the_name():
    new = contact("luka.g@post.example", _rng(1), "Serbia", {"luka": "marko"})
    assert new.startswith("marko.")


@pytest.mark.parametrize(
    ("language", "old", "pattern"),
    [
        ("ru", "12 февраля", r"\d\d? (января|марта|апреля|мая|июня|июля|августа|сентября|октября|ноября|декабря)"),
        ("ru", "03.05.1972", r"\d\d\.\d\d\.19\d\d"),
        ("en", "2nd September 2024", r"\d\d?(st|nd|rd|th) [JFMAOND][a-z]+ 202\d"),
        ("en", "1984-06-02", r"19\d\d-\d\d-\d\d"),
        ("en", "the sixth of March", r"the [a-z]+ of [A-Z][a-z]+"),
        ("kk", "21 сәуірде", r"\d\d? \w+[дт][ае]"),
        ("ky", "12-февралда", r"\d\d?-\w+[дт][аеоө]"),
        ("uz", "2025-yil 15-may", r"202\d-yil \d\d?-[a-z]+"),
        ("az", "5 noyabr 2024-cü il", r"\d\d? [a-z]+ (202[126]-c[iı]|202[34]-cü|2025-ci) il"),
        ("ka", "21 მაისს", r"\d\d? \w+ს"),
        ("hy", "մարտի 11", r"\w+ի \d\d?"),
        ("sr", "7. 8.", r"\d\d?\. \d\d?\."),
        ("sr-cyrl", "21. априла", r"\d\d?\. [а-яј]+a?а"),
        ("sq", "27 shtatorit", r"\d\d? \w+t"),
        ("mk", "12 март", r"\d\d? \w+"),
        ("uk", "3 лютого", r"\d\d? \w+[яа]"),
        ("ro", "14 martie", r"\d\d? \w+"),
        ("tg", "4 апрели соли 2025", r"\d\d? \w+и соли 202\d"),
    ],
)
def test_date_keeps_its_wording(language, old, pattern):
    for seed in range(DRAWS):
        new = new_date(old, _rng(seed), language)
        assert new != old
        assert re.fullmatch(pattern, new), new


@pytest.mark.parametrize(
    ("old", "allowed"),
    [
        ("31 год", lambda age: age % 10 == 1 and 18 <= age <= 70),
        ("52 года", lambda age: age % 10 in (2, 3, 4) and 18 <= age <= 70),
        ("25 лет", lambda age: (age % 10 in (0, 5, 6, 7, 8, 9)) and 18 <= age <= 70),
        ("12 лет", lambda age: 5 <= age <= 17),
        ("3 года", lambda age: age in (2, 4)),
    ],
)
def test_age_agrees_with_its_word(old, allowed):
    for seed in range(DRAWS):
        number, word = new_age(old, _rng(seed), "ru").split()
        assert word == old.split()[1]
        assert allowed(int(number))
        assert number != old.split()[0]


def test_suffix_of_an_age_still_fits():
    assert all(new_age("22де", _rng(seed), "ky").endswith("2де") for seed in range(DRAWS))


def test_age_in_words_stays():
    assert new_age("шестьдесят три", _rng(1), "ru") == "шестьдесят три"


@pytest.mark.parametrize(
    ("language", "old", "low", "high"),
    [
        ("en", "34 years, today", 18, 70),
        ("en", "34, on Monday", 18, 70),
        ("ru", "34 года, местная", 18, 70),
        ("uk", "34 роки, місто", 18, 70),
        ("en", "8 months", 1, 11),
        ("en", "9-day-old", 1, 11),
        ("ru", "5 мес.", 1, 11),
        ("ru", "8-месячный", 1, 11),
        ("uk", "6 місяців", 1, 11),
        ("uz", "5 oylik", 1, 11),
        ("en", "16-year-old", 11, 17),
        ("ru", "14 лет", 11, 17),
        ("en", "9 years", 1, 10),
    ],
)
def test_age_stays_among_its_like(language, old, low, high):
    for seed in range(DRAWS):
        new = new_age(old, _rng(seed), language)
        assert re.sub(r"\d+", "", new) == re.sub(r"\d+", "", old)
        assert low <= int(re.search(r"\d+", new)[0]) <= high
