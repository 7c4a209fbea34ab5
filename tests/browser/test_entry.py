"""Case entry: deciding on codes and on what is hidden, from the first letter to the next case."""

from __future__ import annotations

import re

import pytest

from service.store.feedback import Decided

pytestmark = pytest.mark.browser

MISSED = {"en": "mayor of the village", "ru": "Староста посёлка"}
SHOWN = {"en": "Mary Brown", "ru": "Марине Соколовой"}
SEARCHED = {"en": "police", "ru": "полици"}
REFUSED = "violation/health.denial"
INSULTED = "violation/violence.psychological"
HEALTH = "perpetrator/health"
PLHIV = "population/plhiv"
HATE = "violation/civic.hate"


@pytest.mark.parametrize(
    ("language", "width"),
    [
        *(pytest.param(*values, marks=pytest.mark.slow) for values in (("en", 1280), ("ru", 1280), ("en", 360))),
        ("ru", 360),
    ],
)
def test_whole_case(serve, enter, axe, language, width):
    site = serve()
    entry = enter(site, language, width=width)
    page = entry.page
    axe(page)
    entry.write(entry.narrative, case="A-17")
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
    assert entry.is_within(width)
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
    entry.write(entry.narrative)
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


def test_selected_words_are_offered_for_hiding(serve, enter):
    entry = enter(serve())
    entry.write(entry.narrative)
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
    text = entry.narrative
    words = {"start": text.index("refused"), "end": text.index("refused") + len("refused")}
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
    entry.write(entry.narrative)
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


@pytest.mark.parametrize("language", ["en", pytest.param("ru", marks=pytest.mark.slow)])
def test_axes_without_any_decision_are_named_and_kept_so(serve, enter, codebook, language):
    site = serve()
    entry = enter(site, language)
    entry.write(entry.narrative)
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
    keyboard.type(entry.narrative)
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


def test_one_page_in_the_dark_with_large_text(serve, enter, axe):
    entry = enter(serve(), "ru", width=360, color_scheme="dark")
    entry.page.evaluate("document.documentElement.style.fontSize = '200%'")
    entry.write(entry.narrative)
    entry.press("accept", REFUSED)
    entry.press("reject", INSULTED)
    entry.at("preview").get_by_role("button").first.click()
    axe(entry.page)
    assert entry.is_within(360)
