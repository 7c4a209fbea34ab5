"""Which cases the rows of a file are, so that one that is to be erased is found: hashes, sealed among the job's files.

They are keyed with the key of the job. So nobody who takes the hashes of two jobs, or of a job and of the decisions,
can tell that they have a case in common.
"""

from __future__ import annotations

import hmac
import json
import re
from collections.abc import Callable, Collection, Mapping, Sequence
from pathlib import Path

from nlp.bulk.shards import ShardRow
from nlp.bulk.tables import Row, text_of, unescape_cell

from ..errors import StoreError
from ..store.store import plain_case
from .folders import JobFiles

CASES = "cases"
_MARK = 16  # bytes of a hash
_NUMBER = 4  # bytes of the number of a row
_ENTRY = _MARK + _NUMBER
_BLOCK = re.compile(r"review-[0-9]+")


class CaseMarks:
    """Notes the case of each row while a table is read; ``id_at`` tells, once it is open, where ids of cases are.

    Rows whose cells cannot be trusted, or that have no id, are not noted. Of a table without ids there is no file.
    """

    def __init__(self, files: JobFiles, job_id: str, key: bytes, id_at: Callable[[], Sequence[int]]) -> None:
        self._files = files
        self._job_id = job_id
        self._key = key
        self._id_at = id_at
        self._entries = bytearray()

    def see(self, row: Row, taken: ShardRow) -> None:
        """See `prepare.RowWatcher`."""
        for at in self._id_at():
            if row.problem is None and (mark := _mark(self._key, text_of(row.cells[at]))):
                self._entries += mark + row.number.to_bytes(_NUMBER, "big")

    def save(self, work: Path, key: bytes | None) -> Mapping[str, str]:
        """See `prepare.RowWatcher`."""
        if self._id_at():
            self._files.write(self._job_id, CASES, bytes(self._entries), self._key)
        else:
            (self._files.of_job(self._job_id) / CASES).unlink(missing_ok=True)  # of a run with other columns
        return {}

    def close(self) -> None:
        """See `prepare.RowWatcher`."""


def rows_of_case(files: JobFiles, job_id: str, key: bytes, case_id: str) -> list[int] | None:
    """The rows of a file that are of a case. None where nobody knows: the file is not read yet, has no ids, or does not
    lie on this machine."""
    try:
        entries = files.read(job_id, CASES, key)
    except StoreError:
        return None
    mark = _mark(key, case_id)
    found: list[int] = []
    at = entries.find(mark) if mark else -1
    while at >= 0:
        if at % _ENTRY == 0:
            found.append(int.from_bytes(entries[at + _MARK : at + _ENTRY], "big"))
        at = entries.find(mark, at + 1)
    return found


def erase_texts(files: JobFiles, job_id: str, key: bytes, rows: Collection[int]) -> None:
    """Take rows out of the texts that somebody should look at."""
    for path in sorted(files.of_job(job_id).glob("review-*")):
        if not _BLOCK.fullmatch(path.name):
            continue
        items = json.loads(files.read(job_id, path.name, key))
        kept = [item for item in items if item["row"] not in rows]
        if len(kept) < len(items):
            files.write(job_id, path.name, json.dumps(kept).encode(), key)


def _mark(key: bytes, case_id: str) -> bytes:
    """The hash of a case id; empty for that of no case. The apostrophe that our tables have before what looks like a
    formula makes no difference: a file may be one of them."""
    plain = plain_case(unescape_cell(case_id))
    if not plain:
        return b""
    return hmac.digest(key, b"casecoder case\0" + plain.encode("utf-8", "surrogatepass"), "sha256")[:_MARK]
