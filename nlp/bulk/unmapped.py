"""The labels that a person used and nobody could look up: counted, and listed for whoever writes the mapping."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from .coded import MAX_LABEL, PersonCodes
from .folding import fold_label
from .tables import open_output

COLUMNS = ("old", "code", "axis", "rows")  # of a mapping, but for the last one
ENDING = ".unmapped.csv"
MAX_LISTED = 10_000  # different labels; more of them are free text, for which no mapping can be written


def unmapped_path(target: Path) -> Path:
    """Where the list goes: beside the output, under its name."""
    return target.with_name(target.name + ENDING)


@dataclass
class UnmappedLabels:
    """How many rows have each unknown label; ``left_out`` counts, by row, those that are not listed.

    A label is listed as it is spelt first. It is content of the input, and may be anything that stood in those cells.
    """

    rows: int = 0
    left_out: int = 0
    _found: dict[tuple[str, str], list[int]] = field(default_factory=dict, repr=False)
    _spelt: dict[tuple[str, str], str] = field(default_factory=dict, repr=False)

    def add(self, people: Mapping[str, PersonCodes]) -> None:
        """Count the labels of one row."""
        self.rows += any(person.unmapped for person in people.values())
        for axis, person in people.items():
            for label in person.unmapped:
                self._add(axis, label)

    @property
    def labels(self) -> int:
        """How many different labels are listed, each axis for itself."""
        return len(self._found)

    def most_frequent(self, count: int) -> list[tuple[str, str, int]]:
        """The first of them as axis, label and number of rows: content of the input, as the list is."""
        order = sorted(self._found, key=lambda key: (-self._found[key][0], *key))
        return [(key[0], self._spelt[key], self._found[key][0]) for key in order[:count]]

    @property
    def notes(self) -> list[str]:
        """Sentences about what was not understood, without the labels."""
        if not self.rows:
            return []
        beyond = f"; {self.left_out:,} more are too long or too many to list" if self.left_out else ""
        return [
            f"{self.rows:,} row(s) have codes that are neither in the codebook nor in a mapping: "
            f"{self.labels:,} different label(s){beyond}"
        ]

    def write(self, path: Path) -> bool:
        """Write the list, most frequent first, with an empty column for codes; nothing, and False, where there is none.

        An earlier one, which somebody may have begun to fill in, is kept beside it.
        """
        if not self._found:
            return False
        order = sorted(self._found, key=lambda key: (key[0], -self._found[key][0], key[1]))
        with open_output(path, COLUMNS, keep_earlier=True) as out:
            for key in order:
                out.write([self._spelt[key], "", key[0], self._found[key][0]])
        path.chmod(0o600)
        return True

    def _add(self, axis: str, label: str) -> None:
        key = (axis, fold_label(label))
        if key in self._found:
            self._found[key][0] += 1
        elif len(label) > MAX_LABEL or len(self._found) >= MAX_LISTED:
            self.left_out += 1
        else:
            self._found[key] = [1]
            self._spelt[key] = label
