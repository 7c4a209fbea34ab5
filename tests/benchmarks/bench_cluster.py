"""What a cluster needs for many narratives, reckoned from what this machine measures on a few.

    python tests/benchmarks/bench_cluster.py [--rows 300] [--narratives 300000000] [--cores 256] [--shard-rows 2000]

One process codes rows of all languages with the default bundle, as each core of a cluster does. Times are processor
seconds, not those of the clock, so that other programs disturb them little; what the machine waits for (disks, network)
is not in them. The formulas stand in `needs`; docs/spark.md explains them.
"""

from __future__ import annotations

import argparse
import json
import resource
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from itertools import cycle, islice
from pathlib import Path
from typing import TypeVar

from texts import ROOT

from nlp.bulk.assemble import assemble
from nlp.bulk.engines.local import run_local
from nlp.bulk.prepare import prepare
from nlp.bulk.receipts import Receipt
from nlp.bulk.results import read_result, write_result
from nlp.bulk.shard_run import LoadedBundle
from nlp.bulk.shards import Plan
from nlp.bulk.tables import InputOptions

GB, TB = 1e9, 1e12
MANY = 50  # times the rows that are coded are read and written, which goes much faster
USED = 0.9  # share of the cores' time that codes; the rest are starts, stragglers and tries again
_T = TypeVar("_T")


@dataclass(frozen=True)
class Measured:
    """Processor seconds and bytes for one row, seconds for a process to start, and its peak memory."""

    rows: int
    characters: float
    code: float
    prepare: float
    assemble: float
    start: float
    memory: int
    shard: float
    result: float
    receipt: float
    source: float
    output: float


def spent(work: Callable[[], _T], who: int = resource.RUSAGE_SELF) -> tuple[float, _T]:
    """Processor seconds of some work, in this process or in those that it starts and that end with it."""
    before = resource.getrusage(who)
    found = work()
    after = resource.getrusage(who)
    return after.ru_utime - before.ru_utime + after.ru_stime - before.ru_stime, found


def coded(folder: Path, rows: int) -> tuple[float, Path, Plan]:
    """Processor seconds of a process that codes rows, as there is one for each core of a cluster."""
    source, work = folder / f"{rows}.jsonl", folder / f"work-{rows}"
    write_rows(source, rows)
    work.mkdir()
    loaded = LoadedBundle.open()
    plan = prepare(source, work, InputOptions(), bundle=loaded, shard_rows=rows)
    assert loaded.folder is not None
    code = partial(run_local, work, plan, bundle=loaded.folder, workers=1, again=True)
    return spent(code, resource.RUSAGE_CHILDREN)[0], work, plan


def write_rows(path: Path, count: int) -> float:
    """Narratives of all languages, in turns of the corpus' files; their mean length."""
    files = sorted((ROOT / "annotations" / "narratives").glob("*.jsonl"))
    lines = [path.read_text(encoding="utf-8").splitlines() for path in files]
    turns = [
        json.loads(some[turn])["text"] for turn in range(max(map(len, lines))) for some in lines if turn < len(some)
    ]
    texts = list(islice(cycle(turns), count))
    rows = ({"id": str(number), "text": text} for number, text in enumerate(texts, 1))
    path.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), encoding="utf-8")
    return sum(map(len, texts)) / len(texts)


def measure(rows: int, folder: Path) -> Measured:
    """Code as many rows; and read and write ``MANY`` times as many, whose results are those of the same texts."""
    starting, _, _ = coded(folder, 1)
    coding, work, plan = coded(folder, rows)
    memory = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss * 1024
    receipt = Receipt.load(work, 0)
    records = read_result(work, 0, sha256=receipt.result_sha256)
    source, work, target = folder / "many.jsonl", folder / "many", folder / "coded.jsonl"
    characters = write_rows(source, rows)
    source.write_text(source.read_text(encoding="utf-8") * MANY, encoding="utf-8")
    work.mkdir()
    loaded, options = LoadedBundle.open(), InputOptions()
    preparing, plan = spent(lambda: prepare(source, work, options, bundle=loaded, shard_rows=rows))
    for shard in plan.shards:
        moved = [{**record, "row": row} for record, row in zip(records, shard.numbers, strict=True)]
        facts = {"shard": shard.number, "shard_sha256": shard.sha256, "plan": plan.digest}
        replace(receipt, **facts, result_sha256=write_result(work, shard.number, moved)).save(work)
    assembling, _ = spent(lambda: assemble(work, plan, source, target, options=options, codebook=loaded.codebook))
    size = {name: sum(path.stat().st_size for path in (work / name).iterdir()) for name in ("shards", "results")}
    return Measured(
        rows=rows,
        characters=characters,
        code=(coding - starting) / (rows - 1),
        prepare=preparing / rows / MANY,
        assemble=assembling / rows / MANY,
        start=starting,
        memory=memory,
        shard=size["shards"] / rows / MANY,
        result=size["results"] / rows / MANY,
        receipt=sum(path.stat().st_size for path in (work / "receipts").iterdir()) / len(plan.shards),
        source=source.stat().st_size / rows / MANY,
        output=target.stat().st_size / rows / MANY,
    )


def needs(one: Measured, narratives: int, cores: int, shard_rows: int) -> dict[str, float]:
    """What so many narratives need on so many cores."""
    core_hours = narratives * one.code / 3600
    shards = narratives / shard_rows
    kept = narratives * (one.shard + one.result) + shards * one.receipt
    return {
        "narratives": narratives,
        "cores": cores,
        "rows_per_second_per_core": 1 / one.code,
        "core_hours": core_hours,
        "hours_of_coding": core_hours / cores / USED,
        "hours_of_preparing": narratives * one.prepare / 3600,
        "hours_of_putting_together": narratives * one.assemble / 3600,
        "memory_gb": cores * one.memory / GB,
        "shards": shards,
        "minutes_of_a_shard": shard_rows * one.code / 60,
        "work_folder_tb": kept / TB,
        "input_tb": narratives * one.source / TB,
        "output_tb": narratives * one.output / TB,
        "storage_mb_per_second": cores * USED / one.code * (one.shard + one.result) / 1e6,
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=300)
    parser.add_argument("--narratives", type=int, default=300_000_000)
    parser.add_argument("--cores", type=int, default=256)
    parser.add_argument("--shard-rows", type=int, default=2_000)
    told = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        one = measure(told.rows, Path(folder))
    for facts in (vars(one), needs(one, told.narratives, told.cores, told.shard_rows)):
        sys.stdout.write(json.dumps({name: float(f"{value:.4g}") for name, value in facts.items()}, indent=1) + "\n")


if __name__ == "__main__":
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    main()
