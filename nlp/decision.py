"""Probabilities and a policy -> suggestions with evidence, and the primary code of each axis that has one."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import numpy as np

from .classification import Column
from .codebook import Codebook
from .held_out import HeldOut
from .reading import Reading
from .thresholds import auto_thresholds
from .types import Decision, Evidence, Redaction, Span, Suggestion

Words = Callable[[int, Span], tuple[Span, ...]]  # column, sentence -> the words in it that speak for the column

MAX_EVIDENCE = 2  # sentences a code
_JOINERS = frozenset("-'\N{RIGHT SINGLE QUOTATION MARK}\N{MODIFIER LETTER APOSTROPHE}\N{HYPHEN}\N{NON-BREAKING HYPHEN}")
EVIDENCE_SHARE = 0.5  # of the strongest sentence's drop; weaker sentences do not carry the code


@dataclass(frozen=True)
class Thresholds:
    """Where decisions begin, in probability. ``auto`` is None where the promised precision could not be shown."""

    review: float
    suggest: float
    auto: float | None = None

    def decide(self, probability: float) -> Decision:
        """The decision for a calibrated probability."""
        if self.auto is not None and probability >= self.auto:
            return "auto"
        if probability >= self.suggest:
            return "suggest"
        return "review" if probability >= self.review else "none"


@dataclass(frozen=True)
class Policy:
    """Thresholds of every code, and the precision that ``auto`` promises."""

    codes: Mapping[str, Thresholds]
    auto_precision: float

    @classmethod
    def from_json(cls, data: Mapping[str, Any], codebook: Codebook) -> Policy:
        """Read a policy. Raises ValueError where a code of the codebook has no usable thresholds."""
        codes = {}
        for axis in codebook.axes:
            for code in axis.codes:
                try:
                    item = data["codes"][code]
                    auto = item.get("auto")
                    codes[code] = Thresholds(
                        float(item["review"]), float(item["suggest"]), None if auto is None else float(auto)
                    )
                except (KeyError, TypeError, ValueError, AttributeError):
                    raise ValueError(f"its policy has no thresholds for {code}") from None
        return cls(codes, float(data.get("auto_precision", 0.95)))

    def at_precision(self, held_out: HeldOut, precision: float) -> Policy:
        """The same policy with another precision promised for ``auto``; what is shown or queued stays. A code has no
        ``auto`` where ``held_out`` proves no threshold for it. Raises ValueError for a precision that is none."""
        if not 0 < precision < 1:
            raise ValueError("a precision lies between 0 and 1")
        least = {code: item.suggest for code, item in self.codes.items()}
        found = auto_thresholds(held_out, precision, least=least)
        return Policy({code: replace(item, auto=found.get(code)) for code, item in self.codes.items()}, precision)


def decide(
    columns: tuple[Column, ...],
    row: np.ndarray,
    without: np.ndarray,
    *,
    codebook: Codebook,
    policy: Policy,
    reading: Reading,
    redaction: Redaction,
    words: Words = lambda column, sentence: (),
) -> tuple[Suggestion, ...]:
    """Suggestions for one narrative: axes in the order of the codebook, codes by falling probability, then by name.

    ``row`` holds the probabilities, of shape (n_columns,); ``without`` those with each sentence left out, of shape
    (n_sentences, n_columns); ``words`` tells the words of a sentence that speak for a column. Codes below every
    threshold come without evidence.
    """
    order = {axis.id: number for number, axis in enumerate(codebook.axes)}
    suggestions = []
    for at, ((axis, code), probability) in enumerate(zip(columns, row.tolist(), strict=True)):
        if code is None:
            continue
        decision = policy.codes[code].decide(probability)
        evidence: tuple[Evidence, ...] = ()
        if decision != "none":
            evidence = _evidence(probability - without[:, at], reading, redaction, partial(words, at))
        suggestions.append(Suggestion(axis, code, probability, decision, evidence))
    return tuple(sorted(suggestions, key=lambda item: (order[item.axis], -item.probability, item.code)))


def _evidence(
    drops: np.ndarray, reading: Reading, redaction: Redaction, words: Callable[[Span], tuple[Span, ...]]
) -> tuple[Evidence, ...]:
    """The sentences without which the probability falls most, in the order of the text."""
    if not len(drops) or (strongest := float(drops.max())) <= 0:
        return ()
    ranked = sorted(np.flatnonzero(drops >= EVIDENCE_SHARE * strongest), key=lambda at: (-drops[at], at))
    return tuple(
        Evidence(
            sentence,
            redaction.redacted_words(sentence),
            round(float(drops[at]), 4),
            whole_words(reading.text, words(sentence), sentence),
        )
        for at in sorted(ranked[:MAX_EVIDENCE])
        for sentence in (reading.sentences[at],)
    )


def whole_words(text: str, spans: Sequence[Span], within: Span) -> tuple[Span, ...]:
    """Spans that begin and end where words do: pieces of words tell a person nothing. Those that meet become one; none
    reaches beyond ``within``."""
    widened: list[Span] = []
    for span in sorted(spans):
        start, end = max(span.start, within.start), min(span.end, within.end)
        while start > within.start and _in_one_word(text, start):
            start -= 1
        while end < within.end and _in_one_word(text, end):
            end += 1
        if widened and start <= widened[-1].end:
            widened[-1] = Span(widened[-1].start, max(end, widened[-1].end))
        elif start < end:
            widened.append(Span(start, end))
    return tuple(widened)


def _in_one_word(text: str, at: int) -> bool:
    """Whether the characters on both sides of a place belong to one word; a hyphen or apostrophe between letters
    does."""
    before, after = text[at - 1], text[at]
    if before in _JOINERS:
        return _is_of_word(after) and at > 1 and _is_of_word(text[at - 2])
    if after in _JOINERS:
        return _is_of_word(before) and at + 1 < len(text) and _is_of_word(text[at + 1])
    return _is_of_word(before) and _is_of_word(after)


def _is_of_word(character: str) -> bool:
    return character.isalnum() or unicodedata.category(character).startswith("M")


def primary_codes(
    suggestions: tuple[Suggestion, ...], codebook: Codebook, scores: Mapping[str, float] | None = None
) -> dict[str, str | None]:
    """For each axis with a primary code the suggested one with the highest score, or without ``scores`` the likeliest;
    a code that may not lead only where it stands alone."""
    primary: dict[str, str | None] = {}
    for axis in codebook.axes:
        if axis.has_primary:
            offered = [item for item in suggestions if item.axis == axis.id and item.suggested]
            leading = [item for item in offered if codebook.label(item.code).may_lead] or offered
            if scores:
                leading = sorted(leading, key=lambda item: -scores[item.code])
            primary[axis.id] = leading[0].code if leading else None
    return primary
