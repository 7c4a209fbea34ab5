from __future__ import annotations

import numpy as np
import pytest

from nlp.errors import CorpusError
from training.corpus import Case
from training.evaluation import (
    AxisPredictions,
    Predictions,
    analyze,
    coding_figures,
    evaluate,
    from_analyses,
    from_arrays,
    load_predictions,
    save_predictions,
)


@pytest.fixture
def cases():
    codes = [{"violation": {"health.denial"}, "population": {"plhiv"}}, {"violation": set(), "population": {"sw"}}]
    return [
        Case(
            f"c{at}", "en", "The doctor refused to see her.",
            {"violation": frozenset(one["violation"]), "perpetrator": None, "population": frozenset(one["population"])},
            primary={"violation": next(iter(one["violation"]), None), "population": next(iter(one["population"]))},
        )
        for at, one in enumerate(codes)
    ]  # fmt: skip


@pytest.fixture
def made(constant_pipeline, cases):
    """The second case is refused; the pipeline always says health.denial (0.9) and plhiv (0.97, without asking)."""
    analyses = [analyze(constant_pipeline, cases)[0], None]
    return from_analyses("constant-1", constant_pipeline.codebook, cases, analyses)


def test_analyses_become_arrays(made, codebook):
    violation, population = made.axes["violation"], made.axes["population"]
    denial = violation.codes.index("health.denial")
    assert violation.codes == codebook.axis("violation").codes
    assert violation.probabilities[0, denial] == 0.9
    assert violation.chosen[0].sum() == 2  # violence.psychological, too; civic.hate is below its threshold
    assert violation.gold[:, denial].tolist() == [1, 0]
    assert np.isnan(made.axes["perpetrator"].gold).all()
    assert made.axes["perpetrator"].primary is None
    assert population.auto.sum() == 1
    assert population.primary.tolist() == [population.codes.index("plhiv"), -1]


def test_refused_case_has_no_suggestion(made):
    assert made.refused.tolist() == [False, True]
    assert not made.axes["violation"].chosen[1].any()
    assert np.isnan(made.axes["violation"].nothing[1])


def test_stored_predictions_are_the_same(made, tmp_path):
    save_predictions(tmp_path / "new" / "made.json", made)
    back = load_predictions(tmp_path / "new" / "made.json")
    assert (back.name, back.case_ids) == (made.name, made.case_ids)
    for axis, item in made.axes.items():
        for part, array in vars(item).items():
            stored = getattr(back.axes[axis], part)
            assert (
                stored is None
                if array is None
                else np.array_equal(stored, array, equal_nan=part in ("gold", "nothing"))
            )


def test_baseline_with_the_same_answers_has_the_same_figures(made, cases, codebook):
    same = from_arrays(
        made.name,
        codebook,
        cases,
        refused=made.refused,
        **{
            part: {axis: getattr(item, part) for axis, item in made.axes.items()}
            for part in ("probabilities", "chosen", "auto", "primary", "nothing")
        },
    )
    assert coding_figures(same, cases, codebook, seed=0) == coding_figures(made, cases, codebook, seed=0)


def test_baseline_needs_no_policy_and_no_primary_code(cases, codebook):
    zeros = {axis.id: np.zeros((2, len(axis.codes))) for axis in codebook.axes}
    figures = coding_figures(
        from_arrays("silent", codebook, cases, probabilities=zeros, chosen=zeros), cases, codebook, seed=0
    )
    assert figures["axes"]["violation"]["micro_f1"] == 0
    assert figures["axes"]["violation"]["micro_precision"] is None
    assert figures["axes"]["violation"]["coverage"]["auto"] is None
    assert figures["axes"]["violation"]["f1_intervals"]["civic.hate"] is None
    assert figures["primary"] == {}


def test_primary_is_told_for_all_cases_and_where_a_code_is_suggested(made, cases, codebook):
    figures = coding_figures(made, cases, codebook, seed=0)
    assert figures["primary"]["population"] == {"support": 2, "accuracy": 0.5}
    assert figures["primary_intervals"]["population"] == [0.0, 1.0]
    assert figures["primary_where_suggested"]["population"] == {
        "support": 1, "accuracy": 1.0, "accuracy_interval": [1.0, 1.0],
    }  # fmt: skip


def test_figures_are_the_same_each_time(constant_pipeline, cases):
    assert evaluate(constant_pipeline, cases, seed=1) == evaluate(constant_pipeline, cases, seed=1)


@pytest.mark.parametrize("change", ["order", "codes", "gold"])
def test_predictions_for_other_cases_are_refused(change, made, cases, codebook):
    if change == "order":
        cases = cases[::-1]
    if change == "gold":
        cases = [cases[0], Case("c1", "en", "x", dict.fromkeys(made.axes))]
    if change == "codes":
        made = Predictions(made.name, made.case_ids, made.refused, {"violation": made.axes["violation"]})
    with pytest.raises(CorpusError, match="constant-1"):
        coding_figures(made, cases, codebook, seed=0)


@pytest.mark.parametrize(
    "damage",
    [
        lambda path: path.with_suffix(".npz").unlink(),
        lambda path: path.with_suffix(".npz").write_bytes(b"no archive"),
        lambda path: path.write_text("[]"),
        lambda path: path.write_text("{"),
        lambda path: np.savez(path.with_suffix(".npz"), refused=np.zeros(2, dtype=bool)),
        lambda path: np.savez(path.with_suffix(".npz"), refused=np.array([None, None], dtype=object)),
    ],
)
def test_damaged_predictions_are_refused_with_a_sentence(damage, made, tmp_path):
    path = tmp_path / "made.json"
    save_predictions(path, made)
    damage(path)
    with pytest.raises(CorpusError, match=r"made\.json"):
        load_predictions(path)


@pytest.mark.parametrize(
    "broken",
    [
        {"probabilities": np.array([[0.5]])},
        {"probabilities": np.array([[0.5, 1.5]])},
        {"probabilities": np.array([[0.5, np.nan]])},
        {"auto": np.zeros((2, 2), dtype=bool)},
        {"primary": np.zeros(2)},
    ],
)
def test_arrays_must_fit(broken):
    fitting = {"gold": np.zeros((1, 2)), "probabilities": np.zeros((1, 2)), "chosen": np.zeros((1, 2), dtype=bool)}
    with pytest.raises(ValueError, match="wants"):
        AxisPredictions(("a", "b"), **{**fitting, **broken})
