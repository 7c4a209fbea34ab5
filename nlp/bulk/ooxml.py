"""The escapes of Office Open XML for characters that XML cannot hold (ECMA-376, part 1, 22.9.2.19: ``_xHHHH_``)."""

from __future__ import annotations

import re

MAX_CELL = 32_767  # UTF-16 units in a cell; Excel specifications and limits
MAX_ROWS = 1_048_576  # Excel specifications and limits

_ESCAPE = re.compile("_x([0-9A-Fa-f]{4})_")
# A parser turns a raw carriage return into a line feed, so it is escaped too.
_UNWRITABLE = re.compile("_(?=x[0-9A-Fa-f]{4}_)|[\0-\x08\x0b-\x1f\ufffe\uffff]")


def escape(text: str) -> str:
    """``text`` with only such characters as XML can hold."""
    return _UNWRITABLE.sub(lambda found: f"_x{ord(found[0]):04X}_", text)


def unescape(text: str) -> str:
    """The text that ``escape`` was given; pairs of escaped surrogates become the character they stand for."""
    if "_x" not in text:
        return text
    plain = _ESCAPE.sub(lambda found: chr(int(found[1], 16)), text)
    return plain.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")


def units(text: str) -> int:
    """Length as Excel counts it, in UTF-16 units."""
    return len(text) if text.isascii() else len(text.encode("utf-16-le")) // 2


def shorten(text: str, limit: int) -> str:
    """The longest beginning of ``text`` that is at most ``limit`` UTF-16 units long."""
    return text.encode("utf-16-le")[: 2 * limit].decode("utf-16-le", "ignore")
