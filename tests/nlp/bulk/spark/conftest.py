"""Runs on Spark in processes of their own, and a standalone cluster on addresses of this machine alone."""

from __future__ import annotations

import importlib.util
import json
import os
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from nlp.bulk.prepare import prepare
from nlp.bulk.shard_run import LoadedBundle
from nlp.bulk.shards import Plan
from nlp.bulk.tables import InputOptions

MARK = "CASECODER_TEST_MARK"
PATIENCE = 900  # seconds that a test waits for processes; machines differ, and no promise is tested by it
KINDS = {  # what stands in the command of a process, and what it is called here
    "deploy.master.Master": "master",
    "deploy.worker.Worker": "worker",
    "CoarseGrainedExecutorBackend": "executor",
    "engines.worker": "coder",
    "pyspark.daemon": "daemon",
    "SparkSubmit": "driver's java",
    "drive.py": "driver",
}
# Java that starts soon, with what a test needs of it.
SMALL_JAVA = "-XX:TieredStopAtLevel=1 -XX:+UseSerialGC -Xshare:auto"
SLOW_ROWS = """
import os, sys, time
import nlp.pipeline

real = nlp.pipeline.Pipeline.analyze_one

def analyze(pipeline, narrative):
    if narrative.case_id is None:  # no row of the table
        return real(pipeline, narrative)
    with open({log!r}, "a") as stream:
        stream.write(narrative.case_id + "\\n")
    if "poison" in narrative.text:
        os._exit(86)
    time.sleep({pause})
    return real(pipeline, narrative)

nlp.pipeline.Pipeline.analyze_one = analyze
"""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """What needs Spark is left out where it is not installed."""
    missing = None
    if importlib.util.find_spec("pyspark") is None:
        missing = "needs pyspark: install the extra spark"
    elif shutil.which("java") is None and not os.environ.get("JAVA_HOME"):
        missing = "needs Java"
    elif not sys.platform.startswith("linux"):
        missing = "finds processes in /proc"
    for item in items:
        if missing and item.path.parent == Path(__file__).parent and item.path.name != "test_settings.py":
            item.add_marker(pytest.mark.skip(reason=missing))


def wait_for(fact: Callable[[], Any], *processes: subprocess.Popen[str]) -> Any:
    """Wait until something is so, and give it back; none of the processes may end meanwhile."""
    until = time.monotonic() + PATIENCE
    while time.monotonic() < until:
        if found := fact():
            return found
        for process in processes:
            assert process.poll() is None, "a process has ended"
        time.sleep(0.2)
    raise AssertionError("it did not come to pass")


@dataclass
class Driver:
    """Starts runs on Spark, each in a process of its own; ``environment`` is for that process and all it starts."""

    root: Path
    mark: str
    environment: dict[str, str] = field(default_factory=dict)
    started: list[subprocess.Popen[str]] = field(default_factory=list)

    def begin(self, work: Path, bundle: Path, **settings: object) -> subprocess.Popen[str]:
        told = {"work": str(work), "bundle": str(bundle), **settings}
        python_path = os.pathsep.join([*filter(None, [self.environment.get("PYTHONPATH")]), str(self.root)])
        process = subprocess.Popen(
            [sys.executable, str(Path(__file__).with_name("drive.py")), json.dumps(told, default=str)],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env={**os.environ, **self.environment, "PYTHONPATH": python_path, MARK: self.mark},
        )
        self.started.append(process)
        return process

    def run(self, work: Path, bundle: Path, **settings: object) -> Run:
        process = self.begin(work, bundle, **settings)
        out, errors = process.communicate(timeout=2 * PATIENCE)
        return Run(process.returncode, out.splitlines(), errors)

    def processes(self) -> list[tuple[int, str]]:
        """Number and kind of each process that was started for this test, in the order of their numbers."""
        return sorted(_marked(self.mark))

    def of_kind(self, kind: str) -> list[int]:
        return [number for number, found in self.processes() if found == kind]

    def end(self) -> None:
        for number, _ in self.processes():
            with suppress(ProcessLookupError):
                os.kill(number, signal.SIGKILL)
        for process in self.started:
            process.wait()
            for stream in (process.stdout, process.stderr):
                if stream:
                    stream.close()


