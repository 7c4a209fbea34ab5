from __future__ import annotations

import csv
import json
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest
from hypothesis import given
from hypothesis import strategies as st
from typer.testing import CliRunner

from nlp import load_pipeline
from nlp.codebook import Codebook, load_codebook
from nlp.interchange import labeling_config, task_of
from nlp.interchange.label_studio import NOTHING, utf16_length
from nlp.interchange_cli import interchange_app
from nlp.redaction import replace
from nlp.types import Analysis, Entity, Evidence, Narrative, Span, Suggestion
from training.exchange import read_label_studio

runner = CliRunner()
TEXT = "😔😔 Zarina Qodirova came.\r\nThe doctor refused to see her 🏥 and Zarina left."
NAMES = [Span(3, 18), Span(TEXT.rindex("Zarina"), TEXT.rindex("Zarina") + 6)]

# What Label Studio asks of a task with predictions, in our own words, after https://labelstud.io/guide/predictions,
# https://labelstud.io/guide/task_format and the checks of `LabelInterface.validate_prediction` in label-studio-sdk
# 2.1.2 (PyPI). No schema file of predictions is published there.
SCHEMA = {
    "type": "array",
    "items": {
        "type": "object",
        "required": ["data", "predictions"],
        "additionalProperties": False,
        "properties": {
            "data": {
                "type": "object",
                "required": ["text"],
                "properties": {"text": {"type": "string", "minLength": 1}},
            },
            "meta": {"type": "object"},
            "predictions": {
                "type": "array",
                "items": {
                    "type": "object",
                    "required": ["result"],
                    "additionalProperties": False,
                    "properties": {
                        "model_version": {"type": "string"},
                        "score": {"type": "number", "minimum": 0, "maximum": 1},
                        "result": {"type": "array", "items": {"$ref": "#/$defs/result"}},
                    },
                },
            },
        },
    },
    "$defs": {
        "result": {
            "type": "object",
            "required": ["id", "from_name", "to_name", "type", "value"],
            "additionalProperties": False,
            "properties": {
                "id": {"type": "string", "minLength": 1},
                "from_name": {"type": "string"},
                "to_name": {"const": "text"},
                "type": {"enum": ["labels", "choices"]},
                "value": {"type": "object"},
                "score": {"type": "number", "minimum": 0, "maximum": 1},
                "meta": {"type": "object"},
            },
            "oneOf": [
                {
                    "properties": {
                        "type": {"const": "choices"},
                        "value": {
                            "required": ["choices"],
                            "additionalProperties": False,
                            "properties": {
                                "choices": {
                                    "type": "array",
                                    "items": {"type": "string"},
                                    "minItems": 1,
                                    "uniqueItems": True,
                                }
                            },
                        },
                    }
                },
                {
                    "properties": {
                        "type": {"const": "labels"},
                        "value": {
                            "required": ["start", "end", "labels"],
                            "additionalProperties": False,
                            "properties": {
                                "start": {"type": "integer", "minimum": 0},
                                "end": {"type": "integer", "minimum": 1},
                                "text": {"type": "string", "minLength": 1},
                                "labels": {"type": "array", "items": {"type": "string"}, "minItems": 1},
                            },
                        },
                    }
                },
            ],
        }
    },
}


def check_against_schema(tasks):
    schemas = pytest.importorskip("jsonschema_rs")
    errors = [str(error) for error in schemas.validator_for(SCHEMA).iter_errors(tasks)]
    assert errors == []


def check_against_config(tasks, config: str):
    """Every result names a control of the interface and gives it values that it has."""
    view = ET.fromstring(config)  # noqa: S314 (our own)
    values = {
        control.get("name"): (control.tag.lower(), {item.get("value") for item in control})
        for control in (*view.iter("Labels"), *view.iter("Choices"))
    }
    single = {control.get("name") for control in view.iter("Choices") if control.get("choice") == "single"}
    for task in tasks:
        for result in task["predictions"][0]["result"]:
            kind, known = values[result["from_name"]]
            assert result["type"] == kind
            assert set(result["value"][kind]) <= known
            assert result["from_name"] not in single or len(result["value"][kind]) == 1


