"""What the coordinator's pages show, said in the language of the page: figures, decisions, one case."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property
from typing import Any

from nlp.codebook import Codebook

from ..store.feedback import Correction, Decided, StoredFeedback
from ..store.receipts import Origin, Shown
from .coordinator_texts import say_count
from .texts import LANGUAGE_NAMES

SHOWN_FIRST: tuple[Origin, ...] = ("assisted", "blind")
"""Origins in the order of the page."""
_VERY_UNSURE, _UNSURE = 0.8, 0.4  # of 1, which is even odds: a code between 40 and 60 %, between 20 and 80 %
_MINUTE, _HOUR = 60, 3600  # seconds


@dataclass(frozen=True)
class Speaker:
    """Says codes, numbers and times in a language."""

    language: str
    texts: dict[str, str]
    codebook: Codebook

    def say(self, name: str, **values: object) -> str:
        """A sentence with its places filled."""
        return self.texts[name].format(**values)

    def count(self, name: str, n: int) -> str:
        """A sentence on a number of things."""
        return say_count(self.texts, name, n, self.language)

    def code(self, code: str) -> str:
        """The label of a code; the code itself where it is of another codebook."""
        return self._labels.get(code, code)

    def axis(self, axis_id: str) -> str:
        """The label of an axis; its id where it is of another codebook."""
        return next((self._one_of(axis.label, axis_id) for axis in self.codebook.axes if axis.id == axis_id), axis_id)

    def nothing(self, axis_id: str) -> str:
        """What it is called that no code of an axis applies."""
        said = next((axis.nothing for axis in self.codebook.axes if axis.id == axis_id), None)
        return self._one_of(said or {}, self.texts["case.nothing"])

    def place(self, axis_id: str) -> int:
        """Where an axis stands in the codebook; unknown ones come last."""
        ids = [axis.id for axis in self.codebook.axes]
        return ids.index(axis_id) if axis_id in ids else len(ids)

    def axes(self) -> list[tuple[str, list[tuple[str, str]]]]:
        """Label of each axis with code and label of all it has, for a list to choose from."""
        return [(self.axis(axis.id), [(code, self.code(code)) for code in axis.codes]) for axis in self.codebook.axes]

    def narrative_language(self, code: str) -> str:
        """The name of a language of narratives."""
        return LANGUAGE_NAMES.get(code, code)

    def percent(self, share: float) -> str:
        """A share as a whole percentage."""
        return f"{percent_of(share)}\N{NO-BREAK SPACE}%"

    def moment(self, at: datetime) -> str:
        """Day and minute, in UTC."""
        form = "%d.%m.%Y %H:%M" if self.language == "ru" else "%Y-%m-%d %H:%M"
        return at.astimezone(UTC).strftime(form)

    def day(self, day: str) -> str:
        """A day that is written ``YYYY-MM-DD``; anything else as it is."""
        parts = day.split("-")
        return ".".join(reversed(parts)) if self.language == "ru" and len(parts) == 3 else day

    def seconds(self, seconds: float | None) -> str:
        """A stretch of time; a dash where it is not known."""
        if seconds is None:
            return "–"
        whole = round(seconds)
        if whole < _MINUTE:
            said = self.say("time.seconds", seconds=whole)
        elif whole < _HOUR:
            said = self.say("time.minutes", minutes=whole // _MINUTE, seconds=whole % _MINUTE)
        else:
            said = self.say("time.hours", hours=whole // _HOUR, minutes=whole % _HOUR // _MINUTE)
        return said.replace(" ", "\N{NO-BREAK SPACE}")

    def unsure(self, uncertainty: float) -> str:
        """How unsure the models were, in a word and as a number."""
        word = "high" if uncertainty >= _VERY_UNSURE else "middle" if uncertainty >= _UNSURE else "low"
        return f"{self.texts[f'queue.unsure.{word}']}, {self.percent(uncertainty)}"

    def identifier(self, kind: str) -> str:
        """A type of identifier in words."""
        return self.texts.get(f"js.type.{kind}", kind.lower())

    @cached_property
    def _labels(self) -> dict[str, str]:
        return {
            label.code: self._one_of(label.label, label.code) for axis in self.codebook.axes for label in axis.labels
        }

    def _one_of(self, said: Mapping[str, str], otherwise: str) -> str:
        return said.get(self.language) or said.get("en") or next(iter(said.values()), otherwise)


def percent_of(share: float) -> int:
    """A share in [0, 1] as a whole percentage, halves up; 0 and 100 stand only for none and all."""
    if share in (0.0, 1.0):
        return round(100 * share)
    return min(99, max(1, math.floor(100 * share + 0.5)))


def agreement_view(figures: Mapping[str, Any], speaker: Speaker) -> list[dict[str, Any]]:
    """For each axis its label, a row for each origin that has cases, and what the two say together."""
    by_origin = figures["agreement"]
    decided = {axis for found in by_origin.values() for axis in found}
    known = [axis.id for axis in speaker.codebook.axes]  # also those on which nobody decides: that is worth knowing
    return [
        {
            "label": speaker.axis(axis),
            "rows": [_agreement_row(origin, by_origin[origin].get(axis), speaker) for origin in SHOWN_FIRST],
            "says": agreement_says(by_origin["assisted"].get(axis), by_origin["blind"].get(axis), speaker),
        }
        for axis in [*known, *sorted(decided - set(known))]
    ]


def _agreement_row(origin: Origin, found: Mapping[str, Any] | None, speaker: Speaker) -> dict[str, Any]:
    row: dict[str, Any] = {"origin": origin, "cases": found["cases"] if found else 0, "same": None}
    if not found or not found["cases"]:
        return row
    low, high = found["interval"]
    common = found["overlap"]
    return row | {
        "same": speaker.percent(found["same"]),
        "bar": _bar(found["same"], low, high),
        "interval": speaker.say("agree.interval", low=percent_of(low), high=speaker.percent(high)),
        "common": "–" if common is None else speaker.percent(common),
    }


def agreement_says(assisted: Mapping[str, Any] | None, blind: Mapping[str, Any] | None, speaker: Speaker) -> str:
    """What the agreement of both origins means. Points are those between the percentages that the page shows."""
    if not blind or not blind["cases"]:
        return speaker.texts["agree.no_blind"]
    if not assisted or not assisted["cases"]:
        return speaker.texts["agree.no_assisted"]
    points = percent_of(assisted["same"]) - percent_of(blind["same"])
    if not points:
        return speaker.texts["agree.equal"]
    low, high = difference_interval(assisted, blind)
    first = speaker.count("agree.more" if points > 0 else "agree.less", abs(points))
    return f"{first} {speaker.texts['agree.chance' if low <= 0 <= high else 'agree.sure']}"


def difference_interval(one: Mapping[str, Any], other: Mapping[str, Any]) -> tuple[float, float]:
    """The 95 % interval of the difference of two shares, from the Wilson interval of each (Newcombe 1998)."""
    difference = one["same"] - other["same"]
    (low, high), (other_low, other_high) = one["interval"], other["interval"]
    below = math.hypot(one["same"] - low, other_high - other["same"])
    above = math.hypot(high - one["same"], other["same"] - other_low)
    return difference - below, difference + above


def time_view(figures: Mapping[str, Any], speaker: Speaker) -> list[dict[str, Any]]:
    """A row for each origin with the times of its decisions."""
    rows = []
    for origin in SHOWN_FIRST:
        found = figures["seconds"][origin]
        row = {"origin": origin, "cases": found["cases"], "median": None}
        if found["cases"]:
            low, high = (speaker.seconds(value) for value in found["quartiles"])
            row |= {"median": speaker.seconds(found["median"]), "middle": speaker.say("time.range", low=low, high=high)}
        rows.append(row)
    return rows


def acceptance_view(figures: Mapping[str, Any], speaker: Speaker) -> list[dict[str, Any]]:
    """A row for each code and bundle, codes in the order of the page's language within their axis."""
    rows = []
    for found in figures["acceptance"]:
        row = {**found, "label": speaker.code(found["code"]), "axis_label": speaker.axis(found["axis"]), "share": "–"}
        if found["rate"] is not None:
            low, high = found["interval"]
            row |= {
                "share": speaker.percent(found["rate"]),
                "bar": _bar(found["rate"], low, high),
                "range": speaker.say("agree.interval", low=percent_of(low), high=speaker.percent(high)),
            }
        rows.append(row)
    return sorted(rows, key=lambda row: (speaker.place(row["axis"]), row["label"], row["code"], row["bundle"]))


