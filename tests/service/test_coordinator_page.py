"""The coordinator's pages: who may see them, what they show, and that texts are read through the audit log."""

from __future__ import annotations

import re
from html import unescape
from string import Formatter

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import select

from service.access import COOKIE
from service.app import create_app
from service.store.access import Principal, log_in
from service.store.feedback import Correction, Decided
from service.store.tables import AuditEntry
from service.web.coordinator_filters import Filters
from service.web.coordinator_texts import COORDINATOR_TEXTS, say_count
from service.web.coordinator_view import Speaker, agreement_says, difference_interval, marked, percent_of
from service.web.texts import TEXTS

ACCEPTED = Decided("violation", "health.denial", "accepted", primary=True)
REJECTED = Decided("violation", "violence.psychological", "rejected")
INSTEAD = Decided("perpetrator", "police", "edited", "health")
SECRET = "The doctor refused to see [PERSON_1]."


@pytest.fixture
def database_url(new_url):
    return new_url("sqlite")  # what the pages ask of the store is tested on each database elsewhere


@pytest.fixture
def browser(api):
    """The page of a path as somebody sees it who is logged in; ``river`` coordinates."""

    def get(path, who="river", **options):
        login, _ = log_in(api.store, api.keys[who], hours=1)
        options["headers"] = {"Cookie": f"{COOKIE}={login}", **options.get("headers", {})}
        return api.client.get(path, follow_redirects=False, **options)

    return get


@pytest.fixture
def speaker(codebook):
    return Speaker("en", TEXTS["en"] | COORDINATOR_TEXTS["en"], codebook)


def _said(page):
    """The words of a page, without its markup."""
    return re.sub(r"[ \n]+", " ", unescape(re.sub(r"<[^>]+>", " ", page.text)))


def _part(page, name):
    return re.search(rf'<section id="{name}".*?</section>', page.text, re.DOTALL)[0]


def _reads(api):
    with api.store.database.reading() as session:
        return session.scalars(select(AuditEntry.actor).where(AuditEntry.action == "read feedback")).all()


@pytest.mark.parametrize(("who", "status"), [("bird", 404), ("river", 200), ("hill", 200)])
def test_only_coordinators_find_the_pages(api, browser, save, who, status):
    identifier = save(api.store)
    assert browser("/coordinator", who).status_code == status
    assert browser(f"/coordinator/case/{identifier}", who).status_code == status


def test_to_a_reactor_a_case_is_as_missing_as_any_other_page(api, browser, save):
    own = save(api.store, principal=Principal("bird", "reactor", api.ids["bird"]))
    replies = [browser(path, "bird") for path in (f"/coordinator/case/{own}", "/coordinator", "/no/such/page")]
    assert len({(reply.status_code, reply.text) for reply in replies}) == 1
    assert _reads(api) == []


@pytest.mark.parametrize("path", ["/coordinator", "/coordinator/case/abc", "/coordinator?since=never"])
def test_who_has_no_login_is_sent_to_it(api, path):
    reply = api.client.get(path, follow_redirects=False)
    assert (reply.status_code, reply.headers["location"]) == (303, "/login")


def test_page_without_decisions_says_so(browser):
    assert COORDINATOR_TEXTS["en"]["co.none"] in browser("/coordinator").text


def test_page_without_a_store_says_that_nothing_is_kept(constant_pipeline):
    with TestClient(create_app(constant_pipeline)) as client:
        assert COORDINATOR_TEXTS["en"]["co.no_store"] in client.get("/coordinator").text
        assert client.get("/coordinator/case/abc").status_code == 404


@pytest.mark.parametrize("language", ["en", "ru"])
def test_page_speaks_a_language_throughout(api, browser, save, codebook, language):
    save(api.store)
    reply = browser("/coordinator", headers={"Accept-Language": language})
    assert COORDINATOR_TEXTS[language]["agree.title"] in reply.text
    assert codebook.label("health.denial").label[language] in _part(reply, "decisions")
    assert codebook.label("health.denial").label[language] in _part(reply, "acceptance")


