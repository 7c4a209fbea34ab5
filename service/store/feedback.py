"""What people decided: kept, listed, exported, erased."""

from __future__ import annotations

import json
import secrets
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Literal

from sqlalchemy import ColumnElement, delete, func, or_, select
from sqlalchemy.orm import Session, selectinload

from nlp.codebook import Codebook
from nlp.errors import CasecoderError

from ..errors import ReceiptErased, StoreError
from .access import Principal
from .erasures import forget_erasures, is_erased, remember_erasure
from .receipts import Origin, Receipt, Shown
from .store import Store, case_digest, in_utc, text_of
from .tables import AuditEntry, Feedback, Verdict

VerdictKind = Literal["accepted", "edited", "rejected", "added"]
Also = Callable[[Session, str], None]
CHOSEN = ("accepted", "edited", "added")
_READ, _LIMIT_REACHED = "read feedback", "reach read limit"
_READS = (_READ, "read job row")  # what counts against the limit of texts a day
_MAX_VERDICTS = 60


class FeedbackRefused(CasecoderError, ValueError):
    """A decision that does not fit the codebook or what was suggested."""

    code = "feedback.invalid"


class FeedbackRepeated(CasecoderError, ValueError):
    """An idempotency key that was used for something else."""

    code = "feedback.repeated"


@dataclass(frozen=True)
class Decided:
    """What became of one code; ``instead_of`` is the suggested code that an edited one replaces."""

    axis: str
    code: str
    verdict: VerdictKind
    instead_of: str | None = None
    primary: bool = False


@dataclass(frozen=True)
class Correction:
    """A change that a person made to the redaction: words hidden that were missed, or shown that were hidden wrongly.

    Offsets are code points of the redacted text as it is stored; ``type`` is the identifier type.
    """

    kind: Literal["hidden", "shown"]
    start: int
    end: int
    type: str


@dataclass(frozen=True)
class NewFeedback:
    """A decision to be stored. ``text`` is the redacted narrative as the person saw it before saving."""

    decided: tuple[Decided, ...]
    text: str | None = field(default=None, repr=False)
    corrections: tuple[Correction, ...] = ()
    seconds: float | None = None
    nothing: tuple[str, ...] = ()
    """Axes that the person has looked at and on which no code applies."""


@dataclass(frozen=True)
class StoredFeedback:
    """A decision as it is read back; ``text`` only where it was asked for."""

    number: int
    id: str
    coder: str
    created: datetime
    origin: Origin
    language: str
    country: str | None
    bundle: str
    codebook: str
    policy: str
    shown: tuple[Shown, ...]
    decided: tuple[Decided, ...]
    seconds: float | None
    disagreement: int
    uncertainty: float
    nothing: tuple[str, ...] = ()
    text: str | None = field(default=None, repr=False)
    corrections: tuple[Correction, ...] = ()
    case: str | None = None
    """A pseudonym that all decisions on one case share; says nothing of its id."""

    def undecided(self, axis: str) -> list[str]:
        """Codes of an axis that were suggested and seen, and on which the person said nothing."""
        if self.origin == "blind" or axis in self.nothing:
            return []
        spoken_of = _spoken_of(self.decided)
        return [
            item.code
            for item in self.shown
            if item.axis == axis and item.suggested and (axis, item.code) not in spoken_of
        ]

    def chosen(self, axis: str) -> list[str]:
        """Codes of an axis that the person set."""
        return [item.code for item in self.decided if item.axis == axis and item.verdict in CHOSEN]

    @property
    def decided_axes(self) -> frozenset[str]:
        """Axes on which the person decided anything; on others nothing is known."""
        return frozenset(item.axis for item in self.decided) | frozenset(self.nothing)


