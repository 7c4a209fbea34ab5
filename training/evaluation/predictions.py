"""What a model said about some cases, and what is gold: the one thing that all figures of coding are made from.

A bundle's analyses give them, and so can any other model: a baseline that brings the same arrays is measured by the
same functions.
"""

from __future__ import annotations

import json
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from nlp.codebook import Axis, Codebook
from nlp.errors import CorpusError
from nlp.types import Analysis

from ..corpus import Case

_FORMAT = 1
_NEEDED = ("gold", "probabilities", "chosen")
_OPTIONAL = ("auto", "primary", "nothing")  # not every model has a policy, a primary code, or an answer "nothing"


@dataclass(frozen=True, eq=False)
class AxisPredictions:
    """One axis: arrays of shape (n_cases, n_codes), columns in the order of ``codes``.

    ``gold`` is 1, 0, or nan where the case was not coded; ``chosen`` says which codes are suggested, ``auto`` which
    are set without asking. ``primary`` (n_cases,) is the column of the code that leads, -1 where none does;
    ``nothing`` (n_cases,) the probability that no code applies, nan for a refused case. The last three are None
    where a model has no such answer.
    """

    codes: tuple[str, ...]
    gold: np.ndarray
    probabilities: np.ndarray
    chosen: np.ndarray
    auto: np.ndarray | None = None
    primary: np.ndarray | None = None
    nothing: np.ndarray | None = None

    def __post_init__(self) -> None:
        shape = (len(self.gold), len(self.codes))
        square = [self.gold, self.probabilities, self.chosen, *([] if self.auto is None else [self.auto])]
        if any(array.shape != shape for array in square):
            raise ValueError(f"wants arrays of {shape[0]} cases and {shape[1]} codes")
        if any(array is not None and array.shape != shape[:1] for array in (self.primary, self.nothing)):
            raise ValueError(f"wants one primary code and one probability of nothing for each of {shape[0]} cases")
        if not np.all((self.probabilities >= 0) & (self.probabilities <= 1)):
            raise ValueError("wants probabilities in [0, 1]")

    @cached_property
    def coded(self) -> np.ndarray:
        """Which cases somebody coded on this axis, of shape (n_cases,)."""
        return np.asarray(~np.isnan(self.gold).any(axis=1))

    @cached_property
    def said(self) -> np.ndarray:
        """Which codes are suggested in cases that were coded."""
        return np.asarray(self.chosen & self.coded[:, None])


@dataclass(frozen=True, eq=False)
class Predictions:
    """What one model said about some cases, in their order. A refused case counts as one without any suggestion."""

    name: str
    case_ids: tuple[str, ...]
    refused: np.ndarray
    axes: Mapping[str, AxisPredictions]

    def __post_init__(self) -> None:
        if self.refused.shape != (len(self.case_ids),):
            raise ValueError("wants to know of each case whether it was refused")
        if any(len(axis.gold) != len(self.case_ids) for axis in self.axes.values()):
            raise ValueError("wants as many rows as cases")

    def require(self, cases: Sequence[Case], codebook: Codebook) -> None:
        """Raise `CorpusError` unless these are predictions for exactly these cases, in this order, and this codebook
        and gold."""
        if self.case_ids != tuple(case.case_id for case in cases):
            raise CorpusError("is about other cases, or in another order", source=self.name, line=0)
        if {axis: item.codes for axis, item in self.axes.items()} != {axis.id: axis.codes for axis in codebook.axes}:
            raise CorpusError("has other codes than the codebook", source=self.name, line=0)
        golds = {axis.id: gold_of(cases, axis) for axis in codebook.axes}
        if not all(np.array_equal(self.axes[axis].gold, gold, equal_nan=True) for axis, gold in golds.items()):
            raise CorpusError("was made when the cases had other codes: make it again", source=self.name, line=0)


def gold_of(cases: Sequence[Case], axis: Axis) -> np.ndarray:
    """Gold codes of shape (n_cases, n_codes): 1, 0, or nan where the case was not coded on the axis."""
    coded = [case.codes[axis.id] for case in cases]
    rows = [[np.nan if codes is None else float(code in codes) for code in axis.codes] for codes in coded]
    return np.array(rows, dtype=float).reshape(len(cases), len(axis.codes))


