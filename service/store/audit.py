"""The audit log: who read, exported, changed and erased. Numbers and codes only, never text or case ids.

Each entry's keyed hash (HMAC-SHA-256) covers the entry and the hash before it, and the head of the chain lies sealed in
the same database, written in the same transaction: an entry that is changed, left out, moved or cut off at the end is
noticed by `verify`. A whole database put back to an older state is noticed only against a head that was written down
elsewhere (`casecoder-serve audit head`).

The head has the access keys that were revoked as well: a row of one that is put back into its table is worth nothing,
and the head itself cannot be put back without the log.
"""

from __future__ import annotations

import hmac
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from ..errors import AuditBroken
from .sealing import Keyring
from .tables import AuditEntry, Secret

HEAD = "audit head"
REVOKE = "revoke key"
"""The action that ends a key, which its facts name."""
_START = "0" * 64


@dataclass(frozen=True)
class _Head:
    """What lies sealed: number and hash of the last entry, and which keys were revoked, in seconds since 1970."""

    number: int
    digest: str
    revoked: Mapping[str, int]


class Audit:
    """The log of one store; ``secret`` is the key of its hashes."""

    def __init__(self, keyring: Keyring, secret: bytes) -> None:
        self._keyring, self._secret = keyring, secret

    def begin(self, session: Session) -> None:
        """Make the head of an empty log, in the transaction that makes the store."""
        if session.get(Secret, HEAD) is None:
            session.add(Secret(name=HEAD, sealed=self._sealed(_Head(0, _START, {}))))

    def hold(self, session: Session) -> Secret:
        """Let nobody else write an entry until this transaction ends: what it looks up and what it writes is of one
        moment, also where several processes write at once."""
        return session.get_one(Secret, HEAD, with_for_update=True)

    def add(self, session: Session, actor: str, action: str, facts: Mapping[str, Any], *, at: datetime) -> None:
        """Write an entry in the transaction of what it tells of: both are kept, or neither."""
        secret = self.hold(session)
        head = self._opened(session, secret)
        entry = AuditEntry(number=head.number + 1, at=at, actor=actor, action=action, facts=dict(facts))
        entry.digest = self._digest(head.digest, entry)
        session.add(entry)
        revoked = {**_revoked_by(entry), **head.revoked}
        secret.sealed = self._sealed(_Head(entry.number, entry.digest, revoked))

    def head(self, session: Session) -> tuple[int, str]:
        """Number and hash of the last entry: write them down elsewhere."""
        head = self._opened(session, session.get_one(Secret, HEAD))
        return head.number, head.digest

    def revoked(self, session: Session) -> dict[str, datetime]:
        """The ids of all keys that were ever revoked, and when; the table of keys has no say in it.

        Raises `AuditBroken` where the head is not that of the last entry: one of the two was put back.
        """
        head = self._opened(session, session.get_one(Secret, HEAD))
        latest = select(AuditEntry.number, AuditEntry.digest).order_by(AuditEntry.number.desc()).limit(1)
        last = session.execute(latest).first() or (0, _START)
        if tuple(last) != (head.number, head.digest):
            raise AuditBroken("entries after it are missing, or the log was put back", entry=head.number)
        return {key: datetime.fromtimestamp(second, UTC) for key, second in head.revoked.items()}

    def verify(self, session: Session, *, expected: tuple[int, str] | None = None) -> int:
        """Number of entries that hold together. Raises `AuditBroken` at the first that does not, or where the entry
        ``expected``, a head of an earlier day, is not there any more."""
        digest, number = _START, 0
        for entry in session.scalars(select(AuditEntry).order_by(AuditEntry.number).execution_options(yield_per=1000)):
            number += 1
            if entry.number != number:
                raise AuditBroken("entries are missing before it", entry=entry.number)
            digest = self._digest(digest, entry)
            if not hmac.compare_digest(digest, entry.digest):
                raise AuditBroken("its content or the one before it was changed", entry=number)
            if expected and expected[0] == number and not hmac.compare_digest(expected[1], digest):
                raise AuditBroken("it is not the one that was written down", entry=number)
        if self.head(session) != (number, digest):
            raise AuditBroken("entries after it are missing, or the log was put back", entry=number)
        if expected and expected[0] > number:
            raise AuditBroken(f"entry {expected[0]} was written down, and is not there any more", entry=number)
        return number

    def _sealed(self, head: _Head) -> bytes:
        content = json.dumps([head.number, head.digest, head.revoked], separators=(",", ":"))
        return self._keyring.seal(content.encode(), of=HEAD)

    def _opened(self, session: Session, secret: Secret) -> _Head:
        number, digest, *more = json.loads(self._keyring.open(secret.sealed, of=HEAD))
        return _Head(int(number), str(digest), more[0] if more else _revoked_before(session))

    def _digest(self, before: str, entry: AuditEntry) -> str:
        content = json.dumps(
            [before, entry.number, _in_utc(entry).isoformat(), entry.actor, entry.action, entry.facts],
            sort_keys=True,
            ensure_ascii=True,
        )
        return hmac.new(self._secret, content.encode(), "sha256").hexdigest()


def _revoked_before(session: Session) -> dict[str, int]:
    """The revoked keys of a log whose head is of version 0.5.0 or earlier, and does not have them."""
    found: dict[str, int] = {}
    for entry in session.scalars(select(AuditEntry).where(AuditEntry.action == REVOKE).order_by(AuditEntry.number)):
        found = {**_revoked_by(entry), **found}
    return found


def _revoked_by(entry: AuditEntry) -> dict[str, int]:
    return {entry.facts["key"]: round(_in_utc(entry).timestamp())} if entry.action == REVOKE else {}


def _in_utc(entry: AuditEntry) -> datetime:
    return entry.at.replace(tzinfo=entry.at.tzinfo or UTC).astimezone(UTC)
