from __future__ import annotations

import copy
import json
import os
import stat
import time
from pathlib import Path

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st
from typer.testing import CliRunner

from nlp.codebook import load_codebook
from nlp.errors import CasecoderError, InterchangeError
from nlp.interchange import (
    Coded,
    dump_payload,
    event_updates,
    load_mapping,
    load_payload,
    parse_mapping,
    parse_payload,
    read_events,
    write_events,
)
from nlp.interchange_cli import interchange_app
from nlp.types import Narrative

runner = CliRunner()
EXAMPLES = Path(__file__).parents[2] / "annotations" / "examples"
CODEBOOK = load_codebook(EXAMPLES.parent / "codebook.yaml")
MAPPING = load_mapping(EXAMPLES / "dhis2-mapping.yaml", CODEBOOK)
SMALL = """
narrative: {elements: [story, help]}
axes:
  violation: {element: viol, primary: main}
"""
CANARY = "qazanarbekovaxx"


def small(**changes):
    """The small mapping with other keys, as text."""
    return yaml.safe_dump({**yaml.safe_load(SMALL), **changes}, allow_unicode=True)


def event(*values, **more):
    items = [{"dataElement": element, "value": value} for element, value in values]
    return {"event": "Event000001", "programStage": "stage", "orgUnit": "unit", **more, "dataValues": items}


def values_of(event):
    return {item["dataElement"]: item["value"] for item in event["dataValues"]}


def coded(**codes):
    return Coded({"violation": codes.pop("violation", None), **codes}, {})


MINE = parse_mapping(SMALL, CODEBOOK)


# Reading.


def test_cases_of_the_example_in_flat_and_nested_lists():
    cases = read_events(load_payload(EXAMPLES / "dhis2-events.json"), MAPPING)
    assert [(case.place, case.narrative.case_id, case.narrative.language) for case in cases] == [
        ("trackedEntities[0].enrollments[0].events[0]", "OSH-0417-1", "ru"),
        ("events[0]", "BIS-1002", "en"),
        ("events[1]", "BIS-1003", "en"),
        ("events[2]", "EvtFlat0003", None),  # no case id: the event's
    ]
    first, second = cases[0].narrative, cases[1].narrative
    assert first.country == "Кыргызстан"
    assert first.text.count("\n\n") == 1  # two elements, joined
    assert first.text.endswith("на следующий день.")
    assert "😔" in second.text
    assert "\r\n" in second.text


@pytest.mark.parametrize(
    ("values", "text"),
    [
        ([("help", "b"), ("story", "a")], "a\n\nb"),  # in the order of the mapping
        ([("story", " a \n"), ("help", "  \n")], " a \n"),  # blank ones left out, others as they are
        ([("story", None), ("help", "b 😔\r\nc")], "b 😔\r\nc"),
        ([("story", ""), ("other", "x")], None),
        ([], None),
    ],
)
def test_several_narrative_elements_are_joined(values, text):
    cases = read_events({"events": [event(*values)]}, MINE)
    assert [case.narrative.text for case in cases] == ([text] if text else [])


def test_the_text_between_joined_elements_can_be_chosen():
    mapping = parse_mapping(small(narrative={"elements": ["story", "help"], "join": " / "}), CODEBOOK)
    (case,) = read_events({"events": [event(("story", "a"), ("help", "b"))]}, mapping)
    assert case.narrative.text == "a / b"


def test_events_may_leave_out_what_the_format_lets_them():
    bare = {"programStage": "stage", "dataValues": [{"dataElement": "story", "value": "a"}]}
    nested = {"enrollments": [{"program": "p", "events": [{"dataValues": bare["dataValues"]}, {}]}, {"events": None}]}
    payload = {"events": [bare, {"program": "p"}], "trackedEntities": [nested, {}], "enrollments": None}
    mapping = parse_mapping(small(program="p"), CODEBOOK)
    cases = read_events(payload, mapping)
    assert [case.place for case in cases] == ["trackedEntities[0].enrollments[0].events[0]", "events[0]"]
    assert {case.narrative.case_id for case in cases} == {None}


