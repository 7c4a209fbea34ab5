"""Processes that read and code files, apart from the one that answers people: how they are started, and how they end.

Parent and child speak JSON lines over standard input and output. The end of its input is the order to end in order, so
that no child outlives its parent, however that ends. The first line of input holds the key of the job: no other process
can see it there.
"""

from __future__ import annotations

import _thread
import json
import os
import queue
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any, BinaryIO, Protocol

import service
from nlp.errors import CasecoderError
from nlp.without_torch import without_torch

from ..running import no_core_dumps

Tell = Callable[..., None]
Facts = dict[str, Any]

_PATIENCE = 3.0  # seconds for a child to end in order; one that is killed loses a shard at most
_NICE = 10  # of 19: whoever enters a case goes first


class Child(Protocol):
    """A process at work."""

    def hear(self, seconds: float) -> Facts | None:
        """What it says next; None where it says nothing in that time, or has ended."""

    @property
    def has_ended(self) -> bool:
        """Whether it has ended, and all it has said was heard."""

    def stop(self) -> None:
        """Have it end in order."""

    def kill(self) -> None:
        """End it now."""

    def how_it_ended(self) -> str:
        """In words that hold no text."""


class ChildProcess:
    """A child that runs a module of this package."""

    def __init__(self, module: str, task: Mapping[str, Any]) -> None:
        self._process = subprocess.Popen(  # noqa: S603 (a module of ours)
            [sys.executable, "-P", "-m", module],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,  # libraries may quote what they read
            env=environment(),
            creationflags=_low_priority_flag(),
        )
        self._said: queue.SimpleQueue[Facts | None] = queue.SimpleQueue()
        self._silent = False
        threading.Thread(target=self._listen, daemon=True).start()
        with suppress(OSError):  # one that has ended already tells that by its silence
            assert self._process.stdin is not None  # noqa: S101 (a pipe)
            self._process.stdin.write(json.dumps(task).encode("ascii") + b"\n")
            self._process.stdin.flush()

    def hear(self, seconds: float) -> Facts | None:
        if self._silent:
            return None
        with suppress(queue.Empty):
            said = self._said.get(timeout=seconds)
            self._silent = said is None
            return said
        return None

    @property
    def has_ended(self) -> bool:
        return self._silent

    def stop(self) -> None:
        with suppress(OSError):
            if self._process.stdin:
                self._process.stdin.close()

    def kill(self) -> None:
        self._process.kill()

    def end(self) -> None:
        """Have it end, at the latest by force, and let go of it."""
        self.stop()
        try:
            self._process.wait(_PATIENCE)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()

    def how_it_ended(self) -> str:
        self.end()
        code = self._process.returncode
        if code < 0:
            with suppress(ValueError):
                return signal.Signals(-code).name
        return f"exit code {code}"

    def _listen(self) -> None:
        with suppress(ValueError, OSError):
            for line in self._process.stdout or ():
                with suppress(json.JSONDecodeError):
                    self._said.put(json.loads(line))
        self._process.wait()
        self._said.put(None)
        if self._process.stdout:
            self._process.stdout.close()


def environment() -> dict[str, str]:
    """The environment of a child: this very package to import, also where it is not installed."""
    found = dict(os.environ)
    root = Path(service.__file__).resolve().parent.parent
    if root.name not in ("site-packages", "dist-packages"):
        found["PYTHONPATH"] = os.pathsep.join([str(root), *filter(None, [found.get("PYTHONPATH")])])
    return found


def go_second() -> None:
    """Let other processes of the machine go first."""
    if sys.platform != "win32":
        with suppress(OSError):
            os.nice(max(0, _NICE - os.nice(0)))


def go_last() -> None:
    """Take only what nobody else wants, in all threads of this process and in all that they start from now on.

    Linux then gives the core to whoever else wakes, at once, where a low priority alone would have them wait for the
    end of a slice of time. On a machine that is never idle there are some thousandths of a core left. Other systems,
    and one that forbids it, leave a process as it is.
    """
    if sys.platform == "linux":
        for thread in _threads():
            with suppress(OSError):
                os.sched_setscheduler(thread, os.SCHED_IDLE, os.sched_param(0))


