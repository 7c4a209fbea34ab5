"""Label Studio: tasks as JSON with one annotation each, and the labeling interface that fits the codebook.

Labels are the identifier types and, for evidence, the codes; every axis has its choices, and every axis with a
primary code a single choice for it. Offsets are written in code points. Versions of Label Studio that count UTF-16
units, as browsers do, shift everything behind an emoji; every region carries its words, so a shifted one is set right
when it is read.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

from nlp.codebook import Codebook
from nlp.errors import CorpusError

from ..corpus import Case
from .regions import NOTHING, Annotated, Region, axis_of, from_annotated, to_annotated, unique

_LABELS = "label"
_TEXT = "text"
_PRIMARY = "primary_"


def labeling_config(codebook: Codebook) -> str:
    """The labeling interface (XML) to paste into the settings of a Label Studio project."""
    view = ET.Element("View")
    labels = ET.SubElement(view, "Labels", name=_LABELS, toName=_TEXT, allowOverlapping="true")
    for identifier in codebook.identifiers:
        ET.SubElement(labels, "Label", value=identifier.id)
    for axis in codebook.axes:
        for code in axis.codes:
            ET.SubElement(labels, "Label", value=code)
    ET.SubElement(view, "Text", name=_TEXT, value=f"${_TEXT}", granularity="symbol")
    for axis in codebook.axes:
        _choice(view, axis.id, [*axis.codes, NOTHING], multiple=True)
        if axis.has_primary:
            _choice(view, _PRIMARY + axis.id, list(axis.codes), multiple=False)
    ET.indent(view)
    return ET.tostring(view, encoding="unicode") + "\n"


def _choice(view: ET.Element, name: str, values: list[str], *, multiple: bool) -> None:
    ET.SubElement(view, "Header", value=name.replace("_", " "))
    kind = "multiple" if multiple else "single"
    choices = ET.SubElement(view, "Choices", name=name, toName=_TEXT, choice=kind, showInline="true")
    for value in values:
        ET.SubElement(choices, "Choice", value=value)


def write_label_studio(path: Path, cases: Iterable[Case]) -> None:
    """Write cases as annotated tasks."""
    tasks = [_task(to_annotated(case)) for case in cases]
    path.write_text(json.dumps(tasks, ensure_ascii=False, indent=1) + "\n", encoding="utf-8", newline="\n")


def _task(item: Annotated) -> dict[str, Any]:
    def answer(name: str, kind: str, value: dict[str, Any]) -> dict[str, Any]:
        return {"from_name": name, "to_name": _TEXT, "type": kind, "value": value}

    result = [
        answer(
            _LABELS,
            "labels",
            {"start": start, "end": end, "text": item.text[start:end], "labels": [label]},
        )
        for start, end, label in item.regions
    ]
    result += [answer(axis, "choices", {"choices": list(codes) or [NOTHING]}) for axis, codes in item.choices.items()]
    result += [answer(_PRIMARY + axis, "choices", {"choices": [code]}) for axis, code in item.primary.items() if code]
    about = dict(item.about)
    data = {"case_id": about.pop("id"), _TEXT: item.text, "identifiers_marked": item.marked, **about}
    return {"data": data, "annotations": [{"result": result}]}


def read_label_studio(path: Path, codebook: Codebook) -> list[Case]:
    """Read exported tasks, the last annotation of each that was not cancelled.

    A task without such an annotation comes back with no axis coded and identifiers unmarked. Raises `CorpusError` with
    file, number of the task and reason.
    """
    try:
        tasks = json.loads(path.read_text(encoding="utf-8-sig"))
    except json.JSONDecodeError as error:
        raise CorpusError("is no JSON", source=path.name, line=error.lineno) from None
    except (OSError, UnicodeDecodeError) as error:
        raise CorpusError(f"cannot be read ({type(error).__name__})", source=path.name, line=0) from None
    if not isinstance(tasks, list):
        raise CorpusError("wants a list of tasks", source=path.name, line=0)
    return unique(_cases(tasks, codebook, path.name), source=path.name)


def _cases(tasks: list[Any], codebook: Codebook, source: str) -> Iterator[Case]:
    for number, task in enumerate(tasks, 1):
        try:
            item = _annotated(task, codebook, source, number)
        except CorpusError:  # a ValueError too, but one that knows its reason
            raise
        except (KeyError, TypeError, ValueError, AttributeError, IndexError):
            raise CorpusError("is no task of this project (counted as task)", source=source, line=number) from None
        yield from_annotated(item, codebook, source=source, line=number)


def _annotated(task: Any, codebook: Codebook, source: str, line: int) -> Annotated:
    data = dict(task["data"])
    text = data.pop(_TEXT)
    done = [item for item in task["annotations"] if not item.get("was_cancelled")]
    data["id"] = data.pop("case_id", None)
    marked = bool(data.pop("identifiers_marked", True))
    if not done:  # nobody looked at it, so nothing is known, not even that there are no identifiers
        return Annotated(text, (), {}, {}, data, marked=False)
    regions: list[Region] = []
    choices: dict[str, tuple[str, ...]] = {}
    primary: dict[str, str | None] = {}
    for answer in done[-1]["result"]:
        value, name = answer["value"], answer["from_name"]
        if answer["type"] == "labels":
            start, end = _placed(text, int(value["start"]), int(value["end"]), value.get("text"), source, line)
            regions += [Region(start, end, str(label)) for label in value["labels"]]
        elif name.startswith(_PRIMARY):
            code = str(value["choices"][0])
            primary[axis_of(code, codebook, source=source, line=line)] = code
        else:
            choices[name] = tuple(str(code) for code in value["choices"] if code != NOTHING)
    if unknown := set(choices) - {axis.id for axis in codebook.axes}:
        raise CorpusError(
            f"has choices for {len(unknown)} axis that the codebook does not have", source=source, line=line
        )
    return Annotated(text, tuple(regions), choices, primary, data, marked)


def _placed(text: str, start: int, end: int, words: str | None, source: str, line: int) -> tuple[int, int]:
    """Where a region stands in code points: as said, or counted in UTF-16 units if that is where its words are."""
    if words is None or text[start:end] == words:
        return start, end
    units = text.encode("utf-16-le")
    before = len(units[: 2 * start].decode("utf-16-le", "ignore"))
    after = len(units[: 2 * end].decode("utf-16-le", "ignore"))
    if text[before:after] != words:
        raise CorpusError("a region does not stand where its words are (counted as task)", source=source, line=line)
    return before, after
