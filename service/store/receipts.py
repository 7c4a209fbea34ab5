"""What was suggested, handed to the caller sealed and handed back with the decision.

So the service stores nothing of a request that only asks, and still knows with each decision what was shown, by which
bundle and when, as it said it and not as somebody claims. A withheld suggestion lies in its receipt, where the person
who codes cannot read it.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
import secrets
from collections.abc import Collection
from dataclasses import asdict, dataclass, field
from datetime import datetime, timedelta
from typing import Any, Literal

from nlp.decision import Policy
from nlp.types import Analysis

from ..errors import ReceiptInvalid, SealBroken
from .store import Store, case_digest

Origin = Literal["blind", "assisted"]
SUGGESTED = ("auto", "suggest")
"""Decisions of the models that a person is to see, and not only a queue."""
VALID = timedelta(days=7)
_MAX_LENGTH = 60_000  # characters; a receipt of every code has fewer than 8,000


@dataclass(frozen=True)
class Shown:
    """A code that was suggested."""

    axis: str
    code: str
    probability: float
    decision: str

    @property
    def suggested(self) -> bool:
        """Whether a person was to see it, and not only a queue."""
        return self.decision in SUGGESTED


@dataclass(frozen=True)
class Receipt:
    """What was suggested on one text, when, and whether the person saw it."""

    at: datetime
    origin: Origin
    case_digest: str | None
    language: str
    country: str | None
    bundle: str
    codebook: str
    policy: str
    shown: tuple[Shown, ...]
    nonce: str = field(default_factory=lambda: secrets.token_hex(8), repr=False)
    """Makes each receipt another one: it is good for one decision."""

    @property
    def suggested(self) -> frozenset[tuple[str, str]]:
        """Axis and code of what a person was to see."""
        return frozenset((item.axis, item.code) for item in self.shown if item.suggested)


def _of(store: Store) -> str:
    """What receipts of a store are bound to: another store with the same key file does not open them."""
    return f"receipt {store.digest('store', 'receipts')}"


def policy_mark(policy: Policy) -> str:
    """A short hash of all thresholds."""
    codes = {code: asdict(thresholds) for code, thresholds in policy.codes.items()}
    content = json.dumps([policy.auto_precision, codes], sort_keys=True)
    return hashlib.sha256(content.encode()).hexdigest()[:12]


def receipt_of(
    store: Store,
    analysis: Analysis,
    *,
    case_id: str | None,
    country: str | None,
    origin: Origin,
    policy: str,
    axes: Collection[str] | None = None,
) -> Receipt:
    """The receipt of an analysis: every code of ``axes`` (all, if None) that is suggested or up for review."""
    shown = tuple(
        Shown(item.axis, item.code, round(item.probability, 4), item.decision)
        for item in analysis.suggestions
        if item.decision != "none" and (axes is None or item.axis in axes)
    )
    return Receipt(
        store.clock(),
        origin,
        case_digest(store, case_id),
        analysis.language,
        country,
        analysis.bundle,
        analysis.codebook,
        policy,
        shown,
    )


def seal_receipt(store: Store, receipt: Receipt) -> str:
    """The receipt as an opaque text."""
    content: dict[str, Any] = asdict(receipt)
    content["at"] = receipt.at.isoformat()
    sealed = store.keyring.seal(json.dumps(content, separators=(",", ":")).encode(), of=_of(store))
    return base64.urlsafe_b64encode(sealed).decode()


def open_receipt(store: Store, text: str) -> Receipt:
    """The receipt that was sealed. Raises `ReceiptInvalid` for any other text, or one that is older than a week."""
    if len(text) > _MAX_LENGTH:
        raise ReceiptInvalid("it is none")
    try:
        sealed = base64.b64decode(text.encode("ascii", "replace"), altchars=b"-_", validate=True)
    except binascii.Error:
        raise ReceiptInvalid("it is none") from None
    try:
        content = json.loads(store.keyring.open(sealed, of=_of(store)))
    except SealBroken:
        raise ReceiptInvalid("it was altered, or given out by another service") from None
    at = datetime.fromisoformat(content.pop("at"))
    if store.clock() - at > VALID:
        raise ReceiptInvalid("it is older than a week")
    shown = tuple(Shown(**item) for item in content.pop("shown"))
    return Receipt(at=at, shown=shown, **content)
