"""A limit on bodies that holds before anything is parsed, and response headers that keep texts out of caches."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from http import HTTPStatus

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from .problems import send_problem

_FORM = b"application/x-www-form-urlencoded"
_BINARY = b"application/octet-stream"
_JSON = b"application/json"
_OF_JOB = re.compile(r"/v1/jobs/[^/]+/")


def _of_all(path: str) -> str:
    """A path as limits name it: without the id of a job."""
    return _OF_JOB.sub("/v1/jobs/{job_id}/", path)


@dataclass(frozen=True)
class Limits:
    """The longest bodies that are read, in bytes; ``other`` are paths with a limit of their own, with ``{job_id}`` for
    the id of any job."""

    usual: int
    other: Mapping[str, int] = field(default_factory=dict)

    def of(self, scope: Scope) -> int:
        """The limit for a request."""
        return self.other.get(_of_all(scope["path"]), self.usual)

    def told(self, limit: int) -> str:
        """The sentence that refuses a longer one."""
        return f"The body is larger than {limit:,} bytes: send less at a time."


class BodyLimit:
    """Refuses bodies that say they are longer than the limit with 413, and compressed or non-JSON ones with 415,
    without reading them. ``forms`` are paths that take a form of the page instead of JSON, ``files`` those that take a
    file as it is, written as in `Limits`."""

    def __init__(
        self, app: ASGIApp, *, limits: Limits, forms: Collection[str] = (), files: Collection[str] = ()
    ) -> None:
        self.app = app
        self.limits = limits
        self.media = {**dict.fromkeys(forms, _FORM), **dict.fromkeys(files, _BINARY)}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass on what is within the limit."""
        if scope["type"] != "http" or scope["method"] not in ("POST", "PUT", "PATCH"):
            await self.app(scope, receive, send)
            return
        headers = {name.lower(): value for name, value in scope["headers"]}
        media = headers.get(b"content-type", b"").split(b";")[0].strip().lower()
        wanted = self.media.get(_of_all(scope["path"]), _JSON)
        if media != wanted or headers.get(b"content-encoding", b"identity") != b"identity":
            await send_problem(
                scope,
                send,
                HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
                "request.media_type",
                f"Send the body as uncompressed {(wanted if wanted == _BINARY else _JSON).decode()}.",
            )
            return
        length, limit = headers.get(b"content-length", b""), self.limits.of(scope)
        if length.isdigit() and int(length) > limit:
            detail = self.limits.told(limit)
            await send_problem(scope, send, HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "request.too_large", detail)
            return
        await self.app(scope, receive, send)


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
