"""Case entry, from the first letter to the next case."""

from __future__ import annotations

import json
import re
import time
from datetime import timedelta

import pytest

from service.store.feedback import Decided

pytestmark = pytest.mark.browser

TEXTS = {
    "en": "Doctor John Miller refused to treat Mary Brown, phone +1 202 555 0143. The mayor of the village heard it.",
    "ru": "Врач Иван Петров отказал Марине Соколовой, телефон +7 912 345-67-89. Староста посёлка это слышал.",
}
MISSED = {"en": "mayor of the village", "ru": "Староста посёлка"}
SHOWN = {"en": "Mary Brown", "ru": "Марине Соколовой"}
SEARCHED = {"en": "police", "ru": "полици"}
REFUSED = "violation/health.denial"
INSULTED = "violation/violence.psychological"
HEALTH = "perpetrator/health"
PLHIV = "population/plhiv"
HATE = "violation/civic.hate"


@pytest.mark.parametrize(("language", "width"), [("en", 1280), ("ru", 1280), ("ru", 360), ("en", 360)])
def test_whole_case(serve, enter, axe, language, width):
    site = serve()
    entry = enter(site, language, width=width)
    page = entry.page
    axe(page)
    entry.write(TEXTS[language], case="A-17")
    assert entry.at("announce").inner_text() == re.sub(r"\{n\}", "4", entry.texts[_many(language, 4)])
    assert entry.likely(REFUSED).startswith(entry.say("js.likely.very"))
    axe(page)

    entry.press("accept", REFUSED)
    entry.press("reject", INSULTED)
    entry.press("accept", PLHIV)
    entry.press("replace", HEALTH)
    page.keyboard.type(SEARCHED[language])
    page.keyboard.press("ArrowDown")
    axe(page)
    page.keyboard.press("Enter")
    added = page.locator('.chip[data-key^="perpetrator/"].chosen')
    instead = added.get_attribute("data-key").partition("/")[2]
    assert instead != "health"
    assert entry.likely(HEALTH) == entry.say("js.replaced", label=added.locator(".label").inner_text())
    entry.press("add", HATE)
    entry.at(f"leading-{HATE}").check()

    _hide_and_show(entry, language)
    axe(page)
    _is_within(page, width)
    entry.at("save").click()
    entry.result("js.saved")
    axe(page)
    (kept,) = site.stored()
    assert set(kept.decided) == {
        Decided("violation", "health.denial", "accepted"),
        Decided("violation", "violence.psychological", "rejected"),
        Decided("violation", "civic.hate", "added", primary=True),
        Decided("perpetrator", instead, "edited", "health"),
        Decided("population", "plhiv", "accepted", primary=True),
    }
    assert (kept.origin, kept.language, kept.nothing) == ("assisted", language, ())
    assert kept.text is not None
    assert SHOWN[language] in kept.text
    assert MISSED[language] not in kept.text
    assert "[PERSON_1]" in kept.text
    assert "[PHONE_1]" in kept.text
    assert [(item.kind, kept.text[item.start : item.end]) for item in kept.corrections] == [
        ("shown", SHOWN[language]),
        ("hidden", "[LOCATION_1]"),
    ]

    entry.at("next").click()
    assert page.evaluate("document.activeElement.id") == "case"
    assert [entry.at(name).input_value() for name in ("case", "text", "words")] == ["", "", ""]
    assert entry.at("codes").inner_text() == entry.say("entry.codes_wait")
    assert entry.at("case").is_editable()
    entry.write(TEXTS[language])
    assert not entry.is_pressed("accept", REFUSED)


def _hide_and_show(entry, language):
    preview = entry.at("preview")
    placeholder = preview.get_by_role("button", name="[PERSON_2]")
    placeholder.click()
    assert SHOWN[language] in entry.at("shown").inner_text()
    entry.at("shown").get_by_role("button", name=entry.say("js.show")).click()
    assert SHOWN[language] in entry.preview()
    entry.at("words").fill(MISSED[language])
    entry.at("type").select_option("LOCATION")
    entry.page.get_by_role("button", name=entry.say("entry.hide"), exact=True).click()
    assert MISSED[language] not in entry.preview()
    assert preview.get_by_role("button", name="[LOCATION_1]").is_visible()


def _many(language, n):
    assert n == 4
    return f"js.count.{'few' if language == 'ru' else 'other'}"


def _is_within(page, width):
    """Nothing is wider than the screen."""
    assert page.evaluate("document.documentElement.scrollWidth") <= width


