"""The account that a run gives of itself: its report, and a sheet of rows to check by hand."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path

from .. import __version__
from ..bundle import open_bundle
from ..types import Analysis
from .legacy import Legacy
from .report import CheckSample, Collector, RunFacts, RunReport, check_path, write_report
from .shard_run import LoadedBundle
from .shards import Plan
from .tables import InputOptions, InputTable, Row, open_input

REPORTS = (".report.html", ".report.json")
_ROWS_FOR_DATES = 2_000  # looked at to learn whether days or months stand first


def report_paths(target: Path) -> tuple[Path, ...]:
    """Where the reports of an output lie."""
    return tuple(target.with_name(target.name + ending) for ending in REPORTS)


class Account:
    """Counts rows while the output is put together, as `Legacy` makes them; see `assemble.Observer`.

    ``check`` is how many rows are drawn to be checked by hand. ``files`` are those that it has written.
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
        language: str,
        engine: str,
        workers: int | None,
    ) -> None:
        self._legacy = legacy
        self._loaded = loaded
        self._source, self._target = source, target
        self._options = options
        self._wants_report = report
        self._check_rows = check
        self._language = language
        self._engine, self._workers = engine, workers
        self._started = datetime.now(UTC).isoformat(timespec="seconds")
        self._began = time.monotonic()
        self.resumed = False
        """Whether the run goes on from one that was stopped; to be set before it ends."""
        self._plan: Plan | None = None
        self._collector = _collector(loaded)
        self._sample: CheckSample | None = None
        self.files: list[Path] = []

    def begin(self, table: InputTable, plan: Plan, work: Path) -> None:
        """Learn how the table writes its dates, before the first of them is read."""
        self._plan = plan
        if self._legacy.months:
            with open_input(self._source, self._options) as again:
                for row in islice(again.rows(), _ROWS_FOR_DATES):
                    self._legacy.months.see(row.cells)
        if self._check_rows:
            self._sample = CheckSample(self._legacy.codebook, self._check_rows, seed=plan.input.sha256)

    def written(self, row: Row, analysis: Analysis | None, error: str | None) -> None:
        """Count a row."""
        legacy = self._legacy
        status = "failed" if analysis is None else legacy.status(row, analysis)
        self._collector.add(
            row.number,
            status,
            analysis,
            error,
            country=None if row.problem else legacy.country(row),
            month=legacy.months.read(row.cells) if legacy.months and not row.problem else None,
            duplicate=legacy.duplicate_kind(row),
            person_codes=legacy.people(row),
        )
        if self._sample:
            self._sample.add(row.number, status, analysis)

    def end(self) -> None:
        """Write what was asked for, beside the output. Raises `OutputError`."""
        if self._wants_report:
            report = self._report()
            for path in report_paths(self._target):
                write_report(report, path, language=self._language)
                self.files.append(path)
        if self._sample and self._sample.rows_of:
            self._sample.write(check_path(self._target), language=self._language)
            self.files.append(check_path(self._target))

    def _report(self) -> RunReport:
        assert self._plan is not None  # noqa: S101 (the run has begun)
        agreement, unmapped = self._legacy.agreement, self._legacy.unmapped
        return self._collector.finish(
            self._facts(self._plan),
            agreement=agreement.to_json() if agreement.axes else None,
            unmapped=unmapped.labels if agreement.axes else None,
            unmapped_rows=unmapped.rows if agreement.axes else None,
        )

    def _facts(self, plan: Plan) -> RunFacts:
        return RunFacts(
            bundle=plan.bundle_name,
            bundle_digest=plan.bundle_digest,
            codebook=str(self._loaded.codebook),
            codebook_digest=self._loaded.codebook.digest,
            casecoder=__version__,
            input_sha256=plan.input.sha256,
            seconds=round(time.monotonic() - self._began, 1),
            precision=self._loaded.auto_precision,
            started=self._started,
            engine=self._engine,
            workers=self._workers,
            resumed=self.resumed,
        )


def _collector(loaded: LoadedBundle) -> Collector:
    if loaded.folder is None:
        return Collector(loaded.codebook, policy=loaded.pipeline.policy)
    return Collector.of(open_bundle(loaded.folder), precision=loaded.auto_precision)
