"""Narratives per second and peak memory of `casecoder bulk`, at 1,000 and 100,000 rows; or at the numbers given.

    python tests/benchmarks/bench_bulk.py [ROWS ...]

Rows are the narratives of the corpus, repeated with their number in front. Each run is a process of its own; peak
memory is its largest resident set. Figures depend on the machine and on what else it does: compare only figures of one
run.
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
    """Rows a second and peak memory in MB of one run."""
    source, target = folder / f"{rows}.csv", folder / f"{rows}-coded.csv"
    write_rows(source, rows)
    program = (
        "import resource, sys; from nlp.cli import app\n"
        f"sys.argv = ['casecoder', 'bulk', {str(source)!r}, '-o', {str(target)!r}]\n"
        "try: app()\n"
        "except SystemExit: pass\n"
        "print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, file=sys.stderr)\n"
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
    return {"rows": rows, "rows_per_second": round(rows / seconds, 1), "peak_mb": int(done.stderr.split()[-1]) // 1024}


def main() -> None:
    sizes = [int(number) for number in sys.argv[1:]] or [1_000, 100_000]
    with tempfile.TemporaryDirectory() as folder:
        for rows in sizes:
            sys.stdout.write(json.dumps(run(rows, Path(folder))) + "\n")
            sys.stdout.flush()


if __name__ == "__main__":
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    main()
