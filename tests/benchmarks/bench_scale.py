"""`casecoder bulk` on very many rows: does memory grow with them, and how fast is what surrounds the encoder?

    python tests/benchmarks/bench_scale.py memory [--rows 10000 1000000] [--output csv] [--without-redaction]
    python tests/benchmarks/bench_scale.py speed [--rows 400000] [--rounds 1]

`memory` runs the whole command with its default options (duplicates, report) and two worker processes, on short texts
that all differ and a model that says the same of each; then `verify`. It ends with exit code 1 where a process takes
more than 1.5 GB, or a tenth more for the most rows than for the fewest. There is no encoder, and `--without-redaction`
leaves out what takes the most time of the rest. Linux only.

`speed` is reading, coding by a linear model and writing, by one process and by two, CSV in and out. The model is that
on words of the default bundle; the product has no way to leave redaction out, so a stand-in hides nothing. In it: the
strict reader, shards, sentences, features, every code with its evidence, results, receipts, the output. Not in it:
redaction, the encoder, the search for duplicates, the report, loading. One thread of linear algebra each.
"""

from __future__ import annotations

import argparse
import csv
import json
import resource
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

from bundles import constant_bundle, one_thread, without_redaction, words_bundle
from short_texts import short_texts

COMMAND = [sys.executable, "-c", "from nlp.cli import command_line; command_line()"]
MOST_MB = 1_500
GROWTH = 1.10
WORKERS = 2
SHARD_ROWS = 2_000  # of `speed`: each shard waits for the disk three times, which counts where rows take no time
EVERY = 0.1  # seconds between two looks at the processes
STEPS = {"prepare": "reading", "run_local": "coding", "assemble": "writing"}  # functions of `nlp.bulk.run`


def write_rows(path: Path, rows: int) -> None:
    """A CSV file of short texts."""
    with path.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.writer(stream)
        writer.writerow(["id", "language", "text"])
        writer.writerows((number, language, text) for number, (text, language) in enumerate(short_texts(rows), 1))


def memory(rows: int, folder: Path, bundle: Path, ending: str, environment: dict[str, str]) -> dict[str, Any]:
    """Peak memory of a run over so many rows, in MB: of its own process, of its largest worker, and of `verify`."""
    source, target = folder / f"{rows}.csv", folder / f"{rows}-coded.{ending}"
    write_rows(source, rows)
    options = ["--bundle", str(bundle), "--workers", str(WORKERS), "--progress", "none"]
    seconds, own, worker = _watched([*COMMAND, "bulk", str(source), "-o", str(target), *options], environment)
    _, verifying, _ = _watched([*COMMAND, "verify", str(target), "--input", str(source)], environment)
    for path in folder.glob(f"{rows}*"):
        path.unlink()
    return {"rows": rows, "seconds": round(seconds), "own_mb": own, "worker_mb": worker, "verify_mb": verifying}


def _watched(command: list[str], environment: dict[str, str]) -> tuple[float, int, int]:
    """Seconds of a command that has to end well, and the peaks of its process and of its largest child."""
    own = largest = 0
    started = time.monotonic()
    with subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL) as process:
        while process.poll() is None:
            own = max(own, _peak(process.pid))
            largest = max([largest, *map(_peak, _children(process.pid))])
            time.sleep(EVERY)
    if process.returncode:
        raise SystemExit(f"the command ended with exit code {process.returncode}")
    return time.monotonic() - started, own, largest


def _peak(process: int) -> int:
    """The most memory that a process has had since it began its program, in MB; 0 where it has ended."""
    try:
        status = Path(f"/proc/{process}/status").read_text(encoding="ascii")
    except OSError:
        return 0
    found = [int(line.split()[1]) for line in status.splitlines() if line.startswith("VmHWM")]
    return found[0] // 1024 if found else 0


def _children(process: int) -> list[int]:
    try:
        lists = [path.read_text() for path in Path(f"/proc/{process}/task").glob("*/children")]
    except OSError:
        return []
    return [int(child) for some in lists for child in some.split()]


def complaints(measured: list[dict[str, Any]]) -> list[str]:
    """What does not hold of the promises on memory, as sentences."""
    found = []
    for name in ("own_mb", "worker_mb", "verify_mb"):
        first, last = measured[0][name], measured[-1][name]
        if max(first, last) > MOST_MB:
            found.append(f"{name} is more than {MOST_MB:,}")
        if last > GROWTH * first:
            found.append(f"{name} grows from {first:,} to {last:,}")
    return found


