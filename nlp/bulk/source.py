"""What every reader of a format offers to `tables`."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol


@dataclass(frozen=True)
class Record:
    """The cells of one row as they stand in the file, and why they cannot be trusted, or None."""

    cells: Sequence[Any] = field(repr=False)
    problem: str | None = None


class Source(Protocol):
    """A file that is open for reading, once, from the first row to the last."""

    names: Sequence[str] | None
    """The names of the columns where the format has them; None where the first record may be names."""
    blank: Any
    """What stands in for a cell that is missing at the end of a row."""
    notes: Sequence[str]
    delimiter: str | None
    arrow_types: dict[str, Any] | None
    sheet: str | None
    """The number of the sheet, from 1, where a file has several."""

    def records(self) -> Iterator[Record]: ...

    def progress(self) -> float | None:
        """Share of the file that was read, in [0, 1]; None where it cannot be known."""

    def close(self) -> None: ...
