"""The proof of an output, once its work folder is gone: OUTPUT.receipt.json, and what checks it.

The receipt holds hashes, counts and places of columns, and nothing that stands in a table. It is no signature: it finds
what was changed by accident, or by somebody who did not change the receipt as well.
"""

from __future__ import annotations

import datetime as dt
import json
import platform
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from importlib.metadata import PackageNotFoundError, version
from itertools import islice, zip_longest
from pathlib import Path
from typing import Any

from .. import __version__
from ..errors import RunError, TableError
from . import ooxml, sealed, stamped
from .assemble import Assembled, Report
from .facts_columns import FactsColumns
from .joining import Joining
from .output import csv_cell
from .replacing import replacing
from .shards import Plan, RowsDigest
from .tables import InputOptions, InputTable, Row, open_input, text_of
from .taking import ChosenColumns, Taking
from .values import json_text, without_surrogates
from .xlsx_output import CUT

FORMAT = 1
ENDING = ".receipt.json"
MAX_FAULTS = 10  # sentences; after that, more of them tell nothing new

_LIBRARIES = ("numpy", "onnxruntime", "pyarrow", "spacy", "tokenizers")
_TEXT_ENDINGS = (".csv", ".tsv")


def receipt_path_of(target: Path) -> Path:
    return target.with_name(target.name + ENDING)


def write_receipt(
    target: Path,
    plan: Plan,
    assembled: Assembled,
    *,
    options: InputOptions,
    codebook: str,
    keep_text: bool,
    seconds: float,
) -> None:
    """Write the receipt of an output that is in its place; ``options`` are those that its input was read with. Raises
    `OutputError`."""
    report, layout = assembled.report, assembled.layout
    facts = {
        "format": FORMAT,
        "rows": report.rows,
        "errors": dict(sorted(report.errors.items())),
        "input": {"size": plan.input.size, "sha256": plan.input.sha256, "texts_sha256": plan.input.rows_sha256},
        "output": {"size": target.stat().st_size, "sha256": sealed.file_sha256(target)},
        "bundle": {"name": plan.bundle_name, "digest": plan.bundle_digest, "codebook": codebook},
        "run": {"plan": plan.digest, "shards": len(plan.shards), "seconds": round(seconds, 1)},
        "reading": {
            "sheet": assembled.sheet,  # its name may be somebody's
            "encoding": options.encoding,
            "delimiter": options.delimiter,
            "header": assembled.has_header,
        },
        "table": {
            "columns": assembled.width,
            **{role: list(places) for role, places in plan.columns.items()},
            "copied": list(layout.copied),
            "bundle": layout.bundle_at,
            "keep_text": keep_text,
            "delimiter": assembled.delimiter,
        },
        "versions": {"casecoder": __version__, "python": platform.python_version(), **_versions()},
    }
    with replacing(receipt_path_of(target), keep_earlier=True) as place:
        place.file.write(stamped.content(facts))


def read_receipt(path: Path) -> dict[str, Any]:
    """The facts of a receipt. Raises `RunError` where there is none, or it was altered."""
    if not path.is_file():
        raise RunError(f"there is no receipt {path}: it was written beside the output; name its place by --receipt")
    facts = stamped.load(path)
    if facts.get("format") != FORMAT:
        raise RunError(f"{path.name} is a receipt of another version of casecoder")
    return facts


def report_of_ended(target: Path, plan: Plan) -> Report | None:
    """What a run came to whose output is in its place, as its receipt tells; None where that is not so."""
    try:
        facts = read_receipt(receipt_path_of(target))
        whole = facts["run"]["plan"] == plan.digest and facts["output"]["sha256"] == sealed.file_sha256(target)
    except (RunError, OSError):
        return None
    said = "the run had ended well before it was stopped: nothing was left to do but to clear its work folder"
    return Report(rows=facts["rows"], errors=Counter(facts["errors"]), notes=[said]) if whole else None


def verify_output(target: Path, source: Path, receipt: Path | None = None) -> tuple[int, list[str]]:
    """The rows that a receipt speaks for, and what keeps them from being proved, as sentences that tell row numbers
    and no cell: none where every row of the input is in the output exactly once and in order, coded by one bundle.

    Raises `RunError` where there is no sound receipt.
    """
    facts = read_receipt(receipt or receipt_path_of(target))
    others = [what for what, path in (("output", target), ("input", source)) if _sha256(path) != facts[what]["sha256"]]
    found = [f"{what} is not the file of the receipt: its SHA-256 is another one" for what in others]
    comparison = _Comparison(facts, target.suffix.lower(), vouched="output" not in others)
    try:
        for fault in islice(comparison.faults(source, target), MAX_FAULTS):
            found.append(fault)
    except TableError as error:
        found.append(f"the files could not be compared to the end: {error}")
    return int(facts["rows"]), found


