from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from scipy.special import expit

from nlp.classification import Column
from nlp.thresholds import auto_threshold, wilson_lower
from nlp.types import Entity, Span
from training.corpus import Case
from training.fit import calibrate, featurize, fit_linear, matrix, vocabulary_of
from training.tune import best_f1_threshold, tune


def make(number, refused, *, name="Zarina", language="en"):
    end = "the doctor refused her at the clinic" if refused else "the clinic gave her tea and good advice"
    text = f"{name} came on a day of rain number {number % 7}. Then {end}. She went home."
    return Case(
        case_id=f"c{number}", language=language, text=text, writer="w", theme=f"t{number}",
        codes={
            "violation": frozenset({"health.denial"} if refused else ()),
            "perpetrator": frozenset({"health"} if refused else ()),
            "population": None,
        },
        evidence={"violation": {"health.denial": ("the doctor refused her",)}} if refused else {},
        entities=(Entity(Span(0, len(name)), "PERSON", 1.0, "gold"),),
    )  # fmt: skip


@pytest.fixture(scope="module")
def fitted(codebook, config):
    cases = [make(number, number % 2 == 0) for number in range(60)]
    featured = featurize(cases, codebook)
    model, facts = fit_linear(featured, codebook, replace(config, C=(1.0,), min_persons=5))
    return cases, featured, model, facts


def test_fitted_model_tells_the_cases_apart(fitted):
    _, featured, model, _ = fitted
    at = [column.code for column in model.columns].index("health.denial")
    probabilities = model.predict_proba([model.count(sentences) for sentences in featured.sentences])[:, at]
    assert probabilities[::2].min() > probabilities[1::2].max()


def test_no_marked_name_becomes_a_feature(fitted):
    _, _, model, _ = fitted
    assert not [feature for feature in model.vocabulary if "zar" in feature]


def test_axis_that_nobody_coded_gets_its_base_rate(fitted):
    _, _, model, _ = fitted
    at = [column.code for column in model.columns].index("plhiv")
    assert not model.weights[:, at].any()


def test_training_and_serving_make_the_same_features(fitted):
    _, featured, model, _ = fitted
    counts = [model.count(sentences) for sentences in featured.sentences[:5]]
    X = matrix(model, counts)
    slope, offset = model.calibration
    logits = (X @ model.weights + model.bias) * slope + offset
    assert model.predict_proba(counts) == pytest.approx(expit(np.asarray(logits)), abs=1e-6)


def test_same_seed_gives_the_same_model(fitted, codebook, config):
    cases, _, model, _ = fitted
    again, _ = fit_linear(featurize(cases, codebook), codebook, replace(config, C=(1.0,), min_persons=5))
    assert np.array_equal(again.weights, model.weights)
    assert np.array_equal(again.calibration, model.calibration)


def test_feature_of_too_few_persons_is_left_out(codebook):
    cases = [make(number, True) for number in range(9)]
    cases += [replace(make(number, True), translation_of="c1") for number in range(9, 15)]  # six more of one person
    assert vocabulary_of(featurize(cases, codebook), min_persons=10)[0] == []
    assert vocabulary_of(featurize(cases, codebook), min_persons=9)[0]


def test_calibration_mends_overconfident_logits():
    rng = np.random.default_rng(0)
    truth = rng.normal(size=(4000, 1))
    targets = (rng.random((4000, 1)) < expit(truth)).astype(float)
    slope, offset = calibrate(3 * truth, targets, [Column("act", "a")], prior=0.5)[:, 0]
    assert slope == pytest.approx(1 / 3, abs=0.05)
    assert offset == pytest.approx(0, abs=0.1)


def test_rare_code_leans_on_its_axis():
    rng = np.random.default_rng(0)
    truth = rng.normal(size=(400, 2)) - 1
    targets = (rng.random(truth.shape) < expit(truth)).astype(float)
    targets[3:, 1] = np.nan  # only three cases coded
    common, rare = calibrate(truth, targets, [Column("act", "a"), Column("act", "b")], prior=0.5).T
    assert np.abs(common - rare).max() < 0.3


def test_best_threshold_separates_what_can_be_separated():
    p = np.array([0.1, 0.2, 0.3, 0.6, 0.7])
    assert 0.3 < best_f1_threshold(p, np.array([0, 0, 0, 1, 1])) <= 0.6
    assert best_f1_threshold(p, np.zeros(5)) == 0.5


def test_auto_needs_enough_cases_not_only_a_clean_record():
    p = np.linspace(0.5, 1, 40)
    assert auto_threshold(p, np.ones(40), precision=0.95) is None  # 40 of 40 prove 0.937 at most
    p = np.linspace(0.5, 1, 400)
    threshold = auto_threshold(p, (p > 0.6).astype(float), precision=0.95)
    assert threshold is not None
    assert 0.55 < threshold < 0.65


def test_auto_begins_no_lower_than_suggest_and_counts_only_what_lies_above():
    p = np.linspace(0.99, 0.5, 100)
    assert auto_threshold(p, np.ones(100), precision=0.95, least=0.6) >= 0.6
    assert auto_threshold(p, np.ones(100), precision=0.95, least=0.9) is None  # twenty cases above it prove too little


def test_auto_ends_at_the_first_threshold_that_cannot_show_its_precision():
    """A good run further down that came by luck does not count."""
    y = np.r_[np.ones(60), np.zeros(10), np.ones(900)]
    p = np.linspace(0.99, 0.2, len(y))
    assert auto_threshold(p, y, precision=0.95) > p[62]


def test_wilson_bound_matches_its_table():
    assert wilson_lower(np.array([40]), np.array([40]))[0] == pytest.approx(0.9366, abs=1e-3)


def test_policy_has_every_code(codebook, config):
    from nlp.classification import columns_of

    columns = columns_of(codebook)
    policy = tune(np.full((5, len(columns)), 0.3), np.zeros((5, len(columns))), columns, config)
    assert set(policy["codes"]) == {code for axis in codebook.axes for code in axis.codes}
    for thresholds in policy["codes"].values():
        assert 0 < thresholds["review"] < thresholds["suggest"] <= 1
        assert thresholds["auto"] is None


def test_code_without_cases_of_its_own_keeps_the_threshold_that_it_goes_on_from(codebook, config):
    from nlp.classification import columns_of

    columns = columns_of(codebook)
    before = {code: {"suggest": 0.77} for axis in codebook.axes for code in axis.codes}
    policy = tune(np.full((5, len(columns)), 0.3), np.zeros((5, len(columns))), columns, config, before=before)
    assert {thresholds["suggest"] for thresholds in policy["codes"].values()} == {0.77}