def test_overview_holds_no_text_and_reads_none(api, browser, save):
    save(api.store, SECRET)
    assert "refused to see" not in browser("/coordinator").text
    assert _reads(api) == []


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("", ["bird", "stone"]),
        ("coder=&code=&since=", ["bird", "stone"]),
        ("coder=bird", ["bird"]),
        ("coder=%20bird%20", ["bird"]),
        ("code=police", ["stone"]),
        ("verdict=edited", ["stone"]),
        ("verdict=accepted&coder=stone", []),
        ("origin=blind", ["stone"]),
        ("language=ru", ["stone"]),
        ("country=Moldova", ["bird"]),
        ("bundle=constant-1", ["bird", "stone"]),
        ("since=2031-05-07", ["stone"]),
        ("until=2031-05-06", ["bird"]),  # the day itself is within
        ("since=2031-05-06&until=2031-05-07", ["bird", "stone"]),
        ("since=2031-05-08", []),
    ],
)
def test_filters_choose_decisions(api, browser, save, new_receipt, clock, query, found):
    save(api.store)
    clock.advance(days=1)
    assisted = new_receipt(api.store, language="ru", country=None)
    blind = new_receipt(api.store, language="ru", country=None, origin="blind")
    stone = Principal("stone", "reactor", "key2")
    if "origin" in query:
        save(api.store, decided=(), nothing=("violation",), receipt=blind, principal=stone)
    else:
        save(api.store, decided=(INSTEAD,), receipt=assisted, principal=stone)
    reply = browser(f"/coordinator?{query}")
    assert reply.status_code == 200
    table = _part(reply, "decisions") if found else ""
    assert [who for who in ("bird", "stone") if f">{who}</td>" in table] == found
    assert say_count(COORDINATOR_TEXTS["en"], "co.total", len(found), "en") in _said(reply)


@pytest.mark.parametrize(
    "query",
    [
        "verdict=guessed",
        "origin=%3Cscript%3E",
        "since=2031-13-01",
        "since=2031-W18-2",
        "until=9999-12-31",
        "since=yesterday",
        "coder=%00",
        f"code={'x' * 61}",
        "since=2031-05-07&until=2031-05-06",
    ],
)
def test_filters_that_cannot_be_are_told_and_nothing_is_shown(api, browser, save, query):
    save(api.store)
    reply = browser(f"/coordinator?{query}")
    assert reply.status_code == 422
    assert 'role="alert"' in reply.text
    assert 'id="decisions"' not in reply.text
    assert "<script>" not in reply.text


def test_form_keeps_a_filter_that_no_decision_has(api, browser, save):
    save(api.store)
    reply = browser("/coordinator?coder=%3Cb%3Enobody")
    assert '<option value="&lt;b&gt;nobody" selected>' in reply.text
    assert COORDINATOR_TEXTS["en"]["co.none_found"] in reply.text


def test_pages_hold_every_decision_once(api, browser, save):
    saved = [save(api.store) for _ in range(45)]
    path, seen = "/coordinator?coder=bird", []
    while path:
        part = _part(browser(path), "decisions")
        seen += re.findall(r"/coordinator/case/(\w+)\?coder=bird", part)
        older = re.search(r'rel="next" href="([^"#]+)', part)
        path = unescape(older[1]) if older else None
    assert seen == saved[::-1]


def test_figures_stand_on_the_first_page_alone(api, browser, save):
    for _ in range(21):
        save(api.store)
    first = browser("/coordinator").text
    older = browser(unescape(re.search(r'rel="next" href="([^"#]+)', first)[1])).text
    sections = ("agreement", "time", "queue", "decisions", "acceptance")
    assert all(f'<section id="{name}"' in first for name in sections)
    assert [name for name in sections if f'<section id="{name}"' in older] == ["decisions"]


@pytest.mark.parametrize(("earlier", "said"), [(0, None), (1, "1 of them is left out"), (2, "2 of them are left out")])
def test_page_says_how_many_decisions_the_figures_leave_out(api, browser, save, earlier, said):
    for _ in range(earlier + 1):
        save(api.store, case_id="A-1")
    page = browser("/coordinator")
    assert re.search(r'data-label="Cases">1</td>', _part(page, "time"))
    assert ("left out of the figures" in page.text) == bool(said)
    assert (said or "") in page.text


def test_axis_on_which_nobody_decides_stands_among_the_figures(api, browser, save, codebook):
    save(api.store, decided=(ACCEPTED,))
    part = _part(browser("/coordinator"), "agreement")
    assert re.findall(r"<caption>([^<]+)</caption>", part) == [axis.label["en"] for axis in codebook.axes]
    assert re.findall(r'data-label="Cases">(\d+)<', part) == ["1", "0", "0", "0", "0", "0"]


