"""Heads, calibration and policy on an encoder that stays as it is: for the shipped bundle, and for a site's cases."""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
from sklearn.model_selection import GroupKFold

from nlp.bundle import Bundle
from nlp.classification import HeadsClassifier, columns_of
from nlp.classification.linear import sigmoid
from nlp.codebook import Codebook
from nlp.encoding import Tokens
from nlp.errors import BundleIncompatible, CorpusError
from nlp.held_out import HeldOut
from nlp.redaction import Redactor, in_view, recognizers_for
from nlp.tags import Tagger
from nlp.view import normalize

from .calibration import FREE, calibrate, cross_calibrated, log_loss
from .config import Config
from .corpus import Case
from .fit import Featured, fit_words
from .heads import Encoded, Serving, continue_heads, encode, fit_heads
from .package import ENCODER_FILES, WORD_FILES, array_bytes
from .tune import tune

PARTS = "encoder"  # folder of a run with the encoder in the form that serves
FACTS = "encoder.json"
_MIDDLE = 0.5  # threshold of an identifier type of which nobody has marked any


@dataclass(frozen=True)
class EncoderFiles:
    """The files of an encoder as a bundle holds them, and what its manifest says of them."""

    name: str
    files: Mapping[str, bytes] = field(repr=False)
    facts: Mapping[str, Any] = field(repr=False)

    @classmethod
    def of_run(cls, run: Path) -> EncoderFiles:
        """What `casecoder-train finetune` has left in a run. Raises `CorpusError` if it has not ended."""
        folder = run / PARTS
        try:
            facts = json.loads((folder / FACTS).read_text(encoding="utf-8"))
            return cls(run.name, {name: (folder / name).read_bytes() for name in ENCODER_FILES}, facts)
        except (OSError, ValueError):
            raise CorpusError(
                "is missing or broken: run `casecoder-train finetune` first", source=str(folder), line=0
            ) from None

    @classmethod
    def of_bundle(cls, bundle: Bundle) -> EncoderFiles:
        """The encoder of a bundle. Raises `CorpusError` for a bundle without one."""
        if bundle.manifest["kind"] != "encoder":
            raise CorpusError("has no encoder to fit heads on", source=bundle.name, line=0)
        names = (*ENCODER_FILES, *WORD_FILES)
        files = {name: bundle.files[name] for name in names if name in bundle.files}
        return cls(bundle.name, files, bundle.manifest["encoder"])

    def serving(self, codebook: Codebook) -> Serving:
        """The parts that turn narratives into features. Raises `BundleIncompatible` where they do not fit."""
        manifest = {"name": self.name, "version": "draft", "encoder": self.facts}
        bundle = Bundle(Path(), manifest, self.files)
        pooling = bundle.pooling()
        if unknown := [axis.id for axis in codebook.axes if axis.id not in pooling.axes]:
            raise BundleIncompatible(self.name, f"its encoder knows no axis {unknown[0]} of the codebook")
        kinds = [identifier.id for identifier in codebook.identifiers]
        redactor = Redactor(recognizers_for(kinds), kinds)
        return Serving(bundle.encoder(), bundle.tagger(), pooling, redactor)


@dataclass(frozen=True)
class Fitted:
    """Calibrated heads, their policy, what was found on the way, and what the heads say of cases that they have not
    seen, with the calibration that they had not seen either."""

    model: HeadsClassifier
    policy: Mapping[str, Any]
    facts: Mapping[str, Any]
    held_out: HeldOut


def fit_on_encoder(
    serving: Serving,
    train: Sequence[Case],
    held_out: Sequence[Case],
    codebook: Codebook,
    config: Config,
    *,
    cache: Path | None = None,
    step: Callable[[], None] = lambda: None,
) -> Fitted:
    """Heads fitted on ``train``, calibrated and given thresholds on ``held_out``, cases the encoder has not seen."""
    columns = columns_of(codebook)
    seen = encode(train, serving, columns, cache=cache, step=step)
    unseen = encode(held_out, serving, columns, marked=False, cache=cache, step=step)
    model, facts = fit_heads(
        seen, unseen, columns, serving.pooling, C=config.C, shares=config.word_shares, seed=config.seed
    )
    logits = model.decision_function(unseen.X)
    return _calibrated(model, logits, unseen, facts, config)


