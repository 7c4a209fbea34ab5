"""Redaction measured by itself: what it hides, what it withstands, what it costs the codes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any

from nlp.pipeline import Pipeline
from nlp.types import Analysis

from ..corpus import Case
from .figures import analyze
from .noise import spoilers
from .predictions import from_analyses
from .redaction import analyze_by_gold, redaction_figures, withstood
from .scores import counts, figure


def passes(seed: int = 0) -> int:
    """How often `redaction_study` reads each case."""
    return len(spoilers(seed)) + 3


def redaction_study(
    pipeline: Pipeline, cases: Sequence[Case], *, seed: int, step: Callable[[], None] = lambda: None
) -> dict[str, Any]:
    """All figures of redaction on some cases: recall by kind, type and language; the same under noise; micro-F1 of the
    codes with the identifiers hidden that people marked, and with those that were found. ``step`` is called `passes`
    times for each case."""
    known = [case for case in cases if case.entities is not None]
    found = analyze(pipeline, known, step=step)
    gold = analyze_by_gold(pipeline, known, step=step)
    return {
        "bundle": pipeline.bundle,
        "cases": len(known),
        "languages": dict(sorted(Counter(case.language for case in known).items())),
        "redaction": redaction_figures(pipeline, known, found),
        "noise": withstood(pipeline, known, seed=seed, step=step),
        "micro_f1": {"by_gold": _micro(pipeline, known, gold), "by_found": _micro(pipeline, known, found)},
    }


def _micro(pipeline: Pipeline, cases: Sequence[Case], analyses: Sequence[Analysis | None]) -> dict[str, float | None]:
    axes = from_analyses(pipeline.bundle, pipeline.codebook, cases, analyses).axes
    return {axis: figure(float(counts(item.gold, item.said).micro_f1())) for axis, item in axes.items()}
