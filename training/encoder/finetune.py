"""Fine-tune the encoder: epochs over cases and marked sentences, with checkpoints that a stopped run goes on from."""

from __future__ import annotations

import json
import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from random import Random
from typing import Any

import numpy as np
import torch
from torch import Tensor

from nlp.classification import Column, columns_of
from nlp.codebook import Codebook
from nlp.encoding import WINDOW, WordPieces
from nlp.errors import CorpusError
from nlp.tags import Tags

from ..corpus import Case
from ..refill import LIGHT, NO_NOISE, Refiller
from .batches import buckets, collate
from .examples import Example, Sentence, allowed_tags, case_example, recased, sentence_example
from .excerpts import draw_window
from .network import CaseNetwork, loss_of
from .settings import Tuning

CHECKPOINT = "checkpoint.pt"
LOG = "finetune.jsonl"


@dataclass(frozen=True)
class Material:
    """What a run learns from and is watched on, and what it needs to read it."""

    cases: Sequence[Case]
    watched: Sequence[Case]
    sentences: Sequence[Sentence]
    pieces: WordPieces
    codebook: Codebook

    @property
    def columns(self) -> tuple[Column, ...]:
        return columns_of(self.codebook)

    @property
    def tags(self) -> Tags:
        return Tags([identifier.id for identifier in self.codebook.identifiers])

    @property
    def axes(self) -> np.ndarray:
        """Which columns belong to which axis, of shape (n_axes, n_columns)."""
        names = list(dict.fromkeys(column.axis for column in self.columns))
        return np.array([[column.axis == name for column in self.columns] for name in names])


def epoch_batches(material: Material, tuning: Tuning, epoch: int) -> list[list[Example]]:
    """The batches of one epoch: every case, from the second epoch on with other identifiers and hurried spelling, a
    share of them cut to an excerpt, and a share of the sentences. Same seed, same epoch: same batches."""
    rng = Random(f"{tuning.seed}/{epoch}")  # noqa: S311 - the order of training, no secret
    refiller = Refiller(seed=tuning.seed, noise=LIGHT if epoch % 2 else NO_NOISE)
    cases = [refiller.refill(case, epoch) if epoch else case for case in material.cases]
    tags = material.tags
    coded = [_case(case, material, tags, tuning, rng) for case in cases]
    order = [at for at in range(len(material.sentences)) if rng.random() < tuning.sentences_share]
    named = [
        sentence_example(_recased(material.sentences[at], tuning, rng), material.pieces, tags, limit=WINDOW)
        for at in order
    ]
    batches = []
    for kind in (coded, named):
        examples = [example for example in kind if len(example.ids)]
        for numbers in buckets([len(example.ids) for example in examples], tuning.tokens_per_batch, rng):
            batches.append([examples[number] for number in numbers])
    rng.shuffle(batches)
    return batches


def _case(case: Case, material: Material, tags: Tags, tuning: Tuning, rng: Random) -> Example:
    text = recased(case.text, case.language, rng, lower=tuning.lower_share, upper=tuning.upper_share)
    if text != case.text:
        evidence = {
            axis: {code: tuple(text[place.start : place.end] for place in case.places(axis, code)) for code in codes}
            for axis, codes in case.evidence.items()
        }
        case = replace(case, text=text, evidence=evidence)
    cut = tuning.excerpt_share > 0 and rng.random() < tuning.excerpt_share
    window = draw_window(case, material.columns, rng) if cut else None
    return case_example(case, material.pieces, tags, material.columns, limit=WINDOW, rng=rng, window=window)


def _recased(sentence: Sentence, tuning: Tuning, rng: Random) -> Sentence:
    text = recased(sentence.text, sentence.language, rng, lower=tuning.lower_share, upper=tuning.upper_share)
    return Sentence(text, sentence.language, sentence.spans)


def build_network(transformer: Any, material: Material, tuning: Tuning) -> CaseNetwork:
    """The network with fresh heads, the lower layers and the word embeddings frozen."""
    torch.manual_seed(tuning.seed)
    width = int(transformer.config.hidden_size)
    network = CaseNetwork(transformer, width, len(material.tags.names), material.columns, dropout=tuning.head_dropout)
    frozen = [transformer.embeddings, *transformer.encoder.layer[: tuning.frozen_layers]]
    for module in frozen:
        module.requires_grad_(False)
    return network


def finetune(
    network: CaseNetwork,
    material: Material,
    tuning: Tuning,
    folder: Path,
    *,
    say: Callable[[Mapping[str, Any]], None] = lambda record: None,
) -> None:
    """Train the network in place. What is done is kept in ``folder``: a checkpoint every few minutes, and the log.

    A run that finds a checkpoint of the same settings goes on from there.
    """
    run = _Run(network, material, tuning, folder, say)
    run.resume()
    for epoch in range(run.epoch, tuning.epochs):
        run.train_epoch(epoch)
    run.save()


