"""The pure modules of the page, run by Node where there is one: redaction that people correct, verdicts."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path

import pytest

from nlp.redaction import replace
from nlp.types import Entity, Span
from service.web import pages

NODE = shutil.which("node")
STATIC = Path(pages.__file__).parent / "static"
pytestmark = pytest.mark.skipif(NODE is None, reason="needs Node, which the project does not")

TEXT = "\N{WAVING HAND SIGN} Zarina Qodirova told Nurlan, and Zarina Qodirova wept. Aunt Gulya, Gulyas friend, did not."


@pytest.fixture
def run(tmp_path):
    """The value of a JavaScript expression, with the modules' names and some values at hand."""

    def value_of(program, **values):
        (tmp_path / "package.json").write_text('{"type": "module"}')
        for name in ("redaction.js", "decisions.js"):
            shutil.copy(STATIC / name, tmp_path)
        lines = [
            'import { Redacted, placesOf } from "./redaction.js";',
            'import { Decisions } from "./decisions.js";',
            *(f"const {name} = {json.dumps(value)};" for name, value in values.items()),
            program,
        ]
        (tmp_path / "main.js").write_text("\n".join(lines), encoding="utf-8")
        done = subprocess.run([NODE, "main.js"], cwd=tmp_path, capture_output=True, text=True, check=True)
        return json.loads(done.stdout)

    return value_of


def _redaction(*words):
    starts = [(at, word) for word in words for at in range(len(TEXT)) if TEXT.startswith(word, at)]
    entities = [Entity(Span(at, at + len(word)), "PERSON", 0.9, "test") for at, word in sorted(starts)]
    sent = [{"start": item.span.start, "end": item.span.end, "type": item.type} for item in entities]
    return {"original": TEXT, "redacted": replace(TEXT, entities).text, "entities": sent}


NEW = "const text = new Redacted(original, redacted, entities);"
TOLD = "console.log(JSON.stringify([text.text, text.corrections()]));"


def test_untouched_text_is_the_one_of_the_service(run):
    given = _redaction("Zarina Qodirova", "Nurlan")
    assert run(NEW + TOLD, **given) == [given["redacted"], []]


def test_hidden_words_get_the_next_number_and_offsets_in_code_points(run):
    stored, corrections = run(NEW + 'text.hide("gulya", "PERSON");' + TOLD, **_redaction("Zarina Qodirova"))
    assert "Aunt [PERSON_2], Gulyas" in stored  # alone first, whatever the case of the letters
    (item,) = corrections
    assert (item["kind"], stored[item["start"] : item["end"]]) == ("hidden", "[PERSON_2]")


def test_same_words_are_hidden_everywhere_under_one_number(run):
    stored, corrections = run(NEW + 'text.hide("Zarina  Qodirova", "PERSON");' + TOLD, **_redaction("Nurlan"))
    assert stored.count("[PERSON_2]") == 2
    assert [stored[item["start"] : item["end"]] for item in corrections] == ["[PERSON_2]"] * 2


def test_parts_of_words_are_hidden_with_the_whole_word(run):
    stored, _ = run(NEW + 'text.hide("odiro", "PERSON");' + TOLD, **_redaction("Nurlan"))
    assert "Zarina [PERSON_2]" in stored
    assert "odiro" not in stored


def test_shown_words_are_a_correction_where_the_service_had_hidden_them(run):
    program = NEW + 'text.show(text.segments.find((one) => one.kind === "hidden"));' + TOLD
    stored, (item,) = run(program, **_redaction("Zarina Qodirova"))
    assert (item["kind"], stored[item["start"] : item["end"]]) == ("shown", "Zarina Qodirova")
    assert stored.count("[PERSON_1]") == 1


def test_what_one_hides_and_shows_again_is_no_correction(run):
    program = NEW + 'text.hide("Gulya", "PERSON"); text.show(text.segments.find((one) => one.by === "person"));' + TOLD
    assert run(program, **_redaction("Nurlan"))[1] == []


