from __future__ import annotations

import json
from collections import Counter

import pytest

from nlp.errors import CorpusError
from training.corpus import case_json, cases_from_marked, count_codes, marked_form, read_cases, write_cases

GOOD = {
    "id": "en-a-1",
    "lang": "en",
    "text": "Zarina said the doctor refused.",
    "violation": ["health.denial"],
    "perpetrator": ["health"],
    "population": None,
    "evidence": {"violation": {"health.denial": ["the doctor refused"]}},
    "primary": {"violation": "health.denial", "population": None},
    "spans": [{"start": 0, "end": 6, "label": "PERSON"}],
}

GOOD_EVIDENCE = GOOD["evidence"]["violation"]
WHO = {"health": ["doctor"]}


def _write(path, *objects):
    path.write_text("".join(json.dumps(item) + "\n" for item in objects), encoding="utf-8")
    return path


def test_case_that_was_not_coded_stays_not_coded(tmp_path, codebook):
    (case,) = read_cases(_write(tmp_path / "a.jsonl", GOOD), codebook)
    assert case.codes["population"] is None
    assert case.codes["violation"] == {"health.denial"}


def test_files_of_the_older_form_are_read(tmp_path, codebook):
    older = {key: GOOD[key] for key in ("id", "lang", "text", "violation", "perpetrator")} | {
        "population": [],
        "primary": "health.denial",
    }
    (case,) = read_cases(_write(tmp_path / "a.jsonl", older), codebook)
    assert case.primary["violation"] == "health.denial"
    assert case.entities is None


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"violation": ["health.gone"]}, "has 1 code.s. that the codebook does not have"),
        ({"violation": "health.denial"}, "list of codes"),
        ({"text": ""}, "`text`"),
        ({"lang": None}, "`lang`"),
        ({"primary": {"violation": "social.work"}}, "primary"),
        ({"evidence": {"violation": {"health.denial": ["not there"]}}}, "does not stand"),
        ({"evidence": {"violation": {"social.work": ["the doctor"]}}}, "not coded"),
        ({"spans": [{"start": 0, "end": 99, "label": "PERSON"}]}, "past the text"),
        ({"spans": [{"start": 0, "end": 6, "label": "NAME"}]}, "no identifier"),
        ({"spans": [{"start": 0, "end": 6, "label": "PERSON"}, {"start": 3, "end": 9, "label": "PERSON"}]}, "overlap"),
        ({"spans": [{"start": 6, "end": 6, "label": "PERSON"}]}, "start < end"),
    ],
)
def test_fault_names_file_line_and_reason_but_no_text(tmp_path, codebook, change, reason):
    with pytest.raises(CorpusError, match=reason) as caught:
        read_cases(_write(tmp_path / "a.jsonl", GOOD, {**GOOD, "id": "en-a-2", **change}), codebook)
    assert str(caught.value).startswith("a.jsonl, line 2: ")
    assert "Zarina" not in str(caught.value)


def test_id_that_stands_twice_is_a_fault(tmp_path, codebook):
    with pytest.raises(CorpusError, match="twice"):
        read_cases(_write(tmp_path / "a.jsonl", GOOD, GOOD), codebook)


def test_written_cases_read_back_as_they_were(tmp_path, codebook):
    cases = read_cases(_write(tmp_path / "a.jsonl", GOOD), codebook)
    write_cases(tmp_path / "b.jsonl", cases)
    assert [case_json(case) for case in read_cases(tmp_path / "b.jsonl", codebook)] == [
        case_json(case) for case in cases
    ]


def test_corpus_is_large_and_even_enough(narratives, codebook):
    languages = Counter(case.language for case in narratives)
    assert languages["en"] >= 200
    assert languages["ru"] >= 200
    assert min(count_codes(narratives, codebook).values()) >= 8
    assert 0.13 <= sum(case.codes["violation"] == frozenset() for case in narratives) / len(narratives) <= 0.20


def test_every_code_of_the_corpus_has_evidence(narratives):
    for case in narratives:
        for axis, codes in case.codes.items():
            assert set(case.evidence.get(axis, {})) == set(codes or ()), case.case_id


def test_codes_that_go_together_do(narratives, codebook):
    for case in narratives:
        codes = {code for by_axis in case.codes.values() for code in by_axis or ()}
        for code in codes:
            assert set(codebook.label(code).beside) <= codes, case.case_id


def test_primary_codes_follow_the_rules(narratives, codebook):
    for case in narratives:
        for axis, code in case.primary.items():
            assert bool(code) == bool(case.codes[axis]), case.case_id
            others = [other for other in case.codes[axis] or () if codebook.label(other).may_lead]
            assert code is None or codebook.label(code).may_lead or not others, case.case_id


def test_narratives_are_invented_and_say_so(narratives):
    assert {case.source for case in narratives} == {"invented"}
    assert all(case.writer and case.theme and case.country for case in narratives)


def test_marked_form_of_a_narrative_reads_back_as_it_was(narratives, codebook, tmp_path):
    sample = narratives[::25]
    (tmp_path / "marked.txt").write_text("\n".join(map(marked_form, sample)), encoding="utf-8")
    again = cases_from_marked(tmp_path / "marked.txt", codebook)
    for before, after in zip(sample, again, strict=True):
        assert after.text == before.text
        assert after.codes == before.codes
        assert after.entities == before.entities
        assert after.primary == before.primary


@pytest.mark.parametrize(
    "change",
    [
        {},
        {"lang": "ru"},
        {"person": "p-7"},
        {"source": "cleared"},
        {"source": ""},
        {"translation_of": "ru-a-1", "country": "Kyrgyzstan", "tags": ["notes"]},
    ],
)
def test_marked_form_keeps_where_a_narrative_comes_from(tmp_path, codebook, change):
    whole = {**GOOD, "source": "invented", "writer": "a", "evidence": {"violation": GOOD_EVIDENCE, "perpetrator": WHO}}
    (case,) = read_cases(_write(tmp_path / "a.jsonl", whole | change), codebook)
    (tmp_path / "marked.txt").write_text(marked_form(case), encoding="utf-8", newline="\n")
    assert [case_json(again) for again in cases_from_marked(tmp_path / "marked.txt", codebook)] == [case_json(case)]


def test_marked_form_widens_evidence_that_cuts_a_name(tmp_path, codebook):
    cut = {
        "text": "Ruslan K. refused\r\nher",
        "evidence": {"violation": {"health.denial": ["K. refused"]}, "perpetrator": {"health": ["refused\r\nher"]}},
        "spans": [{"start": 0, "end": 9, "label": "PERSON"}],
    }
    (case,) = read_cases(_write(tmp_path / "a.jsonl", GOOD | cut), codebook)
    (tmp_path / "marked.txt").write_text(marked_form(case), encoding="utf-8", newline="\n")
    (again,) = cases_from_marked(tmp_path / "marked.txt", codebook)
    assert again.text == "Ruslan K. refused\nher"
    assert again.codes == case.codes
    assert again.entities == case.entities
    assert "Ruslan K. refused" in again.evidence["violation"]["health.denial"][0]
