from __future__ import annotations

import json
import zlib
from dataclasses import replace
from xml.etree import ElementTree as ET

import pytest
import spacy
import srsly
from spacy.tokens import DocBin
from typer.testing import CliRunner

from nlp.errors import CorpusError
from nlp.types import Entity, Span
from training.cli import app
from training.corpus import Case, read_cases, write_cases
from training.exchange import (
    labeling_config,
    read_docbin,
    read_doccano,
    read_label_studio,
    write_docbin,
    write_doccano,
    write_label_studio,
)

TEXT = (
    "😔 Call of 3 May:  Ruslan K. was refused at the clinic,\r\n"
    "the doctor Ruslan knows laughed. О'zbek tel +996 555 12-34-56"
)


def span(words, label, *, text=TEXT, after=0):
    start = text.index(words, after)
    return Entity(Span(start, start + len(words)), label, 1.0, "person")


CASE = Case(
    case_id="en-x-001",
    language="en",
    text=TEXT,
    codes={"violation": frozenset({"health.denial"}), "perpetrator": None, "population": frozenset()},
    primary={"violation": "health.denial", "population": None},
    evidence={"violation": {"health.denial": ("was refused at the clinic", "laughed")}, "population": {}},
    entities=(
        span("3 May", "DATE"), span("Ruslan K.", "PERSON"), span("Ruslan", "PERSON", after=60),
        span("+996 555 12-34-56", "PHONE"),
    ),
    country="Kyrgyzstan", writer="x", theme="refused", tags=("notes", "typos"), person_id="p1",
)  # fmt: skip
UNMARKED = replace(CASE, case_id="en-x-002", entities=None, translation_of="en-x-001", person_id=None)


def comparable(case):
    evidence = {axis: {code: set(words) for code, words in codes.items()} for axis, codes in case.evidence.items()}
    entities = case.entities and [(entity.span, entity.type) for entity in case.entities]
    return replace(case, evidence=evidence, entities=entities)


FORMATS = {
    "doccano": (lambda path, cases, book: write_doccano(path, cases), read_doccano),
    "label-studio": (lambda path, cases, book: write_label_studio(path, cases), read_label_studio),
    "docbin": (write_docbin, read_docbin),
}


@pytest.mark.parametrize("name", FORMATS)
def test_every_case_comes_back_whole(name, narratives, codebook, tmp_path):
    write, read = FORMATS[name]
    cases = [CASE, UNMARKED, *narratives[::15]]
    write(tmp_path / "cases", cases, codebook)
    back = read(tmp_path / "cases", codebook)
    assert list(map(comparable, back)) == list(map(comparable, cases))


@pytest.mark.parametrize("name", FORMATS)
def test_the_commands_write_and_read_each_format(name, root, codebook, tmp_path):
    write_cases(tmp_path / "in.jsonl", [CASE])
    paths = {key: str(tmp_path / key) for key in ("in.jsonl", "cases", "out.jsonl")}
    common = ["--codebook", str(root / "annotations" / "codebook.yaml")]
    for arguments in (
        ["export", paths["in.jsonl"], "--to", name, "-o", paths["cases"], *common],
        ["import", paths["cases"], "--from", name, "-o", paths["out.jsonl"], *common],
    ):
        done = CliRunner().invoke(app, arguments)
        assert done.exit_code == 0, done.output
    assert comparable(read_cases(tmp_path / "out.jsonl", codebook)[0]) == comparable(CASE)


def test_label_studio_regions_counted_as_browsers_do_are_set_right(codebook, tmp_path):
    path = tmp_path / "tasks.json"
    write_label_studio(path, [CASE])
    tasks = json.loads(path.read_text(encoding="utf-8"))
    for answer in tasks[0]["annotations"][0]["result"]:
        if answer["type"] == "labels":  # the emoji before them counts as two UTF-16 units
            answer["value"]["start"] += 1
            answer["value"]["end"] += 1
    path.write_text(json.dumps(tasks), encoding="utf-8")
    assert comparable(read_label_studio(path, codebook)[0]) == comparable(CASE)


def test_the_labeling_interface_offers_every_label_and_code(codebook):
    view = ET.fromstring(labeling_config(codebook))  # noqa: S314 - our own
    labels = {label.get("value") for label in view.iter("Label")}
    codes = {code for axis in codebook.axes for code in axis.codes}
    assert labels == codes | {identifier.id for identifier in codebook.identifiers}
    choices = {item.get("name"): {c.get("value") for c in item.iter("Choice")} for item in view.iter("Choices")}
    assert choices["perpetrator"] == set(codebook.axis("perpetrator").codes) | {"nothing"}
    assert {"primary_violation", "primary_population"} <= set(choices)


