"""One row through the pipeline: its analysis, or why there is none. No row stops the others."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import nullcontext
from threading import Lock

from ..errors import NarrativeError
from ..pipeline import Pipeline
from ..types import Analysis, Narrative
from .shards import ShardRow
from .tables import InputTable, Row, text_of

MAX_WORKERS = 4  # rows worked on at a time; what is Python in them takes turns, so more would only wait
LONG = 100_000  # code points; a text of two million has states of 0.8 GB

Outcome = tuple[Analysis | None, str | None]


def code_row(pipeline: Pipeline, row: ShardRow) -> Analysis | str:
    """The analysis of a row of a shard, or its error."""
    if row.text is None:
        return unreadable(row.number, row.problem or "")
    analysis, error = code_narrative(
        pipeline, Narrative(row.text, case_id=row.case_id, language=row.language, country=row.country)
    )
    return analysis if analysis is not None else str(error)


def code_narrative(pipeline: Pipeline, narrative: Narrative) -> Outcome:
    """The analysis of a narrative, or its error."""
    try:
        return pipeline.analyze_one(narrative), None
    except NarrativeError as error:
        return None, f"{error.code}: {error}"
    # Everything, on purpose: a fault that one text brings out must not cost the hours spent on all others. The message
    # is withheld, since messages of libraries quote their input.
    except Exception as error:
        return None, f"row.failed: internal error ({type(error).__name__})"


def unreadable(number: int, problem: str) -> str:
    """The error of a row whose cells cannot be trusted."""
    return f"row.unreadable: row {number}: {problem}"


def analyze_rows(pipeline: Pipeline, table: InputTable, *, language: str | None) -> Iterator[tuple[Row, Outcome]]:
    """Every row with its analysis, in order. A row a core is worked on at a time, since an encoder computes outside
    of Python's lock; a pipeline without one gains nothing by it."""
    workers = min(MAX_WORKERS, os.cpu_count() or 1) if pipeline.encoder else 1
    one_long = Lock()
    waiting: deque[tuple[Row, Future[Outcome]]] = deque()
    with ThreadPoolExecutor(workers) as pool:
        try:
            for row in table.rows():
                waiting.append(
                    (row, pool.submit(analyze_row, pipeline, table, row, language=language, one_long=one_long))
                )
                if len(waiting) > workers:
                    done, outcome = waiting.popleft()
                    yield done, outcome.result()
            while waiting:
                done, outcome = waiting.popleft()
                yield done, outcome.result()
        finally:
            pool.shutdown(cancel_futures=True)


def analyze_row(
    pipeline: Pipeline, table: InputTable, row: Row, *, language: str | None, one_long: Lock | None = None
) -> Outcome:
    """The analysis of a row of a table, or why there is none. Of texts so long that their states fill memory, those
    that share ``one_long`` wait for each other."""
    if row.problem:
        return None, unreadable(row.number, row.problem)
    identifier = text_of(row.cells[table.id_at]) if table.id_at is not None else ""
    narrative = Narrative(text_of(row.cells[table.text_at]), case_id=identifier or str(row.number), language=language)
    with one_long if one_long and len(narrative.text) > LONG else nullcontext():
        return code_narrative(pipeline, narrative)
