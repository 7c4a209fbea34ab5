"""Word lists that recognizers use, their case forms, and what a dictionary says of Russian words.

The lists were written by hand for this project: given names of the region's peoples, towns, capitalized words
that are no identifiers, common words. They lie in `data`, several entries a line with commas between, ``#``
starts a comment. Nothing here remembers a word of a narrative.
"""

from __future__ import annotations

import importlib.resources
import re
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from pymorphy3 import MorphAnalyzer
    from pymorphy3.tagset import OpencorporaTag

Reading = Literal["name", "place", "word", "unknown"]

WORD = re.compile(r"[^\W\d_]+(?:['’ʼʻ`-][^\W\d_]+)*")
"""A word: letters, with apostrophes and hyphens inside."""

CYRILLIC = re.compile("[\u0400-\u04ff]")
UPPER = "A-ZÀ-ÖØ-ÞĂÂÎȘȚŞŢĞƏİĐČĆŽŠËЀ-ЯҐҒҚҢӨҰҮҺЎҲҶӘӢӮԱ-Ֆ"
"""Capital letters of the languages served, for character classes."""

_NAME_GRAMMEMES = ("Name", "Surn", "Patr")  # OpenCorpora tags: given name, surname, patronymic
_POSSESSIVE = ("'s", "’s")


@cache
def load_words(name: str) -> tuple[str, ...]:
    """The entries of a list, in file order, comments left out."""
    text = importlib.resources.files(__package__).joinpath("data", name).read_text(encoding="utf-8")
    lines = (line.split("#")[0].strip() for line in text.splitlines())
    return tuple(entry.strip() for line in lines if line for entry in line.split(",") if entry.strip())


@cache
def english_words() -> frozenset[str]:
    """Common English words in lower case."""
    return frozenset(load_words("english.txt"))


@cache
def russian_words() -> frozenset[str]:
    """The commonest Russian words in lower case: what most sentences start with, at a tenth of the cost of the
    dictionary."""
    return frozenset(load_words("russian.txt"))


@cache
def _harmless() -> frozenset[str]:
    words = frozenset(word.lower() for word in load_words("harmless.txt"))
    names = frozenset(name.lower() for name in load_words("given_names.txt"))
    forms = {form for word in words for form in (case_forms(word) if CYRILLIC.match(word) else (word, word + "s"))}
    return words | (forms - names)


def is_harmless(word: str) -> bool:
    """Whether the list of capitalized words that are no identifiers has it, in whatever case form.

    A compound is harmless when any part of it is: ВИЧ-положительный, COVID-related.
    """
    lowered = without_possessive(word.lower())
    return lowered in _harmless() or ("-" in lowered and any(part in _harmless() for part in lowered.split("-")))


def without_possessive(word: str) -> str:
    return word[:-2] if word.endswith(_POSSESSIVE) else word


_CASES = {  # how a nominative ends -> the endings of its case forms; Russian, with what Ukrainian adds
    "ия": ("ия", "ии", "ию", "ией", "ією"),
    "ая": ("ая", "ой", "ую"),
    "ое": ("ое", "ого", "ому", "ым", "ом"),
    "ый": ("ый", "ого", "ому", "ым", "ом"),
    "ий": ("ий", "ого", "ому", "им", "ом", "ия", "ию", "ием", "ии", "ія", "ію", "єм"),
    "ой": ("ой", "ого", "ому", "ым", "ом", "оя", "ою", "оем", "ое"),
    "ья": ("ья", "ьи", "ье", "ью", "ьей"),
    "ье": ("ье", "ья", "ью", "ьем"),
    "а": ("а", "ы", "и", "е", "у", "ой", "ою", "і", "ей", "о"),
    "я": ("я", "и", "е", "ю", "ей", "ёй", "ею", "і"),
    "й": ("й", "я", "ю", "ем", "е", "єм", "ї"),
    "ь": ("ь", "и", "ью", "я", "ю", "ем", "е", "і"),
    "о": ("о", "а", "у", "ом", "е", "і"),
    "е": ("е", "я", "ю", "ем", "и"),
    "ы": ("ы", "", "ам", "ах", "ами", "ов", "ев"),
    "и": ("и", "", "ам", "ах", "ами", "ов", "ев", "ям", "ях", "ями", "ей"),
}
_AFTER_CONSONANT = ("", "а", "у", "ом", "ем", "е", "ы", "и", "ов", "і", "ові")
_LATIN_CASES = {
    "a": ("a", "e", "i", "u", "om", "o", "y"),
    "e": ("e", "a", "u"),
    "o": ("o", "a", "u", "om"),
    "i": ("i",),
}
_AFTER_LATIN_CONSONANT = ("", "a", "u", "om", "e", "i")
_MIN_INFLECTED = 3  # letters left of an ending that is changed; below it a name has no other forms


