from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from random import Random

import numpy as np
import pytest

from nlp.bundle import Bundle
from nlp.classification import columns_of
from nlp.codebook import parse_codebook
from nlp.errors import BundleIncompatible, CorpusError
from nlp.tags import Tagger
from training.corpus import Case, id_digest
from training.encoder_fit import (
    FACTS,
    PARTS,
    EncoderFiles,
    fit_on_encoder,
    fit_on_own_cases,
    parity_figures,
    with_tag_thresholds,
)
from training.package import ENCODER_FILES, SEEN, array_bytes, require_unseen

WORDS = "window garden winter tea blanket papers letter court month morning bridge queue bag fruit".split()
ACTS = {"refused": ("health.denial", "health"), "beat": ("violence.physical", "police")}

OWN = """\
codebook: own
version: "1"
languages: [en]
axes:
  violation:
    label: {en: Act}
    primary: true
    nothing: {en: Nothing}
    groups:
      - id: own
        label: {en: Own}
        codes:
          - {id: own.refusal, label: {en: Refusal}, definition: Refused.}
          - {id: own.blow, label: {en: Blow}, definition: Beaten.}
identifiers:
  - {id: PERSON, kind: direct, definition: A name.}
"""


def make(number, act, codes=None, **changes):
    """A case of invented words in which somebody refused, beat, or did nothing; ``codes`` are those of `ACTS` unless
    given."""
    rng = Random(number)  # noqa: S311 - words of a test, no secret
    first, second, third = rng.sample(WORDS, 3)
    said = {"refused": "The doctor refused", "beat": "Police beat"}.get(act, "We gave")
    violation, sector = ACTS.get(act, (None, None))
    case = Case(
        case_id=f"c{number}", language="en", text=f"They came in the {first}. {said} {second}. And {third}",
        codes=codes or {
            "violation": frozenset([violation] if violation else ()),
            "perpetrator": frozenset([sector] if sector else ()),
            "population": None,
        },
        primary={"violation": violation, "population": None},
        entities=(),
    )  # fmt: skip
    return replace(case, **changes)


def some(n, *, first=0, **changes):
    return [make(first + number, ("refused", "beat", "")[number % 3], **changes) for number in range(n)]


@pytest.fixture(scope="module")
def settings(config):
    return replace(config, C=(1.0, 100.0), folds=5, seed=1)


@pytest.fixture(scope="module")
def serving(make_serving):
    return make_serving()


@pytest.fixture(scope="module")
def fitted(serving, codebook, settings):
    return fit_on_encoder(serving, some(60), some(30, first=100), codebook, settings)


def probabilities(model, serving, cases):
    """Calibrated probabilities of cases, by column."""
    from training.heads import features_of

    slope, offset = model.calibration
    logits = model.decision_function(np.stack([features_of(case, serving) for case in cases]))
    return dict(zip(model.columns, (1 / (1 + np.exp(-(logits * slope + offset)))).T, strict=True))


def test_cases_that_can_be_told_apart_are(fitted, serving):
    cases = some(12, first=200)
    p = probabilities(fitted.model, serving, cases)
    for code, rest in (("health.denial", 0), ("violence.physical", 1), (None, 2)):
        assert p["violation", code][rest::3].min() > 0.7
        assert np.delete(p["violation", code], slice(rest, None, 3)).max() < 0.3


def test_every_code_has_thresholds(fitted, codebook):
    assert set(fitted.policy["codes"]) == {code for axis in codebook.axes for code in axis.codes}
    assert fitted.policy["codes"]["health.denial"]["support"] == 10
    assert fitted.facts["cases"] == 60


def test_fitting_twice_gives_the_same(serving, codebook, settings, fitted):
    again = fit_on_encoder(serving, some(60), some(30, first=100), codebook, settings)
    for name in ("weights", "primary", "calibration"):
        assert np.array_equal(getattr(again.model, name), getattr(fitted.model, name))
    assert again.policy == fitted.policy


