"""Encryption of what is stored: AES-256 in Galois/counter mode, each value bound to the row that it belongs to.

A key file may hold several keys, one a line, the current one first. Every sealed value begins with the mark of its key,
so that an old key stays readable until `casecoder-serve rotate-key` has sealed everything anew.
"""

from __future__ import annotations

import os
import secrets
from collections.abc import Mapping, Sequence
from hashlib import sha256
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from nlp.errors import SettingsError
from nlp.keys import VARIABLE, parse_key

from ..errors import SealBroken

_MARK = 8  # bytes of the key's hash before each sealed value
_NONCE = 12  # bytes: NIST SP 800-38D


class Keyring:
    """Keys of the store; the first one seals, any of them opens.

    Parameters
    ----------
    keys : 32 bytes each, at least one.
    """

    def __init__(self, keys: Sequence[bytes]) -> None:
        self._ciphers = {sha256(b"casecoder store " + key).digest()[:_MARK]: AESGCM(key) for key in keys}
        self._current = next(iter(self._ciphers))

    @property
    def current(self) -> bytes:
        """The mark of the key that seals."""
        return self._current

    def seal(self, content: bytes, *, of: str) -> bytes:
        """Encrypt a value; ``of`` names the row and column that it belongs to, and no other row opens it."""
        nonce = secrets.token_bytes(_NONCE)
        return self._current + nonce + self._ciphers[self._current].encrypt(nonce, content, of.encode())

    def open(self, sealed: bytes, *, of: str) -> bytes:
        """Decrypt a value. Raises `SealBroken` where it was altered, moved, or sealed with a key that is not here."""
        cipher = self._ciphers.get(sealed[:_MARK])
        if cipher is None:
            raise SealBroken("it was sealed with a key that the key file does not have")
        nonce, body = sealed[_MARK : _MARK + _NONCE], sealed[_MARK + _NONCE :]
        try:
            return cipher.decrypt(nonce, body, of.encode())
        except (InvalidTag, ValueError):
            raise SealBroken("it was altered, or belongs to another row") from None

    def is_current(self, sealed: bytes) -> bool:
        """Whether a value was sealed with the current key."""
        return sealed[:_MARK] == self._current


def read_keyring(path: Path | None = None, environ: Mapping[str, str] | None = None) -> Keyring:
    """The keys of a file, or else of ``CASECODER_KEY`` (several with commas between).

    Raises `SettingsError` where there is none, or one that is no key; it never repeats what it read.
    """
    if path is not None:
        try:
            lines = path.read_text(encoding="ascii").split()
        except (OSError, UnicodeDecodeError) as error:
            raise SettingsError(f"the key file {path} cannot be read ({type(error).__name__})") from None
        where = f"the key file {path}"
    else:
        lines = (os.environ if environ is None else environ).get(VARIABLE, "").replace(",", " ").split()
        where = VARIABLE
    if not lines:
        raise SettingsError(
            f"{where} holds no key, and nothing is stored unencrypted: make one with `casecoder new-key FILE` and name "
            f"it in CASECODER_KEY_FILE"
        )
    return Keyring([parse_key(line.encode(), where) for line in lines])