def test_what_the_service_finds_later_is_hidden_but_not_what_was_shown(run):
    found = [{"start": 2, "end": 17, "type": "PERSON"}, {"start": 23, "end": 29, "type": "PERSON"}]
    program = NEW + "text.show(text.segments[1]); const n = text.hideFound(found);"
    program += "console.log(JSON.stringify([n, text.text, text.corrections()]));"
    n, stored, corrections = run(program, found=found, **_redaction("Zarina Qodirova"))
    assert n == 1
    assert stored.startswith("\N{WAVING HAND SIGN} Zarina Qodirova told [PERSON_2], and [PERSON_1]")
    assert [item["kind"] for item in corrections] == ["shown"]


def test_corrections_outlive_further_writing_unless_their_place_is_unclear(run):
    program = """
    const text = new Redacted(original, redacted, entities);
    text.hide("Gulya", "PERSON");
    text.show(text.segments.find((one) => one.kind === "hidden"));
    const same = new Redacted(original, redacted, entities);
    same.carryOver(text);
    const fewer = new Redacted(original, original, []);
    fewer.carryOver(text);
    console.log(JSON.stringify([text.text === same.text, fewer.corrections().map((item) => item.kind)]));
    """
    assert run(program, **_redaction("Zarina Qodirova")) == [True, ["hidden"]]


def test_verdicts_tell_each_code_once(run):
    program = """
    const decisions = new Decisions();
    const suggest = (...codes) => decisions.settle({
      suggestions: codes.map((code) => ({ axis: "a", code, suggested: true })), primary: { a: "y" } });
    suggest("x", "y", "z");
    decisions.mark({ axis: "a", code: "x" }, "accepted");
    decisions.mark({ axis: "a", code: "y" }, "rejected");
    decisions.add({ axis: "a", code: "w" }, "z");
    const before = decisions.verdicts(() => true).map((item) => [item.code, item.verdict, item.instead_of]);
    suggest("w", "y");
    const after = decisions.verdicts(() => true).map((item) => [item.code, item.verdict, item.instead_of]);
    console.log(JSON.stringify([before, after]));
    """
    before, after = run(program)
    assert before == [["x", "accepted", None], ["y", "rejected", None], ["w", "edited", "z"]]
    assert after == [["w", "accepted", None], ["y", "rejected", None], ["x", "added", None]]


def test_nothing_applies_only_where_no_code_is_chosen(run):
    program = """
    const decisions = new Decisions();
    const [x, z] = [{ axis: "a", code: "x" }, { axis: "b", code: "z" }];
    decisions.settle({ suggestions: [{ ...x, suggested: true }], primary: {} });
    const told = () => [[...decisions.nothing], decisions.open().length, decisions.isDecided("a")];
    const states = [told()];
    decisions.setNothing("a", true);
    states.push(told());
    decisions.mark(x, "rejected");
    states.push(told());
    decisions.mark(x, "accepted");
    states.push(told());
    decisions.setNothing("a", true);
    states.push(told());
    decisions.setNothing("b", true);
    decisions.add(z);
    states.push(told());
    console.log(JSON.stringify(states));
    """
    assert run(program) == [
        [[], 1, False],
        [["a"], 0, True],
        [["a"], 0, True],
        [[], 0, True],
        [[], 0, True],
        [[], 0, True],
    ]


@pytest.mark.parametrize(
    "words", ["Osh-Bazar", "555-12-34", "a.b (c) [d] {e} | f/g \\ h^i$j*k+l?m", "o’z", "100%", "a&b=c~d"]
)
def test_words_with_any_mark_are_hidden(run, words):
    """No character of what a person types may be taken for a part of a pattern."""
    given = {"original": f"It was {words} here", "redacted": f"It was {words} here", "entities": []}
    stored, _ = run(NEW + f"text.hide({json.dumps(words)}, 'PERSON');" + TOLD, **given)
    assert stored == "It was [PERSON_1] here"


def test_what_a_person_hid_stays_hidden_where_the_service_now_hides_a_part_of_it(run):
    older = _redaction("Nurlan")
    program = """
    const before = new Redacted(original, redacted, entities);
    before.hide("Zarina Qodirova", "PERSON");
    const text = new Redacted(original, later, found);
    text.carryOver(before);
    console.log(JSON.stringify([text.text, []]));
    """
    newer = _redaction("Zarina", "Nurlan")
    stored, _ = run(program, **older, later=newer["redacted"], found=newer["entities"])
    assert "Qodirova" not in stored
