"""Parquet, by batches of bounded size."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from ..errors import TableError
from .source import Record
from .values import InputOptions, unique_names

BATCH_BYTES = 1 << 23  # unpacked bytes held at once
MAX_BATCH = 1_000  # rows
MAX_RATIO = 100  # unpacked to packed, of a file that unpacks to more than this:
SMALL = 200_000_000  # bytes
FEW_ROWS = 1_000_000  # more of them than a hundred for each byte of the file are none

_BOMB = f"this file unpacks to more than {MAX_RATIO} times its size: give the table as .csv, or in several files"
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
        self._size = os.fstat(self._stream.fileno()).st_size
        try:
            self._file = pq.ParquetFile(self._stream, buffer_size=1 << 20)  # else whole column chunks are held
            schema = self._file.schema_arrow
            _check_sizes(self._file.metadata, self._size)
        except (pa.ArrowException, OSError) as error:
            self._stream.close()
            if isinstance(error, MemoryError):
                raise
            raise TableError(_BROKEN) from None
        except BaseException:
            self._stream.close()
            raise
        names = unique_names(schema.names)
        self.names: Sequence[str] | None = names
        self.arrow_types: dict[str, Any] | None = dict(zip(names, map(_plain_type, schema.types), strict=True))
        self._rows: int = self._file.metadata.num_rows
        self._read = 0

    def records(self) -> Iterator[Record]:
        for batch in self._batches():
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

    def _batches(self) -> Iterator[Any]:
        import pyarrow as pa

        unpacked = 0
        for group in range(self._file.num_row_groups):
            try:
                for batch in self._file.iter_batches(batch_size=self._batch_size(group), row_groups=[group]):
                    unpacked += sum(_dense(column).nbytes for column in batch.columns)
                    if unpacked > max(SMALL, MAX_RATIO * self._size):
                        raise TableError(_BOMB)
                    yield batch
            except MemoryError:  # of Arrow too
                raise
            except (pa.ArrowException, OSError):
                raise TableError(f"the file breaks off or is damaged after row {self._read:,}: save it again") from None

    def _batch_size(self, group: int) -> int:
        """How many rows of a group are unpacked at once: so many that they fit, also where each of them has the longest
        of the values that stand once in the file for many rows."""
        facts = self._file.metadata.row_group(group)
        average = max(1, facts.total_byte_size // max(1, facts.num_rows))
        rows: int = min(MAX_BATCH, BATCH_BYTES // average, BATCH_BYTES // self._longest(group))
        return max(1, rows)

    def _longest(self, group: int) -> int:
        """Bytes of the longest value that stands once in a group for many rows; at least 1."""
        import pyarrow as pa
        import pyarrow.compute as pc
        import pyarrow.parquet as pq

        facts = self._file.metadata.row_group(group)
        chunks = (facts.column(number) for number in range(facts.num_columns))
        names = [chunk.path_in_schema for chunk in chunks if chunk.has_dictionary_page and _is_text(chunk)]
        if not names:
            return 1
        shared = pq.ParquetFile(self._stream, metadata=self._file.metadata, read_dictionary=names, buffer_size=1 << 20)
        longest = 1
        for batch in shared.iter_batches(batch_size=1, row_groups=[group], columns=names):
            for column in batch.columns:
                if pa.types.is_dictionary(column.type):
                    longest = max(longest, pc.max(pc.binary_length(column.dictionary)).as_py() or 1)
            break
        return longest


def _dense(column: Any) -> Any:
    """A column in which each row has its own value."""
    import pyarrow as pa

    return column.dictionary_decode() if pa.types.is_dictionary(column.type) else column


def _check_sizes(metadata: Any, size: int) -> None:
    """Refuse what says of itself that it unpacks to far more than it is."""
    unpacked = sum(metadata.row_group(number).total_byte_size for number in range(metadata.num_row_groups))
    if unpacked > max(SMALL, MAX_RATIO * size) or metadata.num_rows > max(FEW_ROWS, MAX_RATIO * size):
        raise TableError(_BOMB)


def _is_text(chunk: Any) -> bool:
    """Whether a column holds texts by themselves, and not in lists."""
    return chunk.physical_type == "BYTE_ARRAY" and "." not in chunk.path_in_schema


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
    column = _dense(column)
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
    except MemoryError:
        raise
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
