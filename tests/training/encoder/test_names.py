from __future__ import annotations

import numpy as np
import pytest

from nlp.encoding import Encoder
from nlp.tags import Tagger, Tags
from training.encoder.examples import Sentence
from training.encoder.names import name_figures, rows

TYPES = ("PERSON", "LOCATION", "ORGANISATION")
# How likely the token head takes a word for a name, and of which type; every other word is none.
SAID = {
    "Zarina": ("PERSON", 0.9), "Tolova": ("PERSON", 0.9), "Bohdan": ("PERSON", 0.9), "Rusk": ("PERSON", 0.3),
    "Olga": ("PERSON", 0.4), "came": ("PERSON", 0.1), "garden": ("PERSON", 0.6), "Lena": ("LOCATION", 0.9),
    "shelter": ("LOCATION", 0.9), "court": ("ORGANISATION", 0.8),
}  # fmt: skip


@pytest.fixture(scope="module")
def encoder(pieces):
    """States are the log odds that a word is a name of each type, by the table above."""
    table = np.full((pieces.tokenizer.get_vocab_size(), len(TYPES)), -12.0, dtype=np.float32)
    for word, (kind, probability) in SAID.items():
        (number,) = pieces.cut(word).ids
        table[number, TYPES.index(kind)] = np.log(probability / (1 - probability))
    return Encoder(pieces, lambda ids: table[ids], width=len(TYPES))


@pytest.fixture(scope="module")
def tagger():
    tags = Tags(TYPES)
    weights = np.zeros((len(TYPES), len(tags.names)), dtype=np.float32)
    bias = np.zeros(len(tags.names), dtype=np.float32)
    for at in range(len(TYPES)):
        weights[at, 2 + 2 * at] = 1  # inside
        bias[1 + 2 * at] = -30  # beginning
    return Tagger(tags, weights=weights, bias=bias, thresholds=dict.fromkeys(TYPES, 0.5))


def sentence(text, *names, language="en"):
    spans = [(text.index(name), text.index(name) + len(name), kind) for name, kind in names]
    return Sentence(text, language, tuple(spans))


def figures_of(encoder, tagger, *sentences):
    return name_figures(encoder, tagger, sentences)


def test_recall_counts_whole_names_and_precision_what_touches_a_name(encoder, tagger):
    figures = figures_of(
        encoder,
        tagger,
        sentence("Zarina Tolova visited the court", ("Zarina Tolova", "PERSON"), ("court", "ORGANISATION")),
        sentence("Bohdan Rusk left", ("Bohdan Rusk", "PERSON")),  # half of it is found
        sentence("The garden was polite"),  # taken for a person
    )["en"]
    assert figures["sentences"] == 3
    assert figures["PERSON"] == {"threshold": 0.5, "support": 2, "recall": 0.5, "found": 3, "precision": 0.6667}
    assert figures["ORGANISATION"] == {"threshold": 0.5, "support": 1, "recall": 1, "found": 1, "precision": 1}
    assert figures["LOCATION"] == {"threshold": 0.5, "support": 0, "recall": None, "found": 0, "precision": None}


def test_person_taken_for_a_place_is_hidden_all_the_same(encoder, tagger):
    figures = figures_of(encoder, tagger, sentence("Lena slept", ("Lena", "PERSON")))["en"]
    assert figures["PERSON"]["recall"] == 1
    assert figures["PERSON"]["found"] == 0


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("Zarina came", "Zarina"),  # the neighbor is a person with one part in ten: far below the threshold
        ("Zarina came came came", "Zarina"),
        ("Bohdan Rusk left", "Bohdan Rusk"),
    ],
)
def test_figures_at_the_threshold_are_what_the_bundle_hides(encoder, tagger, text, name):
    figures = figures_of(encoder, tagger, sentence(text, (name, "PERSON")))["en"]
    found = tagger.find(text, encoder.encode(text))
    hidden = "".join(text[entity.span.start : entity.span.end] for entity in found)
    assert figures["PERSON"]["found"] == len(found) == 1
    assert figures["PERSON"]["recall"] == (hidden == name)


def test_recall_at_a_precision_is_the_best_over_all_thresholds(encoder, tagger):
    sentences = [
        sentence("Olga left", ("Olga", "PERSON")),  # found from 0.4 down
        sentence("Zarina left", ("Zarina", "PERSON")),
        sentence("The garden was polite"),  # a mistake from 0.6 down
        sentence("Officers stopped", ("Officers", "PERSON")),  # never found
    ]
    best = figures_of(encoder, tagger, *sentences)["en"]["at_precision"]
    assert best["recall"] == pytest.approx(1 / 3, abs=1e-4)
    assert best["precision"] == 1
    assert 0.6 <= best["threshold"] <= 0.9
    lowered = figures_of(encoder, tagger, *sentences[:2], sentences[3])["en"]["at_precision"]
    assert lowered["recall"] == pytest.approx(2 / 3, abs=1e-4)
    assert lowered["threshold"] <= 0.4


def test_without_such_a_threshold_there_is_no_figure(encoder, tagger):
    figures = figures_of(
        encoder, tagger, sentence("The garden was polite"), sentence("Officers", ("Officers", "PERSON"))
    )
    assert figures["en"]["at_precision"] is None
    assert rows(figures) == [("en", "0.000", "0.000", "–")]


def test_languages_are_told_apart_and_sorted(encoder, tagger):
    figures = figures_of(
        encoder,
        tagger,
        sentence("Zarina", ("Zarina", "PERSON"), language="ru"),
        sentence("Officers", ("Officers", "PERSON")),
    )
    assert list(figures) == ["en", "ru"]
    assert [row[:2] for row in rows(figures)] == [("en", "0.000"), ("ru", "1.000")]


def test_step_is_called_for_each_sentence(encoder, tagger):
    done = []
    name_figures(encoder, tagger, [sentence("Zarina")] * 3, step=lambda: done.append(1))
    assert len(done) == 3
