"""How much a capitalized word is to be believed as a name: what the lists, the dictionaries, its form and its
place say.

Recall comes before precision: a capitalized word in the middle of a sentence that no list knows is taken for a name.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from functools import cache

from ..lexicon import (
    CYRILLIC,
    UPPER,
    WORD,
    RussianWord,
    case_forms,
    english_words,
    is_common,
    load_words,
    russian_word,
)
from .name_forms import ABBREVIATED_TITLES, NICKNAME_BEFORE, PATRONYMIC, SURNAME, titles
from .towns import is_town

_NOT_RUSSIAN = re.compile("[іїєґәғқңөұүһўҳҷӣӯјљњћђџѓќѕ]")
_SAMPLE = 300  # words that decide whether a text is English or Russian
_MIN_ENGLISH = 0.6  # share of listed words among the lower-case Latin words; other languages measured below 0.2
_MAX_FOREIGN = 0.02  # share of words with letters that Russian does not have
_ENDS = frozenset(".!?…:;։\n\r•*–—|#>/")
_OPENERS = frozenset("«\"“„'‘")
TITLE_REACH = 40  # characters before a word in which its title stands
_SHORT_CAPITALS = 5  # letters; shorter words all in capitals are abbreviations unless a list knows them as names
# Given names that are likelier something else at the start of a sentence, in lower case.
RATHER_WORDS = frozenset(
    """
    вера надежда любовь слава лев поля роза рада май мая лада дали света рая кира роман герман марс мир зоря ада
    ия ника вале мира сона дан дана ион лиля дина дома мани мари нона лили назик пери умут мина гули эдик рахат
    сахиб талант азат art dan era max mark rose will hope faith grace may june april august mira drita besa liri
    shpresa flutura lule jeta arta luna hana ana ion marin luca doru sorin mina nora flora aurora sara sena lela
    pero rade mile stana stela sanda эки жеке адам ана ali stane dana mire marti усто уста раис раиси
    """.split()
)


@dataclass(frozen=True)
class KnownText:
    """A text and what its words say of it: which of the two dictionaries tells its common words, and what
    stands in lower case.

    Lives as long as one search, with what the dictionary said of the words met in it.
    """

    text: str
    english: bool
    russian: bool
    lower: frozenset[str]
    _readings: dict[str, RussianWord] = field(default_factory=dict)
    scores: dict[str, tuple[str, float, bool]] = field(default_factory=dict)

    def russian_word(self, lowered: str) -> RussianWord:
        known = self._readings.get(lowered)
        if known is None:
            known = self._readings[lowered] = russian_word(lowered)
        return known

    def is_common(self, word: str) -> bool:
        """Whether a word is above all a common word of the two languages with a dictionary."""
        lowered = word.lower()
        return self.russian_word(lowered).reading == "word" if CYRILLIC.match(word) else is_common(word)


def look_over(text: str) -> KnownText:
    words = [word for word in WORD.findall(text) if word[0].islower()]
    sample = words[:_SAMPLE]
    english = english_words()
    latin = [word for word in sample if not CYRILLIC.match(word)]
    cyrillic = [word for word in sample if CYRILLIC.match(word)]
    listed = sum(word in english or word.replace("’", "'") in english for word in latin)
    foreign = sum(_NOT_RUSSIAN.search(word) is not None for word in cyrillic)
    return KnownText(
        text,
        english=bool(latin) and listed >= _MIN_ENGLISH * len(latin),
        russian=bool(cyrillic) and foreign <= _MAX_FOREIGN * len(cyrillic),
        lower=frozenset(words),
    )


def may_join(known: KnownText, word: str) -> bool:
    """Whether a word that is no name by itself may be the surname beside a given name."""
    if word.isupper() and len(word) < _SHORT_CAPITALS:
        return False
    lowered = word.lower()
    if CYRILLIC.match(word):
        return (
            not known.russian
            or known.russian_word(lowered).reading != "word"
            or known.russian_word(lowered).may_be_name
        )
    return lowered not in english_words()


def judge(known: KnownText, start: int, word: str) -> float:
    """How much a capitalized word is to be believed as a name; 0 for no name."""
    text, lowered = known.text, word.lower()
    before = text[max(0, start - TITLE_REACH) : start]
    if NICKNAME_BEFORE.search(before[-24:]):
        return 0.8
    if word.isupper() or _ACRONYM_WITH_ENDING.match(word):
        return _score_capitals(known, word, lowered) if word.isupper() else 0.0
    first = _starts_sentence(text, start)
    if lowered in given_forms() or PATRONYMIC.search(lowered):
        return 0.0 if first and _is_rather_word(known, lowered) else 0.85
    if is_town(word):
        return 0.0
    if has_title(before):
        return 0.75 if _may_follow_title(known, word) else 0.0
    return _score_first(known, word, lowered) if first else _score_inside(known, start, word, lowered)


def _is_rather_word(known: KnownText, lowered: str) -> bool:
    """Whether a listed name is likelier a common word where a sentence starts."""
    return lowered in RATHER_WORDS or (lowered not in _given_names() and known.is_common(lowered))


def _score_inside(known: KnownText, start: int, word: str, lowered: str) -> float:
    """A capital inside a sentence makes a name of every word that is not known to be none."""
    if CYRILLIC.match(word):
        common = (
            known.russian
            and known.russian_word(lowered).reading != "unknown"
            and not known.russian_word(lowered).may_be_name
        )
        of_institution = _ADJECTIVE.search(lowered) is not None and _LOWER_NEXT.match(known.text, start + len(word))
        return 0.0 if common and (lowered in known.lower or of_institution) else 0.6
    return 0.0 if is_common(word) else 0.6


_ADJECTIVE = re.compile(r"(?:[ыи]й|[ая]я|[ое]е|[ыи]е|[ую]ю|[ое]й|[оеы]го|[оеыи]му?|[ыи]х|[ыи]ми)$")
_LOWER_NEXT = re.compile(rf"\s(?![{UPPER}])[^\W\d_]")
_ACRONYM_WITH_ENDING = re.compile(rf"[{UPPER}]{{2,6}}[-’']?[^\W\d_]{{1,5}}\Z")
"""ОЗТга, İXM-in: what agglutinative languages make of an abbreviation."""


_LAST_WORD = re.compile(r"(?<![\w-])([^\W\d_]+(?:-[^\W\d_]+){0,3})(\.?)\s?\Z")


def has_title(before: str) -> bool:
    """Whether the last word before a place is a title; after a stop only an abbreviated one."""
    last = _LAST_WORD.search(before, max(0, len(before) - 24)) if before[-1:] in " .\n" else None
    if last is None:
        return False
    word = last[1].lower()
    return word in ABBREVIATED_TITLES or (not last[2] and word in titles())


def _may_follow_title(known: KnownText, word: str) -> bool:
    return len(word) > 3 or not known.is_common(word) if CYRILLIC.match(word) else not is_common(word)


def _score_capitals(known: KnownText, word: str, lowered: str) -> float:
    """A word all in capitals is a name only on good evidence: the whole text may be written so."""
    if lowered in given_forms() and (len(word) >= _SHORT_CAPITALS or not known.is_common(word)):
        return 0.0 if known.is_common(word) and lowered not in _given_names() else 0.8
    if len(word) >= _SHORT_CAPITALS and PATRONYMIC.search(lowered):
        return 0.8
    if len(word) <= _SHORT_CAPITALS or known.is_common(word) or is_town(word):
        return 0.0
    in_known_language = known.russian if CYRILLIC.match(word) else known.english
    return 0.6 if SURNAME.search(lowered) and (in_known_language or len(word) > _SHORT_CAPITALS + 1) else 0.0


def _score_first(known: KnownText, word: str, lowered: str) -> float:
    """A word that starts a sentence has its capital anyway: only what no dictionary of its language knows is a name."""
    if lowered in known.lower:
        return 0.0
    if CYRILLIC.match(word):
        reading = known.russian_word(lowered).reading
        if reading == "name":
            return 0.6
        if reading == "unknown" and known.russian and len(word) > 3:
            return 0.5
        return 0.6 if reading == "unknown" and len(word) > 4 and SURNAME.search(lowered) else 0.0
    if known.english:
        return 0.0 if len(word) < 3 or is_common(word) or _ENGLISH_ENDING.search(lowered) else 0.5
    return 0.0


_ENGLISH_ENDING = re.compile(
    r"(?:..ness|..[ts]ion|...ment|..ances?|..ences?|..ity|...ing|..[^m]ed|..ship|..less|..ful|..ous|..ive|"
    r"..able|..ible|..ism|..ists?|..ology|..scopy|..ally|..edly|..itis)s?$"
)
"""Endings of English words that no name of the region has."""


def _starts_sentence(text: str, start: int) -> bool:
    at = start - 1
    while at >= 0 and (text[at] in " \u00a0\t" or text[at] in _OPENERS) and start - at < TITLE_REACH:
        at -= 1
    if at < 0 or text[at] in _ENDS:
        # Also after an abbreviation ("ул.", "г."): what follows one is a name by other signs.
        return True
    # Speech starts with a capital: the word after an opening quotation mark, or after a dash or bullet.
    return text[start - 1] in _OPENERS or (text[at] in "-)" and (at == 0 or text[at - 1] in "\n "))


@cache
def _given_names() -> frozenset[str]:
    return frozenset(name.lower() for name in load_words("given_names.txt"))


@cache
def given_forms() -> frozenset[str]:
    """Every listed given name in every case form, in lower case."""
    return frozenset(form for name in _given_names() for form in case_forms(name) if len(form) > 2 or form == name)
