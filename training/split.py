"""Grouped, stratified, seeded splits: related cases never straddle, every code and language gets its share.

Iterative stratification (Sechidis, Tsoumakas and Vlahavas 2011) over groups instead of single cases, one language
after the other. A division can be frozen into a file: then the test split stays what it is while the corpus grows.
"""

from __future__ import annotations

import hashlib
import json
import random
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from nlp.errors import CorpusError

from .corpus import Case, case_json, groups_of

SPLITS = ("train", "tune", "test")
SEEN = (
    "seen"  # tag of a case that was looked at while recognizers were written: it may be trained on, never measured on
)


@dataclass(frozen=True)
class Plan:
    """How to divide. ``shares`` maps a language, or ``default``, to the share of each split; all cases of
    ``test_writers`` go to ``test``, so that voices are measured that no model has heard."""

    shares: Mapping[str, Mapping[str, float]]
    seed: int
    test_writers: tuple[str, ...] = ()

    def of(self, language: str) -> Mapping[str, float]:
        return self.shares.get(language, self.shares["default"])


@dataclass(frozen=True)
class Frozen:
    """A division that is kept: the ids of ``tune`` and ``test``, all others being ``train``."""

    version: str
    seed: int
    test_writers: tuple[str, ...]
    tune: tuple[str, ...]
    test: tuple[str, ...]
    test_digest: str


def split_cases(cases: Sequence[Case], plan: Plan) -> dict[str, list[Case]]:
    """Cases of each split, in the order given.

    The same cases and plan give the same splits. Groups with a case that is tagged as `SEEN` go to ``train``. The
    others are dealt out starting with those that have the rarest trait (code, writer); a group goes where that trait
    is missing most, then where cases are missing most.
    """
    group_of = dict(zip((case.case_id for case in cases), groups_of(cases), strict=True))
    groups: dict[str, list[Case]] = defaultdict(list)
    for case in cases:
        groups[group_of[case.case_id]].append(case)
    by_language: dict[str, dict[str, list[Case]]] = defaultdict(dict)
    for name in sorted(groups):
        by_language[min(groups[name], key=lambda case: case.case_id).language][name] = groups[name]
    home: dict[str, str] = {}
    for language in sorted(by_language):
        home |= _deal(by_language[language], plan.of(language), plan)
    return {split: [case for case in cases if home[group_of[case.case_id]] == split] for split in SPLITS}


def _deal(groups: Mapping[str, list[Case]], shares: Mapping[str, float], plan: Plan) -> dict[str, str]:
    """The split of each group of one language: first those that a rule settles, then those with the rarest trait."""
    home = {name: split for name, members in groups.items() if (split := _settled(members, plan))}
    room = {split: sum(map(len, groups.values())) * shares[split] for split in SPLITS}
    for name, split in home.items():
        room[split] -= len(groups[name])
    left = sorted(set(groups) - set(home))
    random.Random(plan.seed).shuffle(left)  # noqa: S311 - a seeded order of groups, no secret
    traits = {name: Counter(trait for case in groups[name] for trait in _traits(case)) for name in left}
    total = sum(traits.values(), Counter())
    shares = _shares_of_room(room)
    missing = {split: {trait: count * shares[split] for trait, count in total.items()} for split in SPLITS}
    for trait in sorted(total, key=lambda trait: (total[trait], trait)):
        for name in left:
            if name not in home and trait in traits[name]:
                open_splits = [split for split in SPLITS if room[split] > 0] or list(SPLITS)
                split = max(sorted(open_splits), key=lambda split: (missing[split][trait], room[split]))
                home[name] = split
                room[split] -= len(groups[name])
                for other, count in traits[name].items():
                    missing[split][other] -= count
    return home


def _settled(members: Sequence[Case], plan: Plan) -> str | None:
    if any(SEEN in case.tags for case in members):
        return "train"
    return "test" if any(case.writer in plan.test_writers for case in members) else None


def _shares_of_room(room: Mapping[str, float]) -> dict[str, float]:
    """What is still to be dealt out, by split, adding up to 1."""
    open_room = {split: max(0.0, places) for split, places in room.items()}
    total = sum(open_room.values()) or 1.0
    return {split: places / total for split, places in open_room.items()}


def _traits(case: Case) -> list[str]:
    codes = [code for codes in case.codes.values() for code in codes or ()]
    empty = [f"{axis}:nothing" for axis, codes in case.codes.items() if codes is not None and not codes]
    return [*codes, *empty, f"writer:{case.writer}"]


