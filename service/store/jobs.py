"""Bulk jobs: brought, queued, run one after the other, erased. What is in a file and what is said of it is sealed."""

from __future__ import annotations

import json
import operator
import secrets
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Literal, get_args

from sqlalchemy import delete, func, select
from sqlalchemy.orm import Session

from nlp.errors import CasecoderError

from .access import Principal
from .store import Store, in_utc, job_of
from .tables import Job, Lease, ReviewRow

JobState = Literal["uploaded", "queued", "running", "stopping", "done", "failed", "cancelled"]
STATES: tuple[JobState, ...] = get_args(JobState)
_BUSY = ("queued", "running", "stopping")
_ENDED = ("done", "failed", "cancelled")
_STARTABLE = ("uploaded", "failed", "cancelled")
_INSERTED = 500  # rows at a time
_KEY = 32  # bytes: AES-256


class JobMisfit(CasecoderError, ValueError):
    """Something that cannot be done with a job as it is now."""

    code = "job.state"


@dataclass(frozen=True)
class StoredJob:
    """A job as it is read back. ``facts`` are numbers and codes; ``error`` and ``notes`` are sentences. ``mapping`` is
    the file from old labels to codes, None where there is none: its name (``name``), that of its sealed file
    (``file``), its size and number of labels."""

    id: str
    coder: str
    created: datetime
    updated: datetime
    queued: datetime | None
    expires: datetime | None
    state: JobState
    facts: Mapping[str, Any]
    file_name: str = field(repr=False)
    options: Mapping[str, Any] | None = field(default=None, repr=False)
    error: str | None = field(default=None, repr=False)
    notes: Sequence[str] = field(default=(), repr=False)
    mapping: Mapping[str, Any] | None = field(default=None, repr=False)
    ahead: int | None = None
    """Jobs that are before it in the queue, where it waits."""


@dataclass(frozen=True)
class ToReview:
    """A row that somebody should look at, and the block of texts that has it. Rows that are to be decided together have
    the same number in ``alike``."""

    row: int
    block: int
    uncertainty: float
    alike: int | None = None


def new_job_id() -> str:
    """An id that nobody guesses."""
    return secrets.token_hex(16)


def new_job_key() -> bytes:
    """A key for the files of a job."""
    return secrets.token_bytes(_KEY)


def create_job(
    store: Store, job_id: str, key: bytes, principal: Principal, *, file_name: str, size: int, days: float
) -> StoredJob:
    """Take in a job whose file lies sealed in its place."""
    at = store.clock()
    row = Job(
        id=job_id,
        key_id=principal.key_id,
        coder=principal.name,
        created=at,
        updated=at,
        queued=None,
        expires=at + timedelta(days=days),
        state="uploaded",
        facts={"bytes": size},
        sealed=_sealed(store, job_id, {"file_name": file_name}),
        sealed_key=store.keyring.seal(key, of=job_of(job_id, "sealed_key")),
    )
    with store.audited(principal.actor, "create job", job=job_id, bytes=size) as session:
        session.add(row)
    return _stored(store, row)


def list_jobs(store: Store, *, limit: int = 200) -> list[StoredJob]:
    """All jobs, the latest first."""
    with store.database.reading() as session:
        rows = session.scalars(select(Job).order_by(Job.created.desc(), Job.id).limit(limit))
        return [_stored(store, row, _ahead(session, row)) for row in rows]


def read_job(store: Store, job_id: str) -> StoredJob | None:
    """One job, None where there is none."""
    with store.database.reading() as session:
        row = session.get(Job, job_id)
        return _stored(store, row, _ahead(session, row)) if row else None


def job_key(store: Store, job_id: str) -> bytes | None:
    """The key of the files of a job; None where there is no such job."""
    with store.database.reading() as session:
        row = session.get(Job, job_id)
        return _key(store, row) if row else None


def note_job(store: Store, job_id: str, principal: Principal, action: str, **facts: object) -> bytes | None:
    """Tell the audit log of what is read of a job, and give the key of its files; None where there is no such job."""
    with store.database.writing() as session:
        row = session.get(Job, job_id)
        if row is None:
            return None
        store.audit.add(session, principal.actor, action, {"job": job_id, **facts}, at=store.clock())
        return _key(store, row)


