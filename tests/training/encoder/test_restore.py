from __future__ import annotations

import copy
from pathlib import Path

import numpy as np
import pytest
import torch

from nlp.bundle import Bundle
from nlp.encoding import onnx_network
from nlp.errors import BundleIncompatible
from training.encoder.beginning import with_bundle
from training.encoder.export import to_onnx, to_small_onnx
from training.encoder.parts import parts_of
from training.encoder.restore import blank_transformer, weights_of
from training.package import array_bytes

LENGTHS = [1, 7, 40, 300]


@pytest.fixture(scope="module", params=["fresh", "used"])
def network(request, build, tuning):
    """Fresh, many weights are equal, of which ONNX keeps one copy; used, none are."""
    made = build(tuning)
    torch.manual_seed(11)
    with torch.no_grad():
        for name, values in made.named_parameters():
            if not name.startswith("transformer."):
                values.normal_(std=0.5)
            elif request.param == "used":
                values.add_(torch.randn_like(values) * 0.02)
    return made.eval()


@pytest.fixture(scope="module")
def content(network):
    return to_small_onnx(network.transformer)


@pytest.fixture(scope="module")
def restored(content):
    shape, weights = weights_of(content)
    transformer = blank_transformer(shape, dropout=0.1)
    transformer.load_state_dict(weights)
    return transformer.eval()


def some_ids(network, n):
    return np.random.default_rng(n).integers(4, network.transformer.config.vocab_size, n + 2)


def states_of(transformer, ids):
    with torch.no_grad():
        return transformer(
            input_ids=torch.from_numpy(ids)[None], attention_mask=torch.ones(1, len(ids))
        ).last_hidden_state[0].numpy()  # fmt: skip


def cosine(one, other):
    return (one * other).sum(axis=1) / np.linalg.norm(one, axis=1) / np.linalg.norm(other, axis=1)


@pytest.mark.parametrize("n", LENGTHS)
def test_restored_states_are_those_of_the_bundle(network, content, restored, n):
    ids = some_ids(network, n)
    assert cosine(onnx_network(content)(ids), states_of(restored, ids)).min() > 0.99


@pytest.mark.parametrize("n", LENGTHS)
def test_restored_transformer_exported_again_is_the_same(network, content, restored, n):
    ids = some_ids(network, n)
    assert onnx_network(to_small_onnx(restored))(ids) == pytest.approx(onnx_network(content)(ids), abs=1e-4)


def test_every_weight_is_where_it_was_within_one_level(network, restored):
    """Seven bits for the matrices, and a scale in eight bits for the pieces of words."""
    after = restored.state_dict()
    assert after.keys() == network.transformer.state_dict().keys()
    for name, value in network.transformer.state_dict().items():
        if name == "embeddings.token_type_embeddings.weight":  # the second of them is never used
            value = value[[0, 0]]  # noqa: PLW2901
        exact = value.ndim == 1 or "position" in name or "token_type" in name
        step = 1e-6 if exact else value.abs().max().item() / 60
        assert (after[name] - value).abs().max().item() <= step, name


def test_restored_transformer_has_the_dropout_of_the_settings(restored, network):
    assert restored.config.hidden_dropout_prob == 0.1
    assert restored.config.attention_probs_dropout_prob == 0.0
    assert restored.config.num_attention_heads == network.transformer.config.num_attention_heads


def test_what_is_not_in_eight_bits_is_refused(network):
    for content in (to_onnx(network.transformer), b"nothing", b""):
        with pytest.raises(ValueError, match="it is no"):
            weights_of(content)


@pytest.fixture(scope="module")
def bundle(network, material):
    parts = parts_of(network, material.tags, material.columns)
    arrays = {
        "tags": parts.tag_weights,
        **{name: getattr(parts.pooling, name) for name in ("salience", "evidence", "opinion")},
    }
    types = list(material.tags.types)
    facts = {
        "width": parts.pooling.width, "tags": types, "tag_thresholds": dict.fromkeys(types, 0.5),
        "columns": [list(column) for column in parts.pooling.columns],
    }  # fmt: skip
    files = {"encoder.onnx": parts.onnx, **{f"{name}.npy": array_bytes(array) for name, array in arrays.items()}}
    return Bundle(Path(), {"name": "tiny", "version": "1", "encoder": facts}, files)


def test_heads_of_a_bundle_say_what_they_said(network, bundle, material, build, tuning):
    made = with_bundle(build(tuning), bundle, material).eval()
    whole = copy.deepcopy(network)
    whole.transformer = made.transformer  # so that nothing but heads can differ
    ids = torch.from_numpy(some_ids(network, 20))[None]
    mask, keep = torch.ones_like(ids), torch.ones_like(ids, dtype=torch.bool)
    with torch.no_grad():
        one, other = made(ids, mask, keep), whole(ids, mask, keep)
    for name in ("tags", "evidence", "salience", "codes"):
        assert torch.allclose(getattr(one, name), getattr(other, name), atol=1e-4), name


def test_heads_for_primary_codes_are_fresh(bundle, material, build, tuning):
    fresh = build(tuning).state_dict()
    for name, value in with_bundle(build(tuning), bundle, material).state_dict().items():
        if not name.startswith("transformer."):
            assert torch.equal(value, fresh[name]) == name.startswith("primary"), name


def test_frozen_layers_stay_frozen(bundle, material, build, tuning):
    made = with_bundle(build(tuning), bundle, material)
    wanted = {name for name, values in build(tuning).named_parameters() if values.requires_grad}
    assert {name for name, values in made.named_parameters() if values.requires_grad} == wanted


@pytest.mark.parametrize("what", ["columns", "tags"])
def test_bundle_for_other_codes_or_identifiers_is_refused(bundle, material, build, tuning, what):
    facts = bundle.manifest["encoder"]
    order = list(reversed(facts[what]))
    other = Bundle(Path(), {**bundle.manifest, "encoder": {**facts, what: order}}, bundle.files)
    with pytest.raises(BundleIncompatible, match="other codes or identifiers"):
        with_bundle(build(tuning), other, material)
