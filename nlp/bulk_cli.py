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

KeyOption = Annotated[
    Path | None,
    typer.Option(
        "--key-file", help=f"File with a key, see `new-key`, that seals the work folder; else {VARIABLE}; else none."
    ),
]


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
    source: Annotated[Path, typer.Argument(metavar="INPUT", help="Legacy cases: .csv, .xlsx, .jsonl or .parquet.")],
    target: Annotated[
        Path,
        typer.Option(
            "--output", "-o", metavar="OUTPUT", help="Where the coded cases go; the ending decides the format."
        ),
    ],
    text_column: TextColumnOption = None,
    id_column: IdColumnOption = None,
    sheet: SheetOption = None,
    encoding: EncodingOption = None,
    delimiter: DelimiterOption = None,
    header: HeaderOption = None,
    language: LanguageOption = None,
    all_codes: Annotated[bool, typer.Option("--all-codes", help="Give every code with its probability.")] = False,
    keep_text: Annotated[
        bool, typer.Option("--keep-text", help="Keep the text as it is, and add a column with the redacted text.")
    ] = False,
    show: Annotated[int, typer.Option(min=0, help="Show this many rows as a table at the end.")] = 0,
    bundle: BundleOption = None,
    resume: Annotated[bool, typer.Option("--resume", help="Go on with a run that was stopped.")] = False,
    restart: Annotated[
        bool, typer.Option("--restart", help="Throw away what a run that was stopped has done, and begin anew.")
    ] = False,
    work: Annotated[
        Path | None,
        typer.Option(metavar="FOLDER", help="Folder to work in, which holds narratives. [default: beside OUTPUT]"),
    ] = None,
    workers: Annotated[
        int | None, typer.Option(min=1, help="Processes that code at the same time. [default: one a core]")
    ] = None,
    engine: Annotated[Engine, typer.Option(help="What runs the work.")] = Engine.local,
    shard_rows: Annotated[
        int | None, typer.Option(min=1, help="Rows that are done or lost together. [default: 250, at first fewer]")
    ] = None,
    row_seconds: Annotated[
        float,
        typer.Option(min=1, help="How long a row may take, for each 50,000 characters, before it is set apart."),
    ] = 120.0,
    progress: Annotated[
        ProgressStyle, typer.Option(help="auto: for people; json: one object a line, for programs; none.")
    ] = ProgressStyle.auto,
    key_file: KeyOption = None,
    wide: Annotated[
        bool, typer.Option("--wide", help="A yes/no column for each code as well; with --all-codes its probability.")
    ] = False,
    undo: Annotated[
        bool, typer.Option("--undo", help="Write OUTPUT.undo.jsonl, by which `casecoder undo` takes the codes out.")
    ] = False,
    join: Annotated[
        list[str] | None,
        typer.Option(metavar="COLUMN", help="A column whose text belongs to the narrative, too; several in order."),
    ] = None,
    language_column: Annotated[
        str | None,
        typer.Option(metavar="COLUMN", help="Column with the language; `none`: unused. [default: found out]"),
    ] = None,
    country_column: Annotated[
        str | None, typer.Option(metavar="COLUMN", help="Column with the country, or `none`. [default: found out]")
    ] = None,
    coded: Annotated[
        list[str] | None,
        typer.Option(metavar="AXIS=COLUMN", help="A column with codes that people gave: they stay, and are compared."),
    ] = None,
    mapping: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="From old labels to codes: .csv, .tsv, .xlsx with `old`, `code`; or .yaml."),
    ] = None,
    duplicates: Annotated[
        bool, typer.Option("--duplicates/--no-duplicates", help="Code rows alike that repeat an earlier text.")
    ] = True,
    report: Annotated[
        bool, typer.Option("--report/--no-report", help="Write OUTPUT.report.html and .json: what the run comes to.")
    ] = True,
    report_language: Annotated[Language, typer.Option(help="Language of the report and of the sheet.")] = Language.en,
    date_column: Annotated[
        str | None, typer.Option(metavar="COLUMN", help="Column with the date, or `none`. [default: found out]")
    ] = None,
    check: Annotated[
        int, typer.Option(min=0, metavar="ROWS", help="Write a sheet of this many random rows to check by hand.")
    ] = 0,
    precision: Annotated[
        float | None,
        typer.Option(help="What automatic codes promise, such as 0.9. [default: what the bundle promises]"),
    ] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Write nothing: code a sample, and tell what a run would bring.")
    ] = False,
    sample: Annotated[int, typer.Option(min=1, help="Rows of a dry run.")] = 200,
) -> None:
    """Code a file of legacy cases: every row comes back, in order, redacted and with suggestions.

    A run that is stopped keeps what it has done in a folder beside OUTPUT; --resume goes on there.

    Exit code 0: all rows coded; 3: some rows have an error, named in their `error` column; 2: nothing was written.
    """
    from .bulk.legacy import LegacyOptions
    from .bulk.run import BulkOptions, run_bulk
    from .bulk.tables import InputOptions
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
    if dry_run:
        _dry_run(loaded, source, target, reading, options, language=language, sample=sample)
        return
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
    target: Path,
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
        found = dry_run(loaded, source, target, options=reading, legacy=options.legacy, language=language, size=sample)
    for sentence in found.sentences(workers=workers):
        typer.echo(sentence)


@_guarded
def verify(
    target: Annotated[Path | None, typer.Argument(metavar="[OUTPUT]", help="A file that `bulk` has written.")] = None,
    source: Annotated[
        Path | None, typer.Option("--input", metavar="INPUT", help="The file that it was made from.")
    ] = None,
    receipt: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Its receipt. [default: OUTPUT.receipt.json]")
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
