from __future__ import annotations

import gzip
import re
from pathlib import Path
from string import Formatter

import pytest
from fastapi.testclient import TestClient

from service.access import COOKIE, CSRF_HEADER, PERSON_HEADER
from service.app import create_app
from service.store.access import create_key
from service.store.sealing import Keyring
from service.store.store import Store
from service.web import pages
from service.web.assets import asset, modules_of, url_of
from service.web.jobs_texts import JOBS_TEXTS
from service.web.texts import LANGUAGE_NAMES, TEXTS, for_scripts

STATIC = Path(pages.__file__).parent / "static"
FILES = sorted(path.name for path in STATIC.iterdir() if path.suffix in (".js", ".css"))
MODULES = [name for name in FILES if name.endswith(".js")]
PAGES = ("/", "/example", "/login")
MAX_WEIGHT = 150_000  # bytes of a first load, uncompressed


@pytest.fixture
def store(tmp_path):
    return Store.open(f"sqlite:///{tmp_path}/s.db", Keyring([b"k" * 32]))


@pytest.fixture
def key(store):
    token, _ = create_key(store, name="anna", scope="reactor", actor="test")
    return token


@pytest.fixture
def client(constant_pipeline, store):
    """A browser on a machine without keys, unless a test makes one."""
    with TestClient(create_app(constant_pipeline, store=store), follow_redirects=False) as client:
        yield client


@pytest.fixture
def logged_in(client, key):
    assert _log_in(client, key).status_code == 303
    return client


def _token(client):
    """The token of a fresh login form."""
    return re.search(r'name="token" value="([^"]*)"', client.get("/login").text)[1]


def _log_in(client, key, **options):
    return client.post("/login", data={"token": _token(client), "key": key}, **options)


def _from(page):
    """The headers that the scripts of a page send along."""
    found = (re.search(rf'name="{name}" content="([^"]*)"', page)[1] for name in ("csrf", "person"))
    return dict(zip((CSRF_HEADER, PERSON_HEADER), found, strict=True))


@pytest.mark.parametrize(
    ("path", "headers", "language"),
    [
        ("/", {}, "en"),
        ("/", {"accept-language": "ru-RU,ru;q=0.9"}, "ru"),
        ("/", {"accept-language": "de"}, "en"),
        ("/?lang=ru", {"accept-language": "en"}, "ru"),
        ("/?lang=xx", {"accept-language": "ru"}, "ru"),
        ("/?lang=<script>", {}, "en"),
    ],
)
def test_page_speaks_the_language_asked_for(client, path, headers, language):
    reply = client.get(path, headers=headers)
    assert reply.status_code == 200
    assert f'<html lang="{language}">' in reply.text
    assert reply.headers["content-language"] == language
    assert TEXTS[language]["entry.title"] in reply.text


def test_chosen_language_is_kept(client):
    assert "set-cookie" not in client.get("/").headers
    client.get("/?lang=ru")
    assert '<html lang="ru">' in client.get("/example", headers={"accept-language": "en"}).text


def test_entry_offers_the_languages_that_are_served(client):
    page = client.get("/").text
    assert re.findall(r'<option value="([a-z]*)"', page) == ["", "en", "ru"]


def test_nobody_logs_in_without_keys(client):
    assert client.get("/").status_code == 200
    assert client.get("/login").headers["location"] == "/"
    assert client.post("/login", data={"key": "cck_x_y"}).headers["location"] == "/"
    assert 'id="logout"' not in client.get("/").text


@pytest.mark.parametrize("path", ["/", "/example"])
def test_who_has_no_login_is_sent_to_it_where_keys_exist(client, key, path):
    reply = client.get(path)
    assert (reply.status_code, reply.headers["location"]) == (303, "/login")
    assert client.get("/login").status_code == 200


def test_login_sets_a_cookie_that_scripts_and_other_sites_cannot_use(client, key):
    reply = _log_in(client, f" {key} ")
    assert (reply.status_code, reply.headers["location"]) == (303, "/")
    name, *flags = (part.strip().lower() for part in reply.headers["set-cookie"].split(";"))
    assert name.startswith(f"{COOKIE}=".lower())
    assert {"httponly", "samesite=strict", "path=/"} <= set(flags)
    assert key.lower() not in name
    assert client.get("/").status_code == 200
    assert client.get("/login").headers["location"] == "/"


