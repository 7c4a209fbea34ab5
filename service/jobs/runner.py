"""Runs the queue: one job after the other, each in a process of its own.

There is one runner for a store, however many servers use it: it holds a lease in the store. A job that was running when
a runner ended is gone on with by the next one.
"""

from __future__ import annotations

import logging
import secrets
import signal
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from ..errors import SealBroken, StoreError
from ..settings import ServiceSettings
from ..store.jobs import (
    JobState,
    StoredJob,
    ToReview,
    finish_job,
    hold_lease,
    job_key,
    job_progress,
    next_job,
    release_lease,
)
from ..store.store import Store
from .children import Child, ChildProcess, Facts, go_second
from .coding import CodingTask
from .folders import INPUT, JobFiles, sweep_plain
from .options import JobOptions
from .sweeping import sweep_jobs

LEASE = "jobs"
ACTOR = "jobs"
_LEASE_SECONDS = 15.0
_RENEWED = 3.0  # seconds between two renewals
_TOLD = 1.0  # seconds between two looks at the store
_TICK = 0.25  # seconds to wait for a word of the process
_IDLE = 1.0  # seconds between two looks at an empty queue
_TROUBLE = 5.0  # seconds to wait where the store cannot be used
_TO_END = 3.0  # seconds for a process to end in order
_SWEPT = 600.0  # seconds between two looks for what has expired
MOST_DEATHS = 3  # of the process of a job, without a shard done in between

Launch = Callable[[CodingTask], Child]
_log = logging.getLogger("casecoder.jobs")


def launch(task: CodingTask) -> Child:
    """A process for a job."""
    return ChildProcess("service.jobs.coding", task.to_json())


@dataclass
class _Seen:
    """What the process of a job has said so far."""

    facts: Facts = field(default_factory=dict)
    outcome: Facts | None = None
    changed: bool = False
    deaths: int = 0
    """How often it ended without a word since a shard was last done."""
    done: int = 0

    def hear(self, said: Facts) -> None:
        """Take in what it says."""
        event = said.pop("event", None)
        if event in ("done", "failed"):
            self.outcome = {"event": event, **said}
        elif event == "begun":
            self.facts["anew"] = False
            self.changed = True
        elif event == "progress":
            self.facts |= said
            self.changed = True
            if said.get("shards_done", 0) > self.done:
                self.done, self.deaths = said["shards_done"], 0


class LeaseLost(Exception):
    """Somebody else runs the queue by now."""


