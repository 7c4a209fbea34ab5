"""Bundles: versioned folders with everything that prediction needs. Found, checked and loaded here; written by
``training``.

A bundle holds ``manifest.json`` and the files it lists, each with its SHA-256. Hashes are checked before any parser
opens a
file, and nothing in a bundle is pickled: JSON, YAML, Markdown and ``.npy`` arrays.
"""

from __future__ import annotations

import hashlib
import importlib.resources
import io
import json
import re
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from .classification import Classifier, Column, HeadsClassifier, LinearClassifier, Pooling, columns_of
from .codebook import Codebook, parse_codebook
from .decision import Policy
from .encoding import Encoder, WordPieces, onnx_network
from .errors import BundleCorrupt, BundleIncompatible, BundleNotFound, CodebookError, SettingsError
from .held_out import FILE as HELD_OUT
from .held_out import HeldOut
from .pipeline import Pipeline
from .reading import MAX_CHARACTERS
from .tags import Tagger, Tags

FORMAT = 1  # of the manifest; a change that older versions cannot read raises it
MAX_BYTES = 64_000_000  # of a whole bundle
MANIFEST = "manifest.json"
_FILE_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,80}")


@dataclass(frozen=True)
class Bundle:
    """A bundle whose files have been checked against its manifest, and their content."""

    path: Path
    manifest: Mapping[str, Any] = field(repr=False)
    files: Mapping[str, bytes] = field(repr=False)

    @property
    def name(self) -> str:
        """Name and version, such as ``react-0.1.0``."""
        return f"{self.manifest['name']}-{self.manifest['version']}"

    @property
    def digest(self) -> str:
        """SHA-256 of the manifest, and so of everything in the bundle."""
        return hashlib.sha256((self.path / MANIFEST).read_bytes()).hexdigest()

    @property
    def languages(self) -> tuple[str, ...]:
        return tuple(self.manifest["languages"])

    def codebook(self) -> Codebook:
        """The frozen copy of the codebook. Raises `BundleIncompatible` if this version cannot read it."""
        try:
            codebook = parse_codebook(self.files["codebook.yaml"].decode(), name="codebook.yaml")
        except KeyError:
            raise BundleIncompatible(self.name, "it has no codebook.yaml") from None
        except (CodebookError, UnicodeDecodeError) as error:
            raise BundleIncompatible(self.name, str(error)) from None
        if codebook.digest != self.manifest["codebook"].get("digest"):
            raise BundleCorrupt(self.name, "its codebook is not the one of its manifest")
        return codebook

    def pipeline(
        self, *, max_characters: int = MAX_CHARACTERS, threads: int | None = None, precision: float | None = None
    ) -> Pipeline:
        """Load the models. ``threads`` is how many cores one narrative may use, by default all; ``precision`` as
        `policy` has it. Raises a `BundleError` where they do not fit."""
        codebook = self.codebook()
        policy = self._policy(codebook, precision)
        columns = columns_of(codebook)
        if self.manifest["columns"] != [list(column) for column in columns]:
            raise BundleIncompatible(self.name, "its columns are not the codes of its codebook")
        encoder = tagger = None
        classifier: Classifier
        if self.manifest["kind"] == "linear":
            classifier = self._linear(columns)
        elif self.manifest["kind"] == "encoder":
            encoder = self.encoder(threads=threads)
            tagger, classifier = self.tagger(), self._heads(columns)
        else:
            raise BundleIncompatible(self.name, "it holds a kind of model that this version does not know")
        return Pipeline.assemble(
            self.name,
            codebook,
            classifier,
            policy,
            languages=self.languages,
            max_characters=max_characters,
            encoder=encoder,
            tagger=tagger,
        )

    def policy(self, precision: float | None = None) -> Policy:
        """The thresholds of every code, with the promised precision of ``auto`` or the bundle's own. Raises
        `SettingsError` where another one cannot be promised with this bundle."""
        return self._policy(self.codebook(), precision)

    def _policy(self, codebook: Codebook, precision: float | None) -> Policy:
        try:
            policy = Policy.from_json(self._json("policy.json"), codebook)
        except ValueError as error:
            raise BundleIncompatible(self.name, str(error)) from None
        if precision is None or precision == policy.auto_precision:
            return policy
        if not 0.5 <= precision <= 0.999:
            raise SettingsError("the precision that automatic codes promise is a share from 0.5 to 0.999, such as 0.9")
        held_out = self._held_out(columns_of(codebook))
        if held_out is None:
            raise SettingsError(
                f"bundle {self.name} promises {policy.auto_precision:g} for automatic codes and cannot promise another "
                f"precision, because it has no {HELD_OUT}: leave the precision out, or use a bundle that was fitted "
                "by this version of casecoder"
            )
        return policy.at_precision(held_out, precision)

    def held_out(self) -> HeldOut | None:
        """What the models say of cases that they have not seen; None in bundles before 0.6.0. Raises
        `BundleIncompatible`."""
        return self._held_out(columns_of(self.codebook()))

    def _held_out(self, columns: tuple[Column, ...]) -> HeldOut | None:
        if HELD_OUT not in self.files:
            return None
        try:
            return HeldOut.from_bytes(self.files[HELD_OUT], columns)
        except ValueError as error:
            raise BundleIncompatible(self.name, f"{HELD_OUT} {error}") from None

    def encoder(self, *, threads: int | None = None) -> Encoder:
        """The encoder of an ``encoder`` bundle. Raises `BundleIncompatible`."""
        facts = self._encoder_facts()
        try:
            pieces = WordPieces.from_json(self.files["tokenizer.json"])
            network = onnx_network(self.files["encoder.onnx"], threads=threads)
        except KeyError as error:
            raise BundleIncompatible(self.name, f"it has no {error.args[0]}") from None
        except ValueError as error:
            raise BundleIncompatible(self.name, str(error)) from None
        return Encoder(pieces, network, width=int(facts["width"]))

    def tagger(self) -> Tagger:
        """The token head of an ``encoder`` bundle. Raises `BundleIncompatible`."""
        facts = self._encoder_facts()
        tags = Tags(facts["tags"])
        arrays = self._floats({"tags": (int(facts["width"]) + 1, len(tags.names))})["tags"]
        return Tagger(
            tags,
            weights=arrays[:-1],
            bias=arrays[-1],
            thresholds=facts["tag_thresholds"],
            growth=facts.get("tag_growth"),
        )

    def pooling(self) -> Pooling:
        """How the encoder's states become features. Raises `BundleIncompatible`."""
        facts = self._encoder_facts()
        columns = tuple(Column(axis, code) for axis, code in facts["columns"])
        axes = tuple(dict.fromkeys(column.axis for column in columns))
        width = int(facts["width"])
        shapes = {
            "salience": (width + 1, len(axes)),
            "evidence": (width + 1, len(columns)),
            "opinion": (2 * width + 2, len(columns)),
        }
        return Pooling(axes, columns, **self._floats(shapes), lexical=self._lexical(columns))

    def _lexical(self, columns: tuple[Column, ...]) -> LinearClassifier | None:
        """The linear model on words beside the encoder; bundles before 0.4.0 have none."""
        if "words.json" not in self.files:
            return None
        vocabulary = self._vocabulary("words.json")
        n = len(vocabulary)
        arrays = self._floats({"words-idf": (n,), "words-weights": (n, len(columns)), "words-bias": (len(columns),)})
        idf, weights, bias = (array.astype(np.float32) for array in arrays.values())
        calibration = np.vstack([np.ones(len(columns)), np.zeros(len(columns))])
        return LinearClassifier(columns, vocabulary, idf=idf, weights=weights, bias=bias, calibration=calibration)

    def _encoder_facts(self) -> Mapping[str, Any]:
        """What the manifest says of the encoder, checked."""
        facts = self.manifest.get("encoder")
        wanted: dict[str, type] = {"width": int, "tags": list, "tag_thresholds": dict, "columns": list}
        if not isinstance(facts, dict) or not all(isinstance(facts.get(key), kind) for key, kind in wanted.items()):
            raise BundleIncompatible(self.name, "manifest.json does not say what its encoder is")
        if set(facts["tags"]) != set(facts["tag_thresholds"]):
            raise BundleIncompatible(self.name, "manifest.json has no threshold for some identifier type")
        return facts

    def heads(self) -> HeadsClassifier:
        """The heads of an ``encoder`` bundle. Raises `BundleIncompatible`."""
        return self._heads(columns_of(self.codebook()))

    def _heads(self, columns: tuple[Column, ...]) -> HeadsClassifier:
        pooling = self.pooling()
        if unknown := sorted({column.axis for column in columns} - set(pooling.axes)):
            raise BundleIncompatible(self.name, f"its encoder knows no axis {unknown[0]}")
        rows = pooling.n_features + 1
        shapes = {"weights": (rows, len(columns)), "primary": (rows, len(columns)), "calibration": (2, len(columns))}
        return HeadsClassifier(columns, pooling, **self._floats(shapes))

    def _linear(self, columns: tuple[Column, ...]) -> LinearClassifier:
        vocabulary = self._vocabulary("vocabulary.json")
        shapes = {
            "idf": (len(vocabulary),),
            "weights": (len(vocabulary), len(columns)),
            "bias": (len(columns),),
            "calibration": (2, len(columns)),
        }
        return LinearClassifier(columns, vocabulary, **self._floats(shapes))

    def _vocabulary(self, name: str) -> list[str]:
        vocabulary = self._json(name)
        if not isinstance(vocabulary, list) or not all(isinstance(feature, str) for feature in vocabulary):
            raise BundleIncompatible(self.name, f"{name} is no list of texts")
        return vocabulary

    def _floats(self, shapes: Mapping[str, tuple[int, ...]]) -> dict[str, np.ndarray]:
        """Arrays of the bundle by name, each of the shape that it must have."""
        arrays = {name: self._array(f"{name}.npy") for name in shapes}
        for name, shape in shapes.items():
            if arrays[name].dtype.kind != "f":
                raise BundleIncompatible(self.name, f"{name}.npy holds no floating-point numbers")
            if arrays[name].shape != shape:
                raise BundleIncompatible(self.name, f"{name}.npy has the shape {arrays[name].shape}, not {shape}")
            if not np.isfinite(arrays[name]).all():
                raise BundleIncompatible(self.name, f"{name}.npy holds numbers that are none")
        return arrays

    def _json(self, name: str) -> Any:
        try:
            return json.loads(self.files[name])
        except (KeyError, ValueError):
            raise BundleIncompatible(self.name, f"{name} is missing or no JSON") from None

    def _array(self, name: str) -> np.ndarray:
        try:
            return np.asarray(np.load(io.BytesIO(self.files[name]), allow_pickle=False))
        except (KeyError, ValueError, EOFError, zipfile.BadZipFile):
            raise BundleIncompatible(self.name, f"{name} is missing or no plain array") from None


