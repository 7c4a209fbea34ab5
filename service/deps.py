"""What routes depend on: the models that the app has loaded, a few texts at a time."""

from __future__ import annotations

import os
from collections.abc import Mapping
from functools import cached_property
from typing import Annotated, Any

from fastapi import Depends, Request
from starlette.exceptions import HTTPException

from nlp.pipeline import Pipeline
from nlp.types import Analysis, Narrative, Redaction

from .store.receipts import policy_mark
from .turns import Turns


class Models:
    """The models of one bundle, loaded; who waits longer than ``seconds`` for a turn is sent away.

    A request takes them once and keeps them to its end: others may take their place meanwhile. ``measured`` are the
    figures of the bundle.
    """

    def __init__(
        self, pipeline: Pipeline, turns: Turns, *, seconds: float, measured: Mapping[str, Any] | None = None
    ) -> None:
        self.pipeline = pipeline
        self.measured = dict(measured or {})
        self._turns = turns
        self._seconds = seconds

    @cached_property
    def policy(self) -> str:
        """Equal for equal thresholds, so that an answer tells by which ones it was made."""
        return policy_mark(self.pipeline.policy)

    def analyze(self, narrative: Narrative) -> Analysis:
        """Read, redact and code one narrative."""
        with self._turns.turn(seconds=self._seconds):
            return self.pipeline.analyze_one(narrative)

    def redact(self, narrative: Narrative) -> Redaction:
        """Read and redact one narrative."""
        with self._turns.turn(seconds=self._seconds):
            return self.pipeline.redact_one(narrative)


def cores() -> int:
    """How many processors this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def get_models(request: Request) -> Models:
    """The loaded models; 503 until they are there."""
    models: Models | None = getattr(request.app.state, "models", None)
    if models is None:
        raise HTTPException(503)
    return models


ModelsDep = Annotated[Models, Depends(get_models)]
