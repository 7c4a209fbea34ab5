"""The data card of the annotated narratives, in Markdown for people, after the headings of Datasheets for Datasets
(Gebru et al. 2021).

Counts, agreement and near-duplicates are made anew from the files each time, so that the card cannot say what the
narratives are not; text statistics and the learning curve are those that `describe` and `curve` have stored.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from nlp.codebook import Codebook
from nlp.errors import CorpusError

from .agreement import agreement, read_codings
from .card import number
from .config import Config
from .corpus import HARD, Case, json_lines
from .duplicates import near_duplicates
from .split import divided, read_frozen
from .statistics import counts

_HEAD = """\
# Data card: annotated narratives

{cases:,} invented case narratives in {languages} languages, coded on three axes with evidence, identifiers marked by hand. Codebook `{codebook}`.
Made by `casecoder-train datacard`; the figures are counted from the files beside it.

## Motivation

Models that code case narratives need coded narratives. Real ones name people whose HIV status, drug use or orientation can cost them a job, a child or a
life, so none are used here: no public corpus of such narratives exists, and none should. These are written so that models trained on them work on real ones.

## Composition

**Origin.** Every narrative is invented, with invented people, numbers and institutions (`"source": "invented"`); none retells a real case. A number
may by chance belong to somebody; none was looked up.

**Who wrote how.** {writers} writers' voices: hurried notes of outreach workers, complaint drafts of lawyers, the client's own words and voice messages, English by way
of Russian, database rows, reports, edited web stories. The texts were written one by one, without templates, by a language model instructed to take these voices, from written guidelines and quotas; they were not
written by people of the communities, and for the languages other than English and Russian no native speaker has read them. The field `writer` names the voice.

**Hard cases** ({hard_share:.1%}): narratives with one of the tags {hard_tags}. **No violation**: {nothing_share:.1%}. **Translations of others**: {translations}.
"""

_CODING = """
## Coding, agreement, audit

Each narrative was coded and marked by its writer, with the words that prove each code. The first 896 (English and Russian) were read a second time by another reader against `guidelines.md`,
who mended marks and codes; of the others, names and numbers outside of marks were searched for by machine and mended.
"""

_AGREEMENT = """
**Second coding.** {cases} narratives ({share:.1%}; drawn by language, half of them hard cases) were coded a second time by coders who saw the text alone. Krippendorff's alpha, with MASI distance
for the sets of an axis and nominal for single codes. The codings as they were before the decision are in `quality/`; each disagreement was decided there with a
reason (`decisions.jsonl`), and the rules are in the guidelines ("Border cases decided"). The coders were language models working apart from the writers, with the same guidelines: people may agree less.
"""

_AUDIT = """
**Audit.** The codes of train and tune that most contradict a model which had not seen the case (confident learning, `casecoder-train audit`) were looked at one by one: {looked} doubts,
{fixed} codes changed, {kept} kept. `quality/audit.jsonl` gives the decision and the reason of each.
"""

_TAIL = """
## Splits

`splits.json` freezes train, tune and test (version {version}): grouped by writer and theme, translations with their originals, stratified by code and language, no near-duplicates across.
The narratives of {test_writers} are all in the test split, so that it has voices that no model has heard; narratives that were looked at while recognizers were written (tag `seen`) are
train only. The test split is read at the end of a piece of work, never to choose anything.

## Uses, and what not to use it for

For training and measuring models that suggest codes to a person, and that find identifiers. Not for statistics on rights violations: how often something happens here was
decided by quotas. Not as a source on any country, office or person.

## Known gaps

- Rare codes are more frequent than in reality; sexual violence is told soberly and briefly.
- Figures on the test split are better than on real cases: the same guidelines, the same kind of writer, quotations and drama more frequent than in real summaries (see the table of texts).
- Some turns of plot were given to several writers; 22 of 5,998 themes stand in more than one split, in other words and mostly in other languages.
- Language models repeat themselves: plots, excuses and endings are less varied than life, names less varied than a register. `casecoder-train refill` swaps identifiers so that no name is learned.
- In the smaller languages local usage may be wrong or bookish, and names in lower case that a writer forgot to mark may be left.
- Some extents vary between writers: the generic word before the proper name of an organisation, № before a number.

## License and upkeep

