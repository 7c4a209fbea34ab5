"""Secret keys of a deployment: made by one command, read from a file or the environment, never shown, never logged."""

from __future__ import annotations

import base64
import binascii
import os
import secrets
from collections.abc import Mapping
from pathlib import Path

from .errors import SettingsError

VARIABLE = "CASECODER_KEY"
SIZE = 32  # bytes: AES-256


def new_key_file(path: Path) -> None:
    """Write a new random key, readable for its owner alone. Raises `SettingsError` where a file stands already."""
    content = base64.urlsafe_b64encode(secrets.token_bytes(SIZE)) + b"\n"
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        raise SettingsError(f"{path} exists already; a key that is overwritten can never be had again") from None
    except OSError as error:
        raise SettingsError(f"{path} cannot be written ({type(error).__name__})") from None
    with os.fdopen(descriptor, "wb") as stream:
        stream.write(content)


def read_key(path: Path | None = None, environ: Mapping[str, str] | None = None) -> bytes:
    """The key of a file, or else of ``CASECODER_KEY``: 32 bytes in URL-safe base64.

    Raises `SettingsError` for one that is missing, unreadable or of another size; it never repeats what it read.
    """
    if path is not None:
        try:
            content = path.read_bytes()
        except OSError as error:
            raise SettingsError(f"the key file {path} cannot be read ({type(error).__name__})") from None
        where = f"the key file {path}"
    else:
        content = (os.environ if environ is None else environ).get(VARIABLE, "").encode()
        where = VARIABLE
        if not content:
            raise SettingsError(f"a key is needed: name a file with --key-file, or set {VARIABLE}")
    return parse_key(content, where)


def parse_key(content: bytes, where: str) -> bytes:
    """32 bytes from URL-safe base64. Raises `SettingsError`, which names ``where`` it was read, for anything else."""
    try:
        key = base64.b64decode(content.strip(), altchars=b"-_", validate=True)
    except binascii.Error:
        key = b""
    if len(key) != SIZE:
        raise SettingsError(f"{where} holds no key: make one with `casecoder new-key FILE`")
    return key
