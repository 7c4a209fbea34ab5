"""What a crash leaves of a process that holds narratives."""

from __future__ import annotations

import sys


def without_core_dumps() -> None:
    """Have the system keep no copy of this process's memory, nor of those that it starts, when it crashes."""
    if sys.platform != "win32":
        import resource

        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
