"""The long run by its commands, on a tiny encoder: ``prepare``, ``finetune``, ``fit``, ``evaluate``, ``package``."""

from __future__ import annotations

import json
import re
import shutil
import sys

import numpy as np
import pytest
from typer.testing import CliRunner

from nlp.bundle import open_bundle
from nlp.cli import app as casecoder
from training.corpus import id_digest, read_cases
from training.encoder_fit import FACTS, PARTS
from training.package import ENCODER_FILES, SEEN


@pytest.fixture
def copy(finetuned, tmp_path):
    """A run that a test may change."""
    return shutil.copytree(finetuned, tmp_path / "run")


def use(*arguments, **options):
    return CliRunner().invoke(casecoder, [str(argument) for argument in arguments], **options)


def test_bundle_comes_out_that_suggests_and_is_accepted(drafted, small_config, tmp_path, train):
    run = shutil.copytree(drafted, tmp_path / "run")
    for step in (
        ["evaluate", "--split", "tune", "--sample", 0, "--no-report", "--config", small_config],
        ["package", "--models", tmp_path / "models"],
    ):
        done = train(*step, "--run", run)
        assert done.exit_code == 0, done.output
    bundle = tmp_path / "models" / "react-9.9.9"
    verified = use("bundle", "verify", bundle)
    assert verified.exit_code == 0, verified.output
    assert "it loads" in verified.output
    said = use("suggest", "--json", "--language", "en", "--bundle", bundle, "-",
               input="Zarina Tolova came. The doctor refused to examine her.")  # fmt: skip
    assert said.exit_code == 0, said.output
    analysis = json.loads(said.stdout)
    assert analysis["bundle"] == "react-9.9.9"
    opened = open_bundle(bundle)
    assert set(ENCODER_FILES) <= set(opened.files)
    assert opened.manifest["metrics"]["tune"]["cases"] == 6
    assert "transformer" in opened.files["card.md"].decode()


def test_same_text_gives_the_same_answer(drafted):
    arguments = ("suggest", "--json", "--language", "ru", "--bundle", drafted / "bundle", "-")
    one, other = (use(*arguments, input="Врач отказал Нине Лапиной в уколе. Она ушла домой.") for _ in range(2))
    assert one.exit_code == 0, one.output
    assert one.stdout == other.stdout


def test_run_holds_what_a_bundle_needs(finetuned):
    assert {path.name for path in (finetuned / PARTS).iterdir()} == {*ENCODER_FILES, FACTS}
    facts = json.loads((finetuned / PARTS / FACTS).read_text(encoding="utf-8"))
    assert facts["width"] == 32
    assert facts["cases"] == 12
    assert facts["sentences"] == 3
    assert facts["settings"]["encoder"] == "tiny"  # a name, not where it lay on somebody's machine
    assert facts["settings"]["names"] is True
    assert np.load(finetuned / PARTS / "tags.npy").shape == (33, 1 + 2 * len(facts["tags"]))
    report = json.loads((finetuned / "vocabulary.json").read_text(encoding="utf-8"))
    assert report["before"] == report["after"]  # of the narratives, every piece was kept
    assert set(report["after"]) == {"en", "ru"}


def test_nothing_in_a_bundle_tells_where_it_was_made(drafted, finetuned, bert_folder):
    manifest = (drafted / "bundle" / "manifest.json").read_text(encoding="utf-8")
    for folder in (drafted, finetuned, bert_folder):
        assert str(folder.parent) not in manifest
    assert "torch" not in json.loads(manifest)["files"]


def test_no_narrative_stands_in_what_is_left_beside_the_splits(drafted, cases):
    names = [case.text[case.entities[0].span.start : case.entities[0].span.end] for case in cases]
    for path in drafted.rglob("*"):
        if path.is_file() and path.suffix in (".json", ".jsonl", ".md") and path.name not in (
            "train.jsonl", "tune.jsonl", "test.jsonl", "tokenizer.json",
        ):  # fmt: skip
            content = path.read_text(encoding="utf-8")
            assert not [name for name in names if name in content], path.name


