# ruff: noqa: S311 - the order of training, no secret
from __future__ import annotations

import gzip
import json
from dataclasses import replace
from random import Random

import numpy as np
import pytest

from nlp.classification import columns_of
from nlp.errors import CorpusError
from nlp.tags import Tags
from nlp.types import Entity, Span
from training.corpus import Case
from training.encoder.examples import (
    Sentence,
    allowed_tags,
    case_example,
    read_sentences,
    recased,
    sentence_example,
    token_evidence,
)


@pytest.fixture(scope="module")
def tags(codebook):
    return Tags([identifier.id for identifier in codebook.identifiers])


@pytest.fixture(scope="module")
def columns(codebook):
    return columns_of(codebook)


@pytest.fixture
def example_of(pieces, tags, columns):
    def make(case, *, limit=510, rng=None):
        return case_example(case, pieces, tags, columns, limit=limit, rng=rng)

    return make


def words(pieces, text, chosen):
    """The words of the text on whose tokens ``chosen`` is true."""
    tokens = pieces.cut(text)
    return [text[tokens.starts[at] : tokens.ends[at]] for at in np.flatnonzero(chosen[: len(tokens)])]


def test_identifiers_land_on_their_tokens(cases, pieces, tags, example_of):
    case = cases[0]
    example = example_of(case)
    assert words(pieces, case.text, example.allowed == tags.number("B", "PERSON")) == ["Zarina"]
    assert words(pieces, case.text, example.allowed == tags.number("I", "PERSON")) == ["Tolova"]
    assert words(pieces, case.text, ~example.keep) == ["Zarina", "Tolova"]


def test_evidence_lands_on_its_tokens(cases, pieces, columns, example_of):
    case = cases[0]
    example = example_of(case)
    at = columns.index(("violation", "health.denial"))
    assert words(pieces, case.text, example.evidence[:, at] == 1) == "The doctor refused to examine her".split()
    assert set(example.evidence[:, at]) == {0, 1}


@pytest.mark.parametrize(
    ("axis", "code", "value"),
    [
        ("violation", "violence.physical", 0),  # the case does not have it: no word speaks for it
        ("perpetrator", "health", -1),  # it has it, but nobody marked where
        ("perpetrator", "police", 0),
        ("population", "plhiv", -1),
        ("violation", None, -1),  # nothing has no evidence
    ],
)
def test_what_is_known_of_a_code_without_marked_words(cases, pieces, columns, axis, code, value):
    marks = token_evidence(cases[0], pieces.cut(cases[0].text), columns)
    assert set(marks[:, columns.index((axis, code))]) == {value}


def test_codes_of_an_axis_that_nobody_coded_are_unknown(cases, columns, example_of):
    case = cases[1]
    example = example_of(case)
    population = [at for at, column in enumerate(columns) if column.axis == "population"]
    assert case.codes["population"] is None
    assert np.isnan(example.targets[population]).all()
    assert (example.evidence[:, population] == -1).all()


def test_codes_become_targets(cases, columns, example_of):
    something, nothing = (example_of(cases[at]).targets for at in (0, 4))
    assert something[columns.index(("violation", "health.denial"))] == 1
    assert something[columns.index(("violation", None))] == 0
    assert nothing[columns.index(("violation", "health.denial"))] == 0
    assert nothing[columns.index(("violation", None))] == 1
    led = example_of(cases[0]).primary
    assert np.flatnonzero(led).tolist() == [columns.index(("violation", "health.denial"))]
    assert not example_of(cases[4]).primary.any()


def test_case_with_unmarked_identifiers_is_not_taught_that_there_are_none(cases, tags, example_of):
    example = example_of(replace(cases[0], entities=None))
    assert allowed_tags(tags)[example.allowed].all()  # names too: any tag is right
    assert example.keep.all()
    marked = allowed_tags(tags)[example_of(replace(cases[0], entities=())).allowed]
    assert (marked.sum(axis=1) == 1).all()  # marked, and there is none: outside alone is right


def test_long_case_gives_the_stretch_that_chance_chooses(pieces, columns, example_of, cases):
    case = replace(cases[0], text=cases[0].text + " garden" * 100)
    n = len(pieces.cut(case.text))
    beginning = example_of(case, limit=20)
    assert np.array_equal(beginning.ids, pieces.cut(case.text).ids[:20])
    part = example_of(case, limit=20, rng=Random(4))
    assert len(part.ids) == len(part.allowed) == len(part.evidence) == len(part.keep) == 20 < n
    assert np.array_equal(part.ids, example_of(case, limit=20, rng=Random(4)).ids)
    starts = {tuple(example_of(case, limit=20, rng=Random(seed)).ids) for seed in range(30)}
    assert len(starts) > 5
    whole = example_of(case, limit=n, rng=Random(4))
    assert len(whole.ids) == n
    at = columns.index(("violation", "health.denial"))
    first = next(i for i in range(n - 19) if np.array_equal(whole.ids[i : i + 20], part.ids))
    assert np.array_equal(part.evidence[:, at], whole.evidence[first : first + 20, at])


@pytest.mark.parametrize(
    ("text", "language", "lower", "upper", "expected"),
    [
        ("Врач отказал Anna", "ru", 1, 0, "врач отказал anna"),
        ("Врач отказал Anna", "ru", 0, 1, "ВРАЧ ОТКАЗАЛ ANNA"),
        ("Врач отказал Anna", "ru", 0, 0, "Врач отказал Anna"),
        ("Die Straße", "en", 0, 1, "Die Straße"),  # SS is longer: marks would no longer stand where they stood
        ("İzmir", "en", 1, 0, "İzmir"),
        ("İzmirli IRADƏ", "az", 1, 0, "izmirli ıradə"),
        ("ექიმმა უარი თქვა HIV-ზე", "ka", 0, 1, "ექიმმა უარი თქვა HIV-ზე"),  # no encoder knows its capitals
    ],
)
def test_text_is_changed_into_one_case_where_that_keeps_its_length(text, language, lower, upper, expected):
    assert recased(text, language, Random(0), lower=lower, upper=upper) == expected