def test_three_corrections_that_all_say_another_code_are_followed_a_little(fitted, serving, codebook, settings):
    """Too few to fit a head anew, but enough to lean."""
    other = {"violation": frozenset({"health.coercion"}), "perpetrator": frozenset({"health"}), "population": None}
    corrections = [make(300 + n, "refused", other, primary={"violation": "health.coercion"}) for n in range(3)]
    own = fit_on_own_cases(serving, fitted.model, corrections, codebook, settings)
    cases = [make(400 + n, "refused") for n in range(5)]
    before, after = (probabilities(model, serving, cases) for model in (fitted.model, own.model))
    assert (after["violation", "health.coercion"] > before["violation", "health.coercion"]).all()
    assert (after["violation", "health.denial"] < before["violation", "health.denial"]).all()


def test_many_corrections_are_followed_where_they_speak_and_the_rest_stays(fitted, serving, codebook, settings):
    other = {"violation": frozenset({"health.coercion"}), "perpetrator": frozenset({"health"}), "population": None}
    corrections = [make(300 + n, "refused", other) if n % 3 == 0 else make(300 + n, ("beat", "")[n % 2])
                   for n in range(60)]  # fmt: skip
    own = fit_on_own_cases(serving, fitted.model, corrections, codebook, settings)
    cases = some(12, first=400)
    after = probabilities(own.model, serving, cases)
    assert (after["violation", "health.coercion"] > after["violation", "health.denial"])[::3].all()
    assert after["violation", "violence.physical"][1::3].min() > 0.5 > after["violation", "health.coercion"][1::3].max()


def test_own_cases_that_agree_with_the_bundle_keep_its_codes(fitted, serving, codebook, settings):
    own = fit_on_own_cases(serving, fitted.model, some(30, first=300), codebook, settings)
    after = probabilities(own.model, serving, some(12, first=400))
    assert after["violation", "health.denial"][::3].min() > 0.5
    assert after["violation", "violence.physical"][1::3].min() > 0.5


def own_cases(n):
    codes = {"refused": "own.refusal", "beat": "own.blow"}
    return [
        make(500 + number, act, {"violation": frozenset([codes[act]] if act else ())}, primary={}, entities=None)
        for number, act in zip(range(n), ["refused", "beat", ""] * n, strict=False)
    ]


def test_codes_of_a_codebook_of_its_own_are_learned(fitted, serving, settings):
    book = parse_codebook(OWN)
    own = fit_on_own_cases(serving, fitted.model, own_cases(45), book, settings)
    assert own.model.columns == columns_of(book)
    assert set(own.policy["codes"]) == {"own.refusal", "own.blow"}
    p = probabilities(own.model, serving, own_cases(12))
    assert p["violation", "own.refusal"][::3].min() > 0.5 > p["violation", "own.refusal"][1::3].max()
    assert p["violation", "own.blow"][1::3].min() > 0.5 > p["violation", "own.blow"][2::3].max()


@pytest.mark.parametrize("cases", [some(1), [make(n, "refused", writer="w", theme="t") for n in range(5)]])
def test_too_few_own_cases_are_refused(fitted, serving, codebook, settings, cases):
    with pytest.raises(CorpusError, match="too few cases"):
        fit_on_own_cases(serving, fitted.model, cases, codebook, settings)


def test_own_cases_give_the_same_each_time(fitted, serving, codebook, settings):
    one, other = (fit_on_own_cases(serving, fitted.model, some(12, first=300), codebook, settings) for _ in range(2))
    for name in ("weights", "primary", "calibration"):
        assert np.array_equal(getattr(one.model, name), getattr(other.model, name))
    assert one.policy == other.policy


def test_encoded_cases_are_read_from_the_cache(make_serving, codebook, settings, fitted, tmp_path):
    passes = []
    own = [
        fit_on_own_cases(
            make_serving(lambda: passes.append(1)), fitted.model, some(6), codebook, settings, cache=tmp_path
        )
        for _ in range(2)
    ]
    assert len(passes) == 6 + 2  # each time one to tell this encoder from others
    assert np.array_equal(own[0].model.weights, own[1].model.weights)


