"""``casecoder-train fit``: on the encoder of a run, and on a site's own cases."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest
from typer.testing import CliRunner

from nlp import Narrative
from nlp.bundle import open_bundle
from nlp.cli import app as casecoder
from nlp.codebook import load_codebook
from training.corpus import write_cases
from training.fit_cli import FEATURES
from training.package import ENCODER_FILES

OWN = """\
codebook: own
version: "1"
languages: [en, ru]
axes:
  violation:
    label: {en: Act, ru: Действие}
    primary: true
    nothing: {en: Nothing, ru: Ничего}
    groups:
      - id: own
        label: {en: Own, ru: Свои}
        codes:
          - {id: own.refusal, label: {en: Refusal, ru: Отказ}, definition: Refused.}
          - {id: own.blow, label: {en: Blow, ru: Удар}, definition: Beaten.}
identifiers:
  - {id: PERSON, kind: direct, definition: A name.}
"""


@pytest.fixture
def own(cases, tmp_path):
    """A site's own cases: every refusal there is coded as coercion."""
    recoded = [
        replace(case, codes={**case.codes, "violation": frozenset({"health.coercion"})},
                primary={"violation": "health.coercion"}, evidence={})
        for case in cases
        if "health.denial" in case.codes["violation"]
    ]  # fmt: skip
    write_cases(tmp_path / "own.jsonl", recoded[:3])
    return tmp_path / "own.jsonl"


@pytest.fixture
def fit(drafted, small_config, train, tmp_path):
    """Fits on a site's own cases, going on from the drafted bundle; answers how that ended and the new bundle."""

    def run(*options, bundle=drafted / "bundle", folder="site"):
        done = train("fit", *options, "--bundle", bundle, "--config", small_config, "--run", tmp_path / folder)
        return done, tmp_path / folder / "bundle"

    return run


def files_of(bundle, names=ENCODER_FILES):
    return {name: (bundle / name).read_bytes() for name in names}


def test_three_corrections_make_a_bundle_that_leans_to_them(fit, own, drafted, cases):
    done, bundle = fit("--data", own)
    assert done.exit_code == 0, done.output
    assert str(bundle) in done.output.replace("\n", "")
    verified = CliRunner().invoke(casecoder, ["bundle", "verify", str(bundle)])
    assert verified.exit_code == 0, verified.output
    before, after = (
        {item.code: item.probability for item in open_bundle(path).pipeline().analyze_one(case).suggestions}
        for case in [Narrative(cases[17].text, language="ru")]
        for path in (drafted / "bundle", bundle)
    )
    assert after["health.coercion"] > before["health.coercion"]
    assert after["health.denial"] < before["health.denial"]


def test_encoder_stays_as_it_is(fit, own, drafted):
    _, bundle = fit("--data", own)
    assert files_of(bundle) == files_of(drafted / "bundle")
    one, other = (open_bundle(path).manifest["encoder"] for path in (bundle, drafted / "bundle"))
    assert one == other


def test_manifest_tells_where_a_site_bundle_comes_from(fit, own, drafted):
    _, bundle = fit("--data", own, "--name", "north")
    manifest = open_bundle(bundle).manifest
    assert manifest["name"] == "north"
    assert manifest["version"].startswith("9.9.9+")
    assert manifest["training"]["continues"] == "react-9.9.9"
    assert manifest["training"]["cases"] == 3
    assert manifest["training"]["sources"] == {"invented": 3}
    assert manifest["languages"] == open_bundle(drafted / "bundle").manifest["languages"]
    assert manifest["metrics"] == {}


def test_second_fit_reads_what_has_been_encoded_and_gives_the_same(fit, own, tmp_path):
    _, bundle = fit("--data", own)
    first = files_of(bundle, ("weights.npy", "primary.npy", "calibration.npy", "policy.json"))
    cached = {path: path.stat().st_mtime_ns for path in (tmp_path / "site" / FEATURES).rglob("*.npy")}
    assert len(cached) == 3
    fit("--data", own)
    assert files_of(bundle, first) == first
    assert {path: path.stat().st_mtime_ns for path in (tmp_path / "site" / FEATURES).rglob("*.npy")} == cached
    _, elsewhere = fit("--data", own, folder="elsewhere")
    assert files_of(elsewhere, first) == first


def test_cases_may_lie_in_a_folder(fit, own, tmp_path):
    (tmp_path / "cases").mkdir()
    lines = own.read_text(encoding="utf-8").splitlines(keepends=True)
    (tmp_path / "cases" / "a.jsonl").write_text("".join(lines[:2]), encoding="utf-8")
    (tmp_path / "cases" / "b.jsonl").write_text(lines[2], encoding="utf-8")
    done, bundle = fit("--data", tmp_path / "cases")
    assert done.exit_code == 0, done.output
    assert open_bundle(bundle).manifest["training"]["cases"] == 3


@pytest.fixture
def own_codebook(tmp_path):
    (tmp_path / "own.yaml").write_text(OWN, encoding="utf-8")
    return tmp_path / "own.yaml"


@pytest.fixture
def own_coded(cases, tmp_path):
    codes = {"health.denial": "own.refusal", "violence.physical": "own.blow"}
    recoded = [
        replace(
            case,
            codes={"violation": frozenset(codes[code] for code in case.codes["violation"] if code in codes)},
            primary={"violation": codes.get(case.primary["violation"])},
            evidence={},
            entities=None,
        )
        for case in cases
    ]
    write_cases(tmp_path / "coded.jsonl", recoded)
    return tmp_path / "coded.jsonl"