def open_bundle(reference: str | Path | None = None) -> Bundle:
    """Find a bundle and check every file of it.

    ``reference`` is a folder, the name of a shipped bundle, or None for the default one. Raises `BundleNotFound`,
    `BundleCorrupt` or `BundleIncompatible`.
    """
    path = find_bundle(reference)
    manifest_bytes = _read(path / MANIFEST, path.name)
    manifest = _parse_manifest(manifest_bytes, path.name)
    listed = shipped_bundles().get(path.name)
    if listed and path.parent == shipped_folder() and hashlib.sha256(manifest_bytes).hexdigest() != listed:
        raise BundleCorrupt(path.name, "manifest.json is not the one that was shipped")
    present = {item.name for item in path.iterdir()} - {MANIFEST}
    if stray := sorted(present - set(manifest["files"])):
        raise BundleCorrupt(path.name, f"{len(stray)} file(s) that the manifest does not list, {stray[0]} among them")
    files: dict[str, bytes] = {}
    for name, facts in manifest["files"].items():
        if name not in present:
            raise BundleCorrupt(path.name, f"{name} is missing")
        content = _read(path / name, path.name)
        if hashlib.sha256(content).hexdigest() != facts["sha256"]:
            raise BundleCorrupt(path.name, f"{name} is not the file that the manifest describes")
        files[name] = content
        if sum(map(len, files.values())) > MAX_BYTES:
            raise BundleCorrupt(path.name, f"it has more than {MAX_BYTES:,} bytes")
    return Bundle(path, manifest, files)