@pytest.mark.parametrize(("query", "skewed"), [("", 0), ("coder=bird", 0), ("verdict=accepted", 2)])
def test_figures_of_chosen_codes_say_that_they_are(api, browser, save, query, skewed):
    save(api.store)
    assert browser(f"/coordinator?{query}").text.count(COORDINATOR_TEXTS["en"]["filter.skewed"]) == skewed


@pytest.mark.parametrize("before", ["0", "-1", "x", "\u0663", "99999999999999999999"])
def test_page_numbers_that_cannot_be_mean_the_first_page(api, browser, save, before):
    save(api.store)
    assert "/coordinator/case/" in _part(browser(f"/coordinator?before={before}"), "decisions")


def test_queue_begins_with_the_largest_disagreement(api, browser, save):
    agreeing = save(api.store, decided=(ACCEPTED, Decided("violation", "violence.psychological", "accepted")))
    differing = save(api.store, decided=(REJECTED, INSTEAD))
    queue = re.findall(r"/coordinator/case/(\w+)", _part(browser("/coordinator"), "queue"))
    assert queue == [differing, agreeing]


def test_case_shows_what_was_suggested_decided_and_corrected(api, browser, save):
    corrections = (Correction("shown", 4, 10, "PERSON"), Correction("hidden", 26, 36, "LOCATION"))
    identifier = save(api.store, SECRET, decided=(ACCEPTED, REJECTED, INSTEAD), corrections=corrections)
    reply = browser(f"/coordinator/case/{identifier}")
    said = _said(reply)
    assert "Health care refused or obstructed suggested, 90\N{NO-BREAK SPACE}% ✓ accepted, leading code" in said
    assert "rejected ≠ differs" in said
    assert "set instead of “Health care”" in said
    assert "replaced by “" in said
    assert "Shown again by the person: doctor (person)" in said
    assert "Hidden by the person: [PERSON_1] (place)" in said
    assert "The person decided nothing here." in said  # the population
    assert '<mark class="hidden">' in reply.text
    assert len(_reads(api)) == 1


def test_differences_of_a_case_are_as_many_as_the_list_counts(api, browser, save):
    identifier = save(api.store, decided=(ACCEPTED, REJECTED, INSTEAD))
    marked_ones = browser(f"/coordinator/case/{identifier}").text.count('<tr role="row" class="differs">')
    listed = re.search(r'data-label="Codes that differ"><strong>(\d+)', _part(browser("/coordinator"), "queue"))
    assert marked_ones == int(listed[1]) == 3


def test_suggestion_that_was_left_open_is_no_difference(api, browser, save):
    identifier = save(api.store, decided=(ACCEPTED,))
    page = browser(f"/coordinator/case/{identifier}")
    assert "suggested, 70\N{NO-BREAK SPACE}% left open" in _said(page)
    assert 'class="differs"' not in page.text
    assert re.search(r'data-label="Codes that differ"><strong>0<', _part(browser("/coordinator"), "queue"))


def test_axis_on_which_no_code_applies_is_said(api, browser, save):
    identifier = save(api.store, decided=(), nothing=("violation",))
    assert "Violation type: Not a violation" in _said(browser(f"/coordinator/case/{identifier}"))


def test_blind_case_says_that_suggestions_were_not_seen(api, browser, save, new_receipt):
    receipt = new_receipt(api.store, origin="blind")
    identifier = save(api.store, decided=(Decided("violation", "health.denial", "added"),), receipt=receipt)
    said = _said(browser(f"/coordinator/case/{identifier}"))
    assert COORDINATOR_TEXTS["en"]["case.blind"] in said
    assert "suggested, 90\N{NO-BREAK SPACE}% ✓ set" in said


def test_case_without_a_text_is_shown(api, browser, save):
    identifier = save(api.store, None)
    assert COORDINATOR_TEXTS["en"]["case.no_text"] in browser(f"/coordinator/case/{identifier}").text


def test_markup_in_stored_values_stays_text(api, browser, save, new_receipt):
    receipt = new_receipt(api.store, country="<img src=x>")
    who = Principal("<script>alert(1)</script>", "reactor", "key9")
    identifier = save(api.store, "<script>alert(2)</script>", receipt=receipt, principal=who)
    pages = browser("/coordinator").text + browser(f"/coordinator/case/{identifier}").text
    assert "<script>alert" not in pages
    assert "<img" not in pages