@pytest.fixture
def serve(monkeypatch):
    """Lets files of an encoder be served by given parts."""

    def make_files(serving):
        monkeypatch.setattr(EncoderFiles, "serving", lambda self, book: serving)
        return EncoderFiles("tiny", {}, {"tag_thresholds": {}, "width": 32})

    return make_files


def naming(serving, said):
    """The same parts with a token head that takes words for persons with the probabilities of ``said``."""
    tags, pieces = serving.tagger.tags, serving.encoder.pieces
    odds = np.full((pieces.tokenizer.get_vocab_size(), 32), -30.0, dtype=np.float32)
    for word, probability in said.items():
        odds[pieces.cut(word).ids, 0] = np.log(probability / (1 - probability))
    weights = np.zeros((32, len(tags.names)), dtype=np.float32)
    weights[0, tags.number("I", "PERSON")] = 1
    bias = np.full(len(tags.names), -30, dtype=np.float32)
    bias[[0, tags.number("I", "PERSON")]] = 0
    encoder = type(serving.encoder)(pieces, lambda ids: odds[ids], width=32)
    return replace(serving, encoder=encoder, tagger=Tagger(tags, weights=weights, bias=bias, thresholds={}))


@pytest.mark.parametrize(
    ("said", "least", "most"),
    [
        ({"Zarina": 0.9, "Tolova": 0.32, "came": 0.22}, 0.25, 0.3),  # below the name's weaker half, above the mistake
        ({"Zarina": 0.9, "Tolova": 0.8, "came": 0.62, "the": 0.62}, 0.65, 0.8),
        ({"Zarina": 0.9}, 0.2, 0.8),
    ],
)
def test_threshold_of_identifiers_is_where_recall_counts_twice(cases, codebook, serving, serve, said, least, most):
    files = with_tag_thresholds(serve(naming(serving, said)), cases[:1], codebook)
    assert least <= files.facts["tag_thresholds"]["PERSON"] <= most
    assert files.facts["width"] == 32


def test_identifiers_that_no_case_has_keep_the_middle_threshold(cases, codebook, serving, serve):
    files = with_tag_thresholds(serve(naming(serving, {})), cases[:4], codebook)
    assert set(files.facts["tag_thresholds"]) == {identifier.id for identifier in codebook.identifiers}
    assert files.facts["tag_thresholds"]["PHONE"] == 0.5


def test_case_with_unmarked_identifiers_says_nothing_of_thresholds(cases, codebook, serving, serve):
    parts = naming(serving, {"Zarina": 0.9, "Tolova": 0.9, "Bohdan": 0.3, "Rusk": 0.3})
    unmarked = replace(cases[0], entities=None)
    steps = []
    files = with_tag_thresholds(serve(parts), [unmarked, cases[1]], codebook, step=lambda: steps.append(1))
    assert files.facts == with_tag_thresholds(serve(parts), [cases[1]], codebook).facts
    assert len(steps) == 2


def test_without_marked_identifiers_all_thresholds_stay_in_the_middle(cases, codebook, serving, serve):
    files = with_tag_thresholds(serve(naming(serving, {})), [replace(cases[0], entities=None)], codebook)
    assert set(files.facts["tag_thresholds"].values()) == {0.5}


def test_run_whose_fine_tuning_has_not_ended_is_refused(tmp_path):
    with pytest.raises(CorpusError, match="casecoder-train finetune"):
        EncoderFiles.of_run(tmp_path)
    (tmp_path / PARTS).mkdir()
    (tmp_path / PARTS / FACTS).write_text("{")
    with pytest.raises(CorpusError, match="casecoder-train finetune"):
        EncoderFiles.of_run(tmp_path)


def test_bundle_without_an_encoder_is_refused(tiny_bundle):
    from nlp.bundle import open_bundle

    with pytest.raises(CorpusError, match="no encoder to fit heads on"):
        EncoderFiles.of_bundle(open_bundle(tiny_bundle))


