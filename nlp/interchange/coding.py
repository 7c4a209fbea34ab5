"""Cases from other systems through the pipeline, in order, whatever happens to one of them."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor

from ..bulk.coding import MAX_WORKERS, Outcome
from ..errors import NarrativeError
from ..pipeline import Pipeline
from ..types import Narrative


def analyze_narratives(pipeline: Pipeline, narratives: Iterable[Narrative]) -> Iterator[Outcome]:
    """The analysis of each narrative, or why there is none, in order; several are worked on at a time."""
    workers = min(MAX_WORKERS, os.cpu_count() or 1) if pipeline.encoder else 1
    waiting: deque[Future[Outcome]] = deque()
    with ThreadPoolExecutor(workers) as pool:
        try:
            for narrative in narratives:
                waiting.append(pool.submit(_outcome, pipeline, narrative))
                if len(waiting) > workers:
                    yield waiting.popleft().result()
            while waiting:
                yield waiting.popleft().result()
        finally:
            pool.shutdown(cancel_futures=True)


def _outcome(pipeline: Pipeline, narrative: Narrative) -> Outcome:
    try:
        return pipeline.analyze_one(narrative), None
    except NarrativeError as error:
        return None, f"{error.code}: {error}"
    # Everything, on purpose, as in `bulk`: one text must not cost the work on all others, and its words stay unsaid.
    except Exception as error:
        return None, f"row.failed: internal error ({type(error).__name__})"
