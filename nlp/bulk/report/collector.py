"""Counts a bulk run row by row, in memory that does not grow with it, and makes its report."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from typing import Any

from ...bundle import Bundle
from ...codebook import Codebook
from ...decision import Policy
from ...held_out import HeldOut
from ...types import Analysis
from .agreement import agreement_shown
from .counts import shown, shown_parts
from .drift import compare
from .groups import KINDS, GroupCounts, Pairs
from .prevalence import corrected_codes
from .profile import Profile, known_words, reference_of
from .run_report import CodeCount, RowCounts, RunFacts, RunReport

STATUSES = ("auto", "suggest", "review", "none", "failed")
_ERROR = re.compile(r"[a-z_]+(?:\.[a-z_]+)*")  # a kind of error; whatever else stands there is not told
_NOTHING = 0.5  # probability from which on "nothing applies" is the answer of a row without a code


class Collector:
    """Takes the rows of a run one by one.

    Parameters
    ----------
    codebook : of the bundle.
    policy, held_out : the thresholds of the run, and what the models say of unseen cases; without them nothing is
        corrected for the errors of the models.
    reference : what the texts look like that the models learned from; without it nothing is compared.
    known : the words that the bundle's model on words knows.
    """

    def __init__(
        self,
        codebook: Codebook,
        *,
        policy: Policy | None = None,
        held_out: HeldOut | None = None,
        reference: Profile | None = None,
        known: Collection[str] = (),
    ) -> None:
        self.codebook = codebook
        self._policy = policy
        self._held_out = held_out
        self._reference = reference
        self._profile = Profile.of(codebook, known)
        self._rows = 0
        self._statuses: Counter[str] = Counter()
        self._errors: Counter[str] = Counter()
        self._duplicates: Counter[str] = Counter()
        self._by_person: Counter[str] = Counter()
        self._decisions: Counter[tuple[str, str]] = Counter()  # code, decision
        self._nothing: Counter[str] = Counter()
        self._pairs: Counter[tuple[str, str]] = Counter()
        self._groups = {kind: GroupCounts(kind) for kind in KINDS}

    @classmethod
    def of(cls, bundle: Bundle, *, precision: float | None = None) -> Collector:
        """One for a run with a bundle, at its own or another promised precision. Raises a `BundleError`."""
        codebook = bundle.codebook()
        return cls(
            codebook,
            policy=bundle.policy(precision),
            held_out=bundle.held_out(),
            reference=reference_of(bundle, codebook),
            known=known_words(bundle),
        )

    def add(
        self,
        row_number: int,
        status: str,
        analysis: Analysis | None,
        error: str | None = None,
        *,
        language: str | None = None,
        country: str | None = None,
        month: str | None = None,
        duplicate: str | None = None,
        person_codes: Mapping[str, Any] | None = None,
    ) -> None:
        """Count one row of the table.

        ``status`` is one of `STATUSES`; ``error`` begins with its kind and a colon. ``country`` is an ISO 3166-1 code,
        ``month`` as `MonthColumn.read` gives it; anything else there counts as not understood, and is never shown.
        Without ``language`` it is the one of the analysis. ``duplicate`` is ``exact`` or ``near``; ``person_codes``
        maps axes to what a person coded.
        """
        if status not in STATUSES:
            raise ValueError(f"row {row_number}: there is no status {status!r}")
        if duplicate not in (None, "exact", "near"):
            raise ValueError(f"row {row_number}: a duplicate is exact or near")
        self._rows += 1
        self._statuses[status] += 1
        if error is not None:
            kind = error.split(":")[0]
            self._errors[kind if _ERROR.fullmatch(kind) else "row.failed"] += 1
        if duplicate is not None:
            self._duplicates[duplicate] += 1
        self._by_person.update(axis for axis, given in (person_codes or {}).items() if getattr(given, "given", given))
        codes = self._count_codes(analysis) if analysis else []
        said = {"month": month, "country": country, "language": language or (analysis.language if analysis else None)}
        for kind, group in said.items():
            self._groups[kind].add(group, codes)

    def _count_codes(self, analysis: Analysis) -> list[str]:
        """Count the codes of a row; returns those that are suggested."""
        self._profile.add_analysis(analysis)
        self._decisions.update((item.code, item.decision) for item in analysis.suggestions if item.decision != "none")
        suggested = [(item.axis, item.code) for item in analysis.suggestions if item.suggested]
        axes = {axis for axis, _ in suggested}
        self._nothing.update(axis for axis, value in analysis.nothing.items() if axis not in axes and value >= _NOTHING)
        if len(self.codebook.axes) > 1:
            first, second = (axis.id for axis in self.codebook.axes[:2])
            self._pairs.update(
                (code, other) for axis, code in suggested if axis == first for at, other in suggested if at == second
            )
        return [code for _, code in suggested]

    def finish(
        self,
        facts: RunFacts,
        *,
        agreement: Mapping[str, Any] | None = None,
        unmapped: int | None = None,
        unmapped_rows: int | None = None,
        notes: Sequence[str] = (),
    ) -> RunReport:
        """The report of all rows so far.

        ``agreement`` is what `nlp.bulk.agreement` says as JSON; ``unmapped`` how many different labels of people nobody
        could look up, in ``unmapped_rows`` rows. ``notes`` are sentences that the run told, without content.
        """
        coded = self._rows - self._statuses["failed"]
        return RunReport(
            facts,
            self.codebook,
            RowCounts(
                self._rows,
                {status: self._statuses[status] for status in STATUSES},
                dict(sorted(self._errors.items())),
                dict(sorted(self._duplicates.items())),
                dict(self._by_person),
            ),
            tuple(self._code_counts()),
            {axis.id: shown(self._nothing[axis.id]) for axis in self.codebook.axes if axis.nothing},
            tuple(found for counts in self._groups.values() if (found := counts.grouping(self._all_codes()))),
            self._together(),
            corrected=self._corrected(coded),
            drift=compare(self._profile, self._reference, self._coded_pairs()) if self._reference else None,
            agreement=None if agreement is None else agreement_shown(agreement),
            unmapped=unmapped,
            unmapped_rows=unmapped_rows,
            notes=tuple(notes),
        )

    def _all_codes(self) -> list[str]:
        return [code for _, code in self._coded_pairs()]

    def _coded_pairs(self) -> list[tuple[str, str]]:
        return [(axis.id, code) for axis in self.codebook.axes for code in axis.codes]

    def _code_counts(self) -> list[CodeCount]:
        counts = []
        for axis, code in self._coded_pairs():
            auto, suggest, review = (self._decisions[code, decision] for decision in ("auto", "suggest", "review"))
            parts = shown_parts([auto, suggest])
            counts.append(CodeCount(axis, code, shown(auto + suggest), parts[0], parts[1], shown(review)))
        return counts

    def _together(self) -> Pairs | None:
        if len(self.codebook.axes) < 2:
            return None
        first, second = self.codebook.axes[:2]
        return Pairs.of((first.id, second.id), first.codes, second.codes, self._pairs)

    def _corrected(self, rows: int) -> tuple[Any, ...] | None:
        if self._held_out is None or self._policy is None:
            return None
        suggested = {
            code: self._decisions[code, "auto"] + self._decisions[code, "suggest"] for code in self._all_codes()
        }
        return corrected_codes(self._held_out, self._policy.codes, suggested, rows)
