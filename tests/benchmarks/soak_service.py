"""The service for an hour at half of what it can take: does it make errors, does it take more and more memory or
descriptors? Starts `casecoder-serve run` with the default bundle, a store and an access key of its own.

    python tests/benchmarks/soak_service.py [--minutes 60] [--load 0.5]

Callers ask for suggestions and redactions, store decisions, read and erase them, and open pages. Decisions are erased
again after a while, so that the store does not grow. Writes a table to standard error and JSON to standard output;
exit code 1 where there was an error, memory has grown by more than a twentieth, or descriptors by more than connections
that come and go.
"""

from __future__ import annotations

import argparse
import http.client
import json
import random
import statistics
import sys
import tempfile
import threading
import time
from collections import Counter, deque
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from serving import Answer, Caller, Seen, Service, at_share, timed
from texts import narratives

CALLERS = 8
KEPT = 25  # decisions of each caller, until the oldest is erased
WARM = 60  # requests of each caller, before anything is measured, that tell what the service can take
GROWTH = 0.05
MORE_FILES = (
    16  # connections of callers and to the store, which keeps up to ten of them; a leak is thousands in an hour
)
EVERY = 1.0  # seconds between two looks at the process
PAGES = ("/", "/example", "/coordinator", "/v1/codebook", "/v1/bundles", "/v1/feedback?limit=20", "/metrics")
SHARES = {"suggestions": 55, "redactions": 15, "feedback": 10, "reading": 5, "pages": 15}


class Person:
    """A caller who does one thing after the other, and what came of it."""

    def __init__(self, service: Service, texts: list[tuple[str, str]], seed: int) -> None:
        self._caller = Caller(service)
        self._caller.log_in()
        self._texts = texts
        self._chance = random.Random(seed)  # noqa: S311
        self._axes = [axis["axis"] for axis in self._caller.send("GET", "/v1/codebook").json()["axes"]]
        self._stored: deque[tuple[str, str]] = deque()  # ids of cases and of the decisions on them
        self._number = seed * 1_000_000
        self.seen: dict[str, Seen] = {kind: Seen() for kind in (*SHARES, "erasures")}
        self.wrong: Counter[str] = Counter()

    def act(self) -> None:
        """Do one thing, chosen by its share."""
        kind = self._chance.choices(list(SHARES), list(SHARES.values()))[0]
        acts: dict[str, Callable[[], None]] = {"feedback": self._decide, "reading": self._read, "pages": self._look}
        try:
            acts.get(kind, lambda: self._send_text(kind))()
        except (OSError, http.client.HTTPException) as error:
            self.wrong[f"{kind} {type(error).__name__}"] += 1

    def go_on(self, number: int) -> None:
        """Do so many things without a pause."""
        for _ in range(number):
            self.act()

    def fill(self) -> None:
        """Store as many decisions as are kept."""
        while len(self._stored) < KEPT and not self.wrong:
            self._decide()

    def forget(self) -> None:
        """Begin to count anew."""
        self.seen = {kind: Seen() for kind in self.seen}
        self.wrong.clear()

    def _send(self, kind: str, method: str, path: str, body: object = None, *, wanted: int = 200) -> Answer | None:
        """The answer where it is the one that is wanted."""
        answer = timed(lambda: self._caller.send(method, path, body), self.seen[kind])
        if answer.status == wanted:
            return answer
        self.wrong[f"{kind} {answer.status} {_code_of(answer)}"] += 1
        return None

    def _send_text(self, kind: str) -> None:
        text, language = self._chance.choice(self._texts)
        self._send(kind, "POST", f"/v1/{kind}", {"text": text, "language": language})

    def _look(self) -> None:
        self._send("pages", "GET", self._chance.choice(PAGES))

    def _read(self) -> None:
        if self._stored:
            self._send("reading", "GET", f"/v1/feedback/{self._chance.choice(self._stored)[1]}")

    def _decide(self) -> None:
        """Ask for suggestions and accept them all; a case that is coded blind has none of the codes."""
        text, language = self._chance.choice(self._texts)
        self._number += 1
        case_id = f"case-{self._number}"
        asked = {"text": text, "language": language, "case_id": case_id}
        if (answer := self._send("suggestions", "POST", "/v1/suggestions", asked)) is None:
            return
        said = answer.json()
        body = {
            "receipt": said["receipt"],
            "redacted_text": said["redacted_text"],
            "verdicts": [
                {"axis": item["axis"], "code": item["code"], "verdict": "accepted"}
                for item in said["suggestions"]
                if item["suggested"]
            ],
            "nothing": self._axes if said["withheld"] else [],
        }
        if stored := self._send("feedback", "POST", "/v1/feedback", body, wanted=201):
            self._stored.append((case_id, stored.json()["id"]))
        if len(self._stored) > KEPT:
            self._send("erasures", "POST", "/v1/erasures", {"case_id": self._stored.popleft()[0]})


