"""``casecoder-train``: from annotated narratives to a bundle, in steps that can each be run again."""

from __future__ import annotations

import hashlib
import importlib.resources
import json
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.progress import Progress
from rich.table import Table

from nlp.cli import guarded
from nlp.errors import BackendUnavailable, CorpusError
from nlp.reading import MAX_CHARACTERS
from nlp.show import output_console

app = typer.Typer(
    help="Build bundles from annotated narratives: prepare > fit > evaluate > package.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)
_console = Console(stderr=True)

ConfigOption = Annotated[Path, typer.Option("--config", "-c", help="The run's configuration (TOML).")]
RunOption = Annotated[Path, typer.Option("--run", help="Folder of this run's working files.")]

_CONFIG = Path(str(importlib.resources.files("training"))) / "configs" / "linear.toml"
_RUN = Path("build/linear")


@contextmanager
def _progress(what: str, total: int) -> Iterator[Any]:
    with Progress(console=_console, transient=True) as bar:
        task = bar.add_task(what, total=total)
        yield lambda: bar.advance(task)


@app.command("import-marked")
@guarded
def import_marked(
    files: Annotated[list[Path], typer.Argument(help="Text files with inline marks (annotations/guidelines.md).")],
    output: Annotated[Path, typer.Option("--output", "-o", help="The JSONL file to write.")],
    codebook: Annotated[Path, typer.Option(help="The codebook.")] = Path("annotations/codebook.yaml"),
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
    codebook: Annotated[Path, typer.Option(help="The codebook.")] = Path("annotations/codebook.yaml"),
) -> None:
    """Turn JSON lines into text with inline marks, to be edited by hand."""
    from nlp.codebook import load_codebook

    from .corpus import marked_form, read_cases

    cases = read_cases(file, load_codebook(codebook))
    output.write_text("\n".join(map(marked_form, cases)), encoding="utf-8", newline="\n")
    typer.echo(f"{len(cases)} narratives written to {output}")


@app.command()
@guarded
def check(
    narratives: Annotated[Path, typer.Argument(help="A JSONL file or a folder of them.")] = Path(
        "annotations/narratives"
    ),
    codebook: Annotated[Path, typer.Option(help="The codebook.")] = Path("annotations/codebook.yaml"),
) -> None:
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
def prepare(config: ConfigOption = _CONFIG, run: RunOption = _RUN) -> None:
    """Check the narratives and split them into train, tune and test, grouped so that related cases stay together."""
    from nlp.codebook import load_codebook

    from .config import load_config
    from .corpus import read_cases, write_cases
    from .split import split_cases

    settings = load_config(config)
    book = load_codebook(settings.codebook)
    cases = [case for case in read_cases(settings.narratives, book) if case.language in settings.languages]
    splits = split_cases(cases, settings.shares, seed=settings.seed)
    for name, members in splits.items():
        write_cases(run / f"{name}.jsonl", members)
    facts = {"data_hash": _hash(run), "splits": {name: len(members) for name, members in splits.items()}}
    _write_json(run / "prepared.json", facts)
    typer.echo(", ".join(f"{name} {len(members)}" for name, members in splits.items()) + f" narratives in {run}")


@app.command()
@guarded
def fit(config: ConfigOption = _CONFIG, run: RunOption = _RUN) -> None:
    """Fit and calibrate the models on the training split, and learn thresholds on the tuning split."""
    from nlp.codebook import load_codebook

    from .config import load_config

    try:
        from .fit import featurize, fit_linear
    except ModuleNotFoundError:
        raise BackendUnavailable("training", "fit") from None
    from .package import write_draft
    from .tune import tune

    settings = load_config(config)
    book = load_codebook(settings.codebook)
    train, tuning = (_split(run, name, book) for name in ("train", "tune"))
    with _progress("reading and redacting", len(train) + len(tuning)) as step:
        featured = featurize(train, book, step=step)
        held_out = featurize(tuning, book, step=step)
    with _console.status("fitting"):
        model, facts = fit_linear(featured, book, settings)
        counts = [model.count(sentences) for sentences in held_out.sentences]
        policy = tune(model.predict_proba(counts), held_out.targets, model.columns, settings)
    training = {
        **facts,
        "seed": settings.seed,
        "min_persons": settings.min_persons,
        "config": config.name,
        "sources": dict(sorted(Counter(case.source or "not stated" for case in train).items())),
        **_read_json(run / "prepared.json"),
    }
    write_draft(run / "bundle", model, book, policy, settings, training=training)
    typer.echo(f"{facts['features']} features, C = {facts['C']}; draft bundle in {run / 'bundle'}")


@app.command()
@guarded
def evaluate(
    split: Annotated[str, typer.Option(help="tune, or test: read test once, at the end.")] = "tune",
    data: Annotated[Path | None, typer.Option(help="Any annotated JSONL file instead of a split.")] = None,
    bundle: Annotated[str | None, typer.Option(help="A bundle; by default the draft of this run.")] = None,
    output: Annotated[Path | None, typer.Option("--output", "-o", help="Where the figures go, as JSON.")] = None,
    seed: Annotated[int, typer.Option(help="Seed of the intervals.")] = 0,
    run: RunOption = _RUN,
) -> None:
    """Measure a bundle: F1 by axis and code with intervals, calibration, redaction recall."""
    from nlp.bundle import open_bundle

    from .corpus import read_cases
    from .evaluate import evaluate as measure

    opened = open_bundle(bundle or run / "bundle")
    book = opened.codebook()
    cases = read_cases(data, book) if data else _split(run, split, book)
    if not cases:
        raise CorpusError("there is no case in it", source=str(data or split), line=0)
    pipeline = opened.pipeline(max_characters=max(MAX_CHARACTERS, *(len(case.text) for case in cases)))
    with _progress("evaluating", len(cases)) as step:
        figures = measure(pipeline, cases, seed=seed, step=step)
    figures["bundle_digest"] = opened.digest
    target = output or run / f"metrics-{data.stem if data else split}{'-' + opened.name if bundle else ''}.json"
    _write_json(target, figures)
    _show(figures)
    typer.echo(f"figures in {target}")


@app.command()
@guarded
def package(
    run: RunOption = _RUN,
    models: Annotated[Path, typer.Option(help="Where bundles live.")] = Path("models"),
    default: Annotated[bool, typer.Option(help="Make it the default bundle.")] = True,
) -> None:
    """Finish the draft with its figures and model card, and put it among the models."""
    from .package import package as finish

    metrics = {name: _read_json(path) for name in ("tune", "test") if (path := run / f"metrics-{name}.json").exists()}
    if not metrics:
        raise CorpusError("there are no figures yet: run `casecoder-train evaluate` first", source=str(run), line=0)
    typer.echo(f"bundle written to {finish(run / 'bundle', models, metrics, default=default)}")


def _split(run: Path, name: str, book: Any) -> Any:
    from .corpus import read_cases

    path = run / f"{name}.jsonl"
    if not path.exists():
        raise CorpusError("is missing: run `casecoder-train prepare` first", source=str(path), line=0)
    return read_cases(path, book)


def _hash(run: Path) -> str:
    """SHA-256 over the splits: which narratives a model has seen."""
    digest = hashlib.sha256()
    for name in ("train", "tune", "test"):
        digest.update((run / f"{name}.jsonl").read_bytes())
    return digest.hexdigest()


def _read_json(path: Path) -> Any:
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except OSError:
        raise CorpusError("is missing: run the steps before this one", source=str(path), line=0) from None


def _write_json(path: Path, value: Any) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(value, ensure_ascii=False, indent=1) + "\n", encoding="utf-8", newline="\n")


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
        table.add_row(axis, *(_said(values[key]) for key in _SHOWN.values()))
    console = output_console()
    console.print(table)
    if redaction := figures["redaction"]:
        rows = Table("identifiers", "support", "recall", title="redaction: whole identifiers hidden")
        for key, row in redaction["recall"].items():
            rows.add_row(key, str(row["support"]), _said(row["recall"]))
        console.print(rows)
        typer.echo(f"precision of hidden characters {_said(redaction['precision_of_characters'])}")


def _said(value: float | list[float] | None) -> str:
    if value is None:
        return "–"
    return "–".join(f"{item:.3f}" for item in value) if isinstance(value, list) else f"{value:.3f}"
