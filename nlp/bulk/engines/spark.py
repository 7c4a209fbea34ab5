"""The Spark engine: the shards of a plan on the machines of a cluster, by the same `run_shard` as everywhere.

Spark only says which machine codes which shard. Numbers of shards and paths cross it, and what became of a shard; texts
and results lie in the work folder, which all machines see at one path. docs/spark.md says how to set it up.
"""

from __future__ import annotations

import os
import re
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path
from typing import Any

from ...errors import OutputError, RunError
from ..progress import Progress, Tally
from ..receipts import Receipt, standing
from ..shard_run import LoadedBundle
from ..shards import Plan, Shard
from . import spark_task
from .spark_session import spark_context
from .spark_settings import SparkSettings, attempts, is_local

MAX_TASKS = 20_000  # of one job: a driver keeps facts about each of them

_TICK = 0.5  # seconds between looks at how far the run is
_SIGHT = 90.0  # seconds for a receipt of another machine to be seen; NFS keeps what it knows of a folder for a minute
_READERS = 8  # results of an earlier run that are checked at a time
_MISSING = re.compile(r"ModuleNotFoundError: No module named '([A-Za-z0-9_.]+)'")

OnProgress = Callable[[Progress], None]


def run_spark(
    work: Path,
    plan: Plan,
    *,
    bundle: Path | LoadedBundle,
    settings: SparkSettings | None = None,
    on_progress: OnProgress = lambda progress: None,
) -> None:
    """Code the shards of a plan that are not done yet, on Spark.

    Raises
    ------
    BackendUnavailable
        pyspark or Java is missing.
    RunError
        Spark is set up too openly, cannot be reached, or a node does not see the same files; or a shard failed again
        and again. Shards that are done stay.
    OutputError
        A result cannot be written.
    """
    settings = settings or SparkSettings()
    work = Path(os.path.abspath(work))  # noqa: PTH100 (links may lead elsewhere on other machines: they stay as they are)
    folder = _folder(bundle, plan)
    done = _standing(work, plan)
    receipts = [receipt for receipt in done.values() if receipt]
    left = [shard for shard in plan.shards if not done[shard.number]]
    if not left:
        on_progress(Tally(plan, receipts).progress())
        return
    with _log(work) as log, spark_context(settings, log) as context, _marker(work, plan) as nonce:
        run = _Run(context, work, plan, log, settings.patience)
        order = spark_task.Order(
            work=os.fspath(work),
            bundle=os.path.abspath(folder),  # noqa: PTH100 (the same)
            plan=plan.digest,
            nonce=nonce,
            row_seconds=settings.row_seconds,
            attempts=attempts(context.master, context.getConf().get),
            key_file=os.path.abspath(settings.key_file) if settings.key_file else None,  # noqa: PTH100 (the same)
        )
        run.check_nodes(order)
        tally = Tally(plan, receipts)  # from now on, so that rows a second are told without Spark's start
        on_progress(tally.progress())
        for start in range(0, len(left), MAX_TASKS):
            run.code(order, left[start : start + MAX_TASKS], tally, on_progress)


class _Run:
    """A run on a context of Spark: what was ordered, and what came of it."""

    def __init__(self, context: Any, work: Path, plan: Plan, log: Path, patience: float) -> None:
        self._context = context
        self._work = work
        self._plan = plan
        self._log = log
        self._patience = patience
        self._lonely_since: float | None = None

    def check_nodes(self, order: spark_task.Order) -> None:
        """Wait for machines, and have each of them say that it can work. One that joins later says so before its first
        shard."""
        while not self._machines():
            self._be_patient()
            time.sleep(_TICK)
        # As many tasks as there are cores reach every machine: Spark gives them all out at once.
        found = self._watch(self._context.defaultParallelism, partial(spark_task.check, order), lambda outcomes: None)
        _refuse(found)

    def code(self, order: spark_task.Order, shards: Sequence[Shard], tally: Tally, on_progress: OnProgress) -> None:
        """Have shards coded, and count the receipts of those that are."""
        left = {shard.number: shard for shard in shards}
        told: set[int] = set()

        def count(outcomes: Sequence[spark_task.Outcome]) -> None:
            _refuse(outcomes)
            told.update(outcome.shard for outcome in outcomes)
            for receipt in self._seen([left[number] for number in sorted(told & left.keys())]):
                tally.finish(receipt)
                del left[receipt.shard]
                on_progress(tally.progress())

        self._watch(len(shards), partial(spark_task.code, order, tuple(left)), count)
        told.update(left)
        until = time.monotonic() + _SIGHT
        while left and time.monotonic() < until:
            time.sleep(_TICK)
            count([])
        if left:
            raise RunError(
                f"{len(left):,} shard(s) were coded, but their receipts are not in {self._work}: is it the same folder "
                "on all nodes?"
            )

    def _seen(self, shards: Sequence[Shard]) -> Iterator[Receipt]:
        """The receipts of shards, as far as they can be seen on this machine by now."""
        for shard in shards:
            with suppress(RunError):
                receipt = Receipt.load(self._work, shard.number)
                if not receipt.complaint(self._plan, shard):
                    yield receipt

    def _watch(
        self,
        tasks: int,
        task: Callable[[int], spark_task.Outcome],
        see: Callable[[Sequence[spark_task.Outcome]], None],
    ) -> list[spark_task.Outcome]:
        """Run so many tasks on the cluster, and see what becomes of them while they run; the job ends with this."""
        outcomes = self._context.accumulator([], spark_task.Gathered())
        job = _Job(self._context, tasks, partial(spark_task.tell, task, outcomes))
        seen = 0
        while True:
            ended = job.wait(_TICK)
            gathered = outcomes.value[seen:]
            seen += len(gathered)
            see(gathered)
            if ended:
                break
            self._be_patient()
        job.check(self._log)
        found: list[spark_task.Outcome] = outcomes.value
        return found

    def _machines(self) -> int:
        """How many processes of Spark are there to code. Raises `RunError` where Spark has ended."""
        try:
            java = self._context._jsc.sc()
            stopped = java.isStopped()
            known = 0 if stopped else len(java.statusTracker().getExecutorInfos())
        except Exception as error:  # py4j's
            raise RunError(f"Spark's process has ended ({type(error).__name__}); {self._log} says more") from None
        if stopped:
            raise RunError(
                f"Spark has given up {self._context.master}: its master does not answer, has ended the run, or has "
                f"another secret; {self._log} says more"
            )
        return known if is_local(self._context.master) else max(known - 1, 0)  # the driver is one of them

    def _be_patient(self) -> None:
        """Raise `RunError` if there has been nobody to work for too long."""
        if self._machines():
            self._lonely_since = None
            return
        self._lonely_since = self._lonely_since or time.monotonic()
        if time.monotonic() - self._lonely_since > self._patience:
            raise RunError(
                f"no node of the cluster has joined for {self._patience:,.0f} seconds: has it free cores and memory, "
                f"do its nodes reach this machine, and have they the same secret? {self._log} says more"
            )


