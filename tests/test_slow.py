"""What takes longer than a change should wait for: `make test-slow`."""

from __future__ import annotations

import io
import json
import subprocess
import sys

import numpy as np
import pytest
from typer.testing import CliRunner

from nlp.bundle import open_bundle
from training.cli import app

pytestmark = pytest.mark.slow

CORRECTED_AFTER = ("react-0.6.0",)
"""Bundles after whose training leading codes of narratives were corrected (seven); codes themselves were not."""


def test_fitting_anew_gives_the_shipped_heads(root, tmp_path, monkeypatch):
    """All of training but the fine-tuning itself, which takes hours: from the narratives and the shipped encoder."""
    monkeypatch.chdir(root)
    shipped, run = open_bundle(), tmp_path / "run"
    config = f"training/configs/{shipped.manifest['training']['config']}"
    for step in (["prepare"], ["fit", "--encoder-of", shipped.name]):
        done = CliRunner().invoke(app, [*step, "--config", config, "--run", str(run)])
        assert done.exit_code == 0, done.output
    trained = open_bundle(run / "bundle")
    is_as_then = shipped.name not in CORRECTED_AFTER
    assert _training(trained, is_as_then) == _training(shipped, is_as_then)
    assert trained.manifest["encoder"] == shipped.manifest["encoder"]
    assert trained.files["policy.json"] == shipped.files["policy.json"]
    for name in ("weights.npy", "calibration.npy", *(["primary.npy"] if is_as_then else [])):
        arrays = [np.load(io.BytesIO(bundle.files[name])) for bundle in (trained, shipped)]
        assert np.allclose(*arrays, atol=1e-4), name


def _training(bundle, is_as_then):
    return {name: fact for name, fact in bundle.manifest["training"].items() if is_as_then or name != "data_hash"}


PROGRAM = """
import resource, sys
from pathlib import Path
from nlp.bulk.run import run_bulk
from nlp.bundle import load_pipeline
run_bulk(load_pipeline(), Path(sys.argv[1]), Path(sys.argv[2]))
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
"""


@pytest.mark.parametrize("ending", ["csv", "jsonl", "parquet"])
def test_memory_does_not_grow_with_rows(ending, root, tmp_path):
    peaks = []
    for rows in (2_000, 20_000):
        source = tmp_path / f"{rows}.jsonl"
        with source.open("w", encoding="utf-8") as stream:
            for number in range(rows):
                text = f"Case {number}: doctor {number % 97} refused the client word{number} at the clinic."
                stream.write(json.dumps({"id": number, "text": text}) + "\n")
        done = subprocess.run(
            [sys.executable, "-c", PROGRAM, str(source), str(tmp_path / f"{rows}-out.{ending}")],
            cwd=root, capture_output=True, text=True, check=True,
        )  # fmt: skip
        peaks.append(int(done.stdout))
    assert peaks[1] < 1.10 * peaks[0]
