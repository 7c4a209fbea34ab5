"""Other dates and ages in the wording of the old: formats, month forms and the agreement of numbers are kept."""

from __future__ import annotations

import re
from random import Random

from nlp.pseudonyms.dates import DAY, NUMERIC, WORD, YEAR, az_ordinals, english_ordinal, in_month, month_of, padded
from nlp.pseudonyms.wording import like

_ORDINALS = {
    "en": "first second third fourth fifth sixth seventh eighth ninth tenth eleventh twelfth thirteenth fourteenth "
    "fifteenth sixteenth seventeenth eighteenth nineteenth twentieth",
    "ru": "первого второго третьего четвёртого пятого шестого седьмого восьмого девятого десятого одиннадцатого "
    "двенадцатого тринадцатого четырнадцатого пятнадцатого шестнадцатого семнадцатого восемнадцатого двадцатого",
    "uk": "першого другого третього четвертого п'ятого шостого сьомого восьмого дев'ятого десятого одинадцятого "
    "дванадцятого тринадцятого чотирнадцятого п'ятнадцятого двадцятого",
}
_NOW = 2026


def _swap_month(word: str, spelling: str, rng: Random) -> str | None:
    at = month_of(word, spelling)
    return None if at is None else in_month(word, rng.choice([month for month in range(12) if month != at]), spelling)


def new_date(old: str, rng: Random, spelling: str, *, of_birth: bool = False) -> str:
    """Another day in the same wording; a year of birth stays within a dozen years, another within two."""
    numeric = NUMERIC.search(old)
    if numeric is not None:
        return old[: numeric.start()] + _numeric(numeric, rng, of_birth=of_birth) + old[numeric.end() :]
    new = WORD.sub(lambda match: _swap_month(match[0], spelling, rng) or _ordinal(match[0], spelling, rng), old)
    new = YEAR.sub(lambda match: _year(match[0], rng, of_birth=of_birth), new)
    new = DAY.sub(lambda match: _day(match, rng), new)
    return az_ordinals(new) if spelling == "az" else new


def _numeric(match: re.Match[str], rng: Random, *, of_birth: bool) -> str:
    is_first = match["y1"] is not None
    day, month, year = (match[name + ("1" if is_first else "2")] for name in ("d", "m", "y"))
    separator = match["s1"] or match["s2"]
    new_day, new_month = padded(rng.randrange(1, 29), day), padded(rng.randrange(1, 13), month)
    if int(month) > 12:  # month first
        new_day, new_month = padded(rng.randrange(1, 13), day), padded(rng.randrange(13, 29), month)
    if is_first:
        return separator.join((_year(year, rng, of_birth=of_birth), new_month, new_day))
    parts = [new_day, new_month, *([_year(year, rng, of_birth=of_birth)] if year else [])]
    return separator.join(parts)


def _year(old: str, rng: Random, *, of_birth: bool) -> str:
    if len(old) == 2:
        return f"{(int(old) + rng.choice((-2, -1, 0))) % 100:02}"
    year = int(old)
    reach = 12 if of_birth else 2
    last = _NOW - 1 if year > _NOW - 18 or not of_birth else _NOW - 19  # children stay children, adults adults
    first = _NOW - 17 if of_birth and year > _NOW - 18 else 1935
    years = [new for new in range(max(first, year - reach), min(last, year + reach) + 1) if new != year or not of_birth]
    return str(rng.choice(years or [year]))


def _day(match: re.Match[str], rng: Random) -> str:
    day = rng.choice([day for day in range(1, 29) if day != int(match[1])])
    if not match["after"]:
        return padded(day, match[1]) if match[1].startswith("0") else str(day)
    return english_ordinal(day)


def _ordinal(word: str, spelling: str, rng: Random) -> str:
    words = _ORDINALS.get(spelling, "").split()
    if word.lower().replace("ё", "е") not in {ordinal.replace("ё", "е") for ordinal in words}:
        return word
    new = rng.choice([ordinal for ordinal in words if ordinal != word.lower()])
    return like(word, new[:1].upper() + new[1:] if word[:1].isupper() else new, spelling)


_MONTHS_OF_AGE = re.compile(
    r"(?<![^\W\d_])"  # no word that only ends like one: today
    r"(?:мес(?:[яе][цч]|\b)|міс(?:я[цч]|\b)|month|luni|mese|muaj|ай|ay\b|oy|моҳ|თვ|ամս|тыжд|недел|week|hafta|апта|дн|день|day)",
    re.IGNORECASE,
)


def new_age(old: str, rng: Random, spelling: str) -> str:
    """Another age of the same agreement class (1 год, 2 года, 5 лет); adults stay adults, children under 11
    under 11. Ages in words stay."""
    return re.sub(r"\d{1,3}", lambda match: _age(match, old, rng, spelling), old, count=1)


def _age(match: re.Match[str], old: str, rng: Random, spelling: str) -> str:
    age = int(match[0])
    if _MONTHS_OF_AGE.search(old):
        low, high = 1, 11
    else:
        low, high = (18, 70) if age >= 18 else (11, 17) if age >= 11 else (1, 10)
    same_end = re.match(r"[-‐]?[^\W\d_]", old[match.end() :]) is not None and spelling != "en"
    choices = [
        new
        for new in range(low, high + 1)
        if new != age
        and _agreement(new) == _agreement(age)
        and (not same_end or _last_numeral(new) == _last_numeral(age))
    ]
    return str(rng.choice(choices)) if choices else match[0]


def _agreement(number: int) -> str:
    if 11 <= number % 100 <= 14:
        return "many"
    return {1: "one", 2: "few", 3: "few", 4: "few"}.get(number % 10, "many")


def _last_numeral(number: int) -> str:
    """What is said last, which suffixes after the digits agree with: the ones, or the tens where there are none."""
    return str(number)[-1] if number % 10 else str(number)
