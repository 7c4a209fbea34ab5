"""New numbers in the shape of the old: digits for digits, letters of the same alphabet for letters, the rest kept."""

from __future__ import annotations

import re
from collections.abc import Callable
from random import Random

from stdnum import luhn
from stdnum.iso7064 import mod_97_10

from nlp.redaction.recognizers.national import CHECKS

_LATIN = "ABCDEFGHJKLMNPRSTUVWXYZ"
_CYRILLIC = "АВЕІКМНОРСТХ"
_KEPT = frozenset("KG ID NR NO SERIA СЕРИЯ СЕРІЯ КП КУСП ТАЛОН THE DT".split())
# How many digits at the end of a phone number are the subscriber's; before them stand country and operator.
_SUBSCRIBER = {"373": 6, "374": 6, "995": 6, "996": 6, "387": 6, "382": 6, "389": 6, "381": 7}
_SUBSCRIBER_OF_COUNTRY = {
    "Moldova": 6, "Armenia": 6, "Georgia": 6, "Kyrgyzstan": 6, "Bosnia and Herzegovina": 6, "Montenegro": 6,
    "North Macedonia": 6,
}  # fmt: skip
_DEFAULT_SUBSCRIBER = 7
_TRIES = 20


def reshape(old: str, rng: Random, *, keep: Callable[[int], bool] = lambda at: False) -> str:
    """Other digits and capital letters in the same shape; ``keep`` says which positions stay."""
    made = []
    for at, character in enumerate(old):
        if keep(at):
            made.append(character)
        elif character.isdigit():
            first = at == 0 or not old[at - 1].isdigit()
            made.append(
                character
                if not character.isascii()
                else rng.choice("123456789" if first and character != "0" else "0123456789")
            )
        else:
            made.append(_letter(character, rng))
    return "".join(made)


def _letter(character: str, rng: Random) -> str:
    if "A" <= character <= "Z":
        return rng.choice(_LATIN)
    if "А" <= character <= "я" or character in "ІЇЄЁЂЈЉЊЋЏҚҒӘӨҮҰҲҶӮ":
        return rng.choice(_CYRILLIC) if character.isupper() else character
    return character


def _unlike(old: str, make: Callable[[], str]) -> str:
    """A draw that differs from the old value, where the shape allows one."""
    new = old
    for _ in range(_TRIES):
        new = make()
        if new != old:
            return new
    return new


def phone(old: str, rng: Random, country: str) -> str:
    """Another subscriber of the same country and operator."""
    digits = [at for at, character in enumerate(old) if character.isdigit()]
    number = "".join(old[at] for at in digits).removeprefix("00")
    size = _SUBSCRIBER_OF_COUNTRY.get(country, _DEFAULT_SUBSCRIBER)
    if old.lstrip("( ").startswith(("+", "00")):
        size = _SUBSCRIBER.get(number[:3], _DEFAULT_SUBSCRIBER)
    changed = set(digits[-min(size, max(2, len(digits) - 1)) :])
    return _unlike(old, lambda: _digits_at(old, changed, rng))


def _digits_at(old: str, changed: set[int], rng: Random) -> str:
    return "".join(rng.choice("0123456789") if at in changed else character for at, character in enumerate(old))


def document(old: str, rng: Random) -> str:
    """Another number, series or plate; small words, words for numbers and the letters of a country stay."""
    kept: set[int] = set()
    for word in re.finditer(r"[^\W\d_]+", old):
        if word[0].upper() in _KEPT or len(word[0]) > 3 or not word[0].isupper():
            kept |= set(range(*word.span()))
    if old[:1] == "N" and not old[1:2].isalpha():
        kept.add(0)
    return _unlike(old, lambda: reshape(old, rng, keep=kept.__contains__))


