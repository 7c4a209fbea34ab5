"""doccano: JSON lines of a project of the kind "Intent detection and slot filling", with overlapping spans allowed.

A line has ``text``, ``entities`` (identifiers and evidence, ``[start, end, label]``) and ``cats`` (the codes, with
``primary:CODE`` for primary codes and ``AXIS:nothing`` for an axis that was coded with nothing). All other keys are
metadata that doccano keeps and gives back. Its own exports write a number into ``id``, so ours is ``case_id``.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from nlp.codebook import Codebook
from nlp.errors import CorpusError

from ..corpus import Case, json_lines
from .regions import NOTHING, Annotated, Region, axis_of, from_annotated, to_annotated, unique

_OWN = ("id", "text", "label", "entities", "cats", "relations", "Comments", "case_id", "identifiers_marked")


def write_doccano(path: Path, cases: Iterable[Case]) -> None:
    """Write cases as JSON lines for doccano."""
    lines = [json.dumps(_record(to_annotated(case)), ensure_ascii=False) + "\n" for case in cases]
    path.write_text("".join(lines), encoding="utf-8", newline="\n")


def _record(item: Annotated) -> dict[str, Any]:
    about = dict(item.about)
    cats = [code for codes in item.choices.values() for code in codes]
    cats += [f"{axis}:{NOTHING}" for axis, codes in item.choices.items() if not codes]
    cats += [f"primary:{code}" for code in item.primary.values() if code]
    return {
        "case_id": about.pop("id"),
        "text": item.text,
        "entities": [list(region) for region in item.regions],
        "cats": cats,
        "identifiers_marked": item.marked,
        **about,
    }


def read_doccano(path: Path, codebook: Codebook) -> list[Case]:
    """Read what doccano exported. Raises `CorpusError` with file, line and reason."""
    return unique(_cases(path, codebook), source=path.name)


def _cases(path: Path, codebook: Codebook) -> Iterator[Case]:
    for number, data in json_lines(path):
        yield _case(data, codebook, path.name, number)


def _case(data: Any, codebook: Codebook, source: str, line: int) -> Case:
    if not isinstance(data, dict) or not isinstance(data.get("text"), str):
        raise CorpusError("wants a JSON object with `text`", source=source, line=line)
    try:
        regions = tuple(_region(entity) for entity in data.get("entities") or ())
        cats = [str(cat) for cat in data.get("cats") or ()]
    except (KeyError, TypeError, ValueError):
        raise CorpusError(
            "`entities` wants [start, end, label], `cats` a list of texts", source=source, line=line
        ) from None
    choices, primary = _choices(cats, codebook, source, line)
    about = {key: value for key, value in data.items() if key not in _OWN}
    about["id"] = data.get("case_id", data.get("id"))
    # A line from elsewhere without a region may be one that nobody looked at.
    marked = bool(data.get("identifiers_marked", regions))
    item = Annotated(data["text"], regions, choices, primary, about, marked)
    return from_annotated(item, codebook, source=source, line=line)


def _region(entity: Any) -> Region:
    if isinstance(entity, dict):  # projects with relations export spans as objects
        return Region(int(entity["start_offset"]), int(entity["end_offset"]), str(entity["label"]))
    start, end, label = entity
    return Region(int(start), int(end), str(label))


def _choices(
    cats: list[str], codebook: Codebook, source: str, line: int
) -> tuple[dict[str, tuple[str, ...]], dict[str, str | None]]:
    axes = {axis.id for axis in codebook.axes}
    choices: dict[str, tuple[str, ...]] = {}
    primary: dict[str, str | None] = {}
    for cat in cats:
        first, _, rest = cat.partition(":")
        if rest == NOTHING and first in axes:
            choices.setdefault(first, ())
        elif first == "primary" and rest:
            primary[axis_of(rest, codebook, source=source, line=line)] = rest
        else:
            axis = axis_of(cat, codebook, source=source, line=line)
            choices[axis] = (*choices.get(axis, ()), cat)
    return choices, primary