def check_decision(new: NewFeedback, receipt: Receipt, codebook: Codebook) -> None:
    """Raises `FeedbackRefused` where a decision does not fit the codebook or what was suggested."""
    if len(new.decided) > _MAX_VERDICTS:
        raise FeedbackRefused(f"at most {_MAX_VERDICTS} verdicts a case")
    visible = receipt.suggested if receipt.origin == "assisted" else frozenset()
    axes = {axis.id: frozenset(axis.codes) for axis in codebook.axes}
    if receipt.origin == "blind" and not (new.decided or new.nothing):
        raise FeedbackRefused("a case that is coded blind wants at least one verdict, or an axis in `nothing`")
    seen: set[tuple[str, str]] = set()
    reason: str | None
    for at, item in enumerate(new.decided):
        spoken_of = {(item.axis, item.code)} | ({(item.axis, item.instead_of)} if item.instead_of else set())
        if item.code not in axes.get(item.axis, ()):
            reason = "the codebook has no such axis and code"
        elif spoken_of & seen:
            reason = "a code has one verdict, and is replaced once"
        else:
            reason = _misfit(item, visible)
        if reason:
            raise FeedbackRefused(f"verdict {at + 1}: {reason}")
        seen |= spoken_of
    for axis in new.nothing:
        if axis not in axes or any(item.axis == axis and item.verdict in CHOSEN for item in new.decided):
            raise FeedbackRefused("`nothing` names an axis that has a code, or that the codebook does not have")
    for axis in axes:
        if sum(item.primary for item in new.decided if item.axis == axis) > 1:
            raise FeedbackRefused("an axis has one primary code")
    _check_corrections(new, {item.id for item in codebook.identifiers})


def _misfit(item: Decided, visible: Collection[tuple[str, str]]) -> str | None:
    """Why a verdict does not fit what a person saw, None where it does."""
    was_seen = (item.axis, item.code) in visible
    if item.verdict in ("accepted", "rejected") and not was_seen:
        return "only a code that was suggested is accepted or rejected; others are added"
    if item.verdict in ("added", "edited") and was_seen:
        return "a code that was suggested is accepted or rejected"
    if (item.verdict == "edited") != (item.instead_of is not None):
        return "an edited code, and no other, names the one it stands instead of"
    if item.instead_of is not None and (item.axis, item.instead_of) not in visible:
        return "it stands instead of a code that was not suggested"
    if item.primary and item.verdict == "rejected":
        return "a rejected code is no primary one"
    return None


def _check_corrections(new: NewFeedback, types: Collection[str]) -> None:
    length = len(new.text or "")
    for correction in new.corrections:
        if not 0 <= correction.start < correction.end <= length:
            raise FeedbackRefused("a correction of the redaction lies outside of the text")
        if correction.type not in types:
            raise FeedbackRefused("a correction has a type that the codebook does not know")


def save_feedback(
    store: Store,
    new: NewFeedback,
    receipt: Receipt,
    codebook: Codebook,
    principal: Principal,
    *,
    request: str | None = None,
    also: Also = lambda session, feedback: None,
) -> tuple[str, bool]:
    """Store a decision; its id, and whether it was stored just now. With the same ``request`` (an idempotency key) the
    same decision is stored once, however often it is sent. ``also`` is done in the same transaction, with its id.

    Raises `FeedbackRefused` for one that does not fit, `FeedbackRepeated` for a key that another decision had, and
    `ReceiptErased` where the case was erased since the receipt was given out.
    """
    check_decision(new, receipt, codebook)
    body = store.digest("feedback body", json.dumps([repr(new), new.text, repr(receipt)]))
    who = store.digest("request", f"{principal.key_id}\n{request}") if request else None
    used = store.digest("receipt", receipt.nonce)
    try:
        return _save(store, new, receipt, principal, body=body, who=who, used=used, also=also)
    except StoreError:  # perhaps the same decision came twice at once, and the other one is stored
        with store.database.reading() as session:
            known = _known(session, body=body, who=who, used=used)
        if known is None:
            raise
        return known, False


def _save(
    store: Store,
    new: NewFeedback,
    receipt: Receipt,
    principal: Principal,
    *,
    body: str,
    who: str | None,
    used: str,
    also: Also,
) -> tuple[str, bool]:
    with store.database.writing() as session:
        store.audit.hold(session)  # no erasure comes in between
        known = _known(session, body=body, who=who, used=used)
        if known is not None:
            return known, False
        if is_erased(session, store, receipt):
            raise ReceiptErased
        row = _row(store, new, receipt, principal)
        row.request_digest, row.body_digest, row.receipt_digest = who, body, used
        session.add(row)
        session.flush()
        store.audit.add(session, principal.actor, "store feedback", {"feedback": row.id}, at=row.created)
        also(session, row.id)
    return row.id, True