class Runner:
    """Takes job after job until ``stop`` is set."""

    def __init__(
        self,
        store: Store,
        settings: ServiceSettings,
        stop: threading.Event,
        *,
        start: Launch = launch,
        tick: float = _TICK,
    ) -> None:
        self._store = store
        self._settings = settings
        self._files = JobFiles.of(store, settings)
        self._stop = stop
        self._start = start
        self._tick = tick
        self._holder = secrets.token_hex(16)
        self._renewed = self._swept = float("-inf")

    def run(self) -> None:
        """Run jobs as they come; gives the lease back at the end."""
        sweep_plain()
        try:
            while not self._stop.is_set():
                self._stop.wait(self._turn())
        finally:
            self.give_up()

    def _turn(self) -> float:
        """Do what there is to do; the seconds to wait before the next turn."""
        try:
            if not self._hold():
                return _RENEWED
            self.sweep()
            job = next_job(self._store)
            if job is None:
                return _IDLE
            self.run_one(job)
            return 0.0
        except LeaseLost:
            return _RENEWED
        except StoreError as error:
            _log.error("the queue of jobs waits: %s", type(error).__name__)
            return _TROUBLE

    def sweep(self) -> None:
        """Erase what has expired, now and then."""
        if time.monotonic() - self._swept > _SWEPT:
            self._swept = time.monotonic()
            sweep_jobs(self._store, self._files, actor=ACTOR)

    def run_one(self, job: StoredJob) -> None:
        """Run a job to its end, also where its process dies now and then."""
        seen = _Seen()
        task = self._task(job)
        while isinstance(task, CodingTask):
            child = self._start(task)
            try:
                wanted = self._watch(child, job.id, seen)
            finally:
                self._end(child)
                sweep_plain()  # one that was killed has left its file in plain
            if self._settle(job.id, child, seen, wanted):
                return
            task = self._task(job, anew=bool(seen.facts.get("anew", job.facts.get("anew"))))
        self._finish(job.id, "failed", error=task)

    def _task(self, job: StoredJob, *, anew: bool | None = None) -> CodingTask | str:
        """What its process is told; a sentence where it cannot be run."""
        try:
            key = job_key(self._store, job.id)
        except SealBroken:
            return "the key of its files cannot be opened: is the key file the one that it was brought with?"
        if key is None or not (self._files.of_job(job.id) / INPUT).exists():
            return "its files are not on this machine: were they moved, or the database restored? Bring the file again"
        return CodingTask(
            self._files.folder.resolve(),
            job.id,
            key,
            ending_of(job.file_name),
            JobOptions.from_json(job.options or {}),
            self._settings.nlp.bundle,
            max(1, self._settings.job_workers),
            bool(job.facts.get("anew")) if anew is None else anew,
            job.mapping["file"] if job.mapping else None,
            idle=self._settings.job_priority == "idle",
        )

    def _watch(self, child: Child, job_id: str, seen: _Seen) -> JobState | None:
        """Hear a process until it has ended; the state that the job is to have. Raises `LeaseLost`."""
        told = float("-inf")
        wanted: JobState | None = "running"
        until: float | None = None
        while not child.has_ended:
            if said := child.hear(self._tick):
                seen.hear(said)
            now = time.monotonic()
            if now - told >= _TOLD:
                told = now
                wanted = self._tell(job_id, seen, wanted)
            if until is None and (wanted != "running" or self._stop.is_set()):
                child.stop()
                until = now + _TO_END
            if until is not None and now > until:
                child.kill()
        return self._tell(job_id, seen, wanted)

    def _tell(self, job_id: str, seen: _Seen, wanted: JobState | None) -> JobState | None:
        """Write down how far it is. While the store cannot be used the work goes on, until the lease is over."""
        if not self._hold():
            raise LeaseLost
        try:
            facts = seen.facts if seen.changed else {}
            wanted = job_progress(self._store, job_id, facts)
            seen.changed = False
        except StoreError:
            pass
        return wanted

    def _hold(self) -> bool:
        """Keep the lease; False where somebody else has it."""
        now = time.monotonic()
        if now - self._renewed < _RENEWED:
            return True
        try:
            held = hold_lease(self._store, LEASE, self._holder, _LEASE_SECONDS)
        except StoreError:
            if now - self._renewed < _LEASE_SECONDS:
                return True
            raise
        self._renewed = now if held else float("-inf")
        return held

    def _settle(self, job_id: str, child: Child, seen: _Seen, wanted: JobState | None) -> bool:
        """Write down how a job ended; False where its process is to be started again."""
        outcome = seen.outcome
        if wanted is None:
            self._files.remove(job_id)  # erased while it ran
        elif outcome and outcome["event"] == "done":
            rows = [ToReview(*item) for item in outcome["to_review"]]
            if self._finish(job_id, "done", facts=outcome["facts"], notes=outcome["notes"], to_review=rows):
                self._files.remove_work(job_id)
        elif wanted == "stopping":
            self._finish(job_id, "cancelled")
        elif outcome:
            self._finish(job_id, "failed", facts={"code": outcome["code"]}, error=outcome["sentence"])
        elif self._stop.is_set():
            pass  # the next runner goes on with it
        else:
            seen.deaths += 1
            if seen.deaths < MOST_DEATHS:
                return False
            how = child.how_it_ended()
            self._finish(
                job_id, "failed", error=f"its process died again and again (the last one: {how}): is there memory?"
            )
        return True

    def _end(self, child: Child) -> None:
        """No process is left, whatever happened."""
        if not child.has_ended:
            child.stop()
            until = time.monotonic() + _TO_END
            while not child.has_ended and time.monotonic() < until:
                child.hear(self._tick)
            child.kill()

    def _finish(self, job_id: str, state: JobState, **what: Any) -> bool:
        """Write down how a job ended; where the store cannot be used, as soon as it can. False where it could not be
        until this was to stop: then the job is gone on with, and ends soon."""
        while True:
            try:
                finish_job(self._store, job_id, state, days=self._settings.job_days, **what)
                return True
            except SealBroken:
                raise
            except StoreError as error:
                _log.error("the end of a job waits: %s", type(error).__name__)
                if self._stop.wait(_TROUBLE):
                    return False

    def give_up(self) -> None:
        """Let another runner have the queue at once."""
        try:
            release_lease(self._store, LEASE, self._holder)
        except StoreError as error:
            _log.error("the queue of jobs was not given back: %s", type(error).__name__)


def ending_of(file_name: str) -> str:
    """The ending of a name, with its dot, in small letters."""
    return f".{file_name.rpartition('.')[2].lower()}"


def main(*, ends_with_parent: bool = False) -> None:
    """Run the queue of the store that the environment names, until the process is asked to end."""
    from ..running import no_core_dumps, open_store

    no_core_dumps()
    go_second()
    stop = threading.Event()
    for name in ("SIGTERM", "SIGINT", "SIGBREAK"):
        if hasattr(signal, name):
            signal.signal(getattr(signal, name), lambda number, frame: stop.set())
    if ends_with_parent:
        threading.Thread(target=_stop_with_parent, args=(stop,), daemon=True).start()
    settings = ServiceSettings.from_env()
    store = open_store(settings)
    if store is None:
        raise StoreError("there is no key file, so there is no store and no queue")
    try:
        Runner(store, settings, stop).run()
    finally:
        store.close()


def _stop_with_parent(stop: threading.Event) -> None:
    sys.stdin.buffer.read()
    stop.set()


if __name__ == "__main__":
    main(ends_with_parent=True)
