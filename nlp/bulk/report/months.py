"""Which month a row is of, from a column of dates as people write them.

Understood are real dates of Excel, Parquet and Excel's day numbers, ISO 8601 (``2024-03-05``, ``2024-03``),
``05.03.2024``, and months in words in the languages served (``5 марта 2024``). Whether ``03/04/2024`` is in March or in
April, other cells of the column tell; where none does, it is not understood, rather than guessed.
"""

from __future__ import annotations

import datetime as dt
import math
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any, Literal

from ...errors import TableError
from ..choosing import place_of
from ..facts_columns import NONE, NOT_UNDERSTOOD
from ..header import plain
from ..values import Column, text_of

FIRST_YEAR, LAST_YEAR = 1990, 2099  # what is outside is a birthday, a typing error or no date
_EXCEL_START = dt.date(1899, 12, 30)
_SPELLINGS = (
    "ru", "en", "uk", "ro", "sr", "sr-cyrl", "mk", "mk-latn", "sq", "kk", "ky", "uz", "uz-cyrl", "az", "tg", "ka", "hy"
)  # fmt: skip

_TIME = r"(?:[T ,].*)?"
_YEAR_FIRST = re.compile(rf"(\d{{4}})([-./])(\d{{1,2}})(?:\2\d{{1,2}})?{_TIME}", re.DOTALL)
_YEAR_LAST = re.compile(
    rf"(\d{{1,2}})(\s?[-./]\s?)(\d{{1,2}})\2(\d{{4}}|\d\d)(?:\s?(?:г\.?|года|р\.?))?{_TIME}", re.DOTALL
)
_MONTH_AND_YEAR = re.compile(r"(\d{1,2})[-./](\d{4})")
_DAY_NUMBER = re.compile(r"\d{5}(?:[.,]\d+)?")
_WORD = re.compile(r"[^\W\d_]+")
_YEAR = re.compile(r"(?<!\d)(?:19|20)\d\d(?!\d)")

# Usual names, the likeliest first: when it happened before when it was written down.
_NAMES = tuple(
    plain(name)
    for name in """
    incident date, date of incident, date of the incident, event date, date of event, date of violation, violation date,
    case date, date of case, date of the case, when, date, registration date, date of registration, reported on,
    created, created at, month,
    дата инцидента, дата происшествия, дата события, дата нарушения, дата случая, дата обращения, дата, когда,
    дата регистрации, дата создания, месяц,
    дата події, дата порушення, дата випадку, дата звернення, дата реєстрації, коли, місяць,
    data incidentului, data cazului, data încălcării, data înregistrării, data, luna,
    თარიღი, შემთხვევის თარიღი, თვე, ամսաթիվ, դեպքի ամսաթիվը, ամիս, tarix, hadisənin tarixi, ay,
    күні, оқиға күні, тіркелген күні, ай, датасы, окуянын датасы, күн,
    сана, санаи ҳодиса, таърих, моҳ, sana, hodisa sanasi, oy, сана ва вақт, ҳодиса санаси,
    data e incidentit, data e ngjarjes, muaji, datum, datum incidenta, datum slučaja, datum događaja, mjesec, mesec,
    датум, датум случаја, датум на настанот, датум на случајот, месец
    """.replace("\n", " ").split(",")
)  # fmt: skip

Reading = Literal["given", "empty", "not_understood"]


