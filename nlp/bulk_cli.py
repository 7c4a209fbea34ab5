"""``casecoder bulk`` and ``casecoder verify``: files of legacy cases, and the proof of what became of them."""

from __future__ import annotations

import functools
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, ParamSpec, TypeVar

import typer

from .errors import SettingsError
from .keys import VARIABLE, read_key
from .options import (
    READING,
    BundleOption,
    DelimiterOption,
    EncodingOption,
    HeaderOption,
    IdColumnOption,
    LanguageOption,
    SheetOption,
    TextColumnOption,
)

if TYPE_CHECKING:
    from .bulk.run import BulkOptions, LoadedBundle
    from .bulk.tables import InputOptions

EXIT_REFUSED = 2  # the input, a file or a setting cannot be used
EXIT_ROW_ERRORS = 3  # bulk ended, some rows have an error

_P = ParamSpec("_P")
_R = TypeVar("_R")

PEOPLE = "What people coded, and what may be set by itself"
WRITING = "What is written"
RUNNING = "How the work is done"

_KEY_HELP = f"File with a key, see `new-key`, that seals the work folder; else {VARIABLE}; else none."
KeyOption = Annotated[Path | None, typer.Option("--key-file", metavar="FILE", help=_KEY_HELP)]


class Engine(StrEnum):
    """What runs the shards."""

    local = "local"
    spark = "spark"


class Language(StrEnum):
    """Languages of what is written for people."""

    en = "en"
    ru = "ru"


class ProgressStyle(StrEnum):
    """How progress is shown on standard error."""

    auto = "auto"
    json = "json"
    none = "none"


def _guarded(command: Callable[_P, _R]) -> Callable[_P, _R]:
    """As all commands are guarded; found when a command runs, since the module of the commands loads this one."""

    @functools.wraps(command)
    def run(*args: _P.args, **kwargs: _P.kwargs) -> _R:
        from .cli import guarded

        return guarded(command)(*args, **kwargs)

    return run


