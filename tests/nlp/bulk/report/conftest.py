"""Runs of invented rows: analyses made by hand, no text in them but what a test puts there."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import pytest

from nlp.bulk.report.run_report import RunFacts
from nlp.classification import columns_of
from nlp.codebook import Codebook, parse_codebook
from nlp.decision import Policy, Thresholds
from nlp.held_out import HeldOut
from nlp.types import Analysis, Decision, Redaction, Suggestion

SMALL = """\
codebook: small
version: "1"
languages: [en, ru]
axes:
  act:
    label: {en: Act, ru: Действие}
    nothing: {en: Nothing, ru: Ничего}
    codes:
      - {id: blow, label: {en: Blow <b>, ru: Удар}, definition: Beaten.}
      - {id: threat, label: {en: Threat, ru: Угроза}, definition: Threatened.}
  actor:
    label: {en: Actor, ru: Кто}
    codes:
      - {id: police, label: {en: Police, ru: Полиция}, definition: Police.}
      - {id: family, label: {en: Family, ru: Семья}, definition: Family.}
identifiers:
  - {id: PERSON, kind: direct, definition: A name.}
"""

Make = Callable[..., Analysis]


@pytest.fixture(scope="session")
def small() -> Codebook:
    """A codebook of two axes with two codes each."""
    return parse_codebook(SMALL)


@pytest.fixture(scope="session")
def analysis(small: Codebook) -> Make:
    """Makes an analysis in which some codes are decided on."""

    def make(
        auto: Sequence[str] = (),
        suggest: Sequence[str] = (),
        review: Sequence[str] = (),
        *,
        text: str = "they came at night",
        language: str = "en",
        nothing: float = 0.1,
        probability: float | None = None,
    ) -> Analysis:
        decided: dict[str, tuple[Decision, float]] = dict.fromkeys(auto, ("auto", 0.98))
        decided |= dict.fromkeys(suggest, ("suggest", 0.7)) | dict.fromkeys(review, ("review", 0.3))
        suggestions = tuple(
            Suggestion(
                axis.id, code, probability or decided.get(code, ("none", 0.1))[1], decided.get(code, ("none", 0.1))[0]
            )
            for axis in small.axes
            for code in axis.codes
        )
        return Analysis("x", language, Redaction(text, ()), suggestions, {}, {"act": nothing}, "b-1", str(small))

    return make


@pytest.fixture(scope="session")
def policy(small: Codebook) -> Policy:
    return Policy({code: Thresholds(0.25, 0.5, 0.95) for axis in small.axes for code in axis.codes}, 0.95)


@pytest.fixture(scope="session")
def held_out(small: Codebook) -> HeldOut:
    """Of 400 cases 100 have each code; 80 of these are found, and 15 of the others are suggested. Of ``family`` there
    are only six cases."""
    columns = columns_of(small)
    targets = np.zeros((400, len(columns)))
    probabilities = np.full((400, len(columns)), 0.1)
    targets[:100] = 1
    probabilities[:80] = 0.9
    probabilities[100:115] = 0.9
    family = next(at for at, column in enumerate(columns) if column.code == "family")
    targets[6:, family] = 0
    return HeldOut(columns, probabilities, targets)


@pytest.fixture(scope="session")
def run_facts(small: Codebook) -> RunFacts:
    return RunFacts("b-1", "d" * 64, str(small), small.digest, "0.6.0", "a" * 64, 90.0, 0.95)
