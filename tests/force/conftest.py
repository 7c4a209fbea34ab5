"""Shared by the tests by force: the tally, and the table of it at the end."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from random import Random

import pytest

from .bulk_run import BulkRun, Recipe
from .tally import Tally, wanted_seed

_tally = Tally(wanted_seed())
_bombs: list[str] = []


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if item.path.parent == Path(__file__).parent and not sys.platform.startswith("linux"):
            item.add_marker(pytest.mark.skip(reason="looks at processes as Linux shows them"))


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    if _tally.kills:
        terminalreporter.section("kills")
        for line in _tally.lines():
            terminalreporter.write_line(line)
    if _bombs:
        terminalreporter.section("archive bombs")
        for line in _bombs:
            terminalreporter.write_line(line)


@pytest.fixture
def tally() -> Tally:
    return _tally


@pytest.fixture
def told() -> Callable[[str, float, float, Path], None]:
    """Notes what refusing a bomb took."""

    def note(name: str, seconds: float, megabytes: float, path: Path) -> None:
        size = path.stat().st_size / 1_000_000
        _bombs.append(f"{name:<45} {size:6.1f} MB  {seconds:6.1f} s  {megabytes:4.0f} MB of memory")

    return note


@pytest.fixture
def random() -> Iterator[Random]:
    """Random moments; a failure tells how to have the same ones again."""
    sys.stderr.write(f"CASECODER_FORCE_SEED={_tally.seed}\n")
    return Random(_tally.seed)  # noqa: S311 (moments, no secrets)


@pytest.fixture
def undisturbed(tmp_path: Path) -> Callable[[Recipe], bytes]:
    """The bytes of an output that nobody disturbed."""
    known: dict[Recipe, bytes] = {}

    def code(recipe: Recipe) -> bytes:
        if recipe not in known:
            run = BulkRun(tmp_path / f"undisturbed-{len(known)}", recipe)
            run.finish()
            known[recipe] = run.target.read_bytes()
        return known[recipe]

    return code
