"""Bulk coding: one output row for each input row, in order, whatever happens to a row on its way."""

from __future__ import annotations

import os
import time
from collections import Counter, deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import nullcontext
from dataclasses import dataclass, field
from pathlib import Path
from threading import Lock

from ..errors import LanguageNotServed, NarrativeError, TableError
from ..pipeline import Pipeline
from ..reading import normal_language
from ..types import Analysis, Narrative
from .layout import layout_for
from .stopping import stopping_in_order
from .tables import InputOptions, InputTable, Row, open_input, open_output, text_of

MAX_WORKERS = 4  # rows worked on at a time; what is Python in them takes turns, so more would only wait
LONG = 100_000  # code points; a text of two million has states of 0.8 GB
BULK_MAX_CHARACTERS = 2_000_000  # code points of one cell; legacy files hold whole case files in one cell now and then


@dataclass(frozen=True)
class Progress:
    """How far a run is: rows done, rows with an error, share of the input read (or None), seconds since the start."""

    rows: int
    errors: int
    share: float | None
    seconds: float

    @property
    def rate(self) -> float:
        """Rows a second so far."""
        return self.rows / self.seconds if self.seconds else 0.0

    @property
    def seconds_left(self) -> float | None:
        """Estimated from the share read so far; None before there is one."""
        return self.seconds * (1 - self.share) / self.share if self.share else None


@dataclass
class Report:
    """What a run did: counts by code and decision, errors by kind, and sentences worth telling. No text of any row."""

    rows: int = 0
    errors: Counter[str] = field(default_factory=Counter)
    decisions: Counter[tuple[str, str, str]] = field(default_factory=Counter)  # axis, code, decision
    notes: list[str] = field(default_factory=list)
    preview: list[tuple[int, Analysis | None, str | None]] = field(default_factory=list, repr=False)
    seconds: float = 0.0


def run_bulk(
    pipeline: Pipeline,
    source: Path,
    target: Path,
    *,
    options: InputOptions | None = None,
    all_codes: bool = False,
    keep_text: bool = False,
    language: str | None = None,
    preview: int = 0,
    on_progress: Callable[[Progress], None] = lambda progress: None,
) -> Report:
    """Code every row of a table into another one.

    The output appears whole or not at all; a file that stood there before is kept beside it with the ending ``.bak``,
    or ``.bak2`` and so on. Rows that cannot be analyzed get an ``error`` and no text; of rows that cannot even be read,
    no cell is copied unless the text is kept.

    Raises
    ------
    LanguageNotServed
        ``language`` is none of the bundle's. Nothing was read.
    TableError
        The input cannot be read, or a column or sheet has to be chosen.
    OutputError
        The output cannot be written. Nothing of it is left.
    """
    if target.exists() and source.exists() and target.samefile(source):
        raise TableError("input and output are the same file: give the output another name")
    stated = normal_language(language)
    if stated and stated not in pipeline.reader.languages:
        raise LanguageNotServed(stated, pipeline.reader.languages)
    report = Report()
    started = time.monotonic()
    with stopping_in_order(), open_input(source, options or InputOptions()) as table:
        layout = layout_for(target, table, pipeline.codebook, all_codes=all_codes, keep_text=keep_text)
        report.notes += [*table.notes, *layout.notes]
        with open_output(
            target,
            layout.columns,
            schema=layout.arrow_types,
            delimiter=table.delimiter or ",",
            keep_earlier=True,
        ) as out:
            for row, (analysis, error) in analyze_rows(pipeline, table, language=language):
                out.write(layout.cells(row, analysis, error))
                _count(report, row, analysis, error, preview)
                on_progress(Progress(report.rows, report.errors.total(), table.progress(), time.monotonic() - started))
            if not report.rows:
                raise TableError("the input has no rows: nothing was written")
        report.notes += out.warnings
    report.seconds = time.monotonic() - started
    return report


Outcome = tuple[Analysis | None, str | None]


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
    """The analysis of a row, or why there is none. Of texts so long that their states fill memory, those that share
    ``one_long`` wait for each other."""
    if row.problem:
        return None, f"row.unreadable: row {row.number}: {row.problem}"
    identifier = text_of(row.cells[table.id_at]) if table.id_at is not None else ""
    narrative = Narrative(text_of(row.cells[table.text_at]), case_id=identifier or str(row.number), language=language)
    try:
        with one_long if one_long and len(narrative.text) > LONG else nullcontext():
            return pipeline.analyze_one(narrative), None
    except NarrativeError as error:
        return None, f"{error.code}: {error}"
    # Everything, on purpose: a fault that one text brings out must not cost the hours spent on all others. The message
    # is withheld, since messages of libraries quote their input.
    except Exception as error:
        return None, f"row.failed: internal error ({type(error).__name__})"


def _count(report: Report, row: Row, analysis: Analysis | None, error: str | None, preview: int) -> None:
    report.rows += 1
    if len(report.preview) < preview:
        report.preview.append((row.number, analysis, error))
    if error is not None:
        report.errors[error.split(":")[0]] += 1
    if analysis is not None:
        report.decisions.update(
            (item.axis, item.code, item.decision) for item in analysis.suggestions if item.decision != "none"
        )