def start_job(
    store: Store,
    job_id: str,
    principal: Principal,
    options: Mapping[str, Any],
    *,
    same: Callable[[Mapping[str, Any], Mapping[str, Any]], bool] = operator.eq,
) -> StoredJob | None:
    """Put a job into the queue; None where there is none. One that was begun with the ``same`` options goes on where it
    was.

    Raises `JobMisfit` where it waits or runs already, or is done.
    """
    with store.database.writing() as session:
        row = _held(session, job_id)
        if row is None:
            return None
        check_startable(row.state)
        said = _opened(store, row)
        begun = said.get("options")
        anew = bool(row.facts.get("anew")) or (begun is not None and not same(begun, dict(options)))
        chosen = {"mapping": said.get("mapping"), "options": dict(options)}
        row.sealed = _sealed(store, job_id, {"file_name": said["file_name"], **chosen})
        row.facts = {"bytes": row.facts["bytes"], **({"anew": True} if anew else {})}
        row.state, row.expires = "queued", None
        row.updated = row.queued = store.clock()
        store.audit.add(session, principal.actor, "start job", {"job": job_id}, at=store.clock())
        session.flush()
        return _stored(store, row, _ahead(session, row))


def check_startable(state: str) -> None:
    """Raise `JobMisfit` for the state of a job of which nothing can be chosen any more."""
    if state == "done":
        raise JobMisfit("this job is done: bring the file again to have it coded otherwise")
    if state not in _STARTABLE:
        raise JobMisfit("this job was started already: cancel it first, or bring the file again")


def set_mapping(store: Store, job_id: str, principal: Principal, mapping: Mapping[str, Any] | None) -> StoredJob | None:
    """Note which mapping goes with a job, None for none any more; None where there is no such job. What was coded with
    another one is coded anew.

    Raises `JobMisfit` where it waits or runs, or is done.
    """
    with store.database.writing() as session:
        row = _held(session, job_id)
        if row is None:
            return None
        check_startable(row.state)
        said = _opened(store, row)
        row.sealed = _sealed(store, job_id, {**said, "mapping": mapping})
        row.facts = {**row.facts, **({"anew": True} if "options" in said else {})}
        row.updated = store.clock()
        action = "bring mapping" if mapping else "remove mapping"
        store.audit.add(session, principal.actor, action, {"job": job_id}, at=store.clock())
        session.flush()
        return _stored(store, row)


def cancel_job(store: Store, job_id: str, principal: Principal, *, days: float) -> StoredJob | None:
    """Take a job out of the queue, or have it stopped; None where there is none. What it has done stays for a while.

    Raises `JobMisfit` where it neither waits nor runs.
    """
    with store.database.writing() as session:
        row = _held(session, job_id)
        if row is None:
            return None
        if row.state == "queued":
            _end(store, row, "cancelled", days)
        elif row.state == "running":
            row.state, row.updated = "stopping", store.clock()
        elif row.state != "stopping":
            raise JobMisfit("this job neither waits nor runs: there is nothing to cancel")
        store.audit.add(session, principal.actor, "cancel job", {"job": job_id}, at=store.clock())
        session.flush()
        return _stored(store, row)


def jobs_with_keys(store: Store) -> list[tuple[StoredJob, bytes]]:
    """All jobs, the latest first, with the keys of their files."""
    with store.database.reading() as session:
        rows = session.scalars(select(Job).order_by(Job.created.desc(), Job.id))
        return [(_stored(store, row), _key(store, row)) for row in rows]


def delete_job(store: Store, job_id: str, principal: Principal) -> bool:
    """Erase a job with what was decided in its queue; its files are nothing without it. False where there is none.

    Raises `JobMisfit` where it runs.
    """
    with store.database.writing() as session:
        row = _held(session, job_id)
        if row is None:
            return False
        if row.state in ("running", "stopping"):
            raise JobMisfit("this job runs: cancel it, and delete it once it has stopped")
        erase_job(session, store, job_id, principal.actor)
    store.database.forget()
    return True


def erase_expired(store: Store, *, actor: str) -> list[str]:
    """Erase jobs whose time is over; their ids, so that their files are removed as well."""
    with store.database.writing() as session:
        over = list(session.scalars(select(Job.id).where(Job.expires < store.clock(), Job.state.not_in(_BUSY))))
        for job_id in over:
            store.audit.add(session, actor, "erase expired job", {"job": job_id}, at=store.clock())
        session.execute(delete(Job).where(Job.id.in_(over)))
    if over:
        store.database.forget()
    return over


def erase_job(session: Session, store: Store, job_id: str, actor: str) -> None:
    """Erase a job in whatever state it is; one that runs is stopped by its runner, which finds it gone."""
    store.audit.add(session, actor, "delete job", {"job": job_id}, at=store.clock())
    session.execute(delete(Job).where(Job.id == job_id))


def known_jobs(store: Store) -> set[str]:
    """The ids of all jobs."""
    with store.database.reading() as session:
        return set(session.scalars(select(Job.id)))


# What runs the queue


