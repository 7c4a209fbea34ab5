"""The fine-tuned network -> the files of a bundle: what it is in the form that serves."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch

from nlp.classification import Column, Pooling
from nlp.codebook import Codebook
from nlp.encoding import Encoder, WordPieces, onnx_network
from nlp.errors import CorpusError, SettingsError
from nlp.redaction import Redactor, recognizers_for
from nlp.tags import Tagger, Tags

from ..config import Config
from ..heads import Serving
from .export import to_onnx, to_small_onnx
from .network import CaseNetwork
from .source import load_source


@dataclass(frozen=True)
class EncoderParts:
    """An encoder as it is served: ONNX, the token head, and how states become features."""

    onnx: bytes
    pooling: Pooling
    tags: Tags
    tag_weights: np.ndarray


def load_trained(network: CaseNetwork, path: Path) -> CaseNetwork:
    """The network with the weights of a checkpoint. Raises `CorpusError`."""
    try:
        stored = torch.load(path, weights_only=True)
    except OSError:
        raise CorpusError("is missing: run `casecoder-train finetune` first", source=str(path), line=0) from None
    network.load_state_dict(stored["network"])
    network.eval()
    return network


def parts_of(network: CaseNetwork, tags: Tags, columns: Sequence[Column], *, small: bool = True) -> EncoderParts:
    """The network in the form that serves; with full precision unless ``small``."""
    axes = tuple(dict.fromkeys(column.axis for column in columns))
    weights: Mapping[str, Any] = {name: value.detach().numpy() for name, value in network.state_dict().items()}
    owner = [axes.index(column.axis) for column in columns]
    opinion = np.stack([weights[f"codes.{axis}.weight"][at] for at, axis in enumerate(owner)], axis=1)
    bias = np.array([weights[f"codes.{axis}.bias"][at] for at, axis in enumerate(owner)])
    pooling = Pooling(
        axes,
        tuple(columns),
        salience=_with_bias(weights["salience.weight"], weights["salience.bias"]),
        evidence=_with_bias(weights["evidence.weight"], weights["evidence.bias"]),
        opinion=np.vstack([opinion, weights["strongest"], bias]).astype(np.float32),
    )
    content = (to_small_onnx if small else to_onnx)(network.transformer)
    return EncoderParts(content, pooling, tags, _with_bias(weights["tags.weight"], weights["tags.bias"]))


def load_heads(network: CaseNetwork, pooling: Pooling, tag_weights: np.ndarray, tag_bias: np.ndarray) -> None:
    """Give the network the heads that `parts_of` has made of another one; it is of the same columns and tags."""
    weights = {
        "tags.weight": tag_weights.T,
        "tags.bias": tag_bias,
        "salience.weight": pooling.salience[:-1].T,
        "salience.bias": pooling.salience[-1],
        "evidence.weight": pooling.evidence[:-1].T,
        "evidence.bias": pooling.evidence[-1],
        "strongest": pooling.opinion[-2],
    }
    for axis in range(len(pooling.axes)):  # each head has a row for every column, and only those of its axis are read
        weights[f"codes.{axis}.weight"] = pooling.opinion[:-2].T
        weights[f"codes.{axis}.bias"] = pooling.opinion[-1]
    stored = network.state_dict()
    for name, value in weights.items():
        stored[name] = torch.tensor(np.array(value), dtype=torch.float32)
    network.load_state_dict(stored)


def _with_bias(weight: np.ndarray, bias: np.ndarray) -> np.ndarray:
    """Weights of shape (width + 1, n), the last row is the bias."""
    return np.vstack([weight.T, bias]).astype(np.float32)


def untrained_serving(
    source: str, texts: Sequence[str], columns: Sequence[Column], codebook: Codebook, config: Config
) -> Serving:
    """An encoder as it comes, in the form that serves: it finds no identifiers, and only the mean of its states is
    pooled. Raises `CorpusError` if there is no such encoder."""
    if config.encoder is None:
        raise SettingsError("the configuration has no [encoder]")
    size = config.encoder.vocabulary
    model, tokenizer, _ = load_source(source, texts, vocabulary=size, layers=config.encoder.layers)
    width = int(model.config.hidden_size)
    axes = tuple(dict.fromkeys(column.axis for column in columns))
    nothing = np.zeros((2 * width + 2, len(columns)), dtype=np.float32)
    pooling = Pooling(axes, tuple(columns), nothing[: width + 1, : len(axes)], nothing[: width + 1], nothing)
    tags = Tags([identifier.id for identifier in codebook.identifiers])
    never = dict.fromkeys(tags.types, 2.0)
    tagger = Tagger(tags, weights=np.zeros((width, len(tags.names))), bias=np.zeros(len(tags.names)), thresholds=never)
    encoder = Encoder(WordPieces.from_json(tokenizer), onnx_network(to_small_onnx(model.eval())), width=width)
    return Serving(encoder, tagger, pooling, Redactor(recognizers_for(tags.types), tags.types))
