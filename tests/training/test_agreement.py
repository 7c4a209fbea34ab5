from __future__ import annotations

import json
from dataclasses import replace

import pytest
from typer.testing import CliRunner

from nlp.errors import CorpusError
from training.agreement import (
    Coding,
    agreement,
    coding_of,
    disagreements,
    read_codings,
    sample_for_second,
    write_codings,
)
from training.cli import app
from training.corpus import Case, is_hard, read_cases


def coded(number, violation=(), population=(), primary=None):
    codes = {"violation": frozenset(violation), "perpetrator": frozenset(), "population": frozenset(population)}
    return Coding(f"c{number}", codes, {"violation": primary, "population": None})


def by_id(*codings):
    return {item.case_id: item for item in codings}


def test_alpha_is_that_of_the_published_example(codebook):
    """Two observers and ten units with nominal values: alpha 0.095 (Krippendorff 2011, section B)."""
    a, b = [0, 1, 0, 0, 0, 0, 0, 0, 1, 0], [1, 1, 1, 0, 0, 1, 0, 0, 0, 0]
    first, second = (by_id(*(coded(n, ["health.denial"] * v) for n, v in enumerate(values))) for values in (a, b))
    row = agreement(first, second, codebook)["axes"]["violation"]["codes"]["health.denial"]
    assert row["alpha"] == pytest.approx(0.095, abs=0.001)
    assert (row["first"], row["second"], row["both"]) == (2, 4, 1)


def test_same_codings_agree_fully_and_unused_codes_are_undefined(codebook):
    codings = by_id(coded(1, ["health.denial"], ["plhiv"]), coded(2, [], ["tb"]), coded(3, ["social.work"]))
    figures = agreement(codings, codings, codebook)
    assert figures["axes"]["violation"]["alpha"] == figures["axes"]["population"]["alpha"] == 1
    assert figures["axes"]["violation"]["f1"] == figures["axes"]["violation"]["identical"] == 1
    assert figures["axes"]["violation"]["codes"]["civic.hate"]["alpha"] is None


def test_half_a_match_counts_more_than_none(codebook):
    first = by_id(coded(1, ["health.denial", "violence.threat"]), coded(2, ["social.work"]), coded(3, ["civic.hate"]))
    near = first | by_id(coded(1, ["health.denial"]))
    far = first | by_id(coded(1, ["justice.search"]))
    alphas = [agreement(first, other, codebook)["axes"]["violation"]["alpha"] for other in (near, far)]
    assert 1 > alphas[0] > alphas[1]


def test_only_cases_that_both_coded_are_compared(codebook):
    figures = agreement(by_id(coded(1), coded(2)), by_id(coded(2), coded(3)), codebook)
    assert figures["cases"] == 1


def test_disagreements_say_who_has_the_code():
    first, second = by_id(coded(1, ["health.denial"], ["tb"])), by_id(coded(1, ["social.work"], ["tb"]))
    assert disagreements(first, second) == [
        ("c1", "violation", "health.denial", "first"),
        ("c1", "violation", "social.work", "second"),
    ]


def test_the_sample_is_half_hard_and_of_every_language():
    cases = [
        Case(f"c{n}", language, "x", {}, tags=("negation", "notes") if n % 4 == 0 else ("notes",))
        for language in ("en", "sq") for n in range(1000 * (language == "sq"), 1000 * (language == "sq") + 400)
    ]  # fmt: skip
    drawn = sample_for_second(cases, share=0.15, seed=1)
    assert len(drawn) == 120 and len({case.case_id for case in drawn}) == 120
    assert sum(is_hard(case) for case in drawn) == 60
    assert sum(case.language == "sq" for case in drawn) == 60
    assert (
        drawn
        == sample_for_second(list(reversed(cases)), share=0.15, seed=1)
        != sample_for_second(cases, share=0.15, seed=2)
    )


