"""The commands of ``casecoder-train`` for people who write, check, exchange and describe narratives."""

from __future__ import annotations

import json
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table

from nlp.cli import guarded
from nlp.errors import BackendUnavailable, CorpusError
from nlp.show import output_console

app = typer.Typer()
_console = Console(stderr=True)

CodebookOption = Annotated[Path, typer.Option(help="The codebook.")]
NarrativesArgument = Annotated[Path, typer.Argument(help="A JSONL file of narratives or a folder of them.")]
_CODEBOOK = Path("annotations/codebook.yaml")
_NARRATIVES = Path("annotations/narratives")


class Format(StrEnum):
    """File formats of other tools."""

    doccano = "doccano"
    label_studio = "label-studio"
    docbin = "docbin"


class NoiseLevel(StrEnum):
    """How much noise refilled narratives get."""

    none = "none"
    light = "light"
    heavy = "heavy"


@app.command("import-marked")
@guarded
def import_marked(
    files: Annotated[list[Path], typer.Argument(help="Text files with inline marks (annotations/guidelines.md).")],
    output: Annotated[Path, typer.Option("--output", "-o", help="The JSONL file to write.")],
    codebook: CodebookOption = _CODEBOOK,
) -> None:
    """Turn narratives with inline marks into JSON lines."""
    from nlp.codebook import load_codebook

    from .corpus import cases_from_marked, write_cases

    book = load_codebook(codebook)
    cases = [case for file in files for case in cases_from_marked(file, book)]
    write_cases(output, cases)
    typer.echo(f"{len(cases)} narratives written to {output}")


@app.command("export-marked")
@guarded
def export_marked(
    file: Annotated[Path, typer.Argument(help="A JSONL file of narratives.")],
    output: Annotated[Path, typer.Option("--output", "-o", help="The text file to write.")],
    codebook: CodebookOption = _CODEBOOK,
) -> None:
    """Turn JSON lines into text with inline marks, to be edited by hand."""
    from nlp.codebook import load_codebook

    from .corpus import marked_form, read_cases

    cases = read_cases(file, load_codebook(codebook))
    write_text(output, "\n".join(map(marked_form, cases)))
    typer.echo(f"{len(cases)} narratives written to {output}")


@app.command("export")
@guarded
def export(
    output: Annotated[Path, typer.Option("--output", "-o", help="The file to write.")],
    to: Annotated[Format, typer.Option("--to", help="For which tool.")],
    narratives: NarrativesArgument = _NARRATIVES,
    codebook: CodebookOption = _CODEBOOK,
) -> None:
    """Write narratives for doccano, Label Studio or spaCy; for Label Studio also the labeling interface beside it."""
    from nlp.codebook import load_codebook

    from . import exchange
    from .corpus import read_cases

    book = load_codebook(codebook)
    cases = read_cases(narratives, book)
    output.parent.mkdir(parents=True, exist_ok=True)
    if to is Format.doccano:
        exchange.write_doccano(output, cases)
    elif to is Format.docbin:
        exchange.write_docbin(output, cases, book)
    else:
        exchange.write_label_studio(output, cases)
        interface = output.with_suffix(".xml")
        write_text(interface, exchange.labeling_config(book))
        typer.echo(f"labeling interface written to {interface}")
    typer.echo(f"{len(cases)} narratives written to {output}")


@app.command("import")
@guarded
def import_(
    file: Annotated[Path, typer.Argument(help="What the tool exported.")],
    output: Annotated[Path, typer.Option("--output", "-o", help="The JSONL file to write.")],
    source: Annotated[Format, typer.Option("--from", help="From which tool.")],
    codebook: CodebookOption = _CODEBOOK,
) -> None:
    """Read narratives back from doccano, Label Studio or spaCy; the first fault is named with its place and reason."""
    from nlp.codebook import load_codebook

    from . import exchange
    from .corpus import write_cases

    readers = {
        Format.doccano: exchange.read_doccano,
        Format.label_studio: exchange.read_label_studio,
        Format.docbin: exchange.read_docbin,
    }
    cases = readers[source](file, load_codebook(codebook))
    write_cases(output, cases)
    typer.echo(f"{len(cases)} narratives written to {output}")


