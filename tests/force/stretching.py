"""Slows processes down where a kill may hit, and spares them what takes long and is not tested here."""

from __future__ import annotations

import functools
import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any
from zlib import crc32

ROOT = Path(__file__).resolve().parents[2]
_BEGIN = """
from tests.force.stretching import begin

begin({log!r}, row={row}, written={written}, placed={placed}, quick={quick})
"""


def stretched(
    folder: Path, log: Path, *, row: float = 0.01, written: float = 0.002, placed: float = 0.003, quick: bool = False
) -> str:
    """The ``PYTHONPATH`` of slow processes, which write the id of each row they try into ``log``.

    All times in seconds: before a row is coded, before one is written, and around each step that puts a file in its
    place. ``quick`` processes give codes by the length and sum of a text and hide nobody, without any model.
    """
    folder.mkdir()
    program = _BEGIN.format(log=str(log), row=row, written=written, placed=placed, quick=quick)
    (folder / "sitecustomize.py").write_text(program, encoding="utf-8")
    return os.pathsep.join([str(folder), str(ROOT)])


def begin(log: str, *, row: float, written: float, placed: float, quick: bool) -> None:
    """Make this process slow: called before all other code of it."""
    import nlp.bulk.output
    import nlp.pipeline

    pipeline = nlp.pipeline.Pipeline
    analyze = _analyze_quickly if quick else pipeline.analyze_one

    def analyze_slowly(self: Any, narrative: Any) -> Any:
        if narrative.case_id is not None:  # else it is no row of a table
            with Path(log).open("a") as stream:
                stream.write(f"{narrative.case_id}\n")
            time.sleep(row)
        return analyze(self, narrative)

    pipeline.analyze_one = analyze_slowly  # type: ignore[method-assign]
    _slow(nlp.bulk.output.OutputTable, "write", before=written)
    for name in ("fsync", "replace", "rename"):
        _slow(os, name, before=placed, after=placed)


def _slow(owner: Any, name: str, *, before: float, after: float = 0.0) -> None:
    call: Callable[..., Any] = getattr(owner, name)

    @functools.wraps(call)
    def run(*args: Any, **kwargs: Any) -> Any:
        time.sleep(before)
        done = call(*args, **kwargs)
        time.sleep(after)
        return done

    setattr(owner, name, run)


def _analyze_quickly(pipeline: Any, narrative: Any) -> Any:
    from nlp.errors import NarrativeEmpty
    from nlp.types import Analysis, Redaction, Suggestion

    if not narrative.text.strip():
        raise NarrativeEmpty
    suggestions = []
    for axis in pipeline.codebook.axes:
        shares = {code: crc32(f"{code} {narrative.text}".encode()) / 2**32 for code in axis.codes}
        ranked = sorted(shares.items(), key=lambda item: (-item[1], item[0]))
        suggestions += [
            Suggestion(axis.id, code, share, "suggest" if share > 0.9 else "none") for code, share in ranked
        ]
    return Analysis(
        case_id=narrative.case_id,
        language=narrative.language or "en",
        redaction=Redaction(narrative.text, (), ()),
        suggestions=tuple(suggestions),
        primary={axis.id: None for axis in pipeline.codebook.axes},
        nothing={axis.id: 0.1 for axis in pipeline.codebook.axes if axis.nothing},
        bundle=pipeline.bundle,
        codebook=str(pipeline.codebook),
    )


def shards_repeated(tries: list[list[str]], shard_of: dict[str, int]) -> int:
    """Shards that were begun between two kills and begun again later, at most. ``tries`` are the ids of rows that were
    tried up to each kill, and up to the end."""
    most = 0
    for number, before in enumerate(tries[:-1]):
        later = {row for rows in tries[number + 1 :] for row in rows}
        most = max(most, len({shard_of[row] for row in before if row in later}))
    return most
