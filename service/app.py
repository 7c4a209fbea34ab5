"""``create_app``: the FastAPI app. Nothing happens at import; bundle and store are opened once, when the app starts."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import anyio.to_thread
from fastapi import FastAPI

from nlp import __version__
from nlp.bundle import Bundle, open_bundle
from nlp.pipeline import Pipeline
from nlp.types import Narrative

from . import problems
from .deps import Models, cores
from .limits import BodyLimit, Limits, NoStore
from .metrics import Metrics
from .other_sites import OtherSites
from .routes import facts, feedback, health, jobs, keys, suggestions
from .schemas import ProblemOut
from .settings import ServiceSettings
from .store.store import Store
from .traffic import Traffic
from .web import coordinator, pages

_DESCRIPTION = """Suggests codes for case narratives and hides the people in them. A person decides.

Narratives are read, answered and forgotten: nothing of a request is logged or cached, and nothing is stored but what
`POST /v1/feedback` is sent to keep, redacted and encrypted. Offsets count Unicode code points of the text as received,
half-open. Every error is `application/problem+json` in English or Russian (`Accept-Language`) and never echoes the
text.

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
        409: "It does not fit what is stored or found.",
        413: "The narrative or the body is too large.",
        415: "The body is not uncompressed application/json.",
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
    app.state.given_pipeline = pipeline
    app.state.bundle = bundle
    app.state.models = None
    app.state.store = store
    app.state.has_keys = False
    app.state.metrics = metrics = Metrics()
    problems.install(app)
    for router in (suggestions.router, feedback.router, facts.router, keys.router, jobs.router):
        app.include_router(router, prefix="/v1")
    app.include_router(health.router)
    app.include_router(health.metrics_router)
    app.include_router(pages.router)
    app.include_router(coordinator.router)
    longest = _PER_CHARACTER * settings.nlp.max_characters + _OTHER_FIELDS
    limits = Limits(longest, {"/v1/suggestions/batch": max(longest, _BATCH), "/login": _OTHER_FIELDS})
    app.add_middleware(BodyLimit, limits=limits, forms=pages.FORMS)
    app.add_middleware(problems.CrashGuard)
    app.add_middleware(NoStore)
    app.add_middleware(
        Traffic,
        state=app.state,
        metrics=metrics,
        limits=limits,
        at_once=cores(),
        max_waiting=settings.max_waiting,
        seconds=settings.request_seconds,
        per_minute=settings.requests_per_minute,
    )
    app.add_middleware(OtherSites, state=app.state, origins=settings.allowed_origins)
    return app


@asynccontextmanager
async def _lifespan(app: FastAPI) -> AsyncIterator[None]:
    pipeline: Pipeline | None = app.state.given_pipeline
    settings: ServiceSettings = app.state.settings
    if pipeline is None:
        app.state.bundle = open_bundle(settings.nlp.bundle)
        pipeline = app.state.bundle.pipeline(max_characters=settings.nlp.max_characters)
    language = pipeline.reader.languages[0]
    pipeline.analyze_one(Narrative("Warm up: nobody was harmed in the city.", language=language))
    app.state.metrics.bundle(pipeline.bundle, str(pipeline.codebook))
    app.state.models = Models(pipeline, seconds=settings.request_seconds)
    # Whoever has a place has a thread too, and pages and logins have some left.
    anyio.to_thread.current_default_thread_limiter().total_tokens = cores() + settings.max_waiting + _OTHER_THREADS
    yield
    app.state.models = None
    if app.state.store is not None:
        app.state.store.close()