def fit_on_own_cases(
    serving: Serving,
    shipped: HeadsClassifier | None,
    cases: Sequence[Case],
    codebook: Codebook,
    config: Config,
    *,
    before: Mapping[str, Any] | None = None,
    cache: Path | None = None,
    step: Callable[[], None] = lambda: None,
) -> Fitted:
    """Heads for a site, fitted on its own coded cases: for codes that ``shipped`` heads know they go on from there, the
    more cases the farther; other codes are learned from nothing. ``before`` are the thresholds of the shipped policy,
    by code.

    Strength of regularization, calibration and thresholds come from cross-fitting: each case is judged by heads that
    have not seen its group. Raises `CorpusError` for fewer than two groups of cases.
    """
    columns = columns_of(codebook)
    own = encode(cases, serving, columns, marked=False, cache=cache, step=step)
    if len(set(own.groups)) < 2:
        raise CorpusError("too few cases to fit: all are of one group", source="cases", line=0)
    folds = list(GroupKFold(n_splits=min(config.folds, len(set(own.groups)))).split(own.X, groups=list(own.groups)))
    out_of_fold = {}
    for value in config.C:
        logits = np.zeros(own.targets.shape)
        for seen, held_out in folds:
            model = continue_heads(own.of(seen), columns, serving.pooling, shipped, C=value, seed=config.seed)
            logits[held_out] = model.decision_function(own.X[held_out])
        out_of_fold[value] = logits
    losses = {value: log_loss(logits, own.targets) for value, logits in out_of_fold.items()}
    best = min(config.C, key=lambda value: (losses[value], value))
    model = continue_heads(own, columns, serving.pooling, shipped, C=best, seed=config.seed)
    facts = {
        "C": best,
        "log_loss_out_of_fold": {str(value): round(loss, 5) for value, loss in losses.items()},
        "cases": len(cases),
    }
    goes_on = shipped is not None and bool(set(columns) & set(shipped.columns))
    return _calibrated(model, out_of_fold[best], own, facts, config, goes_on=goes_on, before=before)


def _calibrated(
    model: HeadsClassifier,
    logits: np.ndarray,
    unseen: Encoded,
    facts: Mapping[str, Any],
    config: Config,
    *,
    goes_on: bool = False,
    before: Mapping[str, Any] | None = None,
) -> Fitted:
    """Calibrate a model; thresholds are learned on probabilities whose calibration has not seen the case. Where it
    ``goes_on`` from calibrated heads, few cases change little, be it the calibration or the thresholds ``before``."""
    prior = config.calibration_prior
    axis_prior = prior if goes_on else FREE
    targets, columns = unseen.targets, model.columns
    probabilities = cross_calibrated(
        logits, targets, columns, unseen.groups, prior=prior, folds=config.folds, axis_prior=axis_prior
    )
    model.calibration = calibrate(logits, targets, columns, prior=prior, axis_prior=axis_prior)
    policy = tune(probabilities, targets, columns, config, before=before)
    return Fitted(model, policy, facts, HeldOut(columns, probabilities, targets))


def parity_figures(
    bundle: Bundle, full: bytes, cases: Sequence[Case], *, step: Callable[[], None] = lambda: None
) -> dict[str, dict[str, float]]:
    """Micro-F1 of each axis with the bundle's encoder (``small``) and with one of full precision (``float``), all else
    being the same: also the heads, which were fitted on states of the small one."""
    book = bundle.codebook()
    columns = columns_of(book)
    heads = bundle.heads()
    policy = json.loads(bundle.files["policy.json"])["codes"]
    thresholds = np.array([policy[column.code]["suggest"] if column.code else 2.0 for column in columns])
    small = EncoderFiles.of_bundle(bundle)
    whole = replace(small, files={**small.files, "encoder.onnx": full})
    figures: dict[str, dict[str, float]] = {axis.id: {} for axis in book.axes}
    for kind, files in (("float", whole), ("small", small)):
        seen = encode(cases, files.serving(book), columns, marked=False, step=step)
        slope, offset = heads.calibration
        chosen = sigmoid(slope * heads.decision_function(seen.X) + offset) >= thresholds
        for axis, row in figures.items():
            of = [at for at, column in enumerate(columns) if column.axis == axis and column.code]
            coded = ~np.isnan(seen.targets[:, of])
            p, y = chosen[:, of][coded], seen.targets[:, of][coded]
            row[kind] = round(float(2 * (p * y).sum() / max(1.0, p.sum() + y.sum())), 4)
    return figures


