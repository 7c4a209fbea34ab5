"""The coordinator's pages: filters, one case, export."""

from __future__ import annotations

import json
import re

import pytest
from sqlalchemy import select

from service.store.access import Principal
from service.store.feedback import Correction, Decided, NewFeedback, save_feedback
from service.store.receipts import Receipt, Shown
from service.store.tables import AuditEntry
from service.web.coordinator_texts import COORDINATOR_TEXTS, say_count

pytestmark = pytest.mark.browser

SHOWN = (
    Shown("violation", "health.denial", 0.9, "suggest"),
    Shown("perpetrator", "health", 0.8, "suggest"),
    Shown("population", "plhiv", 0.97, "auto"),
)
TEXT = "The doctor refused to see [PERSON_1] at the Central Pharmacy."
PHARMACY = TEXT.index("Central")


@pytest.fixture
def site(serve, codebook):
    """A service with a coordinator, and three decisions of two people."""
    site = serve(keys=True)
    for coder, country, origin in (
        ("bird", "Moldova", "assisted"),
        ("bird", "Armenia", "blind"),
        ("stone", "Moldova", "assisted"),
    ):
        decided = (
            Decided("violation", "health.denial", "accepted" if origin == "assisted" else "added", primary=True),
            Decided("perpetrator", "police", "edited", "health") if origin == "assisted" else None,
        )
        receipt = Receipt(
            site.store.clock(), origin, None, "en", country, "constant-1", "react 1.1", "0123456789ab", SHOWN
        )
        new = NewFeedback(
            tuple(item for item in decided if item),
            TEXT,
            (Correction("shown", PHARMACY, PHARMACY + 16, "LOCATION"),),
            61.0,
            ("population",),
        )
        save_feedback(site.store, new, receipt, codebook, Principal(coder, "reactor", coder))
    return site


@pytest.fixture
def coordinate(site, visit):
    """Opens the coordinator's page as its coordinator."""

    def make(language="en", **options):
        page = visit(site, "/login", language, **options)
        page.fill("#key", site.keys["river"])
        page.click("button.main")
        page.wait_for_url(f"{site.url}/")
        page.get_by_role("link", name=re.compile("Coordinator|Координатор")).click()
        page.wait_for_url(f"{site.url}/coordinator")
        return page

    return make


@pytest.mark.parametrize(
    ("language", "width"),
    [pytest.param("en", 1280, marks=pytest.mark.slow), pytest.param("ru", 1280, marks=pytest.mark.slow), ("ru", 360)],
)
def test_filters_case_and_export(site, coordinate, axe, tmp_path, language, width):
    texts = COORDINATOR_TEXTS[language]
    page = coordinate(language, width=width)
    assert page.get_by_text(say_count(texts, "co.total", 3, language), exact=True).is_visible()
    axe(page)
    _is_within(page, width)

    page.locator(".filters summary").click()
    page.select_option("#coder", "bird")
    page.select_option("#origin", "assisted")
    axe(page)
    page.locator(".filters button.main").click()
    assert page.get_by_text(say_count(texts, "co.total", 1, language), exact=True).is_visible()
    assert page.locator("#decisions tbody tr").count() == 1

    page.locator("#decisions tbody a").click()
    assert page.locator(".narrative mark").inner_text().endswith("Central Pharmacy")
    axe(page)
    _is_within(page, width)
    page.go_back()

    page.click("#export")
    axe(page)
    page.keyboard.press("Escape")
    page.click("#export")
    with page.expect_download() as download:
        page.locator("#export-sure button.main").click()
    download.value.save_as(tmp_path / "feedback.jsonl")
    (row,) = [json.loads(line) for line in (tmp_path / "feedback.jsonl").read_text(encoding="utf-8").splitlines()]
    assert (row["text"], row["violation"], row["population"]) == (TEXT, ["health.denial"], [])
    with site.store.database.reading() as session:
        told = session.scalars(select(AuditEntry.action).where(AuditEntry.actor.startswith("river"))).all()
    assert [told.count(action) for action in ("read feedback", "export feedback")] == [1, 1]


def test_table_of_codes_is_sorted_by_keyboard(site, coordinate, axe):
    page = coordinate()
    head = page.locator("th[data-sort]").first
    head.get_by_role("button").focus()
    for order in ("ascending", "descending"):
        page.keyboard.press("Enter")
        assert head.get_attribute("aria-sort") == order
        labels = page.locator(".sortable tbody th").all_inner_texts()
        assert labels == sorted(labels, reverse=order == "descending")
    axe(page)


@pytest.mark.parametrize("language", ["en", pytest.param("ru", marks=pytest.mark.slow)])
def test_wrong_filters_missing_cases_and_no_decisions(site, coordinate, axe, language):
    page = coordinate(language, color_scheme="dark")
    axe(page)
    page.goto(f"{site.url}/coordinator?since=2031-05-07&until=2031-05-06")
    assert page.get_by_role("alert").inner_text() == COORDINATOR_TEXTS[language]["filter.order"]
    axe(page)
    page.goto(f"{site.url}/coordinator?coder=nobody")
    axe(page)
    page.goto(f"{site.url}/coordinator/case/abc")
    assert page.get_by_role("alert").inner_text() == COORDINATOR_TEXTS[language]["case.gone"]
    axe(page)


def test_service_that_keeps_nothing(serve, visit, axe):
    page = visit(serve(keeps=False), "/coordinator")
    assert page.get_by_text(COORDINATOR_TEXTS["en"]["co.no_store"]).is_visible()
    axe(page)


def test_reactors_find_no_such_page(site, visit):
    page = visit(site, "/login")
    page.fill("#key", site.keys["bird"])
    page.click("button.main")
    page.wait_for_url(f"{site.url}/")
    assert page.goto(f"{site.url}/coordinator").status == 404


def _is_within(page, width):
    assert page.evaluate("document.documentElement.scrollWidth") <= width
