"""The process that runs the queue beside a server, as that server sees it."""

from __future__ import annotations

import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from .children import environment

_AGAIN = 5.0  # seconds before one that ended is started again
_PATIENCE = 15.0  # seconds for it to end in order


class RunnerProcess:
    """Keeps a runner alive. It ends with this process, however that ends: it reads the end of its input."""

    def __init__(self) -> None:
        self._stopping = threading.Event()
        self._process: subprocess.Popen[bytes] | None = None
        self._lock = threading.Lock()
        self._thread = threading.Thread(target=self._keep, daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Have it end in order, at the latest by force."""
        self._stopping.set()
        with self._lock:
            process = self._process
        if process is not None:
            if process.stdin:
                with suppress(OSError):
                    process.stdin.close()
            try:
                process.wait(_PATIENCE)
            except subprocess.TimeoutExpired:
                process.kill()
        self._thread.join(_PATIENCE)

    def _keep(self) -> None:
        while not self._stopping.is_set():
            with self._lock:
                if self._stopping.is_set():
                    return
                self._process = subprocess.Popen(
                    [sys.executable, "-P", "-m", "service.jobs.runner"],
                    stdin=subprocess.PIPE,
                    stdout=subprocess.DEVNULL,
                    env=environment(),
                )
            self._process.wait()
            self._stopping.wait(_AGAIN)


@contextmanager
def running_jobs(*, wanted: bool) -> Iterator[None]:
    """Have the queue run beside what is done in the block, if that is wanted."""
    if not wanted:
        yield
        return
    runner = RunnerProcess()
    try:
        yield
    finally:
        runner.stop()
