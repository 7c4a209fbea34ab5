"""Parquet out: typed where the input was, text elsewhere."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping, Sequence
from typing import Any, BinaryIO

from ..errors import OutputError
from .about import About
from .parquet_input import type_name
from .values import text_of, without_surrogates

GROUP_ROWS = 10_000
GROUP_CHARACTERS = 1 << 25  # a group of very long texts is closed before it fills the memory


class ParquetWriter:
    """Row groups of 10,000 rows, zstd. Columns in ``schema`` keep its Arrow types, all others are strings; the fields
    say what they mean, where ``about`` does."""

    def __init__(
        self, file: BinaryIO, columns: Sequence[str], schema: Mapping[str, Any] | None, about: About | None = None
    ) -> None:
        import pyarrow as pa
        import pyarrow.parquet as pq

        types = schema or {}
        told = _metadata(about) if about else {}
        self._schema = pa.schema(
            [
                pa.field(without_surrogates(name), types.get(name, pa.string()), metadata=told.get(name))
                for name in columns
            ]
        )
        self._text = [pa.types.is_string(kind) or pa.types.is_large_string(kind) for kind in self._schema.types]
        self._writer = pq.ParquetWriter(file, self._schema, compression="zstd")
        self._columns: list[list[Any]] = [[] for _ in columns]
        self._characters = 0

    def write(self, cells: Sequence[Any]) -> bool:
        for column, cell, text in zip(self._columns, cells, self._text, strict=True):
            value = without_surrogates(text_of(cell)) if text and cell is not None else cell
            column.append(value)
            self._characters += len(value) if isinstance(value, str | bytes) else 16
        if len(self._columns[0]) >= GROUP_ROWS or self._characters >= GROUP_CHARACTERS:
            self._flush()
        return True

    def finish(self) -> None:
        if self._columns[0]:
            self._flush()
        self._writer.close()

    def abort(self) -> None:
        import pyarrow as pa

        with contextlib.suppress(OSError, ValueError, pa.ArrowException):
            self._writer.close()

    def _flush(self) -> None:
        import pyarrow as pa

        arrays = [_array(column, kind) for column, kind in zip(self._columns, self._schema.types, strict=True)]
        self._writer.write_table(pa.Table.from_arrays(arrays, schema=self._schema), row_group_size=GROUP_ROWS)
        self._columns = [[] for _ in arrays]
        self._characters = 0


def _metadata(about: About) -> dict[str, dict[str, str]]:
    return {
        name: {
            "description": said.means.en,
            "description_ru": said.means.ru,
            "values": said.values.en,
            "values_ru": said.values.ru,
        }
        for name, said in about.columns
    }


def _array(values: list[Any], kind: Any) -> Any:
    import pyarrow as pa

    try:
        return pa.array(values, type=kind)
    except (pa.ArrowException, TypeError, ValueError, OverflowError):
        pass
    try:  # values that came as text, because Python has no type for them
        return pa.array([None if value is None else text_of(value) for value in values], type=pa.string()).cast(kind)
    except (pa.ArrowException, TypeError, ValueError):
        raise OutputError(
            f"a value does not fit its column of type {type_name(kind)}: write .jsonl instead of .parquet"
        ) from None