@pytest.mark.parametrize(
    "event",
    [
        event(("story", "a"), program="other"),
        event(("story", "a"), program="p", programStage="other"),
        event(("story", "a"), deleted=True),
    ],
)
def test_other_programs_and_stages_and_deleted_events_are_left_alone(event):
    mapping = parse_mapping(small(program="p", stages=["stage"]), CODEBOOK)
    assert read_events({"events": [event]}, mapping) == []
    assert write_events({"events": [event]}, mapping, {}) == {"events": [event]}
    with pytest.raises(InterchangeError, match=r"^events\[0\]: "):
        write_events({"events": [event]}, mapping, {"events[0]": coded(violation=["health.denial"])})


GOOD = event(("story", CANARY))
FAULTS = [
    ([], "payload"),
    (None, "payload"),
    ("text", "payload"),
    ({}, "payload"),
    ({"instances": [GOOD]}, "payload"),
    ({"events": {}}, "events"),
    ({"events": CANARY}, "events"),
    ({"events": [GOOD, CANARY]}, "events[1]"),
    ({"events": [GOOD, None]}, "events[1]"),
    ({"events": [{"dataValues": []}]}, "events[0]"),
    ({"events": [{"programStage": [CANARY]}]}, "events[0].programStage"),
    ({"events": [{"programStage": "s", "program": 1}]}, "events[0].program"),
    ({"events": [{"programStage": "s", "event": {}}]}, "events[0].event"),
    ({"events": [{**GOOD, "dataValues": {CANARY: CANARY}}]}, "events[0].dataValues"),
    ({"events": [{**GOOD, "dataValues": CANARY}]}, "events[0].dataValues"),
    ({"events": [{**GOOD, "dataValues": [*GOOD["dataValues"], CANARY]}]}, "events[0].dataValues[1]"),
    ({"events": [{**GOOD, "dataValues": [{"value": CANARY}]}]}, "events[0].dataValues[0].dataElement"),
    ({"events": [{**GOOD, "dataValues": [{"dataElement": [CANARY]}]}]}, "events[0].dataValues[0].dataElement"),
    ({"events": [GOOD, GOOD, GOOD, event(("x", 1), ("x", 2), ("story", 5))]}, "events[3].dataValues[2].value"),
    ({"events": [event(("story", [CANARY]))]}, "events[0].dataValues[0].value"),
    ({"events": [event(("help", True))]}, "events[0].dataValues[0].value"),
    ({"events": [event(("story", CANARY), ("story", "b"))]}, "events[0].dataValues[1]"),
    ({"events": [event(("viol", "a"), ("story", CANARY), ("viol", "b"))]}, "events[0].dataValues[2]"),
    ({"trackedEntities": [{}, {"enrollments": 5}]}, "trackedEntities[1].enrollments"),
    ({"trackedEntities": [{"enrollments": [{"events": [[]]}]}]}, "trackedEntities[0].enrollments[0].events[0]"),
    ({"enrollments": [{"program": 1, "events": [{}]}]}, "enrollments[0].program"),
]


@pytest.mark.parametrize(("payload", "place"), FAULTS)
def test_a_fault_is_named_by_its_place_and_never_by_a_value(payload, place):
    for use in (lambda: read_events(payload, MINE), lambda: write_events(payload, MINE, {"events[0]": coded()})):
        with pytest.raises(InterchangeError) as caught:
            use()
        assert caught.value.place == place
        assert caught.value.code == "interchange.invalid"
        assert str(caught.value).startswith(f"{place}: ")
        assert CANARY not in str(caught.value)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                [
                    "events",
                    "enrollments",
                    "trackedEntities",
                    "dataValues",
                    "dataElement",
                    "value",
                    "program",
                    "event",
                    "deleted",
                ]
            ),
            inner,
            max_size=4,
        )
    ),
    max_leaves=25,
)


