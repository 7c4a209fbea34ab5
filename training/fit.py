"""Fit the linear model: features without names, one logistic model a column, probabilities calibrated by
cross-fitting."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from joblib import Parallel, delayed
from scipy import sparse
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GroupKFold

from nlp.classification.base import Column, columns_of
from nlp.classification.linear import Counts, LinearClassifier, sentence_features, sigmoid
from nlp.codebook import Codebook
from nlp.errors import CorpusError
from nlp.reading import Reader
from nlp.redaction import Redactor, recognizers_for, replace, resolve
from nlp.types import Span

from .calibration import calibrate, log_loss
from .config import Config
from .corpus import Case, groups_of

MIN_POSITIVES = 3  # gold cases of a code below which no model is fitted and its base rate stands


@dataclass(frozen=True)
class Featured:
    """Cases turned into what the model is fitted on.

    ``targets`` is 1, 0 or nan (not coded), of shape (n_cases, n_columns); ``sentence_targets`` holds the same for
    the sentences of each case, as its marked evidence says.
    """

    sentences: list[list[Counter[str]]]
    targets: np.ndarray
    sentence_targets: list[np.ndarray]
    groups: np.ndarray
    persons: tuple[str, ...]


def featurize(
    cases: Sequence[Case],
    codebook: Codebook,
    *,
    redactor: Redactor | None = None,
    step: Callable[[], None] = lambda: None,
) -> Featured:
    """Features of cases with their identifiers out: those marked by people and those that the recognizers find,
    together."""
    redactor = redactor or Redactor(recognizers_for([identifier.id for identifier in codebook.identifiers]))
    columns = columns_of(codebook)
    sentences = []
    sentence_targets = []
    for case in cases:
        reading = Reader(languages=(case.language,), max_characters=len(case.text)).read(case.narrative())
        entities = resolve([*redactor.recognize(reading), *(case.entities or ())])
        sentences.append(sentence_features(reading, replace(case.text, entities)))
        sentence_targets.append(sentence_targets_of(case, reading.sentences, columns))
        step()
    return Featured(
        sentences,
        targets_of(cases, columns),
        sentence_targets,
        np.array(groups_of(cases)),
        tuple(case.person for case in cases),
    )


def targets_of(cases: Sequence[Case], columns: Sequence[Column]) -> np.ndarray:
    """Gold values of shape (n_cases, n_columns): 1, 0, or nan where the axis was not coded."""

    def value(case: Case, column: Column) -> float:
        codes = case.codes[column.axis]
        if codes is None:
            return float("nan")
        return float(not codes if column.code is None else column.code in codes)

    return np.array([[value(case, column) for column in columns] for case in cases]).reshape(len(cases), len(columns))


def sentence_targets_of(case: Case, sentences: Sequence[Span], columns: Sequence[Column]) -> np.ndarray:
    """Values of each sentence, of shape (n_sentences, n_columns): 1 where it holds evidence of the code, 0 where the
    case does not have
    the code, nan where nothing can be said: evidence elsewhere does not prove that there is none here."""
    values = np.full((len(sentences), len(columns)), np.nan)
    for at, (axis, code) in enumerate(columns):
        codes = case.codes[axis]
        if code is None or codes is None:
            continue
        if code not in codes:
            values[:, at] = 0
            continue
        places = case.places(axis, code)
        for row, sentence in enumerate(sentences):
            if any(place.start < sentence.end and sentence.start < place.end for place in places):
                values[row, at] = 1
    return values


def vocabulary_of(featured: Featured, *, min_persons: int) -> tuple[list[str], np.ndarray]:
    """Features that the cases of at least ``min_persons`` persons have, words first, and their smooth inverse document
    frequency.

    Counting persons, not cases, keeps out the name of somebody who has many cases.
    """
    persons: dict[str, set[str]] = defaultdict(set)
    documents: Counter[str] = Counter()
    for person, sentences in zip(featured.persons, featured.sentences, strict=True):
        features = {feature for sentence in sentences for feature in sentence}
        documents.update(features)
        for feature in features:
            persons[feature].add(person)
    kept = sorted(
        (feature for feature, who in persons.items() if len(who) >= min_persons),
        key=lambda feature: (not feature.startswith("w:"), feature),
    )
    n = len(featured.sentences)
    return kept, np.array([np.log((1 + n) / (1 + documents[feature])) + 1 for feature in kept], dtype=np.float32)


def fit_linear(featured: Featured, codebook: Codebook, config: Config) -> tuple[LinearClassifier, dict[str, object]]:
    """A calibrated linear classifier, and what was found on the way: the chosen C and the sizes."""
    columns = columns_of(codebook)
    blank = _blank(featured, columns, config)
    examples = _examples(blank, featured, config.evidence_weight)
    out_of_fold = {C: _cross_fit(examples, featured, C, config) for C in config.C}
    losses = {C: log_loss(logits, featured.targets) for C, logits in out_of_fold.items()}
    best = min(config.C, key=lambda C: (losses[C], C))
    weights, bias = _fit_columns(examples, best, config.seed)
    calibration = calibrate(out_of_fold[best], featured.targets, columns, prior=config.calibration_prior)
    vocabulary = blank.vocabulary
    model = LinearClassifier(columns, vocabulary, idf=blank.idf, weights=weights, bias=bias, calibration=calibration)
    facts = {
        "C": best,
        "log_loss_out_of_fold": {str(C): round(loss, 4) for C, loss in losses.items()},
        "features": len(vocabulary),
        "words": sum(feature.startswith("w:") for feature in vocabulary),
        "cases": len(featured.sentences),
    }
    return model, facts


def fit_words(featured: Featured, codebook: Codebook, config: Config) -> LinearClassifier:
    """A linear classifier without calibration, to stand beside an encoder."""
    columns = columns_of(codebook)
    blank = _blank(featured, columns, config)
    weights, bias = _fit_columns(_examples(blank, featured, config.evidence_weight), config.word_strength, config.seed)
    return LinearClassifier(
        columns, blank.vocabulary, idf=blank.idf, weights=weights, bias=bias, calibration=blank.calibration
    )


def _blank(featured: Featured, columns: Sequence[Column], config: Config) -> LinearClassifier:
    """A model with the vocabulary of some cases and no weights yet. Raises `CorpusError` if they are too few."""
    vocabulary, idf = vocabulary_of(featured, min_persons=config.min_persons)
    if not vocabulary or len(set(featured.groups)) < 2:
        raise CorpusError(
            f"too few cases to fit: no word stands in those of {config.min_persons} persons, or all are of one group",
            source="train",
            line=0,
        )
    return LinearClassifier(
        columns,
        vocabulary,
        idf=idf,
        weights=np.zeros((len(vocabulary), len(columns)), dtype=np.float32),
        bias=np.zeros(len(columns), dtype=np.float32),
        calibration=np.vstack([np.ones(len(columns)), np.zeros(len(columns))]),
    )


@dataclass(frozen=True)
class _Examples:
    """What is fitted on: cases first, then their sentences with a smaller weight. ``owner`` is the number of each
    row's case."""

    X: sparse.csr_matrix
    targets: np.ndarray
    weights: np.ndarray
    owner: np.ndarray

    def of(self, cases: np.ndarray) -> _Examples:
        """The examples that belong to some cases."""
        kept = np.isin(self.owner, cases)
        return _Examples(self.X[kept], self.targets[kept], self.weights[kept], self.owner[kept])


