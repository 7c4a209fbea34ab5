"""Write bundles: a draft while training, the finished one with its figures and card into ``models/``."""

from __future__ import annotations

import hashlib
import io
import json
import platform
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np

from nlp import __version__
from nlp.bundle import FORMAT, MANIFEST, MAX_BYTES, Bundle, open_bundle
from nlp.classification import Column, HeadsClassifier, LinearClassifier
from nlp.codebook import Codebook
from nlp.errors import BundleIncompatible, CorpusError, OutputError

from .card import card
from .config import Config
from .corpus import Case, id_digest

_LIBRARIES = (
    "numpy",
    "scipy",
    "scikit-learn",
    "spacy",
    "phonenumbers",
    "python-stdnum",
    "pymorphy3",
    "onnxruntime",
    "tokenizers",
)
LOG = "finetune.jsonl"
SEEN = "seen.json"
"""Digests of the ids of the cases that the encoder was fine-tuned on: what it may not be judged by."""
ENCODER_FILES = (
    "encoder.onnx", "tokenizer.json", "tags.npy", "salience.npy", "evidence.npy", "opinion.npy", LOG, "vocabulary.json",
    SEEN,
)  # fmt: skip
"""What of a bundle belongs to its encoder; heads are fitted beside it."""
WORD_FILES = ("words.json", "words-idf.npy", "words-weights.npy", "words-bias.npy")
"""The linear model on words that an encoder has beside it, from bundles of 0.4.0 on."""
_NOTHING: Mapping[str, bytes] = {}


@dataclass(frozen=True)
class Identity:
    """What a bundle is called, and the languages it serves."""

    name: str
    version: str
    date: str
    languages: tuple[str, ...]

    @classmethod
    def of(cls, config: Config) -> Identity:
        return cls(config.name, config.version, config.date, config.languages)


def write_draft(
    folder: Path,
    model: LinearClassifier,
    codebook: Codebook,
    policy: Mapping[str, Any],
    identity: Identity,
    *,
    training: Mapping[str, Any],
    unseen: Mapping[str, bytes] = _NOTHING,
) -> None:
    """Write a linear bundle that loads and predicts, without figures yet. ``unseen`` are files on cases that it has not
    seen, see `training.unseen`."""
    arrays = {"idf": model.idf, "weights": model.weights, "bias": model.bias, "calibration": model.calibration}
    files = {
        **unseen,
        "codebook.yaml": codebook.source.encode(),
        "policy.json": _json(policy),
        "vocabulary.json": _json(list(model.vocabulary)),
        **{f"{name}.npy": array_bytes(array) for name, array in arrays.items()},
    }
    _write(folder, _manifest("linear", model.columns, codebook, identity, training), files)


def write_encoder_draft(
    folder: Path,
    model: HeadsClassifier,
    codebook: Codebook,
    policy: Mapping[str, Any],
    identity: Identity,
    *,
    encoder_files: Mapping[str, bytes],
    encoder_facts: Mapping[str, Any],
    training: Mapping[str, Any],
    unseen: Mapping[str, bytes] = _NOTHING,
) -> None:
    """Write a bundle with an encoder that loads and predicts, without figures yet.

    ``encoder_files`` are those that stay the same whatever heads are fitted (`ENCODER_FILES`); ``unseen`` are files on
    cases that the heads have not seen, see `training.unseen`.
    """
    arrays = {"weights": model.weights, "primary": model.primary, "calibration": model.calibration}
    files = {
        **encoder_files,
        **unseen,
        "codebook.yaml": codebook.source.encode(),
        "policy.json": _json(policy),
        **{f"{name}.npy": array_bytes(array.astype(np.float32)) for name, array in arrays.items()},
    }
    manifest = _manifest("encoder", model.columns, codebook, identity, training)
    _write(folder, {**manifest, "encoder": dict(encoder_facts)}, files)


