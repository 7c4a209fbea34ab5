"""Names and towns that the list of the narrative's language has, in any of their forms."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from ...types import Entity, Span
from ..lexicon import WORD, is_common
from ..local import LocalWords, local_words

_WITHOUT_CAPITALS = frozenset({"ka"})  # languages whose script has none
_MAX_PARTS = 3  # words of a town
_SHORTEST = 3  # letters of a name
_SHORTEST_SMALL = 4  # the same without its capital
_SMALL = 0.55
_LISTED, _SURNAME, _PLACE, _AMBIGUOUS = 0.8, 0.65, 0.7, 0.5


class LocalNameRecognizer:
    """Given names with the surname beside them, listed surnames, towns of one to three words."""

    name = "local-names"
    entity_types = ("PERSON", "LOCATION")
    source = "names and towns of each language, written down by hand with the endings of the language"

    def find(self, text: str, language: str = "") -> Sequence[Entity]:
        """Names and towns in the order they stand; nothing in a language without a list."""
        local = local_words(language)
        if local is None:
            return []
        words = [(Span(*match.span()), match[0]) for match in WORD.finditer(text)]
        if language == "ru":  # a dictionary knows its everyday words in all their forms
            words = [(span, "-" if is_common(word) else word) for span, word in words]
        search = _Search(text, words, local, capitals=language not in _WITHOUT_CAPITALS)
        return [Entity(span, kind, score, self.name) for span, kind, score in search.found()]


class _Search:
    """One text, its words and the list."""

    def __init__(self, text: str, words: Sequence[tuple[Span, str]], local: LocalWords, *, capitals: bool) -> None:
        self._text, self._words, self._local, self._capitals = text, words, local, capitals

    def found(self) -> Iterator[tuple[Span, str, float]]:
        at = 0
        while at < len(self._words):
            size, kind, score = self._at(at)
            if size:
                yield Span(self._words[at][0].start, self._words[at + size - 1][0].end), kind, score
            at += size or 1

    def _at(self, at: int) -> tuple[int, str, float]:
        """How many words from a place are a name, of which type, and how much it is to be believed; 0 for none."""
        word = self._words[at][1]
        if len(word) < _SHORTEST or not self._may_start(word):
            return self._in_small_letters(word)
        local = self._local
        if size := self._town(at):
            return size, "LOCATION", _PLACE
        if local.is_given(word):
            return 1 + self._followed_by_surname(at), "PERSON", _LISTED
        if self._capitals and local.is_surname(word):
            return 1, "PERSON", _SURNAME
        if self._capitals and local.is_ambiguous(word):
            return 1 + self._followed_by_surname(at), "PERSON", _AMBIGUOUS
        return 0, "", 0.0

    def _in_small_letters(self, word: str) -> tuple[int, str, float]:
        """A hurried writer's name or town, for the encoder to confirm."""
        if len(word) < _SHORTEST_SMALL:
            return 0, "", 0.0
        if self._local.is_given(word):
            return 1, "PERSON", _SMALL
        return (1, "LOCATION", _SMALL) if self._local.is_place(word) else (0, "", 0.0)

    def _may_start(self, word: str) -> bool:
        return not self._capitals or word[0].isupper()

    def _town(self, at: int) -> int:
        """Number of words of the town that starts at a place."""
        for size in range(min(_MAX_PARTS, len(self._words) - at), 0, -1):
            words = [word for _, word in self._words[at : at + size]]
            if all(self._touch(at + step) for step in range(size - 1)) and self._local.is_place(" ".join(words)):
                return size
        return 0

    def _touch(self, at: int) -> bool:
        """Whether only one blank lies between a word and the next."""
        return self._text[self._words[at][0].end : self._words[at + 1][0].start] in (" ", "\u00a0")

    def _followed_by_surname(self, at: int) -> bool:
        if at + 1 == len(self._words) or not self._touch(at):
            return False
        word = self._words[at + 1][1]
        if not self._capitals:
            return self._local.is_surname(word)
        return word[0].isupper() and len(word) >= _SHORTEST and not self._local.is_common(word)


LOCAL_NAMES = LocalNameRecognizer()

RECOGNIZERS = (LOCAL_NAMES,)
