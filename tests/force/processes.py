"""Processes as Linux shows them: who belongs to whom, who is alive, and how long that lasts."""

from __future__ import annotations

import contextlib
import os
import signal
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

PATIENCE = 900.0  # seconds until something that should happen has not; machines differ, and no promise hangs on it
_LOOK = 0.005  # seconds between two looks

_T = TypeVar("_T")


@dataclass(frozen=True)
class Process:
    """A process; ``started`` tells it from a later one with its number."""

    pid: int
    started: int
    command: str

    @property
    def is_alive(self) -> bool:
        """Whether it still does anything: one that nobody has buried does not."""
        found = _stat(self.pid)
        return found is not None and found[2] == self.started and found[0] not in "ZX"

    def kill(self) -> bool:
        """Kill it; False where it has ended before."""
        if not self.is_alive:
            return False
        with contextlib.suppress(ProcessLookupError):
            os.kill(self.pid, signal.SIGKILL)
            return True
        return False


def family(pid: int, *, running: str = "") -> list[Process]:
    """The descendants of a process whose command has this in it."""
    children: dict[int, list[Process]] = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdecimal() and (found := _stat(int(entry.name))):
            process = Process(int(entry.name), found[2], _command(entry))
            children.setdefault(found[1], []).append(process)
    left, members = [pid], []
    while left:
        for child in children.get(left.pop(), ()):
            members.append(child)
            left.append(child.pid)
    return sorted((one for one in members if running in one.command and one.is_alive), key=lambda one: one.pid)


def survival(processes: Iterable[Process]) -> float:
    """Seconds until none of them is alive."""
    begun = time.monotonic()
    wait_for(lambda: not any(process.is_alive for process in processes))
    return time.monotonic() - begun


def wait_for(fact: Callable[[], _T], *, until: Callable[[], Any] = lambda: False, seconds: float = PATIENCE) -> _T:
    """Wait until something is so, or ``until`` is; what ``fact`` says then."""
    end = time.monotonic() + seconds
    while True:
        if (found := fact()) or until():
            return found
        assert time.monotonic() < end, "it did not come to pass"
        time.sleep(_LOOK)


def _stat(pid: int) -> tuple[str, int, int] | None:
    """State, parent and start of a process."""
    try:
        facts = Path(f"/proc/{pid}/stat").read_text(errors="replace").rpartition(")")[2].split()
    except OSError:
        return None
    return facts[0], int(facts[1]), int(facts[19])


def _command(entry: Path) -> str:
    try:
        return (entry / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
    except OSError:
        return ""
