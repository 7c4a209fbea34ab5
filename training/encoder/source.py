"""Where the encoder to be fine-tuned comes from: a Hugging Face name or a folder, cut down to what is served."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from torch import nn
from transformers import AutoConfig, AutoModel
from transformers.utils.hub import cached_file

from nlp.encoding import WordPieces
from nlp.errors import CorpusError

from .vocabulary import numbers_in, pruned


def load_source(
    name: str,
    texts: Sequence[str],
    *,
    vocabulary: int,
    layers: int,
    dropout: float = 0.0,
    pruned_before: bytes | None = None,
) -> tuple[Any, bytes, bytes]:
    """The transformer with the wanted number of layers and word pieces, its ``tokenizer.json``, and that of the
    source. With ``pruned_before``, a ``tokenizer.json`` that this function has given, its word pieces are kept.

    Raises `CorpusError` if there is no such encoder, or one of another architecture than BERT's, of fewer layers, or
    without a tokenizer as XLM-RoBERTa's.
    """
    try:
        whole = Path(str(cached_file(name, "tokenizer.json"))).read_bytes()
        config = AutoConfig.from_pretrained(name, attention_probs_dropout_prob=0.0, hidden_dropout_prob=dropout)
        is_bert = config.model_type == "bert"  # relatives number positions in another way than `export` writes down
        model: Any = is_bert and AutoModel.from_pretrained(
            name,
            config=config,
            add_pooling_layer=False,
            attn_implementation="eager",  # backward, torch's fused attention takes three times as long on a processor
        )
    except (OSError, ValueError) as error:
        raise CorpusError(f"is no encoder that can be loaded ({type(error).__name__})", source=name, line=0) from None
    if not is_bert:
        raise CorpusError("is an encoder of another architecture than BERT's", source=name, line=0)
    if len(model.encoder.layer) < layers:
        raise CorpusError(f"has {len(model.encoder.layer)} layers, not {layers}", source=name, line=0)
    try:
        if pruned_before:
            small, kept = pruned_before, numbers_in(whole, pruned_before)
        else:
            small, kept = pruned(whole, texts, vocabulary)
        WordPieces.from_json(small)
    except (KeyError, TypeError, ValueError):
        raise CorpusError("has no tokenizer of the kind that XLM-RoBERTa has", source=name, line=0) from None
    words = model.embeddings.word_embeddings
    embedding = nn.Embedding(len(kept), words.embedding_dim, padding_idx=None)
    embedding.weight = nn.Parameter(words.weight.detach()[torch.tensor(kept)].clone())
    model.embeddings.word_embeddings = embedding
    model.config.vocab_size = len(kept)
    model.encoder.layer = model.encoder.layer[:layers]
    model.config.num_hidden_layers = layers
    return model, small, whole
