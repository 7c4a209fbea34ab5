"""All recognizers by name, imported when they are first asked for."""

from __future__ import annotations

import importlib
from collections.abc import Collection
from functools import cache

from .base import Recognizer

_FAMILIES = (
    "contacts",
    "phones",
    "national",
    "bank",
    "documents",
    "vehicles",
    "dates",
    "addresses",
    "organisations",
    "towns",
    "names",
    "georgian",
    "local_names",
)


@cache
def all_recognizers() -> dict[str, Recognizer]:
    """Every recognizer by its name, in a fixed order. Raises ValueError if two share a name."""
    found: dict[str, Recognizer] = {}
    for family in _FAMILIES:
        for recognizer in importlib.import_module(f".recognizers.{family}", __package__).RECOGNIZERS:
            if recognizer.name in found:
                raise ValueError(f"two recognizers are named {recognizer.name!r}")
            found[recognizer.name] = recognizer
    return found


def recognizers_for(entity_types: Collection[str]) -> tuple[Recognizer, ...]:
    """The recognizers that find at least one of these types.

    A recognizer of a type that the codebook does not have is left out, so that a deployment decides by its
    codebook what is hidden.
    """
    return tuple(
        recognizer
        for recognizer in all_recognizers().values()
        if any(kind in entity_types for kind in recognizer.entity_types)
    )
