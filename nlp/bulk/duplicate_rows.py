"""Which rows of a table repeat which: found when the table is read, needed when the output is put together."""

from __future__ import annotations

from array import array
from bisect import bisect_left
from collections import Counter

import pyarrow as pa
import pyarrow.parquet as pq

from .duplicates import Duplicate

_SCHEMA = pa.schema([("row", pa.int64()), ("of", pa.int64()), ("kind", pa.string()), ("identical", pa.bool_())])
_KINDS = (Duplicate(0, "near"), Duplicate(0, "exact"), Duplicate(0, "exact", identical=True))


class DuplicateRows:
    """Rows that repeat an earlier one, by rising number: 17 bytes each."""

    def __init__(self) -> None:
        self._rows = array("q")
        self._firsts = array("q")
        self._kinds = array("b")

    def __len__(self) -> int:
        return len(self._rows)

    def add(self, row: int, duplicate: Duplicate | None) -> None:
        """Note a row; None is no duplicate. Rows come in order."""
        if duplicate is None:
            return
        if self._rows and row <= self._rows[-1]:
            raise ValueError("rows come in order, each once")
        self._rows.append(row)
        self._firsts.append(duplicate.of)
        self._kinds.append(_KINDS.index(Duplicate(0, duplicate.kind, duplicate.identical)))

    def of(self, row: int) -> Duplicate | None:
        """What a row repeats, or None."""
        at = bisect_left(self._rows, row)
        if at == len(self._rows) or self._rows[at] != row:
            return None
        kind = _KINDS[self._kinds[at]]
        return Duplicate(self._firsts[at], kind.kind, kind.identical)

    @property
    def counts(self) -> dict[str, int]:
        """How many rows are exact and near duplicates."""
        found = Counter(_KINDS[kind].kind for kind in self._kinds)
        return {"exact": found["exact"], "near": found["near"]}

    @property
    def notes(self) -> list[str]:
        """A sentence, where there is something to tell."""
        if not self._rows:
            return []
        counts = self.counts
        return [
            f"{counts['exact']:,} row(s) repeat the text of an earlier one and {counts['near']:,} nearly do: "
            "they are coded alike"
        ]

    def to_parquet(self) -> bytes:
        """The rows as a Parquet file with the columns row, of, kind and identical."""
        kinds = [_KINDS[kind] for kind in self._kinds]
        columns = [
            pa.array(self._rows, pa.int64()),
            pa.array(self._firsts, pa.int64()),
            pa.array([kind.kind for kind in kinds], pa.string()),
            pa.array([kind.identical for kind in kinds], pa.bool_()),
        ]
        sink = pa.BufferOutputStream()
        table = pa.table(columns, schema=_SCHEMA)
        pq.write_table(table, sink, compression="zstd", store_schema=False, write_statistics=False)
        return bytes(sink.getvalue())

    @classmethod
    def from_parquet(cls, content: bytes) -> DuplicateRows:
        """What `to_parquet` gave."""
        found = cls()
        for batch in pq.ParquetFile(pa.BufferReader(content)).iter_batches():
            for record in batch.to_pylist():
                found.add(record["row"], Duplicate(record["of"], record["kind"], record["identical"]))
        return found
