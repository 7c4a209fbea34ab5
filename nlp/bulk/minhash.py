"""Signatures of texts by which near duplicates are found (Broder 1997, "On the resemblance and containment of
documents").

A text is the set of its runs of three words; whatever holds a digit (dates, phone numbers, case numbers) and addresses
of mail and web are one and the same word, so that a story copied with another date is near. Two texts agree in each
place of their signatures with the probability that is the Jaccard index of their sets.
"""

from __future__ import annotations

import hashlib
import re
from functools import lru_cache

import numpy as np

from .folding import composed

PERMUTATIONS = 64
BANDS = 16
ROWS = PERMUTATIONS // BANDS
MIN_WORDS = 12  # a shorter text has too few runs: one word more or less changes a third of them
_RUN = 3  # words
_REMEMBERED = 16_384  # hashes of words; most of a text is words that all texts have
_CHUNK = 4_096  # runs hashed at a time, so that a long text takes no more memory than a short one

_WORD = re.compile(r"\w+")
_DIGIT = re.compile(r"\d")
_ADDRESS = re.compile(r"@|://|www\.")
_SIGN = "0"  # stands for all that holds a digit, and for addresses
# Odd multipliers of the finalizer of SplitMix64 (Steele, Lea, Flood 2014), which spreads every bit over all.
_FIRST, _SECOND = np.uint64(0xBF58476D1CE4E5B9), np.uint64(0x94D049BB133111EB)
_SHIFTS = np.uint64(30), np.uint64(27), np.uint64(31)


def fold_text(text: str) -> str:
    """A narrative as duplicates are compared: without case and compatibility forms, one blank for any space."""
    return " ".join(composed(text).casefold().split())


def words_of(folded: str) -> list[str]:
    """The words of a folded text, with one sign for what identifies; several in a row are one."""
    words: list[str] = []
    for chunk in folded.split(" "):
        if chunk.isalpha():  # most are: one word, that identifies nothing
            words.append(chunk)
            continue
        for word in [_SIGN] if _ADDRESS.search(chunk) else _WORD.findall(chunk):
            seen = _SIGN if _DIGIT.search(word) else word
            if seen != _SIGN or not words or words[-1] != _SIGN:
                words.append(seen)
    return words


def signature(folded: str) -> np.ndarray | None:
    """The signature of a folded text, uint64 of shape (PERMUTATIONS,); None below MIN_WORDS words."""
    words = words_of(folded)
    if len(words) < MIN_WORDS:
        return None
    hashed = np.array([_hash(word) for word in words], dtype=np.uint64)
    runs = _mixed(hashed[:-2] * _PLACES[0] + hashed[1:-1] * _PLACES[1] + hashed[2:] * _PLACES[2])
    least = np.full(PERMUTATIONS, np.iinfo(np.uint64).max, dtype=np.uint64)
    for start in range(0, len(runs), _CHUNK):
        permuted = _mixed(runs[np.newaxis, start : start + _CHUNK] ^ _MASKS[:, np.newaxis])
        np.minimum(least, permuted.min(axis=1), out=least)
    return least


@lru_cache(_REMEMBERED)
def _hash(word: str) -> int:
    return int.from_bytes(hashlib.blake2b(word.encode("utf-8", "surrogatepass"), digest_size=8).digest(), "little")


def bands(stored: np.ndarray) -> list[int]:
    """One number for each band of a stored signature: rows that share one have the same values in all its places."""
    numbers = _mixed(_MASKS[:BANDS])
    for pair in stored.view(np.uint64).reshape(BANDS, ROWS // 2).T:
        numbers = _mixed(numbers ^ pair)
    found: list[int] = numbers.view(np.int64).tolist()
    return found


def _mixed(values: np.ndarray) -> np.ndarray:
    """SplitMix64's finalizer: a permutation of the 64-bit numbers that looks random."""
    values = (values ^ (values >> _SHIFTS[0])) * _FIRST
    values = (values ^ (values >> _SHIFTS[1])) * _SECOND
    return np.asarray(values ^ (values >> _SHIFTS[2]))


def _constants(name: str, count: int) -> np.ndarray:
    """Fixed odd 64-bit numbers: the same on every machine, so that the same rows are near everywhere."""
    return np.array([_hash(f"{name} {number}") | 1 for number in range(count)], dtype=np.uint64)


_PLACES = _constants("place", _RUN)
_MASKS = _constants("permutation", PERMUTATIONS)


def likeness(first: np.ndarray, second: np.ndarray) -> float:
    """The share of places in which two signatures agree: an estimate of the Jaccard index."""
    return float(np.mean(first == second))
