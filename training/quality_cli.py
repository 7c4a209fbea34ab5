"""The commands of ``casecoder-train`` that tell how good narratives are: counts, agreement, doubts, learning curve."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.table import Table

from nlp.cli import guarded
from nlp.errors import BackendUnavailable, CorpusError
from nlp.show import output_console

from .console import (
    CODEBOOK,
    LINEAR_CONFIG,
    LINEAR_RUN,
    NARRATIVES,
    CodebookOption,
    ConfigOption,
    NarrativesArgument,
    RunOption,
    console,
    progress,
    said,
    split_of,
    write_json,
    write_text,
)  # fmt: skip

app = typer.Typer()


@app.command()
@guarded
def duplicates(
    narratives: NarrativesArgument = NARRATIVES,
    codebook: CodebookOption = CODEBOOK,
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
    narratives: NarrativesArgument = NARRATIVES,
    codebook: CodebookOption = CODEBOOK,
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
    codebook: CodebookOption = CODEBOOK,
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
        table.add_row(axis, "", "", "", said(row["alpha"]))
        for code, values in row["codes"].items():
            table.add_row(
                f"  {code}", *(str(values[key]) for key in ("first", "second", "both")), said(values["alpha"])
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
def describe(
    narratives: NarrativesArgument = NARRATIVES,
    codebook: CodebookOption = CODEBOOK,
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
            said(row["type_token_ratio"]),
            said(row["with_quotation"]),
            said(row.get("unknown_words")),
        )
    output_console().print(table)


@app.command()
@guarded
def curve(
    config: ConfigOption = LINEAR_CONFIG,
    run: RunOption = LINEAR_RUN,
    output: Annotated[Path | None, typer.Option("--output", "-o", help="Where the figures go, as JSON.")] = None,
) -> None:
    """Fit on growing parts of the training split and measure each on the tuning split: do more narratives still
    help?"""
    from nlp.codebook import load_codebook

    from .config import load_config

    try:
        from .curve import SHARES, learning_curve
        from .fit import featurize
    except ModuleNotFoundError:
        raise BackendUnavailable("training", "fit") from None
    settings = load_config(config)
    book = load_codebook(settings.codebook)
    train, tuning = (split_of(run, name, book) for name in ("train", "tune"))
    with progress("reading and redacting", len(train) + len(tuning)) as step:
        parts, held_out = featurize(train, book, step=step), featurize(tuning, book, step=step)
    with progress("fitting", len(SHARES)) as step:
        rows = learning_curve(parts, held_out, [case.language for case in tuning], book, settings, step=step)
    table = Table("cases", "of", *(axis.id for axis in book.axes), title="mean average precision on the tuning split")
    for row in rows:
        for language, figures in row["mean_average_precision"].items():
            table.add_row(str(row["cases"]), language, *(said(figures[axis.id]) for axis in book.axes))
    output_console().print(table)
    target = output or run / "curve.json"
    write_json(target, rows)
    typer.echo(f"figures in {target}")


@app.command()
@guarded
def audit(
    config: ConfigOption = LINEAR_CONFIG,
    run: RunOption = LINEAR_RUN,
    output: Annotated[Path | None, typer.Option("--output", "-o", help="Where the list goes, as JSON lines.")] = None,
    limit: Annotated[
        int, typer.Option(min=1, help="At most so many doubted codes, and so many doubted absences.")
    ] = 200,
) -> None:
    """List codes of the training and tuning split that contradict a model which has not seen the case: look at each."""
    from nlp.classification.base import columns_of
    from nlp.codebook import load_codebook

    from .config import load_config

    try:
        from .audit import label_doubts
        from .fit import featurize, out_of_fold
    except ModuleNotFoundError:
        raise BackendUnavailable("the audit", "corpus") from None
    settings = load_config(config)
    book = load_codebook(settings.codebook)
    cases = [*split_of(run, "train", book), *split_of(run, "tune", book)]
    with progress("reading and redacting", len(cases)) as step:
        featured = featurize(cases, book, step=step)
    with console.status("fitting"):
        doubts = label_doubts(cases, columns_of(book), out_of_fold(featured, book, settings), limit=limit)
    target = output or run / "doubts.jsonl"
    write_text(target, "".join(json.dumps(vars(doubt)) + "\n" for doubt in doubts))
    typer.echo(f"{len(doubts)} doubted codes of {len(cases)} cases, listed in {target}")


@app.command()
@guarded
def datacard(
    config: ConfigOption = LINEAR_CONFIG,
    quality: Annotated[
        Path, typer.Option(help="Folder of codings, audit, and figures of `describe` and `curve`.")
    ] = Path("annotations/quality"),
    output: Annotated[Path, typer.Option("--output", "-o", help="The Markdown file to write.")] = Path(
        "annotations/datacard.md"
    ),
) -> None:
    """Write the data card of the narratives: counts made anew, text statistics and learning curve as stored."""
    from nlp.codebook import load_codebook

    from .config import load_config
    from .corpus import read_cases
    from .datacard import datacard as card

    settings = load_config(config)
    book = load_codebook(settings.codebook)
    cases = read_cases(settings.narratives, book)
    try:
        text = card(cases, book, settings, quality)
    except ModuleNotFoundError:
        raise BackendUnavailable("the data card", "corpus") from None
    write_text(output, text)
    typer.echo(f"data card of {len(cases)} narratives in {output}")
