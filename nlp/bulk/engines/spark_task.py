"""What runs on the nodes of a cluster: one shard after the other, each by a process of its own beside Spark's.

Spark's Python process only looks after that process, as the local engine does, by the same policy for rows that crash
it or take too long. So Spark's processes never hold a text of a row, and a row that crashes costs no more than itself.
"""

from __future__ import annotations

import os
import secrets
import socket
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ... import __version__
from ...bundle import MANIFEST
from ...core_dumps import no_core_dumps
from ...errors import CasecoderError, RunError
from ...keys import VARIABLE, read_key
from .. import sealed, stamped
from ..coding import LONG
from ..locking import locked
from ..progress import Progress, Tally
from ..shards import RESULTS, Plan, Shard
from .local import _Crew

MARKER = "spark.json"
_SIGHT = 15.0  # seconds for a file that one machine wrote to be seen by another; storage of the network may take some


@dataclass(frozen=True)
class Order:
    """What a node is told, besides the numbers of shards: paths, and what proves that they lead to the same files.

    ``attempts`` is how often Spark tries a shard.
    """

    work: str
    bundle: str
    plan: str
    nonce: str
    row_seconds: float
    attempts: int
    key_file: str | None = None
    version: str = __version__


@dataclass(frozen=True)
class Outcome:
    """What became of a shard: ``kind`` is None where it is done, else names the error; ``sentence`` is one of ours."""

    shard: int
    kind: str | None = None
    code: str | None = None
    sentence: str | None = None


class ShardFailed(Exception):
    """A shard that Spark shall try again, perhaps on another node. Says no more, since Spark logs it."""


def write_marker(work: Path, plan: Plan) -> str:
    """Leave a file that nodes must find in the work folder; what is random in it."""
    nonce = secrets.token_hex(16)
    stamped.save(work / MARKER, {"plan": plan.digest, "nonce": nonce})
    return nonce


def check_node(order: Order) -> str:
    """The name of this node. Raises `RunError` where it cannot work on the shards of an order: it says why."""
    no_core_dumps()  # it reads the key
    host = socket.gethostname()
    if order.version != __version__:
        raise RunError(
            f"on {host}, casecoder is {__version__}, the run was begun by {order.version}: install the same one there"
        )
    plan = _plan(order, host)
    try:
        digest = sealed.file_sha256(Path(order.bundle) / MANIFEST)
    except OSError:
        digest = ""
    if digest != plan.bundle_digest:
        raise RunError(f"on {host}, there is no bundle at {order.bundle}, or another one: put {plan.bundle_name} there")
    _check_writing(Path(order.work), host)
    _key(order, plan, host)
    return host


def check(order: Order, number: int) -> Outcome:
    """Say whether this node can work; ``number`` counts such tasks."""
    try:
        check_node(order)
    except Exception as error:
        return _failed(number, error)
    return Outcome(number)


def code(order: Order, numbers: Sequence[int], place: int) -> Outcome:
    """Code the shard at a place of a list, as a task of Spark."""
    from pyspark import TaskContext

    context = TaskContext.get()
    return code_shard(order, numbers[place], attempt=context.attemptNumber() if context else 0)


def tell(task: Callable[[int], Outcome], outcomes: Any, number: int) -> None:
    """Do a task and send home what became of it, by an accumulator of Spark."""
    outcomes.add([task(number)])


class Gathered:
    """How an accumulator of Spark gathers outcomes."""

    def zero(self, value: list[Outcome]) -> list[Outcome]:
        del value
        return []

    def addInPlace(self, value1: list[Outcome], value2: list[Outcome]) -> list[Outcome]:  # noqa: N802 (Spark's name)
        value1.extend(value2)
        return value1


def code_shard(order: Order, number: int, *, attempt: int = 0) -> Outcome:
    """Code a shard; what went wrong is told at the last attempt."""
    try:
        kept = _kept(order)
        kept.code(number)
    except Exception as error:  # its text may quote a row; only sentences of our own are told
        _let_go()
        if attempt + 1 < order.attempts:
            raise ShardFailed(f"shard {number} ({type(error).__name__})") from None
        return _failed(number, error)
    return Outcome(number)


