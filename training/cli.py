"""``casecoder-train``: from annotated narratives to a bundle, in steps that can each be run again."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.table import Table

from nlp.cli import guarded
from nlp.errors import BackendUnavailable, CorpusError
from nlp.pipeline import Pipeline
from nlp.reading import MAX_CHARACTERS
from nlp.show import output_console

from . import baselines_cli, corpus_cli, encoder_cli, fit_cli, quality_cli
from .console import (
    CONFIG,
    RUN,
    ConfigOption,
    RunOption,
    progress,
    read_json,
    said,
    split_of,
    write_json,
)
from .corpus import Case

app = typer.Typer(
    help="Write, check and exchange narratives, and build bundles: prepare > finetune > fit > evaluate > package.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)
app.add_typer(corpus_cli.app)
app.add_typer(quality_cli.app)
app.add_typer(encoder_cli.app)
app.add_typer(fit_cli.app)
app.add_typer(baselines_cli.app)


@app.command()
@guarded
def split(
    version: Annotated[str, typer.Option(help="Version of the division; every change of the test split is a new one.")],
    output: Annotated[Path, typer.Option("--output", "-o", help="The file to write; must not exist yet.")],
    config: ConfigOption = CONFIG,
) -> None:
    """Freeze train, tune and test, so that the test split stays the same while narratives are added."""
    from nlp.codebook import load_codebook

    from .config import load_config
    from .corpus import read_cases
    from .split import freeze, split_cases, write_frozen

    settings = load_config(config)
    cases = read_cases(settings.narratives, load_codebook(settings.codebook))
    splits = split_cases(cases, settings.split)
    _refuse_leaks(splits)
    if output.exists():
        raise CorpusError("exists already: a frozen division is not overwritten", source=str(output), line=0)
    write_frozen(output, freeze(splits, settings.split, version=version, source=config.name))
    typer.echo(", ".join(f"{name} {len(members)}" for name, members in splits.items()) + f" narratives; see {output}")


@app.command()
@guarded
def prepare(config: ConfigOption = CONFIG, run: RunOption = RUN) -> None:
    """Check the narratives and split them into train, tune and test, grouped so that related cases stay together."""
    from nlp.codebook import load_codebook

    from .config import load_config
    from .corpus import read_cases, write_cases
    from .split import divided

    settings = load_config(config)
    book = load_codebook(settings.codebook)
    splits = divided(read_cases(settings.narratives, book), settings.split, settings.splits)
    _refuse_leaks(splits)
    for name, members in splits.items():
        write_cases(run / f"{name}.jsonl", [case for case in members if case.language in settings.languages])
    sizes = {name: sum(case.language in settings.languages for case in members) for name, members in splits.items()}
    write_json(run / "prepared.json", {"data_hash": _hash(run), "splits": sizes})
    typer.echo(", ".join(f"{name} {size}" for name, size in sizes.items()) + f" narratives in {run}")


def _refuse_leaks(splits: Mapping[str, Sequence[Case]]) -> None:
    """Raise `CorpusError` if two near-duplicates stand in different splits."""
    try:
        from .duplicates import near_duplicates
    except ModuleNotFoundError:
        raise BackendUnavailable("training", "fit") from None
    from .split import straddling

    pairs = near_duplicates([case for members in splits.values() for case in members])
    if leaks := straddling(splits, [(pair.first, pair.second) for pair in pairs]):
        first, second = leaks[0]
        raise CorpusError(
            f"{len(leaks)} near-duplicates straddle, the first are {first} and {second}", source="splits", line=0
        )


@app.command()
@guarded
def evaluate(
    split: Annotated[str, typer.Option(help="tune, or test: read test once, at the end.")] = "tune",
    data: Annotated[Path | None, typer.Option(help="Any annotated JSONL file instead of a split.")] = None,
    bundle: Annotated[str | None, typer.Option(help="A bundle; by default the draft of this run.")] = None,
    output: Annotated[Path | None, typer.Option("--output", "-o", help="Where the figures go, as JSON.")] = None,
    seed: Annotated[int, typer.Option(help="Seed of the intervals.")] = 0,
    sample: Annotated[
        int, typer.Option(min=0, help="Cases of the deletion test of evidence, each analyzed several times; 0: none.")
    ] = 150,
    report: Annotated[
        bool | None,
        typer.Option("--report/--no-report", help="An HTML page beside the figures; by default if it can be drawn."),
    ] = None,
    predictions: Annotated[
        Path | None, typer.Option(help="Where the predictions go, as JSON and .npz: a baseline for another model.")
    ] = None,
    baseline: Annotated[
        list[Path] | None, typer.Option(help="Predictions of another model on the same cases, to compare with.")
    ] = None,
    curve: Annotated[Path, typer.Option(help="Learning curve for the page, where there is one.")] = Path(
        "annotations/quality/curve.json"
    ),
    redaction: Annotated[
        bool,
        typer.Option("--redaction", help="Measure redaction alone: also under noise, and what it costs the codes."),
    ] = False,
    config: ConfigOption = CONFIG,
    run: RunOption = RUN,
) -> None:
    """Measure a bundle: F1 by axis and code with intervals, calibration, evidence, redaction recall."""
    from nlp.bundle import open_bundle

    from .corpus import read_cases
    from .evaluation import load_predictions, measure
    from .evaluation.output import renderer, write
    from .package import require_unseen

    render = renderer(report)
    opened = open_bundle(bundle or run / "bundle")
    book = opened.codebook()
    cases = read_cases(data, book) if data else split_of(run, split, book)
    if not cases:
        raise CorpusError("there is no case in it", source=str(data or split), line=0)
    require_unseen(opened.files, cases, source=str(data or run / f"{split}.jsonl"))
    name = f"{f'data-{data.stem}' if data else split}{'-' + opened.name if bundle else ''}"
    if redaction:
        _evaluate_redaction(opened.pipeline(max_characters=_longest(cases)), cases, seed, run, name, output)
        return
    others = [load_predictions(path) for path in baseline or ()]
    pipeline = opened.pipeline(max_characters=_longest(cases))
    with progress("evaluating", len(cases) + min(sample, len(cases))) as step:
        measured = measure(
            pipeline,
            cases,
            seed=seed,
            step=step,
            unheard_writers=None if data else _test_writers(config),
            sample=sample,
            baselines=others,
        )
    measured.figures["bundle_digest"] = opened.digest
    target = output or run / f"metrics-{name}.json"
    _show(measured.figures)
    for what, path in write(measured, target, predictions=predictions, render=render, curve=curve).items():
        typer.echo(f"{what} in {path}")


def _longest(cases: Sequence[Case]) -> int:
    """Characters that a pipeline must take; twice as many as the longest case has, since noise makes some longer."""
    return max(MAX_CHARACTERS, *(2 * len(case.text) for case in cases))


def _evaluate_redaction(
    pipeline: Pipeline, cases: Sequence[Case], seed: int, run: Path, name: str, output: Path | None
) -> None:
    from .evaluation.study import passes, redaction_study

    with progress("evaluating redaction", passes() * sum(case.entities is not None for case in cases)) as step:
        figures = redaction_study(pipeline, cases, seed=seed, step=step)
    _show_redaction(figures["redaction"])
    columns = ("direct", "quasi", "precision_of_characters", "leaking")
    noise = Table("noise", *columns, title="redaction under noise")
    for kind, row in figures["noise"].items():
        noise.add_row(kind, *(said(row[column]) for column in columns))
    codes = Table("micro-F1 of codes", *figures["micro_f1"]["by_gold"])
    for how, row in figures["micro_f1"].items():
        codes.add_row(how, *map(said, row.values()))
    console = output_console()
    console.print(noise)
    console.print(codes)
    write_json(target := output or run / f"metrics-redaction-{name}.json", figures)
    typer.echo(f"figures in {target}")


def _test_writers(config: Path) -> tuple[str, ...] | None:
    """Writers of whom no narrative is in training; None where the division of the run is not at hand."""
    from .config import load_config
    from .split import read_frozen

    settings = load_config(config)
    if settings.splits is None:
        return settings.split.test_writers
    return read_frozen(settings.splits).test_writers if settings.splits.exists() else None


@app.command()
@guarded
def package(
    run: RunOption = RUN,
    models: Annotated[Path, typer.Option(help="Where bundles live.")] = Path("models"),
    default: Annotated[bool, typer.Option(help="Make it the default bundle.")] = True,
) -> None:
    """Finish the draft with its figures and model card, and put it among the models."""
    from nlp.bundle import open_bundle

    from .package import package as finish

    metrics = {name: read_json(path) for name in MEASURED if (path := run / f"metrics-{name}.json").exists()}
    digest = open_bundle(run / "bundle").digest
    for name in ("names", "parity"):
        if name in metrics and metrics[name]["bundle_digest"] != digest:
            typer.echo(
                f"the figures on {name} are of an earlier draft and are left out: `casecoder-train {name}`", err=True
            )
            del metrics[name]
    if not {"tune", "test"} & set(metrics):
        raise CorpusError("there are no figures yet: run `casecoder-train evaluate` first", source=str(run), line=0)
    typer.echo(f"bundle written to {finish(run / 'bundle', models, metrics, default=default)}")


# Figures that a bundle carries, where they were measured; those of real cases by `evaluate --data FILE -o`.
MEASURED = ("tune", "test", "real-en", "real-ru", "names", "parity")


def _hash(run: Path) -> str:
    """SHA-256 over the splits: which narratives a model has seen."""
    digest = hashlib.sha256()
    for name in ("train", "tune", "test"):
        digest.update((run / f"{name}.jsonl").read_bytes())
    return digest.hexdigest()


_SHOWN = {
    "micro-F1": "micro_f1",
    "micro interval": "micro_f1_interval",
    "precision": "micro_precision",
    "recall": "micro_recall",
    "macro-F1": "macro_f1",
    "macro interval": "macro_f1_interval",
    "ECE": "expected_calibration_error",
}


def _show(figures: dict[str, Any]) -> None:
    table = Table("axis", *_SHOWN, title=figures["bundle"])
    for axis, values in figures["axes"].items():
        table.add_row(axis, *(said(values[key]) for key in _SHOWN.values()))
    console = output_console()
    console.print(table)
    if figures["redaction"]:
        _show_redaction(figures["redaction"])


def _show_redaction(redaction: dict[str, Any]) -> None:
    rows = Table("identifiers", "support", "recall", "interval", title="redaction: whole identifiers hidden")
    for key, row in redaction["recall"].items():
        rows.add_row(key, str(row["support"]), said(row["recall"]), said(row.get("interval")))
    output_console().print(rows)
    typer.echo(
        f"precision of hidden characters {said(redaction['precision_of_characters'])}; "
        f"cases with a direct identifier in sight {said(redaction['leaking'])}; "
        f"of {redaction['without_identifiers']} cases without any identifier untouched {said(redaction['untouched'])}"
    )
