"""Floors of the shipped bundle on the tuning split: what a change must not break. The test split is not read here."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest

from nlp import Narrative
from nlp.bundle import open_bundle
from training.config import load_config
from training.corpus import read_cases
from training.evaluation import evaluate
from training.refill import Refiller
from training.split import divided

pytestmark = pytest.mark.model

FLOORS = {"violation": 0.73, "perpetrator": 0.79, "population": 0.87}  # micro-F1
RECALL_FLOORS = {"kind:direct": 0.955, "kind:quasi": 0.92, "type:PERSON": 0.96, "type:PHONE": 0.98, "type:EMAIL": 0.98}
SWAPPED = 60  # narratives whose names are swapped


@pytest.fixture(scope="module")
def bundle():
    return open_bundle()


@pytest.fixture(scope="module")
def pipeline(bundle):
    return bundle.pipeline(threads=1)


@pytest.fixture(scope="module")
def tuning(root, bundle):
    config = load_config(root / "training" / "configs" / "encoder.toml")
    cases = read_cases(root / "annotations" / "narratives", bundle.codebook())
    splits = divided(cases, config.split, root / config.splits if config.splits else None)
    return [case for case in splits["tune"] if case.language in bundle.languages][::2]  # half of it: minutes count


@pytest.fixture(scope="module")
def figures(pipeline, tuning):
    return evaluate(pipeline, tuning, seed=0, sample=0)


def test_no_case_is_refused(figures):
    assert figures["refused"] == 0


@pytest.mark.parametrize("axis", FLOORS)
def test_coding_stays_above_its_floor(figures, axis):
    assert figures["axes"][axis]["micro_f1"] >= FLOORS[axis]


@pytest.mark.parametrize("key", RECALL_FLOORS)
def test_redaction_recall_stays_above_its_floor(figures, key):
    assert figures["redaction"]["recall"][key]["recall"] >= RECALL_FLOORS[key]


def test_redaction_does_not_hide_everything(figures):
    assert figures["redaction"]["precision_of_characters"] >= 0.83


def test_evidence_is_where_people_marked_it(figures):
    assert figures["evidence"]["tokens"]["f1"] >= 0.5


def test_swapping_names_and_places_changes_at_most_one_decision_in_a_hundred(pipeline, tuning):
    """A decision is whether a code is suggested."""
    refiller = Refiller(seed=7)
    changed = decisions = suggested = 0
    for case in tuning[:: len(tuning) // SWAPPED]:
        named = tuple(entity for entity in case.entities or () if entity.type in ("PERSON", "LOCATION"))
        swapped = refiller.refill(replace(case, entities=named), 1)
        before, after = (pipeline.analyze_one(item.narrative()) for item in (case, replace(swapped, case_id="x")))
        said = [{item.code for item in analysis.suggestions if item.suggested} for analysis in (before, after)]
        changed += len(said[0] ^ said[1])
        decisions += len(before.suggestions)
        suggested += len(said[0] | said[1])
    assert changed <= 0.01 * decisions
    assert changed <= 0.15 * suggested  # most codes are far from any case: among those that are near, more change


def test_a_long_text_is_read_to_its_end(pipeline):
    """What stands behind the first window of tokens counts as what stands in it."""
    filler = "The office was open and the weather was fine on that day. " * 120
    act = "The doctor refused to treat the woman because she has HIV and sent her away. "
    probability = {}
    for name, text in {"front": act + filler, "end": filler + act, "none": filler}.items():
        analysis = pipeline.analyze_one(Narrative(text, language="en"))
        probability[name] = {item.code: item.probability for item in analysis.suggestions}["health.denial"]
    assert probability["end"] > probability["none"]
    assert probability["front"] > probability["none"]


def test_one_core_or_all_of_them_say_the_same(bundle, pipeline, tuning):
    many = bundle.pipeline()
    for case in tuning[:5]:
        said = [each.analyze_one(case.narrative()).to_json(all_codes=True) for each in (pipeline, many)]
        assert said[0] == said[1]


def test_eight_bits_cost_at_most_half_a_point(bundle):
    parity = bundle.manifest["metrics"]["parity"]["micro_f1"]
    assert all(row["float"] - row["small"] <= 0.005 for row in parity.values())


def test_unknown_word_pieces_are_as_rare_as_before_pruning(bundle):
    coverage = json.loads(bundle.files["vocabulary.json"])
    for language, before in coverage["before"].items():
        assert coverage["after"][language]["unknown_rate"] <= before["unknown_rate"] + 0.001


def test_every_language_of_the_bundle_is_read(bundle):
    pieces = bundle.encoder().pieces
    for text in (
        "ўқитувчи ҳақида",
        "gʻazab oʻgʻil",
        "մարդու իրավունք",
        "ადამიანის უფლება",
        "ҷӣ ӯ қ ғ ҳ",
        "ђак њуњ џеп",
    ):
        tokens = pieces.cut(text)
        assert pieces.unknown not in set(np.asarray(tokens.ids).tolist()), text


def test_card_and_manifest_tell_the_figures(bundle):
    assert bundle.manifest["metrics"]["tune"]["axes"]
    card = bundle.files["card.md"].decode()
    assert all(f"| {code} |" in card for axis in bundle.codebook().axes for code in axis.codes)


def _strings(value):
    """Every key and every string in a JSON value."""
    if isinstance(value, dict):
        for key, item in value.items():
            yield key
            yield from _strings(item)
    elif isinstance(value, list):
        for item in value:
            yield from _strings(item)
    elif isinstance(value, str):
        yield value


def test_metrics_hold_no_text(bundle):
    assert not [words for words in _strings(bundle.manifest["metrics"]) if words == "text" or len(words) > 64]
