"""What a node finds out before it codes, and what it does of a task. Nothing here starts Spark, nor needs it;
what starts processes that code is slow, and is run by `make test-spark`."""

from __future__ import annotations

import os
import shutil
from base64 import urlsafe_b64encode
from dataclasses import replace

import pytest

from nlp.bulk.engines import spark_task
from nlp.bulk.engines.spark_task import Order, ShardFailed, check, check_node, code_shard, write_marker
from nlp.bulk.receipts import verify
from nlp.errors import OutputError, RunError

CANARY = "qazanarbekovaxx"
KEY = bytes(range(32))


@pytest.fixture(autouse=True)
def _soon(monkeypatch: pytest.MonkeyPatch):
    """No node waits for storage, and none keeps a process."""
    monkeypatch.setattr(spark_task, "_SIGHT", 0.0)
    yield
    spark_task._let_go()


@pytest.fixture
def ordered(prepared, tiny):
    """A work folder, its plan and the order that leads to it."""

    def make(key: bytes | None = None, **facts: object):
        work, plan = prepared([f"The doctor refused {CANARY} {number}." for number in range(6)], key)
        order = Order(
            work=str(work),
            bundle=str(tiny.folder),
            plan=plan.digest,
            nonce=write_marker(work, plan),
            row_seconds=60.0,
            attempts=2,
        )
        return work, plan, replace(order, **facts)

    return make


def refusal(order: Order) -> str:
    with pytest.raises(RunError) as caught:
        check_node(order)
    return str(caught.value)


def test_node_that_sees_the_folder_can_work(ordered):
    _, _, order = ordered()
    assert check_node(order)
    assert check(order, 0).kind is None


def test_copy_of_the_folder_is_not_the_folder(ordered, tmp_path):
    """As a node has it whose disk is its own, with what an earlier run was copied by."""
    work, plan, order = ordered()
    copy = shutil.copytree(work, tmp_path / "copy")
    write_marker(copy, plan)
    assert "storage that all nodes share" in refusal(replace(order, work=str(copy)))


def test_folder_that_is_not_there_is_named(ordered, tmp_path):
    _, _, order = ordered()
    assert "--work" in refusal(replace(order, work=str(tmp_path / "none")))


def test_folder_of_another_run_is_refused(ordered):
    work, _, order = ordered()
    write_marker(work, replace(ordered_plan(work), version="0"))
    assert "storage that all nodes share" in refusal(order)


def ordered_plan(work):
    from nlp.bulk.shards import Plan

    return Plan.load(work)


def test_other_version_is_refused(ordered):
    _, _, order = ordered(version="99.0")
    assert "99.0" in refusal(order)


def test_missing_and_other_bundles_are_refused(ordered, tmp_path, bundle_copy):
    _, _, order = ordered()
    assert "no bundle" in refusal(replace(order, bundle=str(tmp_path / "none")))
    manifest = bundle_copy / "manifest.json"
    manifest.write_text(manifest.read_text() + "\n")
    assert "another one" in refusal(replace(order, bundle=str(bundle_copy)))


@pytest.mark.skipif(os.name != "posix" or os.geteuid() == 0, reason="root may write everywhere")
def test_folder_that_cannot_be_written_is_refused(ordered):
    work, _, order = ordered()
    (work / "results").chmod(0o500)
    try:
        assert "mounted for writing" in refusal(order)
    finally:
        (work / "results").chmod(0o700)


def test_results_that_are_not_there_are_refused(ordered):
    work, _, order = ordered()
    (work / "results").rmdir()
    assert "mounted for writing" in refusal(order)


def test_check_leaves_nothing(ordered):
    work, _, order = ordered()
    check_node(order)
    assert list((work / "results").iterdir()) == []


