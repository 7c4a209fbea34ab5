"""Tags of tokens <-> entities: how the token head of the encoder says where an identifier stands.

Every piece of a word has a tag: outside, or at the beginning or inside of an identifier of some type (BIO). Words, not
pieces, decide: a name is hidden to its last letter.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from itertools import pairwise

import numpy as np

from .encoding import States, Tokens
from .types import Entity, Span

OUTSIDE = "O"
SOURCE = "encoder"
_NEAR = 2  # characters between the tokens of one identifier: a comma and a blank
_WORD = re.compile(r"\w+(?:['’‘ʼʻ`-]\w+)*")  # with apostrophes and hyphens inside, as names have them


class Tags:
    """The tags of some identifier types: outside first, then beginning and inside of each type."""

    def __init__(self, types: Sequence[str]) -> None:
        self.types = tuple(types)
        self.names = (OUTSIDE, *(f"{place}-{kind}" for kind in self.types for place in "BI"))

    def number(self, place: str, kind: str) -> int:
        return self.names.index(f"{place}-{kind}")

    def numbers(self, tokens: Tokens, entities: Sequence[Entity]) -> np.ndarray:
        """The tag of each token, of shape (n_tokens,)."""
        found = np.zeros(len(tokens), dtype=np.int64)
        for entity in entities:
            part = tokens.within(entity.span.start, entity.span.end)
            found[part] = self.number("I", entity.type)
            found[part.start : part.start + (part.stop > part.start)] = self.number("B", entity.type)
        return found

    def outside(self, numbers: np.ndarray) -> np.ndarray:
        """Which tags leave a token to be pooled: all that are not surely an identifier."""
        return np.asarray((numbers == 0) | (numbers >= len(self.names)))


class Tagger:
    """The token head: finds identifiers in the states of a text.

    Parameters
    ----------
    tags : the tags, in the order of the columns of ``weights``.
    weights : ndarray of shape (width, n_tags).
    bias : ndarray of shape (n_tags,).
    thresholds : for each type the least probability at which a word is taken for one of its kind, in (0, 1).
    growth : for each type the least probability of belonging to any identifier at which a word beside one of that type
        is taken with it, and then the word beside that, in (0, 1]: the ends of addresses and institutions are less sure
        than their middle.
    """

    def __init__(
        self,
        tags: Tags,
        *,
        weights: np.ndarray,
        bias: np.ndarray,
        thresholds: Mapping[str, float],
        growth: Mapping[str, float] | None = None,
    ) -> None:
        self.tags = tags
        self.weights = weights
        self.bias = bias
        self.thresholds = dict(thresholds)
        self.growth = dict(growth or {})

    def with_thresholds(self, thresholds: Mapping[str, float], growth: Mapping[str, float]) -> Tagger:
        """The same head with other thresholds."""
        return Tagger(self.tags, weights=self.weights, bias=self.bias, thresholds=thresholds, growth=growth)

    def find(self, text: str, states: States) -> tuple[Entity, ...]:
        """Disjoint entities in the order they stand, spans in the text; ``score`` is the mean probability of its
        tokens."""
        return self.read(text, states)[0]

    def read(self, text: str, states: States) -> tuple[tuple[Entity, ...], np.ndarray]:
        """What `find` finds, and the probability that each character of the text belongs to no identifier, of shape
        (n_characters,); 1 for blanks and whatever else has no token."""
        tokens = states.tokens
        outside = np.ones(len(text))
        if not len(tokens):
            return (), outside
        probabilities = self.predict_proba(text, states)
        for start, end, value in zip(tokens.starts, tokens.ends, probabilities[:, 0], strict=True):
            outside[start:end] = value
        inside = probabilities[:, 1::2] + probabilities[:, 2::2]
        chosen, kinds, joined = self.choose(probabilities, tokens)
        each = np.arange(len(kinds))
        begins = probabilities[each, 1 + 2 * kinds] > probabilities[each, 2 + 2 * kinds]
        begins &= ~(joined | np.concatenate([[False], joined[:-1]]))
        entities = []
        for first, last in _runs(chosen, kinds, begins):
            span = Span(int(tokens.starts[first]), int(tokens.ends[last - 1]))
            score = round(float(inside[first:last, kinds[first]].mean()), 4)
            entities.append(Entity(span, self.tags.types[kinds[first]], score, SOURCE))
        return tuple(entities), outside

    def choose(self, probabilities: np.ndarray, tokens: Tokens) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Which tokens belong to an identifier, of which type (its place among the types), and which of them only
        joined one beside them; each of shape (n_tokens,)."""
        inside = probabilities[:, 1::2] + probabilities[:, 2::2]
        limits = np.array([self.thresholds[kind] for kind in self.tags.types])
        passing = inside >= limits  # each type by its own threshold, and of those that pass the likeliest
        found = passing.any(axis=1)
        kinds = np.where(passing, inside, -1.0).argmax(axis=1)
        any_kind = 1.0 - probabilities[:, 0]
        least = np.array([self.growth.get(kind, 1.0) for kind in self.tags.types])
        near = tokens.starts[1:] - tokens.ends[:-1] <= _NEAR
        taken = found.copy()
        last = len(taken) - 1
        for steps, back in ((range(1, last + 1), -1), (range(last - 1, -1, -1), 1)):
            for at in steps:
                beside = at + back
                if not taken[at] and taken[beside] and near[min(at, beside)] and any_kind[at] >= least[kinds[beside]]:
                    taken[at], kinds[at] = True, kinds[beside]
        return taken, kinds, taken & ~found

    def predict_proba(self, text: str, states: States) -> np.ndarray:
        """Probability of each tag, of shape (n_tokens, n_tags), float64. The pieces of a word share their mean; that
        of a beginning is its first piece's share of it."""
        logits = states.vectors @ self.weights + self.bias
        logits -= logits.max(axis=1, keepdims=True)
        probabilities = np.exp(logits, dtype=np.float64)
        probabilities /= probabilities.sum(axis=1, keepdims=True)
        return _of_words(probabilities, *_words(text, states.tokens))

    def first_pieces(self, text: str, states: States) -> np.ndarray:
        """The numbers of the tokens that begin a word, of shape (n_words,): one row a word of `predict_proba`."""
        return _words(text, states.tokens)[0]


