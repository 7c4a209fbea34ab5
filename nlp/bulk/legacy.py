"""What a legacy file has beside its narratives, brought into a run: several columns of text, languages and countries,
codes that people gave, rows that repeat each other."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import pyarrow as pa

from ..codebook import Axis, Codebook
from ..errors import TableError
from ..types import Analysis
from . import sealed
from .agreement import Agreement
from .coded import CodedColumn, CodedColumns, FinalCodes, People, coded_columns, differing_axes, final_codes
from .descriptions import DUPLICATE_OF, final_column, given_by_column
from .duplicate_rows import DuplicateRows
from .duplicates import DuplicateFinder, alike, copied, duplicate_key, reads_otherwise, unsettled
from .facts_columns import NONE, facts_columns
from .joining import joining
from .layout import Cell
from .mapping import LabelMapping, load_mapping
from .receipts import Receipt
from .report import MonthColumn
from .results import Packing, open_result
from .sampling import row_status
from .shard_run import LoadedBundle
from .shards import Plan, ShardRow, records_of
from .tables import InputTable, Row
from .taking import ChosenColumns, Taking, served_language
from .unmapped import ENDING, UnmappedLabels, unmapped_path
from .values import Column

DUPLICATES = "duplicates.parquet"
_SHARDS_AT_HAND = 16  # whose results are kept to copy from


@dataclass(frozen=True)
class LegacyOptions:
    """What a person says of a legacy file; columns are given by name, or by number from 1, see `Column`.

    ``join`` are columns whose texts belong to the narrative. ``language_column``, ``country_column`` and
    ``date_column`` are found by their usual names; ``none`` leaves them unused. ``coded`` names columns with codes that
    people gave, such as ``violation=Type``; ``mapping`` is a file from old labels to codes. ``duplicates``: rows with
    the text of an earlier one, or nearly, are coded alike. ``otherwise`` is the language of rows that state none.
    ``standing``: the codes that stand get their columns on every axis, not only where people coded before.
    """

    join: tuple[Column, ...] = ()
    language_column: Column | None = None
    country_column: Column | None = None
    coded: tuple[CodedColumn, ...] = ()
    mapping: Path | None = None
    duplicates: bool = True
    date_column: Column | None = None
    otherwise: str | None = None
    standing: bool = False

    def to_json(self) -> dict[str, Any]:
        """What matters to a run that goes on: a changed mapping is another one. Dates are for the report alone, columns
        for the output."""
        return {
            "join": list(self.join),
            "language_column": self.language_column,
            "country_column": self.country_column,
            "coded": [pair if isinstance(pair, str) else list(pair) for pair in self.coded],
            "mapping": None if self.mapping is None else sealed.file_sha256(self.mapping),
            "duplicates": self.duplicates,
            "otherwise": self.otherwise,
        }


class Legacy:
    """Takes rows apart before they are coded, and puts their outcomes together with what people coded.

    Raises ``TableError`` where the mapping cannot be used, or no column is named that it is for; ``LanguageNotServed``
    for the language of the other rows.
    """

    def __init__(
        self, options: LegacyOptions, loaded: LoadedBundle, target: Path, *, language: str | None, precision: float
    ) -> None:
        if options.mapping is not None and not options.coded:
            raise TableError(
                "--mapping tells what the codes of people mean: say by --coded in which columns they are, such as "
                "--coded violation=Type"
            )
        self.options = options
        self.codebook = loaded.codebook
        self.precision = precision
        self._served = loaded.languages
        self._language = language
        self._otherwise = served_language(options.otherwise, loaded.languages)
        self._target = target
        self._mapping: LabelMapping | None = (
            load_mapping(options.mapping, loaded.codebook) if options.mapping is not None else None
        )
        self._taking: ChosenColumns | None = None
        self._coded = CodedColumns(loaded.codebook, {})
        self._copies: Copies | None = None
        self.months: MonthColumn | None = None
        self.agreement = Agreement(loaded.codebook, ())
        self.unmapped = UnmappedLabels()

    def take(self, table: InputTable) -> Taking:
        """Which cells of this table are coded. Raises `TableError` for a column that is not there."""
        options = self.options
        taken = [] if table.id_at is None else [table.id_at]
        texts = joining(table.columns, table.text_at, options.join, taken=taken)
        facts = facts_columns(
            table.columns,
            served=self._served,
            language_column=options.language_column or (NONE if self._language else None),
            country_column=options.country_column,
            taken=[*taken, *texts.columns],
        )
        self._coded = coded_columns(table.columns, options.coded, self.codebook, self._mapping, narrative=texts.columns)
        self.months = MonthColumn.find(table.columns, options.date_column)
        self._taking = ChosenColumns(texts, table.id_at, facts, language=self._language, otherwise=self._otherwise)
        return self._taking

    def watchers(self, work: Path, key: bytes | None) -> tuple[DuplicateWatcher, ...]:
        """What looks at each row on its way into the shards."""
        return (DuplicateWatcher(work, key),) if self.options.duplicates else ()

    def begin(self, table: InputTable, taking: Taking, work: Path, plan: Plan, key: bytes | None) -> Mapping[str, Cell]:
        """See `assemble.Finish`."""
        self.agreement = Agreement(self.codebook, self._coded.columns)
        self.unmapped = UnmappedLabels()
        self._copies = Copies(work, plan, self.codebook, key) if DUPLICATES in plan.files else None
        columns: dict[str, Cell] = {}
        if self._copies:
            columns[DUPLICATE_OF] = lambda row, analysis, error: self._repeats(row)
        for axis in self.codebook.axes:
            if not (self.options.standing or axis.id in self._coded.columns):
                continue
            columns[final_column(axis)] = self._final(axis, lambda final: ";".join(final.codes))
            columns[given_by_column(axis)] = self._final(axis, lambda final: final.by)
        return columns

    def outcome(self, number: int, analysis: Analysis) -> Analysis:
        """See `assemble.Finish`: a row that repeats another one is coded as that one is."""
        return self._copies.alike(number, analysis) if self._copies else analysis

    def status(self, row: Row, analysis: Analysis) -> str:
        """See `assemble.Finish`. A row that nearly repeats another, but reads otherwise, is for a person to see."""
        if self.is_doubtful(row):
            return "review"
        return row_status(analysis, self.people(row), precision=self.precision)

    def written(self, row: Row, analysis: Analysis | None, error: str | None) -> None:
        """See `assemble.Finish`."""
        people = self.people(row)
        self.agreement.add(people, analysis)
        self.unmapped.add(people)

    def notes(self) -> Sequence[str]:
        """See `assemble.Finish`. Writes the list of labels that nobody could look up."""
        said = [*self.found(), *(self._copies.rows.notes if self._copies else ()), *self.unmapped.notes]
        if self.unmapped.write(unmapped_path(self._target)):
            said.append(
                f"they are listed beside the output, in the file that ends with {ENDING}, which may hold names: "
                "fill in its column `code`, and it is a mapping"
            )
        return said

    def found(self) -> list[str]:
        """Sentences on which columns are used and what was not understood in them, once all rows were read."""
        said = [*self._coded.notes, *(self._mapping.notes if self._mapping else ())]
        return [*self._taking.notes, *said, *self._taking.warnings] if self._taking else said

    def text_of(self, row: Row) -> str | None:
        """The narrative of a row, names and all; None where it could not be read."""
        return None if row.problem or self._taking is None else self._taking.joining.join(row.cells).text

    def people(self, row: Row) -> People:
        """What a person coded in a row; nothing where it could not be read."""
        return {} if row.problem else self._coded.read(row.cells)

    def differing(self, row: Row, analysis: Analysis | None) -> tuple[str, ...]:
        """The axes on which a person and the machine disagree."""
        return differing_axes(self.people(row), analysis)

    def is_doubtful(self, row: Row) -> bool:
        """Whether the row, the one that was written last, is coded as another one that it only nearly repeats, and by
        itself would be coded otherwise."""
        return bool(self._copies and self._copies.is_doubtful(row.number))

    def country(self, row: Row) -> str | None:
        """The country that a row states, as ISO 3166-1 alpha-2; `NOT_UNDERSTOOD` where it states something else."""
        return self._taking.facts.country(row.cells) if self._taking else None

    @property
    def columns(self) -> Mapping[str, Sequence[int]]:
        """Places of columns by role, see `Taking`; none before a table was opened."""
        return self._taking.columns if self._taking else {}

    @property
    def axes(self) -> tuple[str, ...]:
        """The axes on which people coded."""
        return tuple(self._coded.columns)

    @property
    def duplicates(self) -> Mapping[str, int] | None:
        """How many rows are exact and near duplicates; None where nobody looked for them."""
        return self._copies.rows.counts if self._copies else None

    def duplicate_kind(self, row: Row) -> str | None:
        """``exact`` or ``near`` for a row that repeats an earlier one."""
        found = self._copies.rows.of(row.number) if self._copies else None
        return found.kind if found else None

    def _repeats(self, row: Row) -> int | None:
        found = self._copies.rows.of(row.number) if self._copies else None
        return found.of if found else None

    def _final(self, axis: Axis, said: Callable[[FinalCodes], str]) -> Cell:
        def cell(row: Row, analysis: Analysis | None, error: str | None) -> str:
            return said(final_codes(axis, self.people(row).get(axis.id), analysis, precision=self.precision))

        return cell


class DuplicateWatcher:
    """Finds rows that repeat an earlier one, while they go into the shards."""

    def __init__(self, work: Path, key: bytes | None) -> None:
        self._finder = DuplicateFinder(work, key=duplicate_key(key))
        self._rows = DuplicateRows()

    def see(self, row: Row, taken: ShardRow) -> None:
        """See `prepare.RowWatcher`."""
        if taken.text is not None:
            self._rows.add(row.number, self._finder.add(row.number, taken.text))

    def save(self, work: Path, key: bytes | None) -> Mapping[str, str]:
        """See `prepare.RowWatcher`."""
        self._finder.close()
        return {DUPLICATES: sealed.write(work / DUPLICATES, self._rows.to_parquet(), key=key)}

    @property
    def counts(self) -> dict[str, int]:
        """How many of the rows so far are exact and near duplicates."""
        return self._rows.counts

    def close(self) -> None:
        """See `prepare.RowWatcher`."""
        self._finder.close()


class Copies:
    """Outcomes of rows that others repeat, read again from the results of their shards."""

    def __init__(self, work: Path, plan: Plan, codebook: Codebook, key: bytes | None) -> None:
        content = sealed.read(work / DUPLICATES, key=key, sha256=plan.files[DUPLICATES])
        self.rows = DuplicateRows.from_parquet(content)
        self._firsts = [shard.first_row for shard in plan.shards]
        self._doubtful: int | None = None
        self._packing = Packing(codebook)

        @lru_cache(_SHARDS_AT_HAND)
        def result(at: int) -> pa.Table:
            number = plan.shards[at].number
            return open_result(work, number, sha256=Receipt.load(work, number).result_sha256, key=key)

        self._result: Callable[[int], pa.Table] = result

    def alike(self, row: int, own: Analysis) -> Analysis:
        """The analysis of a row, with the codes of the row that it repeats."""
        found = self.rows.of(row)
        first = self._outcome(found.of) if found else None
        if found is None or not isinstance(first, Analysis):
            return own
        if reads_otherwise(first, own):
            self._doubtful = row
            return unsettled(first, own)
        if found.identical and first.language == own.language:
            return copied(first, case_id=own.case_id)
        return alike(first, own)

    def _outcome(self, row: int) -> Analysis | str:
        at = bisect_right(self._firsts, row) - 1
        [record] = records_of(self._result(at).slice(row - self._firsts[at], 1))
        return self._packing.unpack(record)

    def is_doubtful(self, row: int) -> bool:
        """Whether the row that came last is coded as one that it only nearly repeats, and would by itself be coded
        otherwise."""
        return self._doubtful == row
