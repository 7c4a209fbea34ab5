"""Results to the output: each row of the input beside what was made of it, in order, whole or not at all."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from ..codebook import Codebook
from ..errors import RunError, TableError
from ..types import Analysis
from .layout import Cell, Layout, Status, layout_for, strongest_of
from .prepare import Take, input_sha256
from .receipts import Receipt, plan_faults, receipt_path
from .results import Packing, read_result
from .shards import Plan, RowsDigest
from .tables import InputOptions, InputTable, Row, open_input, open_output
from .taking import Taking, taking_of
from .undo_file import noting


class Finish(Protocol):
    """What else is done with each row while the output is put together; begun anew for each output."""

    def begin(self, table: InputTable, taking: Taking, work: Path, plan: Plan, key: bytes | None) -> Mapping[str, Cell]:
        """Get ready for the first row; more columns for the output, by name."""

    def outcome(self, number: int, analysis: Analysis) -> Analysis:
        """What the row of a number is coded as in the end."""

    def status(self, row: Row, analysis: Analysis) -> str:
        """What a row comes to, see `layout.Status`."""

    def written(self, row: Row, analysis: Analysis | None, error: str | None) -> None:
        """A row has been written."""

    def notes(self) -> Sequence[str]:
        """Sentences worth telling, after the last row."""


class Observer(Protocol):
    """Looks on while the output is put together, and changes nothing of it."""

    def begin(self, table: InputTable, plan: Plan, work: Path) -> None:
        """All rows are coded, and none is written."""

    def written(self, row: Row, analysis: Analysis | None, error: str | None) -> None:
        """A row has been written, as it is coded in the end."""

    def end(self) -> None:
        """The output is in its place, and the results are still there. Raises `OutputError`."""


@dataclass
class Report:
    """What a run did: rows by the word in their column ``decision``, codes by decision, errors by kind, sentences worth
    telling, and files that lie beside the output. No text of any row."""

    rows: int = 0
    statuses: Counter[str] = field(default_factory=Counter)
    errors: Counter[str] = field(default_factory=Counter)
    decisions: Counter[tuple[str, str, str]] = field(default_factory=Counter)  # axis, code, decision
    notes: list[str] = field(default_factory=list)
    preview: list[tuple[int, Analysis | None, str | None]] = field(default_factory=list, repr=False)
    seconds: float = 0.0
    resumed: bool = False
    """Whether some of the rows were coded before, by a run that was stopped; ``seconds`` are of this one alone."""
    beside: list[Path] = field(default_factory=list)

    def count(self, row: Row, analysis: Analysis | None, error: str | None, *, decision: str, preview: int = 0) -> None:
        """Count one row by what it comes to; the first ones are kept to be shown."""
        self.rows += 1
        self.statuses[decision] += 1
        if len(self.preview) < preview:
            self.preview.append((row.number, analysis, error))
        if error is not None:
            self.errors[error.split(":")[0]] += 1
        if analysis is not None:
            self.decisions.update(
                (item.axis, item.code, item.decision) for item in analysis.suggestions if item.decision != "none"
            )


@dataclass(frozen=True)
class Assembled:
    """An output that is in its place: what was counted, and how it is laid out."""

    report: Report
    layout: Layout
    delimiter: str
    has_header: bool
    width: int
    sheet: str | None = None


def assemble(
    work: Path,
    plan: Plan,
    source: Path,
    target: Path,
    *,
    options: InputOptions,
    codebook: Codebook,
    language: str | None = None,
    take: Take | None = None,
    finish: Finish | None = None,
    observers: Sequence[Observer] = (),
    all_codes: bool = False,
    keep_text: bool = False,
    wide: bool = False,
    undo: bool = False,
    status: Status = strongest_of,
    preview: int = 0,
    key: bytes | None = None,
) -> Assembled:
    """Put the output together from the input and the results of all shards.

    Raises
    ------
    RunError
        A shard is not done, something in the work folder was altered, or the input changed. Nothing was written.
    OutputError
        The output cannot be written. Nothing of it is left.
    """
    errors = _check_receipts(work, plan)
    check_input(plan, source)
    report = Report()
    with open_input(source, options) as table:
        taking = take(table) if take else taking_of(table, language=language)
        if {role: list(places) for role, places in taking.columns.items()} != plan.columns:
            raise RunError("the columns of the input are read in another way than when the run was begun")
        cells = finish.begin(table, taking, work, plan, key) if finish else {}
        for observer in observers:
            observer.begin(table, plan, work)
        layout = layout_for(
            target,
            table,
            codebook,
            all_codes=all_codes,
            keep_text=keep_text,
            taking=taking,
            wide=wide,
            numbered=undo,
            status=finish.status if finish else status,
            added=cells,
        )
        report.notes += [*table.notes, *layout.notes]
        delimiter = table.delimiter or ","
        facts = layout.undo_facts(run=plan.digest[:16], bundle=plan.bundle_name) if undo else None
        with (
            open_output(
                target,
                layout.columns,
                schema=layout.arrow_types,
                delimiter=delimiter,
                keep_earlier=True,
                about=layout.about(plan.bundle_name),
            ) as out,
            noting(target, facts) as note,
        ):
            for row, coded, error in _side_by_side(work, plan, table, taking, codebook, key):
                analysis = finish.outcome(row.number, coded) if finish and coded else coded
                written = layout.cells(row, analysis, error)
                decision = layout.decision(row, analysis)
                out.write(written)
                note(row.number, analysis, decision, written)
                report.count(row, analysis, error, decision=decision, preview=preview)
                if finish:
                    finish.written(row, analysis, error)
                for observer in observers:
                    observer.written(row, analysis, error)
            if report.errors != errors:
                raise RunError(_unsound("the receipts count other errors than the results have"))
            check_input(plan, source)  # once more: cells beside the narratives may have changed meanwhile
        report.notes += [*out.warnings, *(finish.notes() if finish else ())]
        return Assembled(report, layout, delimiter, table.has_header, len(table.columns), table.sheet)


def check_input(plan: Plan, source: Path) -> None:
    """Raise `RunError` where the input is not the one of the plan any more."""
    if input_sha256(source) != plan.input.sha256:
        raise RunError(
            "the input has changed since this run was begun: put the file back as it was and go on with --resume, or "
            "begin anew with --restart"
        )


def _check_receipts(work: Path, plan: Plan) -> Counter[str]:
    """The errors that the receipts count. What they say of each result is checked when that is read."""
    for fault in plan_faults(work, plan):
        raise RunError(_unsound(fault))
    errors: Counter[str] = Counter()
    for shard in plan.shards:
        if not receipt_path(work, shard.number).exists():
            raise RunError(_unsound(f"shard {shard.number} has no receipt: it is not done"))
        receipt = Receipt.load(work, shard.number)
        if complaint := receipt.complaint(plan, shard):
            raise RunError(_unsound(f"the receipt of shard {shard.number} {complaint}"))
        errors.update(receipt.errors)
    return errors


def _unsound(fault: str) -> str:
    return f"the output was not put together: {fault}; --resume codes again what is not sound"


def _side_by_side(
    work: Path, plan: Plan, table: InputTable, taking: Taking, codebook: Codebook, key: bytes | None
) -> Iterator[tuple[Row, Analysis | None, str | None]]:
    """Rows of the input with their outcomes. Both have the same number of rows and the same texts, or nothing is
    written: the error comes before the output is put in its place."""
    outcomes = _outcomes(work, plan, codebook, key)
    digest = RowsDigest()
    for row in table.rows():
        number, outcome = next(outcomes, (0, ""))
        if number != row.number:
            break
        digest.add(taking.take(row).sha256)
        yield (row, None, outcome) if isinstance(outcome, str) else (row, outcome, None)
    else:
        if next(outcomes, None) is None and digest.hexdigest() == plan.input.rows_sha256:
            return
    raise TableError("the input changed while the output was put together: nothing was written")


def _outcomes(work: Path, plan: Plan, codebook: Codebook, key: bytes | None) -> Iterator[tuple[int, Analysis | str]]:
    packing = Packing(codebook)
    for shard in plan.shards:
        receipt = Receipt.load(work, shard.number)
        for record in read_result(work, shard.number, sha256=receipt.result_sha256, key=key):
            yield record["row"], packing.unpack(record)
