"""Small JSON files that notice a change: each holds the SHA-256 of the rest of it, and has one form only.

They are no signatures: whoever may write the file can stamp it again.
"""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

from ..errors import RunError
from . import sealed

STAMP = "digest"


def save(path: Path, facts: dict[str, Any]) -> None:
    """Write facts and their stamp, whole or not at all. Raises `OutputError`."""
    sealed.write(path, content(facts))


def content(facts: dict[str, Any]) -> bytes:
    """Facts and their stamp as the file holds them."""
    return _text({**facts, STAMP: digest(facts)})


def load(path: Path) -> dict[str, Any]:
    """The facts without the stamp. Raises `RunError` where the file is gone or is not as it was written."""
    try:
        stored = path.read_bytes()
    except OSError as error:
        raise RunError(f"{path.name} cannot be read ({type(error).__name__})") from None
    return parse(stored, path.name)


def parse(stored: bytes, name: str) -> dict[str, Any]:
    """What `load` gives, of bytes; ``name`` stands in errors."""
    altered = RunError(f"{name} was altered or damaged after it was written, or is none of this version")
    try:
        facts = json.loads(stored)
    except (ValueError, RecursionError):
        raise altered from None
    if not isinstance(facts, dict):
        raise altered
    stamp = facts.pop(STAMP, None)
    if stamp != digest(facts) or content(facts) != stored:
        raise altered
    return facts


def digest(facts: dict[str, Any]) -> str:
    """SHA-256 of facts, which do not hold their stamp."""
    return hashlib.sha256(_text(facts)).hexdigest()


def _text(facts: dict[str, Any]) -> bytes:
    return (json.dumps(facts, indent=1, allow_nan=False) + "\n").encode("ascii")
