"""Runs on Spark in processes of their own, and a standalone cluster of machines that this one stands in for.

A machine is an address of the loopback, or a network namespace, which is as far from the others as another computer:
what listens on its 127.0.0.1 cannot be reached from outside, and its cable can be pulled.
"""

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
from contextlib import contextmanager, nullcontext, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from nlp.bulk.engines.local import run_local
from nlp.bulk.prepare import prepare
from nlp.bulk.shard_run import LoadedBundle
from nlp.bulk.shards import Plan
from nlp.bulk.tables import InputOptions

MARK = "CASECODER_TEST_MARK"
IP = shutil.which("ip")
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
    for item in items:
        if item.path.parent != Path(__file__).parent or item.path.name == "test_settings.py":
            continue
        if not sys.platform.startswith("linux"):
            item.add_marker(pytest.mark.skip(reason="finds processes in /proc"))
        elif missing and item.path.name != "test_nodes.py":
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


@dataclass(frozen=True)
class Machine:
    """Where processes run: a private address, and the network namespace that has it if it is not this machine's."""

    address: str
    namespace: str | None = None

    def command(self, *parts: object) -> list[str]:
        """A command as it is given here to run there."""
        inside = [IP, "netns", "exec", self.namespace] if self.namespace else []
        return [str(part) for part in (*inside, *parts)]

    def knock(self, places: Sequence[tuple[str, int, bytes]], patience: float = 10.0) -> list[bytes | None]:
        """What answers at addresses and ports when something is said there; None where nobody listens."""
        told = json.dumps([[address, port, said.hex(), patience] for address, port, said in places])
        command = self.command(sys.executable, Path(__file__).with_name("knock.py"))
        done = subprocess.run(command, input=told, capture_output=True, text=True, check=True)
        return [None if answer is None else bytes.fromhex(answer) for answer in json.loads(done.stdout)]


LOOPBACK = tuple(Machine(f"127.0.0.{number}") for number in (2, 3, 4, 5))


@contextmanager
def namespaces() -> Iterator[tuple[Machine, ...]]:
    """As many machines of one network, of which this one is no part; what they need is gone at the end."""
    if os.geteuid() != 0:
        pytest.skip("network namespaces are made by root alone")
    if IP is None:
        pytest.skip("needs the program ip (package iproute2)")
    name = f"casecoder-{secrets.token_hex(4)}"
    found = tuple(Machine(f"10.77.0.{number}", f"{name}-{number}") for number in range(1, len(LOOPBACK) + 1))
    try:
        for machine in found:
            _ip("netns", "add", machine.namespace)
            _ip("-n", machine.namespace, "link", "set", "lo", "up")
        _join(found)
        yield found
    finally:
        for machine in found:
            subprocess.run([IP, "netns", "delete", str(machine.namespace)], capture_output=True, check=False)


def _join(machines: Sequence[Machine]) -> None:
    """A bridge on the first machine, and a cable to it from each of the others."""
    hub = machines[0]
    _ip("-n", hub.namespace, "link", "add", "hub", "type", "bridge")
    for number, machine in enumerate(machines[1:], 1):
        cable, other_end = (
            ("link", "add", f"cable{number}", "type", "veth"),
            ("peer", "lan", "netns", machine.namespace),
        )
        _ip("-n", hub.namespace, *cable, *other_end)
        _ip("-n", hub.namespace, "link", "set", f"cable{number}", "master", "hub", "up")
    for machine in machines:
        device = "hub" if machine is hub else "lan"
        _ip("-n", machine.namespace, "address", "add", f"{machine.address}/24", "dev", device)
        _ip("-n", machine.namespace, "link", "set", device, "up")


def _ip(*words: object) -> None:
    done = subprocess.run([str(IP), *map(str, words)], capture_output=True, text=True, check=False)
    if done.returncode:
        pytest.skip(f"no network namespaces here: {done.stderr.strip()}")


