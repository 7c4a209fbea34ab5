"""A dry run: what a run over a table would bring, told from a sample of its rows. Nothing is written."""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from pathlib import Path

from ..errors import LanguageNotServed, TableError
from ..reading import normal_language
from .coding import code_row
from .legacy import Legacy, LegacyOptions
from .prepare import input_sha256
from .sampling import SAMPLE_SIZE, Forecast, SystematicSample
from .shard_run import LoadedBundle
from .shards import ShardRow
from .tables import InputOptions, Row, open_input


@dataclass(frozen=True)
class DryRun:
    """What was found: the forecast, the number of rows of the table, and sentences worth telling."""

    forecast: Forecast
    rows: int
    notes: tuple[str, ...]


def dry_run(
    loaded: LoadedBundle,
    source: Path,
    *,
    options: InputOptions | None = None,
    legacy: LegacyOptions | None = None,
    language: str | None = None,
    size: int = SAMPLE_SIZE,
) -> DryRun:
    """Read the whole table once, and code ``size`` of its rows in this process, as `run_bulk` would.

    Raises
    ------
    LanguageNotServed
        ``language`` is none of the bundle's. Nothing was read.
    TableError
        The input cannot be read, has no rows, or a column or sheet has to be chosen.
    """
    stated = normal_language(language)
    if stated and stated not in loaded.languages:
        raise LanguageNotServed(stated, loaded.languages)
    wanted = legacy or LegacyOptions()
    options = replace(options or InputOptions(), joined=wanted.join)
    reading = Legacy(wanted, loaded, source, language=stated, precision=loaded.auto_precision)
    sample: SystematicSample[tuple[Row, ShardRow]] = SystematicSample(input_sha256(source), size)
    with open_input(source, options) as table:
        taking = reading.take(table)
        for row in table.rows():
            sample.offer((row, taking.take(row)))
        notes = (*table.notes, *reading.reading_notes)
    if not sample.seen:
        raise TableError("the input has no rows")
    forecast = _forecast(reading, loaded, sample)
    return DryRun(forecast, sample.seen, (*notes, *(f"in the sample, {said}" for said in reading.unmapped.notes)))


def _forecast(reading: Legacy, loaded: LoadedBundle, sample: SystematicSample[tuple[Row, ShardRow]]) -> Forecast:
    pipeline = loaded.pipeline  # loaded before the clock runs
    forecast = Forecast(loaded.auto_precision)
    for row, taken in sample.items():
        started = time.perf_counter()
        outcome = code_row(pipeline, taken)
        seconds = time.perf_counter() - started
        analysis, error = (None, outcome) if isinstance(outcome, str) else (outcome, None)
        people = reading.people(row)
        reading.unmapped.add(people)
        forecast.add(analysis, people, seconds=seconds, error=error)
    return forecast
