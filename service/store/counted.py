"""What statistics count, added up by the database as far as it can. Only columns that are needed, nothing sealed.

Who decides on a case again replaces what they said before: of each coder and case the last decision counts. Blind and
assisted ones are counted apart, each with its own last: who codes a case blind and then anew, with the suggestions in
sight, does not take back what they said before they saw them. The last one is sought among all that are stored, so that
what was replaced counts nowhere, whatever is asked for.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, Connection, String, and_, case, cast, distinct, exists, func, not_, select
from sqlalchemy.orm import aliased

from .feedback import Wanted
from .receipts import SUGGESTED, Origin
from .tables import Feedback, Verdict

_AT_ONCE = 1000  # decisions in memory


class Agreed(NamedTuple):
    """Decisions on an axis: how many, how many set the suggested codes and no others, the codes that were both set and
    suggested, and all that were either, those that were both counted twice."""

    cases: int
    same: int
    common: int
    both: int


class Fates(NamedTuple):
    """How often a verdict was given on a code; ``instead_of`` is the suggested one that it replaces."""

    bundle: str
    axis: str
    code: str
    verdict: str
    instead_of: str | None
    times: int


class Said(NamedTuple):
    """What a person said of one code."""

    axis: str
    code: str
    verdict: str
    instead_of: str | None


class Single(NamedTuple):
    """A decision that has to be looked at by itself, with the suggested codes of each axis, seen or not."""

    origin: Origin
    bundle: str
    suggested: Mapping[str, set[str]]
    said: Sequence[Said]
    nothing: frozenset[str]
    """Axes on which the person found that no code applies."""


class Counted:
    """The decisions that are asked for and count, as they are at one moment: the transaction of ``connection``."""

    def __init__(self, connection: Connection, wanted: Wanted) -> None:
        self._connection = connection
        self._wanted = wanted.conditions()
        self._counted = (*self._wanted, _is_last())

    def asked_for(self) -> int:
        """How many decisions are asked for, with those that do not count."""
        return int(self._connection.scalar(select(func.count()).select_from(Feedback).where(*self._wanted)) or 0)

    def seconds(self) -> list[tuple[str, float | None]]:
        """Origin and time of each decision."""
        rows = self._connection.execute(select(Feedback.origin, Feedback.seconds).where(*self._counted))
        return [(origin, seconds) for origin, seconds in rows]

    def fates(self) -> Iterator[Fates]:
        """What became of codes where suggestions were seen."""
        said = aliased(Verdict)  # what is asked for may be verdicts too
        of = (Feedback.bundle, said.axis, said.code, said.verdict, said.instead_of)
        rows = (
            select(*of, func.count())
            .join(Feedback, Feedback.number == said.feedback_number)
            .where(Feedback.origin == "assisted", *self._counted)
            .group_by(*of)
        )
        for row in self._connection.execute(rows):
            yield Fates(*row)

    def agreed(self) -> dict[str, Agreed]:
        """How decisions agree whose verdicts tell all, by axis. Of them an accepted code was suggested and set, a
        rejected one suggested, an added one set; an edited one was set, and the code that it replaces suggested."""
        said = aliased(Verdict)
        differing = case((said.verdict != "accepted", said.feedback_number))
        rows = (
            select(
                said.axis,
                func.count(distinct(said.feedback_number)),
                func.count(distinct(differing)),
                func.count(case((said.verdict == "accepted", 1))),
                func.sum(case((said.verdict.in_(("accepted", "edited")), 2), else_=1)),
            )
            .join(Feedback, Feedback.number == said.feedback_number)
            .where(_verdicts_tell_all(), *self._counted)
            .group_by(said.axis)
        )
        return {
            axis: Agreed(cases, cases - differ, common, int(both))
            for axis, cases, differ, common, both in self._connection.execute(rows)
        }

    def singles(self) -> Iterator[Single]:
        """The other decisions: blind ones, and those in which no code of some axis applies."""
        rows = (
            select(Feedback.number, Feedback.origin, Feedback.bundle, Feedback.shown, Feedback.nothing)
            .where(not_(_verdicts_tell_all()), *self._counted)
            .execution_options(yield_per=_AT_ONCE)
        )
        for part in self._connection.execute(rows).partitions():
            said = self._said([number for number, *_ in part])
            for number, origin, bundle, shown, nothing in part:
                yield Single(origin, bundle, _suggested(shown), said[number], frozenset(nothing))

    def _said(self, numbers: Sequence[int]) -> Mapping[int, list[Said]]:
        found: dict[int, list[Said]] = defaultdict(list)
        of = (Verdict.feedback_number, Verdict.axis, Verdict.code, Verdict.verdict, Verdict.instead_of)
        rows = select(*of).where(Verdict.feedback_number.in_(numbers))
        for number, axis, code, verdict, instead_of in self._connection.execute(rows):
            found[number].append(Said(axis, code, verdict, instead_of))
        return found


def _is_last() -> ColumnElement[bool]:
    """No later decision on the case is of the same coder and origin. Without a case id every decision is the last."""
    later = aliased(Feedback)
    return ~exists().where(
        later.case_digest == Feedback.case_digest,
        later.coder == Feedback.coder,
        later.origin == Feedback.origin,
        later.number > Feedback.number,  # order of arrival: clocks may go back
    )


def _verdicts_tell_all() -> ColumnElement[bool]:
    """Suggestions were seen, and each that was decided on has a verdict of its own."""
    return and_(Feedback.origin == "assisted", cast(Feedback.nothing, String) == "[]")


def _suggested(shown: Sequence[Mapping[str, Any]]) -> Mapping[str, set[str]]:
    found: dict[str, set[str]] = defaultdict(set)
    for item in shown:
        if item["decision"] in SUGGESTED:
            found[item["axis"]].add(item["code"])
    return found
