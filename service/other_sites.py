"""Pages of other sites that may ask for suggestions (CORS), with an access key of their own and never with a cookie."""

from __future__ import annotations

from collections.abc import Sequence

from starlette.datastructures import State
from starlette.middleware.cors import CORSMiddleware
from starlette.types import ASGIApp, Receive, Scope, Send

from .access import needs_key

_PATHS = frozenset({"/v1/suggestions", "/v1/redactions", "/v1/codebook"})


class OtherSites:
    """Middleware: CORS for a few routes, and only where access keys are needed; without keys whoever reaches the
    service may do everything."""

    def __init__(self, app: ASGIApp, *, state: State, origins: Sequence[str]) -> None:
        self.app = app
        self._state = state
        self._shared = CORSMiddleware(
            app,
            allow_origins=tuple(origins),
            allow_methods=["GET", "POST"],
            allow_headers=["Authorization", "Content-Type", "Accept-Language"],
            allow_credentials=False,
        )
        self._any = bool(origins)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass everything on, with the headers of CORS where they belong."""
        shared = self._any and scope["type"] == "http" and scope["path"] in _PATHS and needs_key(self._state)
        await (self._shared if shared else self.app)(scope, receive, send)
