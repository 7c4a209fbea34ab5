"""One person, many forms: which mentions belong together, and where a found name stands again.

Names are inflected (Нурланова, Нурлановой), shortened to one part (Aigul Sadykova, Aigul), transliterated
(Айгуль, Aigul). Two words are taken for forms of one name when their stems agree: folded to lower-case Latin,
without the endings that cases, genders and diminutives change.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Iterator, Sequence, Set
from dataclasses import dataclass

from ..types import Entity, Span
from .lexicon import WORD, without_possessive
from .local import is_everyday

_MIN_STEM = 3  # letters; a shorter stem is shared by words that are no names
_MIN_MISSPELT = 6  # letters of a name part that is found again with one letter wrong
_MAX_MISSPELT = 40  # letters; a longer one is nobody's, and has as many neighbors as letters
_MIN_AGAIN = 4  # letters of a name part that is looked for again in lower case

# To Latin, close to how names are written in passports of the region; letters that differ by habit become one.
_LATIN = str.maketrans(
    {
        "а": "a", "б": "b", "в": "v", "г": "g", "ґ": "g", "д": "d", "ђ": "d", "е": "e", "ё": "e", "є": "e", "э": "e",
        "ә": "a", "ж": "zh", "з": "z", "и": "i", "і": "i", "ї": "i", "й": "i", "ј": "i", "ӣ": "i", "к": "k", "қ": "k",
        "л": "l", "љ": "l", "м": "m", "н": "n", "ң": "n", "њ": "n", "о": "o", "ө": "o", "п": "p", "р": "r", "с": "s",
        "т": "t", "ћ": "c", "у": "u", "ў": "u", "ұ": "u", "ү": "u", "ӯ": "u", "ф": "f", "х": "h", "ҳ": "h", "һ": "h",
        "ц": "c", "ч": "ch", "ҷ": "j", "џ": "dz", "ш": "sh", "щ": "sh", "ъ": "", "ы": "i", "ь": "",
        "ю": "iu", "я": "ia", "ғ": "g", "ѓ": "g", "ќ": "k", "ѕ": "dz", "y": "i", "j": "i", "q": "k", "x": "h", "w": "v",
        "ə": "a", "ı": "i", "’": "", "'": "", "ʻ": "", "ʼ": "", "`": "",
    }
)  # fmt: skip
# Case, gender and diminutive endings in the folded Latin form; Russian, Ukrainian, Turkic and Balkan.
_ENDINGS = frozenset(
    "iami iakh ogo omu oiu eiu ami aia oi oe om em ei iu ia ie ii im ih am u a e i o "
    "nin ning din ding tin ting ga ge ka ke ni di ti dan den tan ten nan nen da de ta te s".split()
)
_LONGEST_ENDING = max(map(len, _ENDINGS))


def surface_key(words: str) -> str:
    """Equal for equal values of an identifier, however they are spaced or cased."""
    folded = unicodedata.normalize("NFKC", words).casefold()
    return "".join(character for character in folded if character.isalnum()) or folded


def stem(word: str) -> str:
    """A name part without what cases, genders and scripts change."""
    lowered = unicodedata.normalize("NFD", unicodedata.normalize("NFKC", word).lower().translate(_LATIN))
    folded = "".join(character for character in lowered if character.isalpha())
    folded = folded.replace("kh", "h").replace("ks", "x").replace("ii", "i")
    for size in range(min(_LONGEST_ENDING, len(folded) - _MIN_STEM), 0, -1):
        if folded[-size:] in _ENDINGS:
            return folded[:-size]
    return folded


def _name_parts(words: str) -> tuple[frozenset[str], frozenset[str]]:
    """Stems of the full words of a name, and its initials folded to Latin."""
    found = WORD.findall(words)
    full = frozenset(stem(word) for word in found if len(word) > 1)
    return full, frozenset(word.lower().translate(_LATIN)[:1] for word in found if len(word) == 1) - {""}


@dataclass
class _Person:
    parts: set[str]
    initials: set[str]

    def may_be(self, parts: frozenset[str], initials: frozenset[str]) -> bool:
        """Whether a mention fits: the words of one are among those of the other, and no initial speaks against it."""
        if not (parts <= self.parts or self.parts <= parts):
            return False
        return _fit(initials, self.parts - parts, self.initials) and _fit(self.initials, parts - self.parts, initials)


def _fit(initials: Set[str], others: Set[str], other_initials: Set[str]) -> bool:
    """Whether each initial stands for a further word of the other mention, or for one of its initials, where it
    has any."""
    if not initials or not (others or other_initials):
        return True
    return all(letter in other_initials or any(word.startswith(letter) for word in others) for letter in initials)


class PersonIndex:
    """Gives each mention the key of its person: two mentions are one person when the parts of one are among the
    other's."""

    def __init__(self) -> None:
        self._persons: list[_Person] = []
        self._numbers: dict[tuple[frozenset[str], frozenset[str]], int] = {}
        self._having: dict[str, list[int]] = {}

    def key(self, words: str) -> str:
        """A key that mentions of one person share; persons are told apart in the order they are first seen."""
        parts, initials = _name_parts(words)
        parts = parts or frozenset({surface_key(words)})
        known = self._numbers.get((parts, initials))
        if known is None:
            known = self._numbers[parts, initials] = self._find_or_add(parts, initials)
        return str(known)

    def _find_or_add(self, parts: frozenset[str], initials: frozenset[str]) -> int:
        numbers = sorted({number for part in parts for number in self._having.get(part, ())})
        for number in numbers:
            if self._persons[number].may_be(parts, initials):
                self._extend(number, parts, initials)
                return number
        self._persons.append(_Person(set(), set()))
        self._extend(len(self._persons) - 1, parts, initials)
        return len(self._persons) - 1

    def _extend(self, number: int, parts: frozenset[str], initials: frozenset[str]) -> None:
        person = self._persons[number]
        for part in sorted(parts - person.parts):
            self._having.setdefault(part, []).append(number)
        person.parts |= parts
        person.initials |= initials


