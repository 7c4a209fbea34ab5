"""Files of a work folder: written whole or not at all, and encrypted where there is a key.

AES-256 in Galois/counter mode (NIST SP 800-38D). The nonce hangs on the key, the place and the content, so that the
same content at the same place gives the same bytes, and no nonce serves for two contents. Hashes are always those of
the bytes as they are stored: a file is checked before it is opened, with or without the key.
"""

from __future__ import annotations

import contextlib
import hashlib
import hmac
import json
import os
import secrets
from pathlib import Path
from typing import TYPE_CHECKING

from ..errors import RunError
from .replacing import writing

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

PART = ".part"
"""Ends the name of a file that is not whole yet."""

_MARK = b"casecoder sealed 1\n"
_NONCE = 12  # bytes
_CHUNK = 1 << 20  # bytes


def write(path: Path, content: bytes, *, key: bytes | None = None) -> str:
    """Put a file in its place by a rename; the SHA-256 of what is stored. Raises `OutputError`."""
    stored = _seal(path, content, key) if key else content
    part = path.with_name(f".{path.name}.{os.getpid()}-{secrets.token_hex(4)}{PART}")
    with writing(path):
        try:
            with part.open("xb") as file:
                file.write(stored)
                file.flush()
                os.fsync(file.fileno())
            os.replace(part, path)  # noqa: PTH105 (the same as Path.replace)
        except BaseException:
            with contextlib.suppress(OSError):
                part.unlink()
            raise
    return hashlib.sha256(stored).hexdigest()


def read(path: Path, *, key: bytes | None = None, sha256: str | None = None) -> bytes:
    """What was written there. Raises `RunError` where it is gone, altered (if ``sha256`` is known) or sealed by another
    key."""
    try:
        stored = path.read_bytes()
    except OSError as error:
        raise RunError(f"{_place(path)} of the work folder cannot be read ({type(error).__name__})") from None
    if sha256 is not None and hashlib.sha256(stored).hexdigest() != sha256:
        raise RunError(f"{_place(path)} of the work folder was altered or damaged after it was written")
    if not stored.startswith(_MARK):
        if key:
            raise RunError(f"{_place(path)} of the work folder is not sealed, although there is a key")
        return stored
    if not key:
        raise RunError("the work folder is sealed: give its key with --key-file or CASECODER_KEY")
    return _open(path, stored, key)


def file_sha256(path: Path) -> str:
    """SHA-256 of a file of any size. Raises OSError."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK):
            digest.update(chunk)
    return digest.hexdigest()


def key_mark(key: bytes) -> str:
    """What tells whether a key is the one that sealed a folder; tells nothing about the key itself."""
    return hmac.digest(_derived(key, b"mark"), b"work folder", "sha256").hex()[:16]


def mark(value: object, key: bytes) -> str:
    """What tells whether a plain value is still the same, and nothing else without the key."""
    return hmac.digest(_derived(key, b"mark of a value"), json.dumps(value).encode(), "sha256").hex()[:16]


def _seal(path: Path, content: bytes, key: bytes) -> bytes:
    place = _place(path).encode("utf-8", "surrogatepass")
    seed = hmac.new(_derived(key, b"nonce"), place + b"\0", "sha256")
    seed.update(content)
    nonce = seed.digest()[:_NONCE]
    return _MARK + nonce + _cipher(key).encrypt(nonce, content, _MARK + place)


def _open(path: Path, stored: bytes, key: bytes) -> bytes:
    from cryptography.exceptions import InvalidTag

    nonce, content = stored[len(_MARK) :][:_NONCE], stored[len(_MARK) + _NONCE :]
    try:
        return _cipher(key).decrypt(nonce, content, _MARK + _place(path).encode("utf-8", "surrogatepass"))
    except (InvalidTag, ValueError):
        raise RunError(f"{_place(path)} of the work folder was sealed with another key, or altered") from None


def _cipher(key: bytes) -> AESGCM:
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

    return AESGCM(_derived(key, b"content"))


def _derived(key: bytes, purpose: bytes) -> bytes:
    """A key of its own for each purpose, since the same key seals maps of redactions, too."""
    return hmac.digest(key, b"casecoder bulk " + purpose, "sha256")


def _place(path: Path) -> str:
    """Where a file is in its work folder, such as ``shards/00000.parquet``; wherever that folder is."""
    folder = path.parent.name
    return f"{folder}/{path.name}" if folder in ("shards", "results", "receipts") else path.name
