"""casecoder: suggests codes for case narratives and hides the people in them.

    >>> from nlp import Narrative, load_pipeline
    >>> analysis = load_pipeline().analyze_one(Narrative("The doctor refused to treat him because he has HIV."))
    >>> [suggestion.code for suggestion in analysis.suggestions if suggestion.suggested]  # doctest: +SKIP
    ['health.denial', 'health', 'plhiv']

Names are loaded on first use, so that importing the package costs next to nothing.
"""

from __future__ import annotations

import importlib
import os
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .bundle import Bundle, load_pipeline, open_bundle
    from .codebook import Codebook, load_codebook
    from .errors import CasecoderError
    from .pipeline import Pipeline
    from .types import Analysis, Entity, Evidence, Narrative, Redaction, Span, Suggestion

__version__ = "0.6.0"

# The threads of numpy's linear algebra wait by spinning, and so take their cores from the encoder; its own arrays are
# small. Measured: 99 ms a narrative with them, 75 ms without. Works where numpy has not been imported before.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

_HOME = {
    "Analysis": "types",
    "Bundle": "bundle",
    "CasecoderError": "errors",
    "Codebook": "codebook",
    "Entity": "types",
    "Evidence": "types",
    "Narrative": "types",
    "Pipeline": "pipeline",
    "Redaction": "types",
    "Span": "types",
    "Suggestion": "types",
    "load_codebook": "codebook",
    "load_pipeline": "bundle",
    "open_bundle": "bundle",
}

__all__ = [
    "Analysis",
    "Bundle",
    "CasecoderError",
    "Codebook",
    "Entity",
    "Evidence",
    "Narrative",
    "Pipeline",
    "Redaction",
    "Span",
    "Suggestion",
    "load_codebook",
    "load_pipeline",
    "open_bundle",
]


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f".{_HOME[name]}", __name__), name)
