"""Analyses as Label Studio tasks with predictions, and the labeling interface that fits them.

Format: https://labelstud.io/guide/predictions and https://labelstud.io/guide/task_format (``data`` and ``predictions``
of a task; ``from_name``, ``to_name``, ``type``, ``value``, ``id``, ``score`` and ``meta`` of a result).

Unit of offsets: the documentation names none. The editor converts what a browser selects into code points before it
stores it, and counts code points when it draws a stored region (``charsToCodePoints`` and ``findOnPosition`` in
web/libs/editor/src/utils/selection-tools.js of HumanSignal/label-studio; label-studio-frontend pull request 308, which
closed issue 1008). A line break counts as one, ``\\r\\n`` as two (RichText/view.jsx). So offsets are in code points;
older versions counted UTF-16 units, which can be asked for. Each region carries its words, by which
``casecoder-train import`` finds it again in either unit.

Names of controls are those of ``casecoder-train export --to label-studio``, so that what people correct can be read
back by ``casecoder-train import``.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Sequence
from typing import Any, Literal
from xml.etree import ElementTree as ET

from ..codebook import Axis, Codebook
from ..types import Analysis, Span, Suggestion

OffsetUnit = Literal["code_points", "utf-16"]

NOTHING = "nothing"  # the choice for "coded, and nothing applies", as `casecoder-train import` reads it
NOTHING_FROM = 0.5  # probability from which "nothing applies" is suggested on an axis without suggested codes
LABELS = "label"
TEXT = "text"
PRIMARY = "primary_"
_ID_LENGTH = 16  # hexadecimal digits; among a million regions, two alike once in 37 million files


def labeling_config(codebook: Codebook, *, language: str | None = None) -> str:
    """The labeling interface (XML) to paste into the settings of a Label Studio project.

    Values are ids of the codebook; what they mean is shown as a hint, in ``language`` where the codebook has it.
    """
    spoken = language if language in codebook.languages else codebook.languages[0]
    view = ET.Element("View")
    labels = ET.SubElement(view, "Labels", name=LABELS, toName=TEXT, allowOverlapping="true")
    for identifier in codebook.identifiers:
        ET.SubElement(labels, "Label", value=identifier.id)
    for axis in codebook.axes:
        for label in axis.labels:
            ET.SubElement(labels, "Label", value=label.code, hint=label.label[spoken])
    ET.SubElement(view, "Text", name=TEXT, value=f"${TEXT}", granularity="symbol")
    for axis in codebook.axes:
        nothing = axis.nothing[spoken] if axis.nothing else NOTHING
        hints = {label.code: label.label[spoken] for label in axis.labels}
        _choices(view, axis.id, axis.label[spoken], {**hints, NOTHING: nothing}, kind="multiple")
        if axis.has_primary:
            _choices(view, PRIMARY + axis.id, f"{axis.label[spoken]} *", hints, kind="single")
    ET.indent(view)
    return ET.tostring(view, encoding="unicode") + "\n"


def _choices(view: ET.Element, name: str, title: str, hints: dict[str, str], *, kind: str) -> None:
    ET.SubElement(view, "Header", value=title)
    choices = ET.SubElement(view, "Choices", name=name, toName=TEXT, choice=kind, showInline="true")
    for value, hint in hints.items():
        ET.SubElement(choices, "Choice", value=value, hint=hint)


def task_of(
    analysis: Analysis,
    codebook: Codebook,
    *,
    number: int = 1,
    received: str | None = None,
    offset_unit: OffsetUnit = "code_points",
) -> dict[str, Any]:
    """One task with one prediction.

    The task shows the redacted text. With ``received``, the text as it was received, it shows that instead, and marks
    the identifiers that were found in it. ``number`` tells apart tasks of one file that are alike in all else.

    An axis has choices where a code is suggested on it, or where it is likelier than not that nothing applies; its
    primary code has a control of its own. ``score`` is the mean probability of what is suggested, 0 where nothing is:
    such tasks come first where people sort by doubt. Probabilities of all suggested codes of an axis are in ``meta``.
    """
    task = _Task(analysis, codebook, number, received, offset_unit)
    return {
        "data": {
            "case_id": analysis.case_id,
            TEXT: task.text,
            "lang": analysis.language,
            "identifiers_marked": received is not None,
        },
        "meta": {
            "codebook": analysis.codebook,
            "offset_unit": offset_unit,
            "redacted": received is None,
            "doubts": len(analysis.redaction.doubts),
        },
        "predictions": [
            {
                "model_version": analysis.bundle,
                "score": task.score(),
                "result": list(task.results()),
            }
        ],
    }


class _Task:
    """What the results of one task have in common: its text, and how places in it are counted."""

    def __init__(
        self, analysis: Analysis, codebook: Codebook, number: int, received: str | None, offset_unit: OffsetUnit
    ) -> None:
        self.analysis = analysis
        self.codebook = codebook
        self.text = analysis.redaction.text if received is None else received
        self.shows_received = received is not None
        self.offset_unit = offset_unit
        self.seed = [number, analysis.bundle, analysis.case_id, self.text]

    def score(self) -> float:
        said = [item.probability for item in self.analysis.suggestions if item.suggested]
        said += [self.analysis.nothing[axis.id] for axis in self.codebook.axes if self._nothing_applies(axis)]
        return round(_mean(said), 4)

    def results(self) -> Iterator[dict[str, Any]]:
        for axis in self.codebook.axes:
            yield from self._choices(axis)
        for item in self.analysis.suggestions:
            if item.suggested:
                for evidence in item.evidence:
                    yield self._region(evidence.span, item.code, item.probability, {"drop": evidence.drop})
        if self.shows_received:
            for entity in self.analysis.redaction.entities:
                yield self._region(entity.span, entity.type, entity.score, {"source": entity.source})

    def _choices(self, axis: Axis) -> Iterator[dict[str, Any]]:
        offered = self._suggested(axis)
        probabilities = {item.code: round(item.probability, 4) for item in offered}
        if self._nothing_applies(axis):
            probabilities = {NOTHING: round(self.analysis.nothing[axis.id], 4)}
        if probabilities:
            yield self._choice(axis.id, probabilities)
        if leading := self.analysis.primary.get(axis.id):
            yield self._choice(PRIMARY + axis.id, {leading: probabilities[leading]})

    def _suggested(self, axis: Axis) -> Sequence[Suggestion]:
        return [item for item in self.analysis.suggestions if item.axis == axis.id and item.suggested]

    def _nothing_applies(self, axis: Axis) -> bool:
        likely = axis.nothing is not None and self.analysis.nothing.get(axis.id, 0.0) >= NOTHING_FROM
        return likely and not self._suggested(axis)

    def _choice(self, name: str, probabilities: dict[str, float]) -> dict[str, Any]:
        return {
            "id": self._id(name),
            "from_name": name,
            "to_name": TEXT,
            "type": "choices",
            "value": {"choices": list(probabilities)},
            "score": round(_mean(list(probabilities.values())), 4),
            "meta": {"probabilities": probabilities},
        }

    def _region(self, span: Span, label: str, score: float, meta: dict[str, Any]) -> dict[str, Any]:
        """A labelled stretch; ``span`` is in the received text."""
        shown = span if self.shows_received else self.analysis.redaction.redacted_span(span)
        return {
            "id": self._id(LABELS, label, span.start, span.end),
            "from_name": LABELS,
            "to_name": TEXT,
            "type": "labels",
            "value": {
                "start": self._offset(shown.start),
                "end": self._offset(shown.end),
                "text": self.text[shown.start : shown.end],
                "labels": [label],
            },
            "score": round(score, 4),
            "meta": {"probabilities": {label: round(score, 4)}, **meta},
        }

    def _offset(self, at: int) -> int:
        return at if self.offset_unit == "code_points" else utf16_length(self.text[:at])

    def _id(self, *parts: Any) -> str:
        content = json.dumps([*self.seed, *parts], ensure_ascii=True).encode()
        return hashlib.sha256(content).hexdigest()[:_ID_LENGTH]


def utf16_length(text: str) -> int:
    """Length in UTF-16 code units, as browsers and older versions of Label Studio count it."""
    return len(text) + sum(character > "\uffff" for character in text)


def _mean(values: Sequence[float]) -> float:
    return sum(values) / len(values) if values else 0.0