def test_docbin_is_ready_for_spacy(codebook, tmp_path):
    write_docbin(tmp_path / "cases.spacy", [CASE], codebook)
    (doc,) = DocBin().from_disk(tmp_path / "cases.spacy").get_docs(spacy.blank("xx").vocab)
    assert doc.text == TEXT
    assert [(ent.text, ent.label_) for ent in doc.ents] == [
        ("3 May", "DATE"), ("Ruslan K.", "PERSON"), ("Ruslan", "PERSON"), ("+996 555 12-34-56", "PHONE"),
    ]  # fmt: skip
    assert doc.cats["health.denial"] == 1 and doc.cats["privacy.disclosure"] == 0 and doc.cats["plhiv"] == 0
    assert "police" not in doc.cats  # the axis was not coded


EDGES = {
    "before": (4, 10), "after": (5, 11), "both": (4, 11), "blank alone": (4, 5), "two": (11, 17), "start": (0, 5),
    "end": (12, 18), "none": (5, 10),
}  # fmt: skip


@pytest.mark.parametrize("name", EDGES)
@pytest.mark.parametrize("label", ["PERSON", "health.denial"])
def test_marks_with_blanks_at_their_edges_keep_their_place_in_docbin(name, label, codebook, tmp_path):
    text = "and  Aigul  Asan  "
    start, end = EDGES[name]
    is_name = label == "PERSON"
    case = replace(
        CASE, text=text, entities=(Entity(Span(start, end), label, 1.0, "person"),) if is_name else (),
        evidence={"violation": {} if is_name else {label: (text[start:end],)}, "population": {}},
    )  # fmt: skip
    write_docbin(tmp_path / "cases", [case], codebook)
    assert list(map(comparable, read_docbin(tmp_path / "cases", codebook))) == [comparable(case)]


def test_blanks_around_a_mark_are_no_tokens(codebook, tmp_path):
    case = replace(
        CASE, text="saw Olga K. there", entities=(Entity(Span(4, 11), "PERSON", 1.0, "person"),), evidence={}
    )
    write_docbin(tmp_path / "cases", [case], codebook)
    (doc,) = DocBin().from_disk(tmp_path / "cases").get_docs(spacy.blank("xx").vocab)
    assert not any(token.is_space for token in doc)


@pytest.mark.parametrize(("entities", "is_known"), [(None, False), ((), True)])
def test_in_docbin_only_marked_cases_say_that_a_token_is_outside(entities, is_known, codebook, tmp_path):
    write_docbin(tmp_path / "cases", [replace(CASE, entities=entities)], codebook)
    (doc,) = DocBin().from_disk(tmp_path / "cases").get_docs(spacy.blank("xx").vocab)
    assert doc.has_annotation("ENT_IOB") == is_known
    assert read_docbin(tmp_path / "cases", codebook)[0].entities == entities


@pytest.mark.parametrize("content", [[1, 2], {"attrs": 3}, {}, "words", None, {"version": 1, "attrs": [], "tokens": 4}])
def test_packed_data_of_another_shape_is_no_docbin(content, codebook, tmp_path):
    (tmp_path / "cases").write_bytes(zlib.compress(srsly.msgpack_dumps(content)))
    with pytest.raises(CorpusError, match="cannot be read as DocBin"):
        read_docbin(tmp_path / "cases", codebook)


@pytest.mark.parametrize("known", ["Zarina", "[1]", '"x"', 7, '{"about": 3}', '{"primary": ["Zarina"]}', ["Zarina"]])
def test_foreign_user_data_of_a_docbin_is_named_with_its_document(known, codebook, tmp_path):
    doc = spacy.blank("xx")("some words")
    doc.user_data["casecoder"] = known
    DocBin(docs=[doc], store_user_data=True).to_disk(tmp_path / "cases")
    with pytest.raises(CorpusError, match="line 1: has user data") as caught:
        read_docbin(tmp_path / "cases", codebook)
    assert "Zarina" not in str(caught.value)


DONE = {"result": [{"from_name": "population", "type": "choices", "value": {"choices": ["nothing"]}}]}
ANNOTATIONS = {
    "none": ([], None, None),
    "all cancelled": ([{**DONE, "was_cancelled": True}], None, None),
    "one done": ([DONE], (), frozenset()),
    "the last one cancelled": ([DONE, {"result": [], "was_cancelled": True}], (), frozenset()),
}


@pytest.mark.parametrize("name", ANNOTATIONS)
@pytest.mark.parametrize("more", [{}, {"identifiers_marked": True}])
def test_task_that_nobody_finished_is_neither_coded_nor_marked(name, more, codebook, tmp_path):
    annotations, entities, population = ANNOTATIONS[name]
    task = {"data": {"case_id": "a", "lang": "en", "text": "Olga called", **more}, "annotations": annotations}
    (tmp_path / "tasks.json").write_text(json.dumps([task]), encoding="utf-8")
    (case,) = read_label_studio(tmp_path / "tasks.json", codebook)
    assert (case.entities, case.codes["population"], case.codes["violation"]) == (entities, population, None)


