"""The words of a marked name, and what each is: given name, surname, patronymic, initial, nickname."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field

from .declension import analyses, titled
from .lexicon import known, nicknames, plain
from .pools import cultures_of
from .russian import is_common_noun
from .spelling import spelling_of
from .surnames import Surname, read_surname

_WORD = re.compile(r"[^\W\d_]+(?:['’‘`][^\W\d_]+)*")
KIN = frozenset(
    "уулу улуу ұлы улы оглы оғлу угли ўғли кызы қызы қизи кизи гызы uulu uly ulu oglu oğlu ogly oʻgʻli o'g'li "
    "oʻg'li ugli "
    "kyzy kizi qizi qızı gizi кызынын qızının oğlunun".split()
)
PARTICLES = frozenset("тер տեր ter бин ибн эль аль bin ibn al el de van von da".split())
_PATRONYMIC = re.compile(
    r"(?P<father>\w{2,}?)(?P<ending>(?:[оеё]в|ьев|йов)(?:ич|н)\w{0,5}|[ії]вн\w{1,3}|"
    r"(?:ұлы|қызы|улы|кызы|uly|kyzy)\w{0,4}|(?:ov|ev|yev)(?:ich|n)\w{0,6}|(?:ov|yov)yc[hz]\w{0,2}|[iï]vn\w{1,2}|"
    r"(?:ով|ե?վ)(?:իչ|ն)\w{0,4}|(?:ოვ|ევ)(?:იჩ|ნ)\w{0,4})",
    re.IGNORECASE,
)
_FEMALE_PATRONYMIC = re.compile(r"вн|vn|վն|ვნ|қызы|кызы|kyzy", re.IGNORECASE)


_TELLING = re.compile(r"(?:бек|г[уү]ль?|ж[оа]н|ҷон|улла|дин|bek|gul|jon|khon|xon|zhan|ullo|din|nur|gül)$")


@dataclass
class Part:
    """A word of a marked name. ``kind`` is given, surname, patronymic, father, initial, nickname or kept (a word of
    kin, a particle). ``cases`` are those it may stand in; ``is_told`` says whether there was evidence for them."""

    start: int
    end: int
    surface: str = field(repr=False)
    spelling: str
    kind: str = ""
    lemma: str = field(default="", repr=False)
    key: str = field(default="", repr=False)
    culture: str = ""
    gender: str | None = None
    gender_is_guessed: bool = False
    cases: frozenset[str] = frozenset({"nom"})
    is_told: bool = True
    surname: Surname | None = field(default=None, repr=False)
    ending: str = ""

    @property
    def title(self) -> str:
        return titled(self.surface, self.spelling)


def split(text: str, start: int, end: int, language: str) -> list[Part]:
    """The words of a marked name; an English possessive stays outside them."""
    parts = []
    for match in _WORD.finditer(text, start, end):
        word = match[0]
        if language == "en":
            word = re.sub(r"['’]s?$", "", word)
        parts.append(Part(match.start(), match.start() + len(word), word, spelling_of(language, word)))
    return parts


def name_kinds(parts: Sequence[Part], text: str, country: str) -> None:
    """Say of each word what it is."""
    for at, part in enumerate(parts):
        lowered = part.surface.lower()
        followed = text[part.end : part.end + 1]
        if lowered in KIN and (at or len(parts) > 1):
            part.kind = "kept"
            if at:
                parts[at - 1].kind = "father"
        elif lowered in PARTICLES and len(parts) > 1:
            part.kind = "kept"
        elif at and lowered == part.surface and parts[at - 1].kind == "initial" and text[part.start - 1] == "-":
            part.kind = "kept"  # what is left of a shortened surname: Б-ук
        elif len(part.surface) == 1 or (len(part.surface) == 2 and followed == "." and not lowered.startswith("'")):
            part.kind = "initial"
        elif (match := _PATRONYMIC.fullmatch(part.surface)) and _is_patronymic(match, parts, part, country):
            part.kind, part.ending = "patronymic", match["ending"]
            part.gender = "f" if _FEMALE_PATRONYMIC.search(part.ending) else "m"
    _names_proper([part for part in parts if not part.kind], parts, country)


def _is_patronymic(match: re.Match[str], parts: Sequence[Part], part: Part, country: str) -> bool:
    if part.spelling in ("sr", "bs", "mk", "sr-cyrl", "mk-latn"):
        return False
    father = match["father"]
    endings = ("", "й", "ь", "y", "i", "")
    listed = any(known(father + ending, part.spelling, "given", country) for ending in endings)
    return listed or (len(parts) > 1 and part is not parts[0]) or match["ending"][0] in "ұқ"


def _names_proper(open_: list[Part], parts: Sequence[Part], country: str) -> None:
    """Given name or surname, by what the lists and the endings say of each word and by their order."""
    given, surname = {}, {}
    for part in open_:
        part.surname = _surname(part, country)
        given[id(part)] = max(_listing(part, "given", country), _looks_given(part))
        surname[id(part)] = max(_listing(part, "surname", country), 1.5 * (part.surname is not None))
    if len(open_) == 1:
        (part,) = open_
        with_initial = any(other.kind == "initial" for other in parts)
        has_patronymic = any(other.kind == "patronymic" for other in parts)
        if surname[id(part)] > max(given[id(part)], 1.0) or (with_initial and not given[id(part)]):
            part.kind = "surname"
        else:
            is_name = given[id(part)] > 0 or has_patronymic or not _is_nickname(part)
            part.kind = "given" if is_name else "nickname"
        return
    order = list(open_)
    if order and any(other.kind == "patronymic" and other.start > order[-1].start for other in parts):
        order.reverse()  # Иванов Иван Иванович: where nothing else tells, the first is the surname
    for part in order:
        part.kind = "given"
    if order:
        max(reversed(order), key=lambda part: surname[id(part)] - given[id(part)]).kind = "surname"


def _listing(part: Part, kind: str, country: str) -> float:
    """2 for a name that is listed as it stands; for a form of one that is common in the country 1.8, or 1 for a
    surname, since a surname's forms are told better by its ending; else 0."""
    best = 0.0
    for reading in analyses(part.spelling, part.title, kind):
        entries = known(reading.lemma, part.spelling, kind, country)
        if entries and reading.case in ("nom", "stem", "def"):
            return 2.0
        if entries and entries[0].culture in cultures_of(country):
            best = 1.8 if kind == "given" else 1.0
    return best


def _looks_given(part: Part) -> float:
    lowered = part.title.lower()
    return 0.5 * bool(len(lowered) > 4 and (_TELLING.search(lowered)))


def _surname(part: Part, country: str) -> Surname | None:
    """A surname of a known class; -in is one only if it is listed or has a woman's ending: Турсын and Рубин have it,
    too."""
    found = read_surname(part.title, part.spelling)
    if found is not None and found.kind == "in" and not (part.spelling in ("ru", "en") and found.tail):
        return found if known(found.base, part.spelling, "surname", country) else None
    return found


def _is_nickname(part: Part) -> bool:
    if plain(part.surface) in nicknames(part.spelling):
        return True
    return part.spelling == "ru" and is_common_noun(part.surface)
