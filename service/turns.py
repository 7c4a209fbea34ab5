"""Turns at the models: who asks first is served first, and how long that takes is known before anybody waits."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http import HTTPStatus
from threading import Event, Lock

from .problems import RequestRefused

_REMEMBERED = 32  # turns that the moving average is of: a second or two under load
_LEFT_OUT = 16  # of so many turns the longest is left out: where the machine stood still, that says nothing of the next


class Turns:
    """As many turns at once as there are cores, given in the order in which they are asked for.

    A batch asks for a turn for each of its narratives, so that others come in between.
    """

    def __init__(self, at_once: int, *, clock: Callable[[], float] = time.monotonic) -> None:
        self.at_once = at_once
        self._clock = clock
        self._lock = Lock()
        self._line: deque[Event] = deque()
        self._began: dict[Event, float] = {}
        self._took: deque[float] = deque(maxlen=_REMEMBERED)

    @contextmanager
    def turn(self, *, seconds: float) -> Iterator[None]:
        """Wait for a turn and have it. Raises `RequestRefused` where none comes within ``seconds``."""
        mine = self._ask()
        if not mine.wait(seconds) and self._step_back(mine):
            raise RequestRefused(
                HTTPStatus.SERVICE_UNAVAILABLE, "limit.busy", "Too many requests wait already: try again soon."
            )
        try:
            yield
        finally:
            self._end(mine)

    def expected(self, ahead: int) -> float:
        """Seconds until somebody who has ``ahead`` others before them has had their turn; 0 where a place is free,
        since nobody waits for others then."""
        with self._lock:
            if ahead < self.at_once:
                return 0.0
            usual = self._usual()
            return (ahead + 1) * usual / self.at_once + self._late(usual)

    def _usual(self) -> float:
        """Seconds that a turn takes: a moving average without the longest turns."""
        kept = sorted(self._took)[: len(self._took) - len(self._took) // _LEFT_OUT]
        return sum(kept) / len(kept) if kept else 0.0

    def _late(self, usual: float) -> float:
        """Seconds that nothing has moved beyond what a turn takes."""
        if len(self._began) < self.at_once:
            return 0.0
        return max(0.0, self._clock() - max(self._began.values()) - usual)

    def _ask(self) -> Event:
        mine = Event()
        with self._lock:
            if len(self._began) < self.at_once:
                self._begin(mine)
            else:
                self._line.append(mine)
        return mine

    def _step_back(self, mine: Event) -> bool:
        """Leave the line; False where the turn has come at the last moment."""
        with self._lock:
            if mine in self._began:
                return False
            self._line.remove(mine)
            return True

    def _begin(self, one: Event) -> None:
        self._began[one] = self._clock()
        one.set()

    def _end(self, mine: Event) -> None:
        with self._lock:
            self._took.append(self._clock() - self._began.pop(mine))
            if self._line:
                self._begin(self._line.popleft())
