"""Requests and responses on bulk jobs and their review, as the API shows them."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from .jobs.options import CHECK_ROWS, Format, JobOptions, ReportLanguage
from .schemas import OFFSET_UNIT, PLAIN, CorrectionIn, EvidenceOut, VerdictIn, WordsOut
from .store.feedback import NewFeedback
from .store.jobs import JobState, StoredJob
from .store.review import ReviewCounts

Column = Annotated[int, Field(ge=1, le=16_384)]
FactColumn = Annotated[int, Field(ge=0, le=16_384)]
AxisId = Annotated[str, Field(min_length=1, max_length=40, pattern=PLAIN)]
RowStatus = Literal["auto", "suggest", "review", "none", "failed"]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", hide_input_in_errors=True)


class NothingIn(_Strict):
    """An empty object."""


class ReadingIn(_Strict):
    """How a file is read, as far as it is known. It stands in the body since the name of a sheet may be somebody's."""

    sheet: str | None = Field(
        None, max_length=100, pattern=PLAIN, description="Of .xlsx, by name or number.", examples=["1"]
    )
    encoding: str | None = Field(None, max_length=40, pattern=PLAIN, examples=["windows-1251"])
    delimiter: str | None = Field(None, min_length=1, max_length=1, examples=[";"])
    header: bool | None = Field(None, description="Whether the first row has names; found out if not given.")

    def to_value(self) -> JobOptions:
        """The value that jobs take."""
        return JobOptions.from_json(self.model_dump())


