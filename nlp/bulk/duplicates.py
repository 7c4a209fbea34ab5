"""Rows that tell the same story: exact and near duplicates, so that they are coded alike.

Exact: the same text, whatever its case and spaces. Near: a Jaccard index of at least 0.8 as their signatures (see
`minhash`) estimate it, with a standard error of 0.05 at that point; of texts at 0.8 the bands miss one pair in 4,600
(1 - (1 - 0.8^4)^16). A row is compared with the first rows of clusters only, never with other duplicates: so stories do
not drift from copy to copy, and only first rows take room.

Clusters are kept in a file of SQLite, so that memory does not grow with the table. It holds hashes under a secret key,
nothing of the texts; the key decides nothing about what is found.
"""

from __future__ import annotations

import hashlib
import os
import secrets
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from types import TracebackType
from typing import Literal

import numpy as np

from ..errors import OutputError
from ..types import Analysis, Suggestion
from .minhash import PERMUTATIONS, bands, fold_text, signature

NEAR = 0.8  # Jaccard index
FILE = "duplicates.sqlite"
KEY_SIZE = 32  # bytes
_CACHE = 4_096  # KiB of pages in memory
_CANDIDATES = 64  # first rows that one text is compared with; texts that share a long form letter have many
_SETTINGS = (
    # Made anew by each run: nothing in it has to survive one, so that there is neither a journal nor waiting for disks.
    "PRAGMA journal_mode = OFF",
    "PRAGMA synchronous = OFF",
    "PRAGMA locking_mode = EXCLUSIVE",
    "PRAGMA temp_store = MEMORY",
    f"PRAGMA cache_size = -{_CACHE}",
    "CREATE TABLE texts (hash BLOB PRIMARY KEY, first INTEGER, near INTEGER, same BLOB) WITHOUT ROWID",
    "CREATE TABLE firsts (row INTEGER PRIMARY KEY, signature BLOB)",
    "CREATE TABLE bands (hash INTEGER, row INTEGER, PRIMARY KEY (hash, row)) WITHOUT ROWID",
)
_NEIGHBORS = (  # one sign for each of the 16 bands
    "SELECT row, signature FROM firsts WHERE row IN (SELECT row FROM bands WHERE hash IN "
    "(?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)) ORDER BY row LIMIT ?"
)


@dataclass(frozen=True)
class Duplicate:
    """What a row repeats: ``of`` is the first row of its cluster. ``identical`` says that the two texts are the same,
    sign by sign."""

    of: int
    kind: Literal["exact", "near"]
    identical: bool = False


def duplicate_key(key: bytes | None = None) -> bytes:
    """The key of the hashes: derived from the key of the run, or random where the run has none."""
    if key is None:
        return secrets.token_bytes(KEY_SIZE)
    return hashlib.blake2b(b"duplicates", key=key, digest_size=KEY_SIZE).digest()


