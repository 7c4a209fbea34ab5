"""How an encoder is fine-tuned, as a configuration file says it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any


@dataclass(frozen=True)
class Tuning:
    """See ``training/configs/encoder.toml`` for what each value means."""

    encoder: str
    layers: int
    vocabulary: int
    names: str
    seed: int
    epochs: int
    falls_over: int
    tokens_per_batch: int
    frozen_layers: int
    learning_rate: float
    head_learning_rate: float
    weight_decay: float
    warmup: float
    dropout: float
    head_dropout: float
    precision: str
    evidence_weight: float
    tags_weight: float
    sentences_share: float
    lower_share: float
    upper_share: float
    excerpt_share: float
    minutes_between_checkpoints: int

    @classmethod
    def from_toml(cls, table: Mapping[str, Any], *, seed: int) -> Tuning:
        """Raises KeyError for a missing value, ValueError for one that makes no sense."""
        kinds: dict[str, type] = {"int": int, "float": float, "str": str}
        values = {item.name: kinds[str(item.type)](table[item.name]) for item in fields(cls) if item.name != "seed"}
        if values["precision"] not in ("bfloat16", "float32"):
            raise ValueError("precision is bfloat16 or float32")
        if wrong := [name for name in values if name.endswith("_share") and not 0 <= values[name] <= 1]:
            raise ValueError(f"{wrong[0]} is from 0 to 1")
        return cls(**values, seed=seed)