def _known(session: Session, *, body: str, who: str | None, used: str) -> str | None:
    """The id of the decision that this idempotency key has stored, None where it is new. Raises `FeedbackRepeated`
    where it was another one, or where the receipt was used before."""
    same = session.scalar(select(Feedback).where(Feedback.request_digest == who)) if who else None
    if same is not None:
        if same.body_digest != body:
            raise FeedbackRepeated("this Idempotency-Key was used for another decision: use a new one")
        return same.id
    if session.scalar(select(Feedback.number).where(Feedback.receipt_digest == used)) is not None:
        raise FeedbackRepeated("a decision with this receipt is stored already: ask for suggestions again")
    return None


def _row(store: Store, new: NewFeedback, receipt: Receipt, principal: Principal) -> Feedback:
    identifier = secrets.token_hex(16)
    at = store.clock()
    probability = {(item.axis, item.code): item.probability for item in receipt.shown}
    sealed = None
    if new.text is not None:
        content = {"text": new.text, "corrections": [vars(item) for item in new.corrections]}
        sealed = store.keyring.seal(json.dumps(content).encode(), of=text_of(identifier))
    waited = (at - receipt.at).total_seconds()
    return Feedback(
        id=identifier,
        case_digest=receipt.case_digest,
        coder=principal.name,
        key_id=principal.key_id,
        created=at,
        origin=receipt.origin,
        language=receipt.language,
        country=receipt.country,
        bundle=receipt.bundle,
        codebook=receipt.codebook,
        policy=receipt.policy,
        shown=[vars(item) for item in receipt.shown],
        nothing=sorted(set(new.nothing)),
        seconds=new.seconds if new.seconds is not None else max(waited, 0.0),
        disagreement=disagreement(new, receipt.shown),
        uncertainty=uncertainty(receipt.shown),
        sealed_text=sealed,
        verdicts=[
            Verdict(
                place=place,
                axis=item.axis,
                code=item.code,
                verdict=item.verdict,
                instead_of=item.instead_of,
                primary=item.primary,
                probability=probability.get((item.axis, item.code)),
            )
            for place, item in enumerate(new.decided)
        ],
    )


def disagreement(new: NewFeedback, shown: Sequence[Shown]) -> int:
    """How many codes a person set otherwise than suggested; suggestions without a verdict count neither way."""
    spoken_of = _spoken_of(new.decided)
    suggested = {
        (item.axis, item.code)
        for item in shown
        if item.suggested and (item.axis in new.nothing or (item.axis, item.code) in spoken_of)
    }
    return len(suggested ^ {(item.axis, item.code) for item in new.decided if item.verdict in CHOSEN})


def _spoken_of(decided: Iterable[Decided]) -> set[tuple[str, str]]:
    """Axis and code of all that has a verdict, or was replaced."""
    found = set()
    for item in decided:
        found.add((item.axis, item.code))
        if item.instead_of:
            found.add((item.axis, item.instead_of))
    return found


def uncertainty(shown: Sequence[Shown]) -> float:
    """How unsure the models were, in [0, 1]: of the code nearest to even odds."""
    return max((1 - abs(2 * item.probability - 1) for item in shown), default=0.0)


@dataclass(frozen=True)
class Wanted:
    """Which decisions are asked for; None means any."""

    coder: str | None = None
    key_id: str | None = None
    code: str | None = None
    verdict: VerdictKind | None = None
    origin: Origin | None = None
    language: str | None = None
    country: str | None = None
    bundle: str | None = None
    since: datetime | None = None
    until: datetime | None = None

    def names(self) -> list[str]:
        """Which filters are set, without their values."""
        return sorted(name for name, value in vars(self).items() if value is not None)

    def conditions(self) -> list[ColumnElement[bool]]:
        """As the database takes them."""
        found: list[ColumnElement[bool]] = []
        for name in ("coder", "key_id", "origin", "language", "country", "bundle"):
            if (value := getattr(self, name)) is not None:
                found.append(getattr(Feedback, name) == value)
        if self.code or self.verdict:
            inner = [Verdict.feedback_number == Feedback.number]
            inner += [Verdict.code == self.code] if self.code else []
            inner += [Verdict.verdict == self.verdict] if self.verdict else []
            found.append(select(Verdict.place).where(*inner).exists())
        if self.since:
            found.append(Feedback.created >= _asked(self.since))
        if self.until:
            found.append(Feedback.created < _asked(self.until))
        return found


def _asked(moment: datetime) -> datetime:
    """A moment that somebody asks for, in UTC. Raises `FeedbackRefused` where that is beyond the calendar."""
    try:
        return in_utc(moment)
    except OverflowError:
        raise FeedbackRefused("a date lies beyond the calendar") from None


