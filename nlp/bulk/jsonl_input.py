"""JSONL: one JSON object a line."""

from __future__ import annotations

import io
import json
import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from ..errors import TableError
from .encodings import DAMAGE, detect, open_text
from .source import Record
from .values import InputOptions

MAX_DEPTH = 100  # levels; no case has as many
_DEEP = f"the values in this line lie more than {MAX_DEPTH} levels deep"
MAX_COLUMNS = 10_000  # more keys than this are data, not names


class _RepeatedKeyError(ValueError):
    pass


class JsonlSource:
    """Rows of a JSONL file. Its columns are the keys of all objects, which takes a pass of its own."""

    blank = None
    delimiter: str | None = None
    arrow_types: dict[str, Any] | None = None
    sheet: str | None = None

    def __init__(self, path: Path, options: InputOptions) -> None:
        self._encoding = detect(path, options.encoding)
        self.notes: Sequence[str] = [] if self._encoding.title == "UTF-8" else [self._encoding.note]
        with open_text(path.open("rb"), self._encoding, newline="\n") as text:
            self.names: Sequence[str] | None = _keys(text)
        self._raw = path.open("rb", buffering=0)
        self._size = os.fstat(self._raw.fileno()).st_size
        # Only "\n" ends a line here: JSON text may hold other line ends as they are.
        self._text = open_text(io.BufferedReader(self._raw, 1 << 16), self._encoding, newline="\n")

    def records(self) -> Iterator[Record]:
        return map(self._record, filter(_is_row, self._text))

    def progress(self) -> float | None:
        return min(1.0, self._raw.tell() / self._size) if self._size and not self._raw.closed else 1.0

    def close(self) -> None:
        self._text.close()

    def _record(self, line: str) -> Record:
        problems = []
        if self._encoding.damaged and DAMAGE in line:
            line = line.replace(DAMAGE, "\N{REPLACEMENT CHARACTER}")
            problems.append(f"some bytes are not {self._encoding.title} text")
        found, problem = _object(line)
        problems += [problem] if problem else []
        return Record([found.get(name) for name in self.names or ()], "; ".join(problems) or None)


def _is_row(line: str) -> bool:
    return not line.isspace()


def _object(line: str) -> tuple[dict[str, Any], str | None]:
    """The object of a line, empty where there is none, and what is wrong with it."""
    try:
        value, problem = _load(line)
    except ValueError:
        return {}, "this line is no JSON"
    except RecursionError:
        return {}, _DEEP
    if not isinstance(value, dict):
        return {}, "this line is JSON, but no object"
    return ({}, _DEEP) if _is_deep(value, line) else (value, problem)


def _is_deep(value: Any, line: str) -> bool:
    """Whether values lie so deep in one another that they can be read, but perhaps not written again."""
    if line.count("{") + line.count("[") <= MAX_DEPTH:
        return False
    level = [value]
    for _ in range(MAX_DEPTH):
        inner = [item.values() if isinstance(item, dict) else item for item in level if isinstance(item, dict | list)]
        level = [item for items in inner for item in items]
    return bool(level)


def _load(line: str) -> tuple[Any, str | None]:
    try:
        return json.loads(line, object_pairs_hook=_unrepeated), None
    except _RepeatedKeyError:
        return json.loads(line), "a key stands twice in this object; its last value was taken"


def _unrepeated(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        raise _RepeatedKeyError
    return found


def _keys(text: io.TextIOWrapper) -> list[str]:
    """The keys of all objects in order of appearance."""
    keys: dict[str, None] = {}
    for line in filter(_is_row, text):
        keys.update(dict.fromkeys(_object(line.replace(DAMAGE, "\N{REPLACEMENT CHARACTER}"))[0]))
        if len(keys) > MAX_COLUMNS:
            raise TableError(f"the objects have more than {MAX_COLUMNS:,} different keys: give each case the same keys")
    if not keys:
        raise TableError(
            'there is no JSON object in this file: write one object a line, such as {"id": 1, "text": "..."}'
        )
    return list(keys)
