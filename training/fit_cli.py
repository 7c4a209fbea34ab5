"""``casecoder-train fit``: models of codes, for a shipped bundle or for a site with cases of its own."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

import typer

from nlp.bundle import Bundle, open_bundle
from nlp.cli import guarded
from nlp.codebook import load_codebook
from nlp.errors import BackendUnavailable, SettingsError

from .config import Config, load_config
from .console import CONFIG, RUN, ConfigOption, RunOption, console, progress, read_json, split_of
from .corpus import Case, read_cases

app = typer.Typer()

FEATURES = "features"  # folder of a run: features of cases that have been encoded


@app.command()
@guarded
def fit(
    config: ConfigOption = CONFIG,
    run: RunOption = RUN,
    data: Annotated[
        Path | None, typer.Option(help="A site's own coded cases (JSONL file or folder), instead of a prepared run.")
    ] = None,
    bundle: Annotated[
        str | None,
        typer.Option(help="With --data: the bundle whose encoder and heads to go on from; else the default."),
    ] = None,
    codebook: Annotated[
        Path | None, typer.Option(help="With --data: the site's codebook; else the bundle's own.")
    ] = None,
    name: Annotated[str, typer.Option(help="With --data: the name of the new bundle.")] = "site",
    encoder_of: Annotated[
        str | None, typer.Option(help="Without --data: the bundle whose encoder to fit on, instead of the run's own.")
    ] = None,
) -> None:
    """Fit and calibrate the models on a frozen encoder, or a linear one, and learn thresholds.

    Without --data on the training split of a run, with thresholds from the tuning split. With --data on a site's own
    cases, going on from a bundle: in seconds once the cases are encoded, without touching the encoder.
    """
    settings = load_config(config)
    try:
        import sklearn  # noqa: F401
    except ModuleNotFoundError:
        raise BackendUnavailable("training", "fit") from None
    if data:
        _fit_site(data, open_bundle(bundle), codebook, name, settings, run)
    elif bundle or codebook:
        raise SettingsError("--bundle and --codebook go with --data, a site's own cases")
    elif settings.encoder:
        _fit_encoder(settings, config, run, encoder_of)
    else:
        _fit_linear(settings, config, run)


def _fit_linear(settings: Config, config: Path, run: Path) -> None:
    from nlp.held_out import HeldOut

    from .fit import featurize, fit_linear
    from .package import Identity, write_draft
    from .tune import tune
    from .unseen import unseen_files

    book = load_codebook(settings.codebook)
    train, tuning = (split_of(run, split, book) for split in ("train", "tune"))
    with progress("reading and redacting", len(train) + len(tuning)) as step:
        featured = featurize(train, book, step=step)
        held_out = featurize(tuning, book, step=step)
    with console.status("fitting"):
        model, facts = fit_linear(featured, book, settings)
        counts = [model.count(sentences) for sentences in held_out.sentences]
        unseen = HeldOut(model.columns, model.predict_proba(counts), held_out.targets)
        policy = tune(unseen.probabilities, unseen.targets, model.columns, settings)
    training = _training(facts, settings, config, train, run) | {"min_persons": settings.min_persons}
    files = unseen_files(unseen, tuning, policy, book, vocabulary=model.vocabulary)
    write_draft(run / "bundle", model, book, policy, Identity.of(settings), training=training, unseen=files)
    typer.echo(f"{facts['features']} features, C = {facts['C']}; draft bundle in {run / 'bundle'}")


def _fit_encoder(settings: Config, config: Path, run: Path, encoder_of: str | None) -> None:
    from .encoder_fit import EncoderFiles, fit_on_encoder, with_tag_thresholds, with_words
    from .fit import featurize
    from .package import Identity, require_unseen, write_encoder_draft
    from .unseen import unseen_files, words_of

    book = load_codebook(settings.codebook)
    train, tuning = (split_of(run, split, book) for split in ("train", "tune"))
    files = EncoderFiles.of_bundle(open_bundle(encoder_of)) if encoder_of else EncoderFiles.of_run(run)
    require_unseen(files.files, tuning, source=str(run / "tune.jsonl"))
    if not encoder_of:
        with progress("words", len(train)) as step:
            words = featurize(train, book, step=step)
        with console.status("fitting words"):
            files = with_words(files, words, book, settings)
    with progress("thresholds of identifiers", len(tuning)) as step:
        files = with_tag_thresholds(files, tuning, book, step=step)
    with progress("encoding", len(train) + len(tuning)) as step:
        fitted = fit_on_encoder(files.serving(book), train, tuning, book, settings, cache=run / FEATURES, step=step)
    unseen = unseen_files(fitted.held_out, tuning, fitted.policy, book, vocabulary=words_of(files.files))
    write_encoder_draft(
        run / "bundle",
        fitted.model,
        book,
        fitted.policy,
        Identity.of(settings),
        encoder_files=files.files,
        encoder_facts=files.facts,
        training=_training(fitted.facts, settings, config, train, run),
        unseen=unseen,
    )
    typer.echo(f"C = {fitted.facts['C']}; draft bundle in {run / 'bundle'}")


def _fit_site(data: Path, shipped: Bundle, codebook: Path | None, name: str, settings: Config, run: Path) -> None:
    from .encoder_fit import EncoderFiles, fit_on_own_cases
    from .package import Identity, write_encoder_draft
    from .unseen import unseen_files, words_of

    old = shipped.codebook()
    book = load_codebook(codebook) if codebook else old
    cases = read_cases(data, book)
    files = EncoderFiles.of_bundle(shipped)
    with progress("encoding", len(cases)) as step:
        fitted = fit_on_own_cases(
            files.serving(book),
            shipped.heads(),
            cases,
            book,
            settings,
            before=json.loads(shipped.files["policy.json"])["codes"],
            cache=run / FEATURES,
            step=step,
        )
    training = {
        **fitted.facts,
        "seed": settings.seed,
        "sources": _sources(cases),
        "data_hash": _digest(data),
        "continues": shipped.name,
    }
    today = datetime.now(UTC).date().isoformat()
    identity = Identity(name, f"{settings.version}+{today.replace('-', '')}", today, shipped.languages)
    write_encoder_draft(
        run / "bundle",
        fitted.model,
        book,
        fitted.policy,
        identity,
        encoder_files=files.files,
        encoder_facts=files.facts,
        training=training,
        unseen=unseen_files(
            fitted.held_out.apart(settings.seed), cases, fitted.policy, book,
            vocabulary=words_of(files.files), described=fitted.held_out,
        ),
    )  # fmt: skip
    typer.echo(f"fitted on {len(cases)} cases, C = {fitted.facts['C']}; use it with --bundle {run / 'bundle'}")


def _training(facts: Any, settings: Config, config: Path, train: Sequence[Case], run: Path) -> dict[str, Any]:
    return {
        **facts,
        "seed": settings.seed,
        "config": config.name,
        "sources": _sources(train),
        "languages": dict(sorted(Counter(case.language for case in train).items())),
        **read_json(run / "prepared.json"),
    }


def _sources(cases: Sequence[Case]) -> dict[str, int]:
    return dict(sorted(Counter(case.source or "not stated" for case in cases).items()))


def _digest(data: Path) -> str:
    """SHA-256 over the files of cases."""
    digest = hashlib.sha256()
    for file in sorted(data.glob("*.jsonl")) if data.is_dir() else [data]:
        digest.update(file.read_bytes())
    return digest.hexdigest()
