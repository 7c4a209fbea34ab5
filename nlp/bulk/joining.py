"""Several narratives in one row (what happened, what was done, how it ended), coded and redacted as one text.

The rule: cells in the order in which their columns are given, empty ones left out, one blank line between two. Read as
one text, a name that the first cell has in full is found in the others too.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from typing import Any

from ..errors import TableError
from ..types import Redaction, Span
from .choosing import column_at
from .values import Column, text_of

SEPARATOR = "\n\n"


@dataclass(frozen=True, slots=True)
class JoinedText:
    """The narrative of a row. ``parts`` has one span a column, in the order of the columns; None for an empty cell."""

    text: str = field(repr=False)
    parts: tuple[Span | None, ...]

    def split(self, redaction: Redaction) -> tuple[str, ...]:
        """The redacted text of each part, empty for an empty cell. What was hidden across the border of two parts
        stands whole in both, so that neither shows a piece of it."""
        return tuple("" if part is None else redaction.redacted_words(part) for part in self.parts)


@dataclass(frozen=True, slots=True)
class Joining:
    """The columns of the narrative: places from 0, the first one's text first."""

    columns: tuple[int, ...]

    def join(self, cells: Sequence[Any]) -> JoinedText:
        """The narrative of a row, with each part exactly as its cell has it."""
        texts: list[str] = []
        parts: list[Span | None] = []
        length = 0
        for at in self.columns:
            text = text_of(cells[at])
            if not text.strip():
                parts.append(None)
                continue
            length += len(SEPARATOR) if texts else 0
            parts.append(Span(length, length + len(text)))
            texts.append(text)
            length += len(text)
        return JoinedText(SEPARATOR.join(texts), tuple(parts))

    @property
    def note(self) -> str | None:
        """A sentence about what is joined, or None where nothing is."""
        if len(self.columns) == 1:
            return None
        listed = ", ".join(str(at + 1) for at in self.columns)
        return f"the narrative is columns {listed}, joined in this order; each of them is redacted"


def joining(
    columns: Sequence[str], text_at: int, wanted: Sequence[Column] = (), *, taken: Collection[int] = ()
) -> Joining:
    """The narrative in the text column and in those of ``--join``; ``taken`` are columns that are no narrative.

    Raises `TableError` for a column that is not there, or is there for something else.
    """
    places = [text_at]
    for name in wanted:
        at = column_at(columns, name, option="--join")
        if at in places:
            raise TableError(f"--join: column {at + 1} is a part of the narrative already: leave it out here")
        if at in taken:
            raise TableError(f"--join: column {at + 1} has another use in this run and cannot be a narrative as well")
        places.append(at)
    return Joining(tuple(places))
