"""New names for the people of a text: one person keeps one new name in all its spellings and case forms."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from functools import cache
from itertools import pairwise
from random import Random

from nlp.types import Entity

from .declension import form, titled
from .lexicon import latin_key, plain
from .name_parts import Part, name_kinds, split
from .name_reading import read_part
from .pools import Pool, cultures_of, listed, own_pool, pool, sections, spelt
from .spelling import capitalize, respell, script_of
from .surnames import read_surname
from .wording import like

_DRAWS = 60  # names tried before one is taken that fits less well


@dataclass
class _Name:
    """A name part of the text by its key, and what stands for it."""

    kind: str
    culture: str
    gender: str
    parts: list[Part] = field(repr=False)
    new: str = field(default="", repr=False)
    of_culture: str = ""


Draws = Callable[[str], Random]
"""The source of chance for a name, by its key: one for all, or one for each, so that equal names stay equal."""


class People:
    """The new names of one text. ``told`` counts the marked names whose case was told, ``mentions`` all.

    With ``steady`` a name is drawn from our own lists, among those that bend in every case, so that what stands for it
    does not depend on the cases that a text happens to use.
    """

    def __init__(
        self,
        text: str,
        entities: Iterable[Entity],
        *,
        language: str,
        country: str,
        draws: Draws,
        steady: bool = False,
    ) -> None:
        self._draws = draws
        self._steady = steady
        self._pool = own_pool if steady else pool
        self._language = language
        self._country = country
        self._used: set[str] = set()
        self._initials: dict[tuple[str, str], str] = {}
        self._mentions = [
            (entity, split(text, entity.span.start, entity.span.end, language))
            for entity in entities
            if entity.type == "PERSON"
        ]
        self._read(text)
        self._names = self._collect()
        for name in sorted(self._names.values(), key=_full_names_first):
            self._draw(name)
        self.mentions = len(self._mentions)
        self.told = sum(all(part.is_told for part in parts) for _, parts in self._mentions)

    def edits(self) -> list[tuple[int, int, str]]:
        """What replaces which stretch of the text: start, end, new words."""
        made = []
        for _, parts in self._mentions:
            for part in parts:
                new = self._render(part, parts)
                made.append((part.start, part.end, like(part.surface, new, self._language)))
        return made

    def latin_names(self) -> dict[str, str]:
        """Old names and new ones in plain Latin letters, for addresses made of them."""
        found = {}
        for name in self._names.values():
            for part in name.parts:
                old = plain(respell(part.lemma or part.title, part.spelling, "en"))
                if len(old) > 2 and old.isascii() and name.new:
                    found[old] = plain(respell(name.new, name.of_culture, "en"))
        return found

    def _read(self, text: str) -> None:
        for _, parts in self._mentions:
            name_kinds(parts, text, self._country)
        self._agree_on_kinds()
        everything = [part for _, parts in self._mentions for part in parts]
        elsewhere = frozenset(part.title for part in everything)
        for entity, parts in self._mentions:
            before = text[max(0, entity.span.start - 30) : entity.span.start]
            for part in parts:
                read_part(part, before, elsewhere, self._language, self._country)
            _agree(parts)

    def _agree_on_kinds(self) -> None:
        """A word alone is what it is beside other words: Lozinsky after Ivan Lozinsky."""
        beside = {
            latin_key(part.title, part.spelling): part.kind
            for _, parts in self._mentions
            if len(parts) > 1
            for part in parts
            if part.kind in ("given", "surname")
        }
        for _, parts in self._mentions:
            if len(parts) == 1 and parts[0].kind in ("given", "surname", "nickname"):
                part = parts[0]
                part.kind = beside.get(latin_key(part.title, part.spelling), part.kind)

    def _collect(self) -> dict[str, _Name]:
        names: dict[str, _Name] = {}
        for _, parts in self._mentions:
            for part in parts:
                if part.kind in ("kept", "initial"):
                    continue
                if part.kind == "patronymic":
                    father = part.surface[: len(part.surface) - len(part.ending)]
                    part.key = f"father {latin_key(father, part.spelling)}"
                name = names.get(part.key)
                if name is None:
                    name = names[part.key] = _Name(part.kind, "", "", [])
                name.parts.append(part)
        for name in names.values():
            genders = [part.gender for part in name.parts if part.gender]
            name.gender = (
                max(sorted(set(genders)), key=genders.count) if genders else self._draws(name.parts[0].key).choice("mf")
            )
            name.culture = next((part.culture for part in name.parts if part.culture), cultures_of(self._country)[0])
        return names

    def _draw(self, name: _Name) -> None:
        if name.kind == "nickname":
            self._draw_nickname(name)
            return
        words, culture = self._candidates(name)
        best, best_fit = "", -1
        rng = self._draws(name.parts[0].key)
        for _ in range(_DRAWS):
            new = rng.choice(words)
            fit = self._fit(new, culture, name)
            if fit > best_fit:
                best, best_fit = new, fit
            if fit == _BEST_FIT:
                break
        name.new, name.of_culture = best, culture
        self._used.add(plain(respell(best, culture, "en")))

    def _candidates(self, name: _Name) -> tuple[Sequence[str], str]:
        culture = "ru" if name.culture == "ko" and name.kind != "surname" else name.culture
        names = self._pool(culture)
        if name.kind in ("father", "patronymic"):
            return names.men, culture
        if name.kind == "given":
            short = _short_names(name.gender)
            if any(plain(part.lemma) in short for part in name.parts):
                return tuple(short.values()), "ru"
            return (names.women if name.gender == "f" else names.men), culture
        wanted = next((part.surname.kind for part in name.parts if part.surname), None)
        if wanted is None:
            return names.surnames, culture
        spelling = next(part.spelling for part in name.parts if part.surname)
        for candidate in dict.fromkeys(
            (culture, *cultures_of(self._country), "ru", "uk", "hy", "ka", "sr", "uz", "ro")
        ):
            found = _of_class(self._pool, candidate, spelling, wanted)
            if found:
                return found, candidate
        return names.surnames, culture

    def _fit(self, new: str, culture: str, name: _Name) -> int:
        """How well a name fits: unlike the old one and new in the text, declinable in each mention, and spelt alike in
        all cases that a mention may stand in."""
        old = {plain(respell(part.lemma or part.title, part.spelling, "en")) for part in name.parts}
        latin = plain(respell(new, culture, "en"))
        if latin in old or latin in self._used:
            return 0
        fit = _BEST_FIT
        for part in name.parts:
            spelt_new = respell(new, culture, part.spelling)
            if plain(spelt_new) == plain(part.lemma or part.surface):
                return 0
            if part.kind == "patronymic":
                if spelt_new[-1].lower() in _NO_FATHER_ENDING or spelt_new in _NO_FATHERS:
                    return 1
                continue
            if part.surname is not None:
                continue
            gender = part.gender or name.gender
            cases = _KNOWN_CASES if self._steady else part.cases
            made = {form(part.spelling, spelt_new, case, gender, _kind(part)) for case in cases}
            if None in made:
                fit = min(fit, 1)
            elif len(made) > 1 and not self._steady:
                fit = min(fit, 2)
        return fit

    def _draw_nickname(self, name: _Name) -> None:
        spelling = name.parts[0].spelling
        words = [word for word in listed("nicknames", spelling) if plain(word) != plain(name.parts[0].surface)]
        name.new, name.of_culture = self._draws(name.parts[0].key).choice(words), spelling

    def _render(self, part: Part, parts: Sequence[Part]) -> str:
        if part.kind == "kept":
            return part.surface
        if part.kind == "initial":
            return self._initial(part, parts)
        name = self._names[part.key]
        new = respell(name.new, name.of_culture, part.spelling)
        if part.kind == "patronymic":
            return new + part.ending.replace("йов", "ов").replace("ьев", "ов").replace("ев", "ов").replace("їв", "ів")
        if part.surname is not None:
            again = read_surname(titled(new, part.spelling), part.spelling)
            return (again.base if again else new) + part.surname.tail
        gender = part.gender or name.gender
        if part.kind == "surname" and gender == "f":
            new = _of_woman(new, name.of_culture, part.spelling)
        case = min(part.cases, key=_ORDER.index) if part.cases <= _KNOWN_CASES else min(part.cases)
        inflected = form(part.spelling, new + part.ending, case, gender, _kind(part))
        return inflected or new + part.ending

    def _initial(self, part: Part, parts: Sequence[Part]) -> str:
        anchor = next((other.key for other in parts if other.kind in ("surname", "given")), "")
        letter = part.surface.lower()
        known = self._initials.get((anchor, letter))
        if known is None:
            known = self._initials[anchor, letter] = self._full_initial(anchor, part) or self._some_initial(
                anchor, part
            )
        return known

    def _full_initial(self, anchor: str, part: Part) -> str:
        """The initial of the new name, where the whole name stands elsewhere in the text."""
        for _, parts in self._mentions:
            if anchor and any(other.key == anchor for other in parts):
                for other in parts:
                    if other.kind == "given" and other.title[0].lower() == part.surface[0].lower():
                        name = self._names[other.key]
                        return respell(name.new, name.of_culture, part.spelling)[:1]
        return ""

    def _some_initial(self, anchor: str, part: Part) -> str:
        culture = cultures_of(self._country)[0]
        names = spelt(culture, part.spelling)
        script = script_of(part.surface)
        firsts = {capitalize(name[0]) for name in (*names.men, *names.women) if script_of(name) == script}
        rng = self._draws(f"initial {latin_key(part.surface[0], part.spelling)} {anchor}")
        return rng.choice(sorted(firsts - {capitalize(part.surface[0])}))


_BEST_FIT = 3
_ORDER = ("nom", "gen", "dat", "acc", "loc", "ins")
_KNOWN_CASES = frozenset(_ORDER)
_NO_FATHER_ENDING = "аеёиоуыэюяіїєӣӯәөұүйьaeiouyəıöüაეიოუաեէըիոօո"
_NO_FATHERS = frozenset({"Пётр", "Павел", "Лев", "Петро", "Павло"})


def _of_woman(surname: str, culture: str, spelling: str) -> str:
    """The form in which a woman bears a surname of the eastern peoples."""
    found = read_surname(surname, spelling)
    if found is None or found.kind not in ("ov", "ev", "in", "sk") or culture not in _WOMEN_DIFFER[found.kind]:
        return surname
    script = script_of(surname)
    a = {"cyrl": "а", "latn": "a", "armn": "ա"}.get(script, "")
    return found.base + ("ая" if found.kind == "sk" and culture == "ru" and script == "cyrl" else a)


_EASTERN = frozenset("ru kk ky tg uz az mk".split())
_WOMEN_DIFFER = {"ov": _EASTERN, "ev": _EASTERN, "in": frozenset({"ru", "kk"}), "sk": frozenset({"ru", "uk", "mk"})}


def _full_names_first(name: _Name) -> int:
    return {"surname": 0, "given": 1, "father": 2, "patronymic": 3}.get(name.kind, 4)


def _kind(part: Part) -> str:
    return "surname" if part.kind == "surname" else "given"


@cache
def _of_class(names: Callable[[str], Pool], culture: str, spelling: str, wanted: str) -> tuple[str, ...]:
    return tuple(
        name
        for name in names(culture).surnames
        if (found := read_surname(titled(respell(name, culture, spelling), spelling), spelling))
        and found.kind == wanted
    )


@cache
def _short_names(gender: str) -> dict[str, str]:
    """Russian short names of a gender, by their plain form."""
    entries = sections("short_forms")["ru women" if gender == "f" else "ru men"]
    return {plain(short): short for entry in entries for short in entry.partition(":")[2].split(",")}


def _agree(parts: Sequence[Part]) -> None:
    """The words of a name stand in one case and speak of one gender; a word left undeclined beside inflected ones
    takes theirs."""
    inflected = [part for part in parts if part.kind in ("given", "surname")]
    oblique = [part.cases for part in inflected if "nom" not in part.cases]
    if oblique and len({part.spelling for part in inflected}) == 1 and inflected[0].spelling not in _LAST_WORD_ONLY:
        shared = frozenset.intersection(*oblique) or oblique[0]
        for part in inflected:
            part.cases = part.cases & shared or shared
    for part, following in pairwise(inflected):
        if part.spelling == "ka" and following.kind == "surname" and part.cases == {"nom"}:
            part.cases = frozenset({"stem"})  # a given name before its surname stands without ending
    genders = [part.gender for part in (*(p for p in parts if p.kind == "given"), *parts) if part.gender]
    if genders:
        for part in inflected:
            part.gender = part.gender if part.kind == "given" and part.gender else genders[0]


# Languages that put the suffix on the last word of a name only.
_LAST_WORD_ONLY = frozenset("kk ky uz uz-cyrl az tg ka hy sq ro mk mk-latn en".split())
