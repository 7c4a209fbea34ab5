"""The folder in which a run works: found, kept for itself, taken away at the end.

It holds narratives, and is for its owner alone. After a run that was stopped it stays as soon as one shard is done.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

from ..errors import RunError
from . import stamped
from .locking import locked, release
from .receipts import count_receipts
from .replacing import writing
from .sealed import PART
from .shards import PLAN, RECEIPTS, RESULTS, SHARDS, Plan

ENDING = ".casecoder"
_LOCK = "casecoder.lock"
_ENDED = "ended.json"  # the plan's name once the output is in its place and only the folder is left to be cleared
_LONGEST = 80  # characters of the output's name in that of the folder


def work_folder(target: Path) -> Path:
    """Where the work for an output lies if nothing else is asked for: beside it, behind a link beside the file."""
    real = Path(os.path.realpath(target))
    name = real.name
    if len(name) > _LONGEST:
        name = name[:_LONGEST] + sha256(name.encode("utf-8", "surrogatepass")).hexdigest()[:8]
    return real.with_name(f".{name}{ENDING}")


@dataclass
class Work:
    """A folder that this run has for itself. ``earlier`` is the plan that it goes on from; ``ended`` that of a run that
    was stopped while it cleared the folder, its output in its place; ``finished`` is set when nothing in it is needed
    any more."""

    path: Path
    earlier: Plan | None = None
    ended: Plan | None = None
    finished: bool = False


@contextlib.contextmanager
def working(path: Path, *, resume: bool, restart: bool) -> Iterator[Work]:
    """Have a work folder for oneself. When the block ends badly, the folder stays if a shard is done in it or it was
    there before, and the error gets a note that says how to go on.

    Raises `RunError` where another run has the folder, it holds something else, or unfinished work in it and neither
    ``resume`` nor ``restart`` says what to do.
    """
    _make(path)
    work = Work(path)
    try:
        with locked(path / _LOCK):
            work.ended = _ended(path) if resume else None
            work.earlier = _earlier(path, resume=resume, restart=restart)
            try:
                yield work
            except BaseException as error:
                if work.earlier is None and not count_receipts(path):
                    work.finished = True
                else:
                    error.add_note(_how_to_go_on(path))
                raise
            finally:
                if work.finished:
                    _note_end(path)
                    _clear(path)
                    release(path / _LOCK)
    finally:
        if work.finished:
            _remove(path)


def has_work(path: Path) -> bool:
    """Whether there is anything in a work folder to go on with."""
    return (path / PLAN).exists() or (path / _ENDED).exists()


def _make(path: Path) -> None:
    if path.exists() and not path.is_dir():
        raise RunError(f"{path} is a file: give another place for the work by --work")
    if path.is_dir() and not (path / _LOCK).exists() and any(path.iterdir()):
        raise RunError(f"{path} holds other files: give an empty folder for the work, or one that does not exist yet")
    with writing(path):
        try:
            path.mkdir(mode=0o700)
        except FileExistsError:
            _check_owner(path)
    with contextlib.suppress(OSError):
        path.chmod(0o700)


def _check_owner(path: Path) -> None:
    """Refuse a folder that another user has put here: they could read what is written into it."""
    if sys.platform != "win32" and os.geteuid() not in (0, path.stat().st_uid):
        raise RunError(f"{path} is another user's folder, who could read the work: give another place by --work")


def _earlier(path: Path, *, resume: bool, restart: bool) -> Plan | None:
    """The plan to go on from; without one the folder is cleared."""
    if (path / PLAN).exists() and not restart:
        if not resume:
            raise RunError(f"an earlier run was not finished. {_how_to_go_on(path)}")
        _sweep(path)
        return Plan.load(path)
    _clear(path)
    return None


def _ended(path: Path) -> Plan | None:
    with contextlib.suppress(RunError):
        return Plan.from_json(stamped.load(path / _ENDED))
    return None


def _note_end(path: Path) -> None:
    with contextlib.suppress(OSError):
        (path / PLAN).replace(path / _ENDED)


def _how_to_go_on(path: Path) -> str:
    done = count_receipts(path)
    said = f"{done:,} shard(s) are done" if done else "no shard is done yet"
    with contextlib.suppress(RunError):
        said = f"{done:,} of {len(Plan.load(path).shards):,} shards are done"
    return f"{said}; the work is kept in {path}: go on with --resume, or begin anew with --restart"


def _sweep(path: Path) -> None:
    """Remove files that were not whole when a process was killed."""
    for folder in (path, path / SHARDS, path / RESULTS, path / RECEIPTS):
        for file in folder.glob(f".*{PART}"):
            with contextlib.suppress(OSError):
                file.unlink()


def _clear(path: Path) -> None:
    """Empty the folder, but for the lock that this run holds; the plan first, lest a half pass for the whole, and last
    what tells that the run had ended."""
    with contextlib.suppress(OSError):
        (path / PLAN).unlink()
    for item in sorted(path.iterdir(), key=lambda item: item.name == _ENDED):
        if item.is_dir() and not item.is_symlink():
            shutil.rmtree(item, ignore_errors=True)
        elif item.name != _LOCK:
            with contextlib.suppress(OSError):
                item.unlink()


def _remove(path: Path) -> None:
    with contextlib.suppress(OSError):
        if os.name == "nt":  # where no open file can be removed
            (path / _LOCK).unlink(missing_ok=True)
        path.rmdir()