class TestKey:
    def test_of_a_file(self, ordered, tmp_path):
        path = tmp_path / "key"
        path.write_bytes(urlsafe_b64encode(KEY))
        _, _, order = ordered(KEY, key_file=str(path))
        assert check_node(order)

    def test_of_the_environment(self, ordered, monkeypatch):
        monkeypatch.setenv("CASECODER_KEY", urlsafe_b64encode(KEY).decode())
        _, _, order = ordered(KEY)
        assert check_node(order)

    @pytest.mark.parametrize("value", [None, urlsafe_b64encode(bytes(32)).decode()])
    def test_missing_or_other_one_is_refused(self, ordered, monkeypatch, value):
        monkeypatch.delenv("CASECODER_KEY", raising=False)
        if value:
            monkeypatch.setenv("CASECODER_KEY", value)
        _, _, order = ordered(KEY)
        assert "CASECODER_KEY in the environment of their Spark worker" in refusal(order)

    def test_does_not_cross_spark(self, ordered, monkeypatch):
        import pickle

        monkeypatch.setenv("CASECODER_KEY", urlsafe_b64encode(KEY).decode())
        _, _, order = ordered(KEY)
        sent = pickle.dumps(order)
        assert KEY not in sent
        assert urlsafe_b64encode(KEY) not in sent


@pytest.mark.slow
def test_shards_are_coded_by_one_process_that_stays(ordered, stumbling, workers_of):
    log = stumbling()
    work, plan, order = ordered()
    seen = set()
    for shard in plan.shards:
        assert code_shard(order, shard.number).kind is None
        seen.update(workers_of(os.getpid()))
    assert verify(work, plan) == []
    assert len(seen) == 1
    assert log.read_text().split() == ["c1", "c2", "c3", "c4", "c5", "c6"]


@pytest.mark.slow
def test_shard_that_is_done_is_not_coded_again(ordered, stumbling):
    log = stumbling()
    _, _, order = ordered()
    code_shard(order, 0)
    spark_task._let_go()
    code_shard(order, 0)
    assert log.read_text().split() == ["c1", "c2"]


@pytest.mark.slow
def test_another_order_gets_another_process(ordered, workers_of):
    work, plan, order = ordered()
    code_shard(order, 0)
    first = workers_of(os.getpid())
    code_shard(replace(order, row_seconds=61.0), 1)
    assert len(workers_of(os.getpid())) == 1
    assert workers_of(os.getpid()) != first
    assert verify(work, plan, only_done=True) == []


@pytest.mark.slow
def test_process_that_died_between_shards_is_started_again(ordered, workers_of):
    import signal

    work, plan, order = ordered()
    code_shard(order, 0)
    os.kill(workers_of(os.getpid())[0], signal.SIGKILL)
    assert code_shard(order, 1).kind is None
    assert verify(work, plan, only_done=True) == []


@pytest.mark.slow
def test_failure_is_left_to_spark_until_the_last_attempt(ordered):
    work, _, order = ordered()
    (work / "shards" / "00001.parquet").write_bytes(CANARY.encode())
    with pytest.raises(ShardFailed) as caught:
        code_shard(order, 1, attempt=0)
    assert str(caught.value) == "shard 1 (RunError)"
    outcome = code_shard(order, 1, attempt=1)
    assert (outcome.shard, outcome.kind) == (1, "RunError")
    assert "shards/00001.parquet" in outcome.sentence


@pytest.mark.slow
def test_full_disk_is_told_as_such(ordered, stumbling):
    program = """
import os, errno
def full(descriptor):
    raise OSError(errno.ENOSPC, "No space left on device")
os.fsync = full
"""
    _, _, order = ordered()
    stumbling(program=program)
    outcome = code_shard(order, 0, attempt=1)
    assert outcome.code == OutputError.code
    assert "disk is full" in outcome.sentence


@pytest.mark.slow
def test_nothing_that_is_told_holds_a_text(ordered, stumbling, capfd):
    _, _, order = ordered()
    stumbling(
        program=f"import nlp.bulk.shard_run as run\ndef fail(*args): raise ValueError({CANARY!r})\nrun.code_row = fail"
    )
    with pytest.raises(ShardFailed) as caught:
        code_shard(order, 0)
    outcome = code_shard(order, 0, attempt=1)
    said = capfd.readouterr()
    assert CANARY not in repr(outcome) + str(caught.value) + said.out + said.err
