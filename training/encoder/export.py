"""The fine-tuned transformer -> ONNX, with weights in eight bits: what a bundle carries and a laptop runs.

Weights of matrices are stored in eight bits with a scale for each column, word embeddings with a scale for each piece;
activations are scaled while it runs (dynamic quantization, onnxruntime).
"""

from __future__ import annotations

import copy
import tempfile
import warnings
from pathlib import Path
from typing import Any, cast

import numpy as np
import torch
from torch import Tensor, nn

from nlp.encoding import silent_onnxruntime

OPSET = 17  # the first with LayerNormalization as one operation
_LEVELS = 127  # of eight bits with a sign


class _RowScaled(nn.Module):
    """Word embeddings in eight bits, a scale for each row."""

    def __init__(self, weight: Tensor) -> None:
        super().__init__()
        scale = weight.abs().amax(dim=1, keepdim=True).clamp(min=1e-8) / _LEVELS
        self.register_buffer("rows", torch.round(weight / scale).to(torch.int8))
        self.register_buffer("scale", scale)

    def forward(self, ids: Tensor) -> Tensor:
        rows: Any = self.rows
        scale: Any = self.scale
        return cast(Tensor, rows[ids].float() * scale[ids])


class _States(nn.Module):
    """Token numbers of shape (1, n_tokens) -> states, for one text without padding."""

    def __init__(self, transformer: Any) -> None:
        super().__init__()
        self.transformer = transformer

    def forward(self, ids: Tensor) -> Tensor:
        embedding = self.transformer.embeddings
        words = embedding.word_embeddings(ids)
        positions = embedding.position_embeddings.weight[: ids.shape[1]]
        kind = embedding.token_type_embeddings.weight[0]
        states = embedding.LayerNorm(words + positions + kind)
        for layer in self.transformer.encoder.layer:
            states = _layer(layer, states)
        return cast(Tensor, states)


def _layer(layer: Any, states: Tensor) -> Tensor:
    """One layer of BERT, in the plain form that the optimizer of onnxruntime knows."""
    attention = layer.attention.self
    heads, size = attention.num_attention_heads, attention.attention_head_size

    def split(values: Tensor) -> Tensor:
        return values.reshape(1, -1, heads, size).transpose(1, 2)

    query, key, value = (split(part(states)) for part in (attention.query, attention.key, attention.value))
    weights = torch.softmax(query @ key.transpose(-1, -2) / float(np.sqrt(size)), dim=-1)
    mixed = (weights @ value).transpose(1, 2).reshape(1, -1, heads * size)
    states = layer.attention.output.LayerNorm(layer.attention.output.dense(mixed) + states)
    inner = nn.functional.gelu(layer.intermediate.dense(states))
    return cast(Tensor, layer.output.LayerNorm(layer.output.dense(inner) + states))


def to_onnx(transformer: nn.Module) -> bytes:
    """The transformer with full precision, as ONNX: ``ids`` (1, n_tokens) -> ``states`` (1, n_tokens, width)."""
    return _exported(_States(copy.deepcopy(transformer)).eval())


def to_small_onnx(transformer: nn.Module) -> bytes:
    """The same with weights in eight bits and with the operations fused that onnxruntime has in one."""
    silent_onnxruntime()
    from onnxruntime.quantization import QuantType, quantize_dynamic
    from onnxruntime.transformers import optimizer

    small: Any = copy.deepcopy(transformer)
    small.embeddings.word_embeddings = _RowScaled(small.embeddings.word_embeddings.weight.detach())
    config: Any = transformer.config
    with tempfile.TemporaryDirectory() as folder:
        plain, fused, quantized = (Path(folder) / f"{name}.onnx" for name in ("plain", "fused", "quantized"))
        plain.write_bytes(_exported(_States(small).eval()))
        fusing = optimizer.optimize_model(
            str(plain),
            model_type="bert",
            num_heads=config.num_attention_heads,
            hidden_size=config.hidden_size,
            opt_level=0,
        )
        import onnx

        fusing.save_model_to_file(str(fused))  # which also names the operations that it used
        onnx.save(_plain_norms(onnx.load(str(fused))), str(fused))
        quantize_dynamic(
            fused,
            quantized,
            weight_type=QuantType.QInt8,
            per_channel=True,
            reduce_range=True,  # seven bits: processors without VNNI add two products in 16 bits, where eight overflow
            extra_options={"DefaultTensorType": onnx.TensorProto.FLOAT, "MatMulConstBOnly": True},
        )
        return quantized.read_bytes()


def _plain_norms(model: Any) -> Any:
    """The graph with a sum and a `LayerNormalization` for each `SkipLayerNormalization`, which onnxruntime computes on
    processors in four times the time of the two: a fifth of a whole pass."""
    from onnx import helper

    nodes = []
    for node in model.graph.node:
        if node.op_type != "SkipLayerNormalization":
            nodes.append(node)
            continue
        states, skipped, gamma, beta, *bias = node.input
        epsilon = next(item.f for item in node.attribute if item.name == "epsilon")
        (target,) = node.output
        total = f"{target}_sum"
        nodes.append(helper.make_node("Add", [states, skipped], [total]))
        if bias:
            nodes.append(helper.make_node("Add", [total, *bias], [f"{target}_biased"]))
            total = f"{target}_biased"
        nodes.append(helper.make_node("LayerNormalization", [total, gamma, beta], [target], axis=-1, epsilon=epsilon))
    del model.graph.node[:]
    model.graph.node.extend(nodes)
    return model


def _exported(module: nn.Module) -> bytes:
    ids = torch.ones(1, 7, dtype=torch.long)
    with tempfile.TemporaryDirectory() as folder, warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of the exporter, about what is constant here by intent
        target = Path(folder) / "model.onnx"
        torch.onnx.export(
            module,
            (ids,),
            str(target),
            input_names=["ids"],
            output_names=["states"],
            dynamic_axes={"ids": {1: "tokens"}, "states": {1: "tokens"}},
            opset_version=OPSET,
            dynamo=False,
        )
        return target.read_bytes()