class Watch:
    """Looks at memory and descriptors of the service now and then."""

    def __init__(self, service: Service) -> None:
        self._service = service
        self._looks: list[tuple[float, int]] = []
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._look)

    def __enter__(self) -> Watch:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()

    def _look(self) -> None:
        while not self._over.wait(EVERY):
            self._looks.append((self._service.megabytes(), self._service.open_files()))

    def ends(self) -> tuple[list[float], list[float]]:
        """Memory in MB and descriptors, each at the start and at the end: medians of a tenth of the looks."""
        tenth = max(1, len(self._looks) // 10)
        first, last = self._looks[:tenth], self._looks[-tenth:]
        return (
            [round(statistics.median(look[0] for look in part), 1) for part in (first, last)],
            [statistics.median(look[1] for look in part) for part in (first, last)],
        )


def _code_of(answer: Answer) -> str:
    """What a problem is called, so that a refusal under load is told from trouble with the store."""
    with suppress(ValueError, AttributeError):
        return str(answer.json().get("code", ""))
    return ""


def side_by_side(people: list[Person], work: Callable[[int], None]) -> None:
    threads = [threading.Thread(target=work, args=(at,)) for at in range(len(people))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def warm_up(people: list[Person]) -> float:
    """Requests a second that the service can take, measured when it is warm and keeps as much as it will."""
    side_by_side(people, lambda at: people[at].fill())
    started = time.perf_counter()
    side_by_side(people, lambda at: people[at].go_on(WARM))
    per_second = WARM * len(people) / (time.perf_counter() - started)
    for person in people:
        person.forget()
    return per_second


def soak(people: list[Person], *, per_second: float, seconds: float) -> None:
    """Requests at random moments, so many a second, whatever becomes of those before."""
    end = time.perf_counter() + seconds

    def work(at: int) -> None:
        chance = random.Random(at)  # noqa: S311
        due = time.perf_counter()
        while (due := due + chance.expovariate(per_second / len(people))) < end:
            time.sleep(max(0.0, due - time.perf_counter()))
            people[at].act()

    side_by_side(people, work)


def report(people: list[Person], watch: Watch) -> dict[str, object]:
    wrong: Counter[str] = sum((person.wrong for person in people), Counter())
    kinds = {}
    for kind in people[0].seen:
        times = [seconds for person in people for seconds, _ in person.seen[kind].answers]
        kinds[kind] = {"requests": len(times), "p50_ms": at_share(times, 0.5), "p99_ms": at_share(times, 0.99)}
    megabytes, open_files = watch.ends()
    grown = round(megabytes[1] / megabytes[0] - 1, 4)
    return {
        "requests": sum(kind["requests"] or 0 for kind in kinds.values()),
        "errors": sum(wrong.values()),
        "error_kinds": dict(sorted(wrong.items())),
        "megabytes": megabytes,
        "memory_growth": grown,
        "open_files": open_files,
        "kinds": kinds,
        "held": not wrong and grown <= GROWTH and open_files[1] - open_files[0] <= MORE_FILES,
    }


def table(found: dict[str, object]) -> str:
    lines = [f"{'':<14}{'requests':>10}{'p50 ms':>10}{'p99 ms':>10}"]
    kinds: dict[str, dict[str, object]] = found["kinds"]  # type: ignore[assignment]
    for kind, told in kinds.items():
        lines.append(f"{kind:<14}{told['requests']:>10}{told['p50_ms'] or '':>10}{told['p99_ms'] or '':>10}")
    lines.append("")
    for name in ("errors", "megabytes", "memory_growth", "open_files", "held"):
        lines.append(f"{name.replace('_', ' '):<20}{found[name]}")
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--minutes", type=float, default=60.0)
    parser.add_argument("--load", type=float, default=0.5, help="share of what the service can take")
    chosen = parser.parse_args()
    texts = [item for item in narratives() if 60 <= len(item[0].split()) <= 140][:400]
    with (
        tempfile.TemporaryDirectory() as folder,
        Service(Path(folder) / "data", CASECODER_READS_PER_DAY="0") as service,
    ):
        people = [Person(service, texts, seed) for seed in range(CALLERS)]
        most = warm_up(people)
        with Watch(service) as watch:
            soak(people, per_second=chosen.load * most, seconds=60 * chosen.minutes)
    told = {"minutes": chosen.minutes, "capacity_per_second": round(most, 1), "load": chosen.load}
    found = report(people, watch)
    sys.stderr.write(table(found) + "\n")
    sys.stdout.write(json.dumps(told | found) + "\n")
    sys.exit(0 if found["held"] else 1)


if __name__ == "__main__":
    main()
