"""Finding and hiding what identifies people."""

from .base import PatternRecognizer, Recognizer
from .overlap import resolve
from .redactor import Redactor, in_view, replace
from .registry import all_recognizers, recognizers_for

__all__ = [
    "PatternRecognizer",
    "Recognizer",
    "Redactor",
    "all_recognizers",
    "in_view",
    "recognizers_for",
    "replace",
    "resolve",
]
