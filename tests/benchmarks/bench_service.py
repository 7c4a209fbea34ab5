"""The service under load: one person, twenty who type, four times what it can take, thousands of requests, people who
are answered while a bulk job runs, and a stop in the middle. Starts `casecoder-serve run` with the default bundle, a
store and an access key of its own.

    python tests/benchmarks/bench_service.py [REQUESTS] [--only STEP ...]
    python tests/benchmarks/bench_service.py --only job

REQUESTS (10,000 if not given) are sent one after the other by two callers to see whether memory grows.
"""

from __future__ import annotations

import argparse
import http.client
import json
import os
import random
import signal
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from itertools import cycle, islice
from pathlib import Path

from serving import Caller, Seen, Service, at_share, timed, together
from serving_jobs import BulkJob
from texts import ROOT, narratives, percentiles

USERS = 20
SECONDS = 30.0
PAUSE = (0.8, 3.0)  # seconds between two requests of somebody who types
OVERLOADING = 100  # callers, who come in turns and wait for their answers
TIMES = 4  # what the service can take
CAPACITY_SECONDS = 10.0
OVERLOAD_SECONDS = 60.0
JOB_TEXTS = 300  # narratives in the file of the job
JOB_COPIES = 40  # of each of them, so that the file outlasts the measurement
JOB_TURNS = 4  # without and with the job
JOB_USERS = 10
JOB_ASKED = 80  # texts that one person asks for in a turn
JOB_SECONDS = 15.0  # that people type in a turn
WARM_TEXTS = 20
WARM = 500  # requests before memory is first looked at


def one_user(service: Service, texts: list[tuple[str, str]]) -> dict[str, object]:
    """The same texts over HTTP and by the pipeline itself, in turns."""
    from nlp import Narrative, load_pipeline

    pipeline, caller, seen, own = load_pipeline(), Caller(service), Seen(), []
    for text in texts[:10]:
        caller.suggest(text)
        pipeline.analyze_one(Narrative(text[0], language=text[1]))
    for text in texts:
        timed(lambda text=text: caller.suggest(text), seen)  # type: ignore[misc]
        started = time.perf_counter()
        pipeline.analyze_one(Narrative(text[0], language=text[1]))
        own.append(time.perf_counter() - started)
    over, bare = percentiles(seen.of(200)), percentiles(own)
    return {"over_http": over, "pipeline": bare, "p95_above_ms": round(over["p95_ms"] - bare["p95_ms"], 1)}


def typing(service: Service, texts: list[tuple[str, str]]) -> dict[str, object]:
    """Twenty people who type, each with pauses."""
    seen = _typed(service, texts, USERS, SECONDS)
    wrong = [status for _, status in seen.answers if status != 200]
    return {
        "users": USERS,
        "answers": len(seen.answers),
        "errors": len(wrong) + seen.broken,
        **percentiles(seen.of(200)),
    }


def _typed(service: Service, texts: list[tuple[str, str]], users: int, seconds: float) -> Seen:
    """What people see who type for some time, each with pauses."""
    end = time.perf_counter() + seconds

    def work(at: int, seen: Seen) -> None:
        chance, caller = random.Random(at), Caller(service)  # noqa: S311
        while time.perf_counter() < end:
            timed(lambda: caller.suggest(chance.choice(texts)), seen)
            time.sleep(chance.uniform(*PAUSE))

    return together(users, work)


def job(service: Service, texts: list[tuple[str, str]]) -> dict[str, object]:
    """One who asks and ten who type, in turns without and with a bulk job that runs; it is cancelled in between and
    goes on where it was."""
    bulk = BulkJob(service, texts[:JOB_TEXTS], copies=JOB_COPIES)
    _asked(service, texts[:WARM_TEXTS])
    seen: dict[str, dict[bool, Seen]] = {"one": {False: Seen(), True: Seen()}, "ten": {False: Seen(), True: Seen()}}
    ratios: dict[str, list[float]] = {"one": [], "ten": []}
    coded = 0
    for turn in range(JOB_TURNS):
        found: dict[str, dict[bool, Seen]] = {"one": {}, "ten": {}}
        for runs in (False, True) if turn % 2 == 0 else (True, False):
            before = bulk.go_on() if runs else 0
            found["one"][runs] = _asked(service, texts[turn * JOB_ASKED : (turn + 1) * JOB_ASKED])
            found["ten"][runs] = _typed(service, texts, JOB_USERS, JOB_SECONDS)
            coded += bulk.pause() - before if runs else 0
        for who, by_state in found.items():
            without, beside = (percentiles(by_state[runs].of(200))["p95_ms"] for runs in (False, True))
            ratios[who].append(round(beside / without, 2))
            for runs in (False, True):
                seen[who][runs].answers += by_state[runs].answers
    return {
        "rows_coded_meanwhile": coded,
        "errors": sum(status != 200 for by in seen.values() for one in by.values() for _, status in one.answers),
        **{who: {**_beside(by_state), "ratio_of_each_turn": ratios[who]} for who, by_state in seen.items()},
    }


