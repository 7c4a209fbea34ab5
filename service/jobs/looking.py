"""The process that looks at a file before it is coded: its columns and first rows, or what a run would bring.

Files of strangers are opened here and not where people are answered: one that is made to do harm harms this process.
"""

from __future__ import annotations

import base64
import time
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Literal

from nlp.bulk.coding import code_row
from nlp.bulk.sampling import Forecast, SystematicSample
from nlp.bulk.shard_run import LoadedBundle
from nlp.bulk.shards import ShardRow
from nlp.bulk.tables import InputTable, Row, open_input, text_of
from nlp.bulk.taking import ChosenColumns
from nlp.errors import CasecoderError, TableError
from nlp.types import Analysis

from .children import ChildFailed, be_child
from .coding import INPUT
from .folders import JobFiles, plain_folder
from .options import JobOptions

ROWS = 5  # first rows that are shown
SAMPLE = 40  # rows that are coded on trial
_CELL = 200  # characters of a cell that are shown
_COLUMNS = 200
_EXAMPLES = 3

Look = Literal["preview", "dry-run"]


@dataclass(frozen=True)
class LookingTask:
    """What is to be looked at, and how."""

    look: Look
    folder: Path
    job_id: str
    key: bytes = field(repr=False)
    ending: str
    options: JobOptions = field(repr=False)
    bundle: str | None = None
    workers: int = 1

    def to_json(self) -> dict[str, Any]:
        """For the line that the process reads first."""
        return {
            **vars(self),
            "folder": str(self.folder),
            "key": base64.b64encode(self.key).decode(),
            "options": self.options.to_json(),
        }

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> LookingTask:
        """What `to_json` gave."""
        return cls(
            **{
                **data,
                "folder": Path(data["folder"]),
                "key": base64.b64decode(data["key"]),
                "options": JobOptions.from_json(data["options"]),
            }
        )


def main() -> None:
    """What the process does."""
    be_child(lambda task, tell: tell(event="done", **look(LookingTask.from_json(task))))


def look(task: LookingTask, *, loaded: LoadedBundle | None = None) -> dict[str, Any]:
    """What there is to see. Raises `ChildFailed` with the sentence of whoever could not read the file."""
    files = JobFiles(task.folder)
    with files.open(task.job_id, INPUT, task.key) as sealed:
        size = sealed.size
    with plain_folder(size) as folder:
        source = folder / f"{INPUT}{task.ending}"
        files.copy_plain(task.job_id, INPUT, task.key, source)
        try:
            if task.look == "preview":
                return _preview(source, task.options)
            return _dry_run(source, task, loaded or LoadedBundle.open(task.bundle))
        except CasecoderError as error:
            raise ChildFailed(error.code, str(error).replace(str(source), "the file")) from None


def _preview(source: Path, options: JobOptions) -> dict[str, Any]:
    """Columns and first rows, also where it is not clear which column is the narrative."""
    wanted = options.for_reading()
    anyhow = replace(wanted, text_column="1")
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
            "notes": [] if problem else list(table.notes),
            "problem": problem,
        }


def _shown(row: Row) -> dict[str, Any]:
    cells = [text_of(cell)[: _CELL + 1] for cell in row.cells[:_COLUMNS]]
    short = [cell if len(cell) <= _CELL else f"{cell[:_CELL]}…" for cell in cells]
    return {"row": row.number, "cells": [_sound(cell) for cell in short], "problem": row.problem}


def _sound(cell: str) -> str:
    """A text that JSON and HTML can hold."""
    return cell.encode("utf-8", "replace").decode()


def _dry_run(source: Path, task: LookingTask, loaded: LoadedBundle) -> dict[str, Any]:
    """Read the whole table, code a sample that is spread over it, and say what all of it would bring."""
    with open_input(source, task.options.for_reading()) as table:
        taking = task.options.choose(table, loaded.languages)
        sample, unreadable, empty = _sampled(table, taking)
        forecast = Forecast(loaded.pipeline.policy.auto_precision)
        examples: list[Mapping[str, Any]] = []
        for row in sample.items():
            outcome, seconds = _timed(loaded, row)
            analysis = outcome if isinstance(outcome, Analysis) else None
            forecast.add(analysis, {}, seconds=seconds, error=outcome if isinstance(outcome, str) else None)
            if analysis and len(examples) < _EXAMPLES:
                examples.append(_example(row, analysis))
        return {
            "unreadable": unreadable,
            "empty": empty,
            "forecast": forecast.to_json(rows=sample.seen, workers=max(1, task.workers)),
            "examples": examples,
            "notes": [*table.notes, *taking.notes, *taking.warnings],
        }


def _sampled(table: InputTable, taking: ChosenColumns) -> tuple[SystematicSample[ShardRow], int, int]:
    sample = SystematicSample[ShardRow](f"{len(table.columns)}", SAMPLE)
    unreadable = empty = 0
    for row in table.rows():
        taken = taking.take(row)
        unreadable += taken.text is None
        empty += taken.text is not None and not taken.text.strip()
        sample.offer(taken)
    if not sample.seen:
        raise TableError("the input has no rows")
    return sample, unreadable, empty


def _timed(loaded: LoadedBundle, row: ShardRow) -> tuple[Analysis | str, float]:
    pipeline = loaded.pipeline  # loading it is no work of this row
    started = time.perf_counter()
    return code_row(pipeline, row), time.perf_counter() - started


def _example(row: ShardRow, analysis: Analysis) -> Mapping[str, Any]:
    suggested = [
        {"axis": item.axis, "code": item.code, "probability": round(item.probability, 4), "decision": item.decision}
        for item in analysis.suggestions
        if item.suggested
    ]
    return {"row": row.number, "redacted_text": analysis.redaction.text[:2000], "suggestions": suggested}


if __name__ == "__main__":
    main()
