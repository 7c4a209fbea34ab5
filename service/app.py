"""``create_app``: the FastAPI app. Nothing happens at import; the bundle is loaded once, when the app starts."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from fastapi import FastAPI

from nlp import __version__
from nlp.bundle import Bundle, open_bundle
from nlp.pipeline import Pipeline
from nlp.settings import Settings
from nlp.types import Narrative

from . import problems
from .limits import BodyLimit, NoStore
from .routes import facts, health, suggestions
from .schemas import ProblemOut

_DESCRIPTION = """Suggests codes for case narratives and hides the people in them. A person decides.

Narratives are read, answered and forgotten: nothing of a request is stored, logged or cached. Offsets count Unicode
code points of the text as received, half-open.
Every error is `application/problem+json` and never echoes the text."""

_PROBLEMS: dict[int | str, dict[str, Any]] = {
    status: {"model": ProblemOut, "content": {problems.MEDIA_TYPE: {}}, "description": text}
    for status, text in {
        413: "The narrative or the body is too large.",
        415: "The body is not uncompressed application/json.",
        422: "The narrative cannot be analyzed, or the request does not fit.",
        500: "Something failed here; nothing was stored.",
        503: "The models are not loaded yet.",
    }.items()
}


def create_app(
    pipeline: Pipeline | None = None, *, bundle: Bundle | None = None, settings: Settings | None = None
) -> FastAPI:
    """The app, with the given pipeline (and the bundle it is from), or with the bundle that the settings name."""
    settings = settings or Settings.from_env()
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
    app.state.pipeline = None
    problems.install(app)
    app.include_router(suggestions.router, prefix="/v1")
    app.include_router(facts.router, prefix="/v1")
    app.include_router(health.router)
    # JSON may escape each character in up to 12 bytes (a surrogate pair); room for the other fields on top.
    app.add_middleware(BodyLimit, max_bytes=12 * settings.max_characters + 10_000)
    app.add_middleware(problems.CrashGuard)
    app.add_middleware(NoStore)
    return app


@asynccontextmanager
async def _lifespan(app: FastAPI) -> AsyncIterator[None]:
    pipeline: Pipeline | None = app.state.given_pipeline
    if pipeline is None:
        settings: Settings = app.state.settings
        app.state.bundle = open_bundle(settings.bundle)
        pipeline = app.state.bundle.pipeline(max_characters=settings.max_characters)
    language = pipeline.reader.languages[0]
    pipeline.analyze_one(Narrative("Warm up: nobody was harmed in the city.", language=language))
    app.state.pipeline = pipeline
    yield
    app.state.pipeline = None
