"""Counts as they may be shown: small numbers identify people.

A group of fewer than five rows is shown as ``<5``. Where the parts of a total are shown beside it, a single hidden part
could be worked out from the others, so more of them are withheld until those that are hidden make five rows together.
"""

from __future__ import annotations

from collections.abc import Sequence

FEWEST = 5  # rows of a group that is shown; as statistical offices have it for tables of persons
FEW = f"<{FEWEST}"
WITHHELD = "withheld"

Shown = int | str
"""A count, `FEW`, or `WITHHELD`."""


def shown(count: int) -> Shown:
    """One count by itself. Nothing at all is no group, and is shown as 0."""
    return FEW if 0 < count < FEWEST else count


def shown_parts(counts: Sequence[int]) -> list[Shown]:
    """Counts that together make a total which is shown."""
    cells = [shown(count) for count in counts]
    hidden = [at for at, cell in enumerate(cells) if cell == FEW]
    rest = sorted((at for at, cell in enumerate(cells) if cell not in (0, FEW)), key=lambda at: (counts[at], at))
    while hidden and rest and (len(hidden) < 2 or sum(counts[at] for at in hidden) < FEWEST):
        cells[rest[0]] = WITHHELD
        hidden.append(rest.pop(0))
    return cells


def known(cell: Shown) -> int:
    """A count as a picture may draw it: nothing where it is hidden."""
    return cell if isinstance(cell, int) else 0
