"""What a bundle says of cases that its models have not seen, and another precision promised by it."""

from __future__ import annotations

import hashlib
import io
import json

import numpy as np
import pytest

from nlp.bulk.report.profile import FILE as REFERENCE
from nlp.bulk.report.profile import known_words, reference_of
from nlp.bundle import load_pipeline, open_bundle
from nlp.classification import columns_of
from nlp.decision import Policy, Thresholds
from nlp.errors import BundleIncompatible, SettingsError
from nlp.held_out import FILE, HeldOut
from nlp.thresholds import auto_thresholds


@pytest.fixture
def held_out(codebook):
    """400 cases: of health.denial the higher the probability, the more are right; of all else none is coded."""
    columns = columns_of(codebook)
    draws = np.random.default_rng(5)
    probabilities = draws.random((400, len(columns)))
    targets = np.full((400, len(columns)), np.nan)
    at = [column.code for column in columns].index("health.denial")
    targets[:, at] = draws.random(400) < np.minimum(1, 1.2 * probabilities[:, at])
    return HeldOut(columns, probabilities, targets)


def put(bundle, name, content):
    """Add a file to a bundle, and to its manifest."""
    (bundle / name).write_bytes(content)
    manifest = json.loads((bundle / "manifest.json").read_text(encoding="utf-8"))
    manifest["files"][name] = {"sha256": hashlib.sha256(content).hexdigest(), "bytes": len(content)}
    (bundle / "manifest.json").write_text(json.dumps(manifest), encoding="utf-8")
    return bundle


def test_what_is_stored_comes_back(bundle_copy, held_out):
    found = open_bundle(put(bundle_copy, FILE, held_out.to_bytes())).held_out()
    assert found.columns == held_out.columns
    np.testing.assert_allclose(found.probabilities, held_out.probabilities, atol=1e-6)
    np.testing.assert_array_equal(found.targets, held_out.targets)
    assert len(found.of("health.denial")[0]) == 400
    assert len(found.of("plhiv")[0]) == 0


def test_an_older_bundle_has_none_and_loads(bundle_copy):
    bundle = open_bundle(bundle_copy)
    assert bundle.held_out() is None
    assert reference_of(bundle, bundle.codebook()) is None
    assert bundle.pipeline()


def broken(change):
    def make(held_out):
        array = np.stack([held_out.probabilities, held_out.targets]).astype(np.float32)
        stream = io.BytesIO()
        np.save(stream, change(array))
        return stream.getvalue()

    return make


@pytest.mark.parametrize(
    "content",
    [
        lambda held_out: b"no array",
        lambda held_out: b"",
        broken(lambda array: array[:1]),
        broken(lambda array: array[..., 1:]),
        broken(lambda array: np.nan_to_num(array).astype(np.int64)),
        broken(lambda array: array + 1),
        broken(lambda array: np.where(np.isnan(array), 0.5, array)),
    ],
)
def test_a_file_that_is_something_else_is_refused(bundle_copy, held_out, content):
    bundle = open_bundle(put(bundle_copy, FILE, content(held_out)))
    with pytest.raises(BundleIncompatible, match=FILE):
        bundle.held_out()


@pytest.mark.parametrize("content", [b"{", b"[]", b'{"format": 1}', b"\xff"])
def test_a_description_that_is_something_else_is_refused(bundle_copy, content):
    bundle = open_bundle(put(bundle_copy, REFERENCE, content))
    with pytest.raises(BundleIncompatible, match=REFERENCE):
        reference_of(bundle, bundle.codebook())


def test_the_words_that_a_linear_bundle_knows(bundle_copy):
    assert known_words(open_bundle(bundle_copy)) == {"doctor", "refused", "отказал"}


def test_columns_apart_keep_what_thresholds_need_and_no_case(held_out):
    apart = held_out.apart(1)
    p, y = held_out.of("health.denial")
    q, z = apart.of("health.denial")
    assert sorted(zip(p, y, strict=True)) == sorted(zip(q, z, strict=True))
    assert not np.array_equal(p, q)
    assert auto_thresholds(apart, 0.8) == auto_thresholds(held_out, 0.8)
    ranks = [
        np.argsort(np.argsort(held_out.probabilities, axis=0), axis=0),
        np.argsort(np.argsort(apart.probabilities, axis=0), axis=0),
    ]
    rows = [{tuple(row) for row in rank[:, :3].tolist()} for rank in ranks]
    assert len(rows[0] & rows[1]) < 5  # no case has its numbers together any more


def test_a_lower_precision_sets_more_codes_by_itself(held_out):
    low, high = (auto_thresholds(held_out, precision)["health.denial"] for precision in (0.7, 0.85))
    assert low < high
    assert auto_thresholds(held_out, 0.999)["health.denial"] is None
    assert auto_thresholds(held_out, 0.7)["plhiv"] is None  # nobody coded it


def test_a_policy_at_another_precision_keeps_what_is_shown(held_out):
    policy = Policy({column.code: Thresholds(0.2, 0.6, 0.99) for column in held_out.columns if column.code}, 0.95)
    changed = policy.at_precision(held_out, 0.75)
    denial = changed.codes["health.denial"]
    assert (denial.review, denial.suggest, changed.auto_precision) == (0.2, 0.6, 0.75)
    assert 0.6 <= denial.auto < 0.99
    assert changed.codes["plhiv"].auto is None
    with pytest.raises(ValueError, match="between 0 and 1"):
        policy.at_precision(held_out, 1.0)


def test_a_pipeline_promises_the_precision_that_is_asked_for(bundle_copy, held_out):
    bundle = put(bundle_copy, FILE, held_out.to_bytes())
    assert load_pipeline(bundle).policy.codes["health.denial"].auto is None
    assert load_pipeline(bundle, precision=0.75).policy.codes["health.denial"].auto is not None
    assert load_pipeline(bundle, precision=0.75).policy.auto_precision == 0.75
    with pytest.raises(SettingsError, match=r"0\.5 to 0\.999"):
        load_pipeline(bundle, precision=1.5)


def test_a_bundle_without_these_cases_says_that_it_cannot_promise_another_precision(bundle_copy):
    with pytest.raises(SettingsError, match=r"promises 0\.95 .* has no held-out\.npy: leave the precision out"):
        load_pipeline(bundle_copy, precision=0.9)
    assert load_pipeline(bundle_copy, precision=0.95)  # its own