def test_selected_words_are_offered_for_hiding(serve, enter):
    entry = enter(serve())
    entry.write(TEXTS["en"])
    entry.page.evaluate(
        """() => {
          const walker = document.createTreeWalker(document.getElementById("preview"), NodeFilter.SHOW_TEXT);
          while (!walker.nextNode().data.includes("mayor"));
          const at = walker.currentNode.data.indexOf("mayor");
          document.getSelection().setBaseAndExtent(walker.currentNode, at, walker.currentNode, at + 5);
        }"""
    )
    assert entry.at("words").input_value() == "mayor"


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_evidence_and_doubts_are_told_to_eyes_and_ears(serve, enter, axe, scheme):
    entry = enter(serve(), color_scheme=scheme)
    text = TEXTS["en"]
    words = {"start": text.index("fused"), "end": text.index("fused") + 3}  # models count in pieces of words
    doubt = {"start": text.index("mayor"), "end": text.index("mayor") + 5}
    sentence = text[: text.index(" The mayor")]

    def say_more(route):
        answer = route.fetch().json()
        evidence = {"start": 0, "end": len(sentence), "redacted": sentence, "words": [words]}
        for item in answer["suggestions"]:
            item["evidence"] = [evidence]
        route.fulfill(json={**answer, "doubts": [doubt], "not_a_violation": 0.6})

    entry.page.route("**/v1/suggestions", say_more)
    entry.write(text)
    assert "mayor (look here)" in entry.preview()
    assert entry.at("codes").locator(".note").inner_text() == "Not a violation: rather likely, 60\N{NO-BREAK SPACE}%"
    entry.at(f"accept-{REFUSED}").focus()
    mark = entry.page.locator("#preview mark")
    label = entry.page.locator(f'.chip[data-key="{REFUSED}"] .label').inner_text()
    assert mark.text_content().startswith(f"speaks for {label}: Doctor [PERSON_1]")
    assert mark.locator("b").inner_text() == "refused"
    entry.page.locator("summary").first.click()
    axe(entry.page)
    entry.at("search").focus()
    assert mark.count() == 0


def test_ticking_that_nothing_applies(serve, enter, axe):
    site = serve()
    entry = enter(site)
    entry.write(TEXTS["en"])
    boxes = {axis: entry.at(f"nothing-{axis}") for axis in ("violation", "perpetrator", "population")}
    assert not any(box.is_checked() for box in boxes.values())
    assert entry.page.get_by_label("Not a violation").is_visible()
    assert entry.page.get_by_label("Nothing applies here: Key population").is_visible()
    entry.press("accept", REFUSED)
    assert boxes["violation"].is_hidden()
    boxes["perpetrator"].check()
    assert entry.page.evaluate("document.activeElement.id") == "nothing-perpetrator"
    entry.press("reject", HEALTH)  # a rejection goes along with the tick
    assert boxes["perpetrator"].is_checked()
    boxes["population"].check()
    axe(entry.page)
    entry.press("accept", PLHIV)
    assert boxes["population"].is_hidden()
    entry.press("accept", PLHIV)  # taken back: the tick does not come back by itself
    assert boxes["population"].is_visible()
    assert not boxes["population"].is_checked()
    boxes["population"].check()
    assert entry.at("undecided").inner_text() == ""
    entry.at("save").click()
    entry.result("js.saved")
    assert entry.at("undecided").inner_text() == ""
    (kept,) = site.stored()
    assert kept.nothing == ("perpetrator", "population")
    assert set(kept.decided) == {
        Decided("violation", "health.denial", "accepted", primary=True),
        Decided("perpetrator", "health", "rejected"),
    }


@pytest.mark.parametrize("language", ["en", "ru"])
def test_axes_without_any_decision_are_named_and_kept_so(serve, enter, codebook, language):
    site = serve()
    entry = enter(site, language)
    entry.write(TEXTS[language])
    said = entry.page.locator(".tick").all_text_contents()
    nothing = next(axis.nothing for axis in codebook.axes if axis.id == "violation")
    assert said[0] == nothing[language]
    assert all(text.startswith(entry.say("js.nothing_applies")) for text in said[1:])
    entry.press("accept", REFUSED)
    entry.at("save").click()
    entry.result("js.saved")
    labels = ", ".join(axis.label[language] for axis in codebook.axes if axis.id != "violation")
    assert entry.at("undecided").inner_text() == entry.say("js.undecided", axes=labels)
    (kept,) = site.stored()
    assert kept.decided_axes == {"violation"}
    entry.at("next").click()
    assert entry.at("undecided").inner_text() == ""


def test_number_stays_once_suggestions_were_shown(serve, enter, axe):
    entry = enter(serve())
    page = entry.page
    assert entry.at("anew").is_hidden()
    entry.write(TEXTS["en"])
    assert not entry.at("case").is_editable()
    assert entry.at("case-why").is_visible()
    axe(page)
    entry.at("text").fill("")  # a text that is gone was seen all the same
    page.wait_for_selector("#preview .hint")
    assert not entry.at("case").is_editable()
    entry.write(TEXTS["en"])
    entry.press("accept", REFUSED)

    entry.at("anew").click()
    assert page.evaluate("document.activeElement.id") == "anew-no"
    axe(page)
    page.keyboard.press("Escape")
    assert page.evaluate("document.activeElement.id") == "anew"
    assert entry.at("text").input_value() == TEXTS["en"]
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
    entry.at("text").fill(TEXTS["en"])
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
        entry.at("text").fill(TEXTS["en"])
    entry.page.wait_for_selector('#codes[aria-busy="false"]')
    assert entry.page.locator(".chip").count() == 0


