"""What a run works on: the narratives of a table in shards, and the plan that names them.

::

    WORK/plan.json                written last: without it, the folder is unfinished and is begun anew
    WORK/shards/00000.parquet     one row for each row of the table, in order
    WORK/results/00000.parquet    see `results`
    WORK/receipts/00000.json      see `receipts`

Shards hold what coding needs and no other cell. The other cells are read again from the input when the output is put
together; the hashes in the plan tell whether it is still the same.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from .. import __version__
from ..errors import RunError
from . import sealed, stamped

FORMAT = 2  # of the work folder; a change that other versions cannot read raises it
PLAN = "plan.json"
SHARDS, RESULTS, RECEIPTS = "shards", "results", "receipts"

# Texts are bytes: a lone surrogate has to reach the row's own error, and Parquet's strings cannot hold one.
_SCHEMA = pa.schema(
    [
        ("row", pa.int64()),
        ("text", pa.binary()),
        ("language", pa.string()),
        ("country", pa.binary()),
        ("case_id", pa.binary()),
        ("sha256", pa.string()),
        ("problem", pa.string()),
    ]
)


@dataclass(frozen=True)
class ShardRow:
    """One row to code. ``number`` counts the rows of the table from 1; ``text`` is None where ``problem`` says why the
    row cannot be read; the other facts are None where nothing is known."""

    number: int
    text: str | None = field(repr=False)
    language: str | None = None
    country: str | None = field(default=None, repr=False)
    case_id: str | None = field(default=None, repr=False)
    problem: str | None = None

    @property
    def sha256(self) -> str:
        return text_sha256(self.text)


@dataclass(frozen=True)
class Shard:
    """Some rows that follow each other; ``sha256`` is that of the file as stored, ``longest`` the length of the longest
    text in code points."""

    number: int
    rows: int
    first_row: int
    sha256: str
    longest: int = 0

    @property
    def numbers(self) -> range:
        """The numbers of its rows."""
        return range(self.first_row, self.first_row + self.rows)


@dataclass(frozen=True)
class InputFacts:
    """What file the rows came from; not its name, which may be somebody's. ``rows_sha256`` is the SHA-256 over the
    hashes of all texts, in order."""

    size: int
    sha256: str
    rows: int
    rows_sha256: str


@dataclass(frozen=True)
class Plan:
    """Everything that decides what comes out of a run, and the shards to run.

    ``columns`` maps a role (``text``, ``id`` ...) to places in the table, from 0. ``options`` are those that matter to
    coding and reading; in a sealed folder, names that a person gave are marks, see `prepare.coding_options`.
    ``files`` maps the names of other files of the folder to their SHA-256; ``key_mark`` tells the key of a sealed
    folder, None where it is open.
    """

    input: InputFacts
    columns: Mapping[str, Sequence[int]]
    options: Mapping[str, Any]
    bundle_name: str
    bundle_digest: str
    shards: tuple[Shard, ...]
    files: Mapping[str, str] = field(default_factory=dict)
    key_mark: str | None = None
    version: str = __version__

    @cached_property
    def digest(self) -> str:
        """SHA-256 of all of this, whatever engine runs it."""
        return stamped.digest(self.to_json())

    def to_json(self) -> dict[str, Any]:
        return {
            "format": FORMAT,
            "casecoder": self.version,
            "input": vars(self.input),
            "columns": {role: list(places) for role, places in self.columns.items()},
            "options": dict(self.options),
            "bundle": {"name": self.bundle_name, "digest": self.bundle_digest},
            "files": dict(self.files),
            "key": self.key_mark,
            "shards": [vars(shard) for shard in self.shards],
        }

    @classmethod
    def from_json(cls, facts: Mapping[str, Any]) -> Plan:
        """Raises `RunError` for a plan of another version."""
        if facts.get("format") != FORMAT:
            raise RunError("the work folder was made by another version of casecoder: begin anew with --restart")
        return cls(
            input=InputFacts(**facts["input"]),
            columns=facts["columns"],
            options=facts["options"],
            bundle_name=facts["bundle"]["name"],
            bundle_digest=facts["bundle"]["digest"],
            shards=tuple(Shard(**shard) for shard in facts["shards"]),
            files=facts["files"],
            key_mark=facts["key"],
            version=facts["casecoder"],
        )

    def save(self, work: Path) -> None:
        stamped.save(work / PLAN, self.to_json())

    @classmethod
    def load(cls, work: Path) -> Plan:
        """Raises `RunError` where there is none, or it was altered."""
        return cls.from_json(stamped.load(work / PLAN))

    def check_key(self, key: bytes | None) -> None:
        """Raise `RunError` where this is not the key that the folder was sealed with."""
        if self.key_mark == (sealed.key_mark(key) if key else None):
            return
        if key is None:
            raise RunError("the work folder is sealed: give its key with --key-file or CASECODER_KEY")
        how = "sealed with another key: give that one" if self.key_mark else "begun without a key: go on without one"
        raise RunError(f"the work folder was {how}, or begin anew with --restart")


def text_sha256(text: str | None) -> str:
    """SHA-256 of a text (UTF-8, lone surrogates as they are); empty for a row that cannot be read."""
    return "" if text is None else hashlib.sha256(_bytes(text)).hexdigest()


class RowsDigest:
    """The SHA-256 over the hashes of texts, in order."""

    def __init__(self) -> None:
        self._digest = hashlib.sha256()

    def add(self, text_hash: str) -> None:
        self._digest.update(f"{text_hash}\n".encode("ascii"))

    def hexdigest(self) -> str:
        return self._digest.hexdigest()


def shard_path(work: Path, number: int) -> Path:
    return work / SHARDS / f"{number:05d}.parquet"


def write_shard(work: Path, number: int, rows: Sequence[ShardRow], *, key: bytes | None = None) -> Shard:
    """Write the rows of a shard, which follow each other. Raises `OutputError`."""
    records = [
        {
            "row": row.number,
            "text": _bytes(row.text),
            "language": row.language,
            "country": _bytes(row.country),
            "case_id": _bytes(row.case_id),
            "sha256": row.sha256,
            "problem": row.problem,
        }
        for row in rows
    ]
    stored = sealed.write(shard_path(work, number), parquet_bytes(records, _SCHEMA), key=key)
    longest = max(len(row.text or "") for row in rows)
    return Shard(number, len(rows), rows[0].number, stored, longest)


def read_shard(work: Path, shard: Shard, *, key: bytes | None = None) -> list[ShardRow]:
    """The rows of a shard, whose hash is checked first. Raises `RunError`."""
    content = sealed.read(shard_path(work, shard.number), key=key, sha256=shard.sha256)
    rows = [
        ShardRow(
            number=record["row"],
            text=_text(record["text"]),
            language=record["language"],
            country=_text(record["country"]),
            case_id=_text(record["case_id"]),
            problem=record["problem"],
        )
        for record in records_of(parquet_table(content))
    ]
    if [row.number for row in rows] != list(shard.numbers):
        raise RunError(f"shard {shard.number} does not hold the rows that the plan names: begin anew with --restart")
    return rows


def parquet_bytes(records: Iterable[Mapping[str, Any]], schema: pa.Schema) -> bytes:
    """Records as a Parquet file: the same records and library give the same bytes."""
    sink = pa.BufferOutputStream()
    table = pa.Table.from_pylist(list(records), schema=schema)
    pq.write_table(table, sink, compression="zstd", store_schema=False, write_statistics=False)
    return bytes(sink.getvalue())


def parquet_table(content: bytes) -> pa.Table:
    """Such a file, read."""
    return pq.read_table(pa.BufferReader(content), use_threads=False)


def records_of(table: pa.Table) -> list[dict[str, Any]]:
    """The records of a table."""
    columns = [_values(column.combine_chunks()) for column in table.columns]
    return [dict(zip(table.column_names, values, strict=True)) for values in zip(*columns, strict=True)]


def _values(column: pa.Array) -> list[Any]:
    """The values of a column; lists of numbers are cut from one array, since number by number takes ten times as
    long."""
    if not pa.types.is_list(column.type):
        values: list[Any] = column.to_pylist()
        return values
    numbers = column.values.to_numpy(zero_copy_only=False).tolist()
    ends = column.offsets.to_numpy().tolist()
    present = column.is_valid().to_pylist()
    return [numbers[ends[at] : ends[at + 1]] if given else None for at, given in enumerate(present)]


def _bytes(text: str | None) -> Any:
    return None if text is None else text.encode("utf-8", "surrogatepass")


def _text(content: bytes | None) -> str | None:
    return None if content is None else content.decode("utf-8", "surrogatepass")
