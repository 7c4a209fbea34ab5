"""A dry run: what a run over a table would bring, told from one pass over it and a sample of its rows that is coded.
Nothing is written but, for as long as the pass lasts, hashes by which rows that repeat each other are found."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, field, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from ..errors import TableError
from ..types import Analysis
from .agreement import Agreement
from .coding import code_row
from .legacy import DuplicateWatcher, Legacy, LegacyOptions
from .prepare import input_sha256
from .sampling import SAMPLE_SIZE, Forecast, SystematicSample
from .shard_run import LoadedBundle
from .shards import ShardRow
from .tables import InputOptions, Row, open_input
from .taking import served_language
from .unmapped import UnmappedLabels

MOST_COMPARED = 50_000  # rows; with 100 words each they take a core half a minute
LISTED_LABELS = 20


@dataclass
class DryRun:
    """What was found. The forecast and the agreement are of the sample, all else of the whole table.

    ``by_person`` counts by axis the rows that a person coded. ``duplicates`` counts by kind those among the first
    ``compared`` rows, and is None where nobody looked for them. ``examples`` are coded rows of the sample.
    """

    forecast: Forecast
    agreement: Agreement
    rows: int = 0
    unreadable: int = 0
    empty: int = 0
    by_person: Counter[str] = field(default_factory=Counter)
    unmapped: UnmappedLabels = field(default_factory=UnmappedLabels)
    compared: int = 0
    duplicates: dict[str, int] | None = None
    examples: list[tuple[int, Analysis]] = field(default_factory=list, repr=False)
    notes: tuple[str, ...] = ()

    def to_json(self, *, workers: int) -> dict[str, Any]:
        """As plain values. The labels that nobody could look up are content of the table."""
        repeated = None if self.duplicates is None else {"compared": self.compared, **self.duplicates}
        labels = self.unmapped.most_frequent(LISTED_LABELS)
        return {
            "unreadable": self.unreadable,
            "empty": self.empty,
            "forecast": self.forecast.to_json(rows=self.rows, workers=workers),
            "duplicates": repeated,
            "people": {axis: self._people(axis) for axis in self.agreement.axes},
            "unmapped": {
                "rows": self.unmapped.rows,
                "labels": self.unmapped.labels,
                "most_frequent": [{"axis": axis, "label": label, "rows": rows} for axis, label, rows in labels],
            },
        }

    def sentences(self, *, workers: int) -> list[str]:
        """The same as people read it, without any label."""
        said = [*self.notes, *self.forecast.sentences(rows=self.rows, workers=workers)]
        if self.unreadable or self.empty:
            said.append(f"{self.empty:,} row(s) have no narrative, {self.unreadable:,} cannot be read")
        if self.duplicates is not None:
            among = "" if self.compared == self.rows else f" of the first {self.compared:,}"
            repeated = f"{self.duplicates['exact']:,} row(s){among} repeat the text of an earlier one"
            said.append(f"{repeated} and {self.duplicates['near']:,} nearly do")
        for axis in self.agreement.axes:
            found = self._people(axis)
            coded = f"{axis}: a person coded {found['rows']:,} row(s)"
            same = f"; in {found['same']} of {found['compared']} sampled ones the machine suggests the same codes"
            said.append(coded + (same if found["compared"] else ""))
        return [*said, *self.unmapped.notes]

    def _people(self, axis: str) -> dict[str, Any]:
        """Rows that a person coded; of the sampled ones among them, in how many the machine says the same."""
        return {**self.agreement.axes[axis].short_json(), "rows": self.by_person[axis]}


def dry_run(
    loaded: LoadedBundle,
    source: Path,
    *,
    options: InputOptions | None = None,
    legacy: LegacyOptions | None = None,
    language: str | None = None,
    size: int = SAMPLE_SIZE,
    examples: int = 0,
    scratch: Path | None = None,
) -> DryRun:
    """Read the whole table once, and code ``size`` of its rows in this process, as `run_bulk` would.

    ``scratch`` is the folder for what lies on the disk meanwhile, by default that of the system.

    Raises
    ------
    LanguageNotServed
        ``language``, or that of rows which state none, is none of the bundle's. Nothing was read.
    TableError
        The input cannot be read, has no rows, or a column or sheet has to be chosen; or the mapping cannot be used.
    """
    wanted = legacy or LegacyOptions()
    options = replace(options or InputOptions(), joined=wanted.join)
    stated = served_language(language, loaded.languages)
    reading = Legacy(wanted, loaded, source, language=stated, precision=loaded.auto_precision)
    sample: SystematicSample[tuple[Row, ShardRow]] = SystematicSample(input_sha256(source), size)
    found = _read(reading, source, options, sample, scratch)
    if not found.rows:
        raise TableError("the input has no rows")
    _code(reading, loaded, sample, found, examples)
    return found


def _read(
    reading: Legacy,
    source: Path,
    options: InputOptions,
    sample: SystematicSample[tuple[Row, ShardRow]],
    scratch: Path | None,
) -> DryRun:
    """One pass over the table: what can be told without coding."""
    comparing = _comparing(scratch) if reading.options.duplicates else nullcontext()
    with open_input(source, options) as table, comparing as duplicates:
        taking = reading.take(table)
        found = DryRun(Forecast(reading.precision), Agreement(reading.codebook, reading.axes))
        for row in table.rows():
            taken = taking.take(row)
            people = reading.people(row)
            found.rows += 1
            found.unreadable += taken.text is None
            found.empty += taken.text is not None and not taken.text.strip()
            found.by_person.update(axis for axis, codes in people.items() if codes.given)
            found.unmapped.add(people)
            if duplicates and row.number <= MOST_COMPARED:
                duplicates.see(row, taken)
            sample.offer((row, taken))
        if duplicates:
            found.compared, found.duplicates = min(found.rows, MOST_COMPARED), duplicates.counts
        found.notes = (*table.notes, *reading.found())
    return found


@contextmanager
def _comparing(scratch: Path | None) -> Iterator[DuplicateWatcher]:
    with TemporaryDirectory(prefix="casecoder-", dir=scratch) as folder:
        watcher = DuplicateWatcher(Path(folder), None)
        try:
            yield watcher
        finally:
            watcher.close()


def _code(
    reading: Legacy,
    loaded: LoadedBundle,
    sample: SystematicSample[tuple[Row, ShardRow]],
    found: DryRun,
    examples: int,
) -> None:
    """Code the sample, each row by itself."""
    pipeline = loaded.pipeline  # loaded before the clock runs
    for row, taken in sample.items():
        started = time.perf_counter()
        outcome = code_row(pipeline, taken)
        seconds = time.perf_counter() - started
        analysis, error = (None, outcome) if isinstance(outcome, str) else (outcome, None)
        people = reading.people(row)
        found.forecast.add(analysis, people, seconds=seconds, error=error)
        found.agreement.add(people, analysis)
        if analysis and len(found.examples) < examples:
            found.examples.append((row.number, analysis))
