"""Finding and hiding what identifies people."""

from .base import PatternRecognizer, Recognizer
from .overlap import resolve
from .redactor import Redactor, replace
from .registry import all_recognizers, recognizers_for

__all__ = ["PatternRecognizer", "Recognizer", "Redactor", "all_recognizers", "recognizers_for", "replace", "resolve"]
