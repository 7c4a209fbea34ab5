"""The columns of a coded file with the codes that stand: of the machine where it may set them by itself, until a person
has decided."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

from nlp.bulk.coded import FinalCodes, final_codes
from nlp.bulk.descriptions import final_column, given_by_column
from nlp.bulk.layout import Cell
from nlp.bulk.tables import Row
from nlp.codebook import Axis, Codebook
from nlp.types import Analysis

from ..store.review import RowDecision


def standing_columns(codebook: Codebook, *, precision: float) -> dict[str, Cell]:
    """Two columns for each axis: the codes that stand, and who set them; see `final_codes`."""

    def of(axis: Axis, said: Callable[[FinalCodes], str]) -> Cell:
        def cell(row: Row, analysis: Analysis | None, error: str | None) -> str:
            return said(final_codes(axis, None, analysis, precision=precision))

        return cell

    columns: dict[str, Cell] = {}
    for axis in codebook.axes:
        columns[final_column(axis)] = of(axis, lambda final: ";".join(final.codes))
        columns[given_by_column(axis)] = of(axis, lambda final: final.by)
    return columns


def decided_cells(decisions: Iterable[RowDecision], codebook: Codebook) -> dict[int, Mapping[str, str]]:
    """What people's decisions make of these columns, by row; an axis that nobody decided stays as it is."""
    return {item.row: _cells(item, codebook) for item in decisions if item.act != "skip"}


def _cells(decision: RowDecision, codebook: Codebook) -> dict[str, str]:
    cells: dict[str, str] = {}
    for axis in codebook.axes:
        if axis.id in decision.axes:
            chosen = {code for of, code in decision.chosen if of == axis.id}
            cells[final_column(axis)] = ";".join(sorted(chosen, key=_order(axis)))
            cells[given_by_column(axis)] = "person"
    return cells


def _order(axis: Axis) -> Callable[[str], tuple[int, str]]:
    """That of the codebook; codes of another version of it come last."""
    places = {code: at for at, code in enumerate(axis.codes)}
    return lambda code: (places.get(code, len(places)), code)