def list_feedback(store: Store, wanted: Wanted, *, limit: int = 50, before: int | None = None) -> list[StoredFeedback]:
    """Decisions without their texts, the latest first; ``before`` is the number of the last one seen."""
    conditions = wanted.conditions() + ([Feedback.number < before] if before is not None else [])
    with store.database.reading() as session:
        rows = session.scalars(
            select(Feedback)
            .where(*conditions)
            .options(selectinload(Feedback.verdicts))
            .order_by(Feedback.number.desc())
            .limit(limit)
        )
        return [_stored(row) for row in rows]


def count_feedback(store: Store, wanted: Wanted, *, with_text: bool = False) -> int:
    """How many decisions are asked for; only those that were stored with a text, if wanted."""
    conditions = [*wanted.conditions(), *([Feedback.sealed_text.is_not(None)] if with_text else [])]
    with store.database.reading() as session:
        return int(session.scalar(select(func.count()).select_from(Feedback).where(*conditions)) or 0)


def review_queue(store: Store, wanted: Wanted, *, limit: int = 50) -> list[StoredFeedback]:
    """Decisions to look at again: those that differ most from the suggestions first, then the least sure ones."""
    with store.database.reading() as session:
        rows = session.scalars(
            select(Feedback)
            .where(*wanted.conditions())
            .options(selectinload(Feedback.verdicts))
            .order_by(Feedback.disagreement.desc(), Feedback.uncertainty.desc(), Feedback.number)
            .limit(limit)
        )
        return [_stored(row) for row in rows]


class ReadsExceeded(CasecoderError, ValueError):
    """More texts than a key may read in a day."""

    code = "limit.reads"

    def __init__(self, limit: int) -> None:
        super().__init__(f"this key has read {limit:,} texts today: go on tomorrow")
        self.limit = limit


def read_feedback(store: Store, feedback_id: str, principal: Principal, *, limit: int = 0) -> StoredFeedback | None:
    """One decision with its text, told to the audit log first; None where there is none that this person may read.

    Raises `ReadsExceeded` after ``limit`` texts in a day (UTC), which the audit log is told once a day; 0 for no limit.
    """
    with store.database.writing() as session:
        store.audit.hold(session)  # of two that read at once each counts the other
        if not limit or count_reads(session, store, principal) < limit:
            return _read(session, store, feedback_id, principal)
        note_limit(session, store, principal, limit)
    raise ReadsExceeded(limit)


def count_reads(session: Session, store: Store, principal: Principal) -> int:
    """How many texts this person has read today (UTC), by the audit log."""
    return _done_today(session, store, principal, *_READS)


def note_limit(session: Session, store: Store, principal: Principal, limit: int) -> None:
    """Tell the audit log, once a day, that somebody has reached the limit of texts."""
    if not _done_today(session, store, principal, _LIMIT_REACHED):
        store.audit.add(session, principal.actor, _LIMIT_REACHED, {"limit": limit}, at=store.clock())


def _read(session: Session, store: Store, feedback_id: str, principal: Principal) -> StoredFeedback | None:
    row = session.scalar(select(Feedback).where(Feedback.id == feedback_id).options(selectinload(Feedback.verdicts)))
    if row is None or not (principal.may("coordinator") or row.key_id == principal.key_id):
        return None
    store.audit.add(session, principal.actor, _READ, {"feedback": row.id}, at=store.clock())
    return _stored(row, store)


def _done_today(session: Session, store: Store, principal: Principal, *actions: str) -> int:
    """How often this person has done some things since midnight UTC, by the audit log."""
    midnight = store.clock().replace(hour=0, minute=0, second=0, microsecond=0)
    wanted = (AuditEntry.actor == principal.actor, AuditEntry.action.in_(actions), AuditEntry.at >= midnight)
    return int(session.scalar(select(func.count()).select_from(AuditEntry).where(*wanted)) or 0)