def bank(old: str, rng: Random) -> str:
    """Another card or account: valid by Luhn or by the IBAN's check digits where the old one was."""
    compact = re.sub(r"\W", "", old)
    if re.match(r"[A-Z]{2}\d\d", compact):
        body = reshape(compact[4:], rng)
        check = f"{rng.randrange(2, 99):02}"
        if mod_97_10.is_valid(compact[4:] + compact[:4]):
            check = mod_97_10.calc_check_digits(f"{body}{compact[:2]}")
        return _poured(f"{compact[:2]}{check}{body}", old)
    if not compact.isdigit():
        return document(old, rng)
    keep = 4 if len(compact) == 16 else 0  # a bank's first digits tell no person
    for _ in range(_TRIES):
        new = compact[:keep] + reshape(compact[keep:], rng)
        if luhn.is_valid(compact):
            new = new[:-1] + luhn.calc_check_digit(new[:-1])
        if new != compact:
            break
    return _poured(new, old)


def _poured(characters: str, shape: str) -> str:
    """Characters in the places of the letters and digits of a shape."""
    left = iter(characters)
    return "".join(next(left, "0") if character.isalnum() else character for character in shape)


def ip(old: str, rng: Random) -> str:
    """Another address of a network or a device: of an IPv4 address the last two parts change."""
    if re.fullmatch(r"\d{1,3}(\.\d{1,3}){3}", old):
        first, second, *_ = old.split(".")
        return _unlike(old, lambda: f"{first}.{second}.{rng.randrange(256)}.{rng.randrange(1, 255)}")
    digits = re.sub(r"\D", "", old)
    if len(digits) == 15 and re.fullmatch(r"[\d ]+", old):  # IMEI
        new = _unlike(digits, lambda: digits[:6] + reshape(digits[6:], rng))
        return _poured(new[:-1] + luhn.calc_check_digit(new[:-1]) if luhn.is_valid(digits) else new, old)
    if re.fullmatch(r"[0-9A-Fa-f:/-]+", old):
        return _unlike(old, lambda: re.sub(r"[0-9A-Fa-f]", lambda match: _hexadecimal(match[0], rng), old))
    return document(old, rng)


def _hexadecimal(character: str, rng: Random) -> str:
    if character.isdigit():
        return rng.choice("0123456789")
    return rng.choice("abcdef" if character.islower() else "ABCDEF")


# Where a number of so many digits has day, month and year: positions of DD, MM, and what stays beside the year.
_DATES = {12: ((4, 6), (2, 4)), 13: ((0, 2), (2, 4)), 14: ((1, 3), (3, 5))}


def national_id(old: str, rng: Random, country: str) -> str:
    """Another national number with a plausible date; if the old one passes its check, the new one does in half of
    the draws."""
    compact = re.sub(r"\W", "", old)
    if not compact.isdigit():
        return document(old, rng)
    checks = [check for length, check in CHECKS if length == len(compact) and check(compact)]
    if not checks or rng.random() < 0.5:
        return _poured(_unlike(compact, lambda: _with_date(compact, rng, country)), old)
    for _ in range(_TRIES):
        drawn = _with_date(compact, rng, country)
        tails = [f"{tail:02}" for tail in range(100)]
        rng.shuffle(tails)
        for tail in tails:
            new = drawn[:-2] + tail
            if new != compact and checks[0](new):
                return _poured(new, old)
    return _poured(_unlike(compact, lambda: _with_date(compact, rng, country)), old)


def _with_date(compact: str, rng: Random, country: str) -> str:
    if len(compact) in _DATES and country != "Moldova":  # an IDNP holds no date
        day, month = _DATES[len(compact)]
        if 1 <= int(compact[slice(*day)]) <= 31 and 1 <= int(compact[slice(*month)]) <= 12:
            return _redated(compact, day, month, rng)
    return reshape(compact, rng, keep=lambda at: at == 0)


def _redated(compact: str, day: tuple[int, int], month: tuple[int, int], rng: Random) -> str:
    """Another day and month; sex, century and year stay, since the year bounds what the first digits may be."""
    first = min(day[0], month[0])
    end = max(day[1], month[1])
    year = range(end, end + 4) if first < 2 else range(first)
    kept = set(year) | set(range(first)) | ({6} if len(compact) == 12 else set())
    made = list(reshape(compact, rng, keep=kept.__contains__))
    made[slice(*day)] = f"{rng.randrange(1, 29):02}"
    made[slice(*month)] = f"{rng.randrange(1, 13):02}"
    return "".join(made)
