"""``casecoder exchange``: tasks for Label Studio, codes for DHIS2."""

from __future__ import annotations

import functools
import time
from collections import Counter
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, ParamSpec, TypeVar

import typer

from .errors import LanguageNotServed, TableError

if TYPE_CHECKING:
    from .bulk.run import Progress
    from .pipeline import Pipeline

_MOST_PLACES = 10  # of rows or events with an error that are named one by one

_P = ParamSpec("_P")
_R = TypeVar("_R")


class Unit(StrEnum):
    """What an offset counts."""

    code_points = "code_points"
    utf16 = "utf-16"


interchange_app = typer.Typer(
    help="Exchange cases and codes with Label Studio and DHIS2, as files.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,  # typer's tracebacks show local variables: narratives
    context_settings={"help_option_names": ["-h", "--help"]},
)

BundleOption = Annotated[
    str | None, typer.Option(help="Folder or name of a bundle; else CASECODER_BUNDLE, else the default.")
]


def _guarded(command: Callable[_P, _R]) -> Callable[_P, _R]:
    """As all commands are guarded; found when a command runs, since the module of the commands loads this one."""

    @functools.wraps(command)
    def run(*args: _P.args, **kwargs: _P.kwargs) -> _R:
        from .cli import guarded

        return guarded(command)(*args, **kwargs)

    return run


@dataclass
class _Run:
    """What a run did: rows, and errors by kind with the places where they are. No text of any row."""

    word: str
    on_progress: Callable[[Progress], None]
    rows: int = 0
    errors: Counter[str] = field(default_factory=Counter)
    places: dict[str, list[str]] = field(default_factory=dict)
    started: float = field(default_factory=time.monotonic)

    def count(self, place: str, error: str | None, share: float | None) -> None:
        from .bulk.run import Progress

        self.rows += 1
        if error is not None:
            kind = error.split(":")[0]
            self.errors[kind] += 1
            if len(places := self.places.setdefault(kind, [])) < _MOST_PLACES:
                places.append(place)
        self.on_progress(Progress(self.rows, self.errors.total(), share, time.monotonic() - self.started))

    def show(self) -> None:
        """Print counts and errors, and exit with 3 where there are errors."""
        from .bulk_cli import EXIT_ROW_ERRORS

        typer.echo(f"{self.rows:,} {self.word} in {time.monotonic() - self.started:.1f} s")
        for kind, count in sorted(self.errors.items()):
            more = ", …" if count > _MOST_PLACES else ""
            typer.echo(f"{count:,} of them not coded: {kind} ({', '.join(self.places[kind])}{more})")
        if self.errors:
            raise typer.Exit(EXIT_ROW_ERRORS)


@interchange_app.command("label-studio")
@_guarded
def label_studio(
    source: Annotated[Path, typer.Argument(metavar="INPUT", help="Cases: .csv, .xlsx, .jsonl or .parquet.")],
    target: Annotated[Path, typer.Option("--output", "-o", metavar="OUTPUT", help="Where the tasks go, as JSON.")],
    config: Annotated[
        Path | None, typer.Option(help="Write the labeling interface (XML) that fits the tasks into this file.")
    ] = None,
    raw_text: Annotated[
        bool, typer.Option("--raw-text", help="Show the texts as they came, with the people in them, not redacted.")
    ] = False,
    offsets: Annotated[
        Unit, typer.Option(help="What offsets count: code points, or UTF-16 units for old versions.")
    ] = Unit.code_points,
    text_column: Annotated[
        str | None,
        typer.Option(help="Column with the narrative: its name, or its number from 1. [default: text, or found out]"),
    ] = None,
    id_column: Annotated[str | None, typer.Option(help="Column with the case id. [default: id, or found out]")] = None,
    sheet: Annotated[str | None, typer.Option(help="Sheet of an .xlsx file: its name or number.")] = None,
    encoding: Annotated[
        str | None, typer.Option(help="Encoding of a .csv file, such as windows-1251; found out if not given.")
    ] = None,
    delimiter: Annotated[str | None, typer.Option(help="Delimiter of a .csv file; found out if not given.")] = None,
    header: Annotated[
        bool | None,
        typer.Option("--header/--no-header", help="Whether the first row names the columns; found out if not given."),
    ] = None,
    language: Annotated[
        str | None, typer.Option(help="Language of the texts (ISO 639-1); recognized if not given.")
    ] = None,
    bundle: BundleOption = None,
) -> None:
    """Write Label Studio tasks with suggestions as predictions, for people to correct.

    A row that cannot be analyzed has no task. Exit code 0: a task for each row; 3: some rows have an error; 2: nothing
    was written.
    """
    from .bulk.coding import analyze_rows
    from .bulk.stopping import stopping_in_order
    from .bulk.tables import InputOptions, open_input, text_of
    from .cli import _bulk_pipeline
    from .interchange.json_text import json_text
    from .interchange.label_studio import labeling_config, task_of
    from .show import bulk_progress

    outputs = [target, *([config] if config else [])]
    _check_places([source], outputs)
    pipeline = _bulk_pipeline(bundle)
    _check_language(pipeline, language)
    options = InputOptions(text_column, id_column, sheet, encoding, delimiter, header)
    with ExitStack() as stack:
        on_progress = stack.enter_context(bulk_progress())
        stack.enter_context(stopping_in_order())
        table = stack.enter_context(open_input(source, options))
        write, *write_config = [_writer(stack, path) for path in outputs]
        run = _Run("rows", on_progress)
        tasks = 0
        for row, (analysis, error) in analyze_rows(pipeline, table, language=language):
            if analysis is not None:
                received = text_of(row.cells[table.text_at]) if raw_text else None
                task = task_of(
                    analysis, pipeline.codebook, number=row.number, received=received, offset_unit=offsets.value
                )
                write(("[\n" if not tasks else ",\n") + json_text(task))
                tasks += 1
            run.count(f"row {row.number}", error, table.progress())
        if not run.rows:
            raise TableError("the input has no rows: nothing was written")
        write("\n]\n" if tasks else "[]\n")
        for write_xml in write_config:
            write_xml(labeling_config(pipeline.codebook, language=language))
        notes = table.notes
    for note in notes:
        typer.echo(f"note: {note}")
    typer.echo(f"Output: {target}, {tasks:,} tasks" + (f"; labeling interface: {config}" if config else ""))
    if raw_text:
        typer.echo("these tasks hold the texts as they came, with the people in them: keep them as safe", err=True)
    run.show()


