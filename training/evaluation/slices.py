"""F1 on parts of the cases: by language, length, kind of hard case, and writers that no model has heard."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from typing import Any

import numpy as np

from ..corpus import HARD, Case, is_hard
from .predictions import AxisPredictions
from .scores import counts, figure, interval

LENGTHS = (60, 120, 200)  # words: upper ends of the bands, the last one is open
WORD = re.compile(r"\w+")

Masks = Mapping[str, Mapping[str, np.ndarray] | None]


def slice_masks(cases: Sequence[Case], unheard_writers: Collection[str] | None) -> Masks:
    """Which cases belong to each part, arrays of shape (n_cases,), by what divides them and the name of the part.

    ``voice`` is None where nobody says which writers stand in no training case. Length is in words, hard cases are
    those of the guidelines; a case may have several hard tags.
    """
    bands = _bands([len(WORD.findall(case.text)) for case in cases])
    languages = np.array([case.language for case in cases], dtype=object)
    hard = np.array([is_hard(case) for case in cases], dtype=bool)
    masks: dict[str, Mapping[str, np.ndarray] | None] = {
        "language": {language: languages == language for language in sorted(set(languages))},
        "length": bands,
        "hard_tag": {tag: np.array([tag in case.tags for case in cases], dtype=bool) for tag in HARD},
        "hard": {"hard": hard, "not_hard": ~hard},
        "voice": None,
    }
    if unheard_writers is not None:
        unheard = np.array([case.writer in unheard_writers for case in cases], dtype=bool)
        masks["voice"] = {"heard": ~unheard, "unheard": unheard}
    return masks


def _bands(words: Sequence[int]) -> dict[str, np.ndarray]:
    lengths = np.array(words)
    lows = (0, *(end + 1 for end in LENGTHS))
    names = [f"<={LENGTHS[0]}", *(f"{low}-{end}" for low, end in zip(lows[1:], LENGTHS[1:], strict=False))]
    ends = (*LENGTHS, np.inf)
    return {
        name: (lengths >= low) & (lengths <= end)
        for name, low, end in zip([*names, f">{LENGTHS[-1]}"], lows, ends, strict=True)
    }


def slice_figures(axis: AxisPredictions, masks: Masks, weights: np.ndarray) -> dict[str, Any]:
    """F1 of one axis on each part; ``support`` counts gold codes. Parts without a case are there, undefined."""
    return {
        kind: None if parts is None else {name: _part(axis, mask, weights) for name, mask in parts.items()}
        for kind, parts in masks.items()
    }


def _part(axis: AxisPredictions, mask: np.ndarray, weights: np.ndarray) -> dict[str, Any]:
    gold, said = axis.gold[mask], axis.said[mask]
    found, drawn = counts(gold, said), counts(gold, said, weights[:, mask])
    return {
        "cases": int(mask.sum()),
        "support": int(found.true.sum()),
        "micro_f1": figure(float(found.micro_f1())),
        "micro_f1_interval": interval(drawn.micro_f1()),
        "macro_f1": figure(float(found.macro_f1())),
    }


def by_language(parts: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    """The short form of the figures by language, as model cards show it."""
    return {name: {key: row[key] for key in ("cases", "micro_f1", "macro_f1")} for name, row in parts.items()}
