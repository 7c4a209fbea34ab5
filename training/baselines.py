"""What a bundle has to be better than: spaCy's bag of words, and any model whose thresholds are tuned for F1.

All arrays have the shape (n_cases, n_columns), columns in the order of `nlp.classification.columns_of`.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, cast

import numpy as np
import spacy
from sklearn.metrics import average_precision_score
from spacy.language import Language
from spacy.pipeline import TextCategorizer
from spacy.tokens import Doc
from spacy.training import Example

from nlp.classification import Column, columns_of
from nlp.codebook import Codebook

from .config import Config
from .corpus import Case
from .fit import targets_of
from .tune import tune

FBR = (0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8)  # F1 below which a fold's threshold is not trusted (Fan and Lin 2007)
UNTUNED = 0.5  # the threshold where there is nothing to tune on


@dataclass(frozen=True, eq=False)
class Baseline:
    """What a baseline said: probabilities of the tuning cases and of the test cases, and which codes it suggests for
    the test cases (see `choose`)."""

    tuning: np.ndarray
    test: np.ndarray
    chosen: np.ndarray


def spacy_textcat(
    train: Sequence[Case],
    tuning: Sequence[Case],
    test: Sequence[Case],
    codebook: Codebook,
    config: Config,
    *,
    seed: int,
    epochs: int,
    batch_size: int = 32,
    ngrams: int = 1,
    length: int = 262_144,
    step: Callable[[], None] = lambda: None,
) -> Baseline:
    """Fit spaCy's ``textcat_multilabel`` with ``spacy.TextCatBOW.v3``, one for each axis, on a blank multilingual
    pipeline; ``ngrams`` and ``length`` (of its hashed weights) are spaCy's defaults.

    Narratives are read with their marked identifiers replaced by their type; an axis that nobody coded is left out of
    the loss. As in ``spacy train``, the epoch that is best on the tuning cases is the one that counts, for each axis by
    itself: here by the average precision of all its codes together. Thresholds are those of `tune`. ``step`` is called
    after each epoch. The same seed gives the same arrays: it orders the cases, and nothing else here is random.
    """
    columns = columns_of(codebook)
    spacy_nlp = spacy.blank("xx")
    read = [[spacy_nlp.make_doc(without_identifiers(case)) for case in cases] for cases in (train, tuning, test)]
    rows = targets_of(train, columns)
    examples = [Example.from_dict(doc, {"cats": _cats(row, columns)}) for doc, row in zip(read[0], rows, strict=True)]
    model = {"@architectures": "spacy.TextCatBOW.v3", "exclusive_classes": False, "no_output_layer": False,
             "ngram_size": ngrams, "length": length}  # fmt: skip
    axes = _untrained(spacy_nlp, columns, examples, model)
    optimizer = spacy_nlp.create_optimizer()  # type: ignore[no-untyped-call]  # spaCy does not type it
    gold = targets_of(tuning, columns)
    said = [np.zeros((len(docs), len(columns))) for docs in read[1:]]
    order = random.Random(seed)  # noqa: S311 - an order of cases, no secret
    for _ in range(epochs):
        order.shuffle(examples)
        for at in range(0, len(examples), batch_size):
            for axis in axes:
                axis.textcat.update(examples[at : at + batch_size], sgd=optimizer)
        for axis in axes:
            axis.keep_if_better(read[1:], said, gold)
        step()
    policy = tune(said[0], gold, columns, config)["codes"]
    thresholds = np.array([policy[column.code]["suggest"] if column.code else np.nan for column in columns])
    return Baseline(said[0], said[1], choose(said[1], thresholds, columns))


@dataclass
class _AxisModel:
    """The text categorizer of one axis, the places of its labels among all columns, and its best epoch so far."""

    textcat: TextCategorizer
    members: list[int]
    best: float = -1.0

    def keep_if_better(self, read: Sequence[Sequence[Doc]], said: Sequence[np.ndarray], gold: np.ndarray) -> None:
        """Put the probabilities for both sets of texts into ``said`` if those for the first are better than before."""
        tuning = np.asarray(self.textcat.predict(read[0]), dtype=float)
        y = gold[:, self.members]
        coded = ~np.isnan(y)
        score = float(average_precision_score(y[coded], tuning[coded])) if y[coded].any() else 0.0
        if score > self.best:
            self.best = score
            said[0][:, self.members] = tuning
            said[1][:, self.members] = self.textcat.predict(read[1])


def _untrained(
    spacy_nlp: Language, columns: Sequence[Column], examples: Sequence[Example], model: dict[str, Any]
) -> list[_AxisModel]:
    axes = []
    for name in dict.fromkeys(column.axis for column in columns):
        members = [at for at, column in enumerate(columns) if column.axis == name]
        textcat = cast(TextCategorizer, spacy_nlp.add_pipe("textcat_multilabel", name=name, config={"model": model}))
        textcat.initialize(lambda: examples, nlp=spacy_nlp, labels=[_label(columns[at]) for at in members])
        axes.append(_AxisModel(textcat, members))
    return axes


def without_identifiers(case: Case) -> str:
    """The narrative with each identifier that people marked replaced by its type."""
    text = case.text
    for entity in reversed(case.entities or ()):
        text = f"{text[: entity.span.start]}{entity.type}{text[entity.span.end :]}"
    return text


def _cats(row: np.ndarray, columns: Sequence[Column]) -> dict[str, float]:
    """Gold of one case as spaCy wants it: a label that is not there is missing, not negative."""
    return {_label(column): float(value) for column, value in zip(columns, row, strict=True) if not np.isnan(value)}


def _label(column: Column) -> str:
    return column.code or f"no {column.axis}"  # no code has a blank


def choose(probabilities: np.ndarray, thresholds: np.ndarray, columns: Sequence[Column]) -> np.ndarray:
    """Which codes are suggested: those at or above their threshold; "nothing applies" where no code of its axis is.

    ``thresholds`` has the shape (n_columns,); those of columns without a code are not looked at.
    """
    chosen = probabilities >= thresholds
    for at, column in enumerate(columns):
        if column.code is None:
            codes = [other for other, item in enumerate(columns) if item.axis == column.axis and item.code]
            chosen[:, at] = ~chosen[:, codes].any(axis=1)
    return chosen


def by_axis(values: np.ndarray, columns: Sequence[Column]) -> dict[str, np.ndarray]:
    """The columns of each axis's codes, of shape (n_cases, n_codes), without those for "nothing applies"."""
    axes = dict.fromkeys(column.axis for column in columns)
    return {
        axis: values[:, [at for at, column in enumerate(columns) if column.axis == axis and column.code]]
        for axis in axes
    }