@given(JSON)
def test_no_payload_crashes(payload):
    try:
        cases = read_events(payload, MINE)
        result = write_events(payload, MINE, {case.place: coded(violation=["health.denial"]) for case in cases})
        event_updates(payload, result)
    except InterchangeError:
        return
    assert parse_payload(dump_payload(result)) == result


@pytest.mark.parametrize(
    "content",
    [
        b"", b"{", b"[]", b"5", b"null", b'"text"', b"\xff\xfe\xff", b'{"events": [], "events": []}', b'{"x": NaN}',
        b'{"x": -Infinity}', b'{"x": 1e999}', b'{"x": ' + b"9" * 5000 + b"}", b'{"x": ' + b"[" * 100_000,
        b'{"x":' * 200 + b"1" + b"}" * 200, b'{"events": "\x00"}', '{"x": "ю"}'.encode("cp1251"),
    ],
)  # fmt: skip
def test_content_that_would_not_come_back_as_it_was_is_refused(content):
    with pytest.raises(InterchangeError, match=r"^payload"):
        parse_payload(content)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_payloads_are_read_in_every_encoding_of_json(encoding):
    assert parse_payload('{"events": [], "note": "Айгуль 😔"}'.encode(encoding))["note"] == "Айгуль 😔"


# Writing.


def test_codes_go_to_one_value_or_to_yes_no_elements_in_the_options_of_the_program():
    payload = load_payload(EXAMPLES / "dhis2-events.json")
    codes = Coded(
        {"violation": ["health.denial", "privacy.disclosure"], "perpetrator": ["police", "public"], "population": []},
        {"violation": "health.denial"},
        bundle="react-9",
    )
    result = write_events(payload, MAPPING, {"events[0]": codes})
    before, after = values_of(payload["events"][0]), values_of(result["events"][0])
    assert {key: value for key, value in after.items() if key not in before} == {
        "ViolatnMult": "HC_DENIED,DISCLOSURE",
        "ViolatnMain": "HC_DENIED",
        "PerpPolice1": "true",  # `public` has no data element in this program
        "CodesBundle": "react-9",
    }
    assert {key: after[key] for key in before} == before


def test_no_value_is_written_where_the_program_has_one():
    people = {code: f"is_{code}" for code in CODEBOOK.axis("perpetrator").codes}
    mapping = parse_mapping(small(axes={"perpetrator": {"elements": people, "no_value": "false"}}), CODEBOOK)
    result = write_events({"events": [GOOD]}, mapping, {"events[0]": coded(perpetrator=["police"])})
    said = values_of(result["events"][0])
    assert said["is_police"] == "true"
    assert {said[element] for code, element in people.items() if code != "police"} == {"false"}


@pytest.mark.parametrize(
    ("codes", "value"),
    [
        (None, None),  # not coded: nothing is written
        ([], "NO_VIOLATION"),  # coded, and nothing applies
        (["health.denial"], "HC_DENIED"),
    ],
)
def test_not_coded_is_not_the_same_as_nothing_applies(codes, value):
    payload = load_payload(EXAMPLES / "dhis2-events.json")
    result = write_events(payload, MAPPING, {"events[0]": coded(violation=codes)})
    assert values_of(result["events"][0]).get("ViolatnMult") == value


@pytest.mark.parametrize("present", [("viol", "OLD"), ("main", "OLD"), ("viol", 0), ("viol", False), ("main", [1])])
def test_an_axis_that_a_person_coded_is_left_as_it_is(present):
    payload = {"events": [event(("story", "a"), present)]}
    codes = Coded({"violation": ["health.denial"]}, {"violation": "health.denial"})
    assert write_events(payload, MINE, {"events[0]": codes}) == payload
    told = write_events(payload, MINE, {"events[0]": codes}, overwrite=True)
    assert values_of(told["events"][0]) == {"story": "a", "viol": "health.denial", "main": "health.denial"}


