"""A crash must leave no copy of the memory, in which narratives may stand."""

from __future__ import annotations

import sys


def no_core_dumps() -> None:
    """Have the system write none of this process, nor of those that it starts."""
    if sys.platform != "win32":
        import resource

        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
