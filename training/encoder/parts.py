"""The fine-tuned network -> the files of a bundle: what it is in the form that serves."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch

from nlp.classification import Column, Pooling
from nlp.errors import CorpusError
from nlp.tags import Tags

from .export import to_onnx, to_small_onnx
from .network import CaseNetwork


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


def _with_bias(weight: np.ndarray, bias: np.ndarray) -> np.ndarray:
    """Weights of shape (width + 1, n), the last row is the bias."""
    return np.vstack([weight.T, bias]).astype(np.float32)