@pytest.mark.parametrize("empty", ["", "  ", None])
def test_an_empty_value_is_no_value(empty):
    payload = {"events": [event(("viol", empty), ("story", "a"))]}
    result = write_events(payload, MINE, {"events[0]": coded(violation=["health.denial"])})
    assert result["events"][0]["dataValues"][0] == {"dataElement": "viol", "value": "health.denial"}


def test_a_decision_that_nothing_applies_removes_old_codes_when_told():
    payload = {"events": [event(("story", "a"), ("viol", "OLD"))]}
    result = write_events(payload, MINE, {"events[0]": coded(violation=[])}, overwrite=True)
    assert values_of(result["events"][0])["viol"] is None  # null removes a value on import


def test_a_decision_of_a_person_takes_the_mark_of_the_software_away():
    mapping = parse_mapping(small(suggested_by="by"), CODEBOOK)
    start = {"events": [event(("story", "a"))]}
    suggested = write_events(start, mapping, {"events[0]": Coded({"violation": ["health.denial"]}, {}, "react-9")})
    assert values_of(suggested["events"][0])["by"] == "react-9"
    decided = write_events(suggested, mapping, {"events[0]": coded(violation=["health.denial"])}, overwrite=True)
    assert values_of(decided["events"][0]) == {"story": "a", "viol": "health.denial", "by": None}


def test_other_keys_of_a_data_value_stay():
    item = {"dataElement": "viol", "value": "", "createdAt": "2026-01-01", "providedElsewhere": False, "storedBy": "x"}
    payload = {"events": [{**event(("story", "a")), "dataValues": [item, {"dataElement": "story", "value": "a"}]}]}
    result = write_events(payload, MINE, {"events[0]": coded(violation=["health.denial"])})
    assert result["events"][0]["dataValues"][0] == {**item, "value": "health.denial"}


@pytest.mark.parametrize(
    ("place", "codes"),
    [
        ("events[7]", Coded({})),
        ("events[0]", Coded({"violation": [CANARY]})),
        ("events[0]", Coded({"violation": ["police"]})),  # of another axis
        ("events[0]", Coded({"violation": []}, {"violation": CANARY})),
        ("events[0]", Coded({CANARY: []})),
    ],
)
def test_codes_that_do_not_fit_are_refused(place, codes):
    with pytest.raises(InterchangeError) as caught:
        write_events({"events": [GOOD]}, MINE, {place: codes})
    assert caught.value.place == place
    assert CANARY not in str(caught.value)


def test_an_analysis_is_written_as_what_it_suggests(constant_pipeline):
    payload = load_payload(EXAMPLES / "dhis2-events.json")
    analysis = constant_pipeline.analyze_one(Narrative("The doctor refused."))
    result = write_events(payload, MAPPING, {"events[0]": analysis})
    said = values_of(result["events"][0])
    assert said["ViolatnMult"] == "HC_DENIED,VIOL_PSYCH"  # by falling probability, up for review is not suggested
    assert said["PerpHealth1"] == "true"
    assert said["PopulatMult"] == "plhiv"
    assert said["CodesBundle"] == "constant-1"


def strip(payload, elements):
    """The payload without the values of some data elements."""
    if isinstance(payload, list):
        return [
            strip(item, elements)
            for item in payload
            if not (isinstance(item, dict) and str(item.get("dataElement")) in elements)
        ]
    if isinstance(payload, dict):
        return {key: strip(value, elements) for key, value in payload.items()}
    return payload


TEXTS = st.text(st.characters(codec=None), max_size=12)  # line breaks, emoji, halves of surrogate pairs
DATA_VALUES = st.dictionaries(st.sampled_from(["story", "help", "viol", "main", "x", "y"]), TEXTS, max_size=6)


