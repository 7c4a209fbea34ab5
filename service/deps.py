"""What routes depend on: the models that the app has loaded, a few texts at a time."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from functools import cached_property
from http import HTTPStatus
from threading import BoundedSemaphore
from typing import Annotated

from fastapi import Depends, Request
from starlette.exceptions import HTTPException

from nlp.pipeline import Pipeline
from nlp.types import Analysis, Narrative, Redaction

from .problems import RequestRefused


class Models:
    """The loaded pipeline, run for as many texts at once as there are cores; who waits longer than ``seconds`` for a
    place is sent away."""

    def __init__(self, pipeline: Pipeline, *, at_once: int | None = None, seconds: float = 60.0) -> None:
        self.pipeline = pipeline
        self._places = BoundedSemaphore(at_once or cores())
        self._seconds = seconds

    @cached_property
    def policy(self) -> str:
        """Equal for equal thresholds, so that an answer tells by which ones it was made."""
        policy = self.pipeline.policy
        codes = {code: asdict(thresholds) for code, thresholds in policy.codes.items()}
        content = json.dumps([policy.auto_precision, codes], sort_keys=True)
        return hashlib.sha256(content.encode()).hexdigest()[:12]

    def analyze(self, narrative: Narrative) -> Analysis:
        """Read, redact and code one narrative."""
        with self._place():
            return self.pipeline.analyze_one(narrative)

    def redact(self, narrative: Narrative) -> Redaction:
        """Read and redact one narrative."""
        with self._place():
            return self.pipeline.redact_one(narrative)

    @contextmanager
    def _place(self) -> Iterator[None]:
        if not self._places.acquire(timeout=self._seconds):
            raise RequestRefused(
                HTTPStatus.SERVICE_UNAVAILABLE, "limit.busy", "Too many requests wait already: try again soon."
            )
        try:
            yield
        finally:
            self._places.release()


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
