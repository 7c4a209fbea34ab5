"""How far two coders who worked apart agree: a sample for the second coder, and Krippendorff's alpha of the two
codings."""

from __future__ import annotations

import json
import random
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from nlp.codebook import Codebook
from nlp.errors import CorpusError

from .corpus import Case, is_hard

_NOTHING = frozenset({"nothing"})  # MASI knows no empty sets


@dataclass(frozen=True)
class Coding:
    """What one coder said of one case: the codes of each axis, and the primary code where there is one."""

    case_id: str
    codes: Mapping[str, frozenset[str]]
    primary: Mapping[str, str | None]


def sample_for_second(cases: Sequence[Case], *, share: float, seed: int) -> list[Case]:
    """A share of the cases of each language, half of it hard cases as far as there are enough, drawn with a seed."""
    by_language: dict[str, list[Case]] = defaultdict(list)
    for case in sorted(cases, key=lambda case: case.case_id):
        by_language[case.language].append(case)
    rng = random.Random(seed)  # noqa: S311 - a sample, no secret
    drawn: list[Case] = []
    for language in sorted(by_language):
        members = by_language[language]
        wanted = round(share * len(members))
        hard = rng.sample(kept := [case for case in members if is_hard(case)], min(wanted // 2, len(kept)))
        rest = [case for case in members if case not in hard and not is_hard(case)]
        drawn += hard + rng.sample(rest, min(wanted - len(hard), len(rest)))
    rng.shuffle(drawn)
    return drawn


def coding_of(case: Case) -> Coding:
    """The coding that a case carries."""
    return Coding(case.case_id, {axis: codes or frozenset() for axis, codes in case.codes.items()}, dict(case.primary))


def write_codings(path: Path, codings: Iterable[Coding]) -> None:
    """Write codings as JSON lines, without any text."""
    lines = [
        json.dumps(
            {
                "id": item.case_id,
                **{axis: sorted(codes) for axis, codes in item.codes.items()},
                "primary": dict(item.primary),
            }
        )
        for item in sorted(codings, key=lambda item: item.case_id)
    ]
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("\n".join([*lines, ""]), encoding="utf-8", newline="\n")


def read_codings(path: Path, codebook: Codebook) -> dict[str, Coding]:
    """Codings by case id. Raises `CorpusError` with file, line and reason."""
    codings: dict[str, Coding] = {}
    try:
        lines = path.read_text(encoding="utf-8-sig").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise CorpusError(f"cannot be read ({type(error).__name__})", source=path.name, line=0) from None
    for number, line in enumerate(lines, 1):
        if line.strip():
            item = _coding(line, codebook, path.name, number)
            if item.case_id in codings:
                raise CorpusError("this id stands twice", source=path.name, line=number)
            codings[item.case_id] = item
    return codings


def _coding(line: str, codebook: Codebook, source: str, number: int) -> Coding:
    try:
        data = json.loads(line)
        codes = {axis.id: frozenset(data[axis.id]) for axis in codebook.axes}
        primary = {axis.id: data["primary"][axis.id] for axis in codebook.axes if axis.has_primary}
        case_id = str(data["id"])
    except (KeyError, TypeError, ValueError):
        raise CorpusError("wants an object with id, the axes and primary", source=source, line=number) from None
    for axis in codebook.axes:
        if unknown := sorted(codes[axis.id] - set(axis.codes)):
            raise CorpusError(f"{unknown[0]} is no code of `{axis.id}`", source=source, line=number)
        if axis.has_primary and primary[axis.id] not in {None, *codes[axis.id]}:
            raise CorpusError(f"the primary code of `{axis.id}` is not among its codes", source=source, line=number)
    return Coding(case_id, codes, primary)


def agreement(first: Mapping[str, Coding], second: Mapping[str, Coding], codebook: Codebook) -> dict[str, Any]:
    """Figures of agreement on the cases that both coded.

    ``alpha`` is Krippendorff's alpha (Krippendorff 2019, chapter 12): with the MASI distance of code sets (Passonneau
    2006) for an axis, nominal for each code; null where neither coder ever used the code. ``f1`` counts the second
    coding against the first.
    """
    from nltk.metrics.distance import masi_distance

    both = sorted(set(first) & set(second))
    figures: dict[str, Any] = {"cases": len(both), "axes": {}, "primary": {}}
    for axis in codebook.axes:
        pairs = [(first[case].codes[axis.id], second[case].codes[axis.id]) for case in both]
        shared = sum(len(a & b) for a, b in pairs)
        used = sum(len(a) + len(b) for a, b in pairs)
        figures["axes"][axis.id] = {
            "alpha": _alpha([(a or _NOTHING, b or _NOTHING) for a, b in pairs], masi_distance),
            "identical": round(sum(a == b for a, b in pairs) / len(pairs), 4) if pairs else None,
            "f1": round(2 * shared / used, 4) if used else None,
            "codes": {code: _of_code(pairs, code) for code in axis.codes},
        }
        if axis.has_primary:
            same = [first[case].primary[axis.id] == second[case].primary[axis.id] for case in both]
            figures["primary"][axis.id] = round(sum(same) / len(same), 4) if same else None
    return figures


def _of_code(pairs: Sequence[tuple[frozenset[str], frozenset[str]]], code: str) -> dict[str, Any]:
    from nltk.metrics.distance import binary_distance

    said = [(code in a, code in b) for a, b in pairs]
    return {
        "first": sum(a for a, _ in said),
        "second": sum(b for _, b in said),
        "both": sum(a and b for a, b in said),
        "alpha": _alpha(said, binary_distance) if any(a or b for a, b in said) else None,
    }


def _alpha(pairs: Sequence[tuple[Any, Any]], distance: Any) -> float | None:
    """None where there is nothing to compare."""
    if not pairs:
        return None
    from nltk.metrics.agreement import AnnotationTask

    data = [(coder, item, label) for item, pair in enumerate(pairs) for coder, label in enumerate(pair)]
    return round(float(AnnotationTask(data=data, distance=distance).alpha()), 4)


def disagreements(first: Mapping[str, Coding], second: Mapping[str, Coding]) -> list[tuple[str, str, str, str]]:
    """Each difference as ``(case id, axis, code, who has it)``, to be decided by a third look."""
    found = []
    for case in sorted(set(first) & set(second)):
        for axis, codes in first[case].codes.items():
            other = second[case].codes[axis]
            found += [(case, axis, code, "first") for code in sorted(codes - other)]
            found += [(case, axis, code, "second") for code in sorted(other - codes)]
    return found