@given(
    st.lists(st.tuples(DATA_VALUES, st.dictionaries(TEXTS, JSON, max_size=3)), max_size=4),
    st.booleans(),
    st.sampled_from([None, [], ["health.denial"], ["civic.hate", "health.denial"]]),
)
def test_only_mapped_elements_change(events, overwrite, codes):
    """Laws: the input stays as it is; without the mapped code elements, input and output are the same; writing twice
    changes nothing more; what is read back from the file is what was written; updates hold mapped elements only."""
    payload = {
        "events": [{**more, **event(*values.items()), "deleted": False, "program": None} for values, more in events],
        "other": [more for _, more in events],
    }
    given_as = copy.deepcopy(payload)
    places = [case.place for case in read_events(payload, MINE)]
    decided = dict.fromkeys(places, Coded({"violation": codes}, {"violation": codes[0] if codes else None}))
    result = write_events(payload, MINE, decided, overwrite=overwrite)
    assert payload == given_as
    assert strip(result, {"viol", "main"}) == strip(payload, {"viol", "main"})
    assert write_events(result, MINE, decided, overwrite=overwrite) == result
    assert parse_payload(dump_payload(result)) == result
    updates = event_updates(payload, result)
    assert {item["dataElement"] for each in updates["events"] for item in each["dataValues"]} <= {"viol", "main"}


def test_an_update_names_whole_events_with_changed_values_only():
    payload = load_payload(EXAMPLES / "dhis2-events.json")
    payload["events"][0] |= {"createdBy": {"surname": CANARY}, "relationships": []}
    places = [case.place for case in read_events(payload, MAPPING)]
    result = write_events(payload, MAPPING, {place: coded(violation=["health.denial"]) for place in places})
    updates = event_updates(payload, result)
    assert [item["event"] for item in updates["events"]] == ["EvtNested01", "EvtFlat0001", "EvtFlat0003"]
    nested, flat, _ = updates["events"]
    assert nested["enrollment"] == "Enrollment1"
    assert nested["program"] == "RcasePrgrm1"
    assert flat["geometry"] == payload["events"][0]["geometry"]
    assert flat["dataValues"] == [{"dataElement": "ViolatnMult", "value": "HC_DENIED"}]
    assert not {"notes", "relationships", "createdBy"} & set(flat)
    assert "Zarina" not in json.dumps(updates)


def test_an_update_needs_the_id_of_its_event():
    payload = {"events": [{**event(("story", "a")), "event": None}]}
    with pytest.raises(InterchangeError, match=r"events\[0\]: has no `event` id"):
        read_events(payload, MINE, with_ids=True)
    with pytest.raises(InterchangeError, match=r"events\[0\]: has no `event` id"):
        event_updates(payload, write_events(payload, MINE, {"events[0]": coded(violation=["health.denial"])}))


def test_ten_thousand_events_take_seconds():
    events = [
        event(("story", f"Line {number}\nand 😔 more"), *((f"x{at}", str(at)) for at in range(12)), event=f"E{number}")
        for number in range(10_000)
    ]
    started = time.monotonic()
    payload = parse_payload(json.dumps({"events": events}))
    cases = read_events(payload, MINE)
    result = write_events(payload, MINE, {case.place: coded(violation=["health.denial"]) for case in cases})
    updates = event_updates(payload, result)
    content = dump_payload(result)
    assert time.monotonic() - started < 20  # 2 s where nothing else runs
    assert len(cases) == len(updates["events"]) == 10_000
    assert cases[-1].narrative.case_id == "E9999"
    assert content.count(b"health.denial") == 10_000


# The mapping.


