from __future__ import annotations

import json
from dataclasses import replace
from itertools import count
from types import SimpleNamespace

import numpy as np
import pytest
import torch

from nlp.errors import CorpusError
from training.encoder import finetune as module
from training.encoder.batches import collate
from training.encoder.examples import allowed_tags, case_example
from training.encoder.finetune import CHECKPOINT, LOG, epoch_batches, finetune, watch
from training.encoder.network import loss_of


class Stopped(Exception):
    """Stands for a machine that is switched off."""


def weights_of(network):
    return {name: value.clone() for name, value in network.state_dict().items()}


def log_of(folder):
    return [json.loads(line) for line in (folder / LOG).read_text(encoding="utf-8").splitlines()]


def loss_on_cases(network, material):
    """The loss on the cases as they are, without dropout."""
    examples = [case_example(case, material.pieces, material.tags, material.columns, limit=510)
                for case in material.cases]  # fmt: skip
    batch = collate(examples, material.pieces, material.axes)
    network.eval()
    with torch.no_grad():
        outputs = network(batch["ids"], batch["mask"], batch["keep"])
    return loss_of(
        outputs, batch, allowed=torch.from_numpy(allowed_tags(material.tags)), owner=torch.from_numpy(material.axes),
        evidence_weight=1.0, tags_weight=1.0,
    )[1]  # fmt: skip


@pytest.fixture(scope="module")
def trained(tuning, material, build, tmp_path_factory):
    """A run that was never stopped: its settings, folder, network, and what the network was before."""
    network = build(tuning)
    before = weights_of(network)
    folder = tmp_path_factory.mktemp("run")
    said = []
    finetune(network, material, tuning, folder, say=said.append)
    return SimpleNamespace(folder=folder, network=network, before=before, said=said)


def test_fine_tuning_lowers_every_loss_on_what_it_learns_from(tuning, material, build, tmp_path):
    network = build(tuning)
    before = loss_on_cases(network, material)
    finetune(network, material, replace(tuning, epochs=4, falls_over=4), tmp_path)
    after = loss_on_cases(network, material)
    assert set(after) == {"tags", "codes", "primary", "evidence", "salience"}
    for name in after:
        assert after[name] < before[name], name


def test_log_has_a_line_for_each_epoch_with_losses_and_what_was_watched(trained, tuning, codebook):
    log = log_of(trained.folder)
    assert [record["epoch"] for record in log] == [1, 2]
    assert log == trained.said
    for record in log:
        assert record["batch"] == record["batches"] > 1
        assert set(record["loss"]) == {"tags", "codes", "primary", "evidence", "salience"}
        assert all(0 <= record["watched"][axis] <= 1 for axis in ("violation", "perpetrator"))


def test_watching_is_without_dropout_and_training_goes_on_with_it(tuning, material, build):
    network = build(replace(tuning, head_dropout=0.5))
    network.train()
    first, second = (watch(network, material, material.watched) for _ in range(2))
    assert first == second
    assert network.dropout.training


def test_log_holds_no_text(trained, cases):
    log = (trained.folder / LOG).read_text(encoding="utf-8")
    assert not [word for case in cases for word in case.text.split() if len(word) > 5 and word in log]


def test_frozen_layers_stay_as_they_are_and_others_change(trained):
    after = trained.network.state_dict()
    changed = {name for name in after if not torch.equal(after[name], trained.before[name])}
    assert not [name for name in changed if name.startswith(("transformer.embeddings", "transformer.encoder.layer.0."))]
    assert "transformer.encoder.layer.1.attention.self.query.weight" in changed
    assert {"tags.weight", "evidence.weight", "salience.weight", "codes.0.weight", "primary.0.weight"} <= changed


def test_stopped_run_ends_as_one_that_was_never_stopped(trained, tuning, material, build, tmp_path, monkeypatch):
    clock, calls = count(step=25), count()  # a minute passes in three looks at the clock
    monkeypatch.setattr(module, "time", SimpleNamespace(monotonic=lambda: next(clock)))
    settings = replace(tuning, minutes_between_checkpoints=1)
    batches = [len(epoch_batches(material, settings, epoch)) for epoch in range(2)]
    trained_on = batches[1] - 2  # in the second epoch
    stop_at = batches[0] + 1 + trained_on  # what is watched is one batch

    def stopping(*args):
        if next(calls) == stop_at:
            raise Stopped
        return collate(*args)

    with monkeypatch.context() as patch:
        patch.setattr(module, "collate", stopping)
        with pytest.raises(Stopped):
            finetune(build(settings), material, settings, tmp_path)
    stored = torch.load(tmp_path / CHECKPOINT, weights_only=True)
    assert stored["epoch"] == 1
    assert 0 < stored["done"] < trained_on  # some of what was done after the checkpoint is lost
    network = build(replace(settings, seed=99))  # whatever it starts with is replaced
    finetune(network, material, settings, tmp_path)
    for name, value in trained.network.state_dict().items():
        assert torch.allclose(network.state_dict()[name], value, atol=1e-6), name
    assert log_of(tmp_path)[-1]["watched"] == log_of(trained.folder)[-1]["watched"]


def test_run_that_has_ended_is_not_trained_again(trained, tuning, material, build):
    lines = len(log_of(trained.folder))
    network = build(tuning)
    finetune(network, material, tuning, trained.folder)
    assert len(log_of(trained.folder)) == lines
    for name, value in trained.network.state_dict().items():
        assert torch.equal(network.state_dict()[name], value), name