def _asked(service: Service, texts: list[tuple[str, str]]) -> Seen:
    """What one person sees who asks again and again."""
    caller, seen = Caller(service), Seen()
    for text in texts:
        timed(lambda text=text: caller.suggest(text), seen)  # type: ignore[misc]
    return seen


def _beside(by_state: dict[bool, Seen]) -> dict[str, object]:
    """All turns together: without a job, beside it, and how many times as long answers took."""
    without, beside = percentiles(by_state[False].of(200)), percentiles(by_state[True].of(200))
    return {"without": without, "beside": beside, "p95_ratio": round(beside["p95_ms"] / without["p95_ms"], 2)}


def capacity(service: Service, texts: list[tuple[str, str]]) -> float:
    """Narratives a second that it codes for as many callers as there are cores, and one more."""
    end = time.perf_counter() + CAPACITY_SECONDS

    def work(at: int, seen: Seen) -> None:
        caller = Caller(service)
        for text in cycle(texts[at:]):
            if time.perf_counter() >= end:
                return
            timed(lambda text=text: caller.suggest(text), seen)  # type: ignore[misc]

    return len(together((os.cpu_count() or 1) + 1, work).of(200)) / CAPACITY_SECONDS


def overload(service: Service, texts: list[tuple[str, str]]) -> dict[str, object]:
    """Four times what it can take, whatever it answers: refused at once, alive all the time, also while it is asked
    for its figures."""
    most = capacity(service, texts)
    before = service.megabytes()
    end = time.perf_counter() + OVERLOAD_SECONDS
    alive: list[float] = []

    def look(path: str, pause: float, told: list[float]) -> None:
        while time.perf_counter() < end:
            started = time.perf_counter()
            service.get(path)
            told.append(time.perf_counter() - started)
            time.sleep(pause)

    def work(at: int, seen: Seen) -> None:
        caller, chance = Caller(service), random.Random(at)  # noqa: S311
        due = time.perf_counter() + chance.random() * OVERLOADING / (TIMES * most)
        while due < end:
            time.sleep(max(0.0, due - time.perf_counter()))
            timed(lambda: caller.suggest(chance.choice(texts)), seen)
            due += OVERLOADING / (TIMES * most)

    looking = [threading.Thread(target=look, args=("/health/live", 0.02, alive))]
    looking += [threading.Thread(target=look, args=("/metrics", 0.1, [])) for _ in range(2)]
    for thread in looking:
        thread.start()
    seen = together(OVERLOADING, work)
    for thread in looking:
        thread.join()
    accepted, refused = seen.of(200), seen.of(503)
    return {
        "capacity_per_second": round(most, 1),
        "sent_per_second": round(len(seen.answers) / OVERLOAD_SECONDS, 1),
        "accepted": len(accepted),
        "accepted_p50_ms": at_share(accepted, 0.5),
        "accepted_p99_ms": at_share(accepted, 0.99),
        "refused": len(refused),
        "refused_p50_ms": at_share(refused, 0.5),
        "refused_p99_ms": at_share(refused, 0.99),
        "refused_without_retry_after": seen.untold,
        "others": len(seen.answers) - len(accepted) - len(refused) + seen.broken,
        "alive_p99_ms": at_share(alive, 0.99),
        "megabytes": [round(before), round(service.megabytes())],
    }


def many(service: Service, texts: list[tuple[str, str]], number: int) -> dict[str, object]:
    """Thousands of requests: memory and open files before and after."""

    def batch(count: int) -> None:
        def work(at: int, seen: Seen) -> None:
            caller = Caller(service)
            for text in islice(cycle(texts), at, at + count // 2):
                timed(lambda text=text: caller.suggest(text), seen)  # type: ignore[misc]

        together(2, work)

    batch(WARM)
    before, open_before = service.megabytes(), service.open_files()
    batch(number)
    after, open_after = service.megabytes(), service.open_files()
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
        caller = Caller(service)
        for text in cycle(texts[at:]):
            try:
                timed(lambda text=text: caller.suggest(text), seen)  # type: ignore[misc]
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
    steps: dict[str, Callable[[Service], object]] = {
        "ready_seconds": lambda service: round(service.ready_seconds, 2),
        "one_user": lambda service: one_user(service, texts[:200]),
        "typing": lambda service: typing(service, texts),
        "overload": lambda service: overload(service, texts),
        "many": lambda service: many(service, texts, chosen.requests),
        "job": lambda service: job(service, texts),
        "stop": lambda service: stopped(service, texts),
    }
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("requests", nargs="?", type=int, default=10_000, metavar="REQUESTS")
    parser.add_argument("--only", nargs="+", choices=list(steps), default=list(steps), metavar="STEP")
    chosen = parser.parse_args()
    texts = [item for item in narratives() if 60 <= len(item[0].split()) <= 140][:400]
    with tempfile.TemporaryDirectory() as folder, Service(Path(folder) / "data") as service:
        for name in chosen.only:
            sys.stdout.write(json.dumps({name: steps[name](service)}) + "\n")
            sys.stdout.flush()


if __name__ == "__main__":
    main()