def analysis_of(text=TEXT, *, names=NAMES, suggestions=None, nothing=0.1, case_id="c1") -> Analysis:
    redaction = replace(text, [Entity(span, "PERSON", 0.9, "test") for span in names])
    refused = Span(text.index("The doctor"), len(text)) if "The doctor" in text else Span(0, len(text))

    def because(span):
        return (Evidence(span, redaction.redacted_words(span), 0.4),)

    if suggestions is None:
        suggestions = (
            Suggestion("violation", "health.denial", 0.9, "suggest", because(refused)),
            Suggestion("violation", "violence.threat", 0.3, "review", because(refused)),
            Suggestion("perpetrator", "health", 0.97, "auto", because(refused)),
            Suggestion("perpetrator", "police", 0.5, "suggest", because(Span(0, 24))),
            Suggestion("population", "plhiv", 0.1, "none"),
        )
    offered = {item.code for item in suggestions if item.suggested}
    return Analysis(
        case_id=case_id,
        language="en",
        redaction=redaction,
        suggestions=suggestions,
        primary={"violation": "health.denial" if "health.denial" in offered else None, "population": None},
        nothing={"violation": nothing},
        bundle="react-9",
        codebook="react 1.1",
    )


def results_of(task, kind):
    return [item for item in task["predictions"][0]["result"] if item["type"] == kind]


def test_one_choice_for_each_axis_with_suggestions_and_one_for_its_primary_code(codebook):
    task = task_of(analysis_of(), codebook)
    said = {item["from_name"]: item["value"]["choices"] for item in results_of(task, "choices")}
    assert said == {
        "violation": ["health.denial"],
        "primary_violation": ["health.denial"],
        "perpetrator": ["health", "police"],
    }
    probabilities = {item["from_name"]: item["meta"]["probabilities"] for item in results_of(task, "choices")}
    assert probabilities["perpetrator"] == {"health": 0.97, "police": 0.5}
    assert task["predictions"][0]["model_version"] == "react-9"
    assert task["predictions"][0]["score"] == pytest.approx((0.9 + 0.97 + 0.5) / 3, abs=1e-4)
    assert task["data"] == {
        "case_id": "c1",
        "text": analysis_of().redaction.text,
        "lang": "en",
        "identifiers_marked": False,
    }
    check_against_schema([task])
    check_against_config([task], labeling_config(codebook))


@pytest.mark.parametrize(
    ("nothing", "choices", "score"),
    [(0.8, {"violation": [NOTHING]}, 0.8), (0.2, {}, 0.0)],
)
def test_no_suggestion_is_not_the_same_as_nothing_applies(codebook, nothing, choices, score):
    task = task_of(analysis_of(suggestions=(), nothing=nothing), codebook)
    assert {item["from_name"]: item["value"]["choices"] for item in results_of(task, "choices")} == choices
    assert task["predictions"][0]["score"] == score
    check_against_schema([task])
    check_against_config([task], labeling_config(codebook))


def test_evidence_stands_in_the_redacted_text_behind_emoji_and_placeholders(codebook):
    task = task_of(analysis_of(), codebook)
    text = task["data"]["text"]
    assert "Zarina" not in json.dumps(task, ensure_ascii=False)
    shown = [(item["value"]["labels"][0], item["value"]["text"]) for item in results_of(task, "labels")]
    refused = "The doctor refused to see her 🏥 and [PERSON_1] left."
    came = "😔😔 [PERSON_1] came."
    assert shown == [("health.denial", refused), ("health", refused), ("police", came)]
    for item in results_of(task, "labels"):
        value = item["value"]
        assert text[value["start"] : value["end"]] == value["text"]


def test_the_received_text_is_shown_only_when_it_is_given_and_then_with_its_identifiers(codebook):
    task = task_of(analysis_of(), codebook, received=TEXT)
    assert task["data"]["text"] == TEXT
    assert task["data"]["identifiers_marked"] is True
    assert task["meta"]["redacted"] is False
    marked = [item["value"]["text"] for item in results_of(task, "labels") if item["value"]["labels"] == ["PERSON"]]
    assert marked == [TEXT[span.start : span.end] for span in NAMES]
    check_against_config([task], labeling_config(codebook))


def test_offsets_in_utf16_units_when_asked_for(codebook):
    task = task_of(analysis_of(), codebook, offset_unit="utf-16")
    units = task["data"]["text"].encode("utf-16-le")
    regions = [item["value"] for item in results_of(task, "labels")]
    assert regions
    for value in regions:
        assert units[2 * value["start"] : 2 * value["end"]].decode("utf-16-le") == value["text"]
    in_points = task_of(analysis_of(), codebook)
    assert regions[0]["start"] == results_of(in_points, "labels")[0]["value"]["start"] + 2


