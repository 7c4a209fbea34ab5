from __future__ import annotations

from dataclasses import replace

import pytest

from nlp.errors import CorpusError
from nlp.types import Entity, Span
from training.corpus import Case, groups_of
from training.duplicates import near_duplicates
from training.split import Plan, apply_frozen, divided, freeze, read_frozen, split_cases, straddling, write_frozen

SHARES = {"train": 0.6, "tune": 0.2, "test": 0.2}
PLAN = Plan({"default": SHARES}, seed=1)


def make(number, *, code="a", theme=None, language="en", original=None):
    return Case(
        case_id=f"c{number}", language=language, text="x", codes={"act": frozenset({code})},
        writer="w", theme=theme or f"t{number}", translation_of=original,
    )  # fmt: skip


def test_related_cases_stay_together():
    cases = [make(n, theme=f"t{n // 3}") for n in range(60)]
    cases += [make(100 + n, original=f"c{n}", language="ru") for n in range(5)]
    splits = split_cases(cases, PLAN)
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
    splits = split_cases(cases, PLAN)
    rare = {name: sum("rare" in case.codes["act"] for case in members) for name, members in splits.items()}
    assert rare == {"train": 6, "tune": 2, "test": 2}


def test_cases_seen_while_rules_were_written_are_never_measured_on():
    cases = [replace(make(n), tags=("seen",) if n % 3 == 0 else ()) for n in range(90)]
    splits = split_cases(cases, PLAN)
    assert not [case for name in ("tune", "test") for case in splits[name] if "seen" in case.tags]
    assert [len(splits[name]) for name in SHARES] == [54, 18, 18]


def test_shares_are_kept_although_every_case_has_a_writer_of_its_own():
    cases = [replace(make(n, code=f"c{n % 7}"), writer=f"w{n}") for n in range(200)]
    assert {name: len(members) for name, members in split_cases(cases, PLAN).items()} == pytest.approx(
        {"train": 120, "tune": 40, "test": 40}, abs=2
    )


def test_same_seed_gives_the_same_splits():
    cases = [make(n) for n in range(50)]
    assert split_cases(cases, PLAN) == split_cases(cases, PLAN)
    assert split_cases(cases, PLAN) != split_cases(cases, replace(PLAN, seed=4))


def test_a_language_can_have_shares_of_its_own():
    cases = [make(n, language="en" if n < 100 else "sq") for n in range(150)]
    plan = Plan({"default": SHARES, "sq": {"train": 0.4, "tune": 0.2, "test": 0.4}}, seed=1)
    test = split_cases(cases, plan)["test"]
    assert [sum(case.language == language for case in test) for language in ("en", "sq")] == [20, 20]


def test_a_writer_can_be_kept_for_the_test():
    cases = [replace(make(n), writer="heard" if n % 4 else "unheard") for n in range(100)]
    splits = split_cases(cases, replace(PLAN, test_writers=("unheard",)))
    assert {case.writer for name in ("train", "tune") for case in splits[name]} == {"heard"}
    assert sum(case.writer == "unheard" for case in splits["test"]) == 25


@pytest.mark.parametrize(
    ("cases", "plan", "reason"),
    [
        ([make(1)], PLAN, "would be empty"),
        ([make(n) for n in range(20)], replace(PLAN, test_writers=("x",)), "writer x"),
    ],
)
def test_a_division_that_cannot_be_measured_on_is_not_frozen(cases, plan, reason):
    with pytest.raises(CorpusError, match=reason):
        freeze(split_cases(cases, plan), plan, version="1", source="x")


def test_translations_and_themes_of_one_writer_make_one_group():
    cases = [
        replace(make(1), writer="a", theme="x"), replace(make(2, original="c1"), writer="b", theme="y"),
        replace(make(3), writer="b", theme="y"), make(4, original="c5"), make(5, original="c4"), make(6),
        *(make(n, original=f"c{n + 1}") for n in range(100, 2000)),
    ]  # fmt: skip
    groups = groups_of(cases)
    assert groups[0] == groups[1] == groups[2] and groups[3] == groups[4] != groups[0]
    assert len(set(groups)) == 4


