"""A real cluster: a master and two workers, each on a machine of its own, and what may befall them."""

from __future__ import annotations

import os
import signal
import socket
import struct
import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from nlp.bulk.receipts import verify
from nlp.bulk.shards import Plan

pytestmark = pytest.mark.slow

CANARY = "qazanarbekovaxx"
ROWS = 2_000
ON_NODES = {"executor", "daemon", "coder"}  # what a run starts there
LISTENING = "0A"  # TCP_LISTEN of the kernel's tables
PAGE = b"GET %s HTTP/1.0\r\n\r\n"


def frame(kind: int, body: bytes) -> bytes:
    """A message as Spark's processes send each other: length, kind, body (its class MessageEncoder)."""
    return struct.pack(">qb", struct.calcsize(">qb") + len(body), kind) + body


def chunk(content: bytes) -> bytes:
    return struct.pack(">i", len(content)) + content


WITHOUT_A_SECRET = {
    "page": PAGE % b"/",
    "call": frame(3, struct.pack(">q", 1) + chunk(b"let me in")),
    "word": frame(9, chunk(b"let me in")),
    "file": frame(6, chunk(b"/files/secret")),
    "block": frame(0, struct.pack(">qi", 1, 0)),
}
REFUSALS = {2, 5, 8}  # kinds of frames: a chunk, a call, a stream that failed


def text(number: int) -> str:
    return f"Case {number}: the doctor refused {CANARY}." if number % 10 else ""


def files_with_text(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file() and CANARY.encode() in path.read_bytes()]


def listeners_of(processes: list[tuple[int, str]]) -> dict[tuple[str, int], str]:
    """Address and port of each socket that listens, and what kind of process has it; of other processes none."""
    found = {}
    for number, kind in processes:
        with suppress(OSError):  # it has ended
            own = set(_open_files(number))
            tables = [Path(f"/proc/{number}/net", table).read_text() for table in ("tcp", "tcp6")]
            for line in "".join(table.partition("\n")[2] for table in tables).splitlines():
                fields = line.split()
                if fields[3] == LISTENING and f"socket:[{fields[9]}]" in own:
                    found[_place(fields[1])] = kind
    return found


def _open_files(number: int) -> Iterator[str]:
    for descriptor in Path(f"/proc/{number}/fd").iterdir():
        with suppress(OSError):
            yield str(descriptor.readlink())


def _place(written: str) -> tuple[str, int]:
    """Address and port as the kernel's tables write them: four bytes at a time, the last one first."""
    address, port = written.split(":")
    content = b"".join(bytes.fromhex(address[at : at + 8])[::-1] for at in range(0, len(address), 8))
    if content[:-4] == bytes(10) + b"\xff\xff":
        content = content[-4:]
    return socket.inet_ntop(socket.AF_INET if len(content) == 4 else socket.AF_INET6, content), int(port, 16)


@pytest.fixture(scope="module")
def two_machines(cluster, make_work, coded_here, tiny_bundle, tmp_path_factory):
    work, plan = make_work([text(number) for number in range(1, ROWS + 1)], tiny_bundle, shard_rows=100)
    run = cluster.run(work, tiny_bundle, **cluster.settings())
    assert run.code == 0, run.errors
    return work, plan, coded_here(work, plan, tiny_bundle, tmp_path_factory.mktemp("two"))


class TestCodedByTwoMachines:
    def test_every_row_is_proved(self, two_machines):
        work, plan, _ = two_machines
        assert verify(work, plan) == []

    def test_result_is_the_same_as_that_of_the_local_engine(self, two_machines, results_of):
        work, _, local = two_machines
        assert results_of(work) == results_of(local)

    def test_no_text_of_a_row_is_in_what_spark_keeps(self, two_machines, cluster):
        assert list(cluster.folder.glob("state-*/work/app-*/*/stderr"))
        assert files_with_text(cluster.folder) == []