def _bar(share: float, low: float, high: float) -> dict[str, str]:
    return {"share": f"{100 * share:.1f}%", "low": f"{100 * low:.1f}%", "high": f"{100 * high:.1f}%"}


def decision_view(item: StoredFeedback, speaker: Speaker) -> dict[str, Any]:
    """A decision without its text, as a row of a list."""
    axes = sorted({decided.axis for decided in item.decided}, key=lambda id_: (speaker.place(id_), id_))
    return {
        "id": item.id,
        "stored": speaker.moment(item.created),
        "machine": item.created.astimezone(UTC).isoformat(timespec="minutes"),
        "coder": item.coder,
        "origin": item.origin,
        "bundle": item.bundle,
        "codes": [speaker.code(code) for axis in axes for code in item.chosen(axis)],
        "language": speaker.narrative_language(item.language),
        "country": item.country,
        "differences": item.disagreement,
        "unsure": speaker.unsure(item.uncertainty),
        "time": speaker.seconds(item.seconds),
    }


def case_view(item: StoredFeedback, speaker: Speaker) -> dict[str, Any]:
    """A decision with its text."""
    return decision_view(item, speaker) | {
        "narrative_language": item.language,
        "codebook": item.codebook,
        "policy": item.policy,
        "text": marked(item.text, item.corrections) if item.text is not None else None,
        "axes": _compared(item, speaker),
        "corrections": [_correction(item.text or "", correction, speaker) for correction in item.corrections],
    }


