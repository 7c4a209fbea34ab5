"""The bundle that an administrator has chosen while the service ran: all processes with one store serve the same.

It lies sealed, so that who can write to the database cannot choose.
"""

from __future__ import annotations

import json
import secrets
from dataclasses import asdict, dataclass, field

from .store import Store
from .tables import Secret

_NAME = "bundle"


@dataclass(frozen=True)
class Choice:
    """A bundle by its name and the SHA-256 of its manifest; ``instead_of`` is what the settings named at that time."""

    name: str
    digest: str
    instead_of: str
    nonce: str = field(default_factory=lambda: secrets.token_hex(8), repr=False)
    """Makes a bundle that is chosen again another choice."""


def read_choice(store: Store) -> Choice | None:
    """What was chosen last, None where nothing ever was."""
    with store.database.reading() as session:
        secret = session.get(Secret, _NAME)
        return Choice(**json.loads(store.keyring.open(secret.sealed, of=_NAME))) if secret else None


def keep_choice(store: Store, choice: Choice, *, actor: str) -> None:
    """Keep a choice in place of the one before; told to the audit log."""
    sealed = store.keyring.seal(json.dumps(asdict(choice)).encode(), of=_NAME)
    with store.audited(actor, "choose bundle", bundle=choice.name) as session:
        session.merge(Secret(name=_NAME, sealed=sealed))