def test_reading_a_case_is_told_to_the_audit_log(api, browser, save):
    identifier = save(api.store)
    assert browser(f"/coordinator/case/{identifier}").status_code == 200
    assert browser("/coordinator/case/nothing").status_code == 404
    assert len(_reads(api)) == 1
    assert "river" in _reads(api)[0]


def test_texts_of_a_day_are_limited_for_page_and_api_together(start, save):
    api = start(reads_per_day=2)
    identifier = save(api.store)
    login, _ = log_in(api.store, api.keys["river"], hours=1)
    assert api.get(f"/v1/feedback/{identifier}", "river").status_code == 200
    pages = [
        api.client.get(f"/coordinator/case/{identifier}", headers={"Cookie": f"{COOKIE}={login}"}) for _ in range(2)
    ]
    assert [page.status_code for page in pages] == [200, 429]
    assert "refused" not in pages[1].text


def test_queue_is_walked_from_case_to_case(api, browser, save):
    last = save(api.store, decided=(ACCEPTED, Decided("violation", "violence.psychological", "accepted")))
    first = save(api.store, decided=(REJECTED, INSTEAD))
    page = browser(f"/coordinator/case/{first}?coder=bird&from=queue").text
    assert f'rel="next" href="/coordinator/case/{last}?coder=bird&amp;from=queue"' in page
    assert 'rel="prev"' not in page
    assert 'rel="next"' not in browser(f"/coordinator/case/{last}?from=queue").text
    assert 'rel="next"' not in browser(f"/coordinator/case/{first}").text


def test_export_takes_the_filters_along(api, browser, save):
    save(api.store)
    save(api.store, principal=Principal("stone", "reactor", "key2"))
    page = browser("/coordinator?coder=stone&since=2031-05-06&until=2031-05-06").text
    link = unescape(re.search(r'id="export" href="([^"]+)"', page)[1])
    rows = browser(link).text.splitlines()
    assert len(rows) == 1
    assert browser("/coordinator?coder=stone&since=2031-05-07").text.count('id="export"') == 0


def test_export_says_how_many_decisions_it_holds(api, browser, save):
    save(api.store)
    save(api.store, None)  # without a text it is in no export
    page = browser("/coordinator")
    assert say_count(COORDINATOR_TEXTS["en"], "export.what", 1, "en") in _said(page)
    assert len(browser("/v1/feedback/export").text.splitlines()) == 1


def test_pages_have_the_strict_policy_and_nothing_inline(api, browser, save):
    identifier = save(api.store)
    for path in ("/coordinator", f"/coordinator/case/{identifier}", "/coordinator/case/nothing"):
        reply = browser(path)
        assert "default-src 'none'" in reply.headers["content-security-policy"]
        assert reply.headers["cache-control"] == "no-store"
        assert not re.search(r"<script(?![^>]*\ssrc=)|<style|\sstyle=|\son\w+=", reply.text)


def test_tables_have_captions_and_scopes_and_every_id_is_used_once(api, browser, save):
    identifier = save(api.store, decided=(ACCEPTED, REJECTED, INSTEAD))
    for path in ("/coordinator", f"/coordinator/case/{identifier}"):
        page = browser(path).text
        assert page.count("<table") == page.count("<caption") > 0
        assert all("scope=" in head for head in re.findall(r"<th\b[^>]*>", page))
        ids = re.findall(r'\sid="([^"]+)"', page)
        assert len(ids) == len(set(ids))
        named = re.findall(r'(?:for|aria-labelledby|aria-describedby)="([^"]+)"', page)
        assert set(named) <= set(ids)
        fields = re.findall(r'<(?:select|input)[^>]*\sid="([^"]+)"', page)
        assert set(fields) <= set(re.findall(r'<label for="([^"]+)"', page))


AT_70 = {"cases": 100, "same": 0.70, "interval": [0.604, 0.781], "overlap": 0.8}
AT_82 = {"cases": 100, "same": 0.82, "interval": [0.733, 0.883], "overlap": 0.9}
AT_30 = {"cases": 100, "same": 0.30, "interval": [0.219, 0.396], "overlap": 0.4}
NONE = {"cases": 0, "same": None, "interval": None, "overlap": None}


