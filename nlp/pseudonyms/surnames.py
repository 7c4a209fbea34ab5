"""Surnames by their ending: what is kept of an inflected one when its stem is swapped.

``Нурлан|ов|ой`` becomes ``Сыздык|ов|ой``: where old and new surname share the ending that makes them surnames, what
stands after it (case, gender, number) fits the new one as it fitted the old, in every language that inflects there.
"""

from __future__ import annotations

import re
from functools import cache
from typing import NamedTuple

from .spelling import script_of
from .suffixing import PARADIGMS

# Name of the class, and its endings in Cyrillic, Latin, Armenian letters. -ov and -ev are two, since vowel harmony
# tells
# them apart in Turkic languages.
_CLASSES = {
    "enk": ("енк", "enk", ""),
    "ov": ("ов", "ov", "ով"),
    "ev": ("ев|ёв|єв", "ev|jev|yev", "և|եվ"),
    "in": ("ин|ін|їн|ын", "in|ın", "ին"),
    "sk": ("ск|цк|ськ|цьк|зьк", "sk|ck|ţk|zk", "սկ"),
    "uk": ("ук|юк", "uk", ""),
    "yan": ("ян", "yan|ian|jan", "յան"),
    "yants": ("янц", "yants|iants", "յանց"),
    "ich": ("ич|іч|ић", "ich|ych|ić|ici|ic", "իչ"),
    "shvili": ("швили|швілі|швили", "shvili|švili|şvili|şvili", "շվիլի"),
    "dze": ("дзе", "dze", "ձե"),
    "zade": ("заде|зода|зодаи", "zadə|zade|zoda|zadeh|zodah", ""),
    "escu": ("еску", "escu|esku", ""),
}
_SLAVIC = (
    "а у ом ым им е ой ою ої ій ы и і ых их іх ыми ими ами ові еві ого ому ий ый ая ую ые ие о a u om em e i og im "
    "oj ima"
).split()
_TAILS = {
    "en": ["", "a", "o", "y", "iy", "yi", "i", "aya", "s"],
    "sq": ["", "a", "o", "i", "it", "in", "ën", "ës"],
    "ro": ["", "a", "o", "ei", "ii", "i"],
    "mk": ["", "а", "о", "и", "е"],
    "mk-latn": ["", "a", "o", "i", "e"],
}
_BEFORE_SUFFIX = {"cyrl": ["", "а", "о", "ий", "ая"], "latn": ["", "a", "o", "i", "aya"], "armn": ["", "ա", "ի"]}
_SAMPLES = ("Каримов", "Алиев", "Омарова", "Karimov", "Aliyev", "Karimova", "Əliyev", "Məmmədov", "Əliyeva", "Աբովյան")


class Surname(NamedTuple):
    """A surname of a known class: what comes before the tail, the class, and the tail."""

    base: str
    kind: str
    tail: str


@cache
def _tails(spelling: str, script: str) -> frozenset[str]:
    if spelling in _TAILS:
        return frozenset(_TAILS[spelling])
    if spelling not in PARADIGMS:
        return frozenset(["", *_SLAVIC])
    suffixes = {""}
    for sample in _SAMPLES:
        if script_of(sample) == script:
            suffixes |= {form[len(sample) :] for form in PARADIGMS[spelling](sample, "surname").values()}
    return frozenset(first + suffix for first in _BEFORE_SUFFIX.get(script, [""]) for suffix in suffixes)


@cache
def _pattern(script: str) -> re.Pattern[str]:
    column = {"cyrl": 0, "latn": 1, "armn": 2}[script]
    groups = "|".join(f"(?P<{name}>{forms[column]})" for name, forms in _CLASSES.items() if forms[column])
    return re.compile(f"(?=(?:{groups}))")


@cache
def read_surname(word: str, spelling: str) -> Surname | None:
    """The parts of a surname of a known class; the longest tail that the language allows is cut off, or None."""
    script = script_of(word)
    if script == "geor":
        return None
    tails = _tails(spelling, script)
    lowered = word.replace("İ", "i").lower()
    found = None
    for match in _pattern(script).finditer(lowered, 2):
        for name, ending in match.groupdict().items():
            if ending and lowered[match.start() + len(ending) :] in tails:
                at = match.start() + len(ending)
                if len(lowered) == len(word) and (found is None or at < len(found.base)):
                    found = Surname(word[:at], name, word[at:])
    return found


def is_feminine(surname: Surname) -> bool | None:
    """Whether the tail says that a woman bears it; None where it does not tell."""
    if surname.kind in ("ov", "ev", "in"):
        return bool(re.fullmatch(r"(?:а|a|ա|ой|ою|ої|ій|oj)\w*|у\Z", surname.tail)) and not surname.tail.startswith(
            "ами"
        )
    if surname.kind == "sk":
        return bool(re.match(r"а|ой|у|ою|ої|ій|a|oj|u|ա", surname.tail))
    return None
