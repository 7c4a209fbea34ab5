"""What the commands show to people: tables of suggestions, progress of a run, its report."""

from __future__ import annotations

import json
import re
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, TaskID, TextColumn, TimeRemainingColumn
from rich.progress import Progress as Bar
from rich.table import Table

from .bulk.descriptions import STATUS
from .bulk.proof import receipt_path_of
from .bulk.run import Progress, Report
from .codebook import Codebook
from .types import Analysis

_COMMANDS = re.compile("[\0-\b\v\f\x0e-\x1f\x7f-\x9f]")
_COLORS = {"auto": "green", "suggest": "cyan", "review": "yellow", "none": "dim"}
_STRENGTHS = ("auto", "suggest", "review")
_TOP_CODES = 8  # of each axis in the report of a run
_LINE_EVERY = 10.0  # seconds between progress lines where there is no terminal
_OBJECT_EVERY = 1.0  # seconds between progress objects within a shard
_PREVIEW = {120: 160, 0: 80}  # from which width of the terminal on how many characters of redacted text are shown


def show_analysis(analysis: Analysis, codebook: Codebook, *, all_codes: bool) -> None:
    """Print suggestions as a table, and the redacted text."""
    language = analysis.language if analysis.language in codebook.languages else codebook.languages[0]
    table = Table("axis", "code", "meaning", "probability", "decision", "evidence (redacted)", header_style="bold")
    for item in analysis.suggestions:
        if all_codes or item.decision != "none":
            table.add_row(
                codebook.axis(item.axis).label[language],
                item.code,
                codebook.label(item.code).label[language],
                f"{item.probability:.0%}",
                f"[{_COLORS[item.decision]}]{item.decision}[/]",
                escape(_shown(" … ".join(evidence.redacted for evidence in item.evidence))),
            )
    console = output_console()
    console.print(table)
    for axis, probability in analysis.nothing.items():
        is_open = not any(item.suggested for item in analysis.suggestions if item.axis == axis)
        if is_open and (nothing := codebook.axis(axis).nothing):
            console.print(f"{nothing[language]}: {probability:.0%}")
    console.print("[bold]Redacted text[/]")
    console.print(_shown(analysis.redaction.text), markup=False, highlight=False, soft_wrap=True)
    if doubts := len(analysis.redaction.doubts):
        console.print(
            f"[yellow]{doubts} place(s) in it may still tell who somebody is: `redact --report` marks them[/]"
        )
    console.print(f"[dim]{analysis.bundle}, codebook {analysis.codebook}. A person decides.[/]")


@contextmanager
def bulk_progress(style: str = "auto") -> Iterator[Callable[[Progress], None]]:
    """Shows how far a run is: a bar on a terminal, a line every ten seconds elsewhere; with ``json`` one object a line,
    with ``none`` nothing. Never any text of a row."""
    if style == "none":
        yield lambda progress: None
    elif style == "json":
        objects = _Objects()
        yield objects.say
        objects.end()
    elif sys.stderr.isatty():
        with Bar(
            TextColumn("{task.description}"),
            BarColumn(),
            TextColumn("{task.fields[facts]}"),
            TimeRemainingColumn(),
            console=Console(stderr=True),
        ) as bar:
            task = bar.add_task("coding", total=1.0, facts="")
            yield lambda progress: _advance(bar, task, progress)
    else:
        yield _Lines().say


def _advance(bar: Bar, task: TaskID, progress: Progress) -> None:
    bar.update(task, completed=progress.share or 0.0, facts=_facts(progress))


def _facts(progress: Progress) -> str:
    errors = f", {progress.errors:,} with errors" if progress.errors else ""
    return f"{progress.rows:,} rows, {_speed(progress.rate)}{errors}"


def _speed(rate: float) -> str:
    """Rows a second; of few, with a digit behind the point."""
    return f"{rate:,.0f} rows/s" if rate >= 10 else f"{rate:.1f} rows/s"


class _Lines:
    """Progress for log files: one line now and then."""

    def __init__(self) -> None:
        self._last = time.monotonic()

    def say(self, progress: Progress) -> None:
        now = time.monotonic()
        if now - self._last < _LINE_EVERY:
            return
        self._last = now
        left = progress.seconds_left
        about = f", about {left / 60:.1f} min left" if left is not None else ""
        sys.stderr.write(f"casecoder: {_facts(progress)}{about}\n")
        sys.stderr.flush()


