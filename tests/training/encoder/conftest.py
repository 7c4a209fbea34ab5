from __future__ import annotations

import copy
from collections.abc import Callable

import pytest
import torch

from nlp.codebook import Codebook
from nlp.encoding import WordPieces
from training.corpus import Case
from training.encoder.examples import Sentence
from training.encoder.finetune import Material, build_network
from training.encoder.network import CaseNetwork
from training.encoder.settings import Tuning
from training.encoder.source import load_source

SENTENCES = [
    Sentence("Zarina Tolova visited the court", "en", ((0, 13, "PERSON"), (26, 31, "ORGANISATION"))),
    Sentence("The doctor came in the morning", "en", ()),
    Sentence("Олег Рудин ушла в форме", "ru", ((0, 10, "PERSON"),)),
    Sentence("Bohdan Rusk slept near the station", "en", ((0, 11, "PERSON"), (27, 34, "LOCATION"))),
    Sentence("Врач принесла чаю", "ru", ()),
    Sentence("We wrote a letter", "en", ()),
]


@pytest.fixture(scope="session", autouse=True)
def _one_thread_of_torch() -> None:
    torch.set_num_threads(1)


@pytest.fixture(scope="session")
def source(tuning: Tuning, cases: list[Case]):
    """The tiny transformer, its tokenizer after pruning, and the whole one."""
    texts = [case.text for case in cases] + [sentence.text for sentence in SENTENCES]
    return load_source(
        tuning.encoder, texts, vocabulary=tuning.vocabulary, layers=tuning.layers, dropout=tuning.dropout
    )


@pytest.fixture(scope="session")
def material(source, cases: list[Case], codebook: Codebook) -> Material:
    return Material(cases[:12], cases[12:18], SENTENCES, WordPieces.from_json(source[1]), codebook)


@pytest.fixture(scope="session")
def build(source, material: Material) -> Callable[[Tuning], CaseNetwork]:
    """A network that nothing has been taught yet; the same for the same settings."""

    def make(tuning: Tuning) -> CaseNetwork:
        return build_network(copy.deepcopy(source[0]), material, tuning)

    return make
