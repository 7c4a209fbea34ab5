"""The database: opened, brought to the version that this software wants, and used one transaction at a time."""

from __future__ import annotations

import importlib.resources
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, create_engine, event, inspect, make_url
from sqlalchemy.exc import ArgumentError, SQLAlchemyError
from sqlalchemy.orm import Session

from ..errors import StoreBehind, StoreError

_BUSY_SECONDS = 10.0  # how long one process waits for another's write
_POOL = 8
_TRIES = 10  # at a checkpoint, of a fifth of a second each


def open_engine(url: str) -> Engine:
    """The engine for a URL: SQLite in write-ahead mode, or PostgreSQL by way of ``psycopg``.

    Raises `StoreError` for a URL that is none or a database that cannot be had; it never repeats the URL, which may
    hold a password.
    """
    try:
        parsed = make_url(url)
        if parsed.get_backend_name() == "postgresql" and parsed.drivername == "postgresql":
            parsed = parsed.set(drivername="postgresql+psycopg")
        if parsed.get_backend_name() == "sqlite":
            return _sqlite(parsed)
        return create_engine(parsed, pool_size=_POOL, pool_pre_ping=True, hide_parameters=True)
    except (ArgumentError, ModuleNotFoundError, SQLAlchemyError):
        raise StoreError(
            "CASECODER_DATABASE is no database that casecoder can use: sqlite:///folder/file.db or "
            "postgresql://user@host/name (with the extra [postgres])"
        ) from None


def _sqlite(url: Any) -> Engine:
    if url.database and url.database != ":memory:":
        with suppress(FileExistsError, OSError):  # a folder that is not there is told of when it is opened
            os.close(os.open(url.database, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
    engine = create_engine(
        url, pool_size=_POOL, hide_parameters=True, connect_args={"timeout": _BUSY_SECONDS, "check_same_thread": False}
    )

    @event.listens_for(engine, "connect")
    def prepare(connection: Any, record: Any) -> None:
        connection.isolation_level = None  # transactions begin where `begin` below says so
        for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON", "secure_delete=ON"):
            connection.execute(f"PRAGMA {pragma}")

    @event.listens_for(engine, "begin")
    def begin(connection: Connection) -> None:
        # A transaction that starts by reading and then writes would fail where another process wrote in between.
        writes = connection.get_execution_options().get("writes", False)
        connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")

    return engine


class Database:
    """An engine, and transactions on it."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine

    @contextmanager
    def writing(self) -> Iterator[Session]:
        """A transaction that writes: all of it is kept when the block ends, nothing when it raises."""
        engine = self.engine.execution_options(writes=True)
        with _told(), Session(engine, expire_on_commit=False) as session, session.begin():
            yield session

    @contextmanager
    def reading(self) -> Iterator[Session]:
        """A transaction that only reads."""
        engine = self.engine
        if engine.dialect.name == "postgresql":  # what is read is of one moment, as SQLite has it anyhow
            engine = engine.execution_options(isolation_level="REPEATABLE READ")
        with _told(), Session(engine, expire_on_commit=False) as session, session.begin():
            yield session

    def version(self) -> str | None:
        """The migration that the database is at, None for an empty one."""
        with _told(), self.engine.connect() as connection:
            if not inspect(connection).has_table("alembic_version"):
                return None
            row = connection.exec_driver_sql("SELECT version_num FROM alembic_version").first()
        return str(row[0]) if row else None

    def migrate(self) -> None:
        """Bring the database to the version of this software; safe to call from several processes at once."""
        from alembic import command
        from alembic.util import CommandError

        found = self.version()
        if found is not None and found not in _versions():
            raise StoreBehind(found, _versions()[0])
        with _told(), self.engine.execution_options(writes=True).begin() as connection:
            if self.engine.dialect.name == "postgresql":
                connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({_LOCK})")
            config = _alembic()
            config.attributes["connection"] = connection
            try:
                command.upgrade(config, "head")
            except CommandError:
                raise StoreBehind(found, _versions()[0]) from None

    def check(self) -> None:
        """Raises `StoreBehind` where the database is of another version."""
        found = self.version()
        if found != _versions()[0]:
            raise StoreBehind(found, _versions()[0])

    def forget(self) -> bool:
        """Let nothing of what was erased lie in a write-ahead log; False where somebody who reads is in the way, and it
        goes with the next checkpoint."""
        if self.engine.dialect.name != "sqlite":
            return True
        with _told(), self.engine.connect() as connection:
            connection.rollback()
            raw: Any = connection.connection.dbapi_connection
            raw.execute("PRAGMA busy_timeout=200")
            try:
                for _ in range(_TRIES):
                    (busy, *_), *_ = raw.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
                    if not busy:
                        return True
            finally:
                raw.execute(f"PRAGMA busy_timeout={round(1000 * _BUSY_SECONDS)}")
        return False

    def close(self) -> None:
        """Let go of the database."""
        self.engine.dispose()


def _versions() -> list[str]:
    """All versions of the database that this software knows, the latest first."""
    from alembic.script import ScriptDirectory

    return [script.revision for script in ScriptDirectory.from_config(_alembic()).walk_revisions()]


_LOCK = 7_236_001  # any number, the same in each process


def _alembic() -> Any:
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(Path(str(importlib.resources.files(__package__))) / "migrations"))
    return config


@contextmanager
def _told() -> Iterator[None]:
    """Errors of the database as `StoreError`: their own messages may quote values."""
    try:
        yield
    except SQLAlchemyError as error:
        origin = getattr(error, "orig", None)
        raise StoreError(
            f"the database failed ({type(error).__name__}"
            + (f", {type(origin).__name__}" if origin is not None else "")
            + "): is the disk full, or the server down? Nothing of this request was stored"
        ) from None
