"""How far a person's earlier codes and the machine's suggestions agree, axis by axis and code by code."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection
from dataclasses import dataclass, field
from typing import Any

from ..codebook import Axis, Codebook
from ..intervals import kappa, kappa_interval, wilson
from ..types import Analysis
from .coded import People, PersonCodes


@dataclass
class AxisAgreement:
    """Counts of one axis over the rows that a person coded in full and the machine could read.

    ``incomplete`` are rows left out because a label of the person is unknown, ``failed`` those that the machine could
    not code. Counters hold rows, by code.
    """

    axis: Axis
    rows: int = 0
    incomplete: int = 0
    failed: int = 0
    exact: int = 0
    overlap: float = 0.0
    both: Counter[str] = field(default_factory=Counter)
    only_person: Counter[str] = field(default_factory=Counter)
    only_machine: Counter[str] = field(default_factory=Counter)

    @property
    def mean_overlap(self) -> float | None:
        """Mean Jaccard index of the two sets of codes, 1 where both are empty; None of nothing."""
        return self.overlap / self.rows if self.rows else None

    def add(self, person: PersonCodes, analysis: Analysis | None) -> None:
        """Count one row; one that nobody coded is none."""
        if not person.given:
            return
        if not person.complete:
            self.incomplete += 1
        elif analysis is None:
            self.failed += 1
        else:
            suggested = {item.code for item in analysis.suggestions if item.axis == self.axis.id and item.suggested}
            self._count(set(person.codes), suggested)

    def _count(self, person: Collection[str], machine: Collection[str]) -> None:
        person, machine = set(person), set(machine)
        union = person | machine
        self.rows += 1
        self.exact += person == machine
        self.overlap += len(person & machine) / len(union) if union else 1.0
        self.both.update(person & machine)
        self.only_person.update(person - machine)
        self.only_machine.update(machine - person)

    def code_json(self, code: str) -> dict[str, Any]:
        """One code: in how many rows who gave it, and Cohen's kappa with its interval."""
        counts = self.both[code], self.only_person[code], self.only_machine[code]
        neither = self.rows - sum(counts)
        return {
            "both": counts[0],
            "only_person": counts[1],
            "only_machine": counts[2],
            "neither": neither,
            "kappa": _rounded(kappa(*counts, neither)),
            "interval": _rounded_pair(kappa_interval(*counts, neither)),
        }

    def short_json(self) -> dict[str, Any]:
        """Rows that a person coded; of those that could be compared, in how many the machine suggests the same."""
        return {
            "rows": self.rows + self.incomplete + self.failed,
            "compared": self.rows,
            "same": self.exact,
            "share": _rounded(self.exact / self.rows if self.rows else None),
            "interval": _rounded_pair(wilson(self.exact, self.rows)),
        }

    def to_json(self) -> dict[str, Any]:
        share = self.exact / self.rows if self.rows else None
        return {
            "rows": self.rows,
            "incomplete": self.incomplete,
            "failed": self.failed,
            "exact": {
                "rows": self.exact,
                "share": _rounded(share),
                "interval": _rounded_pair(wilson(self.exact, self.rows)),
            },
            "mean_overlap": _rounded(self.mean_overlap),
            "codes": {code: self.code_json(code) for code in self.axis.codes},
        }


class Agreement:
    """Counts rows one by one, for the axes on which a person coded; suggested is what the machine would show."""

    def __init__(self, codebook: Codebook, axes: Collection[str]) -> None:
        self.axes = {axis.id: AxisAgreement(axis) for axis in codebook.axes if axis.id in axes}

    def add(self, people: People, analysis: Analysis | None) -> None:
        """Count one row; ``analysis`` is None where the machine could not code it."""
        for axis, agreement in self.axes.items():
            if axis in people:
                agreement.add(people[axis], analysis)

    def to_json(self) -> dict[str, Any]:
        """All counts as plain values: null where a figure is not defined."""
        return {axis: agreement.to_json() for axis, agreement in self.axes.items()}


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 4)


def _rounded_pair(pair: tuple[float, float] | None) -> list[float] | None:
    return None if pair is None else [round(value, 4) for value in pair]
