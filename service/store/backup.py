"""Backups: all tables as JSON lines, packed, in one file that any database casecoder can use takes back.

What is sealed stays sealed: a backup is of no use without the key file, which is to be kept elsewhere.
"""

from __future__ import annotations

import base64
import gzip
import json
import os
import tempfile
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import DateTime, LargeBinary, Table, func, insert, select, text
from sqlalchemy.orm import Session

from ..errors import StoreError
from .engine import Database
from .tables import Base

_FORMAT = "casecoder backup 1"
_PREFIX, _ENDING = "casecoder-", ".backup.gz"
_BATCH = 500
_MAX_LINE = 4_000_000  # characters of one row


def back_up(database: Database, folder: Path, *, at: datetime, keep: timedelta | None = None) -> tuple[Path, int]:
    """Write a backup into a folder; the file and the number of its rows. Older ones than ``keep`` are removed, so that
    what was erased from the store is soon erased from its backups too."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{_PREFIX}{at:%Y%m%d-%H%M%S}{_ENDING}"
    handle, name = tempfile.mkstemp(dir=folder, prefix=".backup-")
    rows = 0
    try:
        with (
            os.fdopen(handle, "wb") as raw,
            gzip.open(raw, "wt", encoding="ascii") as stream,
            database.reading() as session,
        ):
            if database.engine.dialect.name == "postgresql":
                session.execute(text("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ"))
            stream.write(json.dumps({"format": _FORMAT, "version": database.version()}) + "\n")
            for line in _lines(session):
                stream.write(line + "\n")
                rows += 1
            stream.write(json.dumps({"rows": rows}) + "\n")
        with open(name, "rb") as written:  # noqa: PTH123 - on disk before it counts
            os.fsync(written.fileno())
        Path(name).replace(path)
    finally:
        Path(name).unlink(missing_ok=True)
    if keep is not None:
        _remove_old(folder, at - keep)
    return path, rows


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
    for path in sorted(folder.glob(f"{_PREFIX}*{_ENDING}")):
        stamp = path.name.removeprefix(_PREFIX).removesuffix(_ENDING)
        try:
            made = datetime.strptime(stamp, "%Y%m%d-%H%M%S").replace(tzinfo=before.tzinfo)
        except ValueError:
            continue  # no backup of ours
        if made < before:
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
    tables = {table.name: table for table in Base.metadata.sorted_tables}
    damaged = StoreError(f"{path.name} is no whole backup of casecoder: take another one")
    rows, told = 0, None
    try:
        with gzip.open(path, "rt", encoding="ascii") as stream:
            head = json.loads(stream.readline(_MAX_LINE))
            if head.get("format") != _FORMAT:
                raise damaged
            if head.get("version") != version:
                raise StoreError(
                    f"the backup is of version {head.get('version')}, this casecoder wants {version}: restore it with "
                    "the casecoder that made it, then run `casecoder-serve migrate`"
                )
            for line in iter(lambda: stream.readline(_MAX_LINE), ""):
                item = json.loads(line)
                if "rows" in item:
                    told = int(item["rows"])
                    break
                table = tables[item["table"]]
                session.execute(insert(table).values(_values(table, item["row"])))
                rows += 1
    except (OSError, EOFError, ValueError, KeyError, TypeError, AttributeError):
        raise damaged from None
    if told != rows:
        raise damaged
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
