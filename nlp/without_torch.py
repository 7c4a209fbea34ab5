"""Processes of our own do without torch.

spaCy's library thinc imports it wherever it is installed, which takes seconds and 180 MB in each process; nothing that
suggests, redacts or codes in bulk uses it. A program that imports this package keeps its torch: only where one of our
own processes begins is this called.
"""

from __future__ import annotations

import sys


def without_torch() -> None:
    """Have ``import torch`` fail from now on, as where it is not installed, unless it was imported before."""
    sys.modules.setdefault("torch", None)  # type: ignore[arg-type]
