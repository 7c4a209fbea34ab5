"""The narratives that benchmarks run on: those of the corpus in the languages of the default bundle."""

from __future__ import annotations

import json
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
