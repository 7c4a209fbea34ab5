"""From the results of a coded file to the rows that somebody should look at, the least sure first."""

from __future__ import annotations

import heapq
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from nlp.bulk.receipts import Receipt
from nlp.bulk.results import Packing, read_result
from nlp.bulk.sampling import row_status
from nlp.bulk.shard_run import LoadedBundle
from nlp.bulk.shards import Plan, Shard, read_shard
from nlp.types import Analysis, Span

from ..store.feedback import uncertainty
from ..store.jobs import ToReview
from ..store.receipts import Shown
from .blocks import ROWS, block_name
from .folders import JobFiles

MOST = 10_000  # rows of one job; of more nobody reads them all


class ReviewMaker:
    """Writes the texts that somebody should look at into the files of a job, from a work folder that is done."""

    def __init__(self, files: JobFiles, job_id: str, key: bytes, work: Path, loaded: LoadedBundle) -> None:
        self._files = files
        self._job_id = job_id
        self._key = key
        self._work = work
        self._loaded = loaded
        self._packing = Packing(loaded.codebook)

    def make(self, plan: Plan) -> list[ToReview]:
        """Two passes over the results, so that memory does not hang on their number: which rows, then their texts."""
        unsure = dict(self._least_sure(plan))
        found: list[ToReview] = []
        waiting: list[dict[str, Any]] = []
        for shard in plan.shards:
            if not any(number in unsure for number in shard.numbers):
                continue
            rows = {row.number: row for row in read_shard(self._work, shard, key=self._key)}
            for number, analysis in self._analyses(shard):
                if number not in unsure:
                    continue
                case = analysis.case_id if plan.columns.get("id") and analysis.case_id != str(number) else None
                waiting.append(row_content(number, analysis, case=case, country=rows[number].country))
                found.append(ToReview(number, len(found) // ROWS, unsure[number]))
                if len(waiting) == ROWS:
                    self._write(found[-1].block, waiting)
                    waiting = []
        if waiting:
            self._write(found[-1].block, waiting)
        return found

    def _least_sure(self, plan: Plan) -> list[tuple[int, float]]:
        """Row and uncertainty of all that the machine may not settle by itself, as far as there is room."""
        precision = self._loaded.pipeline.policy.auto_precision
        kept: list[tuple[float, int]] = []
        for shard in plan.shards:
            for number, analysis in self._analyses(shard):
                if row_status(analysis, {}, precision=precision) == "auto":
                    continue
                item = (uncertainty(shown_of(analysis)), -number)
                if len(kept) < MOST:
                    heapq.heappush(kept, item)
                else:
                    heapq.heappushpop(kept, item)
        return [(-number, round(unsure, 6)) for unsure, number in kept]

    def _analyses(self, shard: Shard) -> Iterator[tuple[int, Analysis]]:
        receipt = Receipt.load(self._work, shard.number)
        for record in read_result(self._work, shard.number, sha256=receipt.result_sha256, key=self._key):
            outcome = self._packing.unpack(record)
            if isinstance(outcome, Analysis):
                yield int(record["row"]), outcome

    def _write(self, block: int, rows: list[dict[str, Any]]) -> None:
        self._files.write(self._job_id, block_name(block), json.dumps(rows).encode(), self._key)


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