def find_bundle(reference: str | Path | None = None) -> Path:
    """The folder of a bundle. Raises `BundleNotFound`."""
    if reference is None:
        default = _index().get("default")
        if not default:
            raise BundleNotFound(shipped_folder())
        path = shipped_folder() / default
    else:
        path = Path(reference)
        if not path.exists() and str(reference) in shipped_bundles():
            path = shipped_folder() / str(reference)
    if not (path / MANIFEST).is_file():
        raise BundleNotFound(path)
    return Path(path).resolve()


def shipped_folder() -> Path:
    """Where the bundles lie that come with casecoder."""
    return Path(str(importlib.resources.files("models"))).resolve()


def shipped_bundles() -> dict[str, str]:
    """Name of each shipped bundle and the SHA-256 of its manifest."""
    return dict(_index().get("bundles", {}))


def default_bundle() -> str | None:
    """Name of the bundle that is used when none is asked for."""
    default = _index().get("default")
    return str(default) if default else None


def _index() -> dict[str, Any]:
    try:
        index = json.loads((shipped_folder() / "index.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return index if isinstance(index, dict) else {}


def _read(path: Path, name: str) -> bytes:
    try:
        if path.stat().st_size > MAX_BYTES:
            raise BundleCorrupt(name, f"{path.name} is larger than a bundle may be")
        return path.read_bytes()
    except OSError as error:
        raise BundleCorrupt(name, f"{path.name} cannot be read ({type(error).__name__})") from None


def _parse_manifest(content: bytes, name: str) -> dict[str, Any]:
    """The manifest with all it must have. Raises `BundleCorrupt` or `BundleIncompatible`."""
    try:
        manifest = json.loads(content)
    except ValueError:
        raise BundleCorrupt(name, "manifest.json is no JSON") from None
    if not isinstance(manifest, dict) or "format" not in manifest:
        raise BundleIncompatible(name, "manifest.json is not one of casecoder")
    if manifest["format"] != FORMAT:
        raise BundleIncompatible(name, f"its format is {manifest['format']}, this version reads {FORMAT}")
    wanted: dict[str, type] = {
        "name": str, "version": str, "kind": str, "languages": list, "columns": list, "codebook": dict, "files": dict
    }  # fmt: skip
    for key, kind in wanted.items():
        if not isinstance(manifest.get(key), kind):
            raise BundleIncompatible(name, f"manifest.json lacks {key}")
    languages = manifest["languages"]
    if not languages or not all(isinstance(language, str) for language in languages):
        raise BundleIncompatible(name, "manifest.json names no languages")
    for file_name, facts in manifest["files"].items():
        if not _FILE_NAME.fullmatch(file_name) or not isinstance(facts, dict) or "sha256" not in facts:
            raise BundleCorrupt(name, "manifest.json lists a file that it must not")
    return manifest


def load_pipeline(
    reference: str | Path | None = None,
    *,
    max_characters: int = MAX_CHARACTERS,
    threads: int | None = None,
    precision: float | None = None,
) -> Pipeline:
    """Find, check and load a bundle; see `Bundle.pipeline`. Raises a `BundleError`."""
    return open_bundle(reference).pipeline(max_characters=max_characters, threads=threads, precision=precision)


__all__ = [
    "FORMAT",
    "MANIFEST",
    "MAX_BYTES",
    "Bundle",
    "default_bundle",
    "find_bundle",
    "load_pipeline",
    "open_bundle",
    "shipped_bundles",
    "shipped_folder",
]