def tuned_thresholds(
    probabilities: np.ndarray, targets: np.ndarray, columns: Sequence[Column], *, seed: int, folds: int = 3
) -> np.ndarray:
    """A threshold for each code by SCutFBR.1, for the sum of micro- and macro-F1 of its axis.

    The scores of a code are divided into folds; in each fold the best threshold is found, midway between two scores,
    and the mean of all folds is taken. Where the F1 that it reaches in its fold is below ``fbr``, the threshold is too
    low to be trusted, and the highest score of the fold stands in its place. ``fbr`` is chosen from `FBR` for each code
    by an outer cross-validation. Micro-F1 binds the codes of an axis together: they are tuned one after the other, the
    frequent ones first, each beside those before it.

    Here nothing is fitted anew in a fold, so the probabilities must be of cases that the model has not seen: the tuning
    split, or out of fold.

    Parameters
    ----------
    probabilities, targets : ndarray of shape (n_cases, n_columns)
        Targets are 1, 0 or nan (not coded).

    Returns
    -------
    ndarray of shape (n_columns,)
        nan for columns without a code; `UNTUNED` where fewer than ``folds ** 2`` cases are coded.

    References
    ----------
    R.-E. Fan and C.-J. Lin, "A Study on Threshold Selection for Multi-label Classification", technical report, National
    Taiwan University, 2007: SCutFBR.1, after Y. Yang, SIGIR 2001. The sum of micro- and macro-F1, frequent codes first,
    as in LibMultiLabel: Y.-J. Lin and C.-J. Lin, "On the Thresholding Strategy for Infrequent Labels in Multi-label
    Classification", CIKM 2023.
    """
    thresholds = np.full(len(columns), np.nan)
    for axis in dict.fromkeys(column.axis for column in columns):
        rng = np.random.default_rng(seed)  # anew, so that no axis moves the folds of another
        members = [at for at, column in enumerate(columns) if column.axis == axis and column.code]
        coded = ~np.isnan(targets[:, members]).any(axis=1)
        before = np.zeros((int(coded.sum()), 3))
        for rank, at in enumerate(sorted(members, key=lambda at: (-targets[coded, at].sum(), at)), start=1):
            scores = _Scores(probabilities[coded, at], targets[coded, at], before, rank)
            thresholds[at] = _scut_fbr(scores, folds, rng) if len(before) >= folds**2 else UNTUNED
            chosen = scores.p >= thresholds[at]
            before = before + np.stack([chosen * scores.y, chosen, scores.y], axis=1)
    return thresholds


