"""``create_app``: the FastAPI app. Nothing happens at import; bundle and store are opened once, when the app starts."""

from __future__ import annotations

import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from threading import BoundedSemaphore
from typing import Any

import anyio.to_thread
from fastapi import FastAPI

from nlp import __version__
from nlp.bundle import Bundle
from nlp.pipeline import Pipeline

from . import problems
from .admission import Admission
from .bundles import Bundles
from .deps import cores
from .jobs.deciding import decide_apart
from .jobs.folders import JobFiles
from .limits import BodyLimit, Limits, NoStore
from .metrics import Metrics
from .other_sites import OtherSites
from .routes import facts, feedback, health, jobs, keys, review, suggestions
from .schemas import ProblemOut
from .settings import ServiceSettings
from .store.store import Store
from .traffic import Traffic
from .turns import Turns
from .web import coordinator, job_pages, pages

_DESCRIPTION = """Suggests codes for case narratives and hides the people in them. A person decides.

Narratives are read, answered and forgotten: nothing of a request is logged or cached. Stored is only what
`POST /v1/feedback` is sent to keep, redacted and encrypted, and files that `POST /v1/jobs` brings to be coded,
encrypted, for some days. Offsets count Unicode code points of the text as received, half-open. Every error is
`application/problem+json` in English or Russian (`Accept-Language`) and never echoes the text.

**Compatibility.** Within `/v1` no field, route or problem code is taken away or changes its meaning; new fields,
routes, codes and optional parameters may be added, so callers ignore what they do not know. What a bundle suggests may
change with every bundle: its name, the codebook and the policy stand in each answer. A `/v2` would be served beside
`/v1` for a year."""

_PROBLEMS: dict[int | str, dict[str, Any]] = {
    status: {"model": ProblemOut, "content": {problems.MEDIA_TYPE: {}}, "description": text}
    for status, text in {
        401: "No valid access key came with the request.",
        403: "The request does not come from where it says.",
        404: "There is no such thing, or it is not for this key.",
        405: "The address is there, for other methods.",
        408: "The body took too long to arrive.",
        409: "It does not fit what is stored or found.",
        413: "The narrative or the body is too large.",
        415: "The body is not uncompressed application/json (for files application/octet-stream).",
        422: "The narrative cannot be analyzed, or the request does not fit.",
        429: "Too many requests of this key; `Retry-After` says how long to wait.",
        500: "Something failed here; nothing was stored.",
        503: "Overloaded, not loaded yet, or without a store; `Retry-After` says how long to wait.",
    }.items()
}
_PER_CHARACTER = 12  # bytes that JSON may need for one, an escaped surrogate pair
_OTHER_FIELDS = 100_000  # bytes of a request beside its narrative
_OTHER_THREADS = 16
_BATCH = 2_000_000  # bytes of a batch
_SWITCH = 0.001  # seconds until a thread at the models lets go of the interpreter: who is refused is not to wait for it


def create_app(
    pipeline: Pipeline | None = None,
    *,
    bundle: Bundle | None = None,
    settings: ServiceSettings | None = None,
    store: Store | None = None,
) -> FastAPI:
    """The app, with the given pipeline (and the bundle it is from), or with the bundle that the settings name.

    ``store`` is what it keeps decisions in; without one nothing is kept and nobody needs a key.
    """
    settings = settings or ServiceSettings.from_env()
    app = FastAPI(
        title="casecoder",
        version=__version__,
        description=_DESCRIPTION,
        lifespan=_lifespan,
        docs_url=None,  # the interactive pages load scripts from other hosts
        redoc_url=None,
        responses=_PROBLEMS,
    )
    app.state.settings = settings
    app.state.given = (pipeline, bundle)
    app.state.models = None
    app.state.store = store
    app.state.has_keys = False
    app.state.job_files = JobFiles.of(store, settings) if store else None
    app.state.uploads = BoundedSemaphore(jobs.UPLOADS)
    app.state.look = jobs.look_apart
    app.state.decide = decide_apart
    app.state.metrics = metrics = Metrics()
    turns = Turns(cores())
    app.state.bundles = Bundles(app.state, settings, turns)
    problems.install(app)
    for router in (suggestions.router, feedback.router, facts.router, keys.router, jobs.router, review.router):
        app.include_router(router, prefix="/v1")
    app.include_router(health.router)
    app.include_router(health.metrics_router)
    app.include_router(pages.router)
    app.include_router(coordinator.router)
    app.include_router(job_pages.router)
    longest = _PER_CHARACTER * settings.nlp.max_characters + _OTHER_FIELDS
    limits = Limits(
        longest,
        {
            "/v1/suggestions/batch": max(longest, _BATCH),
            "/login": _OTHER_FIELDS,
            jobs.UPLOAD_PATH: settings.max_upload,
            jobs.MAPPING_PATH: jobs.MAX_MAPPING,
        },
    )
    app.add_middleware(BodyLimit, limits=limits, forms=pages.FORMS, files={jobs.UPLOAD_PATH, jobs.MAPPING_PATH})
    app.add_middleware(problems.CrashGuard)
    app.add_middleware(NoStore)
    app.add_middleware(
        Traffic,
        state=app.state,
        metrics=metrics,
        limits=limits,
        admission=Admission(turns, most=_places(settings), seconds=settings.max_wait_seconds, tell=metrics.waiting.set),
        seconds=settings.request_seconds,
        per_minute=settings.requests_per_minute,
    )
    app.add_middleware(OtherSites, state=app.state, origins=settings.allowed_origins)
    return app


@asynccontextmanager
async def _lifespan(app: FastAPI) -> AsyncIterator[None]:
    sys.setswitchinterval(_SWITCH)
    bundles: Bundles = app.state.bundles
    bundles.begin(*app.state.given)
    # Whoever has a place has a thread too, and pages and logins have some left.
    anyio.to_thread.current_default_thread_limiter().total_tokens = _places(app.state.settings) + _OTHER_THREADS
    with bundles.following():
        yield
    app.state.models = None
    if app.state.store is not None:
        app.state.store.close()


def _places(settings: ServiceSettings) -> int:
    """Requests that the models work on or that wait for them."""
    return cores() + settings.max_waiting
