"""The pages for case entry and login, the files they load, and `render`, which every page is made with."""

from __future__ import annotations

import hmac
import re
import secrets
from functools import cache
from http import HTTPStatus
from typing import Any
from urllib.parse import parse_qs

from fastapi import APIRouter, Request
from fastapi.responses import RedirectResponse, Response
from jinja2 import Environment, PackageLoader, StrictUndefined
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException

from ..access import cookie_name, find_principal, needs_key, session_cookie
from ..messages import LANGUAGES, language_of
from ..store.access import Principal, csrf_token, log_in, log_out, person_token
from .assets import asset, modules_of, url_of
from .texts import LANGUAGE_NAMES, TEXTS, for_scripts

router = APIRouter(include_in_schema=False)

LANGUAGE_COOKIE = "casecoder_lang"
LOGIN_COOKIE = "casecoder_login"
"""Marks a browser that was given the form for a key."""
FORMS = frozenset({"/login"})
"""Paths that take a form post instead of JSON."""
HEADERS = {
    "Content-Security-Policy": "; ".join(
        (
            "default-src 'none'",
            "script-src 'self'",
            "style-src 'self'",
            "img-src 'self' data:",
            "connect-src 'self'",
            "form-action 'self'",
            "base-uri 'none'",
            "frame-ancestors 'none'",
        )
    ),
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cache-Control": "no-store",
    "Vary": "Cookie, Accept-Language",
}
"""Of every page."""
_YEAR = 365 * 24 * 3600  # seconds
_MAX_LOGIN = 2_000  # bytes of a login form; a key has about 50, its token 64
_MARK = re.compile(r"[A-Za-z0-9_-]{22}")  # 128 random bits
_PORT = re.compile(r":\d+$")
_UTF8 = "text/html; charset=utf-8"


def render(request: Request, name: str, *, status: int = HTTPStatus.OK, **values: Any) -> Response:
    """The page of a template for whoever asks; to the login for who has to log in first.

    Templates get ``t`` (sentences of `texts`), ``language``, ``principal``, ``csrf``, ``person`` (whose page it is),
    ``static`` (address of a file), ``modules`` (what a script imports), ``path``, and ``values``, which win.
    """
    principal = find_principal(request, None)
    if principal is None:
        return RedirectResponse("/login", HTTPStatus.SEE_OTHER, headers={"Cache-Control": "no-store"})
    store = request.app.state.store
    known: dict[str, Any] = {"principal": principal}
    if store:
        known |= {"csrf": csrf_token(store, principal), "person": person_token(store, principal)}
    return _page(request, name, status, known | values)


def page_language(request: Request) -> str:
    """The language of a page: asked for in the address, else as chosen before, else as the browser prefers."""
    for chosen in (request.query_params.get("lang"), request.cookies.get(LANGUAGE_COOKIE)):
        if chosen in LANGUAGES:
            return chosen
    return language_of(request.headers.get("accept-language", ""))


def _page(request: Request, name: str, status: int, values: dict[str, Any]) -> Response:
    language = page_language(request)
    known = {
        "t": TEXTS[language],
        "language": language,
        "languages": {code: LANGUAGE_NAMES[code] for code in LANGUAGES},
        "principal": None,
        "csrf": "",
        "person": "",
        "needs_key": needs_key(request.app.state),
        "path": request.url.path,
        "in_language": {code: request.url.include_query_params(lang=code).query for code in LANGUAGES},
        "static": url_of,
        "modules": modules_of,
        "script_texts": for_scripts(language),
    }
    content = _templates().get_template(name).render(known | values)
    response = Response(content, status, HEADERS | {"Content-Language": language}, _UTF8)
    if request.query_params.get("lang") in LANGUAGES:
        secure = request.app.state.settings.secure_cookies
        response.set_cookie(LANGUAGE_COOKIE, language, max_age=_YEAR, secure=secure, httponly=True, samesite="lax")
    return response


@cache
def _templates() -> Environment:
    return Environment(
        loader=PackageLoader(__package__),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )


@router.get("/")
def entry(request: Request) -> Response:
    """Case entry: text, suggestions, what is stored."""
    models = request.app.state.models
    served = models.pipeline.reader.languages if models else ()
    names = {code: LANGUAGE_NAMES.get(code, code) for code in served}
    return render(request, "entry.html", served=names, keeps=request.app.state.store is not None)


@router.get("/example")
def example(request: Request) -> Response:
    """The custom element in a plain form."""
    return render(request, "example_form.html")


@router.get("/login")
def login(request: Request) -> Response:
    """The form for a key; to the entry for who needs none."""
    if find_principal(request, None) is not None:
        return RedirectResponse("/", HTTPStatus.SEE_OTHER)
    return _login_page(request, HTTPStatus.OK)


