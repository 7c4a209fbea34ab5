from __future__ import annotations

import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tokenizers import Tokenizer

from nlp.encoding import Encoder, WordPieces, onnx_network, windows

PIECES = [
    "<s>",
    "<pad>",
    "</s>",
    "<unk>",
    "▁she",
    "▁was",
    "▁refused",
    "▁ref",
    "used",
    "▁",
    "s",
    "h",
    "e",
    "▁Ай",
    "гуль",
    ".",
]


def tokenizer(pieces=PIECES):
    """A Unigram tokenizer as XLM-RoBERTa's, of a few pieces; shorter ones cost more."""
    model = {"type": "Unigram", "unk_id": 3, "vocab": [[piece, -1.0 if len(piece) > 2 else -5.0] for piece in pieces]}
    marks = [
        {"id": at, "content": piece, "single_word": False, "lstrip": False, "rstrip": False, "normalized": False,
         "special": True}
        for at, piece in enumerate(pieces[:4])
    ]  # fmt: skip
    return json.dumps(
        {
            "version": "1.0", "truncation": None, "padding": None, "added_tokens": marks,
            "normalizer": {"type": "NFKC"},
            "pre_tokenizer": {"type": "Metaspace", "replacement": "▁", "prepend_scheme": "always", "split": True},
            "post_processor": None, "decoder": None, "model": model,
        }
    ).encode()  # fmt: skip


def numbering_network(ids):
    """States that tell which token they are of."""
    return np.stack([ids, np.arange(len(ids))], axis=1).astype(np.float32)


def encoder():
    return Encoder(WordPieces.from_json(tokenizer()), numbering_network, width=2)


@given(n=st.integers(0, 5000), size=st.integers(8, 600), overlap=st.integers(0, 7))
def test_windows_keep_every_token_once_and_in_order(n, size, overlap):
    found = list(windows(n, size=size, overlap=overlap))
    assert [at for window in found for at in range(window.first, window.last)] == list(range(n))
    assert all(window.end - window.start <= size for window in found)
    assert all(window.start <= window.first < window.last <= window.end for window in found)


def test_tokens_at_a_seam_are_read_with_what_stands_on_both_sides():
    first, second = list(windows(800, size=510, overlap=128))[:2]
    assert first.end - first.last >= 64
    assert second.first - second.start >= 64


def test_pieces_point_into_the_text_as_received():
    text = "  she was\n refused .  Айгуль"
    tokens = encoder().pieces.cut(text)
    assert [text[start:end] for start, end in zip(tokens.starts, tokens.ends, strict=True)] == [
        "she", "was", "refused", ".", "Ай", "гуль",
    ]  # fmt: skip


def test_offsets_count_code_points_also_behind_signs_of_two_units():
    text = "\N{WAVING HAND SIGN} she"
    tokens = encoder().pieces.cut(text)
    assert text[tokens.starts[-1] : tokens.ends[-1]] == "she"


@pytest.mark.parametrize("words", [0, 1, 400, 511, 512, 2000])
def test_no_text_is_cut_off(words):
    states = encoder().encode(" she" * words)
    assert len(states.tokens) == len(states.vectors) == words
    assert set(states.vectors[:, 0]) <= {float(PIECES.index("▁she"))}


def test_tokens_within_a_stretch():
    tokens = encoder().pieces.cut("she was refused")
    assert tokens.within(0, 3) == slice(0, 1)
    assert tokens.within(2, 5) == slice(0, 2)
    assert tokens.within(3, 4) == slice(1, 1)


@pytest.mark.parametrize("content", [b"", b"{}", b"not json", tokenizer(PIECES[4:])])
def test_what_is_no_tokenizer_is_refused_without_quoting_it(content):
    with pytest.raises(ValueError, match="tokenizer"):
        WordPieces.from_json(content)


def test_what_is_no_network_is_refused_without_quoting_it():
    with pytest.raises(ValueError, match="onnxruntime cannot run it"):
        onnx_network(b"Zarina Abdullayeva")


def test_the_tokenizer_library_keeps_no_limit_of_its_own():
    limited = Tokenizer.from_buffer(tokenizer())
    limited.enable_truncation(4)
    assert len(WordPieces(limited).cut("she was refused she was refused")) == 6