def with_words(files: EncoderFiles, train: Featured, codebook: Codebook, config: Config) -> EncoderFiles:
    """The same encoder with a linear model on the words of ``train`` beside it, in half precision."""
    if [list(column) for column in columns_of(codebook)] != [list(column) for column in files.facts["columns"]]:
        raise BundleIncompatible(files.name, "its encoder was fine-tuned for other codes, or in another order")
    model = fit_words(train, codebook, config)
    arrays = (model.idf, model.weights, model.bias)
    made = [(json.dumps(list(model.vocabulary), ensure_ascii=False) + "\n").encode()]
    made += [array_bytes(array.astype(np.float16)) for array in arrays]
    return replace(files, files={**files.files, **dict(zip(WORD_FILES, made, strict=True))})


def with_tag_thresholds(
    files: EncoderFiles, cases: Sequence[Case], codebook: Codebook, *, step: Callable[[], None] = lambda: None
) -> EncoderFiles:
    """The same encoder with a threshold for each identifier type: where F2 of words is best on ``cases``, recall
    counting twice as much as precision; and with one for the words beside an identifier, from which on one in three of
    those that join it belongs to one, one in eight where the identifier tells by itself who somebody is."""
    serving = files.serving(codebook)
    tagger = serving.tagger
    scores, gold = [], []
    read: list[tuple[np.ndarray, Tokens, np.ndarray]] = []
    for case in cases:
        if case.entities is not None:
            view = normalize(case.text)
            states = serving.encoder.encode(view.text)
            proba = tagger.predict_proba(view.text, states)
            numbers = tagger.tags.numbers(states.tokens, in_view(case.entities, view))
            words = tagger.first_pieces(view.text, states)
            scores.append((proba[:, 1::2] + proba[:, 2::2])[words])
            gold.append(np.where(numbers > 0, (numbers - 1) // 2, -1)[words])
            read.append((proba, states.tokens, numbers > 0))
        step()
    thresholds = dict.fromkeys(tagger.tags.types, _MIDDLE)
    if scores:
        thresholds = _tag_thresholds(tagger, np.concatenate(scores), np.concatenate(gold))
    direct = {item.id for item in codebook.identifiers if item.kind == "direct"}
    growth = _tag_growth(tagger, thresholds, read, direct)
    return replace(files, facts={**files.facts, "tag_thresholds": thresholds, "tag_growth": growth})


_GROWTH = (0.02, 0.03, 0.05, 0.07, 0.1, 0.15, 0.2)
_WORTH, _WORTH_DIRECT = 1 / 3, 1 / 8  # share of the tokens that join an identifier that have to belong to one
_FEWEST = 10  # tokens that have joined before their share says anything


def _tag_growth(
    tagger: Tagger,
    thresholds: Mapping[str, float],
    read: Sequence[tuple[np.ndarray, Tokens, np.ndarray]],
    direct: Collection[str],
) -> dict[str, float]:
    """For each type the least growth that is worth it; ``read`` has the probabilities of a text, its tokens, and which
    of them are marked."""
    types = tagger.tags.types
    growth = dict.fromkeys(types, 1.0)
    for least in reversed(_GROWTH):
        trial = tagger.with_thresholds(thresholds, dict.fromkeys(types, least))
        joined, right = np.zeros(len(types)), np.zeros(len(types))
        for probabilities, tokens, marked in read:
            _, kinds, joins = trial.choose(probabilities, tokens)
            joined += np.bincount(kinds[joins], minlength=len(types))
            right += np.bincount(kinds[joins & marked], minlength=len(types))
        for kind, all_, good in zip(types, joined, right, strict=True):
            worth = _WORTH_DIRECT if kind in direct else _WORTH
            if all_ >= _FEWEST and good >= worth * all_:
                growth[kind] = least
    return growth


def _tag_thresholds(tagger: Tagger, scores: np.ndarray, gold: np.ndarray) -> dict[str, float]:
    grid = np.round(np.arange(0.2, 0.81, 0.05), 2)
    thresholds = {}
    for at, kind in enumerate(tagger.tags.types):
        true = gold == at
        values = [_f2(scores[:, at] >= threshold, true) for threshold in grid]
        thresholds[kind] = float(grid[int(np.argmax(values))]) if true.any() else _MIDDLE
    return thresholds


def _f2(chosen: np.ndarray, true: np.ndarray) -> float:
    hits = float((chosen & true).sum())
    return 5 * hits / (4 * true.sum() + chosen.sum()) if hits else 0.0
