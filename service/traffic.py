"""How much is let in: a bounded queue, a deadline, a rate for each key, and figures that say how it goes.

Refusals come at once, from below the app: a service that is overloaded says so instead of letting everybody wait.
"""

from __future__ import annotations

import asyncio
import json
import logging
import time
from hashlib import sha256
from http import HTTPStatus

from starlette.datastructures import Headers
from starlette.requests import cookie_parser
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from .access import COOKIE
from .messages import language_of, told
from .metrics import Metrics
from .problems import MEDIA_TYPE, TYPE_BASE

_log = logging.getLogger("casecoder.requests")
_HEAVY = ("/v1/suggestions", "/v1/suggestions/batch", "/v1/redactions", "/v1/feedback")
_SLOW = {  # seconds that some routes have
    "/v1/suggestions/batch": 120.0,
    "/v1/feedback/export": 3600.0,
    "/v1/statistics": 60.0,
    "/coordinator": 60.0,
}
_MAX_CALLERS = 10_000  # remembered by the rate limit
_LOGINS_PER_MINUTE = 40  # of one address, ten at once: guessing 192 bits takes longer
_MINUTE = 60.0  # seconds


class Traffic:
    """Middleware around everything else.

    Parameters
    ----------
    at_once : narratives that the models work on at the same time.
    max_waiting : further ones that may wait; one more is refused with 503 and ``Retry-After``.
    seconds : from the whole request to its answer; then 503.
    per_minute : requests under ``/v1`` of one key or address, in bursts of up to a quarter of it; 0 for no limit.
    """

    def __init__(
        self, app: ASGIApp, *, metrics: Metrics, at_once: int, max_waiting: int, seconds: float, per_minute: int
    ) -> None:
        self.app = app
        self._metrics = metrics
        self._most = at_once + max_waiting
        self._seconds = seconds
        self._rate = _Rate(per_minute) if per_minute else None
        self._logins = _Rate(_LOGINS_PER_MINUTE)
        self._inside = 0

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
        finally:
            seconds = time.perf_counter() - started
            route = _route(scope)
            self._metrics.request(route, scope["method"], status, seconds)
            _log.info(
                json.dumps(
                    {"route": route, "method": scope["method"], "status": status, "ms": round(1000 * seconds, 1)}
                )
            )

    async def _admitted(self, scope: Scope, receive: Receive, send: Send) -> None:
        path = scope["path"]
        if path.startswith("/health"):
            await self.app(scope, receive, send)
            return
        if path == "/login" and scope["method"] == "POST" and (wait := self._logins.wait(_address(scope))):
            await _refuse(scope, send, 429, "limit.rate", "Too many logins from here: wait.", wait)
            return
        if self._rate and not path.startswith("/static/") and (wait := self._rate.wait(_caller(scope))):
            await _refuse(scope, send, 429, "limit.rate", "Too many requests from this key: wait.", wait)
            return
        heavy = scope["method"] == "POST" and path in _HEAVY
        if heavy and self._inside >= self._most:
            await _refuse(scope, send, 503, "limit.busy", "Too many requests wait already: try again soon.", 2)
            return
        if heavy:
            self._inside += 1
            self._metrics.waiting.set(self._inside)
        try:
            await self._timed(scope, receive, send)
        finally:
            if heavy:
                self._inside -= 1
                self._metrics.waiting.set(self._inside)

    async def _timed(self, scope: Scope, receive: Receive, send: Send) -> None:
        begun = False

        async def watched(message: Message) -> None:
            nonlocal begun
            begun = True
            await send(message)

        try:
            async with asyncio.timeout(_SLOW.get(scope["path"], self._seconds)):
                await self.app(scope, receive, watched)
        except TimeoutError:
            if not begun:
                await _refuse(scope, send, 503, "limit.time", "The answer took too long: try again.", 2)


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


def _caller(scope: Scope) -> bytes:
    """Equal for requests with one key or login, else for one address; a hash, so that no key lies in memory."""
    headers = Headers(scope=scope)
    sent = headers.get("authorization") or cookie_parser(headers.get("cookie", "")).get(COOKIE)
    return sha256(sent.encode()).digest() if sent else _address(scope)


def _address(scope: Scope) -> bytes:
    return sha256(str((scope.get("client") or ("",))[0]).encode()).digest()


def _route(scope: Scope) -> str:
    """The route's template, never the path as sent."""
    return str(getattr(scope.get("route"), "path", "other"))


async def _refuse(scope: Scope, send: Send, status: int, code: str, detail: str, wait: int) -> None:
    language = language_of(Headers(scope=scope).get("accept-language", ""))
    body = {
        "type": TYPE_BASE + code,
        "title": HTTPStatus(status).phrase,
        "status": status,
        "detail": told(code, detail, language, {}),
        "code": code,
    }
    content = json.dumps(body, ensure_ascii=False).encode()
    headers = [
        (b"content-type", MEDIA_TYPE.encode()),
        (b"content-length", str(len(content)).encode()),
        (b"retry-after", str(wait).encode()),
        (b"cache-control", b"no-store"),
    ]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": content})
