from __future__ import annotations

import itertools

import numpy as np
import pytest

from nlp.bulk.report.counts import FEW
from nlp.bulk.report.prevalence import Confusion, correct, corrected_codes, interval


def corrected(suggested, rows, confusion):
    return correct("act", "blow", suggested=suggested, rows=rows, confusion=confusion)


def test_a_count_is_corrected_for_what_is_missed_and_for_what_is_wrong():
    found = corrected(170, 1000, Confusion(hits=80, positives=100, false=15, negatives=300))
    assert found.count == 160  # (0.17 - 0.05) / (0.80 - 0.05)
    assert found.low < 160 < found.high
    assert (found.found, found.false) == (0.8, 0.05)


def test_fewer_suggestions_than_are_wrong_anyway_may_be_no_case_at_all():
    found = corrected(40, 1000, Confusion(80, 100, 15, 300))
    assert (found.count, found.low) == (0, 0)
    assert found.high > 0


def test_a_code_that_is_never_suggested_may_still_have_cases():
    found = corrected(0, 1000, Confusion(80, 100, 0, 300))
    assert (found.count, found.low) == (0, 0)
    assert 0 < found.high < 50


def test_the_corrected_count_is_never_more_than_there_are_rows():
    found = corrected(820, 1000, Confusion(80, 100, 15, 300))
    assert found.count == found.high == 1000
    assert found.low < 1000


@pytest.mark.parametrize(
    ("suggested", "rows", "confusion", "reason"),
    [
        (100, 1000, Confusion(8, 9, 5, 700), "few_cases"),
        (100, 1000, Confusion(30, 200, 20, 600), "weak"),
        (5, 10, Confusion(80, 100, 15, 300), "few_rows"),
        (3, 1000, Confusion(80, 100, 15, 300), "few_rows"),  # the interval would tell the hidden count
        (10, 1000, Confusion(80, 100, 15, 300), "unlike"),  # errors alone would make fifty
        (0, 1000, Confusion(80, 100, 15, 300), "unlike"),
        (990, 1000, Confusion(80, 100, 15, 300), "unlike"),
    ],
)
def test_a_count_that_cannot_be_corrected_says_why(suggested, rows, confusion, reason):
    found = corrected(suggested, rows, confusion)
    assert found.reason == reason
    assert found.count is found.low is found.high is None


def test_few_known_cases_make_a_wide_interval():
    few, many = (corrected(170, 1000, Confusion(8 * n, 10 * n, 35, 700)) for n in (1, 20))
    assert few.count == many.count
    assert few.high - few.low > 1.5 * (many.high - many.low)


def test_the_same_counts_give_the_same_interval():
    assert interval(170, 1000, Confusion(80, 100, 15, 300)) == interval(170, 1000, Confusion(80, 100, 15, 300))


def test_the_interval_holds_the_true_share_nineteen_times_of_twenty():
    """Over shares, rates, support and sizes; `tests/benchmarks/bench_prevalence.py` does the same at length."""
    draws = np.random.default_rng(7)
    settings = itertools.product((0.01, 0.1, 0.4), (0.6, 0.9), (0.005, 0.05), (10, 60, 200), (500, 20_000))
    inside = [
        [_holds(draws, *setting) for _ in range(40)] for setting in settings
    ]  # fmt: skip
    by_setting = np.mean(inside, axis=1)
    assert 0.92 < np.mean(inside) < 0.98
    assert by_setting.min() >= 0.78  # 40 runs of a share of 0.91 fall below it once in 200


def _holds(draws, share, found, false, positives, rows):
    cases = draws.binomial(rows, share)
    suggested = int(draws.binomial(cases, found) + draws.binomial(rows - cases, false))
    confusion = Confusion(
        int(draws.binomial(positives, found)), positives, int(draws.binomial(800 - positives, false)), 800 - positives
    )
    low, high = interval(suggested, rows, confusion)
    return low <= share <= high


def test_codes_are_corrected_at_the_thresholds_of_the_run(held_out, policy):
    items = {item.code: item for item in corrected_codes(held_out, policy.codes, {"blow": 170, "threat": 2}, 1000)}
    assert items["blow"].count == 160
    assert items["threat"].suggested == FEW
    assert items["family"].reason == "few_cases"
    assert items["family"].positives == 6
