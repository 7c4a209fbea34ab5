"""Telephone numbers, by the numbering plans of the countries served and of those their people migrate to."""

from __future__ import annotations

import ipaddress
import re

from ...types import Entity, Span
from ...view import fold_case
from ..base import Announced, compile_folded
from ..regional import any_of, words_of
from .documents import AMOUNT_AFTER, is_amount

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


_LIKE_DIGITS = "OoОоIlІЗZ"  # what people type for 0, 1, 2, 3, by mistake or to pass a filter
_TO_DIGITS = str.maketrans(_LIKE_DIGITS, "000011132")
_FOLDED_TO_DIGITS = str.maketrans("oоilзz", "001132")
_DIGIT = rf"[\d{_LIKE_DIGITS}]"
_BETWEEN = r"(?:[ \t\u00a0]?[()\-–—/.·][()\-–—/]?[ \t\u00a0]?|[ \t\u00a0]{1,2}|\n)?"
_LONE_LETTER = re.compile(rf"(?<![\d{_LIKE_DIGITS}])[{_LIKE_DIGITS}]+(?![\d{_LIKE_DIGITS}])")
_MIN_REAL = 5  # real digits beside letters that stand for some


class PhoneRecognizer:
    """Candidates by pattern, then ``phonenumbers`` for every region: much cheaper than its matcher run once a region.

    A candidate is a phone when it is valid in one of `REGIONS`, when it starts with + or 00 and has the length
    of E.164, or when a word for phone stands before it. Letters that look like digits count as these.
    """

    name = "phone"
    entity_types = ("PHONE",)
    source = "ITU-T E.164 and the numbering plans in phonenumbers"

    _candidate = re.compile(
        rf"(?<![\w+])(?<!\d[.,:/-])(?:\(?\+\s?\(?|00)?\(?(?=\w?\d){_DIGIT}(?:{_BETWEEN}{_DIGIT}){{4,17}}(?!\w)(?!\.\d)"
    )
    _named = compile_folded(rf"(?<!\w)(?:{_WORDS}|{any_of('phone')})\W{{0,4}}(?:\w{{1,20}}\W{{1,3}}){{0,2}}\Z")
    _no_phone = re.compile(
        r"\d{1,2}[./-]\d{1,2}[./-](?:19|20)?\d\d|(?:19|20)\d\d[./-]\d{1,2}[./-]\d{1,2}|(?:19|"
        r"20)\d\d\s?[-–—/]\s?(?:19|20)\d\d"
        r"|\d{1,3}(?:[ ]000){1,3}|\d{1,2}[.:]\d\d\s?[-–—]\s?\d{1,2}[.:]\d\d"
    )

    def find(self, text: str, language: str = "") -> list[Entity]:
        """Phone numbers in the order they stand."""
        named = Announced(self._named, fold_case(text), 40)
        return [
            Entity(Span(*match.span()), "PHONE", score, self.name)
            for match in self._candidate.finditer(text)
            if (score := self._score(match, named))
        ]

    def _score(self, match: re.Match[str], named: Announced) -> float:
        words = match[0]
        real = sum(character.isdigit() for character in words)
        digits = re.sub(r"\D", "", words.translate(_TO_DIGITS))
        doubtful = len(digits) > real and (real < _MIN_REAL or _LONE_LETTER.search(words) is not None)
        if doubtful or len(digits) > MAX_DIGITS or self._no_phone.fullmatch(words.strip()) or _is_ip(words):
            return 0.0
        if words.lstrip("(").startswith(("+", "00")):
            return (0.9 if _is_valid(digits) else 0.75) if len(digits) >= _MIN_NATIONAL else 0.0
        told = named.length(match.start()) >= 0
        if not told and is_amount(match):
            return 0.0
        if len(digits) > _MIN_NATIONAL and _is_valid_somewhere(digits):
            return 0.8 if told else 0.6
        grouped = len(digits) > _MIN_LOCAL or re.search(r"\d[ -]\d", words) is not None
        return 0.7 if told and grouped else 0.0


def _is_ip(words: str) -> bool:
    try:
        ipaddress.ip_address(words)
    except ValueError:
        return False
    return True


def _is_valid(digits: str, region: str | None = None) -> bool:
    import phonenumbers

    try:
        number = phonenumbers.parse(digits if region else f"+{digits.removeprefix('00')}", region)
    except phonenumbers.NumberParseException:
        return False
    return bool(phonenumbers.is_valid_number(number))


def _is_valid_somewhere(digits: str) -> bool:
    return any(_is_valid(digits, region) for region in REGIONS)


_MIN_SPOKEN = 6  # digits of a number that is written with words
_MIN_PARTS = 3
_MIN_SURE = 6  # words in a row that are a number whatever stands before them


class SpokenPhoneRecognizer:
    """Numbers with digits in words, as they are dictated or typed to pass a filter: nula sedum osum 402 119."""

    name = "spoken-phone"
    entity_types = ("PHONE",)
    source = "words for digits in the languages served, three parts or more in a row"

    _part = re.compile(r"[^\W_]+(?:['’ʻʼ][^\W\d_]+)*")
    _gap = re.compile(r"[\s,.\-–—+()/:]{0,4}")

    def find(self, text: str, language: str = "") -> list[Entity]:
        """Numbers in the order they stand."""
        folded = fold_case(text)
        spoken = frozenset(words_of("digits"))
        named = Announced(PHONE._named, folded, 40)
        found = []
        run: list[re.Match[str]] = []
        for match in [*self._part.finditer(folded), None]:
            if match and run and not self._gap.fullmatch(folded, run[-1].end(), match.start()):
                found += self._entity(folded, run, named)
                run = []
            if match and (match[0] in spoken or _is_digits(match[0])):
                run.append(match)
            elif run:
                found += self._entity(folded, run, named)
                run = []
        return found

    def _entity(self, folded: str, run: list[re.Match[str]], named: Announced) -> list[Entity]:
        words = sum(not _is_digits(match[0]) for match in run)
        digits = words + sum(len(match[0]) for match in run if _is_digits(match[0]))
        start, end = run[0].start(), run[-1].end()
        if (
            not words
            or len(run) < _MIN_PARTS
            or not _MIN_SPOKEN <= digits <= MAX_DIGITS
            or AMOUNT_AFTER.match(folded, end)
        ):
            return []
        sure = words >= _MIN_SURE if words == len(run) else digits > _MIN_NATIONAL
        return [Entity(Span(start, end), "PHONE", 0.7, self.name)] if sure or named.length(start) >= 0 else []


def _is_digits(part: str) -> bool:
    """Whether a part of a number is of digits, or letters that look like some between them."""
    return part[0].isdecimal() and len(part) <= _MIN_SPOKEN and part.translate(_FOLDED_TO_DIGITS).isdecimal()


PHONE = PhoneRecognizer()
SPOKEN_PHONE = SpokenPhoneRecognizer()

RECOGNIZERS = (PHONE, SPOKEN_PHONE)
