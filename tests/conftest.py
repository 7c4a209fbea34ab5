"""Values that many tests build on. All people, numbers and places in the tests are invented."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from nlp.classification import ConstantClassifier, LinearClassifier, columns_of
from nlp.codebook import Codebook, load_codebook
from nlp.decision import Policy, Thresholds
from nlp.pipeline import Pipeline
from training.config import Config, load_config
from training.package import Identity, write_draft

ROOT = Path(__file__).parent.parent


@pytest.fixture(autouse=True)
def _test_client_is_local(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without access keys the service answers to this machine's names alone; the test client has one of its own."""
    import service.access

    pattern = service.access.LOCAL_HOST.pattern
    monkeypatch.setattr("service.access.LOCAL_HOST", re.compile(pattern + rb"|testserver", re.IGNORECASE))


@pytest.fixture(scope="session")
def root() -> Path:
    return ROOT


@pytest.fixture(scope="session")
def codebook() -> Codebook:
    return load_codebook(ROOT / "annotations" / "codebook.yaml")


@pytest.fixture(scope="session")
def config() -> Config:
    return load_config(ROOT / "training" / "configs" / "linear.toml")


@pytest.fixture
def constant_pipeline(codebook: Codebook) -> Pipeline:
    """A pipeline that always suggests the same codes, for tests of what surrounds the models."""
    return _constant(codebook)


@pytest.fixture(scope="module")
def constant_pipeline_of_module(codebook: Codebook) -> Pipeline:
    """The same for all tests of a module."""
    return _constant(codebook)


def _constant(codebook: Codebook) -> Pipeline:
    said = {"health.denial": 0.9, "violence.psychological": 0.7, "health": 0.8, "plhiv": 0.97, "civic.hate": 0.3}
    codes = {code: Thresholds(0.25, 0.5, 0.95) for axis in codebook.axes for code in axis.codes}
    return Pipeline.assemble(
        "constant-1",
        codebook,
        ConstantClassifier(codebook, said),
        Policy(codes, 0.95),
        languages=("en", "ru"),
        max_characters=50_000,
    )


@pytest.fixture(scope="session")
def make_bundle() -> Callable[..., Path]:
    """Writes a real bundle of a few features: it says a code where somebody "refused"."""

    def make(
        folder: Path, codebook: Codebook, identity: Identity, *, code: str = "health.denial", suggest: float = 0.4
    ) -> Path:
        columns = columns_of(codebook)
        vocabulary = ["w:doctor", "w:refused", "w:отказал", "c:efu"]
        weights = np.zeros((len(vocabulary), len(columns)), dtype=np.float32)
        named = {column.code: at for at, column in enumerate(columns)}
        weights[1:3, named[code]] = 6.0
        weights[0, named["health"]] = 6.0
        model = LinearClassifier(
            columns,
            vocabulary,
            idf=np.ones(len(vocabulary), dtype=np.float32),
            weights=weights,
            bias=np.full(len(columns), -3.0, dtype=np.float32),
            calibration=np.vstack([np.ones(len(columns)), np.zeros(len(columns))]),
        )
        thresholds = {"review": 0.2, "suggest": suggest, "auto": None}
        policy = {"auto_precision": 0.95, "codes": {code: thresholds for axis in codebook.axes for code in axis.codes}}
        training = {"seed": 1, "cases": 1, "sources": {"invented": 1}, "data_hash": "0" * 64, "min_persons": 10}
        write_draft(folder, model, codebook, policy, identity, training=training)
        return folder

    return make


@pytest.fixture(scope="session")
def tiny_bundle(
    tmp_path_factory: pytest.TempPathFactory, codebook: Codebook, config: Config, make_bundle: Callable[..., Path]
) -> Path:
    """A real bundle of a few features: it says health.denial where somebody "refused"."""
    return make_bundle(tmp_path_factory.mktemp("bundles") / "tiny-1", codebook, config)


@pytest.fixture
def bundle_copy(tiny_bundle: Path, tmp_path: Path) -> Path:
    """A bundle that a test may damage."""
    return Path(shutil.copytree(tiny_bundle, tmp_path / "bundle"))


@pytest.fixture
def use_tiny_bundle(tiny_bundle: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("CASECODER_BUNDLE", str(tiny_bundle))
    return tiny_bundle


def read_jsonl(path: Path) -> list[dict[str, object]]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
