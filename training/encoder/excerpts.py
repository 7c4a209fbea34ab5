"""Excerpts of cases: a few neighboring sentences, and what the marked evidence says of their codes. Whole narratives
alone would teach that a sentence by itself is never a violation."""

from __future__ import annotations

from collections.abc import Sequence
from random import Random

import numpy as np

from nlp.classification import Column
from nlp.reading import Reader
from nlp.types import Span

from ..corpus import Case
from ..fit import targets_of

MOST_SENTENCES = 4
FEWEST_WORDS = 4
_TELLING = 2  # how much oftener a window with a violation is chosen than another one


def draw_window(case: Case, columns: Sequence[Column], rng: Random) -> Span | None:
    """Some neighboring sentences of a case, as serving splits them, those with a code of the first axis twice as often;
    None for a case that cannot be cut, since it is short."""
    windows = _windows(case)
    if not windows:
        return None
    axis = columns[0].axis
    places = [place for code in sorted(case.codes[axis] or ()) for place in case.places(axis, code)]
    tells = [any(_share(case.text, place, window) >= 0.5 for place in places) for window in windows]
    return rng.choices(windows, [_TELLING if telling else 1 for telling in tells])[0]


def _windows(case: Case) -> list[Span]:
    """Every stretch of one to four sentences that has enough words and is not the whole case."""
    reader = Reader(languages=(case.language,), max_characters=len(case.text))
    sentences = reader.read(case.narrative()).sentences
    n = len(sentences)
    spans = [
        Span(sentences[first].start, sentences[first + size - 1].end)
        for size in range(1, min(MOST_SENTENCES, n - 1) + 1)
        for first in range(n - size + 1)
    ]
    return [span for span in spans if _words(case.text[span.start : span.end]) >= FEWEST_WORDS]


def _words(text: str) -> int:
    return sum(any(map(str.isalnum, word)) for word in text.split())


def _share(text: str, place: Span, window: Span) -> float:
    """The share of the letters and digits of a marked stretch that stand in a window."""
    letters = [at for at in range(place.start, place.end) if text[at].isalnum()] or range(place.start, place.end)
    return sum(window.start <= at < window.end for at in letters) / len(letters)


def excerpt_targets(case: Case, window: Span, columns: Sequence[Column]) -> np.ndarray:
    """What is known of each column in a window, of shape (n_columns,): 1, 0 or nan.

    A code of the case is 1 if at least half of a stretch of its evidence stands in the window, 0 if all of it stands
    elsewhere, and nan if less than half does or nobody marked any. That nothing applies is 0 where the window has a
    code, and nan where only the rest of the case has one.
    """
    values = np.array(targets_of([case], columns)[0])
    for at, (axis, code) in enumerate(columns):
        if code is not None and values[at] == 1:
            values[at] = _target([_share(case.text, place, window) for place in case.places(axis, code)])
    for at, (axis, code) in enumerate(columns):
        if code is None and case.codes[axis]:
            values[at] = 0 if 1 in values[_codes_of(axis, columns)] else np.nan
    return values


def _target(shares: Sequence[float]) -> float:
    most = max(shares, default=np.nan)
    return 1.0 if most >= 0.5 else 0.0 if most == 0 else np.nan


def excerpt_primary(case: Case, targets: np.ndarray, columns: Sequence[Column]) -> np.ndarray:
    """1 for a code that is the only one of its axis in a window with these targets, on axes with a primary code; where
    there are others, or may be, nobody said which leads: all are 0, and nothing is learned."""
    values = np.zeros(len(columns))
    for axis in case.primary:
        of = _codes_of(axis, columns)
        if np.nansum(targets[of]) == 1 and not np.isnan(targets[of]).any():
            values[[at for at in of if targets[at] == 1]] = 1.0
    return values


def _codes_of(axis: str, columns: Sequence[Column]) -> list[int]:
    return [at for at, column in enumerate(columns) if column.axis == axis and column.code is not None]
