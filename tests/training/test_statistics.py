from __future__ import annotations

import json

import numpy as np
import pytest
from typer.testing import CliRunner

from nlp.classification import columns_of
from nlp.types import Entity, Span
from training.audit import label_doubts
from training.cli import app
from training.corpus import Case, read_cases
from training.statistics import counts, text_statistics, unknown_words


def make(number, text, **values):
    codes = {"violation": frozenset({"health.denial"}), "perpetrator": frozenset({"health"}), "population": frozenset()}
    return Case(f"c{number}", values.pop("language", "en"), text, values.pop("codes", codes), **values)


def test_counts_are_by_language_code_tag_and_type(codebook):
    empty = {"violation": frozenset(), "perpetrator": frozenset(), "population": frozenset({"tb"})}
    name, age = Entity(Span(0, 4), "PERSON", 1.0, "person"), Entity(Span(6, 8), "AGE", 1.0, "person")
    cases = [
        make(1, "Olga came", entities=(name,), tags=("negation", "notes"), writer="a"),
        make(2, "Olga, 30", language="ru", entities=(name, age), writer="b"),
        make(3, "x", language="ru", codes=empty, writer="c", translation_of="c1"),
    ]  # fmt: skip
    found = counts(cases, codebook)
    assert found["languages"] == {"ru": 2, "en": 1} and found["writers"] == {"en": 1, "ru": 2}
    assert (found["hard"], found["nothing"], found["translations"]) == (1, 1, 1)
    assert found["codes"]["health.denial"] == {"en": 1, "ru": 1} and found["codes"]["tb"] == {"ru": 1}
    assert found["identifiers"]["PERSON"] == {"en": 1, "ru": 1} and found["direct"] == {"en": 1, "ru": 1}


def test_text_statistics_do_not_depend_on_identifiers_or_length():
    short = text_statistics([make(1, 'The doctor said "go away". She went home.')])
    assert short["words"]["p50"] == 8 and short["sentences"]["p50"] == 2 and short["words_per_sentence"]["p50"] == 4
    assert short["with_quotation"] == 1 and short["with_digits"] == 0 and short["type_token_ratio"] is None
    repeated = text_statistics([make(1, "word " * 200)])
    assert repeated["type_token_ratio"] == pytest.approx(1 / 50)


def test_unknown_words_are_those_that_the_other_texts_never_have():
    assert unknown_words([make(1, "the nurse laughed loudly")], [make(2, "The nurse laughed.")]) == 0.25
    assert unknown_words([], []) is None


def test_the_command_compares_and_writes_figures(root, tmp_path):
    folder = root / "annotations" / "narratives"
    done = CliRunner().invoke(
        app,
        ["describe", str(folder / "en-mara.jsonl"), "--compare", str(folder / "en-office.jsonl"),
         "-o", str(tmp_path / "f.json"), "--codebook", str(root / "annotations" / "codebook.yaml")],
    )  # fmt: skip
    assert done.exit_code == 0, done.output
    figures = json.loads((tmp_path / "f.json").read_text(encoding="utf-8"))
    assert 0 < figures["compared"]["en-office en"]["unknown_words"] < 1
    assert figures["counts"]["languages"] == {"en": figures["counts"]["cases"]}


def test_a_label_that_contradicts_the_model_is_doubted(codebook):
    columns = columns_of(codebook)
    at = next(n for n, column in enumerate(columns) if column.code == "health.denial")
    rng = np.random.default_rng(0)
    truth = np.arange(200) % 2 == 0
    probabilities = np.full((200, len(columns)), 0.01)
    probabilities[:, at] = np.where(truth, 0.95, 0.05) + rng.uniform(-0.04, 0.04, 200)
    wrong = {10, 21}
    cases = []
    for n in range(200):
        coded = bool(truth[n]) != (n in wrong)
        codes = {axis.id: frozenset() for axis in codebook.axes} | {
            "violation": frozenset({"health.denial"} if coded else ())
        }
        cases.append(make(n, "x", codes=codes))
    doubts = label_doubts(cases, columns, probabilities, limit=50)
    assert {(doubt.case_id, doubt.code, doubt.coded) for doubt in doubts} == {
        ("c10", "health.denial", False), ("c21", "health.denial", True),
    }  # fmt: skip


def test_the_shipped_narratives_keep_the_promises_of_the_data_card(root, codebook):
    cases = read_cases(root / "annotations" / "narratives", codebook)
    found = counts(cases, codebook)
    for axis in codebook.axes:
        for code in axis.codes:
            assert min(found["codes"][code].get(language, 0) for language in ("en", "ru")) >= 20, code
            assert sum(found["codes"][code].values()) >= 80, code
    assert found["cases"] >= 3200 and found["languages"]["en"] >= 1100 and found["languages"]["ru"] >= 1200
    assert len(found["languages"]) == 14 and min(found["languages"].values()) >= 70
    assert min(found["writers"].values()) >= 4 and min(found["writers"][language] for language in ("en", "ru")) >= 8
    assert 0.15 <= found["nothing"] / found["cases"] <= 0.20
    assert found["hard"] / found["cases"] >= 0.12 and found["translations"] / found["cases"] <= 0.10
    assert sum(sum(by.values()) for by in found["identifiers"].values()) >= 12_000
    assert all(len(by) == 14 for by in found["identifiers"].values())
