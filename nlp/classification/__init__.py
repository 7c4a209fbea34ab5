"""Probabilities of codes for narratives that have been read and redacted."""

from .base import Classifier, Column, columns_of
from .constant import ConstantClassifier
from .heads import HeadsClassifier, Pooling
from .linear import LinearClassifier

__all__ = [
    "Classifier",
    "Column",
    "ConstantClassifier",
    "HeadsClassifier",
    "LinearClassifier",
    "Pooling",
    "columns_of",
]
