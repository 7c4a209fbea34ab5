"""The process that looks at a file before it is coded: its columns and first rows, what a run would bring, or whether
a mapping can be used.

Files of strangers are opened here and not where people are answered: one that is made to do harm harms this process.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Literal

from nlp.bulk.dry_run import dry_run
from nlp.bulk.mapping import load_mapping
from nlp.bulk.shard_run import LoadedBundle
from nlp.bulk.tables import Row, open_input, text_of
from nlp.errors import CasecoderError, TableError
from nlp.types import Analysis

from .children import ChildFailed, be_child
from .folders import JobFiles, Plain, plain_files, plain_folder, plain_mapping
from .options import JobOptions, in_our_words
from .tasks import Task

MEMORY = 1_500_000_000  # bytes; a trial with the default bundle takes less than half of that
ROWS = 5  # first rows that are shown
SAMPLE = 40  # rows that are coded on trial
_CELL = 200  # characters of a cell that are shown
_COLUMNS = 200
_EXAMPLES = 3

Look = Literal["preview", "dry-run", "mapping"]


@dataclass(frozen=True)
class LookingTask(Task):
    """What is to be looked at, and how. ``mapping`` is the name of the sealed file from old labels to codes."""

    look: Look
    folder: Path
    job_id: str
    key: bytes = field(repr=False)
    ending: str
    options: JobOptions = field(repr=False)
    bundle: str | None = None
    workers: int = 1
    mapping: str | None = None


def main() -> None:
    """What the process does."""
    be_child(lambda task, tell: tell(event="done", **look(LookingTask.from_json(task))), memory=MEMORY)


def look(task: LookingTask, *, loaded: LoadedBundle | None = None) -> dict[str, Any]:
    """What there is to see. Raises `ChildFailed` with the sentence of whoever could not read the file."""
    files = JobFiles(task.folder)
    if task.look == "mapping":
        return _mapping(task, files, loaded or LoadedBundle.open(task.bundle))
    mapping = task.mapping if task.look == "dry-run" else None
    with (
        plain_files(files, task.job_id, task.key, ending=task.ending, mapping=mapping, room=2.0) as plain,
        _telling({plain.source: "the file"}),
    ):
        if task.look == "preview":
            return _preview(plain.source, task.options)
        return _dry_run(plain, task, loaded or LoadedBundle.open(task.bundle, precision=task.options.precision))


@contextmanager
def _telling(places: Mapping[Path, str] = {}) -> Iterator[None]:
    try:
        yield
    except CasecoderError as error:
        raise ChildFailed(error.code, in_our_words(str(error), places)) from None


def _mapping(task: LookingTask, files: JobFiles, loaded: LoadedBundle) -> dict[str, Any]:
    """How many labels a mapping has; every line of it is checked against the codebook."""
    with plain_folder(0) as folder, _telling():
        path = plain_mapping(files, task.job_id, task.key, str(task.mapping), folder)
        found = load_mapping(path, loaded.codebook)
    return {"labels": len(found.meanings), "set_aside": found.set_aside}


def _preview(source: Path, options: JobOptions) -> dict[str, Any]:
    """Columns and first rows, also where it is not clear which column is the narrative."""
    wanted = options.for_reading()
    anyhow = replace(wanted, text_column=1)
    problem = None
    for attempt in (wanted, anyhow, replace(anyhow, header=True)):
        try:
            table = open_input(source, attempt)
            break
        except TableError as error:
            problem = problem or str(error)
    else:
        raise TableError(problem)
    with table:
        rows = [_shown(row) for row, _ in zip(table.rows(), range(ROWS), strict=False)]
        return {
            "columns": list(table.columns[:_COLUMNS]),
            "text_column": None if problem else table.text_at + 1,
            "id_column": None if problem or table.id_at is None else table.id_at + 1,
            "rows": rows,
            "notes": [] if problem else list(map(in_our_words, table.notes)),
            "problem": problem and in_our_words(problem),
        }


def _shown(row: Row) -> dict[str, Any]:
    cells = [text_of(cell)[: _CELL + 1] for cell in row.cells[:_COLUMNS]]
    short = [cell if len(cell) <= _CELL else f"{cell[:_CELL]}…" for cell in cells]
    return {"row": row.number, "cells": [_sound(cell) for cell in short], "problem": row.problem}


def _sound(cell: str) -> str:
    """A text that JSON and HTML can hold."""
    return cell.encode("utf-8", "replace").decode()


def _dry_run(plain: Plain, task: LookingTask, loaded: LoadedBundle) -> dict[str, Any]:
    """Read the whole table, code a sample that is spread over it, and say what all of it would bring."""
    found = dry_run(
        loaded,
        plain.source,
        options=task.options.for_reading(),
        legacy=task.options.legacy(plain.mapping),
        size=SAMPLE,
        examples=_EXAMPLES,
        scratch=plain.folder,
    )
    return {
        **found.to_json(workers=max(1, task.workers)),
        "examples": [_example(number, analysis) for number, analysis in found.examples],
        "notes": list(map(in_our_words, found.notes)),
    }


def _example(number: int, analysis: Analysis) -> Mapping[str, Any]:
    suggested = [
        {"axis": item.axis, "code": item.code, "probability": round(item.probability, 4), "decision": item.decision}
        for item in analysis.suggestions
        if item.suggested
    ]
    return {"row": number, "redacted_text": analysis.redaction.text[:2000], "suggestions": suggested}


if __name__ == "__main__":
    main()
