"""Access keys and logins: who somebody is, and what they may do."""

from __future__ import annotations

import hmac
import json
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal, get_args

from sqlalchemy import delete, select
from sqlalchemy.orm import Session as Transaction

from nlp.errors import SettingsError

from .audit import REVOKE
from .store import Store, in_utc
from .tables import Key, Session

Scope = Literal["reactor", "coordinator", "admin"]
SCOPES: tuple[Scope, ...] = get_args(Scope)
"""From the least to the most: each may do what those before it may."""

_PREFIX = "cck_"
_SECRET = 24  # bytes: 192 random bits
_MAX_NAME = 80


@dataclass(frozen=True)
class Principal:
    """Who sends a request. ``key_id`` is None on a machine without keys, where everybody is ``local``."""

    name: str
    scope: Scope
    key_id: str | None = None
    session: str | None = None
    """Digest of the login, for a browser."""

    @property
    def actor(self) -> str:
        """Who the audit log names."""
        return f"{self.name} ({self.key_id})" if self.key_id else self.name

    def may(self, scope: Scope) -> bool:
        """Whether what needs ``scope`` is allowed."""
        return SCOPES.index(self.scope) >= SCOPES.index(scope)


LOCAL = Principal("local", "admin")
"""Everybody on a machine without keys, which nobody else can reach."""


@dataclass(frozen=True)
class KeyFacts:
    """A key as it is listed: everything but the key."""

    id: str
    name: str
    scope: Scope
    created: datetime
    expires: datetime | None
    revoked: datetime | None


def create_key(
    store: Store, *, name: str, scope: Scope, actor: str, valid: timedelta | None = None
) -> tuple[str, KeyFacts]:
    """A new key, shown this once, and its facts. Raises `SettingsError` for a name or scope that cannot be."""
    name = checked_name(name)
    if scope not in SCOPES:
        raise SettingsError(f"a scope is one of {', '.join(SCOPES)}")
    if valid is not None and valid <= timedelta(0):
        raise SettingsError("a key is valid for a time above 0")
    identifier = secrets.token_hex(6)
    token = f"{_PREFIX}{identifier}_{secrets.token_urlsafe(_SECRET)}"
    created = store.clock()
    key = Key(
        id=identifier,
        digest=store.digest("access key", token),
        name=name,
        scope=scope,
        created=created,
        expires=created + valid if valid else None,
        revoked=None,
    )
    key.seal = _seal_of_key(store, key)
    with store.audited(actor, "create key", key=identifier, scope=scope) as session:
        session.add(key)
        store.mark_keys(session)
    return token, _facts(key)


def checked_name(name: str) -> str:
    """The name without blanks around it. Raises `SettingsError` for one that cannot be."""
    name = name.strip()
    if not 0 < len(name) <= _MAX_NAME or not name.isprintable():
        raise SettingsError(f"a key wants a name of 1 to {_MAX_NAME} printable characters: a pseudonym, no real name")
    return name


def list_keys(store: Store) -> list[KeyFacts]:
    """All keys, the oldest first."""
    with store.database.reading() as session:
        revoked = store.audit.revoked(session)
        keys = session.scalars(select(Key).order_by(Key.created, Key.id))
        return [_facts(key, revoked.get(key.id)) for key in keys]


def revoke_key(store: Store, key_id: str, *, actor: str) -> bool:
    """End a key and its logins at once; False where no such key is valid."""
    with store.database.writing() as session:
        key = session.get(Key, key_id)
        if key is None or key.revoked is not None:
            return False
        store.audit.add(session, actor, REVOKE, {"key": key.id}, at=store.clock())
        key.revoked = store.clock()
        key.seal = _seal_of_key(store, key)
        session.execute(delete(Session).where(Session.key_id == key_id))
    return True


def has_keys(store: Store) -> bool:
    """Whether any key was ever made: from then on every request needs one, also when somebody has emptied the table."""
    with store.database.reading() as session:
        return store.keys_made(session)


