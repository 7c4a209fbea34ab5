"""What people decided in the queue, as cells of the columns that have the codes that stand."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

from nlp.bulk.descriptions import final_column, given_by_column
from nlp.codebook import Axis, Codebook

from ..store.review import RowDecision


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
