"""Near-duplicates among narratives: MinHash candidates (Broder 1997), confirmed by their exact Jaccard similarity.

Compared are sets of character n-grams of the text in lower case, without marks of punctuation and with every
identifier that was marked taken out, so that one story with other names is still the same story.
"""

from __future__ import annotations

import re
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from datasketch import MinHash, MinHashLSH

from .corpus import Case

GRAM = 6  # characters: about a word and its ending, in every script of the region
NEAR = 0.5  # Jaccard similarity from which two narratives count as near-duplicates
_CANDIDATES = 0.35  # MinHash only estimates: candidates are taken well below and then compared exactly
_PERMUTATIONS = 128
_SEED = 1


@dataclass(frozen=True, order=True)
class Pair:
    """Two narratives, by their ids, and how similar they are in [0, 1]."""

    similarity: float
    first: str
    second: str


def near_duplicates(cases: Sequence[Case], *, threshold: float = NEAR) -> list[Pair]:
    """Pairs of narratives at least this similar, the most similar first."""
    grams = {case.case_id: _grams(case) for case in cases}
    index = MinHashLSH(threshold=_CANDIDATES, num_perm=_PERMUTATIONS)
    pairs = []
    for name, items in grams.items():
        signature = _signature(items)
        for other in index.query(signature):
            similarity = jaccard(items, grams[other])
            if similarity >= threshold:
                pairs.append(Pair(round(similarity, 3), str(other), name))
        index.insert(name, signature)
    return sorted(pairs, key=lambda pair: (-pair.similarity, pair.first, pair.second))


def jaccard(first: frozenset[int], second: frozenset[int]) -> float:
    """Size of the intersection over size of the union; 0 for two empty sets."""
    return len(first & second) / len(first | second) if first or second else 0.0


def _grams(case: Case) -> frozenset[int]:
    text = " ".join(re.sub(r"[\W_]+", " ", "".join(_without_identifiers(case))).lower().split())
    return frozenset(zlib.crc32(text[at : at + GRAM].encode()) for at in range(max(1, len(text) - GRAM + 1)))


def _without_identifiers(case: Case) -> Iterator[str]:
    at = 0
    for entity in case.entities or ():
        yield case.text[at : entity.span.start]
        at = entity.span.end
    yield case.text[at:]


def _signature(grams: frozenset[int]) -> MinHash:
    signature = MinHash(num_perm=_PERMUTATIONS, seed=_SEED, hashfunc=int)
    signature.update_batch(np.fromiter(grams, dtype=np.uint64, count=len(grams)))
    return signature
