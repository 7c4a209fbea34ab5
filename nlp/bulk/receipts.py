"""Receipts: what was made of each shard, and the proof that together they are the whole run.

A receipt is written after its result. It names the plan, the shard, the bundle and the result by their hashes: what was
altered, or made by another bundle, does not pass for done.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ..errors import RunError
from . import sealed, stamped
from .results import read_result, result_path
from .shards import RECEIPTS, Plan, Shard, shard_path


@dataclass(frozen=True)
class Receipt:
    """What was made of one shard. ``errors`` counts rows by kind of error; ``apart`` are the rows that were not tried
    again after they had stopped a process; ``engine`` are facts that do not matter to the result, such as seconds."""

    shard: int
    shard_sha256: str
    plan: str
    bundle_digest: str
    result_sha256: str
    rows: int
    errors: Mapping[str, int]
    apart: Sequence[int] = ()
    engine: Mapping[str, Any] = field(default_factory=dict)

    def to_json(self) -> dict[str, Any]:
        return {
            "shard": {"number": self.shard, "sha256": self.shard_sha256, "rows": self.rows},
            "plan": self.plan,
            "bundle": self.bundle_digest,
            "result": self.result_sha256,
            "errors": dict(self.errors),
            "apart": list(self.apart),
            "engine": dict(self.engine),
        }

    @classmethod
    def from_json(cls, facts: Mapping[str, Any]) -> Receipt:
        """Raises `RunError` for what is no receipt."""
        try:
            return cls(
                shard=facts["shard"]["number"],
                shard_sha256=facts["shard"]["sha256"],
                plan=facts["plan"],
                bundle_digest=facts["bundle"],
                result_sha256=facts["result"],
                rows=facts["shard"]["rows"],
                errors=facts["errors"],
                apart=facts["apart"],
                engine=facts["engine"],
            )
        except (KeyError, TypeError):
            raise RunError("a receipt of the work folder lacks facts: it was made by another version") from None

    def save(self, work: Path) -> None:
        stamped.save(receipt_path(work, self.shard), self.to_json())

    @classmethod
    def load(cls, work: Path, number: int) -> Receipt:
        """Raises `RunError` where there is none, or it was altered."""
        return cls.from_json(stamped.load(receipt_path(work, number)))

    def complaint(self, plan: Plan, shard: Shard) -> str | None:
        """Why this does not speak for a shard of a plan; None where it does."""
        if self.plan != plan.digest:
            return "is of another run"
        if (self.shard, self.shard_sha256, self.rows) != (shard.number, shard.sha256, shard.rows):
            return "is not of the shard in the plan"
        if self.bundle_digest != plan.bundle_digest:
            return "names another bundle than the plan"
        return None


def receipt_path(work: Path, number: int) -> Path:
    return work / RECEIPTS / f"{number:05d}.json"


def standing(work: Path, plan: Plan, shard: Shard) -> Receipt | None:
    """The receipt of a shard that is done and sound, and so needs no work; None for any other."""
    try:
        receipt = Receipt.load(work, shard.number)
        stored = sealed.file_sha256(result_path(work, shard.number))
    except (RunError, OSError):
        return None
    return receipt if stored == receipt.result_sha256 and not receipt.complaint(plan, shard) else None


def count_receipts(work: Path) -> int:
    """How many shards have a receipt, sound or not."""
    folder = work / RECEIPTS
    return sum(path.suffix == ".json" for path in folder.iterdir()) if folder.is_dir() else 0


def verify(work: Path, plan: Plan, *, key: bytes | None = None, only_done: bool = False) -> list[str]:
    """What keeps the shards of a plan from being proved, as sentences; none where every row was coded exactly once.

    With ``only_done``, shards that have no receipt yet are passed over.
    """
    found = list(plan_faults(work, plan))
    for shard in plan.shards:
        found += _shard(work, plan, shard, key, only_done=only_done)
    return found


def plan_faults(work: Path, plan: Plan) -> Iterator[str]:
    """What is wrong with a plan itself, and with the files beside the shards."""
    expected = 1
    for number, shard in enumerate(plan.shards):
        if (shard.number, shard.first_row) != (number, expected):
            yield f"shard {number} of the plan does not follow the one before it"
        expected += shard.rows
    if expected - 1 != plan.input.rows:
        yield f"the shards of the plan hold {expected - 1:,} rows, the input {plan.input.rows:,}"
    for name, sha256 in plan.files.items():
        if _hash(work / name) != sha256:
            yield f"{name} is gone or was altered"


def _shard(work: Path, plan: Plan, shard: Shard, key: bytes | None, *, only_done: bool) -> Iterator[str]:
    name = f"shard {shard.number}"
    if _hash(shard_path(work, shard.number)) != shard.sha256:
        yield f"{name} is gone or was altered after it was written"
    if not receipt_path(work, shard.number).exists():
        if not only_done:
            yield f"{name} has no receipt: it is not done"
        return
    try:
        receipt = Receipt.load(work, shard.number)
        if complaint := receipt.complaint(plan, shard):
            yield f"the receipt of {name} {complaint}"
        records = read_result(work, shard.number, sha256=receipt.result_sha256, key=key)
    except RunError as error:
        yield f"{name}: {error}"
        return
    if [record["row"] for record in records] != list(shard.numbers):
        yield f"the result of {name} does not hold each of its rows once and in order"
    if errors_by_kind(record["error"] for record in records) != dict(receipt.errors):
        yield f"the receipt of {name} counts other errors than its result has"


def errors_by_kind(errors: Iterator[str | None]) -> dict[str, int]:
    """Counts by what stands before the colon, in the order of their names."""
    return dict(sorted(Counter(error.split(":")[0] for error in errors if error is not None).items()))


def _hash(path: Path) -> str | None:
    try:
        return sealed.file_sha256(path)
    except OSError:
        return None