class _Objects:
    """Progress for programs: one JSON object a line, at most one a second while rows are coded, and a last one."""

    def __init__(self) -> None:
        self._last = 0.0
        self._progress: Progress | None = None

    def say(self, progress: Progress) -> None:
        finished = self._progress and progress.shards_done > self._progress.shards_done
        self._progress = progress
        now = time.monotonic()
        if finished or now - self._last >= _OBJECT_EVERY:
            self._last = now
            self._write("progress", progress)

    def end(self) -> None:
        if self._progress:
            self._write("done", self._progress)

    def _write(self, event: str, progress: Progress) -> None:
        sys.stderr.write(json.dumps({"event": event, **progress.to_json()}) + "\n")
        sys.stderr.flush()


def _time(report: Report) -> str:
    if report.resumed:
        return f"{report.rows:,} rows; since the run was gone on with, it took {report.seconds:.1f} s"
    rate = report.rows / report.seconds if report.seconds else 0
    return f"{report.rows:,} rows in {report.seconds:.1f} s ({_speed(rate)})"


def show_report(report: Report, target: Path, codebook: Codebook) -> None:
    """Print what a run did, the rows asked for, and where the output lies."""
    console = output_console()
    if report.preview:
        console.print(_preview(report, codebook, width=console.width))
    console.print(_counts(report, codebook))
    console.print(_statuses(report))
    for note in report.notes:
        console.print(f"note: {note}", markup=False, highlight=False)
    console.print(_time(report), highlight=False)
    for kind, count in sorted(report.errors.items()):
        console.print(f"{count:,} row(s) not coded: {kind}; see their `error` column", highlight=False)
    console.print(f"Output: {target}", markup=False, highlight=False, soft_wrap=True)
    for path in report.beside:
        console.print(f"Beside it: {path}", markup=False, highlight=False, soft_wrap=True)
    console.print(f"Receipt: {receipt_path_of(target)}", markup=False, highlight=False, soft_wrap=True)


def _preview(report: Report, codebook: Codebook, *, width: int) -> Table:
    most = next(characters for least, characters in _PREVIEW.items() if width >= least)
    table = Table("row", *(axis.id for axis in codebook.axes), "redacted text", header_style="bold", show_lines=True)
    for number, analysis, error in report.preview:
        if analysis is None:
            table.add_row(str(number), *("" for _ in codebook.axes), f"[red]{escape(error or '')}[/]")
            continue
        cells = []
        for axis in codebook.axes:
            items = [item for item in analysis.suggestions if item.axis == axis.id and item.suggested]
            said = [f"[{_COLORS[item.decision]}]{item.code}[/] {item.probability:.0%}" for item in items]
            if not said and analysis.nothing.get(axis.id, 0) >= 0.5 and axis.nothing:
                said = [f"[dim]{axis.nothing[codebook.languages[0]].lower()}[/] {analysis.nothing[axis.id]:.0%}"]
            cells.append("\n".join(said))
        text = _shown(analysis.redaction.text)
        table.add_row(str(number), *cells, escape(text[:most] + ("…" if len(text) > most else "")))
    return table


def _counts(report: Report, codebook: Codebook) -> Table:
    """The most frequent codes of each axis and how they were decided on."""
    table = Table("axis", "code", "auto", "suggest", "review", header_style="bold", title="most frequent codes")
    for axis in codebook.axes:
        totals = {
            code: sum(report.decisions[axis.id, code, decision] for decision in _STRENGTHS) for code in axis.codes
        }
        for code in sorted(totals, key=lambda code: (-totals[code], code))[:_TOP_CODES]:
            if totals[code]:
                cells = (str(report.decisions[axis.id, code, decision] or "") for decision in _STRENGTHS)
                table.add_row(axis.label[codebook.languages[0]], code, *cells)
        table.add_section()
    return table


def _shown(text: str) -> str:
    """A text of a case as a terminal may get it: what would command the terminal is a mark in the text."""
    return _COMMANDS.sub("\N{REPLACEMENT CHARACTER}", text)


def _statuses(report: Report) -> Table:
    """How many rows come to what, and what that means."""
    table = Table("decision", "rows", "share", "meaning", header_style="bold", title="what becomes of the rows")
    for word, said in STATUS.items():
        if count := report.statuses[word]:
            table.add_row(word, f"{count:,}", f"{count / report.rows:.0%}", said.en)
    return table


def output_console() -> Console:
    """Standard output, at a readable width also where it is no terminal."""
    return Console() if sys.stdout.isatty() else Console(width=140)
