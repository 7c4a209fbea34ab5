from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nlp.classification import Column, columns_of
from nlp.types import Entity, Span
from training.baselines import UNTUNED, by_axis, choose, spacy_textcat, tuned_thresholds, without_identifiers
from training.corpus import Case

A, B, NOTHING, OTHER = Column("act", "a"), Column("act", "b"), Column("act", None), Column("place", "c")


def make(number: int, refused: bool, *, name: str = "Zarina") -> Case:
    end = "the doctor refused her at the clinic" if refused else "the clinic gave her tea and good advice"
    return Case(
        case_id=f"c{number}", language="en", text=f"{name} came on a day of rain. Then {end}.", writer="w", theme="t",
        codes={
            "violation": frozenset({"health.denial"} if refused else ()),
            "perpetrator": frozenset({"health"} if refused else ()) if number % 3 else None,
            "population": None,
        },
        entities=(Entity(Span(0, len(name)), "PERSON", 1.0, "gold"),),
    )  # fmt: skip


def separable(n: int, share: float, *, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Scores of 0.6 to 0.9 where the code is gold, of 0.1 to 0.4 where it is not."""
    rng = np.random.default_rng(seed)
    y = (np.arange(n) < share * n).astype(float)
    return np.where(y, rng.uniform(0.6, 0.9, n), rng.uniform(0.1, 0.4, n)), y


@pytest.fixture(scope="module")
def fitted(codebook, config):
    cases = [make(number, number % 2 == 0) for number in range(40)]
    split = cases[:24], cases[24:32], cases[32:]
    return split, spacy_textcat(*split, codebook, config, seed=1, epochs=8, batch_size=4, length=256)


def test_spacy_baseline_tells_the_cases_apart(fitted, codebook):
    (_, tuning, test), said = fitted
    columns = columns_of(codebook)
    assert said.tuning.shape == (len(tuning), len(columns))
    assert said.test.shape == said.chosen.shape == (len(test), len(columns))
    assert np.all((said.test >= 0) & (said.test <= 1))
    assert said.chosen[:, columns.index(Column("violation", "health.denial"))].tolist() == [True, False] * 4
    assert said.chosen[:, columns.index(Column("violation", None))].tolist() == [False, True] * 4


def test_spacy_baseline_learns_from_cases_that_are_coded_on_some_axes(fitted, codebook):
    _, said = fitted
    at = columns_of(codebook).index(Column("perpetrator", "health"))
    assert said.test[::2, at].min() > said.test[1::2, at].max()


def test_spacy_baseline_is_the_same_for_the_same_seed(fitted, codebook, config):
    split, said = fitted
    again = spacy_textcat(*split, codebook, config, seed=1, epochs=8, batch_size=4, length=256)
    assert np.array_equal(again.test, said.test)
    assert np.array_equal(again.chosen, said.chosen)


def test_marked_names_do_not_move_the_spacy_baseline(fitted, codebook, config):
    (train, tuning, test), said = fitted
    swapped = [make(int(case.case_id[1:]), "refused" in case.text, name="Gulnora") for case in test]
    again = spacy_textcat(train, tuning, swapped, codebook, config, seed=1, epochs=8, batch_size=4, length=256)
    assert np.array_equal(again.test, said.test)


@pytest.mark.parametrize(
    ("text", "entities", "read"),
    [
        ("Zarina met Odil, 36.", [(0, 6, "PERSON"), (11, 15, "PERSON"), (17, 19, "AGE")], "PERSON met PERSON, AGE."),
        ("Nobody is named.", [], "Nobody is named."),
        ("Nobody has marked.", None, "Nobody has marked."),
    ],
)
def test_marked_identifiers_become_their_type(text, entities, read):
    marked = None if entities is None else tuple(Entity(Span(a, b), kind, 1.0, "gold") for a, b, kind in entities)
    assert without_identifiers(Case(case_id="c", language="en", text=text, codes={}, entities=marked)) == read


def test_nothing_is_chosen_where_no_code_of_its_axis_is():
    p = np.array([[0.9, 0.1, 0.2, 0.1], [0.1, 0.1, 0.2, 0.9], [0.1, 0.5, 0.99, 0.1]])
    chosen = choose(p, np.array([0.5, 0.5, np.nan, 0.5]), [A, B, NOTHING, OTHER])
    assert chosen.tolist() == [
        [True, False, False, False],
        [False, False, True, True],
        [False, True, False, False],
    ]


def test_codes_of_each_axis_come_without_its_nothing():
    parts = by_axis(np.array([[1, 2, 3, 4]]), [A, NOTHING, OTHER, B])
    assert {axis: part.tolist() for axis, part in parts.items()} == {"act": [[1, 4]], "place": [[3]]}


@pytest.mark.parametrize("share", [0.1, 0.5])
def test_threshold_lies_between_what_can_be_separated(share):
    p, y = separable(90, share)
    (threshold,) = tuned_thresholds(p[:, None], y[:, None], [A], seed=0)
    assert 0.4 < threshold < 0.6


def test_code_that_cannot_be_told_is_hardly_ever_chosen():
    rng = np.random.default_rng(3)
    p = rng.uniform(0, 1, 300)
    y = np.zeros(300)
    y[np.argsort(p)[:3]] = 1  # gold where the score is lowest
    (threshold,) = tuned_thresholds(p[:, None], y[:, None], [A], seed=0)
    assert (p >= threshold).mean() < 0.05


def test_rare_code_costs_less_beside_a_frequent_one():
    """Micro-F1 binds an axis together: false alarms of a rare code weigh on the hits of the frequent one."""
    p, y = separable(300, 0.5)
    rng = np.random.default_rng(5)
    rare = (rng.random(300) < 0.05).astype(float)
    noisy = np.clip(rng.normal(0.3 + 0.1 * rare, 0.1), 0, 1)
    alone = tuned_thresholds(noisy[:, None], rare[:, None], [OTHER], seed=0)[0]
    beside = tuned_thresholds(np.stack([p, noisy], 1), np.stack([y, rare], 1), [A, B], seed=0)[1]
    assert (noisy >= beside).sum() <= (noisy >= alone).sum()


def test_axes_are_tuned_apart():
    p, y = separable(60, 0.3)
    q, z = separable(60, 0.5, seed=1)
    both = tuned_thresholds(np.stack([p, q], 1), np.stack([y, z], 1), [A, OTHER], seed=0)
    assert both[0] == tuned_thresholds(p[:, None], y[:, None], [A], seed=0)[0]
    assert both[1] == tuned_thresholds(q[:, None], z[:, None], [OTHER], seed=0)[0]


def test_column_without_a_code_has_no_threshold():
    p, y = separable(60, 0.3)
    thresholds = tuned_thresholds(np.stack([p, p], 1), np.stack([y, 1 - y], 1), [A, NOTHING], seed=0)
    assert np.isnan(thresholds).tolist() == [False, True]


def test_cases_that_nobody_coded_do_not_count():
    p, y = separable(60, 0.3)
    more = np.concatenate([p, np.linspace(0, 1, 20)])[:, None]
    uncoded = np.concatenate([y, np.full(20, np.nan)])[:, None]
    assert tuned_thresholds(more, uncoded, [A], seed=0) == tuned_thresholds(p[:, None], y[:, None], [A], seed=0)


@pytest.mark.parametrize("n", [0, 1, 8])
def test_too_few_cases_give_the_middle(n):
    assert tuned_thresholds(np.full((n, 1), 0.7), np.ones((n, 1)), [A], seed=0) == UNTUNED


@settings(max_examples=50, deadline=None)
@given(
    st.lists(st.tuples(st.floats(0, 1), st.booleans(), st.floats(0, 1), st.booleans()), min_size=9, max_size=60),
    st.integers(0, 3),
)
def test_thresholds_lie_among_the_scores_and_come_again(rows, seed):
    p = np.array([[first, second] for first, _, second, _ in rows])
    y = np.array([[first, second] for _, first, _, second in rows], dtype=float)
    thresholds = tuned_thresholds(p, y, [A, B], seed=seed)
    assert np.all((p.min(axis=0) <= thresholds) & (thresholds <= p.max(axis=0)))
    assert np.array_equal(thresholds, tuned_thresholds(p, y, [A, B], seed=seed))
