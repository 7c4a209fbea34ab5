"""What a coordinator chooses for a file: which columns are the narrative, and what the output is like."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Literal

from nlp.bulk.facts_columns import NONE, facts_columns
from nlp.bulk.joining import joining
from nlp.bulk.tables import INPUT_FORMATS, InputOptions, InputTable
from nlp.bulk.taking import ChosenColumns
from nlp.errors import TableError

Format = Literal["csv", "tsv", "xlsx", "jsonl", "parquet"]
ENDINGS = INPUT_FORMATS
UNUSED = 0
"""Instead of the number of a column: that there is none."""


@dataclass(frozen=True)
class JobOptions:
    """Columns are numbers from 1, None where the software finds them; ``language_column`` and ``country_column`` may be
    `UNUSED`. ``joins`` are further columns of the narrative, in their order."""

    text_column: int | None = None
    id_column: int | None = None
    joins: tuple[int, ...] = ()
    language_column: int | None = None
    country_column: int | None = None
    language: str | None = None
    sheet: str | None = None
    encoding: str | None = None
    delimiter: str | None = None
    header: bool | None = None
    keep_text: bool = False
    all_codes: bool = False
    format: Format | None = None

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> JobOptions:
        """What `to_json` gave."""
        return cls(**{**data, "joins": tuple(data.get("joins", ()))})

    def to_json(self) -> dict[str, Any]:
        """As plain values."""
        return json.loads(json.dumps(asdict(self)))  # type: ignore[no-any-return]

    def for_reading(self) -> InputOptions:
        """What the reader of tables takes."""
        return InputOptions(
            _named(self.text_column),
            _named(self.id_column),
            self.sheet,
            self.encoding,
            self.delimiter,
            self.header,
        )

    def choose(self, table: InputTable, languages: tuple[str, ...]) -> ChosenColumns:
        """The columns of the narrative, and those that say its language and country; ``language`` is that of rows which
        say none.

        Raises `TableError` for a column that is not there, or is chosen twice.
        """
        if self.text_column is not None and table.text_at != self.text_column - 1:
            raise TableError("another column has this number as its name: rename that column, and bring the file again")
        taken = [] if table.id_at is None else [table.id_at]
        joins = [_at(table, number, "joins") for number in self.joins]
        joined = joining(table.columns, table.text_at, joins, taken=taken)
        facts = facts_columns(
            table.columns,
            served=languages,
            language_column=_fact(table, self.language_column, "language_column"),
            country_column=_fact(table, self.country_column, "country_column"),
            taken=joined.columns,
        )
        return ChosenColumns(joined, table.id_at, facts, otherwise=self.language)


def _named(number: int | None) -> str | None:
    return None if number is None else str(number)


def _at(table: InputTable, number: int, what: str) -> str:
    """The name of a column, which may be a number itself."""
    if not 1 <= number <= len(table.columns):
        raise TableError(f"{what}: there is no column {number}; the table has {len(table.columns)}")
    return table.columns[number - 1]


def _fact(table: InputTable, number: int | None, what: str) -> str | None:
    if number is None:
        return None
    return NONE if number == UNUSED else _at(table, number, what)
