"""The honest account of a bulk run: what happened to the rows, what the counts mean, and how to check them by hand.

A run makes a `Collector` of its bundle, gives it every row with `Collector.add` while the output is put together, and
writes what `Collector.finish` answers with `write_report`. A `CheckSample` takes the same rows and writes a sheet to
fill in, which `check_result` reads again.
"""

from .check_result import CheckResult, check_result
from .check_sheet import CheckSample, check_path
from .collector import STATUSES, Collector
from .months import MonthColumn, month_of
from .render import render_html, write_report
from .run_report import RunFacts, RunReport

__all__ = [
    "STATUSES",
    "CheckResult",
    "CheckSample",
    "Collector",
    "MonthColumn",
    "RunFacts",
    "RunReport",
    "check_path",
    "check_result",
    "month_of",
    "render_html",
    "write_report",
]
