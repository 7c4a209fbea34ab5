"""A limit on bodies that holds before anything is parsed, and response headers that keep texts out of caches."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from http import HTTPStatus

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from .problems import RequestRefused, send_problem

_FORM = b"application/x-www-form-urlencoded"


class BodyLimit:
    """Refuses bodies of more than ``max_bytes`` with 413 and compressed or non-JSON ones with 415, without reading
    them whole. ``larger`` are paths that take more, ``forms`` those that take a form of the page instead of JSON."""

    def __init__(
        self,
        app: ASGIApp,
        *,
        max_bytes: int,
        larger: Mapping[str, int] | None = None,
        forms: Collection[str] = (),
    ) -> None:
        self.app = app
        self.max_bytes = max_bytes
        self.larger = dict(larger or {})
        self.forms = frozenset(forms)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass on what is within the limit."""
        if scope["type"] != "http" or scope["method"] not in ("POST", "PUT", "PATCH"):
            await self.app(scope, receive, send)
            return
        headers = {name.lower(): value for name, value in scope["headers"]}
        media = headers.get(b"content-type", b"").split(b";")[0].strip().lower()
        wanted = _FORM if scope["path"] in self.forms else b"application/json"
        limit = self.larger.get(scope["path"], self.max_bytes)
        if media != wanted or headers.get(b"content-encoding", b"identity") != b"identity":
            await send_problem(
                send,
                HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
                "request.media_type",
                "Send the body as uncompressed application/json.",
            )
            return
        detail = f"The body is larger than {limit:,} bytes: send less at a time."
        length = headers.get(b"content-length", b"")
        if length.isdigit() and int(length) > limit:
            await send_problem(send, HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "request.too_large", detail)
            return
        await self.app(scope, self._counting(receive, limit, detail), send)

    def _counting(self, receive: Receive, limit: int, detail: str) -> Receive:
        seen = 0

        async def counted() -> Message:
            nonlocal seen
            message = await receive()
            seen += len(message.get("body", b""))
            if seen > limit:
                raise RequestRefused(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "request.too_large", detail)
            return message

        return counted


class NoStore:
    """Adds ``Cache-Control: no-store`` where a response says nothing of caching."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass everything on, responses with the header."""

        async def marked(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = message.setdefault("headers", [])
                if not any(name.lower() == b"cache-control" for name, _ in headers):
                    message["headers"] = [*headers, (b"cache-control", b"no-store")]
            await send(message)

        await self.app(scope, receive, marked if scope["type"] == "http" else send)
