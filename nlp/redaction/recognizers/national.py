"""National identity, tax and social-insurance numbers, with their check digits.

A checksum raises the score and names the type; it never lets a number through, since mistyped numbers identify too.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import date

from ..base import PatternRecognizer
from ..regional import any_of


def _digits(match: re.Match[str]) -> str:
    return re.sub(r"\D", "", match[0])


def _is_date(year: int, month: int, day: int) -> bool:
    try:
        date(year, month, day)
    except ValueError:
        return False
    return True


def is_kz_iin(number: str) -> bool:
    """Kazakhstan, IIN: YYMMDD, century and sex 1-6, serial, check digit modulo 11 with a second set of weights.

    Source: Government Decree 565 of 2003 (adilet.zan.kz, P030000565).
    """
    if not re.fullmatch(r"\d{6}[1-6]\d{5}", number):
        return False
    century = 1800 + (int(number[6]) - 1) // 2 * 100
    if not _is_date(century + int(number[:2]), int(number[2:4]), int(number[4:6])):
        return False
    check = sum(int(digit) * weight for digit, weight in zip(number, range(1, 12), strict=False)) % 11
    if check == 10:
        weights = (3, 4, 5, 6, 7, 8, 9, 10, 11, 1, 2)
        check = sum(int(digit) * weight for digit, weight in zip(number, weights, strict=False)) % 11
    return check == int(number[11])


def is_uz_pinfl(number: str) -> bool:
    """Uzbekistan, PINFL: sex and century, DDMMYY, area, serial, check digit with weights 7, 3, 1.

    Source: Cabinet of Ministers' regulation (lex.uz, 5955665).
    """
    if not re.fullmatch(r"[1-6]\d{13}", number):
        return False
    century = 1800 + (int(number[0]) - 1) // 2 * 100
    if not _is_date(century + int(number[5:7]), int(number[3:5]), int(number[1:3])):
        return False
    return sum(int(digit) * (7, 3, 1)[at % 3] for at, digit in enumerate(number[:13])) % 10 == int(number[13])


def is_kg_pin(number: str) -> bool:
    """Kyrgyzstan, PIN: sex 1 or 2, DDMMYYYY, serial; the rule of the check digit is not published, only the
    date is checked."""
    return bool(re.fullmatch(r"[12]\d{13}", number)) and _is_date(int(number[5:9]), int(number[3:5]), int(number[1:3]))


def is_jmbg(number: str) -> bool:
    """JMBG / EMBG of the successor states of Yugoslavia: DDMMYYY, region, serial, check digit modulo 11.

    Source: Law on the unique citizen number (1976); the same check as Slovenia's EMSO.
    """
    from stdnum.si import emso

    return bool(emso.is_valid(number))


def is_ua_rntrc(number: str) -> bool:
    """Ukraine, RNOKPP: 10 digits with a check digit; ``stdnum.ua.rntrc``."""
    from stdnum.ua import rntrc

    return bool(rntrc.is_valid(number))


def is_ro_cnp(number: str) -> bool:
    """Romania, CNP: 13 digits with date, county and check digit; ``stdnum.ro.cnp``."""
    from stdnum.ro import cnp

    return bool(cnp.is_valid(number))


def is_md_idnp(number: str) -> bool:
    """Moldova, IDNP: 13 digits that start with 0 or 2, check digit with weights 7, 3, 1 as in ``stdnum.md.idno``."""
    return bool(re.fullmatch(r"[02]\d{12}", number)) and (
        sum(int(digit) * (7, 3, 1)[at % 3] for at, digit in enumerate(number[:12])) % 10 == int(number[12])
    )


def is_ru_inn(number: str) -> bool:
    """Russia, INN of a person: 12 digits with two check digits; ``stdnum.ru.inn``."""
    from stdnum.ru import inn

    return len(number) == 12 and bool(inn.is_valid(number))


def is_ru_snils(number: str) -> bool:
    """Russia, SNILS: nine digits and a check number modulo 101. Source: Pension Fund decree 192p of 2006."""
    if not re.fullmatch(r"\d{11}", number):
        return False
    check = sum(int(digit) * weight for digit, weight in zip(number, range(9, 0, -1), strict=False)) % 101 % 100
    return check == int(number[9:])


def is_al_nid(number: str) -> bool:
    """Albania, NID: a letter and a digit for the year, month (women: 50 more), day, serial, and a letter that no public
    rule explains. Source: the form of the civil registry, as in the package ``idnumbers``."""
    return bool(re.fullmatch(r"[A-T]\d(?:0[1-9]|1[0-2]|5[1-9]|6[0-2])(?:0[1-9]|[12]\d|3[01])\d{3}[A-W]", number))


def is_am_psn(number: str) -> bool:
    """Armenia, number of public services: day (men 10 more, women 50 more), month, year, serial; the rule of the check
    digit is not published, only the date is checked."""
    if not re.fullmatch(r"[1-8]\d{9}", number):
        return False
    day = int(number[:2]) - (50 if number[0] in "5678" else 10)
    return 1 <= day <= 31 and 1 <= int(number[2:4]) <= 12


CHECKS: tuple[tuple[int, Callable[[str], bool]], ...] = (
    (10, is_ua_rntrc),
    (10, is_am_psn),
    (11, is_ru_snils),
    (12, is_kz_iin),
    (12, is_ru_inn),
    (13, is_jmbg),
    (13, is_ro_cnp),
    (13, is_md_idnp),
    (14, is_uz_pinfl),
    (14, is_kg_pin),
)
"""Length in digits and the check of every national number with a published rule."""


def _passes_a_check(match: re.Match[str]) -> bool:
    number = _digits(match)
    return any(len(number) == length and check(number) for length, check in CHECKS)


ALBANIAN_ID = PatternRecognizer(
    name="albanian-number",
    entity_type="NATIONAL_ID",
    pattern=r"(?<!\w)[A-T]\d[0156]\d[0-3]\d{4}[A-W](?!\w)",
    source="the form of Albania's NID, see is_al_nid",
    score=0.9,
    accept=lambda match: is_al_nid(match[0]),
)

NATIONAL_ID = PatternRecognizer(
    name="national-number",
    entity_type="NATIONAL_ID",
    pattern=r"(?<![\w+])(?<!\d[.,-])\d(?:[ -]?\d){9,13}(?!\w|[.,-]\d)",
    source="the laws and pages named at each check",
    score=0.85,
    accept=_passes_a_check,
)

_NUMBER_WORDS = (
    r"ИИН|ЖСН|ПИНФЛ|ЖШШИР|ИНН|СНИЛС|РНО?КПП|ІПН|ИПН|ЕМБГ|ЈМБГ|ЮМБГ|ПИН(?:[- ]?код)?|ЖПН|РМА|ФИН|"
    r"соц\.?\s?карт\w{1,2}|соцномер\w{0,2}|"
    r"идентификационн\w{2,3}\s(?:номер|код)\w{0,2}|индивидуальн\w{2,3}\sномер\w{0,2}|"
    r"персональн\w{2,3}\s(?:номер|код)\w{0,2}|личн\w{2,3}\s(?:номер|код)\w{0,2}|"
    r"налогов\w{2,3}\sномер\w{0,2}|особист\w{2,3}\sномер\w{0,2}|"
    r"IIN|INN|PINFL|JSHSHIR|JMBG|EMBG|IDNP|CNP|RNOKPP|RNTRC|IPN|FIN|NID|PSN|SSN|SNILS|PIN|TIN|NIPT|NIN|UMCN|"
    r"(?:personal|national|individual|private|social|identity)\s(?:identification\s|identity\s|insurance\s|"
    r"security\s|card\s|services\s|id\s)?(?:number|code|no\.?|card|id)|"
    r"national\s(?:id|identity)(?:\s(?:number|no\.?))?|identification\s(?:number|code)|tax\s(?:number|code|id|"
    r"payer\snumber)|ID\s(?:number|no\.?|code)|soc(?:ial)?\.?\scard|ՀԾՀ|"
    rf"{any_of('national')}"
)

NAMED_NATIONAL_ID = PatternRecognizer(
    name="named-national-number",
    entity_type="NATIONAL_ID",
    pattern=r"(?<![\w+])(?:\d|[A-ZА-Я]{1,2}\d)(?:[ -]?[A-Z0-9]){4,17}(?!\w)|(?<!\w)[A-NP-Z0-9]{7}(?!\w)",
    before=rf"(?<!\w)(?:{_NUMBER_WORDS})[\s:№#.,()\-–—]{{1,5}}(?:(?:code|is|was|number|no|номер|код|её|его|"
    rf"девочк\w|мальчик\w|ребёнк\w|her|his|hers|с|не)[\s:№#.()\-–—]{{1,4}}){{0,2}}",
    source="numbers after the word for them, whatever their check digit says",
    score=0.92,
    accept=lambda match: sum(character.isdigit() for character in match[0]) >= 3,
)

RECOGNIZERS = (ALBANIAN_ID, NATIONAL_ID, NAMED_NATIONAL_ID)
