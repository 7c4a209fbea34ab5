"""How much is let in: no more than can be done soon, a deadline, a rate for each key, and figures that say how it goes.

Refusals come at once, from below the app: a service that is overloaded says so instead of letting everybody wait.
"""

from __future__ import annotations

import asyncio
import json
import logging
import re
import time
from hashlib import sha256
from http import HTTPStatus

from starlette.concurrency import run_in_threadpool
from starlette.datastructures import Headers, State
from starlette.requests import Request, cookie_parser
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from .access import PRINCIPAL, bearer_of, find_principal, session_cookie
from .admission import BATCH, INSIDE, Admission, Inside, narratives_of
from .errors import StoreError
from .limits import Limits
from .messages import language_of, told
from .metrics import Metrics, known_method
from .problems import MEDIA_TYPE, TYPE_BASE, RequestRefused
from .store.access import Scope as AccessScope

_log = logging.getLogger("casecoder.requests")
_HEAVY = ("/v1/suggestions", BATCH, "/v1/redactions", "/v1/feedback")
_SLOW = {  # seconds that some routes have
    BATCH: 120.0,
    "/v1/bundles/active": 120.0,
    "/v1/feedback/export": 3600.0,
    "/v1/statistics": 60.0,
    "/v1/jobs": 3600.0,
    "/coordinator": 60.0,
}
_SLOW_PATHS = (  # the same for addresses with an id in them
    (re.compile(r"/v1/jobs/[^/]+/(?:preview|dry-run|mapping)"), 150.0),
    (re.compile(r"/v1/jobs/[^/]+/files/[^/]+"), 3600.0),
    (re.compile(r"/(?:v1|coordinator)/jobs/.*"), 30.0),
)
_STREAMED = frozenset({"/v1/jobs"})  # bodies that are handed on as they come
_SCOPES: dict[str, AccessScope] = {
    "/v1/keys": "admin",
    "/v1/erasures": "admin",
    "/v1/bundles/active": "admin",
    "/v1/jobs": "coordinator",
}
"""Who may send a body there, and below."""
_LIMITED = ("/v1", "/coordinator", "/metrics")
_KEYED = ("/v1/", "/metrics")  # where nobody without a valid key gets on
_WITH_BODY = frozenset({"POST", "PUT", "PATCH", "DELETE"})
_CLOSING = frozenset({400, 401, 403, 408, 413})
_BODY_SECONDS = 10.0  # from the headers of a request to the end of its body
_MAX_CALLERS = 10_000  # remembered by the rate limit
_LOGINS_PER_MINUTE = 40  # of one address, ten at once: guessing 192 bits takes longer
_MINUTE = 60.0  # seconds


class Refused(Exception):
    """A request that is answered here, without the app."""

    def __init__(self, status: int, code: str, detail: str, wait: int = 0) -> None:
        super().__init__(code)
        self.status, self.code, self.detail, self.wait = status, code, detail, wait


