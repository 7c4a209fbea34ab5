"""Requests and responses as the API shows them."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from nlp.types import Analysis, Narrative, Redaction, entities_json, spans_json

OFFSET_UNIT: Literal["unicode code points"] = "unicode code points"


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
    language: str | None = Field(None, max_length=8, description="ISO 639-1; recognized if not given.", examples=["ru"])
    country: str | None = Field(None, max_length=64, description="Where it happened.", examples=["Moldova"])
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
        None, max_length=20, description="Axes wanted; all if not given.", examples=[["violation"]]
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
    bundle: str = Field(examples=["react-0.4.0"])
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

    @classmethod
    def from_analysis(cls, analysis: Analysis, *, all_codes: bool, axes: list[str] | None) -> SuggestionsOut:
        """The response for an analysis, with the axes that were asked for."""
        data = analysis.to_json(all_codes=all_codes)
        data.pop("error")
        if axes is not None:
            data["suggestions"] = [item for item in data["suggestions"] if item["axis"] in axes]
            if not set(analysis.nothing) & set(axes):
                data["not_a_violation"] = None
            data["primary"] = {axis: code for axis, code in data["primary"].items() if axis in axes}
        return cls.model_validate(data)


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


class BundleOut(BaseModel):
    """A bundle and its facts."""

    name: str
    active: bool
    codebook: str
    languages: list[str]
    metrics: dict[str, Any]


class ProblemOut(BaseModel):
    """RFC 9457."""

    type: str = Field(examples=["urn:casecoder:problem:narrative.empty"])
    title: str
    status: int
    detail: str
    code: str
