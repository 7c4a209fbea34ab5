"""Spark on the cores of this machine, without a cluster: the short form of what test_cluster.py asks."""

from __future__ import annotations

import shutil
from base64 import urlsafe_b64encode
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from nlp.bulk.engines.local import run_local
from nlp.bulk.receipts import Receipt, verify
from nlp.bulk.results import read_result
from nlp.bulk.shards import Plan

CANARY = "qazanarbekovaxx"
KEY = bytes(range(32))
ROWS, POISON = 120, 57


def text(number: int) -> str:
    if number == POISON:
        return f"The poison killed {CANARY}."
    return f"Case {number}: the doctor refused {CANARY}." if number % 10 else ""


@dataclass(frozen=True)
class Ended:
    """A run that has ended, and the same shards coded by the local engine."""

    work: Path
    plan: Plan
    run: Any
    local: Path
    left: list[tuple[int, str]]


@pytest.fixture(scope="module")
def ended(spark_driver, slow_rows, make_work, tiny_bundle, tmp_path_factory):
    """A sealed run with a row of which a process dies."""
    folder = tmp_path_factory.mktemp("key")
    key_file = folder / "key"
    key_file.write_bytes(urlsafe_b64encode(KEY))
    work, plan = make_work([text(number) for number in range(1, ROWS + 1)], tiny_bundle, shard_rows=15, key=KEY)
    local = Path(shutil.copytree(work, folder / "local"))
    slow_rows(spark_driver, 0.0)
    run = spark_driver.run(work, tiny_bundle, master="local[2]", key_file=key_file)
    assert run.code == 0, run.errors
    with pytest.MonkeyPatch.context() as patched:
        patched.setenv("PYTHONPATH", spark_driver.environment["PYTHONPATH"])
        run_local(local, plan, bundle=tiny_bundle, workers=2, key=KEY)
    return Ended(work, plan, run, local, spark_driver.processes())


def test_every_row_is_proved(ended):
    assert verify(ended.work, ended.plan, key=KEY) == []


def test_result_is_the_same_as_that_of_the_local_engine(ended, results_of):
    assert results_of(ended.work) == results_of(ended.local)


def test_row_of_which_a_process_dies_is_set_apart_as_in_the_local_engine(ended):
    shard = next(shard for shard in ended.plan.shards if POISON in shard.numbers)
    for work in (ended.work, ended.local):
        receipt = Receipt.load(work, shard.number)
        assert list(receipt.apart) == [POISON]
        records = read_result(work, shard.number, sha256=receipt.result_sha256, key=KEY)
        assert [record["row"] for record in records if "row.crashed" in (record["error"] or "")] == [POISON]


def test_progress_is_monotone_and_equals_the_receipts(ended):
    said = ended.run.progress
    for name in ("rows", "errors", "shards_done"):
        assert [item[name] for item in said] == sorted(item[name] for item in said)
    receipts = [Receipt.load(ended.work, shard.number) for shard in ended.plan.shards]
    errors = sum(sum(receipt.errors.values()) for receipt in receipts)
    assert (said[-1]["rows"], said[-1]["errors"], said[-1]["shards_done"]) == (ROWS, errors, len(receipts))


def test_no_process_is_left(ended):
    assert ended.left == []


def test_nothing_is_left_but_the_work(ended):
    assert {path.name for path in ended.work.iterdir()} == {"plan.json", "shards", "results", "receipts"}
    assert not list(ended.work.glob("*/.*"))
    assert not list(ended.work.parent.glob("*.log"))


def test_no_text_of_a_row_is_in_what_is_said(ended):
    assert CANARY not in "\n".join(ended.run.said) + ended.run.errors


def test_run_that_is_done_needs_no_spark(ended, spark_driver, tiny_bundle, monkeypatch):
    monkeypatch.setitem(spark_driver.environment, "JAVA_HOME", "/nowhere")
    run = spark_driver.run(ended.work, tiny_bundle, master="local[2]")
    assert run.code == 0, run.errors
    assert run.progress[-1]["rows"] == ROWS


def test_settings_that_are_too_weak_are_refused_before_anything_is_coded(
    spark_driver, make_work, results_of, tiny_bundle, tmp_path, monkeypatch
):
    (tmp_path / "spark-defaults.conf").write_text("spark.ui.enabled true\nspark.authenticate false\n")
    monkeypatch.setitem(spark_driver.environment, "SPARK_CONF_DIR", str(tmp_path))
    work, _ = make_work(["The doctor refused her."], tiny_bundle, shard_rows=2)
    run = spark_driver.run(work, tiny_bundle, master="local[2]")
    assert run.code == 2
    assert "spark.ui.enabled is 'true'" in run.errors
    assert "spark.authenticate is 'false'" in run.errors
    assert results_of(work) == {}
    assert spark_driver.processes() == []
    assert not list(work.parent.glob("*.log"))
