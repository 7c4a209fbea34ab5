"""Narratives per second and peak memory of `casecoder bulk`, at 1,000 and 100,000 rows; or at the numbers given.

    python tests/benchmarks/bench_bulk.py [ROWS ...]

Rows are the narratives of the corpus, repeated with their number in front. Each run is a process of its own, and has
worker processes; peak memory is the largest resident set of the one and of any of the others. Figures depend on the
machine and on what else it does: compare only figures of one run.
"""

from __future__ import annotations

import csv
import json
import resource
import subprocess
import sys
import tempfile
import time
from itertools import cycle, islice
from pathlib import Path

from texts import ROOT, narratives


def write_rows(path: Path, rows: int) -> None:
    """A CSV file of narratives in both languages."""
    with path.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.writer(stream)
        writer.writerow(["id", "text"])
        for number, (text, _) in enumerate(islice(cycle(narratives()), rows), 1):
            writer.writerow([number, f"{number}. {text}"])


def run(rows: int, folder: Path) -> dict[str, float]:
    """Rows a second of one run, and peak memory in MB of its process and of its largest worker."""
    source, target = folder / f"{rows}.csv", folder / f"{rows}-coded.csv"
    write_rows(source, rows)
    program = (
        "import resource, sys; from nlp.cli import app\n"
        f"sys.argv = ['casecoder', 'bulk', {str(source)!r}, '-o', {str(target)!r}]\n"
        "try: app()\n"
        "except SystemExit: pass\n"
        "peaks = (resource.getrusage(who).ru_maxrss for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))\n"
        "print(*peaks, file=sys.stderr)\n"
    )
    started = time.perf_counter()
    done = subprocess.run(
        [sys.executable, "-c", program],
        cwd=ROOT,
        check=True,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )
    seconds = time.perf_counter() - started
    own, worker = (int(peak) // 1024 for peak in done.stderr.split()[-2:])
    return {"rows": rows, "rows_per_second": round(rows / seconds, 1), "peak_mb": own, "peak_mb_worker": worker}


def main() -> None:
    sizes = [int(number) for number in sys.argv[1:]] or [1_000, 100_000]
    with tempfile.TemporaryDirectory() as folder:
        for rows in sizes:
            sys.stdout.write(json.dumps(run(rows, Path(folder))) + "\n")
            sys.stdout.flush()


if __name__ == "__main__":
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    main()
