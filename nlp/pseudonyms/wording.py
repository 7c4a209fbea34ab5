"""Making new words look like the ones they replace: capitals, marks on letters, apostrophes, the letter ё."""

from __future__ import annotations

import re
import unicodedata

from .spelling import script_of

_MARKED = frozenset("az ro sr bs sq mk uz en".split())
_APOSTROPHES = "ʻʼ‘’'`"
_BARE = str.maketrans("əıđøƏĐ", "aidoAD")


def like(old: str, new: str, language: str) -> str:
    """``new`` in the capitals of ``old``: all large, all small, or as names are written."""
    letters = [letter for letter in old if letter.isalpha()]
    if not letters or not new:
        return new
    if all(letter.isupper() for letter in letters) and len(letters) > 1:
        return upper(new, language)
    if letters[0].islower() and not "ა" <= letters[0] <= "ჿ":
        return lower(new, language)
    return new


def upper(text: str, language: str) -> str:
    """Capitals as the language has them: i is dotted in Azerbaijani, Georgian keeps its letters."""
    text = text.replace("i", "İ") if language == "az" else text
    return "".join(letter if "ა" <= letter <= "ჿ" else letter.upper() for letter in text)


def lower(text: str, language: str) -> str:
    """Small letters as the language has them."""
    return (text.replace("İ", "i").replace("I", "ı") if language == "az" else text).lower()


class Habits:
    """How a text writes: without marks on Latin letters, without ё, with which apostrophe."""

    def __init__(self, text: str, language: str) -> None:
        latin = re.findall(r"[A-Za-z\u00c0-\u024fəƏ]", text)
        marked = sum(letter in "əƏıđ" or unicodedata.normalize("NFKD", letter) != letter for letter in latin)
        self._bare = language in _MARKED and len(latin) > 40 and marked == 0
        self._without_yo = language == "ru" and "ё" not in text.lower()
        found = re.search(rf"(?<=\w)[{_APOSTROPHES}](?=\w)", text)
        self._apostrophe = found[0] if found else ("ʻ" if language == "uz" else "'")

    def write(self, new: str) -> str:
        """A new word as this text would write it."""
        if self._bare and script_of(new) == "latn":
            folded = unicodedata.normalize("NFKD", new.translate(_BARE))
            new = "".join(letter for letter in folded if not unicodedata.combining(letter))
        if self._without_yo:
            new = new.replace("ё", "е").replace("Ё", "Е")
        return re.sub(rf"(?<=\w)[{_APOSTROPHES}]", self._apostrophe, new)
