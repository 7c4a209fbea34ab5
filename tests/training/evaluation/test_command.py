"""`casecoder-train evaluate`, from narratives to files."""

from __future__ import annotations

import json
import sys

import pytest
from typer.testing import CliRunner

from training.cli import app
from training.corpus import Case, write_cases


@pytest.fixture
def run(tiny_bundle, tmp_path, root, monkeypatch):
    """Evaluates the tiny bundle on two narratives."""
    monkeypatch.chdir(root)
    codes = {"violation": frozenset({"health.denial"}), "perpetrator": frozenset({"health"}), "population": frozenset()}
    texts = ["The doctor refused to see her. She went home.", "They told her to wait. The doctor refused again."]
    cases = [
        Case(f"en-mara-{at}", "en", text, codes, primary={"violation": "health.denial", "population": None})
        for at, text in enumerate(texts)
    ]
    write_cases(tmp_path / "cases.jsonl", cases)

    def evaluate(*options):
        fixed = ["--data", str(tmp_path / "cases.jsonl"), "--bundle", str(tiny_bundle), "-o", str(tmp_path / "f.json")]
        return CliRunner().invoke(app, ["evaluate", *fixed, *options])

    return evaluate


def test_figures_and_page_are_written_side_by_side(run, tmp_path):
    done = run()
    assert done.exit_code == 0, done.output
    figures = json.loads((tmp_path / "f.json").read_text(encoding="utf-8"))
    assert figures["axes"]["violation"]["micro_f1"] == 1.0
    assert figures["axes"]["violation"]["slices"]["voice"] is None  # who of them was heard in training is not known
    assert figures["evidence"]["deletion"]["cases"] == 2
    assert (tmp_path / "f.html").read_text(encoding="utf-8").startswith("<!DOCTYPE html>")


def test_without_page_and_deletion_test(run, tmp_path):
    assert run("--no-report", "--sample", "0").exit_code == 0
    assert not (tmp_path / "f.html").exists()
    assert json.loads((tmp_path / "f.json").read_text(encoding="utf-8"))["evidence"]["deletion"] is None


@pytest.mark.parametrize(("options", "code"), [([], 0), (["--report"], 2)])
def test_missing_library_is_a_sentence_naming_the_extra(options, code, run, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "training.evaluation.report", None)
    done = run(*options)
    assert done.exit_code == code
    assert "[fit]" in done.output
    assert not (tmp_path / "f.html").exists()


def test_kept_predictions_are_a_baseline(run, tmp_path):
    assert run("--no-report", "--predictions", str(tmp_path / "old.json")).exit_code == 0
    done = run("--baseline", str(tmp_path / "old.json"))
    assert done.exit_code == 0, done.output
    figures = json.loads((tmp_path / "f.json").read_text(encoding="utf-8"))
    assert figures["compared"][0]["axes"]["violation"]["micro_f1"]["difference"] == 0
    beside = sorted(tmp_path.glob("f-*.json"))
    assert json.loads(beside[0].read_text(encoding="utf-8"))["axes"] == figures["axes"]
    assert "Against baselines" in (tmp_path / "f.html").read_text(encoding="utf-8")


def test_baseline_of_other_cases_is_refused(run, tmp_path):
    assert run("--no-report", "--predictions", str(tmp_path / "old.json")).exit_code == 0
    facts = json.loads((tmp_path / "old.json").read_text(encoding="utf-8"))
    (tmp_path / "old.json").write_text(json.dumps({**facts, "case_ids": ["a", "b"]}), encoding="utf-8")
    assert run("--baseline", str(tmp_path / "old.json")).exit_code == 2
