"""Which columns the output has, and what stands in them.

Every input column keeps its name, its place and its values; only the text column holds the redacted text (unless the
text is kept), and a row that could not be read has empty cells. Then come the columns of casecoder: in JSONL the
objects of the contract, in the other formats flat columns. Where a name is taken by the input, that of casecoder gets
the prefix ``casecoder_``.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

from ..codebook import Codebook
from ..types import Analysis, Suggestion
from .about import About, facts_of, of_input
from .descriptions import DUPLICATE_OF, ROW_NUMBER, Description, Text, describe
from .tables import InputTable, Row, text_of
from .taking import Taking, taking_of
from .undo_file import UndoFacts, print_of_name
from .wide import probability_columns, yes_no_columns

PREFIX = "casecoder_"
_STRENGTH = ("auto", "suggest", "review", "none")  # decisions, strongest first

_UNKNOWN = Description(Text("Added by casecoder.", "Добавлено программой casecoder."), Text("", ""))

Cell = Callable[[Row, Analysis | None, str | None], Any]
Status = Callable[[Row, Analysis], str]
"""What a row comes to, for the column ``decision``: one of the words of `STATUS`."""


def strongest(items: Sequence[Suggestion]) -> str:
    """The strongest decision among some suggestions."""
    decisions = {item.decision for item in items}
    return next((decision for decision in _STRENGTH if decision in decisions), "none")


def strongest_of(row: Row, analysis: Analysis) -> str:
    """The strongest decision on a row's codes."""
    return strongest(analysis.suggestions)


@dataclass(frozen=True)
class Layout:
    """Columns of the output and how each row's cells are made. ``copied`` are the places of columns that stand there
    as in the input; ``bundle_at`` is the place of the column that names the bundle."""

    columns: tuple[str, ...]
    notes: tuple[str, ...]
    arrow_types: dict[str, Any] | None
    copied: tuple[int, ...]
    bundle_at: int
    codebook: Codebook = field(repr=False)
    status: Status = field(repr=False)
    _wanted: tuple[str, ...]  # names of the columns of casecoder, as they are where no input has them
    _taking: Taking = field(repr=False)
    _keep_text: bool
    _added: tuple[Cell, ...]

    @property
    def added(self) -> tuple[str, ...]:
        """The columns of casecoder, which stand behind those of the input."""
        return self.columns[len(self.columns) - len(self._added) :]

    def undo_facts(self, *, run: str, bundle: str) -> UndoFacts:
        """What an undo file has to know of a run that writes this layout."""
        numbers = (name for wanted, name in zip(self._wanted, self.added, strict=True) if wanted == ROW_NUMBER)
        texts = self._taking.columns["text"]
        return UndoFacts(
            run,
            bundle,
            str(self.codebook),
            columns=self.added,
            row_column=next(numbers, None),
            texts=tuple(at + 1 for at in texts),
            text_names=tuple(print_of_name(run, self.columns[at]) for at in texts),
            redacted=not self._keep_text,
        )

    def decision(self, row: Row, analysis: Analysis | None) -> str:
        """What a row comes to; ``error`` where there is no analysis."""
        return _decision(self.status, row, analysis)

    def about(self, bundle: str, *, date: str | None = None) -> About:
        """What the columns mean, and what the run was made with."""
        copied = self.columns[: len(self.columns) - len(self._added)]
        named = list(zip(self._wanted, self.added, strict=True))
        known = ((name, describe(wanted, self.codebook) or _UNKNOWN) for wanted, name in named)
        of_codes = {name for name, _ in (*yes_no_columns(self.codebook), *probability_columns(self.codebook))}
        return About(
            columns=(*of_input(copied, set(self._taking.columns["text"]), keep_text=self._keep_text), *known),
            facts=facts_of(bundle, self.codebook, date),
            codebook=self.codebook,
            decision=next((name for wanted, name in named if wanted == "decision"), None),
            narrow=frozenset(name for wanted, name in named if wanted in of_codes),
        )

    def cells(self, row: Row, analysis: Analysis | None, error: str | None) -> list[Any]:
        """The cells of an output row: the input's, then those of casecoder.

        In a row that could not be read, the narrative may stand in any cell: none of them is copied.
        """
        cells = list(row.cells)
        if not self._keep_text:
            if row.problem:
                cells = [None] * len(cells)
            for at, cell in self._taking.redacted(row, analysis).items():
                cells[at] = cell
        return [*cells, *(cell(row, analysis, error) for cell in self._added)]


