"""Errors of the service that are no errors of a narrative.

::

    CasecoderError
    |- BundleUnknown         (LookupError)        a bundle that this service does not have
    |- ReceiptInvalid        (ValueError)         a receipt of suggestions that was not given out here
    |- ReceiptErased         (ValueError)         a receipt from before its case was erased
    |- JobMisfit             (ValueError)         what cannot be done with a job as it is (`store.jobs`)
    |- ReviewGone            (ValueError)         a row that is not lent to who decides on it (`store.review`)
    |- ChildFailed           (ValueError)         a file that cannot be read or coded so (`jobs.children`)
    `- StoreError            (RuntimeError)       the store cannot be used
       |- SealBroken                              a stored value that cannot be decrypted
       |- StoreBehind                             a database of another version
       `- AuditBroken                             the audit log was altered
"""

from __future__ import annotations

from collections.abc import Sequence

from nlp.errors import CasecoderError


class BundleUnknown(CasecoderError, LookupError):
    """A bundle that this service does not have; ``known`` are those it has."""

    code = "bundle.unknown"

    def __init__(self, known: Sequence[str]) -> None:
        super().__init__(
            f"this service has no bundle of that name; it has {', '.join(known) or 'none'}, and finds others in the "
            "folder that CASECODER_BUNDLE_FOLDER names"
        )
        self.known = tuple(known)


class StoreError(CasecoderError, RuntimeError):
    """The store cannot be used; says why, never what stands in it."""

    code = "store.failed"


class SealBroken(StoreError):
    """A stored value that cannot be decrypted."""

    code = "store.sealed"

    def __init__(self, reason: str) -> None:
        super().__init__(f"a stored value cannot be opened: {reason}")


class ReceiptInvalid(CasecoderError, ValueError):
    """A receipt that was not given out here, or is too old."""

    code = "receipt.invalid"

    def __init__(self, reason: str) -> None:
        super().__init__(f"the receipt is not valid: {reason}; ask for suggestions again")


class ReceiptErased(CasecoderError, ValueError):
    """A receipt from before its case was erased."""

    code = "receipt.erased"

    def __init__(self) -> None:
        super().__init__(
            "the case was erased after these suggestions were made, so nothing was stored; if it is to be kept all "
            "the same, ask for suggestions again"
        )


class StoreBehind(StoreError):
    """A database made by another version."""

    code = "store.version"

    def __init__(self, found: str | None, wanted: str) -> None:
        super().__init__(
            f"the database is of version {found or 'none'}, this casecoder wants {wanted}: "
            "make a backup, then run `casecoder-serve migrate`"
        )


class AuditBroken(StoreError):
    """The audit log does not hold together; ``entry`` is the number of the first entry at fault."""

    code = "audit.broken"

    def __init__(self, reason: str, *, entry: int) -> None:
        super().__init__(f"the audit log was altered at entry {entry}: {reason}")
        self.entry = entry
