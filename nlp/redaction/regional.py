"""Words that tell what an identifier is, in the languages beside English and Russian, as parts of patterns.

They lie in ``data/regional.txt``, written by hand for this project: a section for each kind of word, ``*`` for an open
ending, ``_`` for a blank, small letters, for patterns that see folded text.
"""

from __future__ import annotations

import importlib.resources
from functools import cache

_ENDING = r"\w{0,5}"


@cache
def _sections() -> dict[str, tuple[str, ...]]:
    text = importlib.resources.files(__package__).joinpath("data", "regional.txt").read_text(encoding="utf-8")
    found: dict[str, list[str]] = {}
    for line in text.splitlines():
        if line.startswith("["):
            words = found[line.strip("[]")] = []
        elif line and not line.startswith("#"):
            words += line.split()
    return {name: tuple(dict.fromkeys(words)) for name, words in found.items()}


def words_of(kind: str) -> tuple[str, ...]:
    """The words of a section as they are written there. Raises KeyError for an unknown one."""
    return _sections()[kind]


@cache
def any_of(kind: str) -> str:
    """The words of a section as alternatives of a pattern, longest first."""
    words = (word.replace(".", r"\.").replace("*", _ENDING).replace("_", r"\s") for word in words_of(kind))
    return "|".join(sorted(words, key=lambda word: (-len(word), word)))
