"""Which cases are coded before their suggestions are seen, so that the pull of suggestions can be measured.

A keyed hash of the case id decides: the same case is always blind or never, no matter who asks or how often, and nobody
can tell beforehand. Once somebody has coded a blind case its suggestions are shown.
"""

from __future__ import annotations

from sqlalchemy import select

from .store import Store, case_digest
from .tables import Feedback

_SPACE = 2**64


def is_blind(store: Store, case_id: str, share: float) -> bool:
    """Whether a case belongs to the blind ``share``, in [0, 1], of all cases."""
    digest = case_digest(store, case_id)
    return digest is not None and int(store.digest("blind", digest)[:16], 16) < share * _SPACE


def is_withheld(store: Store, case_id: str | None, share: float) -> bool:
    """Whether the suggestions of a case are withheld now: it is blind, and nobody has coded it yet."""
    if not case_id or not is_blind(store, case_id, share):
        return False
    with store.database.reading() as session:
        coded = session.scalar(
            select(Feedback.number).where(Feedback.case_digest == case_digest(store, case_id)).limit(1)
        )
    return coded is None
