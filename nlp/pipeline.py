"""The one road from a narrative to its analysis, for the command line, the service and bulk coding alike."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from functools import cached_property, partial
from typing import Literal

from .classification import Classifier
from .codebook import Codebook
from .decision import Policy, decide, primary_codes
from .encoding import Encoder, States
from .reading import Reader, Reading
from .redaction import Redactor, recognizers_for
from .redaction.second_look import second_look
from .tags import Tagger
from .types import Analysis, Narrative, Redaction


@dataclass(frozen=True)
class Pipeline:
    """Reader, encoder, redactor, classifier and policy of one bundle; read-only, so that threads can share it.

    ``encoder`` and ``tagger``, which finds names in its states, are None in a bundle without an encoder.
    """

    bundle: str
    codebook: Codebook
    classifier: Classifier = field(repr=False)
    policy: Policy = field(repr=False)
    reader: Reader = field(repr=False)
    redactor: Redactor = field(repr=False)
    encoder: Encoder | None = field(default=None, repr=False)
    tagger: Tagger | None = field(default=None, repr=False)

    @classmethod
    def assemble(
        cls,
        bundle: str,
        codebook: Codebook,
        classifier: Classifier,
        policy: Policy,
        *,
        languages: Iterable[str],
        max_characters: int,
        encoder: Encoder | None = None,
        tagger: Tagger | None = None,
    ) -> Pipeline:
        """A pipeline with the reader and the recognizers that the codebook asks for."""
        kinds = [identifier.id for identifier in codebook.identifiers]
        return cls(
            bundle,
            codebook,
            classifier,
            policy,
            Reader(languages=tuple(languages), max_characters=max_characters),
            Redactor(recognizers_for(kinds), kinds),
            encoder,
            tagger,
        )

    def analyze_one(self, narrative: Narrative) -> Analysis:
        """Read, redact and code one narrative. Raises a `NarrativeError` for one that cannot be analyzed.

        One at a time: a narrative's result never depends on its neighbors, and one that fails stops no other.
        """
        reading = self.reader.read(narrative)
        states = self.states_of(reading)
        return self.code(reading, self.redact_reading(reading, states), states)

    def code(self, reading: Reading, redaction: Redaction, states: States | None) -> Analysis:
        """Code a narrative that has been read and redacted; ``states`` as `states_of` gives them."""
        states = states.received(reading.view) if states else None
        features = self.classifier.featurize(reading, redaction, states)
        row = self.classifier.predict_proba([features])[0]
        columns = self.classifier.columns
        suggestions = decide(
            columns,
            row,
            self.classifier.predict_without(features),
            codebook=self.codebook,
            policy=self.policy,
            reading=reading,
            redaction=redaction,
            words=partial(self.classifier.words, features),
        )
        scores = self.classifier.predict_primary(features)
        leading = None if scores is None else {code: float(scores[at]) for at, (_, code) in enumerate(columns) if code}
        return Analysis(
            case_id=reading.narrative.case_id,
            language=reading.language,
            redaction=redaction,
            suggestions=suggestions,
            primary=primary_codes(suggestions, self.codebook, leading),
            nothing={axis: float(row[at]) for at, (axis, code) in enumerate(columns) if code is None},
            bundle=self.bundle,
            codebook=str(self.codebook),
        )

    def redact_one(self, narrative: Narrative) -> Redaction:
        """Read and redact one narrative."""
        reading = self.reader.read(narrative)
        return self.redact_reading(reading, self.states_of(reading))

    def states_of(self, reading: Reading) -> States | None:
        """What the encoder says of the view of a narrative; None in a bundle without one."""
        return self.encoder.encode(reading.view.text) if self.encoder else None

    def redact_reading(
        self, reading: Reading, states: States | None, *, level: Literal["strict", "minimal"] = "strict"
    ) -> Redaction:
        """Redact a narrative that has been read; ``states`` as `states_of` gives them. ``strict`` hides all that is
        found, ``minimal`` only what identifies by itself, so that places, dates, ages and institutions stay for
        analysis."""
        redactor = self.redactor if level == "strict" else self._minimal
        text = reading.view.text
        named, outside = self.tagger.read(text, states) if self.tagger and states else ((), None)
        redaction = redactor.redact(reading, named, outside)
        return replace(redaction, doubts=second_look(reading, redaction, outside, self.redactor.kept))

    @cached_property
    def _minimal(self) -> Redactor:
        return self.redactor.hiding_only([item.id for item in self.codebook.identifiers if item.kind == "direct"])
