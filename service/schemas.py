"""Requests and responses as the API shows them."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from nlp.types import Analysis, Narrative, Redaction, entities_json, spans_json

from .deps import Models
from .jobs.erasing import Erased
from .settings import MAX_BATCH
from .store.access import KeyFacts, Scope
from .store.feedback import Correction, Decided, NewFeedback, StoredFeedback, VerdictKind
from .store.receipts import Origin

OFFSET_UNIT: Literal["unicode code points"] = "unicode code points"
PLAIN = r"^[^\x00-\x1f\x7f]*$"
"""Texts of one line: no control character, which a database may not take."""


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", hide_input_in_errors=True)


class NarrativeIn(_Strict):
    """One narrative. Nothing of it is stored or logged."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [{"text": "The dentist saw the HIV mark on my card and refused to treat me.", "language": "en"}]
        }
    )

    text: str = Field(description="What happened, in free text.", repr=False)
    language: str | None = Field(
        None, max_length=8, pattern=PLAIN, description="ISO 639-1; recognized if not given.", examples=["ru"]
    )
    country: str | None = Field(
        None, max_length=64, pattern=PLAIN, description="Where it happened.", examples=["Moldova"]
    )
    case_id: str | None = Field(
        None, max_length=200, description="Opaque identifier, handed back as it is.", repr=False
    )

    def to_narrative(self) -> Narrative:
        """The value that the pipeline takes."""
        return Narrative(self.text, case_id=self.case_id, language=self.language, country=self.country)


class SuggestionsIn(NarrativeIn):
    """One narrative, and what is wanted of it."""

    all_codes: bool = Field(False, description="List every code of every axis with its probability.")
    axes: list[str] | None = Field(
        None, max_length=20, description="Axes wanted; all if not given.", examples=[["an axis"]]
    )


class WordsOut(BaseModel):
    """A stretch of words."""

    start: int
    end: int


class EvidenceOut(BaseModel):
    """A sentence of the narrative that speaks for a code."""

    start: int
    end: int
    redacted: str = Field(description="The sentence, redacted.", repr=False)
    words: list[WordsOut] = Field(description="The words in it that speak most; empty where that cannot be told.")


class SuggestionOut(BaseModel):
    """A code with its calibrated probability."""

    axis: str
    code: str
    probability: float = Field(ge=0, le=1)
    decision: Literal["auto", "suggest", "review", "none"]
    suggested: bool
    evidence: list[EvidenceOut]


class EntityOut(BaseModel):
    """An identifier that was hidden."""

    start: int
    end: int
    type: str
    score: float = Field(ge=0, le=1)
    source: str


class _Versioned(BaseModel):
    bundle: str = Field(examples=["react-0.6.0"])
    codebook: str = Field(examples=["react 1.1"])
    offset_unit: Literal["unicode code points"] = OFFSET_UNIT


class SuggestionsOut(_Versioned):
    """Suggestions for one narrative: a person decides."""

    id: str | None
    language: str
    redacted_text: str = Field(repr=False)
    suggestions: list[SuggestionOut]
    primary: dict[str, str | None]
    not_a_violation: float | None = Field(ge=0, le=1)
    entities: list[EntityOut]
    doubts: list[WordsOut] = Field(description="Places that stay in sight and that a person should look at.")
    policy: str = Field(description="Which thresholds made the decisions: changes when any of them does.")
    withheld: bool = Field(
        False,
        description="Whether this case is to be coded before its suggestions are seen; there are none in this answer, "
        "and those of the models come back when the decision is stored.",
    )
    receipt: str | None = Field(
        None,
        repr=False,
        description="What was suggested, sealed: send it back with the decision. None where nothing is stored.",
    )

    @classmethod
    def from_analysis(
        cls, analysis: Analysis, *, policy: str, all_codes: bool = False, axes: list[str] | None = None
    ) -> SuggestionsOut:
        """The response for an analysis, with the axes that were asked for."""
        data = analysis.to_json(all_codes=all_codes) | {"policy": policy}
        data.pop("error")
        if axes is not None:
            data["suggestions"] = [item for item in data["suggestions"] if item["axis"] in axes]
            if not set(analysis.nothing) & set(axes):
                data["not_a_violation"] = None
            data["primary"] = {axis: code for axis, code in data["primary"].items() if axis in axes}
        return cls.model_validate(data)

    def without_suggestions(self) -> SuggestionsOut:
        """The response for a case that is coded blind."""
        nobody = dict.fromkeys(self.primary)
        return self.model_copy(update={"suggestions": [], "primary": nobody, "not_a_violation": None, "withheld": True})


