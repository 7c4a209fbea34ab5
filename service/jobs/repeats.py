"""Rows that have the very text of a row in the queue: what is decided there holds for them too."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping

from .folders import JobFiles

REPEATS = "repeats"
"""The name of the sealed file with their numbers; a job without any has none."""


def write_repeats(files: JobFiles, job_id: str, key: bytes, repeats: Mapping[int, Iterable[int]]) -> None:
    """Seal the numbers of such rows by that of the row in the queue; what stood there before goes."""
    if not repeats:
        files.drop(job_id, REPEATS)
        return
    content = {str(first): list(rows) for first, rows in repeats.items()}
    files.write(job_id, REPEATS, json.dumps(content).encode("ascii"), key)


def read_repeats(files: JobFiles, job_id: str, key: bytes) -> dict[int, list[int]]:
    """What `write_repeats` took."""
    if not (files.of_job(job_id) / REPEATS).exists():
        return {}
    return {int(first): rows for first, rows in json.loads(files.read(job_id, REPEATS, key)).items()}
