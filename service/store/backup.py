"""Backups: all tables as JSON lines, packed, in one file that any database casecoder can use takes back.

What is sealed stays sealed: nobody reads the texts of a backup without the key file, which is to be kept elsewhere.
Codes, countries, dates and pseudonyms of coders stand in it in plain.
"""

from __future__ import annotations

import base64
import gzip
import hashlib
import json
import os
import re
import tempfile
import time
import zlib
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import IO, Any

from sqlalchemy import DateTime, LargeBinary, Table, func, insert, select, text
from sqlalchemy.orm import Session

from ..errors import StoreError
from .engine import Database
from .tables import Base

_FORMAT = "casecoder backup 1"
_PREFIX, _ENDING = "casecoder-", ".backup.gz"
_STAMP = "%Y%m%d-%H%M%S"
_NAME = re.compile(rf"{_PREFIX}(\d{{8}}-\d{{6}})(?:-\d+)?{re.escape(_ENDING)}")
_UNDONE = ".backup-"
_HOUR = 3600  # seconds
_BATCH = 500
_MAX_LINE = 4_000_000  # characters of one row


def back_up(database: Database, folder: Path, *, at: datetime, keep: timedelta | None = None) -> tuple[Path, int]:
    """Write a backup into a folder; the file and the number of its rows. Older ones than ``keep`` are removed, so that
    what was erased from the store is soon erased from its backups too."""
    folder.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=folder, prefix=_UNDONE)
    try:
        with os.fdopen(handle, "wb") as raw:
            rows = _write(database, raw)
            raw.flush()
            os.fsync(raw.fileno())  # on disk before it counts
        path = _free_name(folder, at)
        Path(name).replace(path)
    finally:
        Path(name).unlink(missing_ok=True)
    if keep is not None:
        _remove_old(folder, at - keep)
    return path, rows


def _write(database: Database, raw: IO[bytes]) -> int:
    """Write all rows as they are at one moment, and at the end how many they are and their hash."""
    rows, digest = 0, hashlib.sha256()
    with gzip.open(raw, "wt", encoding="ascii") as stream, database.reading() as session:
        stream.write(json.dumps({"format": _FORMAT, "version": database.version()}) + "\n")
        for line in _lines(session):
            stream.write(line + "\n")
            digest.update(line.encode())
            rows += 1
        stream.write(json.dumps({"rows": rows, "sha256": digest.hexdigest()}) + "\n")
    return rows


def _free_name(folder: Path, at: datetime) -> Path:
    """A name by the time, with a number where that second has a backup already."""
    stamp = f"{_PREFIX}{at.astimezone(UTC):{_STAMP}}"
    names = [f"{stamp}{_ENDING}", *(f"{stamp}-{number}{_ENDING}" for number in range(2, 1000))]
    return next(folder / name for name in names if not (folder / name).exists())


def _lines(session: Session) -> Iterator[str]:
    for table in Base.metadata.sorted_tables:
        for row in session.execute(select(table).execution_options(yield_per=_BATCH)):
            values = {column.name: _plain(value) for column, value in zip(table.columns, row, strict=True)}
            yield json.dumps({"table": table.name, "row": values}, ensure_ascii=True)


def _plain(value: Any) -> Any:
    if isinstance(value, bytes):
        return base64.b64encode(value).decode()
    return value.isoformat() if isinstance(value, datetime) else value


def _remove_old(folder: Path, before: datetime) -> None:
    """Remove backups from before a time but for the latest one, and what killed backups have left."""
    for left in folder.glob(f"{_UNDONE}*"):
        if left.stat().st_mtime < time.time() - _HOUR:
            left.unlink(missing_ok=True)
    for path in sorted(folder.glob(f"{_PREFIX}*{_ENDING}"))[:-1]:
        named = _NAME.fullmatch(path.name)
        if named and datetime.strptime(named[1], _STAMP).replace(tzinfo=UTC) < before:
            path.unlink()


def restore(database: Database, path: Path) -> int:
    """Fill an empty database from a backup; how many rows it has. All of it is taken, or nothing.

    Raises `StoreError` for a file that is damaged or of another version, and a database that is not empty.
    """
    database.migrate()
    with database.writing() as session:
        if any(session.scalar(select(func.count()).select_from(table)) for table in Base.metadata.sorted_tables):
            raise StoreError("the database is not empty: restore into a new one, and put it in place of the old one")
        return _fill(session, path, str(database.version()))


def _fill(session: Session, path: Path, version: str) -> int:
    try:
        with gzip.open(path, "rt", encoding="ascii") as stream:
            return _take(session, stream, version)
    except (OSError, EOFError, ValueError, LookupError, TypeError, AttributeError, ArithmeticError, zlib.error):
        raise StoreError(f"{path.name} is no whole backup of casecoder: take another one") from None


def _take(session: Session, stream: IO[str], version: str) -> int:
    """Insert the rows of a backup. Raises ValueError and its like for one that is damaged."""
    tables = {table.name: table for table in Base.metadata.sorted_tables}
    head = json.loads(stream.readline(_MAX_LINE))
    if head["format"] != _FORMAT:
        raise ValueError("another format")
    if head["version"] != version:
        raise StoreError(
            f"the backup is of another version than {version}, which this casecoder wants: restore it with the "
            "casecoder that made it, then run `casecoder-serve migrate`"
        )
    rows, digest, end = 0, hashlib.sha256(), None
    for line in iter(lambda: stream.readline(_MAX_LINE), ""):  # to the end, where the archive checks itself
        if end is not None:
            raise ValueError("rows after the end")
        item = json.loads(line)
        if "rows" in item:
            end = item
            continue
        table = tables[item["table"]]
        session.execute(insert(table).values(_values(table, item["row"])))
        digest.update(line.rstrip("\n").encode())
        rows += 1
    if end is None or end["rows"] != rows or end["sha256"] != digest.hexdigest():
        raise ValueError("rows are missing or altered")
    session.flush()
    _set_counters(session)
    return rows


def _values(table: Table, row: dict[str, Any]) -> dict[str, Any]:
    found = {}
    for column in table.columns:
        value = row[column.name]
        if value is not None and isinstance(column.type, LargeBinary):
            value = base64.b64decode(value, validate=True)
        elif value is not None and isinstance(column.type, DateTime):
            value = datetime.fromisoformat(value)
        found[column.name] = value
    return found


def _set_counters(session: Session) -> None:
    """PostgreSQL counts rows in a sequence of its own."""
    if session.get_bind().dialect.name == "postgresql":
        session.execute(
            text("SELECT setval(pg_get_serial_sequence('feedback', 'number'), (SELECT max(number) FROM feedback))")
        )