@pytest.mark.parametrize(("language", "width"), [("en", 1280), ("ru", 360)])
def test_blind_case(serve, enter, axe, language, width):
    site = serve(blind_share=1.0)
    entry = enter(site, language, width=width)
    entry.write(TEXTS[language], case="A-17")
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
    _is_within(entry.page, width)
    (kept,) = site.stored()
    assert kept.origin == "blind"
    assert [(item.axis, item.code, item.verdict) for item in kept.decided] == [(*key.split("/"), "added")]
    assert len(kept.nothing) == 2
    entry.at("next").click()
    entry.write(TEXTS[language], case="A-17")  # once it is coded its suggestions are shown
    assert entry.at(f"accept-{REFUSED}").is_visible()


def test_keyboard_alone(serve, enter):
    site = serve()
    entry = enter(site, hurry=False)
    keyboard = entry.page.keyboard
    keyboard.press("Tab")
    assert entry.page.evaluate("document.activeElement.className") == "skip"
    keyboard.press("Enter")
    entry.tab_to("case")
    keyboard.type("A-17")
    entry.tab_to("text")
    keyboard.type(TEXTS["en"])
    entry.page.wait_for_selector(".chip")
    entry.tab_to(f"accept-{REFUSED}")
    keyboard.press("Enter")
    assert entry.page.evaluate("document.activeElement.id") == f"accept-{REFUSED}"
    entry.tab_to(f"replace-{INSULTED}")
    keyboard.press("Space")
    assert entry.page.evaluate("document.activeElement.id") == "search"
    keyboard.press("Escape")  # the list
    keyboard.press("Escape")  # the replacing
    assert entry.at("instead").is_hidden()
    entry.tab_to(f"reject-{INSULTED}", key="Shift+Tab")
    keyboard.press("Space")
    entry.tab_to(f"accept-{HEALTH}")
    keyboard.press("Space")
    entry.tab_to("nothing-population")
    keyboard.press("Space")
    entry.tab_to("search")
    keyboard.type("blackmail")
    for key in ("ArrowUp", "ArrowDown", "ArrowDown", "ArrowUp", "Enter"):  # the last, the first, the second, the first
        keyboard.press(key)
    assert entry.page.locator('.chip.chosen[data-key="violation/justice.extortion"]').count() == 1
    entry.tab_to("words")
    keyboard.type("mayor")
    keyboard.press("Enter")
    entry.page.get_by_role("button", name="[PERSON_3]").wait_for()
    entry.tab_to("save")
    keyboard.press("Enter")
    entry.result("js.saved")
    entry.tab_to("next")
    keyboard.press("Enter")
    assert entry.page.evaluate("document.activeElement.id") == "case"
    (kept,) = site.stored()
    assert kept.nothing == ("population",)
    assert {(item.code, item.verdict) for item in kept.decided} == {
        ("health.denial", "accepted"),
        ("violence.psychological", "rejected"),
        ("health", "accepted"),
        ("justice.extortion", "added"),
    }


@pytest.mark.parametrize("language", ["en", "ru"])
def test_service_that_keeps_nothing(serve, enter, axe, language):
    entry = enter(serve(keeps=False), language)
    assert entry.at("save").is_hidden()
    entry.write(TEXTS[language])
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
    entry.write(TEXTS["en"])
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
    entry.write(TEXTS["en"])
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
    entry.write(TEXTS["en"])
    entry.press("accept", REFUSED)
    now = site.store.clock
    site.store.clock = lambda: now() + timedelta(days=8)
    entry.at("save").click()
    entry.result("js.stale")
    assert entry.is_pressed("accept", REFUSED)
    entry.at("save").click()
    entry.result("js.saved")
    assert len(site.stored()) == 1


def test_no_connection_while_writing(serve, enter, axe):
    entry = enter(serve(), "ru", width=360)
    entry.page.context.set_offline(True)
    entry.at("text").fill(TEXTS["ru"])
    entry.at("reading").get_by_text(entry.say("js.offline")).wait_for()
    axe(entry.page)
    entry.page.context.set_offline(False)
    entry.at("reading").get_by_role("button").click()
    entry.page.wait_for_selector(".chip")
    assert entry.at("reading").inner_text() == ""


def test_what_is_found_when_saving_is_hidden_and_looked_at(serve, enter, axe):
    site = serve()
    entry = enter(site)
    entry.write(TEXTS["en"])
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
    entry.write(TEXTS["en"])
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


PATIENCE = 30  # seconds


def test_one_page_in_the_dark_with_large_text(serve, enter, axe):
    entry = enter(serve(), "ru", width=360, color_scheme="dark")
    entry.page.evaluate("document.documentElement.style.fontSize = '200%'")
    entry.write(TEXTS["ru"])
    entry.press("accept", REFUSED)
    entry.press("reject", INSULTED)
    entry.at("preview").get_by_role("button").first.click()
    axe(entry.page)
    _is_within(entry.page, 360)
