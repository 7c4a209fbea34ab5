"""Case entry: what is stored when all goes well, and when it does not."""

from __future__ import annotations

import json
import time
from datetime import timedelta

import pytest

from service.messages import told
from service.store.feedback import erase_case

pytestmark = pytest.mark.browser

REFUSED = "violation/health.denial"
INSULTED = "violation/violence.psychological"
HEALTH = "perpetrator/health"
PATIENCE = 30  # seconds


@pytest.mark.parametrize("language", ["en", pytest.param("ru", marks=pytest.mark.slow)])
def test_service_that_keeps_nothing(serve, enter, axe, language):
    entry = enter(serve(keeps=False), language)
    assert entry.at("save").is_hidden()
    entry.write(entry.narrative)
    entry.press("accept", REFUSED)
    entry.press("accept", HEALTH)
    entry.at("nothing-population").check()
    assert entry.at("copied").input_value().splitlines() == [
        "violation: health.denial",
        "perpetrator: health",
        f"population: {entry.say('js.nothing_applies')}",
    ]
    assert entry.page.get_by_text(entry.say("entry.nothing_kept")).is_visible()
    assert entry.at("case").is_editable()  # no case is coded blind where nothing is kept
    axe(entry.page)


def test_saving_again_after_the_network_failed_stores_once(serve, enter, axe):
    site = serve()
    entry = enter(site)
    entry.write(entry.narrative)
    entry.press("accept", REFUSED)
    keys = []

    def lose_the_answer(route):
        keys.append(route.request.headers["idempotency-key"])
        if len(keys) == 1:
            route.abort("internetdisconnected")
        elif len(keys) == 2:
            assert route.fetch().status == 201  # stored, but the answer is lost on its way
            route.abort("connectionreset")
        else:
            route.continue_()

    entry.page.route("**/v1/feedback", lose_the_answer)
    for tries in (1, 2):
        entry.at("save").click()
        entry.result("js.not_saved")
        axe(entry.page)
        assert len(site.stored()) == tries - 1
    entry.at("save").click()
    entry.result("js.saved")
    assert len(set(keys)) == 1
    assert len(keys) == 3
    assert len(site.stored()) == 1


def test_change_after_a_lost_answer_is_not_stored_beside_it(serve, enter, axe):
    site = serve()
    entry = enter(site)
    entry.write(entry.narrative)
    entry.press("accept", REFUSED)

    def lose_the_answer(route):
        assert route.fetch().status == 201
        route.abort("connectionreset")

    entry.page.route("**/v1/feedback", lose_the_answer, times=1)
    entry.at("save").click()
    entry.result("js.not_saved")
    entry.press("accept", INSULTED)
    entry.at("save").click()
    entry.result("js.repeated")
    axe(entry.page)
    (kept,) = site.stored()
    assert [item.code for item in kept.decided] == ["health.denial"]
    entry.at("next").click()
    assert entry.at("text").input_value() == ""


def test_suggestions_that_grew_old_are_asked_for_anew(serve, enter):
    site = serve()
    entry = enter(site)
    entry.write(entry.narrative)
    entry.press("accept", REFUSED)
    now = site.store.clock
    site.store.clock = lambda: now() + timedelta(days=8)
    entry.at("save").click()
    entry.result("js.stale")
    assert entry.is_pressed("accept", REFUSED)
    entry.at("save").click()
    entry.result("js.saved")
    assert len(site.stored()) == 1


def test_what_is_found_when_saving_is_hidden_and_looked_at(serve, enter, axe):
    site = serve()
    entry = enter(site)
    entry.write(entry.narrative)
    refused = []

    def refuse_once(route):
        if refused:
            route.continue_()
            return
        refused.append(True)
        problem = {"type": "", "title": "", "status": 409, "detail": "It holds names.", "code": "feedback.unredacted"}
        route.fulfill(status=409, content_type="application/problem+json", body=json.dumps(problem))

    def find_more(route):
        text = route.request.post_data_json["text"]
        at = text.index("mayor")
        found = [{"start": at, "end": at + 5, "type": "PERSON", "score": 1, "source": "test"}]
        route.fulfill(json={"redacted_text": "", "entities": found, "doubts": []})

    entry.page.route("**/v1/feedback", refuse_once)
    entry.page.route("**/v1/redactions", find_more)
    entry.at("save").click()
    entry.result("js.unredacted")
    axe(entry.page)
    assert "The [PERSON_3] of the village" in entry.preview()
    entry.at("save").click()
    entry.result("js.saved")
    assert "mayor" not in site.stored()[0].text


