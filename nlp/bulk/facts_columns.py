"""Columns that say in which language a narrative is written and where it happened.

They are known by their usual names, or asked for. What they say is taken where it is understood; where it is not, the
language is recognized as in any other narrative, and the row counts as not understood. What stood there is never told.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from ..errors import TableError
from .choosing import column_at, column_named, usual_names
from .languages_and_countries import country_called, language_called
from .values import Column, text_of

MAX_NAME = 100  # characters; nothing longer names a language or country
NONE = "none"
"""What is given for a column that is not to be used."""

NOT_UNDERSTOOD = "?"
"""Stands for what a cell says and nobody understands."""

LANGUAGE_NAMES = usual_names("""
    language, lang, narrative language, text language, language of the narrative, language code,
    язык, язык текста, язык описания, язык обращения, мова, мова тексту, мова звернення, limba, limba textului,
    ენა, ტექსტის ენა, լեզու, տեքստի լեզուն, dil, dili, mətnin dili, тіл, тілі, мәтін тілі, тил, тили, тексттин тили,
    забон, забони матн, til, tili, matn tili, тил, матн тили, gjuha, gjuha e tekstit, jezik, jezik teksta, језик,
    језик текста, јазик, јазик на текстот
""")
COUNTRY_NAMES = usual_names("""
    country, country name, country code, country of the case, страна, страна обращения, государство, країна, держава,
    țara, ţara, tara, țară, statul, ქვეყანა, երկիր, երկիրը, ölkə, ölkəsi, ел, елі, мемлекет, өлкө, өлкөсү, мамлекет,
    кишвар, давлат, mamlakat, davlat, мамлакат, shteti, shtet, država, drzava, zemlja, држава, земља, земја
""")

Reason = Literal["given", "not_understood", "not_served"]


@dataclass(frozen=True)
class Facts:
    """What a row says about its narrative: an ISO 639-1 and an ISO 3166-1 alpha-2 code, or None."""

    language: str | None = None
    country: str | None = None


@dataclass
class FactsColumns:
    """The columns in use, places from 0; and how often each of them was read, and with what result.

    ``served`` are the languages of the bundle: any other that is stated is left to recognition.
    """

    language_at: int | None
    country_at: int | None
    served: Collection[str]
    languages: Counter[Reason] = field(default_factory=Counter)
    countries: Counter[Reason] = field(default_factory=Counter)

    def read(self, cells: Sequence[Any]) -> Facts:
        """What a row says. Empty cells say nothing and are not counted."""
        return Facts(self._language(cells), self._country(cells))

    @property
    def notes(self) -> list[str]:
        """Sentences on which columns are used."""
        named = (("language", self.language_at), ("country", self.country_at))
        return [
            f"the {what} of a narrative is column {at + 1}; --{what}-column {NONE} leaves it unused"
            for what, at in named
            if at is not None
        ]

    @property
    def warnings(self) -> list[str]:
        """Sentences on what was not understood, once all rows were read."""
        unclear, other = self.languages["not_understood"], self.languages["not_served"]
        said = []
        if unclear:
            said.append(f"the language column was not understood in {unclear:,} row(s): recognized from the text there")
        if other:
            said.append(
                f"the language column names one that the bundle does not serve in {other:,} row(s): "
                "recognized from the text there"
            )
        if count := self.countries["not_understood"]:
            said.append(f"the country column was not understood in {count:,} row(s): left out there")
        return said

    def to_json(self) -> dict[str, Any]:
        """The counts as plain values."""
        return {
            "language": {"column": _number(self.language_at), **dict(sorted(self.languages.items()))},
            "country": {"column": _number(self.country_at), **dict(sorted(self.countries.items()))},
        }

    def _language(self, cells: Sequence[Any]) -> str | None:
        said = _said(cells, self.language_at)
        if not said:
            return None
        language = language_called(said) if len(said) <= MAX_NAME else None
        if language is None:
            self.languages["not_understood"] += 1
        elif language not in self.served:
            self.languages["not_served"] += 1
        else:
            self.languages["given"] += 1
            return language
        return None

    def country(self, cells: Sequence[Any]) -> str | None:
        """The country of a row, or `NOT_UNDERSTOOD`, or None for an empty cell; it is not counted."""
        said = _said(cells, self.country_at)
        if not said:
            return None
        return (country_called(said) if len(said) <= MAX_NAME else None) or NOT_UNDERSTOOD

    def _country(self, cells: Sequence[Any]) -> str | None:
        country = self.country(cells)
        if country is None:
            return None
        self.countries["not_understood" if country == NOT_UNDERSTOOD else "given"] += 1
        return None if country == NOT_UNDERSTOOD else country


def facts_columns(
    columns: Sequence[str],
    *,
    served: Collection[str],
    language_column: Column | None = None,
    country_column: Column | None = None,
    taken: Collection[int] = (),
) -> FactsColumns:
    """Find the columns: as asked for by name or number, not at all for ``none``, else by their usual names.

    ``taken`` are columns with another use, such as those of the narrative. Raises `TableError` for a column that is
    asked for and not there, or taken.
    """
    language_at = _choose(columns, language_column, LANGUAGE_NAMES, taken, option="--language-column")
    used = [*taken, *([] if language_at is None else [language_at])]
    country_at = _choose(columns, country_column, COUNTRY_NAMES, used, option="--country-column")
    return FactsColumns(language_at, country_at, served)


def _choose(
    columns: Sequence[str], wanted: Column | None, usual: Sequence[str], taken: Collection[int], *, option: str
) -> int | None:
    if wanted is None:
        return column_named(columns, usual, but=taken)
    if isinstance(wanted, str) and wanted.strip().casefold() == NONE:
        return None
    at = column_at(columns, wanted, option=option)
    if at in taken:
        raise TableError(f"{option}: column {at + 1} has another use in this run: give another one, or {NONE}")
    return at


def _said(cells: Sequence[Any], at: int | None) -> str:
    return "" if at is None else text_of(cells[at]).strip()[: MAX_NAME + 1]


def _number(at: int | None) -> int | None:
    return None if at is None else at + 1
