"""A smaller vocabulary: only the word pieces of the scripts and languages that a bundle serves.

An encoder of 94 languages spends most of its size on pieces of scripts that nobody here writes. What is left out is
still read, in smaller pieces: every letter of the served scripts stays.
"""

from __future__ import annotations

import json
import unicodedata
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from tokenizers import Tokenizer

_BLANK = "\N{LOWER ONE EIGHTH BLOCK}"  # stands for the blank before a word in SentencePiece vocabularies
_SCRIPTS = ("LATIN", "CYRILLIC", "GEORGIAN", "ARMENIAN")
# Letters beyond a to z of the served languages that are written in Latin: ro, sq, sr, az, uz, kk, and transliteration.
_LATIN = frozenset("abcdefghijklmnopqrstuvwxyzăâîșşțţëçčćžšđəğıöüńñáéóúûūşŋäýʻʼ")
# Letters that the vocabulary lacks, written as the nearest that it has, each for one: Tajik letters, signs of currency.
_SPELLED = {"ҷ": "ч", "Ҷ": "Ч", "Ӯ": "У", "Ӣ": "И", "\N{ARMENIAN DRAM SIGN}": "$", "\N{MANAT SIGN}": "$"}
_SPECIAL = ("<s>", "<pad>", "</s>", "<unk>", "<mask>")


def served(piece: str) -> bool:
    """Whether a piece can stand in a text of a served language: its letters are of the served scripts, and no other
    sign."""
    for character in piece.replace(_BLANK, ""):
        if character.isalpha():
            name = unicodedata.name(character, "")
            if not name.startswith(_SCRIPTS) and character not in _LATIN:
                return False
            if name.startswith("LATIN") and character.lower()[0] not in _LATIN:
                return False
        elif not (character.isascii() or unicodedata.category(character)[0] in "PSN"):
            return False
    return True


def kept_pieces(vocabulary: Sequence[tuple[str, float]], used: Mapping[int, int], size: int) -> list[int]:
    """Numbers of the pieces to keep, in order: the special ones, single characters, those that served texts use, and
    then the commonest by their score, all of Cyrillic, Georgian and Armenian before Latin."""

    def rank(number: int) -> tuple[int, float]:
        piece, score = vocabulary[number]
        letters = piece.replace(_BLANK, "")
        if piece in _SPECIAL or len(letters) <= 1:
            return 0, -score
        if used.get(number):
            return 1, -score
        latin = any(unicodedata.name(character, "").startswith("LATIN") for character in letters)
        return (3 if latin or not any(map(str.isalpha, letters)) else 2), -score

    candidates = [n for n, (piece, _) in enumerate(vocabulary) if piece in _SPECIAL or served(piece)]
    return sorted(sorted(candidates, key=lambda number: (*rank(number), number))[:size])


def pruned(tokenizer: bytes, texts: Iterable[str], size: int) -> tuple[bytes, list[int]]:
    """A ``tokenizer.json`` with at most ``size`` pieces, and the old numbers of its pieces in their new order.

    ``texts`` are narratives to train on: their pieces are kept. Raises ValueError for a tokenizer that is not Unigram.
    """
    data: dict[str, Any] = json.loads(tokenizer)
    model = data["model"]
    if model.get("type") != "Unigram":
        raise ValueError("only Unigram vocabularies, as those of XLM-RoBERTa, can be pruned")
    whole = Tokenizer.from_buffer(tokenizer)
    whole.no_truncation()
    whole.no_padding()
    used: Counter[int] = Counter()
    for text in texts:
        used.update(whole.encode(text, add_special_tokens=False).ids)
    vocabulary = [(piece, score) for piece, score in model["vocab"]]
    kept = kept_pieces(vocabulary, used, size)
    numbers = {vocabulary[old][0]: new for new, old in enumerate(kept)}
    model["vocab"] = [[piece, round(score, 4)] for piece, score in (vocabulary[old] for old in kept)]
    model["unk_id"] = numbers["<unk>"]
    data["added_tokens"] = [{**token, "id": numbers[token["content"]]} for token in data["added_tokens"]]
    for name, token in data["post_processor"]["special_tokens"].items():
        token["ids"] = [numbers[name]]
    known = {character for piece, _ in model["vocab"] for character in piece}
    spelled = [
        {"type": "Replace", "pattern": {"String": letter}, "content": nearest}
        for letter, nearest in _SPELLED.items()
        if letter not in known
    ]
    before = [data["normalizer"]] if data["normalizer"] else []
    data["normalizer"] = {"type": "Sequence", "normalizers": [*before, *spelled]}
    data["truncation"] = data["padding"] = None
    return json.dumps(data, ensure_ascii=False, separators=(",", ":")).encode(), kept


def numbers_in(tokenizer: bytes, small: bytes) -> list[int]:
    """The numbers in a ``tokenizer.json`` of the pieces of one that was pruned from it, in their order there. Raises
    KeyError for one that was not."""
    whole = {piece: number for number, (piece, _) in enumerate(json.loads(tokenizer)["model"]["vocab"])}
    return [whole[piece] for piece, _ in json.loads(small)["model"]["vocab"]]


def coverage(tokenizer: bytes, texts: Mapping[str, Sequence[str]]) -> dict[str, dict[str, float]]:
    """For the texts of each language the share of unknown pieces, and pieces a word."""
    cutter = Tokenizer.from_buffer(tokenizer)
    cutter.no_truncation()
    cutter.no_padding()
    unknown = cutter.token_to_id("<unk>")
    figures = {}
    for language, members in sorted(texts.items()):
        ids = [number for text in members for number in cutter.encode(text, add_special_tokens=False).ids]
        words = sum(len(text.split()) for text in members)
        figures[language] = {
            "unknown_rate": sum(number == unknown for number in ids) / max(1, len(ids)),
            "pieces_per_word": len(ids) / max(1, words),
        }
    return figures
