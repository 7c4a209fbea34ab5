"""Where the encoder to be fine-tuned comes from: a Hugging Face name or a folder, cut down to what is served."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import torch
from torch import nn
from transformers import AutoModel
from transformers.utils.hub import cached_file

from nlp.encoding import WordPieces
from nlp.errors import CorpusError

from .vocabulary import pruned


def load_source(name: str, texts: Sequence[str], *, vocabulary: int, layers: int) -> tuple[nn.Module, bytes, bytes]:
    """The transformer with the wanted number of layers and word pieces, its ``tokenizer.json``, and that of the
    source.

    Raises `CorpusError` if there is no such encoder, or one of another architecture than BERT's.
    """
    try:
        whole = Path(str(cached_file(name, "tokenizer.json"))).read_bytes()
        model = AutoModel.from_pretrained(
            name, add_pooling_layer=False, attn_implementation="sdpa", attention_probs_dropout_prob=0.0
        )
    except (OSError, ValueError) as error:
        raise CorpusError(f"is no encoder that can be loaded ({type(error).__name__})", source=name, line=0) from None
    if not hasattr(model, "encoder") or not hasattr(model.encoder, "layer"):
        raise CorpusError("is an encoder of another architecture than BERT's", source=name, line=0)
    small, kept = pruned(whole, texts, vocabulary)
    words = model.embeddings.word_embeddings
    WordPieces.from_json(small)
    embedding = nn.Embedding(len(kept), words.embedding_dim, padding_idx=None)
    embedding.weight = nn.Parameter(words.weight.detach()[torch.tensor(kept)].clone())
    model.embeddings.word_embeddings = embedding
    model.config.vocab_size = len(kept)
    model.encoder.layer = model.encoder.layer[:layers]
    model.config.num_hidden_layers = layers
    return model, small, whole


def tokenizer_of(path: Path) -> WordPieces:
    """The word pieces of a fine-tuning run."""
    return WordPieces.from_json(path.read_bytes())
