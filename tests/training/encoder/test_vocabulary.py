from __future__ import annotations

import json

import pytest
from tokenizers import Tokenizer

from nlp.encoding import WordPieces
from training.encoder.vocabulary import coverage, numbers_in, pruned, served

SIZE = 540  # what the narratives use, and some more
MARKS = ["<s>", "<pad>", "</s>", "<unk>", "<mask>"]


def names_of(tokenizer):
    return [piece for piece, _ in json.loads(tokenizer)["model"]["vocab"]]


def cut(tokenizer, text):
    return Tokenizer.from_buffer(tokenizer).encode(text, add_special_tokens=False).tokens


@pytest.fixture(scope="module")
def texts(cases):
    return [case.text for case in cases]


@pytest.fixture(scope="module")
def small(tokenizer_json, texts):
    return pruned(tokenizer_json, texts, SIZE)


@pytest.mark.parametrize(
    ("piece", "stays"),
    [
        ("▁doctor", True),
        ("врач", True),
        ("ექიმი", True),
        ("բժիշկ", True),
        ("ҳуқуқ", True),
        ("▁ș", True),
        ("№", True),
        ("…", True),
        ("▁2026", True),
        ("▁日本", False),
        ("α", False),
        ("▁ال", False),
        ("अ", False),
        ("ß", False),
        ("▁ħal", False),
        ("дok日", False),
    ],
)
def test_only_scripts_and_letters_of_served_languages_stay(piece, stays):
    assert served(piece) is stays


def test_marks_letters_and_used_pieces_stay_and_other_scripts_go(tokenizer_json, texts, small):
    tokenizer, kept = small
    whole, left = names_of(tokenizer_json), set(names_of(tokenizer))
    assert left >= set(MARKS)
    assert left >= {piece for piece in whole if len(piece.replace("▁", "")) == 1 and served(piece)}
    assert left >= {piece for text in texts for piece in cut(tokenizer_json, text)}
    assert not left & {"▁日本", "日", "本", "α", "▁αβ", "▁ال", "अ", "▁ไทย", "ß", "▁Straße", "ħ"}
    assert len(kept) == len(left) == SIZE < len(whole)


def test_order_of_pieces_is_kept(tokenizer_json, small):
    tokenizer, kept = small
    whole = names_of(tokenizer_json)
    assert kept == sorted(kept)
    assert names_of(tokenizer) == [whole[number] for number in kept]


def test_texts_that_were_given_are_cut_as_before(tokenizer_json, texts, small):
    for text in texts:
        assert cut(small[0], text) == cut(tokenizer_json, text)


def test_what_is_left_out_is_read_in_smaller_pieces(tokenizer_json, small):
    assert cut(tokenizer_json, "garden") == ["▁garden"]
    assert cut(pruned(tokenizer_json, [], 420)[0], "garden") == ["▁", *"garden"]


def test_where_room_is_scarce_other_scripts_come_before_latin(tokenizer_json):
    singles = sum(
        piece in MARKS or (served(piece) and len(piece.replace("▁", "")) <= 1) for piece in names_of(tokenizer_json)
    )
    left = names_of(pruned(tokenizer_json, [], singles + 3)[0])
    words = [piece for piece in left if piece not in MARKS and len(piece.replace("▁", "")) > 1]
    assert len(words) == 3
    assert not any(letter.isascii() and letter.isalpha() for word in words for letter in word)


def test_used_word_stays_before_a_commoner_one(tokenizer_json):
    whole = names_of(tokenizer_json)
    singles = sum(piece in MARKS or (served(piece) and len(piece.replace("▁", "")) <= 1) for piece in whole)
    assert "▁shifokor" in names_of(pruned(tokenizer_json, ["shifokor"], singles + 1)[0])


def test_marks_have_their_numbers_in_the_smaller_vocabulary(small):
    pieces = WordPieces.from_json(small[0])
    encoding = pieces.tokenizer.encode("The doctor")
    assert [encoding.ids[0], encoding.ids[-1]] == [pieces.start, pieces.end]
    assert encoding.tokens == ["<s>", "▁The", "▁doctor", "</s>"]
    assert pieces.tokenizer.token_to_id("<mask>") == names_of(small[0]).index("<mask>")


@pytest.mark.parametrize(("written", "read"), [("ҷо", "чо"), ("Ҷо", "Чо"), ("ду ҷой", "ду чой"), ("500₼", "500$")])
def test_letter_that_the_vocabulary_lacks_is_read_as_its_nearest(tokenizer_json, small, written, read):
    whole, pieces = (WordPieces.from_json(content) for content in (tokenizer_json, small[0]))
    assert whole.unknown in whole.cut(written).ids
    tokens = pieces.cut(written)
    assert list(tokens.ids) == list(pieces.cut(read).ids)
    assert pieces.unknown not in tokens.ids
    assert (tokens.starts[0], tokens.ends[-1]) == (0, len(written))


def test_letter_that_the_vocabulary_has_is_read_as_itself(small):
    assert cut(small[0], "ӯ") == ["▁", "ӯ"]


def test_pruning_twice_changes_nothing(texts, small):
    again, kept = pruned(small[0], texts, SIZE)
    assert names_of(again) == names_of(small[0])
    assert kept == list(range(len(kept)))
    assert [cut(again, text) for text in texts] == [cut(small[0], text) for text in texts]


def test_pieces_of_a_pruned_vocabulary_are_found_again(tokenizer_json, small):
    assert numbers_in(tokenizer_json, small[0]) == small[1]
    with pytest.raises(KeyError):
        numbers_in(small[0], tokenizer_json)


def test_other_kinds_of_vocabulary_are_refused(tokenizer_json):
    data = json.loads(tokenizer_json)
    data["model"]["type"] = "WordPiece"
    with pytest.raises(ValueError, match="Unigram"):
        pruned(json.dumps(data).encode(), [], 100)


def test_coverage_tells_unknown_pieces_and_pieces_a_word(tokenizer_json):
    figures = coverage(tokenizer_json, {"en": ["The doctor", "garden"], "tg": ["ҷо"], "ja": ["日本 日本"], "hy": [""]})
    assert list(figures) == ["en", "hy", "ja", "tg"]
    assert figures["en"] == {"unknown_rate": 0, "pieces_per_word": 1}
    assert figures["tg"] == pytest.approx({"unknown_rate": 1 / 3, "pieces_per_word": 3})  # blank, ҷ, о
    assert figures["hy"] == {"unknown_rate": 0, "pieces_per_word": 0}
