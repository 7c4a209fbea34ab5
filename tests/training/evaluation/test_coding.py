"""Each measure of coding on a few cases, with values worked out by hand."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from nlp.codebook import Axis, Label
from nlp.errors import CorpusError
from training.corpus import Case
from training.evaluation import AxisPredictions, Predictions, compare_paired
from training.evaluation.calibration import calibration_figures
from training.evaluation.confusion import confusion
from training.evaluation.primary import nothing_figures
from training.evaluation.ranking import coverage, top_possible, top_recall
from training.evaluation.scores import counts, draw_weights, interval
from training.evaluation.slices import slice_figures, slice_masks

NAN = float("nan")


def axis(gold, probabilities, chosen=None, **more):
    gold, probabilities = np.array(gold, dtype=float), np.array(probabilities, dtype=float)
    said = probabilities >= 0.5 if chosen is None else np.array(chosen, dtype=bool)
    return AxisPredictions(tuple("abcdefgh"[: gold.shape[1]]), gold, probabilities, said, **more)


def everybody(item):
    return np.ones(len(item.gold), dtype=bool)


@pytest.fixture
def two():
    """Two cases: in one the likeliest code is gold, in the other the second and the last."""
    return axis([[1, 0, 0, 0], [0, 1, 0, 1]], [[0.9, 0.8, 0.1, 0.0], [0.7, 0.6, 0.5, 0.4]])


def test_gold_among_the_first_three(two):
    assert top_recall(two, everybody(two)) == 0.6667
    assert top_recall(two, np.array([True, False])) == 0.3333  # nothing comes first in a refused case
    assert top_recall(axis([[0, 0]], [[0.9, 0.1]]), np.array([True])) is None


def test_cases_with_more_than_three_codes_bound_what_three_can_reach():
    item = axis([[1, 1, 1, 1, 1], [1, 0, 0, 0, 0], [NAN] * 5], np.full((3, 5), 0.5))
    assert top_possible(item) == 0.6667
    assert top_possible(axis([[0, 0]], [[0.9, 0.1]])) is None


@pytest.mark.parametrize(
    ("gold", "probabilities", "at_90", "at_98"),
    [
        pytest.param(  # precision falls to 1/2 and comes back to 9/10
            [1, 0] + [1] * 8 + [0] * 3 + [1] * 3, np.linspace(0.9, 0.1, 16),
            {"share": 0.75, "cut": 0.42, "precision": 0.9, "pairs": 10},
            {"share": 0.0833, "cut": 0.9, "precision": 1.0, "pairs": 1}, id="comes back",
        ),
        pytest.param(  # the first two cannot be told apart
            [1, 0, 1], [0.8, 0.8, 0.3], {"share": 0.0, "cut": None, "precision": None, "pairs": 0},
            {"share": 0.0, "cut": None, "precision": None, "pairs": 0}, id="tie",
        ),
        pytest.param(
            [0, 0], [0.8, 0.3], {"share": None, "cut": None, "precision": None, "pairs": 0},
            {"share": None, "cut": None, "precision": None, "pairs": 0}, id="no gold code",
        ),
    ],
)  # fmt: skip
def test_coverage_is_the_most_gold_at_a_precision(gold, probabilities, at_90, at_98):
    item = axis(np.array(gold)[:, None], np.array(probabilities)[:, None])
    figures = coverage(item, everybody(item))
    assert figures["0.90"] == pytest.approx(at_90, abs=0.005)
    assert figures["0.98"] == pytest.approx(at_98, abs=0.005)
    assert figures["auto"] is None


def test_coverage_curve_goes_from_few_to_many(two):
    points = coverage(two, everybody(two))["curve"]
    assert points == [
        {"share": 0.3333, "precision": 1.0},
        {"share": 0.6667, "precision": 0.5},
        {"share": 1.0, "precision": 0.5},
    ]


def test_refused_gold_is_never_reached(two):
    assert coverage(two, np.array([True, False]))["curve"][-1]["share"] == 0.3333


def test_what_is_set_without_asking(two):
    auto = np.array([[True, True, False, False], [False, False, False, False]])
    figures = coverage(replace(two, auto=auto), everybody(two))
    assert figures["auto"] == {"share": 0.3333, "precision": 0.5, "codes": 2, "pairs": 2}


def test_calibration_compares_what_is_said_with_what_is_right():
    item = axis([[0], [1], [0], [NAN]], [[0.25], [0.75], [0.05], [1.0]])
    figures = calibration_figures(item, everybody(item))
    assert figures["brier"] == 0.0425  # (0.0625 + 0.0625 + 0.0025) / 3
    assert figures["brier_base_rates"] == 0.2222  # 1/3 * 2/3
    assert figures["expected_calibration_error"] == 0.25  # from 0.2 up: gaps of 0.25 in two bins of one pair each
    assert [row["count"] for row in figures["reliability"]] == [1, 0, 1, 0, 0, 0, 0, 1, 0, 0]
    assert figures["reliability"][7] == {
        "from": 0.7, "to": 0.8, "mean_probability": 0.75, "share_right": 1.0, "count": 1,
    }  # fmt: skip
    assert figures["reliability"][1]["share_right"] is None


def test_calibration_of_nothing_is_undefined():
    item = axis([[0], [1]], [[0.25], [0.75]])
    figures = calibration_figures(item, np.zeros(2, dtype=bool))
    assert (figures["brier"], figures["brier_base_rates"], figures["expected_calibration_error"]) == (None, None, None)
    assert all(row["mean_probability"] is None for row in figures["reliability"])


@pytest.mark.parametrize(
    ("groups", "found"),
    [
        ((None, None, None), [("a", "b", 2), ("a", "c", 1), ("c", "b", 1)]),
        (("g", "g", "h"), [("a", "b", 2)]),  # c is of another group
    ],
)
def test_siblings_are_taken_for_one_another(groups, found):
    gold = [[1, 0, 0], [1, 0, 0], [1, 0, 1], [1, 1, 0], [NAN, NAN, NAN]]
    chosen = [[0, 1, 0], [0, 1, 1], [1, 1, 0], [0, 1, 0], [0, 1, 0]]
    item = axis(gold, np.zeros((5, 3)), chosen)
    labels = tuple(Label(code, {}, "", group=group) for code, group in zip("abc", groups, strict=True))
    rows = confusion(Axis("axis", {}, labels), item)
    assert [(row["gold"], row["suggested"], row["count"]) for row in rows] == found
    assert rows[0]["support"] == 4


def case(number, text="One two three.", **more):
    return Case(f"c{number}", more.pop("language", "en"), text, {"axis": frozenset()}, **more)


@pytest.mark.parametrize(
    ("words", "band"),
    [(60, "<=60"), (61, "61-120"), (120, "61-120"), (121, "121-200"), (200, "121-200"), (201, ">200")],
)
def test_length_is_counted_in_words(words, band):
    masks = slice_masks([case(1, "word, " * words)], None)
    assert [name for name, mask in masks["length"].items() if mask[0]] == [band]


def test_slices_part_the_cases():
    cases = [
        case(1, tags=("slur", "typos"), writer="near"),
        case(2, language="ru", tags=("typos",), writer="far"),
        case(3, writer="near"),
    ]
    item = axis([[1, 0], [1, 0], [0, 1]], [[0.9, 0.1], [0.1, 0.9], [0.1, 0.9]])
    figures = slice_figures(item, slice_masks(cases, {"far"}), draw_weights(3, seed=0))
    assert figures["language"]["ru"] == {
        "cases": 1, "support": 1, "micro_f1": 0.0, "micro_f1_interval": [0.0, 0.0], "macro_f1": 0.0,
    }  # fmt: skip
    assert (figures["hard"]["hard"]["cases"], figures["hard"]["not_hard"]["cases"]) == (1, 2)
    assert figures["hard_tag"]["slur"]["micro_f1"] == 1.0
    assert figures["hard_tag"]["fear"] == {
        "cases": 0, "support": 0, "micro_f1": None, "micro_f1_interval": None, "macro_f1": None,
    }  # fmt: skip
    assert (figures["voice"]["heard"]["micro_f1"], figures["voice"]["unheard"]["micro_f1"]) == (1.0, 0.0)
    assert slice_figures(item, slice_masks(cases, None), draw_weights(3, seed=0))["voice"] is None


def test_nothing_is_found_by_silence():
    item = axis([[0], [0], [1], [NAN]], [[0.1], [0.9], [0.1], [0.1]], nothing=np.array([0.8, 0.2, 0.4, 0.9]))
    assert nothing_figures(item, everybody(item)) == {
        "support": 2, "recall": 0.5, "precision": 0.5, "mean_probability": 0.5, "mean_probability_elsewhere": 0.4,
    }  # fmt: skip
    assert nothing_figures(replace(item, nothing=None), everybody(item))["mean_probability"] is None


def test_intervals_are_those_of_a_loop_over_draws():
    rng = np.random.default_rng(3)
    gold, said = (rng.random((40, 5)) < 0.3).astype(float), rng.random((40, 5)) < 0.4
    gold[7] = NAN
    draws = np.random.default_rng(1).integers(0, 40, size=(200, 40))
    drawn = counts(gold, said, draw_weights(40, seed=1, resamples=200))
    for name in ("micro_f1", "macro_f1", "f1"):
        looped = np.array([getattr(counts(gold[draw], said[draw]), name)() for draw in draws])
        assert np.array_equal(getattr(drawn, name)(), looped, equal_nan=True)
    assert interval(np.array([NAN, 1.0, 1.0])) == [1.0, 1.0]
    assert interval(np.array([NAN])) is None


def predictions(name, item):
    refused = np.zeros(len(item.gold), dtype=bool)
    return Predictions(name, tuple(f"c{at}" for at in range(len(item.gold))), refused, {"axis": item})


def test_difference_is_of_the_first_to_the_second():
    gold = [[1, 0], [0, 1]] * 20
    good, half = axis(gold, gold), axis(gold, [[1, 0], [0, 0]] * 20)
    figures = compare_paired(predictions("good", good), predictions("half", half), seed=0)["axes"]["axis"]
    assert figures["micro_f1"]["a"] == 1.0
    assert figures["micro_f1"]["b"] == 0.6667  # 20 hits, 20 suggested, 40 gold
    assert figures["micro_f1"]["difference"] == 0.3333
    assert figures["macro_f1"]["difference"] == 0.5
    low, high = figures["micro_f1"]["interval"]
    assert 0 < low < 0.3333 < high
    turned = compare_paired(predictions("half", half), predictions("good", good), seed=0)["axes"]["axis"]
    assert turned["micro_f1"]["interval"] == [-high, -low]


def test_a_model_is_no_better_than_itself():
    item = axis([[1, 0], [0, 1], [NAN, NAN]], [[0.9, 0.6], [0.1, 0.4], [0.9, 0.9]])
    figures = compare_paired(predictions("one", item), predictions("same", item), seed=0)["axes"]["axis"]
    assert figures["micro_f1"]["difference"] == 0
    assert figures["micro_f1"]["interval"] == [0, 0]


def test_other_cases_cannot_be_paired():
    one, other = axis([[1, 0]], [[0.9, 0.6]]), axis([[0, 1]], [[0.9, 0.6]])
    with pytest.raises(CorpusError, match="nothing to pair"):
        compare_paired(predictions("one", one), predictions("other", other), seed=0)
