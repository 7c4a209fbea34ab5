"""The local engine: the shards of a plan on the cores of this machine.

A process that dies in a shard is started again, and the shard is run again. A row of which a process died twice, or
that takes longer than it may, is set apart: it gets an error, and the rest goes on.
"""

from __future__ import annotations

import os
import queue
import time
from collections import Counter, defaultdict, deque
from collections.abc import Callable
from pathlib import Path
from typing import Any

from ...errors import OutputError, RunError
from ...reading import MAX_CHARACTERS
from ..coding import LONG
from ..progress import Progress, Tally
from ..receipts import Receipt, standing
from ..shard_run import CRASHED, SLOW, LoadedBundle, run_shard
from ..shards import Plan, Shard
from .process import Events, Worker

FEW_ROWS = 64  # so many are coded sooner than processes start
ROW_SECONDS = 120.0  # for each 50,000 characters of a row that are begun
MAX_STARTS = 3  # processes in a row that end before they are ready
MAX_DEATHS = 100  # since a shard was last finished; more is no fault of single rows

_TICK = 0.5  # seconds between looks at how long rows take
_LONGEST_TICK = 5.0  # a longer one was no work: the machine slept

OnProgress = Callable[[Progress], None]


def run_local(
    work: Path,
    plan: Plan,
    *,
    bundle: Path | LoadedBundle,
    workers: int | None = None,
    row_seconds: float = ROW_SECONDS,
    on_progress: OnProgress = lambda progress: None,
    key: bytes | None = None,
    again: bool = False,
) -> None:
    """Code the shards of a plan that are not done yet.

    ``workers`` are processes, by default one a core. Where one is asked for, and of few rows, this process does the
    work, and nothing guards it from a row that never ends; unless ``again`` says that a row may have stopped an earlier
    run, or that nobody looks on.

    Raises
    ------
    RunError
        Worker processes cannot start, or the work folder or the bundle is not what the plan says.
    OutputError
        A result cannot be written. Shards that are done stay.
    """
    loaded = bundle if isinstance(bundle, LoadedBundle) else LoadedBundle.open(bundle, **_limit(plan))
    found = {shard.number: standing(work, plan, shard) for shard in plan.shards}
    tally = Tally(plan, [receipt for receipt in found.values() if receipt])
    left = [shard for shard in plan.shards if not found[shard.number]]
    count = min(workers or available_cores(), len(left))
    here = loaded.folder is None or (not again and (workers == 1 or sum(shard.rows for shard in left) <= FEW_ROWS))
    if not left:
        on_progress(tally.progress())
    elif here:
        _run_here(work, plan, left, loaded, tally, on_progress, key)
    else:
        assert loaded.folder is not None  # noqa: S101 (said above)
        crew = _Crew(work, plan, loaded.folder, tally, row_seconds, on_progress, key)
        crew.run(left, count)