@pytest.mark.parametrize(
    ("assisted", "blind", "says"),
    [
        (AT_82, AT_70, ["12 points more", "saw than", "more than chance explains"]),
        (AT_70, AT_82, ["12 points less"]),
        (AT_70, AT_70, ["agree as much"]),
        (AT_82, AT_30, ["52 points more", "more than chance explains"]),
        ({**AT_70, "same": 0.71}, AT_70, ["1 point more", "may be chance"]),
        (AT_70, NONE, ["nothing to compare"]),
        (AT_70, None, ["nothing to compare"]),
        (NONE, AT_70, ["nothing to compare"]),
    ],
)
def test_agreement_is_said_in_a_sentence(speaker, assisted, blind, says):
    sentence = agreement_says(assisted, blind, speaker)
    assert all(words in sentence for words in says), sentence


def test_interval_of_a_difference_is_newcombes():
    # 56 of 70 and 48 of 80, method 10: 0.0524 to 0.3339 (Newcombe 1998, table II, example a)
    one = {"same": 56 / 70, "interval": [0.6918, 0.8773]}
    other = {"same": 48 / 80, "interval": [0.4904, 0.7005]}
    assert difference_interval(one, other) == pytest.approx((0.0524, 0.3339), abs=5e-4)


@pytest.mark.parametrize(("share", "percent"), [(0.0, 0), (0.001, 1), (0.445, 45), (0.5, 50), (0.999, 99), (1.0, 100)])
def test_percentages_are_whole_and_only_none_is_none(share, percent):
    assert percent_of(share) == percent


@pytest.mark.parametrize(
    ("corrections", "parts"),
    [
        ((), [("", "abcdef")]),
        ((Correction("hidden", 0, 2, "X"),), [("hidden", "ab"), ("", "cdef")]),
        ((Correction("shown", 4, 6, "X"), Correction("hidden", 1, 2, "X")),
         [("", "a"), ("hidden", "b"), ("", "cd"), ("shown", "ef")]),
        ((Correction("hidden", 0, 4, "X"), Correction("shown", 2, 5, "X")),
         [("hidden", "abcd"), ("shown", "e"), ("", "f")]),
        ((Correction("hidden", 0, 6, "X"), Correction("shown", 2, 4, "X")), [("hidden", "abcdef")]),
    ],
)  # fmt: skip
def test_marked_text_is_whole(corrections, parts):
    assert marked("abcdef", corrections) == parts
    assert "".join(words for _, words in marked("abcdef", corrections)) == "abcdef"


@pytest.mark.parametrize(
    ("n", "said"),
    [(1, "1 решение"), (2, "2 решения"), (5, "5 решений"), (11, "11 решений"), (12, "12 решений"), (21, "21 решение"),
     (22, "22 решения"), (0, "0 решений"), (111, "111 решений")],
)  # fmt: skip
def test_russian_counts_are_inflected(n, said):
    assert say_count(COORDINATOR_TEXTS["ru"], "co.total", n, "ru") == said


def test_filters_survive_the_way_through_an_address():
    sent = {"coder": "сова & co", "since": "2031-05-06", "verdict": "added", "country": "", "other": "x"}
    filters = Filters.of(sent)
    assert set(filters.values) == {"coder", "since", "verdict"}
    assert "coder=%D1%81%D0%BE%D0%B2%D0%B0+%26+co" in filters.query()


def test_languages_have_the_same_sentences_with_the_same_places_to_fill():
    plural = re.compile(r"\.(one|few|many|other)$")
    names = {language: {plural.sub("", name) for name in texts} for language, texts in COORDINATOR_TEXTS.items()}
    assert names["en"] == names["ru"]
    for language, categories in (("en", ("one", "other")), ("ru", ("one", "few", "many", "other"))):
        texts = COORDINATOR_TEXTS[language]
        counted = {plural.sub("", name) for name in texts if plural.search(name)}
        assert all(f"{name}.{category}" in texts for name in counted for category in categories)
    for name in COORDINATOR_TEXTS["en"].keys() & COORDINATOR_TEXTS["ru"].keys():
        assert _places(COORDINATOR_TEXTS["en"][name]) == _places(COORDINATOR_TEXTS["ru"][name]), name
    assert not COORDINATOR_TEXTS["en"].keys() & TEXTS["en"].keys()


def _places(text):
    return {name for _, name, _, _ in Formatter().parse(text) if name}