def _words(text: str, tokens: Tokens) -> tuple[np.ndarray, np.ndarray]:
    """The first token of each word, and the one after its last; words without a token are left out."""
    spans = np.array([match.span() for match in _WORD.finditer(text)], dtype=np.int64).reshape(-1, 2)
    firsts = np.searchsorted(tokens.ends, spans[:, 0], side="right")
    lasts = np.searchsorted(tokens.starts, spans[:, 1], side="left")
    some = lasts > firsts
    return firsts[some], lasts[some]


def _of_words(pieces: np.ndarray, firsts: np.ndarray, lasts: np.ndarray) -> np.ndarray:
    """The probabilities of pieces, with those of one word made equal: the same type for all, and a beginning only at
    the first."""
    several = lasts - firsts > 1
    firsts, lasts = firsts[several], lasts[several]
    if not len(firsts):
        return pieces
    totals = np.concatenate([np.zeros((1, pieces.shape[1])), np.cumsum(pieces, axis=0)])
    means = (totals[lasts] - totals[firsts]) / (lasts - firsts)[:, None]
    kinds = means[:, 1::2] + means[:, 2::2]
    begins, inside = pieces[firsts, 1::2], pieces[firsts, 2::2]
    begin = begins / np.maximum(begins + inside, 1e-12)
    result = pieces.copy()
    each = np.repeat(np.arange(len(firsts)), lasts - firsts)
    at = np.concatenate([np.arange(first, last) for first, last in zip(firsts, lasts, strict=True)])
    result[at, 0] = means[each, 0]
    result[at, 1::2] = 0
    result[at, 2::2] = kinds[each]
    result[firsts, 1::2] = kinds * begin
    result[firsts, 2::2] = kinds * (1 - begin)
    return result


def _runs(chosen: np.ndarray, kinds: np.ndarray, begins: np.ndarray) -> list[tuple[int, int]]:
    """Ranges of tokens that are one entity: neighbors of one type, cut where another one begins."""
    cuts = [0]
    cuts += [
        at
        for at in range(1, len(chosen))
        if chosen[at] != chosen[at - 1] or kinds[at] != kinds[at - 1] or (chosen[at] and begins[at])
    ]
    return [(first, last) for first, last in pairwise([*cuts, len(chosen)]) if chosen[first]]