CC BY 4.0, like the guidelines. Corrections are welcome as changes to the files; a changed test split is a new version of `splits.json`.
"""


def datacard(cases: Sequence[Case], codebook: Codebook, config: Config, quality: Path) -> str:
    """The whole card. ``quality`` is the folder with ``first.jsonl`` and ``second.jsonl`` (codings), ``audit.jsonl``,
    ``describe.json`` and ``curve.json``; what is missing there is left out.

    Raises `CorpusError` where a file cannot be read.
    """
    found = counts(cases, codebook)
    divided_cases = divided(cases, config.split, config.splits)
    codings = [quality / f"{who}.jsonl" for who in ("first", "second")]
    parts = [
        _head(found, codebook),
        _languages(found, {name: counts(part, codebook) for name, part in divided_cases.items()}),
        _by_language("### Codes", "code", found["codes"], found["languages"]),
        _by_language("### Identifiers", "type", found["identifiers"], found["languages"]),
        _texts(_stored(quality / "describe.json"), len(near_duplicates(cases))),
        _CODING,
        _agreement(codings, codebook, cases) if all(path.exists() for path in codings) else "",
        _audit([item for _, item in json_lines(quality / "audit.jsonl")]) if (quality / "audit.jsonl").exists() else "",
        _curve(_stored(quality / "curve.json")),
        _tail(config),
    ]
    return "\n".join(part for part in parts if part)


def _stored(path: Path) -> Any:
    try:
        return json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
    except (OSError, json.JSONDecodeError):
        raise CorpusError("is no file of stored figures", source=str(path), line=0) from None


def _head(found: Mapping[str, Any], codebook: Codebook) -> str:
    total = found["cases"]
    return _HEAD.format(
        cases=total,
        languages=len(found["languages"]),
        codebook=codebook,
        writers=sum(found["writers"].values()),
        hard_share=found["hard"] / total,
        hard_tags=", ".join(f"`{tag}` {found['tags'].get(tag, 0)}" for tag in HARD),
        nothing_share=found["nothing"] / total,
        translations=found["translations"],
    )


def _tail(config: Config) -> str:
    writers = ", ".join(f"`{name}`" for name in config.split.test_writers) or "none"
    return _TAIL.format(version=read_frozen(config.splits).version if config.splits else "-", test_writers=writers)


def _table(head: Sequence[str], rows: Sequence[Sequence[object]]) -> str:
    lines = ["| " + " | ".join(head) + " |", "|" + "---|" * len(head)]
    return "\n".join([*lines, *("| " + " | ".join(map(str, row)) + " |" for row in rows), ""])


def _languages(found: Mapping[str, Any], splits: Mapping[str, Mapping[str, Any]]) -> str:
    rows = [
        [language, cases, found["writers"][language], found["direct"].get(language, 0)]
        + [splits[name]["languages"].get(language, 0) for name in ("train", "tune", "test")]
        + [splits["test"]["direct"].get(language, 0)]
        for language, cases in found["languages"].items()
    ]
    sums = ["all", *(sum(row[at] for row in rows) for at in range(1, len(rows[0])))]
    head = ["language", "narratives", "voices", "direct identifiers", "train", "tune", "test", "direct in test"]
    return "### Languages and splits\n\n" + _table(head, [*rows, sums])


def _by_language(title: str, what: str, table: Mapping[str, Mapping[str, int]], languages: Mapping[str, int]) -> str:
    others = [language for language in languages if language not in ("en", "ru")]
    rows = [
        [name, sum(by.values()), by.get("en", 0), by.get("ru", 0), sum(by.get(language, 0) for language in others)]
        for name, by in table.items()
    ]
    return f"{title}\n\n" + _table([what, "all", "en", "ru", "others"], rows)


def _texts(stored: Mapping[str, Any], duplicates: int) -> str:
    texts = {**stored.get("texts", {}), **stored.get("compared", {})}
    rows = [
        [
            name,
            row["cases"],
            " / ".join(f"{row['words'][key]:.0f}" for key in ("p5", "p50", "p95")),
            f"{row['words_per_sentence']['p50']:.0f}",
            number(row["type_token_ratio"]),
            number(row["with_quotation"]),
            number(row.get("unknown_words")),
        ]
        for name, row in texts.items()
    ]
    head = [
        "texts",
        "cases",
        "words (5 / 50 / 95 %)",
        "words a sentence",
        "type-token ratio",
        "with quotation",
        "unknown words",
    ]
    said = (
        "\nWords of one narrative; the median sentence; type-token ratio as moving average over 50 words; share of running words that the narratives of that "
        "language do not have. Rows with unknown words are published response stories, which are not part of this corpus.\n\n"
        f"Near-duplicates (Jaccard similarity of character 6-grams of 0.5 or more, identifiers taken out): {duplicates} pairs.\n"
    )
    return "### Texts\n\n" + _table(head, rows) + said


def _agreement(codings: Sequence[Path], codebook: Codebook, cases: Sequence[Case]) -> str:
    first, second = (read_codings(path, codebook) for path in codings)
    figures = agreement(first, second, codebook)
    axes = [
        [
            axis,
            number(row["alpha"]),
            number(row["identical"]),
            number(row["f1"]),
            number(figures["primary"].get(axis)),
        ]
        for axis, row in figures["axes"].items()
    ]
    codes = [
        [code, row["first"], row["second"], row["both"], number(row["alpha"])]
        for values in figures["axes"].values()
        for code, row in values["codes"].items()
    ]
    return "\n".join(
        [
            _AGREEMENT.format(cases=figures["cases"], share=figures["cases"] / len(cases)),
            _table(["axis", "alpha", "same set", "F1", "same primary"], axes),
            _table(["code", "first coder", "second coder", "both", "alpha"], codes),
        ]
    )


def _audit(decisions: Sequence[Mapping[str, Any]]) -> str:
    found = Counter(item["decision"] for item in decisions)
    return _AUDIT.format(looked=len(decisions), fixed=found["fixed"], kept=found["kept"])


def _curve(rows: Sequence[Mapping[str, Any]]) -> str:
    if not rows:
        return ""
    axes = list(rows[0]["mean_average_precision"]["all"])
    body = [[row["cases"], *(number(row["mean_average_precision"]["all"][axis]) for axis in axes)] for row in rows]
    return "**Learning curve** of the linear baseline (mean average precision on the tuning split):\n\n" + _table(
        ["narratives", *axes], body
    )
