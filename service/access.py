"""Who sends a request, and what they may do: dependencies of the routes.

What somebody may not use looks to them as if it were not there.
"""

from __future__ import annotations

import hmac
import re
from collections.abc import Callable
from http import HTTPStatus
from typing import Annotated, Any

from fastapi import Depends, Request
from fastapi.security import HTTPBearer
from starlette.exceptions import HTTPException

from .problems import RequestRefused
from .store.access import LOCAL, Principal, Scope, csrf_token, has_keys, person_token, who_has_key, who_is_logged_in
from .store.store import Store

COOKIE = "casecoder_session"
CSRF_HEADER = "X-CSRF-Token"
PERSON_HEADER = "X-Casecoder-Person"
PRINCIPAL = "casecoder.principal"
"""Where a request's scope has who sends it, once that is known."""
_SAFE = frozenset({"GET", "HEAD", "OPTIONS"})

_bearer = HTTPBearer(auto_error=False, description="An access key (`casecoder-serve keys create`).")


def get_store(request: Request) -> Store:
    """The store; 503 on a service that keeps nothing."""
    store: Store | None = request.app.state.store
    if store is None:
        raise RequestRefused(
            HTTPStatus.SERVICE_UNAVAILABLE,
            "store.missing",
            "This service keeps nothing: start it with a key file, see `casecoder-serve init`.",
        )
    return store


StoreDep = Annotated[Store, Depends(get_store)]


def cookie_name(app_state: Any, name: str) -> str:
    """The name of a cookie here. Over HTTPS it begins with ``__Host-``: browsers take that from this host alone, so
    that no neighbor can slip in a cookie of theirs."""
    return f"__Host-{name}" if app_state.settings.secure_cookies else name


def session_cookie(app_state: Any) -> str:
    """The name of the cookie that holds a login."""
    return cookie_name(app_state, COOKIE)


def needs_key(app_state: Any) -> bool:
    """Whether requests need a key: from the first key on, and for good."""
    if not app_state.has_keys and app_state.store is not None:
        app_state.has_keys = has_keys(app_state.store)
    return bool(app_state.has_keys)


def get_principal(request: Request, bearer: Annotated[Any, Depends(_bearer)] = None) -> Principal:
    """Who sends the request; 401 where a key is needed and none that is valid came with it."""
    principal = request.scope.get(PRINCIPAL) or find_principal(request, bearer.credentials if bearer else None)
    if principal is None:
        raise HTTPException(
            HTTPStatus.UNAUTHORIZED, "a valid access key is needed", headers={"WWW-Authenticate": "Bearer"}
        )
    return principal


def find_principal(request: Request, token: str | None) -> Principal | None:
    """Who sends the request, None for nobody who is known."""
    state = request.app.state
    if not needs_key(state):
        _local_only(request)
        return LOCAL
    if token is not None:
        return who_has_key(state.store, token)
    login = request.cookies.get(session_cookie(state))
    principal = who_is_logged_in(state.store, login) if login else None
    if principal and request.method not in _SAFE:
        _check_page(request, principal)
    return principal


def _check_page(request: Request, principal: Principal) -> None:
    """Raises `RequestRefused` where a change comes from no page of ours, or from one that another person had loaded."""
    store = request.app.state.store
    person = request.headers.get(PERSON_HEADER)
    if person and not _same(person, person_token(store, principal)):
        raise RequestRefused(
            HTTPStatus.FORBIDDEN,
            "request.other_person",
            "Somebody else has logged in since this page was loaded, so nothing was saved: copy what you need, and "
            "load the page again.",
        )
    if not person or not _same(request.headers.get(CSRF_HEADER, ""), csrf_token(store, principal)):
        raise RequestRefused(
            HTTPStatus.FORBIDDEN, "request.forged", "The request does not come from the page: load it again."
        )


def _same(one: str, other: str) -> bool:
    return hmac.compare_digest(one.encode(), other.encode())


def bearer_of(header: str) -> str | None:
    """The key of an ``Authorization`` header, None without one."""
    scheme, _, token = header.partition(" ")
    return token.strip() if scheme.lower() == "bearer" and token.strip() else None


LOCAL_HOST = re.compile(rb"(?:localhost|127(?:\.\d{1,3}){3}|\[::1\])(?::\d{1,5})?", re.IGNORECASE)
"""What a browser on this machine calls it. Other names may be another site's that point here (DNS rebinding)."""


def _local_only(request: Request) -> None:
    hosts = [value for name, value in request.scope["headers"] if name.lower() == b"host"]
    if len(hosts) != 1 or not LOCAL_HOST.fullmatch(hosts[0]):
        raise RequestRefused(
            HTTPStatus.FORBIDDEN,
            "request.host",
            "Without access keys this service answers to localhost only: make keys with `casecoder-serve keys create`.",
        )


PrincipalDep = Annotated[Principal, Depends(get_principal)]


def may(scope: Scope) -> Callable[[Principal], Principal]:
    """A dependency that lets only some people on; to others the route is not there."""

    def check(principal: PrincipalDep) -> Principal:
        if not principal.may(scope):
            raise HTTPException(HTTPStatus.NOT_FOUND)
        return principal

    return check


CoordinatorDep = Annotated[Principal, Depends(may("coordinator"))]
AdminDep = Annotated[Principal, Depends(may("admin"))]
