"""Logins of the page: nobody is logged in from elsewhere, and no page speaks for another person than its own."""

from __future__ import annotations

import re

import pytest
from fastapi.testclient import TestClient

from service.access import COOKIE, CSRF_HEADER, PERSON_HEADER
from service.app import create_app
from service.settings import ServiceSettings
from service.store.access import create_key, csrf_token, list_keys, log_in, person_token
from service.store.feedback import Wanted, count_feedback
from service.store.store import Store
from service.web.pages import LOGIN_COOKIE
from service.web.texts import TEXTS

BODY = {"text": "The doctor refused to see me."}
HOSTED = f"__Host-{COOKIE}"


@pytest.fixture
def database_url(new_url):
    return new_url("sqlite")  # the database has no say in it


@pytest.fixture
def browser(constant_pipeline, store):
    """Opens browsers on a service with a key for ``bird``: over HTTP, or over HTTPS with secure cookies."""
    running = []

    def make(scheme="http", **settings):
        app = create_app(
            constant_pipeline, settings=ServiceSettings(blind_share=0.0, request_seconds=60.0, **settings), store=store
        )
        client = TestClient(app, base_url=f"{scheme}://casecoder.example", follow_redirects=False)
        running.append(client)
        return client.__enter__()

    yield make
    for client in running:
        client.__exit__(None, None, None)


@pytest.fixture
def key(store):
    return create_key(store, name="bird", scope="reactor", actor="test")[0]


def token_of(page):
    return re.search(r'name="token" value="([^"]*)"', page.text)[1]


def form(client, key):
    return {"token": token_of(client.get("/login")), "key": key}


# The login form


def test_form_of_the_page_logs_in(browser, key):
    client = browser()
    assert client.post("/login", data=form(client, key)).headers["location"] == "/"
    assert client.get("/").status_code == 200


def test_form_that_was_filled_in_wrongly_is_sent_again_with_the_token_of_the_answer(browser, key):
    client = browser()
    wrong = client.post("/login", data=form(client, "cck_wrong"))
    assert (wrong.status_code, TEXTS["en"]["login.wrong"] in wrong.text) == (401, True)
    assert client.post("/login", data={"token": token_of(wrong), "key": key}).status_code == 303


def test_form_in_two_tabs_is_good_in_both(browser, key):
    client = browser()
    first, second = form(client, "cck_wrong"), form(client, key)
    assert client.post("/login", data=first).status_code == 401
    assert client.post("/login", data=second).status_code == 303


@pytest.mark.parametrize("language", ["en", "ru"])
def test_form_of_another_browser_logs_nobody_in(browser, key, language):
    """Over plain HTTP browsers say nothing of the site that sends a form: what they were given tells."""
    attacker, victim = browser(), browser()
    stolen = form(attacker, key)
    victim.get("/login")
    reply = victim.post("/login", data=stolen, headers={"Accept-Language": language})
    assert (reply.status_code, TEXTS[language]["login.old"] in reply.text) == (403, True)
    assert COOKIE not in victim.cookies
    assert victim.get("/").status_code == 303
    assert key not in reply.text
    assert victim.post("/login", data={"token": token_of(reply), "key": key}).status_code == 303


@pytest.mark.parametrize(
    "change",
    [
        pytest.param(lambda sent: {"key": sent["key"]}, id="none"),
        pytest.param(lambda sent: {**sent, "token": ""}, id="empty"),
        pytest.param(lambda sent: {**sent, "token": sent["token"][:-1]}, id="short"),
        pytest.param(lambda sent: {**sent, "token": "0" * 64}, id="guessed"),
        pytest.param(lambda sent: {**sent, "token": "\u0436" * 64}, id="no token"),
    ],
)
def test_form_without_its_token_logs_nobody_in(browser, key, change):
    client = browser()
    reply = client.post("/login", data=change(form(client, key)))
    assert (reply.status_code, COOKIE in client.cookies) == (403, False)


def test_form_without_its_cookie_logs_nobody_in(browser, key):
    """As a form on another site is sent: cookies of the page are not."""
    client = browser()
    sent = form(client, key)
    client.cookies.clear()
    assert client.post("/login", data=sent).status_code == 403
    client.cookies.clear()
    assert client.post("/login", data=sent, headers={"Cookie": f"{LOGIN_COOKIE}="}).status_code == 403
    assert COOKIE not in client.cookies


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"Sec-Fetch-Site": "cross-site"}, 403),
        ({"Sec-Fetch-Site": "same-site"}, 403),
        ({"Origin": "http://evil.example"}, 403),
        ({"Origin": "http://casecoder.example.evil.example"}, 403),
        ({"Origin": "https://evil.example:443"}, 403),
        ({"Origin": "null", "Sec-Fetch-Site": "cross-site"}, 403),
        ({"Origin": "http://[casecoder.example"}, 403),
        ({"Origin": ""}, 403),
        ({"Origin": "null"}, 303),  # as browsers say it of our own page
        ({"Origin": "http://casecoder.example"}, 303),
        ({"Origin": "https://Casecoder.example:8443"}, 303),  # behind a proxy
        ({"Sec-Fetch-Site": "same-origin", "Origin": "null"}, 303),
        ({"Sec-Fetch-Site": "none"}, 303),
    ],
)
def test_browser_that_names_another_site_logs_nobody_in(browser, key, headers, status):
    client = browser()
    reply = client.post("/login", data=form(client, key), headers=headers)
    assert (reply.status_code, COOKIE in client.cookies) == (status, status == 303)


