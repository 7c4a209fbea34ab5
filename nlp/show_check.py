"""What `casecoder check-result` shows to people: estimates with their intervals, and how sure they are."""

from __future__ import annotations

from rich.markup import escape
from rich.table import Table

from .bulk.report.check_result import MEASURES, CheckResult
from .bulk.report.estimates import Estimate
from .show import output_console

_SAID = {
    "automatic": "automatic codes that are right",
    "suggested": "suggested codes that are right",
    "found": "codes that hold and are suggested",
    "rows_right": "rows with all codes right and none missing",
}


def show_check(result: CheckResult) -> None:
    """Print the estimates, of all axes together first."""
    console = output_console()
    rows = sum(result.rows_of.values())
    table = Table(
        "axis", "estimated for all rows", "share", "95 % interval", "rows", "more for ±5 points",
        header_style="bold", title=f"{result.checked:,} checked rows of {rows:,}",
    )  # fmt: skip
    for axis in ("", *result.axes):
        for measure in MEASURES:
            table.add_row(escape(axis) or "all", _SAID[measure], *_cells(result.estimates[axis][measure]))
        table.add_section()
    console.print(table)
    for note in result.notes:
        console.print(f"note: {note}", markup=False, highlight=False)
    if result.unchecked:
        console.print(
            f"note: {result.unchecked:,} row(s) have no answer; the figures hold if those were not left out for what "
            "stands in them",
            highlight=False,
        )
    console.print("Figures hold for this very file. One person's check is one opinion: let two check the same rows.")


def _cells(estimate: Estimate) -> tuple[str, ...]:
    if estimate.share is None or estimate.low is None or estimate.high is None:
        return "–", "–", str(estimate.checked), "–"
    between = f"{estimate.low:.1%} to {estimate.high:.1%}"
    return (
        f"{estimate.share:.1%}",
        between,
        f"{estimate.checked:,}",
        f"{estimate.more:,}" if estimate.more else "enough",
    )