def test_finished_run_is_not_trained_again(copy, small_config, bert_folder, names_folder, train):
    before = (copy / PARTS / "encoder.onnx").read_bytes()
    lines = (copy / "finetune.jsonl").read_text(encoding="utf-8")
    done = train("finetune", "--encoder", bert_folder, "--names", names_folder, "--config", small_config, "--run", copy)
    assert done.exit_code == 0, done.output
    assert (copy / "finetune.jsonl").read_text(encoding="utf-8") == lines
    assert (copy / PARTS / "encoder.onnx").read_bytes() == before


def test_other_settings_do_not_go_on_from_the_checkpoint(copy, small_config, bert_folder, train):
    done = train("finetune", "--encoder", bert_folder, "--config", small_config, "--run", copy)  # without the names
    assert done.exit_code == 2
    assert "other settings" in done.output


def test_export_gives_the_same_encoder_again(copy, small_config, bert_folder, names_folder, train):
    before = {name: (copy / PARTS / name).read_bytes() for name in ENCODER_FILES}
    shutil.rmtree(copy / PARTS)
    done = train(
        "export-encoder", "--encoder", bert_folder, "--names", names_folder, "--config", small_config, "--run", copy
    )
    assert done.exit_code == 0, done.output
    assert {name: (copy / PARTS / name).read_bytes() for name in ENCODER_FILES} == before


def test_export_keeps_the_vocabulary_of_the_checkpoint_when_narratives_have_changed(
    copy, small_config, bert_folder, names_folder, train, tmp_path
):
    """Otherwise every piece would get the state of another one."""
    toml = small_config.read_text(encoding="utf-8").replace("vocabulary = 2000", "vocabulary = 450")
    (tmp_path / "tight.toml").write_text(toml, encoding="utf-8")
    options = ("--encoder", bert_folder, "--names", names_folder, "--config", tmp_path / "tight.toml", "--run", copy)
    (copy / "checkpoint.pt").unlink()
    done = train("finetune", *options)
    assert done.exit_code == 0, done.output
    before = (copy / PARTS / "tokenizer.json").read_bytes()
    lines = (copy / "test.jsonl").read_text(encoding="utf-8")
    (copy / "train.jsonl").write_text(lines, encoding="utf-8")
    done = train("export-encoder", *options)
    assert done.exit_code == 0, done.output
    assert (copy / PARTS / "tokenizer.json").read_bytes() == before


def test_export_without_a_checkpoint_is_refused(copy, small_config, bert_folder, names_folder, train):
    (copy / "checkpoint.pt").unlink()
    done = train(
        "export-encoder", "--encoder", bert_folder, "--names", names_folder, "--config", small_config, "--run", copy
    )
    assert done.exit_code == 2
    assert "casecoder-train finetune" in done.output


@pytest.mark.parametrize("command", ["finetune", "export-encoder", "parity"])
@pytest.mark.parametrize("library", ["torch", "transformers", "onnx"])
def test_missing_library_is_named_by_its_extra(command, library, small_config, tmp_path, train, monkeypatch):
    monkeypatch.setitem(sys.modules, library, None)
    done = train(command, "--config", small_config, "--run", tmp_path)
    assert done.exit_code == 2
    assert "[finetune]" in done.output


@pytest.mark.parametrize("command", ["finetune", "export-encoder", "parity"])
def test_configuration_of_a_linear_model_has_nothing_to_fine_tune(command, root, tmp_path, train):
    done = train(command, "--config", root / "training" / "configs" / "linear.toml", "--run", tmp_path)
    assert done.exit_code == 2
    assert "no [encoder]" in done.output


def test_encoder_that_is_not_there_is_refused(copy, small_config, tmp_path, train):
    done = train("finetune", "--encoder", tmp_path / "none", "--config", small_config, "--run", copy)
    assert done.exit_code == 2
    assert "no encoder that can be loaded" in done.output


def test_steps_before_are_asked_for(small_config, bert_folder, tmp_path, train):
    for command, wanted in (("finetune", "prepare"), ("fit", "prepare")):
        done = train(command, *(["--encoder", bert_folder] if command == "finetune" else []),
                     "--config", small_config, "--run", tmp_path)  # fmt: skip
        assert done.exit_code == 2
        assert f"casecoder-train {wanted}" in re.sub(r"\s+", " ", done.output)