class _Job:
    """A job of Spark in a thread of its own, since Spark's call comes back only at its end."""

    def __init__(self, context: Any, tasks: int, task: Callable[[int], None]) -> None:
        self._error: BaseException | None = None
        self._thread = threading.Thread(target=self._run, args=(context, tasks, task), daemon=True)
        self._thread.start()

    def wait(self, seconds: float) -> bool:
        """Whether it has ended after so many seconds."""
        self._thread.join(seconds)
        return not self._thread.is_alive()

    def check(self, log: Path) -> None:
        """Raise `RunError` where Spark gave up."""
        if self._error is None:
            return
        said = ""
        with suppress(Exception):  # Java is asked for it, which may have ended
            said = str(self._error)  # a trace of Java and Python, which no text of a row has been near
        if found := _MISSING.search(said):
            raise RunError(
                f"the Python of the nodes does not find {found[1]}: install casecoder with [spark] there, and name "
                "that Python by PYSPARK_PYTHON"
            ) from None
        if "PYTHON_VERSION_MISMATCH" in said:
            raise RunError(
                "the nodes have another version of Python: name the right one by PYSPARK_PYTHON, at a path that is the "
                "same on all of them"
            ) from None
        raise RunError(f"Spark gave up ({type(self._error).__name__}); {log} says more") from None

    def _run(self, context: Any, tasks: int, task: Callable[[int], None]) -> None:
        try:
            context.parallelize(range(tasks), tasks).foreach(task)
        except BaseException as error:  # told by `check`
            self._error = error


def _refuse(outcomes: Sequence[spark_task.Outcome]) -> None:
    """Raise the error of the first task that failed, as one of this process."""
    for outcome in outcomes:
        if outcome.kind is None:
            continue
        if outcome.sentence is None:
            raise RunError(f"shard {outcome.shard} failed on a node ({outcome.kind})")
        if outcome.code == OutputError.code:
            raise OutputError(outcome.sentence)
        raise RunError(outcome.sentence)


def _folder(bundle: Path | LoadedBundle, plan: Plan) -> Path:
    loaded = (
        bundle
        if isinstance(bundle, LoadedBundle)
        else LoadedBundle.open(bundle, max_characters=plan.options["max_characters"])
    )
    if loaded.digest != plan.bundle_digest:
        raise RunError(
            f"the bundle is not the one that this run was begun with ({plan.bundle_name}): put that one back, or begin "
            "anew with --restart"
        )
    if loaded.folder is None:
        raise RunError("a pipeline that was made in memory cannot be loaded by other machines: give a bundle")
    return loaded.folder


def _standing(work: Path, plan: Plan) -> dict[int, Receipt | None]:
    """The receipts of shards that are done and sound. Results are read whole for that, several at a time."""
    with ThreadPoolExecutor(_READERS) as pool:
        found = pool.map(partial(standing, work, plan), plan.shards)
        return dict(zip((shard.number for shard in plan.shards), found, strict=True))


@contextmanager
def _marker(work: Path, plan: Plan) -> Iterator[str]:
    """A file in the work folder that tells nodes that they see this very folder."""
    try:
        yield spark_task.write_marker(work, plan)
    finally:
        with suppress(OSError):
            (work / spark_task.MARKER).unlink()


@contextmanager
def _log(work: Path) -> Iterator[Path]:
    """Where Spark's words go: beside the work folder, which is removed when nothing is done in it. The file stays only
    where an error names it."""
    log = work.with_name(f"{work.name}.spark.log")
    if not os.access(work.parent, os.W_OK):
        log = work / "spark.log"
    try:
        yield log
    except BaseException as error:
        if os.fspath(log) not in str(error):
            log.unlink(missing_ok=True)
        raise
    log.unlink(missing_ok=True)
