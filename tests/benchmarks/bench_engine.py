"""What the local engine costs, and what a second process brings, with the default bundle; beside Presidio on one file.

    python tests/benchmarks/bench_engine.py [--rows 400] [--rounds 3] [--presidio PYTHON MODEL]

The same shards of English narratives are coded by `run_shard` alone, by the engine in its own process, by the engine
with one worker process, and with two; in turns, so that whatever else the machine does slows all of them. Clocks start
with the first row, after models are loaded. Presidio redacts the same file, in one process; see bench_presidio.py for
PYTHON and MODEL. Compare only figures of one run. On a busy machine, where clocks tell little, look at
`overhead_in_processor_seconds`: of the engine in its own process.
"""

from __future__ import annotations

import argparse
import csv
import json
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from itertools import cycle, islice
from pathlib import Path

from bench_presidio import presidio_seconds
from bundles import one_thread
from texts import narratives

SHARD_ROWS = 20
WAYS = ("run_shard", "engine", "one_worker", "two_workers")


def coded(way: str, work: Path) -> tuple[float, float]:
    """Seconds in which the shards of a folder are coded in some way, from the first row on: by the clock, and of this
    process on a processor."""
    from nlp.bulk.coding import code_narrative
    from nlp.bulk.engines.local import run_local
    from nlp.bulk.shard_run import LoadedBundle, run_shard
    from nlp.bulk.shards import Plan
    from nlp.types import Narrative

    started: list[tuple[float, float]] = []

    def note(*_: object) -> None:
        if not started:
            started.append((time.perf_counter(), time.process_time()))

    plan, loaded = Plan.load(work), LoadedBundle.open()
    if way in ("run_shard", "engine"):
        code_narrative(loaded.pipeline, Narrative("Nobody was harmed in the city.", language="en"))
    if way == "run_shard":
        for shard in plan.shards:
            run_shard(work, shard, loaded, on_row=note, plan=plan)
    else:
        in_processes = way != "engine"
        workers = 2 if way == "two_workers" else 1
        run_local(work, plan, bundle=loaded, workers=workers, again=in_processes, on_progress=note)
    clock, processor = started[0]
    return time.perf_counter() - clock, time.process_time() - processor


def prepared(source: Path, work: Path) -> None:
    """Shards of a file, for all to copy."""
    from nlp.bulk.prepare import prepare
    from nlp.bulk.shard_run import LoadedBundle
    from nlp.bulk.tables import InputOptions

    work.mkdir()
    prepare(source, work, InputOptions(), bundle=LoadedBundle.open(), shard_rows=SHARD_ROWS)


def seconds_of(way: str, work: Path) -> list[float]:
    """The same in a process of its own, on a copy of the folder."""
    copy = work.with_name(way)
    shutil.copytree(work, copy)
    command = [sys.executable, __file__, "--way", way, "--work", str(copy)]
    done = subprocess.run(command, env=one_thread(), stdout=subprocess.PIPE, check=True)
    shutil.rmtree(copy)
    return [float(seconds) for seconds in done.stdout.split()]


def measure(rows: int, rounds: int, presidio: list[str] | None, folder: Path) -> dict[str, float]:
    """Rows a second of each way, by its best round, and ratios of medians."""
    source, work = folder / "cases.csv", folder / "work"
    english = [text for text, language in narratives() if language == "en"]
    texts = list(islice(cycle(english), rows))
    with source.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.writer(stream)
        writer.writerow(["id", "text"])
        writer.writerows((number, f"{number}. {text}") for number, text in enumerate(texts, 1))
    prepared(source, work)
    seconds: dict[str, list[float]] = {way: [] for way in (*WAYS, *(["presidio"] if presidio else []))}
    processor: dict[str, list[float]] = {way: [] for way in WAYS}
    for turn in range(rounds):
        for way in WAYS if turn % 2 == 0 else WAYS[::-1]:
            clock, spent = seconds_of(way, work)
            seconds[way].append(clock)
            processor[way].append(spent)
        if presidio:
            seconds["presidio"].append(presidio_seconds(*presidio, source, folder / "redacted.csv"))
    middle = {way: statistics.median(some) for way, some in seconds.items()}
    on_processor = {way: statistics.median(some) for way, some in processor.items()}
    return {
        "rows": rows,
        "words": round(statistics.mean(len(text.split()) for text in texts)),
        **{f"{way}_per_second": round(rows / spent, 1) for way, spent in middle.items()},
        "overhead_in_one_process": round(middle["engine"] / middle["run_shard"] - 1, 3),
        "overhead_of_a_worker": round(middle["one_worker"] / middle["run_shard"] - 1, 3),
        "overhead_in_processor_seconds": round(on_processor["engine"] / on_processor["run_shard"] - 1, 3),
        "two_processes_to_one": round(middle["one_worker"] / middle["two_workers"], 2),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=400)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--presidio", nargs=2, metavar=("PYTHON", "MODEL"))
    parser.add_argument("--way", choices=WAYS, help=argparse.SUPPRESS)
    parser.add_argument("--work", type=Path, help=argparse.SUPPRESS)
    told = parser.parse_args()
    if told.way:
        sys.stdout.write(" ".join(map(str, coded(told.way, told.work))) + "\n")
        return
    with tempfile.TemporaryDirectory() as folder:
        figures = measure(told.rows, told.rounds, told.presidio, Path(folder))
    sys.stdout.write(json.dumps(figures) + "\n")


if __name__ == "__main__":
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    main()
