"""What the service works with: its codebook and its bundle."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Request, Response

from nlp.codebook import codebook_json

from ..access import AdminDep, get_principal
from ..bundles import Bundles
from ..deps import ModelsDep, get_models
from ..schemas import BundleIn, BundleOut

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
def bundles(models: ModelsDep) -> list[BundleOut]:
    """The bundle that is served, and its measured figures."""
    return [BundleOut.from_models(models)]


@router.post("/bundles/active", dependencies=[Depends(get_models)])
def change_bundle(body: BundleIn, request: Request, principal: AdminDep) -> BundleOut:
    """Serve another bundle from now on, once it is verified, loaded and warm; all answers until then, and all where it
    cannot be used, are of the one before. Told to the audit log."""
    found: Bundles = request.app.state.bundles
    return BundleOut.from_models(found.change(body.name, actor=principal.actor))
