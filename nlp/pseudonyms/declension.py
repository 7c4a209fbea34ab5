"""Grammatical case of names: one engine for all languages.

``form`` inflects, ``analyses`` finds what a form may be by inflecting every plausible lemma again. Cases are ``nom gen
dat acc ins loc voc`` and what a language has besides (``abl``, ``adj``, ``erg``, ``def``, ``in`` ...); languages are
those of `spelling.spelling_of`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import lru_cache
from typing import NamedTuple

from .balkan import albanian, romanian
from .russian import russian
from .slavic import Forms, macedonian, serbian, ukrainian
from .spelling import capitalize
from .suffixing import PARADIGMS

_GENDERED: dict[str, Callable[[str, str, str], Forms | None]] = {
    "ru": russian,
    "uk": ukrainian,
    "sr": serbian,
    "bs": serbian,
    "sr-cyrl": serbian,
    "mk": macedonian,
    "mk-latn": macedonian,
    "ro": romanian,
    "sq": albanian,
}
# What a lemma may end in, after the case ending is cut off.
_LEMMA_ENDINGS = {
    "ru": ("", "а", "я", "ь", "й", "ий", "ия", "ой", "о"),
    "uk": ("", "а", "я", "ь", "й", "ий", "ія", "о"),
    "sr": ("", "a", "o", "e", "i", "ac"),
    "sr-cyrl": ("", "а", "о", "е", "и", "ац"),
    "mk": ("", "а", "о"),
    "mk-latn": ("", "a", "o"),
    "ro": ("", "a"),
    "sq": ("", "a", "e", "ë", "i"),
    "ka": ("", "ი", "ა", "ე"),
    "ky": ("", "ь"),
}
_LEMMA_ENDINGS["bs"] = _LEMMA_ENDINGS["sr"]
_LONGEST_ENDING = 6
# What a case ending of a Slavic name looks like: nothing longer is cut off in search of a lemma.
_CASE_ENDINGS = {
    "ru": frozenset(
        "а у ом ем ём е ы и ой ей ёй ою ею ю ью я ии ию ией ия ого ому ым им ых их ами ями ах ях ам ям ия ию ием "
        "ии".split()
    ),
    "uk": frozenset(
        "а у ом ем єм е і ї и ою ею єю ю ові еві єві я ії ію ією є о ого ому им ій ої их ими ця цю цем ця зі ці сі ьця "
        "ом єві ова еву".split()
    ),
}


class Reading(NamedTuple):
    """One way to read a name: lemma, case, gender (``m``, ``f``)."""

    lemma: str
    case: str
    gender: str


@lru_cache(maxsize=200_000)
def forms(language: str, lemma: str, gender: str = "m", kind: str = "given") -> Forms | None:
    """All forms of a lemma by case, the nominative among them; None where its declension is not known."""
    if language in PARADIGMS:
        return {"nom": lemma, **PARADIGMS[language](lemma, kind)}
    if language not in _GENDERED:
        return {"nom": lemma}
    found = _GENDERED[language](lemma, gender, kind)
    return None if found is None else {"nom": lemma, **found}


def form(language: str, lemma: str, case: str, gender: str = "m", kind: str = "given") -> str | None:
    """A lemma in a case. A lemma that a gender does not decline, or a case that a language does not mark, stays as it
    is; None where its declension is not known."""
    if case == "nom" and language != "ka":
        return lemma
    found = forms(language, lemma, gender, kind)
    return None if found is None else found.get(case, found["nom"])


@lru_cache(maxsize=50_000)
def analyses(language: str, surface: str, kind: str = "given") -> tuple[Reading, ...]:
    """Every reading of a form whose lemma inflects back to it; the nominative first."""
    genders = ("m", "f") if language in _GENDERED else ("m",)
    first = [Reading(surface, "nom", gender) for gender in genders] if _is_nominative(language, surface, kind) else []
    found = dict.fromkeys(first)
    for lemma in _lemmas(language, surface):
        for gender in genders:
            for case, inflected in (forms(language, lemma, gender, kind) or {}).items():
                if inflected == surface and (case != "nom" or language == "ka"):
                    found[Reading(lemma, case, gender)] = None
    return tuple(found)


def _is_nominative(language: str, surface: str, kind: str) -> bool:
    return language != "ka" or surface == form("ka", surface, "nom", kind=kind)


def _lemmas(language: str, surface: str) -> Iterator[str]:
    endings = _LEMMA_ENDINGS.get(language, ("",))
    for cut in range(min(_LONGEST_ENDING, len(surface) - 2) + 1):
        stem = surface[: len(surface) - cut]
        if language in _CASE_ENDINGS and surface[len(stem) :].lower() not in _CASE_ENDINGS[language]:
            continue
        for ending in endings:
            if cut or ending or language == "ka":  # a Georgian stem is a form of itself
                yield stem + ending


def titled(word: str, language: str) -> str:
    """A name with its first letters large, whatever it stands in."""
    lowered = word.replace("İ", "i").replace("I", "ı").lower() if language == "az" else word.lower()
    parts = [capitalize(part) for part in lowered.split("-")]
    if language == "az":
        parts = ["İ" + part[1:] if part.startswith("I") else part for part in parts]
    return "-".join(parts)
