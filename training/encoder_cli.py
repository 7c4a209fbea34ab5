"""``casecoder-train finetune`` and ``export-encoder``: the encoder's long run, and what it leaves for a bundle."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.table import Table

from nlp.cli import guarded
from nlp.codebook import Codebook, load_codebook
from nlp.errors import BackendUnavailable, CorpusError, SettingsError
from nlp.show import output_console

from .config import Config, load_config
from .console import CONFIG, RUN, ConfigOption, RunOption, console, progress, read_json, split_of, write_json

if TYPE_CHECKING:
    from nlp.bundle import Bundle

    from .corpus import Case
    from .encoder.finetune import Material
    from .encoder.network import CaseNetwork
    from .encoder.settings import Tuning

app = typer.Typer()

EncoderOption = Annotated[str | None, typer.Option(help="The encoder to start from: a name on the hub, or a folder.")]
NamesOption = Annotated[Path | None, typer.Option(help="Folder of sentences with marked names, *.train.jsonl.gz.")]


@app.command()
@guarded
def finetune(
    config: ConfigOption = CONFIG,
    run: RunOption = RUN,
    encoder: EncoderOption = None,
    names: NamesOption = None,
    after: Annotated[
        Path | None,
        typer.Option(help="An earlier run, whose word pieces and weights this one starts with: for more narratives."),
    ] = None,
    after_bundle: Annotated[
        str | None,
        typer.Option(help="A bundle, by name or folder, whose encoder this run starts with; no other one is needed."),
    ] = None,
) -> None:
    """Fine-tune the encoder on the training split, for hours; a stopped run goes on from its last checkpoint."""
    if after and after_bundle:
        raise SettingsError("--after and --after-bundle are two beginnings: name one")
    _require()
    from .encoder.beginning import with_bundle
    from .encoder.finetune import CHECKPOINT
    from .encoder.finetune import finetune as train

    begins = not (run / CHECKPOINT).exists()
    bundle = _begin(config, run, after, after_bundle) if begins else None
    network, material, tuning = _opened(config, run, encoder, names)
    if bundle:
        network = with_bundle(network, bundle, material)
    elif after and begins:
        network = _trained(network, after)
    train(network, material, tuning, run, say=_say)
    _export(network, material, tuning, run)
    typer.echo(f"fine-tuned on {len(material.cases)} narratives and {len(material.sentences)} sentences; see {run}")


@app.command("export-encoder")
@guarded
def export(
    config: ConfigOption = CONFIG,
    run: RunOption = RUN,
    encoder: EncoderOption = None,
    names: NamesOption = None,
) -> None:
    """Make of the last checkpoint of a fine-tuning run the encoder that a bundle holds; `finetune` ends with it."""
    from .encoder_fit import PARTS

    network, material, tuning = _opened(config, run, encoder, names)
    _export(_trained(network, run), material, tuning, run)
    typer.echo(f"encoder in {run / PARTS}")


@app.command()
@guarded
def names(
    folder: Annotated[Path, typer.Argument(help="Folder of sentences with marked names, *.dev.jsonl.gz.")],
    bundle: Annotated[str | None, typer.Option(help="A bundle; by default the draft of this run.")] = None,
    output: Annotated[Path | None, typer.Option("--output", "-o", help="Where the figures go, as JSON.")] = None,
    run: RunOption = RUN,
) -> None:
    """Measure how well the encoder of a bundle finds names in public corpora: recall and precision of whole names."""
    from nlp.bundle import open_bundle

    from .encoder.examples import read_sentences
    from .encoder.names import PRECISION, name_figures, rows

    opened = open_bundle(bundle or run / "bundle")
    files = sorted(folder.glob("*.dev.jsonl.gz"))
    if not files:
        raise CorpusError("holds no *.dev.jsonl.gz", source=str(folder), line=0)
    sentences = [sentence for file in files for sentence in read_sentences(file)]
    with progress("finding names", len(sentences)) as step:
        figures = name_figures(opened.encoder(), opened.tagger(), sentences, step=step)
    write_json(
        output or run / "metrics-names.json",
        {"bundle": opened.name, "bundle_digest": opened.digest, "languages": figures},
    )
    table = Table("language", "recall", "precision", f"recall at {PRECISION:.0%} precision", title="persons, whole")
    for row in rows(figures):
        table.add_row(*row)
    output_console().print(table)


@app.command()
@guarded
def parity(
    config: ConfigOption = CONFIG,
    run: RunOption = RUN,
    encoder: EncoderOption = None,
    names: NamesOption = None,
) -> None:
    """Measure on the tuning split what eight bits cost: the draft of this run beside the same with full precision."""
    from nlp.bundle import open_bundle

    from .encoder_fit import parity_figures

    network, material, _ = _opened(config, run, encoder, names)
    from .encoder.parts import parts_of

    with console.status("exporting"):
        full = parts_of(_trained(network, run), material.tags, material.columns, small=False).onnx
    opened = open_bundle(run / "bundle")
    with progress("reading twice", 2 * len(material.watched)) as step:
        figures = parity_figures(opened, full, material.watched, step=step)
    write_json(run / "metrics-parity.json", {"bundle_digest": opened.digest, "micro_f1": figures})
    table = Table("axis", "full precision", "eight bits", title="micro-F1 on the tuning split")
    for axis, row in figures.items():
        table.add_row(axis, f"{row['float']:.4f}", f"{row['small']:.4f}")
    output_console().print(table)


def _opened(config: Path, run: Path, encoder: str | None, names: Path | None) -> tuple[CaseNetwork, Material, Tuning]:
    """What every step of fine-tuning begins with: the settings, the libraries, the network and its material."""
    settings = load_config(config)
    tuning = _tuning(settings, config, encoder, names)
    _require()
    return *_prepare(tuning, run, load_codebook(settings.codebook)), tuning


def _begin(config: Path, run: Path, after: Path | None, after_bundle: str | None) -> Bundle | None:
    """Take over what an earlier run or a bundle has left, unless it has seen cases that will judge this run; gives the
    bundle."""
    from nlp.bundle import open_bundle

    from .encoder.beginning import begin_after_bundle, begin_after_run, require_start

    if not after and not after_bundle:
        require_start(run)
        return None
    book = load_codebook(load_config(config).codebook)
    judged = split_of(run, "tune", book)
    if (run / "test.jsonl").exists() and (run / "test.jsonl").stat().st_size:
        judged += split_of(run, "test", book)
    if after:
        begin_after_run(after, run, judged)
        return None
    bundle = open_bundle(after_bundle)
    begin_after_bundle(bundle, run, judged)
    return bundle


def _trained(network: CaseNetwork, run: Path) -> CaseNetwork:
    """The network with the weights of the run's checkpoint."""
    from .encoder.finetune import CHECKPOINT
    from .encoder.parts import load_trained

    return load_trained(network, run / CHECKPOINT)


