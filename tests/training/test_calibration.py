from __future__ import annotations

import numpy as np
import pytest
from scipy.special import expit

from nlp.classification import Column
from training.calibration import calibrate, cross_calibrated, log_loss, platt

COLUMNS = [Column("act", "a"), Column("act", "b"), Column("who", "c")]


@pytest.fixture
def logits():
    return np.random.default_rng(0).normal(size=(120, 3)) * 2


@pytest.fixture
def targets(logits):
    return (np.random.default_rng(1).random(logits.shape) < expit(logits)).astype(float)


def crossed(logits, targets, groups, *, folds=4):
    return cross_calibrated(logits, targets, COLUMNS, groups, prior=0.5, folds=folds)


def test_no_case_is_calibrated_by_cases_of_its_group(logits, targets):
    groups = [f"g{number % 8}" for number in range(120)]
    mine = np.array([group == "g3" for group in groups])
    before = crossed(logits, targets, groups)
    changed = targets.copy()
    changed[mine] = 1 - changed[mine]
    after = crossed(logits, changed, groups)
    assert np.array_equal(before[mine], after[mine])
    assert not np.array_equal(before[~mine], after[~mine])


def test_group_that_differs_from_all_others_does_not_mend_its_own_probabilities():
    logits = np.tile([-2.0, 2.0], 60)[:, None]
    targets = (logits > 0).astype(float)
    targets[:20] = 1 - targets[:20]  # one group in which everything is the other way round
    groups = ["odd"] * 20 + [f"g{number}" for number in range(100)]
    columns = [Column("act", "a")]
    p = cross_calibrated(logits, targets, columns, groups, prior=0.5, folds=10)
    assert p[:20][targets[:20] == 1].max() < 0.2
    assert p[:20][targets[:20] == 0].min() > 0.8


@pytest.mark.parametrize("n_groups", [2, 3, 120])
def test_every_case_gets_a_probability_however_few_groups_there_are(logits, targets, n_groups):
    p = crossed(logits, targets, [f"g{number % n_groups}" for number in range(120)], folds=5)
    assert ((p > 0) & (p < 1)).all()


def test_same_cases_give_the_same_probabilities(logits, targets):
    groups = [f"g{number % 8}" for number in range(120)]
    assert np.array_equal(crossed(logits, targets, groups), crossed(logits, targets, groups))


def test_probabilities_mean_what_they_say(logits):
    rng = np.random.default_rng(3)
    logits = rng.normal(size=(6000, 1))
    targets = (rng.random(logits.shape) < expit(logits - 1)).astype(float)
    p = cross_calibrated(4 * logits, targets, [Column("act", "a")], [str(n) for n in range(6000)], prior=0.5, folds=3)
    for low in (0.1, 0.3, 0.5):
        of = (p >= low) & (p < low + 0.1)
        assert targets[of].mean() == pytest.approx(p[of].mean(), abs=0.05)


def test_rare_code_is_drawn_to_its_axis_and_not_to_another(logits, targets):
    skewed = targets.copy()
    skewed[:, 2] = (logits[:, 2] < 0).astype(float)  # on the other axis everything is the other way round
    few = skewed.copy()
    few[4:, 1] = np.nan
    common, rare, other = calibrate(logits, few, COLUMNS, prior=0.5).T
    assert np.abs(rare - common).max() < 0.3
    assert np.abs(rare - other).max() > 0.5


def test_code_that_nobody_coded_has_the_calibration_of_its_axis(logits, targets):
    targets[:, 1] = np.nan
    a, b, _ = calibrate(logits, targets, COLUMNS, prior=1e-3).T
    assert b == pytest.approx(a, abs=1e-3)


def test_axis_that_nobody_coded_keeps_its_logits(logits, targets):
    targets[:, 2] = np.nan
    assert calibrate(logits, targets, COLUMNS, prior=0.5)[:, 2] == pytest.approx([1, 0])


def test_the_more_cases_the_farther_from_the_axis(logits, targets):
    rng = np.random.default_rng(5)
    z = rng.normal(size=400)
    y = (rng.random(400) < expit(z - 3)).astype(float)
    offsets = [platt(z[:n], y[:n], (1.0, 0.0), prior=0.5)[1] for n in (4, 40, 400)]
    assert 0 > offsets[0] > offsets[1] > offsets[2]


def test_slope_never_turns_a_logit_around():
    z = np.linspace(-3, 3, 100)
    slope, _ = platt(z, (z < 0).astype(float), (1.0, 0.0), prior=10.0)
    assert slope > 0


def test_loss_is_blind_to_scale_and_to_what_is_not_coded(logits, targets):
    assert log_loss(3 * logits, targets) == pytest.approx(log_loss(logits, targets), abs=1e-3)
    more = np.vstack([targets, np.full((50, 3), np.nan)])
    assert log_loss(np.vstack([logits, np.full((50, 3), 9.0)]), more) == pytest.approx(log_loss(logits, targets))
    assert log_loss(logits, targets) < log_loss(-logits, targets)


def test_few_cases_that_agree_hardly_change_what_is_calibrated_already():
    """Three cases that are ranked without a fault prove no steeper slope."""
    logits = np.array([[2.0], [-1.5], [-2.0]])
    targets = np.array([[1.0], [0.0], [0.0]])
    columns = [Column("act", "a")]
    free = calibrate(logits, targets, columns, prior=0.5)
    held = calibrate(logits, targets, columns, prior=0.5, axis_prior=0.5)
    assert free[0, 0] > 2
    assert 0.8 < held[0, 0] < 1.5
    assert abs(held[1, 0]) < 0.5
