"""Names of the files that hold the texts to look at."""

from __future__ import annotations

ROWS = 25  # in a file: opening one row opens no more than these


def block_name(block: int) -> str:
    """The name of a block of texts."""
    return f"review-{block:05d}"
