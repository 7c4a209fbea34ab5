"""A service with its queue in processes of their own, that can be killed and started again."""

from __future__ import annotations

import http.client
import json
import os
import socket
import subprocess
import sys
from base64 import urlsafe_b64encode
from contextlib import suppress
from pathlib import Path
from typing import Any

from nlp.bulk.holding import hold
from nlp.bulk.shards import PLAN, RECEIPTS

from .bulk_run import CANARY, KEY, text_of_case
from .processes import Process, family, survival, wait_for
from .stretching import stretched

KINDS = {  # what is killed, and what stands in its command
    "server": "-m service run",
    "runner of the queue": "service.jobs.runner",
    "process of a job": "service.jobs.coding",
    "worker of a job": "engines.worker",
}
_MEMORY = Path("/dev/shm")  # noqa: S108 (where jobs lie in plain while they run)


class JobSite:
    """A server, its store and its folder of jobs; local callers need no key."""

    def __init__(self, folder: Path, bundle: Path, *, jobs_folder: Path | None = None, pause: float = 0.01) -> None:
        folder.mkdir(exist_ok=True)
        self.folder = folder
        self.jobs_folder = jobs_folder or folder / "jobs"
        self.log = folder / "tried.log"
        self.log.touch()
        self._said = folder / "said.log"
        self._port = _free_port()
        (folder / "tmp").mkdir()
        self._environment = {
            **{name: value for name, value in os.environ.items() if not name.startswith("CASECODER_")},
            "PYTHONPATH": stretched(folder / "slow", self.log, row=pause, placed=0.001, quick=True),
            "TMPDIR": str(folder / "tmp"),
            "CASECODER_DATABASE": f"sqlite:///{folder / 'store.db'}",
            "CASECODER_KEY": urlsafe_b64encode(KEY).decode(),
            "CASECODER_BUNDLE": str(bundle),
            "CASECODER_JOBS_FOLDER": str(self.jobs_folder),
            "CASECODER_JOB_WORKERS": "2",
            "CASECODER_REQUESTS_PER_MINUTE": "0",
            "CASECODER_REQUEST_SECONDS": "60",
        }
        self.server: subprocess.Popen[bytes] | None = None

    # The server

    def start(self) -> None:
        """Start the server, and wait until it answers."""
        with self._said.open("ab") as said:
            self.server = subprocess.Popen(
                [sys.executable, "-m", "service", "run", "--port", str(self._port)],
                stdout=said,
                stderr=subprocess.STDOUT,
                env=self._environment,
            )
        wait_for(self._is_ready, until=lambda: self.server and self.server.poll() is not None)

    def close(self) -> None:
        """End everything."""
        if self.server is not None:
            members = family(self.server.pid)
            self.server.kill()
            self.server.wait()
            survival(members)

    def members(self, kind: str) -> list[Process]:
        """The processes of a kind."""
        assert self.server is not None
        found = family(self.server.pid, running=KINDS[kind])
        return found or [one for one in family(os.getpid(), running=KINDS[kind]) if one.pid == self.server.pid]

    def kill(self, kind: str, one: int = 0) -> list[Process] | None:
        """Kill one of a kind; the processes that are its own, or None where there is none to kill."""
        found = self.members(kind)
        if not found:
            return None
        victim = found[one % len(found)]
        orphans = family(victim.pid)
        if not victim.kill():
            return None
        if kind == "server" and self.server is not None:
            self.server.wait()
        return orphans

    # What is asked of it

    def ask(self, method: str, path: str, body: bytes | None = None, **headers: str) -> tuple[int, bytes]:
        connection = http.client.HTTPConnection("127.0.0.1", self._port, timeout=120)
        try:
            connection.request(method, path, body, {name.replace("_", "-"): value for name, value in headers.items()})
            reply = connection.getresponse()
            return reply.status, reply.read()
        finally:
            connection.close()

    def send(self, path: str, content: dict[str, Any]) -> tuple[int, Any]:
        status, answer = self.ask("POST", path, json.dumps(content).encode(), Content_Type="application/json")
        return status, json.loads(answer)

    def bring(self, content: bytes, name: str = "cases.csv") -> tuple[int, Any]:
        """Upload a file."""
        kind = "application/octet-stream"
        status, answer = self.ask("POST", "/v1/jobs", content, Content_Type=kind, X_File_Name=name)
        return status, json.loads(answer)

    def begin(self, content: bytes) -> str:
        """Bring a file and start its job."""
        status, job = self.bring(content)
        assert status == 201, job
        self.go_on(job["id"])
        return str(job["id"])

    def go_on(self, job: str) -> None:
        """Start a job, or go on with it."""
        status, answer = self.send(f"/v1/jobs/{job}/start", {"text_column": 2, "id_column": 1})
        assert status == 200, answer

    def job(self, job: str) -> Any:
        return json.loads(self.ask("GET", f"/v1/jobs/{job}")[1])

    def jobs(self) -> list[str]:
        """The ids of all jobs."""
        return [str(job["id"]) for job in json.loads(self.ask("GET", "/v1/jobs")[1])]

    def ended(self, job: str) -> Any:
        """A job once it has ended."""
        return wait_for(lambda: found if (found := self.job(job))["state"] in ("done", "failed") else None)

    def file(self, job: str, kind: str) -> bytes:
        status, content = self.ask("GET", f"/v1/jobs/{job}/files/{kind}")
        assert status == 200
        return content

    # What lies on the disk

    def receipts(self, job: str) -> int:
        work = self.jobs_folder / job / "work"
        with suppress(OSError):
            return sum(not path.name.startswith(".") for path in (work / RECEIPTS).iterdir())
        return 0

    def has_plan(self, job: str) -> bool:
        return (self.jobs_folder / job / "work" / PLAN).exists()

    def leaks(self) -> list[str]:
        """Where a narrative stands that nobody reads at the moment: in files, and in what the processes said."""
        left = filter(_is_left, _MEMORY.glob("casecoder-plain-*"))
        places = [self.jobs_folder, self.folder / "tmp", self._said, *left]
        files = (path for place in places for path in ([place] if place.is_file() else place.rglob("*")))
        return [str(path) for path in files if path.is_file() and CANARY.encode() in path.read_bytes()]

    def _is_ready(self) -> bool:
        with suppress(OSError, http.client.HTTPException):
            return self.ask("GET", "/health/ready")[0] == 200
        return False


def _is_left(folder: Path) -> bool:
    """Whether no process is behind a folder any more."""
    with suppress(FileNotFoundError), (folder / "in-use").open("r+b") as lock:
        return hold(lock) is True
    return False


def table_of(rows: int) -> bytes:
    """A table to bring."""
    texts = (text_of_case(number).replace('"', "'") for number in range(1, rows + 1))
    lines = (f'c{number},"{text}",place {number % 5}' for number, text in enumerate(texts, start=1))
    return "\n".join(["id,text,place", *lines, ""]).encode()


def _free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])
