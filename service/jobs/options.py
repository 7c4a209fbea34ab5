"""What a coordinator chooses for a file: which columns are the narrative, and what the output is like."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from nlp.bulk.facts_columns import NONE
from nlp.bulk.tables import INPUT_FORMATS, InputOptions
from nlp.bulk.values import Column

if TYPE_CHECKING:
    from nlp.bulk.legacy import LegacyOptions

Format = Literal["csv", "tsv", "xlsx", "jsonl", "parquet"]
ReportLanguage = Literal["en", "ru"]
ENDINGS = INPUT_FORMATS
UNUSED = 0
"""Instead of the number of a column: that there is none."""
CHECK_ROWS = 100  # that are drawn to be checked by hand, if nothing else is asked for

_OF_OUTPUT = {"format", "wide", "all_codes", "keep_text", "check", "report_language", "date_column"}
_COMMAND = re.compile(r"--(no-)?([a-z]+(?:-[a-z]+)*)")
_FIELDS = {"join": "joins", "header": "header true"}


@dataclass(frozen=True)
class JobOptions:
    """Columns are numbers from 1, None where the software finds them; those of language, country and date may be
    `UNUSED`. ``joins`` are further columns of the narrative, in their order; ``coded`` pairs axes with columns of codes
    that people gave. ``language`` is that of rows which state none; ``precision`` what automatic codes promise, None
    for what the bundle does."""

    text_column: int | None = None
    id_column: int | None = None
    joins: tuple[int, ...] = ()
    language_column: int | None = None
    country_column: int | None = None
    date_column: int | None = None
    coded: tuple[tuple[str, int], ...] = ()
    duplicates: bool = True
    language: str | None = None
    sheet: str | None = None
    encoding: str | None = None
    delimiter: str | None = None
    header: bool | None = None
    keep_text: bool = False
    all_codes: bool = False
    wide: bool = False
    format: Format | None = None
    precision: float | None = None
    check: int = CHECK_ROWS
    report_language: ReportLanguage = "en"

    @staticmethod
    def codes_alike(one: Mapping[str, Any], other: Mapping[str, Any]) -> bool:
        """Whether two choices, as `to_json` gives them, differ in the output alone: what is coded stays good."""
        names = (one.keys() | other.keys()) - _OF_OUTPUT
        return all(one.get(name) == other.get(name) for name in names)

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> JobOptions:
        """What `to_json` gave."""
        coded = tuple((axis, at) for axis, places in data.get("coded", {}).items() for at in places)
        return cls(**{**data, "joins": tuple(data.get("joins", ())), "coded": coded})

    def to_json(self) -> dict[str, Any]:
        """As plain values, in the form in which they are asked for."""
        coded: dict[str, list[int]] = {}
        for axis, at in self.coded:
            coded.setdefault(axis, []).append(at)
        return json.loads(json.dumps({**asdict(self), "coded": coded}))  # type: ignore[no-any-return]

    def for_reading(self) -> InputOptions:
        """What the reader of tables takes."""
        return InputOptions(
            self.text_column, self.id_column, self.sheet, self.encoding, self.delimiter, self.header, self.joins
        )

    def legacy(self, mapping: Path | None = None) -> LegacyOptions:
        """What else the file holds; ``mapping`` is where its file from old labels to codes lies."""
        from nlp.bulk.legacy import LegacyOptions  # with libraries that whoever only answers people does not need

        return LegacyOptions(
            join=self.joins,
            language_column=_fact(self.language_column),
            country_column=_fact(self.country_column),
            coded=self.coded,
            mapping=mapping,
            duplicates=self.duplicates,
            date_column=_fact(self.date_column),
            otherwise=self.language,
            standing=True,
        )


def _fact(number: int | None) -> Column | None:
    return NONE if number == UNUSED else number


def in_our_words(sentence: str, places: Mapping[Path, str] = {}) -> str:
    """A sentence of a bulk run as it is told of a job: with the names of our fields instead of the command's options,
    and without the ``places`` of files, which are gone by then."""
    for path, name in places.items():
        sentence = sentence.replace(str(path), name)
    return _COMMAND.sub(_field, sentence)


def _field(found: re.Match[str]) -> str:
    if found[1]:
        return f"{found[2]} false"
    return _FIELDS.get(found[2], found[2].replace("-", "_"))
