"""Cases and marked sentences -> what the encoder is fine-tuned on: word pieces with a label each, and codes."""

from __future__ import annotations

import gzip
import json
import zlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import Any

import numpy as np

from nlp.classification import Column
from nlp.encoding import Tokens, WordPieces
from nlp.errors import CorpusError
from nlp.pseudonyms import wording
from nlp.tags import OUTSIDE, Tags
from nlp.types import Span

from ..corpus import Case
from ..fit import targets_of
from .excerpts import excerpt_primary, excerpt_targets

NAMES = ("PERSON", "LOCATION", "ORGANISATION")  # what the public corpora mark


@dataclass(frozen=True)
class Example:
    """One text, in arrays over its tokens. ``allowed`` is the row of `allowed_tags` for each token; ``evidence`` is 1
    where a
    token is marked evidence of a column, 0 where it is not, -1 where nothing is known, of shape (n_tokens, n_columns);
    ``keep`` says which tokens are pooled; ``targets`` and ``primary`` are None for a text that is no case."""

    ids: np.ndarray = field(repr=False)
    allowed: np.ndarray = field(repr=False)
    keep: np.ndarray = field(repr=False)
    evidence: np.ndarray | None = field(default=None, repr=False)
    targets: np.ndarray | None = None
    primary: np.ndarray | None = None


def allowed_tags(tags: Tags) -> np.ndarray:
    """Which tags a token may have, of shape (n_kinds, n_tags): a row for each tag alone, then three for sentences in
    which only names are marked, and by rules of their own: a place or an organisation may be no identifier here, and
    what is outside a name may be an identifier of any other type. In the last row, for texts in which nobody marked
    anything, every tag is allowed."""
    n = len(tags.names)
    rows = np.vstack([np.eye(n, dtype=bool), np.zeros((3, n), dtype=bool), np.ones((1, n), dtype=bool)])
    for number, name in enumerate(tags.names):
        kind = name.partition("-")[2]
        rows[n, number] = kind in ("LOCATION", "ADDRESS") or name == OUTSIDE
        rows[n + 1, number] = kind in ("ORGANISATION", "LOCATION") or name == OUTSIDE
        rows[n + 2, number] = kind not in NAMES
    return rows


def case_example(
    case: Case,
    pieces: WordPieces,
    tags: Tags,
    columns: Sequence[Column],
    *,
    limit: int,
    rng: Random | None = None,
    window: Span | None = None,
) -> Example:
    """A case as an example, or a ``window`` of it with the codes that show there. Of one that is longer than ``limit``
    tokens a stretch that ``rng`` chooses, or the beginning; evidence then counts where it is seen."""
    tokens = _cut(case.text, window, pieces)
    allowed = np.array(tags.numbers(tokens, case.entities or ()), dtype=np.int64)
    if case.entities is None:
        allowed[:] = len(tags.names) + 3
    evidence = token_evidence(case, tokens, columns)
    first = 0 if rng is None or len(tokens) <= limit else rng.randrange(len(tokens) - limit + 1)
    part = slice(first, first + limit)
    targets = excerpt_targets(case, window, columns) if window else targets_of([case], columns)[0]
    primary = excerpt_primary(case, targets, columns) if window else primary_targets(case, columns)
    return Example(tokens.ids[part], allowed[part], tags.outside(allowed[part]), evidence[part], targets, primary)


def _cut(text: str, window: Span | None, pieces: WordPieces) -> Tokens:
    """The pieces of a text, or of a window as if it stood alone; offsets are those in the whole text."""
    if not window:
        return pieces.cut(text)
    tokens = pieces.cut(text[window.start : window.end])
    return Tokens(tokens.ids, tokens.starts + window.start, tokens.ends + window.start)


def primary_targets(case: Case, columns: Sequence[Column]) -> np.ndarray:
    """1 for the column of each primary code of the case."""
    return np.array([float(c.code is not None and case.primary.get(c.axis) == c.code) for c in columns])


def token_evidence(case: Case, tokens: Tokens, columns: Sequence[Column]) -> np.ndarray:
    """Marked evidence token by token, see `Example`."""
    marks = np.full((len(tokens), len(columns)), -1, dtype=np.int8)
    for at, (axis, code) in enumerate(columns):
        codes = case.codes[axis]
        if code is None or codes is None:
            continue
        places = case.places(axis, code)
        if code not in codes or places:
            marks[:, at] = 0
        for place in places:
            marks[tokens.within(place.start, place.end), at] = 1
    return marks


@dataclass(frozen=True)
class Sentence:
    """A sentence of a public corpus with its names marked, ``(start, end, label)`` in code points."""

    text: str = field(repr=False)
    language: str
    spans: tuple[tuple[int, int, str], ...] = field(repr=False)


def read_sentences(path: Path) -> Iterator[Sentence]:
    """Sentences of a ``.jsonl.gz`` file. Raises `CorpusError`."""
    try:
        with gzip.open(path, "rt", encoding="utf-8") as stream:
            for number, line in enumerate(stream, 1):
                yield _sentence(json.loads(line), path, number)
    except (OSError, EOFError, UnicodeDecodeError, json.JSONDecodeError, zlib.error) as error:
        raise CorpusError(f"cannot be read ({type(error).__name__})", source=path.name, line=0) from None


def _sentence(data: Mapping[str, Any], path: Path, number: int) -> Sentence:
    try:
        spans = tuple((int(s["start"]), int(s["end"]), str(s["label"])) for s in data["spans"])
        return Sentence(str(data["text"]), str(data["lang"]), spans)
    except (KeyError, TypeError, ValueError):
        raise CorpusError("is no sentence with spans", source=path.name, line=number) from None


def sentence_example(sentence: Sentence, pieces: WordPieces, tags: Tags, *, limit: int) -> Example:
    """A sentence as an example for tags alone."""
    tokens = pieces.cut(sentence.text)
    n = len(tags.names)
    allowed = np.full(len(tokens), n + 2, dtype=np.int64)
    for start, end, label in sentence.spans:
        part = tokens.within(start, end)
        if label == "PERSON":
            allowed[part] = tags.number("I", "PERSON")
            allowed[part][:1] = tags.number("B", "PERSON")
        else:
            allowed[part] = n if label == "LOCATION" else n + 1
    return Example(tokens.ids[:limit], allowed[:limit], tags.outside(allowed[:limit]))


def recased(text: str, language: str, rng: Random, *, lower: float, upper: float) -> str:
    """The text in one case, with the chances given, where that keeps its length: hurried notes often are."""
    chance = rng.random()
    if chance < lower:
        changed = wording.lower(text, language)
    else:
        changed = wording.upper(text, language) if chance < lower + upper else text
    return changed if len(changed) == len(text) else text
