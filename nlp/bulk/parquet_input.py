"""Parquet, by batches of bounded size."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from ..errors import TableError
from .source import Record
from .values import InputOptions, unique_names

BATCH_BYTES = 1 << 23  # unpacked bytes held at once
MAX_BATCH = 1_000  # rows

_BROKEN = "this is no Parquet file, or it is damaged or encrypted: save it again, or give .csv, .xlsx or .jsonl"


class ParquetSource:
    """Rows of a Parquet file, with the Arrow types of its columns."""

    blank = None
    delimiter: str | None = None
    sheet: str | None = None

    def __init__(self, path: Path, options: InputOptions) -> None:
        import pyarrow as pa
        import pyarrow.parquet as pq

        self.notes: Sequence[str] = ()
        self._stream = path.open("rb")
        try:
            self._file = pq.ParquetFile(self._stream, buffer_size=1 << 20)  # else whole column chunks are held
            schema = self._file.schema_arrow
        except (pa.ArrowException, OSError):
            self._stream.close()
            raise TableError(_BROKEN) from None
        names = unique_names(schema.names)
        self.names: Sequence[str] | None = names
        self.arrow_types: dict[str, Any] | None = dict(zip(names, map(_plain_type, schema.types), strict=True))
        self._rows: int = self._file.metadata.num_rows
        self._read = 0

    def records(self) -> Iterator[Record]:
        import pyarrow as pa

        batches = self._file.iter_batches(batch_size=self._batch_size())
        while True:
            try:
                batch = next(batches, None)
            except (pa.ArrowException, OSError):
                raise TableError(f"the file breaks off or is damaged after row {self._read:,}: save it again") from None
            if batch is None:
                return
            columns = [_values(column) for column in batch.columns]
            for at in range(batch.num_rows):
                self._read += 1
                damaged = any(at in rows for _, rows in columns)
                yield Record(
                    [values[at] for values, _ in columns], "some bytes are not UTF-8 text" if damaged else None
                )

    def progress(self) -> float | None:
        return self._read / self._rows if self._rows else 1.0

    def close(self) -> None:
        self._file.close()
        self._stream.close()

    def _batch_size(self) -> int:
        metadata = self._file.metadata
        size = sum(metadata.row_group(number).total_byte_size for number in range(metadata.num_row_groups))
        return max(1, min(MAX_BATCH, BATCH_BYTES * self._rows // size)) if size else MAX_BATCH


def _plain_type(kind: Any) -> Any:
    """The type that a column's values are written back as: dictionaries and extensions as what they hold."""
    import pyarrow as pa

    if isinstance(kind, pa.BaseExtensionType):
        return _plain_type(kind.storage_type)
    return kind.value_type if pa.types.is_dictionary(kind) else kind


def _values(column: Any) -> tuple[list[Any], frozenset[int]]:
    """A column as Python values, and the rows whose text had to be mended.

    What Python has no type for (nanoseconds, years beyond 9999) comes as the text that Arrow gives it.
    """
    import pyarrow as pa

    if isinstance(column.type, pa.BaseExtensionType):
        column = column.storage
    if pa.types.is_dictionary(column.type):
        column = column.dictionary_decode()
    try:
        return column.to_pylist(), frozenset()
    except UnicodeDecodeError:
        return _mended(column)
    except (ValueError, OverflowError, pa.ArrowException):
        return _as_text(column), frozenset()


def type_name(kind: Any) -> str:
    """What an Arrow type is called, without the names of fields and zones in it: a person chose those."""
    return re.split(r"[<\[(]", str(kind), maxsplit=1)[0]


def _as_text(column: Any) -> list[Any]:
    import pyarrow as pa

    try:
        texts: list[Any] = column.cast(pa.string()).to_pylist()
    except pa.ArrowException:
        raise TableError(f"a column of type {type_name(column.type)} cannot be read: save it as text") from None
    return texts


def _mended(column: Any) -> tuple[list[Any], frozenset[int]]:
    import pyarrow as pa

    if not (pa.types.is_string(column.type) or pa.types.is_large_string(column.type)):
        raise TableError("a nested column holds bytes that are not UTF-8 text: save the file again") from None
    raw = column.cast(pa.large_binary()).to_pylist()
    texts = [None if cell is None else cell.decode("utf-8", "replace") for cell in raw]
    pairs = enumerate(zip(raw, texts, strict=True))
    return texts, frozenset(at for at, (cell, text) in pairs if text is not None and text.encode("utf-8") != cell)
