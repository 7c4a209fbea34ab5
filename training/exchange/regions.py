"""What the formats have in common: a case as labelled regions and choices, and back."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from nlp.codebook import Codebook
from nlp.errors import CorpusError

from ..corpus import Case, case_from_json, case_json

NOTHING = "nothing"  # the choice for an axis that was coded with no code; an axis without choices was not coded
_ABOUT = ("id", "lang", "country", "source", "writer", "theme", "tags", "translation_of", "person")


class Region(NamedTuple):
    """A labelled stretch ``[start, end)`` in code points: an identifier type, or the code that its words prove."""

    start: int
    end: int
    label: str


@dataclass(frozen=True)
class Annotated:
    """One case for other tools: ``choices`` holds the codes of each coded axis, ``about`` what belongs to no region."""

    text: str = field(repr=False)
    regions: tuple[Region, ...]
    choices: Mapping[str, tuple[str, ...]]
    primary: Mapping[str, str | None]
    about: Mapping[str, Any]
    marked: bool  # whether identifiers were marked at all


def to_annotated(case: Case) -> Annotated:
    """A case as regions and choices. Evidence stands at its first place in the text."""
    found = {Region(place.start, place.end, code) for _, code, place in case.all_places()}
    found |= {Region(entity.span.start, entity.span.end, entity.type) for entity in case.entities or ()}
    data = case_json(case)
    return Annotated(
        case.text,
        tuple(sorted(found)),
        {axis: tuple(sorted(codes)) for axis, codes in case.codes.items() if codes is not None},
        dict(case.primary),
        {key: data[key] for key in _ABOUT if data.get(key) not in (None, "", [])},
        case.entities is not None,
    )


def from_annotated(item: Annotated, codebook: Codebook, *, source: str, line: int) -> Case:
    """The checked case of an annotated text. Raises `CorpusError` with file, line (or number of the item) and
    reason."""
    types = {identifier.id for identifier in codebook.identifiers}
    evidence: dict[str, dict[str, list[str]]] = {axis: {} for axis in item.choices}
    spans = []
    for start, end, label in sorted(item.regions):
        if not 0 <= start < end <= len(item.text):
            raise CorpusError("a region lies outside of its text", source=source, line=line)
        if label in types:
            spans.append({"start": start, "end": end, "label": label})
            continue
        axis = axis_of(label, codebook, source=source, line=line)
        if axis not in evidence:
            raise CorpusError(f"{label} has evidence, but `{axis}` is not coded", source=source, line=line)
        evidence[axis].setdefault(label, []).append(item.text[start:end])
    data = {
        **{key: item.about[key] for key in _ABOUT if key in item.about},  # other metadata could pass for codes
        "text": item.text,
        **{axis: list(codes) for axis, codes in item.choices.items()},
        "evidence": evidence,
        "primary": dict(item.primary),
        "spans": spans if item.marked or spans else None,
    }
    return case_from_json(data, codebook, source, line)


def axis_of(code: str, codebook: Codebook, *, source: str, line: int) -> str:
    """The axis of a code. Raises `CorpusError` for a label that the codebook does not have."""
    try:
        return codebook.axis_of(code).id
    except KeyError:
        raise CorpusError(
            "has a label that is neither a code nor an identifier type of the codebook", source=source, line=line
        ) from None


def unique(cases: Iterable[Case], *, source: str) -> list[Case]:
    """The cases as a list. Raises `CorpusError` if an id stands twice."""
    result = []
    seen: set[str] = set()
    for number, case in enumerate(cases, 1):
        if case.case_id in seen:
            raise CorpusError("this id stands twice", source=source, line=number)
        seen.add(case.case_id)
        result.append(case)
    return result
