"""``casecoder``: suggest codes, redact, code in bulk, look after bundles.

Narratives are read from a file or standard input, never from an argument: shell histories keep those.
"""

from __future__ import annotations

import functools
import io
import json
import os
import sys
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from enum import StrEnum
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Annotated, Any, ParamSpec, TypeVar

import typer

from . import __version__
from .bulk_cli import EXIT_REFUSED, EXIT_ROW_ERRORS, bulk, verify
from .core_dumps import no_core_dumps
from .errors import (
    CasecoderError,
    NarrativeEmpty,
    NarrativeTooLong,
    NarrativeUnreadable,
    SettingsError,
    TableError,
)
from .interchange_cli import interchange_app
from .keys import new_key_file, read_key
from .options import (
    BundleOption,
    DelimiterOption,
    EncodingOption,
    FileArgument,
    HeaderOption,
    IdColumnOption,
    JsonOption,
    KeyFileOption,
    LanguageOption,
    SheetOption,
    TextColumnOption,
)
from .settings import Settings
from .undo_cli import undo
from .without_torch import without_torch

if TYPE_CHECKING:
    from .pipeline import Pipeline
    from .pseudonyms import Pseudonymizer

_MOST_RESTORED = 10_000_000  # characters of a redacted text


class Level(StrEnum):
    """What a redaction hides."""

    strict = "strict"
    minimal = "minimal"


app = typer.Typer(
    help="Suggest codes for case narratives, hide the people in them, code legacy files in bulk. Works offline.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,  # typer's tracebacks show local variables: narratives
    context_settings={"help_option_names": ["-h", "--help"]},
)
bundle_app = typer.Typer(help="List, show, verify and compare bundles of trained models.", no_args_is_help=True)
app.add_typer(bundle_app, name="bundle")
app.add_typer(interchange_app, name="exchange")
app.command()(bulk)
app.command()(verify)

_P = ParamSpec("_P")
_R = TypeVar("_R")


def guarded(command: Callable[_P, _R]) -> Callable[_P, _R]:
    """A command that prints what went wrong as one sentence and exits with 2, and whose crashes show no data."""

    @functools.wraps(command)
    def run(*args: _P.args, **kwargs: _P.kwargs) -> _R:
        sys.excepthook = _content_free_hook
        no_core_dumps()
        for stream in (sys.stdout, sys.stderr):
            if isinstance(stream, io.TextIOWrapper):
                # Files and pipes get UTF-8 on every system; a console in a legacy code page must not stop the output.
                stream.reconfigure(encoding=None if stream.isatty() else "utf-8", errors="replace")
        try:
            return command(*args, **kwargs)
        except CasecoderError as error:
            typer.echo(f"casecoder: {error}", err=True)
        except BrokenPipeError:
            _silence_output()  # the reader of our output has gone
        except OSError as error:
            _silence_output()
            typer.echo(f"casecoder: reading or writing failed ({error.strerror or type(error).__name__})", err=True)
        raise typer.Exit(EXIT_REFUSED) from None

    return run


def _silence_output() -> None:
    """Keep the interpreter from failing once more when it flushes standard output at the end."""
    with suppress(OSError, ValueError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _content_free_hook(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    """Where a crash happened, without its message: messages of libraries quote their input."""
    if issubclass(kind, KeyboardInterrupt):
        print("casecoder: interrupted", file=sys.stderr)  # noqa: T201
        return
    frames = traceback.extract_tb(trace)
    where = "\n".join(f"  {frame.filename}:{frame.lineno} in {frame.name}" for frame in frames)
    print(  # noqa: T201
        f"casecoder: internal error ({kind.__name__}); its message is withheld since it may quote the text. "
        f"Please report these lines:\n{where}",
        file=sys.stderr,
    )


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"casecoder {__version__}")
        raise typer.Exit


@app.callback()
def main(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Show the version.")
    ] = False,
) -> None:
    """Suggest codes for case narratives, hide the people in them, code legacy files in bulk. Works offline."""


