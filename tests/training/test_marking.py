from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from training.marking import MarkingError, add_marks, nested, read_marked, strip_marks

ONE = """\
@@ en-mara-001
country: Moldova
theme: refusal
primary: health.denial | plhiv
---
{{plhiv|On ART}}, [[AGE:41]]. {{health.denial,health|[[PERSON:Ion]] said no}}.
Second line.

@@ ru-x-002
---
Текст
"""


def test_marks_become_offsets_in_plain_text():
    one, two = read_marked(ONE)
    assert one.case_id == "en-mara-001"
    assert one.text == "On ART, 41. Ion said no.\nSecond line."
    assert [(one.text[a:b], label) for a, b, label in one.spans] == [("41", "AGE"), ("Ion", "PERSON")]
    assert sorted((one.text[a:b], code) for a, b, code in one.evidence) == [
        ("Ion said no", "health"), ("Ion said no", "health.denial"), ("On ART", "plhiv"),
    ]  # fmt: skip
    assert one.header["country"] == "Moldova"
    assert two.text == "Текст"


@pytest.mark.parametrize(
    ("source", "line", "reason"),
    [
        ("words\n@@ a-b-1\n---\nx", 1, "before the first"),
        ("@@ \n---\nx", 1, "case id"),
        ("@@ a-b-1\nx", 1, "no '---'"),
        ("@@ a-b-1\ncolor: red\n---\nx", 2, "header"),
        ("@@ a-b-1\n---\nx\n[[PERSON:a", 3, "never closed"),
        ("@@ a-b-1\n---\nx\n a]]", 4, "closes nothing"),
        ("@@ a-b-1\n---\n[[PERSON:]]", 3, "empty"),
        ("@@ a-b-1\n---\n[[PERSON:a [[AGE:b]]]]", 3, "inside"),
        ("@@ a-b-1\n---\n{{health|a]]", 3, "closes nothing"),
        ("@@ a-b-1\n---\n[[person:a", 3, "broken"),
    ],
)
def test_broken_marks_name_the_line(source, line, reason):
    with pytest.raises(MarkingError, match=reason) as caught:
        list(read_marked(source))
    assert caught.value.line == line


@given(st.text("ab c\nя", min_size=1, max_size=40), st.data())
def test_marked_form_reads_back_as_it_was(text, data):
    cuts = sorted(data.draw(st.sets(st.integers(0, len(text)), max_size=8)))
    spans = [(a, b, "PERSON") for a, b in zip(cuts[::2], cuts[1::2], strict=False)]
    evidence = [(cuts[0], cuts[-1], "health")] if len(cuts) >= 2 else []
    assert strip_marks(add_marks(text, spans, evidence)) == (text, tuple(spans), tuple(evidence))


RANGES = st.lists(st.tuples(st.integers(0, 11), st.integers(1, 12)).filter(lambda at: at[0] < at[1]), max_size=6)


@given(RANGES, st.sets(st.integers(0, 12), max_size=8).map(sorted))
def test_widened_evidence_always_has_a_marked_form(ranges, cuts):
    spans = [(a, b, "PERSON") for a, b in zip(cuts[::2], cuts[1::2], strict=False)]
    evidence = [(start, end, f"code.{at}") for at, (start, end) in enumerate(ranges)]
    wide = nested(spans, evidence)
    assert [code for *_, code in sorted(wide, key=lambda mark: mark[2])] == [code for *_, code in evidence]
    held = {code: (start, end) for start, end, code in wide}
    assert all(held[code][0] <= start and end <= held[code][1] for start, end, code in evidence)
    assert strip_marks(add_marks("abcdefghijkl", spans, wide)) == ("abcdefghijkl", tuple(spans), tuple(sorted(wide)))


def test_evidence_that_cuts_an_identifier_holds_all_of_it_and_other_evidence_stays():
    evidence = [(2, 5, "health"), (0, 3, "plhiv"), (6, 8, "police")]
    assert nested([(0, 3, "PERSON")], evidence) == [(0, 3, "plhiv"), (0, 5, "health"), (6, 8, "police")]


def test_crossing_marks_have_no_marked_form():
    with pytest.raises(ValueError, match="cross"):
        add_marks("abcdef", [(0, 3, "PERSON")], [(2, 5, "health")])
