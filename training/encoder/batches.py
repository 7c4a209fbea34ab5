"""Batches of about equal length, in an order that the seed and the epoch decide."""

from __future__ import annotations

from collections.abc import Sequence
from random import Random

import numpy as np
import torch
from torch import Tensor

from nlp.encoding import WordPieces

from .examples import Example

_POOL = 50  # batches' worth of texts that are sorted by length together; more would make the order less random


def buckets(lengths: Sequence[int], tokens: int, rng: Random) -> list[list[int]]:
    """Numbers of texts in batches of at most ``tokens`` tokens with padding (or one text), batches in random order."""
    order = list(range(len(lengths)))
    rng.shuffle(order)
    pool = max(1, _POOL * tokens // max(1, int(np.mean(lengths)) if lengths else 1))
    batches: list[list[int]] = []
    for at in range(0, len(order), pool):
        batch: list[int] = []
        for number in sorted(order[at : at + pool], key=lambda number: (lengths[number], number)):
            if batch and (len(batch) + 1) * (lengths[number] + 2) > tokens:
                batches.append(batch)
                batch = []
            batch.append(number)
        batches += [batch] if batch else []
    rng.shuffle(batches)
    return batches


def collate(examples: Sequence[Example], pieces: WordPieces, axes: np.ndarray) -> dict[str, Tensor]:
    """Tensors of a batch, padded. ``axes`` says which columns belong to which axis, of shape (n_axes, n_columns).

    The marks of the two ends belong to no text: they have no tag, no evidence, and are not pooled.
    """
    longest = max(len(example.ids) for example in examples) + 2
    n = len(examples)
    ids = np.full((n, longest), pieces.padding, dtype=np.int64)
    mask = np.zeros((n, longest), dtype=np.int64)
    allowed = np.full((n, longest), -1, dtype=np.int64)
    keep = np.zeros((n, longest), dtype=bool)
    for row, example in enumerate(examples):
        end = len(example.ids) + 1
        ids[row, : end + 1] = pieces.framed(example.ids)
        mask[row, : end + 1] = 1
        allowed[row, 1:end] = example.allowed
        keep[row, 1:end] = example.keep
    batch = {"ids": ids, "mask": mask, "allowed": allowed, "keep": keep}
    if examples[0].targets is not None:
        batch |= _coded(examples, longest, axes)
    return {name: torch.from_numpy(array) for name, array in batch.items()}


def _coded(examples: Sequence[Example], longest: int, axes: np.ndarray) -> dict[str, np.ndarray]:
    evidence = np.full((len(examples), longest, axes.shape[1]), -1, dtype=np.int8)
    for row, example in enumerate(examples):
        evidence[row, 1 : len(example.ids) + 1] = np.asarray(example.evidence)
    salient = np.stack([np.where(axis, evidence, -1).max(axis=-1) for axis in axes], axis=-1)
    return {
        "evidence": evidence,
        "salient": salient,
        "targets": np.stack([np.asarray(example.targets, dtype=np.float32) for example in examples]),
        "primary": np.stack([np.asarray(example.primary, dtype=np.float32) for example in examples]),
    }