@pytest.mark.parametrize(
    "body",
    [b"", b"key=", b"key=cck_0_0", b"other=cck_0_0", b"key=\xff", b"key=" + b"x" * 1_500, b"&".join([b"a=1"] * 100)],
)
def test_wrong_key_is_told_and_sets_no_login(client, key, body):
    content = body + b"&token=" + _token(client).encode()
    reply = client.post("/login", content=content, headers={"content-type": "application/x-www-form-urlencoded"})
    assert reply.status_code == 401
    assert TEXTS["en"]["login.wrong"] in reply.text
    assert "cck_0_0" not in reply.text
    assert COOKIE not in reply.headers.get("set-cookie", "")
    assert client.get("/").status_code == 303


def test_other_sites_cannot_log_anybody_in(client, key):
    reply = _log_in(client, key, headers={"sec-fetch-site": "cross-site"})
    assert reply.status_code == 403
    assert "set-cookie" not in reply.headers


def test_logout_ends_the_login(logged_in):
    headers = _from(logged_in.get("/").text)
    cookie = logged_in.cookies[COOKIE]
    assert logged_in.post("/logout", json={}).status_code == 403  # without the token of the page
    reply = logged_in.post("/logout", json={}, headers=headers)
    assert reply.status_code == 204
    assert logged_in.get("/").status_code == 303
    logged_in.cookies.set(COOKIE, cookie)  # kept by somebody
    assert logged_in.get("/").status_code == 303


def test_token_of_the_page_lets_its_scripts_use_the_api(logged_in):
    headers = _from(logged_in.get("/").text)
    body = {"text": "The doctor refused to see her."}
    assert logged_in.post("/v1/suggestions", json=body).status_code == 403
    assert logged_in.post("/v1/suggestions", json=body, headers=headers).status_code == 200


def test_only_coordinators_see_the_link_to_their_page(logged_in, store):
    assert 'href="/coordinator"' not in logged_in.get("/").text
    token, _ = create_key(store, name="olga", scope="coordinator", actor="test")
    logged_in.cookies.clear()
    _log_in(logged_in, token)
    assert 'href="/coordinator"' in logged_in.get("/").text


def test_entry_without_a_store_says_that_nothing_is_kept(constant_pipeline):
    with TestClient(create_app(constant_pipeline)) as client:
        page = client.get("/").text
    assert 'data-keeps="no"' in page
    assert '<div id="copying">' in page


def _html(client, key=None):
    for path in PAGES[:2]:
        yield client.get(path)
    if key:
        client.cookies.clear()
        yield client.get("/login")
        yield _log_in(client, "wrong")


def test_every_page_has_a_strict_policy(logged_in, key):
    for reply in _html(logged_in, key):
        policy = dict(part.split(" ", 1) for part in reply.headers["content-security-policy"].split("; "))
        assert policy["default-src"] == "'none'"
        assert policy["script-src"] == policy["style-src"] == policy["connect-src"] == "'self'"
        assert policy["frame-ancestors"] == policy["base-uri"] == "'none'"
        assert "unsafe" not in reply.headers["content-security-policy"]
        assert reply.headers["x-content-type-options"] == "nosniff"
        assert reply.headers["referrer-policy"] == "no-referrer"
        assert reply.headers["cross-origin-opener-policy"] == "same-origin"
        assert reply.headers["cache-control"] == "no-store"


def test_no_page_has_an_inline_script_or_style(logged_in, key):
    for reply in _html(logged_in, key):
        assert not re.search(r"<style|\sstyle=|\son[a-z]+=|javascript:", reply.text)
        assert re.search(r'<script [^>]*src="/static/', reply.text) or "/login" in reply.text
        for script in re.findall(r"<script[^>]*>[^<]*", reply.text):
            assert re.fullmatch(r'<script type="module" src="/static/[a-z]+\.js\?v=[0-9a-f]{16}">', script)


def test_nothing_comes_from_elsewhere(logged_in, key):
    contents = [reply.text for reply in _html(logged_in, key)]
    for content in contents:
        assert not re.search(r"""(src|href|action)=["']?(https?:)?//""", content)
    contents += [(STATIC / name).read_text(encoding="utf-8") for name in FILES]
    for content in contents:
        assert not re.search(r"@import|url\(", content)
        assert all(source.startswith("./") for source in re.findall(r'(?:from |import\()"([^"]*)"', content))
        # The one address is an example in the comment that tells how the element is used.
        assert set(re.findall(r"https?://[\w.-]+", content)) <= {"https://casecoder.example"}


def test_scripts_keep_nothing_in_the_browser_and_run_no_text():
    for name in MODULES:
        source = (STATIC / name).read_text(encoding="utf-8")
        assert not re.search(r"localStorage|sessionStorage|indexedDB|document\.cookie|serviceWorker", source)
        assert not re.search(
            r"\beval\(|new Function|document\.write|insertAdjacentHTML|outerHTML|innerHTML|\balert\(", source
        )


