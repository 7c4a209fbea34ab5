"""Files that are small and claim or hold far more than they are: made here, of nothing but zeros and letters."""

from __future__ import annotations

import random
import re
import struct
import zipfile
from collections.abc import Callable, Mapping
from pathlib import Path

import openpyxl
import pyarrow as pa
import pyarrow.parquet as pq

MEGABYTE = 1 << 20
_SHEET, _STYLES, _BOOK = "xl/worksheets/sheet1.xml", "xl/styles.xml", "xl/workbook.xml"
_LAUGHS = "".join(f'<!ENTITY l{at} "{f"&l{at - 1};" * 10}">' for at in range(1, 10))
_ENTITIES = f'<!DOCTYPE x [<!ENTITY l0 "ha">{_LAUGHS}]>'.encode()
_OUTSIDE = b'<!DOCTYPE x [<!ENTITY l9 SYSTEM "file:///etc/hostname">]>'


def zeros(path: Path, megabytes: int = 1_000) -> None:
    """An honest archive of zeros."""
    _book(path)
    with zipfile.ZipFile(path, "a", zipfile.ZIP_DEFLATED) as archive, archive.open("xl/media/image1.png", "w") as part:
        for _ in range(megabytes):
            part.write(bytes(MEGABYTE))


def sheet(path: Path, megabytes: int = 1_000) -> None:
    """A sheet of rows without an end."""
    _book(path, without=_SHEET)
    with zipfile.ZipFile(path, "a", zipfile.ZIP_DEFLATED) as archive, archive.open(_SHEET, "w") as part:
        part.write(b'<worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><sheetData>')
        for _ in range(megabytes):
            part.write(b"<row><c><v>1</v></c></row>" * (MEGABYTE // 26))


def liar(path: Path, megabytes: int = 300) -> None:
    """The same, which says of itself that it is small."""
    sheet(path, megabytes)
    with zipfile.ZipFile(path) as archive:
        size = archive.getinfo(_SHEET).file_size
    path.write_bytes(path.read_bytes().replace(struct.pack("<I", size), struct.pack("<I", 1_000)))


def formats(path: Path) -> None:
    """Formats just below every limit of an archive, which fill a memory as a tree."""
    _book(path, without=_STYLES)
    noise = random.Random(1)  # noqa: S311 (no secrets)
    with zipfile.ZipFile(path, "a", zipfile.ZIP_DEFLATED) as archive, archive.open(_STYLES, "w") as part:
        part.write(b'<styleSheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main">')
        for _ in range(180_000):
            part.write(b"<xf/>" * 200 + b"<!--%s-->" % noise.randbytes(12).hex().encode())


def entries(path: Path, number: int = 100_000) -> None:
    """An archive of very many parts."""
    _book(path)
    with zipfile.ZipFile(path, "a") as archive:
        for at in range(number):
            archive.writestr(zipfile.ZipInfo(f"xl/media/{at}"), b"")


def entities_of(part: str, declared: bytes = _ENTITIES) -> Callable[[Path], None]:
    """Entities that are made of each other, in a part of a workbook."""

    def make(path: Path) -> None:
        def with_entities(content: bytes) -> bytes:
            at = re.search(rb"<(?![?!])", content)
            assert at
            return content[: at.start()] + declared + content[at.start() :].replace(b">", b">&l9;", 1)

        _book(path, change={part: with_entities})

    return make


def nested(path: Path) -> None:
    """An archive in an archive in an archive."""
    inner = path.with_name("inner.zip")
    zeros(inner, 50)
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for at in range(50):
            archive.write(inner, f"xl/{at}.xlsx")
    inner.unlink()


def one_value(path: Path) -> None:
    """A long value that stands once in the file, and in every row of it."""
    value = pa.DictionaryArray.from_arrays(pa.array([0] * 1_000_000, pa.int32()), pa.array(["she " * (MEGABYTE // 4)]))
    pq.write_table(pa.table({"text": value}), path, compression="zstd", store_schema=False)


def packed_pages(path: Path) -> None:
    """Values of letters that are all the same."""
    value = pa.array(["a" * (25 * MEGABYTE)] * 20)
    pq.write_table(pa.table({"text": value}), path, compression="zstd", use_dictionary=False)


def empty_rows(path: Path) -> None:
    """Rows that take no place at all."""
    pq.write_table(pa.table({"text": pa.nulls(30_000_000, pa.string())}), path)


def deep_values(path: Path) -> None:
    """A value in a value in a value."""
    path.write_bytes(b"[" * 2_000_000 + b"\n" + b'{"text":' * 500_000 + b"\n")


BOMBS: Mapping[str, tuple[str, Callable[[Path], None]]] = {
    "zeros, 1 GB in an archive": (".xlsx", zeros),
    "sheet of 1 GB": (".xlsx", sheet),
    "sheet of 300 MB that says it is small": (".xlsx", liar),
    "formats just below the limits": (".xlsx", formats),
    "100,000 parts": (".xlsx", entries),
    "500,000 parts": (".xlsx", lambda path: entries(path, 500_000)),
    "entities in the sheet": (".xlsx", entities_of(_SHEET)),
    "entities in the workbook": (".xlsx", entities_of(_BOOK)),
    "entities in the formats": (".xlsx", entities_of(_STYLES)),
    "entity from outside": (".xlsx", entities_of(_SHEET, _OUTSIDE)),
    "archives in an archive": (".xlsx", nested),
    "value of 1 MB in a million rows": (".parquet", one_value),
    "pages of one letter, 500 MB": (".parquet", packed_pages),
    "30 million empty rows": (".parquet", empty_rows),
    "values a million levels deep": (".jsonl", deep_values),
}
QUICK = ("entities in the sheet",)
"""Those that are made and refused soon."""


def _book(path: Path, *, without: str = "", change: Mapping[str, Callable[[bytes], bytes]] = {}) -> None:
    book = openpyxl.Workbook()
    for row in (["id", "text"], ["1", "The doctor refused her."]):
        book.active.append(row)  # type: ignore[union-attr]
    plain = path.with_name("plain.xlsx")
    book.save(plain)
    with zipfile.ZipFile(plain) as source, zipfile.ZipFile(path, "w") as target:
        for name in source.namelist():
            if name != without:
                target.writestr(name, change.get(name, bytes)(source.read(name)))
    plain.unlink()
