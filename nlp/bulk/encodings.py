"""In which encoding a text file is written, found out from its bytes without holding them."""

from __future__ import annotations

import codecs
import io
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from ..errors import TableError

DAMAGE = "\udcff"
"""Stands for bytes that could not be decoded: no decoder yields a lone surrogate, so it cannot come from the file."""

_CHUNK = 1 << 16  # bytes
_SAMPLE = 1 << 16  # bytes looked at for UTF-16 without a mark
_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),  # begins like UTF-16, so it is asked for first
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)

codecs.register_error("casecoder.damage", lambda error: (DAMAGE, error.end))  # type: ignore[attr-defined]


@dataclass(frozen=True)
class Encoding:
    """A codec's name, and whether some bytes of the file are none of its text."""

    name: str
    damaged: bool

    @property
    def title(self) -> str:
        """The name that people know it by."""
        return self.name.removesuffix("-sig").upper().replace("CP1251", "windows-1251")

    @property
    def note(self) -> str:
        return f"the encoding is {self.title}" + (", with damaged bytes in some rows" if self.damaged else "")


def detect(path: Path, wanted: str | None = None) -> Encoding:
    """The encoding that is asked for or, without one, that the bytes speak for.

    Raises ``TableError`` for a name that is not known, or in which the file cannot be read at all.
    """
    if wanted is not None:
        name = _known(wanted)
        _check_beginning(path, name)
        return Encoding(name, damaged=not _fits(path, name))
    with path.open("rb") as file:
        head = file.read(_SAMPLE)
    marked = next((name for mark, name in _MARKS if head.startswith(mark)), None) or _unmarked_utf16(head)
    if marked is not None:
        return Encoding(marked, damaged=not _fits(path, marked))
    if _fits(path, "utf-8"):
        return Encoding("utf-8", damaged=False)
    # Letters of windows-1251 hardly ever form valid UTF-8; in damaged UTF-8 most characters still do.
    damaged, foreign = _census(path)
    if foreign > damaged:
        return Encoding("utf-8", damaged=True)
    return Encoding("cp1251", damaged=not _fits(path, "cp1251"))


def open_text(binary: io.BufferedReader, encoding: Encoding, *, newline: str) -> io.TextIOWrapper:
    """``binary`` as text, with ``DAMAGE`` where bytes could not be decoded; line ends stay as they are."""
    return io.TextIOWrapper(binary, encoding=encoding.name, errors="casecoder.damage", newline=newline)


def _known(wanted: str) -> str:
    name = wanted.strip().lower()
    name = {"windows-1251": "cp1251", "utf8": "utf-8-sig", "utf-8": "utf-8-sig"}.get(name, name)
    try:
        io.TextIOWrapper(io.BytesIO(), encoding=name)
    except (LookupError, ValueError):
        raise TableError(f"there is no encoding {wanted!r}: try utf-8, utf-16 or windows-1251") from None
    return name


def _check_beginning(path: Path, name: str) -> None:
    """Refuse what damage cannot explain: UTF-16 without its mark, and encodings that are none of texts."""
    decoder = codecs.getincrementaldecoder(name)("casecoder.damage")
    try:
        with path.open("rb") as file:
            decoder.decode(file.read(_SAMPLE))
    except UnicodeError:
        raise TableError(f"this file is no {name.upper()} text: leave the encoding out to have it found") from None


def _chunks(path: Path) -> Iterator[bytes]:
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK):
            yield chunk


def _fits(path: Path, name: str) -> bool:
    decoder = codecs.getincrementaldecoder(name)("strict")
    try:
        for chunk in _chunks(path):
            decoder.decode(chunk)
        decoder.decode(b"", final=True)
    except UnicodeError:
        return False
    return True


def _census(path: Path) -> tuple[int, int]:
    """How often bytes are no UTF-8, and how many characters beyond ASCII are written in proper UTF-8."""
    decoder = codecs.getincrementaldecoder("utf-8")("casecoder.damage")
    damaged = foreign = 0
    for chunk in _chunks(path):
        text = decoder.decode(chunk)
        here = text.count(DAMAGE)
        damaged += here
        foreign += len(text) - len(text.encode("ascii", "ignore")) - here
    return damaged, foreign


def _unmarked_utf16(head: bytes) -> str | None:
    """UTF-16 shows by its blanks and commas: a zero byte, always on the same side of the pair."""
    even, odd = head[0::2].count(0), head[1::2].count(0)
    units = len(head) // 2
    for name, high, low in (("utf-16-le", odd, even), ("utf-16-be", even, odd)):
        if high > 0.03 * units and low * 10 <= high:  # Russian prose has a blank every seven letters
            decoder = codecs.getincrementaldecoder(name)("strict")
            try:
                decoder.decode(head)
            except UnicodeError:
                continue
            return name
    return None