class BatchIn(_Strict):
    """Several narratives, each by itself: none changes what is said of another."""

    narratives: list[SuggestionsIn] = Field(min_length=1, max_length=MAX_BATCH, repr=False)


class ProblemOut(BaseModel):
    """RFC 9457."""

    type: str = Field(examples=["urn:casecoder:problem:narrative.empty"])
    title: str
    status: int
    detail: str
    code: str


class BatchItemOut(BaseModel):
    """What became of one narrative: its suggestions, or why there are none."""

    suggestions: SuggestionsOut | None = None
    problem: ProblemOut | None = None


class BatchOut(BaseModel):
    """One item for each narrative, in order."""

    results: list[BatchItemOut]


class RedactionOut(_Versioned):
    """A redacted narrative: read it before it is shared."""

    redacted_text: str = Field(repr=False)
    entities: list[EntityOut]
    doubts: list[WordsOut] = Field(description="Places that stay in sight and that a person should look at.")

    @classmethod
    def from_redaction(cls, redaction: Redaction, *, bundle: str, codebook: str) -> RedactionOut:
        """The response for a redaction."""
        return cls.model_validate(
            {
                "redacted_text": redaction.text,
                "entities": entities_json(redaction.entities),
                "doubts": spans_json(redaction.doubts),
                "bundle": bundle,
                "codebook": codebook,
            }
        )


class VerdictIn(_Strict):
    """What became of one code."""

    axis: str = Field(max_length=40, examples=["an axis"])
    code: str = Field(max_length=60, examples=["a.code"])
    verdict: VerdictKind = Field(
        description="`accepted` and `rejected` for a code that was suggested, `added` for another, `edited` for one "
        "that stands instead of a suggested one."
    )
    instead_of: str | None = Field(None, max_length=60, description="The suggested code that an edited one replaces.")
    primary: bool = Field(False, description="The leading code of its axis.")

    def to_value(self) -> Decided:
        """The value that the store takes."""
        return Decided(self.axis, self.code, self.verdict, self.instead_of, self.primary)


class CorrectionIn(_Strict):
    """A change that a person made to the redaction, in code points of the redacted text that is stored."""

    kind: Literal["hidden", "shown"] = Field(description="Words that were missed, or that had been hidden wrongly.")
    start: int = Field(ge=0)
    end: int = Field(ge=1)
    type: str = Field(max_length=40, examples=["PERSON"])

    def to_value(self) -> Correction:
        """The value that the store takes."""
        return Correction(self.kind, self.start, self.end, self.type)


