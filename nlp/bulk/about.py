"""What stands in a table that was coded, for the people who open it: every column, and facts of the run."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field

from .. import __version__
from ..codebook import Codebook
from .descriptions import STATUS, Description, Text, both

TITLE = "About"
"""Name of the sheet."""

MARK = "casecoder: about this table"
"""First cell of the sheet, by which the reader knows it again."""

_COPIED = Description(
    Text("From your file, as it was: not redacted.", "Из вашего файла без изменений: имена не скрыты."), Text("", "")
)
_REDACTED = Description(
    Text(
        "The narrative with the people in it hidden; read it before you share it. Empty where the row has an error.",
        "Текст, в котором скрыты люди; прочитайте его, прежде чем передавать. Пусто, если в строке ошибка.",
    ),
    Text("text with marks such as [PERSON_1]", "текст с метками вроде [PERSON_1]"),
)
_RAW = Description(
    Text("The narrative as it came, with the people in it.", "Исходный текст: люди в нём не скрыты."), Text("", "")
)


@dataclass(frozen=True)
class About:
    """All columns of a table in order, what each of them means, and facts of the run.

    ``decision`` is the column by which rows have colors; ``narrow`` are those with hardly more than a digit in a cell.
    ``whole`` is for sheets of few rows that somebody reads from end to end: each row is as high as its texts.
    """

    columns: tuple[tuple[str, Description], ...]
    facts: tuple[tuple[Text, str], ...]
    codebook: Codebook = field(repr=False)
    decision: str | None = None
    narrow: frozenset[str] = frozenset()
    whole: bool = False


@dataclass(frozen=True)
class Line:
    """A row of the sheet: its cells, and whether it is a heading or has the color of a status."""

    cells: tuple[str, ...]
    heading: bool = False
    status: str | None = None


def of_input(columns: Sequence[str], texts: Collection[int], *, keep_text: bool) -> list[tuple[str, Description]]:
    """The columns of the input, as they stand in the output; ``texts`` are the places of those with the narrative."""
    of_text = _RAW if keep_text else _REDACTED
    return [(name, of_text if at in texts else _COPIED) for at, name in enumerate(columns)]


def facts_of(bundle: str, codebook: Codebook, date: str | None = None) -> tuple[tuple[Text, str], ...]:
    """What a run was made with. Without ``date``, the same run gives the same facts on any day."""
    facts = [
        (Text("Bundle of models", "Комплект моделей"), bundle),
        (Text("Codebook", "Кодификатор"), str(codebook)),
        (Text("Made with", "Сделано программой"), f"casecoder {__version__}"),
    ]
    return (*facts, (Text("Date", "Дата"), date)) if date else tuple(facts)


def lines(about: About) -> Iterator[Line]:
    """The sheet, row by row."""
    yield Line(
        (MARK, "Suggested codes are no decisions: a person decides.", "Решает человек: коды только предложены."),
        heading=True,
    )
    for name, value in about.facts:
        yield Line((f"{name.en} / {name.ru}", value))
    yield Line(())
    yield Line(("Column / Столбец", "Meaning", "Значение столбца", "Values", "Возможные значения"), heading=True)
    for column, said in about.columns:
        yield Line((column, said.means.en, said.means.ru, said.values.en, said.values.ru))
    if about.decision is not None:
        yield from _statuses(about.decision)
    yield from _codes(about.codebook)


def _statuses(column: str) -> Iterator[Line]:
    yield Line(())
    yield Line((column, "Meaning", "Значение"), heading=True)
    for word, said in STATUS.items():
        yield Line((word, said.en, said.ru), status=word)


def _codes(codebook: Codebook) -> Iterator[Line]:
    for axis in codebook.axes:
        yield Line(())
        of_axis = both(axis.label)
        yield Line(("Code / Код", of_axis.en, of_axis.ru, "Definition"), heading=True)
        for label in axis.labels:
            said = both(label.label)
            yield Line((label.code, said.en, said.ru, label.definition))
