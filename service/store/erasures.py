"""Which cases were erased of late, so that no receipt from before brings one back.

A receipt lies with its caller and cannot be taken away. So for as long as receipts are valid the store remembers, by a
keyed hash that is in no other table, that a case was erased and when; then it forgets that too.
"""

from __future__ import annotations

from sqlalchemy import delete
from sqlalchemy.orm import Session

from .receipts import VALID, Receipt
from .store import Store, in_utc
from .tables import Erasure


def remember_erasure(session: Session, store: Store, case: str) -> None:
    """Refuse from now on what was suggested on a case, by its `case_digest`, before this moment."""
    session.merge(Erasure(digest=_digest(store, case), at=store.clock()))


def forget_erasures(session: Session, store: Store) -> None:
    """Forget those that no valid receipt is older than."""
    session.execute(delete(Erasure).where(Erasure.at < store.clock() - VALID))


def is_erased(session: Session, store: Store, receipt: Receipt) -> bool:
    """Whether the case of a receipt was erased after it was given out."""
    if receipt.case_digest is None:
        return False
    found = session.get(Erasure, _digest(store, receipt.case_digest))
    return found is not None and receipt.at <= in_utc(found.at)


def _digest(store: Store, case: str) -> str:
    return store.digest("erased case", case)
