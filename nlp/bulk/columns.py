"""Which columns hold the narrative and the id."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Any

from ..errors import TableError
from .choosing import place_of
from .header import CLEARLY_TEXT, ID_NAMES, KNOWN, MAX_HEADER_LENGTH, TEXT_NAMES, find_header, plain
from .values import Column, InputOptions, text_of, unique_names

SAMPLE_ROWS = 200  # rows looked at before the first is handed out
MAX_LISTED = 50  # columns in one message

# Columns of a table that was coded already: what stands in these was redacted, or is a sentence of ours.
_CODED = frozenset({"bundle", "codebook", "error"})
_OURS = re.compile(r"(?:casecoder_)*(?:error|redacted_text|(?:evidence|probabilities)_.+)")


@dataclass(frozen=True)
class Layout:
    """The columns of a table. ``has_header`` says whether the first row was their names."""

    columns: tuple[str, ...]
    text_at: int
    id_at: int | None
    has_header: bool
    notes: tuple[str, ...]


def plan(first: Sequence[Any], sample: Sequence[Sequence[Any]], options: InputOptions, *, named: bool) -> Layout:
    """Decide the columns from the first row, the rows after it, and what the caller knows.

    ``named`` says that ``first`` is names for sure (keys of JSON objects, a Parquet schema).
    """
    has_header, sure, notes = (True, True, []) if named else find_header(first, sample, options)
    rows = sample if has_header else [first, *sample]
    width = len(first) if has_header else _usual_width(rows)
    trimmed = first if named else [text_of(name).strip() for name in first]
    columns = unique_names(trimmed if has_header else [None] * width)
    if not columns:
        raise TableError("there is no column in this table: give a file with a column of narratives")
    finder = _Finder(columns, rows, named=has_header, show=sure, joined=options.joined)
    text_at, notes_text = finder.text(options.text_column)
    id_at, notes_id = finder.id(options.id_column, text_at)
    return Layout(columns, text_at, id_at, has_header, (*notes, *notes_text, *notes_id))


def _usual_width(rows: Sequence[Sequence[Any]]) -> int:
    widths = Counter(len(row) for row in rows)
    return max(widths, key=lambda width: (widths[width], width), default=0)


@dataclass(frozen=True)
class _Finder:
    """Looks for a column. ``named``: the file has names; ``show``: these are surely no data and may be shown."""

    columns: tuple[str, ...]
    rows: Sequence[Sequence[Any]]
    named: bool
    show: bool
    joined: tuple[Column, ...] = ()

    def text(self, wanted: Column | None) -> tuple[int, tuple[str, ...]]:
        by_name = self._by_name(TEXT_NAMES)
        if wanted is not None:
            at = self._given(wanted, "text")
            why = f"the narrative is column {at + 1}, as asked for"
        elif by_name is not None:
            at, why = by_name, f"the narrative is column {by_name + 1}, by its name"
            self._refuse_longer(at)
        else:
            at, why = self._longest()
        return at, (why, *self._unredacted(at))

    def id(self, wanted: Column | None, text_at: int) -> tuple[int | None, tuple[str, ...]]:
        if wanted is not None:
            return self._given_id(wanted, text_at), ()
        at = self._by_name(ID_NAMES, but=text_at)
        return at, () if at is None else (f"the id of a case is column {at + 1}, by its name",)

    def _given_id(self, wanted: Column, text_at: int) -> int:
        """Ids are copied as they are: a column of the narrative as the id would come out unredacted."""
        at = self._given(wanted, "id")
        if at in (text_at, *self._joined()):
            raise TableError(f"column {at + 1} is the narrative, or a part of it, and cannot be the id as well")
        return at

    def _given(self, wanted: Column, what: str) -> int:
        at = place_of(self.columns, wanted)
        if at is None:
            raise TableError(f"there is no column {wanted!r} for the {what} in this table; it has {self._listing()}")
        return at

    def _by_name(self, usual: Sequence[str], but: int | None = None) -> int | None:
        if not self.named:
            return None
        names = [plain(name) for name in self.columns]
        return next((names.index(name) for name in usual if name in names and names.index(name) != but), None)

    def _longest(self) -> tuple[int, str]:
        means = [self._mean_length(at) for at in range(len(self.columns))]
        order = sorted(range(len(means)), key=lambda at: (-means[at], at))
        best, rest = means[order[0]], max((means[at] for at in order[1:]), default=0.0)
        if not best or (self.named and not (best > CLEARLY_TEXT and best > 2 * rest)):
            raise TableError(
                "it is not clear which column holds the narrative: give its name or its number as the text column; "
                f"this table has {self._listing()}"
            )
        return order[0], f"the narrative is taken to be column {order[0] + 1}, the one with the longest texts"

    def _refuse_longer(self, chosen: int) -> None:
        """Ask where the usual name stands over a summary, and the whole story is in another column."""
        limit = max(CLEARLY_TEXT, self._mean_length(chosen))
        for at in range(len(self.columns)):
            if at not in (chosen, *self._joined()) and self._mean_length(at, self._prose(at)) > limit:
                raise TableError(
                    f"column {chosen + 1} is the narrative by its name, but column {at + 1} holds longer texts: say by "
                    f"--text-column {chosen + 1} or --text-column {at + 1} which of them is the narrative; the other "
                    "one is copied without redaction"
                )

    def _unredacted(self, chosen: int) -> tuple[str, ...]:
        """A warning for each other column of prose, however few of its cells are filled."""
        return tuple(
            f"warning: column {at + 1} holds long texts too, and is copied without redaction; --join {at + 1} reads "
            "and redacts it with the narrative"
            for at in range(len(self.columns))
            if at not in (chosen, *self._joined())
            and (prose := self._prose(at, nested=True))
            and sum(map(len, prose)) > CLEARLY_TEXT * len(prose)
        )

    def _joined(self) -> set[int]:
        """The columns that are read and redacted with the narrative."""
        return {self._given(name, "narrative") for name in self.joined}

    def _prose(self, at: int, *, nested: bool = False) -> list[str]:
        """The cells of a column that have several words: keys and addresses of web pages are long, but no texts.
        ``nested``: also texts within lists and objects."""
        if set(self.columns) >= _CODED and _OURS.fullmatch(self.columns[at]):
            return []
        cells = (row[at] for row in self.rows if at < len(row))
        texts = chain.from_iterable(map(_texts_in, cells)) if nested else cells
        return [text for text in texts if isinstance(text, str) and len(text.split()) > 1]

    def _mean_length(self, at: int, texts: Sequence[Any] | None = None) -> float:
        texts = [row[at] for row in self.rows if at < len(row)] if texts is None else texts
        return sum(len(text) for text in texts if isinstance(text, str)) / len(self.rows) if texts else 0.0

    def _listing(self) -> str:
        """The columns by number, and by name where that is no data: a usual name, or one that is surely a name."""
        listed = [
            f"{number} {name[:MAX_HEADER_LENGTH]}" if self.show or plain(name) in KNOWN else str(number)
            for number, name in enumerate(self.columns[:MAX_LISTED], start=1)
        ]
        return f"the columns {', '.join(listed)}" + (", and more" if len(self.columns) > MAX_LISTED else "")


def _texts_in(cell: Any) -> Iterator[str]:
    """The texts of a cell, which may be a list or an object."""
    if isinstance(cell, str):
        yield cell
    elif isinstance(cell, dict | list | tuple):
        for item in cell.values() if isinstance(cell, dict) else cell:
            yield from _texts_in(item)
