"""TF-IDF of words and character n-grams, one linear model a column: the baseline that every other classifier must beat.

Fitted in ``training`` with scikit-learn and stored as plain arrays. This module holds what both sides share: how a
narrative
becomes counts, and how counts become probabilities. Entities enter as their type alone.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import islice, pairwise

import numpy as np

from ..encoding import States
from ..reading import Reading
from ..types import Redaction, Span
from .base import Column

_TOKEN = re.compile(r"[^\W\d_]+|\d+")
_ENTITY = "\N{REPLACEMENT CHARACTER}"  # marks an entity's type among the words; no narrative word has it
CHARACTER_SIZES = (3, 4, 5)  # n-grams within words; longer ones repeat the words
MAX_PARTS = 200  # stretches that are left out in turn; longer narratives are cut into this many


@dataclass(frozen=True)
class Counts:
    """One narrative as counts: ``support`` are the features it has, ``parts[i, j]`` how often stretch ``i`` has
    ``support[j]``. A stretch is a sentence, or in a very long narrative several; ``stretch_of`` says for each sentence
    which."""

    support: np.ndarray
    parts: np.ndarray
    stretch_of: np.ndarray


def sigmoid(logits: np.ndarray) -> np.ndarray:
    """Probabilities of logits, elementwise; beyond 30 on either side nothing changes any more."""
    return np.asarray(1 / (1 + np.exp(-np.clip(logits, -30, 30))))


def sentence_features(reading: Reading, redaction: Redaction) -> list[Counter[str]]:
    """Features of each sentence: ``w:`` words and pairs of words, ``c:`` character n-grams with blanks at the word's
    ends."""
    return [Counter(_features(words)) for words in _sentence_words(reading, redaction)]


def _sentence_words(reading: Reading, redaction: Redaction) -> Iterator[list[str]]:
    """Lower-case words of each sentence, numbers as ``0``, an entity as its type in the sentence where it begins."""
    text = reading.text
    entities = redaction.entities
    first = 0
    for sentence in reading.sentences:
        words: list[str] = []
        at = sentence.start
        while first < len(entities) and entities[first].span.end <= sentence.start:
            first += 1
        for entity in islice(entities, first, None):
            span = entity.span
            if span.start >= sentence.end:
                break
            words += plain_words(text[at : max(at, span.start)])
            if span.start >= sentence.start:
                words.append(_ENTITY + entity.type)
            at = max(at, span.end)
        yield words + plain_words(text[at : sentence.end])


def plain_words(text: str) -> list[str]:
    """The words of a text in lower case, every number as ``0``."""
    return ["0" if match[0][0].isdigit() else match[0] for match in _TOKEN.finditer(text.lower().replace("ё", "е"))]


def _features(words: Sequence[str]) -> list[str]:
    features = [f"w:{word}" for word in words]
    features += [f"w:{first} {second}" for first, second in pairwise(words)]
    for word in words:
        if word[0] != _ENTITY and word != "0":
            features += character_features(word)
    return features


def character_features(word: str) -> list[str]:
    """Character n-grams of a word within its blanks."""
    padded = f" {word} "
    return [f"c:{padded[at : at + size]}" for size in CHARACTER_SIZES for at in range(len(padded) - size + 1)]


class LinearClassifier:
    """Logistic models on TF-IDF, with a calibration of slope and offset for each column.

    Parameters
    ----------
    columns : the columns, in order.
    vocabulary : feature names in index order, all words before all character n-grams.
    idf : ndarray of shape (n_features,).
    weights : ndarray of shape (n_features, n_columns).
    bias : ndarray of shape (n_columns,).
    calibration : ndarray of shape (2, n_columns), slope and offset applied to the logit.
    """

    def __init__(
        self,
        columns: Sequence[Column],
        vocabulary: Sequence[str],
        *,
        idf: np.ndarray,
        weights: np.ndarray,
        bias: np.ndarray,
        calibration: np.ndarray,
    ) -> None:
        self.columns = tuple(columns)
        self.vocabulary = tuple(vocabulary)
        self.idf = idf
        self.weights = weights
        self.bias = bias
        self.calibration = calibration

    @cached_property
    def _index(self) -> dict[str, int]:
        return {feature: number for number, feature in enumerate(self.vocabulary)}

    @cached_property
    def _n_words(self) -> int:
        return sum(feature.startswith("w:") for feature in self.vocabulary)

    def featurize(self, reading: Reading, redaction: Redaction, states: States | None = None) -> Counts:
        """Counts of the narrative's known features, sentence by sentence; states are of no use here."""
        return self.count(sentence_features(reading, redaction))

    def count(self, sentences: Sequence[Counter[str]]) -> Counts:
        """Counts of known features; at most `MAX_PARTS` stretches, or memory would grow with the square of a text."""
        stretch_of = np.arange(len(sentences))
        if len(sentences) > MAX_PARTS:
            stretch_of = stretch_of * MAX_PARTS // len(sentences)
        index = self._index
        stretches: list[Counter[int]] = [Counter() for _ in range(min(len(sentences), MAX_PARTS))]
        for stretch, sentence in zip(stretch_of, sentences, strict=True):
            known = {at: count for name, count in sentence.items() if (at := index.get(name)) is not None}
            stretches[stretch].update(known)
        support = np.array(sorted({number for stretch in stretches for number in stretch}), dtype=np.int64)
        parts = np.zeros((len(stretches), len(support)), dtype=np.float32)
        for row, stretch_counts in zip(parts, stretches, strict=True):
            numbers = np.fromiter(stretch_counts.keys(), np.int64, len(stretch_counts))
            row[np.searchsorted(support, numbers)] = np.fromiter(stretch_counts.values(), np.float32, len(numbers))
        return Counts(support, parts, stretch_of)

    def tfidf(self, support: np.ndarray, totals: np.ndarray) -> np.ndarray:
        """TF-IDF values of counts of shape (n, n_support): 1 + log of the count, words and n-grams each of length 1."""
        values = np.where(totals > 0.5, 1 + np.log(np.maximum(totals, 1)), 0) * self.idf[support]
        words = int(np.searchsorted(support, self._n_words))
        return np.hstack([_unit(values[:, :words]), _unit(values[:, words:])])

    def decision_function(self, support: np.ndarray, totals: np.ndarray) -> np.ndarray:
        """Logits of shape (n, n_columns) before calibration."""
        return np.asarray(self.tfidf(support, totals) @ self.weights[support] + self.bias, dtype=np.float64)

    def predict_proba(self, X: Sequence[Counts]) -> np.ndarray:
        """See `Classifier.predict_proba`; a narrative without a known feature gets what the bias alone says."""
        if not X:
            return np.zeros((0, len(self.columns)))
        return np.vstack([self._proba(x.support, x.parts.sum(axis=0, keepdims=True)) for x in X])

    def predict_without(self, x: Counts) -> np.ndarray:
        """See `Classifier.predict_without`; very long narratives are left out in stretches of equal length."""
        without = x.parts.sum(axis=0, keepdims=True) - x.parts
        return np.asarray(self._proba(x.support, without)[x.stretch_of])

    def predict_primary(self, x: Counts) -> None:
        """None: the likeliest code leads."""

    def words(self, x: Counts, column: int, sentence: Span) -> tuple[Span, ...]:
        """Empty: whole sentences are evidence."""
        return ()

    def _proba(self, support: np.ndarray, totals: np.ndarray) -> np.ndarray:
        slope, offset = self.calibration
        logits = self.decision_function(support, totals) * slope + offset
        return sigmoid(logits)


def _unit(rows: np.ndarray) -> np.ndarray:
    """Rows scaled to length 1; empty ones stay empty."""
    return np.asarray(rows / np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), 1e-9))
