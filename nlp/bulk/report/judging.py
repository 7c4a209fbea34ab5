"""The sections that judge the counts: corrected numbers, drift, agreement with people."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from . import charts
from .counts import known
from .drift import Difference, Drift
from .html import Cell, Section, beside, bullets, heading, paragraph, remarked, table
from .prevalence import Corrected
from .run_report import RunReport
from .speaking import Words


def corrected_section(report: RunReport, words: Words) -> Section:
    """Raw counts beside those corrected for the errors of the models."""
    if report.corrected is None:
        return Section("corrected", words("corrected"), (paragraph(words("corrected_missing"), "warning"),))
    parts = [paragraph(words("corrected_note")), paragraph(words("corrected_assumes"), "warning")]
    head = [words(key) for key in ("code", "raw", "corrected_count", "interval", "found", "false")]
    for axis in report.codebook.axes:
        items = [item for item in report.corrected if item.axis == axis.id]
        items.sort(key=lambda item: (item.count is None, -(item.count or 0), -known(item.suggested), item.code))
        most = float(max((item.high or 0 for item in items), default=0))
        lines = [_corrected_line(item, most, words) for item in items]
        caption = words("corrected_caption", axis=words.axis(axis.id))
        parts += [heading(words.axis(axis.id)), table(head, lines, caption=caption, narrow=(4, 5))]
    parts.append(paragraph(words("rates"), "note"))
    return Section("corrected", words("corrected"), tuple(parts))


def _corrected_line(item: Corrected, most: float, words: Words) -> list[Cell]:
    name, suggested = words.code(item.code), words.count(item.suggested)
    found = "–" if item.found is None else words.percent(item.found)
    false = "–" if item.false is None else words.percent(item.false, 1)
    if item.count is None or item.low is None or item.high is None:
        return [remarked(name, words(str(item.reason))), suggested, "–", "–", found, false]
    raw = float(item.suggested) if isinstance(item.suggested, int) else None
    picture = charts.span(raw, item.low, item.count, item.high, most)
    between = words("interval_of", low=words.number(item.low), high=words.number(item.high))
    return [beside(name, picture), suggested, words.number(item.count), between, found, false]


def drift_section(report: RunReport, words: Words) -> Section:
    """Whether the texts are of the kind that the models know."""
    drift = report.drift
    if drift is None:
        return Section("drift", words("drift"), (paragraph(words("drift_missing"), "warning"),))
    told = {"too_few": "few", "very_different": "very"}.get(drift.level, drift.level)
    verdict = paragraph(words(f"drift_{told}"), "" if drift.level in ("alike", "too_few") else "warning")
    if drift.level == "too_few":
        return Section("drift", words("drift"), (verdict,))
    sentences = [difference_said(item, words) for item in drift.differences if item.level != "alike"]
    lines: list[list[Cell]] = [
        [_kind(item, words), "–" if item.index is None else words.decimal(item.index), words(f"level_{item.level}")]
        for item in drift.differences
    ]
    head = [words("compared"), words("index"), words("verdict")]
    parts = (
        verdict,
        bullets(sentences),
        table(head, lines, caption=words("drift_caption"), words=(2,)),
        paragraph(words("index_note"), "note"),
        _shifts(drift, words),
    )
    return Section("drift", words("drift"), parts)


def difference_said(item: Difference, words: Words) -> str:
    """A difference in plain words."""
    share, expected = words.percent(item.share), words.percent(item.expected)
    if item.kind == "languages":
        return words("languages_other", share=share, expected=expected)
    if item.kind == "words":
        more = "words_shorter" if item.share > item.expected else "words_longer"
        return words(more, share=share, expected=expected, at=words.number(int(item.at or 0)))
    at = words.percent(item.at or 0)
    if item.kind == "unknown":
        more = "unknown_less" if item.share > item.expected else "unknown_more"
        above = {"share": words.percent(1 - item.share), "expected": words.percent(1 - item.expected)}
        return words(more, at=at, **above)
    more = "confidence_less" if item.share > item.expected else "confidence_more"
    return words(more, axis=words.axis(item.axis or ""), share=share, expected=expected, at=at)


def _kind(item: Difference, words: Words) -> str:
    return words(f"kind_{item.kind}", **({"axis": words.axis(item.axis)} if item.axis else {}))


def _shifts(drift: Drift, words: Words) -> str:
    if not drift.codes:
        return ""
    lines: list[list[Cell]] = [
        [words.code(item.code), words.percent(item.share), words.percent(item.expected)] for item in drift.codes
    ]
    return table([words("code"), words("here"), words("tuning")], lines, caption=words("shifts_caption"))


def agreement_section(report: RunReport, words: Words) -> Iterator[Section]:
    """How far the suggestions agree with codes that people gave, where they did."""
    if not report.agreement:
        return
    parts = [paragraph(words("agreement_note"), "note")]
    head = [words(key) for key in ("code", "both", "only_person", "only_machine", "kappa", "interval")]
    for axis, figures in report.agreement.items():
        name = words.axis(axis)
        parts.append(heading(name))
        parts.append(paragraph(_agreement_said(name, figures, words)))
        lines = [
            [words.code(code), *(words.count(counts[part]) for part in ("both", "only_person", "only_machine")),
             *_kappa(counts["kappa"], counts["interval"], words)]
            for code, counts in figures["codes"].items()
            if any(counts[part] for part in ("both", "only_person", "only_machine"))
        ]  # fmt: skip
        parts.append(table(head, lines, caption=words("agreement_caption", axis=name)) if lines else "")
    if report.unmapped:
        rows = words.number(report.unmapped_rows or 0)
        parts.append(paragraph(words("unmapped", labels=words.number(report.unmapped), rows=rows)))
    yield Section("agreement", words("agreement"), tuple(parts))


def _agreement_said(axis: str, figures: Mapping[str, Any], words: Words) -> str:
    exact = figures["exact"]
    said = {key: words.number(figures[key]) for key in ("rows", "incomplete", "failed")}
    share, overlap = (
        "–" if value is None else words.percent(value) for value in (exact["share"], figures["mean_overlap"])
    )
    return words("agreement_axis", axis=axis, exact=words.count(exact["rows"]), share=share, overlap=overlap, **said)


def _kappa(value: float | None, interval: list[float] | None, words: Words) -> list[Cell]:
    if value is None:
        return ["–", "–"]
    if interval is None:
        return [words.decimal(value), "–"]
    low, high = map(words.decimal, interval)
    return [words.decimal(value), words("kappa_between", low=low, high=high)]
