"""What stored decisions tell of the suggestions: which of them count, and how they are added up."""

from __future__ import annotations

import random

import pytest

from nlp.intervals import wilson
from service.statistics import figures
from service.store.access import Principal
from service.store.feedback import Decided, Wanted, list_feedback
from service.store.receipts import Shown
from service.store.sealing import Keyring

BIRD = Principal("bird", "reactor", "key1")
STONE = Principal("stone", "reactor", "key2")
ACCEPTED = Decided("violation", "health.denial", "accepted")
REJECTED = Decided("violation", "health.denial", "rejected")
INSTEAD = Decided("violation", "civic.hate", "edited", "health.denial")
ADDED = Decided("violation", "civic.hate", "added")
SET_BLIND = Decided("violation", "health.denial", "added")
ONE = (Shown("violation", "health.denial", 0.9, "suggest"), Shown("violation", "civic.hate", 0.3, "review"))
TWO = (*ONE, Shown("violation", "violence.psychological", 0.7, "auto"))


@pytest.fixture
def decide(store, save, new_receipt):
    """Stores what somebody decided on a case."""

    def make(*decided, case=None, origin="assisted", shown=ONE, bundle="constant-1", who=BIRD, **values):
        receipt = new_receipt(store, case, origin=origin, shown=shown, bundle=bundle)
        return save(store, decided=decided, receipt=receipt, principal=who, **values)

    return make


def agreement(store, origin="assisted", /, **asked):
    """Cases with a decision on the violation, the share with the same codes, and the codes in common."""
    found = figures(store, Wanted(**asked))["agreement"][origin].get("violation")
    return (found["cases"], found["same"], found["overlap"]) if found else (0, None, None)


def acceptance(store, code="health.denial", /, **asked):
    """How often a code was accepted, rejected and added."""
    rows = [row for row in figures(store, Wanted(**asked))["acceptance"] if row["code"] == code]
    return [(row["accepted"], row["rejected"], row["added"]) for row in rows]


def counts(store, **asked):
    """Decisions that count, and those that do not."""
    found = figures(store, Wanted(**asked))
    return found["decisions"], found["superseded"]


# Which decisions count


def test_who_decides_on_a_case_again_counts_with_the_last_decision_alone(store, decide):
    decide(REJECTED, case="A-1", seconds=90.0)
    decide(INSTEAD, case="A-1", seconds=70.0)
    decide(ACCEPTED, case="A-1", seconds=20.0)
    found = figures(store, Wanted())
    assert (found["decisions"], found["superseded"]) == (1, 2)
    assert agreement(store) == (1, 1.0, 1.0)
    assert acceptance(store) == [(1, 0, 0)]
    assert acceptance(store, "civic.hate") == []
    assert found["seconds"]["assisted"] == {"cases": 1, "median": 20.0, "quartiles": [20.0, 20.0]}


def test_everybody_who_decides_on_a_case_counts(store, decide):
    decide(REJECTED, case="A-1")
    decide(ACCEPTED, case="A-1", who=STONE)
    decide(ACCEPTED, case="A-1")
    assert counts(store) == (2, 1)
    assert acceptance(store) == [(2, 0, 0)]


def test_other_cases_and_decisions_without_a_case_all_count(store, decide):
    for case in ("A-1", "A-2", None, None):
        decide(REJECTED, case=case)
    assert counts(store) == (4, 0)
    assert acceptance(store) == [(0, 4, 0)]


def test_case_is_the_same_however_its_number_is_written(store, decide):
    decide(REJECTED, case="A-1")
    decide(ACCEPTED, case=" A-\N{FULLWIDTH DIGIT ONE}\n")
    assert counts(store) == (1, 1)


def test_seeing_the_suggestions_afterwards_does_not_change_what_was_said_blind(store, decide):
    decide(ADDED, case="A-1", origin="blind")
    decide(SET_BLIND, ADDED, case="A-1", origin="blind")
    decide(ACCEPTED, case="A-1")
    assert counts(store) == (2, 1)
    assert agreement(store, "blind") == (1, 0.0, 0.6667)
    assert agreement(store, "assisted") == (1, 1.0, 1.0)
    assert counts(store, origin="blind") == (1, 1)
    assert agreement(store, "blind", origin="blind") == (1, 0.0, 0.6667)


def test_last_decision_is_the_one_that_came_last_also_when_the_clock_went_back(store, decide, clock):
    decide(REJECTED, case="A-1")
    clock.advance(days=-1)
    decide(ACCEPTED, case="A-1")
    assert acceptance(store) == [(1, 0, 0)]


@pytest.mark.parametrize(
    "asked",
    [{"verdict": "rejected"}, {"code": "health.denial", "verdict": "rejected"}, {"bundle": "older-1"}, {"until": 1}],
)
def test_what_was_replaced_counts_nowhere_whatever_is_asked_for(store, decide, clock, asked):
    decide(REJECTED, case="A-1", bundle="older-1")
    clock.advance(days=1)
    if "until" in asked:
        asked = {"until": clock()}
    decide(ACCEPTED, case="A-1")
    assert counts(store, **asked) == (0, 1)
    assert acceptance(store, **asked) == []
    assert figures(store, Wanted(**asked))["seconds"]["assisted"]["cases"] == 0