def _login_page(request: Request, status: int, problem: str | None = None) -> Response:
    """The form for a key, which only the browser that gets it can send; ``problem`` names a sentence."""
    state = request.app.state
    name = cookie_name(state, LOGIN_COOKIE)
    mark = request.cookies.get(name, "")
    if not _MARK.fullmatch(mark):  # else the form in another tab of this browser stays good too
        mark = secrets.token_urlsafe(16)
    token = state.store.digest("login form", mark)
    response = _page(request, "login.html", status, {"problem": problem, "token": token})
    response.set_cookie(name, mark, httponly=True, samesite="strict", secure=state.settings.secure_cookies)
    return response


def _is_ours(request: Request, fields: dict[str, str]) -> bool:
    """Whether a login form was given out here, to the browser that sends it."""
    state = request.app.state
    mark = request.cookies.get(cookie_name(state, LOGIN_COOKIE), "")
    token = state.store.digest("login form", mark)
    return bool(mark) and hmac.compare_digest(fields.get("token", "").encode(), token.encode())


def _is_from_elsewhere(request: Request) -> bool:
    """Whether the browser says that another site sends the form. It need not: over plain HTTP it tells nothing of
    sites, and of pages under ``no-referrer``, as ours are, it says that their origin is null."""
    if request.headers.get("sec-fetch-site", "same-origin") not in ("same-origin", "none"):
        return True
    origin = request.headers.get("origin", "null")
    return origin != "null" and _host(origin) != _host(request.headers.get("host", ""))


def _host(origin: str) -> str:
    """The host of an origin without its port, which some proxies leave away."""
    return _PORT.sub("", origin.rpartition("//")[2].lower())


@router.post("/login")
async def check_login(request: Request) -> Response:
    """Log in with a key: a cookie for the browser, and on to the entry."""
    if not needs_key(request.app.state):
        return RedirectResponse("/", HTTPStatus.SEE_OTHER)
    # A page elsewhere must not log somebody in as somebody else, who would then read what is entered.
    if _is_from_elsewhere(request):
        raise HTTPException(HTTPStatus.FORBIDDEN)
    fields = _fields_of(await request.body())
    if not _is_ours(request, fields):
        return _login_page(request, HTTPStatus.FORBIDDEN, "login.old")
    state = request.app.state
    key = fields.get("key", "").strip()
    found = await run_in_threadpool(log_in, state.store, key, hours=state.settings.session_hours)
    if found is None:
        return _login_page(request, HTTPStatus.UNAUTHORIZED, "login.wrong")
    response = RedirectResponse("/", HTTPStatus.SEE_OTHER, headers={"Cache-Control": "no-store"})
    response.set_cookie(
        session_cookie(state),
        found[0],
        max_age=round(state.settings.session_hours * 3600),
        httponly=True,
        samesite="strict",
        secure=state.settings.secure_cookies,
    )
    return response


def _fields_of(body: bytes) -> dict[str, str]:
    """The fields of a form post; none for anything that is too long for a key."""
    if len(body) > _MAX_LOGIN:
        return {}
    return {name: values[0] for name, values in parse_qs(body.decode("ascii", "replace")).items()}


@router.post("/logout", status_code=HTTPStatus.NO_CONTENT)
def end_login(request: Request) -> Response:
    """End the login; the page that asks sends its token along, as with every change."""
    principal: Principal | None = find_principal(request, None)
    if principal is not None and request.app.state.store is not None:
        log_out(request.app.state.store, principal)
    response = Response(status_code=HTTPStatus.NO_CONTENT)
    state = request.app.state
    secure = state.settings.secure_cookies
    response.delete_cookie(session_cookie(state), httponly=True, samesite="strict", secure=secure)
    return response


@router.get("/static/{name}")
def static_file(request: Request, name: str, v: str = "") -> Response:
    """A file of the pages. With its hash in the address it is kept for good, without it looked after each time."""
    found = asset(name)
    if found is None:
        raise HTTPException(HTTPStatus.NOT_FOUND)
    headers = {
        "Cache-Control": f"public, max-age={_YEAR}, immutable" if v == found.version else "no-cache",
        "ETag": found.etag,
        "Vary": "Accept-Encoding",
        "X-Content-Type-Options": "nosniff",
        # Forms on other sites load the custom element: a module, which browsers fetch under CORS.
        "Access-Control-Allow-Origin": "*",
        "Cross-Origin-Resource-Policy": "cross-origin",
    }
    if found.etag in request.headers.get("if-none-match", ""):
        return Response(status_code=HTTPStatus.NOT_MODIFIED, headers=headers)
    packed = "gzip" in request.headers.get("accept-encoding", "")
    if packed:
        headers["Content-Encoding"] = "gzip"
    return Response(found.packed if packed else found.content, headers=headers, media_type=found.media_type)
