from __future__ import annotations

import numpy as np
import pytest

from nlp.encoding import States, Tokens
from nlp.tags import Tagger, Tags
from nlp.types import Entity, Span

TAGS = Tags(["PERSON", "PHONE"])
#        0123456789012345678901234567890123
TEXT = "seen by Dr Aigul Sadykova, +996 70"
PIECES = [(0, 4), (5, 7), (8, 10), (11, 14), (14, 16), (17, 22), (22, 25), (25, 26), (27, 28), (28, 31), (32, 34)]


def tokens():
    starts, ends = (np.array(values) for values in zip(*PIECES, strict=True))
    return Tokens(np.zeros(len(PIECES), dtype=np.int64), starts, ends)


def find(named, *, threshold=0.5, growth=None):
    """Entities when the head says the given tag, with the given probability, of the given pieces."""
    n = len(TAGS.names)
    vectors = np.full((len(PIECES), n), -10.0, dtype=np.float32)
    vectors[:, 0] = 0
    for piece, (tag, probability) in named.items():
        vectors[piece, 0] = np.log(1 - probability)
        vectors[piece, TAGS.names.index(tag)] = np.log(probability)
    tagger = Tagger(
        TAGS, weights=np.eye(n), bias=np.zeros(n), thresholds=dict.fromkeys(TAGS.types, threshold), growth=growth
    )
    return tagger.find(TEXT, States(tokens(), vectors))


def said(entities):
    return [(TEXT[item.span.start : item.span.end], item.type) for item in entities]


def test_names_and_numbers_are_found_with_all_their_pieces():
    found = find({
        3: ("B-PERSON", 0.9), 4: ("I-PERSON", 0.9), 5: ("I-PERSON", 0.9), 6: ("I-PERSON", 0.9),
        8: ("B-PHONE", 0.9), 9: ("I-PHONE", 0.9), 10: ("I-PHONE", 0.9),
    })  # fmt: skip
    assert said(found) == [("Aigul Sadykova", "PERSON"), ("+996 70", "PHONE")]
    assert all(0.85 < item.score <= 0.95 and item.source == "encoder" for item in found)


def test_a_word_is_hidden_whole_when_most_of_it_is_a_name():
    assert said(find({5: ("B-PERSON", 0.99), 6: ("I-PERSON", 0.4)})) == [("Sadykova", "PERSON")]
    assert said(find({5: ("B-PERSON", 0.6), 6: ("I-PERSON", 0.1)})) == []


def test_two_persons_side_by_side_stay_two():
    found = find({3: ("B-PERSON", 0.9), 4: ("I-PERSON", 0.9), 5: ("B-PERSON", 0.9), 6: ("I-PERSON", 0.9)})
    assert said(found) == [("Aigul", "PERSON"), ("Sadykova", "PERSON")]


def test_words_beside_an_identifier_join_it_at_a_lower_probability():
    named = {
        5: ("B-PERSON", 0.9),
        6: ("I-PERSON", 0.9),
        3: ("B-PERSON", 0.2),
        4: ("I-PERSON", 0.2),
        8: ("I-PHONE", 0.2),
    }
    assert said(find(named)) == [("Sadykova", "PERSON")]
    assert said(find(named, growth={"PERSON": 0.15})) == [("Aigul Sadykova", "PERSON")]
    assert said(find(named, growth={"PERSON": 0.3})) == [("Sadykova", "PERSON")]
    assert said(find({2: ("B-PERSON", 0.2)}, growth={"PERSON": 0.1})) == []


@pytest.mark.parametrize(("threshold", "found"), [(0.3, [("Dr", "PERSON")]), (0.5, [])])
def test_the_threshold_of_the_type_decides(threshold, found):
    assert said(find({2: ("B-PERSON", 0.4)}, threshold=threshold)) == found


def test_each_type_is_judged_by_its_own_threshold():
    """A likelier type that misses its threshold does not stand in the way of one that reaches its own."""
    n = len(TAGS.names)
    vectors = np.full((len(PIECES), n), -10.0, dtype=np.float32)
    vectors[:, 0] = 0
    person, phone = TAGS.number("B", "PERSON"), TAGS.number("B", "PHONE")
    vectors[2, [0, phone, person]] = np.log([0.15, 0.45, 0.4])
    for limits, kinds in (((0.3, 0.8), ["PERSON"]), ((0.3, 0.4), ["PHONE"]), ((0.5, 0.8), [])):
        thresholds = dict(zip(TAGS.types, limits, strict=True))
        tagger = Tagger(TAGS, weights=np.eye(n), bias=np.zeros(n), thresholds=thresholds)
        assert [item.type for item in tagger.find(TEXT, States(tokens(), vectors))] == kinds


@pytest.mark.parametrize("name", ["Мар'яна", "G'ulomov", "O‘ktam", "Нино-Мари", "Gʻulom"])
def test_name_with_an_apostrophe_or_hyphen_is_one_word(name):
    cut = next(at for at, character in enumerate(name) if not character.isalpha() or character == "ʻ")
    places = [(0, cut), (cut, cut + 1), (cut + 1, len(name))]
    starts, ends = (np.array(values) for values in zip(*places, strict=True))
    n = len(TAGS.names)
    vectors = np.full((3, n), -10.0)
    vectors[:, 0] = np.log([0.05, 0.4, 0.6])
    vectors[:, TAGS.number("B", "PERSON")] = np.log([0.95, 0.6, 0.4])
    tagger = Tagger(TAGS, weights=np.eye(n), bias=np.zeros(n), thresholds=dict.fromkeys(TAGS.types, 0.5))
    found = tagger.find(name, States(Tokens(np.zeros(3, dtype=np.int64), starts, ends), vectors))
    assert [item.span for item in found] == [Span(0, len(name))]


def test_tags_of_marked_entities_are_found_again():
    entities = [Entity(Span(11, 25), "PERSON", 1, "gold"), Entity(Span(27, 34), "PHONE", 1, "gold")]
    numbers = TAGS.numbers(tokens(), entities)
    named = {at: (TAGS.names[number], 0.99) for at, number in enumerate(numbers) if number}
    assert [item.span for item in find(named)] == [entity.span for entity in entities]


def test_a_text_without_tokens_has_no_entities():
    nothing = np.zeros(0, dtype=np.int64)
    n = len(TAGS.names)
    tagger = Tagger(TAGS, weights=np.eye(n), bias=np.zeros(n), thresholds=dict.fromkeys(TAGS.types, 0.5))
    assert tagger.find("", States(Tokens(nothing, nothing, nothing), np.zeros((0, n)))) == ()
