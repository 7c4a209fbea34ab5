"""Whether the process lives, and whether it is ready to answer."""

from __future__ import annotations

from fastapi import APIRouter, Request, Response

from ..problems import problem

router = APIRouter(prefix="/health", tags=["health"])


@router.get("/live")
async def live() -> dict[str, str]:
    """The process lives; says nothing of the models."""
    return {"status": "live"}


@router.get("/ready", response_model=None)
async def ready(request: Request) -> Response | dict[str, str]:
    """The bundle is verified, loaded and warm; 503 before that."""
    if getattr(request.app.state, "pipeline", None) is None:
        return problem(503, "not_ready", "The models are still being loaded.")
    return {"status": "ready"}
