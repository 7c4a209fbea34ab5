"""A run taken out of a coded table again: its columns go, what people changed in them stays."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from ..errors import TableError
from .fingerprints import comparable
from .stopping import stopping_in_order
from .tables import InputOptions, InputTable, OutputTable, Row, open_input, open_output
from .undo_file import UndoFile, print_of_name
from .values import unescape_cell, unique_names

MAX_LISTED = 20  # rows of a column with changes
MAX_DIGITS = 10  # of the number of a row

_ESCAPED = (".csv", ".tsv")


@dataclass
class Restored:
    """What was undone. Numbers of rows count from 1 in the coded table as it is now; no cell is told.

    ``redacted`` are the numbers of the columns in which the run replaced the text, when it wrote the table.
    ``kept`` counts by column the cells that people changed, which stay; ``emptied`` those that they emptied, for which
    nothing stays. ``unknown`` are rows that the run did not write, ``missing`` is how many it wrote that are gone.
    """

    run: str
    bundle: str
    redacted: tuple[int, ...]
    rows: int = 0
    removed: tuple[str, ...] = ()
    kept: Counter[str] = field(default_factory=Counter)
    emptied: Counter[str] = field(default_factory=Counter)
    places: dict[str, list[int]] = field(default_factory=dict)
    unknown: int = 0
    missing: int = 0
    notes: list[str] = field(default_factory=list)

    def count(self, column: str, row: int, *, empty: bool) -> None:
        """Count a cell that is not as the run wrote it."""
        (self.emptied if empty else self.kept)[column] += 1
        if len(places := self.places.setdefault(column, [])) < MAX_LISTED:
            places.append(row)


def undo_run(
    coded: Path,
    undo: Path,
    target: Path,
    *,
    options: InputOptions | None = None,
) -> Restored:
    """Write a coded table without what a run added to it. Texts that the run redacted stay redacted.

    A cell of the run that is no longer as the run wrote it stays, in a column of its name. Rows are found again by the
    column of their numbers, in any order; where that column is gone, by their order.

    Raises
    ------
    TableError
        The coded table or the undo file cannot be read, or they do not belong together. Nothing was written.
    OutputError
        The output cannot be written. Nothing of it is left.
    """
    for path in (coded, undo):
        if target.exists() and path.exists() and target.samefile(path):
            raise TableError("the output is one of the inputs: give the output another name")
    with stopping_in_order(), UndoFile(undo) as file:
        with _open(coded, options) as table:
            stamp = _stamp(coded)
            undoing = _Undoing(table, file, escaped=coded.suffix.lower() in _ESCAPED)
            undoing.look(table)
        with _open(coded, options) as table, undoing.output(target, table) as out:
            for cells in undoing.rows(table):
                out.write(cells)
            if _stamp(coded) != stamp:
                raise TableError("the coded table changed while it was read: close other programs, and start again")
        undoing.restored.notes += out.warnings
        return undoing.restored


def _open(coded: Path, options: InputOptions | None) -> InputTable:
    """The coded table. Its first row is names, and which column holds the narrative makes no difference."""
    return open_input(coded, replace(options or InputOptions(), text_column="1", header=True))


def _stamp(path: Path) -> tuple[int, int]:
    facts = path.stat()
    return facts.st_size, facts.st_mtime_ns


class _Undoing:
    """A coded table beside its undo file: one pass to see what people changed, and one to write what stays."""

    def __init__(self, table: InputTable, file: UndoFile, *, escaped: bool) -> None:
        self._file = file
        self._escaped = escaped
        self._names = unique_names(map(self._plain, table.columns))
        facts = file.facts
        self._ours = {at: facts.columns.index(name) for at, name in enumerate(self._names) if name in facts.columns}
        if not self._ours:
            raise TableError("no column of this table is from the run of this undo file: give the table it belongs to")
        self._row_at = next((at for at, name in enumerate(self._names) if name == facts.row_column), None)
        known = [print_of_name(facts.run, name) for name in self._names]
        self._texts = {known.index(name): at for at, name in enumerate(facts.text_names) if name in known}
        self._stay: list[int] = []  # places of the columns that the output has
        self.restored = Restored(facts.run, facts.bundle, facts.texts if facts.redacted else ())

    def look(self, table: InputTable) -> None:
        """Count what people changed; raise ``TableError`` where table and undo file do not belong together."""
        seen = bytearray(len(self._file))
        same: Counter[bool] = Counter()
        for row in table.rows():
            self.restored.rows += 1
            cells = self._cells(row)
            number = self._number(row, cells)
            differing = self._differing(cells, number)
            for at in differing:
                self.restored.count(self._names[at], row.number, empty=comparable(cells[at]) == "")
            if number is None:
                self.restored.unknown += 1
                continue
            seen[number - 1] = 1
            same.update(self._sameness(cells, number, differing))
        self._check(same)
        self.restored.missing = len(seen) - sum(seen)
        kept = self.restored.kept
        self._stay = [at for at, name in enumerate(self._names) if at not in self._ours or kept[name]]
        self.restored.removed = tuple(self._names[at] for at in self._ours if at not in self._stay)

    def output(self, target: Path, table: InputTable) -> AbstractContextManager[OutputTable]:
        """The table without the run."""
        types = dict(zip(self._names, (table.arrow_types or {}).values(), strict=False))
        names = [self._names[at] for at in self._stay]
        return open_output(target, names, schema=types, delimiter=table.delimiter or ",", keep_earlier=True)

    def rows(self, table: InputTable) -> Iterator[list[Any]]:
        """The cells of each row that stay: those that are not of the run, and those that people changed."""
        for row in table.rows():
            cells = self._cells(row)
            differing = self._differing(cells, self._number(row, cells))
            yield [cells[at] if at not in self._ours or at in differing else None for at in self._stay]

    def _sameness(self, cells: Sequence[Any], number: int, differing: Sequence[int]) -> Iterator[bool]:
        """What speaks for and against this being the row of that number: its text or, where the column of texts is
        gone, all cells of the run."""
        facts = self._file.facts
        _, prints = self._file.prints(number)
        for at, column in self._texts.items():
            found = facts.print_of(number, facts.text_names[column], cells[at])
            if found or prints[column]:
                yield found == prints[column]
        if not self._texts:
            yield from (at not in differing for at in self._ours if at in differing or comparable(cells[at]))

    def _check(self, same: Mapping[bool, int]) -> None:
        if self._row_at is None and self.restored.rows != len(self._file):
            raise TableError(
                f"this table has {self.restored.rows:,} rows, the run wrote {len(self._file):,}, and the column with "
                "their numbers is gone: put it back, or give the table as the run wrote it"
            )
        if same[False] > same[True]:
            raise TableError(
                "most rows are not as the run wrote them: this is the undo file of another run, or the rows stand in "
                "another order and their numbers do not"
            )

    def _cells(self, row: Row) -> list[Any]:
        if row.problem:
            raise TableError(f"row {row.number:,} of the coded table cannot be read: {row.problem}")
        return [self._plain(cell) for cell in row.cells]

    def _plain(self, cell: Any) -> Any:
        return unescape_cell(cell) if self._escaped and isinstance(cell, str) else cell

    def _number(self, row: Row, cells: Sequence[Any]) -> int | None:
        """The number of the row in the undo file; None for a row that the run did not write."""
        said = str(row.number) if self._row_at is None else comparable(cells[self._row_at])
        known = said.isascii() and said.isdecimal() and len(said) < MAX_DIGITS and 1 <= int(said) <= len(self._file)
        return int(said) if known else None

    def _differing(self, cells: Sequence[Any], number: int | None) -> list[int]:
        """Places of the cells in columns of the run that are not as it wrote them."""
        if number is None:
            return [at for at in self._ours if comparable(cells[at])]
        prints, _ = self._file.prints(number)
        facts = self._file.facts
        return [
            at
            for at, column in self._ours.items()
            if facts.print_of(number, facts.columns[column], cells[at]) != prints[column]
        ]