def export_feedback(store: Store, wanted: Wanted, principal: Principal) -> Iterator[Mapping[str, Any]]:
    """Decisions as annotated cases, as `casecoder-train fit --data` takes them: what people set, null for an axis that
    nobody decided, or on which a suggestion has no verdict; what came with it stands under ``feedback``, with a
    pseudonym of the case that its decisions share.

    Codes that only the machine suggested are left out, and so are decisions that were stored without a text.
    """
    with store.database.writing() as session:
        numbers = list(session.scalars(select(Feedback.number).where(*wanted.conditions()).order_by(Feedback.number)))
        facts = {"decisions": len(numbers), "filters": wanted.names()}
        store.audit.add(session, principal.actor, "export feedback", facts, at=store.clock())
    for number in numbers:
        with store.database.reading() as session:
            row = session.scalar(
                select(Feedback).where(Feedback.number == number).options(selectinload(Feedback.verdicts))
            )
            item = _stored(row, store) if row is not None and row.sealed_text is not None else None
        if item is not None:  # else erased since; nothing is held open while the caller takes its time
            yield _training_row(item)


def _training_row(item: StoredFeedback) -> Mapping[str, Any]:
    axes = sorted(item.decided_axes)
    whole = [axis for axis in axes if not item.undecided(axis)]
    return {
        "id": item.id,
        "lang": item.language,
        "country": item.country,
        "source": f"feedback, {item.origin}",
        "text": item.text,
        **{axis: None if item.undecided(axis) else item.chosen(axis) for axis in axes},
        "primary": {axis: next((d.code for d in item.decided if d.axis == axis and d.primary), None) for axis in whole},
        "feedback": {
            "case": item.case,
            "chosen": {axis: item.chosen(axis) for axis in axes},
            "undecided": {axis: item.undecided(axis) for axis in axes},
            "origin": item.origin,
            "coder": item.coder,
            "bundle": item.bundle,
            "codebook": item.codebook,
            "policy": item.policy,
            "verdicts": [vars(decided) for decided in item.decided],
            "corrections": [vars(correction) for correction in item.corrections],
        },
    }


def erase_case(
    store: Store, case_id: str, *, actor: str, also: Callable[[Session], Collection[str]] = lambda session: ()
) -> int:
    """Erase all decisions on a case, at once; how many they were. Receipts from before are worth nothing any more. A
    blank id is that of no case: decisions without one stay.

    ``also`` erases more in the same transaction, and gives the ids of decisions that go with it; where it lies in files
    of bulk jobs, see `service.jobs.erasing`.
    """
    digest = case_digest(store, case_id)
    if digest is None:
        return 0
    return _erase(store, Feedback.case_digest == digest, actor, "erase case", case=digest, also=also)


def purge(store: Store, *, older_than: timedelta, actor: str) -> int:
    """Erase decisions that are older than a time; how many they were."""
    return _erase(store, Feedback.created < store.clock() - older_than, actor, "purge")


def _erase(
    store: Store,
    condition: ColumnElement[bool],
    actor: str,
    action: str,
    *,
    case: str | None = None,
    also: Callable[[Session], Collection[str]] = lambda session: (),
) -> int:
    with store.database.writing() as session:
        store.audit.hold(session)  # no decision comes in between
        forget_erasures(session, store)
        if case:
            remember_erasure(session, store, case)
        with_it = also(session)
        gone = or_(condition, Feedback.id.in_(with_it)) if with_it else condition
        count = int(session.scalar(select(func.count()).select_from(Feedback).where(gone)) or 0)
        session.execute(delete(Feedback).where(gone))
        store.audit.add(session, actor, action, {"erased": count}, at=store.clock())
    store.database.forget()
    return count


def _stored(row: Feedback, store: Store | None = None) -> StoredFeedback:
    text: str | None = None
    corrections: tuple[Correction, ...] = ()
    if store is not None and row.sealed_text is not None:
        content = json.loads(store.keyring.open(row.sealed_text, of=text_of(row.id)))
        text, corrections = content["text"], tuple(Correction(**item) for item in content["corrections"])
    return StoredFeedback(
        row.number,
        row.id,
        row.coder,
        in_utc(row.created),
        row.origin,  # type: ignore[arg-type]
        row.language,
        row.country,
        row.bundle,
        row.codebook,
        row.policy,
        tuple(Shown(**item) for item in row.shown),
        tuple(
            Decided(item.axis, item.code, item.verdict, item.instead_of, item.primary)  # type: ignore[arg-type]
            for item in row.verdicts
        ),
        row.seconds,
        row.disagreement,
        row.uncertainty,
        tuple(row.nothing),
        text,
        corrections,
        row.case_digest[:16] if row.case_digest else None,
    )
