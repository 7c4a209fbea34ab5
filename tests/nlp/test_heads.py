from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from nlp.classification import Column, HeadsClassifier, LinearClassifier, Pooling
from nlp.classification.heads import features, pool
from nlp.encoding import States, Tokens
from nlp.reading import Reader
from nlp.redaction import replace
from nlp.types import Entity, Narrative, Span

WIDTH = 6
COLUMNS = (Column("act", "refusal"), Column("act", "threat"), Column("who", "police"))
READER = Reader(languages=("en",), max_characters=100_000)
TEXT = "Aigul came early. Then they refused her. She left."
NAME = Entity(Span(0, 5), "PERSON", 1.0, "test")


def pooling(seed=0):
    rng = np.random.default_rng(seed)
    return Pooling(
        ("act", "who"),
        COLUMNS,
        salience=rng.normal(size=(WIDTH + 1, 2)),
        evidence=rng.normal(size=(WIDTH + 1, 3)),
        opinion=rng.normal(size=(2 * WIDTH + 2, 3)),
    )


def classifier(seed=0):
    rng = np.random.default_rng(seed + 1)
    learned = pooling(seed)
    shape = (learned.n_features + 1, len(COLUMNS))
    identity = np.vstack([np.ones(3), np.zeros(3)])
    return HeadsClassifier(
        COLUMNS, learned, weights=0.1 * rng.normal(size=shape), primary=rng.normal(size=shape), calibration=identity
    )


def states_of(text, seed=0):
    """A token a word, with a random state that depends on the word alone."""
    import re

    matches = list(re.finditer(r"\w+|[^\w\s]", text))
    vectors = [np.random.default_rng([seed, *match[0].encode()]).normal(size=WIDTH) for match in matches]
    spans = np.array([match.span() for match in matches])
    tokens = Tokens(np.zeros(len(matches), dtype=np.int64), spans[:, 0], spans[:, 1])
    return States(tokens, np.array(vectors, dtype=np.float32))


def parts_of(text=TEXT, entities=(NAME,), states=None):
    reading = READER.read(Narrative(text, language="en"))
    return pool(pooling(), reading, replace(text, entities), states or states_of(text))


def test_the_state_of_an_identifier_is_pooled_nowhere():
    states = states_of(TEXT)
    other = states.vectors.copy()
    other[0] = 100.0
    assert np.array_equal(
        features(pooling(), parts_of()), features(pooling(), parts_of(states=States(states.tokens, other)))
    )
    open_text = parts_of(entities=(), states=States(states.tokens, other))
    assert not np.allclose(features(pooling(), parts_of(entities=())), features(pooling(), open_text))


def test_leaving_a_sentence_out_equals_a_text_without_its_tokens():
    without = classifier().predict_without(parts_of())
    assert without.shape == (3, 3)
    states = states_of(TEXT)
    first, last = TEXT.index("Then"), TEXT.index("She")
    kept = (states.tokens.starts < first) | (states.tokens.starts >= last)
    tokens = Tokens(states.tokens.ids[kept], states.tokens.starts[kept], states.tokens.ends[kept])
    alone = parts_of(states=States(tokens, states.vectors[kept]))
    assert without[1] == pytest.approx(classifier().predict_proba([alone])[0], abs=1e-9)


def test_a_narrative_of_identifiers_alone_is_answered():
    parts = parts_of("Aigul", [NAME])
    row = classifier().predict_proba([parts])
    assert np.isfinite(row).all()
    assert classifier().predict_without(parts).shape == (1, 3)


VOCABULARY = ("w:early", "w:refused", "w:they")


def lexical(seed=3):
    rng = np.random.default_rng(seed)
    return LinearClassifier(
        COLUMNS,
        VOCABULARY,
        idf=np.ones(3, dtype=np.float32),
        weights=rng.normal(size=(3, 3)).astype(np.float32),
        bias=rng.normal(size=3).astype(np.float32),
        calibration=np.vstack([np.ones(3), np.zeros(3)]),
    )


def test_what_the_words_say_stands_beside_what_the_encoder_says():
    both = dataclasses.replace(pooling(), lexical=lexical())
    reading = READER.read(Narrative(TEXT, language="en"))
    redaction = replace(TEXT, (NAME,))
    parts = pool(both, reading, redaction, states_of(TEXT))
    whole, without = features(both, parts), features(both, parts, without_each=True)
    assert whole.shape == (1, 2, both.n_features)
    assert np.array_equal(whole[..., : pooling().n_features], features(pooling(), parts_of()))
    words = lexical().featurize(reading, redaction)
    said = lexical().decision_function(words.support, words.parts.sum(axis=0, keepdims=True))[0]
    assert whole[0, 0, -3:] == pytest.approx(said)
    assert without[1, 1, -3:] != pytest.approx(said)  # without "refused" and "they"
    assert without[2, 1, -3:] == pytest.approx(said)  # the last sentence has no word that it knows


def test_probabilities_of_a_batch_equal_those_of_singles():
    items = [parts_of(), parts_of("She left.", ()), parts_of("They refused her!", ())]
    batch = classifier().predict_proba(items)
    assert np.array_equal(batch, np.vstack([classifier().predict_proba([item]) for item in items]))


def test_the_words_of_a_sentence_are_its_strongest_tokens():
    model = classifier()
    parts = parts_of()
    strength = np.full_like(parts.evidence, -5.0)
    at = [TEXT[start:end] for start, end in zip(parts.tokens.starts, parts.tokens.ends, strict=True)].index("refused")
    strength[at, 0] = strength[at + 1, 0] = 3.0
    object.__setattr__(parts, "evidence", strength)
    sentence = Span(TEXT.index("Then"), TEXT.index(" She"))
    assert [TEXT[span.start : span.end] for span in model.words(parts, 0, sentence)] == ["refused her"]


def test_a_column_that_the_encoder_does_not_know_has_no_words():
    model = classifier()
    model.columns = (Column("act", "bribe"), *COLUMNS[1:])
    assert model.words(parts_of(), 0, Span(0, 10)) == ()


def test_a_very_long_narrative_is_left_out_in_stretches():
    text = "He came. " * 900 + "He refused."
    parts = parts_of(text, ())
    assert len(parts.counts) == 200
    assert classifier().predict_without(parts).shape == (901, 3)


def test_heads_without_an_encoder_say_so():
    reading = READER.read(Narrative(TEXT, language="en"))
    with pytest.raises(ValueError, match="encoder"):
        classifier().featurize(reading, replace(TEXT, ()))