def answers_of(cluster, listeners: dict[tuple[str, int], str]) -> list[tuple[str, str, bytes | None]]:
    """What a machine that does not know the secret is answered: kind of process, what it is told, what it says."""
    addresses = {machine.address for machine in cluster.machines}
    asked = [
        (kind, name, (*place, said))
        for place, kind in listeners.items()
        if place[0] in addresses
        for name, said in WITHOUT_A_SECRET.items()
    ]
    answers = cluster.stranger.knock([place for _, _, place in asked], patience=5.0)
    return [(kind, name, answer) for (kind, name, _), answer in zip(asked, answers, strict=True)]


@dataclass
class Ordeal:
    """A run whose executor, then node, then driver were killed, and that was resumed; and what was seen on the way."""

    work: Path
    plan: Plan
    local: Path
    done_before_the_end: dict[str, bytes] = field(default_factory=dict)
    faults_before_the_end: list[str] = field(default_factory=list)
    left_of_the_first: list[tuple[int, str]] = field(default_factory=list)
    log_of_the_first: bytes = b""
    listeners: dict[tuple[str, int], str] = field(default_factory=dict)
    answers: list[tuple[str, str, bytes | None]] = field(default_factory=list)
    commands: list[bytes] = field(default_factory=list)
    dumps: set[tuple[str, str]] = field(default_factory=set)
    tried_after: list[str] = field(default_factory=list)
    resumed: Any = None


def befall(cluster, seen: Ordeal, log: Path, bundle: Path, receipts_of, wait_for) -> None:
    """Begin a run; kill an executor, a node and the driver of it, with some shards done between; and resume it."""
    work = seen.work

    def go_on(count: int) -> None:
        wanted = len(receipts_of(work)) + count
        wait_for(lambda: len(receipts_of(work)) >= wanted, driver)

    driver = cluster.begin(work, bundle, **cluster.settings())
    go_on(4)
    wait_for(lambda: len(cluster.of_kind("executor")) == 2, driver)
    seen.listeners = listeners_of(cluster.processes())
    seen.answers = answers_of(cluster, seen.listeners)
    seen.commands = [Path(f"/proc/{number}/cmdline").read_bytes() for number, _ in cluster.processes()]
    seen.dumps = {(kind, _most_of_a_core_dump(number)) for number, kind in cluster.processes() if kind in ON_NODES}
    os.kill(cluster.of_kind("executor")[0], signal.SIGKILL)
    go_on(6)
    node = cluster.of_kind("worker")[0]
    for number in [node, *(number for number in cluster.of_kind("executor") if _parent(number) == node)]:
        os.kill(number, signal.SIGKILL)
    go_on(4)
    driver.kill()
    driver.wait()
    kinds = {"driver's java", *ON_NODES}
    with suppress(AssertionError):
        wait_for(lambda: not any(kind in kinds for _, kind in cluster.processes()))
    seen.left_of_the_first = [found for found in cluster.processes() if found[1] in kinds]
    seen.log_of_the_first = work.with_name(f"{work.name}.spark.log").read_bytes()
    seen.faults_before_the_end = verify(work, seen.plan, only_done=True)
    seen.done_before_the_end = {path.name: path.read_bytes() for path in receipts_of(work)}
    log.write_text("")
    seen.resumed = cluster.run(work, bundle, **cluster.settings())
    seen.tried_after = log.read_text().split()
    cluster.restart_worker()


@pytest.fixture(scope="module")
def ordeal(cluster, make_work, coded_here, slow_rows, tiny_bundle, tmp_path_factory, receipts_of, wait_for):
    texts = [text(number) for number in range(1, 481)]
    work, plan = make_work(texts, tiny_bundle, shard_rows=10)
    seen = Ordeal(work, plan, coded_here(work, plan, tiny_bundle, tmp_path_factory.mktemp("killed")))
    try:
        befall(cluster, seen, slow_rows(cluster, 0.25), tiny_bundle, receipts_of, wait_for)
    finally:
        cluster.environment.pop("PYTHONPATH", None)
    return seen