def marked(text: str, corrections: Sequence[Correction]) -> list[tuple[str, str]]:
    """The text in parts, each with ``hidden``, ``shown`` or nothing before it; of parts that overlap the first wins."""
    parts: list[tuple[str, str]] = []
    done = 0
    for item in sorted(corrections, key=lambda item: (item.start, item.end)):
        start = max(item.start, done)
        if start >= item.end:
            continue
        parts += [("", text[done:start])] if start > done else []
        parts.append((item.kind, text[start : item.end]))
        done = item.end
    return parts + ([("", text[done:])] if done < len(text) else [])


def _correction(text: str, item: Correction, speaker: Speaker) -> str:
    name = "case.hidden" if item.kind == "hidden" else "case.shown_again"
    return speaker.say(name, words=text[item.start : item.end], type=speaker.identifier(item.type))


def _compared(item: StoredFeedback, speaker: Speaker) -> list[dict[str, Any]]:
    """For each axis what the person said of it as a whole, and a row for each code that was suggested or decided on:
    the likeliest first, then those that the models did not have."""
    axes = {found.axis for found in item.shown} | item.decided_axes
    said = dict.fromkeys(axes - item.decided_axes, speaker.texts["case.open"])
    said |= {axis: speaker.nothing(axis) for axis in item.nothing}
    return [
        {"label": speaker.axis(axis), "says": said.get(axis), "rows": _compared_on(axis, item, speaker)}
        for axis in sorted(axes, key=lambda id_: (speaker.place(id_), id_))
    ]


def _compared_on(axis: str, item: StoredFeedback, speaker: Speaker) -> list[dict[str, Any]]:
    shown = {found.code: found for found in item.shown if found.axis == axis}
    decided = {found.code: found for found in item.decided if found.axis == axis}
    replaced = {found.instead_of: found.code for found in decided.values() if found.instead_of}
    likely = {code: -found.probability for code, found in shown.items()}
    left_open = set(item.undecided(axis))
    rows = []
    for code in sorted({*shown, *decided}, key=lambda code: (likely.get(code, 1.0), code)):
        one, other = shown.get(code), decided.get(code)
        suggested = one is not None and one.suggested
        chosen = other is not None and other.verdict != "rejected"
        rows.append(
            {
                "label": speaker.code(code),
                "suggested": _suggested(one, speaker),
                "decided": speaker.texts["case.undecided"]
                if code in left_open
                else _decided(item, axis, other, replaced.get(code), speaker),
                "chosen": chosen,
                "leading": other is not None and other.primary,
                "differs": suggested != chosen and axis in item.decided_axes and code not in left_open,
            }
        )
    return rows


def _suggested(shown: Shown | None, speaker: Speaker) -> str:
    if shown is None:
        return speaker.texts["case.shown.none"]
    said = speaker.texts.get(f"case.shown.{shown.decision}", shown.decision)
    return speaker.say("case.percent", decision=said, percent=speaker.percent(shown.probability))


def _decided(
    item: StoredFeedback, axis: str, decided: Decided | None, replaced_by: str | None, speaker: Speaker
) -> str:
    if decided is None:
        if replaced_by is not None:
            return speaker.say("case.replaced", label=speaker.code(replaced_by))
        return speaker.texts["case.not_set" if axis in item.decided_axes else "case.undecided"]
    if decided.instead_of is not None:
        return speaker.say("case.instead", label=speaker.code(decided.instead_of))
    # Without suggestions in sight every code is added; that says no more than that it is set.
    return speaker.texts["case.set" if item.origin == "blind" else f"case.{decided.verdict}"]
