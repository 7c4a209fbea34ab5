"""What is erased when its time is over."""

from __future__ import annotations

from ..store.jobs import erase_expired, known_jobs
from ..store.store import Store
from .folders import JobFiles


def sweep_jobs(store: Store, files: JobFiles, *, actor: str) -> int:
    """Erase jobs whose time is over, and files that no job has any more; how many jobs they were."""
    expired = erase_expired(store, actor=actor)
    for job_id in expired:
        files.remove(job_id)
    files.sweep(known_jobs(store))
    return len(expired)
