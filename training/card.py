"""The model card: what a bundle is for, what it is not for, and how good it is, in Markdown for people."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from nlp.bundle import Bundle

_LINEAR = """\
# Model card: {name}

**What it does.** Suggests codes of the codebook *{codebook}* for case narratives in {languages}, with calibrated probabilities. Logistic models
on TF-IDF of words and character n-grams of redacted text: the baseline that other bundles must beat.

**What it is for.** Drafts for a person who decides: case entry, and sorting legacy cases for review.
**What it is not for.** Decisions about people; statistics without a check by hand; texts in other languages; anything other than case
narratives. It works at the level of keywords: it does not understand negation, rumor, or who did what to whom.

**Training data.** {cases} narratives by source: {sources} (data hash `{data}`). Identifiers were taken out first, those marked by people and those that the
recognizers find; a feature was kept if the cases of at least {persons} persons have it (a case whose person is not stated counts as one person).
"""

_ENCODER = """\
# Model card: {name}

**What it does.** Suggests codes of the codebook *{codebook}* for case narratives in {languages}, with calibrated probabilities and the words that
speak for each code, and finds names and other identifiers so that they can be hidden. One multilingual transformer (`{encoder}`, {layers} layers, weights in
eight bits, {pieces} word pieces of the served scripts) reads a text once for both; {heads}. No state of an
identifier that was found enters a head.

**What it is for.** Drafts for a person who decides: case entry, sorting legacy cases for review, a first redaction that a person reads again.
**What it is not for.** Decisions about people; publication of redacted texts that nobody has read; statistics without a check by hand; texts in other languages;
anything other than case narratives.

**Known failures.** Narratives that tell an act in one calm clause, as summaries for the public do, are often taken for no violation, and real cases are harder than the invented
ones it was made with (see the figures on `real`, where there are any). The codes that rare cases share (see support below) are seldom set by themselves; acts that are only feared, past or told of others are now and then taken
for the case's own; names in lower case, look-alike letters and numbers in words are found less often; what it learned about the twelve languages beside English and
Russian comes from about {small} narratives in each.

