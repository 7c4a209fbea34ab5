from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from nlp.classification.heads import features, pool
from nlp.encoding import WINDOW, Encoder, onnx_network
from nlp.errors import CorpusError
from nlp.reading import Reader
from nlp.redaction import Redactor
from nlp.types import Entity, Narrative, Span
from training.encoder.examples import case_example
from training.encoder.export import to_onnx, to_small_onnx
from training.encoder.finetune import CHECKPOINT, finetune
from training.encoder.parts import load_trained, parts_of

LENGTHS = [1, 7, 40, WINDOW]


@pytest.fixture(scope="module")
def network(build, tuning):
    """A network all of whose heads say something of their own."""
    made = build(tuning)
    torch.manual_seed(11)
    with torch.no_grad():
        for name, values in made.named_parameters():
            if not name.startswith("transformer."):
                values.normal_(std=0.5)
    return made.eval()


@pytest.fixture(scope="module")
def exported(network):
    return {
        "full": onnx_network(to_onnx(network.transformer)),
        "small": onnx_network(to_small_onnx(network.transformer)),
    }


@pytest.fixture(scope="module")
def parts(network, material):
    return parts_of(network, material.tags, material.columns, small=False)


def some_ids(network, n):
    return np.random.default_rng(n).integers(4, network.transformer.config.vocab_size, n + 2)


def torch_states(network, ids):
    with torch.no_grad():
        return network.transformer(
            input_ids=torch.from_numpy(ids)[None], attention_mask=torch.ones(1, len(ids))
        ).last_hidden_state[0].numpy()  # fmt: skip


@pytest.mark.parametrize("n", LENGTHS)
def test_full_precision_gives_the_states_of_the_network(network, exported, n):
    ids = some_ids(network, n)
    assert exported["full"](ids) == pytest.approx(torch_states(network, ids), abs=1e-4)


@pytest.mark.parametrize("n", LENGTHS)
def test_eight_bits_give_states_that_are_near(network, exported, n):
    ids = some_ids(network, n)
    small, whole = exported["small"](ids), torch_states(network, ids)
    cosine = (small * whole).sum(axis=1) / np.linalg.norm(small, axis=1) / np.linalg.norm(whole, axis=1)
    assert cosine.min() > 0.95
    assert not np.array_equal(small, exported["full"](ids))


def test_eight_bits_take_less_room(network):
    assert len(to_small_onnx(network.transformer)) < 0.6 * len(to_onnx(network.transformer))


def test_exporting_leaves_the_network_as_it_is(build, tuning):
    network = build(tuning)
    network.train()
    before = {name: value.clone() for name, value in network.state_dict().items()}
    to_small_onnx(network.transformer)
    assert network.training
    assert all(torch.equal(value, before[name]) for name, value in network.state_dict().items())


def test_exporting_twice_gives_the_same_bytes(network):
    assert to_small_onnx(network.transformer) == to_small_onnx(network.transformer)


def read(parts, pieces, text, named, *, language):
    """What serving makes of a text: reading, redaction, states, parts to pool."""
    encoder = Encoder(pieces, onnx_network(parts.onnx), width=parts.pooling.width)
    reading = Reader(languages=(language,), max_characters=len(text)).read(Narrative(text, language=language))
    redaction = Redactor((), {entity.type for entity in named}).redact(reading, named)
    states = encoder.encode(text)
    return redaction, states, pool(parts.pooling, reading, redaction, states)


def person(text, name):
    return Entity(Span(text.index(name), text.index(name) + len(name)), "PERSON", 1.0, "gold")


LONG = (
    "Zarina Tolova came in the morning. The doctor refused to examine her. A nurse shouted!\n"
    "Bohdan Rusk wanted an operation, and the surgeon refused. Zarina left with pain. Police kicked the door."
)
RUSSIAN = "Врач отказал Вере Кольцовой в приёме. Вера ушла домой. Патруль остановил её в машине; избили."


@pytest.mark.parametrize(
    ("text", "names", "language"),
    [
        (LONG, ["Zarina Tolova", "Bohdan Rusk"], "en"),
        (LONG, [], "en"),
        (RUSSIAN, ["Вере Кольцовой"], "ru"),
        ("Zarina Tolova", ["Zarina Tolova"], "en"),
    ],
)
def test_serving_says_of_codes_what_the_network_says(network, parts, material, text, names, language):
    """The contract between training and serving: features of numpy on exported states against torch."""
    redaction, states, pooled = read(parts, material.pieces, text, [person(text, name) for name in names],
                                     language=language)  # fmt: skip
    tokens = states.tokens
    kept = np.ones(len(tokens), dtype=bool)
    for entity in redaction.entities:
        kept[(tokens.starts < entity.span.end) & (tokens.ends > entity.span.start)] = False
    assert kept.all() == (not names)
    ids = torch.from_numpy(material.pieces.framed(tokens.ids))[None]
    with torch.no_grad():
        outputs = network(ids, torch.ones_like(ids), torch.tensor([[False, *kept, False]]))
    rows = features(parts.pooling, pooled)[0]
    width, n = parts.pooling.width, len(material.columns)
    for row in rows:
        assert row[2 * width :] == pytest.approx(outputs.codes[0].numpy(), abs=1e-3)
    means = network.pooled(outputs.states, outputs.salience, torch.tensor([[False, *kept, False]]))[0].numpy()
    assert rows[:, : 2 * width] == pytest.approx(means, abs=1e-3)
    assert pooled.evidence[kept] == pytest.approx(outputs.evidence[0, 1:-1].numpy()[kept], abs=1e-3)
    assert rows.shape == (len(parts.pooling.axes), 2 * width + n)


def test_training_leaves_out_what_serving_leaves_out(parts, material, cases):
    for case in (cases[0], cases[14]):
        example = case_example(case, material.pieces, material.tags, material.columns, limit=WINDOW)
        _, states, pooled = read(parts, material.pieces, case.text, case.entities, language=case.language)
        assert np.array_equal(states.tokens.ids, example.ids)
        assert np.array_equal(pooled.evidence[:, 0] == -30.0, ~example.keep)


def test_token_head_is_the_one_of_the_network(network, parts, material, cases):
    _, states, _ = read(parts, material.pieces, cases[0].text, (), language="en")
    ids = torch.from_numpy(material.pieces.framed(states.tokens.ids))[None]
    with torch.no_grad():
        outputs = network(ids, torch.ones_like(ids), torch.ones_like(ids, dtype=torch.bool))
    assert states.vectors @ parts.tag_weights[:-1] + parts.tag_weights[-1] == pytest.approx(
        outputs.tags[0, 1:-1].numpy(), abs=1e-3
    )


def test_checkpoint_gives_back_the_network(build, tuning, material, tmp_path):
    trained, fresh = build(tuning), build(tuning)
    (tmp_path / "run").mkdir()
    with pytest.raises(CorpusError, match="casecoder-train finetune"):
        load_trained(fresh, tmp_path / "run" / CHECKPOINT)
    finetune(trained, material, replace(tuning, epochs=1), tmp_path / "run")
    loaded = load_trained(fresh, tmp_path / "run" / CHECKPOINT)
    assert not loaded.training
    assert all(torch.equal(value, trained.state_dict()[name]) for name, value in loaded.state_dict().items())