def test_the_second_coder_gets_no_codes(root, codebook, tmp_path):
    output = tmp_path / "blind.txt"
    done = CliRunner().invoke(
        app,
        ["sample", str(root / "annotations" / "narratives" / "en-mara.jsonl"), "-o", str(output),
         "--codebook", str(root / "annotations" / "codebook.yaml"), "--share", "0.5"],
    )  # fmt: skip
    assert done.exit_code == 0, done.output
    said = output.read_text(encoding="utf-8")
    cases = read_cases(root / "annotations" / "narratives" / "en-mara.jsonl", codebook)
    drawn = [case for case in cases if f"@@ {case.case_id}\n" in said]
    assert len(drawn) == said.count("@@ ") > 0 and all(case.text in said for case in drawn)
    for case in drawn:
        said = said.replace(case.text, "")
    assert not any(code in said for axis in codebook.axes for code in axis.codes if "." in code)
    assert not any(case.theme in said for case in drawn)


def test_codings_are_kept_without_text(root, codebook, tmp_path):
    cases = read_cases(root / "annotations" / "narratives" / "en-mara.jsonl", codebook)
    codings = [coding_of(case) for case in cases]
    write_codings(tmp_path / "a.jsonl", codings)
    assert read_codings(tmp_path / "a.jsonl", codebook) == by_id(*codings)
    assert '"text"' not in (tmp_path / "a.jsonl").read_text(encoding="utf-8")


PRIMARY = {"violation": None, "population": None}
GOOD = {"id": "a", "violation": ["health.denial"], "perpetrator": [], "population": None, "primary": PRIMARY}
BROKEN = {
    "no json": ("{", "line 1: is no JSON object"),
    "a list": ("[]", "wants a JSON object"),
    "unknown code": (json.dumps(GOOD | {"violation": ["Larisa Botezatu"]}), "does not have"),
    "no list": (json.dumps(GOOD | {"violation": "tb"}), "wants a list of codes"),
    "numbers": (json.dumps(GOOD | {"violation": [1, "x"]}), "wants a list of codes"),
    "primary": (json.dumps(GOOD | {"primary": PRIMARY | {"violation": "social.work"}}), "not among its codes"),
    "twice": (json.dumps(GOOD) + "\n" + json.dumps(GOOD), "line 2: this id stands twice"),
}


@pytest.mark.parametrize("name", BROKEN)
def test_a_broken_coding_is_named_with_its_line(name, codebook, tmp_path):
    (tmp_path / "codings.jsonl").write_text(BROKEN[name][0], encoding="utf-8")
    with pytest.raises(CorpusError, match=BROKEN[name][1]) as caught:
        read_codings(tmp_path / "codings.jsonl", codebook)
    assert "Botezatu" not in str(caught.value)


def test_an_axis_that_a_coder_left_open_is_not_compared(codebook):
    said = coded(1, ["health.denial"], ["plhiv"])
    half = replace(said, codes=said.codes | {"population": None})
    figures = agreement(by_id(said, coded(2)), by_id(half, coded(2)), codebook)
    assert figures["axes"]["population"]["codes"]["plhiv"] == {"first": 0, "second": 0, "both": 0, "alpha": None}
    assert disagreements(by_id(said), by_id(half)) == []


def test_agreement_is_undefined_where_nothing_varies(codebook):
    codings = by_id(*(coded(n, ["health.denial"]) for n in range(3)))
    figures = agreement(codings, codings, codebook)
    assert figures["axes"]["violation"]["codes"]["health.denial"]["alpha"] is None
    assert figures["axes"]["violation"]["alpha"] is None and figures["axes"]["violation"]["f1"] == 1
    assert figures["primary"]["violation"] is None  # none of them has one


def test_a_sample_is_as_large_as_asked_whatever_the_kinds():
    hard = [Case(f"h{n}", "en", "x", {}, tags=("past",)) for n in range(100)]
    assert len(sample_for_second(hard, share=0.15, seed=1)) == 15
    assert len(sample_for_second(hard[:3], share=0.15, seed=1)) == 1


def test_codings_without_a_common_case_are_refused(root, codebook, tmp_path):
    write_codings(tmp_path / "a.jsonl", [coded(1)])
    write_codings(tmp_path / "b.jsonl", [replace(coded(1), case_id="other")])
    done = CliRunner().invoke(
        app,
        ["agreement", str(tmp_path / "a.jsonl"), str(tmp_path / "b.jsonl"),
         "--codebook", str(root / "annotations" / "codebook.yaml")],
    )  # fmt: skip
    assert done.exit_code != 0 and "no case that the first coder has" in done.output.replace("\n", " ")
