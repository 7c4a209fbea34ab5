"""Codes that a person gave before: read from columns of the table, and never overwritten by the machine.

A cell may hold several labels. The whole cell is tried first, then its pieces between ``;`` ``,`` ``|`` and line
breaks, neighboring pieces together before each alone, so that a comma inside a known label does not cut it. Each label
is looked up as a code of the axis, as the label of a code in any language of the codebook, then in the mapping.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any, Literal, NamedTuple

from ..codebook import Axis, Codebook
from ..errors import TableError
from ..types import Analysis, Suggestion
from .choosing import column_at
from .folding import fold_label, has_word
from .mapping import LabelMapping, Meaning
from .values import Column, text_of

MAX_CELL = 2_000  # characters; a longer cell is a text, no list of labels
MAX_LABEL = 200  # characters; what is longer is a text, of which no more than this is kept
_MAX_PIECES = 8  # pieces of a cell that are tried together as one label
_REMEMBERED = 4_096  # cells of an axis; lists of codes repeat
_BORDER = re.compile(r"[;,|\r\n]+")


@dataclass(frozen=True)
class PersonCodes:
    """What a person coded on an axis: codes in the order of the codebook, ``nothing`` where the answer was that nothing
    applies, and labels that nobody could look up. None of them: not coded."""

    codes: tuple[str, ...] = ()
    nothing: bool = False
    unmapped: tuple[str, ...] = field(default=(), repr=False)

    @property
    def given(self) -> bool:
        """Whether a person coded here, in whatever words."""
        return bool(self.codes or self.nothing or self.unmapped)

    @property
    def complete(self) -> bool:
        """Whether all of what the person coded is known."""
        return self.given and not self.unmapped

    def to_json(self) -> dict[str, Any]:
        return {"codes": list(self.codes), "nothing": self.nothing, "unmapped": list(self.unmapped)}

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> PersonCodes:
        return cls(tuple(data["codes"]), bool(data["nothing"]), tuple(data["unmapped"]))


People = Mapping[str, PersonCodes]
"""What a person coded in a row: axis -> codes, for the axes whose columns were given."""


class CodedColumns:
    """Reads what a person coded from the cells of a row; ``columns`` maps an axis to places from 0."""

    def __init__(
        self, codebook: Codebook, columns: Mapping[str, tuple[int, ...]], mapping: LabelMapping | None = None
    ) -> None:
        self.codebook = codebook
        self.columns = {axis.id: columns[axis.id] for axis in codebook.axes if axis.id in columns}
        self._readers = {axis: _reader(codebook.axis(axis), mapping) for axis in self.columns}

    @property
    def notes(self) -> list[str]:
        """Sentences on which columns are used."""
        return [
            f"codes that a person gave for {axis} are in column {', '.join(str(at + 1) for at in places)}"
            for axis, places in self.columns.items()
        ]

    def read(self, cells: Sequence[Any]) -> dict[str, PersonCodes]:
        """What a person coded, for each axis with columns."""
        return {
            axis: _united(self.codebook.axis(axis), [self._readers[axis](text) for text in _texts(cells, places)])
            for axis, places in self.columns.items()
        }


CodedColumn = str | tuple[str, Column]
"""An axis and a column with codes that a person gave; as one text, ``AXIS=COLUMN``."""


def coded_columns(
    columns: Sequence[str],
    wanted: Sequence[CodedColumn],
    codebook: Codebook,
    mapping: LabelMapping | None = None,
    *,
    narrative: Collection[int] = (),
) -> CodedColumns:
    """The columns of ``--coded AXIS=COLUMN``; one axis may have several, and one column may serve several axes.

    Raises `TableError` for an unknown axis or column or one of the ``narrative``, and for a mapping that gives a code
    or label of the codebook another meaning.
    """
    places: dict[str, list[int]] = {}
    for pair in wanted:
        axis, column = _axis_and_column(pair) if isinstance(pair, str) else pair
        if axis not in [item.id for item in codebook.axes]:
            raise TableError(f"--coded: the axes of {codebook} are {', '.join(item.id for item in codebook.axes)}")
        at = column_at(columns, column, option="--coded")
        if at in narrative:
            raise TableError(f"--coded: column {at + 1} is the narrative, or a part of it, and holds no codes")
        if at in places.setdefault(axis, []):
            raise TableError(f"--coded: column {at + 1} is given twice for {axis}")
        places[axis].append(at)
    return CodedColumns(codebook, {axis: tuple(found) for axis, found in places.items()}, mapping)


def _axis_and_column(pair: str) -> tuple[str, str]:
    axis, sign, column = pair.partition("=")
    if not sign or not column.strip():
        raise TableError("--coded wants an axis and a column, such as violation=3 or violation=Type")
    return axis.strip().casefold(), column.strip()


def known_labels(axis: Axis, mapping: LabelMapping | None = None) -> dict[str, Meaning]:
    """Folded label -> meaning on an axis: codes, labels of the codebook, then the mapping.

    Raises `TableError` where the mapping says something else of a code or label that the codebook has itself.
    """
    known = {fold_label(code): Meaning((code,)) for code in axis.codes}
    titles: dict[str, set[str]] = {}
    for label in axis.labels:
        for title in label.label.values():
            titles.setdefault(fold_label(title), set()).add(label.code)
    for title, codes in titles.items():
        if len(codes) == 1:  # what is the label of two codes names neither
            known.setdefault(title, Meaning(tuple(codes)))
    for title in axis.nothing.values() if axis.nothing else ():
        known.setdefault(fold_label(title), Meaning(nothing=True))
    if mapping:
        _add_mapping(known, axis, mapping)
    return known


def _add_mapping(known: dict[str, Meaning], axis: Axis, mapping: LabelMapping) -> None:
    for old, meanings in mapping.meanings.items():
        meaning = meanings.get(axis.id)
        if meaning is not None and known.setdefault(old, meaning) != meaning and meaning != Meaning():
            raise TableError(
                f"{mapping.name}, line {mapping.lines[old]}: the codebook itself has this code or label on the axis "
                f"{axis.id}, with another meaning: take the line out"
            )


def _reader(axis: Axis, mapping: LabelMapping | None) -> Callable[[str], PersonCodes]:
    """A function from the text of a cell to what it says; it remembers the cells that it saw last."""
    known = known_labels(axis, mapping)

    def read(text: str) -> PersonCodes:
        found = [(label, known.get(fold_label(label))) for label in _labels(text, known)]
        meanings = [meaning for _, meaning in found if meaning is not None]
        said = {code for meaning in meanings for code in meaning.codes}
        return PersonCodes(
            codes=tuple(code for code in axis.codes if code in said),
            nothing=not said and any(meaning.nothing for meaning in meanings),
            unmapped=_once([label[: MAX_LABEL + 1] for label, meaning in found if meaning is None and has_word(label)]),
        )

    remembered = lru_cache(_REMEMBERED)(read)
    return lambda text: remembered(text) if len(text) <= MAX_CELL else PersonCodes(unmapped=(text[: MAX_LABEL + 1],))


def _texts(cells: Sequence[Any], places: Sequence[int]) -> list[str]:
    """The texts of some cells; a cell of JSONL or Parquet may be a list of them."""
    texts = []
    for at in places:
        cell = cells[at]
        texts += [text_of(item) for item in cell] if isinstance(cell, list | tuple) else [text_of(cell)]
    return [text for text in texts if text.strip()]


def _labels(text: str, known: Mapping[str, Meaning]) -> list[str]:
    """The labels of a cell as they stand there."""
    text = text.strip()
    if fold_label(text) in known:
        return [text]
    borders = [(0, 0), *(match.span() for match in _BORDER.finditer(text)), (len(text), len(text))]
    labels = []
    at, last = 0, len(borders) - 1
    while at < last:
        start = borders[at][1]
        for until in range(min(last, at + _MAX_PIECES), at, -1):
            label = text[start : borders[until][0]].strip()
            if until == at + 1 or (label and fold_label(label) in known):
                break
        labels.append(label)
        at = until
    return [label for label in labels if label]


def _united(axis: Axis, parts: Sequence[PersonCodes]) -> PersonCodes:
    said = {code for part in parts for code in part.codes}
    return PersonCodes(
        codes=tuple(code for code in axis.codes if code in said),
        nothing=not said and any(part.nothing for part in parts),
        unmapped=_once([label for part in parts for label in part.unmapped]),
    )


def _once(labels: Sequence[str]) -> tuple[str, ...]:
    """Labels in their order, each in its first spelling."""
    first: dict[str, str] = {}
    for label in labels:
        first.setdefault(fold_label(label), label)
    return tuple(first.values())


class FinalCodes(NamedTuple):
    """The codes of an axis that stand in the end, and who gave them; nobody where both are empty."""

    codes: tuple[str, ...]
    by: Literal["person", "machine", ""]


def final_codes(
    axis: Axis, person: PersonCodes | None, analysis: Analysis | None, *, precision: float | None = None
) -> FinalCodes:
    """A person's codes wherever a person coded; else the machine's, only those that it may set by itself.

    With a ``precision``, the machine may also say that nothing applies: where it is as probable as that, and no code
    is up for review.
    """
    if person is not None and person.given:
        return FinalCodes(person.codes, "person")
    items = _items(axis.id, analysis)
    auto = {item.code for item in items if item.decision == "auto"}
    if auto:
        return FinalCodes(tuple(code for code in axis.codes if code in auto), "machine")
    sure = analysis is not None and precision is not None and analysis.nothing.get(axis.id, 0.0) >= precision
    return FinalCodes((), "machine" if sure and all(item.decision == "none" for item in items) else "")


def differing_axes(people: People, analysis: Analysis | None) -> tuple[str, ...]:
    """The axes on which a person and the machine disagree: the machine suggests a code that the person lacks, or gives
    a code of the person's less than a look. Where labels of the person are unknown, a lacking code proves nothing."""
    return tuple(axis for axis, person in people.items() if _differs(person, _items(axis, analysis)))


def _differs(person: PersonCodes, items: Sequence[Suggestion]) -> bool:
    if not person.given:
        return False
    if person.complete and any(item.suggested and item.code not in person.codes for item in items):
        return True
    return any(item.decision == "none" and item.code in person.codes for item in items)


def _items(axis: str, analysis: Analysis | None) -> list[Suggestion]:
    return [item for item in analysis.suggestions if item.axis == axis] if analysis else []
