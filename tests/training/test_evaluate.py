from __future__ import annotations

from dataclasses import replace

import pytest

from nlp.types import Entity, Span
from training.corpus import Case
from training.evaluation import evaluate


def case(number, violations, *, text="The doctor refused to see her.", entities=()):
    return Case(
        case_id=f"c{number}", language="en", text=text, entities=tuple(entities),
        codes={
            "violation": None if violations is None else frozenset(violations),
            "perpetrator": frozenset({"health"}),
            "population": None,
        },
        primary={"violation": sorted(violations)[0] if violations else None, "population": None},
    )  # fmt: skip


@pytest.fixture
def figures(constant_pipeline):
    """The pipeline always says health.denial and violence.psychological."""
    cases = [
        case(1, {"health.denial"}),
        case(2, {"health.denial", "violence.psychological", "social.work"}),
        case(3, None),
        case(4, {"violence.psychological"}, text="Zarina Qodirova wrote to z@example.org, then +992 917 123 456.",
             entities=[Entity(Span(0, 15), "PERSON", 1, "g"), Entity(Span(25, 38), "EMAIL", 1, "g")]),
    ]  # fmt: skip
    return evaluate(constant_pipeline, cases, seed=0)


def test_f1_counts_what_was_coded_and_nothing_else(figures):
    violation = figures["axes"]["violation"]
    assert violation["codes"]["health.denial"] == {
        "support": 2,
        "suggested": 3,
        "precision": 0.6667,
        "recall": 1.0,
        "f1": 0.8,
    }
    assert violation["micro_f1"] == pytest.approx(2 * 4 / (6 + 5), abs=1e-4)
    assert violation["macro_codes"] == 3
    assert violation["macro_f1"] == pytest.approx((0.8 + 0.8 + 0) / 3, abs=1e-4)


def test_figures_are_told_by_language(constant_pipeline):
    russian = replace(case(2, {"social.work"}, text="Её уволили, когда узнали диагноз."), language="ru")
    languages = evaluate(constant_pipeline, [case(1, {"health.denial"}), russian], seed=0)["axes"]["violation"][
        "languages"
    ]
    assert languages["en"] == {"cases": 1, "micro_f1": 0.6667, "macro_f1": 1.0}
    assert languages["ru"] == {"cases": 1, "micro_f1": 0.0, "macro_f1": 0.0}


def test_undefined_figures_are_null(figures):
    assert figures["axes"]["population"]["micro_f1"] is None
    assert figures["axes"]["violation"]["codes"]["civic.hate"]["f1"] is None
    assert figures["primary"]["population"]["accuracy"] is None


def test_intervals_hold_the_figure(figures):
    low, high = figures["axes"]["violation"]["micro_f1_interval"]
    assert low <= figures["axes"]["violation"]["micro_f1"] <= high


def test_redaction_counts_whole_identifiers(figures):
    redaction = figures["redaction"]
    assert redaction["recall"]["type:PERSON"] == {"support": 1, "recall": 1.0, "interval": [0.2065, 1.0]}
    assert redaction["recall"]["kind:direct"] | {"interval": None} == {"support": 2, "recall": 1.0, "interval": None}
    assert redaction["precision_of_characters"] < 1  # the phone was not marked
    assert redaction["leaking"] == 0


def test_primary_accuracy_counts_cases_that_have_one(figures):
    assert figures["primary"]["violation"] == {"support": 3, "accuracy": 0.6667}
