"""Files on disk, whole or not at all: written beside the target under another name, then put in its place."""

from __future__ import annotations

import contextlib
import errno
import os
import re
import shutil
import stat
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import chain, count
from pathlib import Path
from typing import BinaryIO

from ..errors import OutputError
from .holding import hold

STALE = 24 * 60 * 60  # seconds without a write, after which no run is behind an unfinished file any more, locks or not

_FULL = {errno.ENOSPC, errno.EFBIG, errno.EDQUOT}
_DENIED = {errno.EACCES, errno.EPERM, errno.EROFS}


@dataclass
class Place:
    """An unfinished file; ``kept`` is where the file is now that it took the place of, or None."""

    file: BinaryIO
    kept: Path | None = None


@contextlib.contextmanager
def writing(path: Path) -> Iterator[None]:
    """Turn what the system says about a write into an ``OutputError`` that says what to do."""
    try:
        yield
    except OutputError:
        raise
    except OSError as error:
        raise OutputError(f"{path} was not written: {_reason(error)}") from None


def _reason(error: OSError) -> str:
    if error.errno in _FULL:
        return "the disk is full, or a file may not grow any more; free some space or choose another disk"
    if error.errno in _DENIED:
        return "there is no permission, or another program has the file open; close it or choose another place"
    if error.errno == errno.ENOENT:
        return "its folder does not exist; create it first"
    return f"the system reports {errno.errorcode.get(error.errno or 0, 'an error')}; choose another place"


@contextlib.contextmanager
def replacing(path: Path, *, keep_earlier: bool = False) -> Iterator[Place]:
    """A file to write to that takes the place of ``path`` when the block ends well, and leaves no trace otherwise.

    What can be known to fail at the end is refused at the start. With ``keep_earlier``, a file with content that stands
    there is kept beside it with the ending ``.bak``, or ``.bak2`` and so on: none is ever lost.
    """
    target = Path(os.path.realpath(path))  # once: behind a link, the file is replaced and not the link
    _check(path, target)
    prefix = f".{target.name[:80]}."
    _sweep(target.parent, prefix)
    with writing(path):
        part, place = _begin(target.parent, prefix)
    try:
        yield place
        with writing(path):
            place.file.flush()
            os.fsync(place.file.fileno())
            if sys.platform == "win32":  # where no open file can be renamed
                place.file.close()
            if target.exists():
                shutil.copymode(target, part)
            place.kept = _put(part, target, keep_earlier=keep_earlier)
            place.file.close()
    except BaseException:
        with contextlib.suppress(OSError):
            place.file.close()  # tries to write what is left in the buffer, once more in vain on a full disk
        with contextlib.suppress(OSError):
            part.unlink()
        raise


def check_place(path: Path) -> None:
    """Raise `OutputError` for what can be known to fail when a file is put there."""
    _check(path, Path(os.path.realpath(path)))


def _check(path: Path, target: Path) -> None:
    if target.is_dir():
        raise OutputError(f"{path} is a folder: give the name of a file in it")
    if target.exists() and not target.is_file():
        raise OutputError(f"{path} is a device, not a file: give the name of a file")
    if not target.parent.is_dir():
        raise OutputError(f"{path} was not written: its folder does not exist; create it first")
    if target.exists():
        with writing(path):
            if _is_withheld(target):
                raise PermissionError(errno.EPERM, "another user's file in a shared folder")
            target.rename(target)  # changes nothing; Windows refuses it while another program has the file open


def _is_withheld(target: Path) -> bool:
    """Whether the folder is one, such as /tmp, where only its owner can rename a file."""
    if sys.platform == "win32":
        return False
    folder = target.parent.stat()
    return bool(folder.st_mode & stat.S_ISVTX) and os.geteuid() not in (0, folder.st_uid, target.stat().st_uid)


def _begin(folder: Path, prefix: str) -> tuple[Path, Place]:
    """An unfinished file that is held as long as it is open, so that nobody sweeps it."""
    while True:
        handle, name = tempfile.mkstemp(prefix=prefix, suffix=".part", dir=folder)
        part, place = Path(name), Place(os.fdopen(handle, "wb"))
        if sys.platform == "win32" or (hold(place.file) is not False and part.exists()):
            return part, place
        place.file.close()  # somebody swept it before it was held


def _sweep(folder: Path, prefix: str) -> None:
    """Remove what runs left behind that were killed: it holds text of cases."""
    unfinished = re.compile(re.escape(prefix) + r"[a-z0-9_]{8}\.part")  # as tempfile makes names
    with contextlib.suppress(OSError):
        for file in folder.iterdir():
            if unfinished.fullmatch(file.name) and _is_left(file):
                file.unlink()


def _is_left(part: Path) -> bool:
    """Whether no run is behind an unfinished file any more."""
    if part.lstat().st_mtime < time.time() - STALE:
        return True
    if sys.platform == "win32" or part.is_symlink():
        return False
    with part.open("r+b") as file:
        return hold(file) is True


def _put(part: Path, target: Path, *, keep_earlier: bool) -> Path | None:
    """Give ``part`` the name of the target; returns where the file is now that had it."""
    if not (keep_earlier and target.is_file() and target.stat().st_size):
        part.replace(target)
        return None
    kept = _free_name(target)
    try:
        target.rename(kept)
        part.replace(target)
    except BaseException:
        if not target.exists():
            kept.rename(target)
        raise
    return kept


def _free_name(target: Path) -> Path:
    endings = chain([".bak"], (f".bak{number}" for number in count(2)))
    names = (target.with_name(target.name + ending) for ending in endings)
    return next(name for name in names if not os.path.lexists(name))
