from __future__ import annotations

import json
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nlp.bulk.coded import PersonCodes
from nlp.bulk.sampling import SAMPLE_SIZE, STATUSES, Forecast, SystematicSample, row_status
from nlp.types import Analysis, Decision, Redaction, Suggestion

ANY_TIME = settings(deadline=None)

SIZES = st.integers(1, 30)
SEEDS = st.text("0123456789abcdef", min_size=1, max_size=8)


def _sample(seed: str, size: int, total: int) -> list[int]:
    sample = SystematicSample[int](seed, size)
    for item in range(total):
        sample.offer(item)
    return sample.items()


@ANY_TIME
@given(SEEDS, SIZES, st.integers(0, 400))
def test_a_sample_has_the_size_asked_for_in_order_and_without_repeats(seed: str, size: int, total: int) -> None:
    items = _sample(seed, size, total)
    assert len(items) == min(size, total)
    assert items == sorted(set(items))


@ANY_TIME
@given(SEEDS, SIZES, st.integers(1, 400))
def test_the_same_file_gives_the_same_sample_each_time(seed: str, size: int, total: int) -> None:
    assert _sample(seed, size, total) == _sample(seed, size, total)


@ANY_TIME
@given(SEEDS, st.integers(2, 30), st.integers(60, 600))
def test_a_sample_is_spread_over_the_whole_file(seed: str, size: int, total: int) -> None:
    items = [-1, *_sample(seed, size, total), total]
    gaps = [after - before for before, after in pairwise(items)]
    assert max(gaps) <= 4 * max(1, total / size) + 1


def test_every_row_has_the_same_chance() -> None:
    counts = [0] * 50
    for seed in range(4_000):
        for item in _sample(str(seed), 10, 50):
            counts[item] += 1
    assert sum(counts) == 40_000
    assert max(abs(count - 800) for count in counts) < 150  # 5.9 standard deviations


def test_asking_for_the_sample_does_not_end_it() -> None:
    sample = SystematicSample[int]("seed", 3)
    for item in range(5):
        sample.offer(item)
    assert sample.items() == sample.items()
    sample.offer(5)
    assert (sample.seen, len(sample.items())) == (6, 3)


def test_a_sample_of_nothing_is_refused() -> None:
    with pytest.raises(ValueError, match="one item"):
        SystematicSample("seed", 0)


def test_a_sample_keeps_no_more_than_twice_its_size() -> None:
    sample = SystematicSample[int]("seed", 10)
    for item in range(10_000):
        sample.offer(item)
        assert len(sample._kept) < 20


def _analysis(*decisions: Decision, nothing: float = 0.0, language: str = "ru", other: float | None = None) -> Analysis:
    items = tuple(Suggestion("violation", f"code{at}", 0.5, decision) for at, decision in enumerate(decisions))
    named = {"violation": nothing} | ({} if other is None else {"other": other})
    return Analysis("1", language, Redaction("", ()), items, {}, named, "b-1", "react 1")


@pytest.mark.parametrize(
    ("analysis", "status"),
    [
        (None, "failed"),
        (_analysis("auto", "none"), "auto"),
        (_analysis("auto", "auto"), "auto"),
        (_analysis("auto", "suggest"), "suggest"),
        (_analysis("auto", "review"), "suggest"),
        (_analysis("suggest", "review"), "suggest"),
        (_analysis("review", "none"), "review"),
        (_analysis("review", nothing=0.99), "review"),
        (_analysis("none", nothing=0.95), "auto"),
        (_analysis("none", nothing=0.94), "none"),
        (_analysis("none", nothing=0.99, other=0.5), "none"),
        (_analysis("none"), "none"),
    ],
)
def test_what_becomes_of_a_row(analysis: Analysis | None, status: str) -> None:
    assert row_status(analysis, {}, precision=0.95) == status


@pytest.mark.parametrize(
    ("person", "status"),
    [
        (PersonCodes(("code0",)), "auto"),
        (PersonCodes(("code1",)), "review"),
        (PersonCodes(nothing=True), "review"),
        (PersonCodes(), "auto"),
        (PersonCodes(unmapped=("другое",)), "auto"),
    ],
)
def test_a_row_that_a_person_coded_otherwise_goes_to_review(person: PersonCodes, status: str) -> None:
    assert row_status(_analysis("auto", "none"), {"violation": person}, precision=0.95) == status


def test_an_axis_without_the_answer_nothing_is_never_automatic_without_a_code() -> None:
    assert row_status(Analysis("1", "ru", Redaction("", ()), (), {}, {}, "b", "c"), {}, precision=0.5) == "none"


def _forecast() -> Forecast:
    forecast = Forecast(precision=0.95)
    for _ in range(60):
        forecast.add(_analysis("auto", "none"), {}, seconds=0.5)
    for _ in range(30):
        forecast.add(_analysis("suggest", language="uz"), {}, seconds=0.5)
    for _ in range(10):
        forecast.add(None, {}, seconds=0.5, error="narrative.empty: there is no word in this narrative")
    return forecast


def test_a_forecast_tells_time_shares_and_languages() -> None:
    told = _forecast().to_json(rows=10_000, workers=2)
    assert told["rows_per_second_and_worker"] == 2.0
    assert told["hours"] == pytest.approx(10_000 / 4 / 3600, abs=1e-3)
    assert list(told["statuses"]) == list(STATUSES)
    assert told["statuses"]["auto"]["share"] == 0.6
    assert told["statuses"]["auto"]["estimated"] == 6_000
    assert told["statuses"]["auto"]["interval"] == pytest.approx([0.5020, 0.6906], abs=1e-4)
    assert told["statuses"]["review"]["estimated_between"][0] == 0
    assert told["languages"]["ru"]["share"] == 0.6
    assert told["errors"] == {"narrative.empty": 10}
    assert json.loads(json.dumps(told, allow_nan=False)) == told


def test_a_sample_that_is_the_whole_file_is_certain() -> None:
    told = _forecast().to_json(rows=100, workers=1)
    assert told["statuses"]["auto"]["interval"] == [0.6, 0.6]
    assert told["statuses"]["auto"]["estimated_between"] == [60, 60]


def test_statuses_add_up_to_the_sample() -> None:
    forecast = _forecast()
    assert sum(forecast.statuses.values()) == forecast.sampled == 100


def test_a_forecast_is_told_in_sentences() -> None:
    said = _forecast().sentences(rows=10_000, workers=2)
    assert said[0] == "100 of 10,000 rows were coded as a sample; nothing was written"
    assert said[1] == "one worker codes 2 rows a second: all rows take 42 minute(s) with 2 worker(s)"
    assert "auto (set by the machine itself): 60%, about 6,000 row(s); with 95 % confidence 5,020 to 6,906" in said
    assert said[-2] == "rows of the sample that cannot be coded: narrative.empty 10"
    assert said[-1] == "languages: ru 60%, uz 30%"
    assert len(said) == 4 + len(STATUSES)


def test_without_a_row_there_is_nothing_to_tell() -> None:
    empty = Forecast(precision=0.95)
    assert empty.sentences(rows=0, workers=1) == ["no row was sampled: there is nothing to tell"]
    assert empty.to_json(rows=0, workers=1)["hours"] is None


def test_the_usual_sample_is_two_hundred_rows() -> None:
    assert len(_sample("seed", SAMPLE_SIZE, 1_000)) == 200