def test_folder_without_sentences_is_refused(copy, small_config, bert_folder, tmp_path, train):
    (tmp_path / "empty").mkdir()
    done = train("finetune", "--encoder", bert_folder, "--names", tmp_path / "empty", "--config", small_config,
                 "--run", copy)  # fmt: skip
    assert done.exit_code == 2
    assert "*.train.jsonl.gz" in done.output


def test_names_of_public_corpora_are_measured(drafted, names_folder, train, tmp_path):
    done = train("names", names_folder, "--run", drafted, "-o", tmp_path / "names.json")
    assert done.exit_code == 0, done.output
    measured = json.loads((tmp_path / "names.json").read_text(encoding="utf-8"))
    assert measured["bundle"] == "react-9.9.9"
    assert measured["bundle_digest"] == open_bundle(drafted / "bundle").digest
    assert {language: item["sentences"] for language, item in measured["languages"].items()} == {"en": 2, "ru": 1}
    assert measured["languages"]["en"]["PERSON"]["support"] == 1
    assert "Zarina" not in done.output


@pytest.mark.parametrize("what", ["empty", "linear"])
def test_names_cannot_be_measured_without_sentences_or_an_encoder(
    what, drafted, names_folder, tiny_bundle, tmp_path, train
):
    folder, bundle = (tmp_path, drafted / "bundle") if what == "empty" else (names_folder, tiny_bundle)
    done = train("names", folder, "--bundle", bundle, "--run", drafted, "-o", tmp_path / "names.json")
    assert done.exit_code == 2
    assert ("*.dev.jsonl.gz" if what == "empty" else "encoder") in done.output


def test_parity_with_full_precision_is_measured(drafted, small_config, bert_folder, names_folder, tmp_path, train):
    run = shutil.copytree(drafted, tmp_path / "run")
    done = train("parity", "--encoder", bert_folder, "--names", names_folder, "--config", small_config, "--run", run)
    assert done.exit_code == 0, done.output
    measured = json.loads((run / "metrics-parity.json").read_text(encoding="utf-8"))
    assert measured["bundle_digest"] == open_bundle(run / "bundle").digest
    assert set(measured["micro_f1"]) == {"violation", "perpetrator", "population"}
    assert set(measured["micro_f1"]["violation"]) == {"float", "small"}


@pytest.fixture(scope="module")
def options(small_config, names_folder, tmp_path_factory):
    """Of a run for which no encoder lies anywhere."""
    nowhere = tmp_path_factory.mktemp("nowhere") / "none"
    return ("--encoder", nowhere, "--names", names_folder, "--config", small_config)


@pytest.fixture
def prepared(finetuned, tmp_path):
    """A new run with the splits of the first."""
    run = tmp_path / "new"
    run.mkdir()
    for name in ("train", "tune", "test"):
        shutil.copy(finetuned / f"{name}.jsonl", run)
    return run


@pytest.fixture(scope="module")
def continued(finetuned, drafted, options, train, tmp_path_factory):
    """A run that goes on from the bundle of the first, with half of its cases."""
    run = tmp_path_factory.mktemp("continued")
    for name in ("train", "tune", "test"):
        lines = (finetuned / f"{name}.jsonl").read_text(encoding="utf-8").splitlines(keepends=True)
        (run / f"{name}.jsonl").write_text("".join(lines[:6]), encoding="utf-8")
    done = train("finetune", "--after-bundle", drafted / "bundle", *options, "--run", run)
    assert done.exit_code == 0, done.output
    return run


def losses(run):
    return json.loads((run / "finetune.jsonl").read_text(encoding="utf-8").splitlines()[-1])["loss"]


def test_run_goes_on_from_a_bundle_without_the_encoder_that_this_was_made_of(continued, drafted, finetuned, codebook):
    assert losses(continued)["codes"] < losses(finetuned)["codes"]
    assert (continued / PARTS / "tokenizer.json").read_bytes() == (drafted / "bundle" / "tokenizer.json").read_bytes()
    facts = json.loads((continued / PARTS / FACTS).read_text(encoding="utf-8"))
    bundle = open_bundle(drafted / "bundle")
    assert facts["after"] == {"bundle": "react-9.9.9", "digest": bundle.digest}
    assert "after" not in json.loads((finetuned / PARTS / FACTS).read_text(encoding="utf-8"))
    seen = json.loads((continued / PARTS / SEEN).read_text(encoding="utf-8"))
    assert seen == sorted(id_digest(case.case_id) for case in read_cases(finetuned / "train.jsonl", codebook))


