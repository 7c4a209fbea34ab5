from __future__ import annotations

import json

import numpy as np
import pytest

from nlp.bulk.report.drift import compare
from nlp.bulk.report.judging import difference_said
from nlp.bulk.report.profile import LENGTHS, Bins, Profile, single_words, words_in
from nlp.bulk.report.speaking import Words
from nlp.types import Entity, Redaction, Replacement, Span

CODES = [("act", "blow"), ("act", "threat")]


@pytest.fixture
def profile_of(small, analysis):
    """A profile of rows of so many words, in a language, with so many of them unknown."""

    def make(rows, *, mean=80, language="en", unknown=0.2, seed=0, code="blow", known=frozenset({"known"})):
        draws = np.random.default_rng(seed)
        profile = Profile.of(small, known)
        for _ in range(rows):
            n = max(4, int(draws.normal(mean, 15)))
            strange = int(draws.binomial(n, unknown))
            profile.add_analysis(
                analysis(
                    suggest=[code], text=" ".join(["known"] * (n - strange) + ["strange"] * strange), language=language
                )
            )
        return profile

    return make


def by_kind(drift):
    return {item.kind: item for item in drift.differences}


def test_texts_of_the_same_kind_are_alike(profile_of):
    for seed in range(1, 6):
        assert compare(profile_of(200, seed=seed), profile_of(800), CODES).level == "alike"


def test_shorter_texts_are_told_in_plain_words(profile_of, small):
    drift = compare(profile_of(300, mean=25, seed=1), profile_of(800), CODES)
    difference = by_kind(drift)["words"]
    assert drift.level == "very_different"
    assert difference.share > 0.9
    assert difference.expected < 0.1
    assert "The texts are shorter" in difference_said(difference, Words("en", small))
    assert "короче" in difference_said(difference, Words("ru", small))


def test_unknown_words_and_strange_languages_are_told(profile_of, small):
    found = by_kind(compare(profile_of(300, unknown=0.7, language="uz", seed=1), profile_of(800), CODES))
    assert found["unknown"].level == "very_different"
    assert "More words are unknown" in difference_said(found["unknown"], Words("en", small))
    assert found["languages"].level == "very_different"
    assert (found["languages"].share, found["languages"].expected) == (1.0, 0.0)
    assert "hardly any" in difference_said(found["languages"], Words("en", small))


def test_texts_are_compared_with_those_of_their_own_language(small, profile_of):
    """Of a reference of short English and long Russian texts, a run of short English ones is nothing new."""
    reference = profile_of(500, mean=30)
    merged = Profile.from_json(reference.to_json(), small)
    russian = profile_of(500, mean=150, language="ru", unknown=0.8, seed=2)
    merged.rows, merged.languages = 1000, reference.languages + russian.languages
    merged.lengths.counts |= russian.lengths.counts
    merged.unknown.counts |= russian.unknown.counts
    assert compare(profile_of(300, mean=30, seed=3), merged, CODES).level == "alike"
    longer = compare(profile_of(300, mean=150, seed=3), merged, CODES)
    assert by_kind(longer)["words"].level == "very_different"


def test_few_rows_prove_nothing(profile_of):
    assert compare(profile_of(49, mean=25), profile_of(800), CODES).level == "too_few"


def test_codes_whose_share_differs_are_listed(profile_of):
    run = compare(profile_of(300, code="threat", seed=1), profile_of(800), CODES)
    assert {(item.code, item.share, item.expected) for item in run.codes} == {("threat", 1.0, 0.0), ("blow", 0.0, 1.0)}


def test_memory_does_not_grow_with_the_rows(profile_of):
    few, many = profile_of(50), profile_of(2_000)
    assert len(json.dumps(many.to_json())) < len(json.dumps(few.to_json())) + 200


def test_a_profile_comes_back_from_its_file(profile_of, small):
    profile = profile_of(100)
    again = Profile.from_json(json.loads(profile.to_bytes()), small)
    assert again.to_json() == profile.to_json()
    assert compare(profile, again, CODES).level == "alike"


def test_a_profile_hides_what_few_narratives_have(profile_of, small):
    profile = profile_of(100)
    profile.languages["uz"] = 3
    told = profile.to_json()
    assert told["languages"] == {"en": 100, "uz": None}
    assert Profile.from_json(told, small).languages["uz"] < 5


def test_lengths_of_a_rare_language_stand_among_others(profile_of):
    profile = profile_of(100)
    rare = profile_of(3, language="uz")
    profile.languages["uz"] = 3
    profile.lengths.counts |= rare.lengths.counts
    assert set(profile.to_json()["words"]["counts"]) == {"en", "other"}


@pytest.mark.parametrize(
    "change", [{"format": 2}, {"words": {"from": [0], "counts": {"en": [1]}}}, {"confidence": {}}, {"languages": 3}]
)
def test_what_is_no_profile_is_refused(profile_of, small, change):
    with pytest.raises(ValueError, match=r"format|bins|description"):
        Profile.from_json({**profile_of(10).to_json(), **change}, small)


def test_placeholders_are_no_words():
    entity = Entity(Span(0, 3), "PERSON", 1.0, "x")
    redaction = Redaction("[PERSON_1] came on 5 May", (Replacement(entity, "[PERSON_1]", Span(0, 10)),))
    assert list(words_in(redaction)) == ["came", "on", "0", "may"]


def test_single_words_of_a_vocabulary():
    assert single_words(["w:doctor", "w:doctor refused", "c: do", "w:refused"]) == {"doctor", "refused"}


def test_deciles_follow_the_bins():
    bins = Bins(LENGTHS)
    for value in range(100):
        bins.add("en" if value % 2 else "ru", value)
    assert bins.deciles()[4] == pytest.approx(50, abs=1)
    assert Bins(LENGTHS).deciles() == []