def _narrative_in(columns: Sequence[int]) -> Taking:
    """What a run took from these columns; its languages and countries are no part of the proof."""
    return ChosenColumns(Joining(tuple(columns)), None, FactsColumns(None, None, ()))


class _Comparison:
    """An input and its output side by side, as a receipt says how they were read and written."""

    def __init__(self, facts: Mapping[str, Any], ending: str, *, vouched: bool) -> None:
        self._facts = facts
        self._vouched = vouched
        self._table: Mapping[str, Any] = facts["table"]
        self._ending = ending

    def faults(self, source: Path, target: Path) -> Iterator[str]:
        digest = RowsDigest()
        count = 0
        with (
            open_input(source, self._inward()) as before,
            open_input(target, self._outward(), vouched=self._vouched) as after,
        ):
            if fault := self._columns_fault(before, after):
                yield fault
                return
            taking = _narrative_in(self._table["text"])
            for row, coded in zip_longest(before.rows(), after.rows()):
                if row is None or coded is None:
                    shorter, longer = ("input", "output") if row is None else ("output", "input")
                    yield f"the {shorter} ends after {count:,} rows, the {longer} has more"
                    return
                count += 1
                digest.add(taking.take(row).sha256)
                if fault := self._row_fault(row, coded):
                    yield f"row {count:,}: {fault}"
        if count != self._facts["rows"]:
            yield f"the files have {count:,} rows, the receipt says {self._facts['rows']:,}"
        if digest.hexdigest() != self._facts["input"]["texts_sha256"]:
            yield "the narratives of the input are not those that were coded"

    def _inward(self) -> InputOptions:
        reading = self._facts["reading"]
        return InputOptions(
            str(self._table["text"][0] + 1),
            sheet=reading["sheet"],
            encoding=reading["encoding"],
            delimiter=reading["delimiter"],
            header=reading["header"],
        )

    def _outward(self) -> InputOptions:
        is_text = self._ending in _TEXT_ENDINGS
        return InputOptions(
            str(self._table["text"][0] + 1),
            sheet="1" if self._ending == ".xlsx" else None,
            encoding="utf-8" if is_text or self._ending == ".jsonl" else None,
            delimiter=self._table["delimiter"] if is_text and self._ending != ".tsv" else None,
            header=True,
        )

    def _columns_fault(self, before: InputTable, after: InputTable) -> str | None:
        width = self._table["columns"]
        if len(before.columns) != width:
            return f"the input has {len(before.columns)} columns, the receipt says {width}"
        if len(after.columns) <= self._table["bundle"]:
            return f"the output has only {len(after.columns)} columns"
        names = zip(before.columns, after.columns[:width], strict=True)
        if not all(_is_same(name, seen, self._ending) for name, seen in names):
            return "the columns of the output do not begin with those of the input"
        return None

    def _row_fault(self, row: Row, coded: Row) -> str | None:
        if coded.problem:
            return f"it cannot be read in the output: {coded.problem}"
        empty = row.problem and not self._table["keep_text"]
        for at in self._table["copied"]:
            if not _is_same(None if empty else row.cells[at], coded.cells[at], self._ending):
                return f"column {at + 1} is not as in the input"
        if text_of(coded.cells[self._table["bundle"]]) not in ("", self._facts["bundle"]["name"]):
            return "it was coded by another bundle"
        return None


def _is_same(cell: Any, seen: Any, ending: str) -> bool:
    """Whether a cell of the output is what was written for this cell of the input."""
    if ending == ".xlsx" and isinstance(cell, dt.datetime) and isinstance(seen, dt.datetime):
        return abs(cell.replace(tzinfo=None) - seen) < dt.timedelta(milliseconds=1)  # its days are fractions
    if ending in _TEXT_ENDINGS:
        written = csv_cell(cell)
    elif ending == ".jsonl":
        written = text_of(json.loads(json_text(cell)))
    else:
        written = without_surrogates(text_of(cell))
        if ending == ".xlsx" and ooxml.units(written) > ooxml.MAX_CELL:
            written = ooxml.shorten(written, ooxml.MAX_CELL - len(CUT)) + CUT
    return written == text_of(seen)


def _sha256(path: Path) -> str | None:
    try:
        return sealed.file_sha256(path)
    except OSError as error:
        raise TableError(f"{path} cannot be read ({type(error).__name__})") from None


def _versions() -> dict[str, str]:
    found = {}
    for name in _LIBRARIES:
        with suppress(PackageNotFoundError):
            found[name] = version(name)
    return found