def _require() -> None:
    try:
        import onnx  # noqa: F401
        import torch  # noqa: F401
        import transformers  # noqa: F401
    except ModuleNotFoundError:
        raise BackendUnavailable("fine-tuning", "finetune") from None


def _tuning(settings: Config, config: Path, encoder: str | None, names: Path | None) -> Tuning:
    if settings.encoder is None:
        raise SettingsError(f"{config}: has no [encoder] to fine-tune")
    return replace(
        settings.encoder,
        encoder=encoder or settings.encoder.encoder,
        names=str(names) if names else settings.encoder.names,
    )


def _prepare(tuning: Tuning, run: Path, book: Codebook) -> tuple[CaseNetwork, Material]:
    """The network with fresh heads, and what it learns from; the vocabulary is the one that the run has, if it
    has one, although narratives may have changed since: the word embeddings of its checkpoint are of these pieces."""
    from nlp.encoding import WordPieces

    from .encoder.examples import read_sentences
    from .encoder.finetune import Material, build_network

    cases, watched = (split_of(run, name, book) for name in ("train", "tune"))
    files = sorted(Path(tuning.names).glob("*.train.jsonl.gz")) if tuning.names else []
    if tuning.names and not files:
        raise CorpusError("holds no *.train.jsonl.gz", source=tuning.names, line=0)
    sentences = [sentence for file in files for sentence in read_sentences(file)]
    texts = [case.text for case in cases] + [sentence.text for sentence in sentences]
    with console.status("loading the encoder"):
        model, small = _encoder(tuning, run, texts, cases)
    material = Material(cases, watched, sentences, WordPieces.from_json(small), book)
    return build_network(model, material, tuning), material


