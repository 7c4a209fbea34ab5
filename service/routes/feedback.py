"""Decisions of people: stored, listed, read, exported, erased."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import datetime
from http import HTTPStatus
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Header, Path, Query, Request, Response
from starlette.exceptions import HTTPException
from starlette.responses import StreamingResponse

from nlp.types import Narrative

from ..access import AdminDep, CoordinatorDep, PrincipalDep, StoreDep, get_principal
from ..deps import ModelsDep
from ..job_schemas import ReviewDecisionIn
from ..jobs.erasing import erase_everywhere
from ..problems import RequestRefused
from ..schemas import PLAIN, ErasedOut, EraseIn, FeedbackIn, FeedbackOut, FeedbackPage, FeedbackStored, ShownOut
from ..statistics import figures
from ..store.feedback import (
    VerdictKind,
    Wanted,
    count_feedback,
    export_feedback,
    list_feedback,
    read_feedback,
    review_queue,
    save_feedback,
)
from ..store.receipts import Origin, Receipt, open_receipt
from .jobs import FilesDep

router = APIRouter(tags=["feedback"], dependencies=[Depends(get_principal)])

_MAX_PAGE = 200


def wanted(
    principal: PrincipalDep,
    coder: Annotated[str | None, Query(max_length=80, pattern=PLAIN)] = None,
    code: Annotated[str | None, Query(max_length=60, pattern=PLAIN)] = None,
    verdict: VerdictKind | None = None,
    origin: Origin | None = None,
    language: Annotated[str | None, Query(max_length=8, pattern=PLAIN)] = None,
    country: Annotated[str | None, Query(max_length=64, pattern=PLAIN)] = None,
    bundle: Annotated[str | None, Query(max_length=80, pattern=PLAIN)] = None,
    since: Annotated[datetime | None, Query(description="Stored at this moment or later.")] = None,
    until: Annotated[datetime | None, Query(description="Stored before this moment.")] = None,
) -> Wanted:
    """Which decisions are asked for; who is no coordinator gets their own alone."""
    own = None if principal.may("coordinator") else principal.key_id
    return Wanted(coder, own, code, verdict, origin, language, country, bundle, since, until)


WantedDep = Annotated[Wanted, Depends(wanted)]


@router.post("/feedback", status_code=HTTPStatus.CREATED)
def store_feedback(
    body: FeedbackIn,
    models: ModelsDep,
    store: StoreDep,
    principal: PrincipalDep,
    request: Request,
    response: Response,
    idempotency_key: Annotated[
        str | None,
        Header(min_length=8, max_length=200, description="Sent again, the same decision is stored once."),
    ] = None,
) -> FeedbackStored:
    """Store a decision. The text is looked through once more, and what is found in it is hidden before it is stored."""
    receipt = open_receipt(store, body.receipt)
    text = safe_text(body, models, receipt)
    codebook = request.app.state.bundles.codebook(receipt.bundle, models)  # which may not be served any more
    identifier, is_new = save_feedback(
        store, body.to_value(text), receipt, codebook, principal, request=idempotency_key
    )
    if not is_new:
        response.status_code = HTTPStatus.OK
    shown = [ShownOut.model_validate(vars(item)) for item in receipt.shown]
    return FeedbackStored(id=identifier, origin=receipt.origin, suggested=shown)


def safe_text(body: FeedbackIn | ReviewDecisionIn, models: ModelsDep, receipt: Receipt) -> str | None:
    """The text as it may be stored: redacted here and now, with what a person has shown again left in sight.

    Whoever calls may have skipped the redaction, so the service never takes a text for redacted because it is said to
    be. A text in which something was found that no correction speaks of is refused where corrections would point into
    another text.
    """
    if body.redacted_text is None:
        return None
    redaction = models.redact(Narrative(body.redacted_text, language=receipt.language))
    shown = [(item.start, item.end) for item in body.corrections if item.kind == "shown"]
    again = [
        entity
        for entity in redaction.entities
        if not any(start <= entity.span.start and entity.span.end <= end for start, end in shown)
    ]
    if not again:
        return body.redacted_text
    if body.corrections:
        raise RequestRefused(
            HTTPStatus.CONFLICT,
            "feedback.unredacted",
            "The text still holds what may tell who somebody is: redact it anew, and look at it once more.",
        )
    from nlp.redaction import replace

    return replace(body.redacted_text, again).text


@router.get("/feedback")
def find_feedback(
    store: StoreDep,
    which: WantedDep,
    limit: Annotated[int, Query(ge=1, le=_MAX_PAGE)] = 50,
    before: Annotated[int | None, Query(ge=1, le=2**31 - 1, description="`next` of the page before.")] = None,
) -> FeedbackPage:
    """Decisions without their texts, the latest first: a coordinator's all, a REActor's own."""
    items = list_feedback(store, which, limit=limit, before=before)
    return FeedbackPage(
        total=count_feedback(store, which),
        items=[FeedbackOut.from_stored(item) for item in items],
        next=items[-1].number if len(items) == limit else None,
    )


_LINES: dict[int | str, dict[str, Any]] = {
    200: {"content": {"application/x-ndjson": {"schema": {"type": "string"}}}, "description": "One decision a line."}
}


@router.get("/feedback/export", response_class=StreamingResponse, responses=_LINES)
def export(store: StoreDep, which: WantedDep, principal: CoordinatorDep) -> Response:
    """Decisions as JSON lines for training: codes that people set, never those that only the machine did. The export
    is told to the audit log."""
    rows = export_feedback(store, which, principal)
    first = next(rows, None)  # the audit log has its entry before anything is answered

    def lines() -> Iterator[bytes]:
        if first is not None:
            yield _line(first)
        for row in rows:
            yield _line(row)

    return StreamingResponse(
        lines(),
        media_type="application/x-ndjson",
        headers={"Content-Disposition": 'attachment; filename="feedback.jsonl"'},
    )


def _line(row: Any) -> bytes:
    return (json.dumps(row, ensure_ascii=False, default=str) + "\n").encode()


@router.get("/feedback/review")
def review(
    store: StoreDep, which: WantedDep, principal: CoordinatorDep, limit: Annotated[int, Query(ge=1, le=_MAX_PAGE)] = 50
) -> list[FeedbackOut]:
    """Decisions to look at again: those that differ most from the suggestions first, then the least sure ones."""
    return [FeedbackOut.from_stored(item) for item in review_queue(store, which, limit=limit)]


@router.get("/feedback/{feedback_id}")
def one_feedback(
    feedback_id: Annotated[str, Path(max_length=64, pattern=PLAIN)],
    store: StoreDep,
    principal: PrincipalDep,
    request: Request,
) -> FeedbackOut:
    """One decision with its redacted text: a coordinator's any, a REActor's own. Told to the audit log."""
    limit = request.app.state.settings.reads_per_day
    found = read_feedback(store, feedback_id, principal, limit=limit)
    if found is None:
        raise HTTPException(HTTPStatus.NOT_FOUND)
    return FeedbackOut.from_stored(found)


@router.post("/erasures")
def erase(body: EraseIn, store: StoreDep, files: FilesDep, principal: AdminDep) -> ErasedOut:
    """Erase the decisions on a case and its rows in queues of bulk jobs, at once; with `"jobs": "delete"` also the jobs
    whose file has the case. The answer says which jobs hold it, or may."""
    delete_jobs = body.jobs == "delete"
    found = erase_everywhere(store, files, body.case_id, actor=principal.actor, delete_jobs=delete_jobs)
    return ErasedOut.from_erased(found)


@router.get("/statistics")
def statistics(store: StoreDep, which: WantedDep, principal: CoordinatorDep) -> dict[str, Any]:
    """How people and suggestions agree, where they were seen and where they were withheld; how often each code of each
    bundle was accepted; how long decisions took."""
    return figures(store, which)