@pytest.fixture(scope="module")
def files(serving, tokenizer_json):
    """An encoder as a bundle holds it, but for the network."""
    tagger, pooling = serving.tagger, serving.pooling
    arrays = {
        "tags.npy": np.vstack([tagger.weights, tagger.bias]),
        "salience.npy": pooling.salience,
        "evidence.npy": pooling.evidence,
        "opinion.npy": pooling.opinion,
    }
    facts = {
        "width": pooling.width,
        "tags": list(tagger.tags.types),
        "tag_thresholds": dict.fromkeys(tagger.tags.types, 0.5),
        "columns": [list(column) for column in pooling.columns],
    }
    content = {"tokenizer.json": tokenizer_json, **{name: array_bytes(array) for name, array in arrays.items()}}
    return EncoderFiles("tiny", content, facts)


@pytest.mark.parametrize("axis", ["act", "sector"])
def test_codebook_with_an_axis_that_the_encoder_does_not_know_is_refused(files, axis, monkeypatch):
    monkeypatch.setattr(Bundle, "encoder", lambda self: None)
    with pytest.raises(BundleIncompatible, match=f"knows no axis {axis}"):
        files.serving(parse_codebook(OWN.replace("  violation:", f"  {axis}:")))
    assert files.serving(parse_codebook(OWN)).pooling.axes


def test_identifiers_of_the_codebook_decide_what_is_left_out(files, codebook, monkeypatch):
    monkeypatch.setattr(Bundle, "encoder", lambda self: None)
    own, whole = (files.serving(book).redactor.recognizers for book in (parse_codebook(OWN), codebook))
    assert {kind for recognizer in own for kind in recognizer.entity_types} < {
        kind for recognizer in whole for kind in recognizer.entity_types
    }


def test_cases_that_the_encoder_was_fine_tuned_on_may_not_judge_it(files):
    seen = json.dumps([id_digest("c1"), id_digest("c2")]).encode()
    parts = {**files.files, SEEN: seen}
    require_unseen(parts, [make(3, "refused")], source="tune")
    with pytest.raises(CorpusError, match=r"tune: 1 of its cases"):
        require_unseen(parts, [make(3, "refused"), make(2, "refused")], source="tune")


def test_parts_are_named_as_bundles_hold_them():
    assert len(set(ENCODER_FILES)) == len(ENCODER_FILES)


@pytest.fixture
def parity(fitted, serving, codebook, monkeypatch):
    """Compares a bundle of the fitted heads with itself, or with an encoder of other states."""
    manifest = {"name": "tiny", "version": "1", "kind": "encoder", "encoder": {}, "codebook": {}}
    bundle = Bundle(Path(), manifest, {"policy.json": json.dumps(fitted.policy).encode()})
    noise = np.random.default_rng(0).normal(size=(1000, 32)).astype(np.float32)
    other = replace(
        serving, encoder=type(serving.encoder)(serving.encoder.pieces, lambda ids: noise[ids], width=32)
    )  # fmt: skip
    monkeypatch.setattr(Bundle, "codebook", lambda self: codebook)
    monkeypatch.setattr(Bundle, "heads", lambda self: fitted.model)
    monkeypatch.setattr(
        EncoderFiles, "serving", lambda self, book: other if self.files.get("encoder.onnx") == b"other" else serving
    )
    return lambda full, cases: parity_figures(bundle, full, cases)


def test_parity_of_equal_encoders_is_equal(parity):
    figures = parity(b"same", some(12, first=200))
    assert figures["violation"] == {"float": 1.0, "small": 1.0}


def test_parity_shows_what_a_worse_encoder_costs(parity):
    figures = parity(b"other", some(12, first=200))
    assert figures["violation"]["float"] < figures["violation"]["small"] == 1.0


def test_parity_does_not_count_what_nobody_coded(parity):
    cases = some(12, first=200)
    uncoded = [replace(case, codes={**case.codes, "violation": None}) for case in some(6, first=300)]
    assert parity(b"same", [*cases, *uncoded])["violation"] == {"float": 1.0, "small": 1.0}