def test_text_that_changed_is_looked_at_before_it_is_saved(serve, enter):
    site = serve()
    entry = enter(site)
    entry.write(entry.narrative)
    entry.press("accept", REFUSED)
    entry.at("text").press_sequentially(" Later John Miller called.")
    entry.at("save").click()
    entry.result("js.look_again")
    assert site.stored() == []
    assert entry.preview().endswith("Later [PERSON_1] called.")
    assert entry.is_pressed("accept", REFUSED)
    entry.at("save").click()
    entry.result("js.saved")
    assert site.stored()[0].text.endswith("Later [PERSON_1] called.")


@pytest.mark.parametrize("saved", [False, True])
def test_leaving_with_an_unsaved_text_asks_first(serve, enter, saved):
    entry = enter(serve())
    entry.at("text").click()
    entry.page.keyboard.type("The doctor refused to see her.")
    entry.page.wait_for_selector(".chip")
    if saved:
        entry.at("save").click()
        entry.result("js.saved")
    asked = []

    def stay(dialog):
        asked.append(dialog.type)
        dialog.dismiss()

    entry.page.on("dialog", stay)
    entry.page.close(run_before_unload=True)
    if saved:
        if not entry.page.is_closed():
            entry.page.wait_for_event("close")
        assert asked == []
        return
    deadline = time.monotonic() + PATIENCE
    while not asked and time.monotonic() < deadline:
        entry.page.wait_for_timeout(20)
    assert asked == ["beforeunload"]
    assert entry.at("text").input_value() == "The doctor refused to see her."


@pytest.mark.parametrize("language", [pytest.param("en", marks=pytest.mark.slow), "ru"])
def test_case_that_was_erased_meanwhile_is_not_stored_anew_by_saving(serve, enter, axe, language):
    site = serve()
    entry = enter(site, language)
    entry.write(entry.narrative, case="A-17")
    entry.press("accept", REFUSED)
    erase_case(site.store, "A-17", actor="test")
    for _ in range(2):
        entry.at("save").click()
        entry.result("js.erased")
    axe(entry.page)
    assert site.stored() == []
    assert entry.at("text").input_value() == entry.narrative
    entry.at("anew").click()
    entry.at("anew-yes").click()
    entry.write(entry.narrative, case="A-17")
    entry.at("save").click()
    entry.result("js.saved")
    assert len(site.stored()) == 1


def _log_in(page, site, who):
    page.goto(f"{site.url}/login")
    page.fill("#key", site.keys[who])
    page.click("button.main")
    page.wait_for_url(f"{site.url}/")


@pytest.mark.parametrize(
    ("language", "before", "now"),
    [pytest.param("en", "bird", "river", marks=pytest.mark.slow), ("ru", "river", "bird")],
)
def test_case_is_not_saved_as_the_person_who_logged_in_after(serve, visit, axe, narratives, language, before, now):
    """On a computer that people share: the page of the one before is still open, with a case in it."""
    site = serve(keys=True)
    page = visit(site, "/login", language, width=360)
    _log_in(page, site, before)
    page.wait_for_selector("#type option", state="attached")
    page.fill("#text", narratives[language])
    page.wait_for_selector(".chip")
    page.locator(f'[id="accept-{REFUSED}"]').click()
    page.context.clear_cookies()
    other = page.context.new_page()
    _log_in(other, site, now)

    said = told("request.other_person", "", "ru", {}) if language == "ru" else "Somebody else has logged in"
    page.click("#save")
    page.locator("#result").get_by_text(said).wait_for()
    axe(page)
    assert page.evaluate("document.documentElement.scrollWidth") <= 360  # nothing is wider than the screen
    assert site.stored() == []
    assert page.input_value("#text") == narratives[language]
    assert page.locator("#text").is_editable()  # so that it can be selected and copied
    assert "[PERSON_1]" in page.locator("#preview").inner_text()
    page.fill("#text", narratives[language] + " 2")  # what is typed on is not read for somebody else either
    page.locator("#reading").get_by_text(said).wait_for()

    asked = []
    page.on("dialog", lambda dialog: (asked.append(dialog.type), dialog.accept()))
    page.locator("#result").get_by_role("button").click()
    page.wait_for_function("document.getElementById('text')?.value === ''")
    assert asked == ["beforeunload"]
    page.fill("#text", narratives[language])
    page.wait_for_selector(".chip")
    page.click("#save")
    page.wait_for_selector("#result .good")
    assert [kept.coder for kept in site.stored()] == [now]