class _Run:
    def __init__(
        self,
        network: CaseNetwork,
        material: Material,
        tuning: Tuning,
        folder: Path,
        say: Callable[[Mapping[str, Any]], None],
    ) -> None:
        self.network, self.material, self.tuning, self.folder, self.say = network, material, tuning, folder, say
        self.allowed = torch.from_numpy(allowed_tags(material.tags))
        self.owner = torch.from_numpy(material.axes)
        body = [p for p in network.transformer.parameters() if p.requires_grad]
        heads = [p for name, p in network.named_parameters() if not name.startswith("transformer.")]
        self.optimizer = torch.optim.AdamW(
            [{"params": body, "lr": tuning.learning_rate}, {"params": heads, "lr": tuning.head_learning_rate}],
            weight_decay=tuning.weight_decay,
        )
        self.epoch = self.step = self.done = 0
        self.total = 0
        self.scheduler: torch.optim.lr_scheduler.LambdaLR | None = None
        folder.mkdir(parents=True, exist_ok=True)

    def train_epoch(self, epoch: int) -> None:
        batches = epoch_batches(self.material, self.tuning, epoch)
        self._schedule(len(batches))
        parts: dict[str, list[float]] = defaultdict(list)
        started = saved = time.monotonic()
        self.network.train()
        for number in range(self.done, len(batches)):
            for name, value in self._train_on(batches[number]).items():
                parts[name].append(value)
            self.done = number + 1
            if self.done % 50 == 0:
                self._record(epoch, parts, started, len(batches))
            if time.monotonic() - saved > self.tuning.minutes_between_checkpoints * 60:
                self.save()
                saved = time.monotonic()
        self._record(epoch, parts, started, len(batches), watched=True)
        self.epoch, self.done = epoch + 1, 0
        self.save()

    def _train_on(self, examples: Sequence[Example]) -> dict[str, float]:
        tuning = self.tuning
        batch = collate(examples, self.material.pieces, self.material.axes)
        with torch.autocast("cpu", dtype=torch.bfloat16, enabled=tuning.precision == "bfloat16"):
            outputs = self.network(batch["ids"], batch["mask"], batch["keep"])
        loss, parts = loss_of(
            outputs,
            batch,
            allowed=self.allowed,
            owner=self.owner,
            evidence_weight=tuning.evidence_weight,
            tags_weight=tuning.tags_weight,
        )
        self.optimizer.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        torch.nn.utils.clip_grad_norm_(self.network.parameters(), 1.0)
        self.optimizer.step()
        if self.scheduler:
            self.scheduler.step()
        self.step += 1
        return parts

    def _schedule(self, batches: int) -> None:
        """Linear warm-up, then a linear fall to zero over ``falls_over`` epochs, each taken to be as long as the
        first."""
        if self.scheduler:
            return
        self.total = self.total or batches * self.tuning.falls_over
        warm = max(1, round(self.tuning.warmup * self.total))

        def factor(step: int) -> float:
            return step / warm if step < warm else max(0.02, (self.total - step) / max(1, self.total - warm))

        for group in self.optimizer.param_groups:
            group.setdefault("initial_lr", group["lr"])
        self.scheduler = torch.optim.lr_scheduler.LambdaLR(self.optimizer, factor, last_epoch=self.step - 1)

    def _record(
        self, epoch: int, parts: Mapping[str, list[float]], started: float, batches: int, *, watched: bool = False
    ) -> None:
        record: dict[str, Any] = {
            "epoch": epoch + 1,
            "batch": self.done,
            "batches": batches,
            "seconds": round(time.monotonic() - started),
            "loss": {name: round(float(np.mean(values[-200:])), 5) for name, values in sorted(parts.items())},
        }
        if watched:
            record["watched"] = watch(self.network, self.material, self.material.watched)
        with (self.folder / LOG).open("a", encoding="utf-8") as stream:
            stream.write(json.dumps(record) + "\n")
        self.say(record)

    def save(self) -> None:
        """Write the checkpoint beside its place, then rename it: a stop never leaves half of one."""
        partial = self.folder / (CHECKPOINT + ".part")
        torch.save(
            {
                "settings": repr(self.tuning),
                "network": self.network.state_dict(),
                "optimizer": self.optimizer.state_dict(),
                "epoch": self.epoch,
                "done": self.done,
                "step": self.step,
                "total": self.total,
                "random": torch.get_rng_state(),
            },
            partial,
        )
        partial.replace(self.folder / CHECKPOINT)

    def resume(self) -> None:
        """Go on from a checkpoint of the same settings, if there is one. Raises `CorpusError` for one of others."""
        path = self.folder / CHECKPOINT
        if not path.exists():
            return
        stored = torch.load(path, weights_only=True)
        if stored["settings"] != repr(self.tuning):
            raise CorpusError(
                "is of a run with other settings: name another folder with --run, or delete it",
                source=str(path),
                line=0,
            )
        self.network.load_state_dict(stored["network"])
        self.optimizer.load_state_dict(stored["optimizer"])
        torch.set_rng_state(stored["random"])
        self.epoch, self.done, self.step, self.total = (stored[name] for name in ("epoch", "done", "step", "total"))


def watch(network: CaseNetwork, material: Material, cases: Sequence[Case]) -> dict[str, float]:
    """Mean average precision of the columns of each axis of which some case has a code, to see a run learn; nothing is
    chosen by it here."""
    from sklearn.metrics import average_precision_score

    if not cases:
        return {}
    scores, gold = [], []
    network.eval()
    for batch in _plain_batches(material, cases):
        with torch.no_grad():
            scores.append(torch.sigmoid(network(batch["ids"], batch["mask"], batch["keep"]).codes).numpy())
        gold.append(batch["targets"].numpy())
    network.train()
    probability, truth = np.concatenate(scores), np.concatenate(gold)
    figures = {}
    for axis in dict.fromkeys(column.axis for column in material.columns):
        values = []
        for at, column in enumerate(material.columns):
            coded = ~np.isnan(truth[:, at])
            if column.axis == axis and truth[coded, at].sum():
                values.append(average_precision_score(truth[coded, at], probability[coded, at]))
        if values:
            figures[axis] = round(float(np.mean(values)), 4)
    return figures


def _plain_batches(material: Material, cases: Sequence[Case], size: int = 8) -> Iterator[dict[str, Tensor]]:
    tags = material.tags
    examples = [case_example(case, material.pieces, tags, material.columns, limit=WINDOW) for case in cases]
    examples.sort(key=lambda example: len(example.ids))
    for at in range(0, len(examples), size):
        yield collate(examples[at : at + size], material.pieces, material.axes)
