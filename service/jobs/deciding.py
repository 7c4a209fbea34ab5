"""The process that puts what people decided into a coded file: a new one, sealed beside that which the run wrote."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar

from nlp.bulk.amending import Cells, amend

from .children import ChildFailed, ask_child, be_child
from .erasing import DECIDED
from .folders import OUTPUT, JobFiles, plain_folder, sweep_plain
from .tasks import Task

_ROOM = 2  # times the size of the coded file that it and the new one take
_SECONDS = 900.0  # for the largest file


@dataclass(frozen=True)
class DecidingTask(Task):
    """What is to be put where; ``ending`` is that of the coded file, with its dot."""

    folder: Path
    job_id: str
    key: bytes = field(repr=False)
    ending: str
    cells: Cells = field(repr=False)
    delimiter: str | None = None

    _READ: ClassVar[Mapping[str, Callable[[Any], Any]]] = {
        **Task._READ,
        "cells": lambda cells: {int(row): of_row for row, of_row in cells.items()},
    }


def main() -> None:
    """What the process does."""
    be_child(lambda task, tell: tell(event="done", bytes=decide_file(DecidingTask.from_json(task))))


def decide_file(task: DecidingTask) -> int:
    """Write the file with the decisions; its size."""
    files = JobFiles(task.folder)
    with files.open(task.job_id, OUTPUT, task.key) as sealed:
        size = sealed.size
    with plain_folder(_ROOM * size) as folder:
        coded, decided = folder / f"coded{task.ending}", folder / f"decided{task.ending}"
        files.copy_plain(task.job_id, OUTPUT, task.key, coded)
        amend(coded, decided, task.cells, delimiter=task.delimiter)
        return files.take_in(decided, task.job_id, DECIDED, task.key)


def decide_apart(task: DecidingTask) -> Any:
    """The same in a process of its own."""
    try:
        return ask_child("service.jobs.deciding", task.to_json(), seconds=_SECONDS)
    except ChildFailed:
        sweep_plain()  # one that was killed has left its files in plain
        raise


if __name__ == "__main__":
    main()
