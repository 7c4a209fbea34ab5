"""One worker process, as its parent sees it."""

from __future__ import annotations

import base64
import json
import os
import queue
import re
import signal
import subprocess
import sys
import threading
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import nlp

from ..shards import Shard

_THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")
_ERROR = re.compile(rb"^([A-Za-z_][A-Za-z0-9_.]*(?:Error|Exception|Interrupt))\b", re.MULTILINE)
_TAIL = 1 << 13  # bytes of what a process says before it ends badly
_PATIENCE = 5.0  # seconds for a process to end by itself

Events = queue.SimpleQueue[tuple["Worker", dict[str, Any] | None]]
"""What workers say, and None when one has ended."""


@dataclass(eq=False)
class Worker:
    """A process and what it is doing: the shard it has, the row in work, and how long that has taken (seconds)."""

    process: subprocess.Popen[bytes]
    ready: bool = False
    shard: Shard | None = None
    row: int | None = None
    characters: int = 0
    spent: float = 0.0
    killed: bool = False
    failure: dict[str, Any] | None = None
    _tail: bytearray = field(default_factory=bytearray, repr=False)
    _threads: list[threading.Thread] = field(default_factory=list, repr=False)

    @classmethod
    def start(cls, work: Path, bundle: Path, key: bytes | None, events: Events) -> Worker:
        """Start a process; it says that it is ready, or why it cannot be, by ``events``."""
        process = subprocess.Popen(
            [sys.executable, "-P", "-m", "nlp.bulk.engines.worker"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=_environment(),
        )
        worker = cls(process)
        for target in (worker._listen, worker._keep_tail):
            worker._threads.append(threading.Thread(target=target, args=(events,), daemon=True))
            worker._threads[-1].start()
        sealed = base64.b64encode(key).decode() if key else None
        worker._send({"work": os.fspath(work), "bundle": os.fspath(bundle), "key": sealed, "parent": os.getpid()})
        return worker

    @property
    def is_idle(self) -> bool:
        return self.ready and self.shard is None

    def code(self, shard: Shard, apart: Mapping[int, str]) -> None:
        """Give it a shard to code."""
        self.shard, self.row, self.spent = shard, None, 0.0
        self._send({"shard": shard.number, "apart": {str(row): reason for row, reason in apart.items()}})

    def kill(self) -> None:
        self.killed = True
        self.process.kill()

    def end(self) -> None:
        """Let it end, which it does when there are no more orders; no process is left behind."""
        with suppress(OSError):
            if self.process.stdin:
                self.process.stdin.close()
        try:
            self.process.wait(_PATIENCE)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        for thread in self._threads:
            thread.join()
        for stream in (self.process.stdout, self.process.stderr):
            if stream:
                stream.close()

    def how_it_ended(self) -> str:
        """How a process that has ended came to it, in words that hold no text of a row."""
        code = self.process.wait()
        if found := _ERROR.findall(bytes(self._tail)):
            return str(found[-1].decode().split(".")[-1])
        if code < 0:
            with suppress(ValueError):
                return signal.Signals(-code).name
        return f"exit code {code}"

    def _send(self, facts: dict[str, Any]) -> None:
        """A process that has ended meanwhile takes nothing; its end comes as an event."""
        with suppress(OSError):
            assert self.process.stdin is not None  # noqa: S101 (a pipe)
            self.process.stdin.write(json.dumps(facts).encode("ascii") + b"\n")
            self.process.stdin.flush()

    def _listen(self, events: Events) -> None:
        for line in self.process.stdout or ():
            with suppress(ValueError):
                events.put((self, json.loads(line)))
        events.put((self, None))

    def _keep_tail(self, events: Events) -> None:
        del events
        for line in self.process.stderr or ():
            self._tail += line
            del self._tail[:-_TAIL]


def _environment() -> dict[str, str]:
    """One thread of linear algebra each, since processes share the cores; and this very package to import."""
    environment = {**os.environ, **dict.fromkeys(_THREADS, "1")}
    root = Path(nlp.__file__).resolve().parent.parent
    if root.name not in ("site-packages", "dist-packages"):
        paths = [str(root), *filter(None, [environment.get("PYTHONPATH")])]
        environment["PYTHONPATH"] = os.pathsep.join(paths)
    return environment
