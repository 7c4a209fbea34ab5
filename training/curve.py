"""The learning curve: how good the model is when it is fitted on a part of the training cases only."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from sklearn.metrics import average_precision_score

from nlp.classification.base import Column
from nlp.codebook import Codebook

from .config import Config
from .fit import Featured, fit_linear, vocabulary_of

SHARES = (0.125, 0.25, 0.5, 1.0)


def learning_curve(
    train: Featured,
    held_out: Featured,
    languages: Sequence[str],
    codebook: Codebook,
    config: Config,
    *,
    step: Callable[[], None] = lambda: None,
) -> list[dict[str, Any]]:
    """Mean average precision by axis on held-out cases, for growing parts of the training cases; each part holds the
    one before.

    ``languages`` are those of the held-out cases: beside ``all`` there is a figure for each. Groups stay together.
    """
    groups = sorted(set(train.groups))
    random.Random(config.seed).shuffle(groups)  # noqa: S311 - an order of groups, no secret
    rows = []
    for share in SHARES:
        part = set(groups[: max(1, round(share * len(groups)))])
        some = _of(train, np.array([group in part for group in train.groups]))
        if not vocabulary_of(some, min_persons=config.min_persons)[0]:
            continue  # too few cases for a single feature
        model, _ = fit_linear(
            some, codebook, replace(config, C=config.C[-1:])
        )  # one C: the order of cases hardly moves
        probabilities = model.predict_proba([model.count(sentences) for sentences in held_out.sentences])
        spoken = np.array(languages)
        figures = {"all": mean_average_precision(probabilities, held_out.targets, model.columns)}
        for language in sorted(set(languages)):
            of = spoken == language
            figures[language] = mean_average_precision(probabilities[of], held_out.targets[of], model.columns)
        rows.append({"share": share, "cases": len(some.sentences), "mean_average_precision": figures})
        step()
    return rows


def _of(featured: Featured, kept: np.ndarray) -> Featured:
    """Some of the cases."""
    at = np.flatnonzero(kept)
    return Featured(
        [featured.sentences[i] for i in at],
        featured.targets[at],
        [featured.sentence_targets[i] for i in at],
        featured.groups[at],
        tuple(featured.persons[i] for i in at),
    )


def mean_average_precision(
    probabilities: np.ndarray, targets: np.ndarray, columns: Sequence[Column]
) -> dict[str, float | None]:
    """Of each axis the mean over its codes that have a gold case; both arrays of shape (n_cases, n_columns)."""
    found: dict[str, list[float]] = {}
    for at, column in enumerate(columns):
        coded = ~np.isnan(targets[:, at])
        scores = found.setdefault(column.axis, [])
        if column.code is not None and targets[coded, at].sum():
            scores.append(float(average_precision_score(targets[coded, at], probabilities[coded, at])))
    return {axis: round(float(np.mean(scores)), 4) if scores else None for axis, scores in found.items()}