@interchange_app.command("dhis2")
@_guarded
def dhis2(
    source: Annotated[Path, typer.Argument(metavar="EVENTS", help="Tracker payload or export of events, as JSON.")],
    mapping: Annotated[Path, typer.Option(help="Which data elements hold what, as YAML.")],
    target: Annotated[Path, typer.Option("--output", "-o", metavar="OUTPUT", help="Where the coded payload goes.")],
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="Also replace codes that stand there, which a person may have set.")
    ] = False,
    changes_only: Annotated[
        bool,
        typer.Option("--changes-only", help="Write only changed events and values, for an update; no narrative."),
    ] = False,
    bundle: BundleOption = None,
) -> None:
    """Write suggested codes into a DHIS2 Tracker payload, to be imported with importStrategy=UPDATE.

    Events without a narrative, and those of other programs and stages, stay as they are. Exit code 0: all narratives
    coded; 3: some could not be, their events stay as they are; 2: nothing was written.
    """
    from .bulk.stopping import stopping_in_order
    from .cli import _bulk_pipeline
    from .interchange import dump_payload, event_updates, load_mapping, load_payload, read_events, write_events
    from .interchange.coding import analyze_narratives
    from .show import bulk_progress

    _check_places([source, mapping], [target])
    pipeline = _bulk_pipeline(bundle)
    event_mapping = load_mapping(mapping, pipeline.codebook)
    payload = load_payload(source)
    cases = read_events(payload, event_mapping, with_ids=changes_only)
    with ExitStack() as stack:
        on_progress = stack.enter_context(bulk_progress())
        stack.enter_context(stopping_in_order())
        write = _writer(stack, target)
        run = _Run("events with a narrative", on_progress)
        analyses = {}
        outcomes = analyze_narratives(pipeline, (case.narrative for case in cases))
        for case, (analysis, error) in zip(cases, outcomes, strict=True):
            if analysis is not None:
                analyses[case.place] = analysis
            run.count(case.place, error, (run.rows + 1) / len(cases))
        coded = write_events(payload, event_mapping, analyses, overwrite=overwrite)
        updates = event_updates(payload, coded) if changes_only else None
        write(dump_payload(coded if updates is None else updates).decode())
    typer.echo(f"Output: {target}")
    run.show()


def _writer(stack: ExitStack, path: Path) -> Callable[[str], None]:
    """Writes text into a file that appears whole when the stack ends well; one that stood there is kept beside it."""
    from .bulk.replacing import replacing, writing

    place = stack.enter_context(replacing(path, keep_earlier=True))

    def write(text: str) -> None:
        with writing(path):
            place.file.write(text.encode())

    return write


def _check_places(sources: list[Path], targets: list[Path]) -> None:
    """Raise `TableError` where an output would take the place of an input or of another output."""
    taken = [path.resolve() for path in sources]
    for path in targets:
        if path.resolve() in taken:
            raise TableError("two of these files are the same: give each output another name")
        taken.append(path.resolve())


def _check_language(pipeline: Pipeline, language: str | None) -> None:
    from .reading import normal_language

    stated = normal_language(language)
    if stated and stated not in pipeline.reader.languages:
        raise LanguageNotServed(stated, pipeline.reader.languages)
