from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest
from typer.testing import CliRunner

from nlp.classification import columns_of
from nlp.types import Entity, Span
from training.audit import label_doubts
from training.cli import app
from training.corpus import Case, read_cases, write_cases
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
    assert 0 < figures["compared"]["en-office.jsonl en"]["unknown_words"] < 1
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


def test_the_shipped_narratives_keep_the_promises_of_the_data_card(narratives, codebook):
    found = counts(narratives, codebook)
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


@pytest.mark.parametrize("whole", [False, pytest.param(True, marks=pytest.mark.slow)])
def test_the_data_card_is_that_of_the_narratives(root, tmp_path, monkeypatch, whole):
    """The shipped ones have no near-duplicates; to compare each with all others takes long."""
    if not whole:
        monkeypatch.setattr("training.datacard.near_duplicates", lambda cases: [])
    monkeypatch.chdir(root)
    done = CliRunner().invoke(app, ["datacard", "-o", str(tmp_path / "card" / "datacard.md")])
    assert done.exit_code == 0, done.output
    assert (tmp_path / "card" / "datacard.md").read_bytes() == (root / "annotations" / "datacard.md").read_bytes()


@pytest.fixture
def few(root, tmp_path, monkeypatch, codebook):
    """A configuration for a few narratives in a folder of their own, ready to be split."""
    cases = read_cases(root / "annotations" / "narratives" / "en-mara.jsonl", codebook)
    write_cases(tmp_path / "narratives" / "few.jsonl", [replace(case, tags=()) for case in cases])
    text = (root / "training" / "configs" / "linear.toml").read_text(encoding="utf-8")
    settings = {
        "codebook =": f'codebook = "{(root / "annotations" / "codebook.yaml").as_posix()}"',
        "narratives =": f'narratives = "{(tmp_path / "narratives").as_posix()}"',
        "file =": 'file = ""',
        "test_writers =": "test_writers = []",
        "min_persons =": "min_persons = 3",
        "C =": "C = [4.0]",
    }
    lines = [next((new for key, new in settings.items() if line.startswith(key)), line) for line in text.splitlines()]
    (tmp_path / "few.toml").write_text("\n".join(lines), encoding="utf-8")
    monkeypatch.chdir(tmp_path)

    def run(*arguments):
        return CliRunner().invoke(app, [*arguments, "--config", str(tmp_path / "few.toml")])

    return run


def test_a_division_is_frozen_once(few, tmp_path):
    done = few("split", "--version", "1", "-o", "splits.json")
    assert done.exit_code == 0 and "train" in done.output, done.output
    frozen = (tmp_path / "splits.json").read_bytes()
    again = few("split", "--version", "2", "-o", "splits.json")
    assert again.exit_code == 2 and "exists already" in again.output
    assert (tmp_path / "splits.json").read_bytes() == frozen


def test_near_duplicates_across_splits_are_refused(few, tmp_path):
    path = tmp_path / "narratives" / "few.jsonl"
    rows = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    twin = rows[0] | {"id": "en-twin-001", "writer": "twin", "text": rows[0]["text"], "theme": "other"}
    copies = [twin | {"id": f"en-twin-{n}", "theme": f"t{n}"} for n in range(12)]
    path.write_text("".join(json.dumps(row) + "\n" for row in [*rows, *copies]), encoding="utf-8")
    done = few("prepare", "--run", "run")
    assert done.exit_code == 2 and "near-duplicates straddle" in done.output.replace("\n", " ")


def test_curve_and_audit_run_on_few_cases(few, tmp_path):
    assert few("prepare", "--run", "run").exit_code == 0
    done = few("curve", "--run", "run")
    assert done.exit_code == 0, done.output
    rows = json.loads((tmp_path / "run" / "curve.json").read_text(encoding="utf-8"))
    assert [row["cases"] for row in rows] == sorted(row["cases"] for row in rows)
    assert 0 <= rows[-1]["mean_average_precision"]["all"]["violation"] <= 1
    done = few("audit", "--run", "run", "--limit", "3")
    assert done.exit_code == 0 and "doubted codes" in done.output, done.output


@pytest.mark.parametrize("command", ["fit", "audit"])
def test_too_few_cases_to_fit_are_told(few, tmp_path, command):
    config = tmp_path / "few.toml"
    config.write_text(
        config.read_text(encoding="utf-8").replace("min_persons = 3", "min_persons = 500"), encoding="utf-8"
    )
    few("prepare", "--run", "run")
    done = few(command, "--run", "run")
    assert done.exit_code == 2 and "too few cases" in done.output