def _encoder(tuning: Tuning, run: Path, texts: Sequence[str], cases: Sequence[Case]) -> tuple[Any, bytes]:
    """The transformer and its ``tokenizer.json``: of the encoder that the settings name, or, in a run that began after
    a bundle, of the same form as its, still without weights."""
    from .encoder.beginning import START, TOKENIZER, VOCABULARY, blank_start
    from .encoder.source import load_source
    from .encoder.vocabulary import coverage

    by_language: dict[str, list[str]] = {}
    for case in cases:
        by_language.setdefault(case.language, []).append(case.text)
    known = (run / TOKENIZER).read_bytes() if (run / TOKENIZER).exists() else None
    if known and (run / START).exists():
        model, small = blank_start(run, layers=tuning.layers, dropout=tuning.dropout), known
        told = read_json(run / VOCABULARY)["before"]  # as the bundle tells it: the whole vocabulary is not here
        before = {language: figures for language, figures in told.items() if language in by_language}
    else:
        model, small, whole = load_source(
            tuning.encoder,
            texts,
            vocabulary=tuning.vocabulary,
            layers=tuning.layers,
            dropout=tuning.dropout,
            pruned_before=known,
        )
        before = coverage(whole, by_language)
    (run / TOKENIZER).write_bytes(small)
    write_json(run / VOCABULARY, {"before": before, "after": coverage(small, by_language)})
    return model, small


def _export(network: CaseNetwork, material: Material, tuning: Tuning, run: Path) -> None:
    """Write the encoder as a bundle holds it, with its log and the report on its vocabulary."""
    from .corpus import id_digest
    from .encoder.beginning import TOKENIZER, VOCABULARY, seen_with, start_facts
    from .encoder.finetune import LOG
    from .encoder.parts import parts_of
    from .encoder_fit import FACTS, PARTS
    from .package import SEEN, array_bytes

    with console.status("exporting"):
        parts = parts_of(network, material.tags, material.columns)
    pooling = parts.pooling
    files = {
        "encoder.onnx": parts.onnx,
        "tokenizer.json": (run / TOKENIZER).read_bytes(),
        "vocabulary.json": (json.dumps(read_json(run / VOCABULARY)) + "\n").encode(),
        LOG: (run / LOG).read_bytes(),
        SEEN: seen_with(run, [id_digest(case.case_id) for case in material.cases]),
        "tags.npy": array_bytes(parts.tag_weights),
        "salience.npy": array_bytes(pooling.salience),
        "evidence.npy": array_bytes(pooling.evidence),
        "opinion.npy": array_bytes(pooling.opinion),
    }
    folder = run / PARTS
    folder.mkdir(exist_ok=True)
    for name, content in files.items():
        (folder / name).write_bytes(content)
    settings = {**vars(tuning), "encoder": Path(tuning.encoder).name, "names": bool(tuning.names)}
    facts = {
        "width": pooling.width,
        "tags": list(parts.tags.types),
        "tag_thresholds": dict.fromkeys(parts.tags.types, 0.5),
        "columns": [list(column) for column in pooling.columns],
        "settings": settings,
        "cases": len(material.cases),
        "sentences": len(material.sentences),
        **start_facts(run),
    }
    write_json(folder / FACTS, facts)


def _say(record: Mapping[str, Any]) -> None:
    losses = ", ".join(f"{name} {value:.3f}" for name, value in record["loss"].items())
    learned = "".join(f"; {axis} {value:.3f}" for axis, value in record.get("watched", {}).items())
    console.print(
        f"epoch {record['epoch']}, {record['batch']} of {record['batches']}, {record['seconds']} s: {losses}{learned}"
    )