@pytest.mark.parametrize(
    ("source", "place"),
    [
        ("", "mapping"),
        ("[]", "mapping"),
        ("a: [", "mapping, line 1"),
        ("narrative: {elements: [a]}\nnarrative: {elements: [b]}", "mapping, line 1"),
        ("narrative: !!python/object:os.system {}", "mapping, line 1"),
        (b"\xff\xfe\x00", "mapping"),
        (b"narrative: \xff", "mapping"),
        ("x: " + "[" * 5000, "mapping"),
        ("x" * 1_000_001, "mapping"),
        (small(stage="s"), "mapping"),
        (small(narrative=None), "mapping.narrative"),
        (small(narrative={"elements": []}), "mapping.narrative.elements"),
        (small(narrative={"elements": "story"}), "mapping.narrative.elements"),
        (small(narrative={"elements": ["a", 1]}), "mapping.narrative.elements"),
        (small(narrative={"elements": ["a", "a"]}), "mapping.narrative.elements[1]"),
        (small(narrative={"elements": ["a"], "join": 1}), "mapping.narrative.join"),
        (small(narrative={"elements": ["viol"]}), "mapping.axes.violation.element"),  # it would be overwritten
        (small(program=1), "mapping.program"),
        (small(stages="s"), "mapping.stages"),
        (small(case_id=["c"]), "mapping.case_id"),
        (small(language={}), "mapping.language.element"),
        (small(language=5), "mapping.language"),
        (small(language={"element": "l", "values": ["ru"]}), "mapping.language.values"),
        (small(language={"element": "l", "values": {"NO": False}}), "mapping.language.values"),
        (small(country={"element": "l", "x": 1}), "mapping.country"),
        (small(axes={}), "mapping.axes"),
        (small(axes={"crime": {"element": "c"}}), "mapping.axes"),
        (small(axes={"violation": "viol"}), "mapping.axes.violation"),
        (small(axes={"violation": {}}), "mapping.axes.violation"),
        (small(axes={"violation": {"element": "v", "elements": {}}}), "mapping.axes.violation"),
        (small(axes={"violation": {"element": "v", "yes_value": "1"}}), "mapping.axes.violation"),
        (small(axes={"violation": {"element": "v", "separator": "."}}), "mapping.axes.violation.options"),
        (small(axes={"violation": {"element": "v", "options": {"civic.hate": "A"}}}), "mapping.axes.violation.options"),
        (small(axes={"violation": {"element": "v", "options": {"theft": "A"}}}), "mapping.axes.violation.options"),
        (small(axes={"violation": {"element": "v", "nothing": False}}), "mapping.axes.violation.nothing"),
        (small(axes={"perpetrator": {"element": "v", "primary": "p"}}), "mapping.axes.perpetrator.primary"),
        (small(axes={"perpetrator": {"elements": {"police": "p"}}}), "mapping.axes.perpetrator.elements"),
    ],
)  # fmt: skip
def test_a_mapping_that_cannot_be_used_is_named_by_its_place(source, place):
    with pytest.raises(InterchangeError) as caught:
        parse_mapping(source, CODEBOOK)
    assert caught.value.place == place


@given(st.binary(max_size=60) | st.text(max_size=60))
def test_no_mapping_crashes(source):
    with pytest.raises(InterchangeError):
        parse_mapping(source, CODEBOOK)


@settings(max_examples=200)
@given(st.dictionaries(st.sampled_from(["narrative", "axes", "language", "program", "stages", "case_id"]), JSON))
def test_no_tree_of_a_mapping_crashes(tree):
    with pytest.raises(InterchangeError):
        parse_mapping(yaml.safe_dump(tree, allow_unicode=True), CODEBOOK)


def test_a_mapping_file_that_is_not_there(tmp_path):
    for load in (lambda path: load_mapping(path, CODEBOOK), load_payload):
        with pytest.raises(CasecoderError, match="cannot be read"):
            load(tmp_path / "missing")


def test_language_values_without_an_entry_are_unknown():
    mapping = parse_mapping(small(language={"element": "l", "values": {"RUS": "ru"}}), CODEBOOK)
    cases = read_events(
        {"events": [event(("story", "a"), ("l", value)) for value in ("RUS ", "XXX", "", None)]}, mapping
    )
    assert [case.narrative.language for case in cases] == ["ru", None, None, None]


def test_texts_and_ids_stay_out_of_reprs():
    (case,) = read_events({"events": [event(("story", CANARY), event=CANARY)]}, MINE)
    assert CANARY not in repr(case)


# The command.


