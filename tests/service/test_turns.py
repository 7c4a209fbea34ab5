"""Turns at the models, and who is let in to wait for one; time is what the tests say it is."""

from __future__ import annotations

import json
import time
from threading import Thread

import pytest

from service.admission import BATCH, Admission, narratives_of
from service.problems import RequestRefused
from service.turns import Turns


class Seconds:
    """A clock that counts seconds, and that a test sets."""

    def __init__(self):
        self.at = 1000.0

    def __call__(self):
        return self.at


@pytest.fixture
def seconds():
    return Seconds()


@pytest.fixture
def turns_of(seconds):
    """Makes turns of which some have taken so many seconds each."""

    def make(at_once, *took):
        turns = Turns(at_once, clock=seconds)
        for each in took:
            with turns.turn(seconds=0):
                seconds.at += each
        return turns

    return make


def in_line(turns, many):
    """Wait until so many wait for their turn."""
    for _ in range(3000):
        if len(turns._line) == many:
            return
        time.sleep(0.01)
    raise AssertionError(f"never {many} in line")


def test_nobody_waits_while_a_place_is_free(turns_of):
    turns = turns_of(3, 5.0)
    assert [turns.expected(ahead) for ahead in range(3)] == [0, 0, 0]
    assert turns.expected(3) > 0


def test_answer_takes_as_long_as_those_ahead_and_oneself_in_all_places(turns_of):
    assert turns_of(1, 1.0, 3.0).expected(1) == 4.0
    assert turns_of(1, 1.0, 3.0).expected(4) == 10.0
    assert turns_of(2, 1.0, 3.0).expected(4) == 5.0


def test_what_is_expected_follows_how_long_turns_take_now(turns_of):
    turns = turns_of(1, 500.0, *[0.25] * 32)
    assert turns.expected(1) == 0.5


def test_once_that_the_machine_stood_still_does_not_make_the_next_turns_longer(turns_of):
    turns = turns_of(1, *[0.25] * 15, 20.0)
    assert turns.expected(1) == 0.5
    turns = turns_of(1, *[0.25] * 14, 20.0, 20.0)
    assert turns.expected(1) > 2.0


def test_nothing_is_expected_before_the_first_turn_has_ended(turns_of):
    assert turns_of(1).expected(10) == 0


def test_what_is_expected_grows_while_nothing_moves(turns_of, seconds):
    turns = turns_of(1, 0.5)
    with turns.turn(seconds=0):
        seconds.at += 0.2
        assert turns.expected(1) == 1.0
        seconds.at += 3.8
        assert turns.expected(1) == 4.5  # it is 3.5 late, and then it is the turn of two
        assert turns.expected(2) == 5.0


def test_one_long_narrative_does_not_count_for_the_other_places(turns_of, seconds):
    turns = turns_of(2, 0.5)
    with turns.turn(seconds=0):
        seconds.at += 100
        with turns.turn(seconds=0):
            assert turns.expected(2) == 0.75


def test_who_asks_first_is_served_first(turns_of):
    """A batch, which asks again as soon as one of its narratives is done, does not push ahead."""
    turns = turns_of(1)
    served = []

    def ask(name):
        with turns.turn(seconds=60):
            served.append(name)

    threads = [Thread(target=ask, args=(name,)) for name in "abc"]
    with turns.turn(seconds=0):
        for number, thread in enumerate(threads, 1):
            thread.start()
            in_line(turns, number)
    ask("d")
    for thread in threads:
        thread.join(60)
    assert served == ["a", "b", "c", "d"]


def test_who_waits_too_long_is_sent_away_and_leaves_the_line(turns_of):
    turns = turns_of(1)
    with turns.turn(seconds=0):
        with pytest.raises(RequestRefused) as caught, turns.turn(seconds=0.01):
            raise AssertionError("two turns at once")
        assert (caught.value.status_code, caught.value.code) == (503, "limit.busy")
    with turns.turn(seconds=0):  # nobody stands before
        pass