class TestKilled:
    def test_what_was_done_before_is_whole(self, ordeal):
        assert ordeal.faults_before_the_end == []
        assert 14 <= len(ordeal.done_before_the_end) < len(ordeal.plan.shards)

    def test_executors_end_with_their_driver(self, ordeal):
        assert ordeal.left_of_the_first == []

    def test_resumed_run_loses_and_doubles_no_row(self, ordeal):
        assert ordeal.resumed.code == 0, ordeal.resumed.errors
        assert verify(ordeal.work, ordeal.plan) == []

    def test_resumed_run_codes_nothing_again_that_was_done(self, ordeal):
        done = {int(name.split(".")[0]) for name in ordeal.done_before_the_end}
        again = {f"c{row}" for shard in ordeal.plan.shards if shard.number in done for row in shard.numbers}
        assert ordeal.tried_after
        assert not again & set(ordeal.tried_after)
        for name, content in ordeal.done_before_the_end.items():
            assert (ordeal.work / "receipts" / name).read_bytes() == content

    def test_result_is_as_if_nothing_had_happened(self, ordeal, results_of):
        assert results_of(ordeal.work) == results_of(ordeal.local)

    def test_nothing_half_is_left(self, ordeal):
        assert not list(ordeal.work.glob("results/.*")) + list(ordeal.work.glob("receipts/.*"))

    def test_only_what_must_listen_listens_and_only_on_addresses_of_its_own(self, ordeal, cluster):
        kinds = sorted(kind for kind in ordeal.listeners.values())
        # A master and a worker: their port and their page; an executor: its blocks; the driver: two and, for Python
        # alone, one more. No daemon of Python, no process that codes.
        assert kinds == sorted(["master"] * 2 + ["worker"] * 4 + ["executor"] * 2 + ["driver's java"] * 3)
        addresses = {machine.address for machine in cluster.machines}
        assert {address for address, _ in ordeal.listeners} <= addresses | {"127.0.0.1"}
        assert not {port for _, port in ordeal.listeners} & set(cluster.closed)

    def test_whoever_has_no_secret_is_told_nothing(self, ordeal):
        assert {kind for kind, _, _ in ordeal.answers} == {"master", "worker", "executor", "driver's java"}
        for kind, told, answer in ordeal.answers:
            assert answer is not None, (kind, told)  # or nobody was asked
            assert not answer or answer[8] in REFUSALS, (kind, told, answer)

    def test_no_process_on_a_node_leaves_a_core_dump(self, ordeal):
        assert ordeal.dumps == {(kind, "0") for kind in ON_NODES}

    def test_no_text_of_a_row_is_in_what_was_left(self, ordeal, cluster):
        assert ordeal.log_of_the_first
        assert CANARY.encode() not in ordeal.log_of_the_first
        assert files_with_text(cluster.folder) == []

    def test_secret_is_in_no_command(self, ordeal, cluster):
        assert ordeal.commands
        assert not [command for command in ordeal.commands if cluster.secret.encode() in command]


def _most_of_a_core_dump(number: int) -> str:
    """How much of its memory the system may keep when a process crashes, in bytes."""
    lines = Path(f"/proc/{number}/limits").read_text().splitlines()
    return next(line.split()[5] for line in lines if line.startswith("Max core file size"))


def _parent(number: int) -> int:
    return int(Path(f"/proc/{number}/stat").read_text().rpartition(")")[2].split()[1])


