"""Whether the process lives, and whether it is ready to answer."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Depends, Request, Response
from starlette.responses import PlainTextResponse

from ..access import get_principal
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


metrics_router = APIRouter(tags=["health"], dependencies=[Depends(get_principal)])


_FIGURES: dict[int | str, dict[str, Any]] = {
    200: {"content": {"text/plain": {"schema": {"type": "string"}}}, "description": "Figures, in Prometheus' format."}
}


@metrics_router.get("/metrics", response_class=PlainTextResponse, responses=_FIGURES, response_model=None)
def metrics(request: Request) -> Response:
    """Figures for Prometheus: counts, durations, the queue, the bundle. With access keys, a key is needed."""
    found = request.app.state.metrics
    return Response(found.text(), media_type=found.content_type)