@given(st.text(max_size=40))
def test_utf16_length_is_that_of_the_encoding(text):
    assert utf16_length(text) == len(text.encode("utf-16-le", "surrogatepass")) // 2


CODEBOOK = load_codebook(Path(__file__).parents[2] / "annotations" / "codebook.yaml")


@given(st.data())
def test_every_region_holds_the_words_it_says_in_either_unit(data):
    """A law: whatever is hidden and wherever the evidence stands, slicing the shown text by the offsets gives the
    words; ids differ."""
    text = data.draw(st.text(st.sampled_from("aя😔 \n\r🏳️\u200d."), min_size=2, max_size=40))
    cuts = sorted(data.draw(st.sets(st.integers(0, len(text)), max_size=4)))
    names = [Span(a, b) for a, b in zip(cuts[::2], cuts[1::2], strict=False)]
    start = data.draw(st.integers(0, len(text) - 1))
    span = Span(start, data.draw(st.integers(start + 1, len(text))))
    said = Suggestion("perpetrator", "police", 0.6, "suggest", (Evidence(span, "", 0.2),))
    analysis = analysis_of(text, names=names, suggestions=(said,))
    for received in (None, text):
        points = task_of(analysis, CODEBOOK, received=received)
        units = task_of(analysis, CODEBOOK, received=received, offset_unit="utf-16")
        shown = points["data"]["text"]
        encoded = shown.encode("utf-16-le")
        for item, other in zip(results_of(points, "labels"), results_of(units, "labels"), strict=True):
            value, in_units = item["value"], other["value"]
            assert shown[value["start"] : value["end"]] == value["text"]
            assert encoded[2 * in_units["start"] : 2 * in_units["end"]].decode("utf-16-le") == value["text"]
        ids = [item["id"] for item in points["predictions"][0]["result"]]
        assert len(set(ids)) == len(ids)


def test_ids_are_deterministic_and_differ_between_tasks_that_are_alike(codebook):
    def ids(number):
        return [item["id"] for item in task_of(analysis_of(), codebook, number=number)["predictions"][0]["result"]]

    assert ids(1) == ids(1)
    assert not set(ids(1)) & set(ids(2))


@pytest.mark.parametrize("language", ["ru", "en", "xx", None])
def test_the_interface_offers_every_code_and_says_what_it_means(codebook, language):
    view = ET.fromstring(labeling_config(codebook, language=language))  # noqa: S314
    spoken = "ru" if language == "ru" else "en"
    names = [control.get("name") for control in (*view.iter("Labels"), *view.iter("Choices"), *view.iter("Text"))]
    assert len(set(names)) == len(names)
    labels = {item.get("value") for item in view.iter("Label")}
    assert labels == {code for axis in codebook.axes for code in axis.codes} | {
        kind.id for kind in codebook.identifiers
    }
    hints = {item.get("value"): item.get("hint") for item in view.iter("Choice")}
    assert hints["health.denial"] == codebook.label("health.denial").label[spoken]


def test_what_people_accept_is_read_back_by_the_annotation_tools(codebook, tmp_path):
    """Accepting a prediction in Label Studio copies its results into an annotation."""
    tasks = [task_of(analysis_of(), codebook, received=TEXT), task_of(analysis_of(case_id="c2"), codebook)]
    tasks.append(task_of(analysis_of(case_id="c3"), codebook, offset_unit="utf-16"))
    for task in tasks:
        task["annotations"] = [{"result": task["predictions"][0]["result"]}]
    path = tmp_path / "export.json"
    path.write_text(json.dumps(tasks), encoding="utf-8")
    raw, redacted, old = read_label_studio(path, codebook)
    assert raw.codes["violation"] == {"health.denial"}
    assert raw.codes["perpetrator"] == {"health", "police"}
    assert raw.codes["population"] is None
    assert raw.primary["violation"] == "health.denial"
    assert [entity.span for entity in raw.entities] == NAMES
    assert redacted.entities is None
    assert old.evidence == redacted.evidence


