"""Bundles without an encoder, for measuring what surrounds one; and a stand-in for redaction that hides nothing."""

from __future__ import annotations

import math
import os
from collections.abc import Mapping
from pathlib import Path

import numpy as np
from texts import ROOT

from nlp.bundle import open_bundle
from nlp.classification import LinearClassifier, columns_of
from training.package import Identity, write_draft

SAID = {"health.denial": 0.9, "violence.psychological": 0.7, "health": 0.8, "plhiv": 0.97, "civic.hate": 0.3}
"""What the constant model says, by code; of all other codes it says next to nothing."""
THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")

_TRAINING = {"seed": 1, "cases": 1, "sources": {"invented": 1}, "data_hash": "0" * 64, "min_persons": 10}
_WITHOUT_REDACTION = """
from nlp.pipeline import Pipeline
from nlp.types import Redaction

Pipeline.redact_reading = lambda self, reading, states, **options: Redaction(reading.text, ())
"""


def constant_bundle(folder: Path) -> Path:
    """A bundle that says the same of every narrative: its model has no weights."""
    columns = columns_of(open_bundle().codebook())
    bias = [_logit(SAID.get(column.code or "", 0.001)) for column in columns]
    model = LinearClassifier(
        columns,
        ["w:case"],
        idf=np.ones(1, dtype=np.float32),
        weights=np.zeros((1, len(columns)), dtype=np.float32),
        bias=np.array(bias, dtype=np.float32),
        calibration=_as_it_is(len(columns)),
    )
    return _write(folder, "constant", model)


def words_bundle(folder: Path) -> Path:
    """A bundle with the linear model on words of the default bundle, and nothing else of its models."""
    model = open_bundle().pooling().lexical
    if model is None:
        raise SystemExit("the default bundle has no model on words")
    return _write(folder, "words", model)


def without_redaction(folder: Path) -> dict[str, str]:
    """An environment in which Python processes hide nothing: for measuring what is not redaction, and nothing else."""
    folder.mkdir(exist_ok=True)
    (folder / "sitecustomize.py").write_text(_WITHOUT_REDACTION, encoding="utf-8")
    return {**one_thread(), "PYTHONPATH": os.pathsep.join([str(folder), str(ROOT)])}


def one_thread() -> dict[str, str]:
    """An environment with one thread of linear algebra, and with this source to import."""
    return {**os.environ, **dict.fromkeys(THREADS, "1"), "PYTHONPATH": str(ROOT)}


def _write(folder: Path, name: str, model: LinearClassifier) -> Path:
    shipped = open_bundle()
    unseen: Mapping[str, bytes] = {
        file: shipped.files[file] for file in ("held-out.npy", "reference.json") if file in shipped.files
    }
    identity = Identity(name, "1", shipped.manifest["date"], shipped.languages)
    policy = shipped.policy()
    codes = {code: vars(thresholds) for code, thresholds in policy.codes.items()}
    facts = {"auto_precision": policy.auto_precision, "codes": codes}
    write_draft(folder / name, model, shipped.codebook(), facts, identity, training=_TRAINING, unseen=unseen)
    return folder / name


def _as_it_is(columns: int) -> np.ndarray:
    return np.vstack([np.ones(columns), np.zeros(columns)])


def _logit(probability: float) -> float:
    return math.log(probability / (1 - probability))
