"""Grouped, stratified, seeded splits: related cases never straddle, every code and language gets its share.

Iterative stratification (Sechidis, Tsoumakas and Vlahavas 2011) over groups instead of single cases.
"""

from __future__ import annotations

import random
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence

from .corpus import Case, groups_of

SEEN = (
    "seen"  # tag of a case that was looked at while recognizers were written: it may be trained on, never measured on
)


def split_cases(cases: Sequence[Case], shares: Mapping[str, float], *, seed: int) -> dict[str, list[Case]]:
    """Cases of each split, in the order given; one split is called ``train``.

    The same cases, shares and seed give the same splits. Groups with a case that is tagged as `SEEN` go to ``train``.
    The others are dealt out starting with those that have the rarest trait (code, language, writer); a group goes
    where that trait is missing most, then where cases are missing most.
    """
    groups: dict[str, list[Case]] = defaultdict(list)
    group_of = dict(zip((case.case_id for case in cases), groups_of(cases), strict=True))
    for case in cases:
        groups[group_of[case.case_id]].append(case)
    traits = {name: Counter(trait for case in members for trait in _traits(case)) for name, members in groups.items()}
    total = sum(traits.values(), Counter())
    missing = {split: {trait: count * share for trait, count in total.items()} for split, share in shares.items()}
    room = {split: len(cases) * share for split, share in shares.items()}
    left = sorted(groups)
    random.Random(seed).shuffle(left)  # noqa: S311 - a seeded order of groups, no secret
    home: dict[str, str] = {}

    def settle(name: str, split: str) -> None:
        home[name] = split
        room[split] -= len(groups[name])
        for trait, count in traits[name].items():
            missing[split][trait] -= count

    for name in left:
        if any(SEEN in case.tags for case in groups[name]):
            settle(name, "train")
    open_groups = set(left) - set(home)
    for trait in sorted(total, key=lambda trait: (total[trait], trait)):
        for name in left:
            if name in open_groups and trait in traits[name]:
                split = max(sorted(shares), key=lambda split: (missing[split].get(trait, 0), room[split]))
                settle(name, split)
                open_groups.discard(name)
    return {split: [case for case in cases if home[group_of[case.case_id]] == split] for split in shares}


def _traits(case: Case) -> list[str]:
    codes = [code for codes in case.codes.values() for code in codes or ()]
    empty = [f"{axis}:nothing" for axis, codes in case.codes.items() if codes is not None and not codes]
    return [f"language:{case.language}", f"writer:{case.writer}", *codes, *empty]
