"""The narratives that benchmarks run on, English and Russian ones of the corpus, and how times are told."""

from __future__ import annotations

import json
import statistics
from collections.abc import Sequence
from pathlib import Path

ROOT = Path(__file__).parents[2]
LANGUAGES = ("en", "ru")


def narratives() -> list[tuple[str, str]]:
    """Texts and their languages, in the order of the files."""
    cases = [
        json.loads(line)
        for file in sorted((ROOT / "annotations" / "narratives").glob("*.jsonl"))
        for line in file.read_text(encoding="utf-8").splitlines()
    ]
    return [(case["text"], case["lang"]) for case in cases if case["lang"] in LANGUAGES]


def percentiles(seconds: Sequence[float]) -> dict[str, float]:
    """Median and 95th percentile in milliseconds."""
    cuts = statistics.quantiles(seconds, n=100)
    return {"p50_ms": round(cuts[49] * 1000, 1), "p95_ms": round(cuts[94] * 1000, 1)}
