"""What people decided on the rows of a job, as a table."""

from __future__ import annotations

import codecs
import csv
import io
from collections.abc import Iterator

from nlp.bulk.values import escape_cell

from ..store.review import decisions_of
from ..store.store import Store

_COLUMNS = ("row", "decision", "codes", "nothing_applies", "decided_by", "decided_at")


def decisions_csv(store: Store, job_id: str) -> Iterator[bytes]:
    """One line a row that was decided or skipped, by the number of the row in the file; codes are divided by ``;``."""
    yield codecs.BOM_UTF8 + _line(_COLUMNS)
    for item in decisions_of(store, job_id):
        yield _line(
            (
                str(item.row),
                item.act,
                ";".join(code for _, code in item.chosen),
                ";".join(item.nothing),
                escape_cell(item.by),
                f"{item.at:%Y-%m-%d %H:%M:%S}",
            )
        )


def _line(cells: tuple[str, ...]) -> bytes:
    stream = io.StringIO()
    csv.writer(stream, lineterminator="\r\n").writerow(cells)
    return stream.getvalue().encode()
