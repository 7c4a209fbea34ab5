"""Towns, villages and districts of the countries served, in any case form."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from functools import cache
from itertools import product

from ...types import Entity, Span
from ..base import PatternRecognizer
from ..lexicon import UPPER, WORD, case_forms, is_common, is_harmless, load_words

_MIN_LOWER = 5  # letters of a town that is recognized without its capital
_MAX_PARTS = 4
_LATIN_ENDING = re.compile(r"['’ʻ-]?(?:da|de|də|dan|den|dən|ga|ge|qa|ka|ni|ning|nin|nın|gacha|ul|ului|ës|it|in)\Z")
_BESIDE = re.compile(r"(?<!\w)(?:в|во|из|под|на|г|с|in|at|from|to|near|of|u|në|la|din|în)\.?\s\Z", re.IGNORECASE)


@cache
def _forms() -> dict[str, tuple[tuple[str, ...], ...]]:
    """First word of a town in lower case, in each of its forms -> the words that may follow, longest first."""
    found: dict[str, set[tuple[str, ...]]] = {}
    for name in load_words("places.txt"):
        parts = name.lower().split(" ")
        for form in product(*(_part_forms(part) for part in parts)):
            found.setdefault(form[0], set()).add(form[1:])
    return {first: tuple(sorted(rest, key=lambda words: (-len(words), words))) for first, rest in found.items()}


def _part_forms(part: str) -> tuple[str, ...]:
    """Case forms of a word of a town; of a compound the last part is inflected, or the first ("в Ростове-на-Дону")."""
    head, hyphen, tail = part.rpartition("-")
    if not hyphen:
        return case_forms(part)
    return (*(f"{head}-{form}" for form in case_forms(tail)), *(f"{form}-{tail}" for form in case_forms(head)))


def is_town(word: str) -> bool:
    """Whether the word is a town of the list by itself, in whatever case form."""
    lowered = word.lower()
    forms = _forms()
    return () in forms.get(lowered, ()) or () in forms.get(_LATIN_ENDING.sub("", lowered), ())


class TownRecognizer:
    """Towns of the list; without a capital only where the word can be nothing else."""

    name = "town"
    entity_types = ("LOCATION",)
    source = "the towns and larger villages of the countries served, written down by hand"

    def find(self, text: str, language: str = "") -> Sequence[Entity]:
        """Towns in the order they stand."""
        return [Entity(Span(start, end), "LOCATION", 0.7, self.name) for start, end in self._spans(text)]

    def _spans(self, text: str) -> Iterator[tuple[int, int]]:
        forms = _forms()
        done = 0
        for match in WORD.finditer(text):
            if match.start() < done:
                continue
            lowered = match[0].lower()
            rest = forms.get(lowered)
            cut = 0
            if (
                rest is None
                and match[0][0].isupper()
                and (ending := _LATIN_ENDING.search(lowered))
                and len(lowered) - len(ending[0]) > 2
            ):
                cut = len(ending[0]) if ending[0][0] in "'’ʻ-" else 0
                rest = tuple(words for words in forms.get(lowered[: ending.start()], ()) if not words)
            if rest and (end := _end_of_town(text, match, rest)) and _is_meant(text, match, lowered, end):
                done = end - (cut if end == match.end() else 0)
                yield match.start(), done


def _end_of_town(text: str, match: re.Match[str], rest: tuple[tuple[str, ...], ...]) -> int:
    for words in rest:
        if not words:
            return match.end()
        following = " ".join(words)
        start = match.end() + 1
        end = start + len(following)
        if text[start:end].lower() == following and text[start - 1] == " " and not text[end : end + 1].isalnum():
            return end
    return 0


def _is_meant(text: str, match: re.Match[str], lowered: str, end: int) -> bool:
    """Whether a word with the letters of a town is the town.

    A common word is one only with its capital and after a preposition; a word without a capital where it is the town's
    nominative or stands after a preposition.
    """
    capital = match[0][0].isupper()
    alone = end == match.end()
    if alone and is_harmless(match[0]):
        return False
    beside = _BESIDE.search(text, max(0, match.start() - 8), match.start()) is not None
    if alone and is_common(lowered):
        return capital and beside
    if capital:
        return True
    return len(lowered) >= _MIN_LOWER and lowered not in _AMBIGUOUS and (beside or lowered in _nominatives())


@cache
def _nominatives() -> frozenset[str]:
    return frozenset(name.lower().split(" ")[0] for name in load_words("places.txt"))


_AMBIGUOUS = frozenset("liman konik oral berat konak patos resen vitez ruma kotor visoko korca talin".split())
"""Towns whose Latin spelling in lower case is a common word of a language served."""

_NAME = rf"[{UPPER}][\w’'ʻ-]{{1,24}}"
_PLACE_WORD = (
    r"г(?:ород(?:е|а|у|ом|ок|ке|ка)?)?\.?|гор\.|с(?:ел(?:о|е|а|у|ом|ах|і))|с\.|пос(?:[её]л(?:ок|ке|ка|ку|ком))|"
    r"пос\.|пгт\.?|аул[еау]?|кишлак[еау]?|дер(?:евн[яеию])|дер\.|"
    r"райцентр[еау]?|станиц[аеыу]|район[аеу]?|р-н[еа]?|джамоат[еа]?|аил(?:е|ьн\w{2,3}\sокруг\w?)?|айыл[еа]?|"
    r"смт\.?|м\.|рынк[еау]|рынок|базар[еа]?|мост[уа]?|рек[аеиу]|урочищ[еа]|"
    r"жилмассив[еа]?|посёлке|блокпост[еауом]{0,2}(?:\sпод)?|"
    r"village(?:\sof)?|town(?:\sof)?|city\sof|settlement(?:\sof)?|district(?:\sof)?|municipality\sof|rayon|"
    r"raion|kishlak|aul|suburb(?:\sof)?|vil\.|r\.|"
    r"satul|orașul|orasul|raionul|selo|grad|qyteti|fshati|river|bazaar|market|neighbou?rhood(?:\sof)?|"
    r"quarter(?:\sof)?"
)

NAMED_PLACE = PatternRecognizer(
    name="named-place",
    entity_type="LOCATION",
    pattern=rf"(?<!\w)(?!N(?!\w)|[ХXYZ](?!\w))[«\"]?{_NAME}(?:[ -]{_NAME})?[»\"]?",
    before=rf"(?<!\w)(?:{_PLACE_WORD})\s?",
    reach=20,
    source="a name after the word for town, village or district",
    score=0.6,
    accept=lambda match: len(match[0].strip('«»". ')) > 2 and not is_common(match[0].strip('«»"').split()[0]),
)

_PLACE_AFTER = (
    r"(?:village|town|district|settlement|municipality|rayon|raion|bazaar|market|bridge|quarter|microdistrict|"
    r"р-н[еа]?|район[еау]?|рын(?:ок|ке|ка|ку)|базар[еау]?|мост[уа]?|вокзал[еау]?|мкр\.?|(?:сельск\w{2,3}\s|"
    r"аильн\w{2,3}\s)?округ[еау]?)"
)

PLACE_NAMED = PatternRecognizer(
    name="place-named",
    entity_type="LOCATION",
    pattern=rf"(?<!\w)(?:{_NAME}[ -])?{_NAME}\s{_PLACE_AFTER}(?!\w)",
    source="a name before the word for village, district or bazaar",
    score=0.55,
    accept=lambda match: not is_common(WORD.match(match[0])[0]),  # type: ignore[index]
)

TOWN = TownRecognizer()

RECOGNIZERS = (NAMED_PLACE, PLACE_NAMED, TOWN)
