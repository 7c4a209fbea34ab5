"""Work folders with a few invented rows, and worker processes that a test can make stumble."""

from __future__ import annotations

import json
import os
import sys
import textwrap
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from nlp.bulk.prepare import prepare
from nlp.bulk.shard_run import LoadedBundle
from nlp.bulk.shards import Plan
from nlp.bulk.tables import InputOptions

STUMBLING = """
import os, sys, time
import nlp.pipeline

real = nlp.pipeline.Pipeline.analyze_one

def analyze(pipeline, narrative):
    if narrative.case_id is None:  # no row of the table
        return real(pipeline, narrative)
    with open({log!r}, "a") as stream:
        stream.write(narrative.case_id + "\\n")
    if "poison" in narrative.text:
        os._exit(86)
    if "endless" in narrative.text:
        time.sleep(3600)
    time.sleep({pause})
    return real(pipeline, narrative)

nlp.pipeline.Pipeline.analyze_one = analyze
"""


@pytest.fixture
def write_cases(tmp_path: Path) -> Callable[[Sequence[str]], Path]:
    """Writes a table of narratives with the ids c1, c2 ..."""

    def write(texts: Sequence[str], name: str = "cases.jsonl") -> Path:
        path = tmp_path / name
        rows = ({"id": f"c{number}", "text": text} for number, text in enumerate(texts, 1))
        path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
        return path

    return write


@pytest.fixture
def tiny(tiny_bundle: Path) -> LoadedBundle:
    return LoadedBundle.open(tiny_bundle)


@pytest.fixture
def prepared(
    write_cases: Callable[[Sequence[str]], Path], tmp_path: Path, tiny: LoadedBundle
) -> Callable[..., tuple[Path, Plan]]:
    """Makes a work folder of texts, with shards of two rows."""

    def make(texts: Sequence[str], key: bytes | None = None) -> tuple[Path, Plan]:
        work = tmp_path / "work"
        work.mkdir()
        plan = prepare(write_cases(texts), work, InputOptions(), bundle=tiny, shard_rows=2, key=key)
        return work, plan

    return make


@pytest.fixture
def stumbling(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Path]:
    """Makes worker processes die of a row with "poison" in it, never end one with "endless", and pause before each;
    the path that is given back is a log of the ids they tried."""

    def make(pause: float = 0.0, program: str = STUMBLING) -> Path:
        folder, log = tmp_path / "stumbling", tmp_path / "tried.log"
        folder.mkdir()
        log.touch()
        content = textwrap.dedent(program).format(log=str(log), pause=pause) if program is STUMBLING else program
        (folder / "sitecustomize.py").write_text(content, encoding="utf-8")
        monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(folder), *sys.path]))
        return log

    return make


@pytest.fixture
def workers_of() -> Callable[[int], list[int]]:
    """Finds the worker processes of a process, on Linux."""
    return _workers_of


def _workers_of(parent: int) -> list[int]:
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdecimal():
            try:
                ppid = int((entry / "stat").read_text().rpartition(")")[2].split()[1])
                command = (entry / "cmdline").read_bytes()
            except OSError:
                continue
            if ppid == parent and b"engines.worker" in command:
                found.append(int(entry.name))
    return sorted(found)
