"""Columns that are asked for by name or number, or known by their usual names."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from ..errors import TableError
from .folding import fold_label, without_marks
from .header import KNOWN, MAX_HEADER_LENGTH, plain

MAX_LISTED = 50  # columns in one message


def column_at(columns: Sequence[str], wanted: str, *, option: str) -> int:
    """Where the column is that a person asks for: by its name, or by its number from 1.

    Raises
    ------
    TableError
        There is no such column. Names are listed only where they are usual ones: others may be data.
    """
    for names, name in ((list(columns), wanted), (list(map(plain, columns)), plain(wanted))):
        if name in names:
            return names.index(name)
    if wanted.isdecimal() and 1 <= int(wanted) <= len(columns):
        return int(wanted) - 1
    raise TableError(f"{option}: there is no column {wanted!r} in this table; it has {listing(columns)}")


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
