"""The model card: what a bundle is for, what it is not for, and how good it is, in Markdown for people."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from nlp.bundle import Bundle

_ABOUT = """\
# Model card: {name}

**What it does.** Suggests codes of the codebook *{codebook}* for case narratives in {languages}, with calibrated probabilities. Logistic models
on TF-IDF of words and character n-grams of redacted text: the baseline that later bundles must beat.

**What it is for.** Drafts for a person who decides: case entry, and sorting legacy cases for review.
**What it is not for.** Decisions about people; statistics without a check by hand; texts in other languages; anything other than case
narratives. It works at the level of keywords: it does not understand negation, rumor, or who did what to whom.

**Training data.** {cases} narratives by source: {sources} (data hash `{data}`). Identifiers were taken out first, those marked by people and those that the
recognizers find; a feature was kept if the cases of at least {persons} persons have it (a case whose person is not stated counts as one person).

**How figures were made.** Models are fitted and calibrated on the training split, thresholds on the tuning split; related cases stay in one split, but the same
writers may stand in all of them, so expect lower figures on cases from elsewhere. Intervals are 95 % bootstrap intervals over cases.
"""


def card(bundle: Bundle, metrics: Mapping[str, Any]) -> str:
    """The card of a bundle with the figures of each evaluation, by its name (such as ``tune`` and ``test``)."""
    manifest = bundle.manifest
    training = manifest["training"]
    parts = [
        _ABOUT.format(
            name=bundle.name,
            codebook=f"{manifest['codebook']['name']} {manifest['codebook']['version']}",
            languages=", ".join(bundle.languages),
            cases=training["cases"],
            sources=", ".join(f"{source} {count}" for source, count in training["sources"].items()),
            data=training["data_hash"][:12],
            persons=training["min_persons"],
        )
    ]
    for split, figures in metrics.items():
        parts.append(_figures(split, figures))
    return "\n".join(parts)


def _figures(split: str, figures: Mapping[str, Any]) -> str:
    lines = [f"## Figures on `{split}` ({figures['cases']} cases)", ""]
    lines += ["| axis | micro-F1 | interval | macro-F1 | interval | calibration error |", "|---|---|---|---|---|---|"]
    for axis, values in figures["axes"].items():
        lines.append(
            f"| {axis} | {number(values['micro_f1'])} | {_interval(values['micro_f1_interval'])} | {number(values['macro_f1'])} "
            f"| {_interval(values['macro_f1_interval'])} | {number(values['expected_calibration_error'])} |"
        )
    axes = figures["axes"]
    lines += [
        "",
        "### Micro-F1 by language",
        "",
        f"| language | cases | {' | '.join(axes)} |",
        "|---" * (len(axes) + 2) + "|",
    ]
    lines += [
        f"| {language} | {cases} | "
        + " | ".join(number(axes[a]["languages"][language]["micro_f1"]) for a in axes)
        + " |"
        for language, cases in figures["languages"].items()
    ]
    for axis, values in axes.items():
        lines += [
            "",
            f"### {axis}",
            "",
            "| code | support | suggested | precision | recall | F1 |",
            "|---|---|---|---|---|---|",
        ]
        lines += [
            f"| {code} | {row['support']} | {row['suggested']} | {number(row['precision'])} | {number(row['recall'])} | {number(row['f1'])} |"
            for code, row in values["codes"].items()
        ]
    if redaction := figures["redaction"]:
        lines += [
            "",
            "### Redaction (whole identifiers hidden)",
            "",
            "| identifiers | support | recall |",
            "|---|---|---|",
        ]
        lines += [f"| {key} | {row['support']} | {number(row['recall'])} |" for key, row in redaction["recall"].items()]
        lines += ["", f"Precision of hidden characters {number(redaction['precision_of_characters'])}; "]
        lines[-1] += f"cases with a direct identifier left in sight {number(redaction['leaking'])}."
    return "\n".join([*lines, ""])


def number(value: float | None) -> str:
    """A figure as cards show it."""
    return "–" if value is None else f"{value:.2f}"


def _interval(bounds: list[float] | None) -> str:
    return "–" if bounds is None else f"{bounds[0]:.2f}–{bounds[1]:.2f}"
