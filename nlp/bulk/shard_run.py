"""Coding one shard: the only work that an engine schedules. Only paths and receipts cross an engine.

The same shard and bundle give the same bytes, however often and wherever they are run.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from .. import __version__
from ..bundle import MANIFEST, Bundle, find_bundle, open_bundle
from ..codebook import Codebook
from ..errors import BundleCorrupt, RunError
from ..pipeline import Pipeline
from ..types import Analysis
from . import sealed, stamped
from .coding import code_row
from .receipts import Receipt, errors_by_kind, standing
from .results import Packing, write_result
from .shards import Plan, Shard, ShardRow, read_shard

BULK_MAX_CHARACTERS = 2_000_000  # code points of one cell; legacy files hold whole case files in one cell now and then

OnRow = Callable[[int | None, int, int], None]
"""Told before each row: its number, its length in code points, and how many rows before it have an error; and once
more when all rows are done, with None for the number."""

CRASHED, SLOW = "row.crashed", "row.slow"
_APART = {
    CRASHED: "the process that worked on this row died of it twice; code this case by hand",
    SLOW: "this row took longer than a row may take; code this case by hand, or allow more by --row-seconds",
}


@dataclass(frozen=True)
class LoadedBundle:
    """A bundle for whole files; its models load when they are first asked for.

    ``auto_precision`` is what its policy promises of automatic codes; ``folder`` is None for a pipeline that was made
    in memory, which no other process can load.
    """

    name: str
    digest: str
    codebook: Codebook = field(repr=False)
    languages: tuple[str, ...]
    max_characters: int
    auto_precision: float
    folder: Path | None = None
    load: Callable[[], Pipeline] = field(kw_only=True, repr=False, compare=False)

    @cached_property
    def pipeline(self) -> Pipeline:
        return self.load()

    @classmethod
    def open(
        cls,
        reference: str | Path | None = None,
        *,
        max_characters: int = BULK_MAX_CHARACTERS,
        threads: int = 1,
        precision: float | None = None,
    ) -> LoadedBundle:
        """Find a bundle and check its files; ``precision`` is what automatic codes are to promise, by default what the
        bundle does. Raises a `BundleError`, and `SettingsError` for a precision that it cannot promise."""
        folder = find_bundle(reference)
        bundle, digest = _opened(folder)

        def load() -> Pipeline:  # opened anew, since whoever only leads a run should not hold the models' bytes
            again, found = _opened(folder)
            if found != digest:
                raise BundleCorrupt(bundle.name, "it was exchanged while it was in use")
            return again.pipeline(max_characters=max_characters, threads=threads, precision=precision)

        codebook = bundle.codebook()
        promised = bundle.policy(precision).auto_precision
        return cls(bundle.name, digest, codebook, bundle.languages, max_characters, promised, folder, load=load)

    @classmethod
    def of(cls, pipeline: Pipeline) -> LoadedBundle:
        """A pipeline that is in memory already; its digest tells its name and codebook, not its models."""
        digest = stamped.digest({"pipeline": pipeline.bundle, "codebook": pipeline.codebook.digest})
        reader = pipeline.reader
        return cls(
            pipeline.bundle,
            digest,
            pipeline.codebook,
            reader.languages,
            reader.max_characters,
            pipeline.policy.auto_precision,
            load=lambda: pipeline,
        )


def _opened(folder: Path) -> tuple[Bundle, str]:
    """A bundle and the digest of just these files, even if somebody exchanges them meanwhile."""
    before = sealed.file_sha256(folder / MANIFEST)
    bundle = open_bundle(folder)
    if bundle.digest != before:
        raise BundleCorrupt(bundle.name, "it was exchanged while it was read")
    return bundle, before


def run_shard(
    work: Path,
    shard: Shard,
    loaded: LoadedBundle,
    *,
    apart: Mapping[int, str] = {},
    on_row: OnRow = lambda row, characters, errors: None,
    plan: Plan | None = None,
    key: bytes | None = None,
) -> Receipt:
    """Code the rows of a shard: write its result, then its receipt. A shard that is done is left as it is.

    ``apart`` maps rows that must not be tried again to the reason, `CRASHED` or `SLOW`. ``on_row`` is called before
    each row that is tried, see `OnRow`; ``plan`` spares reading that of ``work``.

    Raises
    ------
    RunError
        The shard is not that of the plan, or the bundle is another one.
    OutputError
        The result cannot be written; nothing of it is left.
    """
    plan = plan or Plan.load(work)
    if loaded.digest != plan.bundle_digest or loaded.max_characters != plan.options["max_characters"]:
        raise RunError(
            f"the bundle is not the one that this run was begun with ({plan.bundle_name}): one run is coded by one "
            "bundle; put that one back, or begin anew with --restart"
        )
    if earlier := standing(work, plan, shard):
        return earlier
    started = time.monotonic()
    records = _records(read_shard(work, shard, key=key), loaded, apart, on_row)
    receipt = Receipt(
        shard=shard.number,
        shard_sha256=shard.sha256,
        plan=plan.digest,
        bundle_digest=loaded.digest,
        result_sha256=write_result(work, shard.number, records, key=key),
        rows=len(records),
        errors=errors_by_kind(record["error"] for record in records),
        apart=sorted(set(shard.numbers) & set(apart)),
        engine={"casecoder": __version__, "seconds": round(time.monotonic() - started, 3)},
    )
    receipt.save(work)
    return receipt


def _records(
    rows: list[ShardRow], loaded: LoadedBundle, apart: Mapping[int, str], on_row: OnRow
) -> list[dict[str, Any]]:
    packing = Packing(loaded.codebook)
    records, errors = [], 0
    for row in rows:
        outcome: Analysis | str
        if row.number in apart:
            outcome = f"{apart[row.number]}: {_APART[apart[row.number]]}"
        else:
            on_row(row.number, len(row.text or ""), errors)
            outcome = code_row(loaded.pipeline, row)
        errors += isinstance(outcome, str)
        records.append(packing.pack(row.number, outcome))
    on_row(None, 0, errors)
    return records
