"""What coding a shard gives, as Parquet: one record for each row, from which its analysis can be had again in full.

Columns: ``row``; ``error`` (null for a row that was coded, and then all others are null or empty); ``language``;
``redacted_text``; ``probabilities`` in the order of `columns_of`; ``decisions`` (0 none, 1 review, 2 suggest, 3 auto)
of the codes among these columns; ``details``, JSON with offsets, evidence, primary codes. Offsets count code points.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pyarrow as pa

from ..classification.base import columns_of
from ..codebook import Codebook
from ..types import Analysis, Decision, Entity, Evidence, Redaction, Replacement, Span, Suggestion
from . import sealed
from .shards import RESULTS, parquet_bytes, parquet_table, records_of

SCHEMA = pa.schema(
    [
        ("row", pa.int64()),
        ("error", pa.string()),
        ("language", pa.string()),
        ("redacted_text", pa.string()),
        ("probabilities", pa.list_(pa.float64())),
        ("decisions", pa.list_(pa.int8())),
        ("details", pa.string()),
    ]
)
DECISIONS: tuple[Decision, ...] = ("none", "review", "suggest", "auto")

_LEVELS = {decision: level for level, decision in enumerate(DECISIONS)}


class Packing:
    """Analyses to records and back, for one codebook."""

    def __init__(self, codebook: Codebook) -> None:
        columns = columns_of(codebook)
        self._codebook = str(codebook)
        order = {axis.id: number for number, axis in enumerate(codebook.axes)}
        self._codes = [code for _, code in columns if code is not None]
        self._axes = [axis for axis, code in columns if code is not None]
        self._orders = [order[axis] for axis in self._axes]
        self._nothing = [axis for axis, code in columns if code is None]  # behind all codes

    def pack(self, row: int, outcome: Analysis | str) -> dict[str, Any]:
        """The record of a row: of its analysis, or of the error that it has instead."""
        if isinstance(outcome, str):
            return {**dict.fromkeys(SCHEMA.names), "row": row, "error": outcome}
        said = {item.code: item for item in outcome.suggestions}
        items = [said[code] for code in self._codes]
        return {
            "row": row,
            "error": None,
            "language": outcome.language,
            "redacted_text": outcome.redaction.text,
            "probabilities": [
                *(item.probability for item in items),
                *(outcome.nothing[axis] for axis in self._nothing),
            ],
            "decisions": [_LEVELS[item.decision] for item in items],
            "details": json.dumps(_details(outcome), separators=(",", ":")),
        }

    def unpack(self, record: Mapping[str, Any]) -> Analysis | str:
        """What `pack` was given."""
        if record["error"] is not None:
            return str(record["error"])
        details = json.loads(record["details"])
        redaction = _redaction(record["redacted_text"], details)
        probabilities = record["probabilities"]
        falling = [-probability for probability in probabilities[: len(self._codes)]]
        evidence = {code: _evidence(items, redaction) for code, items in details["evidence"].items()}
        # Tuples in the order of `decide`: axes, falling probability, codes.
        ranked = sorted(zip(self._orders, falling, self._codes, self._axes, record["decisions"], strict=True))
        return Analysis(
            case_id=details["id"],
            language=record["language"],
            redaction=redaction,
            suggestions=tuple(
                Suggestion(axis, code, -negative, DECISIONS[level], evidence.get(code, ()))
                for _, negative, code, axis, level in ranked
            ),
            primary=details["primary"],
            nothing=dict(zip(self._nothing, probabilities[len(self._codes) :], strict=True)),
            bundle=details["bundle"],
            codebook=self._codebook,
        )


def pack(row: int, outcome: Analysis | str, codebook: Codebook) -> dict[str, Any]:
    """See `Packing.pack`, which is faster for many rows."""
    return Packing(codebook).pack(row, outcome)


def unpack(record: Mapping[str, Any], codebook: Codebook) -> Analysis | str:
    """See `Packing.unpack`, which is faster for many rows."""
    return Packing(codebook).unpack(record)


def result_path(work: Path, number: int) -> Path:
    return work / RESULTS / f"{number:05d}.parquet"


def write_result(work: Path, number: int, records: list[dict[str, Any]], *, key: bytes | None = None) -> str:
    """Write the records of a shard; the SHA-256 of what is stored. Raises `OutputError`."""
    return sealed.write(result_path(work, number), parquet_bytes(records, SCHEMA), key=key)


def read_result(work: Path, number: int, *, sha256: str, key: bytes | None = None) -> list[dict[str, Any]]:
    """The records of a shard. Raises `RunError` where they are gone or altered."""
    return records_of(open_result(work, number, sha256=sha256, key=key))


def open_result(work: Path, number: int, *, sha256: str, key: bytes | None = None) -> pa.Table:
    """The same as a table, of which `records_of` a part can be had. Raises `RunError`."""
    return parquet_table(sealed.read(result_path(work, number), key=key, sha256=sha256))


def _details(analysis: Analysis) -> dict[str, Any]:
    redaction = analysis.redaction
    return {
        "id": analysis.case_id,
        "bundle": analysis.bundle,
        "replacements": [
            [
                *_pair(item.entity.span),
                item.entity.type,
                item.entity.score,
                item.entity.source,
                item.placeholder,
                *_pair(item.redacted_span),
            ]
            for item in redaction.replacements
        ],
        "doubts": [_pair(span) for span in redaction.doubts],
        "evidence": {
            item.code: [_evidence_json(evidence, redaction) for evidence in item.evidence]
            for item in analysis.suggestions
            if item.evidence
        },
        "primary": dict(analysis.primary),
    }


def _evidence_json(evidence: Evidence, redaction: Redaction) -> list[Any]:
    """Its words as well only where they are not those of the redacted text, which is there already."""
    same = evidence.redacted == redaction.redacted_words(evidence.span)
    words = [_pair(span) for span in evidence.words]
    return [*_pair(evidence.span), evidence.drop, words, None if same else evidence.redacted]


def _evidence(items: list[Any], redaction: Redaction) -> tuple[Evidence, ...]:
    return tuple(
        Evidence(
            span := Span(start, end),
            redaction.redacted_words(span) if redacted is None else redacted,
            drop,
            tuple(Span(*pair) for pair in words),
        )
        for start, end, drop, words, redacted in items
    )


def _redaction(text: str, details: Mapping[str, Any]) -> Redaction:
    replacements = tuple(
        Replacement(Entity(Span(start, end), kind, score, source), placeholder, Span(first, last))
        for start, end, kind, score, source, placeholder, first, last in details["replacements"]
    )
    return Redaction(text, replacements, tuple(Span(*pair) for pair in details["doubts"]))


def _pair(span: Span) -> list[int]:
    return [span.start, span.end]
