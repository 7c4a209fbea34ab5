"""What a bundle says of cases that its models have not seen: their probabilities and gold codes, and what they look
like. Neither holds any text."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from nlp.bulk.report.profile import FILE as REFERENCE
from nlp.bulk.report.profile import Profile, single_words
from nlp.codebook import Codebook
from nlp.held_out import FILE as HELD_OUT
from nlp.held_out import HeldOut
from nlp.reading import Reader
from nlp.redaction import Redactor, recognizers_for, replace, resolve

from .corpus import Case


def unseen_files(
    held_out: HeldOut,
    cases: Sequence[Case],
    policy: Mapping[str, Any],
    codebook: Codebook,
    *,
    vocabulary: Iterable[str],
    described: HeldOut | None = None,
) -> dict[str, bytes]:
    """The files of a bundle, by name.

    ``described`` has the rows of ``cases`` in their order, where ``held_out`` has them apart: what a site's own cases
    are coded with together is nobody's business. ``vocabulary`` is that of the bundle's model on words.
    """
    profile = describe(described or held_out, cases, policy, codebook, vocabulary=vocabulary)
    return {HELD_OUT: held_out.to_bytes(), REFERENCE: profile.to_bytes()}


def describe(
    held_out: HeldOut,
    cases: Sequence[Case],
    policy: Mapping[str, Any],
    codebook: Codebook,
    *,
    vocabulary: Iterable[str],
) -> Profile:
    """What cases look like, by the very counts that a bulk run makes of its rows; rows of ``held_out`` are the
    cases."""
    redactor = Redactor(recognizers_for([identifier.id for identifier in codebook.identifiers]))
    profile = Profile.of(codebook, single_words(vocabulary))
    for case, row in zip(cases, held_out.probabilities, strict=True):
        reading = Reader(languages=(case.language,), max_characters=len(case.text)).read(case.narrative())
        entities = resolve([*redactor.recognize(reading), *(case.entities or ())])
        confidence: dict[str, float] = {}
        for column, value in zip(held_out.columns, row, strict=True):
            confidence[column.axis] = max(confidence.get(column.axis, 0.0), float(value))
        codes = [
            column.code
            for column, value in zip(held_out.columns, row, strict=True)
            if column.code and value >= policy["codes"][column.code]["suggest"]
        ]
        profile.add(case.language, replace(case.text, entities), confidence, codes)
    return profile


def words_of(files: Mapping[str, bytes]) -> list[str]:
    """The vocabulary of the model on words beside an encoder; none where it has no such model."""
    return list(json.loads(files["words.json"])) if "words.json" in files else []
