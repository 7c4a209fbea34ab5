"""The listed names as a language spells them, and keys under which spellings of one name agree."""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass
from functools import cache, lru_cache

from nlp.redaction.mentions import stem

from .declension import titled
from .pools import CULTURES, cultures_of, sections, spelt
from .spelling import respell, spelling_of

_PLAIN = str.maketrans("əıđёэ", "aidее", "ьъʼʻ'’")


@dataclass(frozen=True)
class Known:
    """Where a name stands in the lists."""

    kind: str
    culture: str
    gender: str


@lru_cache(maxsize=300_000)
def plain(word: str) -> str:
    """A word in lower case without marks on its letters."""
    folded = unicodedata.normalize("NFKD", word.lower().translate(_PLAIN))
    return "".join(letter for letter in folded if letter.isalnum())


def latin_key(word: str, spelling: str) -> str:
    """Equal for spellings of one name in different scripts, as far as romanization agrees."""
    return stem(plain(respell(titled(word, spelling), spelling, "en")).replace("kh", "h"))


@cache
def lexicon(spelling: str) -> dict[str, tuple[Known, ...]]:
    """All listed names as a language spells them, in lower case without marks."""
    found: dict[str, dict[Known, None]] = {}
    for culture in CULTURES:
        if culture == "abroad" and spelling != "en":
            continue
        names = spelt(culture, spelling)
        for kind, gender, words in (
            ("given", "m", names.men),
            ("given", "f", names.women),
            ("surname", "m", names.surnames),
        ):
            for word in words:
                found.setdefault(plain(word), {})[Known(kind, culture, gender)] = None
    for kind, title in (("m", "ru men"), ("f", "ru women")):
        for entry in sections("short_forms")[title]:
            for short in entry.partition(":")[2].split(","):
                found.setdefault(plain(respell(short, "ru", spelling)), {})[Known("given", "ru", kind)] = None
    return {word: tuple(known) for word, known in found.items()}


@cache
def nicknames(spelling: str) -> frozenset[str]:
    """Listed nicknames of a language, in lower case without marks."""
    own = sections("nicknames").get(spelling, ())
    return frozenset(plain(word) for word in (*own, *(sections("nicknames")["en"] if spelling == "en" else ())))


def known(lemma: str, spelling: str, kind: str, country: str) -> list[Known]:
    """The entries of a lemma, those of the country's peoples first."""
    order = cultures_of(country)
    entries = [entry for entry in lexicon(spelling).get(plain(lemma), ()) if entry.kind == kind]
    return sorted(entries, key=lambda entry: order.index(entry.culture) if entry.culture in order else len(order))


@cache
def _stems(spelling: str) -> frozenset[str]:
    return frozenset(_bare(name) if spelling in _SUFFIXED else stem(name) for name in lexicon(spelling))


def _bare(word: str) -> str:
    return word[:-1] if len(word) > _SHORTEST and word[-1] in "აეიոաե" else word


_SUFFIXED = frozenset({"ka", "hy"})  # languages whose endings `stem` does not know
_SHORTEST, _LONGEST_ENDING = 4, 5  # letters


def is_listed_name(word: str, language: str) -> bool:
    """Whether a word of a text is a name of the lists, or looks like a form of one."""
    spelling = spelling_of(language, word)
    if spelling not in _SUFFIXED:
        return stem(word) in _stems(spelling)
    lowered = word.lower()
    shortest = max(_SHORTEST, len(lowered) - _LONGEST_ENDING)
    return any(lowered[:size] in _stems(spelling) for size in range(shortest, len(lowered) + 1))
