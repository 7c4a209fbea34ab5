from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from nlp.classification import HeadsClassifier, LinearClassifier, columns_of
from nlp.redaction import Redactor, recognizers_for
from nlp.types import Entity, Span
from training.corpus import Case
from training.heads import continue_heads, encode, features_of, fit_heads, primary_of

WORDS = "window garden winter tea blanket papers letter court month morning bridge queue".split()


def make(number, said, *, name="Zarina", **changes):
    """A case in which somebody refused, beat, or did nothing."""
    a, b, c = (WORDS[(number * step + step) % len(WORDS)] for step in (1, 5, 7))
    act = {"refused": "The doctor refused", "beat": "Police beat", "": "We gave"}[said]
    code, sector = {"refused": ("health.denial", "health"), "beat": ("violence.physical", "police"), "": (None, None)}[
        said
    ]
    text = f"{name} came in the {a}. {act} {b}. {c}"
    return replace(
        Case(
            case_id=f"c{number}", language="en", text=text,
            codes={
                "violation": frozenset([code] if code else ()),
                "perpetrator": frozenset([sector] if sector else ()),
                "population": None,
            },
            primary={"violation": code or None, "population": None},
            entities=(Entity(Span(0, len(name)), "PERSON", 1.0, "gold"),),
        ),
        **changes,
    )  # fmt: skip


@pytest.fixture(scope="module")
def columns(codebook):
    return columns_of(codebook)


@pytest.fixture(scope="module")
def serving(make_serving):
    return make_serving()


@pytest.fixture(scope="module")
def encoded(serving, columns):
    return encode([make(n, ("refused", "beat", "")[n % 3]) for n in range(45)], serving, columns)


def test_features_have_a_row_for_each_axis(serving, encoded, columns, codebook):
    assert encoded.X.shape == (45, len(codebook.axes), serving.pooling.n_features)
    assert encoded.targets.shape == encoded.primary.shape == (45, len(columns))
    assert encoded.X.dtype == np.float32


def test_another_name_changes_no_feature(serving):
    assert np.array_equal(
        features_of(make(1, "refused"), serving), features_of(make(1, "refused", name="Bohdan"), serving)
    )


def test_name_that_nobody_marked_or_found_is_a_feature(serving):
    marked, unmarked = (features_of(make(1, "refused", **changes), serving) for changes in ({}, {"entities": None}))
    assert not np.array_equal(marked, unmarked)


def test_case_of_identifiers_alone_has_finite_features(serving):
    case = make(1, "", text="Zarina")
    assert np.isfinite(features_of(case, serving)).all()


def test_primary_codes_are_told_from_the_others_of_their_axis(columns):
    case = make(0, "refused", codes={
        "violation": frozenset({"health.denial", "violence.physical"}), "perpetrator": None, "population": frozenset(),
    })  # fmt: skip
    row = dict(zip(columns, primary_of([case], columns)[0], strict=True))
    assert row["violation", "health.denial"] == 1
    assert row["violation", "violence.physical"] == 0
    assert np.isnan(list(row.values())).sum() == len(columns) - 2


class Counted:
    def __init__(self):
        self.n = 0

    def __call__(self):
        self.n += 1


def test_cached_features_are_the_same_and_spare_the_encoder(make_serving, columns, tmp_path):
    cases = [make(n, "refused") for n in range(4)]
    passes, steps = Counted(), Counted()
    first = encode(cases, make_serving(passes), columns, cache=tmp_path)
    assert passes.n == 4 + 1  # one to tell this encoder from others
    again = encode(cases, make_serving(passes), columns, cache=tmp_path, step=steps)
    assert passes.n == 5 + 1
    assert steps.n == 4
    assert np.array_equal(first.X, again.X)
    assert np.array_equal(first.X, encode(cases, make_serving(), columns).X)


@pytest.mark.parametrize("change", ["text", "entities"])
def test_changed_case_is_encoded_anew(make_serving, columns, tmp_path, change):
    case = make(0, "refused")
    changed = replace(case, text=case.text + " tea") if change == "text" else replace(case, entities=())
    before, after = (encode([item], make_serving(), columns, cache=tmp_path).X for item in (case, changed))
    assert not np.array_equal(before, after)
    assert np.array_equal(after, encode([changed], make_serving(), columns).X)


def with_weights(serving):
    return replace(serving, pooling=replace(serving.pooling, opinion=serving.pooling.opinion + 1))


def with_states(serving):
    network = serving.encoder.network
    encoder = type(serving.encoder)(serving.encoder.pieces, lambda ids: network(ids) + 1, width=serving.encoder.width)
    return replace(serving, encoder=encoder)


