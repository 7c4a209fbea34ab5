from __future__ import annotations

from dataclasses import replace

import pytest

from training.corpus import Case, read_cases
from training.split import split_cases

SHARES = {"train": 0.6, "tune": 0.2, "test": 0.2}


def make(number, *, code="a", theme=None, language="en", original=None):
    return Case(
        case_id=f"c{number}", language=language, text="x", codes={"act": frozenset({code})},
        writer="w", theme=theme or f"t{number}", translation_of=original,
    )  # fmt: skip


def test_related_cases_stay_together():
    cases = [make(n, theme=f"t{n // 3}") for n in range(60)]
    cases += [make(100 + n, original=f"c{n}", language="ru") for n in range(5)]
    splits = split_cases(cases, SHARES, seed=1)
    home = {case.case_id: name for name, members in splits.items() for case in members}
    for case in cases:
        number = int(case.case_id[1:])
        related = case.translation_of or f"c{number // 3 * 3}"
        assert home[case.case_id] == home[related]
    assert sorted(case.case_id for members in splits.values() for case in members) == sorted(
        case.case_id for case in cases
    )


def test_rare_codes_are_shared_out():
    cases = [make(n, code="rare" if n < 10 else "common") for n in range(200)]
    splits = split_cases(cases, SHARES, seed=1)
    rare = {name: sum("rare" in case.codes["act"] for case in members) for name, members in splits.items()}
    assert rare == {"train": 6, "tune": 2, "test": 2}


def test_cases_seen_while_rules_were_written_are_never_measured_on():
    cases = [replace(make(n), tags=("seen",) if n % 3 == 0 else ()) for n in range(90)]
    splits = split_cases(cases, SHARES, seed=1)
    assert not [case for name in ("tune", "test") for case in splits[name] if "seen" in case.tags]
    assert [len(splits[name]) for name in SHARES] == [54, 18, 18]


def test_same_seed_gives_the_same_splits():
    cases = [make(n) for n in range(50)]
    assert split_cases(cases, SHARES, seed=3) == split_cases(cases, SHARES, seed=3)
    assert split_cases(cases, SHARES, seed=3) != split_cases(cases, SHARES, seed=4)


@pytest.mark.parametrize("language", ["en", "ru"])
def test_corpus_splits_have_every_code(root, codebook, config, language):
    cases = [
        case for case in read_cases(root / "annotations" / "narratives", codebook) if case.language in config.languages
    ]
    splits = split_cases(cases, config.shares, seed=config.seed)
    for name, share in config.shares.items():
        assert len(splits[name]) == pytest.approx(share * len(cases), rel=0.15)
        assert any(case.language == language for case in splits[name])
        for axis in codebook.axes:
            found = {code for case in splits[name] for code in case.codes[axis.id] or ()}
            assert found == set(axis.codes), name