@pytest.fixture
def frozen():
    cases = [make(n) for n in range(50)]
    return cases, freeze(split_cases(cases, PLAN), PLAN, version="1", source="x")


def test_a_frozen_division_is_kept_while_cases_are_added(frozen, tmp_path):
    cases, division = frozen
    write_frozen(tmp_path / "splits.json", division)
    assert read_frozen(tmp_path / "splits.json") == division
    before = split_cases(cases, PLAN)
    after = divided([*cases, *(make(n) for n in range(100, 130))], PLAN, tmp_path / "splits.json")
    assert (after["test"], after["tune"]) == (before["test"], before["tune"])
    assert len(after["train"]) == len(before["train"]) + 30


def test_a_changed_test_case_needs_a_new_version(frozen):
    cases, division = frozen
    changed = [replace(case, text="y") if case.case_id == division.test[0] else case for case in cases]
    with pytest.raises(CorpusError, match="new version"):
        apply_frozen(changed, division, source="splits.json")


def test_a_missing_case_of_a_frozen_division_is_noticed(frozen):
    cases, division = frozen
    with pytest.raises(CorpusError, match=f"1 of its cases are not in the corpus, the first is {division.tune[0]}"):
        apply_frozen([case for case in cases if case.case_id != division.tune[0]], division, source="splits.json")


def test_a_new_case_may_not_join_a_group_that_is_tested_on(frozen):
    cases, division = frozen
    theme = next(case.theme for case in cases if case.case_id == division.test[0])
    with pytest.raises(CorpusError, match="another case of its writer and theme"):
        apply_frozen([*cases, make(99, theme=theme)], division, source="splits.json")


@pytest.mark.parametrize(
    ("change", "reason"),
    [({"writer": "unheard"}, "by a test writer"), ({"tags": ("seen",)}, "tagged `seen`")],
)
def test_rules_of_a_division_hold_for_cases_of_later(frozen, change, reason):
    cases, division = frozen
    division = replace(division, test_writers=("unheard",))
    changed = [replace(case, **change) if case.case_id == division.tune[0] else case for case in cases]
    with pytest.raises(CorpusError, match=reason):
        apply_frozen(changed, division, source="splits.json")


STORY = (
    "The guard of the market took her trolley and said that people like her had better sell somewhere else, far away."
)


def test_near_duplicates_with_other_names_are_found_and_straddling_is_noticed():
    def told(number, text, *names):
        entities = tuple(
            Entity(Span(text.index(name), text.index(name) + len(name)), "PERSON", 1.0, "person") for name in names
        )
        return replace(make(number), text=text, entities=entities)

    first = told(1, f"Larisa Botezatu came on Monday. {STORY}", "Larisa Botezatu")
    second = told(2, f"Nadejda Ciobanu came on Monday. {STORY}", "Nadejda Ciobanu")
    other = told(3, "A dentist in the old town looked into the card and closed the door without a word.")
    (pair,) = near_duplicates([first, second, other])
    assert (pair.first, pair.second, pair.similarity) == ("c1", "c2", 1.0)
    assert near_duplicates([told(4, "😔"), told(5, "...!"), told(6, "Olga", "Olga")]) == []
    names = [(pair.first, pair.second)]
    assert straddling({"train": [first, other], "test": [second]}, names) == names
    assert straddling({"train": [first, second], "test": [other]}, names) == []


@pytest.mark.parametrize("language", ["en", "ru"])
def test_corpus_splits_have_every_code(root, narratives, codebook, config, language):
    splits = divided(narratives, config.split, root / config.splits if config.splits else None)
    for members in splits.values():
        spoken = [case for case in members if case.language == language]
        for axis in codebook.axes:
            assert {code for case in spoken for code in case.codes[axis.id] or ()} == set(axis.codes)