@cache
def _endings() -> tuple[str, ...]:
    return tuple(sorted(_CASES, key=len, reverse=True))


def case_forms(word: str) -> tuple[str, ...]:
    """The word and the forms it may take in the cases of Russian and Ukrainian, or of Serbian in Latin letters.

    Only forms that its own ending allows, so that "Ош" does not match "Ошибка". The last part of a compound is
    inflected.
    """
    if not CYRILLIC.match(word):
        stem = word.rstrip("aeiou")
        if (
            not word.isascii()
            or word.upper() == word
            or len(stem) < _MIN_INFLECTED
            or word[len(stem) :] not in {"", *_LATIN_CASES}
        ):
            return (word,)
        endings = _LATIN_CASES[word[-1]] if stem != word and word[-1] in _LATIN_CASES else _AFTER_LATIN_CONSONANT
        return tuple(dict.fromkeys((word, *(stem + ending for ending in endings))))
    forms = [word, word.replace("ё", "е")] if "ё" in word else [word]
    for ending in _endings():
        if word.endswith(ending) and len(word) > len(ending) + 1:
            stem = word.removesuffix(ending)
            forms += [stem + other for other in _CASES[ending]]
            break
    else:
        forms += [word + other for other in _AFTER_CONSONANT]
    if "ё" in word:
        forms += [form.replace("ё", "е") for form in forms]
    return tuple(dict.fromkeys(forms))


@cache
def _analyzer() -> MorphAnalyzer:
    from pymorphy3 import MorphAnalyzer

    return MorphAnalyzer(lang="ru")


@dataclass(frozen=True, slots=True)
class RussianWord:
    """What the Russian dictionary says of a word: its likeliest reading, and whether it may be a name or
    surname at all."""

    reading: Reading
    may_be_name: bool


_UNKNOWN = RussianWord("unknown", may_be_name=False)
_WORD = RussianWord("word", may_be_name=False)


def russian_word(word: str) -> RussianWord:
    """What the Russian dictionary says of a word in lower case: "вера" is a name at first sight, "слова" is a word.

    Source: OpenCorpora dictionary with its frequencies, by way of ``pymorphy3``.
    """
    if word in russian_words():
        return _WORD
    kinds = [_kind(tag) for tag in _tags(word)]
    if not kinds:
        return _UNKNOWN
    if len(set(kinds)) == 1:
        return RussianWord(kinds[0], may_be_name=kinds[0] == "name")
    # Only a word with several readings needs the frequencies, which cost as much as the words.
    return RussianWord(_kind(_analyzer().tag(word)[0]), may_be_name="name" in kinds)


def _tags(word: str) -> list[OpencorporaTag]:
    """Every tag of the word itself; empty where the dictionary does not have it, and nothing is guessed from
    its ending."""
    analyzer = _analyzer()
    dictionary = analyzer.dictionary
    found = dictionary.words.similar_item_values(word, analyzer.char_substitutes)
    return [dictionary.build_tag_info(paradigm, index) for parses in found for paradigm, index in parses]


def _kind(tag: OpencorporaTag) -> Reading:
    if any(grammeme in tag for grammeme in _NAME_GRAMMEMES):
        return "name"
    return "place" if "Geox" in tag else "word"


def is_common(word: str) -> bool:
    """Whether a word is above all a common word, so that its capital says nothing."""
    lowered = word.lower()
    if CYRILLIC.match(lowered):
        return russian_word(lowered).reading == "word"
    plain = lowered.replace("’", "'")
    return any(word in english_words() for word in (plain, without_possessive(plain))) or (
        "-" in plain and all(part in english_words() for part in plain.split("-"))
    )
