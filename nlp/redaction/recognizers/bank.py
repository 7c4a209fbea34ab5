"""Bank accounts and cards."""

from __future__ import annotations

import re

from ..base import PatternRecognizer

_MIN_DIGITS = 6  # digits of an account; fewer after the word for one are a sum


def _is_iban(match: re.Match[str]) -> bool:
    from stdnum import iban

    return bool(iban.is_valid(match[0], check_country=False))


IBAN = PatternRecognizer(
    name="iban",
    entity_type="BANK",
    pattern=r"(?<!\w)[A-Z]{2}\d{2}(?:[ -]?[A-Z0-9]){11,30}(?!\w)",
    source="ISO 13616, checked with stdnum.iban",
    score=0.97,
    accept=_is_iban,
)

_COUNTRIES = "AL|AM|AZ|BA|BG|BY|DE|GE|GR|IT|KG|KZ|LT|LV|MD|ME|MK|PL|RO|RS|RU|TJ|TR|UA|UZ|XK"

LIKE_IBAN = PatternRecognizer(
    name="like-iban",
    entity_type="BANK",
    pattern=rf"(?<!\w)(?:{_COUNTRIES})[ -]?\d{{2}}(?:[ -]?[A-Z0-9]){{11,30}}(?!\w)",
    source="ISO 13616 in form, with a wrong check number: people mistype",
    score=0.88,
    accept=lambda match: sum(character.isdigit() for character in match[0]) >= 10,
)

_ACCOUNT_WORDS = (
    r"IBAN|ИБАН|р/с|л/с|(?:расч[её]тн\w{2,3}|лицев\w{2,3}|банковск\w{2,3})?\s?сч[её]т\w{0,2}|"
    r"(?:bank\s)?account|acc\.?|acct\.?|cont(?:ul)?|рахун\w{2,4}|"
    r"(?:банковск\w{2,3}\s)?карт\w{1,3}|карточк\w{1,2}|(?<!id\s)(?<!id-)(?<!identity\s)card|kart\w{0,3}|"
    r"račun\w?|llogari\w{0,2}|visa|mastercard|uzcard|humo|мир|виза|мастеркард|kaspi(?:\sgold)?|каспи(?:\sголд)?|iban"
)

NAMED_ACCOUNT = PatternRecognizer(
    name="named-account",
    entity_type="BANK",
    pattern=r"(?<![\w+])(?:[0-9*•]|[A-Z]{2}\d{2})(?:[ -]?[A-Z0-9*•]){3,33}(?!\w)",
    before=rf"(?<!\w)(?:{_ACCOUNT_WORDS})[\s:№#.,\-–—]{{1,4}}(?:(?:number|no|номер|номером|nr|ending(?:\sin)?|"
    rf"visa|mastercard|uzcard|humo|мир|виза|банка|банк|bank|kaspi|gold|"
    r"каспи|голд|сбер\w{0,5}|тбс|tbc|заканчивается\sна|его|её|на|for|is|of|the|mobile|monobank|privatbank|"
    r"приват\w{0,6}|моно\w{0,4})[\s:№#.\-–—]{1,3}){0,3}",
    source="accounts and cards after the word for them",
    score=0.9,
    accept=lambda match: sum(character.isdigit() or character in "*•" for character in match[0]) >= _MIN_DIGITS,
)

_CARD_FORM = r"(?<![\w+])(?<!\d[ .,-])\d{4}(?:[ -]?(?:\d|[*xXхХ•]){4}){2}[ -]?\d{4}(?:[ -]?\d{1,3})?(?!\w)"


def _has_luhn_digit(match: re.Match[str]) -> bool:
    from stdnum import luhn

    return bool(luhn.is_valid(re.sub(r"[ -]", "", match[0])))


CARD = PatternRecognizer(
    name="bank-card",
    entity_type="BANK",
    pattern=_CARD_FORM,
    source="ISO/IEC 7812: sixteen to nineteen digits with a Luhn digit",
    score=0.9,
    accept=_has_luhn_digit,
)

LIKE_CARD = PatternRecognizer(
    name="like-bank-card",
    entity_type="BANK",
    pattern=_CARD_FORM,
    source="ISO/IEC 7812 in form; the Luhn digit is not asked for, people mistype and hide the middle",
    score=0.6,
)

RECOGNIZERS = (IBAN, LIKE_IBAN, NAMED_ACCOUNT, CARD, LIKE_CARD)
