"""Which row names the columns, and which columns hold the narrative and the id."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from ..errors import TableError
from .values import InputOptions, text_of, unique_names

SAMPLE_ROWS = 200  # rows looked at before the first is handed out
MAX_HEADER_LENGTH = 60  # characters; what is longer is a sentence
MAX_LISTED = 50  # columns in one message
CLEARLY_TEXT = 40  # mean characters of a column that can only be a narrative


def _plain(name: Any) -> str:
    """A name as it is compared: in lower case, with one blank for any number of ``_``, ``-`` and blanks."""
    return " ".join(re.sub("[_\\s\ufeff-]+", " ", text_of(name).casefold()).split())


def _names(listed: str) -> tuple[str, ...]:
    return tuple(_plain(name) for name in listed.split(","))


# Usual names in the languages served, the likeliest first: where several are in a table, the first one here wins.
TEXT_NAMES = _names("""
    text, narrative, case narrative, case text, case description, description of the case, incident description,
    description, story, complaint, what happened, summary, details,
    текст, нарратив, описание случая, описание нарушения, описание ситуации, описание, суть обращения,
    содержание обращения, история, содержание, обращение, жалоба, суть, что произошло,
    опис випадку, опис порушення, опис, наратив, зміст звернення, суть звернення, зміст, звернення, історія, скарга,
    що сталося, descrierea cazului, descriere, textul, naraţiune, narațiune, povestire, ce s-a întâmplat, plângere,
    matn, hodisa tavsifi, tavsif, bayon, матн, тавсифи ҳодиса, тавсиф, баён, шарҳ,
    мәтін, оқиға сипаттамасы, сипаттама, оқиға, өтініш, баяндау, сүрөттөмө, окуя, арыз, баян,
    ტექსტი, შემთხვევის აღწერა, აღწერა, ისტორია, տեքստ, դեպքի նկարագրություն, նկարագրություն,
    mətn, hadisənin təsviri, təsvir, tekst, teksti, përshkrimi, pershkrimi, rrëfimi, rrefimi,
    opis slučaja, opis slucaja, opis, narativ, текст на случајот, опис на случајот, опис случаја
""")
ID_NAMES = _names("""
    id, case id, caseid, case number, case no, case nr, case code, record id, uuid, ref, reference,
    ид, идентификатор, номер случая, номер обращения, номер дела, код случая, код клиента,
    ідентифікатор, номер випадку, код випадку, номер звернення, nr, număr, numărul cazului, numarul cazului,
    raqam, рақам, рақами, нөмір, нөмірі, номери, ნომერი, համար, nömrə, numri, broj, број, шифра,
    number, no., номер, код, code, №, № п/п, #
