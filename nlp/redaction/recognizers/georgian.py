"""Names in Georgian letters, which know no capitals: listed given names and the forms of surnames, in any case."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from functools import cache

from ...types import Entity, Span
from ..lexicon import load_words

_WORD = re.compile(r"[ა-ჰ]{2,40}")
# Case endings and the words that grow onto a name: of, to, with, for, from, in, at, too.
_ENDING = (
    r"(?:ისთვის|სთვის|ისთან|სთან|ისგან|სგან|ისკენ|სკენ|იდან|დან|"
    r"ისა|ის|ით|მა|მ|ს|ი|ად|ო|თან|თვის|ში|ზე|ც|სა|მაც|საც|ისაც|ა)?"
)
_SURNAME = re.compile(rf"[ა-ჰ]{{2,20}}(?:შვილ|ძე|იან|ურ|ავა|აია|უა|ელ){_ENDING}")
_SURE_SURNAME = re.compile(rf"[ა-ჰ]{{2,20}}(?:შვილ|[აი]ძე){_ENDING}")
_IN_TOWN = re.compile(r"(?:შიც|ში|იდან|დან|ისკენ|სკენ|ისა|ის|ს|ით|თან|მდე|ზე)$")


class GeorgianRecognizer:
    """Given names with the surname after them, surnames in -shvili and -dze by themselves, towns in any case."""

    name = "georgian"
    entity_types = ("PERSON", "LOCATION")
    source = "names and towns written down by hand; the endings of Georgian surnames"

    def find(self, text: str, language: str = "") -> Sequence[Entity]:
        """Names and towns in the order they stand."""
        return [Entity(Span(start, end), kind, 0.8, self.name) for start, end, kind in self._spans(text)]

    def _spans(self, text: str) -> Iterator[tuple[int, int, str]]:
        start_of_name, end_of_name = 0, -1
        for match in _WORD.finditer(text):
            word = match[0]
            if _given().fullmatch(word):
                start_of_name, end_of_name = match.span()
                yield match.start(), match.end(), "PERSON"
            elif match.start() == end_of_name + 1 and _SURNAME.fullmatch(word):
                yield start_of_name, match.end(), "PERSON"
            elif _SURE_SURNAME.fullmatch(word):
                yield match.start(), match.end(), "PERSON"
            elif word in _towns() or any(stem in _towns() for stem in _stems(word)):
                yield match.start(), match.end(), "LOCATION"


@cache
def _given() -> re.Pattern[str]:
    names = sorted(load_words("georgian.txt"), key=lambda name: (-len(name), name))
    return re.compile(rf"(?:{'|'.join(names)}){_ENDING}")


@cache
def _towns() -> frozenset[str]:
    return frozenset(name for name in load_words("places.txt") if _WORD.fullmatch(name))


def _stems(word: str) -> tuple[str, ...]:
    """What a word may be the case form of: without its ending, and with the nominative's -i again."""
    cut = _IN_TOWN.sub("", word)
    return (cut, cut + "ი") if cut != word else ()


GEORGIAN = GeorgianRecognizer()

RECOGNIZERS = (GEORGIAN,)
