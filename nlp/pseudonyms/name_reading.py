"""Lemma, case, gender and culture of a name: the reading that lists, text, preposition and dictionary speak for
most."""

from __future__ import annotations

import re
from collections.abc import Sequence

from .declension import Reading, analyses
from .lexicon import Known, known, latin_key
from .name_parts import Part
from .pools import cultures_of
from .prepositions import cases_after, gender_before
from .russian import readings
from .surnames import Surname, is_feminine, read_surname

_SURE = 3.0  # the score of a reading that something besides its form speaks for
_LONG_SUFFIX = 3  # letters that a case ending must have to be told without other evidence
_RESPECT = re.compile(r"(?<=\w{4})(?:хон|хони|жон|ҷон|джон|xon|jon|khon|jan|bonu|бону)$", re.IGNORECASE)


def read_part(part: Part, before: str, elsewhere: frozenset[str], language: str, country: str) -> None:
    """Find lemma, cases, gender and culture of a name. ``elsewhere`` are the names of the text in title case."""
    if part.kind in ("kept", "initial", "patronymic"):
        return
    if part.kind == "nickname":
        part.lemma, part.key = part.title, f"nick {latin_key(part.title, part.spelling)}"
        return
    if part.kind == "surname" and part.surname is None:
        part.surname = read_surname(part.title, part.spelling)
    allowed = cases_after(before, part.spelling)
    kind = "given" if part.kind in ("given", "father") else "surname"
    if kind == "surname" and part.surname is not None:
        _read_surname_of_class(part, part.surname, allowed)
    else:
        part.surname = None
        scored = [
            (_score(reading, part, kind, allowed, elsewhere, country), reading)
            for reading in analyses(part.spelling, part.title, kind)
        ]
        _take_best(part, kind, scored, allowed, country)
    if kind == "given" and part.gender_is_guessed:
        part.gender = gender_before(before) or part.gender
    part.culture = part.culture or _culture_of_ending(part) or ("abroad" if _is_foreign(part, language) else "")


def _read_surname_of_class(part: Part, surname: Surname, allowed: frozenset[str]) -> None:
    part.lemma = surname.base
    part.key = f"{latin_key(surname.base, part.spelling)}|{surname.kind}"
    woman = is_feminine(surname)
    part.gender = part.gender or (None if woman is None else "f" if woman else "m")
    lemmas = {surname.base, f"{surname.base}о", f"{surname.base}ий"}
    if surname.kind in ("ov", "ev", "in", "sk"):
        lemmas |= {f"{surname.base}а", f"{surname.base}a", f"{surname.base}ая", f"{surname.base}и"}
    cases = {
        reading.case
        for reading in analyses(part.spelling, part.title, "surname")
        if reading.lemma in lemmas or (reading.case == "nom" and not surname.tail)
    }
    if part.title in lemmas:
        cases.add("nom")
    part.cases = frozenset(cases & allowed or cases or {"nom"})


def _score(
    reading: Reading, part: Part, kind: str, allowed: frozenset[str], elsewhere: frozenset[str], country: str
) -> float:
    entries = [
        entry
        for entry in known(reading.lemma, part.spelling, kind, country)
        if kind == "surname"
        or part.spelling not in ("ru", "uk", "sr", "bs", "sr-cyrl")
        or entry.gender == reading.gender
    ]
    score = 4.0 + (entries[0].culture in cultures_of(country)) if entries else 0.0
    if reading.case == "nom" or (reading.case == "stem" and kind == "given"):
        score += -0.5 if _is_inflected(part) else 1.5
    elif reading.lemma in elsewhere:
        score += 3.0
    elif len(part.surface) - len(reading.lemma) >= _LONG_SUFFIX:
        score += 2.0
    if part.spelling == "ru" and any(
        case == reading.case and lemma == reading.lemma.lower() and tags & {"Name", "Surn"}
        for lemma, case, tags in readings(part.surface)
    ):
        score += 1.0
    if allowed:
        score += 1.0 if reading.case in allowed else -1.0
    return score