def test_codebook_of_its_own_needs_no_other_encoder(fit, own_coded, own_codebook, drafted):
    done, bundle = fit("--data", own_coded, "--codebook", own_codebook)
    assert done.exit_code == 0, done.output
    assert files_of(bundle) == files_of(drafted / "bundle")
    opened = open_bundle(bundle)
    assert opened.codebook().digest == load_codebook(own_codebook).digest
    said = opened.pipeline().analyze_one(Narrative("Ana came. The doctor refused to examine her.", language="en"))
    assert {item.code for item in said.suggestions} == {"own.refusal", "own.blow"}
    assert set(said.nothing) == {"violation"}


def test_codebook_with_an_axis_that_the_encoder_does_not_know_is_refused(fit, own_coded, own_codebook, tmp_path):
    own_codebook.write_text(OWN.replace("  violation:", "  act:"), encoding="utf-8")
    text = own_coded.read_text(encoding="utf-8").replace('"violation"', '"act"')
    own_coded.write_text(text, encoding="utf-8")
    done, bundle = fit("--data", own_coded, "--codebook", own_codebook)
    assert done.exit_code == 2
    assert "knows no axis act" in done.output
    assert not bundle.exists()


def test_single_case_is_too_few(fit, own):
    own.write_text(own.read_text(encoding="utf-8").splitlines()[0] + "\n", encoding="utf-8")
    done, bundle = fit("--data", own)
    assert done.exit_code == 2
    assert "too few cases" in done.output
    assert not bundle.exists()


def test_bundle_without_an_encoder_cannot_be_gone_on_from(fit, own, tiny_bundle):
    done, _ = fit("--data", own, bundle=tiny_bundle)
    assert done.exit_code == 2
    assert "no encoder to fit heads on" in done.output


@pytest.mark.parametrize("option", ["--bundle", "--codebook"])
def test_what_goes_with_own_cases_is_refused_without_them(option, drafted, small_config, train):
    done = train("fit", option, drafted / "bundle", "--config", small_config, "--run", drafted)
    assert done.exit_code == 2
    assert "--data" in done.output


def test_missing_library_is_named_by_its_extra(own, small_config, tmp_path, train, monkeypatch):
    monkeypatch.setitem(sys.modules, "sklearn", None)
    done = train("fit", "--data", own, "--config", small_config, "--run", tmp_path)
    assert done.exit_code == 2
    assert "[fit]" in done.output


def test_site_needs_no_library_of_fine_tuning(drafted, small_config, own, tmp_path, root):
    """In a process of its own: here torch is loaded already."""
    program = f"""
import sys
class Missing:
    def find_spec(self, name, path=None, target=None):
        if name in ("torch", "transformers", "onnx"):
            raise ModuleNotFoundError(name=name)
sys.meta_path.insert(0, Missing())
from typer.testing import CliRunner
from training.cli import app
done = CliRunner().invoke(app, ["fit", "--data", {str(own)!r}, "--bundle", {str(drafted / "bundle")!r},
                                "--config", {str(small_config)!r}, "--run", {str(tmp_path / "site")!r}])
print(done.output, repr(done.exception), file=sys.stderr)
sys.exit(done.exit_code)
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, cwd=root, check=False)
    assert done.returncode == 0, done.stderr


def test_heads_of_a_run_are_the_same_each_time(drafted, small_config, train, tmp_path):
    run = shutil.copytree(drafted, tmp_path / "run")
    names = ("weights.npy", "primary.npy", "calibration.npy", "policy.json", "manifest.json")
    before = files_of(run / "bundle", names)
    shutil.rmtree(run / FEATURES)
    done = train("fit", "--config", small_config, "--run", run)
    assert done.exit_code == 0, done.output
    assert files_of(run / "bundle", names) == before


def test_heads_may_be_fitted_on_the_encoder_of_another_bundle(drafted, finetuned, small_config, train, tmp_path):
    run = shutil.copytree(finetuned, tmp_path / "run")
    shutil.rmtree(run / "encoder")
    refused = train("fit", "--config", small_config, "--run", run)
    assert refused.exit_code == 2
    assert "casecoder-train finetune" in refused.output
    done = train("fit", "--encoder-of", drafted / "bundle", "--config", small_config, "--run", run)
    assert done.exit_code == 0, done.output
    assert files_of(run / "bundle") == files_of(drafted / "bundle")
    assert np.array_equal(np.load(run / "bundle" / "weights.npy"), np.load(drafted / "bundle" / "weights.npy"))


def test_manifest_of_a_run_tells_what_it_was_trained_on(drafted):
    manifest = open_bundle(drafted / "bundle").manifest
    training = manifest["training"]
    assert training["cases"] == 12
    assert sum(training["languages"].values()) == 12
    assert training["config"] == "small.toml"
    assert training["splits"] == json.loads((drafted / "prepared.json").read_text(encoding="utf-8"))["splits"]
    assert set(manifest["encoder"]["tag_thresholds"]) == set(manifest["encoder"]["tags"])
    assert set(manifest["encoder"]["tag_thresholds"].values()) != {0.0}
