from __future__ import annotations

import json
import shutil

import pytest
import torch
from transformers import AutoModel, DistilBertConfig, DistilBertModel, RobertaConfig, RobertaModel

from nlp.encoding import WordPieces
from nlp.errors import CorpusError
from training.encoder.source import load_source


@pytest.fixture(scope="module")
def loaded(bert_folder, cases):
    return load_source(str(bert_folder), [case.text for case in cases], vocabulary=540, layers=1)


def states_of(model, ids):
    model.eval()
    with torch.no_grad():
        return model(input_ids=torch.tensor([ids]), attention_mask=torch.ones(1, len(ids))).last_hidden_state


def test_encoder_is_cut_down_to_the_wanted_size(loaded):
    model, small, whole = loaded
    assert len(model.encoder.layer) == model.config.num_hidden_layers == 1
    assert model.embeddings.word_embeddings.weight.shape == (540, 32)
    assert model.config.vocab_size == 540
    assert len(json.loads(small)["model"]["vocab"]) == 540 < len(json.loads(whole)["model"]["vocab"])


def test_pruned_encoder_says_of_a_text_what_the_whole_one_says(bert_folder, cases):
    model, small, whole = load_source(str(bert_folder), [case.text for case in cases], vocabulary=540, layers=2)
    original = AutoModel.from_pretrained(bert_folder, add_pooling_layer=False)
    for case in (cases[0], cases[12]):
        old, new = (WordPieces.from_json(content) for content in (whole, small))
        before = states_of(original, old.framed(old.cut(case.text).ids).tolist())
        after = states_of(model, new.framed(new.cut(case.text).ids).tolist())
        assert torch.allclose(before, after, atol=1e-5)


def test_states_depend_on_chance_only_while_training(loaded, cases):
    model, small, _ = loaded
    pieces = WordPieces.from_json(small)
    ids = pieces.framed(pieces.cut(cases[0].text).ids).tolist()
    assert torch.equal(states_of(model, ids), states_of(model, ids))


@pytest.mark.parametrize("what", ["nothing", "no tokenizer", "no weights"])
def test_folder_without_an_encoder_is_refused(bert_folder, tmp_path, what):
    folder = tmp_path / "encoder"
    if what != "nothing":
        shutil.copytree(bert_folder, folder)
        (folder / ("tokenizer.json" if what == "no tokenizer" else "model.safetensors")).unlink()
    with pytest.raises(CorpusError, match="no encoder that can be loaded"):
        load_source(str(folder), [], vocabulary=540, layers=1)


@pytest.mark.parametrize(
    "model",
    [
        lambda: DistilBertModel(DistilBertConfig(vocab_size=50, dim=32, n_layers=1, n_heads=2, hidden_dim=64)),
        lambda: RobertaModel(
            RobertaConfig(
                vocab_size=50, hidden_size=32, num_hidden_layers=1, num_attention_heads=2, intermediate_size=64
            )
        ),
    ],
    ids=["distilbert", "roberta"],
)
def test_encoder_of_another_architecture_is_refused(model, bert_folder, tmp_path):
    model().save_pretrained(tmp_path)
    shutil.copy(bert_folder / "tokenizer.json", tmp_path)
    with pytest.raises(CorpusError, match="another architecture than BERT's"):
        load_source(str(tmp_path), [], vocabulary=540, layers=1)


@pytest.mark.parametrize("change", ["kind", "marks", "no json"])
def test_encoder_with_another_kind_of_tokenizer_is_refused(bert_folder, tmp_path, change):
    folder = shutil.copytree(bert_folder, tmp_path / "encoder")
    data = json.loads((folder / "tokenizer.json").read_text(encoding="utf-8"))
    if change == "kind":
        data["model"] = {"type": "WordLevel", "vocab": {"<s>": 0, "<unk>": 1}, "unk_token": "<unk>"}
    elif change == "marks":
        data["model"]["vocab"] = [
            [{"<s>": "[CLS]"}.get(piece, piece), score] for piece, score in data["model"]["vocab"]
        ]
        data["added_tokens"] = [token for token in data["added_tokens"] if token["content"] != "<s>"]
    (folder / "tokenizer.json").write_text("{" if change == "no json" else json.dumps(data), encoding="utf-8")
    with pytest.raises(CorpusError, match="tokenizer"):
        load_source(str(folder), [], vocabulary=540, layers=1)


def test_more_layers_than_there_are_is_refused(bert_folder):
    with pytest.raises(CorpusError, match="2 layers"):
        load_source(str(bert_folder), [], vocabulary=540, layers=3)
