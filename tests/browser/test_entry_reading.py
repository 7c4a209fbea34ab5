"""Case entry: which suggestions are shown, to which case, and which are withheld."""

from __future__ import annotations

import pytest

pytestmark = pytest.mark.browser

SEARCHED = {"en": "police", "ru": "полици"}
REFUSED = "violation/health.denial"


def test_number_stays_once_suggestions_were_shown(serve, enter, axe):
    entry = enter(serve())
    page = entry.page
    assert entry.at("anew").is_hidden()
    entry.write(entry.narrative)
    assert not entry.at("case").is_editable()
    assert entry.at("case-why").is_visible()
    axe(page)
    entry.at("text").fill("")  # a text that is gone was seen all the same
    page.wait_for_selector("#preview .hint")
    assert not entry.at("case").is_editable()
    entry.write(entry.narrative)
    entry.press("accept", REFUSED)

    entry.at("anew").click()
    assert page.evaluate("document.activeElement.id") == "anew-no"
    axe(page)
    page.keyboard.press("Escape")
    assert page.evaluate("document.activeElement.id") == "anew"
    assert entry.at("text").input_value() == entry.narrative
    entry.at("anew").click()
    entry.at("anew-yes").click()
    assert entry.at("text").input_value() == ""
    assert entry.at("case").is_editable()
    assert entry.at("anew").is_hidden()
    assert page.evaluate("document.activeElement.id") == "case"
    assert entry.at("codes").inner_text() == entry.say("entry.codes_wait")


def test_answer_to_another_number_is_not_shown(serve, enter):
    """Who types the number while the text is read sees no suggestions of the case without it."""
    site = serve(blind_share=1.0)
    entry = enter(site)
    asked = []

    def late(route):
        asked.append(route.request.post_data_json["case_id"])
        if len(asked) == 1:
            entry.at("case").evaluate("(field) => { field.value = 'A-1'; field.dispatchEvent(new Event('input')); }")
        route.continue_()

    entry.page.route("**/v1/suggestions", late)
    entry.at("text").fill(entry.narrative)
    entry.page.wait_for_selector("#codes .note")
    assert asked == [None, "A-1"]
    assert entry.page.locator(".chip").count() == 0
    assert entry.at("codes").locator(".note").inner_text() == entry.say("js.withheld")


def test_answer_that_comes_after_the_text_is_gone_is_not_shown(serve, enter):
    entry = enter(serve())

    def late(route):
        entry.at("text").evaluate("(field) => { field.value = ''; field.dispatchEvent(new Event('input')); }")
        route.continue_()

    entry.page.route("**/v1/suggestions", late)
    with entry.page.expect_response("**/v1/suggestions"):
        entry.at("text").fill(entry.narrative)
    entry.page.wait_for_selector('#codes[aria-busy="false"]')
    assert entry.page.locator(".chip").count() == 0


@pytest.mark.parametrize(("language", "width"), [("en", 1280), ("ru", 360)])
def test_blind_case(serve, enter, axe, language, width):
    site = serve(blind_share=1.0)
    entry = enter(site, language, width=width)
    entry.write(entry.narrative, case="A-17")
    assert entry.at("codes").locator(".note").inner_text() == entry.say("js.withheld")
    assert entry.page.locator(".chip").count() == 0
    assert entry.at("case").is_editable()
    axe(entry.page)
    entry.at("save").click()
    entry.result("js.blind_empty")
    assert site.stored() == []
    entry.at("search").fill(SEARCHED[language])
    entry.page.locator("#listbox [role=option]").first.click()
    (added,) = entry.page.locator(".chip").all()
    key = added.get_attribute("data-key")
    for axis in {"violation", "perpetrator", "population"} - {key.partition("/")[0]}:
        entry.at(f"nothing-{axis}").check()
    entry.at("save").click()
    entry.result("js.saved")
    assert entry.at("result").locator("li").count() == 5  # what would have been suggested
    axe(entry.page)
    assert entry.is_within(width)
    (kept,) = site.stored()
    assert kept.origin == "blind"
    assert [(item.axis, item.code, item.verdict) for item in kept.decided] == [(*key.split("/"), "added")]
    assert len(kept.nothing) == 2
    entry.at("next").click()
    entry.write(entry.narrative, case="A-17")  # once it is coded its suggestions are shown
    assert entry.at(f"accept-{REFUSED}").is_visible()


def test_no_connection_while_writing(serve, enter, axe):
    entry = enter(serve(), "ru", width=360)
    entry.page.context.set_offline(True)
    entry.at("text").fill(entry.narrative)
    entry.at("reading").get_by_text(entry.say("js.offline")).wait_for()
    axe(entry.page)
    entry.page.context.set_offline(False)
    entry.at("reading").get_by_role("button").click()
    entry.page.wait_for_selector(".chip")
    assert entry.at("reading").inner_text() == ""