class DuplicateFinder:
    """Finds the rows that repeat an earlier one; a context manager, whose file goes with it.

    Parameters
    ----------
    folder
        Where the file is made; one that a stopped run left there is replaced.
    key
        As `duplicate_key` gives it.
    """

    def __init__(self, folder: Path, *, key: bytes) -> None:
        self._path = folder / FILE
        self._key = key
        with _writing():
            self._path.unlink(missing_ok=True)
            os.close(os.open(self._path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
            self._base = sqlite3.connect(self._path, isolation_level=None)
            try:
                for setting in _SETTINGS:
                    self._base.execute(setting)
                self._base.execute("BEGIN")  # one transaction to the end, which is never taken back
            except BaseException:
                self.close()
                raise

    def add(self, row: int, text: str) -> Duplicate | None:
        """What this row repeats, or None for the first of its kind; a text without a word repeats nothing.

        Raises `OutputError` where the file cannot grow.
        """
        folded = fold_text(text)
        if not any(map(str.isalnum, folded)):
            return None
        whole, same = self._hashed(folded, 16), self._hashed(text, 8)
        with _writing():
            known = self._base.execute("SELECT first, near, same FROM texts WHERE hash = ?", (whole,)).fetchone()
            if known:
                first, near, earlier = known
                return Duplicate(first, "near" if near else "exact", not near and earlier == same)
            found = signature(folded)
            stored = None if found is None else self._stored(found)
            shared = [] if stored is None else bands(stored)
            first = None if stored is None else self._nearest(stored, shared)
            self._base.execute(
                "INSERT INTO texts VALUES (?, ?, ?, ?)",
                (whole, row if first is None else first, first is not None, same),
            )
            if first is not None:
                return Duplicate(first, "near")
            if stored is not None:
                self._base.execute("INSERT INTO firsts VALUES (?, ?)", (row, stored.tobytes()))
                self._base.executemany("INSERT OR IGNORE INTO bands VALUES (?, ?)", [(band, row) for band in shared])
        return None

    def close(self) -> None:
        """Let go of the file and remove it."""
        self._base.close()
        with suppress(OSError):
            self._path.unlink(missing_ok=True)

    def __enter__(self) -> DuplicateFinder:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _nearest(self, stored: np.ndarray, shared: list[int]) -> int | None:
        """The first row whose signature agrees most, the earliest of several; None where none agrees enough."""
        candidates = self._base.execute(_NEIGHBORS, [*shared, _CANDIDATES]).fetchall()
        if not candidates:
            return None
        signatures = np.frombuffer(b"".join(blob for _, blob in candidates), dtype=np.uint32)
        shares = (signatures.reshape(-1, PERMUTATIONS) == stored).mean(axis=1)
        best = int(shares.argmax())
        return int(candidates[best][0]) if shares[best] >= NEAR else None

    def _hashed(self, text: str, size: int) -> bytes:
        return hashlib.blake2b(text.encode("utf-8", "surrogatepass"), key=self._key, digest_size=size).digest()

    def _stored(self, found: np.ndarray) -> np.ndarray:
        """A signature as it may lie on a disk: each place hashed under the key, to 32 bits."""
        places, size, key = found.tobytes(), found.itemsize, self._key
        hashed = [
            hashlib.blake2b(places[at : at + size], digest_size=4, key=key).digest()
            for at in range(0, len(places), size)
        ]
        return np.frombuffer(b"".join(hashed), dtype=np.uint32)


@contextmanager
def _writing() -> Iterator[None]:
    try:
        yield
    except sqlite3.IntegrityError:
        raise ValueError("each row is added once") from None
    except (sqlite3.Error, OSError):
        raise OutputError("the list of duplicates cannot be written: is the disk of the work folder full?") from None


def copied(first: Analysis, *, case_id: str | None) -> Analysis:
    """The analysis of a row whose text is identical to the first one's."""
    return replace(first, case_id=case_id)


def alike(first: Analysis, own: Analysis) -> Analysis:
    """A duplicate's analysis with the codes of the first row of its cluster.

    Probabilities, decisions, nothing and primary codes are the first's. The redaction is its own, and so is the
    evidence: codes that its own analysis has none for come without. Raises ValueError for analyses of two bundles.
    """
    if (first.bundle, first.codebook) != (own.bundle, own.codebook):
        raise ValueError("the two analyses come from different bundles")
    evidence = {item.code: item.evidence for item in own.suggestions}

    def taken(item: Suggestion) -> Suggestion:
        return replace(item, evidence=() if item.decision == "none" else evidence.get(item.code, ()))

    return replace(
        own,
        suggestions=tuple(map(taken, first.suggestions)),
        primary=dict(first.primary),
        nothing=dict(first.nothing),
    )


def unsettled(first: Analysis, own: Analysis) -> Analysis:
    """What `alike` gives, for a duplicate that reads otherwise: the machine sets nothing in it by itself, neither a
    code nor that none applies."""
    same = alike(first, own)
    return replace(
        same,
        suggestions=tuple(
            replace(item, decision="suggest") if item.decision == "auto" else item for item in same.suggestions
        ),
        nothing={axis: min(value, own.nothing.get(axis, 0.0)) for axis, value in first.nothing.items()},
    )


def reads_otherwise(first: Analysis, own: Analysis) -> bool:
    """Whether a near duplicate by itself would be suggested other codes than the first row: a word or two that it has
    more or less may turn the story, so that a person should look."""
    return _suggested(first) != _suggested(own)


def _suggested(analysis: Analysis) -> set[str]:
    return {item.code for item in analysis.suggestions if item.suggested}
