"""Cells known again by a few bits, after spreadsheets have opened and saved them."""

from __future__ import annotations

import base64
import hashlib
import json
import math
import re
from typing import Any

from .values import text_of, unescape_cell, without_surrogates

_NUMBER = re.compile(r"\+?(-?)0*(\d+)(?:[.,](\d*?)0*)?", re.ASCII)


def fingerprint(cell: Any, *salt: str) -> str:
    """By which can be told whether a cell is still the same: nothing for an empty one, a digit for 0 and 1, else 32
    bits that depend on the salt too, so that the same cells of two rows have nothing in common."""
    text = comparable(cell)
    if text in ("", "0", "1"):
        return text
    salted = "\0".join((*salt, text)).encode()
    return base64.urlsafe_b64encode(hashlib.blake2b(salted, digest_size=4).digest()).decode().rstrip("=")


def comparable(cell: Any) -> str:
    """A cell as it is the same in all formats, and after spreadsheets have saved it: they have their own line ends and
    decimal signs, and a file of text has an apostrophe where a formula could begin."""
    if isinstance(cell, float) and math.isnan(cell):
        return ""
    if isinstance(cell, dict | list):
        text = json.dumps(cell, ensure_ascii=False, sort_keys=True, default=text_of) if cell else ""
    else:
        text = text_of(cell)
    text = without_surrogates(text).replace("\r\n", "\n").replace("\r", "\n").strip()
    while (plain := unescape_cell(text)) != text:
        text = plain
    return _plain_number(text)


def _plain_number(text: str) -> str:
    """A number without the zeros that say nothing; any other text as it is."""
    found = _NUMBER.fullmatch(text)
    if not found:
        return text
    sign, whole, fraction = found.groups()
    return f"{sign}{whole}.{fraction}" if fraction else f"{sign}{whole}"