def find_mentions(
    text: str, found: Iterable[Entity], persons: Iterable[Entity] | None = None, *, language: str = ""
) -> list[Entity]:
    """Every further mention of a person who was found: any capitalized word with the stem of one of the name
    parts, or that is one of six letters or more but for one letter; and any word in whatever case that equals a part of
    four letters or more. ``persons`` are those who were found, where ``found`` has some of them inside of longer finds.

    Common words are left out: that somebody is called Надежда does not hide every hope.
    """
    covered = sorted(found, key=lambda entity: entity.span)
    known = [entity for entity in covered if entity.type == "PERSON"] if persons is None else persons
    names = {word for entity in known for word in WORD.findall(_text_of(text, entity))}
    if not names:
        return []
    stems = {part for word in names if len(word) > 1 and len(part := stem(word)) >= _MIN_STEM}
    exact = {word.lower() for word in names if len(word) >= _MIN_AGAIN and not is_everyday(word, language)}
    slips = _Slips(word.lower() for word in names if len(word) >= _MIN_MISSPELT)

    def is_mention(word: str) -> bool:
        if word.lower() in exact:
            return True
        if not word[0].isupper() or len(word) == 1:
            return False
        return (stem(word) in stems or word.lower() in slips) and not is_everyday(word, language)

    return [
        Entity(span, "PERSON", 0.7, "mention")
        for span, word in _words_outside(text, [entity.span for entity in covered])
        if is_mention(word)
    ]


class _Slips:
    """Words that are one of some names but for one letter after the first: one too many, one missing, another one, or
    two neighbors swapped (Damerau 1964)."""

    def __init__(self, names: Iterable[str]) -> None:
        self._names = frozenset(name for name in names if len(name) <= _MAX_MISSPELT)
        self._lengths = frozenset(len(name) + more for name in self._names for more in (-1, 0, 1))
        self._without = frozenset(less for name in self._names for less in _without_each(name))

    def __contains__(self, word: str) -> bool:
        if len(word) not in self._lengths:
            return False
        less = _without_each(word)
        return (
            any((at, word) in self._without for at in range(1, len(word) + 1))
            or not self._without.isdisjoint(less)
            or any(shorter in self._names for _, shorter in less)
            or any(
                word[:at] + word[at + 1] + word[at] + word[at + 2 :] in self._names for at in range(1, len(word) - 1)
            )
        )


def _without_each(word: str) -> list[tuple[int, str]]:
    """The word without its letter at each place but the first, and the place."""
    return [(at, word[:at] + word[at + 1 :]) for at in range(1, len(word))]


def _text_of(text: str, entity: Entity) -> str:
    return text[entity.span.start : entity.span.end]


def _words_outside(text: str, covered: Sequence[Span]) -> Iterator[tuple[Span, str]]:
    at = 0
    for match in WORD.finditer(text):
        start = match.start()
        while at < len(covered) and covered[at].end <= start:
            at += 1
        if at == len(covered) or covered[at].start >= match.end():
            word = without_possessive(match[0])
            yield Span(start, start + len(word)), word
