"""Results on disk, whole or not at all: written beside the target under another name, then put in its place."""

from __future__ import annotations

import codecs
import contextlib
import csv
import errno
import os
import shutil
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, BinaryIO, Protocol

from ..errors import OutputError
from .values import escape_cell, json_text, text_of, without_surrogates

_FULL = {errno.ENOSPC, errno.EFBIG, errno.EDQUOT}
MAX_LISTED = 20  # row numbers in one sentence
_DENIED = {errno.EACCES, errno.EPERM, errno.EROFS}


class Writer(Protocol):
    """One format. ``write`` returns whether the row is there in full; ``finish`` leaves the file open."""

    def write(self, cells: Sequence[Any]) -> bool: ...

    def finish(self) -> None: ...

    def abort(self) -> None:
        """Let go of everything without the file becoming whole."""


class OutputTable:
    """A table that is being written. ``shortened`` holds the numbers, from 1, of the rows of which a cell was cut."""

    def __init__(self, path: Path, columns: Sequence[str], writer: Writer) -> None:
        self._path = path
        self._width = len(columns)
        self._writer = writer
        self._rows = 0
        self.shortened: list[int] = []

    def write(self, cells: Sequence[Any]) -> None:
        """Write one row; as many cells as columns."""
        if len(cells) != self._width:
            raise ValueError(f"a row of {len(cells)} cells for {self._width} columns")
        self._rows += 1
        with writing(self._path):
            if not self._writer.write(cells):
                self.shortened.append(self._rows)

    @property
    def warnings(self) -> list[str]:
        """What the caller has to tell people about this table: sentences."""
        if not self.shortened:
            return []
        rows = ", ".join(map(str, self.shortened[:MAX_LISTED])) + (" ..." if len(self.shortened) > MAX_LISTED else "")
        return [
            f"{len(self.shortened):,} row(s) hold more text than a cell of Excel can (32,767 characters) and were "
            f"shortened: {rows}; write .csv, .jsonl or .parquet to keep them whole"
        ]


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
def replacing(path: Path) -> Iterator[BinaryIO]:
    """A file to write to that takes the place of ``path`` when the block ends well, and leaves no trace otherwise."""
    target = Path(os.path.realpath(path))  # behind a link, the file is replaced and not the link
    if target.is_dir():
        raise OutputError(f"{path} is a folder: give the name of a file in it")
    if target.exists() and not target.is_file():
        raise OutputError(f"{path} is a device, not a file: give the name of a file")
    if not target.parent.is_dir():
        raise OutputError(f"{path} was not written: its folder does not exist; create it first")
    with writing(path):
        handle, name = tempfile.mkstemp(prefix=f".{target.name[:80]}.", suffix=".part", dir=target.parent)
    part, file = Path(name), os.fdopen(handle, "wb")
    try:
        yield file
        with writing(path):
            file.flush()
            os.fsync(file.fileno())
            file.close()
            if target.exists():
                shutil.copymode(target, part)
            part.replace(target)
    except BaseException:
        with contextlib.suppress(OSError):
            file.close()  # tries to write what is left in the buffer, once more in vain on a full disk
        with contextlib.suppress(OSError):
            part.unlink()
        raise


class _Encoder:
    """Just what ``csv.writer`` needs: unlike a ``TextIOWrapper`` it keeps nothing back that could fail later."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file

    def write(self, text: str) -> int:
        return self._file.write(text.encode())


class CsvWriter:
    """CSV as Excel opens it without asking: UTF-8 with a mark, CRLF; no cell is a formula."""

    def __init__(self, file: BinaryIO, columns: Sequence[str], delimiter: str) -> None:
        file.write(codecs.BOM_UTF8)
        self._writer = csv.writer(_Encoder(file), delimiter=delimiter, lineterminator="\r\n")
        self.write(columns)

    def write(self, cells: Sequence[Any]) -> bool:
        self._writer.writerow([self._cell(cell) for cell in cells])
        return True

    def finish(self) -> None:
        pass

    def abort(self) -> None:
        pass

    @staticmethod
    def _cell(cell: Any) -> str:
        text = without_surrogates(text_of(cell))
        return text if isinstance(cell, int | float) else escape_cell(text)


class JsonlWriter:
    """One object a line; a lone surrogate stays, as the escape that JSON has for it."""

    def __init__(self, file: BinaryIO, columns: Sequence[str]) -> None:
        self._file = file
        self._columns = tuple(columns)

    def write(self, cells: Sequence[Any]) -> bool:
        line = json_text(dict(zip(self._columns, cells, strict=True)))
        self._file.write(line.encode("utf-8", "backslashreplace") + b"\n")
        return True

    def finish(self) -> None:
        pass

    def abort(self) -> None:
        pass
