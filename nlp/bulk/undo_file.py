"""The undo file: what a run set in each row, so that it can be taken out again and what people changed stays.

JSON, a line for the run, then one for each row of its output in order, then one with their number. It holds no text:
codes, decisions, and for each cell that the run wrote, and for the text as it stands in the output, a fingerprint of 32
bits that tells whether it is still the same.
"""

from __future__ import annotations

import json
from array import array
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO, Protocol

from ..errors import TableError
from ..types import Analysis
from .fingerprints import fingerprint
from .replacing import replacing, writing
from .values import without_surrogates
from .xlsx_cells import shortened

FORMAT = "casecoder undo 1"
ENDING = ".undo.jsonl"

_DAMAGED = "this undo file is damaged: give the one that was written beside the coded table"


@dataclass(frozen=True)
class UndoFacts:
    """What is the same for all rows of a run.

    ``columns`` are those that the run added, by their names in the output; ``row_column`` is the one of them with the
    numbers of rows, or None. ``texts`` are the numbers, from 1, of the columns of the narrative, ``text_names``
    fingerprints of their names; ``redacted`` says whether the run replaced what stood in them.
    """

    run: str
    bundle: str
    codebook: str
    columns: tuple[str, ...]
    row_column: str | None
    texts: tuple[int, ...]
    text_names: tuple[str, ...]
    redacted: bool

    def to_json(self) -> dict[str, Any]:
        return {"format": FORMAT, **{name: _plain(getattr(self, name)) for name in self.__dataclass_fields__}}

    @classmethod
    def from_json(cls, value: Any) -> UndoFacts:
        """Raises ``TableError`` for what is no first line of an undo file."""
        if not isinstance(value, dict) or value.get("format") != FORMAT:
            raise TableError("this is no undo file of this version of casecoder: give the one beside the coded table")
        facts: dict[str, Any] = {name: value.get(name) for name in cls.__dataclass_fields__}
        lists = {"columns": str, "texts": int, "text_names": str}
        sound = all(_is_list_of(facts[name], kind) for name, kind in lists.items()) and _is_list_of(
            [facts["run"], facts["bundle"], facts["codebook"]], str
        )
        if not sound or facts["row_column"] not in (None, *facts["columns"]) or facts["redacted"] not in (True, False):
            raise TableError(_DAMAGED)
        facts |= {name: tuple(facts[name]) for name in lists}
        return cls(**facts)

    def print_of(self, number: int, column: str, cell: Any) -> str:
        """The fingerprint of a cell of a row."""
        return fingerprint(cell, self.run, str(number), column)


def print_of_name(run: str, name: str) -> str:
    """The fingerprint of the name of a column: what stands for a name in a file may be data."""
    return fingerprint(name, run)


def _plain(value: Any) -> Any:
    return list(value) if isinstance(value, tuple) else value


def _is_list_of(value: Any, kind: type) -> bool:
    return isinstance(value, list) and all(isinstance(item, kind) for item in value)


class Noting(Protocol):
    """Notes what a run wrote into a row; ``cells`` are those of all columns."""

    def __call__(self, number: int, analysis: Analysis | None, decision: str, cells: Sequence[Any]) -> None: ...


def undo_path(target: Path) -> Path:
    """Where the undo file of an output lies."""
    return target.with_name(target.name + ENDING)


@contextmanager
def noting(target: Path, facts: UndoFacts | None) -> Iterator[Noting]:
    """Writes the undo file of an output, whole or not at all; nothing where ``facts`` is None.

    One that stood there before is kept beside it, as the output is. To be closed before the output takes its place: a
    coded table without its undo file is worse than an undo file without its table.
    """
    if facts is None:
        yield lambda number, analysis, decision, cells: None
        return
    path = undo_path(target)
    cut = target.suffix.lower() == ".xlsx"
    rows = 0
    with replacing(path, keep_earlier=True) as place:

        def put(value: Mapping[str, Any]) -> None:
            with writing(path):
                place.file.write(json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode() + b"\n")

        def note(number: int, analysis: Analysis | None, decision: str, cells: Sequence[Any]) -> None:
            nonlocal rows
            rows += 1
            written = [_as_written(cell, cut=cut) for cell in cells]
            added = zip(facts.columns, written[-len(facts.columns) :], strict=True)
            texts = ((name, written[at - 1]) for name, at in zip(facts.text_names, facts.texts, strict=True))
            prints = [".".join(facts.print_of(number, *pair) for pair in pairs) for pairs in (added, texts)]
            codes = _codes(analysis)
            put({"row": number, "decision": decision, "codes": codes, "cells": prints[0], "texts": prints[1]})

        put(facts.to_json())
        yield note
        put({"rows": rows})


def _as_written(cell: Any, *, cut: bool) -> Any:
    return shortened(without_surrogates(cell)) if cut and isinstance(cell, str) else cell


def _codes(analysis: Analysis | None) -> dict[str, list[str]] | None:
    """The suggested codes of each axis; None where there is no analysis."""
    if analysis is None:
        return None
    codes: dict[str, list[str]] = {}
    for item in analysis.suggestions:
        codes.setdefault(item.axis, []).extend([item.code] if item.suggested else [])
    return codes


class UndoFile:
    """An undo file that is open for reading, row by row in any order; a context manager.

    Raises ``TableError`` for one that is none, or is not whole.
    """

    def __init__(self, path: Path) -> None:
        try:
            self._file: BinaryIO = path.open("rb")
        except OSError:
            raise TableError(
                f"there is no undo file {path}: it is written beside the output, with the ending {ENDING}"
            ) from None
        try:
            self.facts = UndoFacts.from_json(_value(self._file.readline()))
            self._at = self._index()
        except BaseException:
            self._file.close()
            raise

    def __len__(self) -> int:
        """How many rows the run wrote."""
        return len(self._at)

    def __enter__(self) -> UndoFile:
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()

    def prints(self, number: int) -> tuple[list[str], list[str]]:
        """The fingerprints of a row, numbered from 1: of the added columns, and of the texts."""
        self._file.seek(self._at[number - 1])
        value = _value(self._file.readline())
        if not isinstance(value, dict) or value.get("row") != number:
            raise TableError(_DAMAGED)
        cells, texts = (str(value.get(name, "")).split(".") for name in ("cells", "texts"))
        if len(cells) != len(self.facts.columns) or len(texts) != len(self.facts.text_names):
            raise TableError(_DAMAGED)
        return cells, texts

    def _index(self) -> array[int]:
        """Where each row begins. The last line says how many there are: a file that broke off has none."""
        starts = array("Q")
        last, at = b"", self._file.tell()
        for line in self._file:
            starts.append(at)
            at += len(line)
            last = line
        if not starts or _value(last) != {"rows": len(starts) - 1}:
            raise TableError(_DAMAGED)
        starts.pop()
        return starts


def _value(line: bytes) -> Any:
    try:
        return json.loads(line)
    except ValueError:
        raise TableError(_DAMAGED) from None
