"""A service that runs for a measurement, and callers who see how it answers."""

from __future__ import annotations

import http.client
import json
import os
import re
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from pathlib import Path
from types import TracebackType
from typing import Any
from urllib.parse import urlencode

from texts import ROOT

_IDLE = 5.0  # seconds after which a caller connects anew; the service closes after 10


@dataclass(frozen=True)
class Answer:
    """What came back."""

    status: int
    headers: Mapping[str, str]
    content: bytes

    def json(self) -> Any:
        return json.loads(self.content)


@dataclass
class Seen:
    """What callers saw: seconds and status of each answer."""

    answers: list[tuple[float, int]] = field(default_factory=list)
    broken: int = 0
    untold: int = 0
    """Refusals that did not say when to come back."""

    def of(self, *statuses: int) -> list[float]:
        return [seconds for seconds, status in self.answers if status in statuses]

    def add(self, answer: Answer, seconds: float) -> None:
        self.answers.append((seconds, answer.status))
        self.untold += answer.status == 503 and "retry-after" not in answer.headers


class Service:
    """A running service with the default bundle, a store and an access key of its own."""

    def __init__(self, folder: Path, **settings: str) -> None:
        made = subprocess.run(
            [sys.executable, "-m", "service", "init", str(folder)], capture_output=True, text=True, check=True, cwd=ROOT
        ).stdout
        self.key = re.search(r"cck_\S+", made)[0]  # type: ignore[index]
        self.port = free_port()
        environ = {
            **os.environ,
            "CASECODER_KEY_FILE": str(folder / "casecoder.key"),
            "CASECODER_DATABASE": f"sqlite:///{folder / 'casecoder.db'}",
            "CASECODER_REQUESTS_PER_MINUTE": "0",
            **settings,
        }
        self.process = subprocess.Popen(
            [sys.executable, "-m", "service", "run", "--port", str(self.port)],
            env=environ, cwd=ROOT, stderr=subprocess.DEVNULL,
        )  # fmt: skip
        started = time.perf_counter()
        while self.get("/health/ready") != 200:
            time.sleep(0.05)
        self.ready_seconds = time.perf_counter() - started

    def __enter__(self) -> Service:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.process.kill()

    def get(self, path: str) -> int:
        """The status of an answer on a connection of its own; 0 without one."""
        try:
            return Caller(self).send("GET", path).status
        except OSError:
            return 0

    def megabytes(self) -> float:
        """Resident memory of the process."""
        status = Path(f"/proc/{self.process.pid}/status").read_text(encoding="ascii")
        return int(re.search(r"VmRSS:\s+(\d+)", status)[1]) / 1024  # type: ignore[index]

    def open_files(self) -> int:
        """Descriptors of the process: files, connections, pipes."""
        return len(list(Path(f"/proc/{self.process.pid}/fd").iterdir()))


class Caller:
    """Talks with a service over one connection that stays open."""

    def __init__(self, service: Service) -> None:
        self._connection = http.client.HTTPConnection("127.0.0.1", service.port, timeout=30)
        self._key = service.key
        self._cookie = ""
        self._last = time.perf_counter()

    def send(self, method: str, path: str, body: object = None, *, form: bool = False) -> Answer:
        """Send a request with the access key; one for a page with the login, once there is one."""
        headers = {"Authorization": f"Bearer {self._key}"}
        if self._cookie and not path.startswith(("/v1/", "/metrics")):
            headers = {"Cookie": self._cookie}
        content = None
        if body is not None:
            kind = "application/x-www-form-urlencoded" if form else "application/json"
            headers["Content-Type"] = kind
            content = urlencode(body) if form else json.dumps(body)  # type: ignore[arg-type]
        if time.perf_counter() - self._last > _IDLE:
            self._connection.close()
        self._connection.request(method, path, content, headers)
        reply = self._connection.getresponse()
        answer = Answer(reply.status, {name.lower(): value for name, value in reply.getheaders()}, reply.read())
        self._last = time.perf_counter()
        return answer

    def log_in(self) -> None:
        """Log in as a browser does; the pages take no key."""
        form = self.send("GET", "/login")
        self._cookie = _cookie_of(form)
        token = re.search(r'name="token" value="(\w+)"', form.content.decode())[1]  # type: ignore[index]
        answer = self.send("POST", "/login", {"key": self._key, "token": token}, form=True)
        if answer.status != HTTPStatus.SEE_OTHER:
            raise RuntimeError(f"no login: {answer.status}")
        self._cookie = _cookie_of(answer)

    def suggest(self, text: tuple[str, str]) -> Answer:
        return self.send("POST", "/v1/suggestions", {"text": text[0], "language": text[1]})


def _cookie_of(answer: Answer) -> str:
    return answer.headers["set-cookie"].split(";")[0]


def free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


def together(number: int, work: Callable[[int, Seen], None]) -> Seen:
    """Callers side by side, and all that they saw."""
    seen = [Seen() for _ in range(number)]
    threads = [threading.Thread(target=work, args=(at, seen[at])) for at in range(number)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    answers = [answer for one in seen for answer in one.answers]
    return Seen(answers, sum(one.broken for one in seen), sum(one.untold for one in seen))


def timed(send: Callable[[], Answer], seen: Seen) -> Answer:
    """Send, and write down what came of it."""
    started = time.perf_counter()
    try:
        answer = send()
    except (OSError, http.client.HTTPException):
        seen.broken += 1
        raise
    seen.add(answer, time.perf_counter() - started)
    return answer


def at_share(seconds: list[float], share: float) -> float | None:
    """The value in milliseconds below which a share lies; None without any."""
    ordered = sorted(seconds)
    return round(1000 * ordered[min(len(ordered) - 1, int(share * len(ordered)))], 1) if ordered else None
