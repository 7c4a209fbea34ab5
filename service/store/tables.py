"""The tables of the store. Texts and secrets are sealed (`sealing`), case ids are kept as keyed hashes only."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, DateTime, Float, ForeignKey, Index, Integer, LargeBinary, MetaData, String
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column, relationship

_NAMES = {
    "ix": "ix_%(column_0_label)s",
    "uq": "uq_%(table_name)s_%(column_0_name)s",
    "fk": "fk_%(table_name)s_%(column_0_name)s_%(referred_table_name)s",
    "pk": "pk_%(table_name)s",
}
_DIGEST = 64  # characters of a SHA-256 in hexadecimal


class Base(DeclarativeBase):
    """All tables; constraints have names, so that migrations can change them."""

    metadata = MetaData(naming_convention=_NAMES)
    type_annotation_map = {datetime: DateTime(timezone=True), dict[str, Any]: JSON, list[Any]: JSON}  # noqa: RUF012


class Secret(Base):
    """A secret of the store itself, sealed: the key of its keyed hashes, the head of the audit log."""

    __tablename__ = "secrets"

    name: Mapped[str] = mapped_column(String(40), primary_key=True)
    sealed: Mapped[bytes] = mapped_column(LargeBinary)


class Key(Base):
    """An access key: its keyed hash, whose it is and what it may do."""

    __tablename__ = "keys"

    id: Mapped[str] = mapped_column(String(16), primary_key=True)
    digest: Mapped[str] = mapped_column(String(_DIGEST), unique=True)
    name: Mapped[str] = mapped_column(String(80))
    """The pseudonym of the person or program."""
    scope: Mapped[str] = mapped_column(String(20))
    created: Mapped[datetime]
    expires: Mapped[datetime | None]
    revoked: Mapped[datetime | None]
    seal: Mapped[str] = mapped_column(String(_DIGEST))
    """Keyed hash of all the rest: who can write to the database cannot make a key worth more."""


class Session(Base):
    """A login on the page."""

    __tablename__ = "sessions"

    digest: Mapped[str] = mapped_column(String(_DIGEST), primary_key=True)
    key_id: Mapped[str] = mapped_column(ForeignKey("keys.id", ondelete="CASCADE"), index=True)
    expires: Mapped[datetime]
    seal: Mapped[str] = mapped_column(String(_DIGEST))


class Feedback(Base):
    """What a person decided on a case, beside what was suggested."""

    __tablename__ = "feedback"

    number: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=True)
    """Order of arrival; clocks may go back."""
    id: Mapped[str] = mapped_column(String(32), unique=True)
    case_digest: Mapped[str | None] = mapped_column(String(_DIGEST), index=True)
    coder: Mapped[str] = mapped_column(String(80))
    key_id: Mapped[str | None] = mapped_column(String(16), index=True)
    created: Mapped[datetime]
    origin: Mapped[str] = mapped_column(String(10))
    language: Mapped[str] = mapped_column(String(8))
    country: Mapped[str | None] = mapped_column(String(64))
    bundle: Mapped[str] = mapped_column(String(80))
    codebook: Mapped[str] = mapped_column(String(80))
    policy: Mapped[str] = mapped_column(String(32))
    shown: Mapped[list[Any]]
    """What was suggested, also where it was withheld: axis, code, probability, decision of each."""
    nothing: Mapped[list[Any]] = mapped_column("none_applies")
    """Axes on which the person found that no code applies."""
    seconds: Mapped[float | None] = mapped_column(Float)
    """From the first suggestion to the decision."""
    disagreement: Mapped[int]
    """How many codes the person set otherwise than suggested."""
    uncertainty: Mapped[float] = mapped_column(Float)
    sealed_text: Mapped[bytes | None] = mapped_column(LargeBinary)
    """The redacted narrative and what a person hid or showed in it, sealed."""
    request_digest: Mapped[str | None] = mapped_column(String(_DIGEST), unique=True)
    """Keyed hash of who sent it and of the idempotency key."""
    body_digest: Mapped[str] = mapped_column(String(_DIGEST))
    receipt_digest: Mapped[str] = mapped_column(String(_DIGEST), unique=True)
    """Keyed hash of the receipt, which is good for one decision."""
    verdicts: Mapped[list[Verdict]] = relationship(
        back_populates="feedback", cascade="all, delete-orphan", passive_deletes=True, order_by="Verdict.place"
    )

    __table_args__ = (
        Index("ix_feedback_review", "disagreement", "uncertainty"),
        {"sqlite_autoincrement": True},  # no number is given twice, also after the last row was erased
    )


class Verdict(Base):
    """What became of one code."""

    __tablename__ = "verdicts"

    feedback_number: Mapped[int] = mapped_column(ForeignKey("feedback.number", ondelete="CASCADE"), primary_key=True)
    place: Mapped[int] = mapped_column(Integer, primary_key=True)
    axis: Mapped[str] = mapped_column(String(40))
    code: Mapped[str] = mapped_column(String(60))
    verdict: Mapped[str] = mapped_column(String(10))
    instead_of: Mapped[str | None] = mapped_column(String(60))
    """The suggested code that an edited one replaces."""
    primary: Mapped[bool] = mapped_column(default=False)
    probability: Mapped[float | None] = mapped_column(Float)
    feedback: Mapped[Feedback] = relationship(back_populates="verdicts")

    __table_args__ = (Index("ix_verdicts_code_verdict", "code", "verdict"),)


class Erasure(Base):
    """A case that was erased of late: nothing that was suggested on it before is stored any more."""

    __tablename__ = "erasures"

    digest: Mapped[str] = mapped_column(String(_DIGEST), primary_key=True)
    """Keyed hash of the case's own, so that no row of the table `feedback`, in a backup say, can be told by it."""
    at: Mapped[datetime]


