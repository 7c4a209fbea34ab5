"""One run in a folder at a time. The system lets go of the lock however a process ends."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

from ..errors import RunError
from .holding import hold
from .replacing import writing


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """Hold a file's lock. Raises `RunError` where another process does."""
    with writing(path):
        file = path.open("ab")
    with file:
        if not _lock(file, path):
            raise RunError(f"another run is working in {path.parent}: wait until it has ended, or give another OUTPUT")
        yield


def release(path: Path) -> None:
    """Remove the file of a lock that is held, so that whoever opened it before does not get it."""
    with suppress(OSError):  # Windows refuses it, and refuses everybody else as well
        path.unlink()


def _lock(file: BinaryIO, path: Path) -> bool:
    held = hold(file)
    if not held:
        # A disk of the network may know no locks: better to run there unguarded than not at all.
        return held is None
    try:
        return os.path.samestat(os.fstat(file.fileno()), path.stat())
    except OSError:
        return False
