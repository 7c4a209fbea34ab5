"""An end that the system asks for, in order: unfinished files are cleared away first."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any

# To end; the console was closed (Windows knows only the last one, other systems only the first two).
_NAMES = ("SIGTERM", "SIGHUP", "SIGBREAK")


@contextmanager
def stopping_in_order() -> Iterator[None]:
    """Within, a signal that would end the process at once raises ``SystemExit`` instead.

    Does nothing outside the main thread, where Python allows no handlers, and leaves signals alone that are handled or
    ignored already (``nohup``).
    """
    is_main = threading.current_thread() is threading.main_thread()
    known = [getattr(signal, name) for name in _NAMES if hasattr(signal, name)] if is_main else []
    taken = [number for number in known if signal.getsignal(number) is signal.SIG_DFL]

    def stop(number: int, frame: FrameType | None) -> Any:
        for other in taken:
            signal.signal(other, signal.SIG_IGN)  # a second one must not disturb the clearing away
        raise SystemExit(128 + number)  # as shells report it

    try:
        for number in taken:
            signal.signal(number, stop)
        yield
    finally:
        for number in taken:
            signal.signal(number, signal.SIG_DFL)
