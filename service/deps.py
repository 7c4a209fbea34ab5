"""What routes depend on: the pipeline and the bundle that the app has loaded."""

from __future__ import annotations

from typing import Annotated

from fastapi import Depends, HTTPException, Request

from nlp.pipeline import Pipeline


def get_pipeline(request: Request) -> Pipeline:
    """The loaded pipeline; 503 until it is there."""
    pipeline: Pipeline | None = getattr(request.app.state, "pipeline", None)
    if pipeline is None:
        raise HTTPException(503)
    return pipeline


PipelineDep = Annotated[Pipeline, Depends(get_pipeline)]
