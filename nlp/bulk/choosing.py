"""Columns that are asked for by name or number, or known by their usual names."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from ..errors import TableError
from .folding import fold_label, without_marks
from .header import KNOWN, MAX_HEADER_LENGTH, plain
from .values import Column

MAX_LISTED = 50  # columns in one message
_MAX_DIGITS = 9  # of the number of a column


def place_of(columns: Sequence[str], wanted: Column) -> int | None:
    """Where the column is that a person asks for, from 0; None where there is none."""
    if isinstance(wanted, str):
        for names, name in ((list(columns), wanted), (list(map(plain, columns)), plain(wanted))):
            if name in names:
                return names.index(name)
        if not (wanted.isdecimal() and len(wanted) <= _MAX_DIGITS):
            return None
    return int(wanted) - 1 if 1 <= int(wanted) <= len(columns) else None


def column_at(columns: Sequence[str], wanted: Column, *, option: str) -> int:
    """Where the column is that a person asks for, see `place_of`.

    Raises
    ------
    TableError
        There is no such column. Names are listed only where they are usual ones: others may be data.
    """
    at = place_of(columns, wanted)
    if at is None:
        raise TableError(f"{option}: there is no column {wanted!r} in this table; it has {listing(columns)}")
    return at


def listing(columns: Sequence[str]) -> str:
    """The columns by number, and by name where that is a usual one."""
    listed = [
        f"{number} {name[:MAX_HEADER_LENGTH]}" if plain(name) in KNOWN else str(number)
        for number, name in enumerate(columns[:MAX_LISTED], start=1)
    ]
    return f"the columns {', '.join(listed)}" + (", and more" if len(columns) > MAX_LISTED else "")


def column_named(columns: Sequence[str], usual: Sequence[str], *, but: Collection[int] = ()) -> int | None:
    """Where the column with the likeliest of some usual names is, or None; ``usual`` as `usual_names` gives them."""
    names = [_folded(name) for name in columns]
    for name in usual:
        for at, other in enumerate(names):
            if other == name and at not in but:
                return at
    return None


def usual_names(listed: str) -> tuple[str, ...]:
    """Names in a list with commas, the likeliest first, as `column_named` compares them."""
    return tuple(dict.fromkeys(_folded(name) for name in listed.split(",")))


def _folded(name: str) -> str:
    return without_marks(fold_label(plain(name[: 2 * MAX_HEADER_LENGTH]).rstrip("? ")))
