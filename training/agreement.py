"""How far two coders who worked apart agree: a sample for the second coder, and Krippendorff's alpha of the two
codings."""

from __future__ import annotations

import json
import math
import random
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from nlp.codebook import Codebook
from nlp.errors import CorpusError

from .corpus import Case, case_from_json, is_hard, json_lines
from .statistics import by_language

_NOTHING = frozenset({"nothing"})  # MASI knows no empty sets


@dataclass(frozen=True)
class Coding:
    """What one coder said of one case: the codes of each axis, None where it was not coded, and the primary codes."""

    case_id: str
    codes: Mapping[str, frozenset[str] | None]
    primary: Mapping[str, str | None]


def sample_for_second(cases: Sequence[Case], *, share: float, seed: int) -> list[Case]:
    """A share of the cases of each language, half of it hard cases as far as there are enough, drawn with a seed."""
    rng = random.Random(seed)  # noqa: S311 - a sample, no secret
    drawn: list[Case] = []
    for members in by_language(sorted(cases, key=lambda case: case.case_id)).values():
        wanted = min(len(members), math.ceil(share * len(members)))
        hard, easy = ([case for case in members if is_hard(case) is kind] for kind in (True, False))
        rng.shuffle(hard)
        rng.shuffle(easy)
        half = min(len(hard), max(wanted // 2, wanted - len(easy)))
        drawn += hard[:half] + easy[: wanted - half]
    rng.shuffle(drawn)
    return drawn


def coding_of(case: Case) -> Coding:
    """The coding that a case carries."""
    return Coding(case.case_id, dict(case.codes), dict(case.primary))


def write_codings(path: Path, codings: Iterable[Coding]) -> None:
    """Write codings as JSON lines, without any text."""
    lines = [
        json.dumps(
            {
                "id": item.case_id,
                **{axis: None if codes is None else sorted(codes) for axis, codes in item.codes.items()},
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
    for number, data in json_lines(path):
        item = _coding(data, codebook, path.name, number)
        if item.case_id in codings:
            raise CorpusError("this id stands twice", source=path.name, line=number)
        codings[item.case_id] = item
    return codings


def _coding(data: Any, codebook: Codebook, source: str, line: int) -> Coding:
    """A checked coding. Files of narratives can be read too."""
    whole = {"lang": "-", "text": "-", **data, "evidence": {}, "spans": None} if isinstance(data, dict) else data
    return coding_of(case_from_json(whole, codebook, source, line))


def agreement(first: Mapping[str, Coding], second: Mapping[str, Coding], codebook: Codebook) -> dict[str, Any]:
    """Figures of agreement on the cases that both coded.

    ``alpha`` is Krippendorff's alpha (Krippendorff 2019, chapter 12): with the MASI distance of code sets (Passonneau
    2006) for an axis, nominal for each code; null where all values are the same. ``f1`` counts the second
    coding against the first.
    """
    from nltk.metrics.distance import masi_distance

    both = sorted(set(first) & set(second))
    figures: dict[str, Any] = {"cases": len(both), "axes": {}, "primary": {}}
    for axis in codebook.axes:
        coded = [case for case in both if None not in (first[case].codes[axis.id], second[case].codes[axis.id])]
        pairs = [
            (first[case].codes[axis.id] or frozenset(), second[case].codes[axis.id] or frozenset()) for case in coded
        ]
        shared = sum(len(a & b) for a, b in pairs)
        used = sum(len(a) + len(b) for a, b in pairs)
        figures["axes"][axis.id] = {
            "alpha": _alpha([(a or _NOTHING, b or _NOTHING) for a, b in pairs], masi_distance),
            "identical": round(sum(a == b for a, b in pairs) / len(pairs), 4) if pairs else None,
            "f1": round(2 * shared / used, 4) if used else None,
            "codes": {code: _of_code(pairs, code) for code in axis.codes},
        }
        if axis.has_primary:
            said = [(first[case].primary[axis.id], second[case].primary[axis.id]) for case in coded]
            same = [a == b for a, b in said if a or b]
            figures["primary"][axis.id] = round(sum(same) / len(same), 4) if same else None
    return figures


def _of_code(pairs: Sequence[tuple[frozenset[str], frozenset[str]]], code: str) -> dict[str, Any]:
    from nltk.metrics.distance import binary_distance

    said = [(code in a, code in b) for a, b in pairs]
    return {
        "first": sum(a for a, _ in said),
        "second": sum(b for _, b in said),
        "both": sum(a and b for a, b in said),
        "alpha": _alpha(said, binary_distance),
    }


def _alpha(pairs: Sequence[tuple[Any, Any]], distance: Any) -> float | None:
    """None where nothing varies: then no agreement beyond chance can be told."""
    if len({label for pair in pairs for label in pair}) < 2:
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
            if codes is None or other is None:
                continue
            found += [(case, axis, code, "first") for code in sorted(codes - other)]
            found += [(case, axis, code, "second") for code in sorted(other - codes)]
    return found
