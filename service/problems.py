"""Errors as ``application/problem+json`` (RFC 9457), made in this one place. None of them echoes what was sent."""

from __future__ import annotations

import json
import logging
from http import HTTPStatus
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import Response
from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from nlp.errors import (
    BundleError,
    CasecoderError,
    LanguageNotServed,
    NarrativeEmpty,
    NarrativeError,
    NarrativeTooLong,
    NarrativeUnreadable,
    SettingsError,
)

from .errors import BundleUnknown, ReceiptErased, ReceiptInvalid, SealBroken, StoreError
from .jobs.children import ChildFailed
from .messages import language_of, told
from .store.feedback import FeedbackRefused, FeedbackRepeated, ReadsExceeded
from .store.jobs import JobMisfit
from .store.review import ReviewGone

MEDIA_TYPE = "application/problem+json"
TYPE_BASE = "urn:casecoder:problem:"
_log = logging.getLogger("casecoder.service")

_STATUS: tuple[tuple[type[CasecoderError], HTTPStatus], ...] = (
    (NarrativeTooLong, HTTPStatus.REQUEST_ENTITY_TOO_LARGE),
    (LanguageNotServed, HTTPStatus.UNPROCESSABLE_ENTITY),
    (NarrativeEmpty, HTTPStatus.UNPROCESSABLE_ENTITY),
    (NarrativeUnreadable, HTTPStatus.UNPROCESSABLE_ENTITY),
    (NarrativeError, HTTPStatus.UNPROCESSABLE_ENTITY),
    (BundleError, HTTPStatus.CONFLICT),
    (BundleUnknown, HTTPStatus.UNPROCESSABLE_ENTITY),
    (FeedbackRepeated, HTTPStatus.CONFLICT),
    (ReadsExceeded, HTTPStatus.TOO_MANY_REQUESTS),
    (FeedbackRefused, HTTPStatus.UNPROCESSABLE_ENTITY),
    (JobMisfit, HTTPStatus.CONFLICT),
    (ReviewGone, HTTPStatus.CONFLICT),
    (ChildFailed, HTTPStatus.UNPROCESSABLE_ENTITY),
    (SettingsError, HTTPStatus.UNPROCESSABLE_ENTITY),
    (ReceiptErased, HTTPStatus.CONFLICT),
    (ReceiptInvalid, HTTPStatus.UNPROCESSABLE_ENTITY),
    (SealBroken, HTTPStatus.INTERNAL_SERVER_ERROR),
    (StoreError, HTTPStatus.SERVICE_UNAVAILABLE),
)

_TITLES = {
    HTTPStatus.REQUEST_ENTITY_TOO_LARGE: "Too large",
    HTTPStatus.UNPROCESSABLE_ENTITY: "The request cannot be used",
    HTTPStatus.INTERNAL_SERVER_ERROR: "Internal error",
}

# What pydantic found, said without its input; its own messages may quote it.
_REASONS = {
    "missing": "is missing",
    "string_type": "wants a text",
    "string_too_long": "is too long",
    "string_too_short": "is too short",
    "extra_forbidden": "is not known here",
    "json_invalid": "the body is no valid JSON",
    "string_pattern_mismatch": "holds characters that cannot stand there",
    "string_unicode": "holds characters that are no text",
    "literal_error": "is not one of the values that can be asked for",
    "list_type": "wants a list",
    "model_attributes_type": "wants a JSON object",
    "dict_type": "wants a JSON object",
}


class RequestRefused(HTTPException):
    """A request that cannot be answered; ``detail`` is a sentence of ours, never something that was sent.

    An HTTP error, since FastAPI turns any other one that is raised while it reads a body into a bare 400.
    """

    def __init__(self, status: HTTPStatus, code: str, detail: str) -> None:
        super().__init__(status, detail)
        self.code = code