def with_names(serving):
    tagger = serving.tagger
    bias = tagger.bias.copy()
    bias[tagger.tags.number("B", "PERSON")] = 30  # everything is a person
    other = type(tagger)(tagger.tags, weights=tagger.weights, bias=bias, thresholds=tagger.thresholds)
    return replace(serving, tagger=other)


def with_recognizers(serving):
    return replace(serving, redactor=Redactor(recognizers_for(["PHONE"]), serving.tagger.tags.types))


@pytest.mark.parametrize("other", [with_weights, with_states, with_names, with_recognizers])
def test_other_parts_are_not_served_from_the_cache(make_serving, columns, tmp_path, other):
    case = make(0, "refused", text="Zarina came. The doctor refused, tel. +996 700 123 456.")
    encode([case], make_serving(), columns, cache=tmp_path)
    parts = other(make_serving())
    fresh = encode([case], parts, columns).X
    assert not np.array_equal(fresh, encode([case], make_serving(), columns).X)
    assert np.array_equal(encode([case], parts, columns, cache=tmp_path).X, fresh)


def proba(model, X):
    slope, offset = model.calibration
    return 1 / (1 + np.exp(-(model.decision_function(X) * slope + offset)))


def test_heads_tell_the_cases_apart(encoded, columns, serving):
    model, facts = fit_heads(encoded, encoded, columns, serving.pooling, C=[10.0, 1000.0], seed=1)
    p = proba(model, encoded.X)
    for code, rest in (("health.denial", 0), ("violence.physical", 1), (None, 2)):
        at = columns.index(("violation", code))
        mine = np.arange(45) % 3 == rest
        assert p[mine, at].min() > 0.8
        assert p[~mine, at].max() < 0.2
    assert facts["cases"] == 45
    assert set(facts["log_loss_on_tune"]) == {"10.0", "1000.0"}
    assert set(facts["log_loss_of_shares"]) == {"0.0"}


def test_as_much_of_the_words_is_taken_as_does_best(encoded, columns, serving):
    known = serving.pooling.columns
    lexical = LinearClassifier(
        known,
        (),
        idf=np.zeros(0),
        weights=np.zeros((0, len(known))),
        bias=np.zeros(len(known)),
        calibration=np.zeros(2),
    )
    pooling = replace(serving.pooling, lexical=lexical)
    coded = ~np.isnan(encoded.targets)
    says = np.stack(
        [np.where(coded[:, at], 8 * encoded.targets[:, at] - 4, 0) for at in map(columns.index, known)], axis=1
    )
    words = np.repeat(says[:, None], encoded.X.shape[1], axis=1)
    silent = encoded.X.copy()
    silent[:, :, 2 * pooling.width :] = 0.0
    told = replace(encoded, X=np.concatenate([silent, words], axis=-1).astype(np.float32))
    model, facts = fit_heads(told, told, columns, pooling, C=[1e-6], shares=[0.0, 0.5], seed=1)
    assert facts["share_of_words"] == 0.5
    p = proba(model, told.X)
    at = columns.index(("violation", "health.denial"))
    assert p[encoded.targets[:, at] == 1, at].min() > p[encoded.targets[:, at] == 0, at].max()


def test_what_the_encoder_says_itself_is_kept_where_no_model_does_better(encoded, columns, serving):
    """Its opinion of a code is one of the features: where that tells all, models fitted on noise cannot win."""
    rng = np.random.default_rng(0)
    coded = ~np.isnan(encoded.targets)
    X = rng.normal(size=encoded.X.shape).astype(np.float32)
    for at, column in enumerate(columns):
        own = 2 * serving.pooling.width + serving.pooling.columns.index(column)
        X[:, :, own] = np.where(coded[:, at], 8 * encoded.targets[:, at] - 4, 0)[:, None]
    told = replace(encoded, X=X)
    noise = replace(encoded, X=rng.normal(size=encoded.X.shape).astype(np.float32))
    model, facts = fit_heads(noise, told, columns, serving.pooling, C=[1.0], seed=1)
    assert facts["C"] == 0.0
    assert np.allclose(model.decision_function(X)[coded], 8 * encoded.targets[coded] - 4)


def test_regularization_is_the_one_with_the_least_loss_on_tune(encoded, columns, serving):
    rows = np.arange(45)
    noise = replace(encoded.of(rows), X=np.random.default_rng(0).normal(size=encoded.X.shape).astype(np.float32))
    for tune, train in ((encoded, encoded), (noise, encoded)):
        _, facts = fit_heads(train, tune, columns, serving.pooling, C=[0.001, 1.0, 1000.0], seed=1)
        losses = facts["log_loss_on_tune"]
        assert losses[str(facts["C"])] == min(losses.values())


