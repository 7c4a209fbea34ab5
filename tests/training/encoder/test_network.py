from __future__ import annotations

from types import SimpleNamespace

import pytest
import torch
from torch import nn

from nlp.classification import columns_of
from training.encoder.network import CaseNetwork, loss_of

N_TAGS = 5


class Table(nn.Module):
    """States that depend on nothing but the token."""

    def __init__(self):
        super().__init__()
        self.rows = nn.Embedding(50, 8)

    def forward(self, input_ids, attention_mask):
        return SimpleNamespace(last_hidden_state=self.rows(input_ids))


@pytest.fixture
def network(codebook):
    torch.manual_seed(0)
    return CaseNetwork(Table(), 8, N_TAGS, columns_of(codebook)).eval()


def read(network, ids, keep=None):
    ids = torch.tensor([ids])
    keep = torch.ones_like(ids, dtype=torch.bool) if keep is None else torch.tensor([keep])
    with torch.no_grad():
        return network(ids, torch.ones_like(ids), keep)


def test_what_is_not_pooled_does_not_speak_for_any_code(network):
    keep = [True, False, False, True]
    one, other = read(network, [4, 5, 6, 7], keep), read(network, [4, 40, 41, 7], keep)
    assert torch.equal(one.codes, other.codes)
    assert torch.equal(one.primary, other.primary)
    assert not torch.equal(one.codes, read(network, [4, 40, 41, 7]).codes)


def test_padding_changes_nothing(network):
    ids = torch.tensor([[4, 5, 6, 7], [8, 9, 1, 1]])
    mask = torch.tensor([[1, 1, 1, 1], [1, 1, 0, 0]])
    with torch.no_grad():
        together = network(ids, mask, mask.bool())
    assert torch.allclose(together.codes[1], read(network, [8, 9]).codes[0], atol=1e-6)


def test_text_of_identifiers_alone_has_finite_logits(network):
    outputs = read(network, [4, 5], [False, False])
    assert torch.isfinite(outputs.codes).all()
    assert torch.isfinite(outputs.primary).all()


def test_each_code_listens_to_the_head_of_its_own_axis(network, codebook):
    columns = columns_of(codebook)
    before = read(network, [4, 5, 6]).codes[0]
    nn.init.zeros_(network.codes[0].weight)
    changed = read(network, [4, 5, 6]).codes[0] != before
    axis = columns[0].axis
    assert changed.tolist() == [column.axis == axis for column in columns]


@pytest.fixture
def batch(network):
    n = len(network.strongest)
    targets = torch.zeros(1, n)
    targets[0, :2] = 1
    primary = torch.zeros(1, n)
    primary[0, 0] = 1
    return {
        "allowed": torch.tensor([[-1, 0, 1, -1]]),
        "targets": targets,
        "primary": primary,
        "evidence": torch.zeros(1, 4, n, dtype=torch.int8),
        "salient": torch.zeros(1, 4, len(network.owner), dtype=torch.int8),
    }


def loss(network, batch, **changes):
    allowed = torch.eye(N_TAGS, dtype=torch.bool)
    return loss_of(
        read(network, [2, 5, 6, 3]), {**batch, **changes}, allowed=allowed, owner=network.owner,
        evidence_weight=1.0, tags_weight=1.0,
    )  # fmt: skip


def test_batch_without_codes_teaches_tags_alone(network, batch):
    assert set(loss(network, {"allowed": batch["allowed"]})[1]) == {"tags"}


def test_axis_that_was_not_coded_teaches_nothing(network, batch):
    uncoded = batch["targets"].clone()
    uncoded[0, 5:] = float("nan")
    before = loss(network, batch, targets=uncoded)[1]["codes"]
    with torch.no_grad():
        for head in network.codes:
            head.bias[5:] += 3
    assert loss(network, batch, targets=uncoded)[1]["codes"] == pytest.approx(before)
    assert loss(network, batch)[1]["codes"] != pytest.approx(before)


def test_batch_in_which_nothing_was_coded_has_a_finite_loss(network, batch):
    unknown = {name: torch.full_like(batch[name], -1) for name in ("evidence", "salient")}
    targets = torch.full_like(batch["targets"], float("nan"))
    value, parts = loss(network, batch, targets=targets, primary=torch.zeros_like(targets), **unknown)
    assert torch.isfinite(value)
    assert {name for name, part in parts.items() if part} == {"tags"}


def test_case_without_a_leading_code_has_no_say_in_which_one_leads(network, batch):
    value, parts = loss(network, batch, primary=torch.zeros_like(batch["primary"]))
    assert parts["primary"] == 0
    assert torch.isfinite(value)


def test_only_the_codes_that_a_case_has_compete_for_the_lead(network, batch):
    before = loss(network, batch)[1]["primary"]
    assert before > 0
    with torch.no_grad():
        for head in network.primary:
            head.bias[5:] += 3
    assert loss(network, batch)[1]["primary"] == pytest.approx(before)


def test_every_allowed_tag_is_as_right_as_another(network, batch):
    outputs = read(network, [2, 5, 6, 3])
    one, either, any_of = torch.zeros(3, N_TAGS, dtype=torch.bool)
    one[0] = either[0] = either[1] = True
    any_of[:] = True
    losses = [
        loss_of(
            outputs, {"allowed": torch.zeros(1, 4, dtype=torch.long)}, allowed=row[None], owner=network.owner,
            evidence_weight=1.0, tags_weight=1.0,
        )[1]["tags"]
        for row in (one, either, any_of)
    ]  # fmt: skip
    assert losses[0] > losses[1] > losses[2] == pytest.approx(0, abs=1e-5)