class JobOptionsIn(ReadingIn):
    """How a file is read and coded. Columns are numbers from 1."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {"text_column": 3, "id_column": 1, "language": "ru"},
                {"text_column": 3, "joins": [4], "coded": {"violation": [6]}, "date_column": 2, "precision": 0.9},
            ]
        }
    )

    text_column: Column | None = Field(None, description="The narrative; found if not given.")
    id_column: Column | None = Field(None, description="The id of a case; found if not given.")
    joins: list[Column] = Field(
        default_factory=list, max_length=20, description="Further columns of the narrative, in their order."
    )
    language_column: FactColumn | None = Field(
        None, description="Says the language of a narrative; found by its name if not given, 0 for none."
    )
    country_column: FactColumn | None = Field(None, description="Says where it happened; the same.")
    date_column: FactColumn | None = Field(None, description="Says when, for the report; the same.")
    coded: dict[AxisId, Annotated[list[Column], Field(max_length=20)]] = Field(
        default_factory=dict,
        max_length=20,
        description="Columns with codes that people gave, by axis. They stay as they are, and are compared.",
        examples=[{"violation": [6], "perpetrator": [7]}],
    )
    duplicates: bool = Field(True, description="Code rows alike that repeat an earlier text, or nearly.")
    language: str | None = Field(
        None,
        max_length=8,
        pattern=PLAIN,
        description="ISO 639-1, of narratives whose row states none; else each is recognized.",
    )
    keep_text: bool = Field(False, description="Leave the narrative in the output as it is, beside the redacted one.")
    all_codes: bool = Field(False, description="Give every code with its probability.")
    wide: bool = Field(False, description="Give tables a yes/no column for each code.")
    format: Format | None = Field(None, description="Of the output; that of the file if not given.")
    precision: float | None = Field(
        None,
        ge=0.5,
        le=0.999,
        description="What automatic codes promise; what the bundle promises if not given.",
        examples=[0.9],
    )
    check: int = Field(CHECK_ROWS, ge=0, le=1000, description="Random rows for the sheet to check by hand; 0 for none.")
    report_language: ReportLanguage = Field("en", description="Of the report and of the sheet to check.")


FileKind = Literal["output", "report", "report-json", "check", "unmapped", "undo", "receipt", "decided", "decisions"]


def takes_decisions(job: StoredJob) -> bool:
    """Whether what people decide on rows of a job can be put into its coded file."""
    return job.state == "done" and bool(job.facts.get("to_review")) and bool(job.facts.get("has_standing_codes"))


class JobFileOut(BaseModel):
    """A file of a job that can be fetched: the coded table; the report for people and for programs; the sheet to check
    by hand; labels of people that are in no codebook and no mapping; the undo file; the receipt; what people decided
    on rows."""

    kind: FileKind
    bytes: int | None = Field(description="Null where it is made when it is fetched.")


class MappingOut(BaseModel):
    """A file from old labels to codes, every line of which fits the codebook."""

    file_name: str = Field(examples=["old-codes.xlsx"], repr=False)
    bytes: int
    labels: int = Field(description="Different labels in it.")
    set_aside: int = Field(description="Those of them without a code.")


class PeopleOut(BaseModel):
    """Codes that people gave on an axis, beside those of the machine. The share has a 95 % interval."""

    rows: int = Field(description="Rows that a person coded.")
    compared: int = Field(description="Those of them whose labels are all known and that the machine could code.")
    same: int = Field(description="Those of the compared ones for which the machine suggests just the same codes.")
    share: float | None
    interval: tuple[float, float] | None


class DuplicatesOut(BaseModel):
    """Rows that repeat the text of an earlier one, exactly or nearly."""

    exact: int
    near: int


class UnmappedOut(BaseModel):
    """Labels of people that are neither in the codebook nor in the mapping."""

    rows: int = Field(description="Rows with such a label.")
    labels: int = Field(description="Different labels.")


class ReviewCountsOut(BaseModel):
    """Rows of the review queue by state; `lent` are with somebody now."""

    open: int
    lent: int
    done: int
    skipped: int

    @classmethod
    def from_counts(cls, counts: ReviewCounts) -> ReviewCountsOut:
        """The response for counts."""
        return cls.model_validate(vars(counts))


class ProgressOut(BaseModel):
    """How far a job is: numbers only."""

    phase: Literal["reading", "coding", "writing", "done"] | None
    rows: int = Field(description="Rows done; while the file is read, rows read.")
    total: int | None
    errors: int = Field(description="Rows that cannot be coded.")
    seconds_left: float | None = Field(description="Estimated.")


class JobOut(BaseModel):
    """A bulk job."""

    id: str = Field(examples=["2f1c4b0e9d8a4c57b6a1e3d20f9c8b7a"])
    file_name: str = Field(examples=["cases-2019.xlsx"], repr=False)
    bytes: int
    state: JobState
    coder: str = Field(description="The pseudonym of who brought the file.")
    created: datetime
    updated: datetime
    expires: datetime | None = Field(description="When the job and its files are erased; null while it waits or runs.")
    ahead: int | None = Field(description="Jobs before it in the queue; null where it does not wait.")
    options: dict[str, Any] | None = Field(description="As it was started with; null before that.")
    progress: ProgressOut
    error: str | None = Field(description="Why it failed: a sentence that quotes nothing of the file.")
    notes: list[str] = Field(description="Sentences about the file and the run.", repr=False)
    mapping: MappingOut | None = Field(description="From old labels to codes; null where none was brought.")
    statuses: dict[RowStatus, int] = Field(
        description="Rows by what they come to; empty until the job is done.",
        examples=[{"auto": 120, "suggest": 610, "review": 48, "none": 20, "failed": 2}],
    )
    people: dict[str, PeopleOut] = Field(description="By axis with columns of `coded`; empty until the job is done.")
    unmapped: UnmappedOut | None
    duplicates: DuplicatesOut | None
    counts: dict[str, dict[str, dict[str, int]]] = Field(description="Axis, code, decision: rows.")
    error_kinds: dict[str, int] = Field(description="Rows that could not be coded, by the kind of error.")
    bundle: str | None
    codebook: str | None
    files: list[JobFileOut]
    review: ReviewCountsOut | None = Field(description="Null where no row waits to be looked at.")

    @classmethod
    def from_stored(cls, job: StoredJob, counts: ReviewCounts | None = None) -> JobOut:
        """The response for a job."""
        facts = job.facts
        found = facts.get("files", {}) if job.state == "done" else {}
        files = [JobFileOut(kind=kind, bytes=about["bytes"]) for kind, about in found.items()]
        if files and facts.get("to_review"):
            files.append(JobFileOut(kind="decisions", bytes=None))
        if takes_decisions(job) and counts and counts.done:
            files.insert(1, JobFileOut(kind="decided", bytes=None))
        return cls(
            id=job.id,
            file_name=job.file_name,
            bytes=facts["bytes"],
            state=job.state,
            coder=job.coder,
            created=job.created,
            updated=job.updated,
            expires=job.expires,
            ahead=job.ahead,
            options=dict(job.options) if job.options is not None else None,
            progress=ProgressOut(
                phase=facts.get("phase"),
                rows=facts.get("rows", 0),
                total=facts.get("total"),
                errors=facts.get("errors", 0),
                seconds_left=facts.get("seconds_left"),
            ),
            error=job.error,
            notes=list(job.notes),
            mapping=_mapping_out(job.mapping),
            statuses=facts.get("statuses", {}),
            people=facts.get("people", {}),
            unmapped=facts.get("unmapped"),
            duplicates=facts.get("duplicates"),
            counts=facts.get("counts", {}),
            error_kinds=facts.get("error_kinds", {}),
            bundle=facts.get("bundle"),
            codebook=facts.get("codebook"),
            files=files,
            review=ReviewCountsOut.from_counts(counts) if counts else None,
        )


def _mapping_out(mapping: Mapping[str, Any] | None) -> MappingOut | None:
    if mapping is None:
        return None
    counts = {name: mapping[name] for name in ("bytes", "labels", "set_aside")}
    return MappingOut(file_name=mapping["name"], **counts)


class PreviewRowOut(BaseModel):
    """One of the first rows; long cells are cut."""

    row: int
    cells: list[str] = Field(repr=False)
    problem: str | None = Field(description="Why the cells cannot be trusted.")


class PreviewOut(BaseModel):
    """What a file looks like. Its cells are as they are: nothing is redacted yet."""

    columns: list[str] = Field(repr=False)
    text_column: int | None = Field(description="The column that is taken for the narrative, from 1; null if unclear.")
    id_column: int | None
    rows: list[PreviewRowOut]
    notes: list[str]
    problem: str | None = Field(description="What has to be chosen before the file can be coded.")


class ExampleOut(BaseModel):
    """A row as it would come out."""

    row: int
    redacted_text: str = Field(repr=False)
    suggestions: list[dict[str, Any]]


class ComparedOut(DuplicatesOut):
    """Rows that repeat the text of an earlier one, among the first of the table."""

    compared: int = Field(description="How many rows were compared.")


class UnmappedLabelOut(BaseModel):
    """A label as it stands in the file."""

    axis: str
    label: str = Field(repr=False)
    rows: int


class UnmappedLabelsOut(UnmappedOut):
    """Labels of people that nobody could look up, with the most frequent of them **as they are in the file**."""

    most_frequent: list[UnmappedLabelOut]


class DryRunOut(BaseModel):
    """What coding the whole file would bring, told from a sample that is spread over it. Nothing is stored. Rows that
    people coded and labels that are not mapped are counted in the whole table."""

    unreadable: int = Field(description="Rows whose cells cannot be trusted.")
    empty: int = Field(description="Rows without a narrative.")
    forecast: dict[str, Any] = Field(
        description="`rows`, `sampled`, `hours`, `precision`, `statuses`, `languages`, `errors`; shares with 95 % "
        "intervals."
    )
    duplicates: ComparedOut | None = Field(description="Null where rows are not compared.")
    people: dict[str, PeopleOut] = Field(
        description="By axis with columns of `coded`: `rows` of the whole table, the rest of the sample."
    )
    unmapped: UnmappedLabelsOut
    examples: list[ExampleOut]
    notes: list[str]


class ReviewNextIn(_Strict):
    """What the page has already, so that it gets another row."""

    held: list[Annotated[int, Field(ge=1, le=2**31 - 1)]] = Field(
        default_factory=list, max_length=200, description="Rows that are lent to the caller and not wanted now."
    )
    skipped: bool = Field(False, description="Of the rows that were skipped.")


class ReviewSuggestionOut(BaseModel):
    """A code with its calibrated probability; offsets of its evidence point into the redacted text."""

    axis: str
    code: str
    probability: float = Field(ge=0, le=1)
    decision: Literal["auto", "suggest", "review", "none"]
    suggested: bool
    evidence: list[EvidenceOut]


class PersonCodesOut(BaseModel):
    """What a person coded before on an axis; `nothing`: that nothing applies. `unknown` counts labels that nobody could
    look up."""

    codes: list[str]
    nothing: bool
    unknown: int


class ReviewRowOut(BaseModel):
    """A row to look at. All offsets are code points of `redacted_text`."""

    row: int = Field(description="Its number in the file, from 1.")
    case: str | None = Field(description="The id of the case in the file.", repr=False)
    country: str | None
    language: str
    redacted_text: str = Field(repr=False)
    suggestions: list[ReviewSuggestionOut]
    people: dict[str, PersonCodesOut] = Field(
        default_factory=dict, description="Codes that people gave before, by axis."
    )
    differs: list[str] = Field(
        default_factory=list,
        description="Axes on which these and the suggestions differ. Rows with such an axis come first.",
    )
    repeats: int = Field(
        0, ge=0, description="How many further rows are alike (text, suggestions, codes of people): decided with it."
    )
    primary: dict[str, str | None]
    not_a_violation: float | None
    doubts: list[WordsOut]
    uncertainty: float = Field(ge=0, le=1)
    lent_until: datetime
    offset_unit: Literal["unicode code points"] = OFFSET_UNIT


class ReviewNextOut(BaseModel):
    """The next row, null where there is none; and how far the queue is."""

    item: ReviewRowOut | None
    counts: ReviewCountsOut


class ReviewDecisionIn(_Strict):
    """A decision on a row. `accept` takes what is suggested as it is; `correct` says what holds; `skip` leaves the row
    for later."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {"act": "accept"},
                {
                    "act": "correct",
                    "verdicts": [{"axis": "an axis", "code": "a.code", "verdict": "accepted", "primary": True}],
                    "nothing": ["another"],
                },
            ]
        }
    )

    act: Literal["accept", "correct", "skip"]
    verdicts: list[VerdictIn] = Field(default_factory=list, max_length=60, description="For `correct`.")
    nothing: list[str] = Field(default_factory=list, max_length=20, description="For `correct`: as in feedback.")
    redacted_text: str | None = Field(
        None, description="The text with more hidden in it; as it was given if left out.", repr=False
    )
    corrections: list[CorrectionIn] = Field(
        default_factory=list, max_length=200, description="What was hidden, in code points of `redacted_text`."
    )
    seconds: float | None = Field(None, ge=0, le=86_400, description="How long the row was on the screen.")

    def to_value(self, text: str | None) -> NewFeedback:
        """The value that the store takes, for `correct`."""
        return NewFeedback(
            tuple(item.to_value() for item in self.verdicts),
            text,
            tuple(item.to_value() for item in self.corrections),
            self.seconds,
            tuple(self.nothing),
        )


class ReviewDecidedOut(BaseModel):
    """A decision that is stored now; `feedback` is its id among the decisions, null for a row that was skipped."""

    row: int
    feedback: str | None
    counts: ReviewCountsOut
