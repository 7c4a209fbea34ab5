"""From the rows of a coded file to those that somebody should look at: where people and models disagree, then the least
sure."""

from __future__ import annotations

import hashlib
import heapq
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from nlp.bulk.coded import People
from nlp.bulk.legacy import Legacy
from nlp.bulk.receipts import Receipt
from nlp.bulk.results import Packing, read_result
from nlp.bulk.shards import Plan, Shard, read_shard
from nlp.bulk.tables import InputTable, Row
from nlp.types import Analysis, Span

from ..store.feedback import uncertainty
from ..store.jobs import ToReview
from ..store.receipts import Shown
from ..store.review import queue_place
from .blocks import ROWS, block_name
from .folders import JobFiles

_NUMBER = 8  # bytes of the number of a row
MOST = 10_000  # rows of one job; of more nobody reads them all


class ReviewMaker:
    """Chooses rows while the output is put together, and then writes their texts into the files of a job; see
    `nlp.bulk.assemble.Observer`. Memory hangs on `MOST`, not on the number of rows.

    Rows with the same text, the same suggestions and the same codes of people are to be decided together, unless the
    run codes each row for itself.
    """

    def __init__(self, files: JobFiles, job_id: str, key: bytes, legacy: Legacy) -> None:
        self._files = files
        self._job_id = job_id
        self._key = key
        self._legacy = legacy
        self._packing = Packing(legacy.codebook)
        self._kept: list[tuple[float, int]] = []  # a heap of places in the queue with negative numbers of rows
        self._people: dict[int, dict[str, Any]] = {}
        self._firsts: dict[bytes, int] = {}  # the first row of those that are alike, by what they have in common
        self._alike: dict[int, tuple[bytes, int]] = {}  # the same by row
        self._plan: Plan | None = None
        self._work = Path()
        self.found: list[ToReview] = []
        """The rows, once their texts are written."""
        self.left_out = 0
        """How many more there are, for which the queue has no place."""

    def begin(self, table: InputTable, plan: Plan, work: Path) -> None:
        """All rows are coded."""
        self._plan, self._work = plan, work

    def written(self, row: Row, analysis: Analysis | None, error: str | None) -> None:
        """Keep a row that somebody should look at, as far as there is room."""
        if analysis is None or self._is_settled(row, analysis):
            return
        differing = self._legacy.differing(row, analysis)
        item = (round(queue_place(uncertainty(shown_of(analysis)), differs=bool(differing)), 6), -row.number)
        said = {"people": _said(self._legacy.people(row)), "differs": list(differing)}
        self._people[row.number] = said
        common = self._common(row, analysis)
        self._alike[row.number] = common, self._firsts.setdefault(common, row.number)
        if len(self._kept) < MOST:
            heapq.heappush(self._kept, item)
        else:
            _, dropped = heapq.heappushpop(self._kept, item)
            self.left_out += 1
            del self._people[-dropped]
            common, _ = self._alike.pop(-dropped)
            if self._firsts.get(common) == -dropped:
                del self._firsts[common]

    def end(self) -> None:
        """Write the texts of the rows that were kept."""
        if self._plan is None:
            return
        places = {-number: place for place, number in self._kept}
        waiting: list[dict[str, Any]] = []
        for content in self._contents(self._plan, places):
            waiting.append(content)
            number = content["row"]
            _, first = self._alike[number]
            self.found.append(ToReview(number, len(self.found) // ROWS, places[number], first))
            if len(waiting) == ROWS:
                self._write(waiting)
                waiting = []
        if waiting:
            self._write(waiting)

    def _is_settled(self, row: Row, analysis: Analysis) -> bool:
        """Whether nobody has to look: the machine may set its codes by itself, or people have coded all that it leaves
        open, and neither says anything else."""
        if self._legacy.differing(row, analysis) or self._legacy.is_doubtful(row):
            return False
        if self._legacy.status(row, analysis) == "auto":
            return True
        people = self._legacy.people(row)
        unsure = {item.axis for item in analysis.suggestions if item.decision in ("suggest", "review")}
        axes = unsure or {axis.id for axis in self._legacy.codebook.axes}
        return all(axis in people and people[axis].complete for axis in axes)

    def _common(self, row: Row, analysis: Analysis) -> bytes:
        """A hash of what rows have in common that are alike; it does not outlive the run."""
        if self._legacy.duplicates is None:
            return row.number.to_bytes(_NUMBER, "big")
        people = {axis: vars(codes) for axis, codes in sorted(self._legacy.people(row).items())}
        seen = repr((self._legacy.text_of(row), shown_of(analysis), people))
        return hashlib.sha256(seen.encode("utf-8", "surrogatepass")).digest()

    def _contents(self, plan: Plan, places: dict[int, float]) -> Iterator[dict[str, Any]]:
        for shard in plan.shards:
            if not any(number in places for number in shard.numbers):
                continue
            rows = {row.number: row for row in read_shard(self._work, shard, key=self._key)}
            for number, own in self._analyses(shard):
                if number not in places:
                    continue
                analysis = self._legacy.outcome(number, own)
                case = analysis.case_id if plan.columns.get("id") and analysis.case_id != str(number) else None
                content = row_content(number, analysis, case=case, country=rows[number].country)
                yield {**content, **self._people[number]}

    def _analyses(self, shard: Shard) -> Iterator[tuple[int, Analysis]]:
        receipt = Receipt.load(self._work, shard.number)
        for record in read_result(self._work, shard.number, sha256=receipt.result_sha256, key=self._key):
            outcome = self._packing.unpack(record)
            if isinstance(outcome, Analysis):
                yield int(record["row"]), outcome

    def _write(self, rows: list[dict[str, Any]]) -> None:
        self._files.write(self._job_id, block_name(self.found[-1].block), json.dumps(rows).encode(), self._key)


def _said(people: People) -> dict[str, Any]:
    """What a person coded, without the labels that nobody could look up: they may be anything."""
    return {
        axis: {"codes": list(codes.codes), "nothing": codes.nothing, "unknown": len(codes.unmapped)}
        for axis, codes in people.items()
        if codes.given
    }


def shown_of(analysis: Analysis) -> list[Shown]:
    """What is suggested or up for review."""
    return [
        Shown(item.axis, item.code, round(item.probability, 4), item.decision)
        for item in analysis.suggestions
        if item.decision != "none"
    ]


def row_content(number: int, analysis: Analysis, *, case: str | None, country: str | None) -> dict[str, Any]:
    """A row as it is looked at. All offsets point into the redacted text: nobody has another one."""
    redaction = analysis.redaction
    content = analysis.to_json()

    def moved(span: Span) -> dict[str, int]:
        there = redaction.redacted_span(span)
        return {"start": there.start, "end": there.end}

    evidence = {(item.axis, item.code): item.evidence for item in analysis.suggestions}
    for item in content["suggestions"]:
        item["evidence"] = [
            {**moved(one.span), "redacted": one.redacted, "words": [moved(span) for span in one.words]}
            for one in evidence[item["axis"], item["code"]]
        ]
    kept = ("language", "redacted_text", "suggestions", "primary", "not_a_violation")
    return {
        "row": number,
        "case": case,
        "country": country,
        **{name: content[name] for name in kept},
        "doubts": [moved(span) for span in redaction.doubts],
    }
