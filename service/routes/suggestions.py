"""Suggestions and redactions; nothing is stored."""

from __future__ import annotations

import time
from http import HTTPStatus

from fastapi import APIRouter, Depends, Request

from nlp.errors import CasecoderError
from nlp.pipeline import Pipeline

from ..access import get_principal
from ..admission import INSIDE, Inside
from ..deps import ModelsDep
from ..problems import RequestRefused, problem_of
from ..schemas import (
    BatchIn,
    BatchItemOut,
    BatchOut,
    NarrativeIn,
    ProblemOut,
    RedactionOut,
    SuggestionsIn,
    SuggestionsOut,
)
from ..store.blind import is_withheld
from ..store.receipts import receipt_of, seal_receipt

BATCH_SECONDS = 100.0  # after which the rest of a batch is left undone

router = APIRouter(tags=["narratives"], dependencies=[Depends(get_principal)])


@router.post("/suggestions")
def suggest(body: SuggestionsIn, models: ModelsDep, request: Request) -> SuggestionsOut:
    """Suggest codes for one narrative, with evidence and the redacted text. Nothing is stored.

    A share of cases, chosen by a keyed hash of `case_id`, gets no suggestions (`withheld`) until somebody
    has coded them.
    """
    return _suggested(body, models, request)


@router.post("/suggestions/batch")
def suggest_batch(body: BatchIn, models: ModelsDep, request: Request) -> BatchOut:
    """Suggest codes for up to 64 narratives. One that cannot be analyzed gets a problem of its own, the others their
    suggestions. Nothing is stored."""
    results = []
    end = time.monotonic() + BATCH_SECONDS
    inside: Inside = request.scope[INSIDE]
    for narrative in body.narratives:
        try:
            if time.monotonic() > end:
                raise RequestRefused(HTTPStatus.SERVICE_UNAVAILABLE, "limit.time", "The batch took too long.")
            results.append(BatchItemOut(suggestions=_suggested(narrative, models, request)))
        except (CasecoderError, RequestRefused) as error:
            found = ProblemOut.model_validate(problem_of(error, request))
            results.append(BatchItemOut(problem=found))
        inside.one_done()
    return BatchOut(results=results)


@router.post("/redactions")
def redact(body: NarrativeIn, models: ModelsDep) -> RedactionOut:
    """Hide the people in one narrative. Nothing is stored. It hides much, not all: a person must read the result."""
    redaction = models.redact(body.to_narrative())
    pipeline = models.pipeline
    return RedactionOut.from_redaction(redaction, bundle=pipeline.bundle, codebook=str(pipeline.codebook))


def _suggested(body: SuggestionsIn, models: ModelsDep, request: Request) -> SuggestionsOut:
    _check_axes(body.axes, models.pipeline)
    analysis = models.analyze(body.to_narrative())
    answer = SuggestionsOut.from_analysis(analysis, policy=models.policy, all_codes=body.all_codes, axes=body.axes)
    store, settings = request.app.state.store, request.app.state.settings
    if store is None:
        return answer
    withheld = is_withheld(store, body.case_id, settings.blind_share)
    receipt = receipt_of(
        store,
        analysis,
        case_id=body.case_id,
        country=body.country,
        origin="blind" if withheld else "assisted",
        policy=models.policy,
        axes=body.axes,
    )
    answer = answer.model_copy(update={"receipt": seal_receipt(store, receipt)})
    return answer.without_suggestions() if withheld else answer


def _check_axes(axes: list[str] | None, pipeline: Pipeline) -> None:
    known = [axis.id for axis in pipeline.codebook.axes]
    if axes is not None and not set(axes) <= set(known):
        detail = f"`axes` has one that is not in the codebook; it has {', '.join(known)}"
        raise RequestRefused(HTTPStatus.UNPROCESSABLE_ENTITY, "request.invalid", detail)