**Training data.** {cases} narratives by source: {sources} (data hash `{data}`), with other names, numbers and places in each epoch, and {sentences} sentences of public
corpora with marked names. The vocabulary and every step of the fine-tuning are in `vocabulary.json` and `finetune.jsonl`.
"""

_HOW = """\
**How figures were made.** Models are fitted on the training split, calibrated and given thresholds on the tuning split (so that figures on the tuning split flatter it); related cases stay in one split, but some
writers and turns of plot stand in several, so expect lower figures on cases from elsewhere. Intervals are 95 % bootstrap intervals over cases. Calibration error
counts probabilities of 0.2 and more.
"""


def card(bundle: Bundle, metrics: Mapping[str, Any]) -> str:
    """The card of a bundle with the figures of each evaluation, by its name (such as ``tune`` and ``test``)."""
    manifest = bundle.manifest
    training = manifest["training"]
    facts = {
        "name": bundle.name,
        "codebook": f"{manifest['codebook']['name']} {manifest['codebook']['version']}",
        "languages": ", ".join(bundle.languages),
        "cases": training["cases"],
        "sources": ", ".join(f"{source} {count}" for source, count in training["sources"].items()),
        "data": training["data_hash"][:12],
    }
    if manifest["kind"] == "encoder":
        about = _ENCODER.format(**facts, **_encoder_facts(bundle))
    else:
        about = _LINEAR.format(**facts, persons=training["min_persons"])
    parts = [about, _HOW]
    parts += [_figures(split, figures) for split, figures in metrics.items() if "axes" in figures]
    if "names" in metrics:
        parts.append(_names(metrics["names"]))
    if "parity" in metrics:
        parts.append(_parity(metrics["parity"]))
    if manifest["kind"] == "encoder" and "vocabulary.json" in bundle.files:
        parts.append(_vocabulary(json.loads(bundle.files["vocabulary.json"])))
    return "\n".join(parts)


def _encoder_facts(bundle: Bundle) -> dict[str, Any]:
    encoder = bundle.manifest["encoder"]
    training = bundle.manifest["training"]
    words = training.get("share_of_words")
    own = f"its own outputs{', with those of a linear model on words,' if words else ','} calibrated, say the codes"
    languages = bundle.manifest["training"].get("languages", {})
    small = sorted(count for language, count in languages.items() if language not in ("en", "ru"))
    return {
        "heads": own if training["C"] == 0.0 else "logistic heads on its states say the codes",
        "encoder": encoder["settings"]["encoder"],
        "layers": encoder["settings"]["layers"],
        "pieces": encoder["settings"]["vocabulary"],
        "sentences": encoder["sentences"],
        "small": small[len(small) // 2] if small else "few",
    }


def _names(metrics: Mapping[str, Any]) -> str:
    lines = ["## Names in public corpora (development parts, never trained on)", ""]
    lines += [
        "A marked name counts as found when every letter of it is hidden, as whatever; a person that was found counts as right if it touches a marked name of "
        "any type. Thresholds at 85 % precision were chosen on these sentences. Measured with the token head alone.",
        "",
    ]
    lines += ["| language | persons | recall | precision | recall at 85 % precision | places | organisations |"]
    lines += ["|---|---|---|---|---|---|---|"]
    for language, item in metrics["languages"].items():
        person, best = item["PERSON"], item["at_precision"]
        lines.append(
            f"| {language} | {person['support']} | {number(person['recall'])} | {number(person['precision'])} "
            f"| {number(best['recall'] if best else None)} | {number(item['LOCATION']['recall'])} "
            f"| {number(item['ORGANISATION']['recall'])} |"
        )
    return "\n".join([*lines, ""])


def _parity(metrics: Mapping[str, Any]) -> str:
    lines = ["## Eight bits against full precision", "", "| axis | micro-F1 in full | in eight bits |", "|---|---|---|"]
    lines += [f"| {axis} | {row['float']:.4f} | {row['small']:.4f} |" for axis, row in metrics["micro_f1"].items()]
    return "\n".join([*lines, ""])


def _vocabulary(coverage: Mapping[str, Any]) -> str:
    lines = ["## Word pieces by language, before and after pruning", ""]
    lines += ["| language | unknown before | after | pieces a word before | after |", "|---|---|---|---|---|"]
    for language, before in coverage["before"].items():
        after = coverage["after"][language]
        lines.append(
            f"| {language} | {before['unknown_rate']:.3%} | {after['unknown_rate']:.3%} "
            f"| {before['pieces_per_word']:.2f} | {after['pieces_per_word']:.2f} |"
        )
    return "\n".join([*lines, ""])


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
    lines += _promises(figures)
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


def _promises(figures: Mapping[str, Any]) -> list[str]:
    """How many gold codes are reached at a promised precision, and what the primary codes and the evidence are worth."""
    lines = [
        "",
        "### Gold codes reached",
        "",
        "At a precision: what the best single cut on these very cases reaches. Auto: what is set by itself, and how much of it is right.",
        "",
        "| axis | among the first three | possible | at precision 0.90 | 0.95 | 0.98 | auto | of it right |",
    ]
    lines += ["|---|---|---|---|---|---|---|---|"]
    for axis, values in figures["axes"].items():
        reached = values["coverage"]
        shares = [number(reached[precision]["share"]) for precision in ("0.90", "0.95", "0.98")]
        auto = reached["auto"] or {"share": None, "precision": None}
        first = number(values["top3_recall"]), number(values["top3_possible"])
        cells = [*first, *shares, number(auto["share"]), number(auto["precision"])]
        lines.append(f"| {axis} | " + " | ".join(cells) + " |")
    lines.append("")
    for axis, row in figures["primary"].items():
        lines.append(f"Primary {axis} right in {number(row['accuracy'])} of {row['support']} cases.  ")
    for axis, values in figures["axes"].items():
        if row := values["nothing"]:
            lines.append(
                f"No {axis}: {number(row['recall'])} of {row['support']} such cases get no suggestion; of the cases "
                f"without one {number(row['precision'])} are right.  "
            )
    evidence = figures["evidence"]
    said = f"Evidence: token F1 {number(evidence['tokens']['f1'])} against the marked words"
    if deletion := evidence["deletion"]:
        said += (
            "; taking it out lowers the probability more than taking out other words in "
            f"{number(deletion['share'])} of {deletion['support']} codes"
        )
    lines.append(said + ".")
    return lines


def number(value: float | None) -> str:
    """A figure as cards show it."""
    return "–" if value is None else f"{value:.2f}"


def _interval(bounds: list[float] | None) -> str:
    return "–" if bounds is None else f"{bounds[0]:.2f}–{bounds[1]:.2f}"