@pytest.fixture
def place(tmp_path, use_tiny_bundle) -> Path:
    (tmp_path / "mapping.yaml").write_text(SMALL, encoding="utf-8")
    events = [
        event(("story", "The doctor refused to see Zarina Qodirova 😔.\r\nShe left.")),
        event(("story", "12345"), event="Event000002"),
        event(("story", "Врач отказал ей."), ("viol", "OLD"), event="Event000003"),
        event(("other", "x"), event="Event000004"),
    ]
    (tmp_path / "events.json").write_text(json.dumps({"events": events}), encoding="utf-8")
    return tmp_path


def run(place, *args, source="events.json"):
    command = ["dhis2", place / source, "--mapping", place / "mapping.yaml", "-o", place / "coded.json", *args]
    return runner.invoke(interchange_app, [str(arg) for arg in command])


def test_command_codes_events_and_names_those_it_could_not(place):
    done = run(place)
    assert done.exit_code == 3
    assert "narrative.empty (events[1])" in done.output
    assert "Zarina" not in done.output
    before, after = load_payload(place / "events.json"), load_payload(place / "coded.json")
    assert values_of(after["events"][0])["viol"] == "health.denial"
    assert after["events"][1:] == before["events"][1:]
    assert sorted(path.name for path in place.iterdir()) == ["coded.json", "events.json", "mapping.yaml"]
    if os.name == "posix":
        assert stat.S_IMODE((place / "coded.json").stat().st_mode) == 0o600


def test_command_overwrites_when_told(place):
    assert run(place, "--overwrite").exit_code == 3
    after = load_payload(place / "coded.json")
    assert values_of(after["events"][2])["viol"] == "health.denial"


def test_command_writes_changes_only_without_a_narrative(place):
    assert run(place, "--changes-only").exit_code == 3
    (update,) = load_payload(place / "coded.json")["events"]
    assert update["event"] == "Event000001"
    assert [item["dataElement"] for item in update["dataValues"]] == ["viol", "main"]
    assert "Zarina" not in (place / "coded.json").read_text(encoding="utf-8")


def test_command_keeps_an_earlier_file(place):
    (place / "coded.json").write_text("earlier", encoding="utf-8")
    assert run(place).exit_code == 3
    assert (place / "coded.json.bak").read_text(encoding="utf-8") == "earlier"


def test_command_runs_on_the_example_with_exit_code_0(place):
    (place / "mapping.yaml").write_bytes((EXAMPLES / "dhis2-mapping.yaml").read_bytes())
    (place / "example.json").write_bytes((EXAMPLES / "dhis2-events.json").read_bytes())
    done = run(place, source="example.json")
    assert done.exit_code == 0, done.output
    assert "4 events with a narrative" in done.output


@pytest.mark.parametrize(
    ("file", "content", "reason"),
    [
        ("events.json", f'{{"events": [{{"program": "s", "dataValues": ["{CANARY}"]}}]}}', "events[0].dataValues[0]"),
        ("events.json", f"{CANARY}", "payload"),
        ("mapping.yaml", "axes: {}", "mapping.narrative"),
    ],
)  # fmt: skip
def test_nothing_is_written_for_a_file_that_cannot_be_used(place, file, content, reason):
    (place / file).write_text(content, encoding="utf-8")
    done = run(place)
    assert done.exit_code == 2
    assert reason in done.output
    assert CANARY not in done.output
    assert not (place / "coded.json").exists()


def test_a_payload_without_cases_comes_back_as_it_is(place):
    (place / "events.json").write_text('{"events": [], "x": 1}', encoding="utf-8")
    assert run(place).exit_code == 0
    assert load_payload(place / "coded.json") == {"events": [], "x": 1}


def test_the_output_is_none_of_the_inputs(place):
    command = ["dhis2", place / "events.json", "--mapping", place / "mapping.yaml", "-o", place / "mapping.yaml"]
    assert runner.invoke(interchange_app, [str(arg) for arg in command]).exit_code == 2
    assert (place / "mapping.yaml").read_text(encoding="utf-8") == SMALL