def _threads() -> list[int]:
    """The threads of this process by their numbers; 0, the one that asks, where Linux does not tell."""
    try:
        return [int(thread.name) for thread in Path("/proc/self/task").iterdir()]
    except OSError:
        return [0]


def _limit_memory(most: int) -> None:
    if sys.platform == "linux":
        import resource

        soft, hard = resource.getrlimit(resource.RLIMIT_DATA)
        limits = [limit for limit in (most, soft, hard) if limit != resource.RLIM_INFINITY]
        resource.setrlimit(resource.RLIMIT_DATA, (min(limits), hard))


def _low_priority_flag() -> int:
    if sys.platform != "win32":
        return 0
    return subprocess.BELOW_NORMAL_PRIORITY_CLASS


def be_child(work: Callable[[Facts, Tell], None], *, memory: int | None = None) -> None:
    """What a child does: read its task, work, and tell how it went. ``memory`` is how many bytes of its own it may take
    on Linux; one that wants more fails with a sentence, instead of the whole machine.

    An error that is a sentence of ours is told as it is, of any other the class alone: its text may quote the file.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches all processes of a terminal; the parent decides
    signal.signal(signal.SIGTERM, _end_in_order)
    tell = _own_output()
    no_core_dumps()
    without_torch()
    go_second()
    if memory is not None:
        _limit_memory(memory)
    task = json.loads(sys.stdin.buffer.readline() or b"null")
    if task is None:
        return
    threading.Thread(target=_end_with_parent, args=(sys.stdin.buffer,), daemon=True).start()
    try:
        work(task, tell)
    except CasecoderError as error:
        tell(event="failed", code=error.code, sentence=str(error))
    except MemoryError:
        tell(event="failed", code="job.memory", sentence="there is not enough memory for this file")
    except Exception as error:
        tell(event="failed", code="job.failed", sentence=f"it failed unexpectedly ({type(error).__name__})")


def _end_in_order(number: int, frame: object) -> None:
    signal.signal(signal.SIGTERM, signal.SIG_IGN)  # a second one must not disturb the clearing away
    raise SystemExit(128 + number)


def _end_with_parent(stream: BinaryIO) -> None:
    stream.read()
    _thread.interrupt_main(signal.SIGTERM)
    time.sleep(_PATIENCE)
    os._exit(1)


def _own_output() -> Tell:
    """Standard output for us alone: what a library prints goes nowhere."""
    own = os.fdopen(os.dup(sys.stdout.fileno()), "wb")
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, sys.stdout.fileno())
    os.close(nowhere)

    def tell(**facts: Any) -> None:
        own.write(json.dumps(facts).encode("ascii") + b"\n")
        own.flush()

    return tell


def ask_child(module: str, task: Mapping[str, Any], *, seconds: float) -> Facts:
    """The one answer of a child that has so much time.

    Raises `ChildFailed` with the sentence that it ended with.
    """
    child = ChildProcess(module, task)
    until = time.monotonic() + seconds
    answer: Facts | None = None
    try:
        while answer is None and not child.has_ended and (left := until - time.monotonic()) > 0:
            answer = child.hear(left)
        if answer is None and not child.has_ended:
            child.kill()
            raise ChildFailed("job.time", "the file could not be looked through in time: bring it in smaller parts")
    finally:
        child.end()
    if answer is None:
        raise ChildFailed("job.failed", f"the file could not be looked through ({child.how_it_ended()})")
    if answer.get("event") == "failed":
        raise ChildFailed(str(answer["code"]), str(answer["sentence"]))
    return answer


class ChildFailed(CasecoderError, ValueError):
    """A file that cannot be read or coded as it is asked for; ``reason`` is the code of the error itself."""

    code = "job.file"

    def __init__(self, reason: str, sentence: str) -> None:
        super().__init__(sentence)
        self.reason = reason
