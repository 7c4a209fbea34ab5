"""Suggestions and redactions for one narrative; nothing is stored."""

from __future__ import annotations

from http import HTTPStatus

from fastapi import APIRouter

from ..deps import PipelineDep
from ..problems import RequestRefused
from ..schemas import NarrativeIn, RedactionOut, SuggestionsIn, SuggestionsOut

router = APIRouter(tags=["narratives"])


@router.post("/suggestions")
def suggest(body: SuggestionsIn, pipeline: PipelineDep) -> SuggestionsOut:
    """Suggest codes for one narrative, with evidence and the redacted text. Nothing is stored."""
    known = [axis.id for axis in pipeline.codebook.axes]
    if body.axes is not None and not set(body.axes) <= set(known):
        detail = f"`axes` has one that is not in the codebook; it has {', '.join(known)}"
        raise RequestRefused(HTTPStatus.UNPROCESSABLE_ENTITY, "request.invalid", detail)
    analysis = pipeline.analyze_one(body.to_narrative())
    return SuggestionsOut.from_analysis(analysis, all_codes=body.all_codes, axes=body.axes)


@router.post("/redactions")
def redact(body: NarrativeIn, pipeline: PipelineDep) -> RedactionOut:
    """Hide the people in one narrative. Nothing is stored. It hides much, not all: a person must read the result."""
    redaction = pipeline.redact_one(body.to_narrative())
    return RedactionOut.from_redaction(redaction, bundle=pipeline.bundle, codebook=str(pipeline.codebook))