@app.command()
@guarded
def suggest(
    file: FileArgument = Path("-"),
    as_json: JsonOption = False,
    all_codes: Annotated[bool, typer.Option("--all-codes", help="List every code with its probability.")] = False,
    language: LanguageOption = None,
    bundle: BundleOption = None,
) -> None:
    """Suggest codes for one narrative, with evidence and the redacted text."""
    from .types import Narrative

    pipeline = _pipeline(bundle)
    narrative = Narrative(_read(file, pipeline.reader.max_characters), language=language)
    analysis = pipeline.analyze_one(narrative)
    if as_json:
        _print_json(analysis.to_json(all_codes=all_codes))
    else:
        from .show import show_analysis

        show_analysis(analysis, pipeline.codebook, all_codes=all_codes)


@app.command()
@guarded
def redact(
    file: FileArgument = Path("-"),
    as_json: JsonOption = False,
    level: Annotated[
        Level, typer.Option(help="strict: hide all identifiers; minimal: only those that identify by themselves.")
    ] = Level.strict,
    sealed: Annotated[
        Path | None, typer.Option("--map", help="Write what stood where into this file, encrypted, for --restore.")
    ] = None,
    pseudonyms: Annotated[
        bool, typer.Option("--pseudonyms", help="Invented names for people, the same in every text under one key.")
    ] = False,
    shift_dates: Annotated[
        str | None,
        typer.Option(
            metavar="CASE", help="Move all dates by a number of weeks that hangs on this case id and the key."
        ),
    ] = None,
    restore: Annotated[
        Path | None, typer.Option(help="Undo: the text is a redacted one, this is its map; prints what it was before.")
    ] = None,
    key_file: KeyFileOption = None,
    report: Annotated[
        Path | None, typer.Option(help="Write an HTML page that shows what is hidden. It holds the narrative itself.")
    ] = None,
    language: LanguageOption = None,
    bundle: BundleOption = None,
) -> None:
    """Print a narrative with the people in it hidden. It hides much, not all: read the result before you share it."""
    from .types import Narrative, entities_json, spans_json

    if restore:
        _restore(file, restore, key_file)
        return
    if shift_dates and level is not Level.strict:
        raise SettingsError("--shift-dates goes with --level strict: at minimal, dates stay as they are")
    key = read_key(key_file) if sealed or pseudonyms or shift_dates else b""  # before all work: a missing one is said
    renamer = _pseudonymizer(key) if pseudonyms or shift_dates else None
    pipeline = _pipeline(bundle)
    narrative = pipeline.reader.read(Narrative(_read(file, pipeline.reader.max_characters), language=language))
    text = narrative.text
    states = pipeline.states_of(narrative)
    strict = pipeline.redact_reading(narrative, states)
    redaction = strict if level is Level.strict else pipeline.redact_reading(narrative, states, level="minimal")
    if renamer and pseudonyms:
        redaction = renamer.names(text, redaction, language=narrative.language)
    if renamer and shift_dates:
        redaction = renamer.dates(text, redaction, case_id=shift_dates, language=narrative.language)
    if sealed:
        from .redaction.vault import seal

        _write_private(sealed, keep=True, content=seal(text, redaction, key))
    if report:
        from .redaction.report import render

        _write_private(report, keep=False, content=render(text, redaction, strict, pipeline.codebook).encode())
    if as_json:
        entities, doubts = entities_json(redaction.entities), spans_json(redaction.doubts)
        _print_json({"redacted_text": redaction.text, "entities": entities, "doubts": doubts})
    else:
        typer.echo(_printable(redaction.text))
        if redaction.doubts:
            typer.echo(
                f"{len(redaction.doubts)} place(s) may still tell who somebody is: --report PAGE marks them", err=True
            )


def _pseudonymizer(key: bytes) -> Pseudonymizer:
    from .pseudonyms import Pseudonymizer

    return Pseudonymizer(key)