@pytest.mark.parametrize(
    ("line", "is_marked"),
    [
        ({}, False),
        ({"entities": []}, False),
        ({"entities": [], "identifiers_marked": True}, True),
        ({"entities": [[0, 4, "PERSON"]]}, True),
    ],
)
def test_doccano_line_without_regions_is_not_marked_unless_it_says_so(line, is_marked, codebook, tmp_path):
    data = {"case_id": "a", "lang": "en", "text": "Olga called", **line}
    (tmp_path / "a.jsonl").write_text(json.dumps(data), encoding="utf-8")
    assert (read_doccano(tmp_path / "a.jsonl", codebook)[0].entities is not None) == is_marked


def _doccano(path, codebook, *, about=None, label="PERSON", choice="population:nothing"):
    line = {"case_id": "a", "lang": "en", "text": "x y", "entities": [[0, 1, label]], "cats": [choice], **(about or {})}
    path.write_text(json.dumps(line), encoding="utf-8")
    return read_doccano(path, codebook)


def _label_studio(path, codebook, *, about=None, label="PERSON", choice="nothing", axis="population"):
    result = [
        {"from_name": "label", "type": "labels", "value": {"start": 0, "end": 1, "text": "x", "labels": [label]}},
        {"from_name": axis, "type": "choices", "value": {"choices": [choice]}},
    ]
    task = {"data": {"case_id": "a", "lang": "en", "text": "x y", **(about or {})}, "annotations": [{"result": result}]}
    path.write_text(json.dumps([task]), encoding="utf-8")
    return read_label_studio(path, codebook)


@pytest.mark.parametrize("read", [_doccano, _label_studio])
def test_metadata_never_becomes_codes(read, codebook, tmp_path):
    about = {"violation": ["health.denial"], "perpetrator": "Zarina", "Zarina": 1, "evidence": 3, "spans": 4}
    (case,) = read(tmp_path / "a", codebook, about=about)
    assert case.codes == {"violation": None, "perpetrator": None, "population": frozenset()}
    assert "Zarina" not in repr(case)


TYPED = {
    "choice": (_doccano, {"choice": "Zarina"}),
    "primary": (_doccano, {"choice": "primary:Zarina"}),
    "label": (_doccano, {"label": "Zarina"}),
    "metadata": (_doccano, {"about": {"tags": {"Zarina": 1}}}),
    "task choice": (_label_studio, {"choice": "Zarina"}),
    "task primary": (_label_studio, {"choice": "Zarina", "axis": "primary_violation"}),
    "task axis": (_label_studio, {"axis": "Zarina"}),
    "task label": (_label_studio, {"label": "Zarina"}),
    "task metadata": (_label_studio, {"about": {"tags": {"Zarina": 1}}}),
}


@pytest.mark.parametrize("name", TYPED)
def test_name_typed_in_the_wrong_place_is_not_printed(name, codebook, tmp_path):
    read, typed = TYPED[name]
    with pytest.raises(CorpusError) as caught:
        read(tmp_path / "a", codebook, **typed)
    assert "Zarina" not in f"{caught.value} {caught.value!r} {vars(caught.value)}"
    assert "is no task" not in str(caught.value)


HEAD = '{"case_id": "a", "lang": "en", "text": "x", '
BROKEN = {
    "no json": ("doccano", "{", "line 1: is no JSON object"),
    "no text": ("doccano", '{"cats": []}', "line 1: wants a JSON object with `text`"),
    "unknown code": ("doccano", HEAD + '"cats": ["nonsense"]}', "line 1: has a label"),
    "outside": ("doccano", HEAD + '"entities": [[0, 9, "AGE"]]}', "line 1: a region lies outside"),
    "half an entity": ("doccano", HEAD + '"entities": [[0]]}', "line 1: `entities` wants"),
    "no list": ("label-studio", "{}", "wants a list of tasks"),
    "no task": ("label-studio", '[{"data": {}}]', "line 1: is no task of this project"),
    "not a docbin": ("docbin", "x", "cannot be read as DocBin"),
}  # fmt: skip


@pytest.mark.parametrize("name", BROKEN)
def test_what_cannot_be_read_is_named_with_its_place(name, codebook, tmp_path):
    kind, content, reason = BROKEN[name]
    (tmp_path / "cases").write_text(content, encoding="utf-8")
    with pytest.raises(CorpusError, match=reason):
        FORMATS[kind][1](tmp_path / "cases", codebook)


def test_doccano_exports_of_projects_with_relations_are_read(codebook, tmp_path):
    line = {
        "id": 7, "case_id": "en-x-003", "lang": "en", "text": "Olga called", "cats": ["population:nothing"],
        "entities": [{"id": 1, "label": "PERSON", "start_offset": 0, "end_offset": 4}], "relations": [],
    }  # fmt: skip
    (tmp_path / "a.jsonl").write_text(json.dumps(line), encoding="utf-8")
    (case,) = read_doccano(tmp_path / "a.jsonl", codebook)
    assert case.case_id == "en-x-003" and case.codes["population"] == frozenset() and case.codes["violation"] is None
    assert [(entity.span, entity.type) for entity in case.entities] == [(Span(0, 4), "PERSON")]