class Traffic:
    """Middleware around everything else.

    A request that changes something is let in only when its caller is known and its body is there, within ``limits``:
    nobody without a key makes the service parse anything, and nobody holds a place by sending slowly.

    Parameters
    ----------
    state : of the app, with its store and settings.
    admission : what is let in to the models; the rest is refused with 503 and ``Retry-After``.
    seconds : from the whole request to its answer; then 503.
    per_minute : requests to the API and the coordinators' pages of one key or address, in bursts of up to a quarter of
        it; 0 for no limit.
    """

    def __init__(
        self,
        app: ASGIApp,
        *,
        state: State,
        metrics: Metrics,
        limits: Limits,
        admission: Admission,
        seconds: float,
        per_minute: int,
    ) -> None:
        self.app = app
        self._state = state
        self._metrics = metrics
        self._limits = limits
        self._admission = admission
        self._seconds = seconds
        self._rate = _Rate(per_minute) if per_minute else None
        self._logins = _Rate(_LOGINS_PER_MINUTE)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let a request in, or refuse it; tell figures and log of it, never its content."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        started, status = time.perf_counter(), 0

        async def watched(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        try:
            await self._admitted(scope, receive, watched)
        except Refused as refusal:
            await _refuse(scope, watched, refusal)
        finally:
            seconds = time.perf_counter() - started
            route = _route(scope)
            self._metrics.request(route, scope["method"], status, seconds)
            said = {
                "route": route,
                "method": known_method(scope["method"]),
                "status": status,
                "ms": round(1000 * seconds, 1),
            }
            _log.info(json.dumps(said))

    async def _admitted(self, scope: Scope, receive: Receive, send: Send) -> None:
        path, method = scope["path"], scope["method"]
        if path.startswith("/health"):
            await self.app(scope, receive, send)
            return
        if path == "/login" and method == "POST" and (wait := self._logins.wait(_address(scope))):
            raise Refused(429, "limit.rate", "Too many logins from here: wait.", wait)
        if self._rate and path.startswith(_LIMITED) and (wait := self._rate.wait(self._caller(scope))):
            raise Refused(429, "limit.rate", "Too many requests from this key: wait.", wait)
        heavy = method == "POST" and path in _HEAVY
        if heavy:
            self._refuse_who_would_wait()
        if path.startswith(_KEYED):
            await self._known(scope)
        body = b""
        if method in _WITH_BODY and path not in _STREAMED:
            body = await self._whole(scope, receive)
            receive = _replayed(body, receive)
        inside = None
        if heavy:
            narratives = narratives_of(path, body)
            self._refuse_who_would_wait(narratives)
            inside = scope[INSIDE] = self._admission.enter(narratives)
        await self._timed(scope, receive, send, inside)

    def _refuse_who_would_wait(self, narratives: int = 1) -> None:
        """Refuse who would have to wait too long for the models: before all that takes time itself, and again when it
        is known what they bring."""
        if wait := self._admission.refusal(narratives):
            raise Refused(503, "limit.busy", "Too many requests wait already: try again soon.", wait)

    async def _known(self, scope: Scope) -> None:
        """Refuse who has no valid key, before a byte of what they send is read."""
        request = Request(scope)
        token = bearer_of(request.headers.get("authorization", ""))
        try:
            principal = await run_in_threadpool(find_principal, request, token)
        except RequestRefused as error:
            raise Refused(error.status_code, error.code, str(error.detail)) from None
        except StoreError as error:
            raise Refused(503, error.code, str(error), 2) from None
        if principal is None:
            if token and self._rate and (wait := self._rate.wait(_address(scope))):
                raise Refused(429, "limit.rate", "Too many keys from here that are none: wait.", wait)
            raise Refused(401, "http.401", "A valid access key is needed.")
        if scope["method"] in _WITH_BODY and not principal.may(_scope_of(scope["path"])):
            raise Refused(404, "http.404", "Not Found.")  # as what is not there, whatever the body
        scope[PRINCIPAL] = principal

    async def _whole(self, scope: Scope, receive: Receive) -> bytes:
        """The body, read to its end."""
        limit = self._limits.of(scope)
        pieces, size, more = [], 0, True
        try:
            async with asyncio.timeout(_BODY_SECONDS):
                while more:
                    message = await receive()
                    if message["type"] == "http.disconnect":
                        raise Refused(400, "http.400", "The request was cut off.")
                    pieces.append(message.get("body", b""))
                    size += len(pieces[-1])
                    if size > limit:
                        raise Refused(413, "request.too_large", self._limits.told(limit))
                    more = message.get("more_body", False)
        except TimeoutError:
            raise Refused(408, "limit.time", "The request took too long to arrive.") from None
        return b"".join(pieces)

    async def _timed(self, scope: Scope, receive: Receive, send: Send, inside: Inside | None) -> None:
        """Wait for the answer as long as its route may take. Work that goes on after that keeps its place until it has
        really ended."""
        begun = late = False

        async def watched(message: Message) -> None:
            nonlocal begun
            if not late:
                begun = True
                await send(message)

        task = asyncio.ensure_future(self.app(scope, receive, watched))
        if inside:
            task.add_done_callback(lambda _: inside.leave())
        try:
            done, _ = await asyncio.wait({task}, timeout=self._deadline(scope["path"]))
        except asyncio.CancelledError:
            task.cancel()
            raise
        if done:
            task.result()
        else:
            late = True
            task.add_done_callback(_ended_late)
            if not begun:
                raise Refused(503, "limit.time", "The answer took too long: try again.", 2)

    def _deadline(self, path: str) -> float:
        """The seconds that an answer may take."""
        if path in _SLOW:
            return _SLOW[path]
        return next((seconds for pattern, seconds in _SLOW_PATHS if pattern.fullmatch(path)), self._seconds)

    def _caller(self, scope: Scope) -> bytes:
        """Equal for requests with one key or login, else for one address; a hash, so that no key lies in memory."""
        headers = Headers(scope=scope)
        cookies = cookie_parser(headers.get("cookie", ""))
        sent = bearer_of(headers.get("authorization", "")) or cookies.get(session_cookie(self._state))
        return sha256(sent.encode()).digest() if sent else _address(scope)


def _replayed(body: bytes, receive: Receive) -> Receive:
    """The body handed on as one piece, and what comes after it."""
    told = False

    async def replayed() -> Message:
        nonlocal told
        if told:
            return await receive()
        told = True
        return {"type": "http.request", "body": body, "more_body": False}

    return replayed


def _scope_of(path: str) -> AccessScope:
    """Who may send a body to an address."""
    found = (scope for start, scope in _SCOPES.items() if path == start or path.startswith(f"{start}/"))
    return next(found, "reactor")


def _ended_late(task: asyncio.Future[None]) -> None:
    """Nobody waits for the outcome any more."""
    if not task.cancelled() and task.exception() is not None:
        _log.error(json.dumps({"late": type(task.exception()).__name__}))


class _Rate:
    """A bucket of tokens for each caller, filled evenly; monotonic time, so that clocks may go back."""

    def __init__(self, per_minute: int) -> None:
        self._per_second = per_minute / _MINUTE
        self._size = max(1.0, per_minute / 4)
        self._buckets: dict[bytes, tuple[float, float]] = {}

    def wait(self, caller: bytes) -> int:
        """0 if a caller may go on, else the seconds to wait."""
        now = time.monotonic()
        tokens, at = self._buckets.pop(caller, (self._size, now))
        tokens = min(self._size, tokens + (now - at) * self._per_second)
        allowed = tokens >= 1
        self._buckets[caller] = (tokens - allowed, now)
        if len(self._buckets) > _MAX_CALLERS:
            del self._buckets[next(iter(self._buckets))]
        return 0 if allowed else max(1, round((1 - tokens) / self._per_second))


def _address(scope: Scope) -> bytes:
    return sha256(str((scope.get("client") or ("",))[0]).encode()).digest()


def _route(scope: Scope) -> str:
    """The route's template, never the path as sent."""
    path = str(getattr(scope.get("route"), "path", "other"))
    if scope["path"].startswith("/v1/") and path.startswith("/") and not path.startswith("/v1/"):
        return f"/v1{path}"
    return path


async def _refuse(scope: Scope, send: Send, refusal: Refused) -> None:
    language = language_of(Headers(scope=scope).get("accept-language", ""))
    body = {
        "type": TYPE_BASE + refusal.code,
        "title": HTTPStatus(refusal.status).phrase,
        "status": refusal.status,
        "detail": told(refusal.code, refusal.detail, language, {}),
        "code": refusal.code,
    }
    content = json.dumps(body, ensure_ascii=False).encode()
    headers = [
        (b"content-type", MEDIA_TYPE.encode()),
        (b"content-length", str(len(content)).encode()),
        (b"cache-control", b"no-store"),
    ]
    if refusal.wait:
        headers.append((b"retry-after", str(refusal.wait).encode()))
    if refusal.status == HTTPStatus.UNAUTHORIZED:
        headers.append((b"www-authenticate", b"Bearer"))
    if refusal.status in _CLOSING:
        headers.append((b"connection", b"close"))  # what is left of the body is not waited for
    await send({"type": "http.response.start", "status": refusal.status, "headers": headers})
    await send({"type": "http.response.body", "body": content})
