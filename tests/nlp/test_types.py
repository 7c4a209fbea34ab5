from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nlp.redaction import replace
from nlp.types import Entity, Narrative, Redaction, Span


@pytest.mark.parametrize(("start", "end"), [(3, 3), (4, 3), (-1, 2)])
def test_empty_or_negative_span_is_refused(start, end):
    with pytest.raises(ValueError, match="empty or negative"):
        Span(start, end)


def test_texts_stay_out_of_reprs():
    entity = Entity(Span(0, 4), "PERSON", 1.0, "test")
    redaction = replace("Zarina came", [entity])
    for value in (Narrative("Zarina came", case_id="Zarina-1"), redaction, redaction.replacements):
        assert "Zarina" not in repr(value)
        assert "came" not in repr(value)


@pytest.mark.parametrize(
    ("span", "words"),
    [
        (Span(0, 8), "Dr [PERSON_1]"),  # ends inside the name: the placeholder is there whole
        (Span(5, 14), "[PERSON_1] said"),  # starts inside the name
        (Span(10, 14), "said"),
        (Span(0, 2), "Dr"),
        (Span(15, 21), "[PHONE_1]"),
    ],
)
def test_evidence_is_told_in_redacted_words(span, words):
    text = "Dr Aliyev said 700123"
    redaction = replace(text, [Entity(Span(3, 9), "PERSON", 1, "t"), Entity(Span(15, 21), "PHONE", 1, "t")])
    assert redaction.text == "Dr [PERSON_1] said [PHONE_1]"
    assert redaction.redacted_words(span) == words


@given(st.data())
def test_text_between_entities_maps_to_itself(data):
    text = data.draw(st.text(min_size=1, max_size=60))
    cuts = sorted(data.draw(st.sets(st.integers(0, len(text)), max_size=6)))
    entities = [Entity(Span(a, b), "PHONE", 1, "t") for a, b in zip(cuts[::2], cuts[1::2], strict=False)]
    redaction: Redaction = replace(text, entities)
    at = 0
    for entity in [*entities, None]:
        end = entity.span.start if entity else len(text)
        if at < end:
            assert redaction.redacted_words(Span(at, end)) == text[at:end]
        at = entity.span.end if entity else end