@dataclass
class MonthColumn:
    """The column of dates of a table, at a place from 0; and how often each of its cells was understood.

    Show `see` as many cells as there are before the first is read: it learns whether days or months stand first.
    """

    at: int
    counts: Counter[Reading] = field(default_factory=Counter)
    _day_first: int = 0
    _month_first: int = 0

    @classmethod
    def find(cls, columns: Sequence[str], wanted: Column | None = None) -> MonthColumn | None:
        """The column that is asked for, or the likeliest by its name, or None; none for ``none``. Raises `TableError`
        for one that is asked for and not there."""
        names = [plain(name) for name in columns]
        if wanted is None:
            return next((cls(names.index(usual)) for usual in _NAMES if usual in names), None)
        if wanted == NONE:
            return None
        at = place_of(columns, wanted)
        if at is None:
            raise TableError(f"there is no column {wanted!r} for the date: give its name, or its number from 1")
        return cls(at)

    def see(self, cells: Sequence[Any]) -> None:
        """Learn from a row in which order day and month stand."""
        cell = cells[self.at]
        if isinstance(cell, str) and (match := _YEAR_LAST.fullmatch(cell.strip())):
            self._day_first += int(match[1]) > 12
            self._month_first += int(match[3]) > 12

    def read(self, cells: Sequence[Any]) -> str | None:
        """The month of a row such as ``2024-03``, `NOT_UNDERSTOOD`, or None for an empty cell."""
        order: Literal["day", "month"] | None = None
        if bool(self._day_first) != bool(self._month_first):
            order = "day" if self._day_first else "month"
        month = month_of(cells[self.at], order=order)
        self.counts["empty" if month is None else "not_understood" if month == NOT_UNDERSTOOD else "given"] += 1
        return month

    def to_json(self) -> dict[str, Any]:
        return {"column": self.at + 1, **{name: self.counts[name] for name in ("given", "empty", "not_understood")}}


def month_of(cell: Any, *, order: Literal["day", "month"] | None = None) -> str | None:
    """The month of one cell, see `MonthColumn.read`. ``order`` says what stands first between strokes and hyphens."""
    if isinstance(cell, dt.date):
        return _month(cell.year, cell.month)
    if isinstance(cell, float) and math.isnan(cell):
        return None
    if isinstance(cell, int | float) and not isinstance(cell, bool):
        return _of_day_number(float(cell))
    text = text_of(cell).strip()
    return _of_text(text, order) if text else None


def _of_text(text: str, order: Literal["day", "month"] | None) -> str:
    if match := _YEAR_FIRST.fullmatch(text):
        return _month(int(match[1]), int(match[3]))
    if match := _YEAR_LAST.fullmatch(text):
        year = int(match[4]) + (2000 if len(match[4]) == 2 else 0)
        return _of_day_and_month(int(match[1]), int(match[3]), year, "day" if "." in match[2] else order)
    if match := _MONTH_AND_YEAR.fullmatch(text):
        return _month(int(match[2]), int(match[1]))
    if _DAY_NUMBER.fullmatch(text):
        return _of_day_number(float(text.replace(",", ".")))
    return _of_words(text)


def _of_day_and_month(first: int, second: int, year: int, order: Literal["day", "month"] | None) -> str:
    if first > 12 or second > 12:
        return _month(year, min(first, second)) if max(first, second) <= 31 else NOT_UNDERSTOOD
    if first == second:
        return _month(year, first)
    if order is None:
        return NOT_UNDERSTOOD
    return _month(year, second if order == "day" else first)


def _of_day_number(value: float) -> str:
    try:
        day = _EXCEL_START + dt.timedelta(days=value)
    except (OverflowError, ValueError):
        return NOT_UNDERSTOOD
    return _month(day.year, day.month)


@lru_cache(maxsize=512)
def _of_words(text: str) -> str:
    """A month in words beside one year."""
    from ...pseudonyms.dates import month_of as month_called

    if len(text) > 40 or len(years := _YEAR.findall(text)) != 1:
        return NOT_UNDERSTOOD
    named = {
        month
        for word in _WORD.findall(text)
        for spelling in _SPELLINGS
        if (month := month_called(word, spelling)) is not None
    }
    return _month(int(years[0]), named.pop() + 1) if len(named) == 1 else NOT_UNDERSTOOD


def _month(year: int, month: int) -> str:
    return f"{year}-{month:02}" if FIRST_YEAR <= year <= LAST_YEAR and 1 <= month <= 12 else NOT_UNDERSTOOD
