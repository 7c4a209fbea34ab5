from __future__ import annotations

import json
import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nlp.bulk.agreement import Agreement
from nlp.bulk.coded import PersonCodes
from nlp.codebook import Codebook
from nlp.intervals import kappa, kappa_interval, wilson
from nlp.types import Analysis, Redaction, Suggestion

ANY_TIME = settings(deadline=None)

COUNTS = st.integers(0, 60)


def _analysis(codebook: Codebook, *suggested: str) -> Analysis:
    items = tuple(
        Suggestion(axis.id, code, 0.9 if code in suggested else 0.1, "suggest" if code in suggested else "none")
        for axis in codebook.axes
        for code in axis.codes
    )
    return Analysis("1", "en", Redaction("", ()), items, {}, {}, "constant-1", str(codebook))


# Values of statsmodels 0.15 (`cohens_kappa`) for the same tables.
@pytest.mark.parametrize(
    ("table", "value", "low", "high"),
    [
        ((20, 5, 10, 15), 0.4, 0.151092, 0.648908),
        ((45, 15, 25, 15), 0.130435, -0.062938, 0.323808),
        ((1, 2, 3, 94), 0.260355, -0.186478, 0.707187),
    ],
)
def test_kappa_and_its_interval_are_those_of_the_formula(
    table: tuple[int, int, int, int], value: float, low: float, high: float
) -> None:
    assert kappa(*table) == pytest.approx(value, abs=1e-5)
    assert kappa_interval(*table) == pytest.approx((low, high), abs=1e-5)


@pytest.mark.parametrize("table", [(0, 0, 0, 0), (7, 0, 0, 0), (0, 0, 0, 9)])
def test_kappa_is_undefined_where_chance_alone_agrees(table: tuple[int, int, int, int]) -> None:
    assert kappa(*table) is None
    assert kappa_interval(*table) is None


def test_agreement_throughout_has_no_interval() -> None:
    assert kappa(3, 0, 0, 4) == 1.0
    assert kappa_interval(3, 0, 0, 4) is None


@ANY_TIME
@given(COUNTS, COUNTS, COUNTS, COUNTS)
def test_kappa_does_not_care_who_is_first_and_lies_in_its_interval(a: int, b: int, c: int, d: int) -> None:
    value, swapped = kappa(a, b, c, d), kappa(a, c, b, d)
    assert (value is None) == (swapped is None)
    if value is None or swapped is None:
        return
    assert value == pytest.approx(swapped)
    assert -1.0 - 1e-9 <= value <= 1.0 + 1e-9
    interval = kappa_interval(a, b, c, d)
    if interval is not None:
        assert interval[0] <= value + 1e-9
        assert interval[1] >= value - 1e-9


def test_wilson_intervals_are_those_of_the_formula() -> None:
    assert wilson(3, 10) == pytest.approx((0.107791, 0.603222), abs=1e-5)
    assert wilson(0, 10) == pytest.approx((0.0, 0.277533), abs=1e-5)
    assert wilson(0, 0) is None


@ANY_TIME
@given(st.integers(1, 500), st.data())
def test_a_share_lies_in_its_interval(total: int, data: st.DataObject) -> None:
    hits = data.draw(st.integers(0, total))
    low, high = wilson(hits, total) or (math.nan, math.nan)
    assert 0.0 <= low <= hits / total <= high <= 1.0


def test_rows_are_counted_by_axis_and_code(codebook: Codebook) -> None:
    agreement = Agreement(codebook, ["violation"])
    rows = [
        (PersonCodes(("health.denial",)), _analysis(codebook, "health.denial", "tb")),
        (PersonCodes(("health.denial", "civic.hate")), _analysis(codebook, "health.denial")),
        (PersonCodes(nothing=True), _analysis(codebook)),
        (PersonCodes(("civic.hate",)), _analysis(codebook, "social.work")),
    ]
    for person, analysis in rows:
        agreement.add({"violation": person}, analysis)
    found = agreement.to_json()["violation"]
    assert found["rows"] == 4
    assert found["exact"]["rows"] == 2
    assert found["exact"]["share"] == 0.5
    assert found["mean_overlap"] == pytest.approx((1 + 0.5 + 1 + 0) / 4)
    denial = found["codes"]["health.denial"]
    assert (denial["both"], denial["only_person"], denial["only_machine"], denial["neither"]) == (2, 0, 0, 2)
    assert denial["kappa"] == 1.0
    assert denial["interval"] is None
    assert found["codes"]["civic.hate"]["only_person"] == 2
    assert found["codes"]["social.work"]["only_machine"] == 1
    assert found["codes"]["family.rights"]["kappa"] is None


def test_rows_that_nobody_coded_or_nobody_could_read_are_left_out(codebook: Codebook) -> None:
    agreement = Agreement(codebook, ["violation", "perpetrator"])
    agreement.add({"violation": PersonCodes()}, _analysis(codebook, "health.denial"))
    agreement.add({"violation": PersonCodes(("health.denial",), unmapped=("другое",))}, _analysis(codebook))
    agreement.add({"violation": PersonCodes(("health.denial",))}, None)
    found = agreement.to_json()
    assert (found["violation"]["rows"], found["violation"]["incomplete"], found["violation"]["failed"]) == (0, 1, 1)
    assert found["violation"]["exact"] == {"rows": 0, "share": None, "interval": None}
    assert found["violation"]["mean_overlap"] is None
    assert found["perpetrator"]["rows"] == 0


def test_the_figures_are_plain_json_without_undefined_numbers(codebook: Codebook) -> None:
    agreement = Agreement(codebook, [axis.id for axis in codebook.axes])
    agreement.add({"violation": PersonCodes(("health.denial",))}, _analysis(codebook, "health.denial"))
    assert json.loads(json.dumps(agreement.to_json(), allow_nan=False)) == agreement.to_json()
    assert list(agreement.to_json()) == [axis.id for axis in codebook.axes]
