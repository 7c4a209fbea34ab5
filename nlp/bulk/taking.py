"""What of a table's row is coded, and where its redacted text goes."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from ..errors import LanguageNotServed
from ..reading import normal_language
from ..types import Analysis
from .facts_columns import FactsColumns
from .joining import Joining
from .shards import ShardRow
from .tables import InputTable, Row, text_of


class Taking(Protocol):
    """How a row of the table becomes a row of a shard, and a redaction becomes cells again."""

    @property
    def columns(self) -> Mapping[str, Sequence[int]]:
        """Places from 0 by role; those of ``text`` hold the narrative, and are replaced in the output."""

    def take(self, row: Row) -> ShardRow: ...

    def redacted(self, row: Row, analysis: Analysis | None) -> Mapping[int, Any]:
        """What stands in each of the ``text`` columns instead; empty where there is no analysis."""


@dataclass(frozen=True)
class OneColumn:
    """The narrative is one cell; ``language`` is that of all rows, None where each is recognized."""

    text_at: int
    id_at: int | None = None
    language: str | None = None

    @property
    def columns(self) -> Mapping[str, Sequence[int]]:
        return {"text": [self.text_at], "id": [] if self.id_at is None else [self.id_at]}

    def take(self, row: Row) -> ShardRow:
        """Of a row that cannot be read no cell is taken: any of them may be a piece of a narrative."""
        if row.problem:
            return ShardRow(row.number, None, problem=row.problem)
        identifier = text_of(row.cells[self.id_at]) if self.id_at is not None else ""
        text = text_of(row.cells[self.text_at])
        text = text if text.strip() else ""  # as several cells are joined, and as a proof reads it again
        return ShardRow(row.number, text, language=self.language, case_id=identifier or str(row.number))

    def redacted(self, row: Row, analysis: Analysis | None) -> Mapping[int, Any]:
        return {self.text_at: analysis.redaction.text if analysis else ""}


@dataclass(frozen=True)
class ChosenColumns:
    """The narrative in one or several cells, with the language and the country that other cells state.

    ``language`` is that of all rows; ``otherwise`` that of rows which state none. Where both are None it is recognized.
    """

    joining: Joining
    id_at: int | None
    facts: FactsColumns
    language: str | None = None
    otherwise: str | None = None

    @property
    def columns(self) -> Mapping[str, Sequence[int]]:
        others = {"id": self.id_at, "language": self.facts.language_at, "country": self.facts.country_at}
        return {"text": self.joining.columns, **{role: [] if at is None else [at] for role, at in others.items()}}

    @property
    def notes(self) -> list[str]:
        """Sentences on what is taken from where."""
        return [*filter(None, [self.joining.note]), *self.facts.notes]

    @property
    def warnings(self) -> list[str]:
        """Sentences on what was not understood, once all rows were read."""
        return self.facts.warnings

    def take(self, row: Row) -> ShardRow:
        """Of a row that cannot be read no cell is taken: any of them may be a piece of a narrative."""
        if row.problem:
            return ShardRow(row.number, None, problem=row.problem)
        said = self.facts.read(row.cells)
        identifier = text_of(row.cells[self.id_at]) if self.id_at is not None else ""
        return ShardRow(
            row.number,
            self.joining.join(row.cells).text,
            language=self.language or said.language or self.otherwise,
            country=said.country,
            case_id=identifier or str(row.number),
        )

    def redacted(self, row: Row, analysis: Analysis | None) -> Mapping[int, Any]:
        if analysis is None:
            return dict.fromkeys(self.joining.columns, "")
        parts = self.joining.join(row.cells).split(analysis.redaction)
        return dict(zip(self.joining.columns, parts, strict=True))


def served_language(language: str | None, served: Collection[str]) -> str | None:
    """The code of a language that a person states. Raises `LanguageNotServed` for one that is not served."""
    stated = normal_language(language)
    if stated and stated not in served:
        raise LanguageNotServed(stated, tuple(served))
    return stated


def taking_of(table: InputTable, *, language: str | None = None) -> Taking:
    """What is taken of a table where nothing else is asked for: the narrative and the id."""
    return OneColumn(table.text_at, table.id_at, language)