def test_figures_of_a_code_are_those_of_the_decisions_that_have_it(store, decide):
    decide(INSTEAD)
    decide(ACCEPTED)
    assert counts(store, code="civic.hate") == (1, 0)
    assert acceptance(store, code="civic.hate") == [(0, 1, 0)]
    assert agreement(store, verdict="accepted") == (1, 1.0, 1.0)


def test_without_decisions_there_is_nothing_to_tell(store):
    nothing = {"cases": 0, "median": None, "quartiles": None}
    assert figures(store, Wanted()) == {
        "decisions": 0,
        "superseded": 0,
        "agreement": {"blind": {}, "assisted": {}},
        "acceptance": [],
        "seconds": {"blind": nothing, "assisted": nothing},
    }


# How they are added up


@pytest.mark.parametrize(
    ("decided", "values", "agrees", "accepted"),
    [
        pytest.param([ACCEPTED], {}, (1, 1.0, 1.0), [(1, 0, 0)], id="accepted"),
        pytest.param([REJECTED], {}, (1, 0.0, 0.0), [(0, 1, 0)], id="rejected"),
        pytest.param([INSTEAD], {}, (1, 0.0, 0.0), [(0, 1, 0)], id="replaced"),
        pytest.param([ACCEPTED, ADDED], {}, (1, 0.0, 0.6667), [(1, 0, 0)], id="one more"),
        pytest.param([ADDED], {}, (1, 0.0, 0.0), [], id="another, and the suggestion left open"),
        pytest.param([ACCEPTED], {"shown": TWO}, (1, 1.0, 1.0), [(1, 0, 0)], id="one of two, the other left open"),
        pytest.param([], {"nothing": ("violation",)}, (1, 0.0, 0.0), [(0, 1, 0)], id="no code applies"),
        pytest.param([REJECTED], {"nothing": ("violation",)}, (1, 0.0, 0.0), [(0, 1, 0)], id="said twice"),
        pytest.param([], {"nothing": ("violation",), "shown": ()}, (1, 1.0, None), [], id="nothing, as suggested"),
        pytest.param([ACCEPTED], {"nothing": ("population",)}, (1, 1.0, 1.0), [(1, 0, 0)], id="nothing elsewhere"),
        pytest.param([INSTEAD], {"nothing": ("population",)}, (1, 0.0, 0.0), [(0, 1, 0)], id="replaced, and so"),
        pytest.param([], {}, (0, None, None), [], id="nothing decided"),
    ],
)
def test_what_was_suggested_in_sight_is_compared(store, decide, decided, values, agrees, accepted):
    decide(*decided, **values)
    assert agreement(store) == agrees
    assert acceptance(store) == accepted


@pytest.mark.parametrize(
    ("decided", "values", "agrees"),
    [
        pytest.param([SET_BLIND], {}, (1, 1.0, 1.0), id="the same"),
        pytest.param([SET_BLIND], {"shown": TWO}, (1, 0.0, 0.6667), id="one of two"),
        pytest.param([ADDED], {}, (1, 0.0, 0.0), id="one that the models left to the queue"),
        pytest.param([], {"nothing": ("violation",)}, (1, 0.0, 0.0), id="none"),
        pytest.param([], {"nothing": ("violation",), "shown": ONE[1:]}, (1, 1.0, None), id="none, as suggested"),
    ],
)
def test_what_was_withheld_is_compared_whole_and_neither_accepted_nor_rejected(store, decide, decided, values, agrees):
    decide(*decided, origin="blind", **values)
    assert agreement(store, "blind") == agrees
    assert agreement(store, "assisted") == (0, None, None)
    assert figures(store, Wanted())["acceptance"] == []


def test_acceptance_is_told_for_each_bundle_and_code_in_order(store, decide):
    for bundle, verdicts in (("new-1", [ACCEPTED, ACCEPTED, REJECTED]), ("old-1", [INSTEAD])):
        for verdict in verdicts:
            decide(verdict, bundle=bundle)
    rows = figures(store, Wanted())["acceptance"]
    assert [(row["bundle"], row["code"], row["shown"], row["added"], row["rate"]) for row in rows] == [
        ("new-1", "health.denial", 3, 0, 0.6667),
        ("old-1", "civic.hate", 0, 1, None),
        ("old-1", "health.denial", 1, 0, 0.0),
    ]
    assert rows[0]["interval"] == [round(value, 4) for value in wilson(2, 3)]


