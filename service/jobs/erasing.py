"""A case that is to be erased wherever it is kept: among the decisions, in queues of review, in files of bulk jobs.

A file of a job cannot be changed: it is sealed as a whole, and holds other cases too. So jobs that hold the case are
told, and deleted where that is asked for; what stands in their queues on the case goes in any event.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from sqlalchemy.orm import Session

from ..store.feedback import erase_case
from ..store.jobs import StoredJob, erase_job, jobs_with_keys
from ..store.review import erase_rows
from ..store.store import Store
from .cases import erase_texts, rows_of_case
from .folders import JobFiles

DECIDED = "decided"
"""The coded file with what people decided, which is made anew whenever somebody fetches it."""


@dataclass(frozen=True)
class HoldingJob:
    """A job whose files hold the case, or may hold it where that cannot be known (``is_sure``)."""

    job: StoredJob
    is_sure: bool
    deleted: bool = False


@dataclass(frozen=True)
class Erased:
    """What went of a case: decisions, rows of queues; and the jobs that hold it, or may."""

    decisions: int
    rows: int
    jobs: tuple[HoldingJob, ...]

    @property
    def kept(self) -> int:
        """How many jobs hold the case for sure, and are still there."""
        return sum(one.is_sure and not one.deleted for one in self.jobs)

    @property
    def is_found(self) -> bool:
        """Whether anything is or was kept of the case."""
        return bool(self.decisions or self.rows or any(one.is_sure for one in self.jobs))


def erase_everywhere(store: Store, files: JobFiles, case_id: str, *, actor: str, delete_jobs: bool) -> Erased:
    """Erase a case; with ``delete_jobs`` also the jobs whose file has it, with all that is in them."""
    found = [(job, key, rows_of_case(files, job.id, key, case_id)) for job, key in jobs_with_keys(store)]
    holding = [(job, key, rows) for job, key, rows in found if rows]
    erased = 0

    def also(session: Session) -> Collection[str]:
        nonlocal erased
        decisions: list[str] = []
        for job, key, rows in holding:
            count, decided = erase_rows(session, store, job.id, rows)
            if count:
                store.audit.add(session, actor, "erase job rows", {"job": job.id, "rows": count}, at=store.clock())
            if delete_jobs:
                erase_job(session, store, job.id, actor)
            else:  # as long as the log is held: of two erasures at once none brings back what the other took out
                erase_texts(files, job.id, key, set(rows))
            erased += count
            decisions += decided
        return decisions

    decisions = erase_case(store, case_id, actor=actor, also=also)
    for job, _, _ in holding:
        if delete_jobs:
            files.remove(job.id)
        else:
            (files.of_job(job.id) / DECIDED).unlink(missing_ok=True)
    told = (HoldingJob(job, rows is not None, bool(rows) and delete_jobs) for job, _, rows in found if rows != [])
    return Erased(decisions, erased, tuple(told))
