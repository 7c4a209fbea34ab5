"""The names that new identifiers are drawn from: the lists of ``data/``, by language and country.

Where this module says *culture*, it means a file of ``data/``: a people's names in that people's own spelling.
`spelling` brings them into the language of a text.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from importlib.resources import files
from typing import NamedTuple

from .spelling import respell

CULTURES = ("kk", "ky", "tg", "uz", "az", "ru", "uk", "ro", "ka", "hy", "mk", "sq", "sr", "bs", "roma", "ko", "abroad")
_OF_COUNTRY = {
    "Kazakhstan": ("kk", "ru", "uz", "uk", "ko"),
    "Kyrgyzstan": ("ky", "ru", "uz", "kk", "ko"),
    "Tajikistan": ("tg", "ru", "uz"),
    "Uzbekistan": ("uz", "ru", "kk", "tg", "ko"),
    "Ukraine": ("uk", "ru", "az", "roma", "ro"),
    "Moldova": ("ro", "ru", "uk", "roma"),
    "Georgia": ("ka", "ru", "hy", "az"),
    "Armenia": ("hy", "ru"),
    "Azerbaijan": ("az", "ru"),
    "Albania": ("sq", "roma"),
    "Bosnia and Herzegovina": ("bs", "sr", "roma"),
    "Montenegro": ("sr", "bs", "sq", "roma"),
    "North Macedonia": ("mk", "sq", "roma", "bs"),
    "Serbia": ("sr", "roma", "bs", "sq"),
    "Russia": ("ru",),
}
_COUNTRY_OF_LANGUAGE = {
    "kk": "Kazakhstan", "ky": "Kyrgyzstan", "tg": "Tajikistan", "uz": "Uzbekistan", "uk": "Ukraine", "ro": "Moldova",
    "ka": "Georgia", "hy": "Armenia", "az": "Azerbaijan", "sq": "Albania", "bs": "Bosnia and Herzegovina",
    "sr": "Serbia", "mk": "North Macedonia", "ru": "Russia",
}  # fmt: skip
COUNTRIES = tuple(sorted(_OF_COUNTRY))


class Pool(NamedTuple):
    """The names of a people, in its own spelling: men's and women's given names, surnames in the masculine form."""

    men: tuple[str, ...]
    women: tuple[str, ...]
    surnames: tuple[str, ...]


class Place(NamedTuple):
    """A place in three spellings."""

    local: str
    ru: str
    en: str


def country_of(country: str | None, language: str) -> str:
    """The country whose lists hold for a case: its own, or the one of its language."""
    return country if country in _OF_COUNTRY else _COUNTRY_OF_LANGUAGE.get(language, "Kazakhstan")


def cultures_of(country: str) -> tuple[str, ...]:
    """Whose names are common in a country, the majority's first."""
    return _OF_COUNTRY[country]


@cache
def sections(name: str) -> dict[str, tuple[str, ...]]:
    """The sections of a file of ``data/``: words after ``[title]``, each once, ``_`` for a blank in them."""
    found: dict[str, dict[str, None]] = {}
    current: dict[str, None] = {}
    for line in (files(f"{__package__}.data") / f"{name}.txt").read_text(encoding="utf-8").splitlines():
        if line.startswith("["):
            current = found.setdefault(line.strip("[]"), {})
        elif not line.startswith("#"):
            current.update(dict.fromkeys(word.replace("_", " ") for word in line.split()))
    return {title: tuple(words) for title, words in found.items()}


_sources: list[Callable[[str], Pool]] = []


def add_source(source: Callable[[str], Pool]) -> None:
    """Draw also from the names that ``source`` gives for a culture. For training, which wants many; to be called before
    the first name is drawn. Pseudonyms are drawn from our own lists alone, so that they stay the same everywhere."""
    if source not in _sources:
        _sources.append(source)


@cache
def own_pool(culture: str) -> Pool:
    """The names of a culture in our own lists."""
    own = sections(culture)
    women = set(own["women"])
    return Pool(tuple(name for name in own["men"] if name not in women), own["women"], own["surnames"])


@cache
def pool(culture: str) -> Pool:
    """The names of a culture in our own lists and in those of added sources."""
    men, women, surnames = ([*names] for names in own_pool(culture))
    for source in _sources:
        more = source(culture)
        men += more.men
        women += more.women
        surnames += more.surnames
    women_too = set(women)
    return Pool(_once([name for name in men if name not in women_too]), _once(women), _once(surnames))


def _once(names: list[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(names))


@cache
def spelt(culture: str, spelling: str) -> Pool:
    """The names of a culture as a language spells them."""
    return Pool(*(_once([respell(name, culture, spelling) for name in names]) for names in pool(culture)))


@cache
def places(country: str) -> tuple[Place, ...]:
    """The places of a country."""
    for title, words in sections("places").items():
        name, language = title.rsplit(maxsplit=1)
        if name.replace("_", " ") == country:
            return tuple(_place(word, language) for word in words)
    return ()


def _place(entry: str, language: str) -> Place:
    parts = entry.split("/")
    spellings = dict(zip(("local", "ru", "en"), parts, strict=False))
    local = spellings["local"]
    russian = spellings.get("ru") or _respell_all(local, language, "ru")
    through = "ru" if language in ("kk", "ky") else language
    english = spellings.get("en") or _respell_all(russian if through == "ru" else local, through, "en")
    return Place(local, russian, english)


def _respell_all(words: str, source: str, target: str) -> str:
    return " ".join(respell(word, source, target) for word in words.split())


@cache
def place_names(country: str, spelling: str) -> tuple[str, ...]:
    """The places of a country as a language spells them: the local form in the language of the country, Russian and
    English from the list, any other by way of Russian."""
    own = _language_of_places(country)
    names = []
    for place in places(country):
        if spelling in ("ru", "en"):
            names.append(place.ru if spelling == "ru" else place.en)
        elif spelling in (own, "bs" if own == "sr" else own, "sr" if own == "bs" else own):
            names.append(place.local)
        elif spelling in ("uz-cyrl", "sr-cyrl", "mk-latn") and spelling[:2] in (own, "sr" if own == "bs" else own):
            names.append(_respell_all(place.local, own, spelling))
        else:
            names.append(_respell_all(place.ru, "ru", spelling))
    return tuple(dict.fromkeys(names))


@cache
def _language_of_places(country: str) -> str:
    titles = (title.rsplit(maxsplit=1) for title in sections("places"))
    return next(language for name, language in titles if name.replace("_", " ") == country)


def listed(name: str, spelling: str) -> tuple[str, ...]:
    """Streets, organisations or nicknames for a spelling, by way of Russian where the language has no list."""
    own = sections(name)
    language = {"bs": "sr", "sr-cyrl": "sr", "mk-latn": "mk", "uz-cyrl": "uz"}.get(spelling, spelling)
    if language not in own:
        language = "en"
    if language == spelling or (language, spelling) == ("sr", "bs"):
        return own[language]
    return tuple(_respell_all(words, language, spelling) for words in own[language])