class TestClosed:
    def test_ports_of_an_open_spark_are_closed_to_other_machines(self, cluster):
        places = [(machine.address, port, PAGE % b"/") for machine in cluster.machines for port in cluster.closed]
        assert cluster.stranger.knock(places) == [None] * len(places)

    def test_pages_are_closed_to_other_machines(self, cluster):
        places = [(machine.address, page, PAGE % b"/") for machine, page in cluster.pages.items()]
        assert len(places) == 3
        assert cluster.stranger.knock(places) == [None] * 3

    @pytest.mark.parametrize(
        "path", [b"/", b"/json/", b"/app/", b"/static/webui.css", b"/metrics/master/json/", b"/logPage/"]
    )
    def test_page_lets_in_nobody_on_its_own_machine(self, cluster, path):
        for machine, page in cluster.pages.items():
            [answer] = machine.knock([("127.0.0.1", page, PAGE % path)], patience=60.0)
            assert answer
            assert answer.split()[1] == b"403"

    def test_wrong_secret_is_refused(self, cluster, make_work, tiny_bundle, results_of, tmp_path):
        other = tmp_path / "secret"
        other.touch(mode=0o600)
        other.write_text("0123456789abcdef" * 4)
        work, _ = make_work(["The doctor refused her."], tiny_bundle, shard_rows=2)
        run = cluster.run(work, tiny_bundle, master=cluster.master, secret_file=other)
        assert run.code == 2
        assert "secret" in run.errors
        assert cluster.secret not in run.errors
        assert results_of(work) == {}
        assert cluster.of_kind("executor") == []

    def test_missing_secret_is_asked_for(self, cluster, make_work, tiny_bundle):
        work, _ = make_work(["The doctor refused her."], tiny_bundle, shard_rows=2)
        run = cluster.run(work, tiny_bundle, master=cluster.master)
        assert run.code == 2
        assert "CASECODER_SPARK_SECRET_FILE" in run.errors

    def test_program_without_a_secret_is_not_let_in(self, cluster):
        stranger = cluster.stranger
        assert stranger.knock([(cluster.head.address, cluster.port, b"")], patience=1.0) != [None]  # it gets there
        program = f"""
from pyspark import SparkConf, SparkContext
settings = {{"spark.authenticate": "false", "spark.network.crypto.enabled": "false", "spark.ui.enabled": "false",
    "spark.io.encryption.enabled": "false", "spark.driver.host": {stranger.address!r}}}
conf = SparkConf().setMaster({cluster.master!r}).setAppName("stranger").setAll(settings.items())
print("let in", SparkContext(conf=conf).parallelize([1], 1).collect())
"""
        environment = {**os.environ, "CASECODER_TEST_MARK": cluster.mark}
        environment.pop("SPARK_CONF_DIR", None)
        command = stranger.command(sys.executable, "-c", program)
        done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False, timeout=1800)
        assert done.returncode != 0
        assert "let in" not in done.stdout
        assert "Failed to connect to master" in done.stderr


class TestOneMachine:
    """What may befall a run without a cluster."""

    @pytest.mark.parametrize(
        ("kind", "how", "code"),
        [("driver's java", signal.SIGKILL, 2), ("driver", signal.SIGTERM, 143), ("driver", signal.SIGKILL, -9)],
    )
    def test_run_that_is_ended_leaves_no_process_and_nothing_half(
        self, spark_driver, slow_rows, make_work, receipts_of, wait_for, tiny_bundle, kind, how, code
    ):
        slow_rows(spark_driver, 0.25)
        work, plan = make_work([text(number) for number in range(1, 401)], tiny_bundle, shard_rows=10)
        driver = spark_driver.begin(work, tiny_bundle, master="local[2]")
        wait_for(lambda: len(receipts_of(work)) >= 3, driver)
        os.kill(spark_driver.of_kind(kind)[0], how)
        _, errors = driver.communicate(timeout=1800)
        wait_for(lambda: not spark_driver.processes())
        assert driver.returncode == code, errors
        assert ("Spark gave up" in errors or "Spark's process has ended" in errors) == (code == 2)
        logs = list(work.parent.glob("*.log"))
        assert [str(log) in errors for log in logs] == [code == 2] * len(logs)
        assert not [log for log in logs if CANARY.encode() in log.read_bytes() or log.stat().st_mode & 0o077]
        assert CANARY not in errors
        assert receipts_of(work)
        assert verify(work, plan, only_done=True) == []