def test_a_real_pipeline_gives_tasks_that_fit(tiny_bundle, codebook):
    pipeline = load_pipeline(str(tiny_bundle))
    texts = [TEXT, "Врач отказал Айгуль Садыковой 😔.\nОна ушла.", "Nothing of the kind happened here today."]
    tasks = [
        task_of(pipeline.analyze_one(Narrative(text, case_id=str(number))), codebook, number=number)
        for number, text in enumerate(texts)
    ]
    assert any(results_of(task, "labels") for task in tasks)
    assert not {"Zarina", "Айгуль"} & set(json.dumps(tasks, ensure_ascii=False).split())
    check_against_schema(tasks)
    check_against_config(tasks, labeling_config(codebook))


# The command.


@pytest.fixture
def cases(tmp_path, use_tiny_bundle) -> Path:
    path = tmp_path / "cases.csv"
    rows = [
        {"id": "a1", "text": TEXT},
        {"id": "a2", "text": "12345"},
        {"id": "a3", "text": "Врач отказал Айгуль Садыковой."},
    ]
    with path.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.DictWriter(stream, ["id", "text"])
        writer.writeheader()
        writer.writerows(rows)
    return path


def run(*args):
    return runner.invoke(interchange_app, ["label-studio", *map(str, args)])


def test_command_writes_a_task_for_each_row_that_can_be_analyzed(cases, tmp_path, codebook: Codebook):
    done = run(cases, "-o", tmp_path / "tasks.json", "--config", tmp_path / "config.xml")
    assert done.exit_code == 3
    assert "row 2" in done.output
    assert "narrative.empty" in done.output
    tasks = json.loads((tmp_path / "tasks.json").read_text(encoding="utf-8"))
    assert [task["data"]["case_id"] for task in tasks] == ["a1", "a3"]
    assert "Zarina" not in (tmp_path / "tasks.json").read_text(encoding="utf-8")
    assert "Zarina" not in done.output
    check_against_schema(tasks)
    check_against_config(tasks, (tmp_path / "config.xml").read_text(encoding="utf-8"))
    assert sorted(path.name for path in tmp_path.iterdir()) == ["cases.csv", "config.xml", "tasks.json"]


def test_command_shows_the_received_text_when_told(cases, tmp_path):
    done = run(cases, "-o", tmp_path / "tasks.json", "--raw-text", "--offsets", "utf-16")
    assert done.exit_code == 3
    tasks = json.loads((tmp_path / "tasks.json").read_text(encoding="utf-8"))
    assert tasks[0]["data"]["text"] == TEXT
    assert tasks[0]["meta"]["offset_unit"] == "utf-16"


def test_same_input_same_bytes(cases, tmp_path):
    run(cases, "-o", tmp_path / "first.json")
    run(cases, "-o", tmp_path / "second.json")
    assert (tmp_path / "first.json").read_bytes() == (tmp_path / "second.json").read_bytes()


@pytest.mark.parametrize(
    ("content", "exit_code", "tasks"),
    [("id,text\n1,12345\n", 3, []), ("id,text\n1,The doctor refused.\n", 0, ["1"])],
)
def test_files_with_no_good_row_or_only_good_rows(content, exit_code, tasks, tmp_path, use_tiny_bundle):
    source = tmp_path / "in.csv"
    source.write_text(content, encoding="utf-8")
    assert run(source, "-o", tmp_path / "out.json").exit_code == exit_code
    said = json.loads((tmp_path / "out.json").read_text(encoding="utf-8"))
    assert [task["data"]["case_id"] for task in said] == tasks


def test_an_id_of_half_a_surrogate_pair_can_be_written(tmp_path, use_tiny_bundle):
    source = tmp_path / "in.jsonl"
    source.write_text('{"id": "\\ud83d", "text": "The doctor refused."}\n', encoding="utf-8")
    assert run(source, "-o", tmp_path / "out.json").exit_code == 0
    assert json.loads((tmp_path / "out.json").read_bytes())[0]["data"]["case_id"] == "\ud83d"


def test_nothing_is_written_where_nothing_can_be(cases, tmp_path):
    before = cases.read_bytes()
    for args in (
        [cases, "-o", cases],
        [cases, "-o", tmp_path / "same.json", "--config", tmp_path / "same.json"],
        [tmp_path / "missing.csv", "-o", tmp_path / "out.json"],
        [cases, "-o", tmp_path / "out.json", "--language", "xx"],
        [cases, "-o", tmp_path / "no" / "out.json"],
    ):
        assert run(*args).exit_code == 2
    assert cases.read_bytes() == before
    assert [path.name for path in tmp_path.iterdir()] == ["cases.csv"]