""")
_KNOWN = frozenset({*TEXT_NAMES, *ID_NAMES})


@dataclass(frozen=True)
class Layout:
    """The columns of a table. ``has_header`` says whether the first row was their names."""

    columns: tuple[str, ...]
    text_at: int
    id_at: int | None
    has_header: bool
    notes: tuple[str, ...]


def plan(first: Sequence[Any], sample: Sequence[Sequence[Any]], options: InputOptions, *, named: bool) -> Layout:
    """Decide the columns from the first row, the rows after it, and what the caller knows.

    ``named`` says that ``first`` is names for sure (keys of JSON objects, a Parquet schema).
    """
    has_header, sure, notes = _header(first, sample, options, named=named)
    rows = sample if has_header else [first, *sample]
    width = len(first) if has_header else _usual_width(rows)
    trimmed = first if named else [text_of(name).strip() for name in first]
    columns = unique_names(trimmed if has_header else [None] * width)
    if not columns:
        raise TableError("there is no column in this table: give a file with a column of narratives")
    finder = _Finder(columns, rows, named=has_header, show=sure)
    text_at, why = finder.text(options.text_column)
    id_at, why_id = finder.id(options.id_column, text_at)
    return Layout(columns, text_at, id_at, has_header, (*notes, why, *why_id))


def _header(
    first: Sequence[Any], sample: Sequence[Sequence[Any]], options: InputOptions, *, named: bool
) -> tuple[bool, bool, list[str]]:
    """Whether ``first`` is names, whether that is so sure that they can be shown, and what to tell about it."""
    if named:
        return True, True, []
    below = [row for row in sample if list(row) != list(first)]  # files that were joined repeat their header
    may_be = _may_be_header(first, below)
    if options.header is not None:
        return options.header, options.header and may_be, []
    wanted = {_plain(name) for name in (options.text_column, options.id_column) if name and not name.isdecimal()}
    if _is_known_header(first, below) or any(_plain(cell) in wanted for cell in first):
        return True, False, []
    if may_be:
        return True, False, ["the first row was taken for the names of the columns; say so if it is data"]
    return False, False, ["the first row is data, not names: the columns are called column_1, column_2 and so on"]


def _is_known_header(first: Sequence[Any], below: Sequence[Sequence[Any]]) -> bool:
    """Whether usual names stand in ``first``: one in a row of short cells, two next to questions in full sentences."""
    known = [at for at, cell in enumerate(first) if _plain(cell) in _KNOWN and not _continues(cell, below, at)]
    short = all(len(text_of(cell)) <= MAX_HEADER_LENGTH for cell in first)
    return len(known) >= (1 if short else 2)


def _may_be_header(first: Sequence[Any], below: Sequence[Sequence[Any]]) -> bool:
    if not all(cell is None or isinstance(cell, str) for cell in first):
        return False
    names = [text_of(cell).strip() for cell in first]
    filled = [name for name in names if name]
    if not filled or len(set(filled)) < len(filled) or 2 * len(filled) < len(names):
        return False
    if any(len(name) > MAX_HEADER_LENGTH or not re.search(r"[^\W\d_]|№|#", name) for name in filled):
        return False
    return not any(_continues(name, below, at) for at, name in enumerate(names) if name)


def _continues(cell: Any, below: Sequence[Sequence[Any]], at: int) -> bool:
    """Whether a cell of the first row looks like those under it: the same, or digits in the same places (``A-17``)."""
    name = text_of(cell).strip()
    texts = [text_of(row[at]).strip() for row in below if at < len(row)]
    if name in texts:
        return True
    alike = sum(_shape(text) == _shape(name) for text in texts)
    return any(map(str.isdigit, name)) and 2 * alike > len(texts)


def _shape(text: str) -> str:
    return re.sub(r"[^\W\d_]+", "a", re.sub(r"\d+", "9", text))


def _usual_width(rows: Sequence[Sequence[Any]]) -> int:
    widths = Counter(len(row) for row in rows)
    return max(widths, key=lambda width: (widths[width], width), default=0)


@dataclass(frozen=True)
class _Finder:
    """Looks for a column. ``named``: the file has names; ``show``: these are surely no data and may be shown."""

    columns: tuple[str, ...]
    rows: Sequence[Sequence[Any]]
    named: bool
    show: bool

    def text(self, wanted: str | None) -> tuple[int, str]:
        if wanted is not None:
            at = self._given(wanted, "text")
            return at, f"the narrative is column {at + 1}, as asked for"
        at_name = self._by_name(TEXT_NAMES)
        if at_name is not None:
            return at_name, f"the narrative is column {at_name + 1}, by its name"
        return self._longest()

    def id(self, wanted: str | None, text_at: int) -> tuple[int | None, tuple[str, ...]]:
        if wanted is not None:
            return self._given(wanted, "id"), ()
        at = self._by_name(ID_NAMES, but=text_at)
        return at, () if at is None else (f"the id of a case is column {at + 1}, by its name",)

    def _given(self, wanted: str, what: str) -> int:
        for names in (self.columns, tuple(map(_plain, self.columns))):
            name = wanted if names is self.columns else _plain(wanted)
            if name in names:
                return names.index(name)
        if wanted.isdecimal() and 1 <= int(wanted) <= len(self.columns):
            return int(wanted) - 1
        raise TableError(f"there is no column {wanted!r} for the {what} in this table; it has {self._listing()}")

    def _by_name(self, usual: Sequence[str], but: int | None = None) -> int | None:
        if not self.named:
            return None
        plain = [_plain(name) for name in self.columns]
        return next((plain.index(name) for name in usual if name in plain and plain.index(name) != but), None)

    def _longest(self) -> tuple[int, str]:
        means = [self._mean_length(at) for at in range(len(self.columns))]
        order = sorted(range(len(means)), key=lambda at: (-means[at], at))
        best, rest = means[order[0]], max((means[at] for at in order[1:]), default=0.0)
        if not best or (self.named and not (best > CLEARLY_TEXT and best > 2 * rest)):
            raise TableError(
                "it is not clear which column holds the narrative: give its name or its number as the text column; "
                f"this table has {self._listing()}"
            )
        return order[0], f"the narrative is taken to be column {order[0] + 1}, the one with the longest texts"

    def _mean_length(self, at: int) -> float:
        texts = [row[at] for row in self.rows if at < len(row)]
        return sum(len(text) for text in texts if isinstance(text, str)) / len(self.rows) if texts else 0.0

    def _listing(self) -> str:
        """The columns by number, and by name where that is no data: a usual name, or one that is surely a name."""
        listed = [
            f"{number} {name[:MAX_HEADER_LENGTH]}" if self.show or _plain(name) in _KNOWN else str(number)
            for number, name in enumerate(self.columns[:MAX_LISTED], start=1)
        ]
        return f"the columns {', '.join(listed)}" + (", and more" if len(self.columns) > MAX_LISTED else "")