def test_code_with_too_few_cases_gets_a_base_rate(encoded, columns, serving):
    model, _ = fit_heads(encoded, encoded, columns, serving.pooling, C=[1.0], seed=1)
    rare = columns.index(("violation", "health.coercion"))
    assert not model.weights[:-1, rare].any()
    assert proba(model, encoded.X)[:, rare] == pytest.approx(np.full(45, 0.5 / 46))
    uncoded = columns.index(("population", "plhiv"))
    assert proba(model, encoded.X)[:, uncoded] == pytest.approx(np.full(45, 0.5))


def test_same_cases_give_the_same_heads(encoded, columns, serving):
    one, other = (fit_heads(encoded, encoded, columns, serving.pooling, C=[1.0, 10.0], seed=1)[0] for _ in range(2))
    assert np.array_equal(one.weights, other.weights)
    assert np.array_equal(one.primary, other.primary)


def test_leading_code_is_learned(encoded, columns, serving):
    primary = encoded.primary.copy()
    denial, beaten = (columns.index(("violation", code)) for code in ("health.denial", "violence.physical"))
    for row in range(45):
        primary[row, denial], primary[row, beaten] = (1, 0) if row % 3 == 0 else (0, 1)
    model, _ = fit_heads(replace(encoded, primary=primary), encoded, columns, serving.pooling, C=[100.0], seed=1)
    scores = encoded.X[:, 0] @ model.primary[:-1] + model.primary[-1]
    assert ((scores[:, denial] > scores[:, beaten]) == (np.arange(45) % 3 == 0)).all()


@pytest.fixture(scope="module")
def shipped(encoded, columns, serving):
    model, _ = fit_heads(encoded, encoded, columns, serving.pooling, C=[100.0], seed=1)
    rng = np.random.default_rng(0)
    model.calibration = np.vstack([rng.uniform(0.5, 2, len(columns)), rng.normal(size=len(columns))])
    return model


def test_without_enough_own_cases_shipped_heads_stay_with_their_calibration(encoded, columns, serving, shipped):
    own = encoded.of(np.array([0, 1]))
    model = continue_heads(own, columns, serving.pooling, shipped, C=1.0, seed=1)
    assert proba(model, encoded.X) == pytest.approx(proba(shipped, encoded.X), abs=1e-6)
    assert np.array_equal(model.primary, shipped.primary)


def test_own_cases_that_agree_leave_shipped_heads_about_where_they_are(encoded, columns, serving, shipped):
    at = columns.index(("violation", "health.denial"))
    model = continue_heads(encoded, columns, serving.pooling, shipped, C=0.01, seed=1)
    assert (
        np.corrcoef(model.decision_function(encoded.X)[:, at], shipped.decision_function(encoded.X)[:, at])[0, 1] > 0.99
    )


def test_many_own_cases_overrule_shipped_heads(encoded, columns, serving, shipped):
    denial, beaten = (columns.index(("violation", code)) for code in ("health.denial", "violence.physical"))
    swapped = encoded.targets.copy()
    swapped[:, [denial, beaten]] = swapped[:, [beaten, denial]]
    model = continue_heads(replace(encoded, targets=swapped), columns, serving.pooling, shipped, C=1.0, seed=1)
    refused = np.arange(45) % 3 == 0
    logits = model.decision_function(encoded.X)
    assert logits[refused, beaten].min() > logits[~refused, beaten].max()


def test_code_that_shipped_heads_do_not_know_is_learned_from_nothing(encoded, columns, serving, shipped):
    denial = columns.index(("violation", "health.denial"))
    fewer = tuple(column for column in columns if column.code != "health.denial")
    kept = [at for at, column in enumerate(columns) if column in fewer]
    less = HeadsClassifier(fewer, serving.pooling, weights=shipped.weights[:, kept], primary=shipped.primary[:, kept],
                           calibration=shipped.calibration[:, kept])  # fmt: skip
    model = continue_heads(encoded, columns, serving.pooling, less, C=1000.0, seed=1)
    alone = continue_heads(encoded, columns, serving.pooling, None, C=1000.0, seed=1)
    assert np.array_equal(model.weights[:, denial], alone.weights[:, denial])
    refused = np.arange(45) % 3 == 0
    logits = model.decision_function(encoded.X)[:, denial]
    assert logits[refused].min() > logits[~refused].max()


def test_rows_are_chosen_with_their_groups(encoded):
    part = encoded.of(np.array([3, 1]))
    assert part.groups == (encoded.groups[3], encoded.groups[1])
    assert np.array_equal(part.X, encoded.X[[3, 1]])
