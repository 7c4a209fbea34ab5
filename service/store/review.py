"""The queue of rows to look at: one row goes to one person at a time; those that people and models code differently
first, then the least sure.

Rows with the same text are decided together: while one of them is lent, nobody gets another, and what is decided on it
is written down for each.

A row is lent for some minutes. A decision is stored as feedback in the same transaction, so that it counts once; what
is taken back is erased from there.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Literal

from sqlalchemy import ColumnElement, and_, case, delete, exists, false, func, or_, select, update
from sqlalchemy.orm import Session, aliased

from nlp.codebook import Codebook
from nlp.errors import CasecoderError

from .access import Principal
from .feedback import Decided, NewFeedback, ReadsExceeded, count_reads, note_limit, save_feedback
from .receipts import Receipt
from .store import Store, decision_of, in_utc
from .tables import Feedback, ReviewRow

LENT = timedelta(minutes=10)
READ = "read job row"
_DISAGREEING = 2.0  # more than any uncertainty
ReviewState = Literal["open", "leased", "done", "skipped"]
Act = Literal["accept", "correct", "skip"]


class ReviewGone(CasecoderError, ValueError):
    """A row that is not lent to who decides on it."""

    code = "review.gone"

    def __init__(self) -> None:
        super().__init__(
            "somebody else has this row by now, or it is decided already, so nothing was stored: take the next one"
        )


@dataclass(frozen=True)
class LentRow:
    """A row that somebody has for a while: where its text is, and until when nobody else gets it. ``repeats`` are the
    rows that are decided with it."""

    row: int
    block: int
    uncertainty: float
    until: datetime
    turn: int
    repeats: int = 0


@dataclass(frozen=True)
class ReviewCounts:
    """How many rows of a queue are in which state; ``lent`` of them are with somebody now."""

    open: int = 0
    lent: int = 0
    done: int = 0
    skipped: int = 0

    @property
    def total(self) -> int:
        """All rows of the queue."""
        return self.open + self.lent + self.done + self.skipped


@dataclass(frozen=True)
class RowDecision:
    """What somebody decided on a row, as it is read back."""

    row: int
    state: ReviewState
    by: str
    at: datetime
    act: Act
    chosen: tuple[tuple[str, str], ...] = field(default=())
    nothing: tuple[str, ...] = ()
    feedback: str | None = None
    axes: frozenset[str] = frozenset()
    """The axes that were decided: also where all that was suggested is rejected."""


def queue_place(uncertainty: float, *, differs: bool) -> float:
    """The place of a row in the queue, the highest first: rows on which a person and the models disagree before all
    others."""
    return uncertainty + _DISAGREEING * differs


def _uncertainty(place: float) -> float:
    return place - _DISAGREEING if place >= _DISAGREEING else place


def review_counts(store: Store, *job_ids: str) -> dict[str, ReviewCounts]:
    """How far the queues of some jobs are, of all if none is named; jobs without a queue are left out."""
    over = and_(ReviewRow.state == "leased", ReviewRow.leased_until < store.clock())
    state = case((over, "open"), else_=ReviewRow.state)
    wanted = select(ReviewRow.job_id, state, func.count()).group_by(ReviewRow.job_id, state)
    if job_ids:
        wanted = wanted.where(ReviewRow.job_id.in_(job_ids))
    found: dict[str, dict[str, int]] = {}
    with store.database.reading() as session:
        for job_id, name, count in session.execute(wanted):
            found.setdefault(job_id, {})["lent" if name == "leased" else name] = int(count)
    return {job_id: ReviewCounts(**counts) for job_id, counts in found.items()}


def lend_next(
    store: Store,
    job_id: str,
    principal: Principal,
    *,
    held: Collection[int] = (),
    skipped: bool = False,
    limit: int = 0,
) -> LentRow | None:
    """The next row for somebody: first one that is with them and not among ``held``, which their page has already; then
    the first of the queue that nobody has. ``skipped``: of those that were skipped. None where there is none.

    The audit log is told. Raises `ReadsExceeded` after ``limit`` texts in a day (UTC); 0 for no limit.
    """
    with store.database.writing() as session:
        store.audit.hold(session)  # of two that ask at once each sees what the other got
        if not limit or count_reads(session, store, principal) < limit:
            found = _next(session, store, job_id, principal, held, skipped)
            return None if found is None else _lend(session, store, found, principal)
        note_limit(session, store, principal, limit)
    raise ReadsExceeded(limit)


def _lend(session: Session, store: Store, row: ReviewRow, principal: Principal) -> LentRow:
    until = store.clock() + LENT
    row.state, row.leased_by, row.leased_until = "leased", principal.actor, until
    store.audit.add(session, principal.actor, READ, {"job": row.job_id, "row": row.row}, at=store.clock())
    session.flush()
    repeats = session.scalar(select(func.count()).select_from(ReviewRow).where(*_decided_with(store, row))) or 0
    return LentRow(row.row, row.block, _uncertainty(row.uncertainty), until, row.turn, int(repeats))


def _decided_with(store: Store, row: ReviewRow) -> tuple[ColumnElement[bool], ...]:
    """The rows that a decision on this one is for as well."""
    if row.alike is None:
        return (false(),)
    waiting = or_(_free(store), ReviewRow.state == "skipped")
    return ReviewRow.job_id == row.job_id, ReviewRow.alike == row.alike, ReviewRow.row != row.row, waiting


def _next(
    session: Session, store: Store, job_id: str, principal: Principal, held: Collection[int], skipped: bool
) -> ReviewRow | None:
    queue = select(ReviewRow).where(ReviewRow.job_id == job_id, ReviewRow.row.not_in(held))
    order = (ReviewRow.uncertainty.desc(), ReviewRow.row)
    mine = and_(ReviewRow.state == "leased", ReviewRow.leased_by == principal.actor)
    free = ReviewRow.state == "skipped" if skipped else _free(store)
    other = aliased(ReviewRow)
    with_somebody = exists().where(
        other.job_id == job_id,
        other.alike == ReviewRow.alike,
        other.row != ReviewRow.row,
        other.state == "leased",
        other.leased_until >= store.clock(),
    )
    for wanted in (mine, and_(free, ~with_somebody)):
        found = session.scalar(queue.where(wanted).order_by(*order).limit(1).with_for_update())
        if found is not None:
            return found
    return None


def _free(store: Store) -> ColumnElement[bool]:
    over = and_(ReviewRow.state == "leased", ReviewRow.leased_until < store.clock())
    return or_(ReviewRow.state == "open", over)


def decide_row(
    store: Store,
    job_id: str,
    row: int,
    act: Act,
    principal: Principal,
    *,
    new: NewFeedback | None = None,
    receipt: Receipt | None = None,
    codebook: Codebook | None = None,
) -> str | None:
    """Store a decision on a row that is with this person; the id of the feedback, None for one that is skipped.

    Raises `ReviewGone` where it is not with them, and what `save_feedback` raises.
    """

    def settle(session: Session, feedback: str | None) -> None:
        found = session.get(ReviewRow, (job_id, row), with_for_update=True)
        if found is None or found.state != "leased" or found.leased_by != principal.actor:
            raise ReviewGone
        content = {
            "act": act,
            "feedback": feedback,
            "chosen": [[item.axis, item.code] for item in _chosen(new)],
            "nothing": list(new.nothing) if new else [],
            "axes": sorted({item.axis for item in new.decided} | set(new.nothing)) if new else [],
        }
        together = session.scalars(select(ReviewRow).where(*_decided_with(store, found)).with_for_update()).all()
        for one in (found, *together):
            _settle(store, one, content if one is found else {**content, "feedback": None}, principal)
            one.copy_of = None if one is found else row

    if new is None or receipt is None or codebook is None:
        with store.database.writing() as session:
            settle(session, None)
        return None
    identifier, _ = save_feedback(store, new, receipt, codebook, principal, also=settle)
    return identifier


def _settle(store: Store, row: ReviewRow, content: Mapping[str, Any], principal: Principal) -> None:
    row.sealed_decision = store.keyring.seal(json.dumps(content).encode(), of=decision_of(row.job_id, row.row))
    row.state, row.leased_by, row.leased_until = "skipped" if content["act"] == "skip" else "done", None, None
    row.decided_by, row.decided_at = principal.actor, store.clock()


def _chosen(new: NewFeedback | None) -> list[Decided]:
    return [item for item in new.decided if item.verdict != "rejected"] if new else []


def lent_row(store: Store, job_id: str, row: int, principal: Principal) -> LentRow:
    """A row that is with this person. Raises `ReviewGone` for any other."""
    with store.database.reading() as session:
        found = session.get(ReviewRow, (job_id, row))
        if found is None or found.state != "leased" or found.leased_by != principal.actor or not found.leased_until:
            raise ReviewGone
        return LentRow(found.row, found.block, _uncertainty(found.uncertainty), in_utc(found.leased_until), found.turn)


def undo_last(store: Store, job_id: str, principal: Principal) -> LentRow | None:
    """Take back this person's latest decision in a queue, and lend the row to them again; None where there is none.
    The feedback that it was stored as is erased, and rows that were decided with it wait again."""
    with store.database.writing() as session:
        mine = (ReviewRow.job_id == job_id, ReviewRow.decided_by == principal.actor)
        found = session.scalar(
            select(ReviewRow)
            .where(*mine, ReviewRow.state.in_(("done", "skipped")), ReviewRow.copy_of.is_(None))
            .order_by(ReviewRow.decided_at.desc(), ReviewRow.row)
            .limit(1)
            .with_for_update()
        )
        if found is None:
            return None
        feedback = _content(store, found).get("feedback")
        session.execute(delete(Feedback).where(Feedback.id == feedback))
        facts = {"job": job_id, "row": found.row, **({"feedback": feedback} if feedback else {})}
        store.audit.add(session, principal.actor, "take back decision", facts, at=store.clock())
        found.turn += 1
        found.decided_by = found.decided_at = found.sealed_decision = None
        undecided = {"state": "open", "decided_by": None, "decided_at": None, "sealed_decision": None, "copy_of": None}
        copies = (ReviewRow.job_id == job_id, ReviewRow.copy_of == found.row)
        session.execute(update(ReviewRow).where(*copies).values(**undecided))
        return _lend(session, store, found, principal)


def give_back(store: Store, job_id: str, principal: Principal) -> None:
    """Let others have the rows that this person has not decided on."""
    with store.database.writing() as session:
        mine = (ReviewRow.job_id == job_id, ReviewRow.state == "leased", ReviewRow.leased_by == principal.actor)
        session.execute(update(ReviewRow).where(*mine).values(state="open", leased_by=None, leased_until=None))


def erase_rows(session: Session, store: Store, job_id: str, rows: Collection[int]) -> tuple[int, list[str]]:
    """Erase some rows of a queue with what was decided on them: how many they were, and the ids under which these
    decisions are kept with all others, which are not erased here."""
    queued = session.scalars(select(ReviewRow.row).where(ReviewRow.job_id == job_id)).all()
    mine = (ReviewRow.job_id == job_id, ReviewRow.row.in_(set(queued).intersection(rows)))
    found = session.scalars(select(ReviewRow).where(*mine)).all()
    kept = [_content(store, row).get("feedback") for row in found]
    session.execute(delete(ReviewRow).where(*mine))
    return len(found), [feedback for feedback in kept if feedback]


def decisions_of(store: Store, job_id: str, *, batch: int = 500) -> Iterator[RowDecision]:
    """All decisions of a queue, by row."""
    last = 0
    while True:
        with store.database.reading() as session:
            rows = session.scalars(
                select(ReviewRow)
                .where(ReviewRow.job_id == job_id, ReviewRow.row > last, ReviewRow.sealed_decision.is_not(None))
                .order_by(ReviewRow.row)
                .limit(batch)
            ).all()
        for row in rows:
            content = _content(store, row)
            yield RowDecision(
                row.row,
                row.state,  # type: ignore[arg-type]
                str(row.decided_by),
                in_utc(row.decided_at or store.clock()),
                content["act"],
                tuple((axis, code) for axis, code in content["chosen"]),
                tuple(content["nothing"]),
                content["feedback"],
                frozenset(content.get("axes", ())),
            )
        if len(rows) < batch:
            return
        last = rows[-1].row


def _content(store: Store, row: ReviewRow) -> Mapping[str, Any]:
    if row.sealed_decision is None:
        return {}
    return json.loads(store.keyring.open(row.sealed_decision, of=decision_of(row.job_id, row.row)))  # type: ignore[no-any-return]