@dataclass
class Driver:
    """Starts runs on Spark, each in a process of its own; ``environment`` is for that process and all it starts."""

    root: Path
    mark: str
    machines: Sequence[Machine] = LOOPBACK
    environment: dict[str, str] = field(default_factory=dict)
    started: list[subprocess.Popen[str]] = field(default_factory=list)

    @property
    def head(self) -> Machine:
        """Where runs are started; a cluster's master is there, too."""
        return self.machines[0]

    def begin(self, work: Path, bundle: Path, **settings: object) -> subprocess.Popen[str]:
        told = {"work": str(work), "bundle": str(bundle), **settings}
        python_path = os.pathsep.join([*filter(None, [self.environment.get("PYTHONPATH")]), str(self.root)])
        program = Path(__file__).with_name("drive.py")
        process = subprocess.Popen(
            self.head.command(sys.executable, program, json.dumps(told, default=str)),
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
    """A master and workers of Spark, started as docs/spark.md says, each on a machine of its own.

    ``pages`` are the ports of their pages. ``closed`` are ports on which an open Spark listens: submission, pages,
    history; without those that another program of this machine has.
    """

    folder: Path = Path()
    port: int = 0
    secret: str = ""
    pages: dict[Machine, int] = field(default_factory=dict)
    closed: tuple[int, ...] = (6066, 8080, 8081, 4040, 18080)
    workers: dict[Machine, subprocess.Popen[str]] = field(default_factory=dict)

    @property
    def nodes(self) -> Sequence[Machine]:
        """Where rows are coded."""
        return self.machines[1:-1]

    @property
    def stranger(self) -> Machine:
        """A machine of the same network, which is no part of the cluster."""
        return self.machines[-1]

    @property
    def master(self) -> str:
        return f"spark://{self.head.address}:{self.port}"

    @property
    def secret_file(self) -> Path:
        return self.folder / "secret"

    def settings(self) -> dict[str, object]:
        return {"master": self.master, "secret_file": self.secret_file}

    def prepare(self) -> None:
        said = self.head.knock([(self.head.address, port, b"") for port in self.closed], patience=1.0)
        self.closed = tuple(port for port, answer in zip(self.closed, said, strict=True) if answer is None)
        self.port, self.secret = free_ports(1)[0], secrets.token_hex(32)
        self.secret_file.touch(mode=0o600)
        self.secret_file.write_text(self.secret)
        conf = shutil.copytree(self.root / "deploy" / "spark", self.folder / "conf")
        with (conf / "spark-defaults.conf").open("a") as file:
            file.write(f"spark.driver.host {self.head.address}\nspark.driver.bindAddress {self.head.address}\n")
            # A busy machine may take long to answer; what is tested are ends that show at once.
            file.write("spark.network.timeout 600s\nspark.rpc.askTimeout 600s\nspark.driver.memory 512m\n")
            file.write(f"spark.executor.extraJavaOptions {SMALL_JAVA}\n")
        # What a driver and its processes put aside lies with what the daemons do, so that a test can look through it.
        (self.folder / "aside").mkdir()
        aside = dict.fromkeys(("SPARK_LOCAL_DIRS", "TMPDIR"), str(self.folder / "aside"))
        self.environment |= {"SPARK_CONF_DIR": str(conf), "SPARK_SUBMIT_OPTS": SMALL_JAVA, **aside}

    def start(self, role: str, machine: Machine) -> subprocess.Popen[str]:
        """Start a daemon on a machine; `joined` tells when it is there."""
        port, page = (self.port, free_ports(1)[0]) if role == "master" else free_ports(2)
        self.pages[machine] = page
        address = machine.address
        log = (self.folder / f"{role}-{address}.log").open("a")
        launcher = self.root / "deploy" / "spark" / "casecoder-spark"
        process = subprocess.Popen(
            machine.command(launcher, role, *([self.master] * (role == "worker"))),
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
            self.workers[machine] = process
        return process

    def restart_worker(self) -> None:
        """Start the worker again that has ended."""
        machine = next(machine for machine, process in self.workers.items() if process.poll() is not None)
        joined = self.joined()
        self.start("worker", machine)
        wait_for(lambda: self.joined() > joined, self.workers[machine])

    def joined(self) -> int:
        """How often workers have joined."""
        return (self.folder / f"master-{self.head.address}.log").read_text().count("Registering worker")


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


@pytest.fixture(scope="module", params=["loopback", "namespaces"])
def cluster(request: pytest.FixtureRequest, root: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    """A master and two workers with one core each."""
    with namespaces() if request.param == "namespaces" else nullcontext(LOOPBACK) as machines:
        found = Cluster(root, secrets.token_hex(8), machines, folder=tmp_path_factory.mktemp("cluster"))
        found.prepare()
        try:
            found.start("master", found.head)
            for machine in found.nodes:
                found.start("worker", machine)
            wait_for(lambda: found.joined() >= len(found.nodes), *found.started)
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


@pytest.fixture(scope="session")
def coded_here() -> Callable[[Path, Plan, Path, Path], Path]:
    """Codes the same shards by the local engine, in a copy of the work folder."""

    def code(work: Path, plan: Plan, bundle: Path, folder: Path) -> Path:
        local = Path(shutil.copytree(work, folder / "local"))
        run_local(local, plan, bundle=bundle, workers=2)
        return local

    return code


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
