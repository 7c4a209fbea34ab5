"""The normalized view of a text: what is matched on, while offsets go on pointing into the text as received.

Whoever types, scans, copies or wants to hide a name leaves it in sight of people and out of sight of patterns:
full-width and Arabic digits, zero-width characters, accents apart from their letters, Latin letters inside Cyrillic
words; a text all in capitals says nothing by them. The view has one form for each. It is for matching alone; nothing of
it is ever shown.
"""

from __future__ import annotations

import re
import unicodedata
from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from itertools import zip_longest
from typing import Literal

from .types import Span

# Characters that show nothing and only hide words from a matcher: soft hyphen, zero-width, direction marks,
# variation selectors, tags.
_HIDDEN = (
    "\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180e\u200b-\u200f\u202a-\u202e\u2060-\u206f\ufe00-\ufe0f\ufeff"
    "\U000e0000-\U000e0fff"
)
_INVISIBLE = re.compile(f"[{_HIDDEN}]")
_ABOVE = "\u0300-\u036f\u0483-\u0489\u1ab0-\u1aff\u1dc0-\u1dff\u20d0-\u20ff\ufe20-\ufe2f"
_MARKS = re.compile(f"[{_ABOVE}]")
"""Combining marks of the scripts served, on top of, below or through a letter."""
_FOLLOWS = re.compile(f"[{_ABOVE}{_HIDDEN}]")  # what belongs to the letter before it
_MOST = 32  # characters of a letter with what belongs to it that are looked at
_MOST_MARKS = 4  # marks that are composed with their letter; more are decoration, and composing thousands is slow
PLACEHOLDER = re.compile(r"\[([A-Z][A-Z0-9_]{0,30})_([0-9]{1,6})\]")
"""What stands for an identifier in a redacted text: its type and number."""
_FEW_LETTERS = 30  # below it nothing is said of a text's case
_STRAY = 0.004  # share of capitals up to which a text is in small letters: one slipped in, or an abbreviation did
_STRAY_SMALL = 0.1  # share of small letters up to which a text is in capitals
_DASHES = frozenset("\u2010\u2011\u2012\u2015\u2212\ufe63\uff0d")  # phones and typesetters write them for a hyphen
_PRIVATE = frozenset(map(chr, range(0xE000, 0xF900)))  # nobody's letters, and what recognizers have for placeholders
_SMALL_SENTENCE = re.compile(r"[.!?\n]\s{0,3}[^\W\d_]")
_MTAVRULI = range(0x1C90, 0x1CC0)  # Georgian capitals, which no dictionary and no encoder knows
_TO_MKHEDRULI = 0x10D0 - 0x1C90

# Latin and Cyrillic letters that look alike (Unicode TS 39, confusables.txt: those of the scripts served).
_LATIN = "AaBCcEeHIiJjKkMOoPpSsTXxYyhQqWw"
_CYRILLIC = "АаВСсЕеНІіЈјКкМОоРрЅѕТХхУуһԚԛԜԝ"
_TO_CYRILLIC = str.maketrans(_LATIN, _CYRILLIC)
_TO_LATIN = str.maketrans(_CYRILLIC, _LATIN)
_GREEK = str.maketrans("ΑΒΕΖΗΙΚΜΝΟΡΤΥΧαορυν", "ABEZHIKMNOPTYXaopuv")
_WORD = re.compile(r"[^\W_]+")
_LATIN_LETTER = re.compile("[A-Za-zÀ-ɏ]")
_CYRILLIC_LETTER = re.compile("[\u0400-\u052f]")
_GREEK_LETTER = re.compile("[\u0370-\u03ff]")


@dataclass(frozen=True, slots=True)
class View:
    """The normalized text. Its character ``i`` stands for ``[starts[i], ends[i])`` of the received text.

    Both are monotone, and every visible character of the received text lies in one of these ranges.
    """

    text: str = field(repr=False)
    starts: Sequence[int] = field(repr=False)
    ends: Sequence[int] = field(repr=False)

    def received(self, start: int, end: int) -> Span:
        """The span of the received text that a range of the view stands for."""
        return Span(self.starts[start], self.ends[end - 1])

    def within(self, span: Span) -> tuple[int, int]:
        """The range of the view that shares a character with a span of the received text; empty where that has only
        invisible ones."""
        start = bisect_right(self.ends, span.start)
        return start, max(start, bisect_left(self.starts, span.end))


