"""The coordinators' pages on files of cases: bringing and watching them, and looking at unsure rows.

The pages hold no text of any file: the scripts ask the API for it, which tells the audit log.
"""

from __future__ import annotations

from http import HTTPStatus
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import Response

from nlp.bulk.mapping import MAPPING_FORMATS

from ..jobs.options import ENDINGS
from ..routes.jobs import MAX_MAPPING
from ..store.jobs import read_job
from ..store.store import Store
from .coordinator import let_in
from .jobs_texts import JOBS_TEXTS
from .pages import page_language, render
from .texts import LANGUAGE_NAMES, TEXTS, for_scripts

router = APIRouter(include_in_schema=False)


@router.get("/coordinator/jobs")
def jobs(request: Request) -> Response:
    """All files, and the form for a new one."""
    if let_in(request) is None:
        return render(request, "jobs.html")  # to the login
    state = request.app.state
    models = state.models
    languages = models.pipeline.reader.languages if models else ()
    language = page_language(request)
    axes = models.pipeline.codebook.axes if models else ()
    return render(
        request,
        "jobs.html",
        status=HTTPStatus.OK if state.store else HTTPStatus.SERVICE_UNAVAILABLE,
        keeps=state.store is not None,
        endings=ENDINGS,
        limit=f"{state.settings.max_upload_mb:g}",
        days=f"{state.settings.job_days:g}",
        axes={axis.id: axis.label.get(language) or next(iter(axis.label.values())) for axis in axes},
        mapping_endings=MAPPING_FORMATS,
        mapping_limit=f"{MAX_MAPPING / 1_000_000:g}",
        served={code: LANGUAGE_NAMES.get(code, code) for code in languages},
        **_texts(request),
    )


@router.get("/coordinator/jobs/{job_id}/review")
def review(request: Request, job_id: str) -> Response:
    """Unsure rows of one file, one at a time."""
    if let_in(request) is None:
        return render(request, "review.html")  # to the login
    store: Store | None = request.app.state.store
    job = read_job(store, job_id) if store else None
    is_there = job is not None and job.state == "done"
    return render(
        request,
        "review.html",
        status=HTTPStatus.OK if is_there else HTTPStatus.NOT_FOUND,
        job=job if is_there else None,
        **_texts(request),
    )


def _texts(request: Request) -> dict[str, Any]:
    language = page_language(request)
    return {"t": TEXTS[language] | JOBS_TEXTS[language], "script_texts": for_scripts(language, JOBS_TEXTS)}
