"""Bulk coding: one output row for each input row, in order, whatever happens to a row on its way.

The table is cut into shards, an engine codes them, and the output is put together from their results: see `prepare`,
`engines` and `assemble`. A run that was stopped goes on where it was.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from .. import __version__
from ..errors import OutputError, RunError, TableError
from ..pipeline import Pipeline
from . import ooxml
from .account import Account
from .assemble import Observer, Report, assemble, check_input
from .engines.local import ROW_SECONDS, available_cores, run_local
from .layout import Status, strongest_of
from .legacy import Legacy, LegacyOptions
from .prepare import RowWatcher, coding_options, prepare
from .progress import Progress
from .proof import receipt_path_of, report_of_ended, write_receipt
from .replacing import check_place
from .shard_run import BULK_MAX_CHARACTERS, LoadedBundle
from .shards import Plan
from .stopping import stopping_in_order
from .tables import InputOptions, check_ending
from .taking import served_language
from .undo_file import undo_path
from .work import Work, work_folder, working

__all__ = ["BULK_MAX_CHARACTERS", "BulkOptions", "LoadedBundle", "Progress", "Report", "run_bulk"]

ENGINES = ("local", "spark")

_SETTINGS = {"max_characters": "CASECODER_MAX_CHARACTERS"}  # where it is no option of the command that sets it


@dataclass(frozen=True)
class BulkOptions:
    """How a run works, and what it does beside coding.

    ``work`` is the folder to work in, by default one beside the output; ``workers`` the number of processes, by
    default one a core; ``row_seconds`` how long a row of up to 50,000 characters may take before it is set apart.
    ``guarded`` has a process of its own for any number of workers and rows, so that it always is.
    ``key`` seals what lies in the work folder; ``key_file`` is where other machines find it. ``keep_work`` leaves
    that folder where it is, for a program that has still to bring the output into safety. ``legacy`` is for what
    else a legacy file holds; None reads the narrative alone. ``report`` writes the account of the run, ``check`` a
    sheet of that many rows to check by hand. ``watchers`` see each row when the table is read; ``observers`` make, of
    the run's `Legacy`, what looks on while the output is put together.
    """

    engine: str = "local"
    workers: int | None = None
    resume: bool = False
    restart: bool = False
    work: Path | None = None
    keep_work: bool = False
    key: bytes | None = field(default=None, repr=False)
    key_file: Path | None = None
    shard_rows: int | None = None
    row_seconds: float = ROW_SECONDS
    guarded: bool = False
    legacy: LegacyOptions | None = None
    watchers: tuple[RowWatcher, ...] = field(default=(), repr=False)
    observers: tuple[Callable[[Legacy], Observer], ...] = field(default=(), repr=False)
    report: bool = False
    check: int = 0
    report_language: str = "en"


def run_bulk(
    pipeline: Pipeline | LoadedBundle,
    source: Path,
    target: Path,
    *,
    options: InputOptions | None = None,
    all_codes: bool = False,
    keep_text: bool = False,
    wide: bool = False,
    undo: bool = False,
    status: Status = strongest_of,
    language: str | None = None,
    preview: int = 0,
    on_progress: Callable[[Progress], None] = lambda progress: None,
    bulk: BulkOptions = BulkOptions(),
) -> Report:
    """Code every row of a table into another one.

    The output appears whole or not at all; a file that stood there before is kept beside it with the ending ``.bak``,
    or ``.bak2`` and so on. Rows that cannot be analyzed get an ``error`` and no text; of rows that cannot even be read,
    no cell is copied unless the text is kept. ``wide`` gives tables a column for each code; ``undo`` writes a file
    beside the output by which `undo_run` takes the codes out again; ``status`` makes the column ``decision`` where
    ``bulk.legacy`` does not. Beside the output lies its receipt, see `proof`.

    A pipeline that was made in memory works in this process alone; a `LoadedBundle` in others, too.

    Raises
    ------
    LanguageNotServed
        ``language`` is none of the bundle's. Nothing was read.
    TableError
        The input cannot be read, or a column or sheet has to be chosen.
    RunError
        There is unfinished work that this run must not go on with, or nobody said what to do with it.
    OutputError
        The output cannot be written. Nothing of it is left. After this, as after any stop, shards that are done stay
        in the work folder, and the error has a note that says so.
    """
    loaded = pipeline if isinstance(pipeline, LoadedBundle) else LoadedBundle.of(pipeline)
    options = options or InputOptions()
    _check(loaded, source, target, language, bulk)
    started = time.monotonic()
    if (bulk.report or bulk.check or bulk.observers) and bulk.legacy is None:
        bulk = replace(bulk, legacy=LegacyOptions(duplicates=False))
    legacy = _legacy(loaded, target, served_language(language, loaded.languages), bulk.legacy)
    options = replace(options, joined=bulk.legacy.join) if bulk.legacy else options
    account = _account(legacy, loaded, source, target, options, bulk)
    observers = (*filter(None, [account]), *(make(legacy) for make in bulk.observers if legacy))
    folder = bulk.work or work_folder(target)
    with stopping_in_order(), working(folder, resume=bulk.resume, restart=bulk.restart) as work:
        if work.ended and (told := report_of_ended(target, work.ended)):
            work.finished = True
            return told
        plan = _plan(work, loaded, source, options, language, bulk, legacy)
        if target.suffix.lower() == ".xlsx" and plan.input.rows >= ooxml.MAX_ROWS:
            raise OutputError(f".xlsx holds at most {ooxml.MAX_ROWS:,} rows: write .csv, .jsonl or .parquet")
        if account:
            account.resumed = work.earlier is not None
        _code(work, plan, loaded, bulk, on_progress)
        assembled = assemble(
            work.path,
            plan,
            source,
            target,
            options=options,
            codebook=loaded.codebook,
            language=language,
            take=legacy.take if legacy else None,
            finish=legacy,
            observers=observers,
            all_codes=all_codes,
            keep_text=keep_text,
            wide=wide,
            undo=undo,
            status=status,
            preview=preview,
            key=bulk.key,
        )
        report = assembled.report
        for observer in observers:
            observer.end()
        report.beside += [*([undo_path(target)] if undo else []), *(account.files if account else [])]
        report.seconds = time.monotonic() - started
        report.resumed = work.earlier is not None
        write_receipt(
            target,
            plan,
            assembled,
            options=options,
            codebook=str(loaded.codebook),
            keep_text=keep_text,
            seconds=report.seconds,
        )
        work.finished = not bulk.keep_work
    return report


def _code(
    work: Work, plan: Plan, loaded: LoadedBundle, bulk: BulkOptions, on_progress: Callable[[Progress], None]
) -> None:
    """Code the shards that are not done yet."""
    if bulk.engine == "spark":
        from .engines.spark import run_spark
        from .engines.spark_settings import SparkSettings

        settings = SparkSettings.from_env(workers=bulk.workers, row_seconds=bulk.row_seconds, key_file=bulk.key_file)
        run_spark(work.path, plan, bundle=loaded, settings=settings, on_progress=on_progress)
        return
    run_local(
        work.path,
        plan,
        bundle=loaded,
        workers=bulk.workers,
        row_seconds=bulk.row_seconds,
        on_progress=on_progress,
        key=bulk.key,
        again=bulk.guarded or work.earlier is not None,
    )


def _check(loaded: LoadedBundle, source: Path, target: Path, language: str | None, bulk: BulkOptions) -> None:
    """Refuse what can be known to fail before anything is read."""
    if bulk.engine not in ENGINES:
        raise RunError(f"there is no engine {bulk.engine!r}: use one of {', '.join(ENGINES)}")
    if bulk.resume and bulk.restart:
        raise RunError("--resume goes on with unfinished work and --restart throws it away: give one of them")
    if target.exists() and source.exists() and target.samefile(source):
        raise TableError("input and output are the same file: give the output another name")
    served_language(language, loaded.languages)
    check_ending(target)
    for path in (target, receipt_path_of(target)):
        check_place(path)


def _legacy(loaded: LoadedBundle, target: Path, language: str | None, options: LegacyOptions | None) -> Legacy | None:
    if options is None:
        return None
    return Legacy(options, loaded, target, language=language, precision=loaded.auto_precision)


def _account(
    legacy: Legacy | None,
    loaded: LoadedBundle,
    source: Path,
    target: Path,
    options: InputOptions,
    bulk: BulkOptions,
) -> Account | None:
    if legacy is None or not (bulk.report or bulk.check):
        return None
    return Account(
        legacy,
        loaded,
        source,
        target,
        options=options,
        report=bulk.report,
        check=bulk.check,
        language=bulk.report_language,
        engine=bulk.engine,
        workers=bulk.workers or (available_cores() if bulk.engine == "local" else None),
    )


def _plan(
    work: Work,
    loaded: LoadedBundle,
    source: Path,
    options: InputOptions,
    language: str | None,
    bulk: BulkOptions,
    legacy: Legacy | None,
) -> Plan:
    """The plan of the earlier run, if this one may go on with it; else a new one."""
    further = legacy.options.to_json() if legacy else {}
    if work.earlier:
        asked = coding_options(options, loaded, language, further, key=bulk.key)
        _check_earlier(work.earlier, loaded, source, asked, bulk.key)
        return work.earlier
    return prepare(
        source,
        work.path,
        options,
        bundle=loaded,
        language=language,
        take=legacy.take if legacy else None,
        watchers=(*bulk.watchers, *(legacy.watchers(work.path, bulk.key) if legacy else ())),
        shard_rows=bulk.shard_rows,
        key=bulk.key,
        further=further,
    )


def _check_earlier(plan: Plan, loaded: LoadedBundle, source: Path, options: dict[str, Any], key: bytes | None) -> None:
    """Raise `RunError` where what comes out would not be one run: it says what changed and what to do."""
    anew = "or begin anew with --restart"
    plan.check_key(key)
    if plan.version != __version__:
        raise RunError(f"the run was begun by casecoder {plan.version}, this is {__version__}: use that one, {anew}")
    if plan.bundle_digest != loaded.digest:
        again = "" if plan.bundle_name == loaded.name else f", not {loaded.name}"
        raise RunError(f"the run was begun with the bundle {plan.bundle_name} as it was then{again}: give it, {anew}")
    changed = [name for name, value in options.items() if plan.options.get(name) != value]
    if changed:
        listed = ", ".join(_SETTINGS.get(name, f"--{name.replace('_', '-')}") for name in changed)
        raise RunError(f"the run was begun with other options ({listed}): give the same ones, {anew}")
    if os.path.lexists(source):
        check_input(plan, source)
    else:
        raise TableError(f"there is no file {source}")
