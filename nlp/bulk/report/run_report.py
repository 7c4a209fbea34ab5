"""The report of a bulk run as plain, frozen values: counts that may be shown, no text of any row."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from ...codebook import Codebook
from .counts import FEW, WITHHELD, Shown
from .drift import Drift
from .groups import Grouping, Pairs
from .prevalence import Corrected

FORMAT = 1
NAME = "casecoder bulk report"


@dataclass(frozen=True)
class RunFacts:
    """What a run was: with what, on what, how long. ``precision`` is what automatic codes promise, ``input_sha256`` the
    hash of the file; ``started`` is a moment in ISO 8601. ``resumed``: some rows were coded before that, in other
    ``seconds``. ``workers`` are processes, None where a cluster has them. No name of a file: it may be somebody's."""

    bundle: str
    bundle_digest: str
    codebook: str
    codebook_digest: str
    casecoder: str
    input_sha256: str
    seconds: float
    precision: float
    started: str | None = None
    engine: str = "local"
    workers: int | None = 1
    resumed: bool = False


@dataclass(frozen=True)
class RowCounts:
    """Rows of the input: by status, failed ones by kind of error, duplicates by kind, coded by a person by axis."""

    total: int
    statuses: Mapping[str, int]
    errors: Mapping[str, int]
    duplicates: Mapping[str, int]
    by_person: Mapping[str, int]

    @property
    def coded(self) -> int:
        """Rows that the machine could code."""
        return self.total - self.statuses["failed"]


@dataclass(frozen=True)
class CodeCount:
    """Rows in which a code is suggested: in all, set by itself or shown to a person; and those up for review."""

    axis: str
    code: str
    suggested: Shown
    auto: Shown
    suggest: Shown
    review: Shown


@dataclass(frozen=True)
class RunReport:
    """All that is told of a run. ``nothing`` are rows to which no code of an axis applies; ``corrected`` is None where
    the bundle has no held-out figures, ``drift`` where it does not say what its texts look like, ``agreement`` where no
    person had coded."""

    facts: RunFacts
    codebook: Codebook = field(repr=False)
    rows: RowCounts
    codes: tuple[CodeCount, ...]
    nothing: Mapping[str, Shown]
    groupings: tuple[Grouping, ...]
    pairs: Pairs | None
    corrected: tuple[Corrected, ...] | None
    drift: Drift | None
    agreement: Mapping[str, Any] | None
    unmapped: int | None
    unmapped_rows: int | None
    notes: tuple[str, ...]

    def grouping(self, kind: str) -> Grouping | None:
        """The counts by ``month``, ``country`` or ``language``; None where no row says its group."""
        return next((item for item in self.groupings if item.kind == kind), None)

    def to_json(self) -> dict[str, Any]:
        """Plain values. A count is a number, or one of two words that say why it is not there."""
        seconds = None if self.facts.resumed else self.facts.seconds
        return {
            "report": NAME,
            "format": FORMAT,
            "small_counts": {FEW: "fewer than five rows", WITHHELD: "left out, or a small count could be worked out"},
            "run": {**asdict(self.facts), "rows_per_second": round(self.rows.total / seconds, 2) if seconds else None},
            "rows": {**asdict(self.rows), "coded": self.rows.coded},
            "codes": [asdict(item) for item in self.codes],
            "nothing": dict(self.nothing),
            "groups": [item.to_json() for item in self.groupings],
            "together": self.pairs.to_json() if self.pairs else None,
            "corrected": None if self.corrected is None else [item.to_json() for item in self.corrected],
            "drift": self.drift.to_json() if self.drift else None,
            "agreement": self.agreement,
            "unmapped_labels": self.unmapped,
            "rows_with_unmapped_labels": self.unmapped_rows,
            "notes": list(self.notes),
        }
