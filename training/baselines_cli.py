"""``casecoder-train baselines``: what the bundle has to be better than, trained on the same narratives."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import numpy as np
import typer

from nlp.classification import Column, columns_of
from nlp.cli import guarded
from nlp.codebook import Codebook, load_codebook
from nlp.errors import BackendUnavailable

from .config import Config, load_config
from .console import CONFIG, LINEAR_CONFIG, RUN, ConfigOption, RunOption, console, progress, split_of
from .corpus import Case

if TYPE_CHECKING:
    from .baselines import Baseline

app = typer.Typer()

FOLDER = "baselines"
SPACY_EPOCHS = 15
BASELINE_PERSONS = (
    3  # persons that must have a feature; a bundle wants ten to keep names out, a baseline is not shipped
)
FROZEN_C = (1.0, 10.0, 100.0)  # heads on states that nobody fine-tuned need to lean on them more


@app.command()
@guarded
def baselines(
    config: ConfigOption = CONFIG,
    run: RunOption = RUN,
    split: Annotated[str, typer.Option(help="The split that they predict, for `evaluate --baseline`.")] = "test",
    encoder: Annotated[
        str | None, typer.Option(help="The encoder before fine-tuning, hub name or folder; without it one less.")
    ] = None,
) -> None:
    """Train the baselines on the splits of a run: TF-IDF with linear models, spaCy's bag of words, and heads on the
    encoder as it was before fine-tuning. Their predictions go to the folder `baselines` of the run."""
    try:
        from .baselines import Baseline, choose, spacy_textcat, tuned_thresholds
        from .fit import targets_of
    except ModuleNotFoundError:
        raise BackendUnavailable("training", "fit") from None
    settings = load_config(config)
    book = load_codebook(settings.codebook)
    columns = columns_of(book)
    train, tuning, asked = (split_of(run, name, book) for name in ("train", "tune", split))
    gold = targets_of(tuning, columns)

    def thresholded(probabilities: np.ndarray, wanted: np.ndarray) -> Baseline:
        thresholds = tuned_thresholds(probabilities, gold, columns, seed=settings.seed)
        return Baseline(probabilities, wanted, choose(wanted, thresholds, columns))

    _write(run, "tfidf-linear", split, asked, book, thresholded(*_linear(train, tuning, asked, book, settings)))
    with progress("spaCy", SPACY_EPOCHS) as step:
        said = spacy_textcat(train, tuning, asked, book, settings, seed=settings.seed, epochs=SPACY_EPOCHS, step=step)
    _write(run, "spacy-textcat", split, asked, book, said)
    if encoder:
        said = thresholded(*_frozen(encoder, train, tuning, asked, book, settings))
        _write(run, "frozen-encoder", split, asked, book, said)


def _linear(
    train: Sequence[Case], tuning: Sequence[Case], asked: Sequence[Case], book: Codebook, settings: Config
) -> tuple[np.ndarray, np.ndarray]:
    from .fit import featurize, fit_linear

    linear = load_config(LINEAR_CONFIG)
    linear = replace(linear, C=linear.C[-2:], languages=settings.languages, min_persons=BASELINE_PERSONS)
    with progress("reading and redacting", len(train) + len(tuning) + len(asked)) as step:
        parts = [featurize(cases, book, step=step) for cases in (train, tuning, asked)]
    with console.status("fitting the linear baseline"):
        model, _ = fit_linear(parts[0], book, linear)
        counted = [[model.count(sentences) for sentences in part.sentences] for part in parts[1:]]
    return model.predict_proba(counted[0]), model.predict_proba(counted[1])


def _frozen(
    source: str,
    train: Sequence[Case],
    tuning: Sequence[Case],
    asked: Sequence[Case],
    book: Codebook,
    settings: Config,
) -> tuple[np.ndarray, np.ndarray]:
    """Heads on the mean states of an encoder that has seen no narrative; identifiers are left out as always."""
    try:
        from .encoder.parts import untrained_serving
    except ModuleNotFoundError:
        raise BackendUnavailable("the frozen encoder", "finetune") from None
    from nlp.classification.linear import sigmoid

    from .calibration import calibrate
    from .heads import encode, fit_heads

    columns: tuple[Column, ...] = columns_of(book)
    texts = [case.text for case in train]
    serving = untrained_serving(source, texts, columns, book, settings)
    with progress("encoding", len(train) + len(tuning) + len(asked)) as step:
        seen, unseen, wanted = (encode(cases, serving, columns, step=step) for cases in (train, tuning, asked))
    with console.status("fitting heads on the frozen encoder"):
        model, _ = fit_heads(seen, unseen, columns, serving.pooling, C=FROZEN_C, seed=settings.seed)
        slope, offset = calibrate(
            model.decision_function(unseen.X), unseen.targets, columns, prior=settings.calibration_prior
        )
    proba = [sigmoid(slope * model.decision_function(part.X) + offset) for part in (unseen, wanted)]
    return proba[0], proba[1]


def _write(run: Path, name: str, split: str, asked: Sequence[Case], book: Codebook, said: Baseline) -> None:
    from .baselines import by_axis
    from .evaluation import from_arrays, save_predictions

    columns = columns_of(book)
    predictions = from_arrays(
        name, book, asked, probabilities=by_axis(said.test, columns), chosen=by_axis(said.chosen, columns)
    )
    path = run / FOLDER / f"{name}-{split}.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    save_predictions(path, predictions)
    typer.echo(f"predictions of {name} in {path}")
