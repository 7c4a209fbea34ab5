# ruff: noqa: S311 - the order of training, no secret
from __future__ import annotations

from collections import Counter
from dataclasses import replace
from random import Random

import numpy as np
import pytest

from nlp.classification import columns_of
from nlp.tags import Tags
from nlp.types import Entity, Span
from training.corpus import Case
from training.encoder.examples import case_example
from training.encoder.excerpts import draw_window, excerpt_primary, excerpt_targets
from training.encoder.finetune import epoch_batches

SENTENCES = [
    "We met Zarina Tolova at the gate.",
    "The doctor refused to examine her.",
    "Two policemen beat Zarina Tolova and her brother.",
    "She went home with pain in the street.",
    "We wrote a letter for her.",
]
TEXT = " ".join(SENTENCES)


def place_of(words, text=TEXT):
    return Span(text.index(words), text.index(words) + len(words))


def window(first, last):
    """From sentence ``first`` to ``last``, both of them in it."""
    return Span(place_of(SENTENCES[first]).start, place_of(SENTENCES[last]).end)


CASE = Case(
    "c", "en", TEXT,
    codes={
        "violation": frozenset({"health.denial", "violence.physical", "violence.psychological"}),
        "perpetrator": frozenset({"health", "police"}),
        "population": frozenset({"plhiv"}),
    },
    primary={"violation": "health.denial", "population": "plhiv"},
    evidence={
        "violation": {
            "health.denial": ("refused to examine her",),
            "violence.physical": ("policemen beat",),
            "violence.psychological": ("refused to examine her. Two", "pain in the street. We"),
        },
        "perpetrator": {"health": ("The doctor",), "police": ("policemen",)},
    },
    entities=(Entity(place_of("Zarina Tolova"), "PERSON", 1.0, "gold"),
              Entity(Span(TEXT.rindex("Zarina Tolova"), TEXT.rindex("Zarina Tolova") + 13), "PERSON", 1.0, "gold")),
)  # fmt: skip
PEACEFUL = replace(CASE, codes={**CASE.codes, "violation": frozenset()}, primary={}, evidence={})


@pytest.fixture(scope="module")
def columns(codebook):
    return columns_of(codebook)


@pytest.mark.parametrize(
    ("case", "first", "last", "axis", "code", "value"),
    [
        (CASE, 1, 1, "violation", "health.denial", 1),
        (CASE, 0, 2, "violation", "health.denial", 1),
        (CASE, 2, 2, "violation", "health.denial", 0),  # its evidence stands elsewhere
        (CASE, 1, 1, "violation", "violence.psychological", 1),  # most of one of its two stretches
        (CASE, 3, 4, "violation", "violence.psychological", 1),  # the other stretch
        (CASE, 2, 2, "violation", "violence.psychological", None),  # three letters of a stretch: who knows
        (CASE, 0, 0, "violation", "violence.psychological", 0),
        (CASE, 1, 1, "violation", "violence.sexual", 0),  # the case has it not
        (CASE, 1, 1, "violation", None, 0),
        (CASE, 0, 0, "violation", None, None),  # the rest of the case has one
        (PEACEFUL, 0, 0, "violation", None, 1),
        (PEACEFUL, 1, 2, "violation", "violence.physical", 0),
        (CASE, 1, 1, "perpetrator", "health", 1),
        (CASE, 1, 1, "perpetrator", "police", 0),
        (CASE, 1, 1, "population", "plhiv", None),  # nobody marked any evidence
        (replace(CASE, codes={**CASE.codes, "population": None}), 1, 1, "population", "plhiv", None),
        (replace(CASE, codes={**CASE.codes, "population": frozenset()}), 1, 1, "population", "plhiv", 0),
    ],
)
def test_what_is_known_of_a_code_in_a_window(columns, case, first, last, axis, code, value):
    found = excerpt_targets(case, window(first, last), columns)[columns.index((axis, code))]
    assert found == pytest.approx(np.nan if value is None else value, nan_ok=True)


@pytest.mark.parametrize(
    ("case", "first", "last", "led"),
    [
        (CASE, 2, 2, []),  # one code, and another that may be there
        (CASE, 1, 1, []),  # two codes
        (CASE, 0, 0, []),  # none
        (replace(CASE, codes={**CASE.codes, "violation": frozenset({"violence.physical"})}), 2, 2,
         [("violation", "violence.physical")]),
        (PEACEFUL, 1, 2, []),
    ],
)  # fmt: skip
def test_code_leads_in_a_window_where_it_is_the_only_one(columns, case, first, last, led):
    targets = excerpt_targets(case, window(first, last), columns)
    found = excerpt_primary(case, targets, columns)
    assert [tuple(columns[at]) for at in np.flatnonzero(found)] == led