class FeedbackIn(_Strict):
    """A decision on one case. What is stored is exactly this: the verdicts, and the redacted text as it is sent."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "receipt": "as /v1/suggestions gave it",
                    "verdicts": [
                        {"axis": "an axis", "code": "a.code", "verdict": "accepted", "primary": True},
                        {"axis": "another", "code": "another.code", "verdict": "added"},
                    ],
                    "redacted_text": "The dentist saw the HIV mark on my card and refused to treat me.",
                }
            ]
        }
    )

    receipt: str = Field(max_length=60_000, description="As `POST /v1/suggestions` gave it.", repr=False)
    verdicts: list[VerdictIn] = Field(max_length=60)
    redacted_text: str | None = Field(
        None,
        description="The redacted narrative as the person saw it; it is looked through again, and what is found is "
        "hidden before anything is stored.",
        repr=False,
    )
    corrections: list[CorrectionIn] = Field(default_factory=list, max_length=200)
    nothing: list[str] = Field(
        default_factory=list,
        max_length=20,
        description="Axes that were looked at and on which no code applies. An axis without a verdict that is not "
        "named here is not decided.",
        examples=[["an axis"]],
    )
    seconds: float | None = Field(None, ge=0, le=86_400, description="From the first suggestion to the decision.")

    def to_value(self, text: str | None) -> NewFeedback:
        """The value that the store takes, with the text as it may be stored."""
        return NewFeedback(
            tuple(item.to_value() for item in self.verdicts),
            text,
            tuple(item.to_value() for item in self.corrections),
            self.seconds,
            tuple(self.nothing),
        )


class ShownOut(BaseModel):
    """A code that the models suggested."""

    axis: str
    code: str
    probability: float = Field(ge=0, le=1)
    decision: Literal["auto", "suggest", "review"]


class FeedbackStored(BaseModel):
    """A decision that is stored now."""

    id: str
    origin: Origin
    suggested: list[ShownOut] = Field(description="What the models suggested, also where it was withheld.")


class VerdictOut(BaseModel):
    """What became of one code."""

    axis: str
    code: str
    verdict: VerdictKind
    instead_of: str | None
    primary: bool


class CorrectionOut(BaseModel):
    """A change that a person made to the redaction."""

    kind: Literal["hidden", "shown"]
    start: int
    end: int
    type: str


class FeedbackOut(BaseModel):
    """A decision as it is kept."""

    id: str
    coder: str
    created: datetime
    origin: Origin
    language: str
    country: str | None
    bundle: str
    codebook: str
    policy: str
    suggested: list[ShownOut]
    verdicts: list[VerdictOut]
    nothing: list[str]
    seconds: float | None
    uncertainty: float = Field(ge=0, le=1)
    redacted_text: str | None = Field(None, description="Only where one decision is read.", repr=False)
    corrections: list[CorrectionOut] = Field(default_factory=list)

    @classmethod
    def from_stored(cls, item: StoredFeedback) -> FeedbackOut:
        """The response for a stored decision."""
        return cls(
            id=item.id,
            coder=item.coder,
            created=item.created,
            origin=item.origin,
            language=item.language,
            country=item.country,
            bundle=item.bundle,
            codebook=item.codebook,
            policy=item.policy,
            suggested=[ShownOut.model_validate(vars(shown)) for shown in item.shown],
            verdicts=[VerdictOut.model_validate(vars(decided)) for decided in item.decided],
            nothing=list(item.nothing),
            seconds=item.seconds,
            uncertainty=item.uncertainty,
            redacted_text=item.text,
            corrections=[CorrectionOut.model_validate(vars(correction)) for correction in item.corrections],
        )


class FeedbackPage(BaseModel):
    """Decisions, the latest first."""

    total: int
    items: list[FeedbackOut]
    next: int | None = Field(description="Ask for `before` this number for the next page; null at the end.")


class KeyIn(_Strict):
    """A key to be made."""

    name: str = Field(
        min_length=1, max_length=80, pattern=PLAIN, description="A pseudonym of whoever gets it.", examples=["aigul"]
    )
    scope: Scope
    days: float | None = Field(None, gt=0, le=3650, description="How long it is valid; for good if not given.")


class KeyOut(BaseModel):
    """A key as it is listed."""

    id: str
    name: str
    scope: Scope
    created: datetime
    expires: datetime | None
    revoked: datetime | None

    @classmethod
    def from_facts(cls, facts: KeyFacts) -> KeyOut:
        """The response for a key."""
        return cls.model_validate(vars(facts))


class NewKeyOut(KeyOut):
    """A key that was made: its secret is shown this once."""

    key: str = Field(repr=False)


class EraseIn(_Strict):
    """A case of which nothing is to be kept."""

    case_id: str = Field(min_length=1, max_length=200, pattern=r"\S", repr=False)
    jobs: Literal["keep", "delete"] = Field(
        "keep", description="`delete`: bulk jobs whose file has the case go too, with all their files and their queues."
    )


class HoldingJobOut(BaseModel):
    """A bulk job whose files hold the case, or may."""

    id: str
    file_name: str = Field(repr=False)
    state: str
    expires: datetime | None = Field(description="When it is erased by itself; null while it waits or runs.")
    holds: Literal["yes", "unknown"] = Field(
        description="`unknown`: its file is not read yet, has no column of ids, or lies on another machine."
    )
    deleted: bool


class ErasedOut(BaseModel):
    """What was erased of a case, and which bulk jobs hold it or may."""

    erased: int = Field(description="Decisions.")
    rows: int = Field(description="Rows that waited to be looked at, or were decided, in queues of bulk jobs.")
    jobs: list[HoldingJobOut]

    @classmethod
    def from_erased(cls, erased: Erased) -> ErasedOut:
        """The response for what went."""
        jobs = [
            HoldingJobOut(
                id=one.job.id,
                file_name=one.job.file_name,
                state=one.job.state,
                expires=one.job.expires,
                holds="yes" if one.is_sure else "unknown",
                deleted=one.deleted,
            )
            for one in erased.jobs
        ]
        return cls(erased=erased.decisions, rows=erased.rows, jobs=jobs)


class BundleIn(_Strict):
    """The bundle to be served from now on."""

    name: str = Field(
        min_length=1, max_length=80, pattern=PLAIN, description="As its answers name it.", examples=["react-0.6.0"]
    )


class BundleOut(BaseModel):
    """A bundle and its facts."""

    name: str
    active: bool
    codebook: str
    languages: list[str]
    metrics: dict[str, Any]

    @classmethod
    def from_models(cls, models: Models) -> BundleOut:
        """The response for the bundle that is served."""
        pipeline = models.pipeline
        return cls(
            name=pipeline.bundle,
            active=True,
            codebook=str(pipeline.codebook),
            languages=list(pipeline.reader.languages),
            metrics=models.measured,
        )