@dataclass(frozen=True)
class Run:
    """A run that has ended: its exit code, the lines it said, and its errors."""

    code: int
    said: list[str]
    errors: str

    @property
    def progress(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.said if line.startswith("{")]


@dataclass
class Cluster(Driver):
    """A master and workers of Spark, started as docs/spark.md says, each on an address of its own."""

    folder: Path = Path()
    port: int = 0
    secret: str = ""
    pages: set[int] = field(default_factory=set)
    taken: set[int] = field(default_factory=set)
    workers: dict[str, subprocess.Popen[str]] = field(default_factory=dict)

    @property
    def master(self) -> str:
        return f"spark://127.0.0.1:{self.port}"

    @property
    def secret_file(self) -> Path:
        return self.folder / "secret"

    def settings(self) -> dict[str, object]:
        return {"master": self.master, "secret_file": self.secret_file}

    def prepare(self) -> None:
        self.taken = {port for port in (6066, 8080, 8081, 4040, 18080) if self.answers("127.0.0.1", port)}
        self.port, self.secret = free_ports(1)[0], secrets.token_hex(32)
        self.secret_file.touch(mode=0o600)
        self.secret_file.write_text(self.secret)
        conf = shutil.copytree(self.root / "deploy" / "spark", self.folder / "conf")
        with (conf / "spark-defaults.conf").open("a") as file:
            file.write("spark.driver.host 127.0.0.1\nspark.driver.bindAddress 127.0.0.1\n")
            # A busy machine may take long to answer; what is tested are ends that show at once.
            file.write("spark.network.timeout 600s\nspark.rpc.askTimeout 600s\nspark.driver.memory 512m\n")
            file.write(f"spark.executor.extraJavaOptions {SMALL_JAVA}\n")
        self.environment |= {"SPARK_CONF_DIR": str(conf), "SPARK_SUBMIT_OPTS": SMALL_JAVA}

    def start(self, role: str, address: str) -> subprocess.Popen[str]:
        """Start a daemon at an address; `joined` tells when it is there."""
        port, page = (self.port, free_ports(1)[0]) if role == "master" else free_ports(2)
        self.pages.add(page)
        log = (self.folder / f"{role}-{address}.log").open("a")
        command = [self.root / "deploy" / "spark" / "casecoder-spark", role, *([self.master] * (role == "worker"))]
        process = subprocess.Popen(
            [str(part) for part in command],
            stdout=log,
            stderr=log,
            text=True,
            env={
                **os.environ,
                MARK: self.mark,
                "CASECODER_SPARK_ADDRESS": address,
                "CASECODER_SPARK_CONF": str(self.folder / "conf"),
                "CASECODER_SPARK_SECRET_FILE": str(self.secret_file),
                "CASECODER_SPARK_STATE": str(self.folder / f"state-{address}"),
                "CASECODER_SPARK_PORT": str(port),
                "CASECODER_SPARK_PAGE_PORT": str(page),
                "CASECODER_SPARK_CORES": "1",
                "CASECODER_SPARK_MEMORY": "1g",
                "CASECODER_SPARK_PYTHON": sys.executable,
                "RUNTIME_DIRECTORY": str(self.folder / f"run-{address}"),
                "SPARK_DAEMON_MEMORY": "256m",
                "SPARK_DAEMON_JAVA_OPTS": SMALL_JAVA,
            },
        )
        log.close()
        self.started.append(process)
        if role == "worker":
            self.workers[address] = process
        return process

    def restart_worker(self) -> None:
        """Start the worker again that has ended."""
        address = next(address for address, process in self.workers.items() if process.poll() is not None)
        joined = self.joined()
        self.start("worker", address)
        wait_for(lambda: self.joined() > joined, self.workers[address])

    @staticmethod
    def answers(address: str, port: int) -> bool:
        with suppress(OSError), socket.create_connection((address, port), timeout=5.0):
            return True
        return False

    def log(self, role: str, address: str) -> str:
        return (self.folder / f"{role}-{address}.log").read_text()

    def joined(self) -> int:
        """How often workers have joined."""
        return self.log("master", "127.0.0.1").count("Registering worker")