@app.command()
@guarded
def check(narratives: NarrativesArgument = _NARRATIVES, codebook: CodebookOption = _CODEBOOK) -> None:
    """Check codebook and narratives; the first fault is named with file, line and reason."""
    from nlp.codebook import load_codebook

    from .corpus import count_codes, read_cases

    book = load_codebook(codebook)
    cases = read_cases(narratives, book)
    table = Table("code", "cases")
    for code, count in count_codes(cases, book).items():
        table.add_row(code, str(count))
    output_console().print(table)
    typer.echo(f"codebook {book}, {len(cases)} narratives: no fault found")


@app.command()
@guarded
def duplicates(
    narratives: NarrativesArgument = _NARRATIVES,
    codebook: CodebookOption = _CODEBOOK,
    threshold: Annotated[
        float, typer.Option(min=0.01, max=1, help="Jaccard similarity from which two are near-duplicates.")
    ] = 0.5,
) -> None:
    """List pairs of narratives that are nearly the same."""
    from nlp.codebook import load_codebook

    from .corpus import read_cases

    try:
        from .duplicates import near_duplicates
    except ModuleNotFoundError:
        raise BackendUnavailable("near-duplicates", "fit") from None
    cases = read_cases(narratives, load_codebook(codebook))
    pairs = near_duplicates(cases, threshold=threshold)
    table = Table("similarity", "first", "second")
    for pair in pairs:
        table.add_row(f"{pair.similarity:.3f}", pair.first, pair.second)
    output_console().print(table)
    share = len({name for pair in pairs for name in (pair.first, pair.second)}) / max(1, len(cases))
    typer.echo(f"{len(pairs)} pairs; {share:.2%} of {len(cases)} narratives have a near-duplicate")


@app.command()
@guarded
def sample(
    output: Annotated[Path, typer.Option("--output", "-o", help="The text file to write, without any codes.")],
    narratives: NarrativesArgument = _NARRATIVES,
    codebook: CodebookOption = _CODEBOOK,
    share: Annotated[
        float, typer.Option(min=0, max=1, help="Share of the cases of each language; half of it hard cases.")
    ] = 0.15,
    seed: Annotated[int, typer.Option(help="Seed of the draw.")] = 1,
) -> None:
    """Draw cases for a second coder, who must not see the first coding."""
    from nlp.codebook import load_codebook

    from .agreement import sample_for_second
    from .corpus import read_cases

    cases = sample_for_second(read_cases(narratives, load_codebook(codebook)), share=share, seed=seed)
    blind = [f"@@ {case.case_id}\ncountry: {case.country or '-'}\n---\n{case.text}\n" for case in cases]
    write_text(output, "\n".join(blind))
    typer.echo(f"{len(cases)} narratives written to {output}")


@app.command()
@guarded
def agreement(
    first: Annotated[
        Path, typer.Argument(help="Codings of the first coder: a JSONL file, of narratives or of codes alone.")
    ] = Path("annotations/quality/first.jsonl"),
    second: Annotated[Path, typer.Argument(help="Codings of the second coder.")] = Path(
        "annotations/quality/second.jsonl"
    ),
    codebook: CodebookOption = _CODEBOOK,
    output: Annotated[Path | None, typer.Option("--output", "-o", help="Where the figures go, as JSON.")] = None,
    differences: Annotated[
        Path | None, typer.Option(help="Where each disagreement goes, as JSON lines, to be decided.")
    ] = None,
) -> None:
    """Krippendorff's alpha of two codings of the same cases, by axis and code."""
    from nlp.codebook import load_codebook

    from .agreement import agreement as measure
    from .agreement import disagreements, read_codings

    book = load_codebook(codebook)
    codings = read_codings(first, book), read_codings(second, book)
    try:
        figures = measure(*codings, book)
    except ModuleNotFoundError:
        raise BackendUnavailable("agreement", "corpus") from None
    if not figures["cases"]:
        raise CorpusError("has no case that the first coder has, too", source=str(second), line=0)
    table = Table("axis or code", "first", "second", "both", "alpha")
    for axis, row in figures["axes"].items():
        table.add_row(axis, "", "", "", _said(row["alpha"]))
        for code, values in row["codes"].items():
            table.add_row(
                f"  {code}", *(str(values[key]) for key in ("first", "second", "both")), _said(values["alpha"])
            )
    output_console().print(table)
    typer.echo(f"{figures['cases']} cases coded twice")
    if output:
        write_json(output, figures)
    if differences:
        keys = ("id", "axis", "code", "coded_by")
        lines = [json.dumps(dict(zip(keys, item, strict=True))) + "\n" for item in disagreements(*codings)]
        write_text(differences, "".join(lines))
        typer.echo(f"{len(lines)} differences listed in {differences}")


