"""The filters of the coordinator's page: read from the address, and written back into addresses."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import Any, get_args
from urllib.parse import urlencode

from sqlalchemy import select

from ..store.feedback import VerdictKind, Wanted
from ..store.receipts import Origin
from ..store.store import Store
from ..store.tables import Feedback

NAMES = ("coder", "code", "verdict", "origin", "language", "country", "bundle", "since", "until")
"""All filters, in the order of the form."""
VERDICTS: tuple[VerdictKind, ...] = get_args(VerdictKind)
ORIGINS: tuple[Origin, ...] = get_args(Origin)

_LONGEST = {"coder": 80, "code": 60, "language": 8, "country": 64, "bundle": 80}  # characters, as the API takes them
_CHOICES = {"verdict": VERDICTS, "origin": ORIGINS}
_DAYS = ("since", "until")
_YEARS = range(1970, 3000)
_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_LARGEST = 2**31 - 1  # number of a decision
_MOST_CHOICES = 500


@dataclass(frozen=True)
class Filters:
    """What is asked for. ``values`` are the filters that are set, as they were sent; ``wrong`` those that cannot be."""

    values: Mapping[str, str] = field(default_factory=dict)
    wrong: tuple[str, ...] = ()
    before: int | None = None
    """Number of the last decision of the page before."""

    @classmethod
    def of(cls, sent: Mapping[str, str]) -> Filters:
        """The filters of a query; fields that were left empty are none."""
        values = {name: text for name in NAMES if (text := sent.get(name, "").strip())}
        wrong = tuple(name for name, text in values.items() if not _fits(name, text))
        before = sent.get("before", "")
        number = int(before) if before.isascii() and before.isdigit() and len(before) <= 10 else 0
        return cls(values, wrong, number if 0 < number <= _LARGEST else None)

    @property
    def is_backwards(self) -> bool:
        """Whether the first day lies after the last."""
        days = [self.values.get(name) for name in _DAYS]
        return not self.wrong and None not in days and days != sorted(days, key=str)

    @property
    def is_skewed(self) -> bool:
        """Whether what is asked for depends on what people decided."""
        return bool({"code", "verdict"} & set(self.values))

    def wanted(self) -> Wanted:
        """As the store takes them. Raises `ValueError` where one is wrong."""
        if self.wrong:
            raise ValueError("a filter cannot be searched for")
        values: dict[str, Any] = dict(self.values)
        for name in _DAYS:
            if name in values:
                values[name] = _midnight(values[name]) + timedelta(days=name == "until")  # the last day counts too
        return Wanted(**values)

    def query(self, **more: object) -> str:
        """As an address has them, with a question mark, and with what else is to stand there; empty without any."""
        found = urlencode(dict(self.values) | {name: str(value) for name, value in more.items() if value is not None})
        return f"?{found}" if found else ""

    def api_query(self) -> str:
        """As the JSON API takes them: days as moments."""
        wanted = self.wanted()
        days = {name: moment.isoformat() for name in _DAYS if (moment := getattr(wanted, name))}
        found = urlencode(dict(self.values) | days)
        return f"?{found}" if found else ""


def known_values(store: Store) -> dict[str, list[str]]:
    """The values of each filter that decisions have, in order."""
    columns = {name: getattr(Feedback, name) for name in ("coder", "language", "country", "bundle")}
    with store.database.reading() as session:
        return {
            name: list(
                session.scalars(
                    select(column).where(column.is_not(None)).distinct().order_by(column).limit(_MOST_CHOICES)
                )
            )
            for name, column in columns.items()
        }


def _fits(name: str, text: str) -> bool:
    if name in _CHOICES:
        return text in _CHOICES[name]
    if name in _DAYS:
        try:
            return _midnight(text).year in _YEARS
        except ValueError:
            return False
    return len(text) <= _LONGEST[name] and text.isprintable()


def _midnight(day: str) -> datetime:
    """The beginning of a day in UTC. Raises `ValueError` for anything but ``YYYY-MM-DD``."""
    if not _DAY.fullmatch(day):
        raise ValueError("no day")
    return datetime.combine(date.fromisoformat(day), datetime.min.time(), UTC)
