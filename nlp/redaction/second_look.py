"""A second look at a redacted narrative, by other means than those that redacted it: where a person should look.

Three witnesses: the encoder, where it half believes in an identifier that it did not hide; the lists of names of all
peoples served, in whatever case a word is; digits in a row that no rule explains. What they point at is shown, not
hidden: they err more often than not.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

import numpy as np

from ..reading import Reading
from ..types import Redaction, Span
from ..view import PLACEHOLDER
from .lexicon import CYRILLIC, WORD, is_common, is_harmless, russian_word

_HALF_SURE = 0.5  # probability of the encoder that a word is no identifier, below which it is shown
_FEWEST = 3  # letters or digits that are pointed at; fewer are the ending of a name that is hidden
_DIGITS = re.compile(r"(?<![\w.,])\d(?:[ -]?\d){4,}(?![\w%]|[.,]\d)")
# Languages in which small letters may be a name: a dictionary tells it from a word, or there are no capitals.
_WITHOUT_CAPITALS = frozenset({"en", "ru", "ka"})
_MIN_NAME = 4  # letters of a listed name in small letters; shorter ones are words more often


def second_look(
    reading: Reading, redaction: Redaction, outside: np.ndarray | None, kept: re.Pattern[str] = PLACEHOLDER
) -> tuple[Span, ...]:
    """Places of the received text that stay in sight and may tell who somebody is, disjoint and in order.

    ``outside`` is the probability that each character of the view, shape (n_characters,), belongs to no identifier;
    None without an encoder. ``kept`` are the placeholders that the text may have.
    """
    view = reading.view
    hidden = [view.within(entity.span) for entity in redaction.entities]
    hidden += [match.span() for match in kept.finditer(view.text)]
    found = [*_numbers(view.text), *_names(view.text, reading.language)]
    if outside is not None:
        found += _half_believed(view.text, outside)
    taken = np.zeros(len(view.text), dtype=bool)
    for start, end in hidden:
        taken[start:end] = True
    doubts = np.zeros(len(view.text), dtype=bool)
    for start, end in found:
        doubts[start:end] |= ~taken[start:end]
    found = [_inner(view.text, start, end) for start, end in _stretches(doubts)]
    return tuple(view.received(start, end) for start, end in found if end - start >= _FEWEST)


def _inner(text: str, start: int, end: int) -> tuple[int, int]:
    """The stretch from its first to its last letter or digit."""
    told = [at for at in range(start, end) if text[at].isalnum()]
    return (told[0], told[-1] + 1) if told else (start, start)


def _numbers(text: str) -> Iterator[tuple[int, int]]:
    from .recognizers.documents import explains

    for match in _DIGITS.finditer(text):
        if not explains(match):
            yield match.span()


def _names(text: str, language: str) -> Iterator[tuple[int, int]]:
    from ..pseudonyms.lexicon import is_listed_name

    for match in WORD.finditer(text):
        word = match[0]
        if word.islower() and (len(word) < _MIN_NAME or language not in _WITHOUT_CAPITALS):
            continue
        if is_listed_name(word, language) and not _is_word(word):
            yield match.span()


def _is_word(word: str) -> bool:
    if is_harmless(word) or is_common(word):
        return True
    return bool(CYRILLIC.match(word)) and russian_word(word.lower()).reading == "word"


def _half_believed(text: str, outside: np.ndarray) -> Iterator[tuple[int, int]]:
    for match in WORD.finditer(text):
        if outside[match.start() : match.end()].min() < _HALF_SURE:
            yield match.span()


def _stretches(marked: np.ndarray) -> Iterable[tuple[int, int]]:
    edges = np.flatnonzero(np.diff(np.concatenate([[False], marked, [False]]).astype(np.int8)))
    return [(int(start), int(end)) for start, end in zip(edges[::2], edges[1::2], strict=True)]
