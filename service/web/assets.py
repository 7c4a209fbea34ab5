"""The files under ``/static``: read once, named by a hash of their content, so that browsers keep them for good.

ES modules import each other by relative name (``from "./api.js"``). As served, these names carry the hash of the
imported file, which is part of the content that the importing file's own hash is of.
"""

from __future__ import annotations

import gzip
import hashlib
import re
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

MEDIA_TYPES = {".css": "text/css", ".js": "text/javascript", ".svg": "image/svg+xml"}
_IMPORT = re.compile(r'(?<=from ")\./([a-z_]+\.js)(?=")')
_HASH_LENGTH = 16  # hexadecimal digits of SHA-256


@dataclass(frozen=True)
class Asset:
    """A file as it is served."""

    content: bytes
    packed: bytes
    """The content, compressed with gzip."""
    media_type: str
    version: str

    @property
    def etag(self) -> str:
        """The version as HTTP quotes it."""
        return f'"{self.version}"'


def asset(name: str) -> Asset | None:
    """The file of a name, None where there is none. Modules must not import each other in a circle."""
    return _asset(name) if name in _names() else None


@cache
def _asset(name: str) -> Asset | None:
    suffix = name[name.rfind(".") :] if "." in name else ""
    if suffix not in MEDIA_TYPES:
        return None
    text = files(__package__).joinpath("static", name).read_text(encoding="utf-8")
    if suffix == ".js":
        text = _IMPORT.sub(lambda found: f"./{found[1]}?v={version_of(found[1])}", text)
    content = text.encode()
    version = hashlib.sha256(content).hexdigest()[:_HASH_LENGTH]
    return Asset(content, gzip.compress(content, mtime=0), MEDIA_TYPES[suffix], version)


def version_of(name: str) -> str:
    """The hash of a file. Raises `FileNotFoundError` for one that is not there: a page must not name it."""
    found = asset(name)
    if found is None:
        raise FileNotFoundError(name)
    return found.version


def url_of(name: str) -> str:
    """The address of a file, with its hash."""
    return f"/static/{name}?v={version_of(name)}"


@cache
def modules_of(name: str) -> tuple[str, ...]:
    """Addresses of all modules that a module imports, so that a page can have them loaded at once."""
    found: dict[str, None] = {}
    source = files(__package__).joinpath("static", name).read_text(encoding="utf-8")
    for imported in _IMPORT.findall(source):
        found |= dict.fromkeys((url_of(imported), *modules_of(imported)))
    return tuple(found)


@cache
def _names() -> frozenset[str]:
    return frozenset(item.name for item in files(__package__).joinpath("static").iterdir())