@pytest.mark.parametrize("changes", [{"seed": 4}, {"epochs": 3}, {"learning_rate": 1e-5}, {"vocabulary": 1000}])
def test_checkpoint_of_other_settings_is_refused(trained, tuning, material, build, changes):
    network = build(tuning)
    before = weights_of(network)
    with pytest.raises(CorpusError, match="other settings: name another folder with --run"):
        finetune(network, material, replace(tuning, **changes), trained.folder)
    assert all(torch.equal(value, before[name]) for name, value in network.state_dict().items())


def test_half_precision_learns_too(tuning, material, build, tmp_path):
    network = build(tuning)
    before = loss_on_cases(network, material)["codes"]
    finetune(network, material, replace(tuning, precision="bfloat16"), tmp_path)
    assert loss_on_cases(network, material)["codes"] < before


def test_run_without_sentences_and_watched_cases_is_trained(tuning, material, build, tmp_path):
    finetune(build(tuning), replace(material, sentences=[], watched=[]), replace(tuning, epochs=1), tmp_path)
    assert log_of(tmp_path)[-1]["watched"] == {}


def test_axis_of_which_no_watched_case_has_a_code_is_left_out_of_the_log(tuning, material, build, tmp_path):
    watched = [replace(case, codes={**case.codes, "perpetrator": None}) for case in material.watched]
    finetune(build(tuning), replace(material, watched=watched), replace(tuning, epochs=1), tmp_path)
    assert set(log_of(tmp_path)[-1]["watched"]) == {"violation", "population"}


def ids_of(batches):
    return [[example.ids.tolist() for example in batch] for batch in batches]


def test_batches_of_an_epoch_are_the_same_each_time_and_others_in_the_next(material, tuning):
    first = ids_of(epoch_batches(material, tuning, 0))
    assert first == ids_of(epoch_batches(material, tuning, 0))
    assert first != ids_of(epoch_batches(material, tuning, 1))
    assert first != ids_of(epoch_batches(material, replace(tuning, seed=4), 0))


@pytest.mark.parametrize("epoch", [0, 1, 2])
def test_every_epoch_sees_every_case_once_and_a_share_of_the_sentences(material, tuning, epoch):
    many = replace(material, sentences=list(material.sentences) * 20)
    examples = [example for batch in epoch_batches(many, tuning, epoch) for example in batch]
    cases = [example for example in examples if example.targets is not None]
    assert len(cases) == len(material.cases)
    assert len(examples) - len(cases) == pytest.approx(60, abs=20)
    targets = sorted(tuple(np.nan_to_num(example.targets, nan=-1)) for example in cases)
    plain = [case_example(case, material.pieces, material.tags, material.columns, limit=510) for case in material.cases]
    assert targets == sorted(tuple(np.nan_to_num(example.targets, nan=-1)) for example in plain)


def test_first_epoch_reads_the_cases_as_they_are_and_later_ones_with_other_people(material, tuning):
    plain = replace(tuning, lower_share=0.0, upper_share=0.0, sentences_share=0.0)
    known = {tuple(material.pieces.cut(case.text).ids) for case in material.cases}
    epochs = [{tuple(e.ids) for batch in epoch_batches(material, plain, at) for e in batch} for at in range(2)]
    assert epochs[0] == known
    assert not epochs[1] & known


@pytest.mark.parametrize("share", ["lower_share", "upper_share"])
def test_text_in_one_case_keeps_its_evidence_and_identifiers(material, tuning, share):
    settings = replace(tuning, **{"lower_share": 0.0, "upper_share": 0.0, "sentences_share": 0.0, share: 1.0})
    at = material.columns.index(("violation", "health.denial"))
    denied = [case for case in material.cases if "health.denial" in case.codes["violation"]]
    examples = [example for batch in epoch_batches(material, settings, 0) for example in batch]
    marked = [example for example in examples if example.targets[at] == 1]
    assert len(marked) == len(denied)
    for example in marked:
        assert (example.evidence[:, at] == 1).any()
        assert (example.evidence[:, at] == 0).any()
        assert (example.allowed == material.tags.number("B", "PERSON")).sum() == 1


def test_stopped_run_on_excerpts_ends_as_one_that_was_never_stopped(tuning, material, build, tmp_path, monkeypatch):
    settings = replace(tuning, excerpt_share=0.6, minutes_between_checkpoints=0)
    whole = build(settings)
    finetune(whole, material, settings, tmp_path / "whole")
    calls = count()

    def stopping(*args):
        if next(calls) == len(epoch_batches(material, settings, 0)) + 3:  # in the second epoch
            raise Stopped
        return collate(*args)

    with monkeypatch.context() as patch:
        patch.setattr(module, "collate", stopping)
        with pytest.raises(Stopped):
            finetune(build(settings), material, settings, tmp_path / "stopped")
    network = build(replace(settings, seed=99))
    finetune(network, material, settings, tmp_path / "stopped")
    for name, value in whole.state_dict().items():
        assert torch.allclose(network.state_dict()[name], value, atol=1e-6), name


def test_excerpts_lower_every_loss_too(tuning, material, build, tmp_path):
    network = build(tuning)
    before = loss_on_cases(network, material)
    finetune(network, material, replace(tuning, epochs=4, falls_over=4, excerpt_share=0.5), tmp_path)
    after = loss_on_cases(network, material)
    assert all(after[name] < before[name] for name in after)
