"""A run of ``casecoder bulk`` in processes of its own, that can be killed and gone on with."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
from base64 import urlsafe_b64encode
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import Any, Literal

import pyarrow.parquet

from nlp.bulk import sealed
from nlp.bulk.receipts import verify
from nlp.bulk.shards import PLAN, RECEIPTS, RESULTS, SHARDS, Plan
from nlp.bulk.tables import InputOptions, open_input, open_output, text_of
from nlp.bulk.work import work_folder

from .processes import family, wait_for
from .stretching import shards_repeated, stretched
from .tally import Tally

CANARY = "qazanarbekovaxx"
KEY = bytes(range(32))
DONE, KILLED, REFUSED = (0, 3), -signal.SIGKILL, 2

Moment = Literal["reading", "coding", "putting together", "worker"]


@dataclass(frozen=True)
class Recipe:
    """What is coded, and how."""

    bundle: Path
    inward: str = "csv"
    outward: str = "csv"
    rows: int = 120
    shard_rows: int = 5
    key: bytes | None = field(default=None, repr=False)
    options: tuple[str, ...] = ()
    pause: float = 0.01
    quick: bool = True

    @property
    def shards(self) -> int:
        return -(-self.rows // self.shard_rows)

    @property
    def ids(self) -> list[str]:
        return [f"c{number}" for number in range(1, self.rows + 1)]


def text_of_case(number: int) -> str:
    """Invented; each ninth is empty, some repeat others or nearly do."""
    if number % 9 == 0:
        return ""
    if number % 7 == 0:
        return f"The police beat {CANARY} near the\nmarket, and nobody helped."
    return f'Case {number}: the doctor refused {CANARY} and shouted, as "always", on day {number % 30}.'


class BulkRun:
    """One output, however many processes it takes. Everything lies in ``folder``, but for the log of rows."""

    def __init__(self, folder: Path, recipe: Recipe, *, log: Path | None = None) -> None:
        folder.mkdir(exist_ok=True)
        self.folder = folder
        self.recipe = recipe
        self.source = folder / f"in.{recipe.inward}"
        self.target = folder / f"out.{recipe.outward}"
        self.work = work_folder(self.target)
        self.temporary = folder / "tmp"
        self.temporary.mkdir()
        self.log = log or folder / "tried.log"
        self.log.touch()
        self.said = b""
        self._path = stretched(
            self.log.with_name(f"{self.log.name}-slow"), self.log, row=recipe.pause, quick=recipe.quick
        )
        self._seen: dict[str, bytes] = {}  # receipts by name
        self._write_input()

    def _write_input(self) -> None:
        with open_output(self.source, ["id", "text", "place"]) as table:
            for number in range(1, self.recipe.rows + 1):
                table.write([f"c{number}", text_of_case(number), f"place {number % 5}"])

    # Processes

    def start(self) -> subprocess.Popen[bytes]:
        """Begin, or go on."""
        recipe = self.recipe
        args = ["bulk", self.source, "-o", self.target, "--resume", "--workers", 2, *recipe.options]
        environment = self.environment
        if recipe.key:
            environment["CASECODER_KEY"] = urlsafe_b64encode(recipe.key).decode()
        return subprocess.Popen(
            command(*args, "--shard-rows", recipe.shard_rows, "--bundle", recipe.bundle, "--progress", "json"),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            env=environment,
        )

    @property
    def environment(self) -> dict[str, str]:
        kept = {name: value for name, value in os.environ.items() if not name.startswith("CASECODER_")}
        return {**kept, "PYTHONPATH": self._path, "TMPDIR": str(self.temporary)}

    def end(self, process: subprocess.Popen[bytes]) -> int:
        """Wait for the end of a process, and keep what it said."""
        self.said += process.communicate()[0]
        return process.returncode

    def finish(self) -> None:
        """Go on to the end."""
        code = self.end(self.start())
        assert code in DONE, self.said.decode()

    # How far it is

    def shards(self) -> int:
        return len(_whole(self.work / SHARDS))

    def receipts(self) -> int:
        return len(_whole(self.work / RECEIPTS))

    def has_plan(self) -> bool:
        return (self.work / PLAN).exists()

    def parts(self) -> list[Path]:
        """Outputs that are being written."""
        return list(self.folder.glob(f".{self.target.name}.*.part"))

    def is_coded(self) -> bool:
        """Whether only the output is to be put together."""
        return self.receipts() == self.recipe.shards

    def is_at(self, moment: Moment, share: float) -> Callable[[], bool]:
        """Tells when a share of a stage is done."""
        shards = int(share * self.recipe.shards)
        return {
            "reading": lambda: self.shards() >= shards or self.has_plan(),
            "coding": lambda: self.has_plan() and self.receipts() >= shards,
            "worker": lambda: self.has_plan() and self.receipts() >= shards,
            "putting together": self.is_coded,
        }[moment]

    # What it leaves

    def tried(self) -> list[str]:
        """Ids of the rows that were tried since the last look."""
        rows = self.log.read_text(encoding="utf-8").split()
        self.log.write_text("", encoding="utf-8")
        return rows

    def faults(self) -> list[str]:
        """What is not whole in the work folder, or was done again although it was done."""
        found = []
        for path in (path for name in (SHARDS, RESULTS) for path in _whole(self.work / name)):
            content = sealed.read(path, key=self.recipe.key)
            with suppress(Exception):
                pyarrow.parquet.read_table(pyarrow.BufferReader(content))
                continue
            found.append(f"{path.name} is torn")
        if self.has_plan():
            found += verify(self.work, Plan.load(self.work), key=self.recipe.key, only_done=True)
        receipts = {path.name: path.read_bytes() for path in _whole(self.work / RECEIPTS)}
        found += [f"receipt {name} was made anew" for name in self._seen if receipts.get(name) != self._seen[name]]
        self._seen = receipts
        return found

    def leaks(self) -> list[str]:
        """Files outside of the work folder in which a narrative stands, other than input and output."""
        own = {self.source, self.target, *self.parts(), *self.folder.glob(f"{self.target.name}.bak*")}
        others = (path for path in self.folder.rglob("*") if path.is_file() and self.work not in path.parents)
        return [path.name for path in others if path not in own and CANARY.encode() in path.read_bytes()]

    def ids(self) -> list[str]:
        """Of the rows of the output, in order."""
        with open_input(self.target, InputOptions("text", header=True)) as table:
            at = list(table.columns).index("id")
            return [text_of(row.cells[at]) for row in table.rows()]

    def check(self, tally: Tally, undisturbed: bytes) -> None:
        """Everything that must be so at the end."""
        verified = subprocess.run(
            command("verify", self.target, "--input", self.source),
            capture_output=True,
            env=self.environment,
            check=False,
        )
        self.said += verified.stdout + verified.stderr
        assert verified.returncode == 0, self.said.decode()
        tally.compare(self.ids(), self.recipe.ids, same_bytes=self.target.read_bytes() == undisturbed)
        assert not self.work.exists()
        assert not list(self.temporary.iterdir())
        beside = {f"{self.target.name}{ending}" for ending in ("", ".receipt.json", ".report.html", ".report.json")}
        found = {path.name for path in self.folder.iterdir() if path.is_file() and path not in (self.source, self.log)}
        assert {re.sub(r"\.bak[0-9]*$", "", name) for name in found} == beside
        assert not self.leaks()
        assert CANARY.encode() not in self.said


class Killer:
    """Kills a run at random moments until nothing is left to kill, and counts what that costs."""

    def __init__(self, run: BulkRun, tally: Tally, random: Random) -> None:
        self._run = run
        self._tally = tally
        self._random = random
        self._tries: list[list[str]] = []

    def kill_at(self, moments: Sequence[Moment]) -> None:
        """Kill once in each of these, in their order, and go on to the end."""
        waiting = list(moments)
        while waiting:
            process = self._run.start()
            while waiting and waiting[0] == "worker" and self._kill_worker(process):
                waiting.pop(0)
            if waiting and waiting[0] != "worker" and self._kill_parent(process, waiting[0]):
                waiting.pop(0)
            elif self._run.end(process) in DONE:
                break
        if not self._run.target.exists() or self._run.work.exists():
            self._run.finish()
        self._tries.append(self._run.tried())
        size = self._run.recipe.shard_rows
        shard_of = {row: at // size for at, row in enumerate(self._run.recipe.ids)}
        self._tally.repeated = max(self._tally.repeated, shards_repeated(self._tries, shard_of))

    def _kill_parent(self, process: subprocess.Popen[bytes], moment: Moment) -> bool:
        run = self._run
        wait_for(run.is_at(moment, self._random.random()), until=lambda: process.poll() is not None)
        time.sleep(self._random.random() * (_PLACING if moment == "putting together" else 0.05))
        orphans = family(process.pid)
        if process.poll() is not None:
            return False
        process.kill()
        assert run.end(process) == KILLED
        self._count(f"run, {moment}", orphans)
        return True

    def _kill_worker(self, process: subprocess.Popen[bytes]) -> bool:
        """Kill one of two workers; not before the rows that the last one took with it are coded, since a row of which
        two processes die is set apart."""
        run = self._run
        start = run.receipts()
        share = (start + 4 + self._random.random() * 6) / run.recipe.shards
        wait_for(run.is_at("worker", share), until=lambda: process.poll() is not None)
        time.sleep(self._random.random() * 0.05)
        workers = family(process.pid, running="engines.worker")
        if not workers or not self._random.choice(workers).kill():
            return False
        self._count("worker of a run", [])
        return True

    def _count(self, kind: str, orphans: list[Any]) -> None:
        self._tally.count(kind, orphans)
        self._tries.append(self._run.tried())
        faults = self._run.faults()
        self._tally.torn += len(faults)
        assert not faults
        assert not self._run.leaks()


_PLACING = 0.6  # seconds that putting together takes in slow processes, about


def command(*args: object) -> list[str]:
    program = "import sys; sys.argv[0] = 'casecoder'; from nlp.cli import command_line; command_line()"
    return [sys.executable, "-c", program, *map(str, args)]


def _whole(folder: Path) -> list[Path]:
    """Files that are in their place."""
    with suppress(OSError):
        return sorted(path for path in folder.iterdir() if not path.name.startswith("."))
    return []
