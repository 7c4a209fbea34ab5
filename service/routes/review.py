"""Rows of a coded file that somebody should look at: lent one at a time, decided, taken back."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Path, Request

from nlp.codebook import Codebook

from ..access import CoordinatorDep, StoreDep, get_principal
from ..deps import ModelsDep
from ..job_schemas import (
    NothingIn,
    ReviewCountsOut,
    ReviewDecidedOut,
    ReviewDecisionIn,
    ReviewNextIn,
    ReviewNextOut,
    ReviewRowOut,
)
from ..jobs.folders import JobFiles
from ..store.feedback import Decided, NewFeedback
from ..store.jobs import StoredJob, job_key, read_job
from ..store.receipts import Receipt, Shown
from ..store.review import (
    LENT,
    LentRow,
    ReviewCounts,
    ReviewGone,
    decide_row,
    give_back,
    lend_next,
    lent_row,
    review_counts,
    undo_last,
)
from ..store.store import Store, case_digest
from .feedback import safe_text
from .jobs import FilesDep, JobId, found

router = APIRouter(prefix="/jobs/{job_id}/review", tags=["review"], dependencies=[Depends(get_principal)])

Content = dict[str, Any]


@router.post("/next")
def next_row(
    body: ReviewNextIn, job_id: JobId, request: Request, store: StoreDep, files: FilesDep, principal: CoordinatorDep
) -> ReviewNextOut:
    """The next row, lent for ten minutes: the least sure that nobody has. Told to the audit log."""
    found(read_job(store, job_id))
    limit = request.app.state.settings.reads_per_day
    lent = lend_next(store, job_id, principal, held=body.held, skipped=body.skipped, limit=limit)
    return _answer(store, files, job_id, lent)


@router.post("/undo")
def undo(body: NothingIn, job_id: JobId, store: StoreDep, files: FilesDep, principal: CoordinatorDep) -> ReviewNextOut:
    """Take back the caller's latest decision here: it is erased, and the row is lent to them again."""
    found(read_job(store, job_id))
    return _answer(store, files, job_id, undo_last(store, job_id, principal))


@router.post("/release")
def release(body: NothingIn, job_id: JobId, store: StoreDep, principal: CoordinatorDep) -> ReviewCountsOut:
    """Give back all rows that are lent to the caller, as when the page is closed."""
    found(read_job(store, job_id))
    give_back(store, job_id, principal)
    return _counts(store, job_id)


@router.post("/{row}")
def decide(
    body: ReviewDecisionIn,
    job_id: JobId,
    row: Annotated[int, Path(ge=1, le=2**31 - 1)],
    request: Request,
    models: ModelsDep,
    store: StoreDep,
    files: FilesDep,
    principal: CoordinatorDep,
) -> ReviewDecidedOut:
    """Decide on a row that is lent to the caller. What is accepted or corrected is kept among the decisions as well, so
    that the software can learn from it. `accept` on a row without suggestions says that what people coded before holds,
    and that nothing applies on the axes that nobody coded."""
    job = found(read_job(store, job_id))
    lent = lent_row(store, job_id, row, principal)
    identifier = None
    if body.act == "skip":
        decide_row(store, job_id, row, body.act, principal)
    else:
        content = _content(store, files, job_id, lent)
        receipt = _receipt(store, job, lent, content)
        codebook = request.app.state.bundles.codebook(receipt.bundle, models)  # which may not be served any more
        text = safe_text(body, models, receipt)
        new = body.to_value(text if text is not None else content["redacted_text"])
        if body.act == "accept":
            new = _accepted(new, content, codebook)
        if new.seconds is None:
            began = lent.until - LENT
            new = _timed(new, store.clock() - began)
        identifier = decide_row(store, job_id, row, body.act, principal, new=new, receipt=receipt, codebook=codebook)
    return ReviewDecidedOut(row=row, feedback=identifier, counts=_counts(store, job_id))


def _counts(store: Store, job_id: str) -> ReviewCountsOut:
    return ReviewCountsOut.from_counts(review_counts(store, job_id).get(job_id, ReviewCounts()))


def _accepted(new: NewFeedback, content: Content, codebook: Codebook) -> NewFeedback:
    """All that is suggested, as it is. Where nothing is, what people coded before holds, and on the axes that nobody
    coded nothing applies; an axis with labels that nobody could look up is left as it is."""
    primary = content["primary"]
    decided = [
        Decided(item["axis"], item["code"], "accepted", primary=primary.get(item["axis"]) == item["code"])
        for item in content["suggestions"]
        if item["suggested"]
    ]
    if decided:
        return NewFeedback(tuple(decided), new.text, new.corrections, new.seconds, ())
    nothing = []
    for axis in codebook.axes:
        person = content.get("people", {}).get(axis.id)
        if person is None or person["nothing"]:
            nothing.append(axis.id)
        elif not person["unknown"]:
            codes = [code for code in person["codes"] if code in axis.codes]
            leads = axis.has_primary and len(codes) == 1
            decided += [Decided(axis.id, code, "added", primary=leads) for code in codes]
    return NewFeedback(tuple(decided), new.text, new.corrections, new.seconds, tuple(nothing))


def _timed(new: NewFeedback, time: timedelta) -> NewFeedback:
    return NewFeedback(new.decided, new.text, new.corrections, max(0.0, time.total_seconds()), new.nothing)


def _receipt(store: Store, job: StoredJob, lent: LentRow, content: Content) -> Receipt:
    """What was suggested on the row when the job ended. It is good for one decision, until that is taken back."""
    shown = tuple(
        Shown(item["axis"], item["code"], item["probability"], item["decision"]) for item in content["suggestions"]
    )
    return Receipt(
        job.updated,
        "assisted",
        case_digest(store, content["case"]),
        content["language"],
        content["country"],
        str(job.facts["bundle"]),
        str(job.facts["codebook"]),
        str(job.facts["policy"]),
        shown,
        nonce=store.digest("review", f"{job.id} {lent.row} {lent.turn}")[:16],
    )


def _content(store: Store, files: JobFiles, job_id: str, lent: LentRow) -> Content:
    from ..jobs.blocks import block_name

    key = found(job_key(store, job_id))
    rows: list[Content] = json.loads(files.read(job_id, block_name(lent.block), key))
    content = next((item for item in rows if item["row"] == lent.row), None)
    if content is None:  # its case was erased just now
        raise ReviewGone
    return content


def _answer(store: Store, files: JobFiles, job_id: str, lent: LentRow | None) -> ReviewNextOut:
    item = None
    if lent is not None:
        content = _content(store, files, job_id, lent)
        item = ReviewRowOut.model_validate(
            {**content, "repeats": lent.repeats, "uncertainty": lent.uncertainty, "lent_until": lent.until}
        )
    return ReviewNextOut(item=item, counts=_counts(store, job_id))
