"""What ``casecoder bundle compare`` shows to people."""

from __future__ import annotations

from rich.markup import escape
from rich.table import Table

from .bulk.compare import AxisChanges, Comparison
from .codebook import Codebook
from .show import output_console


def show_comparison(comparison: Comparison, codebook: Codebook) -> None:
    """Print a table for each axis, and which rows could not be compared. ``codebook`` names the axes that it has."""
    console = output_console()
    console.print(f"first:  {comparison.first}, codebook {comparison.codebook_first}", markup=False, highlight=False)
    console.print(f"second: {comparison.second}, codebook {comparison.codebook_second}", markup=False, highlight=False)
    names = {axis.id: axis.label[codebook.languages[0]] for axis in codebook.axes}
    for axis_id, changes in comparison.axes.items():
        console.print(_axis(names.get(axis_id, axis_id), changes))
    for note in comparison.notes:
        console.print(f"note: {note}", markup=False, highlight=False)
    console.print(f"{comparison.rows:,} rows in {comparison.seconds:.1f} s", highlight=False)
    for line in _unread(comparison):
        console.print(line, highlight=False)


def _axis(name: str, changes: AxisChanges) -> Table:
    table = Table("", "count", header_style="bold", title=escape(name), title_justify="left")
    table.columns[1].justify = "right"
    table.add_row("rows coded by both", f"{changes.rows:,}")
    share = f" ({changes.changed / changes.rows:.1%})" if changes.rows else ""
    table.add_row("rows whose suggested codes changed", f"{changes.changed:,}{share}")
    mean = changes.mean_change
    table.add_row("mean absolute change of probability", "–" if mean is None else f"{mean:.4f}", end_section=True)
    for code in changes.codes:
        if changes.gained[code] or changes.lost[code]:
            table.add_row(code, f"+{changes.gained[code]:,} −{changes.lost[code]:,}")
    table.add_section()
    for first, second, count in changes.moves():
        table.add_row(f"decision {first} → {second}", f"{count:,}")
    table.add_section()
    for which, codes in (("first", changes.only_first), ("second", changes.only_second)):
        for code, count in codes.items():
            table.add_row(f"{code}: only the {which} codebook has it; suggested in", f"{count:,}")
    return table


def _unread(comparison: Comparison) -> list[str]:
    """Sentences on the rows that one or both bundles could not code."""
    counts = {
        "only the first bundle could code": comparison.only_first,
        "only the second bundle could code": comparison.only_second,
        "neither bundle could code": comparison.neither,
    }
    lines = [f"{count:,} row(s) that {who}" for who, count in counts.items() if count]
    for which, errors in (("first", comparison.errors_first), ("second", comparison.errors_second)):
        lines += [f"{count:,} row(s) not coded by the {which}: {kind}" for kind, count in sorted(errors.items())]
    return lines