def test_about_as_many_texts_change_case_as_asked():
    rng = Random(0)
    made = [recased("Anna", "en", rng, lower=0.2, upper=0.1) for _ in range(2000)]
    assert made.count("anna") == pytest.approx(400, abs=60)
    assert made.count("ANNA") == pytest.approx(200, abs=45)


@pytest.mark.parametrize(("label", "may_be"), [("LOCATION", {"LOCATION", "ADDRESS", "O"}),
                                               ("ORGANISATION", {"ORGANISATION", "LOCATION", "O"})])  # fmt: skip
def test_place_or_organisation_of_a_public_corpus_may_be_no_identifier_here(pieces, tags, label, may_be):
    sentence = Sentence("The office visited Zarina Tolova", "en", ((4, 10, label), (19, 32, "PERSON")))
    example = sentence_example(sentence, pieces, tags, limit=510)
    rows = allowed_tags(tags)[example.allowed]
    assert {name.partition("-")[2] or name for name in np.array(tags.names)[rows[1]]} == may_be
    assert [tags.names[at] for at in example.allowed[3:]] == ["B-PERSON", "I-PERSON"]
    assert example.keep.tolist() == [True, True, True, False, False]
    assert example.targets is None
    assert example.evidence is None


def test_what_a_public_corpus_does_not_mark_is_no_name_but_may_be_another_identifier(pieces, tags):
    example = sentence_example(Sentence("The doctor", "en", ()), pieces, tags, limit=510)
    allowed = set(np.array(tags.names)[allowed_tags(tags)[example.allowed[0]]])
    assert {"O", "B-DATE", "I-PHONE", "B-ADDRESS"} <= allowed
    assert not allowed & {f"{place}-{kind}" for place in "BI" for kind in ("PERSON", "LOCATION", "ORGANISATION")}


@pytest.mark.parametrize("text", ["The doctor ", "The doctor  refused"])
def test_marked_name_of_which_no_token_is_left_marks_no_other_token(pieces, tags, text):
    example = sentence_example(Sentence(text, "en", ((10, 11, "PERSON"),)), pieces, tags, limit=510)
    assert set(example.allowed) == {len(tags.names) + 2}


def test_every_token_may_have_some_tag(tags):
    assert allowed_tags(tags).any(axis=1).all()


def write(path, lines):
    with gzip.open(path, "wt", encoding="utf-8") as stream:
        stream.writelines(line + "\n" for line in lines)


def test_sentences_are_read(tmp_path):
    item = {"text": "Zarina left.", "lang": "en", "spans": [{"start": 0, "end": 6, "label": "PERSON"}]}
    write(tmp_path / "en.train.jsonl.gz", [json.dumps(item)])
    assert list(read_sentences(tmp_path / "en.train.jsonl.gz")) == [Sentence("Zarina left.", "en", ((0, 6, "PERSON"),))]


@pytest.mark.parametrize("line", ["{", "[]", "{}", '{"text": "Zarina", "lang": "en", "spans": [{"start": 0}]}'])
def test_broken_sentence_is_refused_without_its_text(tmp_path, line):
    write(tmp_path / "en.train.jsonl.gz", [line])
    with pytest.raises(CorpusError, match=r"en\.train\.jsonl\.gz") as caught:
        list(read_sentences(tmp_path / "en.train.jsonl.gz"))
    assert "Zarina" not in str(caught.value)


@pytest.mark.parametrize("damage", ["cut", "flipped", "plain", "missing"])
def test_damaged_file_of_sentences_is_refused(tmp_path, damage):
    path = tmp_path / "en.train.jsonl.gz"
    item = {"text": "x" * 50, "lang": "en", "spans": []}
    write(path, [json.dumps({**item, "n": number}) for number in range(200)])
    content = path.read_bytes()
    if damage == "cut":
        path.write_bytes(content[:-20])
    elif damage == "flipped":
        path.write_bytes(content[:30] + b"\xff" * 20 + content[50:])
    elif damage == "plain":
        path.write_text("no gzip")
    else:
        path.unlink()
    with pytest.raises(CorpusError, match="cannot be read"):
        list(read_sentences(path))


def test_no_text_stands_in_what_is_shown_of_an_example(cases, example_of):
    sentence = Sentence("Zarina", "en", ((0, 6, "PERSON"),))
    assert "Zarina" not in repr(sentence)
    assert "Zarina" not in repr(example_of(cases[0]))


def test_neighbors_of_an_identifier_are_pooled(pieces, tags, columns):
    text = "We Zarina, Bohdan came"
    case = Case(
        "c", "en", text, {"violation": None, "perpetrator": None, "population": None},
        entities=(Entity(Span(3, 9), "PERSON", 1.0, "gold"), Entity(Span(11, 17), "PERSON", 1.0, "gold")),
    )  # fmt: skip
    example = case_example(case, pieces, tags, columns, limit=510)
    assert "Zarina" not in words(pieces, text, example.keep)
    assert "".join(words(pieces, text, example.keep)) == "We,came"
    assert (example.allowed == tags.number("B", "PERSON")).sum() == 2
