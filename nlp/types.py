"""The values that travel through the pipeline: frozen, complete and checked when built.

Text of a narrative is kept out of every ``repr``, so that it cannot reach a log or a traceback by accident.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

Decision = Literal["auto", "suggest", "review", "none"]
"""What happens with a code: set by itself, shown to a person, queued for review, or nothing."""


@dataclass(frozen=True, order=True, slots=True)
class Span:
    """Half-open range ``[start, end)``, in code points of the narrative as received."""

    start: int
    end: int

    def __post_init__(self) -> None:
        if not 0 <= self.start < self.end:
            raise ValueError(f"span [{self.start}, {self.end}) is empty or negative")


@dataclass(frozen=True, slots=True)
class Narrative:
    """Free text of one case. ``language`` (ISO 639-1) and ``country`` (a name or ISO 3166 code) are optional
    knowledge."""

    text: str = field(repr=False)
    case_id: str | None = field(default=None, repr=False)
    language: str | None = None
    country: str | None = None


@dataclass(frozen=True, slots=True)
class Entity:
    """An identifying span. ``score`` is in [0, 1]; ``source`` names the recognizer; ``type`` is an identifier of the
    codebook."""

    span: Span
    type: str
    score: float
    source: str


@dataclass(frozen=True, slots=True)
class Replacement:
    """One hidden entity: where it stood, what stands there now, and where that is in the redacted text."""

    entity: Entity
    placeholder: str
    redacted_span: Span


@dataclass(frozen=True, slots=True)
class Redaction:
    """A narrative with its entities replaced, and the alignment that maps spans of the one text to the other.

    ``doubts`` are places of the received text that stay in sight and that a person should look at before it is shared.
    """

    text: str = field(repr=False)
    replacements: tuple[Replacement, ...]
    doubts: tuple[Span, ...] = ()

    @property
    def entities(self) -> tuple[Entity, ...]:
        return tuple(replacement.entity for replacement in self.replacements)

    def redacted_span(self, span: Span) -> Span:
        """Where a span of the received text is in the redacted text; a placeholder that it touches is there whole."""
        return Span(self._map(span.start, end=False), self._map(span.end, end=True))

    def redacted_words(self, span: Span) -> str:
        """The redacted text of a span of the received text; a placeholder that the span touches is there whole."""
        return self.text[self._map(span.start, end=False) : self._map(span.end, end=True)]

    def _map(self, position: int, *, end: bool) -> int:
        shift = 0
        for replacement in self.replacements:
            hidden = replacement.entity.span
            if position <= hidden.start:
                break
            if position < hidden.end:
                return replacement.redacted_span.end if end else replacement.redacted_span.start
            shift = replacement.redacted_span.end - hidden.end
        return position + shift


@dataclass(frozen=True, slots=True)
class Evidence:
    """A sentence of the narrative that speaks for a code. ``drop`` is how far the probability falls without it;
    ``words`` are the stretches in it that speak most, none where that cannot be told."""

    span: Span
    redacted: str = field(repr=False)
    drop: float
    words: tuple[Span, ...] = ()


@dataclass(frozen=True, slots=True)
class Suggestion:
    """A code offered to a person, with its calibrated probability in [0, 1]."""

    axis: str
    code: str
    probability: float
    decision: Decision
    evidence: tuple[Evidence, ...] = ()

    @property
    def suggested(self) -> bool:
        return self.decision in ("auto", "suggest")


@dataclass(frozen=True, slots=True)
class Analysis:
    """What the pipeline found in one narrative.

    ``suggestions`` holds every code of every axis, axes in the order of the codebook, codes by falling probability.
    ``nothing`` maps an axis to the probability that the narrative is coded with nothing on it (for violations: that
    there is
    no violation). ``primary`` maps an axis to its primary code, or None.
    """

    case_id: str | None = field(repr=False)
    language: str
    redaction: Redaction
    suggestions: tuple[Suggestion, ...]
    primary: Mapping[str, str | None]
    nothing: Mapping[str, float]
    bundle: str
    codebook: str

    def _not_a_violation(self) -> float | None:
        """The probability of nothing on the first axis, None where that axis has no such answer."""
        value = self.nothing.get(self.suggestions[0].axis) if self.suggestions else None
        return None if value is None else round(value, 4)

    def to_json(self, *, all_codes: bool = False) -> dict[str, Any]:
        """The object of the JSONL contract; without ``all_codes`` only codes that are suggested or up for review."""
        return {
            "id": self.case_id,
            "language": self.language,
            "redacted_text": self.redaction.text,
            "bundle": self.bundle,
            "codebook": self.codebook,
            "suggestions": [
                {
                    "axis": suggestion.axis,
                    "code": suggestion.code,
                    "probability": round(suggestion.probability, 4),
                    "decision": suggestion.decision,
                    "suggested": suggestion.suggested,
                    "evidence": [
                        {
                            "start": item.span.start,
                            "end": item.span.end,
                            "redacted": item.redacted,
                            "words": spans_json(item.words),
                        }
                        for item in suggestion.evidence
                    ],
                }
                for suggestion in self.suggestions
                if all_codes or suggestion.decision != "none"
            ],
            "primary": dict(self.primary),
            "not_a_violation": self._not_a_violation(),
            "entities": entities_json(self.redaction.entities),
            "doubts": spans_json(self.redaction.doubts),
            "error": None,
        }


def spans_json(spans: Sequence[Span]) -> list[dict[str, int]]:
    """Spans as the contract has them."""
    return [{"start": span.start, "end": span.end} for span in spans]


def entities_json(entities: Sequence[Entity]) -> list[dict[str, Any]]:
    """Entities as the contract has them: offsets and types, never their text."""
    return [
        {
            "start": entity.span.start,
            "end": entity.span.end,
            "type": entity.type,
            "score": round(entity.score, 2),
            "source": entity.source,
        }
        for entity in entities
    ]
