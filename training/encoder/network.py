"""The network that is fine-tuned: a transformer with heads for tags, evidence, codes and primary codes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, cast

import torch
from torch import Tensor, nn

from nlp.classification import Column

_CODES_WEIGHT = 20.0  # a mean over all columns, most of them 0, against sums over few for the other parts
_PRIMARY_WEIGHT = 0.2


@dataclass(frozen=True)
class Outputs:
    """Logits. ``tags`` and ``evidence`` are of shape (n_texts, n_tokens, ...), ``codes`` and ``primary`` of shape
    (n_texts, n_columns), ``salience`` of shape (n_texts, n_tokens, n_axes)."""

    states: Tensor
    tags: Tensor
    evidence: Tensor
    salience: Tensor
    codes: Tensor
    primary: Tensor


class CaseNetwork(nn.Module):
    """Two jobs on one transformer. Codes are read off two means of the states, one over all tokens and one, for each
    axis, over those that look like evidence, and off the strongest evidence; no identifier is in any of them."""

    owner: Tensor
    """Which columns belong to which axis, of shape (n_axes, n_columns)."""

    def __init__(
        self, transformer: Any, width: int, n_tags: int, columns: Sequence[Column], *, dropout: float = 0.1
    ) -> None:
        super().__init__()
        axes = list(dict.fromkeys(column.axis for column in columns))
        self.transformer = transformer
        self.dropout = nn.Dropout(dropout)
        self.tags = nn.Linear(width, n_tags)
        self.evidence = nn.Linear(width, len(columns))
        self.salience = nn.Linear(width, len(axes))
        self.codes = nn.ModuleList(nn.Linear(2 * width, len(columns)) for _ in axes)
        self.primary = nn.ModuleList(nn.Linear(2 * width, len(columns)) for _ in axes)
        self.strongest = nn.Parameter(torch.full((len(columns),), 0.5))
        owner = torch.tensor([[column.axis == axis for column in columns] for axis in axes])
        self.register_buffer("owner", owner.float(), persistent=False)
        nn.init.constant_(self.evidence.bias, -3.0)  # most tokens are evidence of nothing
        nn.init.constant_(self.salience.bias, -2.0)
        for head in self.codes:
            nn.init.constant_(cast(nn.Linear, head).bias, -2.0)

    def forward(self, ids: Tensor, mask: Tensor, keep: Tensor) -> Outputs:
        """``ids``, ``mask`` (tokens) and ``keep`` (tokens to pool) are of shape (n_texts, n_tokens)."""
        states = self.transformer(input_ids=ids, attention_mask=mask).last_hidden_state.float()
        dropped = self.dropout(states)
        evidence = self.evidence(dropped)
        salience = self.salience(dropped)
        pooled = self.pooled(dropped, salience, keep)
        codes = self._by_axis(self.codes, pooled) + self.strongest * self.strongest_evidence(evidence, keep)
        primary = self._by_axis(self.primary, pooled)
        return Outputs(states, self.tags(dropped), evidence, salience, codes, primary)

    def _by_axis(self, heads: nn.ModuleList, pooled: Tensor) -> Tensor:
        """Each column from the head of its axis, of shape (n_texts, n_columns)."""
        columns = [head(pooled[:, axis]) * self.owner[axis] for axis, head in enumerate(heads)]
        return torch.stack(columns).sum(dim=0)

    @staticmethod
    def pooled(states: Tensor, salience: Tensor, keep: Tensor) -> Tensor:
        """Means of shape (n_texts, n_axes, 2 * width): over all kept tokens, and weighted by their salience."""
        kept = keep.float()
        mean = (states * kept[..., None]).sum(1) / kept.sum(1).clamp(min=1)[:, None]
        weights = torch.sigmoid(salience) * kept[..., None] + 1e-6 * kept[..., None]
        salient = torch.einsum("btw,bta->baw", states, weights) / weights.sum(1).clamp(min=1e-6)[..., None]
        return torch.cat([mean[:, None].expand_as(salient), salient], dim=-1)

    @staticmethod
    def strongest_evidence(evidence: Tensor, keep: Tensor) -> Tensor:
        """The strongest evidence of each column, a smooth maximum over the kept tokens."""
        hidden = evidence.masked_fill(~keep[..., None], -30.0)
        return torch.logsumexp(2 * hidden, dim=1).clamp(min=-20) / 2


def loss_of(
    outputs: Outputs,
    batch: dict[str, Tensor],
    *,
    allowed: Tensor,
    owner: Tensor,
    evidence_weight: float,
    tags_weight: float,
) -> tuple[Tensor, dict[str, float]]:
    """The loss of a batch and its parts. Parts that a batch has no labels for are left out."""
    parts = {"tags": _tags_loss(outputs.tags, batch["allowed"], allowed)}
    total = tags_weight * parts["tags"]
    if "targets" in batch:
        parts["codes"] = _codes_loss(outputs.codes, batch["targets"])
        parts["primary"] = _primary_loss(outputs.primary, batch["primary"], batch["targets"], owner)
        parts["evidence"] = _evidence_loss(outputs.evidence, batch["evidence"], batch["targets"])
        parts["salience"] = _salience_loss(outputs.salience, batch["salient"])
        total = total + _CODES_WEIGHT * parts["codes"] + _PRIMARY_WEIGHT * parts["primary"]
        total = total + evidence_weight * (parts["evidence"] + parts["salience"])
    return total, {name: float(part.detach()) for name, part in parts.items()}


def _tags_loss(logits: Tensor, rows: Tensor, allowed: Tensor) -> Tensor:
    """Negative log probability that a token's tag is one of those allowed for it; rows of -1 are padding."""
    known = rows >= 0
    log_probability = torch.log_softmax(logits[known], dim=-1)
    permitted = allowed[rows[known]]
    return -torch.logsumexp(log_probability.masked_fill(~permitted, -1e4), dim=-1).mean()


def _codes_loss(logits: Tensor, targets: Tensor) -> Tensor:
    coded = ~torch.isnan(targets)
    if not coded.any():
        return logits.sum() * 0
    return nn.functional.binary_cross_entropy_with_logits(logits[coded], targets[coded])


def _primary_loss(logits: Tensor, primary: Tensor, targets: Tensor, owner: Tensor) -> Tensor:
    """Which of the codes of a case leads on its axis: a choice among those that it has."""
    losses = []
    for columns in owner.bool():
        chosen = (primary > 0) & columns
        led = chosen.any(dim=1)
        among = logits.masked_fill(~((targets == 1) & columns), -1e4)[led]
        losses.append(torch.logsumexp(among, dim=1) - (logits * chosen)[led].sum(dim=1))
    found = torch.cat(losses)
    return found.mean() if len(found) else logits.sum() * 0


def _evidence_loss(logits: Tensor, marks: Tensor, targets: Tensor) -> Tensor:
    """Binary loss of tokens: the mean over codes that the case has, and the mean over those that it has not."""
    known = marks >= 0
    loss = nn.functional.binary_cross_entropy_with_logits(logits, marks.clamp(min=0).float(), reduction="none")
    present = (targets == 1)[:, None, :] & known
    absent = (targets == 0)[:, None, :] & known
    value = loss[absent].mean() if absent.any() else logits.sum() * 0
    return value + (loss[present].mean() if present.any() else 0)


def _salience_loss(logits: Tensor, marks: Tensor) -> Tensor:
    known = marks >= 0
    if not known.any():
        return logits.sum() * 0
    return nn.functional.binary_cross_entropy_with_logits(logits[known], marks[known].float())
