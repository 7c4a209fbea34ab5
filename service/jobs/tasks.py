"""What a process of jobs is told: the line of JSON that it reads first."""

from __future__ import annotations

import base64
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, ClassVar, Self

from .options import JobOptions


class Task:
    """What every task has in common, a dataclass each: its values go to another process as JSON and come back there."""

    _READ: ClassVar[Mapping[str, Callable[[Any], Any]]] = {
        "folder": Path,
        "key": base64.b64decode,
        "options": JobOptions.from_json,
    }

    def to_json(self) -> dict[str, Any]:
        """For the line that the process reads first."""
        return {name: _plain(value) for name, value in vars(self).items()}

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Self:
        """What `to_json` gave."""
        return cls(**{name: cls._READ[name](value) if name in cls._READ else value for name, value in data.items()})


def _plain(value: Any) -> Any:
    if isinstance(value, Path):
        return str(value)
    if isinstance(value, bytes):
        return base64.b64encode(value).decode()
    return value.to_json() if isinstance(value, JobOptions) else value
