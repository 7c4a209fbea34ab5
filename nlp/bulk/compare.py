"""Two bundles on the same rows of one table: which suggestions change."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ..codebook import Codebook
from ..errors import LanguageNotServed, TableError
from ..pipeline import Pipeline
from ..reading import normal_language
from ..types import Analysis, Decision, Suggestion
from .coding import analyze_row
from .progress import Progress
from .stopping import stopping_in_order
from .tables import InputOptions, OutputTable, open_input, open_output

COLUMNS = ("row", "id", "axis", "gained", "lost")
"""Of the file of changed rows; ``row`` counts from 1, without the names of the columns."""

CHANGE_FORMATS = (".csv", ".jsonl")


@dataclass
class AxisChanges:
    """What changes on one axis, over the rows that both bundles coded and the codes that both codebooks have.

    Suggestions of codes that only one codebook has are counted apart, in ``only_first`` and ``only_second``, with 0 for
    a code that was never suggested. ``decisions`` counts the codes of rows whose decision changed, by (first, second);
    ``distance`` is the sum of the absolute changes of probability.
    """

    codes: tuple[str, ...]
    only_first: Counter[str]
    only_second: Counter[str]
    rows: int = 0
    changed: int = 0
    gained: Counter[str] = field(default_factory=Counter)
    lost: Counter[str] = field(default_factory=Counter)
    decisions: Counter[tuple[Decision, Decision]] = field(default_factory=Counter)
    distance: float = 0.0

    @classmethod
    def between(cls, axis_id: str, first: Codebook, second: Codebook) -> AxisChanges:
        """Nothing counted yet."""
        before, after = _codes(first, axis_id), _codes(second, axis_id)
        return cls(
            codes=tuple(code for code in before if code in after),
            only_first=Counter({code: 0 for code in before if code not in after}),
            only_second=Counter({code: 0 for code in after if code not in before}),
        )

    @property
    def mean_change(self) -> float | None:
        """Mean absolute change of probability over rows and codes; None where nothing was compared."""
        compared = self.rows * len(self.codes)
        return self.distance / compared if compared else None

    def moves(self) -> list[tuple[Decision, Decision, int]]:
        """Decisions that changed: first, second, and of how many codes of rows; the most frequent first."""
        ordered = sorted(self.decisions.items(), key=lambda item: (-item[1], item[0]))
        return [(first, second, count) for (first, second), count in ordered]

    def count(self, before: Mapping[str, Suggestion], after: Mapping[str, Suggestion]) -> tuple[list[str], list[str]]:
        """Count one row; the codes that it gained and lost, in the order of the codebook."""
        for codes, said in ((self.only_first, before), (self.only_second, after)):
            codes.update(code for code in list(codes) if said[code].suggested)
        gained: list[str] = []
        lost: list[str] = []
        for code in self.codes:
            first, second = before[code], after[code]
            self.distance += abs(second.probability - first.probability)
            if first.decision != second.decision:
                self.decisions[first.decision, second.decision] += 1
            if first.suggested != second.suggested:
                (gained if second.suggested else lost).append(code)
        self.rows += 1
        self.changed += bool(gained or lost)
        self.gained.update(gained)
        self.lost.update(lost)
        return gained, lost

    def to_json(self) -> dict[str, Any]:
        mean = self.mean_change
        return {
            "rows": self.rows,
            "changed": self.changed,
            "gained": {code: self.gained[code] for code in self.codes if self.gained[code]},
            "lost": {code: self.lost[code] for code in self.codes if self.lost[code]},
            "decisions": [{"first": first, "second": second, "count": count} for first, second, count in self.moves()],
            "mean_absolute_change": None if mean is None else round(mean, 4),
            "only_in_first": dict(self.only_first),
            "only_in_second": dict(self.only_second),
        }


@dataclass
class Comparison:
    """What two bundles say of the same rows. ``errors_first`` and ``errors_second`` count by kind the rows that a
    bundle could not code. No text of any row."""

    first: str
    second: str
    codebook_first: str
    codebook_second: str
    axes: dict[str, AxisChanges]
    rows: int = 0
    both: int = 0
    only_first: int = 0
    only_second: int = 0
    errors_first: Counter[str] = field(default_factory=Counter)
    errors_second: Counter[str] = field(default_factory=Counter)
    notes: list[str] = field(default_factory=list)
    seconds: float = 0.0

    @classmethod
    def between(cls, first: Pipeline, second: Pipeline) -> Comparison:
        """Nothing counted yet; axes in the order of the first codebook, then those that only the second has."""
        axes = dict.fromkeys(axis.id for book in (first.codebook, second.codebook) for axis in book.axes)
        return cls(
            first=first.bundle,
            second=second.bundle,
            codebook_first=str(first.codebook),
            codebook_second=str(second.codebook),
            axes={axis_id: AxisChanges.between(axis_id, first.codebook, second.codebook) for axis_id in axes},
        )

    @property
    def neither(self) -> int:
        """Rows that neither bundle could code."""
        return self.rows - self.both - self.only_first - self.only_second

    def to_json(self) -> dict[str, Any]:
        """All counts as plain values."""
        return {
            "first": {"bundle": self.first, "codebook": self.codebook_first, "errors": _sorted(self.errors_first)},
            "second": {"bundle": self.second, "codebook": self.codebook_second, "errors": _sorted(self.errors_second)},
            "rows": {
                "all": self.rows,
                "both": self.both,
                "only_first": self.only_first,
                "only_second": self.only_second,
                "neither": self.neither,
            },
            "axes": {axis_id: changes.to_json() for axis_id, changes in self.axes.items()},
            "notes": self.notes,
        }


def compare_bundles(
    first: Pipeline,
    second: Pipeline,
    source: Path,
    target: Path | None = None,
    *,
    options: InputOptions | None = None,
    language: str | None = None,
    on_progress: Callable[[Progress], None] = lambda progress: None,
) -> Comparison:
    """Code every row of a table by two bundles and count what differs.

    ``target`` gets one line for each axis of a row on which the suggested codes changed: numbers, ids and codes, never
    text. It appears whole or not at all; a file that stood there before is kept beside it.

    Raises
    ------
    LanguageNotServed
        ``language`` is not one of both bundles. Nothing was read.
    TableError
        The input cannot be read, or a column or sheet has to be chosen; or the ending of ``target`` is not known.
    OutputError
        The output cannot be written. Nothing of it is left.
    """
    _check(first, second, source, target, language)
    comparison = Comparison.between(first, second)
    started = time.monotonic()
    with stopping_in_order(), open_input(source, options or InputOptions()) as table, _changes(target) as out:
        # Nothing is copied here, so that the warning about what is copied as it is would frighten for nothing.
        comparison.notes += [note for note in table.notes if "copied without redaction" not in note]
        for row in table.rows():
            before, error_before = analyze_row(first, table, row, language=language)
            after, error_after = analyze_row(second, table, row, language=language)
            _count_errors(comparison, error_before, error_after)
            if before is not None and after is not None:
                for axis_id, gained, lost in _count(comparison, before, after):
                    if out and target:
                        cells = (_cell(codes, target) for codes in (gained, lost))
                        out.write([row.number, before.case_id, axis_id, *cells])
            errors = comparison.rows - comparison.both
            on_progress(Progress(comparison.rows, errors, table.progress(), time.monotonic() - started))
        if not comparison.rows:
            raise TableError("the input has no rows: there is nothing to compare")
    comparison.notes += out.warnings if out else []
    comparison.seconds = time.monotonic() - started
    return comparison


def _check(first: Pipeline, second: Pipeline, source: Path, target: Path | None, language: str | None) -> None:
    if target and target.suffix.lower() not in CHANGE_FORMATS:
        raise TableError(f"changed rows are written as {' or '.join(CHANGE_FORMATS)}: give the output such an ending")
    if target and target.exists() and source.exists() and target.samefile(source):
        raise TableError("input and output are the same file: give the output another name")
    stated = normal_language(language)
    for pipeline in (first, second):
        if stated and stated not in pipeline.reader.languages:
            raise LanguageNotServed(stated, pipeline.reader.languages)


@contextmanager
def _changes(target: Path | None) -> Iterator[OutputTable | None]:
    """The table of changed rows, or None where nobody asked for it."""
    if target is None:
        yield None
        return
    with open_output(target, COLUMNS, keep_earlier=True) as out:
        yield out


def _count_errors(comparison: Comparison, before: str | None, after: str | None) -> None:
    comparison.rows += 1
    comparison.both += before is None and after is None
    comparison.only_first += before is None and after is not None
    comparison.only_second += before is not None and after is None
    for errors, error in ((comparison.errors_first, before), (comparison.errors_second, after)):
        if error is not None:
            errors[error.split(":")[0]] += 1


def _count(
    comparison: Comparison, before: Analysis, after: Analysis
) -> Iterator[tuple[str, Sequence[str], Sequence[str]]]:
    """Count one row; the axes on which its suggested codes changed, with the codes gained and lost."""
    for axis_id, changes in comparison.axes.items():
        gained, lost = changes.count(_said(before, axis_id), _said(after, axis_id))
        if gained or lost:
            yield axis_id, gained, lost


def _cell(codes: Sequence[str], target: Path) -> Any:
    """Codes as `bulk` writes them: a list in JSONL, joined elsewhere."""
    return codes if target.suffix.lower() == ".jsonl" else ";".join(codes)


def _said(analysis: Analysis, axis_id: str) -> dict[str, Suggestion]:
    return {item.code: item for item in analysis.suggestions if item.axis == axis_id}


def _codes(codebook: Codebook, axis_id: str) -> tuple[str, ...]:
    return next((axis.codes for axis in codebook.axes if axis.id == axis_id), ())


def _sorted(counts: Counter[str]) -> dict[str, int]:
    return dict(sorted(counts.items()))
