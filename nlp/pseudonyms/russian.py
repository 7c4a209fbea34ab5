"""Declension in Russian: names of people by ``pytrovich``, names of places by ``pymorphy3``."""

from __future__ import annotations

from functools import cache
from typing import Any

from .slavic import Forms, plural

_PYMORPHY = {"gent": "gen", "datv": "dat", "accs": "acc", "ablt": "ins", "loct": "loc"}
_OTHERS = {"gen2": "gen", "acc2": "acc", "loc2": "loc", "voct": "nom", "nomn": "nom"}


@cache
def _analyzer() -> Any:
    from pymorphy3 import MorphAnalyzer

    return MorphAnalyzer(lang="ru")


@cache
def _maker() -> Any:
    from pytrovich.maker import PetrovichDeclinationMaker

    return PetrovichDeclinationMaker()


@cache
def russian(lemma: str, gender: str, kind: str) -> Forms | None:
    """Forms of a Russian lemma by case; ``kind`` is ``given``, ``surname``, ``patronymic`` or ``place``.

    Source of the rules: petrovich-rules, after Зализняк's dictionary and Калакуцкая, Склонение фамилий (1984); for
    places the OpenCorpora dictionary.
    """
    if kind == "place":
        return _place(lemma)
    from pytrovich.enums import Case, Gender, NamePart

    parts = {"surname": NamePart.LASTNAME, "patronymic": NamePart.MIDDLENAME}
    part = parts.get(kind, NamePart.FIRSTNAME)
    sex = Gender.FEMALE if gender == "f" else Gender.MALE
    names = {"gen": Case.GENITIVE, "dat": Case.DATIVE, "acc": Case.ACCUSATIVE, "ins": Case.INSTRUMENTAL}
    names["loc"] = Case.PREPOSITIONAL
    forms = {case: str(_maker().make(part, sex, value, lemma)) for case, value in names.items()}
    if kind == "given" and gender == "f" and lemma.endswith("ль") and forms["gen"] == lemma:  # Айгуль, Асель, Гюзель
        forms |= dict.fromkeys(("gen", "dat", "loc"), f"{lemma[:-1]}и") | {"ins": f"{lemma}ю"}
    return forms | plural(lemma) if kind == "surname" and gender == "m" else forms


def _place(lemma: str) -> Forms | None:
    first, hyphen, last = lemma.rpartition("-")
    if hyphen:  # Джалал-Абад, Усть-Каменогорск: only the last part bends
        forms = _place(last)
        return None if forms is None else {case: f"{first}-{form}" for case, form in forms.items()}
    parses = [
        parse
        for parse in _analyzer().parse(lemma)
        if "NOUN" in parse.tag and "nomn" in parse.tag and ("Geox" in parse.tag or parse.normal_form == lemma.lower())
    ]
    if " " in lemma or not parses:
        return None
    best = max(parses, key=lambda parse: ("Geox" in parse.tag, parse.score))
    forms = {}
    for grammeme, case in _PYMORPHY.items():
        wanted = {grammeme, "plur"} if "plur" in best.tag and "Pltm" in best.tag else {grammeme, "sing"}
        inflected = best.inflect(wanted)
        if inflected is None:
            return None
        forms[case] = inflected.word.capitalize()
    return forms


@cache
def readings(surface: str) -> tuple[tuple[str, str, frozenset[str]], ...]:
    """What ``pymorphy3`` reads in a word: normal form, case and tags (Name, Surn, Patr, Geox, masc, femn, plur) of each
    nominal reading, the likeliest first."""
    found = []
    for parse in _analyzer().parse(surface):
        if parse.tag.case is None:
            continue
        case = _PYMORPHY.get(parse.tag.case) or _OTHERS.get(parse.tag.case, "nom")
        tags = {tag for tag in ("Name", "Surn", "Patr", "Geox", "masc", "femn", "plur") if tag in parse.tag}
        found.append((parse.normal_form, case, frozenset(tags)))
    return tuple(found)


@cache
def is_common_noun(word: str) -> bool:
    """Whether a word is known to the dictionary as a noun that is nobody's name and no place."""
    if not _analyzer().word_is_known(word.lower()):
        return False
    parses = _analyzer().parse(word.lower())
    names = any({"Name", "Surn", "Patr", "Geox"} & set(str(parse.tag).replace(" ", ",").split(",")) for parse in parses)
    return not names and any(parse.tag.POS in ("NOUN", "ADJF") for parse in parses)