def test_cookie_of_the_form_is_for_no_script_and_no_other_site(browser, key):
    said = browser().get("/login").headers["set-cookie"].lower()
    assert said.startswith(f"{LOGIN_COOKIE}=")
    assert {"httponly", "samesite=strict", "path=/"} <= {part.strip() for part in said.split(";")}
    assert "max-age" not in said


# Names of cookies


def cookies_of(reply):
    return [item.partition("=")[0] for item in reply.headers.get_list("set-cookie")]


def test_cookies_over_https_are_bound_to_this_host(browser, key):
    client = browser("https", secure_cookies=True)
    page = client.get("/login")
    reply = client.post("/login", data={"token": token_of(page), "key": key})
    assert (reply.status_code, cookies_of(page), cookies_of(reply)) == (303, [f"__Host-{LOGIN_COOKIE}"], [HOSTED])
    for cookie in (*page.headers.get_list("set-cookie"), *reply.headers.get_list("set-cookie")):
        flags = {part.strip().lower() for part in cookie.split(";")}
        assert {"secure", "httponly", "path=/"} <= flags
        assert not any(flag.startswith("domain") for flag in flags)
    headers = page_of(client)
    assert client.post("/v1/redactions", json=BODY, headers=headers).status_code == 200
    assert client.post("/logout", json={}, headers=headers).status_code == 204
    assert HOSTED not in client.cookies
    assert client.get("/").status_code == 303


def test_cookies_over_http_keep_their_names(browser, key):
    client = browser()
    page = client.get("/login")
    reply = client.post("/login", data={"token": token_of(page), "key": key})
    assert (cookies_of(page), cookies_of(reply)) == ([LOGIN_COOKIE], [COOKIE])


def test_cookie_that_a_neighbor_may_have_set_is_nobodys_over_https(browser, key, store):
    """`__Host-` keeps other hosts of the domain from setting the cookie; one without it tells nothing."""
    login, _ = log_in(store, key, hours=1)
    client = browser("https", secure_cookies=True)
    assert client.get("/", headers={"Cookie": f"{COOKIE}={login}"}).headers["location"] == "/login"
    assert client.get("/v1/codebook", headers={"Cookie": f"{COOKIE}={login}"}).status_code == 401
    both = {"Cookie": f"{COOKIE}={login}; {HOSTED}=nonsense"}
    assert client.get("/v1/codebook", headers=both).status_code == 401
    assert client.get("/v1/codebook", headers={"Cookie": f"{HOSTED}={login}"}).status_code == 200


def test_rate_over_https_is_that_of_the_login(browser, key, store):
    client = browser("https", secure_cookies=True, requests_per_minute=8)
    login, _ = log_in(store, key, hours=1)
    cookies = [f"{HOSTED}={login}", *(f"{COOKIE}={number}; {HOSTED}={login}" for number in range(4))]
    statuses = [client.get("/v1/codebook", headers={"Cookie": item}).status_code for item in cookies]
    assert statuses == [200, 200, 429, 429, 429]


# Whose page it is


def page_of(client):
    """What the scripts of a fresh page send along."""
    page = client.get("/").text
    found = (re.search(rf'name="{name}" content="([^"]*)"', page)[1] for name in ("csrf", "person"))
    return dict(zip((CSRF_HEADER, PERSON_HEADER), found, strict=True))


def cookie_of(api, who):
    return {"Cookie": f"{COOKIE}={log_in(api.store, api.keys[who], hours=1)[0]}"}


def page_in(api, cookie):
    api.client.headers.update(cookie)
    try:
        return page_of(api.client)
    finally:
        del api.client.headers["Cookie"]


def test_page_says_whose_it_is_and_not_who(api):
    first, second, other = (page_in(api, cookie_of(api, who)) for who in ("bird", "bird", "stone"))
    assert first[PERSON_HEADER] == second[PERSON_HEADER] != other[PERSON_HEADER]
    assert first[CSRF_HEADER] != second[CSRF_HEADER]
    assert re.fullmatch(r"[0-9a-f]{64}", first[PERSON_HEADER])
    known = {token for facts in list_keys(api.store) for token in (facts.id, facts.name)}
    assert not [word for word in known if word in first[PERSON_HEADER]]


