"""Where files of jobs lie: sealed in a folder for each job, and in plain only while something reads them."""

from __future__ import annotations

import os
import re
import shutil
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from ..errors import StoreError
from ..settings import ServiceSettings
from ..store.store import Store
from .sealed_file import PART, SealedFile, SealedWriter, read_sealed, write_sealed, writing_sealed

if sys.platform == "win32":
    import msvcrt
else:
    import fcntl

WORK = "work"
"""The folder in that of a job in which its run works."""
INPUT = "input"
"""The name of the file that was brought."""
OUTPUT = "output"
"""The name of the coded one."""

_ID = re.compile(r"[0-9a-f]{32}")
_PLAIN = "casecoder-plain-"
_LOCK = "in-use"
_MEMORY = Path("/dev/shm")  # noqa: S108 (memory on Linux; the folder in it is private)
_OLD = 7200.0  # seconds: longer than any upload
_ROOM = 1.2  # times what is to be written there


class JobFiles:
    """The folder of all jobs. ``folder`` and the folders in it are made when they are needed, for their owner alone."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    @classmethod
    def of(cls, store: Store, settings: ServiceSettings) -> JobFiles:
        """As the settings say; else beside the SQLite file, or in the working folder."""
        if settings.jobs_folder is not None:
            return cls(settings.jobs_folder)
        url = store.database.engine.url
        is_file = url.get_backend_name() == "sqlite" and url.database
        return cls((Path(str(url.database)).parent if is_file else Path()) / "casecoder-jobs")

    def of_job(self, job_id: str) -> Path:
        """The folder of a job, which may not be there."""
        if not _ID.fullmatch(job_id):
            raise ValueError("no id of a job")
        return self.folder / job_id

    def make(self, job_id: str) -> Path:
        """The folder of a job, made where it is not there. Raises `StoreError`."""
        place = self.of_job(job_id)
        try:
            for path in (self.folder, place):
                path.mkdir(mode=0o700, parents=True, exist_ok=True)
        except OSError as error:
            raise StoreError(f"the folder for files of jobs cannot be made ({type(error).__name__})") from None
        return place

    @contextmanager
    def writing(self, job_id: str, name: str, key: bytes) -> Iterator[SealedWriter]:
        """A sealed file of a job to write to."""
        with writing_sealed(self.make(job_id) / name, key, f"{job_id}/{name}") as file:
            yield file

    def write(self, job_id: str, name: str, content: bytes, key: bytes) -> None:
        """Write a small file of a job."""
        write_sealed(self.make(job_id) / name, content, key, f"{job_id}/{name}")

    def read(self, job_id: str, name: str, key: bytes) -> bytes:
        """All of a small file of a job."""
        return read_sealed(self.of_job(job_id) / name, key, f"{job_id}/{name}")

    def open(self, job_id: str, name: str, key: bytes) -> SealedFile:
        """A sealed file of a job to read from."""
        return SealedFile(self.of_job(job_id) / name, key, f"{job_id}/{name}")

    def remove_work(self, job_id: str) -> None:
        """Remove what is needed to go on with a job, once it is done."""
        shutil.rmtree(self.of_job(job_id) / WORK, ignore_errors=True)

    def remove(self, job_id: str) -> None:
        """Remove all files of a job. What cannot be removed now is tried again by `sweep`."""
        shutil.rmtree(self.of_job(job_id), ignore_errors=True)

    def drop(self, job_id: str, name: str) -> None:
        """Remove one file of a job; where that fails, it goes with the job."""
        with suppress(OSError):
            (self.of_job(job_id) / name).unlink()

    def sweep(self, known: set[str]) -> None:
        """Remove folders of jobs that are not there any more, and uploads that were cut off by a crash."""
        if not self.folder.is_dir():
            return
        for path in self.folder.iterdir():
            if path.is_dir() and _ID.fullmatch(path.name) and path.name not in known and _is_old(path):
                shutil.rmtree(path, ignore_errors=True)
        for part in self.folder.glob(f"*/*{PART}"):
            if _is_old(part):
                with suppress(OSError):
                    part.unlink()

    def copy_plain(self, job_id: str, name: str, key: bytes, to: Path) -> None:
        """Write the content of a sealed file to a path in a `plain_folder`. Raises `StoreError`."""
        with self.open(job_id, name, key) as sealed:
            try:
                with to.open("xb") as file:
                    for piece in sealed.pieces():
                        file.write(piece)
            except OSError as error:
                raise StoreError(f"there is no room to read the file of a job ({type(error).__name__})") from None

    def take_in(self, path: Path, job_id: str, name: str, key: bytes) -> int:
        """Seal a file that lies in plain; its size."""
        with path.open("rb") as file, self.writing(job_id, name, key) as sealed:
            while piece := file.read(1 << 20):
                sealed.write(piece)
        return sealed.size


@dataclass(frozen=True)
class Plain:
    """The files of a job in a `plain_folder`; ``mapping`` is None where there is none."""

    folder: Path
    source: Path
    mapping: Path | None


@contextmanager
def plain_files(
    files: JobFiles, job_id: str, key: bytes, *, ending: str, mapping: str | None = None, room: float = 1.0
) -> Iterator[Plain]:
    """The file of a job, and its mapping by the name of its sealed file, in plain for as long as the block lasts.

    ``room`` is how many times the size of the file will be written beside it. Raises `StoreError`.
    """
    with files.open(job_id, INPUT, key) as sealed:
        size = sealed.size
    with plain_folder(round(room * size)) as folder:
        source = folder / f"{INPUT}{ending}"
        files.copy_plain(job_id, INPUT, key, source)
        yield Plain(folder, source, plain_mapping(files, job_id, key, mapping, folder) if mapping else None)


def plain_mapping(files: JobFiles, job_id: str, key: bytes, mapping: str, folder: Path) -> Path:
    """A mapping in plain, in a `plain_folder`. Errors name it as it is called there."""
    path = folder / f"mapping{Path(mapping).suffix}"
    files.copy_plain(job_id, mapping, key, path)
    return path


def _is_old(path: Path) -> bool:
    try:
        return path.stat().st_mtime < time.time() - _OLD
    except OSError:
        return False


@contextmanager
def plain_folder(size: int) -> Iterator[Path]:
    """A private folder for about so many bytes, in memory where there is room, removed at the end of the block; after a
    crash `sweep_plain` removes it."""
    folder = Path(tempfile.mkdtemp(prefix=_PLAIN, dir=_place(size)))
    try:
        with (folder / _LOCK).open("wb") as lock:
            _hold(lock)
            yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def sweep_plain() -> None:
    """Remove what processes that were killed have left in plain."""
    for place in {_MEMORY, Path(tempfile.gettempdir())}:
        for folder in place.glob(f"{_PLAIN}*"):
            if _is_ours(folder) and not _is_in_use(folder):
                shutil.rmtree(folder, ignore_errors=True)


def _place(size: int) -> Path | None:
    """The memory of Linux, if there is room; else the system's folder for temporary files (None)."""
    try:
        has_room = os.access(_MEMORY, os.W_OK) and shutil.disk_usage(_MEMORY).free > _ROOM * size
    except OSError:
        has_room = False
    return _MEMORY if has_room else None


def _is_ours(folder: Path) -> bool:
    try:
        return sys.platform == "win32" or folder.stat().st_uid == os.getuid()
    except OSError:
        return False


def _is_in_use(folder: Path) -> bool:
    """Whether the process that made it lives. One that has just been made has no lock yet."""
    try:
        with (folder / _LOCK).open("r+b") as lock:
            _hold(lock)
            return False
    except FileNotFoundError:
        return not _is_old(folder)
    except OSError:
        return True


def _hold(lock: BinaryIO) -> None:
    """Lock a file until it is closed. Raises OSError where another process has it."""
    if sys.platform == "win32":
        msvcrt.locking(lock.fileno(), msvcrt.LK_NBLCK, 1)
    else:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
