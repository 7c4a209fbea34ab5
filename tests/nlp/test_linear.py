from __future__ import annotations

import numpy as np
import pytest

from nlp.classification import Column, LinearClassifier
from nlp.classification.linear import MAX_PARTS, sentence_features
from nlp.reading import Reader
from nlp.redaction import replace
from nlp.types import Entity, Narrative, Span

READER = Reader(languages=("en", "ru"), max_characters=100_000)


def model(vocabulary=("w:he", "w:refused", "c: re")):
    return LinearClassifier(
        [Column("act", "refusal"), Column("act", None)],
        vocabulary,
        idf=np.ones(len(vocabulary), dtype=np.float32),
        weights=np.array([[0, 0], [4, -4], [1, 0]], dtype=np.float32)[: len(vocabulary)],
        bias=np.array([-2, 1], dtype=np.float32),
        calibration=np.array([[1.0, 1.0], [0.0, 0.0]]),
    )


def featurize(text, entities=()):
    reading = READER.read(Narrative(text, language="en"))
    return model().featurize(reading, replace(text, entities))


def test_probability_rises_with_a_telling_word():
    classifier = model()
    rows = classifier.predict_proba([featurize("He refused."), featurize("He came.")])
    assert rows.shape == (2, 2)
    assert rows[0, 0] > 0.6
    assert rows[1, 0] < 0.2
    assert rows[0, 1] < rows[1, 1]


def test_narrative_without_a_known_feature_gets_what_the_bias_says():
    row = model().predict_proba([featurize("xyz")])[0]
    assert row == pytest.approx(1 / (1 + np.exp([2.0, -1.0])))


def test_no_narratives_give_no_rows():
    assert model().predict_proba([]).shape == (0, 2)


def test_leaving_out_the_telling_sentence_lowers_the_probability_most():
    without = model().predict_without(featurize("He came early. Then he refused. She left."))
    assert without.shape == (3, 2)
    assert without[:, 0].argmin() == 1


def test_probabilities_of_a_batch_equal_those_of_singles():
    items = [featurize(text) for text in ("He refused twice.", "She came.", "He refused. He came.")]
    batch = model().predict_proba(items)
    assert np.array_equal(batch, np.vstack([model().predict_proba([item])[0] for item in items]))


def test_very_long_narrative_is_left_out_in_stretches():
    sentences = MAX_PARTS * 3
    without = model().predict_without(featurize("He came. " * (sentences - 1) + "He refused."))
    assert without.shape == (sentences, 2)
    assert without[-1, 0] < without[0, 0]


def test_no_letter_of_an_entity_becomes_a_feature():
    text = "Zarina Qodirova came to +992 917 123456. Then she left with Zarina."
    names = [Span(0, 15), Span(24, 39), Span(60, 66)]
    entities = [
        Entity(names[0], "PERSON", 1, "t"),
        Entity(names[1], "PHONE", 1, "t"),
        Entity(names[2], "PERSON", 1, "t"),
    ]
    sentences = sentence_features(READER.read(Narrative(text, language="en")), replace(text, entities))
    features = {feature for sentence in sentences for feature in sentence}
    assert not any("zar" in feature or "qod" in feature or "992" in feature for feature in features)
    assert any("PERSON" in feature for feature in features)
    assert len(sentences) == 2


def test_other_names_of_the_same_kind_change_no_probability():
    one, other = "Then Zarina refused.", "Then Bo refused."
    a = featurize(one, [Entity(Span(5, 11), "PERSON", 1, "t")])
    b = featurize(other, [Entity(Span(5, 7), "PERSON", 1, "t")])
    assert np.array_equal(model().predict_proba([a]), model().predict_proba([b]))


def test_entity_across_sentences_hides_its_letters_in_both():
    text = "He lives at Abay 5. Block 7 of it. He left."
    sentences = sentence_features(
        READER.read(Narrative(text, language="en")), replace(text, [Entity(Span(12, 27), "ADDRESS", 1, "t")])
    )
    features = {feature for sentence in sentences for feature in sentence}
    assert not any("abay" in feature or "block" in feature for feature in features)