def layout_for(
    target: Path,
    table: InputTable,
    codebook: Codebook,
    *,
    all_codes: bool,
    keep_text: bool,
    taking: Taking | None = None,
    wide: bool = False,
    numbered: bool = False,
    status: Status = strongest_of,
    added: Mapping[str, Cell] = {},
) -> Layout:
    """The layout for an output file of this ending.

    ``taking`` says which columns hold the narrative; ``wide`` gives each code a column of its own, with ``all_codes``
    one for its probability too; ``numbered`` adds the number of the row, by which a run can be undone; ``status`` says
    what a row comes to; ``added`` are more columns behind those of casecoder.
    """
    is_jsonl = target.suffix.lower() == ".jsonl"
    ours: dict[str, Cell] = {ROW_NUMBER: lambda row, analysis, error: row.number} if numbered else {}
    if is_jsonl:
        ours |= _contract(table, all_codes)
    else:
        ours |= _flat(codebook, all_codes=all_codes, keep_text=keep_text, wide=wide, status=status)
    taking = taking or taking_of(table)
    texts = frozenset(taking.columns["text"])
    wanted = (*ours, *added)
    names = _free_names(wanted, table.columns)
    others = len(table.columns) - len(texts)
    notes = []
    if others:
        notes.append(f"{others} other column(s) of the input are copied as they are, without redaction")
    if wide and is_jsonl:
        notes.append("the objects of .jsonl hold every code by itself: there are no yes/no columns in them")
    of_texts = {table.columns[at] for at in texts}
    types = {name: kind for name, kind in (table.arrow_types or {}).items() if name not in of_texts}
    if target.suffix.lower() == ".parquet":
        types |= _arrow_types(dict(zip(wanted, names, strict=True)), codebook)
    return Layout(
        columns=(*table.columns, *names),
        notes=tuple(notes),
        arrow_types=types,
        copied=tuple(at for at in range(len(table.columns)) if keep_text or at not in texts),
        bundle_at=len(table.columns) + list(ours).index("bundle"),
        codebook=codebook,
        status=status,
        _wanted=wanted,
        _taking=taking,
        _keep_text=keep_text,
        _added=(*ours.values(), *added.values()),
    )


def _free_names(wanted: Sequence[str], columns: Sequence[str]) -> list[str]:
    """Names that no column of the input has."""
    taken = set(columns)
    names = []
    for name in wanted:
        while name in taken:
            name = PREFIX + name  # noqa: PLW2901
        names.append(name)
        taken.add(name)
    return names


def _arrow_types(named: Mapping[str, str], codebook: Codebook) -> dict[str, Any]:
    """The columns of casecoder that are numbers in Parquet; all others are text."""
    import pyarrow as pa

    kinds = {ROW_NUMBER: pa.int64(), DUPLICATE_OF: pa.int64()}
    kinds |= {wanted: pa.int8() for wanted, _ in yes_no_columns(codebook)}
    kinds |= {wanted: pa.float64() for wanted, _ in probability_columns(codebook)}
    return {name: kinds[wanted] for wanted, name in named.items() if wanted in kinds}


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


def _flat(codebook: Codebook, *, all_codes: bool, keep_text: bool, wide: bool, status: Status) -> dict[str, Cell]:
    """Columns for people and spreadsheets: codes joined by ``;``, in the order of their probability, or one by one."""
    columns: dict[str, Cell] = {}
    if keep_text:
        columns["redacted_text"] = _of(lambda analysis: analysis.redaction.text)
    columns["detected_language"] = _of(lambda analysis: analysis.language)
    for axis in codebook.axes:
        if not wide:
            columns[f"suggested_{axis.id}"] = _of(partial(_codes, axis.id, ("auto", "suggest")))
    for axis in codebook.axes:
        if axis.has_primary:
            columns[f"primary_{axis.id}"] = _of(partial(_primary, axis.id))
    columns["decision"] = lambda row, analysis, error: _decision(status, row, analysis)
    for axis in codebook.axes:
        columns[f"to_review_{axis.id}"] = _of(partial(_codes, axis.id, ("review",)))
        if not (wide and all_codes):
            columns[f"probabilities_{axis.id}"] = _of(partial(_probabilities, axis.id, all_codes))
        columns[f"evidence_{axis.id}"] = _of(partial(_evidence, axis.id))
        if axis.nothing:
            columns[f"nothing_{axis.id}"] = _of(partial(_nothing, axis.id))
    columns["doubtful_words"] = _of(lambda analysis: len(analysis.redaction.doubts))
    columns["bundle"] = _of(lambda analysis: analysis.bundle)
    columns["codebook"] = _of(lambda analysis: analysis.codebook)
    columns["error"] = lambda row, analysis, error: error or ""
    if wide:  # at the end, since there are many
        columns |= {name: _number(value) for name, value in yes_no_columns(codebook)}
    if wide and all_codes:
        columns |= {name: _number(value) for name, value in probability_columns(codebook)}
    return columns


def _decision(status: Status, row: Row, analysis: Analysis | None) -> str:
    return status(row, analysis) if analysis else "error"


def _of(value: Callable[[Analysis], Any]) -> Cell:
    """A cell that depends on the analysis alone, empty where there is none."""
    return lambda row, analysis, error: value(analysis) if analysis else ""


def _number(value: Callable[[Analysis], int | float]) -> Cell:
    """A number that depends on the analysis alone; none, unlike 0, where there is none."""
    return lambda row, analysis, error: value(analysis) if analysis else None


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
