"""Heads on the states of the encoder: one logistic model a column, fitted with scikit-learn and stored as plain arrays.

No identifier is pooled. What a head sees of a narrative are means of the states of its other tokens, and how strongly
any of them looks like evidence. The encoder itself stays as it is, so that a site can fit heads of its own, for its own
codebook too, in seconds.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import pairwise

import numpy as np

from ..encoding import States, Tokens
from ..reading import Reading
from ..types import Redaction, Span
from .base import Column
from .linear import MAX_PARTS, Counts, LinearClassifier, sigmoid

SHARPNESS = 2.0  # of the smooth maximum over tokens, as in fine-tuning
_LEAST = -20.0  # of the smooth maximum before it is divided by its sharpness: no evidence at all
_FLOOR = 1e-6  # weight of a token that looks like no evidence at all, as in fine-tuning
_WORDS_SHARE = 0.5  # of the strongest token's probability, from which on a word belongs to the evidence
_MAX_GAP = 2  # tokens between words of evidence that are taken along


@dataclass(frozen=True)
class Pooling:
    """How the states of tokens become features: learned with the encoder, and the same for every codebook.

    ``salience`` (width + 1, n_axes) weighs tokens by how much they look like evidence on an axis; ``evidence``
    (width + 1, n_codes) is the logit that a token is evidence of one of the encoder's own ``codes``; ``codes`` heads
    (2 * width + 2, n_codes) are the encoder's opinion of these codes. The last row of each is the bias, of
    ``opinion`` the one before it the weight of the strongest evidence. ``lexical``, where there is one, is a linear
    model of the same codes on the words themselves, which knows what the encoder reads past: its logits are features,
    too.
    """

    axes: tuple[str, ...]
    columns: tuple[Column, ...]
    salience: np.ndarray = field(repr=False)
    evidence: np.ndarray = field(repr=False)
    opinion: np.ndarray = field(repr=False)
    lexical: LinearClassifier | None = field(default=None, repr=False)

    @property
    def width(self) -> int:
        return len(self.salience) - 1

    @property
    def n_features(self) -> int:
        """Features that a head of one axis sees: two means of states, the opinions, and those of the words."""
        return 2 * self.width + len(self.columns) * (2 if self.lexical else 1)


@dataclass(frozen=True)
class Parts:
    """One narrative, summed stretch by stretch over its tokens that belong to no identifier.

    ``counts`` (n_stretches,), ``sums`` (n_stretches, width), ``salient`` (n_stretches, n_axes, width) with its
    ``weights`` (n_stretches, n_axes), ``strongest`` (n_stretches, n_codes) sums of exponentials. ``stretch_of`` says
    for each sentence which stretch it is in; ``tokens`` and ``evidence`` (n_tokens, n_codes) tell the words.
    """

    counts: np.ndarray = field(repr=False)
    sums: np.ndarray = field(repr=False)
    salient: np.ndarray = field(repr=False)
    weights: np.ndarray = field(repr=False)
    strongest: np.ndarray = field(repr=False)
    stretch_of: np.ndarray = field(repr=False)
    tokens: Tokens = field(repr=False)
    evidence: np.ndarray = field(repr=False)
    counts_of_words: Counts | None = field(default=None, repr=False)


def pool(pooling: Pooling, reading: Reading, redaction: Redaction, states: States) -> Parts:
    """Sum the states of a narrative by sentence, with every token left out that touches an identifier."""
    tokens = states.tokens
    kept = np.ones(len(tokens), dtype=bool)
    for entity in redaction.entities:
        kept[tokens.within(entity.span.start, entity.span.end)] = False
    vectors = states.vectors
    evidence = vectors @ pooling.evidence[:-1] + pooling.evidence[-1]
    evidence[~kept] = -30.0
    salience = (sigmoid(vectors @ pooling.salience[:-1] + pooling.salience[-1]) + _FLOOR) * kept[:, None]
    n_sentences = len(reading.sentences)
    n_stretches = min(n_sentences, MAX_PARTS)
    stretch_of = np.arange(n_sentences) * n_stretches // max(1, n_sentences)
    first_sentences = np.searchsorted(stretch_of, np.arange(1, n_stretches))
    cuts = np.searchsorted(tokens.starts, [reading.sentences[at].start for at in first_sentences])
    bounds = [0, *(int(cut) for cut in cuts), len(tokens)]
    segments = [slice(first, last) for first, last in pairwise(bounds)]
    return Parts(
        counts=np.array([kept[part].sum() for part in segments], dtype=np.float64),
        sums=np.stack([vectors[part][kept[part]].sum(axis=0, dtype=np.float64) for part in segments]),
        salient=np.stack([salience[part].T.astype(np.float64) @ vectors[part] for part in segments]),
        weights=np.stack([salience[part].sum(axis=0, dtype=np.float64) for part in segments]),
        strongest=np.stack([np.exp(SHARPNESS * evidence[part], dtype=np.float64).sum(axis=0) for part in segments]),
        stretch_of=stretch_of,
        tokens=tokens,
        evidence=evidence,
        counts_of_words=pooling.lexical.featurize(reading, redaction) if pooling.lexical else None,
    )


def features(pooling: Pooling, parts: Parts, *, without_each: bool = False) -> np.ndarray:
    """What heads see, of shape (n, n_axes, n_features): of the whole narrative (n is 1), or with each stretch left out
    in turn (n is n_stretches)."""

    def total(values: np.ndarray) -> np.ndarray:
        whole = values.sum(axis=0, keepdims=True)
        return np.asarray(whole - values if without_each else whole)

    counts, weights = total(parts.counts), total(parts.weights)
    mean = total(parts.sums) / np.maximum(counts, 1.0)[:, None]
    salient = total(parts.salient) / np.maximum(weights, 1e-9)[..., None]
    strongest = np.maximum(np.log(np.maximum(total(parts.strongest), 1e-18)), _LEAST) / SHARPNESS
    means = np.concatenate([np.repeat(mean[:, None], salient.shape[1], axis=1), salient], axis=-1)
    opinions = _opinions(pooling, means, strongest)
    if pooling.lexical and parts.counts_of_words:
        words = parts.counts_of_words
        opinions = np.hstack([opinions, pooling.lexical.decision_function(words.support, total(words.parts))])
    shared = np.repeat(opinions[:, None], salient.shape[1], axis=1)
    return np.asarray(np.concatenate([means, shared], axis=-1))


def _opinions(pooling: Pooling, means: np.ndarray, strongest: np.ndarray) -> np.ndarray:
    """The encoder's own logits of its codes, of shape (n, n_codes)."""
    weights = pooling.opinion[:-2]
    by_axis = np.stack([means[:, axis] @ weights for axis in range(means.shape[1])], axis=1)
    owner = [pooling.axes.index(column.axis) for column in pooling.columns]
    chosen = by_axis[:, owner, np.arange(len(owner))]
    return np.asarray(chosen + strongest * pooling.opinion[-2] + pooling.opinion[-1])