def problem_of(error: Exception, request: Request) -> dict[str, Any]:
    """The problem of an error in the caller's language, as the value that is sent."""
    language = language_of(request.headers.get("accept-language", ""))
    if isinstance(error, CasecoderError):
        status = next((status for kind, status in _STATUS if isinstance(error, kind)), HTTPStatus.INTERNAL_SERVER_ERROR)
        if isinstance(error, StoreError):
            _log.error("%s on %s", type(error).__name__, _route(request.scope))
        facts = {name: _said(value) for name, value in vars(error).items()}
        return _body(status, error.code, told(error.code, str(error), language, facts))
    if isinstance(error, RequestValidationError):
        reasons = "; ".join(sorted({_reason(item) for item in error.errors()}))
        return _body(HTTPStatus.UNPROCESSABLE_ENTITY, "request.invalid", _with_reasons(reasons, language))
    if isinstance(error, RequestRefused):
        return _body(error.status_code, error.code, told(error.code, str(error.detail), language, {}))
    if isinstance(error, HTTPException):
        if error.status_code == HTTPStatus.BAD_REQUEST:  # FastAPI could not read the body at all
            return _body(422, "request.invalid", _with_reasons("the body is no valid UTF-8 JSON", language))
        code = f"http.{error.status_code}"
        return _body(error.status_code, code, told(code, f"{HTTPStatus(error.status_code).phrase}.", language, {}))
    raise TypeError("no problem of ours")


def _said(value: Any) -> Any:
    return ", ".join(value) if isinstance(value, tuple) else value


def _with_reasons(reasons: str, language: str) -> str:
    return reasons if language == "en" else f"{told('request.invalid', '', language, {})} ({reasons})"


def _body(status: int, code: str, detail: str) -> dict[str, Any]:
    http = HTTPStatus(status)
    title = _TITLES.get(http, http.phrase)
    return {"type": TYPE_BASE + code, "title": title, "status": int(status), "detail": detail, "code": code}


def problem(status: int, code: str, detail: str, *, headers: dict[str, str] | None = None) -> Response:
    """A problem response. ``code`` is stable and ends the problem's ``type``; ``detail`` is a sentence for people."""
    return _response(_body(status, code, detail), headers)


def _response(body: dict[str, Any], headers: dict[str, str] | None = None) -> Response:
    return Response(
        json.dumps(body, ensure_ascii=False),
        status_code=body["status"],
        media_type=MEDIA_TYPE,
        headers={"Cache-Control": "no-store", **(headers or {})},
    )


def install(app: FastAPI) -> None:
    """Make every error of the app a problem."""

    def on_error(request: Request, error: Exception) -> Response:
        headers = dict(error.headers or {}) if isinstance(error, HTTPException) else None
        return _response(problem_of(error, request), headers)

    for kind in (CasecoderError, RequestValidationError, RequestRefused, HTTPException):
        app.add_exception_handler(kind, on_error)


def _reason(item: dict[str, Any]) -> str:
    # Places in the body are names of our schema, except keys that the caller made up.
    known = item["type"] != "extra_forbidden"
    place = ".".join(str(part) for part in item["loc"][1:] if known and isinstance(part, str))
    reason = _REASONS.get(item["type"], "has a value that cannot be used")
    return f"`{place}` {reason}" if place else reason


class CrashGuard:
    """Answers what nobody foresaw with a problem, and logs only its type: a traceback may quote the narrative.

    Below Starlette's own guard, which would hand the error on to the server's log.
    """

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass everything on; catch what comes back."""
        started = False

        async def watched(message: Message) -> None:
            nonlocal started
            started = started or message["type"] == "http.response.start"
            await send(message)

        try:
            await self.app(scope, receive, watched)
        except Exception as error:
            if scope["type"] != "http":
                raise
            _log.error("unhandled %s on %s %s", type(error).__name__, scope["method"], _route(scope))
            if not started:
                detail = "Something failed here; nothing was stored. Please try again."
                await send_problem(scope, send, HTTPStatus.INTERNAL_SERVER_ERROR, "internal", detail)


def _route(scope: Scope) -> str:
    """The route's template, never the path as sent."""
    return str(getattr(scope.get("route"), "path", "?"))


async def send_problem(scope: Scope, send: Send, status: int, code: str, detail: str) -> None:
    """A problem response from below the app, where no request has been parsed."""
    language = language_of(Headers(scope=scope).get("accept-language", ""))
    response = problem(status, code, told(code, detail, language, {}), headers={"Connection": "close"})
    await send({"type": "http.response.start", "status": status, "headers": response.raw_headers})
    await send({"type": "http.response.body", "body": bytes(response.body)})
