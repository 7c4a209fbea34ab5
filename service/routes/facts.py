"""What the service works with: its codebook and its bundles."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Request, Response

from nlp.bundle import Bundle
from nlp.codebook import codebook_json

from ..access import get_principal
from ..deps import ModelsDep
from ..schemas import BundleOut

router = APIRouter(tags=["facts"], dependencies=[Depends(get_principal)])


@router.get("/codebook", response_model=None)
def codebook(
    models: ModelsDep,
    request: Request,
    response: Response,
    language: Annotated[
        str | None, Query(max_length=8, description="Labels in this language, where the codebook has it.")
    ] = None,
) -> Response | dict[str, Any]:
    """The codebook of the loaded bundle: axes, codes, definitions, identifier types; 304 where the caller has it."""
    pipeline = models.pipeline
    etag = f'"{pipeline.codebook.digest[:32]}-{language if language in pipeline.codebook.languages else ""}"'
    if etag in request.headers.get("if-none-match", ""):
        return Response(status_code=304, headers={"ETag": etag, "Cache-Control": "no-cache"})
    response.headers["ETag"] = etag
    response.headers["Cache-Control"] = "no-cache"
    return codebook_json(pipeline.codebook, language)


@router.get("/bundles")
def bundles(request: Request, models: ModelsDep) -> list[BundleOut]:
    """The loaded bundle and its measured figures."""
    pipeline = models.pipeline
    bundle: Bundle | None = request.app.state.bundle
    return [
        BundleOut(
            name=pipeline.bundle,
            active=True,
            codebook=str(pipeline.codebook),
            languages=list(pipeline.reader.languages),
            metrics=dict(bundle.manifest.get("metrics", {})) if bundle else {},
        )
    ]