def freeze(splits: Mapping[str, Sequence[Case]], plan: Plan, *, version: str, source: str) -> Frozen:
    """A division as it is kept. Raises `CorpusError` if a split is empty or a test writer has no narratives."""
    if empty := [name for name in SPLITS if not splits[name]]:
        raise CorpusError(f"{empty[0]} would be empty: there are too few groups of narratives", source=source, line=0)
    writers = {case.writer for members in splits.values() for case in members}
    if unknown := sorted(set(plan.test_writers) - writers):
        raise CorpusError(f"no narrative is by the test writer {unknown[0]}", source=source, line=0)
    tune, test = (tuple(sorted(case.case_id for case in splits[name])) for name in ("tune", "test"))
    return Frozen(version, plan.seed, plan.test_writers, tune, test, digest(splits["test"]))


def digest(cases: Iterable[Case]) -> str:
    """SHA-256 over the cases, whatever their order."""
    lines = sorted(json.dumps(case_json(case), ensure_ascii=False, sort_keys=True) for case in cases)
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()


def apply_frozen(cases: Sequence[Case], frozen: Frozen, *, source: str) -> dict[str, list[Case]]:
    """Cases of each split of a kept division, in the order given; cases that it does not name are ``train``.

    Raises `CorpusError` if a case is missing, if the test split is not the one that was frozen, or if a group
    straddles.
    """
    named = dict.fromkeys(frozen.tune, "tune") | dict.fromkeys(frozen.test, "test")
    if absent := sorted(set(named) - {case.case_id for case in cases}):
        raise CorpusError(
            f"{len(absent)} of its cases are not in the corpus, the first is {absent[0]}", source=source, line=0
        )
    splits: dict[str, list[Case]] = {split: [] for split in SPLITS}
    home: dict[str, str] = {}
    for case, group in zip(cases, groups_of(cases), strict=True):
        split = named.get(case.case_id, "train")
        if home.setdefault(group, split) != split:
            raise CorpusError(
                f"{case.case_id} is in {split}, but another case of its writer and theme in {home[group]}",
                source=source,
                line=0,
            )
        if split != "test" and case.writer in frozen.test_writers:
            raise CorpusError(f"{case.case_id} is by a test writer, but not in test", source=source, line=0)
        if split != "train" and SEEN in case.tags:
            raise CorpusError(f"{case.case_id} is tagged `{SEEN}`, but in {split}", source=source, line=0)
        splits[split].append(case)
    if digest(splits["test"]) != frozen.test_digest:
        raise CorpusError(
            f"the test split is not the one that was frozen as version {frozen.version}; "
            "a changed one needs a new version (casecoder-train split)",
            source=source,
            line=0,
        )
    return splits


def write_frozen(path: Path, frozen: Frozen) -> None:
    """Write a division as JSON."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(vars(frozen), indent=0) + "\n", encoding="utf-8", newline="\n")


def read_frozen(path: Path) -> Frozen:
    """Read a kept division. Raises `CorpusError`."""
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
        lists = {key: data[key] for key in ("test_writers", "tune", "test")}
        if not all(isinstance(ids, list) and all(isinstance(item, str) for item in ids) for ids in lists.values()):
            raise TypeError
        return Frozen(
            version=str(data["version"]),
            seed=int(data["seed"]),
            test_digest=str(data["test_digest"]),
            **{key: tuple(ids) for key, ids in lists.items()},
        )
    except OSError:
        raise CorpusError("is missing: run `casecoder-train split` first", source=str(path), line=0) from None
    except (KeyError, TypeError, ValueError):
        raise CorpusError("is no file that `casecoder-train split` wrote", source=str(path), line=0) from None


def straddling(splits: Mapping[str, Sequence[Case]], pairs: Iterable[tuple[str, str]]) -> list[tuple[str, str]]:
    """Those of the pairs of ids whose cases are in different splits."""
    home = {case.case_id: split for split, members in splits.items() for case in members}
    return [(first, second) for first, second in pairs if home[first] != home[second]]


def divided(cases: Sequence[Case], plan: Plan, kept: Path | None) -> dict[str, list[Case]]:
    """The splits of a run: those that were frozen into a file, or else made now."""
    return apply_frozen(cases, read_frozen(kept), source=kept.name) if kept else split_cases(cases, plan)