def _write_private(path: Path, *, keep: bool, content: bytes) -> None:
    """Write a file for its owner alone; with ``keep`` the one that stood there is kept under another name."""
    from .bulk.replacing import replacing

    with replacing(path, keep_earlier=keep) as place:
        place.file.write(content)
    path.chmod(0o600)
    if place.kept:
        typer.echo(f"the file that stood there before is kept as {place.kept.name}", err=True)


def _restore(file: Path, map_file: Path, key_file: Path | None) -> None:
    from .redaction.vault import restore

    key = read_key(key_file)
    try:
        content = map_file.read_bytes()
    except OSError as error:
        raise TableError(f"{map_file} cannot be read ({error.strerror})") from None
    text, empty = restore(_read(file, _MOST_RESTORED), content, key)
    typer.echo(_printable(text))
    if empty:
        typer.echo(f"{empty} placeholders are not of this map and stay as they are", err=True)


@app.command()
@guarded
def new_key(file: Annotated[Path, typer.Argument(help="Where the key goes; no file may stand there.")]) -> None:
    """Make a secret key for maps of redactions. Whoever has it can read them; without it nobody can."""
    new_key_file(file)
    typer.echo(f"a new key is in {file}: keep a copy where the maps are not")


app.command()(guarded(undo))


@app.command()
@guarded
def check_result(
    sheet: Annotated[Path, typer.Argument(metavar="SHEET", help="The sheet that `bulk --check` wrote, filled in.")],
    as_json: JsonOption = False,
) -> None:
    """Estimate from a sheet that people filled in how many codes of a bulk run are right, with intervals.

    Write y or n into the columns that end in _right; with n, the wrong codes into _wrong. Lacking ones go to _missing.
    """
    from .bulk.report.check_result import check_result as estimate
    from .show_check import show_check

    result = estimate(sheet)
    if as_json:
        _print_json(result.to_json())
    else:
        show_check(result)


@bundle_app.command("list")
@guarded
def bundle_list() -> None:
    """List the bundles that came with casecoder; the default one is marked."""
    from .bundle import default_bundle, shipped_bundles

    default = default_bundle()
    for name in shipped_bundles():
        typer.echo(f"{name}{'  (default)' if name == default else ''}")


@bundle_app.command("show")
@guarded
def bundle_show(
    reference: Annotated[str | None, typer.Argument(help="Folder or name of a bundle; else the default.")] = None,
    as_json: JsonOption = False,
) -> None:
    """Show what a bundle is and how good it is: its model card, or its manifest as JSON."""
    from .bundle import open_bundle

    opened = open_bundle(reference or Settings.from_env().bundle)
    if as_json:
        _print_json(dict(opened.manifest))
    else:
        from rich.console import Console
        from rich.markdown import Markdown

        card = opened.files.get("card.md", f"# {opened.name}\n\nThis bundle has no card.".encode())
        Console().print(Markdown(card.decode()))


@bundle_app.command("verify")
@guarded
def bundle_verify(
    reference: Annotated[str | None, typer.Argument(help="Folder or name of a bundle; else the default.")] = None,
) -> None:
    """Check every file of a bundle against its manifest, and load it."""
    from .bundle import open_bundle

    opened = open_bundle(reference or Settings.from_env().bundle)
    opened.pipeline()
    size = sum(map(len, opened.files.values()))
    typer.echo(f"{opened.name}: {len(opened.files)} files, {size / 1e6:.1f} MB, all as the manifest says; it loads")


