"""What takes longer than a change should wait for: `make test-slow`."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from nlp.bundle import open_bundle
from training.cli import app

pytestmark = pytest.mark.slow


def _train(root: Path, folder: Path) -> Path:
    """Run every step of the default training into a folder of its own."""
    for step in (
        ["prepare"],
        ["fit"],
        ["evaluate", "--split", "tune"],
        ["package", "--models", str(folder / "models")],
    ):
        options = (
            ["--config", str(root / "training" / "configs" / "linear.toml")] if step[0] in ("prepare", "fit") else []
        )
        done = CliRunner().invoke(app, [*step, *options, "--run", str(folder / "run")])
        assert done.exit_code == 0, done.output
    return folder / "models" / open_bundle().name


def test_training_twice_gives_the_same_bundle(root, tmp_path, monkeypatch):
    monkeypatch.chdir(root)
    first, second = (open_bundle(_train(root, tmp_path / name)) for name in ("first", "second"))
    assert first.manifest == second.manifest
    assert first.files == second.files


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
