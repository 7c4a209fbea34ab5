"""A worker process of the local engine: codes the shards that it is told the numbers of.

It speaks JSON lines over standard input and output: numbers and paths, never text of a row. It ends when its parent
does, however that ends: at the end of standard input, and on Linux by a signal of the kernel as well.
"""

from __future__ import annotations

import base64
import json
import os
import queue
import signal
import sys
import threading
from pathlib import Path
from typing import Any, BinaryIO

from ...core_dumps import no_core_dumps
from ...without_torch import without_torch

_DEATH_SIGNAL = 1  # PR_SET_PDEATHSIG of linux/prctl.h


def main() -> None:
    """Read the first line, which says what to work on; then one line a shard, until there are no more."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches all processes of a terminal; the parent decides
    said = _own_output()
    orders: queue.SimpleQueue[dict[str, Any]] = queue.SimpleQueue()
    threading.Thread(target=_listen, args=(sys.stdin.buffer, orders), daemon=True).start()
    try:
        first = orders.get()
        _die_with(first["parent"])
        no_core_dumps()
        without_torch()
        _serve(first, orders, said)
    except Exception as error:  # its text may quote a row: the parent gets the class, and sentences of our own
        from ...errors import CasecoderError

        sentence = str(error) if isinstance(error, CasecoderError) else None
        said.tell(event="failed", kind=type(error).__name__, code=getattr(error, "code", None), sentence=sentence)
        sys.exit(1)


class _Output:
    """Where the parent listens."""

    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream

    def tell(self, **facts: Any) -> None:
        self._stream.write(json.dumps(facts).encode("ascii") + b"\n")
        self._stream.flush()


def _own_output() -> _Output:
    """Standard output for this module alone: what a library prints goes nowhere."""
    own = os.fdopen(os.dup(sys.stdout.fileno()), "wb")
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, sys.stdout.fileno())
    os.close(nowhere)
    return _Output(own)


def _listen(stream: BinaryIO, orders: queue.SimpleQueue[dict[str, Any]]) -> None:
    """Hand on orders; the end of them ends the process at once, even in the middle of a row."""
    for line in stream:
        orders.put(json.loads(line))
    os._exit(0)


def _die_with(parent: int) -> None:
    if not sys.platform.startswith("linux"):
        return
    import ctypes

    ctypes.CDLL(None).prctl(_DEATH_SIGNAL, signal.SIGKILL)
    if os.getppid() != parent:  # it died before that
        os._exit(0)


def _serve(first: dict[str, Any], orders: queue.SimpleQueue[dict[str, Any]], said: _Output) -> None:
    from ...types import Narrative
    from ..coding import code_narrative
    from ..shard_run import LoadedBundle, run_shard
    from ..shards import Plan

    work = Path(first["work"])
    plan = Plan.load(work)
    key = base64.b64decode(first["key"]) if first["key"] else None
    loaded = LoadedBundle.open(
        Path(first["bundle"]),
        max_characters=plan.options["max_characters"],
        precision=plan.options["auto_precision"],
    )
    # Dictionaries load with the first narrative: seconds that must not count as those of a row.
    code_narrative(loaded.pipeline, Narrative("Nobody was harmed in the city.", language=loaded.languages[0]))
    said.tell(event="ready")

    def tell_row(row: int | None, characters: int, errors: int) -> None:
        said.tell(event="row", row=row, characters=characters, errors=errors)

    while True:
        order = orders.get()
        apart = {int(row): reason for row, reason in order["apart"].items()}
        run_shard(work, plan.shards[order["shard"]], loaded, apart=apart, on_row=tell_row, plan=plan, key=key)
        said.tell(event="done")


if __name__ == "__main__":
    main()
