"""Who is let in to the models: nobody who would have to wait too long for an answer.

Somebody with one narrative waits for those who have come before: each of them has one narrative in the line, a batch
too, since it asks for one turn after the other. Somebody with a batch brings work for many turns, and is let in only
where all the narratives that are inside, those of other batches too, would be done in the same time.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from threading import Lock

from .settings import MAX_BATCH
from .turns import Turns

BATCH = "/v1/suggestions/batch"
INSIDE = "casecoder.inside"
"""Where the scope of a request has its `Inside`, once it was let in."""
_LONGEST = 60  # seconds that anybody is told to stay away
_TEXT = b'"text"'  # of each narrative in the JSON of a batch, where quotes within a text are escaped


class Admission:
    """Counts who is inside, and lets in or sends away.

    Parameters
    ----------
    turns : at the models.
    most : requests inside; each of them holds a thread.
    seconds : the longest time that an answer may be expected to take, where others come before.
    tell : is told how many narratives are inside whenever that changes.
    """

    def __init__(
        self, turns: Turns, *, most: int, seconds: float, tell: Callable[[int], None] = lambda narratives: None
    ) -> None:
        self._turns = turns
        self._most = most
        self._seconds = seconds
        self._tell = tell
        self._lock = Lock()
        self._requests = 0
        self._narratives = 0

    def refusal(self, narratives: int = 1) -> int:
        """0 where a request with so many narratives may come in, else the seconds after which it should come again."""
        expected = self._turns.expected(self._requests if narratives == 1 else self._narratives)
        if self._requests < self._most and expected <= self._seconds:
            return 0
        return min(_LONGEST, max(1, math.ceil(expected - self._seconds)))

    def enter(self, narratives: int = 1) -> Inside:
        """Count a request that was let in."""
        self.change(1, narratives)
        return Inside(self, narratives)

    def change(self, requests: int, narratives: int) -> None:
        """Count who comes and what goes."""
        with self._lock:
            self._requests += requests
            self._narratives += narratives
            self._tell(self._narratives)


class Inside:
    """A request that was let in, and how many of its narratives are not done yet."""

    def __init__(self, admission: Admission, narratives: int) -> None:
        self._admission = admission
        self._left = narratives

    def one_done(self) -> None:
        """A narrative of a batch is done; what is left weighs less."""
        if self._left > 1:  # the last one leaves with the request
            self._left -= 1
            self._admission.change(0, -1)

    def leave(self) -> None:
        """The request has ended."""
        self._admission.change(-1, -self._left)
        self._left = 0


def narratives_of(path: str, body: bytes) -> int:
    """How many narratives a request brings, told without parsing it: a batch has a ``text`` for each."""
    return min(MAX_BATCH, max(1, body.count(_TEXT))) if path == BATCH else 1