class HeadsClassifier:
    """Logistic models on features of the encoder's states, with a calibration of slope and offset for each column.

    Parameters
    ----------
    columns : the columns, in order.
    pooling : how states become features.
    weights : ndarray of shape (n_features + 1, n_columns), the last row is the bias.
    primary : ndarray of the same shape: the score by which one code of a case leads on its axis.
    calibration : ndarray of shape (2, n_columns), slope and offset applied to the logit.
    """

    def __init__(
        self,
        columns: Sequence[Column],
        pooling: Pooling,
        *,
        weights: np.ndarray,
        primary: np.ndarray,
        calibration: np.ndarray,
    ) -> None:
        self.columns = tuple(columns)
        self.pooling = pooling
        self.weights = weights
        self.primary = primary
        self.calibration = calibration
        self._axis_of = np.array([pooling.axes.index(column.axis) for column in self.columns])

    def featurize(self, reading: Reading, redaction: Redaction, states: States | None = None) -> Parts:
        """Sums over the narrative's tokens. Raises ValueError without states: this classifier needs an encoder."""
        if states is None:
            raise ValueError("heads need the states of an encoder")
        return pool(self.pooling, reading, redaction, states)

    def predict_proba(self, X: Sequence[Parts]) -> np.ndarray:
        """See `Classifier.predict_proba`; a narrative of identifiers alone gets what no evidence at all says."""
        if not X:
            return np.zeros((0, len(self.columns)))
        return np.vstack([self._proba(features(self.pooling, x)) for x in X])

    def predict_without(self, x: Parts) -> np.ndarray:
        """See `Classifier.predict_without`; the sentences are left out of what is pooled, not read anew."""
        return np.asarray(self._proba(features(self.pooling, x, without_each=True))[x.stretch_of])

    def predict_primary(self, x: Parts) -> np.ndarray:
        """See `Classifier.predict_primary`."""
        return np.asarray(self._scores(features(self.pooling, x), self.primary)[0])

    def words(self, x: Parts, column: int, sentence: Span) -> tuple[Span, ...]:
        """See `Classifier.words`; empty for a code that the encoder was not fine-tuned for."""
        try:
            own = self.pooling.columns.index(self.columns[column])
        except ValueError:
            return ()
        part = x.tokens.within(sentence.start, sentence.end)
        return _strong_stretches(x.tokens, sigmoid(x.evidence[part, own]), part.start)

    def decision_function(self, rows: np.ndarray) -> np.ndarray:
        """Logits before calibration, of shape (n, n_columns), of features of shape (n, n_axes, n_features)."""
        return self._scores(rows, self.weights)

    def _proba(self, rows: np.ndarray) -> np.ndarray:
        slope, offset = self.calibration
        return sigmoid(self.decision_function(rows) * slope + offset)

    def _scores(self, rows: np.ndarray, weights: np.ndarray) -> np.ndarray:
        scores = np.empty((len(rows), len(self.columns)))
        for axis in range(len(self.pooling.axes)):
            of = self._axis_of == axis
            scores[:, of] = rows[:, axis] @ weights[:-1, of] + weights[-1, of]
        return scores


def _strong_stretches(tokens: Tokens, strength: np.ndarray, first: int) -> tuple[Span, ...]:
    """Runs of tokens at least half as strong as the strongest, small gaps between them included."""
    if not len(strength):
        return ()
    strong = np.flatnonzero(strength >= _WORDS_SHARE * strength.max())
    runs: list[list[int]] = []
    for at in strong:
        if runs and at - runs[-1][1] <= _MAX_GAP + 1:
            runs[-1][1] = int(at)
        else:
            runs.append([int(at), int(at)])
    return tuple(Span(int(tokens.starts[first + low]), int(tokens.ends[first + high])) for low, high in runs)
