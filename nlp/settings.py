"""Settings from the environment, read once at the edge: commands and service."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass

from .errors import SettingsError
from .reading import MAX_CHARACTERS


@dataclass(frozen=True)
class Settings:
    """What a deployment can set.

    ``bundle`` is a folder or name (`CASECODER_BUNDLE`), ``max_characters`` the longest narrative that one request or
    command
    takes, in code points (`CASECODER_MAX_CHARACTERS`).
    """

    bundle: str | None = None
    max_characters: int = MAX_CHARACTERS

    @classmethod
    def from_env(cls, environ: Mapping[str, str] | None = None) -> Settings:
        """Settings of the environment. Raises `SettingsError` for a value that cannot be used."""
        environ = os.environ if environ is None else environ
        limit = environ.get("CASECODER_MAX_CHARACTERS", str(MAX_CHARACTERS))
        if not limit.isascii() or not limit.isdigit() or not int(limit):
            raise SettingsError("CASECODER_MAX_CHARACTERS wants a whole number above 0")
        return cls(bundle=environ.get("CASECODER_BUNDLE") or None, max_characters=int(limit))
