"""The figures of an evaluation as one HTML page that can be mailed, printed, and read without a network."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from . import plots, sections
from .page import Section, page, paragraph, plot, table

Figures = Mapping[str, Any]


def render(
    figures: Figures,
    *,
    baselines: Sequence[Figures] = (),
    curve: Sequence[Figures] | None = None,
) -> str:
    """The page of a bundle's figures. ``baselines`` are the figures of other models on the same cases, ``curve`` the
    rows of a stored learning curve; figures under ``compared`` are results of `compare_paired`."""
    axes, compared = figures["axes"], figures.get("compared")
    parts = [
        sections.overview(figures, baselines),
        sections.comparison(compared) if compared else None,
        sections.calibration(axes),
        sections.coverage(axes),
        sections.codes(axes),
        sections.confusion(axes),
        sections.parts(axes),
        sections.primary(figures),
        _evidence(figures["evidence"]) if figures.get("evidence") else None,
        _redaction(figures["redaction"]) if figures.get("redaction") else None,
        _curve(curve) if curve else None,
    ]
    return page(f"How good is {figures['bundle']}?", _lead(figures), [part for part in parts if part])


def _lead(figures: Figures) -> list[str]:
    languages = ", ".join(f"{language} {count}" for language, count in figures["languages"].items())
    return [
        paragraph(
            f"Measured on {figures['cases']} annotated cases ({languages}) with the codebook {figures['codebook']}; "
            f"{figures['refused']} of them were refused and count as cases without any suggestion."
        ),
        paragraph(
            "Gold means the codes that people gave. Intervals are 95 % bootstrap intervals: when the cases were drawn "
            "anew a thousand times, the figure lay in them 950 times. Cases from elsewhere may be harder than these. "
            "A dash stands where a figure is undefined."
        ),
    ]


def _evidence(evidence: Figures) -> Section:
    tokens = evidence["tokens"]
    keys = ("support", "without_marks", "precision", "recall", "f1")
    rows = [(name, *(row[key] for key in keys)) for name, row in (("all", tokens), *tokens["axes"].items())]
    parts = [
        paragraph(
            "How to read it: of the words shown as evidence, the share that people had marked for the code "
            "(precision), and of the marked words the share that is shown (recall)."
        ),
        table(("axis", "codes", "left out: no marks", "precision", "recall", "F1"), rows),
    ]
    if test := evidence["deletion"]:
        parts += [
            paragraph(
                "How to read it: the evidence was taken out and the rest analyzed again; if it carries the code, the "
                "probability falls more than without as much of the other words, and the share is well above one half. "
                "A model that finds its evidence by leaving sentences out passes easily: the test shows that evidence "
                "is no decoration, not that it is right."
            ),
            table(
                ("cases", "codes", "falls more", "interval", "mean fall", "without other words"),
                [
                    (
                        test["cases"],
                        *(
                            test[key]
                            for key in ("support", "share", "share_interval", "mean_fall", "mean_fall_elsewhere")
                        ),
                    )
                ],
            ),
            paragraph(
                "Left out: "
                + ", ".join(f"{key.replace('_', ' ')} {count}" for key, count in test["left_out"].items())
                + f". In {test['shorter_elsewhere']} the other words were fewer than those of the evidence."
            ),
        ]
    return Section("evidence", "Is the evidence the reason?", tuple(parts))


def _redaction(redaction: Figures) -> Section:
    rows = [(key, row["support"], row["recall"]) for key, row in redaction["recall"].items()]
    leaking, precision = _percent(redaction["leaking"]), _percent(redaction["precision_of_characters"])
    return Section(
        "redaction",
        "Are the people hidden?",
        (
            paragraph(
                "How to read it: an identifier counts as hidden only if every letter and digit of it is; recall is the "
                "share of marked identifiers that are."
            ),
            paragraph(
                f"In {leaking} of {redaction['cases']} cases a direct identifier stays in sight; "
                f"{precision} of the hidden characters lie in a marked identifier."
            ),
            table(("identifiers", "marked", "recall"), rows),
        ),
    )


def _percent(share: float | None) -> str:
    return "an undefined share" if share is None else f"{share:.1%}"


def _curve(rows: Sequence[Figures]) -> Section:
    axes = list(rows[0]["mean_average_precision"]["all"])
    read = (
        "How to read it: where the lines still rise at the right end, more narratives would help. Measured on the "
        "tuning split when the curve was last made, perhaps with another model."
    )
    cells = [
        (str(row["cases"]), language, *(found.get(axis) for axis in axes))
        for row in rows
        for language, found in row["mean_average_precision"].items()
    ]
    return Section(
        "curve",
        "Would more narratives help?",
        (plot(plots.learning_curve(rows), read), table(("training cases", "of", *axes), cells)),
    )
