from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nlp.errors import NarrativeEmpty
from nlp.types import Analysis, Evidence, Narrative, Redaction, Span, Suggestion
from training.corpus import Case
from training.evaluation.deletion import deletion_figures, stretch_elsewhere, without
from training.evaluation.evidence import token_figures

SENTENCE = "The doctor refused to treat her."
TEXT = f"She came in the morning. {SENTENCE} Then she went home alone, and told nobody of it for a week."


def place(words, text=TEXT):
    return Span(text.index(words), text.index(words) + len(words))


def case(number=1, *, text=TEXT, marks=("refused to treat",), gold=("denial",)):
    return Case(
        f"c{number}", "en", text, {"violation": frozenset(gold), "population": frozenset()},
        evidence={"violation": {"denial": tuple(marks)} if marks else {}},
    )  # fmt: skip


def analysis(*, probability=0.9, spans=(), code="denial", decision="suggest"):
    evidence = tuple(Evidence(span, "", 0.1) for span in spans)
    item = Suggestion("violation", code, probability, decision, evidence)
    return Analysis("c1", "en", Redaction("", ()), (item,), {}, {}, "fake-1", "book 1")


class Keyword:
    """A pipeline that knows one word."""

    def __init__(self, word: str) -> None:
        self.word = word
        self.seen: list[str] = []

    def analyze_one(self, narrative: Narrative) -> Analysis:
        self.seen.append(narrative.text)
        return analysis(probability=0.9 if self.word in narrative.text else 0.2)


def test_words_of_evidence_are_held_against_the_marks():
    figures = token_figures([case()], [analysis(spans=[place(SENTENCE)])])
    assert (figures["precision"], figures["recall"], figures["f1"]) == (0.5, 1.0, 0.6667)  # 3 of 6 words are marked
    assert figures["axes"]["violation"]["support"] == figures["support"] == 1
    assert figures["axes"]["population"]["f1"] is None


def test_words_are_pooled_over_cases():
    cases = [case(1), case(2, marks=("came", "refused"))]
    figures = token_figures(cases, [analysis(spans=[place(SENTENCE)]), analysis(spans=[place("refused")])])
    assert (figures["precision"], figures["recall"]) == (0.5714, 0.8)  # 4 of 7 shown, 4 of 5 marked


@pytest.mark.parametrize(
    ("narrative", "found", "without_marks"),
    [
        pytest.param(case(marks=()), analysis(spans=[place(SENTENCE)]), 1, id="no marks"),
        pytest.param(case(gold=(), marks=()), analysis(spans=[place(SENTENCE)]), 0, id="not gold"),
        pytest.param(case(), analysis(spans=[place(SENTENCE)], decision="review"), 0, id="not suggested"),
        pytest.param(case(), None, 0, id="refused"),
    ],
)
def test_what_cannot_be_compared_is_left_out(narrative, found, without_marks):
    figures = token_figures([narrative], [found])
    assert (figures["support"], figures["without_marks"], figures["f1"]) == (0, without_marks, None)


@pytest.mark.parametrize(
    ("words", "share", "fall"),
    [
        pytest.param(SENTENCE, 1.0, 0.7, id="carries the code"),
        pytest.param("She came in the morning.", 0.0, 0.0, id="decoration"),
    ],
)
def test_removing_the_reason_lowers_the_probability(words, share, fall):
    found = analysis(spans=[place(words)])
    figures = deletion_figures(Keyword("refused"), [case()] * 3, [found] * 3, seed=0)
    assert (figures["share"], figures["mean_fall"], figures["support"]) == (share, fall, 3)
    assert figures["share_interval"] == [share, share]


def test_the_rest_is_cut_by_as_much():
    pipeline = Keyword("refused")
    deletion_figures(pipeline, [case()], [analysis(spans=[place(SENTENCE)])], seed=0)
    assert len(pipeline.seen) == 3
    assert "refused" not in pipeline.seen[0]
    for text in pipeline.seen[1:]:
        assert SENTENCE in text
        assert abs(len(text) - len(pipeline.seen[0])) <= 8  # a word more or less, and the blanks between the parts


@pytest.mark.parametrize(
    ("text", "spans", "reason"),
    [
        (TEXT, (), "without_evidence"),
        (f"{SENTENCE} 7!", (Span(0, len(SENTENCE)),), "nothing_left"),
        (f"{SENTENCE} She left.", (Span(0, len(SENTENCE)),), "mostly_evidence"),
    ],
)
def test_texts_that_are_nearly_all_evidence_are_left_out(text, spans, reason):
    figures = deletion_figures(Keyword("refused"), [case(text=text)], [analysis(spans=spans)], seed=0)
    assert figures["left_out"] == {
        "without_evidence": 0, "nothing_left": 0, "mostly_evidence": 0, "refused": 0, reason: 1,
    }  # fmt: skip
    assert (figures["support"], figures["share"], figures["mean_fall"], figures["share_interval"]) == (
        0,
        None,
        None,
        None,
    )


def test_a_rest_that_is_refused_is_left_out():
    class Refusing:
        def analyze_one(self, narrative):
            raise NarrativeEmpty

    figures = deletion_figures(Refusing(), [case()], [analysis(spans=[place(SENTENCE)])], seed=0)
    assert figures["left_out"]["refused"] == 1


@pytest.mark.parametrize(("sample", "cases"), [(2, 2), (9, 5)])
def test_the_sample_is_drawn_once(sample, cases):
    found = [analysis(spans=[place(SENTENCE)])] * 5
    made = [
        deletion_figures(Keyword("week"), [case(at) for at in range(5)], found, seed=3, sample=sample) for _ in range(2)
    ]
    assert made[0] == made[1]
    assert made[0]["cases"] == cases


def test_without_a_sample_there_is_no_figure():
    assert deletion_figures(Keyword("x"), [case()], [analysis(spans=[place(SENTENCE)])], seed=0, sample=0) is None
    assert deletion_figures(Keyword("x"), [case(gold=(), marks=())], [analysis()], seed=0) is None


@given(st.text(alphabet="ab .\n", min_size=3, max_size=80), st.integers(0, 60), st.integers(1, 30), st.integers(0, 9))
def test_a_random_stretch_never_touches_the_evidence(text, start, length, seed):
    start = min(start, len(text) - 1)
    spans = [Span(start, min(len(text), start + length))]
    rest = without(text, spans)
    stretches = stretch_elsewhere(text, spans, np.random.default_rng(seed)) if rest.strip() else []
    assert all(one.end <= spans[0].start or one.start >= spans[0].end for one in stretches)
    assert stretches == sorted(stretches)
    assert bool(stretches) == bool(rest.strip())
