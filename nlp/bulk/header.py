"""Whether the first row of a table names the columns.

A case that is taken for names is lost as a case, and stands in the header of the output without redaction. So unknown
words are taken for names only where the rows below are clearly of another kind, and where that cannot be told, a person
is asked.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from ..errors import TableError
from .values import InputOptions, text_of

MAX_HEADER_LENGTH = 60  # characters of a name beside a usual one; what is longer is a sentence
MAX_NAME_LENGTH = 30  # characters of a name where no usual one is beside it
MAX_NAME_WORDS = 4
CLEARLY_TEXT = 40  # mean characters of a column that can only be a narrative
_ROWS_OF_TITLE = 10  # that may stand above the names of the columns
_MOSTLY = 0.9  # share of the cells below that have to be too long for a name

# Numbers, dates, phone numbers, addresses of mail: four digits or more, a day at the start, or no letter at all.
_DATA = re.compile(r"(?:.*\d){4}|\d{1,2}[./ -]|.*@|(?!.*(?:[^\W\d_]|№|#))", re.DOTALL)


def plain(name: Any) -> str:
    """A name as it is compared: in lower case, with one blank for any number of ``_``, ``-`` and blanks."""
    return " ".join(re.sub("[_\\s\ufeff-]+", " ", text_of(name).casefold()).split())


def _names(listed: str) -> tuple[str, ...]:
    return tuple(plain(name) for name in listed.split(","))


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
KNOWN = frozenset({*TEXT_NAMES, *ID_NAMES})


def find_header(
    first: Sequence[Any], sample: Sequence[Sequence[Any]], options: InputOptions
) -> tuple[bool, bool, list[str]]:
    """Whether ``first`` is names, whether that is so sure that they can be shown, and what to tell about it."""
    below = [row for row in sample if list(row) != list(first)]  # files that were joined repeat their header
    could_be = _could_be_names(first, below)
    given = (name for name in (options.text_column, options.id_column) if isinstance(name, str))
    wanted = {plain(name) for name in given if name and not name.isdecimal()}
    known = _is_known_header(first, below) or any(plain(cell) in wanted for cell in first)
    told = options.header is not None and (not options.header or all(text_of(cell).strip() for cell in first))
    if not known and not told and _names_stand_below(below, wanted):
        raise TableError(
            "the names of the columns stand below other rows, such as a title or a second line of headings: delete "
            "what is above them in a copy of the file; if the first row is a case, give --no-header"
        )
    if options.header is not None:
        return options.header, options.header and could_be, []
    if known:
        return True, False, []
    if not could_be:
        return (
            False,
            False,
            [
                "the first row is data, not names: the columns are called column_1, column_2 and so on; "
                "if it names the columns, give --header"
            ],
        )
    if not _is_over_text(len(first), below):
        raise TableError(
            "it is not clear whether the first row names the columns: give --header if it does, "
            "or --no-header if it is a case"
        )
    return True, False, ["the first row was taken for the names of the columns; if it is a case, give --no-header"]


def _is_known_header(first: Sequence[Any], below: Sequence[Sequence[Any]]) -> bool:
    """Whether usual names stand in ``first``: one in a row of short cells, two next to questions in full sentences."""
    known = [at for at, cell in enumerate(first) if plain(cell) in KNOWN and not _continues(cell, below, at)]
    short = all(len(text_of(cell)) <= MAX_HEADER_LENGTH for cell in first)
    return len(known) >= (1 if short else 2)


def _names_stand_below(below: Sequence[Sequence[Any]], wanted: set[str]) -> bool:
    """Whether one of the rows under the first is a line of short cells with the name of a narrative among them."""
    usual = wanted.union(TEXT_NAMES)
    for number, row in enumerate(below[:_ROWS_OF_TITLE], start=1):
        names = [plain(cell) for cell in row if text_of(cell).strip()]
        if len(names) > 1 and len(set(names)) == len(names) and all(len(name) <= MAX_HEADER_LENGTH for name in names):
            rest = below[number:]
            if any(plain(cell) in usual and not _continues(cell, rest, at) for at, cell in enumerate(row)):
                return True
    return False


def _could_be_names(first: Sequence[Any], below: Sequence[Sequence[Any]]) -> bool:
    """Whether every cell of ``first`` is a few words, each its own, and none goes on below."""
    if not all(isinstance(cell, str) for cell in first):
        return False
    names = [text_of(cell).strip() for cell in first]
    if len(set(map(plain, names))) < len(names):
        return False
    if any(len(name) > MAX_NAME_LENGTH or len(name.split()) > MAX_NAME_WORDS or _DATA.match(name) for name in names):
        return False
    return not any(_continues(name, below, at) for at, name in enumerate(names))


def _is_over_text(width: int, below: Sequence[Sequence[Any]]) -> bool:
    """Whether a column below holds texts, nearly all of them too long for a name."""
    for at in range(width):
        texts = [text_of(row[at]).strip() for row in below if at < len(row)]
        lengths = [len(text) for text in texts if text]
        long = sum(length > MAX_NAME_LENGTH for length in lengths)
        if lengths and sum(lengths) > CLEARLY_TEXT * len(lengths) and long >= _MOSTLY * len(lengths):
            return True
    return False


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