# Endings that a name in the nominative hardly has.
_OBLIQUE = {
    "ru": re.compile(r"(?:[оеё]й|ою|ею|[оеё]м|у|ю|ами|ями|ого|ому)$"),
    "uk": re.compile(r"(?:ою|ею|єю|ові|еві|єві|ом|ем|єм|ого|ому|у|ю|ої|ії)$"),
    "sr": re.compile(r"(?:u|om|em|og|oj)$"),
    "sr-cyrl": re.compile(r"(?:у|ом|ем|ог|ој)$"),
    "ka": re.compile(r"(?:[აეიოუ][მსც]|მა|ში|ზე|დან|თან|თვის)$"),
    "hy": re.compile(r"(?:[բ-ֆ]ը|[աո]յի|ից|ով|ում|[բգդզթժլխծկհձղճմյնշչպջռսվտրցփքֆ]ն)$"),
    "sq": re.compile(r"(?:[aeë]n|ës|it|in|ut|un)$"),
    "az": re.compile(r"(?:nın|nin|dan|dən)$"),
}
_OBLIQUE["bs"] = _OBLIQUE["sr"]


def _is_inflected(part: Part) -> bool:
    """Whether a name hardly stands in the nominative: by its ending, or as the Russian dictionary predicts."""
    pattern = _OBLIQUE.get(part.spelling)
    if pattern is None or not pattern.search(part.surface.lower()):
        return False
    return part.spelling != "ru" or all(case != "nom" for _, case, _ in readings(part.surface))


def _take_best(
    part: Part, kind: str, scored: list[tuple[float, Reading]], allowed: frozenset[str], country: str
) -> None:
    if not scored:
        part.lemma, part.key, part.is_told = part.title, latin_key(part.title, part.spelling), False
        return
    top = max(score for score, _ in scored)
    best = next(reading for score, reading in scored if score == top)
    same = {r for score, r in scored if score >= top - 2.0 and r.lemma == best.lemma and r.gender == best.gender}
    cases = frozenset(reading.case for reading in same)
    part.lemma = best.lemma
    part.cases = cases & allowed or cases
    only = all(reading.case == "nom" for _, reading in scored)
    part.is_told = top >= _SURE or only
    entries = known(best.lemma, part.spelling, kind, country)
    part.culture = _culture(entries, country)
    if part.gender is None and kind == "given":
        part.gender = _gender(part, best, entries)
    if respect := _RESPECT.search(part.lemma):
        bare = part.lemma[: respect.start()]
        if known(bare, part.spelling, "given", country):
            part.lemma, part.ending = bare, respect[0]
    part.key = latin_key(part.lemma, part.spelling)


_NEIGHBORS = frozenset(("kk", "ky", "tg", "uz", "az"))


def _culture(entries: Sequence[Known], country: str) -> str:
    """The culture of a listed name; names that Turkic and Tajik peoples share count as the country's own."""
    if not entries:
        return ""
    main, culture = cultures_of(country)[0], entries[0].culture
    return main if culture in _NEIGHBORS and main in _NEIGHBORS and culture not in cultures_of(country) else culture


# How unlisted names of men and women end in Turkic languages and Tajik.
_WOMAN = re.compile(
    r"(?:[аяəәe]|г[үу]ль?|g[üu]l|айым|биби\w*|бүбү\w*|нисо|ниса|бегим|begim|хон|ханум|xanım|[шч][ыи]н|с[ыұу]лу{1,2}|ж[аә]мал|к[үу]л|"
    r"нұр|мөлдір|oy|ай|бону|паш|ісін|сын)$"
)
_MAN = re.compile(
    r"(?:бек|bek|bəy|bəg|бай|boy|bay|хан|xan|али|алі|әлі|əli|дин|din|мурат|murod|тай|құл|кул|qul|улла|ullo|шо|хуҷа|зода|ат)$"
)


_SEXED = frozenset("ru uk sr bs sr-cyrl mk mk-latn ro sq en hy ka".split())


def _gender(part: Part, best: Reading, entries: list[Known]) -> str | None:
    if entries:
        genders = {entry.gender for entry in entries if entry.culture == entries[0].culture}
        if len(genders) == 1:
            return genders.pop()
    part.gender_is_guessed = True
    lowered = best.lemma.lower()
    if _MAN.search(lowered) or _WOMAN.search(lowered):
        return "m" if _MAN.search(lowered) else "f"
    if part.spelling in _SEXED:
        return "f" if lowered[-1] in "аяьaeëаեა" else "m"
    return None


_ENDING_CULTURES = {"yan": "hy", "yants": "hy", "shvili": "ka", "dze": "ka", "enk": "uk", "uk": "uk", "escu": "ro"}


def _culture_of_ending(part: Part) -> str:
    return _ENDING_CULTURES.get(part.surname.kind, "") if part.surname else ""


def _is_foreign(part: Part, language: str) -> bool:
    return part.spelling == "en" and language != "en"
