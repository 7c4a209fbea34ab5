"""The service under load: one person, twenty who type, more than it can take, thousands of requests, and a stop in
the middle. Starts `casecoder-serve run` with the default bundle, a store and an access key of its own.

    python tests/benchmarks/bench_service.py [REQUESTS]

REQUESTS (10,000 if not given) are sent one after the other by two callers to see whether memory grows.
"""

from __future__ import annotations

import http.client
import json
import os
import random
import re
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import cycle, islice
from pathlib import Path

from texts import ROOT, narratives, percentiles

USERS = 20
SECONDS = 30.0
PAUSE = (0.8, 3.0)  # seconds between two requests of somebody who types
OVERLOADING = 64  # callers without a pause
WARM = 500  # requests before memory is first looked at


@dataclass
class Seen:
    """What callers saw: seconds and status of each answer."""

    answers: list[tuple[float, int]] = field(default_factory=list)
    broken: int = 0

    def of(self, *statuses: int) -> list[float]:
        return [seconds for seconds, status in self.answers if status in statuses]


class Service:
    """A running service, and how to talk to it."""

    def __init__(self, folder: Path) -> None:
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
        }
        self.process = subprocess.Popen(
            [sys.executable, "-m", "service", "run", "--port", str(self.port)],
            env=environ, cwd=ROOT, stderr=subprocess.DEVNULL,
        )  # fmt: skip
        started = time.perf_counter()
        while self.get("/health/ready") != 200:
            time.sleep(0.05)
        self.ready_seconds = time.perf_counter() - started

    def get(self, path: str) -> int:
        try:
            connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
            connection.request("GET", path, headers={"Authorization": f"Bearer {self.key}"})
            return connection.getresponse().status
        except OSError:
            return 0

    def caller(self) -> Callable[[str, str], int]:
        """Sends narratives over one connection that stays open."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        headers = {"Authorization": f"Bearer {self.key}", "Content-Type": "application/json"}

        def send(text: str, language: str) -> int:
            body = json.dumps({"text": text, "language": language})
            connection.request("POST", "/v1/suggestions", body, headers)
            answer = connection.getresponse()
            answer.read()
            return answer.status

        return send

    def megabytes(self) -> float:
        status = Path(f"/proc/{self.process.pid}/status").read_text(encoding="ascii")
        return int(re.search(r"VmRSS:\s+(\d+)", status)[1]) / 1024  # type: ignore[index]


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
    return Seen([answer for one in seen for answer in one.answers], sum(one.broken for one in seen))


def timed(send: Callable[[str, str], int], text: tuple[str, str], seen: Seen) -> None:
    started = time.perf_counter()
    try:
        status = send(*text)
    except (OSError, http.client.HTTPException):
        seen.broken += 1
        raise
    seen.answers.append((time.perf_counter() - started, status))


def one_user(service: Service, texts: list[tuple[str, str]]) -> dict[str, object]:
    """The same texts over HTTP and by the pipeline itself, in turns."""
    from nlp import Narrative, load_pipeline

    pipeline, send, seen, own = load_pipeline(), service.caller(), Seen(), []
    for text in texts[:10]:
        send(*text)
        pipeline.analyze_one(Narrative(text[0], language=text[1]))
    for text in texts:
        timed(send, text, seen)
        started = time.perf_counter()
        pipeline.analyze_one(Narrative(text[0], language=text[1]))
        own.append(time.perf_counter() - started)
    over, bare = percentiles(seen.of(200)), percentiles(own)
    return {"over_http": over, "pipeline": bare, "p95_above_ms": round(over["p95_ms"] - bare["p95_ms"], 1)}


def typing(service: Service, texts: list[tuple[str, str]]) -> dict[str, object]:
    """Twenty people who type, each with pauses."""
    end = time.perf_counter() + SECONDS

    def work(at: int, seen: Seen) -> None:
        chance, send = random.Random(at), service.caller()  # noqa: S311
        while time.perf_counter() < end:
            timed(send, chance.choice(texts), seen)
            time.sleep(chance.uniform(*PAUSE))

    seen = together(USERS, work)
    wrong = [status for _, status in seen.answers if status != 200]
    return {
        "users": USERS,
        "answers": len(seen.answers),
        "errors": len(wrong) + seen.broken,
        **percentiles(seen.of(200)),
    }


def overload(service: Service, texts: list[tuple[str, str]]) -> dict[str, object]:
    """Far more than it can take: refused at once, alive all the time."""
    end = time.perf_counter() + SECONDS / 2
    alive: list[float] = []

    def work(at: int, seen: Seen) -> None:
        if at == 0:
            while time.perf_counter() < end:
                started = time.perf_counter()
                service.get("/health/live")
                alive.append(time.perf_counter() - started)
                time.sleep(0.02)
            return
        send = service.caller()
        for text in cycle(texts[at:]):
            if time.perf_counter() >= end:
                return
            timed(send, text, seen)

    seen = together(OVERLOADING + 1, work)
    accepted, refused = sorted(seen.of(200)), sorted(seen.of(503))
    return {
        "accepted": len(accepted),
        "accepted_p99_ms": at_share(accepted, 0.99),
        "refused": len(refused),
        "refused_p95_ms": at_share(refused, 0.95),
        "others": len(seen.answers) - len(accepted) - len(refused) + seen.broken,
        "alive_p99_ms": at_share(sorted(alive), 0.99),
        "megabytes": round(service.megabytes()),
    }


def at_share(seconds: list[float], share: float) -> float | None:
    return round(1000 * seconds[min(len(seconds) - 1, int(share * len(seconds)))], 1) if seconds else None


def many(service: Service, texts: list[tuple[str, str]], number: int) -> dict[str, object]:
    """Thousands of requests: memory and open files before and after."""

    def batch(count: int) -> None:
        def work(at: int, seen: Seen) -> None:
            send = service.caller()
            for text in islice(cycle(texts), at, at + count // 2):
                timed(send, text, seen)

        together(2, work)

    files = Path(f"/proc/{service.process.pid}/fd")
    batch(WARM)
    before, open_before = service.megabytes(), len(list(files.iterdir()))
    batch(number)
    after, open_after = service.megabytes(), len(list(files.iterdir()))
    return {
        "requests": number,
        "megabytes": [round(before), round(after)],
        "growth": round(after / before - 1, 4),
        "open_files": [open_before, open_after],
    }


def stopped(service: Service, texts: list[tuple[str, str]]) -> dict[str, object]:
    """A stop while people are being answered: whoever was let in gets an answer."""
    cut = threading.Event()

    def work(at: int, seen: Seen) -> None:
        send = service.caller()
        for text in cycle(texts[at:]):
            try:
                timed(send, text, seen)
            except (http.client.RemoteDisconnected, ConnectionError):
                if not cut.is_set():  # before the stop no connection breaks
                    return
                seen.broken = 0  # a new request on a connection that the stop has closed was never let in
                return
            except (OSError, http.client.HTTPException):
                return

    def stop() -> None:
        time.sleep(1.0)
        cut.set()
        service.process.send_signal(signal.SIGTERM)

    thread = threading.Thread(target=stop)
    thread.start()
    seen = together(4, work)
    started = time.perf_counter()
    thread.join()
    service.process.wait(timeout=30)
    return {
        "answered": len(seen.of(200)),
        "broken": seen.broken + len(seen.answers) - len(seen.of(200, 503)),
        "seconds_to_exit": round(time.perf_counter() - started, 2),
        "exit_code": service.process.returncode,
    }


def main() -> None:
    sys.path.insert(0, str(ROOT))
    number = int(sys.argv[1]) if len(sys.argv) > 1 else 10_000
    texts = [item for item in narratives() if 60 <= len(item[0].split()) <= 140][:400]
    with tempfile.TemporaryDirectory() as folder:
        service = Service(Path(folder) / "data")
        try:
            steps: dict[str, Callable[[], object]] = {
                "ready_seconds": lambda: round(service.ready_seconds, 2),
                "one_user": lambda: one_user(service, texts[:200]),
                "typing": lambda: typing(service, texts),
                "overload": lambda: overload(service, texts),
                "many": lambda: many(service, texts, number),
                "stop": lambda: stopped(service, texts),
            }
            for name, step in steps.items():
                sys.stdout.write(json.dumps({name: step()}) + "\n")
                sys.stdout.flush()
        finally:
            service.process.kill()


if __name__ == "__main__":
    main()