def test_persons_of_two_stores_differ(api, open_store, new_url):
    other: Store = open_store(new_url("sqlite"))
    principal = log_in(api.store, api.keys["bird"], hours=1)[1]
    assert person_token(api.store, principal) != person_token(other, principal)


CHANGES = [
    ("POST", "/v1/suggestions", BODY),
    ("POST", "/v1/suggestions/batch", {"narratives": [BODY]}),
    ("POST", "/v1/redactions", BODY),
    ("POST", "/v1/feedback", None),
    ("POST", "/v1/erasures", {"case_id": "case-7"}),
    ("POST", "/v1/keys", {"name": "sky", "scope": "admin"}),
    ("DELETE", "/v1/keys/{stone}", None),
    ("POST", "/logout", {}),
]


@pytest.mark.parametrize(
    ("before", "now"), [("bird", "stone"), ("bird", "river"), ("river", "bird"), ("river", "hill")]
)
def test_page_of_one_person_changes_nothing_as_another(api, before, now):
    """A page that outlived its login on a computer that people share; also where it has fetched the token of now."""
    cookie = cookie_of(api, now)
    old, fresh = page_in(api, cookie_of(api, before)), page_in(api, cookie)
    for method, path, body in CHANGES:
        if path == "/v1/feedback":
            body = {"receipt": api.suggest(who=before)["receipt"], "verdicts": []}  # noqa: PLW2901
        for sent in (old, {**old, CSRF_HEADER: fresh[CSRF_HEADER]}):
            options = {"json": body} if method == "POST" else {}
            path = path.format(stone=api.ids["stone"])  # noqa: PLW2901
            reply = api.send(method, path, None, headers={**cookie, **sent}, **options)
            assert (reply.status_code, reply.json()["code"], path) == (403, "request.other_person", path)
    assert count_feedback(api.store, Wanted()) == 0
    assert [facts.revoked for facts in list_keys(api.store)] == 4 * [None]
    assert api.get("/v1/codebook", None, headers=cookie).status_code == 200  # the login goes on


@pytest.mark.parametrize("who", ["bird", "river"])
def test_page_goes_on_in_a_new_login_of_the_same_person(api, who):
    """Its own token is too old, and the one of now is fetched: that is not the page of somebody else."""
    old = page_in(api, cookie_of(api, who))
    cookie = cookie_of(api, who)
    body = {"receipt": api.suggest(who=who)["receipt"], "verdicts": []}
    reply = api.post("/v1/feedback", body, None, headers={**cookie, **old})
    assert (reply.status_code, reply.json()["code"]) == (403, "request.forged")
    sent = {**old, CSRF_HEADER: page_in(api, cookie)[CSRF_HEADER]}
    assert api.post("/v1/feedback", body, None, headers={**cookie, **sent}).status_code == 201
    assert api.get("/v1/feedback", who).json()["items"][0]["coder"] == who


@pytest.mark.parametrize("who", ["bird", "river"])
def test_page_that_does_not_say_whose_it_is_changes_nothing(api, who):
    cookie = cookie_of(api, who)
    sent = page_in(api, cookie)
    for person in ({}, {PERSON_HEADER: ""}):
        headers = {**cookie, CSRF_HEADER: sent[CSRF_HEADER], **person}
        reply = api.post("/v1/redactions", BODY, None, headers=headers)
        assert (reply.status_code, reply.json()["code"]) == (403, "request.forged")


@pytest.mark.parametrize("person", ["x", "0" * 64, "\u00e9", "a" * 5_000])
def test_page_of_nobody_changes_nothing(api, person):
    login, principal = log_in(api.store, api.keys["bird"], hours=1)
    headers = {"Cookie": f"{COOKIE}={login}", CSRF_HEADER: csrf_token(api.store, principal)}
    reply = api.post("/v1/redactions", BODY, None, headers={**headers, PERSON_HEADER: person.encode("latin-1")})
    assert (reply.status_code, reply.json()["code"]) == (403, "request.other_person")


def test_other_person_is_told_in_both_languages(api):
    headers = {**cookie_of(api, "bird"), **page_in(api, cookie_of(api, "stone"))}
    said = [
        api.post("/v1/redactions", BODY, None, headers={**headers, "Accept-Language": language}).json()["detail"]
        for language in ("en", "ru")
    ]
    assert "load the page again" in said[0]
    assert "загрузите страницу заново" in said[1]
    assert all("bird" not in text and "stone" not in text for text in said)


def test_programs_with_a_key_need_not_say_whose_page_it_is(api):
    assert api.post("/v1/redactions", BODY, "bird").status_code == 200
    assert api.post("/v1/redactions", BODY, "bird", headers={PERSON_HEADER: "x"}).status_code == 200


def test_without_keys_a_page_is_everybodys(constant_pipeline, store):
    with TestClient(
        create_app(constant_pipeline, settings=ServiceSettings(request_seconds=60.0), store=store)
    ) as client:
        assert client.post("/v1/redactions", json=BODY, headers=page_of(client)).status_code == 200
