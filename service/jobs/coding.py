"""The process that codes one job: from its sealed file to its sealed output and the texts to look at.

It has the key of this job and nothing else of the store. Only numbers, codes and sentences leave it.
"""

from __future__ import annotations

import base64
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from nlp import __version__
from nlp.bulk.layout import Cell
from nlp.bulk.progress import Progress
from nlp.bulk.run import BulkOptions, LoadedBundle, Report, run_bulk
from nlp.bulk.sampling import row_status
from nlp.bulk.shards import PLAN, Plan, ShardRow
from nlp.bulk.tables import InputTable, Row
from nlp.bulk.taking import ChosenColumns, Taking
from nlp.errors import CasecoderError, RunError
from nlp.types import Analysis

from ..store.receipts import policy_mark
from .cases import CaseMarks
from .children import ChildFailed, Facts, Tell, be_child, go_last
from .folders import JobFiles, plain_folder
from .options import JobOptions
from .review_file import ReviewMaker
from .standing import standing_columns

INPUT = "input"
_ROOM = 4  # times the size of the input that input and output take in plain
_OFTEN = 0.5  # seconds between two words on how far it is
_ROW_SECONDS = 1800.0  # as `run_local` counts them, on a machine that leaves a job only what nobody else wants
_KINDS = {".receipt.json": "receipt", ".undo.jsonl": "undo", ".check.csv": "check", ".check.xlsx": "check"}
_REPORTS = (".html", ".json")
FILE_KINDS = ("output", "report", "undo", "check", "receipt")


@dataclass(frozen=True)
class CodingTask:
    """What is to be coded. ``ending`` is that of the file, with its dot; ``anew`` throws away what was done before;
    ``idle``: with what nobody else wants of the machine."""

    folder: Path
    job_id: str
    key: bytes = field(repr=False)
    ending: str
    options: JobOptions = field(repr=False)
    bundle: str | None = None
    workers: int = 1
    anew: bool = False
    idle: bool = False

    def to_json(self) -> dict[str, Any]:
        """For the line that the process reads first."""
        return {
            **vars(self),
            "folder": str(self.folder),
            "key": base64.b64encode(self.key).decode(),
            "options": self.options.to_json(),
        }

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> CodingTask:
        """What `to_json` gave."""
        return cls(
            **{
                **data,
                "folder": Path(data["folder"]),
                "key": base64.b64decode(data["key"]),
                "options": JobOptions.from_json(data["options"]),
            }
        )


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
    loaded = loaded or LoadedBundle.open(task.bundle)
    work = files.make(task.job_id) / "work"
    anew = task.anew or _is_other(work, loaded)
    with files.open(task.job_id, INPUT, task.key) as sealed:
        size = sealed.size
    with plain_folder(_ROOM * size) as folder:
        source = folder / f"{INPUT}{task.ending}"
        files.copy_plain(task.job_id, INPUT, task.key, source)
        out = folder / "out"
        out.mkdir(mode=0o700)
        coding = _Coding(task, files, loaded, work, tell, anew=anew)
        try:
            report = coding.run(source, out)
        except CasecoderError as error:  # without the place of a file that is gone by then
            sentence = str(error).replace(str(source), "the file").replace(str(work), "the work folder")
            raise ChildFailed(error.code, sentence) from None
        sizes = _take_in(files, task, out)
    tell(event="done", facts=coding.facts(report, sizes), notes=coding.sentences(report), to_review=coding.to_review)


class _Coding:
    """One run, and what is heard of it."""

    def __init__(
        self, task: CodingTask, files: JobFiles, loaded: LoadedBundle, work: Path, tell: Tell, *, anew: bool
    ) -> None:
        self._task = task
        self._loaded = loaded
        self._work = work
        self._tell = tell
        self._anew = anew
        self._said = 0.0
        self._takings: list[ChosenColumns] = []
        self._cases = CaseMarks(files, task.job_id, task.key, lambda: self._takings[-1].columns["id"])
        self._review = ReviewMaker(files, task.job_id, task.key, work, loaded)
        self.to_review: list[tuple[int, int, float]] = []

    def run(self, source: Path, out: Path) -> Report:
        options = self._task.options
        self._tell(event="progress", phase="reading", rows=0)
        return run_bulk(
            self._loaded,
            source,
            out / f"output.{options.format or self._task.ending[1:]}",
            options=options.for_reading(),
            all_codes=options.all_codes,
            keep_text=options.keep_text,
            language=options.language,
            on_progress=self._progress,
            bulk=BulkOptions(
                workers=self._task.workers,
                row_seconds=_ROW_SECONDS,
                resume=not self._anew,
                restart=self._anew,
                work=self._work,
                key=self._task.key,
                take=self._take,
                watchers=(self._cases, self),
                finish=self,
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

    def begin(self, table: InputTable, taking: Taking, work: Path, plan: Plan, key: bytes | None) -> Mapping[str, Cell]:
        """All rows are coded and none is written: the last moment at which there are results to be read."""
        self._tell(event="progress", phase="writing", rows=plan.input.rows, total=plan.input.rows)
        self.to_review = [(item.row, item.block, item.uncertainty) for item in self._review.make(plan)]
        return standing_columns(self._loaded.codebook, precision=self._loaded.auto_precision)

    def outcome(self, row: Row, analysis: Analysis) -> Analysis:
        """Every row is coded as it was."""
        return analysis

    def status(self, row: Row, analysis: Analysis) -> str:
        """See `row_status`."""
        return row_status(analysis, {}, precision=self._loaded.auto_precision)

    def written(self, row: Row, analysis: Analysis | None, error: str | None) -> None:
        """Nothing is counted here."""

    def _take(self, table: InputTable) -> ChosenColumns:
        self._takings.append(self._task.options.choose(table, self._loaded.languages))
        return self._takings[-1]

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
            "counts": counts,
            "seconds": round(report.seconds, 1),
            "seconds_left": None,
            "bundle": self._loaded.name,
            "codebook": str(self._loaded.codebook),
            "policy": policy_mark(self._loaded.pipeline.policy),
            "to_review": len(self.to_review),
            "has_standing_codes": True,
            "files": sizes,
        }

    def notes(self) -> list[str]:
        """None of its own."""
        return []

    def sentences(self, report: Report) -> list[str]:
        """Sentences worth telling, each once."""
        taking = self._takings[-1]
        return list(dict.fromkeys([*report.notes, *taking.notes, *taking.warnings]))


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
    """Seal what the run has written; the ending and size of each kind of file."""
    found: dict[str, dict[str, Any]] = {}
    for path in sorted(out.iterdir()):
        kind, ending = _kind_of(path.name)
        if kind:
            found[kind] = {"ending": ending, "bytes": files.take_in(path, task.job_id, kind, task.key)}
    return found


def _kind_of(name: str) -> tuple[str | None, str]:
    for ending, kind in _KINDS.items():
        if name.endswith(ending):
            return kind, ending
    ending = Path(name).suffix
    if name == f"output{ending}":
        return "output", ending
    return ("report", ending) if ending in _REPORTS else (None, ending)


if __name__ == "__main__":
    main()