def _failed(number: int, error: Exception) -> Outcome:
    known = isinstance(error, CasecoderError)
    return Outcome(number, type(error).__name__, getattr(error, "code", None), str(error) if known else None)


class _Kept(_Crew):
    """One process that codes shard after shard and has the bundle loaded."""

    def __init__(self, order: Order, plan: Plan, key: bytes | None) -> None:
        def ignore(progress: Progress) -> None:
            """The driver counts receipts."""

        super().__init__(Path(order.work), plan, Path(order.bundle), Tally(plan), order.row_seconds, ignore, key)

    def code(self, number: int) -> None:
        """Code one shard, whatever becomes of the process on the way."""
        shard = self._plan.shards[number]
        with _alone(shard):
            self._left.append(shard)
            while self._left or any(worker.shard for worker in self._workers):
                self._staff(1)
                self._attend()

    def close(self) -> None:
        for worker in self._workers:
            worker.kill()
            worker.end()


_KEPT: dict[Order, _Kept] = {}


def _kept(order: Order) -> _Kept:
    """The process for an order: the same one as long as nothing else is ordered."""
    if order not in _KEPT:
        _let_go()
        host = check_node(order)
        plan = _plan(order, host)
        _KEPT[order] = _Kept(order, plan, _key(order, plan, host))
    return _KEPT[order]


def _let_go() -> None:
    while _KEPT:
        _KEPT.popitem()[1].close()


def _plan(order: Order, host: str) -> Plan:
    """The plan that the order means, in the very folder that it means."""
    elsewhere = RunError(
        f"on {host}, {order.work} is not the work folder of this run: put it on storage that all nodes share, at one "
        "path, with --work"
    )
    work = Path(order.work)
    wanted = {"plan": order.plan, "nonce": order.nonce}
    until = time.monotonic() + _SIGHT
    while True:
        try:
            found: dict[str, Any] = stamped.load(work / MARKER)
            plan = Plan.load(work)
        except RunError:
            found = {}
        if found == wanted and plan.digest == order.plan:
            return plan
        if _is_closed(work):
            raise RunError(f"on {host}, {order.work} may not be read: Spark has to run there as the user of this run")
        if time.monotonic() > until:
            raise elsewhere
        time.sleep(0.5)


def _is_closed(work: Path) -> bool:
    """Whether a folder is there, but for somebody else."""
    try:
        next(work.iterdir(), None)
    except PermissionError:
        return True
    except OSError:
        return False
    return False


def _check_writing(work: Path, host: str) -> None:
    probe = work / RESULTS / f".check-{secrets.token_hex(8)}{sealed.PART}"
    try:
        probe.touch(exist_ok=False)
        probe.unlink()
    except OSError as error:
        raise RunError(
            f"on {host}, nothing can be written into {work} ({type(error).__name__}): Spark has to run there as the "
            "user of this run, and the storage has to be mounted for writing"
        ) from None


def _key(order: Order, plan: Plan, host: str) -> bytes | None:
    """The key of a sealed work folder, as this node has it: keys do not cross Spark."""
    if plan.key_mark is None:
        return None
    try:
        key = read_key(Path(order.key_file) if order.key_file else None)
        plan.check_key(key)
    except CasecoderError as error:
        raise RunError(
            f"on {host}: {error}. Nodes take the key from the same --key-file, or from {VARIABLE} in the environment "
            "of their Spark worker"
        ) from None
    return key


@contextmanager
def _alone(shard: Shard) -> Iterator[None]:
    """Of shards with texts so long that their states fill memory, one at a time on a node, as in the local engine."""
    user = os.getuid() if hasattr(os, "getuid") else "any"
    path = Path(tempfile.gettempdir()) / f"casecoder-long-{user}.lock"
    with ExitStack() as held:
        while shard.longest > LONG:
            try:
                held.enter_context(locked(path))
                break
            except RunError:
                time.sleep(1.0)
        yield
