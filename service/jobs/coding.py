"""The process that codes one job: from its sealed file to its sealed output and the texts to look at.

It has the key of this job and nothing else of the store. Only numbers, codes and sentences leave it.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from nlp import __version__
from nlp.bulk.assemble import Observer
from nlp.bulk.legacy import Legacy
from nlp.bulk.progress import Progress
from nlp.bulk.run import BulkOptions, LoadedBundle, Report, run_bulk
from nlp.bulk.sampling import STATUSES
from nlp.bulk.shards import PLAN, Plan, ShardRow
from nlp.bulk.tables import InputTable, Row
from nlp.errors import CasecoderError, RunError
from nlp.types import Analysis

from ..store.receipts import policy_mark
from .cases import CaseMarks
from .children import ChildFailed, Facts, Tell, be_child, go_last
from .folders import OUTPUT, WORK, JobFiles, Plain, plain_files
from .options import JobOptions, in_our_words
from .review_file import ReviewMaker
from .tasks import Task

_ROOM = 5  # times the size of the input that it takes in plain with all that is written
_OFTEN = 0.5  # seconds between two words on how far it is
_ROW_SECONDS = 1800.0  # as `run_local` counts them, on a machine that leaves a job only what nobody else wants
_KINDS = {  # by the end of their names; any other file is the output
    ".receipt.json": "receipt",
    ".undo.jsonl": "undo",
    ".unmapped.csv": "unmapped",
    ".report.html": "report",
    ".report.json": "report-json",
    ".check.csv": "check",
    ".check.xlsx": "check",
}
FILE_KINDS = ("output", "report", "report-json", "check", "unmapped", "undo", "receipt")


@dataclass(frozen=True)
class CodingTask(Task):
    """What is to be coded. ``ending`` is that of the file, with its dot; ``anew`` throws away what was done before.
    ``mapping`` is the name of the sealed file from old labels to codes, None where there is none; ``idle``: with what
    nobody else wants of the machine."""

    folder: Path
    job_id: str
    key: bytes = field(repr=False)
    ending: str
    options: JobOptions = field(repr=False)
    bundle: str | None = None
    workers: int = 1
    anew: bool = False
    mapping: str | None = None
    idle: bool = False


def main() -> None:
    """What the process does."""
    be_child(_code)


def _code(data: Facts, tell: Tell) -> None:
    task = CodingTask.from_json(data)
    if task.idle:
        go_last()
    code_job(task, tell)


def code_job(task: CodingTask, tell: Tell, *, loaded: LoadedBundle | None = None) -> None:
    """Code a job, or go on with it; tells how far it is and, at the end, what came out."""
    files = JobFiles(task.folder)
    loaded = loaded or LoadedBundle.open(task.bundle, precision=task.options.precision)
    work = files.make(task.job_id) / WORK
    anew = task.anew or _is_other(work, loaded)
    with plain_files(files, task.job_id, task.key, ending=task.ending, mapping=task.mapping, room=_ROOM) as plain:
        out = plain.folder / "out"
        out.mkdir(mode=0o700)
        coding = _Coding(task, files, loaded, work, tell, anew=anew)
        try:
            report = coding.run(plain, out)
        except CasecoderError as error:
            sentence = in_our_words(str(error), {plain.source: "the file", work: "the work folder"})
            raise ChildFailed(error.code, sentence) from None
        sizes = _take_in(files, task, out)
    tell(event="done", facts=coding.facts(report, sizes), notes=coding.sentences(report), to_review=coding.to_review)


class _Coding:
    """One run, and what is heard of it: it sees each row when it is read (`nlp.bulk.prepare.RowWatcher`) and when it is
    written (`nlp.bulk.assemble.Observer`)."""

    def __init__(
        self, task: CodingTask, files: JobFiles, loaded: LoadedBundle, work: Path, tell: Tell, *, anew: bool
    ) -> None:
        self._task = task
        self._files = files
        self._loaded = loaded
        self._work = work
        self._tell = tell
        self._anew = anew
        self._said = 0.0
        self._statuses: Counter[str] = Counter()
        self._legacy: Legacy | None = None
        self._review: ReviewMaker | None = None
        self._cases = CaseMarks(files, task.job_id, task.key, self._id_at)

    def run(self, plain: Plain, out: Path) -> Report:
        """Code the file into a folder, with all that comes beside it."""
        options = self._task.options
        self._tell(event="progress", phase="reading", rows=0)
        return run_bulk(
            self._loaded,
            plain.source,
            out / f"{OUTPUT}.{options.format or self._task.ending[1:]}",
            options=options.for_reading(),
            all_codes=options.all_codes,
            keep_text=options.keep_text,
            wide=options.wide,
            undo=True,
            on_progress=self._progress,
            bulk=BulkOptions(
                workers=self._task.workers,
                row_seconds=_ROW_SECONDS,
                guarded=True,  # the next jobs wait for this one, and nobody looks on
                resume=not self._anew,
                restart=self._anew,
                work=self._work,
                keep_work=True,  # until what came out is sealed and the store knows it
                key=self._task.key,
                legacy=options.legacy(plain.mapping),
                watchers=(self._cases, self),
                observers=(self._observe, self._make_review),
                report=True,
                check=options.check,
                report_language=options.report_language,
            ),
        )

    def see(self, row: Row, taken: ShardRow) -> None:
        """A row is read."""
        self._say(phase="reading", rows=row.number)

    def save(self, work: Path, key: bytes | None) -> Mapping[str, str]:
        """The table is read to its end, and what was done before is gone: from here on it can be gone on with."""
        self._tell(event="begun")
        return {}

    def close(self) -> None:
        """Nothing is held."""

    def begin(self, table: InputTable, plan: Plan, work: Path) -> None:
        """All rows are coded, and none is written."""
        self._statuses.clear()
        self._tell(event="progress", phase="writing", rows=plan.input.rows, total=plan.input.rows)

    def written(self, row: Row, analysis: Analysis | None, error: str | None) -> None:
        """Count what a row comes to."""
        if self._legacy:
            self._statuses["failed" if analysis is None else self._legacy.status(row, analysis)] += 1

    def end(self) -> None:
        """Nothing is left to do."""

    @property
    def to_review(self) -> list[tuple[int, int, float, int | None]]:
        """The rows that somebody should look at, each as the values of a `ToReview`."""
        found = self._review.found if self._review else []
        return [(item.row, item.block, item.uncertainty, item.alike) for item in found]

    def _id_at(self) -> Sequence[int]:
        return self._legacy.columns.get("id", ()) if self._legacy else ()

    def _observe(self, legacy: Legacy) -> Observer:
        self._legacy = legacy
        return self

    def _make_review(self, legacy: Legacy) -> Observer:
        self._review = ReviewMaker(self._files, self._task.job_id, self._task.key, legacy)
        return self._review

    def _progress(self, progress: Progress) -> None:
        self._say(phase="coding", total=progress.total, **progress.to_json())

    def _say(self, **facts: Any) -> None:
        now = time.monotonic()
        if now - self._said >= _OFTEN:
            self._said = now
            self._tell(event="progress", **facts)

    def facts(self, report: Report, sizes: Mapping[str, Mapping[str, Any]]) -> Facts:
        """Numbers and codes about the run."""
        counts: dict[str, dict[str, dict[str, int]]] = {}
        for (axis, code, decision), count in sorted(report.decisions.items()):
            counts.setdefault(axis, {}).setdefault(code, {})[decision] = count
        return {
            "phase": "done",
            "rows": report.rows,
            "total": report.rows,
            "errors": report.errors.total(),
            "error_kinds": dict(sorted(report.errors.items())),
            "statuses": {status: self._statuses[status] for status in STATUSES},
            "counts": counts,
            **self._about_people(),
            "seconds": round(report.seconds, 1),
            "seconds_left": None,
            "bundle": self._loaded.name,
            "codebook": str(self._loaded.codebook),
            "policy": policy_mark(self._loaded.pipeline.policy),
            "precision": self._loaded.auto_precision,
            "to_review": len(self.to_review),
            "has_standing_codes": True,
            "files": sizes,
        }

    def _about_people(self) -> Facts:
        """What people coded before, and which rows repeat others."""
        legacy = self._legacy
        if legacy is None:
            return {}
        labels = {"rows": legacy.unmapped.rows, "labels": legacy.unmapped.labels} if legacy.axes else None
        return {
            "people": {axis: found.short_json() for axis, found in legacy.agreement.axes.items()},
            "unmapped": labels,
            "duplicates": None if legacy.duplicates is None else dict(legacy.duplicates),
        }

    def sentences(self, report: Report) -> list[str]:
        """Sentences worth telling, each once."""
        said = list(dict.fromkeys(map(in_our_words, report.notes)))
        if self._review and self._review.left_out:
            many = self._review.left_out
            said.append(
                f"{many:,} more row(s) should be looked at than the queue holds: bring the file in smaller parts"
            )
        return said


def _is_other(work: Path, loaded: LoadedBundle) -> bool:
    """Whether what was done before was done by another bundle or version: then nobody can go on with it."""
    if not (work / PLAN).exists():
        return False
    try:
        plan = Plan.load(work)
    except RunError:
        return True
    return plan.version != __version__ or plan.bundle_digest != loaded.digest


def _take_in(files: JobFiles, task: CodingTask, out: Path) -> dict[str, dict[str, Any]]:
    """Seal what the run has written; for each kind of file its size and what stands behind the name of the output."""
    found: dict[str, dict[str, Any]] = {}
    for path in out.iterdir():
        kind = _kind_of(path.name)
        size = files.take_in(path, task.job_id, kind, task.key)
        found[kind] = {"ending": path.name.removeprefix(OUTPUT), "bytes": size}
    return {kind: found[kind] for kind in FILE_KINDS if kind in found}


def _kind_of(name: str) -> str:
    return next((kind for ending, kind in _KINDS.items() if name.endswith(ending)), "output")


if __name__ == "__main__":
    main()