@bundle_app.command("compare")
@guarded
def bundle_compare(
    first: Annotated[str, typer.Argument(metavar="FIRST", help="Folder or name of a bundle.")],
    second: Annotated[str, typer.Argument(metavar="SECOND", help="Folder or name of the bundle to compare it with.")],
    source: Annotated[Path, typer.Argument(metavar="FILE", help="Cases, as `casecoder bulk` reads them.")],
    target: Annotated[
        Path | None,
        typer.Option("--output", "-o", metavar="OUTPUT", help="Where changed rows are listed: .csv or .jsonl."),
    ] = None,
    text_column: TextColumnOption = None,
    id_column: IdColumnOption = None,
    sheet: SheetOption = None,
    encoding: EncodingOption = None,
    delimiter: DelimiterOption = None,
    header: HeaderOption = None,
    language: LanguageOption = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object instead of tables.")] = False,
) -> None:
    """Compare two bundles on a file of cases: which suggestions change. No text of a case is shown or written.

    Codes that only one of the two codebooks has are counted apart.

    Exit code 0: both bundles coded all rows; 3: one of them could not code some rows; 2: nothing was compared.
    """
    from .bulk.compare import compare_bundles
    from .bulk.tables import InputOptions
    from .show import bulk_progress
    from .show_changes import show_comparison

    before, after = _bulk_pipeline(first), _bulk_pipeline(second)
    options = InputOptions(text_column, id_column, sheet, encoding, delimiter, header)
    with bulk_progress() as on_progress:
        comparison = compare_bundles(
            before, after, source, target, options=options, language=language, on_progress=on_progress
        )
    if as_json:
        _print_json(comparison.to_json())
    else:
        show_comparison(comparison, before.codebook)
        if target:
            typer.echo(f"Output: {target}")
    if comparison.both < comparison.rows:
        raise typer.Exit(EXIT_ROW_ERRORS)


def _bulk_pipeline(bundle: str | None) -> Pipeline:
    """A pipeline for whole files, whose cells may be far longer than what a person types."""
    from .bulk.run import BULK_MAX_CHARACTERS

    longest = max(BULK_MAX_CHARACTERS, Settings.from_env().max_characters)
    return _pipeline(bundle, max_characters=longest, threads=1)  # several rows are worked on at a time


def _pipeline(bundle: str | None, *, max_characters: int | None = None, threads: int | None = None) -> Pipeline:
    from .bundle import load_pipeline

    settings = Settings.from_env()
    return load_pipeline(
        bundle or settings.bundle, max_characters=max_characters or settings.max_characters, threads=threads
    )


def _read(file: Path, limit: int) -> str:
    """The text of a file or of standard input, as UTF-8 or, with a byte order mark, UTF-16; up to ``limit`` characters
    and some."""
    with _opened(file) as stream:
        content = stream.read(4 * limit + 4)  # UTF-8 has at most four bytes a character
    encoding = "utf-16" if content.startswith((b"\xff\xfe", b"\xfe\xff")) else "utf-8-sig"
    try:
        text = content.decode(encoding)
    except UnicodeDecodeError as error:
        if len(content) > 4 * limit:
            raise NarrativeTooLong(length=len(content) // 4, limit=limit) from None
        raise NarrativeUnreadable(
            f"bytes that are no {encoding.upper().removesuffix('-SIG')}", position=error.start
        ) from None
    return str(text).rstrip("\r\n")


@contextmanager
def _opened(file: Path) -> Iterator[Any]:
    if str(file) == "-":
        if sys.stdin is None:
            raise NarrativeEmpty
        if sys.stdin.isatty():
            typer.echo("Type the narrative, then end with Ctrl-D (Windows: Ctrl-Z and Enter).", err=True)
        yield sys.stdin.buffer
        return
    try:
        stream = file.open("rb")
    except OSError as error:
        raise TableError(f"{file} cannot be read ({error.strerror})") from None
    with stream:
        yield stream


def _printable(text: str) -> str:
    """The text; on a terminal without the control characters that could steer it."""
    if not sys.stdout.isatty():
        return text
    return "".join(character for character in text if character.isprintable() or character in "\n\t")


def _print_json(value: dict[str, Any]) -> None:
    typer.echo(json.dumps(value, ensure_ascii=False))


def command_line() -> None:
    """The command, in a process of its own."""
    without_torch()
    app()
