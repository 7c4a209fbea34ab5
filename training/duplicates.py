"""Near-duplicates among narratives, by the exact Jaccard similarity that MinHash (Broder 1997) only estimates.

Compared are sets of character n-grams of the text in lower case, without marks of punctuation and with every identifier
that was marked taken out, so that one story with other names is still the same story.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from sklearn.feature_extraction.text import CountVectorizer

from .corpus import Case

GRAM = 6  # characters: about a word and its ending, in every script of the region
NEAR = 0.5  # Jaccard similarity from which two narratives count as near-duplicates
_BLOCK = 500  # narratives compared at once, so that memory stays small


@dataclass(frozen=True, order=True)
class Pair:
    """Two narratives, by their ids, and how similar they are in [0, 1]."""

    similarity: float
    first: str
    second: str


def near_duplicates(cases: Sequence[Case], *, threshold: float = NEAR) -> list[Pair]:
    """Pairs of narratives at least this similar, the most similar first. Texts of a few letters are left out."""
    texts = [_compared(case) for case in cases]
    kept = [at for at, text in enumerate(texts) if len(text) >= GRAM]
    if len(kept) < 2:
        return []
    grams = CountVectorizer(analyzer="char", ngram_range=(GRAM, GRAM), binary=True, lowercase=False, dtype=np.int32)
    X = grams.fit_transform(texts[at] for at in kept)
    sizes = np.asarray(X.sum(axis=1)).ravel()
    pairs = []
    for start in range(0, len(kept), _BLOCK):
        shared = (X[start : start + _BLOCK] @ X.T).tocoo()
        rows = shared.row + start
        similar = shared.data / (sizes[rows] + sizes[shared.col] - shared.data)
        near = (rows < shared.col) & (similar >= threshold)
        pairs += [
            Pair(round(float(similarity), 3), cases[kept[row]].case_id, cases[kept[column]].case_id)
            for row, column, similarity in zip(rows[near], shared.col[near], similar[near], strict=True)
        ]
    return sorted(pairs, key=lambda pair: (-pair.similarity, pair.first, pair.second))


def _compared(case: Case) -> str:
    return " ".join(re.sub(r"[\W_]+", " ", " ".join(_without_identifiers(case))).lower().split())


def _without_identifiers(case: Case) -> Iterator[str]:
    at = 0
    for entity in case.entities or ():
        yield case.text[at : entity.span.start]
        at = entity.span.end
    yield case.text[at:]
