"""One column for each code instead of codes in one cell: for those who count in a spreadsheet."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial

from ..codebook import Codebook
from ..types import Analysis, Suggestion
from .descriptions import code_column, probability_column

Value = Callable[[Analysis], int | float]


def yes_no_columns(codebook: Codebook) -> Iterator[tuple[str, Value]]:
    """For each code whether it is suggested, as 1 or 0."""
    for axis in codebook.axes:
        for code in axis.codes:
            yield code_column(axis, code), partial(_suggested, axis.id, code)


def probability_columns(codebook: Codebook) -> Iterator[tuple[str, Value]]:
    """For each code its probability."""
    for axis in codebook.axes:
        for code in axis.codes:
            yield probability_column(axis, code), partial(_probability, axis.id, code)


def _suggested(axis: str, code: str, analysis: Analysis) -> int:
    return int(_item(axis, code, analysis).suggested)


def _probability(axis: str, code: str, analysis: Analysis) -> float:
    return round(_item(axis, code, analysis).probability, 4)


def _item(axis: str, code: str, analysis: Analysis) -> Suggestion:
    return next(item for item in analysis.suggestions if item.axis == axis and item.code == code)