@_guarded
def bulk(
    source: Annotated[
        Path, typer.Argument(metavar="INPUT", help="Legacy cases: .csv, .tsv, .xlsx, .jsonl or .parquet.")
    ],
    target: Annotated[
        Path | None,
        typer.Option(
            "--output",
            "-o",
            metavar="OUTPUT",
            help="Where the coded cases go; the ending decides the format. A dry run needs none.",
        ),
    ] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Write nothing: code a sample, and tell what a run would bring.")
    ] = False,
    sample: Annotated[int, typer.Option(min=1, metavar="ROWS", help="Rows of a dry run.")] = 200,
    resume: Annotated[bool, typer.Option("--resume", help="Go on with a run that was stopped.")] = False,
    restart: Annotated[
        bool, typer.Option("--restart", help="Throw away what a run that was stopped has done, and begin anew.")
    ] = False,
    language: LanguageOption = None,
    bundle: BundleOption = None,
    text_column: TextColumnOption = None,
    join: Annotated[
        list[str] | None,
        typer.Option(
            metavar="COLUMN",
            help="A further column of the narrative, redacted too; once for each, in their order.",
            rich_help_panel=READING,
        ),
    ] = None,
    id_column: IdColumnOption = None,
    language_column: Annotated[
        str | None,
        typer.Option(
            metavar="COLUMN",
            help="Column with the language; `none`: unused.",
            show_default="found by its name",
            rich_help_panel=READING,
        ),
    ] = None,
    country_column: Annotated[
        str | None,
        typer.Option(
            metavar="COLUMN",
            help="Column with the country; `none`: unused.",
            show_default="found by its name",
            rich_help_panel=READING,
        ),
    ] = None,
    date_column: Annotated[
        str | None,
        typer.Option(
            metavar="COLUMN",
            help="Column with the date, for the report.",
            show_default="found by its name",
            rich_help_panel=READING,
        ),
    ] = None,
    sheet: SheetOption = None,
    encoding: EncodingOption = None,
    delimiter: DelimiterOption = None,
    header: HeaderOption = None,
    coded: Annotated[
        list[str] | None,
        typer.Option(
            metavar="AXIS=COLUMN",
            help="A column with codes that people gave, such as violation=Type: they stay, and are compared. Once for "
            "each.",
            rich_help_panel=PEOPLE,
        ),
    ] = None,
    mapping: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="From old labels to codes: .csv, .tsv or .xlsx with the columns `old` and `code`; or .yaml.",
            rich_help_panel=PEOPLE,
        ),
    ] = None,
    duplicates: Annotated[
        bool,
        typer.Option(
            "--duplicates/--no-duplicates",
            help="Code rows alike that repeat an earlier text, or nearly.",
            rich_help_panel=PEOPLE,
        ),
    ] = True,
    precision: Annotated[
        float | None,
        typer.Option(
            metavar="SHARE",
            help="Share of automatic codes that has to be right, such as 0.9.",
            show_default="what the bundle promises",
            rich_help_panel=PEOPLE,
        ),
    ] = None,
    all_codes: Annotated[
        bool, typer.Option("--all-codes", help="Give every code with its probability.", rich_help_panel=WRITING)
    ] = False,
    wide: Annotated[
        bool,
        typer.Option(
            "--wide",
            help="A yes/no column for each code instead of codes in one cell; with --all-codes its probability too.",
            rich_help_panel=WRITING,
        ),
    ] = False,
    keep_text: Annotated[
        bool,
        typer.Option(
            "--keep-text",
            help="Keep the text as it is, names and all, and add a column with the redacted text.",
            rich_help_panel=WRITING,
        ),
    ] = False,
    undo: Annotated[
        bool,
        typer.Option(
            "--undo",
            help="Write OUTPUT.undo.jsonl, by which `casecoder undo` takes the codes out.",
            rich_help_panel=WRITING,
        ),
    ] = False,
    report: Annotated[
        bool,
        typer.Option(
            "--report/--no-report",
            help="Write OUTPUT.report.html and .json: what the run comes to.",
            rich_help_panel=WRITING,
        ),
    ] = True,
    report_language: Annotated[
        Language, typer.Option(help="Language of the report and of the sheet to check.", rich_help_panel=WRITING)
    ] = Language.en,
    check: Annotated[
        int,
        typer.Option(
            min=0,
            metavar="ROWS",
            help="Write a sheet with this many random rows to check by hand, see `casecoder check-result`.",
            rich_help_panel=WRITING,
        ),
    ] = 0,
    show: Annotated[
        int,
        typer.Option(
            min=0, metavar="ROWS", help="Show this many of the first rows at the end.", rich_help_panel=WRITING
        ),
    ] = 0,
    workers: Annotated[
        int | None,
        typer.Option(
            min=1, help="Processes that code at the same time.", show_default="one a core", rich_help_panel=RUNNING
        ),
    ] = None,
    row_seconds: Annotated[
        float,
        typer.Option(
            min=1,
            help="How long a row may take, for each 50,000 characters, before it is set apart.",
            rich_help_panel=RUNNING,
        ),
    ] = 120.0,
    shard_rows: Annotated[
        int | None,
        typer.Option(
            min=1,
            help="Rows that are done or lost together.",
            show_default="250, at first fewer",
            rich_help_panel=RUNNING,
        ),
    ] = None,
    progress: Annotated[
        ProgressStyle,
        typer.Option(help="auto: for people; json: one object a line, for programs; none.", rich_help_panel=RUNNING),
    ] = ProgressStyle.auto,
    work: Annotated[
        Path | None,
        typer.Option(
            metavar="FOLDER",
            help="Folder to work in, which holds narratives.",
            show_default="beside OUTPUT",
            rich_help_panel=RUNNING,
        ),
    ] = None,
    key_file: Annotated[
        Path | None, typer.Option("--key-file", metavar="FILE", help=_KEY_HELP, rich_help_panel=RUNNING)
    ] = None,
    engine: Annotated[
        Engine, typer.Option(help="local: this machine; spark: a cluster.", rich_help_panel=RUNNING)
    ] = Engine.local,
) -> None:
    """Code a file of legacy cases: every row comes back, in order, redacted and with suggestions.

    A run that is stopped keeps what it has done in a folder beside OUTPUT; --resume goes on there.

    Exit code 0: all rows coded; 3: some rows have an error, named in their `error` column; 2: no output was written
    (or, where the disk was full at the very end, one without its receipt).
    """
    if target is None and not dry_run:
        raise SettingsError("say by -o where the coded cases go, such as -o cases-coded.xlsx")
    from .bulk.legacy import LegacyOptions
    from .bulk.run import BulkOptions, run_bulk
    from .bulk.tables import InputOptions
    from .bulk.work import has_work, work_folder
    from .show import bulk_progress, show_report

    options = BulkOptions(
        engine=engine.value,
        workers=workers,
        resume=resume,
        restart=restart,
        work=work,
        key=_key(key_file),
        key_file=key_file,
        shard_rows=shard_rows,
        row_seconds=row_seconds,
        legacy=LegacyOptions(
            tuple(join or ()), language_column, country_column, tuple(coded or ()), mapping, duplicates, date_column
        ),
        report=report,
        check=check,
        report_language=report_language.value,
    )
    reading = InputOptions(text_column, id_column, sheet, encoding, delimiter, header)
    loaded = _bulk_bundle(bundle, precision)
    if target is None or dry_run:
        _dry_run(loaded, source, reading, options, language=language, sample=sample)
        return
    if resume and progress is ProgressStyle.auto and not has_work(work or work_folder(target)):
        typer.echo("casecoder: there is nothing to go on with: all rows are coded from the first on", err=True)
    with _telling_notes(), bulk_progress(progress.value) as on_progress:
        done = run_bulk(
            loaded,
            source,
            target,
            options=reading,
            all_codes=all_codes,
            keep_text=keep_text,
            wide=wide,
            undo=undo,
            language=language,
            preview=show,
            on_progress=on_progress,
            bulk=options,
        )
    show_report(done, target, loaded.codebook)
    if done.errors:
        raise typer.Exit(EXIT_ROW_ERRORS)


