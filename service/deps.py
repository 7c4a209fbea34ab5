"""What routes depend on: the models that the app has loaded, a few texts at a time."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from functools import cached_property
from threading import BoundedSemaphore
from typing import Annotated

from fastapi import Depends, Request
from starlette.exceptions import HTTPException

from nlp.pipeline import Pipeline
from nlp.types import Analysis, Narrative, Redaction


class Models:
    """The loaded pipeline, run for as many texts at once as there are cores."""

    def __init__(self, pipeline: Pipeline, *, at_once: int | None = None) -> None:
        self.pipeline = pipeline
        self._places = BoundedSemaphore(at_once or os.cpu_count() or 1)

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
        with self._places:
            yield


def get_models(request: Request) -> Models:
    """The loaded models; 503 until they are there."""
    models: Models | None = getattr(request.app.state, "models", None)
    if models is None:
        raise HTTPException(503)
    return models


ModelsDep = Annotated[Models, Depends(get_models)]