def free_ports(count: int) -> list[int]:
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [int(found.getsockname()[1]) for found in sockets]
    for found in sockets:
        found.close()
    return ports


def _marked(mark: str) -> Iterator[tuple[int, str]]:
    wanted = f"{MARK}={mark}".encode()
    for entry in Path("/proc").iterdir():
        if not entry.name.isdecimal():
            continue
        with suppress(OSError):
            if wanted in (entry / "environ").read_bytes().split(b"\0"):
                command = (entry / "cmdline").read_bytes().decode(errors="replace")
                yield int(entry.name), next((kind for part, kind in KINDS.items() if part in command), "other")


@pytest.fixture(scope="module")
def spark_driver(root: Path) -> Iterator[Driver]:
    driver = Driver(root, secrets.token_hex(8))
    yield driver
    driver.end()


@pytest.fixture(scope="module")
def cluster(root: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    """A master and two workers with one core each."""
    found = Cluster(root, secrets.token_hex(8), folder=tmp_path_factory.mktemp("cluster"))
    found.prepare()
    try:
        found.start("master", "127.0.0.1")
        for address in ("127.0.0.2", "127.0.0.3"):
            found.start("worker", address)
        wait_for(lambda: found.joined() >= 2, *found.started)
        yield found
    finally:
        found.end()


@pytest.fixture(scope="session", name="wait_for")
def _wait_for() -> Callable[..., Any]:
    """Waits until something is so."""
    return wait_for


@pytest.fixture(scope="session")
def receipts_of() -> Callable[[Path], list[Path]]:
    """The receipts in a work folder."""
    return lambda work: sorted((work / "receipts").glob("*.json"))


@pytest.fixture(scope="session")
def results_of() -> Callable[[Path], dict[str, bytes]]:
    """The results in a work folder, by their names."""
    return lambda work: {path.name: path.read_bytes() for path in sorted((work / "results").iterdir())}


MakeWork = Callable[..., tuple[Path, Plan]]


@pytest.fixture(scope="session")
def make_work(tmp_path_factory: pytest.TempPathFactory) -> MakeWork:
    """Makes a work folder of texts, whose ids are c1, c2 ..."""

    def make(texts: Sequence[str], bundle: Path, *, shard_rows: int, key: bytes | None = None) -> tuple[Path, Plan]:
        folder = tmp_path_factory.mktemp("run")
        source, work = folder / "cases.jsonl", folder / "work"
        rows = ({"id": f"c{number}", "text": text} for number, text in enumerate(texts, 1))
        source.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
        work.mkdir(mode=0o700)
        loaded = LoadedBundle.open(bundle)
        return work, prepare(source, work, InputOptions(), bundle=loaded, shard_rows=shard_rows, key=key)

    return make


@pytest.fixture(scope="module")
def slow_rows(tmp_path_factory: pytest.TempPathFactory) -> Callable[[Driver, float], Path]:
    """Makes processes that code pause before each row, and die of one with "poison" in it; gives the log of the ids
    that they tried."""

    def make(driver: Driver, pause: float) -> Path:
        folder = tmp_path_factory.mktemp("slow")
        log = folder / "tried.log"
        log.touch()
        (folder / "sitecustomize.py").write_text(SLOW_ROWS.format(log=str(log), pause=pause), encoding="utf-8")
        driver.environment["PYTHONPATH"] = str(folder)
        return log

    return make