def available_cores() -> int:
    """How many cores this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _limit(plan: Plan) -> dict[str, Any]:
    return {"max_characters": plan.options["max_characters"]}


def _run_here(
    work: Path,
    plan: Plan,
    left: list[Shard],
    loaded: LoadedBundle,
    tally: Tally,
    on_progress: OnProgress,
    key: bytes | None,
) -> None:
    for shard in left:

        def tell(row: int | None, characters: int, errors: int, shard: Shard = shard) -> None:
            if row is not None and row > shard.first_row:
                tally.work(shard.number, row - shard.first_row, errors)
                on_progress(tally.progress())

        tally.finish(run_shard(work, shard, loaded, on_row=tell, plan=plan, key=key))
        on_progress(tally.progress())


class _Crew:
    """Worker processes, and who does what."""

    def __init__(
        self,
        work: Path,
        plan: Plan,
        bundle: Path,
        tally: Tally,
        row_seconds: float,
        on_progress: OnProgress,
        key: bytes | None,
    ) -> None:
        self._work = work
        self._plan = plan
        self._bundle = bundle
        self._tally = tally
        self._row_seconds = row_seconds
        self._on_progress = on_progress
        self._key = key
        self._events: Events = queue.SimpleQueue()
        self._workers: list[Worker] = []
        self._left: deque[Shard] = deque()
        self._crashes: Counter[int] = Counter()  # by row
        self._apart: defaultdict[int, dict[int, str]] = defaultdict(dict)  # shard -> row -> why
        self._failed_starts = 0
        self._deaths = 0

    def run(self, shards: list[Shard], count: int) -> None:
        """Code the shards with so many processes; none of them is left when this ends, however it ends."""
        self._left.extend(shards)
        try:
            while self._left or any(worker.shard for worker in self._workers):
                self._staff(count)
                self._attend()
        except BaseException:
            for worker in self._workers:
                worker.kill()
            raise
        finally:
            for worker in self._workers:
                worker.end()

    def _staff(self, count: int) -> None:
        """Start processes as long as there is work for them, and give shards to those that have none."""
        busy = sum(worker.shard is not None for worker in self._workers)
        while len(self._workers) < min(count, busy + len(self._left)):
            self._workers.append(Worker.start(self._work, self._bundle, self._key, self._events))
        for worker in self._workers:
            if worker.is_idle and (shard := self._next()):
                worker.code(shard, self._apart[shard.number])

    def _next(self) -> Shard | None:
        """A shard to code. Of those with texts so long that their states fill the memory, one at a time."""
        long_is_open = any(worker.shard and worker.shard.longest > LONG for worker in self._workers)
        for shard in self._left:
            if not (long_is_open and shard.longest > LONG):
                self._left.remove(shard)
                return shard
        return None

    def _attend(self) -> None:
        """Hear what a worker says, or that it has ended, and look after rows that take too long."""
        started = time.monotonic()
        try:
            worker, said = self._events.get(timeout=_TICK)
        except queue.Empty:
            pass
        else:
            if said is None:
                self._bury(worker)
            else:
                self._hear(worker, said)
        self._time(min(time.monotonic() - started, _LONGEST_TICK))

    def _hear(self, worker: Worker, said: dict[str, Any]) -> None:
        event = said.get("event")
        if event == "ready":
            worker.ready = True
            self._failed_starts = 0
        elif event == "failed":
            worker.failure = said
        elif worker.shard is None:
            return
        elif event == "row":
            worker.row, worker.characters, worker.spent = said["row"], said["characters"], 0.0
            done = worker.shard.rows if worker.row is None else worker.row - worker.shard.first_row
            self._tally.work(worker.shard.number, done, said["errors"])
            self._on_progress(self._tally.progress())
        elif event == "done":
            self._tally.finish(Receipt.load(self._work, worker.shard.number))
            worker.shard = worker.row = None
            self._deaths = 0
            self._on_progress(self._tally.progress())

    def _time(self, seconds: float) -> None:
        for worker in self._workers:
            if worker.row is None or worker.shard is None or worker.killed:
                continue
            worker.spent += seconds
            if worker.spent > self._row_seconds * (1 + worker.characters // MAX_CHARACTERS):
                self._apart[worker.shard.number][worker.row] = SLOW
                worker.kill()

    def _bury(self, worker: Worker) -> None:
        """A process has ended: say why if that ends the run, else have its shard coded again."""
        self._workers.remove(worker)
        worker.end()
        if worker.failure:
            raise _error_of(worker.failure)
        if not worker.ready:
            self._failed_starts += 1
            if self._failed_starts >= MAX_STARTS:
                raise RunError(
                    f"worker processes cannot start (the last one: {worker.how_it_ended()}): is there enough memory? "
                    "--workers 1 codes without them, with --restart where the run was begun before"
                )
        if worker.shard:
            self._left.appendleft(worker.shard)
            self._count_death(worker)

    def _count_death(self, worker: Worker) -> None:
        self._deaths += 1
        if self._deaths > MAX_DEATHS:
            raise RunError(
                f"worker processes die again and again (the last one: {worker.how_it_ended()}): is there enough "
                "memory? Fewer of them (--workers) need less"
            )
        if worker.row is not None and worker.shard and not worker.killed:
            self._crashes[worker.row] += 1
            if self._crashes[worker.row] > 1:
                self._apart[worker.shard.number][worker.row] = CRASHED


def _error_of(failure: dict[str, Any]) -> Exception:
    """The error that a worker told of, as one of this process; a sentence only where it is one of ours."""
    if not failure.get("sentence"):
        return RunError(f"a worker process failed ({failure.get('kind')})")
    if failure.get("code") == OutputError.code:
        return OutputError(failure["sentence"])
    return RunError(failure["sentence"])
