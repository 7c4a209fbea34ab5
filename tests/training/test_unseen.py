"""What a bundle says of cases that its models have not seen."""

from __future__ import annotations

import json

import numpy as np
from typer.testing import CliRunner

from nlp import Narrative
from nlp.bulk.report.profile import FILE as REFERENCE
from nlp.bulk.report.profile import Profile, known_words, reference_of
from nlp.bundle import open_bundle
from nlp.cli import app as casecoder
from nlp.codebook import load_codebook
from nlp.held_out import FILE as HELD_OUT
from nlp.held_out import HeldOut
from training.corpus import Case, read_cases, write_cases
from training.unseen import describe


def test_a_fitted_bundle_holds_its_tuning_cases_without_text(drafted):
    bundle = open_bundle(drafted / "bundle")
    book = bundle.codebook()
    cases = read_cases(drafted / "tune.jsonl", book)
    held_out, reference = bundle.held_out(), reference_of(bundle, book)
    assert len(held_out.targets) == len(cases) == reference.rows
    assert reference.lengths.total.sum() == len(cases)
    at = [column.code for column in held_out.columns].index("health.denial")
    assert held_out.targets[:, at].tolist() == [float("health.denial" in case.codes["violation"]) for case in cases]
    stored = bundle.files[REFERENCE].decode()
    assert not [name for case in cases for name in case.text.split()[:2] if len(name) > 4 and name in stored]
    assert bundle.pipeline(precision=0.5)


def test_the_thresholds_of_a_bundle_follow_from_its_held_out_cases(drafted):
    bundle = open_bundle(drafted / "bundle")
    policy, again = bundle.policy(), bundle.policy().at_precision(bundle.held_out(), bundle.policy().auto_precision)
    assert {code: item.auto for code, item in policy.codes.items()} == {
        code: item.auto for code, item in again.codes.items()
    }


def test_cases_of_a_site_cannot_be_put_together_from_its_bundle(drafted, cases, small_config, train, tmp_path):
    write_cases(tmp_path / "own.jsonl", cases)
    done = train("fit", "--data", tmp_path / "own.jsonl", "--bundle", drafted / "bundle", "--config", small_config,
                 "--run", tmp_path / "site")  # fmt: skip
    assert done.exit_code == 0, done.output
    bundle = open_bundle(tmp_path / "site" / "bundle")
    held_out = bundle.held_out()
    assert np.nansum(held_out.targets) == sum(
        1 if codes is not None and not codes else len(codes or ())
        for case in cases
        for axis, codes in case.codes.items()
        if codes or axis == "violation"
    )
    coded = [[column.code in (case.codes[column.axis] or ()) for column in held_out.columns] for case in cases]
    assert sorted(map(tuple, coded)) != sorted(map(tuple, (held_out.targets == 1).tolist()))
    verified = CliRunner().invoke(casecoder, ["bundle", "verify", str(tmp_path / "site" / "bundle")])
    assert verified.exit_code == 0, verified.output


def test_training_and_a_bulk_run_describe_the_same_narratives_alike(tiny_bundle, root):
    """By the same counts: what a run is compared with must not differ by how it was counted."""
    bundle = open_bundle(tiny_bundle)
    book, pipeline = bundle.codebook(), bundle.pipeline()
    texts = [
        "The doctor refused to see her. Call +996 700 123 456 in the evening.",
        "Two men came at night and took the keys.",
        "Врач отказал. Она ушла домой 5 мая.",
    ]
    nobody = {axis.id: None for axis in book.axes}
    cases = [Case(f"c{at}", "ru" if at == 2 else "en", text, nobody) for at, text in enumerate(texts)]
    run = Profile.of(book, known_words(bundle))
    rows = []
    for case in cases:
        analysis = pipeline.analyze_one(Narrative(case.text, language=case.language))
        run.add_analysis(analysis)
        found = {item.code: item.probability for item in analysis.suggestions}
        rows.append([found[code] if code else analysis.nothing[axis] for axis, code in pipeline.classifier.columns])
    held_out = HeldOut(pipeline.classifier.columns, np.array(rows), np.full((3, len(rows[0])), np.nan))
    policy = json.loads(bundle.files["policy.json"])
    vocabulary = json.loads(bundle.files["vocabulary.json"])
    assert describe(held_out, cases, policy, book, vocabulary=vocabulary).to_json() == run.to_json()


def test_a_linear_fit_writes_the_same_files(tmp_path, root, train):
    book = load_codebook(root / "annotations" / "codebook.yaml")
    config = (root / "training" / "configs" / "linear.toml").read_text(encoding="utf-8")
    config = config.replace('"annotations/', f'"{root.as_posix()}/annotations/').replace(
        "min_persons = 10", "min_persons = 2"
    )
    (tmp_path / "small.toml").write_text(config, encoding="utf-8")
    chosen = read_cases(root / "annotations" / "narratives" / "en-brief.jsonl", book)
    for name, members in (("train", chosen[:24]), ("tune", chosen[24:]), ("test", chosen[:1])):
        write_cases(tmp_path / "run" / f"{name}.jsonl", members)
    (tmp_path / "run" / "prepared.json").write_text("{}", encoding="utf-8")
    done = train("fit", "--config", tmp_path / "small.toml", "--run", tmp_path / "run")
    assert done.exit_code == 0, done.output
    bundle = open_bundle(tmp_path / "run" / "bundle")
    assert {HELD_OUT, REFERENCE} <= set(bundle.files)
    assert len(bundle.held_out().targets) == reference_of(bundle, book).rows == len(chosen[24:])
