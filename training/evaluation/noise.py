"""The same cases as hurried people, phones, scanners and those who hide words would leave them, for measuring what
redaction withstands."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Mapping
from dataclasses import replace
from random import Random

from nlp.types import Entity, Span

from ..corpus import Case
from ..refill.noise import Noise, add_noise

Spoil = Callable[[Case], Case]

_SHARES = {
    "lower": Noise(lower=1.0),
    "upper": Noise(upper=1.0),
    "look-alikes": Noise(homoglyphs=0.3),
    "zero-width": Noise(zero_width=0.15),
    "OCR": Noise(ocr=0.05),
    "typos": Noise(typos=0.03),
}


def spoilers(seed: int) -> Mapping[str, Spoil]:
    """What can happen to a case, by name; the same for the same seed and case. ``OCR`` changes one of twenty letters or
    digits, ``look-alikes`` three of ten of those that have one, ``typos`` three of a hundred."""
    found: dict[str, Spoil] = {name: _noisy(noise, seed) for name, noise in _SHARES.items()}
    return {**found, "NFD": _apart}


def _noisy(noise: Noise, seed: int) -> Spoil:
    def spoil(case: Case) -> Case:
        rng = Random(f"{seed}/{case.case_id}")  # noqa: S311 - no secret
        # No letter of an identifier vanishes, so that each keeps a place.
        keep = [at for entity in case.entities or () for at in range(entity.span.start, entity.span.end)]
        text, positions = add_noise(case.text, noise, rng, language=case.language, keep=keep)
        return _moved(case, text, positions)

    return spoil


def _apart(case: Case) -> Case:
    """Marks of letters as characters of their own, as some phones and file systems write them (NFD)."""
    positions = [0]
    for character in case.text:
        positions.append(positions[-1] + len(unicodedata.normalize("NFD", character)))
    return _moved(case, "".join(unicodedata.normalize("NFD", character) for character in case.text), positions)


def _moved(case: Case, text: str, positions: tuple[int, ...] | list[int]) -> Case:
    """The case with another text; evidence is left out."""
    entities = tuple(
        Entity(Span(positions[entity.span.start], positions[entity.span.end]), entity.type, entity.score, entity.source)
        for entity in case.entities or ()
    )
    return replace(case, text=text, entities=entities if case.entities is not None else None, evidence={})
