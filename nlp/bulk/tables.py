"""Tables of cases, in and out: CSV, XLSX, JSONL and Parquet behind one pair of functions.

Reading streams, keeps every row in order, and finds out what it is not told; what it found is in the notes. A row that
cannot be trusted comes with a problem instead of stopping the run. Writing gives a whole file or none.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from itertools import chain, repeat
from pathlib import Path
from types import TracebackType
from typing import Any, BinaryIO

from ..errors import TableError
from .about import About
from .columns import SAMPLE_ROWS, plan
from .csv_input import CsvSource
from .jsonl_input import JsonlSource
from .output import CsvWriter, JsonlWriter, OutputTable, Writer
from .parquet_input import ParquetSource
from .parquet_output import ParquetWriter
from .replacing import replacing, writing
from .source import Record, Source
from .values import InputOptions, Row, text_of, unescape_cell, unique_names
from .xlsx_input import XlsxSource
from .xlsx_output import XlsxWriter

__all__ = [
    "INPUT_FORMATS",
    "OUTPUT_FORMATS",
    "InputOptions",
    "InputTable",
    "OutputTable",
    "Row",
    "check_ending",
    "open_input",
    "open_output",
    "text_of",
    "unescape_cell",
    "unique_names",
]

_SAMPLE_CHARACTERS = 1 << 22  # of very long rows, fewer are looked at

_READERS: Mapping[str, Callable[[Path, InputOptions], Source]] = {
    ".csv": CsvSource,
    ".tsv": CsvSource,
    ".xlsx": XlsxSource,
    ".jsonl": JsonlSource,
    ".parquet": ParquetSource,
}
INPUT_FORMATS = tuple(_READERS)
OUTPUT_FORMATS = INPUT_FORMATS
_SPREADSHEETS = frozenset({".xls", ".xlsm", ".xlsb", ".ods", ".numbers"})


class InputTable:
    """A table that is open for reading; a context manager.

    ``text_at`` and ``id_at`` are places in ``columns`` from 0; ``has_header`` tells whether the file names its columns;
    ``notes`` are sentences about what was found out;
    ``arrow_types`` maps columns to Arrow types where the input is Parquet; ``sheet`` is the number of the one that is
    read, as text, where the input is a workbook.
    """

    def __init__(self, source: Source, options: InputOptions) -> None:
        self._source = source
        records = _readable(source.records())
        named = source.names is not None
        first = Record(source.names) if source.names is not None else next((row for row in records if row.cells), None)
        if first is None:
            raise TableError("there is no row in this table: give a file with one case a row")
        sample = _sample(records)
        layout = plan(_widened(first, sample, source), [row.cells for row in sample if row.cells], options, named=named)
        self._records: Iterator[Record] = chain([] if layout.has_header else [first], _drain(sample), records)
        if source.delimiter is not None:
            self._records = _without_blank_lines(self._records, one_column=len(layout.columns) == 1)
        self.columns = layout.columns
        self.has_header = layout.has_header
        self.text_at = layout.text_at
        self.id_at = layout.id_at
        self.notes = (*source.notes, *layout.notes)
        self.delimiter = source.delimiter
        self.arrow_types = source.arrow_types
        self.sheet = source.sheet

    def rows(self) -> Iterator[Row]:
        """The rows in order; one pass."""
        for number, record in enumerate(self._records, start=1):
            cells, problem = self._fit(record.cells)
            yield Row(number, cells, "; ".join(filter(None, [record.problem, problem])) or None)

    def progress(self) -> float | None:
        """Share of the input that was read, in [0, 1], or None."""
        return self._source.progress()

    def close(self) -> None:
        self._source.close()

    def __enter__(self) -> InputTable:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _fit(self, cells: Sequence[Any]) -> tuple[tuple[Any, ...], str | None]:
        width = len(self.columns)
        problem = None
        if self.delimiter is not None and len(cells) < width:
            problem = f"the row has {len(cells)} cells for {width} columns: a line break or delimiter without quotes?"
        elif any(cell not in (None, "") for cell in cells[width:]):
            problem = f"the row has {len(cells)} cells for {width} columns; those beyond were left out"
        return (*cells[:width], *[self._source.blank] * (width - len(cells))), problem


def open_input(
    path: Path,
    options: InputOptions = InputOptions(),  # noqa: B008 (a frozen value)
    *,
    vouched: bool = False,
) -> InputTable:
    """Open a table by the ending of its name; raises ``TableError``, which says what is wrong and what to do.

    ``vouched``: a receipt knows the very file as one of ours, so that it may be as large as we have written it.
    """
    reader = _READERS.get(path.suffix.lower())
    if reader is None:
        raise TableError(_unknown_ending(path, INPUT_FORMATS))
    if path.is_dir():
        raise TableError(f"{path} is a folder: give the name of a file in it")
    try:
        source = XlsxSource(path, options, vouched=True) if vouched and reader is XlsxSource else reader(path, options)
    except FileNotFoundError:
        raise TableError(f"there is no file {path}") from None
    except PermissionError:
        raise TableError(f"{path} cannot be opened: there is no permission, or another program has it open") from None
    except OSError:
        raise TableError(f"{path} cannot be read: the disk or the network fails") from None
    try:
        return InputTable(source, options)
    except BaseException:
        source.close()
        raise


@contextmanager
def open_output(
    path: Path,
    columns: Sequence[str],
    *,
    schema: Mapping[str, Any] | None = None,
    delimiter: str = ",",
    keep_earlier: bool = False,
    about: About | None = None,
) -> Iterator[OutputTable]:
    """A table to write to, in the format of the ending; it appears whole when the block ends well, or not at all.

    ``schema`` maps columns to Arrow types that Parquet keeps (see ``InputTable.arrow_types``); others become strings.
    With ``keep_earlier``, a file with content that stands there is kept beside the new one, as ``OutputTable.kept``.
    ``about`` explains the columns: on a sheet of its own in .xlsx, in the schema of .parquet.
    Raises ``OutputError`` where the system refuses, ``TableError`` for an unknown ending.
    """
    check_ending(path)
    if len(set(columns)) < len(columns):
        raise ValueError("two columns have the same name; see unique_names")
    with replacing(path, keep_earlier=keep_earlier) as place:
        with writing(path):
            writer = _writer(path.suffix.lower(), place.file, columns, schema, delimiter, about)
        table = OutputTable(path, columns, writer)
        try:
            yield table
            with writing(path):
                writer.finish()
        except BaseException:
            writer.abort()
            raise
    table.kept = place.kept


def _writer(
    ending: str,
    file: BinaryIO,
    columns: Sequence[str],
    schema: Mapping[str, Any] | None,
    delimiter: str,
    about: About | None,
) -> Writer:
    if ending == ".xlsx":
        return XlsxWriter(file, columns, about)
    if ending == ".jsonl":
        return JsonlWriter(file, columns)
    if ending == ".parquet":
        return ParquetWriter(file, columns, schema, about)
    return CsvWriter(file, columns, "\t" if ending == ".tsv" else delimiter)


def check_ending(path: Path) -> None:
    """Raise `TableError` for an output whose ending names no format."""
    if path.suffix.lower() not in OUTPUT_FORMATS:
        raise TableError(_unknown_ending(path, OUTPUT_FORMATS))


def _unknown_ending(path: Path, known: Sequence[str]) -> str:
    resave = "; a spreadsheet can be saved as .xlsx" if path.suffix.lower() in _SPREADSHEETS else ""
    return f"the ending {path.suffix or '(none)'} is not known: use one of {', '.join(known)}{resave}"


def _readable(records: Iterator[Record]) -> Iterator[Record]:
    """The records, with failures of the disk as a sentence."""
    try:
        yield from records
    except OSError:
        raise TableError("the input cannot be read any further: the disk or the network fails") from None


def _sample(records: Iterator[Record]) -> list[Record]:
    sample: list[Record] = []
    size = 0
    for record in records:
        sample.append(record)
        size += sum(len(cell) for cell in record.cells if isinstance(cell, str))
        if len(sample) >= SAMPLE_ROWS or size >= _SAMPLE_CHARACTERS:
            break
    return sample


def _widened(first: Record, sample: list[Record], source: Source) -> Sequence[Any]:
    """The first row, as wide as the sheet: there, unlike in CSV, a cell beyond the names is no accident of reading."""
    if source.names is not None or source.delimiter is not None:
        return first.cells
    width = max(len(row.cells) for row in (first, *sample))
    return [*first.cells, *[source.blank] * (width - len(first.cells))]


def _drain(sample: list[Record]) -> Iterator[Record]:
    """The sampled records, let go of one by one."""
    sample.reverse()
    while sample:
        yield sample.pop()


def _without_blank_lines(records: Iterator[Record], *, one_column: bool) -> Iterator[Record]:
    """Leave out lines of CSV with nothing on them; in a table of one column they are empty cells, except at the end."""
    held = 0
    for record in records:
        if not record.cells:
            held += one_column
            continue
        yield from repeat(Record([""]), held)
        held = 0
        yield record