def normalize(text: str) -> View:
    """The view of a text: one form for each letter and digit, look-alikes undone, nothing invisible, no stray marks; a
    text in capitals in small letters."""
    if text.isascii():
        return View(_without_capitals(text), range(len(text)), range(1, len(text) + 1))
    characters: list[str] = []
    starts: list[int] = []
    ends: list[int] = []
    for start, end in _clusters(text):
        for normal in _normal(text[start : min(end, start + _MOST)]):
            characters.append(normal)
            starts.append(start)
            ends.append(end)
    return View(_without_capitals(_in_one_script("".join(characters))), tuple(starts), tuple(ends))


def letter_case(text: str) -> Literal["lower", "upper", "mixed"]:
    """Whether a text is in one case, so that its capitals say nothing; ``mixed`` also where letters are few or have
    none."""
    text = PLACEHOLDER.sub("", text)
    upper, lower = sum(map(str.isupper, text)), sum(map(str.islower, text))
    if upper + lower < _FEW_LETTERS:
        return "mixed"
    share = upper / (upper + lower)
    if upper == 1 and _first_letter(text).isupper() and _SMALL_SENTENCE.search(text):
        return "lower"  # the keyboard's capital, not the writer's
    return "lower" if share <= _STRAY else "upper" if share >= 1 - _STRAY_SMALL else "mixed"


def _first_letter(text: str) -> str:
    return next((character for character in text if character.isalpha()), "")


def _without_capitals(text: str) -> str:
    if letter_case(text) != "upper":
        return text
    ends = [0, *(match.end() for match in PLACEHOLDER.finditer(text))]
    starts = [*(match.start() for match in PLACEHOLDER.finditer(text)), len(text)]
    kept = [match[0] for match in PLACEHOLDER.finditer(text)]
    between = [fold_case(text[end:start]) for end, start in zip(ends, starts, strict=True)]
    return "".join(part for pair in zip_longest(between, kept, fillvalue="") for part in pair)


def fold_case(text: str) -> str:
    """The text in lower case, character for character, so that offsets stay true (``İ`` would become two)."""
    lowered = text.lower()
    if len(lowered) == len(text):
        return lowered
    return "".join(low if len(low := character.lower()) == 1 else character for character in text)


def _clusters(text: str) -> Iterator[tuple[int, int]]:
    """Characters with the marks and the invisible ones that follow them."""
    if not _FOLLOWS.search(text):
        yield from ((at, at + 1) for at in range(len(text)))
        return
    start = 0
    for at in range(1, len(text) + 1):
        if at == len(text) or text[at].isascii() or not _FOLLOWS.match(text[at]):
            yield start, at
            start = at


@lru_cache(maxsize=8192)
def _normal(cluster: str) -> str:
    """One form of a character with its marks: composed where Unicode can, else without them; digits as in ASCII."""
    visible = _INVISIBLE.sub("", cluster)
    composed = _INVISIBLE.sub("", unicodedata.normalize("NFKC", visible[: 1 + _MOST_MARKS]))
    if len(composed) > 1:
        composed = _MARKS.sub("", composed)
    return "".join(_one(character) for character in composed)


def _one(character: str) -> str:
    if character in _DASHES:
        return "-"
    if character in _PRIVATE:
        return " "
    if ord(character) in _MTAVRULI:
        return chr(ord(character) + _TO_MKHEDRULI)
    if character.isdecimal():
        return str(unicodedata.decimal(character))
    return character


def _in_one_script(text: str) -> str:
    """Words that mix scripts, with their look-alikes in the script that the other letters, or most, are of."""
    if not _CYRILLIC_LETTER.search(text) and not _GREEK_LETTER.search(text):
        return text
    return _WORD.sub(lambda match: _unmixed(match[0]), text)


def _unmixed(word: str) -> str:
    if word.isascii():
        return word
    if _GREEK_LETTER.search(word) and (_LATIN_LETTER.search(word) or _CYRILLIC_LETTER.search(word)):
        word = word.translate(_GREEK)
    latin, cyrillic = (len(letters.findall(word)) for letters in (_LATIN_LETTER, _CYRILLIC_LETTER))
    if not latin or not cyrillic:
        return word
    as_cyrillic, as_latin = word.translate(_TO_CYRILLIC), word.translate(_TO_LATIN)
    left_latin, left_cyrillic = len(_LATIN_LETTER.findall(as_cyrillic)), len(_CYRILLIC_LETTER.findall(as_latin))
    if left_latin and left_cyrillic:
        return word  # two words that stand together, such as HIV-положительный without its hyphen
    if left_latin != left_cyrillic:
        return as_latin if left_latin else as_cyrillic
    return as_cyrillic if cyrillic >= latin else as_latin
