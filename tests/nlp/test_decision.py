from __future__ import annotations

import numpy as np
import pytest

from nlp.decision import Policy, Thresholds, decide, primary_codes, whole_words
from nlp.types import Narrative, Span, Suggestion

TEXT = "Мадина пришла в больницу. Врач отказал ей. Потом она ушла."


@pytest.mark.parametrize(
    ("probability", "decision"),
    [
        (0.99, "auto"),
        (0.95, "auto"),
        (0.94, "suggest"),
        (0.5, "suggest"),
        (0.49, "review"),
        (0.25, "review"),
        (0.2, "none"),
    ],
)
def test_decision_follows_the_thresholds(probability, decision):
    assert Thresholds(0.25, 0.5, 0.95).decide(probability) == decision


def test_code_without_shown_precision_never_goes_by_itself():
    assert Thresholds(0.25, 0.5, None).decide(1.0) == "suggest"


def test_policy_without_a_code_is_refused(codebook):
    with pytest.raises(ValueError, match="no thresholds"):
        Policy.from_json({"codes": {}}, codebook)


def _decide(pipeline, drops):
    reading = pipeline.reader.read(Narrative(TEXT))
    redaction = pipeline.redactor.redact(reading)
    row = pipeline.classifier.row
    without = np.array([row - drop for drop in drops])
    return decide(
        pipeline.classifier.columns, row, without,
        codebook=pipeline.codebook, policy=pipeline.policy, reading=reading, redaction=redaction,
    )  # fmt: skip


def test_evidence_is_the_sentence_without_which_the_probability_falls(constant_pipeline):
    by_code = {item.code: item for item in _decide(constant_pipeline, [0.02, 0.4, 0.0])}
    (evidence,) = by_code["health.denial"].evidence
    assert TEXT[evidence.span.start : evidence.span.end] == "Врач отказал ей."
    assert evidence.drop == pytest.approx(0.4)


def test_evidence_is_told_redacted(constant_pipeline):
    by_code = {item.code: item for item in _decide(constant_pipeline, [0.4, 0.0, 0.0])}
    assert by_code["health.denial"].evidence[0].redacted.startswith("[PERSON_1] пришла")


def test_codes_below_every_threshold_come_without_evidence(constant_pipeline):
    by_code = {item.code: item for item in _decide(constant_pipeline, [0.4, 0.0, 0.0])}
    assert by_code["social.work"].decision == "none"
    assert by_code["social.work"].evidence == ()


def test_suggestions_are_sorted_by_axis_and_probability(constant_pipeline):
    items = _decide(constant_pipeline, [0.1, 0.1, 0.1])
    axes = [axis.id for axis in constant_pipeline.codebook.axes]
    keys = [(axes.index(item.axis), -item.probability, item.code) for item in items]
    assert keys == sorted(keys)
    assert len(items) == sum(len(axis.codes) for axis in constant_pipeline.codebook.axes)


@pytest.mark.parametrize(
    ("probabilities", "primary"),
    [
        (
            {"violence.psychological": 0.9, "health.denial": 0.6},
            "health.denial",
        ),  # insults never lead beside another act
        ({"violence.psychological": 0.9}, "violence.psychological"),
        ({"violence.psychological": 0.3, "health.denial": 0.3}, None),  # nothing is suggested
    ],
)
def test_primary_code(codebook, probabilities, primary):
    items = tuple(
        Suggestion("violation", code, p, "suggest" if p >= 0.5 else "review")
        for code, p in sorted(probabilities.items(), key=lambda item: -item[1])
    )
    assert primary_codes(items, codebook)["violation"] == primary


WORDY = "Врач отказал ей, не лечил-таки из-за ВІЛ и об'явил. Ушла."


@pytest.mark.parametrize(
    ("pieces", "words"),
    [
        (["рач"], ["Врач"]),
        (["отка", "л ей"], ["отказал ей"]),
        (["чил"], ["лечил-таки"]),
        (["за ВІ"], ["из-за ВІЛ"]),
        (["яв"], ["об'явил"]),
        (["Врач", "отказал"], ["Врач", "отказал"]),
    ],
)
def test_words_of_evidence_are_whole(pieces, words):
    spans = [Span(WORDY.index(piece), WORDY.index(piece) + len(piece)) for piece in pieces]
    found = whole_words(WORDY, spans, Span(0, len(WORDY)))
    assert [WORDY[span.start : span.end] for span in found] == words


def test_words_of_evidence_stay_in_their_sentence():
    end = WORDY.index("явил") + 2
    assert whole_words(WORDY, [Span(end - 1, end)], Span(0, end)) == (Span(WORDY.index("об'"), end),)