def test_turn_that_fails_ends_all_the_same(turns_of):
    turns = turns_of(1)
    for _ in range(3):
        with pytest.raises(KeyError), turns.turn(seconds=0):
            raise KeyError
    assert turns.expected(0) == 0


# Who is let in


def test_who_would_wait_too_long_is_refused(turns_of):
    admission = Admission(turns_of(2, 0.4), most=100, seconds=0.8)
    let_in = []
    while not admission.refusal():
        let_in.append(admission.enter())
    assert len(let_in) == 4  # one ends every 0.2 seconds
    let_in.pop().leave()
    assert admission.refusal() == 0


def test_the_longer_the_wait_the_later_one_is_to_come_again(turns_of):
    for took, ahead, wait in ((1.0, 1, 2), (1.0, 5, 6), (7.0, 1, 14), (0.5, 1, 1), (500.0, 1, 60)):
        admission = Admission(turns_of(1, took), most=100, seconds=0.8)
        for _ in range(ahead):
            admission.enter()
        assert admission.refusal() == wait


def test_no_more_are_let_in_than_there_are_places_for_however_fast_it_goes(turns_of):
    admission = Admission(turns_of(1, 0.0), most=3, seconds=0.8)
    for _ in range(3):
        assert admission.refusal() == 0
        admission.enter()
    assert admission.refusal() == 1


def test_stuck_models_let_nobody_in_to_wait(turns_of, seconds):
    turns = turns_of(1, 0.1)
    admission = Admission(turns, most=100, seconds=0.8)
    with turns.turn(seconds=0):
        inside = admission.enter()
        assert admission.refusal() == 0
        seconds.at += 2
        assert admission.refusal() == 2
    inside.leave()
    assert admission.refusal() == 0


def test_batch_weighs_all_its_narratives_for_the_next_batch(turns_of):
    admission = Admission(turns_of(2, 0.05), most=100, seconds=0.8)
    assert admission.refusal(64) == 0
    first = admission.enter(64)  # 1.6 seconds of work for two places
    assert admission.refusal(64) == 1
    assert admission.refusal(2) == 1
    for _ in range(40):
        first.one_done()
    assert admission.refusal(64) == 0


def test_batch_is_one_in_the_line_of_who_has_one_narrative(turns_of):
    """It asks for one turn after the other, and theirs comes in between."""
    admission = Admission(turns_of(1, 0.3), most=100, seconds=0.8)
    admission.enter(64)
    assert admission.refusal() == 0
    admission.enter()
    assert admission.refusal() == 1


def test_what_is_inside_is_told_and_all_of_it_leaves(turns_of):
    told = []
    admission = Admission(turns_of(1), most=100, seconds=0.8, tell=told.append)
    batch, single = admission.enter(3), admission.enter()
    batch.one_done()
    batch.leave()
    single.leave()
    assert told == [3, 4, 3, 1, 0]


def test_batch_with_more_narratives_than_were_counted_leaves_no_more_than_it_brought(turns_of):
    told = []
    admission = Admission(turns_of(1), most=100, seconds=0.8, tell=told.append)
    batch = admission.enter(2)
    for _ in range(5):
        batch.one_done()
    batch.leave()
    assert told[-1] == 0
    assert min(told) == 0


@pytest.mark.parametrize(
    ("path", "body", "number"),
    [
        (BATCH, {"narratives": [{"text": "She was refused."}] * 64}, 64),
        (BATCH, {"narratives": [{"text": 'He wrote "text" and "text": "text".', "language": "en"}] * 3}, 3),
        (BATCH, {"narratives": [{"text": "She was refused."}] * 1000}, 64),
        (BATCH, {"narratives": []}, 1),
        (BATCH, {"text": "She was refused."}, 1),
        (BATCH, "nonsense", 1),
        ("/v1/suggestions", {"text": "She was refused.", "text ": "text"}, 1),
        ("/v1/feedback", {"receipt": "text"}, 1),
    ],
)
def test_narratives_of_a_request_are_counted_without_reading_them(path, body, number):
    for indent in (None, 2):
        assert narratives_of(path, json.dumps(body, indent=indent).encode()) == number