class Job(Base):
    """A file to be coded. Its name, the choices for it and what was said about it are sealed; so are its files, which
    lie beside the database, with a key of their own."""

    __tablename__ = "jobs"

    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    key_id: Mapped[str | None] = mapped_column(String(16))
    coder: Mapped[str] = mapped_column(String(80))
    """The pseudonym of who brought it."""
    created: Mapped[datetime]
    updated: Mapped[datetime]
    queued: Mapped[datetime | None]
    """When it took its place in the queue."""
    expires: Mapped[datetime | None]
    """When it is erased; none while it waits or runs."""
    state: Mapped[str] = mapped_column(String(10), index=True)
    facts: Mapped[dict[str, Any]]
    """Numbers and codes: how far it is, what came out. Nothing that stands in the file."""
    sealed: Mapped[bytes] = mapped_column(LargeBinary)
    """File name, choices and sentences, sealed."""
    sealed_key: Mapped[bytes] = mapped_column(LargeBinary)
    """The key of its files, sealed: without this row nobody reads them."""


class ReviewRow(Base):
    """A row of a coded file that somebody should look at. Its text lies in the files of the job."""

    __tablename__ = "review_rows"

    job_id: Mapped[str] = mapped_column(ForeignKey("jobs.id", ondelete="CASCADE"), primary_key=True)
    row: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=False)
    """Its number in the file, from 1."""
    block: Mapped[int]
    """The file that has its text."""
    uncertainty: Mapped[float] = mapped_column(Float)
    """Its place in the queue, see `review.queue_place`."""
    state: Mapped[str] = mapped_column(String(10))
    leased_by: Mapped[str | None] = mapped_column(String(110))
    leased_until: Mapped[datetime | None]
    decided_by: Mapped[str | None] = mapped_column(String(110))
    decided_at: Mapped[datetime | None]
    turn: Mapped[int] = mapped_column(default=0)
    """How often it was decided and taken back."""
    sealed_decision: Mapped[bytes | None] = mapped_column(LargeBinary)
    alike: Mapped[int | None]
    """What rows have in common that are decided together: the number of the first of them."""
    copy_of: Mapped[int | None]
    """The row that was looked at when this one was decided with it."""

    __table_args__ = (
        Index("ix_review_rows_queue", "job_id", "state", "uncertainty"),
        Index("ix_review_rows_alike", "job_id", "alike", "state"),
    )


class Lease(Base):
    """Who does what only one process may do at a time, and until when nobody else may."""

    __tablename__ = "leases"

    name: Mapped[str] = mapped_column(String(40), primary_key=True)
    holder: Mapped[str] = mapped_column(String(40))
    until: Mapped[datetime]


class AuditEntry(Base):
    """Who did what, chained: each entry's hash covers the one before."""

    __tablename__ = "audit"

    number: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=False)
    at: Mapped[datetime]
    actor: Mapped[str] = mapped_column(String(110))
    action: Mapped[str] = mapped_column(String(40))
    facts: Mapped[dict[str, Any]]
    digest: Mapped[str] = mapped_column(String(_DIGEST))

    __table_args__ = (Index("ix_audit_actor_action_at", "actor", "action", "at"),)