def test_times_are_told_for_each_origin(store, decide):
    for seconds in (10.0, 20.0, 30.0, 100.0, 1000.0):
        decide(ACCEPTED, seconds=seconds)
    decide(SET_BLIND, origin="blind", seconds=60.0)
    assert figures(store, Wanted())["seconds"] == {
        "assisted": {"cases": 5, "median": 30.0, "quartiles": [20.0, 100.0]},
        "blind": {"cases": 1, "median": 60.0, "quartiles": [60.0, 60.0]},
    }


def test_interval_is_wilsons():
    # 81 of 263: 0.2553 to 0.3662 (Newcombe 1998, table I, method 3)
    assert wilson(81, 263) == pytest.approx((0.2553, 0.3662), abs=1e-4)


def test_nothing_sealed_is_opened(store, decide, monkeypatch):
    decide(ACCEPTED)

    def refuse(*args, **options):
        raise AssertionError("something sealed was opened")

    monkeypatch.setattr(Keyring, "open", refuse)
    assert counts(store) == (1, 0)


def test_figures_are_those_of_the_decisions_looked_at_one_by_one(store, decide, codebook):
    dice = random.Random(20)  # noqa: S311 - draws of a test, no secret
    for _ in range(60):
        _decide_at_random(decide, codebook, dice)
    for wanted in (Wanted(), Wanted(coder="bird"), Wanted(origin="blind"), Wanted(verdict="rejected")):
        _looks_the_same(figures(store, wanted), store, wanted)


def _decide_at_random(decide, codebook, dice):
    origin = dice.choice(["assisted", "assisted", "blind"])
    shown, decided, nothing = [], [], []
    for axis in codebook.axes:
        codes = dice.sample(list(axis.codes), 4)
        likely = [Shown(axis.id, code, 0.6, dice.choice(["auto", "suggest", "review"])) for code in codes[:2]]
        shown += likely
        seen = [item.code for item in likely if item.suggested and origin == "assisted"]
        if dice.random() < 0.25:
            nothing.append(axis.id)
            decided += [Decided(axis.id, code, "rejected") for code in seen if dice.random() < 0.3]
            continue
        unseen = [code for code in codes if code not in seen]
        for code in seen:
            fate = dice.choice(["accepted", "rejected", "edited", "left open"])
            if fate == "edited":
                decided.append(Decided(axis.id, unseen.pop(), "edited", code))
            elif fate != "left open":
                decided.append(Decided(axis.id, code, fate))
        decided += [Decided(axis.id, unseen.pop(), "added")] if origin == "blind" or dice.random() < 0.3 else []
    case = dice.choice([None, *(f"A-{number}" for number in range(12))])
    who, bundle = dice.choice([BIRD, STONE]), dice.choice(["old-1", "new-1"])
    decide(*decided, case=case, origin=origin, shown=tuple(shown), bundle=bundle, who=who, nothing=tuple(nothing))


def _looks_the_same(found, store, wanted):
    last = {(item.case or item.id, item.coder, item.origin): item.id for item in _all(store, Wanted())[::-1]}
    asked = _all(store, wanted)
    rows = [item for item in asked if item.id in last.values()]
    assert (found["decisions"], found["superseded"]) == (len(rows), len(asked) - len(rows))
    for origin in ("blind", "assisted"):
        mine = [item for item in rows if item.origin == origin]
        for axis in ("violation", "perpetrator", "population"):
            pairs = [_both_sides(item, axis) for item in mine if axis in item.decided_axes]
            told = found["agreement"][origin].get(axis, {"cases": 0, "same": None})
            assert told["cases"] == len(pairs)
            assert told["same"] == (round(sum(one == other for one, other in pairs) / len(pairs), 4) if pairs else None)
            sizes = sum(len(one) + len(other) for one, other in pairs)
            if sizes:
                assert told["overlap"] == round(2 * sum(len(one & other) for one, other in pairs) / sizes, 4)
    fates = [fate for item in rows if item.origin == "assisted" for fate in _fates(item)]
    told = {
        (row["bundle"], row["code"]): (row["accepted"], row["rejected"], row["added"]) for row in found["acceptance"]
    }
    assert told == {
        which: tuple(fates.count((*which, fate)) for fate in ("accepted", "rejected", "added"))
        for which in {fate[:2] for fate in fates}
    }


def _all(store, wanted):
    return list_feedback(store, wanted, limit=1000)


def _both_sides(item, axis):
    suggested = {shown.code for shown in item.shown if shown.axis == axis and shown.suggested}
    return set(item.chosen(axis)), suggested - set(item.undecided(axis))


def _fates(item):
    names = {"accepted": "accepted", "rejected": "rejected", "edited": "added", "added": "added"}
    for decided in item.decided:
        yield item.bundle, decided.code, names[decided.verdict]
        if decided.instead_of:
            yield item.bundle, decided.instead_of, "rejected"
    rejected = {decided.code for decided in item.decided}
    for shown in item.shown:
        if shown.axis in item.nothing and shown.suggested and shown.code not in rejected:
            yield item.bundle, shown.code, "rejected"