def from_arrays(
    name: str,
    codebook: Codebook,
    cases: Sequence[Case],
    *,
    probabilities: Mapping[str, np.ndarray],
    chosen: Mapping[str, np.ndarray],
    auto: Mapping[str, np.ndarray] | None = None,
    primary: Mapping[str, np.ndarray] | None = None,
    nothing: Mapping[str, np.ndarray] | None = None,
    refused: np.ndarray | None = None,
) -> Predictions:
    """Predictions of any model, from its arrays by axis; columns in the order of the codebook."""
    return Predictions(
        name,
        tuple(case.case_id for case in cases),
        np.zeros(len(cases), dtype=bool) if refused is None else refused,
        {
            axis.id: AxisPredictions(
                axis.codes,
                gold_of(cases, axis),
                np.asarray(probabilities[axis.id], dtype=float),
                np.asarray(chosen[axis.id], dtype=bool),
                *(None if given is None else given.get(axis.id) for given in (auto, primary, nothing)),
            )
            for axis in codebook.axes
        },
    )


def from_analyses(
    name: str, codebook: Codebook, cases: Sequence[Case], analyses: Sequence[Analysis | None]
) -> Predictions:
    """Predictions of a bundle, from its analyses of the cases; None stands for a case that it refused."""
    axes = {axis.id: _axis(axis, cases, analyses) for axis in codebook.axes}
    refused = np.array([analysis is None for analysis in analyses], dtype=bool)
    return Predictions(name, tuple(case.case_id for case in cases), refused, axes)


def _axis(axis: Axis, cases: Sequence[Case], analyses: Sequence[Analysis | None]) -> AxisPredictions:
    gold = gold_of(cases, axis)
    column = {code: at for at, code in enumerate(axis.codes)}
    probabilities = np.zeros(gold.shape)
    chosen, auto = np.zeros(gold.shape, dtype=bool), np.zeros(gold.shape, dtype=bool)
    leading = np.full(len(cases), -1)
    nothing = np.full(len(cases), np.nan)
    for at, analysis in enumerate(analyses):
        if analysis is None:
            continue
        for item in analysis.suggestions:
            if item.axis == axis.id:
                place = at, column[item.code]
                probabilities[place] = item.probability
                chosen[place], auto[place] = item.suggested, item.decision == "auto"
        leading[at] = column.get(analysis.primary.get(axis.id) or "", -1)
        nothing[at] = analysis.nothing.get(axis.id, np.nan)
    primary = leading if axis.has_primary else None
    return AxisPredictions(axis.codes, gold, probabilities, chosen, auto, primary, nothing if axis.nothing else None)


def save_predictions(path: Path, predictions: Predictions) -> None:
    """Write predictions as JSON (names, ids, codes) and, beside it, their arrays as ``.npz``."""
    arrays: dict[str, Any] = {"refused": predictions.refused}
    for axis, item in predictions.axes.items():
        given = {part: getattr(item, part) for part in (*_NEEDED, *_OPTIONAL)}
        arrays |= {f"{axis}.{part}": array for part, array in given.items() if array is not None}
    facts = {
        "format": _FORMAT,
        "name": predictions.name,
        "axes": {axis: list(item.codes) for axis, item in predictions.axes.items()},
        "case_ids": list(predictions.case_ids),
    }
    path.parent.mkdir(parents=True, exist_ok=True)
    np.savez_compressed(path.with_suffix(".npz"), **arrays)
    path.with_suffix(".json").write_text(
        json.dumps(facts, ensure_ascii=False, indent=0) + "\n", encoding="utf-8", newline="\n"
    )


def load_predictions(path: Path) -> Predictions:
    """Read predictions that `save_predictions` wrote. Raises `CorpusError`."""
    try:
        facts = json.loads(path.with_suffix(".json").read_text(encoding="utf-8"))
        with np.load(path.with_suffix(".npz"), allow_pickle=False) as stored:
            arrays = {name: stored[name] for name in stored.files}
        return _from_stored(facts, arrays)
    except OSError as error:
        reason = f"cannot be read with its .npz beside it ({type(error).__name__})"
        raise CorpusError(reason, source=str(path), line=0) from None
    except (KeyError, TypeError, ValueError, AttributeError, zipfile.BadZipFile):
        raise CorpusError(
            "holds no predictions, with their arrays as .npz beside it", source=str(path), line=0
        ) from None


def _from_stored(facts: Any, arrays: Mapping[str, np.ndarray]) -> Predictions:
    if facts["format"] != _FORMAT:
        raise ValueError("of another format")
    axes = {
        axis: AxisPredictions(
            tuple(map(str, codes)),
            *(arrays[f"{axis}.{part}"] for part in _NEEDED),
            *(arrays.get(f"{axis}.{part}") for part in _OPTIONAL),
        )
        for axis, codes in facts["axes"].items()
    }
    return Predictions(str(facts["name"]), tuple(map(str, facts["case_ids"])), arrays["refused"], axes)