def hold_lease(store: Store, name: str, holder: str, seconds: float) -> bool:
    """Take or keep a lease; False where somebody else has it."""
    now = store.clock()
    until = now + timedelta(seconds=seconds)
    with store.database.writing() as session:
        lease = session.get(Lease, name, with_for_update=True)
        if lease is None:
            session.add(Lease(name=name, holder=holder, until=until))
        elif lease.holder == holder or in_utc(lease.until) < now:
            lease.holder, lease.until = holder, until
        else:
            return False
    return True


def release_lease(store: Store, name: str, holder: str) -> None:
    """Let others have a lease."""
    with store.database.writing() as session:
        session.execute(delete(Lease).where(Lease.name == name, Lease.holder == holder))


def next_job(store: Store) -> StoredJob | None:
    """The job to run: one that was running when its runner ended, else the one that has waited longest, which runs from
    now on. For the holder of the lease alone."""
    with store.database.writing() as session:
        running = select(Job).where(Job.state.in_(("running", "stopping"))).order_by(Job.queued, Job.id).limit(1)
        waiting = select(Job).where(Job.state == "queued").order_by(Job.queued, Job.id).limit(1)
        row = session.scalar(running) or session.scalar(waiting)
        if row is None:
            return None
        if row.state == "queued":
            row.state, row.updated = "running", store.clock()
        return _stored(store, row)


def job_progress(store: Store, job_id: str, facts: Mapping[str, Any]) -> JobState | None:
    """Write down how far a running job is; the state that it is to have. None where it was erased."""
    with store.database.writing() as session:
        row = _held(session, job_id)
        if row is None:
            return None
        if facts:
            row.facts = {**row.facts, **facts}
            row.updated = store.clock()
        return row.state  # type: ignore[return-value]


def finish_job(
    store: Store,
    job_id: str,
    state: JobState,
    *,
    days: float,
    facts: Mapping[str, Any] = {},
    error: str | None = None,
    notes: Sequence[str] = (),
    to_review: Sequence[ToReview] = (),
) -> None:
    """Write down how a job ended, with the rows that somebody should look at: all of it, or nothing."""
    if state not in _ENDED:
        raise ValueError("a job ends done, failed or cancelled")
    with store.database.writing() as session:
        row = _held(session, job_id)
        if row is None:
            return
        said = _opened(store, row)
        row.sealed = _sealed(store, job_id, {**said, "error": error, "notes": list(notes)})
        row.facts = {**row.facts, **facts}
        _end(store, row, state, days)
        session.execute(delete(ReviewRow).where(ReviewRow.job_id == job_id))
        for start in range(0, len(to_review), _INSERTED):
            items = to_review[start : start + _INSERTED]
            session.add_all(ReviewRow(job_id=job_id, state="open", turn=0, **vars(item)) for item in items)
            session.flush()
        session.flush()
        store.audit.add(session, "jobs", "end job", {"job": job_id, "state": state}, at=store.clock())


def _end(store: Store, row: Job, state: JobState, days: float) -> None:
    row.state, row.updated = state, store.clock()
    row.expires = store.clock() + timedelta(days=days)


def _held(session: Session, job_id: str) -> Job | None:
    return session.get(Job, job_id, with_for_update=True)


def _ahead(session: Session, row: Job) -> int | None:
    if row.state != "queued":
        return None
    before = select(func.count()).select_from(Job)
    busy = session.scalar(before.where(Job.state.in_(("running", "stopping")))) or 0
    waiting = session.scalar(before.where(Job.state == "queued", Job.queued < row.queued)) or 0
    return int(busy) + int(waiting)


def _key(store: Store, row: Job) -> bytes:
    return store.keyring.open(row.sealed_key, of=job_of(row.id, "sealed_key"))


def _sealed(store: Store, job_id: str, said: Mapping[str, Any]) -> bytes:
    return store.keyring.seal(json.dumps(said).encode(), of=job_of(job_id, "sealed"))


def _opened(store: Store, row: Job) -> dict[str, Any]:
    return json.loads(store.keyring.open(row.sealed, of=job_of(row.id, "sealed")))  # type: ignore[no-any-return]


def _stored(store: Store, row: Job, ahead: int | None = None) -> StoredJob:
    said = _opened(store, row)
    return StoredJob(
        row.id,
        row.coder,
        in_utc(row.created),
        in_utc(row.updated),
        in_utc(row.queued) if row.queued else None,
        in_utc(row.expires) if row.expires else None,
        row.state,  # type: ignore[arg-type]
        row.facts,
        said["file_name"],
        said.get("options"),
        said.get("error"),
        tuple(said.get("notes") or ()),
        said.get("mapping"),
        ahead,
    )
