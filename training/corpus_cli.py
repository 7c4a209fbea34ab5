"""The commands of ``casecoder-train`` for people who write, check, exchange and refill narratives."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table

from nlp.cli import guarded
from nlp.errors import BackendUnavailable
from nlp.show import output_console

from .console import CODEBOOK, NARRATIVES, CodebookOption, NarrativesArgument, progress, write_text

app = typer.Typer()


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
    codebook: CodebookOption = CODEBOOK,
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
    codebook: CodebookOption = CODEBOOK,
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
    narratives: NarrativesArgument = NARRATIVES,
    codebook: CodebookOption = CODEBOOK,
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
    codebook: CodebookOption = CODEBOOK,
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
def check(narratives: NarrativesArgument = NARRATIVES, codebook: CodebookOption = CODEBOOK) -> None:
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
def refill(
    narratives: NarrativesArgument,
    output: Annotated[Path, typer.Option("--output", "-o", help="The JSONL file to write.")],
    copies: Annotated[int, typer.Option(min=1, help="How many copies of each narrative to make.")] = 1,
    seed: Annotated[int, typer.Option(help="Seed of all draws.")] = 1,
    noise: Annotated[NoiseLevel, typer.Option(help="Typing and scanning noise in the copies.")] = NoiseLevel.none,
    codebook: CodebookOption = CODEBOOK,
) -> None:
    """Make copies of narratives in which every marked identifier is swapped for another of its kind."""
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
    with progress("refilling", len(cases) * copies) as step:
        for case in cases:
            for copy in range(copies):
                made.append(refiller.refill(case, copy))
                step()
    write_cases(output, made)
    tally = refiller.tally
    table = Table("identifier", "swapped", "unchanged")
    for kind in sorted({*tally.swapped, *tally.unchanged}):
        table.add_row(kind, str(tally.swapped[kind]), str(tally.unchanged[kind]))
    output_console().print(table)
    typer.echo(f"the grammatical case was told for {tally.people_told} of {tally.people} names of people")
    typer.echo(f"{len(made)} narratives written to {output}")
