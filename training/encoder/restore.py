"""An ``encoder.onnx`` in eight bits -> the transformer that `export` has made it of, to be fine-tuned further.

onnxruntime keeps few names of the weights that it fuses, and one copy of equal ones: what a weight is, is told by the
operations that read it, which stand in the order in which they are computed.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from transformers import AutoModel, BertConfig

_WORDS = "transformer.embeddings.word_embeddings"
_POSITIONS = "transformer.embeddings.position_embeddings.weight"
_DENSE = ("attention.output.dense", "intermediate.dense", "output.dense")  # in the order in which they are computed
_QUANTIZED = "_quantized"


@dataclass(frozen=True)
class Shape:
    """The sizes of a BERT; ``inner`` is the width of the layers between."""

    pieces: int
    positions: int
    width: int
    inner: int
    layers: int
    heads: int
    epsilon: float


def blank_transformer(shape: Shape, *, dropout: float) -> Any:
    """A transformer of this shape with random weights, to be given those of a checkpoint or of `weights_of`."""
    config = BertConfig(
        vocab_size=shape.pieces,
        max_position_embeddings=shape.positions,
        hidden_size=shape.width,
        intermediate_size=shape.inner,
        num_hidden_layers=shape.layers,
        num_attention_heads=shape.heads,
        layer_norm_eps=shape.epsilon,
        attention_probs_dropout_prob=0.0,
        hidden_dropout_prob=dropout,
    )
    build: Any = AutoModel.from_config
    return build(config, add_pooling_layer=False, attn_implementation="eager")


def weights_of(content: bytes) -> tuple[Shape, dict[str, torch.Tensor]]:
    """The shape of the transformer in an ``encoder.onnx``, and its weights by their names there. Raises ValueError for
    one that `to_small_onnx` has not made."""
    import onnx

    try:
        model = onnx.load_from_string(content)
    except Exception:  # the library's errors have no common class of their own
        raise ValueError("it is no ONNX") from None
    try:
        graph = _Graph(model.graph)
        shape, weights = graph.shape(), graph.weights()
    except (KeyError, IndexError, StopIteration):
        raise ValueError("it is no encoder in eight bits as casecoder writes them") from None
    return shape, {name: torch.from_numpy(np.array(value, dtype=np.float32)) for name, value in weights.items()}


class _Graph:
    def __init__(self, graph: Any) -> None:
        from onnx import numpy_helper

        self.arrays: Mapping[str, np.ndarray] = {item.name: numpy_helper.to_array(item) for item in graph.initializer}
        self.nodes: list[Any] = list(graph.node)
        self.attention, self.products, self.norms = (
            [node for node in self.nodes if node.op_type == kind]
            for kind in ("QAttention", "MatMulInteger", "LayerNormalization")
        )
        layers = len(self.attention)
        if not layers or len(self.products) != len(_DENSE) * layers or len(self.norms) != 2 * layers + 1:
            raise KeyError

    def shape(self) -> Shape:
        pieces, width = self.arrays[f"{_WORDS}.rows"].shape
        return Shape(
            pieces=pieces,
            positions=len(self.arrays[_POSITIONS]),
            width=width,
            inner=self.arrays[self.products[1].input[1]].shape[1],
            layers=len(self.attention),
            heads=next(item.i for item in self.attention[0].attribute if item.name == "num_heads"),
            epsilon=next(item.f for item in self.norms[0].attribute if item.name == "epsilon"),
        )

    def weights(self) -> dict[str, np.ndarray]:
        rows = self.arrays[f"{_WORDS}.rows"].astype(np.float32)
        kind = self._bias_after(self._reader(f"{_WORDS}.rows").output[0])
        found = {
            "embeddings.word_embeddings.weight": rows * self._matrix(f"{_WORDS}.scale"),
            "embeddings.position_embeddings.weight": self.arrays[_POSITIONS],
            "embeddings.token_type_embeddings.weight": np.stack([kind, kind]),  # the first alone is ever used
            **self._norm("embeddings.LayerNorm", self.norms[0]),
        }
        for at in range(len(self.attention)):
            found |= {f"encoder.layer.{at}.{name}": value for name, value in self._layer(at)}
        return found

    def _layer(self, at: int) -> Iterator[tuple[str, np.ndarray]]:
        """The weights of a layer by their names in it. ONNX has a column for each output, torch a row."""
        attention = self.attention[at]
        matrix = self._matrix(attention.input[1].removesuffix(_QUANTIZED))
        parts = zip(np.split(matrix, 3, axis=1), np.split(self.arrays[attention.input[2]], 3), strict=True)
        for name, (weight, bias) in zip(("query", "key", "value"), parts, strict=True):
            yield f"attention.self.{name}.weight", weight.T
            yield f"attention.self.{name}.bias", bias
        products = self.products[len(_DENSE) * at : len(_DENSE) * (at + 1)]
        for name, node in zip(_DENSE, products, strict=True):
            yield f"{name}.weight", self._matrix(node.input[1].removesuffix(_QUANTIZED)).T
            yield f"{name}.bias", self._bias_after(node.output[0])
        for name, node in zip(("attention.output", "output"), self.norms[2 * at + 1 : 2 * at + 3], strict=True):
            yield from self._norm(f"{name}.LayerNorm", node).items()

    def _norm(self, name: str, node: Any) -> dict[str, np.ndarray]:
        return {f"{name}.weight": self.arrays[node.input[1]], f"{name}.bias": self.arrays[node.input[2]]}

    def _matrix(self, name: str) -> np.ndarray:
        """A matrix that onnxruntime has quantized: with one scale, or with one for each column."""
        if name in self.arrays:  # small ones it may leave as they are
            return self.arrays[name]
        values, zero, scale = (self.arrays[name + end] for end in (_QUANTIZED, "_zero_point", "_scale"))
        return np.asarray((values.astype(np.float32) - zero.astype(np.float32)) * scale)

    def _reader(self, name: str) -> Any:
        """The operation that reads a value; where there are several, that on the way to the next sum."""
        steps = ("Gather", "Cast", "Mul", "Add", "BiasGelu")
        return next(node for node in self.nodes if name in node.input and node.op_type in steps)

    def _bias_after(self, name: str) -> np.ndarray:
        """The first vector that is added to a value on its way to the next norm or to what the next layer reads."""
        while True:
            node = self._reader(name)
            if node.op_type in ("Add", "BiasGelu"):
                for item in node.input:
                    if item in self.arrays:
                        return self.arrays[item]
            name = node.output[0]
