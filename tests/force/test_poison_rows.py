"""Rows that are made to do harm are set apart by their number, and the rows around them are coded as ever."""

from __future__ import annotations

import json
import subprocess

import pytest

from .bulk_run import CANARY, command

GOOD = [f"The doctor refused {CANARY} on day {number}." for number in range(12)]
POISON = {
    "5 MB": f"{CANARY} was refused. " * 250_000,
    "surrogates": f"She \ud800 was {CANARY} refused \udfff.",
    "combining": "The doctor refused her" + "\u0301" * 1_000_000,
    "nul": f"\0{CANARY}\0",
    "joiners": "\u200d".join("refused" for _ in range(100_000)),
    "overrides": "\u202e" * 500_000 + CANARY,
}


def coded(folder, bundle, texts):
    """The rows of an output by id, and what was said."""
    source, target = folder / f"in{len(texts)}.jsonl", folder / f"out{len(texts)}.jsonl"
    source.write_text("".join(json.dumps({"id": name, "text": text}) + "\n" for name, text in texts.items()))
    done = subprocess.run(
        command(
            "bulk", source, "-o", target, "--bundle", bundle, "--workers", 2, "--progress", "json", "--shard-rows", 3
        ),
        capture_output=True,
        check=False,
    )
    assert done.returncode in (0, 3), done.stderr.decode()
    rows = [json.loads(line) for line in target.read_text(encoding="utf-8").splitlines()]
    assert [row["id"] for row in rows] == list(texts)
    return {row["id"]: row for row in rows}, done.stdout + done.stderr


@pytest.mark.slow
def test_rows_around_poison_are_coded_as_without_it(tmp_path, tiny_bundle):
    good = {f"c{number}": text for number, text in enumerate(GOOD)}
    wanted, _ = coded(tmp_path, tiny_bundle, good)
    mixed = dict(good)
    for name, text in POISON.items():
        mixed = {**mixed, name: text, f"after {name}": GOOD[0]}
    found, said = coded(tmp_path, tiny_bundle, mixed)
    for name, row in wanted.items():
        assert found[name] == row
    for name in POISON:
        assert found[f"after {name}"]["suggestions"] == wanted["c0"]["suggestions"]
    assert {"5 MB", "surrogates", "nul"} <= {name for name in POISON if found[name]["error"]}
    assert all(not found[name]["text"] for name in POISON if found[name]["error"])
    assert CANARY.encode() not in said
