# ruff: noqa: S311 - the order of training, no secret
from __future__ import annotations

from random import Random

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nlp.classification import columns_of
from nlp.tags import Tags
from training.encoder.batches import buckets, collate
from training.encoder.examples import Sentence, case_example, sentence_example

LENGTHS = st.lists(st.integers(1, 510), max_size=300)


@given(lengths=LENGTHS, tokens=st.integers(1, 4096), seed=st.integers(0, 5))
@settings(max_examples=60, deadline=None)
def test_every_text_is_in_one_batch_and_no_batch_is_too_large(lengths, tokens, seed):
    batches = buckets(lengths, tokens, Random(seed))
    assert sorted(number for batch in batches for number in batch) == list(range(len(lengths)))
    for batch in batches:
        assert len(batch) == 1 or len(batch) * (max(lengths[number] for number in batch) + 2) <= tokens


@given(lengths=LENGTHS, seed=st.integers(0, 5))
@settings(max_examples=20, deadline=None)
def test_same_seed_gives_the_same_order(lengths, seed):
    assert buckets(lengths, 512, Random(seed)) == buckets(lengths, 512, Random(seed))


def test_another_seed_gives_another_order():
    lengths = [5 + number % 40 for number in range(100)]
    assert buckets(lengths, 256, Random(1)) != buckets(lengths, 256, Random(2))


def test_texts_of_a_batch_are_of_about_equal_length():
    rng = Random(0)
    lengths = [rng.randrange(5, 500) for _ in range(1000)]
    batches = buckets(lengths, 2048, Random(1))
    padded = sum(len(batch) * max(lengths[number] for number in batch) for batch in batches)
    assert padded < 1.1 * sum(lengths)
    means = [np.mean([lengths[number] for number in batch]) for batch in batches]
    assert means != sorted(means)  # short ones do not come first


@pytest.fixture
def axes(codebook):
    columns = columns_of(codebook)
    return np.array([[column.axis == axis.id for column in columns] for axis in codebook.axes])


@pytest.fixture
def batch(cases, pieces, codebook, axes):
    tags = Tags([identifier.id for identifier in codebook.identifiers])
    examples = [case_example(case, pieces, tags, columns_of(codebook), limit=510) for case in cases[:3]]
    return examples, {name: tensor.numpy() for name, tensor in collate(examples, pieces, axes).items()}


def test_texts_stand_between_their_marks_and_padding_follows(batch, pieces):
    examples, tensors = batch
    for row, example in enumerate(examples):
        n = len(example.ids)
        assert tensors["ids"][row, : n + 2].tolist() == [pieces.start, *example.ids, pieces.end]
        assert (tensors["ids"][row, n + 2 :] == pieces.padding).all()
        assert tensors["mask"][row].sum() == n + 2
    assert tensors["ids"].shape[1] == max(len(example.ids) for example in examples) + 2


def test_marks_and_padding_have_no_label_and_are_not_pooled(batch):
    examples, tensors = batch
    for row, example in enumerate(examples):
        outside = np.ones(tensors["ids"].shape[1], dtype=bool)
        outside[1 : len(example.ids) + 1] = False
        assert not tensors["keep"][row, outside].any()
        for name in ("allowed", "evidence", "salient"):
            assert (tensors[name][row, outside] == -1).all()
        assert np.array_equal(tensors["keep"][row, ~outside], example.keep)
        assert np.array_equal(tensors["evidence"][row, ~outside], example.evidence)


def test_token_is_salient_on_an_axis_where_it_is_evidence_of_one_of_its_codes(batch, codebook, axes):
    examples, tensors = batch
    at = [axis.id for axis in codebook.axes].index("violation")
    salient = tensors["salient"][0, 1 : len(examples[0].ids) + 1]
    assert np.array_equal(salient[:, at] == 1, (examples[0].evidence[:, axes[at]] == 1).any(axis=1))
    assert (salient[:, at] == 1).any()


def test_sentences_come_without_codes(pieces, codebook, axes):
    tags = Tags([identifier.id for identifier in codebook.identifiers])
    example = sentence_example(Sentence("Zarina came", "en", ((0, 6, "PERSON"),)), pieces, tags, limit=510)
    assert set(collate([example], pieces, axes)) == {"ids", "mask", "allowed", "keep"}