@pytest.mark.parametrize("name", FILES)
def test_static_files_are_kept_for_good_only_under_their_hash(client, name):
    reply = client.get(url_of(name))
    assert reply.status_code == 200
    assert reply.headers["cache-control"] == "public, max-age=31536000, immutable"
    assert reply.headers["content-type"].split(";")[0] in ("text/javascript", "text/css")
    assert reply.headers["x-content-type-options"] == "nosniff"
    for query in ("", "?v=0000000000000000"):
        other = client.get(f"/static/{name}{query}")
        assert other.headers["cache-control"] == "no-cache"
        assert client.get(f"/static/{name}", headers={"if-none-match": other.headers["etag"]}).status_code == 304


def test_static_files_are_packed_for_who_takes_it(client):
    plain = client.get("/static/entry.js", headers={"accept-encoding": "identity"})
    packed = client.get("/static/entry.js", headers={"accept-encoding": "gzip"})
    assert "content-encoding" not in plain.headers
    assert packed.headers["content-encoding"] == "gzip"
    assert packed.content == plain.content == gzip.decompress(asset("entry.js").packed)


def test_modules_import_each_other_under_their_hashes(client):
    source = client.get(url_of("entry.js")).text
    imports = re.findall(r'from "\./([^"]+)"', source)
    assert imports
    assert {f"/static/{one}" for one in imports} <= set(modules_of("entry.js"))
    page = client.get("/").text
    for url in modules_of("entry.js"):
        assert f'<link rel="modulepreload" href="{url}">' in page
        assert client.get(url).headers["cache-control"].endswith("immutable")


@pytest.mark.parametrize("name", ["nothing.js", "..%2Fpages.py", "%2e%2e/pages.py", "pages.py", "entry.html", "style"])
def test_other_files_are_not_served(client, name):
    assert client.get(f"/static/{name}").status_code == 404


@pytest.mark.parametrize("path", ["/", "/example"])
@pytest.mark.parametrize("language", ["en", "ru"])
def test_first_load_is_light(client, path, language):
    page = client.get(path, params={"lang": language})
    urls = set(re.findall(r'(?:src|href)="(/static/[^"]+)"', page.text))
    weight = len(page.content) + sum(len(client.get(url).content) for url in urls)
    assert weight < MAX_WEIGHT


def test_every_field_has_a_label_and_every_id_is_used_once(client):
    for path in ("/", "/example"):
        page = client.get(path).text
        ids = re.findall(r'\sid="([^"]+)"', page)
        assert len(ids) == len(set(ids))
        labelled = set(re.findall(r'<label for="([^"]+)"', page))
        assert set(re.findall(r'<(?:input|select|textarea) id="([^"]+)"', page)) <= labelled
        referred = " ".join(re.findall(r'aria-(?:labelledby|describedby|controls)="([^"]+)"', page)).split()
        assert set(referred) <= set(ids)


@pytest.mark.parametrize("all_texts", [TEXTS, JOBS_TEXTS], ids=["entry", "jobs"])
def test_languages_have_the_same_sentences_with_the_same_places_to_fill(all_texts):
    plural = re.compile(r"\.(one|few|many|other)$")
    names = {language: {plural.sub("", name) for name in texts} for language, texts in all_texts.items()}
    assert names["en"] == names["ru"]
    for language, categories in (("en", ("one", "other")), ("ru", ("one", "few", "many", "other"))):
        counted = {plural.sub("", name) for name in all_texts[language] if plural.search(name)}
        assert all(f"{name}.{category}" in all_texts[language] for name in counted for category in categories)
    for name in all_texts["en"].keys() & all_texts["ru"].keys():
        assert _places(all_texts["en"][name]) == _places(all_texts["ru"][name]), name


def _places(text):
    return {field for _, field, _, _ in Formatter().parse(text) if field}


def test_scripts_ask_only_for_sentences_that_exist():
    known = {re.sub(r"\.(one|few|many|other)$", "", name) for name in for_scripts("en", JOBS_TEXTS)}
    for name in MODULES:
        source = (STATIC / name).read_text(encoding="utf-8")
        asked = set(re.findall(r'texts\.(?:say|count)\("([a-z_.]+)"', source))
        assert asked <= known, name


def test_identifier_types_of_the_codebook_have_words(codebook):
    for item in codebook.identifiers:
        assert all(f"js.type.{item.id}" in TEXTS[language] for language in TEXTS)


def test_languages_of_narratives_have_names():
    assert {"en", "ru", "uk", "ro", "ka", "hy", "az", "kk", "ky", "tg", "uz", "sq", "sr", "mk"} <= LANGUAGE_NAMES.keys()
