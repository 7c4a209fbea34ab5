"""Which columns the output has, and what stands in them.

Every input column keeps its name, its place and its values; only the text column holds the redacted text (unless the
text is kept), and a row that could not be read has empty cells. Then come the columns of casecoder: in JSONL the
objects of the contract, in the other formats flat columns. Where a name is taken by the input, that of casecoder gets
the prefix ``casecoder_``.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from ..codebook import Codebook
from ..types import Analysis, Suggestion
from .tables import InputTable, Row, text_of

PREFIX = "casecoder_"
_STRENGTH = ("auto", "suggest", "review", "none")  # decisions, strongest first

Cell = Callable[[Row, Analysis | None, str | None], Any]


@dataclass(frozen=True)
class Layout:
    """Columns of the output and how each row's cells are made."""

    columns: tuple[str, ...]
    notes: tuple[str, ...]
    arrow_types: dict[str, Any] | None
    _text_at: int
    _keep_text: bool
    _added: tuple[Cell, ...]

    def cells(self, row: Row, analysis: Analysis | None, error: str | None) -> list[Any]:
        """The cells of an output row: the input's, then those of casecoder.

        In a row that could not be read, the narrative may stand in any cell: none of them is copied.
        """
        cells = list(row.cells)
        if not self._keep_text:
            if row.problem:
                cells = [None] * len(cells)
            cells[self._text_at] = analysis.redaction.text if analysis else ""
        return [*cells, *(cell(row, analysis, error) for cell in self._added)]


def layout_for(target: Path, table: InputTable, codebook: Codebook, *, all_codes: bool, keep_text: bool) -> Layout:
    """The layout for an output file of this ending."""
    is_jsonl = target.suffix.lower() == ".jsonl"
    added = _contract(table, all_codes) if is_jsonl else _flat(codebook, all_codes=all_codes, keep_text=keep_text)
    taken = set(table.columns)
    names = []
    for wanted in added:
        name = wanted
        while name in taken:
            name = PREFIX + name
        names.append(name)
        taken.add(name)
    others = len(table.columns) - 1
    notes = []
    if others:
        notes.append(f"{others} other column(s) of the input are copied as they are, without redaction")
    types = table.arrow_types
    if types is not None:
        types = {name: kind for name, kind in types.items() if name != table.columns[table.text_at]}
    return Layout(
        columns=(*table.columns, *names),
        notes=tuple(notes),
        arrow_types=types,
        _text_at=table.text_at,
        _keep_text=keep_text,
        _added=tuple(added.values()),
    )


def _contract(table: InputTable, all_codes: bool) -> dict[str, Cell]:
    """The fields of the JSONL contract; ``id`` only where the id column of the input is not called so already."""

    def field(key: str) -> Cell:
        def cell(row: Row, analysis: Analysis | None, error: str | None) -> Any:
            if analysis is not None:
                return analysis.to_json(all_codes=all_codes)[key]
            empty: dict[str, Any] = {"suggestions": [], "entities": [], "doubts": [], "primary": {}, "error": error}
            if key == "id":
                return _identifier(table, row)
            return empty.get(key)

        return cell

    keys = [
        "id",
        "language",
        "redacted_text",
        "bundle",
        "codebook",
        "suggestions",
        "primary",
        "not_a_violation",
        "entities",
        "doubts",
        "error",
    ]
    if table.id_at is not None and table.columns[table.id_at] == "id":
        keys.remove("id")
    return {key: field(key) for key in keys}


def _identifier(table: InputTable, row: Row) -> str:
    said = text_of(row.cells[table.id_at]) if table.id_at is not None and not row.problem else ""
    return said or str(row.number)


def _flat(codebook: Codebook, *, all_codes: bool, keep_text: bool) -> dict[str, Cell]:
    """Columns for people and spreadsheets: codes joined by ``;``, in the order of their probability."""
    columns: dict[str, Cell] = {}
    if keep_text:
        columns["redacted_text"] = _of(lambda analysis: analysis.redaction.text)
    columns["detected_language"] = _of(lambda analysis: analysis.language)
    for axis in codebook.axes:
        columns[f"suggested_{axis.id}"] = _of(partial(_codes, axis.id, ("auto", "suggest")))
    for axis in codebook.axes:
        if axis.has_primary:
            columns[f"primary_{axis.id}"] = _of(partial(_primary, axis.id))
    columns["decision"] = _of(lambda analysis: strongest(analysis.suggestions))
    for axis in codebook.axes:
        columns[f"to_review_{axis.id}"] = _of(partial(_codes, axis.id, ("review",)))
        columns[f"probabilities_{axis.id}"] = _of(partial(_probabilities, axis.id, all_codes))
        columns[f"evidence_{axis.id}"] = _of(partial(_evidence, axis.id))
        if axis.nothing:
            columns[f"nothing_{axis.id}"] = _of(partial(_nothing, axis.id))
    columns["doubtful_words"] = _of(lambda analysis: len(analysis.redaction.doubts))
    columns["bundle"] = _of(lambda analysis: analysis.bundle)
    columns["codebook"] = _of(lambda analysis: analysis.codebook)
    columns["error"] = lambda row, analysis, error: error or ""
    return columns


def _of(value: Callable[[Analysis], Any]) -> Cell:
    """A cell that depends on the analysis alone, empty where there is none."""
    return lambda row, analysis, error: value(analysis) if analysis else ""


def _codes(axis: str, decisions: Sequence[str], analysis: Analysis) -> str:
    return ";".join(item.code for item in _items(axis, analysis) if item.decision in decisions)


def _primary(axis: str, analysis: Analysis) -> str:
    return analysis.primary[axis] or ""


def _probabilities(axis: str, all_codes: bool, analysis: Analysis) -> str:
    items = (item for item in _items(axis, analysis) if all_codes or item.decision != "none")
    return ";".join(f"{item.code}={item.probability:.2f}" for item in items)


def _nothing(axis: str, analysis: Analysis) -> float:
    return round(analysis.nothing[axis], 4)


def _items(axis: str, analysis: Analysis) -> list[Suggestion]:
    return [item for item in analysis.suggestions if item.axis == axis]


def _evidence(axis: str, analysis: Analysis) -> str:
    """One line a suggested code: the redacted sentences that speak for it."""
    return "\n".join(
        f"{item.code}: {' … '.join(evidence.redacted for evidence in item.evidence)}"
        for item in _items(axis, analysis)
        if item.suggested and item.evidence
    )


def strongest(items: Sequence[Suggestion]) -> str:
    """The strongest decision among some suggestions."""
    decisions = {item.decision for item in items}
    return next((decision for decision in _STRENGTH if decision in decisions), "none")
