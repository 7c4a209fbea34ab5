"""The account that a run gives of itself: its report, and a sheet of rows to check by hand."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path

from .. import __version__
from ..bundle import open_bundle
from ..types import Analysis
from .layout import Cell
from .legacy import Legacy
from .report import CheckSample, Collector, MonthColumn, RunFacts, check_path, write_report
from .shard_run import LoadedBundle
from .shards import Plan
from .tables import InputOptions, InputTable, Row, open_input
from .taking import Taking

REPORTS = (".report.html", ".report.json")
_ROWS_FOR_DATES = 2_000  # looked at to learn whether days or months stand first


def report_paths(target: Path) -> tuple[Path, ...]:
    """Where the reports of an output lie."""
    return tuple(target.with_name(target.name + ending) for ending in REPORTS)


class Account:
    """Counts rows while the output is put together, beside what `Legacy` does with them; see `assemble.Finish`.

    ``check`` is how many rows are drawn to be checked by hand. ``date_column`` is a name, or a number from 1.
    """

    def __init__(
        self,
        legacy: Legacy,
        loaded: LoadedBundle,
        source: Path,
        target: Path,
        *,
        options: InputOptions,
        report: bool,
        check: int,
        date_column: str | None,
        language: str,
    ) -> None:
        self._legacy = legacy
        self._loaded = loaded
        self._source, self._target = source, target
        self._options = options
        self._wants_report = report
        self._check_rows = check
        self._date_column = date_column
        self._language = language
        self._started = datetime.now(UTC).isoformat(timespec="seconds")
        self._months: MonthColumn | None = None
        self._collector = _collector(loaded)
        self._sample: CheckSample | None = None
        self.files: list[Path] = []

    def take(self, table: InputTable) -> Taking:
        """Which cells of this table are coded; raises `TableError` for a column that is not there, before hours of
        work."""
        MonthColumn.find(table.columns, self._date_column)
        return self._legacy.take(table)

    def begin(self, table: InputTable, taking: Taking, work: Path, plan: Plan, key: bytes | None) -> Mapping[str, Cell]:
        self._months = MonthColumn.find(table.columns, self._date_column)
        if self._months:
            with open_input(self._source, self._options) as again:
                for row in islice(again.rows(), _ROWS_FOR_DATES):
                    self._months.see(row.cells)
        if self._check_rows:
            self._sample = CheckSample(self._legacy.codebook, self._check_rows, seed=plan.input.sha256)
        return self._legacy.begin(table, taking, work, plan, key)

    def outcome(self, row: Row, analysis: Analysis) -> Analysis:
        return self._legacy.outcome(row, analysis)

    def status(self, row: Row, analysis: Analysis) -> str:
        return self._legacy.status(row, analysis)

    def written(self, row: Row, analysis: Analysis | None, error: str | None) -> None:
        self._legacy.written(row, analysis, error)
        status = "failed" if analysis is None else self.status(row, analysis)
        self._collector.add(
            row.number,
            status,
            analysis,
            error,
            country=None if row.problem else self._legacy.country(row),
            month=self._months.read(row.cells) if self._months and not row.problem else None,
            duplicate=self._legacy.duplicate_kind(row),
            person_codes=self._legacy.people(row),
        )
        if self._sample:
            self._sample.add(row.number, status, analysis)

    def notes(self) -> Sequence[str]:
        return self._legacy.notes()

    def write(self, plan: Plan, *, seconds: float, engine: str, workers: int) -> None:
        """Write what was asked for, beside the output. Raises `OutputError`."""
        agreement = self._legacy.agreement
        facts = RunFacts(
            bundle=plan.bundle_name,
            bundle_digest=plan.bundle_digest,
            codebook=str(self._loaded.codebook),
            codebook_digest=self._loaded.codebook.digest,
            casecoder=__version__,
            input_sha256=plan.input.sha256,
            seconds=round(seconds, 1),
            precision=self._loaded.auto_precision,
            started=self._started,
            engine=engine,
            workers=workers,
        )
        unmapped = self._legacy.unmapped
        report = self._collector.finish(
            facts,
            agreement=agreement.to_json() if agreement.axes else None,
            unmapped=unmapped.labels if agreement.axes else None,
            unmapped_rows=unmapped.rows if agreement.axes else None,
        )
        if self._wants_report:
            for path in report_paths(self._target):
                write_report(report, path, language=self._language)
                self.files.append(path)
        if self._sample and self._sample.rows_of:
            self._sample.write(check_path(self._target), language=self._language)
            self.files.append(check_path(self._target))


def _collector(loaded: LoadedBundle) -> Collector:
    if loaded.folder is None:
        return Collector(loaded.codebook, policy=loaded.pipeline.policy)
    return Collector.of(open_bundle(loaded.folder), precision=loaded.auto_precision)