def who_has_key(store: Store, token: str) -> Principal | None:
    """Whose key this is; None for one that is unknown, expired or revoked, and nothing tells which."""
    identifier = _id_of(token)
    digest = store.digest("access key", token)
    with store.database.reading() as session:
        key = session.get(Key, identifier) if identifier else None
        stored = key.digest if key else "0" * len(digest)
        if not hmac.compare_digest(digest, stored) or key is None or not _valid(store, session, key):
            return None
        return Principal(key.name, key.scope, key.id)  # type: ignore[arg-type]


def log_in(store: Store, token: str, *, hours: float) -> tuple[str, Principal] | None:
    """A login for a browser, and who it is; None for a key that is not valid."""
    principal = who_has_key(store, token)
    if principal is None or principal.key_id is None:
        return None
    login = secrets.token_urlsafe(32)
    digest = store.digest("login", login)
    with store.audited(principal.actor, "log in") as session:
        session.execute(delete(Session).where(Session.expires < store.clock()))
        expires = store.clock() + timedelta(hours=hours)
        row = Session(digest=digest, key_id=principal.key_id, expires=expires)
        row.seal = _seal_of_session(store, row)
        session.add(row)
    return login, Principal(principal.name, principal.scope, principal.key_id, digest)


def who_is_logged_in(store: Store, login: str) -> Principal | None:
    """Whose login this is; None for one that is unknown or over."""
    digest = store.digest("login", login)
    with store.database.reading() as session:
        found = session.get(Session, digest)
        if found is None or in_utc(found.expires) <= store.clock():
            return None
        key = session.get(Key, found.key_id)
        if key is None or not _same(_seal_of_session(store, found), found.seal) or not _valid(store, session, key):
            return None
        return Principal(key.name, key.scope, key.id, digest)  # type: ignore[arg-type]


def log_out(store: Store, principal: Principal) -> None:
    """End a login."""
    if principal.session:
        with store.audited(principal.actor, "log out") as session:
            session.execute(delete(Session).where(Session.digest == principal.session))


def csrf_token(store: Store, principal: Principal) -> str:
    """What a page sends back with each request, bound to the login; the same for the whole of it."""
    return store.digest("csrf", principal.session or "local")


def person_token(store: Store, principal: Principal) -> str:
    """Whose page this is, told to nobody: the same for all logins with one key, so that a page outlives its login, but
    never speaks for somebody else."""
    return store.digest("person", principal.key_id or "local")


def _id_of(token: str) -> str | None:
    parts = token.removeprefix(_PREFIX).split("_", 1)
    return parts[0] if token.startswith(_PREFIX) and len(parts) > 1 and parts[0].isalnum() else None


def _valid(store: Store, session: Transaction, key: Key) -> bool:
    """Whether a key is as it was made here, and holds now. The audit log knows which ones were revoked, also where
    somebody has put back the row of one from before."""
    if not _same(_seal_of_key(store, key), key.seal):
        return False
    if key.revoked is not None or (key.expires is not None and in_utc(key.expires) <= store.clock()):
        return False
    return key.id not in store.audit.revoked(session)


def _same(one: str, other: str) -> bool:
    return hmac.compare_digest(one.encode(), other.encode())


def _seal_of_key(store: Store, key: Key) -> str:
    moments = [in_utc(moment).isoformat() if moment else "" for moment in (key.created, key.expires, key.revoked)]
    return store.digest("key row", json.dumps([key.id, key.digest, key.name, key.scope, *moments]))


def _seal_of_session(store: Store, session: Session) -> str:
    return store.digest(
        "session row", json.dumps([session.digest, session.key_id, in_utc(session.expires).isoformat()])
    )


def _facts(key: Key, revoked: datetime | None = None) -> KeyFacts:
    """The facts of a key; ``revoked`` is when it was by the audit log."""
    return KeyFacts(
        key.id,
        key.name,
        key.scope,  # type: ignore[arg-type]
        in_utc(key.created),
        in_utc(key.expires) if key.expires else None,
        in_utc(key.revoked) if key.revoked else revoked,
    )
