"""The store as one value: its database, its keys, its audit log, and the secret of its keyed hashes."""

from __future__ import annotations

import hmac
import secrets
import unicodedata
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from itertools import product
from typing import Any

from sqlalchemy import inspect, select, text, tuple_
from sqlalchemy.orm import Session

from .audit import HEAD, Audit
from .engine import Database, open_engine
from .sealing import Keyring
from .tables import Base, Feedback, Job, ReviewRow, Secret

PEPPER = "pepper"
_LOCK = 7_236_002  # any number, the same in each process
_PEPPER_SIZE = 32  # bytes
_KEYS_MADE = b"keys"  # after the pepper, once there was an access key

Clock = Callable[[], datetime]


def now() -> datetime:
    """The time, in UTC."""
    return datetime.now(UTC)


def in_utc(moment: datetime) -> datetime:
    """A moment as the database has it: SQLite keeps no zone, and all that is stored is in UTC."""
    return moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)


class Store:
    """What the service keeps.

    Hashes of case ids, access keys and requests are keyed with a pepper that lies sealed in the database itself, so
    that the keys of the key file can change and the hashes stay.
    """

    def __init__(self, database: Database, keyring: Keyring, pepper: bytes, *, clock: Clock = now) -> None:
        self.database = database
        self.keyring = keyring
        self.clock = clock
        self._pepper = pepper
        self.audit = Audit(keyring, self.derive("audit"))

    @classmethod
    def open(cls, url: str, keyring: Keyring, *, migrate: bool = True, clock: Clock = now) -> Store:
        """Open a store, made or brought to the version of this software first unless ``migrate`` is false.

        Raises `StoreError` where it cannot be had, `SealBroken` where the key file does not belong to it.
        """
        database = Database(open_engine(url))
        try:
            if migrate:
                database.migrate()
            database.check()
            return cls(database, keyring, _pepper(database, keyring), clock=clock)
        except BaseException:
            database.close()
            raise

    def derive(self, purpose: str) -> bytes:
        """A secret for one purpose, the same each time the store is opened."""
        return hmac.new(self._pepper, f"casecoder {purpose}".encode(), "sha256").digest()

    def digest(self, purpose: str, value: str) -> str:
        """A keyed hash of a value, in hexadecimal; equal values of two purposes have different ones."""
        return hmac.new(self.derive(purpose), value.encode(), "sha256").hexdigest()

    def keys_made(self, session: Session) -> bool:
        """Whether an access key was ever made here."""
        secret = session.get_one(Secret, PEPPER)
        return self.keyring.open(secret.sealed, of=PEPPER)[_PEPPER_SIZE:] == _KEYS_MADE

    def mark_keys(self, session: Session) -> None:
        """Remember, sealed, that access keys are needed from now on."""
        secret = session.get_one(Secret, PEPPER)
        secret.sealed = self.keyring.seal(self._pepper + _KEYS_MADE, of=PEPPER)

    @contextmanager
    def audited(self, actor: str, action: str, **facts: object) -> Iterator[Session]:
        """A transaction with its entry in the audit log: without the entry nothing is read or written."""
        with self.database.writing() as session:
            self.audit.add(session, actor, action, facts, at=self.clock())
            yield session

    def note(self, actor: str, action: str, **facts: object) -> None:
        """Tell the audit log of what was done beside the database."""
        with self.audited(actor, action, **facts):
            pass

    def rotate(self, *, batch: int = 200, step: Callable[[int], None] = lambda done: None) -> int:
        """Seal everything anew with the current key, some rows at a time, while the service goes on; how many values
        were sealed with an older one."""
        done = 0
        with self.audited("command line", "rotate key") as session:
            for secret in session.scalars(select(Secret)):
                if secret.name != HEAD and not self.keyring.is_current(secret.sealed):
                    secret.sealed = self.keyring.seal(self.keyring.open(secret.sealed, of=secret.name), of=secret.name)
                    done += 1
        for table, columns, name in _SEALED:
            done += self._rotate(table, columns, name, batch, step)
        return done

    def _rotate(
        self, table: type[Base], columns: tuple[str, ...], name: _Name, batch: int, step: Callable[[int], None]
    ) -> int:
        """Seal what stands in some columns of a table anew; how many values that were."""
        order = inspect(table).primary_key
        done, last = 0, None
        while True:
            with self.database.writing() as session:
                found = select(table).order_by(*order).limit(batch).with_for_update()
                rows = session.scalars(found if last is None else found.where(tuple_(*order) > last)).all()
                if not rows:
                    return done
                for row, column in product(rows, columns):
                    sealed = getattr(row, column)
                    if sealed is not None and not self.keyring.is_current(sealed):
                        of = name(row, column)
                        setattr(row, column, self.keyring.seal(self.keyring.open(sealed, of=of), of=of))
                        done += 1
                last = tuple(inspect(rows[-1]).identity or ())
            step(len(rows))

    def close(self) -> None:
        """Let go of the database."""
        self.database.close()


def _pepper(database: Database, keyring: Keyring) -> bytes:
    """The secret of the store's keyed hashes; made, with the head of the audit log, where the store is new. Later on a
    log without its head was tampered with, and is not begun anew."""
    with database.writing() as session:
        if database.engine.dialect.name == "postgresql":  # processes that start at once make one secret
            session.execute(text(f"SELECT pg_advisory_xact_lock({_LOCK})"))
        secret = session.get(Secret, PEPPER)
        if secret is not None:
            return keyring.open(secret.sealed, of=PEPPER)[:_PEPPER_SIZE]
        pepper = secrets.token_bytes(_PEPPER_SIZE)
        session.add(Secret(name=PEPPER, sealed=keyring.seal(pepper, of=PEPPER)))
        Store(database, keyring, pepper).audit.begin(session)
        return pepper


def case_digest(store: Store, case_id: str | None) -> str | None:
    """The keyed hash of a case id, None without one."""
    plain = plain_case(case_id)
    return store.digest("case", plain) if plain else None


def plain_case(case_id: str | None) -> str:
    """A case id without what makes no difference: blanks around it, forms of one letter. Empty for that of no case."""
    return unicodedata.normalize("NFKC", case_id or "").strip()


def text_of(feedback_id: str) -> str:
    """What a sealed text is bound to."""
    return f"feedback text {feedback_id}"


def job_of(job_id: str, column: str) -> str:
    """What a sealed column of a job is bound to."""
    return f"job {column} {job_id}"


def decision_of(job_id: str, row: int) -> str:
    """What the sealed decision on a row of a job is bound to."""
    return f"review {job_id} {row}"


_Name = Callable[[Any, str], str]
_SEALED: tuple[tuple[type[Base], tuple[str, ...], _Name], ...] = (
    (Feedback, ("sealed_text",), lambda row, column: text_of(row.id)),
    (Job, ("sealed", "sealed_key"), lambda row, column: job_of(row.id, column)),
    (ReviewRow, ("sealed_decision",), lambda row, column: decision_of(row.job_id, row.row)),
)
"""All that is sealed beside the secrets: tables, columns, and what each value is bound to."""