def test_identifiers_and_evidence_move_with_the_window(pieces, codebook, columns):
    tags = Tags([identifier.id for identifier in codebook.identifiers])
    part = window(2, 3)
    example = case_example(CASE, pieces, tags, columns, limit=510, window=part)
    text = TEXT[part.start : part.end]
    tokens = pieces.cut(text)
    assert np.array_equal(example.ids, tokens.ids)  # as if it stood alone

    def words(chosen):
        return "".join(text[tokens.starts[at] : tokens.ends[at]] for at in np.flatnonzero(chosen))

    assert words(example.allowed == tags.number("B", "PERSON")) == "Zarina"
    assert words(~example.keep) == "ZarinaTolova"
    assert words(example.evidence[:, columns.index(("violation", "violence.physical"))] == 1) == "policemenbeat"
    assert words(example.evidence[:, columns.index(("violation", "violence.psychological"))] == 1) == (
        "Twopaininthestreet."
    )
    assert not (example.evidence[:, columns.index(("violation", "health.denial"))] != 0).any()


def drawn(case, columns, n=3000):
    return Counter(draw_window(case, columns, Random(seed)) for seed in range(n))


def test_windows_are_neighboring_sentences_of_which_some_are_chosen_twice_as_often(columns):
    windows = drawn(CASE, columns)
    assert set(windows) == {window(first, last) for first in range(5) for last in range(first, min(first + 4, 5))}
    quiet = windows[window(0, 0)], windows[window(4, 4)]  # 14 windows, of which the other twelve tell
    telling = [count for span, count in windows.items() if span not in (window(0, 0), window(4, 4))]
    assert np.mean(telling) / np.mean(quiet) == pytest.approx(2, abs=0.4)
    assert np.std(list(drawn(PEACEFUL, columns).values())) < 30  # about 214 each


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("She came home again.", set()),  # one sentence: the whole case
        ("He left. She came home again today.", {"She came home again today."}),
        ("He left. She – stayed .", set()),  # too few words in each
    ],
)
def test_window_has_four_words_and_is_not_the_whole_case(columns, text, found):
    case = Case("c", "en", text, {"violation": frozenset(), "perpetrator": None, "population": None})
    spans = {span for span in drawn(case, columns, 30) if span}
    assert {text[span.start : span.end] for span in spans} == found


def test_share_of_the_cases_is_cut(material, tuning):
    settings = replace(tuning, sentences_share=0.0, lower_share=0.0, upper_share=0.0)
    whole = {tuple(material.pieces.cut(case.text).ids) for case in material.cases}
    found = []
    for share in (0.0, 0.5, 1.0):
        batches = epoch_batches(material, replace(settings, excerpt_share=share), 0)
        ids = [tuple(example.ids) for batch in batches for example in batch]
        assert len(ids) == len(material.cases)
        found.append(len(set(ids) - whole))
    assert found[0] == 0 < found[1] < found[2] == len(material.cases)


@pytest.mark.parametrize("epoch", [0, 1])
def test_same_seed_gives_the_same_excerpts(material, tuning, epoch):
    settings = replace(tuning, excerpt_share=0.7)

    def told(seed):
        batches = epoch_batches(material, replace(settings, seed=seed), epoch)
        return [(e.ids.tolist(), str(e.targets), str(e.primary)) for batch in batches for e in batch]

    assert told(3) == told(3) != told(4)


def test_nothing_is_a_code_of_a_window_and_none_of_its_axis(material, tuning, columns):
    settings = replace(tuning, sentences_share=0.0, excerpt_share=1.0)
    nothing = columns.index(("violation", None))
    codes = [at for at, column in enumerate(columns) if column.axis == "violation" and column.code]
    for epoch in range(3):
        for example in (example for batch in epoch_batches(material, settings, epoch) for example in batch):
            present = (example.targets[codes] == 1).any()
            assert not (present and example.targets[nothing] != 0)
            assert not (np.isnan(example.targets[codes]).any() and example.targets[nothing] == 1)
            assert ((example.evidence == 1).any(axis=0) <= (example.targets != 0)).all()