def _manifest(
    kind: str, columns: Sequence[Column], codebook: Codebook, identity: Identity, training: Mapping[str, Any]
) -> dict[str, Any]:
    return {
        "format": FORMAT,
        "name": identity.name,
        "version": identity.version,
        "date": identity.date,
        "kind": kind,
        "casecoder": __version__,
        "languages": list(identity.languages),
        "codebook": {"name": codebook.name, "version": codebook.version, "digest": codebook.digest},
        "columns": [[column.axis, column.code] for column in columns],
        "training": dict(training),
        "libraries": {"python": platform.python_version(), **{name: version(name) for name in _LIBRARIES}},
        "metrics": {},
    }


def package(draft: Path, models: Path, metrics: Mapping[str, Any], *, default: bool = True) -> Path:
    """Finish a draft: figures into the manifest, a card for people, and the bundle into ``models`` under its name
    and version.

    Other bundles stay; one of the same name and version is replaced. Raises `OutputError` if the bundle is larger than
    one may be, and `BundleIncompatible` if the figures were measured on another draft.
    """
    bundle = open_bundle(draft)
    for split, figures in metrics.items():
        if figures["bundle_digest"] != bundle.digest:
            raise BundleIncompatible(bundle.name, f"the figures on {split} are of another one: evaluate this one again")
    manifest = {**bundle.manifest, "metrics": dict(metrics)}
    files = {**bundle.files, "card.md": card(bundle, metrics).encode()}
    if (size := sum(map(len, files.values()))) > MAX_BYTES:
        raise OutputError(f"the bundle has {size:,} bytes, the limit is {MAX_BYTES:,}: keep fewer features")
    models.mkdir(parents=True, exist_ok=True)
    target = models / bundle.name
    _write(target, manifest, files)
    _write_index(models, bundle, default=default)
    return target


def require_unseen(files: Mapping[str, bytes], cases: Sequence[Case], *, source: str) -> None:
    """Raise `CorpusError` if the encoder among these files of a bundle was fine-tuned on some of the cases: it must not
    be judged by them."""
    seen = frozenset(json.loads(files[SEEN])) if SEEN in files else frozenset()
    if count := sum(id_digest(case.case_id) in seen for case in cases):
        raise CorpusError(
            f"{count} of its cases are among those that the encoder was fine-tuned on: divide again as then, or "
            "fine-tune anew",
            source=source,
            line=0,
        )


def _write_index(models: Path, bundle: Bundle, *, default: bool) -> None:
    """List every bundle of the folder with the SHA-256 of its manifest."""
    path = models / "index.json"
    index = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
    listed = {
        folder.name: hashlib.sha256((folder / MANIFEST).read_bytes()).hexdigest()
        for folder in sorted(models.iterdir())
        if (folder / MANIFEST).is_file()
    }
    chosen = bundle.name if default or index.get("default") not in listed else index["default"]
    path.write_bytes(_json({"default": chosen, "bundles": listed}))


def _write(folder: Path, manifest: Mapping[str, Any], files: Mapping[str, bytes]) -> None:
    """Write a bundle beside its place, then rename."""
    listed = {
        name: {"sha256": hashlib.sha256(content).hexdigest(), "bytes": len(content)}
        for name, content in sorted(files.items())
    }
    aside = folder.with_name(folder.name + ".part")
    shutil.rmtree(aside, ignore_errors=True)
    aside.mkdir(parents=True)
    for name, content in files.items():
        (aside / name).write_bytes(content)
    (aside / MANIFEST).write_bytes(_json({**manifest, "files": listed}))
    shutil.rmtree(folder, ignore_errors=True)
    aside.rename(folder)


def _json(value: Any) -> bytes:
    return (json.dumps(value, ensure_ascii=False, indent=1) + "\n").encode()


def array_bytes(array: np.ndarray) -> bytes:
    stream = io.BytesIO()
    np.save(stream, array, allow_pickle=False)
    return stream.getvalue()