def _examples(model: LinearClassifier, featured: Featured, evidence_weight: float) -> _Examples:
    n = len(featured.sentences)
    counts = [model.count(sentences) for sentences in featured.sentences]
    targets = featured.targets
    owner = np.arange(n)
    if evidence_weight:
        counts += [model.count([sentence]) for sentences in featured.sentences for sentence in sentences]
        targets = np.vstack([targets, *featured.sentence_targets])
        owner = np.concatenate([owner, np.repeat(np.arange(n), [len(sentences) for sentences in featured.sentences])])
    weights = np.where(np.arange(len(owner)) < n, 1.0, evidence_weight)
    return _Examples(matrix(model, counts), targets, weights, owner)


def matrix(model: LinearClassifier, counts: Sequence[Counts]) -> sparse.csr_matrix:
    """TF-IDF values of shape (n, n_features), made by the very code that serves."""
    rows = []
    for item in counts:
        values = model.tfidf(item.support, item.parts.sum(axis=0, keepdims=True))[0]
        rows.append(sparse.csr_matrix((values, item.support, [0, len(values)]), shape=(1, len(model.vocabulary))))
    return sparse.vstack(rows, format="csr")


def out_of_fold(featured: Featured, codebook: Codebook, config: Config) -> np.ndarray:
    """Calibrated probabilities of every case from models that have not seen its group, of shape (n_cases,
    n_columns)."""
    columns = columns_of(codebook)
    examples = _examples(_blank(featured, columns, config), featured, config.evidence_weight)
    logits = _cross_fit(examples, featured, config.C[len(config.C) // 2], config)
    slope, offset = calibrate(logits, featured.targets, columns, prior=config.calibration_prior)
    return sigmoid(slope * logits + offset)


def _fit_columns(examples: _Examples, C: float, seed: int) -> tuple[np.ndarray, np.ndarray]:
    fitted = Parallel(n_jobs=-1)(
        delayed(_fit_column)(examples.X, examples.targets[:, column], examples.weights, C, seed)
        for column in range(examples.targets.shape[1])
    )
    weights = np.stack([coefficients for coefficients, _ in fitted], axis=1).astype(np.float32)
    return weights, np.array([bias for _, bias in fitted], dtype=np.float32)


def _fit_column(
    X: sparse.csr_matrix, target: np.ndarray, weights: np.ndarray, C: float, seed: int
) -> tuple[np.ndarray, float]:
    """Weights and bias of one column; with too few positives only a bias, the log odds of a smoothed base rate."""
    coded = ~np.isnan(target)
    y = target[coded]
    if y.sum() < MIN_POSITIVES or (1 - y).sum() < MIN_POSITIVES:
        rate = (y.sum() + 0.5) / (len(y) + 1)
        return np.zeros(X.shape[1]), float(np.log(rate / (1 - rate)))
    model = LogisticRegression(C=C, solver="liblinear", max_iter=1000, random_state=seed)
    model.fit(X[coded], y, sample_weight=weights[coded])
    return model.coef_[0], float(model.intercept_[0])


def _cross_fit(examples: _Examples, featured: Featured, C: float, config: Config) -> np.ndarray:
    """Logits of every case from models that have not seen its group, of shape (n_cases, n_columns)."""
    logits = np.zeros(featured.targets.shape)
    X = examples.X[: len(logits)]
    folds = GroupKFold(n_splits=min(config.folds, len(set(featured.groups))))
    for seen, held_out in folds.split(X, groups=featured.groups):
        weights, bias = _fit_columns(examples.of(seen), C, config.seed)
        logits[held_out] = X[held_out] @ weights + bias
    return logits