@dataclass(frozen=True, eq=False)
class _Scores:
    """Probabilities and gold of one code, and what was said of the codes before it.

    ``before``, of shape (n_cases, 3), counts hits, suggested and gold codes of each case; ``rank`` is the number of
    codes so far, this one included.
    """

    p: np.ndarray
    y: np.ndarray
    before: np.ndarray
    rank: int

    def of(self, rows: np.ndarray) -> _Scores:
        return _Scores(self.p[rows], self.y[rows], self.before[rows], self.rank)

    def value(self, threshold: float) -> float:
        """What is to be as high as can be, at this threshold."""
        chosen = self.p >= threshold
        return float(self._objective((chosen * self.y).sum(), chosen.sum()))

    def best_cut(self) -> tuple[float, float]:
        """The threshold with the best objective, of equal ones the highest, and the code's own F1 there."""
        order = np.argsort(-self.p, kind="stable")
        p = self.p[order]
        hits, said = np.cumsum(self.y[order]), np.arange(1, len(p) + 1)
        ends = np.flatnonzero(np.append(p[:-1] > p[1:], True))  # equal scores are taken together
        best = ends[np.argmax(self._objective(hits[ends], said[ends]))]
        following = p[best + 1] if best + 1 < len(p) else p[best]
        return float(p[best] + following) / 2, float(_f1(hits[best], said[best], self.y.sum()))

    def _objective(self, hits: np.ndarray, said: np.ndarray) -> np.ndarray:
        """Micro-F1 of all codes so far, and the share of this one in their macro-F1; the others' share is fixed."""
        true = self.y.sum()
        other_hits, other_said, other_true = self.before.sum(axis=0)
        return _f1(hits + other_hits, said + other_said, true + other_true) + _f1(hits, said, true) / self.rank


def _f1(hits: np.ndarray, said: np.ndarray, true: float) -> np.ndarray:
    return np.asarray(2 * hits / np.maximum(said + true, 1))  # 0 where there is nothing to find and nothing said


def _scut_fbr(scores: _Scores, folds: int, rng: np.random.Generator) -> float:
    outer = _divide(scores.y, folds, rng)
    values = np.zeros(len(FBR))
    for fold in range(folds):
        held_out = scores.of(outer == fold)
        cuts = _cuts(scores.of(outer != fold), folds, rng)
        values += [held_out.value(_mean_cut(cuts, fbr)) for fbr in FBR]
    return _mean_cut(_cuts(scores, folds, rng), FBR[int(np.argmax(values))])


def _cuts(scores: _Scores, folds: int, rng: np.random.Generator) -> list[tuple[float, float, float]]:
    """For each fold its best threshold, the F1 there, and its highest score."""
    inner = _divide(scores.y, folds, rng)
    parts = [scores.of(inner == fold) for fold in range(folds)]
    return [(*part.best_cut(), float(part.p.max())) for part in parts]


def _mean_cut(cuts: Sequence[tuple[float, float, float]], fbr: float) -> float:
    chosen = [highest if f1 < fbr else cut for cut, f1, highest in cuts]
    return float(
        np.clip(np.mean(chosen), min(chosen), max(chosen))
    )  # the mean of equal numbers may be rounded past them


def _divide(y: np.ndarray, folds: int, rng: np.random.Generator) -> np.ndarray:
    """The fold of each case: drawn by lot, with positives dealt out evenly, since many codes have few."""
    order = rng.permutation(len(y))
    order = order[np.argsort(-y[order], kind="stable")]
    fold = np.empty(len(y), dtype=int)
    fold[order] = np.arange(len(y)) % folds
    return fold
