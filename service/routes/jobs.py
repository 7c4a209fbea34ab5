"""Bulk jobs: files brought, looked at, started, watched, fetched, erased. Every coordinator sees all of them."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from http import HTTPStatus
from pathlib import PurePath
from secrets import token_hex
from threading import BoundedSemaphore
from typing import TYPE_CHECKING, Annotated, Any, Literal, TypeVar
from urllib.parse import quote, unquote

from fastapi import APIRouter, Body, Depends, Header, Path, Request, Response
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect
from starlette.responses import StreamingResponse

from ..access import CoordinatorDep, StoreDep, get_principal
from ..deps import get_models
from ..job_schemas import DryRunOut, FileKind, JobOptionsIn, JobOut, NothingIn, PreviewOut, ReadingIn, takes_decisions
from ..jobs.children import ChildFailed, ask_child
from ..jobs.deciding import DecidingTask
from ..jobs.erasing import DECIDED
from ..jobs.folders import INPUT, OUTPUT, JobFiles, sweep_plain
from ..jobs.options import ENDINGS, JobOptions
from ..jobs.sealed_file import SealedFile
from ..jobs.standing import decided_cells
from ..limits import Limits
from ..problems import RequestRefused
from ..schemas import PLAIN
from ..store.access import Principal
from ..store.jobs import (
    StoredJob,
    cancel_job,
    check_startable,
    create_job,
    delete_job,
    job_key,
    list_jobs,
    new_job_id,
    new_job_key,
    note_job,
    read_job,
    set_mapping,
    start_job,
)
from ..store.review import decisions_of, review_counts
from ..store.store import Store

if TYPE_CHECKING:
    from ..jobs.looking import LookingTask

router = APIRouter(tags=["jobs"], dependencies=[Depends(get_principal)])

UPLOADS = 4  # at a time, in one process
UPLOAD_PATH = "/v1/jobs"
MAPPING_PATH = "/v1/jobs/{job_id}/mapping"
MAX_MAPPING = 2_000_000  # bytes: a list of labels has some thousand lines
_PIECE = 1 << 20  # bytes that are sealed at a time
_PIECE_SECONDS = 30.0  # until more of a file must have come
_LOOK_SECONDS = 110.0
_LOOK_WAIT = 30.0  # seconds; one file is looked at at a time
_MAX_NAME = 200
_looking = BoundedSemaphore(1)

_T = TypeVar("_T")
JobId = Annotated[str, Path(max_length=64, pattern=PLAIN)]
_MEDIA = {
    ".csv": "text/csv",
    ".tsv": "text/tab-separated-values",
    ".jsonl": "application/x-ndjson",
    ".json": "application/json",
    ".html": "text/html",
    ".xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    ".parquet": "application/vnd.apache.parquet",
}
_BINARY = "application/octet-stream"
_UPLOAD = {
    "requestBody": {
        "required": True,
        "description": "The file as it is: .csv, .tsv, .xlsx, .jsonl or .parquet.",
        "content": {_BINARY: {"schema": {"type": "string", "format": "binary"}}},
    }
}
_FILE: dict[int | str, dict[str, Any]] = {
    200: {
        "content": {media: {"schema": {"type": "string", "format": "binary"}} for media in _MEDIA.values()},
        "description": "The file.",
    }
}
_MAPPING_NAME = Header(
    max_length=1000,
    description="The name of the mapping with its ending, in UTF-8, percent-encoded.",
    examples=["old-codes.xlsx"],
)


def job_files(request: Request) -> JobFiles:
    """Where the files of jobs lie; to be asked for after the store."""
    files: JobFiles = request.app.state.job_files
    return files


FilesDep = Annotated[JobFiles, Depends(job_files)]


@router.get("/jobs")
def jobs(store: StoreDep, principal: CoordinatorDep) -> list[JobOut]:
    """All jobs, the latest first."""
    counts = review_counts(store)
    return [JobOut.from_stored(job, counts.get(job.id)) for job in list_jobs(store)]


@router.post("/jobs", status_code=HTTPStatus.CREATED, openapi_extra=_UPLOAD)
async def bring(
    request: Request,
    principal: CoordinatorDep,
    store: StoreDep,
    files: FilesDep,
    x_file_name: Annotated[
        str,
        Header(
            max_length=1000,
            description="The name of the file with its ending, in UTF-8, percent-encoded.",
            examples=["cases-2019.xlsx"],
        ),
    ],
) -> JobOut:
    """Bring a file. It is encrypted as it comes, and waits to be started."""
    name = _checked_name(x_file_name)
    if not request.app.state.uploads.acquire(blocking=False):
        raise RequestRefused(HTTPStatus.SERVICE_UNAVAILABLE, "limit.busy", "Other files are coming in: try again soon.")
    job_id, key = new_job_id(), new_job_key()
    try:
        size = await _receive(request, files, job_id, key)
        days = request.app.state.settings.job_days
        job = await run_in_threadpool(create_job, store, job_id, key, principal, file_name=name, size=size, days=days)
    except BaseException:
        await run_in_threadpool(files.remove, job_id)
        raise
    finally:
        request.app.state.uploads.release()
    return JobOut.from_stored(job)


def _checked_name(sent: str, endings: Sequence[str] = ENDINGS, code: str = "job.name") -> str:
    """The name of a file without any folder."""
    name = PurePath(unquote(sent).replace("\\", "/")).name.strip()
    if not name or not name.isprintable() or PurePath(name).suffix.lower() not in endings:
        raise RequestRefused(
            HTTPStatus.UNPROCESSABLE_ENTITY,
            code,
            f"Give the name of the file in X-File-Name, with one of the endings {', '.join(endings)}.",
        )
    return name[-_MAX_NAME:]


async def _receive(request: Request, files: JobFiles, job_id: str, key: bytes) -> int:
    """Seal what comes, as it comes; its size."""
    limit = request.app.state.settings.max_upload
    stack = ExitStack()
    try:
        sealed = await run_in_threadpool(stack.enter_context, files.writing(job_id, INPUT, key))
        stream = request.stream()
        waiting = bytearray()
        while piece := await _piece(stream):
            waiting += piece
            if sealed.size + len(waiting) > limit:
                detail = Limits(limit).told(limit)
                raise RequestRefused(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "request.too_large", detail)
            if len(waiting) >= _PIECE:
                await run_in_threadpool(sealed.write, bytes(waiting))
                waiting.clear()
        await run_in_threadpool(sealed.write, bytes(waiting))
        if not sealed.size:
            raise RequestRefused(HTTPStatus.UNPROCESSABLE_ENTITY, "job.empty", "The file is empty.")
    except BaseException as error:
        await run_in_threadpool(stack.__exit__, type(error), error, error.__traceback__)
        raise
    await run_in_threadpool(stack.close)
    return sealed.size


async def _piece(stream: Any) -> bytes:
    """What comes next; nothing at the end."""
    try:
        async with asyncio.timeout(_PIECE_SECONDS):
            async for piece in stream:
                if piece:
                    return bytes(piece)
    except TimeoutError:
        detail = "The request took too long to arrive."
        raise RequestRefused(HTTPStatus.REQUEST_TIMEOUT, "limit.time", detail) from None
    except ClientDisconnect:
        raise RequestRefused(HTTPStatus.REQUEST_TIMEOUT, "limit.time", "The request was cut off.") from None
    return b""


@router.get("/jobs/{job_id}")
def one_job(job_id: JobId, store: StoreDep, principal: CoordinatorDep) -> JobOut:
    """One job, and how far it is."""
    return _with_counts(store, found(read_job(store, job_id)))


@router.put("/jobs/{job_id}/mapping")
def bring_mapping(
    body: Annotated[bytes, Body(media_type=_BINARY, description="The file as it is.")],
    job_id: JobId,
    request: Request,
    store: StoreDep,
    files: FilesDep,
    principal: CoordinatorDep,
    x_file_name: Annotated[str, _MAPPING_NAME],
) -> JobOut:
    """Bring a file from old labels to codes (`.csv`, `.tsv`, `.xlsx`, `.yaml`, at most 2 MB) for a job that waits to be
    started, instead of any that was brought before. Every line is checked against the codebook: `job.file` says which
    one is wrong, and quotes nothing of it."""
    from nlp.bulk.mapping import MAPPING_FORMATS

    name = _checked_name(x_file_name, MAPPING_FORMATS, "job.mapping")
    job = found(read_job(store, job_id))
    check_startable(job.state)
    sealed = f"mapping-{token_hex(8)}{PurePath(name).suffix.lower()}"
    files.write(job_id, sealed, body, found(job_key(store, job_id)))
    try:
        seen = _looked("mapping", job_id, JobOptions(), request, store, files, principal, mapping=sealed)
        counts = {what: seen[what] for what in ("labels", "set_aside")}
        facts = {"file": sealed, "name": name, "bytes": len(body), **counts}
        changed = found(set_mapping(store, job_id, principal, facts))
    except BaseException:
        files.drop(job_id, sealed)
        raise
    if job.mapping:
        files.drop(job_id, job.mapping["file"])
    return JobOut.from_stored(changed)


@router.delete("/jobs/{job_id}/mapping")
def remove_mapping(job_id: JobId, store: StoreDep, files: FilesDep, principal: CoordinatorDep) -> JobOut:
    """Take the mapping of a job away again."""
    job = found(read_job(store, job_id))
    changed = found(set_mapping(store, job_id, principal, None))
    if job.mapping:
        files.drop(job_id, job.mapping["file"])
    return JobOut.from_stored(changed)


@router.post("/jobs/{job_id}/preview")
def preview(
    body: ReadingIn, job_id: JobId, request: Request, store: StoreDep, files: FilesDep, principal: CoordinatorDep
) -> PreviewOut:
    """The columns and first rows of a file, **as they are**: nothing is redacted yet. Told to the audit log."""
    return PreviewOut.model_validate(_looked("preview", job_id, body.to_value(), request, store, files, principal))


@router.post("/jobs/{job_id}/dry-run")
def dry_run(
    body: JobOptionsIn, job_id: JobId, request: Request, store: StoreDep, files: FilesDep, principal: CoordinatorDep
) -> DryRunOut:
    """What coding the file so would bring and how long it would take, told from a sample. Told to the audit log."""
    return DryRunOut.model_validate(_looked("dry-run", job_id, body.to_value(), request, store, files, principal))


def look_apart(task: LookingTask) -> Any:
    """Look at a file in a process of its own."""
    try:
        return ask_child("service.jobs.looking", task.to_json(), seconds=_LOOK_SECONDS)
    except ChildFailed:
        sweep_plain()  # one that was killed has left its file in plain
        raise


def _looked(
    look: Literal["preview", "dry-run", "mapping"],
    job_id: str,
    options: JobOptions,
    request: Request,
    store: Store,
    files: JobFiles,
    principal: Principal,
    *,
    mapping: str | None = None,
) -> Any:
    """What a process says that looks at the file of a job, or at a mapping that is no part of the job yet."""
    from ..jobs.looking import LookingTask

    job = found(read_job(store, job_id))
    key = found(note_job(store, job_id, principal, f"{look} job" if mapping is None else "check mapping"))
    settings = request.app.state.settings
    task = LookingTask(
        look,
        files.folder.resolve(),
        job_id,
        key,
        PurePath(job.file_name).suffix.lower(),
        options,
        settings.nlp.bundle,
        max(1, settings.job_workers),
        mapping or (job.mapping["file"] if job.mapping else None),
    )
    if not _looking.acquire(timeout=_LOOK_WAIT):
        raise RequestRefused(HTTPStatus.SERVICE_UNAVAILABLE, "limit.busy", "Another file is looked at: try again soon.")
    try:
        return request.app.state.look(task)
    finally:
        _looking.release()


@router.post("/jobs/{job_id}/start")
def start(body: JobOptionsIn, job_id: JobId, store: StoreDep, principal: CoordinatorDep) -> JobOut:
    """Put a job into the queue. One that failed or was cancelled goes on where it was, if nothing is asked for
    otherwise that decides how rows are coded."""
    options = body.to_value().to_json()
    return JobOut.from_stored(found(start_job(store, job_id, principal, options, same=JobOptions.codes_alike)))


@router.post("/jobs/{job_id}/cancel")
def cancel(body: NothingIn, job_id: JobId, request: Request, store: StoreDep, principal: CoordinatorDep) -> JobOut:
    """Take a job out of the queue, or stop it within seconds. What it has done stays, in case it is started again."""
    days = request.app.state.settings.job_days
    return JobOut.from_stored(found(cancel_job(store, job_id, principal, days=days)))


@router.delete("/jobs/{job_id}", status_code=HTTPStatus.NO_CONTENT)
def delete(job_id: JobId, store: StoreDep, files: FilesDep, principal: CoordinatorDep) -> None:
    """Erase a job with all its files, at once. Decisions on its rows stay among the decisions."""
    if not delete_job(store, job_id, principal):
        raise HTTPException(HTTPStatus.NOT_FOUND)
    files.remove(job_id)


@router.get("/jobs/{job_id}/files/{kind}", response_class=StreamingResponse, responses=_FILE)
def fetch(
    job_id: JobId, kind: FileKind, request: Request, store: StoreDep, files: FilesDep, principal: CoordinatorDep
) -> Response:
    """A file of a job that is done: the coded table, what was made beside it, what people decided on its rows
    (`decisions`), or the coded table with that in it (`decided`). Told to the audit log."""
    job = found(read_job(store, job_id))
    if kind == DECIDED and not takes_decisions(job):
        raise HTTPException(HTTPStatus.NOT_FOUND)
    about = job.facts.get("files", {}).get(OUTPUT if kind == DECIDED else kind) if job.state == "done" else None
    if about is None and not (kind == "decisions" and job.state == "done" and job.facts.get("to_review")):
        raise HTTPException(HTTPStatus.NOT_FOUND)
    key = found(note_job(store, job_id, principal, "download job file", kind=kind))
    if about is None:
        from ..jobs.decisions_file import decisions_csv

        return _download(job, decisions_csv(store, job_id), ".decisions.csv")
    if kind == DECIDED:
        _decide(request, store, files, job, key)
        about = {**about, "ending": f".decided{about['ending']}"}
    sealed = files.open(job_id, kind, key)
    try:
        sealed.check_end()
    except BaseException:
        sealed.close()
        raise
    return _download(job, _pieces(sealed), about["ending"], size=sealed.size)


def _decide(request: Request, store: Store, files: JobFiles, job: StoredJob, key: bytes) -> None:
    """Put what people have decided by now into the coded file."""
    state = request.app.state
    codebook = state.bundles.codebook(str(job.facts["bundle"]), get_models(request))
    cells = decided_cells(decisions_of(store, job.id), codebook)
    ending = str(job.facts["files"][OUTPUT]["ending"])
    delimiter = (job.options or {}).get("delimiter")
    if not _looking.acquire(timeout=_LOOK_WAIT):
        raise RequestRefused(HTTPStatus.SERVICE_UNAVAILABLE, "limit.busy", "Another file is looked at: try again soon.")
    try:
        state.decide(DecidingTask(files.folder.resolve(), job.id, key, ending, cells, delimiter))
    finally:
        _looking.release()


def _pieces(sealed: SealedFile) -> Iterator[bytes]:
    with sealed:
        yield from sealed.pieces()


def _download(job: StoredJob, pieces: Iterator[bytes], ending: str, *, size: int | None = None) -> Response:
    name = f"{PurePath(job.file_name).stem}-coded{ending}"
    headers = {
        "Content-Disposition": f"attachment; filename=\"job{ending}\"; filename*=UTF-8''{quote(name, safe='')}",
        "X-Content-Type-Options": "nosniff",
        "Content-Security-Policy": "sandbox; default-src 'none'",  # a report is never a page of this site
        "Cache-Control": "no-store",
    }
    if size is not None:
        headers["Content-Length"] = str(size)
    media = _MEDIA.get(f".{ending.rpartition('.')[2]}", _BINARY)
    return StreamingResponse(pieces, media_type=media, headers=headers)


def found(value: _T | None) -> _T:
    """The value; 404 where there is none."""
    if value is None:
        raise HTTPException(HTTPStatus.NOT_FOUND)
    return value


def _with_counts(store: Store, job: StoredJob) -> JobOut:
    return JobOut.from_stored(job, review_counts(store, job.id).get(job.id))
