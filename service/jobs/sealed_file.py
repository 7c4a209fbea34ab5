"""Files of any size, encrypted: AES-256-GCM in frames of a megabyte, each bound to its file and its place.

A file begins with a mark and a salt of its own, from which, with the job's key and the file's name, its own key comes.
So a nonce can simply be the number of the frame, and whether it is the last one (Hoang and others 2015, "STREAM"): a
frame that was altered, moved, taken from another file or cut off at the end does not open.
"""

from __future__ import annotations

import hmac
import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from ..errors import SealBroken, StoreError

FRAME = 1 << 20  # bytes of content
PART = ".part"
"""Ends the name of a file that is not whole yet."""

_MARK = b"casecoder job file 1\n"
_SALT = 16  # bytes
_TAG = 16  # bytes that GCM adds
_HEAD = len(_MARK) + _SALT


class SealedWriter:
    """Takes content in pieces of any size; ``size`` counts its bytes."""

    def __init__(self, file: BinaryIO, key: bytes, name: str) -> None:
        salt = secrets.token_bytes(_SALT)
        file.write(_MARK + salt)
        self._file = file
        self._cipher = _cipher(key, name, salt)
        self._name = name.encode()
        self._waiting = bytearray()
        self._number = 0
        self.size = 0

    def write(self, content: bytes) -> None:
        """Take more content."""
        self.size += len(content)
        self._waiting += content
        while len(self._waiting) > FRAME:  # of content that just fills a frame nobody knows yet whether it is the last
            self._frame(bytes(self._waiting[:FRAME]), is_last=False)
            del self._waiting[:FRAME]

    def finish(self) -> None:
        """Write the last frame."""
        self._frame(bytes(self._waiting), is_last=True)
        self._waiting.clear()

    def _frame(self, content: bytes, *, is_last: bool) -> None:
        self._file.write(self._cipher.encrypt(_nonce(self._number, is_last), content, self._name))
        self._number += 1


@contextmanager
def writing_sealed(path: Path, key: bytes, name: str) -> Iterator[SealedWriter]:
    """A sealed file to write to: in its place and on the disk when the block ends well, or not at all.

    ``name`` is what it is bound to. Raises `StoreError` where the disk refuses.
    """
    part = path.with_name(f"{path.name}.{secrets.token_hex(4)}{PART}")
    try:
        with _told(), os.fdopen(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            writer = SealedWriter(file, key, name)
            yield writer
            writer.finish()
            file.flush()
            os.fsync(file.fileno())
        with _told():
            part.replace(path)
    except BaseException:
        with suppress(OSError):
            part.unlink()
        raise


def write_sealed(path: Path, content: bytes, key: bytes, name: str) -> None:
    """Write a small file at once."""
    with writing_sealed(path, key, name) as file:
        file.write(content)


class SealedFile:
    """A sealed file that is open for reading; a context manager.

    Raises `SealBroken` where it was altered, or another key or name belongs to it, and `StoreError` where it is gone.
    """

    def __init__(self, path: Path, key: bytes, name: str) -> None:
        with _told():
            self._file = path.open("rb")
        head = self._file.read(_HEAD)
        stored = os.fstat(self._file.fileno()).st_size - _HEAD
        if not head.startswith(_MARK) or stored < _TAG:
            self._file.close()
            raise SealBroken("a file of a job is none, or was cut off")
        self._cipher = _cipher(key, name, head[len(_MARK) :])
        self._name = name.encode()
        self._frames = -(-stored // (FRAME + _TAG))
        self.size = stored - self._frames * _TAG
        """Bytes of the content."""

    def check_end(self) -> None:
        """Raise `SealBroken` where the file was cut off: before any of it is handed on."""
        self._read(self._frames - 1)

    def pieces(self) -> Iterator[bytes]:
        """The content, a frame at a time."""
        for number in range(self._frames):
            yield self._read(number)

    def _read(self, number: int) -> bytes:
        with _told():
            self._file.seek(_HEAD + number * (FRAME + _TAG))
            frame = self._file.read(FRAME + _TAG)
        try:
            return self._cipher.decrypt(_nonce(number, number == self._frames - 1), frame, self._name)
        except (InvalidTag, ValueError):
            raise SealBroken("a file of a job was altered or cut off, or belongs to another one") from None

    def __enter__(self) -> SealedFile:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    def close(self) -> None:
        """Let go of the file."""
        self._file.close()


def read_sealed(path: Path, key: bytes, name: str) -> bytes:
    """All of a small file."""
    with SealedFile(path, key, name) as file:
        return b"".join(file.pieces())


def _cipher(key: bytes, name: str, salt: bytes) -> AESGCM:
    return AESGCM(hmac.digest(key, b"casecoder job file\0" + salt + name.encode(), "sha256"))


def _nonce(number: int, is_last: bool) -> bytes:
    return number.to_bytes(11, "big") + bytes([is_last])


@contextmanager
def _told() -> Iterator[None]:
    """Errors of the disk as a sentence, without the place of the file."""
    try:
        yield
    except FileNotFoundError:
        raise StoreError(
            "a file of this job is not there: were the files of jobs moved, or the database restored?"
        ) from None
    except OSError as error:
        raise StoreError(
            f"the files of jobs cannot be read or written ({type(error).__name__}): is the disk full?"
        ) from None