def test_run_after_a_bundle_is_resumed_exported_and_followed_without_it(continued, prepared, options, train, tmp_path):
    run = shutil.copytree(continued, tmp_path / "run")
    before = {name: (run / PARTS / name).read_bytes() for name in ENCODER_FILES}
    for command in ("finetune", "export-encoder"):
        shutil.rmtree(run / PARTS)
        done = train(command, *options, "--run", run)
        assert done.exit_code == 0, done.output
        assert {name: (run / PARTS / name).read_bytes() for name in ENCODER_FILES} == before
    done = train("finetune", "--after", run, *options, "--run", prepared)
    assert done.exit_code == 0, done.output
    assert "after" in json.loads((prepared / PARTS / FACTS).read_text(encoding="utf-8"))


def test_going_on_from_a_bundle_twice_gives_the_same_weights(continued, drafted, options, train, tmp_path):
    run = tmp_path / "again"
    run.mkdir()
    for name in ("train", "tune", "test"):
        shutil.copy(continued / f"{name}.jsonl", run)
    done = train("finetune", "--after-bundle", drafted / "bundle", *options, "--run", run)
    assert done.exit_code == 0, done.output
    assert (run / PARTS / "encoder.onnx").read_bytes() == (continued / PARTS / "encoder.onnx").read_bytes()


@pytest.mark.parametrize("after", ["--after", "--after-bundle"])
@pytest.mark.parametrize("split", ["tune", "test"])
def test_encoder_that_has_seen_what_will_judge_it_is_refused(
    after, split, finetuned, drafted, prepared, options, train
):
    shutil.copy(finetuned / "train.jsonl", prepared / f"{split}.jsonl")
    earlier = finetuned if after == "--after" else drafted / "bundle"
    done = train("finetune", after, earlier, *options, "--run", prepared)
    assert done.exit_code == 2
    assert "12 of its cases are among those that the encoder was fine-tuned on" in re.sub(r"\s+", " ", done.output)
    assert not (prepared / "tokenizer.json").exists()


@pytest.mark.parametrize("bundle", ["linear", "missing"])
def test_bundle_without_an_encoder_is_no_beginning(bundle, tiny_bundle, prepared, options, train, tmp_path):
    path = tiny_bundle if bundle == "linear" else tmp_path / "none"
    done = train("finetune", "--after-bundle", path, *options, "--run", prepared)
    assert done.exit_code == 2
    assert ("no encoder to go on from" if bundle == "linear" else "none") in re.sub(r"\s+", " ", done.output)


def test_run_has_one_beginning(drafted, finetuned, prepared, options, train):
    done = train("finetune", "--after", finetuned, "--after-bundle", drafted / "bundle", *options, "--run", prepared)
    assert done.exit_code == 2
    assert "name one" in done.output


def test_run_after_a_bundle_that_has_no_weights_yet_does_not_begin_with_random_ones(
    continued, options, train, tmp_path
):
    run = shutil.copytree(continued, tmp_path / "run")
    (run / "checkpoint.pt").unlink()
    done = train("finetune", *options, "--run", run)
    assert done.exit_code == 2
    assert "--after-bundle" in done.output


def test_bundle_of_another_number_of_layers_is_refused(drafted, prepared, small_config, options, train, tmp_path):
    toml = small_config.read_text(encoding="utf-8").replace("\nlayers = 2", "\nlayers = 1")
    (tmp_path / "flat.toml").write_text(toml, encoding="utf-8")
    done = train("finetune", "--after-bundle", drafted / "bundle", *options, "--config", tmp_path / "flat.toml",
                 "--run", prepared)  # fmt: skip
    assert done.exit_code == 2
    assert "2 layers, not 1" in re.sub(r"\s+", " ", done.output)
