"""The sections of the page that are about coding."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from . import plots
from .page import Heat, Section, heading, paragraph, plot, table
from .page import plots as side_by_side
from .ranking import PRECISIONS

Figures = Mapping[str, Any]

_PARTS = {
    "language": "by language",
    "length": "by length in words",
    "hard": "hard cases and the others",
    "hard_tag": "by kind of hard case",
    "voice": "writers heard in training, and others",
}


def overview(figures: Figures, baselines: Sequence[Figures]) -> Section:
    head = ("axis", "model", "micro-F1", "interval", "precision", "recall", "macro-F1", "interval", "in first three")
    keys = (
        "micro_f1", "micro_f1_interval", "micro_precision", "micro_recall", "macro_f1", "macro_f1_interval",
        "top3_recall",
    )  # fmt: skip
    rows = [
        (axis, item["bundle"], *(item["axes"][axis][key] for key in keys))
        for axis in figures["axes"]
        for item in (figures, *baselines)
    ]
    return Section(
        "overview",
        "In short",
        (
            paragraph(
                "How to read it: micro-F1 counts every code once, so frequent codes weigh most; macro-F1 counts every "
                "kind of code once, so rare ones weigh as much; “in first three” is the share of gold codes among the "
                "three most probable."
            ),
            table(head, rows),
        ),
    )


def comparison(compared: Sequence[Figures]) -> Section:
    rows = [
        (axis, item["b"], name, values[key]["a"], values[key]["b"], values[key]["difference"], values[key]["interval"])
        for item in compared
        for axis, values in item["axes"].items()
        for name, key in (("micro-F1", "micro_f1"), ("macro-F1", "macro_f1"))
    ]
    head = ("axis", "baseline", "measure", "this model", "baseline", "difference", "interval")
    read = (
        "How to read it: right of the dashed line this model is better; where the line of a dot crosses it, the "
        "cases are too few to tell. Both models answered the same cases."
    )
    return Section("baselines", "Against baselines", (plot(plots.differences(compared), read), table(head, rows)))


def calibration(axes: Figures) -> Section:
    drawn = [
        plot(plots.reliability(axis, row["reliability"], number), f"{axis}: the larger a dot, the more pairs.")
        for number, (axis, row) in enumerate(axes.items())
    ]
    keys = ("brier", "brier_base_rates", "expected_calibration_error")
    rows = [(axis, *(row[key] for key in keys)) for axis, row in axes.items()]
    bins = [
        (f"{item['from']:.1f}–{item['to']:.1f}", axis, item["count"], item["mean_probability"], item["share_right"])
        for axis, row in axes.items()
        for item in row["reliability"]
    ]
    return Section(
        "calibration",
        "Do the probabilities mean what they say?",
        (
            paragraph(
                "How to read it: on the dashed line, of the codes given a probability of 70 % seven in ten are right; "
                "below it the model says too much, above it too little."
            ),
            side_by_side(drawn),
            table(
                ("axis", "Brier score", "of base rates", "calibration error from 0.2 up"),
                rows,
                "Smaller is better; a useful model has a smaller Brier score than one that always says the base rates.",
            ),
            table(("probability", "axis", "pairs", "said on average", "share right"), bins, "The dots of the plots."),
        ),
    )


def coverage(axes: Figures) -> Section:
    found = {axis: row["coverage"] for axis, row in axes.items()}
    read = (
        "How to read it: at a height of 0.95 the line shows which share of all gold codes can be had if 19 of 20 "
        "must be right; a star is what the codes that are set without asking reach."
    )
    rows = []
    for axis, row in found.items():
        cuts = [(f"{wanted:.2f}", row[f"{wanted:.2f}"]) for wanted in PRECISIONS]
        rows += [(axis, name, cut["share"], cut["precision"], cut["pairs"], cut["cut"]) for name, cut in cuts]
        if auto := row["auto"]:
            name = f"auto ({auto['codes']} codes)"
            rows.append((axis, name, auto["share"], auto["precision"], auto["pairs"], None))
    return Section(
        "coverage",
        "How much can be had at a high precision?",
        (
            plot(plots.precision_coverage(found), read),
            table(
                ("axis", "precision wanted", "gold codes reached", "precision got", "codes set", "from probability"),
                rows,
                "The cuts are chosen on these very cases, so on others they hold a little less; those of auto are not.",
            ),
        ),
    )


def codes(axes: Figures) -> Section:
    parts = [
        paragraph(
            "How to read it: the dot is F1, the bar its interval, the number in brackets how many cases have the code; "
            "a long bar means too few cases to tell."
        ),
        side_by_side(
            plot(plots.code_f1(axis, row["codes"], row["f1_intervals"], number), f"{axis}, F1 of each code.")
            for number, (axis, row) in enumerate(axes.items())
        ),
    ]
    head = ("code", "gold", "suggested", "precision", "recall", "F1", "interval")
    keys = ("support", "suggested", "precision", "recall", "f1")
    for axis, row in axes.items():
        rows = [(code, *(item[key] for key in keys), row["f1_intervals"][code]) for code, item in row["codes"].items()]
        parts.append(table(head, rows, axis))
    return Section("codes", "Code by code", tuple(parts))


def confusion(axes: Figures) -> Section:
    parts = [
        paragraph(
            "How to read it: in so many cases people gave the first code, which was not suggested, while the second "
            "was suggested and nobody had given it; the darker, the more often."
        )
    ]
    head = ("gold, not suggested", "suggested, not gold", "cases", "of those with the gold code")
    for axis, row in axes.items():
        most = max((item["count"] for item in row["confusion"]), default=1)
        rows = [
            (item["gold"], item["suggested"], Heat(item["count"], item["count"] / most), item["support"])
            for item in row["confusion"]
        ]
        parts += [heading(axis), table(head, rows) if rows else paragraph("No code was taken for a sibling.")]
    return Section("confusion", "Which codes are taken for one another?", tuple(parts))


def parts(axes: Figures) -> Section:
    keys = ("cases", "support", "micro_f1", "micro_f1_interval", "macro_f1")
    kinds = [kind for kind in _PARTS if all(row["slices"][kind] for row in axes.values())]
    drawn = [
        plot(
            plots.parts_f1(kind, _PARTS[kind], {axis: row["slices"][kind] for axis, row in axes.items()}),
            "In brackets the number of cases.",
        )
        for kind in kinds
    ]
    rows = [
        (part.replace("_", " "), axis, *(item[key] for key in keys))
        for kind in kinds
        for part in next(iter(axes.values()))["slices"][kind]
        for axis, item in ((axis, row["slices"][kind][part]) for axis, row in axes.items())
    ]
    return Section(
        "parts",
        "On which cases is it better, on which worse?",
        (
            paragraph(
                "How to read it: each dot is the micro-F1 of one axis on a part of the cases; where the bars of two "
                "parts overlap widely, they may be equally good."
            ),
            side_by_side(drawn),
            table(("part", "axis", "cases", "gold codes", "micro-F1", "interval", "macro-F1"), rows),
        ),
    )


def primary(figures: Figures) -> Section:
    rows = []
    for axis, row in figures["primary"].items():
        some = figures["primary_where_suggested"][axis]
        rows += [
            (axis, "all", row["support"], row["accuracy"], figures["primary_intervals"][axis]),
            (axis, "with a suggestion", some["support"], some["accuracy"], some["accuracy_interval"]),
        ]
    nothing = [
        (axis, *(row["nothing"][key] for key in ("support", "recall", "precision")))
        for axis, row in figures["axes"].items()
        if row["nothing"]
    ]
    parts = [
        paragraph(
            "How to read it: the share of cases with a primary code in which the model names that very one, over all "
            "such cases and over those with at least one suggestion on the axis."
        ),
        table(("axis", "cases", "number", "accuracy", "interval"), rows),
    ]
    if nothing:
        text = (
            "How to read it: where people found nothing to code, how often nothing was suggested (recall); and where "
        )
        parts += [paragraph(text + "nothing was suggested, how often people found nothing either (precision).")]
        parts += [table(("axis", "cases without a code", "recall", "precision"), nothing)]
    return Section("primary", "The primary code, and no code at all", tuple(parts))
