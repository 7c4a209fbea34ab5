"""The words of each language served: its towns, names, everyday words and the endings that grow onto all of them.

They lie in ``data/languages/``, a file a language, written by hand for this project. A word of a text is looked up with
each of its endings taken off, so that "Балқаштағы" is found as Балқаш and "Министерството" as no name.
"""

from __future__ import annotations

import importlib.resources
import unicodedata
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache, cached_property

from .lexicon import CYRILLIC, is_common, is_harmless

LANGUAGES = ("az", "hy", "ka", "kk", "ky", "mk", "ro", "ru", "sq", "sr", "tg", "uk", "uz")
"""Languages with a file of words. English has its own lists and no endings."""

_SECTIONS = ("places", "given", "ambiguous", "surnames")  # of names; beside them `common` and `endings`
_SHORTEST = 3  # letters left of an ending; fewer are the start of any word
_PLAIN = str.maketrans("əıđёэқғҳҷөүұңәһі", "aidеекгхчоуунахи", "ьъʼʻ'’`-‐")


def fold(word: str) -> str:
    """A word in lower case without marks on its letters, apostrophes, hyphens and signs, as hurried people type it."""
    folded = unicodedata.normalize("NFKD", word.lower().translate(_PLAIN))
    return "".join(letter for letter in folded if letter.isalnum())


@dataclass(frozen=True)
class LocalWords:
    """The words of one language, folded. ``endings`` maps an ending to the letters that it may stand in place of."""

    places: frozenset[str]
    given: frozenset[str]
    ambiguous: frozenset[str]
    surnames: frozenset[str]
    common: Mapping[str, tuple[str, ...]]
    """Everyday words, folded, and how each is spelt."""
    endings: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    from_cyrillic: str = ""
    """The spelling of `respell` in which words in Cyrillic are made Latin, for a language listed in Latin letters."""

    @cached_property
    def _longest(self) -> int:
        return max(map(len, self.endings), default=0)

    def folded(self, word: str) -> str:
        """The word as the lists have it."""
        return fold(self._spelt(word))

    def _spelt(self, word: str) -> str:
        """The word in small letters of the script that the lists are in."""
        if self.from_cyrillic and CYRILLIC.match(word):
            from ..pseudonyms.spelling import respell

            return respell(word.lower(), self.from_cyrillic, self.from_cyrillic.partition("-")[0])
        return word.lower()

    def bases(self, word: str) -> Iterator[str]:
        """What a folded word may be a form of: itself, and itself without each ending it may have."""
        yield word
        for size in range(1, min(self._longest, len(word) - _SHORTEST + 1) + 1):
            stem = word[:-size]
            for replaced in self.endings.get(word[-size:], ()):
                if len(stem) + len(replaced) >= _SHORTEST:
                    yield stem + replaced

    def is_place(self, words: str) -> bool:
        """Whether words are a form of a town or village, of which only the last word has an ending; everyday words are
        none."""
        first, _, last = words.rpartition(" ")
        front = "".join(f"{self.folded(word)} " for word in first.split())
        if not front and self.is_common(last):
            return False
        return any(front + base in self.places for base in self.bases(self.folded(last)))

    def is_given(self, word: str) -> bool:
        """Whether a word is a form of a given name, and not of an everyday word."""
        return not self.is_common(word) and any(base in self.given for base in self.bases(self.folded(word)))

    def is_ambiguous(self, word: str) -> bool:
        """Whether a word is a form of a name that is an everyday word too."""
        return any(base in self.ambiguous for base in self.bases(self.folded(word)))

    def is_name(self, word: str) -> bool:
        """Whether a word is a given name or a town, whatever its case."""
        return self.is_given(word) or self.is_place(word)

    def is_surname(self, word: str) -> bool:
        """Whether a word is a form of a listed surname, and not of an everyday word."""
        return not self.is_common(word) and any(base in self.surnames for base in self.bases(self.folded(word)))

    def is_listed_word(self, word: str) -> bool:
        """Whether a word is an everyday word in just this form."""
        spelt = self._spelt(word)
        return spelt in self.common.get(fold(spelt), ())

    def is_common(self, word: str) -> bool:
        """Whether a word is a form of an everyday word, and no listed name or town as it stands.

        A word typed without the marks of its letters may be any that has them; one with marks only what they say:
        "Nišu" is no "nisu".
        """
        spelt = self._spelt(word)
        folded = fold(spelt)
        if spelt in self.common.get(folded, ()):
            return True
        if folded in self.given or folded in self.places or folded in self.surnames:
            return False
        known = (spelling for base in self.bases(folded) for spelling in self.common.get(base, ()))
        return any(folded == spelt or spelling[:-1] == spelt[: len(spelling) - 1] for spelling in known)


@cache
def local_words(language: str) -> LocalWords | None:
    """The words of a language, None for one that has no file."""
    if language not in LANGUAGES:
        return None
    sections: dict[str, set[str]] = {name: set() for name in _SECTIONS}
    common: dict[str, set[str]] = {}
    endings: dict[str, set[str]] = {}
    for name in (language, f"{language}-cyrl"):
        for section, entry in _entries(name):
            if section == "endings":
                replaced, _, ending = entry.rpartition(">")
                endings.setdefault(fold(ending), set()).add(fold(replaced))
            elif section == "common":
                common.setdefault(fold(entry), set()).add(entry.lower())
            else:
                sections[section].add(" ".join(fold(word) for word in entry.split()))
    endings.pop("", None)
    return LocalWords(
        **{name: frozenset(found) for name, found in sections.items()},
        common={word: tuple(sorted(found)) for word, found in common.items() if word not in sections["given"]},
        endings={ending: tuple(sorted(found)) for ending, found in sorted(endings.items())},
        from_cyrillic="sr-cyrl" if language == "sr" else "",
    )


def _entries(name: str) -> Iterator[tuple[str, str]]:
    """Section and entry, in file order; nothing where there is no such file."""
    path = importlib.resources.files(__package__).joinpath("data", "languages", f"{name}.txt")
    if not path.is_file():
        return
    section = ""
    for line in path.read_text(encoding="utf-8").splitlines():
        words = line.split("#")[0].strip()
        if words.startswith("["):
            section = words.strip("[]")
        elif words:
            yield from ((section, entry.strip()) for entry in words.split(",") if entry.strip())


def is_everyday(word: str, language: str) -> bool:
    """Whether a word is no name but a word of the language, whatever its capital says."""
    local = local_words(language)
    return is_common(word) or is_harmless(word) or (local is not None and local.is_common(word))
