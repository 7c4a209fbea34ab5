"""Login and logout, the custom element, and what every page owes to its reader: little to load, nothing left behind."""

from __future__ import annotations

import pytest

from nlp.codebook import parse_codebook
from service.access import COOKIE
from service.web.texts import TEXTS
from training.package import Identity

pytestmark = pytest.mark.browser

MAX_WEIGHT = 150_000  # bytes over the wire of a first load
TEXT = "The doctor refused to see her and shouted."


def _log_in(page, key):
    page.fill("#key", key)
    page.click("button.main")


@pytest.mark.parametrize(("language", "width"), [pytest.param("en", 1280, marks=pytest.mark.slow), ("ru", 360)])
def test_login_and_logout(serve, visit, axe, language, width):
    site = serve(keys=True)
    texts = TEXTS[language]
    page = visit(site, language=language, width=width)
    assert page.url == f"{site.url}/login"
    axe(page)
    _log_in(page, "cck_wrong")
    assert page.get_by_role("alert").inner_text() == texts["login.wrong"]
    axe(page)
    _log_in(page, site.keys["bird"])
    page.wait_for_url(f"{site.url}/")
    assert page.get_by_role("link", name=texts["nav.coordinator"]).count() == 0
    (cookie,) = [one for one in page.context.cookies() if one["name"] == COOKIE]
    assert (cookie["httpOnly"], cookie["sameSite"]) == (True, "Strict")
    assert page.evaluate("document.cookie") == ""
    page.fill("#text", TEXT)
    page.wait_for_selector(".chip")  # the token of the page goes along with what is sent
    axe(page)
    page.fill("#text", "")
    page.click("#logout")
    page.wait_for_url(f"{site.url}/login")
    assert [one for one in page.context.cookies() if one["name"] == COOKIE] == []
    page.go_back()
    assert page.url == f"{site.url}/login"


def test_login_that_ended_while_writing_loses_nothing(serve, visit, axe):
    site = serve(keys=True)
    page = visit(site)
    _log_in(page, site.keys["bird"])
    page.wait_for_url(f"{site.url}/")
    page.fill("#text", TEXT)
    page.wait_for_selector(".chip")
    page.click("#accept-violation\\/health\\.denial")
    page.context.clear_cookies()
    page.click("#save")
    page.locator("#result").get_by_text(TEXTS["en"]["js.login"]).wait_for()
    axe(page)
    with page.context.expect_page() as opened:
        page.locator("#result").get_by_role("link").click()
    other = opened.value
    _log_in(other, site.keys["bird"])
    other.wait_for_url(f"{site.url}/")
    page.click("#save")  # the page fetches the token of the new login by itself
    page.wait_for_selector("#result .good")
    (kept,) = site.stored()
    assert kept.coder == "bird"
    assert page.input_value("#text") == TEXT


def test_language_is_chosen_by_link_and_kept(serve, visit):
    site = serve()
    page = visit(site)
    page.get_by_role("link", name="Русский").click()
    assert page.locator("h1").inner_text() == TEXTS["ru"]["entry.title"]
    page.goto(f"{site.url}/example")
    assert page.locator("h1").inner_text() == TEXTS["ru"]["example.title"]


@pytest.mark.parametrize(("language", "width"), [("en", 1280), pytest.param("ru", 360, marks=pytest.mark.slow)])
def test_custom_element_in_a_plain_form(serve, visit, axe, codebook, language, width):
    page = visit(serve(), "/example", language, width)
    page.evaluate(
        """() => {
          window.told = [];
          for (const name of ["casecoder-accept", "casecoder-reject"]) {
            document.addEventListener(name, (event) => window.told.push([name, event.detail]));
          }
        }"""
    )
    axe(page)
    page.fill("#violations", "own.code")
    page.fill("#description", TEXT)
    label = codebook.label("health.denial").label[language]
    chip = page.locator("casecoder-suggestions li", has_text=label)
    chip.wait_for()
    axe(page)
    accept, reject = chip.get_by_role("button").all()
    accept.click()
    assert page.input_value("#violations") == "own.code;health.denial"
    assert accept.get_attribute("aria-pressed") == "true"
    reject.focus()
    page.keyboard.press("Enter")
    assert page.input_value("#violations") == "own.code"
    axe(page)
    told = page.evaluate("window.told")
    assert [name for name, _ in told] == ["casecoder-accept", "casecoder-reject"]
    assert told[0][1] == {"axis": "violation", "code": "health.denial", "label": label, "probability": 0.9}
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    page.fill("#description", "")
    chip.wait_for(state="detached")


@pytest.mark.parametrize(("path", "field", "chips"), [("/", "#text", "#codes"), ("/example", "#description", "li")])
def test_open_page_follows_the_codebook_of_another_bundle(
    serve, visit, codebook, make_bundle, tmp_path, path, field, chips
):
    old = codebook.label("health.denial").label["en"]
    source = codebook.source.replace('version: "1.1"', 'version: "9.0"').replace(old, "Turned away from care")
    make_bundle(tmp_path / "other-9", parse_codebook(source), Identity("other", "9", "2031-05-06", ("en",)))
    site = serve(bundle_folder=tmp_path)
    page = visit(site, path)
    page.fill(field, TEXT)
    page.locator(chips, has_text=old).first.wait_for()
    answer = page.evaluate(
        """async () => (await fetch("/v1/bundles/active", {
          method: "POST", headers: {"Content-Type": "application/json"}, body: '{"name": "other-9"}'
        })).status"""
    )
    assert answer == 200
    page.fill(field, f"{TEXT} She was refused again.")
    page.locator(chips, has_text="Turned away from care").first.wait_for()


@pytest.mark.parametrize("keys", [False, True])
def test_first_load_is_light(serve, visit, keys):
    site = serve(keys=keys)
    page = visit(site, "/static/style.css")
    wire = page.context.new_cdp_session(page)
    wire.send("Network.enable")
    lengths = []
    wire.on("Network.loadingFinished", lambda event: lengths.append(event["encodedDataLength"]))
    for path in ["/login"] if keys else ["/", "/example", "/coordinator"]:
        for language in TEXTS:
            lengths.clear()
            wire.send("Network.clearBrowserCache")
            page.goto(f"{site.url}{path}?lang={language}", wait_until="networkidle")
            assert len(lengths) >= 2
            assert 0 < sum(lengths) <= MAX_WEIGHT


def test_axe_finds_what_is_wrong(serve, visit, axe):
    """Or else its silence would mean nothing."""
    page = visit(serve())
    page.evaluate("document.getElementById('main').append(document.createElement('input'))")
    with pytest.raises(AssertionError, match="label"):
        axe(page)
