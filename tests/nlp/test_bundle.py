from __future__ import annotations

import json

import numpy as np
import pytest

from nlp import Narrative
from nlp.bundle import load_pipeline, open_bundle
from nlp.errors import BundleCorrupt, BundleIncompatible, BundleNotFound


def _manifest(bundle, **changes):
    path = bundle / "manifest.json"
    manifest = {**json.loads(path.read_text()), **changes}
    path.write_text(json.dumps(manifest))


def test_bundle_loads_and_suggests(tiny_bundle):
    analysis = load_pipeline(tiny_bundle).analyze_one(Narrative("The doctor refused to see her.", case_id="c1"))
    suggested = {item.code: item for item in analysis.suggestions if item.suggested}
    assert set(suggested) == {"health.denial", "health"}
    assert suggested["health.denial"].evidence[0].redacted == "The doctor refused to see her."
    assert analysis.primary["violation"] == "health.denial"
    assert analysis.case_id == "c1"


def test_same_text_gives_the_same_bytes(tiny_bundle):
    texts = ["The doctor refused.", "Врач отказал Айгуль Садыковой."]
    said = [
        json.dumps([load_pipeline(tiny_bundle).analyze_one(Narrative(text)).to_json(all_codes=True) for text in texts])
        for _ in range(2)
    ]
    assert said[0] == said[1]


@pytest.mark.parametrize("reference", ["no/such/folder", "react-99.0.0"])
def test_missing_bundle_is_refused_with_what_to_do(reference):
    with pytest.raises(BundleNotFound, match="--bundle"):
        open_bundle(reference)


@pytest.mark.parametrize("name", ["weights.npy", "vocabulary.json", "codebook.yaml", "policy.json"])
def test_one_flipped_byte_is_noticed(bundle_copy, name):
    content = bytearray((bundle_copy / name).read_bytes())
    content[len(content) // 2] ^= 1
    (bundle_copy / name).write_bytes(content)
    with pytest.raises(BundleCorrupt, match=name):
        open_bundle(bundle_copy)


def test_removed_file_is_noticed(bundle_copy):
    (bundle_copy / "idf.npy").unlink()
    with pytest.raises(BundleCorrupt, match=r"idf.npy is missing"):
        open_bundle(bundle_copy)


def test_added_file_is_noticed(bundle_copy):
    (bundle_copy / "extra.npy").write_bytes(b"x")
    with pytest.raises(BundleCorrupt, match=r"extra.npy"):
        open_bundle(bundle_copy)


@pytest.mark.parametrize("content", [b"", b"{", b"\xff\xfe", b"null{"])
def test_manifest_that_is_no_json_is_refused(bundle_copy, content):
    (bundle_copy / "manifest.json").write_bytes(content)
    with pytest.raises(BundleCorrupt):
        open_bundle(bundle_copy)


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"format": 99}, "format is 99"),
        ({"kind": "magic"}, "does not know"),
        ({"columns": []}, "columns"),
        ({"files": []}, "lacks files"),
    ],
)
def test_foreign_bundle_is_refused(bundle_copy, changes, reason):
    _manifest(bundle_copy, **changes)
    with pytest.raises(BundleIncompatible, match=reason):
        open_bundle(bundle_copy).pipeline()


def test_manifest_cannot_point_outside_its_folder(bundle_copy):
    _manifest(bundle_copy, files={"../secret": {"sha256": "0"}})
    with pytest.raises(BundleCorrupt, match="must not"):
        open_bundle(bundle_copy)


def test_array_with_objects_is_refused(bundle_copy):
    import hashlib

    np.save(bundle_copy / "bias.npy", np.array([{}], dtype=object), allow_pickle=True)
    manifest = json.loads((bundle_copy / "manifest.json").read_text())
    manifest["files"]["bias.npy"]["sha256"] = hashlib.sha256((bundle_copy / "bias.npy").read_bytes()).hexdigest()
    _manifest(bundle_copy, files=manifest["files"])
    with pytest.raises(BundleIncompatible, match="plain array"):
        open_bundle(bundle_copy).pipeline()