@app.command()
@guarded
def refill(
    narratives: NarrativesArgument,
    output: Annotated[Path, typer.Option("--output", "-o", help="The JSONL file to write.")],
    copies: Annotated[int, typer.Option(min=1, help="How many copies of each narrative to make.")] = 1,
    seed: Annotated[int, typer.Option(help="Seed of all draws.")] = 1,
    noise: Annotated[NoiseLevel, typer.Option(help="Typing and scanning noise in the copies.")] = NoiseLevel.none,
    codebook: CodebookOption = _CODEBOOK,
) -> None:
    """Make copies of narratives in which every marked identifier is swapped for another of its kind."""
    from rich.progress import Progress

    from nlp.codebook import load_codebook

    from .corpus import read_cases, write_cases

    try:
        import faker  # noqa: F401 - its lists are read later, while the bar stands
        import pytrovich  # noqa: F401 - the same

        from .refill import HEAVY, LIGHT, NO_NOISE, Refiller
    except ModuleNotFoundError:
        raise BackendUnavailable("refilling", "corpus") from None
    cases = read_cases(narratives, load_codebook(codebook))
    levels = {NoiseLevel.none: NO_NOISE, NoiseLevel.light: LIGHT, NoiseLevel.heavy: HEAVY}
    refiller = Refiller(seed=seed, noise=levels[noise])
    made = []
    with Progress(console=_console, transient=True) as bar:
        task = bar.add_task("refilling", total=len(cases) * copies)
        for case in cases:
            for copy in range(copies):
                made.append(refiller.refill(case, copy))
                bar.advance(task)
    write_cases(output, made)
    tally = refiller.tally
    table = Table("identifier", "swapped", "unchanged")
    for kind in sorted({*tally.swapped, *tally.unchanged}):
        table.add_row(kind, str(tally.swapped[kind]), str(tally.unchanged[kind]))
    output_console().print(table)
    typer.echo(f"the grammatical case was told for {tally.people_told} of {tally.people} names of people")
    typer.echo(f"{len(made)} narratives written to {output}")


@app.command()
@guarded
def describe(
    narratives: NarrativesArgument = _NARRATIVES,
    codebook: CodebookOption = _CODEBOOK,
    compare: Annotated[list[Path] | None, typer.Option(help="Other narratives to compare the texts with.")] = None,
    output: Annotated[Path | None, typer.Option("--output", "-o", help="Where the figures go, as JSON.")] = None,
) -> None:
    """Count cases by language, code, tag and identifier type, and compare the texts with others."""
    from nlp.codebook import load_codebook

    from .corpus import read_cases
    from .statistics import by_language, counts, text_statistics, unknown_words

    book = load_codebook(codebook)
    cases = read_cases(narratives, book)
    figures: dict[str, Any] = {"counts": counts(cases, book), "texts": {}, "compared": {}}
    own = by_language(cases)
    for language, members in own.items():
        figures["texts"][language] = text_statistics(members)
    for path in compare or ():
        for language, members in by_language(read_cases(path, book)).items():
            figures["compared"][f"{path.name} {language}"] = {
                **text_statistics(members),
                "unknown_words": unknown_words(members, own.get(language, [])),
            }
    _show_texts({**figures["texts"], **figures["compared"]})
    typer.echo(
        f"{figures['counts']['cases']} narratives, {sum(figures['counts']['direct'].values())} direct identifiers"
    )
    if output:
        write_json(output, figures)


def _show_texts(rows: dict[str, Any]) -> None:
    table = Table("texts", "cases", "words p5/50/95", "words a sentence", "type-token", "quotation", "unknown words")
    for name, row in rows.items():
        words, sentence = row["words"], row["words_per_sentence"]
        table.add_row(
            name,
            str(row["cases"]),
            f"{words['p5']:.0f} / {words['p50']:.0f} / {words['p95']:.0f}",
            f"{sentence['p5']:.0f} / {sentence['p50']:.0f} / {sentence['p95']:.0f}",
            _said(row["type_token_ratio"]),
            _said(row["with_quotation"]),
            _said(row.get("unknown_words")),
        )
    output_console().print(table)


def write_json(path: Path, value: Any) -> None:
    """Write figures as JSON, readable for people."""
    write_text(path, json.dumps(value, ensure_ascii=False, indent=1) + "\n")


def write_text(path: Path, text: str) -> None:
    """Write a file, and the folder that it lies in."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8", newline="\n")


def _said(value: float | None) -> str:
    return "–" if value is None else f"{value:.3f}"
