"""Floors of the shipped bundle on the tuning split: what a change must not break. The test split is not read here."""

from __future__ import annotations

import json

import pytest

from nlp.bundle import open_bundle
from training.corpus import read_cases
from training.evaluation import evaluate
from training.split import divided

pytestmark = pytest.mark.model

FLOORS = {"violation": 0.64, "perpetrator": 0.67, "population": 0.78}  # micro-F1
RECALL_FLOORS = {"kind:direct": 0.89, "kind:quasi": 0.88, "type:PERSON": 0.93, "type:PHONE": 0.64, "type:EMAIL": 0.98}


@pytest.fixture(scope="module")
def figures(root, config):
    bundle = open_bundle()
    cases = read_cases(root / "annotations" / "narratives", bundle.codebook())
    splits = divided(cases, config.split, root / config.splits if config.splits else None)
    tuning = [case for case in splits["tune"] if case.language in config.languages]
    return evaluate(bundle.pipeline(), tuning, seed=0)


def test_no_case_is_refused(figures):
    assert figures["refused"] == 0


@pytest.mark.parametrize("axis", FLOORS)
def test_coding_stays_above_its_floor(figures, axis):
    assert figures["axes"][axis]["micro_f1"] >= FLOORS[axis]


@pytest.mark.parametrize("key", RECALL_FLOORS)
def test_redaction_recall_stays_above_its_floor(figures, key):
    assert figures["redaction"]["recall"][key]["recall"] >= RECALL_FLOORS[key]


def test_redaction_does_not_hide_everything(figures):
    assert figures["redaction"]["precision_of_characters"] >= 0.80


def test_card_and_manifest_tell_the_figures():
    bundle = open_bundle()
    assert bundle.manifest["metrics"]["tune"]["axes"]
    card = bundle.files["card.md"].decode()
    assert all(f"| {code} |" in card for axis in bundle.codebook().axes for code in axis.codes)


def test_metrics_hold_no_text():
    said = json.dumps(open_bundle().manifest["metrics"])
    assert "text" not in said