def _dry_run(
    loaded: LoadedBundle,
    source: Path,
    reading: InputOptions,
    options: BulkOptions,
    *,
    language: str | None,
    sample: int,
) -> None:
    from .bulk.dry_run import dry_run
    from .bulk.engines.local import available_cores
    from .show import output_console

    workers = options.workers or available_cores()
    with output_console().status("coding a sample"):
        found = dry_run(loaded, source, options=reading, legacy=options.legacy, language=language, size=sample)
    for sentence in found.sentences(workers=workers):
        typer.echo(sentence)


@_guarded
def verify(
    target: Annotated[Path | None, typer.Argument(metavar="OUTPUT", help="A file that `bulk` has written.")] = None,
    source: Annotated[
        Path | None, typer.Option("--input", metavar="INPUT", help="The file that it was made from.")
    ] = None,
    receipt: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Its receipt.", show_default="OUTPUT.receipt.json")
    ] = None,
    work: Annotated[
        Path | None, typer.Option(metavar="FOLDER", help="Instead of an output: the folder of a run that was stopped.")
    ] = None,
    key_file: KeyOption = None,
) -> None:
    """Prove that each row of INPUT is in OUTPUT exactly once and in order, coded by one bundle, and nothing changed.

    Exit code 0: proved; 2: not, and sentences say what differs, with numbers of rows and no cell.
    """
    if work is not None and target is None and source is None:
        said, faults = _verify_work(work, key_file)
    elif target is not None and source is not None and work is None:
        said, faults = _verify_output(target, source, receipt)
    else:
        raise SettingsError("give OUTPUT and --input INPUT, or --work FOLDER alone")
    for fault in faults:
        typer.echo(f"casecoder: {fault}", err=True)
    if faults:
        raise typer.Exit(EXIT_REFUSED)
    typer.echo(said)


def _verify_output(target: Path, source: Path, receipt: Path | None) -> tuple[str, list[str]]:
    from .bulk.proof import verify_output

    rows, faults = verify_output(target, source, receipt)
    return f"{rows:,} rows, all there once", faults


def _verify_work(work: Path, key_file: Path | None) -> tuple[str, list[str]]:
    from .bulk.receipts import receipt_path
    from .bulk.receipts import verify as verify_shards
    from .bulk.shards import Plan

    key = _key(key_file)
    plan = Plan.load(work)
    plan.check_key(key)
    faults = verify_shards(work, plan, key=key, only_done=True)
    done = [shard for shard in plan.shards if receipt_path(work, shard.number).exists()]
    rows = sum(shard.rows for shard in done)
    said = f"{rows:,} of {plan.input.rows:,} rows are done, all there once"
    return f"{said} ({len(done):,} of {len(plan.shards):,} shards)", faults


def _key(key_file: Path | None) -> bytes | None:
    """The key that was given, None where there is none."""
    return read_key(key_file) if key_file or os.environ.get(VARIABLE) else None


def _bulk_bundle(reference: str | None, precision: float | None) -> LoadedBundle:
    """A bundle for whole files, whose cells may be far longer than what a person types."""
    from .bulk.run import BULK_MAX_CHARACTERS, LoadedBundle
    from .settings import Settings

    settings = Settings.from_env()
    longest = max(BULK_MAX_CHARACTERS, settings.max_characters)
    return LoadedBundle.open(reference or settings.bundle, max_characters=longest, precision=precision)


@contextmanager
def _telling_notes() -> Iterator[None]:
    """Print the notes of whatever ends a run: where its work lies, and how to go on."""
    try:
        yield
    except BaseException as error:
        for note in getattr(error, "__notes__", ()):
            typer.echo(f"casecoder: {note}", err=True)
        raise