def speed(source: Path, target: Path, bundle: Path, workers: int) -> dict[str, Any]:
    """Seconds of each step of a run in this process, by the clock and of processors, and rows a second."""
    import nlp.bulk.run as bulk
    from nlp.bulk.coding import code_narrative
    from nlp.types import Narrative

    steps: dict[str, Spent] = {}
    for function, step in STEPS.items():
        setattr(bulk, function, _timed(getattr(bulk, function), step, steps))
    loaded = bulk.LoadedBundle.open(bundle)
    code_narrative(loaded.pipeline, Narrative("Nobody was harmed in the city.", language="en"))  # loads what loads late
    options = bulk.BulkOptions(workers=workers, shard_rows=SHARD_ROWS)
    rows = bulk.run_bulk(loaded, source, target, bulk=options).rows
    whole = Spent(*map(sum, zip(*steps.values(), strict=True)))
    return {
        "workers": workers,
        "rows": rows,
        **{f"{step}_s": round(spent.clock, 1) for step, spent in steps.items()},
        **{f"{step}_processor_s": round(spent.processors, 1) for step, spent in steps.items()},
        "rows_per_second": round(rows / whole.clock),
        "rows_per_processor_second": round(rows / whole.processors),
        "coding_rows_per_second": round(rows / steps["coding"].clock),
        "coding_rows_per_processor_second": round(rows / steps["coding"].processors),
    }


class Spent(NamedTuple):
    """Seconds of some work: by the clock, and of all processors, in this process and in those that ended meanwhile."""

    clock: float
    processors: float

    @classmethod
    def so_far(cls) -> Spent:
        used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
        return cls(time.perf_counter(), sum(item.ru_utime + item.ru_stime for item in used))


def _timed(function: Callable[..., Any], step: str, steps: dict[str, Spent]) -> Callable[..., Any]:
    def timed(*args: Any, **options: Any) -> Any:
        started = Spent.so_far()
        try:
            return function(*args, **options)
        finally:
            now = Spent.so_far()
            steps[step] = Spent(now.clock - started.clock, now.processors - started.processors)

    return timed


def _measure_memory(rows: list[int], ending: str, folder: Path, *, redacted: bool) -> None:
    bundle = constant_bundle(folder)
    environment = one_thread() if redacted else without_redaction(folder / "stand-in")
    measured = []
    for count in rows:
        measured.append(memory(count, folder, bundle, ending, environment))
        _say(measured[-1])
    if found := complaints(measured):
        raise SystemExit("; ".join(found))


def _measure_speed(rows: int, rounds: int, folder: Path) -> None:
    bundle, source = words_bundle(folder), folder / "cases.csv"
    write_rows(source, rows)
    environment = without_redaction(folder / "stand-in")
    rates: dict[tuple[str, int], list[float]] = defaultdict(list)
    for _ in range(rounds):
        for workers in (1, WORKERS):
            command = [sys.executable, __file__, "run", str(source), str(bundle), "--workers", str(workers)]
            done = subprocess.run(command, env=environment, stdout=subprocess.PIPE, check=True)
            figures = json.loads(done.stdout)
            _say(figures)
            for name in ("coding_rows_per_second", "rows_per_second"):
                rates[name, workers].append(figures[name])
    best = {key: max(some) for key, some in rates.items()}
    ratios = {name: round(best[name, WORKERS] / best[name, 1], 2) for name, workers in best if workers == 1}
    _say({f"two_processes_to_one_{name}": ratio for name, ratio in ratios.items()})


def _say(figures: dict[str, Any]) -> None:
    sys.stdout.write(json.dumps(figures) + "\n")
    sys.stdout.flush()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    kinds = parser.add_subparsers(dest="kind", required=True)
    of_memory = kinds.add_parser("memory", help="peak memory for few and for many rows")
    of_memory.add_argument("--rows", type=int, nargs="+", default=[10_000, 1_000_000])
    of_memory.add_argument("--output", choices=["csv", "jsonl", "parquet", "xlsx"], default="csv")
    of_memory.add_argument("--without-redaction", action="store_true")
    of_speed = kinds.add_parser("speed", help="rows a second and core without redaction and encoder")
    of_speed.add_argument("--rows", type=int, default=400_000)
    of_speed.add_argument("--rounds", type=int, default=1)
    of_run = kinds.add_parser("run", help="what `speed` starts")
    of_run.add_argument("source", type=Path)
    of_run.add_argument("bundle", type=Path)
    of_run.add_argument("--workers", type=int, required=True)
    told = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        if told.kind == "memory":
            _measure_memory(told.rows, told.output, folder, redacted=not told.without_redaction)
        elif told.kind == "speed":
            _measure_speed(told.rows, told.rounds, folder)
        else:
            _say(speed(told.source, folder / "coded.csv", told.bundle, told.workers))


if __name__ == "__main__":
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    main()
