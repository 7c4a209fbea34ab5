"""How good a bundle, or any other model, is on annotated cases: figures that a sceptic can check."""

from __future__ import annotations

from .comparison import compare_paired
from .deletion import SAMPLE
from .figures import Measured, analyze, coding_figures, evaluate, measure, text_figures
from .predictions import (
    AxisPredictions,
    Predictions,
    from_analyses,
    from_arrays,
    gold_of,
    load_predictions,
    save_predictions,
)
from .redaction import redaction_figures
from .scores import RESAMPLES

__all__ = [
    "RESAMPLES",
    "SAMPLE",
    "AxisPredictions",
    "Measured",
    "Predictions",
    "analyze",
    "coding_figures",
    "compare_paired",
    "evaluate",
    "from_analyses",
    "from_arrays",
    "gold_of",
    "load_predictions",
    "measure",
    "redaction_figures",
    "save_predictions",
    "text_figures",
]
