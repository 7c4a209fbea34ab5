"""What travels between tables and the coding: options, rows, and cells as text."""

from __future__ import annotations

import datetime as dt
import json
import math
import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from decimal import Decimal
from functools import singledispatch
from typing import Any

_SURROGATE = re.compile("[\ud800-\udfff]")
# What spreadsheets take for the start of a formula (OWASP, "CSV injection"), behind any number of our own apostrophes.
_RISKY = re.compile("'*[=+\\-@\t\r\n\0＝＋－＠]")
_PLAIN_NUMBER = re.compile(r"[+-]?\d+(?:[.,]\d+)?")

Column = str | int
"""A column as somebody asks for it: by its name or its number from 1; an int is a number, whatever the names are."""


@dataclass(frozen=True)
class InputOptions:
    """What the caller knows about an input; None means "find out".

    Columns and sheets are given by name, or by number from 1, see `Column`. ``joined`` are columns whose texts belong
    to the narrative.
    """

    text_column: Column | None = None
    id_column: Column | None = None
    sheet: str | None = None
    encoding: str | None = None
    delimiter: str | None = None
    header: bool | None = None
    joined: tuple[Column, ...] = ()


@dataclass(frozen=True)
class Row:
    """One data row, with as many cells as the table has columns.

    ``number`` counts from 1; ``problem`` says why the cells cannot be trusted, or is None.
    """

    number: int
    cells: tuple[Any, ...] = field(repr=False)
    problem: str | None = None


@singledispatch
def text_of(cell: Any) -> str:
    """What a cell says when it is read as text: numbers and dates as a person writes them, nested values as JSON."""
    return "" if cell is None else str(cell)


@text_of.register
def _(cell: bool) -> str:
    return "TRUE" if cell else "FALSE"  # as spreadsheets show it


@text_of.register
def _(cell: float) -> str:
    if math.isfinite(cell) and cell.is_integer() and abs(cell) < 1e15:  # beyond, a float no longer holds each integer
        return str(int(cell))
    return repr(cell)


@text_of.register
def _(cell: Decimal) -> str:
    return f"{cell:f}" if cell.is_finite() else str(cell)


@text_of.register
def _(cell: dt.date | dt.time) -> str:
    return cell.isoformat()


@text_of.register
def _(cell: dt.datetime) -> str:
    if cell.time() == dt.time() and cell.tzinfo is None:  # spreadsheets know no date without a time
        return cell.date().isoformat()
    return cell.isoformat(sep=" ", timespec="auto" if cell.second or cell.microsecond else "minutes")


@text_of.register
def _(cell: bytes) -> str:
    try:
        return cell.decode("utf-8")  # old writers of Parquet leave text columns unmarked
    except UnicodeDecodeError:
        return cell.hex()


@text_of.register
def _(cell: dict | list | tuple) -> str:  # type: ignore[type-arg]  # any nested value
    return json_text(cell)


def json_text(value: Any) -> str:
    """``value`` as one line of strict JSON. Dates become ISO text, numbers that JSON lacks become text.

    May hold lone surrogates: encode with ``errors="backslashreplace"``, whose escapes are those of JSON.
    """
    try:
        return json.dumps(value, ensure_ascii=False, allow_nan=False, default=_json_default)
    except (TypeError, ValueError):  # a key that is no string, NaN or infinity, somewhere inside
        return json.dumps(_json_ready(value), ensure_ascii=False, allow_nan=False)


def _json_default(value: Any) -> str:
    return value.isoformat() if isinstance(value, dt.date | dt.time) else text_of(value)


def _json_ready(value: Any) -> Any:
    if isinstance(value, dict):
        return {text_of(key): _json_ready(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_json_ready(item) for item in value]
    if isinstance(value, float):
        return value if math.isfinite(value) else str(value)
    return value if value is None or isinstance(value, bool | int | str) else _json_default(value)


def without_surrogates(text: str) -> str:
    """``text`` as any encoding can hold it: lone surrogates become U+FFFD."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return _SURROGATE.sub("\N{REPLACEMENT CHARACTER}", text)
    return text


def escape_cell(text: str) -> str:
    """A CSV cell that no spreadsheet takes for a formula: ``'`` before it where it could be; plain numbers stay."""
    return f"'{text}" if _RISKY.match(text) and not _PLAIN_NUMBER.fullmatch(text) else text


def unescape_cell(text: str) -> str:
    """The text that ``escape_cell`` was given."""
    return text[1:] if text.startswith("'") and _RISKY.match(text) else text


def unique_names(names: Iterable[Any]) -> tuple[str, ...]:
    """Names for columns, none empty and none twice: ``name_2`` for a repeated one, ``column_3`` where there is none."""
    wanted = [without_surrogates(text_of(name)) for name in names]
    reserved = set(wanted)  # a made name never takes the place of one that stands in the file
    given: dict[str, None] = {}
    for number, name in enumerate(wanted, start=1):
        base = name if name.strip() else f"column_{number}"
        candidate, count = base, 1
        while candidate in given or (candidate != name and candidate in reserved):
            count += 1
            candidate = f"{base}_{count}"
        given[candidate] = None
    return tuple(given)
