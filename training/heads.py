"""Fit the heads on the frozen encoder: from the states of cases to logistic models, in seconds."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
from joblib import Parallel, delayed
from sklearn.linear_model import LogisticRegression

from nlp import __version__
from nlp.classification import Column, HeadsClassifier, Pooling
from nlp.classification.heads import features, pool
from nlp.encoding import Encoder
from nlp.reading import Reader
from nlp.redaction import Redactor, in_view
from nlp.tags import Tagger

from .calibration import log_loss
from .corpus import Case, case_json, groups_of
from .fit import MIN_POSITIVES, targets_of

OPINION_SCALE = 1.0  # of the encoder's own logits beside the means of states, which are scaled to a spread of 1
START_SCALE = 10.0  # of the logit that a column starts with: hardly regularized at all
STATES_SCALE = 0.1  # so that a head leans on them only where many cases agree


@dataclass(frozen=True)
class Serving:
    """What turns a narrative into features, the very parts that serve."""

    encoder: Encoder
    tagger: Tagger
    pooling: Pooling
    redactor: Redactor

    @cached_property
    def digest(self) -> str:
        """Equal for parts that give equal features. Recognizers of one name do the same in one version of casecoder."""
        recognizers = [recognizer.name for recognizer in self.redactor.recognizers]
        found = hashlib.sha256(
            repr(
                (__version__, recognizers, sorted(self.tagger.thresholds.items()), sorted(self.tagger.growth.items()))
            ).encode()
        )
        probe = self.encoder.encode("0 a \N{CYRILLIC SMALL LETTER YA}")  # states tell one network from another
        tagger, pooling = self.tagger, self.pooling
        for array in (
            probe.vectors, tagger.weights, tagger.bias, pooling.salience, pooling.evidence, pooling.opinion
        ):  # fmt: skip
            found.update(np.ascontiguousarray(array).tobytes())
        if pooling.lexical:
            found.update(np.ascontiguousarray(pooling.lexical.weights).tobytes())
        return found.hexdigest()


@dataclass(frozen=True)
class Encoded:
    """Cases as heads see them: ``X`` is of shape (n_cases, n_axes, n_features); ``targets`` and ``primary`` are of
    shape (n_cases, n_columns), 1, 0 or nan where not coded."""

    X: np.ndarray
    targets: np.ndarray
    primary: np.ndarray
    groups: tuple[str, ...]

    def of(self, rows: np.ndarray) -> Encoded:
        """Some of the cases, by their numbers."""
        return Encoded(self.X[rows], self.targets[rows], self.primary[rows], tuple(self.groups[at] for at in rows))


def encode(
    cases: Sequence[Case],
    serving: Serving,
    columns: Sequence[Column],
    *,
    marked: bool = True,
    cache: Path | None = None,
    step: Callable[[], None] = lambda: None,
) -> Encoded:
    """Features of cases with their identifiers left out: those that people marked and those that are found, together,
    or, unless ``marked``, those alone that are found, as when the bundle serves.

    With ``cache``, a folder, the features of cases that this encoder has seen before are read from there.
    """
    rows = [_cached(case, serving, cache, step, marked=marked) for case in cases]
    return Encoded(np.stack(rows), targets_of(cases, columns), primary_of(cases, columns), tuple(groups_of(cases)))


def _cached(case: Case, serving: Serving, cache: Path | None, step: Callable[[], None], *, marked: bool) -> np.ndarray:
    path = None
    if cache:
        content = json.dumps(case_json(case), ensure_ascii=False, sort_keys=True)
        key = hashlib.sha256(f"{serving.digest}\n{marked}\n{content}".encode()).hexdigest()
        path = cache / key[:2] / f"{key}.npy"
        if path.exists():
            step()
            return np.asarray(np.load(path, allow_pickle=False))
    row = features_of(case, serving, marked=marked)
    if path:
        path.parent.mkdir(parents=True, exist_ok=True)
        np.save(path, row, allow_pickle=False)
    step()
    return row


def features_of(case: Case, serving: Serving, *, marked: bool = True) -> np.ndarray:
    """Features of one case, of shape (n_axes, n_features), float32; see `encode`."""
    reading = Reader(languages=(case.language,), max_characters=len(case.text)).read(case.narrative())
    view = reading.view
    states = serving.encoder.encode(view.text)
    named = [*serving.tagger.find(view.text, states), *(in_view(case.entities or (), view) if marked else ())]
    redaction = serving.redactor.redact(reading, named)
    parts = pool(serving.pooling, reading, redaction, states.received(view))
    return np.asarray(features(serving.pooling, parts)[0], dtype=np.float32)


def primary_of(cases: Sequence[Case], columns: Sequence[Column]) -> np.ndarray:
    """1 for the primary code of a case, 0 for its other codes on that axis, nan for all else."""
    values = np.full((len(cases), len(columns)), np.nan)
    for row, case in enumerate(cases):
        for at, (axis, code) in enumerate(columns):
            leading = case.primary.get(axis)
            if leading and code in (case.codes[axis] or ()):
                values[row, at] = float(code == leading)
    return values


def fit_heads(
    train: Encoded,
    tune: Encoded,
    columns: Sequence[Column],
    pooling: Pooling,
    *,
    C: Sequence[float],
    shares: Sequence[float] = (0.0,),
    seed: int,
) -> tuple[HeadsClassifier, dict[str, object]]:
    """Heads without calibration yet, and what was found on the way: the encoder's own opinion of each code with one of
    ``shares`` of what the words say, or logistic models of some strength of regularization ``C``, whichever has the
    smallest log loss on ``tune``.

    The encoder was fine-tuned on the cases that these models are fitted on, so that its states tell them apart better
    than any new ones: the models may well be worse than its opinion.
    """
    blank = _heads(columns, pooling, np.zeros((pooling.n_features + 1, len(columns))))
    told = {share: _opinions(blank, share) for share in (shares if pooling.lexical else (0.0,))}
    fitted = {value: _heads(columns, pooling, _fit_columns(train.X, train.targets, blank, value, seed)) for value in C}
    by_share, by_strength = (_losses(heads, tune) for heads in (told, fitted))
    share, strength = (min(losses, key=lambda value: (losses[value], value)) for losses in (by_share, by_strength))
    own = by_share[share] <= by_strength[strength]
    model = told[share] if own else fitted[strength]
    rows = train.X
    if pooling.lexical:  # which was fitted on these very cases, and knows them too well to say what leads
        rows = rows.copy()
        rows[..., -len(pooling.columns) :] = 0.0
    model.primary = _fit_columns(rows, train.primary, blank, strength, seed)
    facts: dict[str, object] = {
        "C": 0.0 if own else strength,
        "share_of_words": share if own else None,
        "C_of_primary": strength,
        "log_loss_on_tune": {str(value): round(loss, 5) for value, loss in by_strength.items()},
        "log_loss_of_shares": {str(value): round(loss, 5) for value, loss in by_share.items()},
        "cases": len(train.X),
    }
    return model, facts


def _losses(fitted: Mapping[float, HeadsClassifier], tune: Encoded) -> dict[float, float]:
    return {value: log_loss(heads.decision_function(tune.X), tune.targets) for value, heads in fitted.items()}


def _opinions(blank: HeadsClassifier, share: float = 0.0) -> HeadsClassifier:
    """Heads that say what the encoder does, with a share of what the words say; of a code that these do not know they
    say nothing."""
    weights = np.zeros_like(blank.weights)
    known = blank.pooling.columns
    for at, column in enumerate(blank.columns):
        if column in known:
            row = 2 * blank.pooling.width + known.index(column)
            weights[row, at] = 1.0
            if blank.pooling.lexical:
                weights[row + len(known), at] = share
    return _heads(blank.columns, blank.pooling, weights)


def continue_heads(
    own: Encoded,
    columns: Sequence[Column],
    pooling: Pooling,
    shipped: HeadsClassifier | None,
    *,
    C: float,
    seed: int,
) -> HeadsClassifier:
    """Heads fitted on ``own`` cases, without calibration yet. A column that ``shipped`` heads have starts at their
    calibrated logit, which is one more feature, the strongest; the others start at nothing."""
    blank = _heads(columns, pooling, np.zeros((pooling.n_features + 1, len(columns))))
    start = _start(blank, shipped)
    model = _heads(columns, pooling, _fit_columns(own.X, own.targets, start, C, seed, continued=True))
    leading = _start(blank, shipped, primary=True)
    model.primary = _fit_columns(own.X, own.primary, leading, C, seed, continued=True)
    return model


def _start(blank: HeadsClassifier, shipped: HeadsClassifier | None, *, primary: bool = False) -> HeadsClassifier:
    """Heads with the calibrated weights of ``shipped`` ones where these know the column, zero elsewhere."""
    weights = np.zeros_like(blank.weights)
    for at, column in enumerate(blank.columns):
        if shipped and column in shipped.columns:
            old = shipped.columns.index(column)
            if primary:
                weights[:, at] = shipped.primary[:, old]
            else:
                slope, offset = shipped.calibration[:, old]
                weights[:, at] = slope * shipped.weights[:, old]
                weights[-1, at] += offset
    return _heads(blank.columns, blank.pooling, weights)


def _heads(columns: Sequence[Column], pooling: Pooling, weights: np.ndarray) -> HeadsClassifier:
    identity = np.vstack([np.ones(len(columns)), np.zeros(len(columns))])
    return HeadsClassifier(columns, pooling, weights=weights, primary=np.zeros_like(weights), calibration=identity)


def _fit_columns(
    X: np.ndarray, targets: np.ndarray, start: HeadsClassifier, C: float, seed: int, *, continued: bool = False
) -> np.ndarray:
    """Weights of shape (n_features + 1, n_columns), each column fitted on the features of its axis."""
    axes = [start.pooling.axes.index(column.axis) for column in start.columns]
    states = 2 * start.pooling.width
    fitted = Parallel(n_jobs=-1, prefer="threads")(
        delayed(_fit_column)(X[:, axis], targets[:, at], states, C, seed, start.weights[:, at] if continued else None)
        for at, axis in enumerate(axes)
    )
    return np.stack(fitted, axis=1)


def _fit_column(
    X: np.ndarray, target: np.ndarray, states: int, C: float, seed: int, start: np.ndarray | None
) -> np.ndarray:
    """Weights and bias of one column; with too few cases those it started with, or the log odds of a smoothed base
    rate.

    The first ``states`` features are scaled to a small spread. With ``start`` its logit is one more feature.
    """
    coded = ~np.isnan(target)
    y = target[coded]
    known = start is not None and bool(start.any())
    if y.sum() < MIN_POSITIVES or (1 - y).sum() < MIN_POSITIVES:
        rate = (y.sum() + 0.5) / (len(y) + 1)
        return start if known and start is not None else np.append(np.zeros(X.shape[1]), np.log(rate / (1 - rate)))
    center = X[coded].mean(axis=0)
    scale = np.full(X.shape[1], OPINION_SCALE)
    scale[:states] = STATES_SCALE / np.maximum(X[coded, :states].std(axis=0), 1e-6)
    rows = (X[coded] - center) * scale
    if known and start is not None:
        rows = np.column_stack([rows, START_SCALE * (X[coded] @ start[:-1] + start[-1])])
    model = LogisticRegression(C=C, max_iter=2000, random_state=seed)
    model.fit(rows, y)
    weights = model.coef_[0][: len(scale)] * scale
    bias = model.intercept_[0] - center @ weights
    if known and start is not None:
        share = model.coef_[0][-1] * START_SCALE
        return np.append(weights + share * start[:-1], bias + share * start[-1])
    return np.append(weights, bias)
