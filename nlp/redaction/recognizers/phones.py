"""Telephone numbers, by the numbering plans of the countries served and of those their people migrate to."""

from __future__ import annotations

import re

from ...types import Entity, Span
from ..base import Announced, compile_folded, fold_case
from .documents import AMOUNT_AFTER

REGIONS = (
    "UA",
    "MD",
    "GE",
    "AM",
    "AZ",
    "KZ",
    "KG",
    "TJ",
    "UZ",
    "AL",
    "BA",
    "ME",
    "MK",
    "RS",
    "RU",
    "RO",
    "TR",
    "PL",
    "DE",
)
"""Where numbers of the narratives are dialed: the countries served, and where their people migrate to."""

MAX_DIGITS = 15  # ITU-T E.164
_MIN_NATIONAL = (
    8  # digits of a number with its area code; the shortest of the region have eight, with the leading 0 nine
)
_MIN_LOCAL = 5

_WORDS = (
    r"тел(?:ефон\w{0,3}|\.)?|моб(?:ильн\w{2,3}|\.)?|сот(?:ов\w{2,3}|к[аиуе]|\.)|номер\w{0,2}|звон\w{1,5}|"
    r"позвон\w{1,5}|набра\w{1,3}|набер\w{1,4}|whats?app|ватсап\w{0,2}|вотсап\w{0,2}|вацап\w{0,2}|viber|вайбер\w{0,2}|"
    r"phones?|tel|mob|mobile|cell|hotline|call(?:ed|ing|s)?|number|contacts?|контакт\w{0,2}|факс|fax|"
    r"дозвон\w{0,5}|связ\w{1,3}|горяч\w{2,3}\sлини\w{1,2}|telefon\w{0,3}|nr"
)


class PhoneRecognizer:
    """Candidates by pattern, then ``phonenumbers`` for every region: much cheaper than its matcher run once a region.

    A candidate is a phone when it is valid in one of `REGIONS`, when it starts with + or 00 and has the length
    of E.164, or when a word for phone stands before it.
    """

    name = "phone"
    entity_types = ("PHONE",)
    source = "ITU-T E.164 and the numbering plans in phonenumbers"

    _candidate = re.compile(
        r"(?<![\w+])(?<!\d[.,:/-])(?:\+\s?|00)?\(?\d(?:(?:[ \t\u00a0]?[()\-–—/][ \t\u00a0]?|[ \t\u00a0]{1,2}|"
        r"\.|\)[ ]|\n)?\d){4,17}(?!\w)(?!\.\d)"
    )
    _named = compile_folded(rf"(?<!\w)(?:{_WORDS})\W{{0,4}}(?:\w{{1,20}}\W{{1,3}}){{0,2}}\Z")
    _no_phone = re.compile(
        r"\d{1,2}[./-]\d{1,2}[./-](?:19|20)?\d\d|(?:19|20)\d\d[./-]\d{1,2}[./-]\d{1,2}|(?:19|"
        r"20)\d\d\s?[-–—/]\s?(?:19|20)\d\d"
        r"|\d{1,3}(?:\.\d{1,3}){3}|\d{1,3}(?:[ ]000){1,3}|\d{1,2}[.:]\d\d\s?[-–—]\s?\d{1,2}[.:]\d\d"
    )

    def find(self, text: str) -> list[Entity]:
        """Phone numbers in the order they stand."""
        named = Announced(self._named, fold_case(text), 40)
        return [
            Entity(Span(*match.span()), "PHONE", score, self.name)
            for match in self._candidate.finditer(text)
            if (score := self._score(text, match, named))
        ]

    def _score(self, text: str, match: re.Match[str], named: Announced) -> float:
        words = match[0]
        digits = re.sub(r"\D", "", words)
        if len(digits) > MAX_DIGITS or self._no_phone.fullmatch(words.strip()):
            return 0.0
        international = words.startswith(("+", "00"))
        if international:
            return (0.9 if _is_valid(digits) else 0.75) if len(digits) >= _MIN_NATIONAL else 0.0
        if AMOUNT_AFTER.match(text, match.end()):
            return 0.0
        if len(digits) > _MIN_NATIONAL and _is_valid_somewhere(digits):
            return 0.8 if named.length(match.start()) >= 0 else 0.6
        if len(digits) <= _MIN_LOCAL and not re.search(r"\d[ -]\d", words):
            return 0.0
        return 0.7 if named.length(match.start()) >= 0 else 0.0


def _is_valid(digits: str, region: str | None = None) -> bool:
    import phonenumbers

    try:
        number = phonenumbers.parse(digits if region else f"+{digits.removeprefix('00')}", region)
    except phonenumbers.NumberParseException:
        return False
    return bool(phonenumbers.is_valid_number(number))


def _is_valid_somewhere(digits: str) -> bool:
    return any(_is_valid(digits, region) for region in REGIONS)


PHONE = PhoneRecognizer()

RECOGNIZERS = (PHONE,)
