"""Whether the process lives, and whether it is ready to answer."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Request, Response
from starlette.responses import PlainTextResponse

from ..access import find_principal
from ..problems import problem

router = APIRouter(prefix="/health", tags=["health"])


@router.get("/live")
async def live() -> dict[str, str]:
    """The process lives; says nothing of the models."""
    return {"status": "live"}


@router.get("/ready", response_model=None)
async def ready(request: Request) -> Response | dict[str, str]:
    """The bundle is verified, loaded and warm; 503 before that."""
    if getattr(request.app.state, "models", None) is None:
        return problem(503, "not_ready", "The models are still being loaded.")
    return {"status": "ready"}


metrics_router = APIRouter(tags=["health"])


_FIGURES: dict[int | str, dict[str, Any]] = {
    200: {"content": {"text/plain": {"schema": {"type": "string"}}}, "description": "Figures, in Prometheus' format."}
}


@metrics_router.get("/metrics", response_class=PlainTextResponse, responses=_FIGURES, response_model=None)
def metrics(request: Request) -> Response:
    """Figures for Prometheus: counts, durations, the queue, the bundle. With access keys, a key is needed."""
    header = request.headers.get("authorization", "")
    token = header[7:].strip() if header.lower().startswith("bearer ") else None
    if find_principal(request, token) is None:
        return problem(401, "http.401", "A valid access key is needed.", headers={"WWW-Authenticate": "Bearer"})
    found = request.app.state.metrics
    return Response(found.text(), media_type=found.content_type)
