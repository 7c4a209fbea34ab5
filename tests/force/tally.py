"""What came of the kills."""

from __future__ import annotations

import os
import random
from collections import Counter
from dataclasses import dataclass, field

from .processes import Process, survival

SHORT = 4
IN_FLIGHT = 2  # shards, one a worker
MOST_SECONDS = 5.0  # that a process may live on without its parent; asked for in the long form alone: machines differ


def wanted_kills() -> int:
    """How many kills were asked for; by default few."""
    return int(os.environ.get("CASECODER_FORCE_KILLS", SHORT))


def wanted_seed() -> int:
    """What the random moments come from."""
    given = os.environ.get("CASECODER_FORCE_SEED")
    return int(given) if given else random.SystemRandom().randrange(10**6)


@dataclass
class Tally:
    """Kills by kind, and what they cost."""

    seed: int
    kills: Counter[str] = field(default_factory=Counter)
    runs: int = 0
    rows: int = 0
    lost: int = 0
    doubled: int = 0
    torn: int = 0
    differing: int = 0
    repeated: int = 0
    """Shards that were coded again because of one kill, at most."""
    orphans: float = 0.0
    """Seconds that a process lived on without its parent, at most."""

    def count(self, kind: str, orphans: list[Process]) -> None:
        """A kill that hit; waits until those whom it left alone have ended."""
        self.kills[kind] += 1
        self.orphans = max(self.orphans, survival(orphans))

    def compare(self, found: list[str], wanted: list[str], *, same_bytes: bool) -> None:
        """The ids of an output beside those of its input."""
        counts = Counter(found)
        self.runs += 1
        self.rows += len(wanted)
        self.lost += sum(counts[one] == 0 for one in wanted)
        self.doubled += sum(count - 1 for count in counts.values())
        self.differing += not same_bytes
        assert found == wanted
        assert same_bytes

    def check(self) -> None:
        """What kills may cost."""
        assert self.repeated <= IN_FLIGHT, "more shards were coded again than were in flight"
        assert wanted_kills() <= SHORT or self.orphans <= MOST_SECONDS

    def lines(self) -> list[str]:
        """As a table for people."""
        width = max(map(len, (*self.kills, "shards coded again after one kill, at most")))
        facts = {
            **{f"  {kind}": f"{count:,}" for kind, count in sorted(self.kills.items())},
            "rows": f"{self.rows:,} in {self.runs} outputs",
            "lost": f"{self.lost:,}",
            "doubled": f"{self.doubled:,}",
            "files torn": f"{self.torn:,}",
            "outputs that differ from the undisturbed one": f"{self.differing:,}",
            "shards coded again after one kill, at most": f"{self.repeated:,}",
            "orphans lived on, at most": f"{self.orphans:.1f} s",
        }
        head = f"{self.kills.total()} kills (SIGKILL) at random moments; CASECODER_FORCE_SEED={self.seed}"
        return [head, *(f"{name:<{width + 4}} {value:>8}" for name, value in facts.items())]
