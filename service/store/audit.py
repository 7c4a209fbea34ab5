"""The audit log: who read, exported, changed and erased. Numbers and codes only, never text or case ids.

Each entry's keyed hash (HMAC-SHA-256) covers the entry and the hash before it, and the head of the chain lies sealed in
the same database, written in the same transaction: an entry that is changed, left out, moved or cut off at the end is
noticed by `verify`. A whole database put back to an older state is noticed only against a head that was written down
elsewhere (`casecoder-serve audit head`).
"""

from __future__ import annotations

import hmac
import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from ..errors import AuditBroken
from .sealing import Keyring
from .tables import AuditEntry, Secret

HEAD = "audit head"
_START = "0" * 64


class Audit:
    """The log of one store; ``secret`` is the key of its hashes."""

    def __init__(self, keyring: Keyring, secret: bytes) -> None:
        self._keyring, self._secret = keyring, secret

    def begin(self, session: Session) -> None:
        """Make the head of an empty log, in the transaction that makes the store."""
        if session.get(Secret, HEAD) is None:
            session.add(Secret(name=HEAD, sealed=self._sealed(0, _START)))

    def add(self, session: Session, actor: str, action: str, facts: Mapping[str, Any], *, at: datetime) -> None:
        """Write an entry in the transaction of what it tells of: both are kept, or neither."""
        secret = session.get_one(Secret, HEAD, with_for_update=True)
        number, digest = self._opened(secret)
        entry = AuditEntry(number=number + 1, at=at, actor=actor, action=action, facts=dict(facts))
        entry.digest = self._digest(digest, entry)
        session.add(entry)
        secret.sealed = self._sealed(entry.number, entry.digest)

    def head(self, session: Session) -> tuple[int, str]:
        """Number and hash of the last entry: write them down elsewhere."""
        return self._opened(session.get_one(Secret, HEAD))

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

    def _sealed(self, number: int, digest: str) -> bytes:
        return self._keyring.seal(json.dumps([number, digest]).encode(), of=HEAD)

    def _opened(self, secret: Secret) -> tuple[int, str]:
        number, digest = json.loads(self._keyring.open(secret.sealed, of=HEAD))
        return int(number), str(digest)

    def _digest(self, before: str, entry: AuditEntry) -> str:
        at = entry.at.replace(tzinfo=entry.at.tzinfo or UTC).astimezone(UTC).isoformat()
        content = json.dumps(
            [before, entry.number, at, entry.actor, entry.action, entry.facts], sort_keys=True, ensure_ascii=True
        )
        return hmac.new(self._secret, content.encode(), "sha256").hexdigest()
