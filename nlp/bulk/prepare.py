"""A table to shards: one pass over the strict reader, in memory that does not hang on the number of rows."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Any, Protocol

from ..errors import TableError
from . import sealed
from .replacing import writing
from .shard_run import LoadedBundle
from .shards import RECEIPTS, RESULTS, SHARDS, InputFacts, Plan, RowsDigest, ShardRow, write_shard
from .tables import InputOptions, InputTable, Row, open_input
from .taking import Taking, taking_of

SHARD_ROWS = 250
FIRST_ROWS = 1_000  # rows at the beginning, which come in small shards: else a short file would occupy one core alone
FIRST_SHARD_ROWS = 50
SHARD_CHARACTERS = (
    2_000_000  # code points of narratives; a shard with more is closed after the row that brings it there
)

_NAMES = ("text_column", "id_column", "sheet", "joined", "join", "language_column", "country_column", "coded")

Take = Callable[[InputTable], Taking]


class RowWatcher(Protocol):
    """Sees each row once on its way into the shards, and may leave files of its own beside them."""

    def see(self, row: Row, taken: ShardRow) -> None: ...

    def save(self, work: Path, key: bytes | None) -> Mapping[str, str]:
        """Write what it found, by `sealed.write`; names of files and their SHA-256."""

    def close(self) -> None:
        """Let go of what it holds, also where nothing will be saved."""


def prepare(
    source: Path,
    work: Path,
    options: InputOptions,
    *,
    bundle: LoadedBundle,
    language: str | None = None,
    take: Take | None = None,
    watchers: Sequence[RowWatcher] = (),
    shard_rows: int | None = None,
    key: bytes | None = None,
    further: Mapping[str, Any] = {},
) -> Plan:
    """Write the shards of a table into a work folder and, last, the plan.

    ``take`` decides on an open table which cells are coded; by default the text column, in ``language``.
    ``shard_rows`` is how many rows a shard has at most; ``further`` are options that matter to what comes out.

    Raises
    ------
    TableError
        The input cannot be read, has no rows, or a column or sheet has to be chosen.
    OutputError
        The work folder cannot be written.
    """
    for folder in (SHARDS, RESULTS, RECEIPTS):
        with writing(work / folder):
            (work / folder).mkdir(exist_ok=True)
    digest = RowsDigest()
    with open_input(source, options) as table:
        size, sha256 = source.stat().st_size, input_sha256(source)
        taking = take(table) if take else taking_of(table, language=language)
        rows = _taken(table, taking, watchers, digest)
        with closing_all(watchers):
            shards = tuple(
                write_shard(work, number, some, key=key) for number, some in enumerate(_divided(rows, shard_rows))
            )
            files = {name: sha256 for watcher in watchers for name, sha256 in watcher.save(work, key).items()}
    if not shards:
        raise TableError("the input has no rows: nothing was written")
    count = sum(shard.rows for shard in shards)
    plan = Plan(
        input=InputFacts(size, sha256, count, digest.hexdigest()),
        columns={role: list(places) for role, places in taking.columns.items()},
        options=coding_options(options, bundle, language, further, key=key),
        bundle_name=bundle.name,
        bundle_digest=bundle.digest,
        shards=shards,
        files=files,
        key_mark=sealed.key_mark(key) if key else None,
    )
    plan.save(work)
    return plan


@contextmanager
def closing_all(watchers: Sequence[RowWatcher]) -> Iterator[None]:
    """Let go of what watchers hold, however the block ends."""
    try:
        yield
    finally:
        for watcher in watchers:
            watcher.close()


def coding_options(
    options: InputOptions,
    bundle: LoadedBundle,
    language: str | None,
    further: Mapping[str, Any] = {},
    *,
    key: bytes | None = None,
) -> dict[str, Any]:
    """What was asked for that decides how rows are read and coded, as a plan keeps it.

    With a ``key``, names of sheets and columns are marks by which only their change is noticed: a plan lies open.
    """
    asked = {name: list(value) if isinstance(value, tuple) else value for name, value in asdict(options).items()}
    of_bundle = {"max_characters": bundle.max_characters, "auto_precision": bundle.auto_precision}
    kept = {**asked, "language": language, **of_bundle, **further}
    if key:
        kept |= {name: sealed.mark(kept[name], key) for name in _NAMES if kept.get(name)}
    return kept


def input_sha256(source: Path) -> str:
    """SHA-256 of the input. Raises `TableError`."""
    try:
        return sealed.file_sha256(source)
    except OSError as error:
        raise TableError(f"{source} cannot be read ({type(error).__name__})") from None


def _taken(table: InputTable, taking: Taking, watchers: Sequence[RowWatcher], digest: RowsDigest) -> Iterator[ShardRow]:
    for row in table.rows():
        taken = taking.take(row)
        digest.add(taken.sha256)
        for watcher in watchers:
            watcher.see(row, taken)
        yield taken


def _divided(rows: Iterator[ShardRow], most: int | None) -> Iterator[list[ShardRow]]:
    """Rows in shards of at most so many; of very long texts, fewer."""
    some: list[ShardRow] = []
    characters = 0
    for row in rows:
        some.append(row)
        characters += len(row.text or "")
        limit = most or (FIRST_SHARD_ROWS if row.number <= FIRST_ROWS else SHARD_ROWS)
        if len(some) >= limit or characters >= SHARD_CHARACTERS:
            yield some
            some, characters = [], 0
    if some:
        yield some
