"""How words of a table are compared: by what they say, not by how somebody typed them."""

from __future__ import annotations

import re
import unicodedata

_DASHES = "\u2010\u2011\u2012\u2013\u2014\u2015\u2212\u2043\u30fb"
# ё is often typed as е; the Turkic letters i and ı become one, since İ and I come out of programs as any of them;
# the apostrophes of Uzbek and Ukrainian are typed with whatever sign the keyboard has.
_ALIKE = str.maketrans({"ё": "е", "ı": "i", **dict.fromkeys("’‘ʻʼ`´ʹ′", "'"), **dict.fromkeys(_DASHES, "-")})
_AROUND_DASH = re.compile(r"\s*-[\s-]*")
_PIECE = 200  # characters
_DOUBT = "?\u061f"  # the second one is Arabic
_INVISIBLE = frozenset({"Cf", "Cc"})  # soft hyphens, joiners, byte order marks, control signs


def composed(text: str) -> str:
    """``text`` in NFKC, with one blank for any space.

    Words of more than 200 characters are composed piece by piece: the time that a run of combining marks takes grows
    with its square, and a damaged cell may hold a million of them.
    """
    words = text.split()
    if max(map(len, words), default=0) <= _PIECE:
        return unicodedata.normalize("NFKC", " ".join(words))
    return " ".join(
        "".join(unicodedata.normalize("NFKC", word[at : at + _PIECE]) for at in range(0, len(word), _PIECE))
        for word in words
    )


def fold_label(text: str) -> str:
    """A label as it is compared: without case, with one blank for any number, one kind of dash and apostrophe, е for ё,
    and without punctuation at its ends.

    A minus sign before a digit stays, since old lists have codes like -9 beside 9; so does a question mark, since who
    writes ``police?`` does not say ``police``; and what is nothing but punctuation.
    """
    seen = "".join(sign for sign in composed(text) if unicodedata.category(sign) not in _INVISIBLE)
    alike = composed(seen.casefold()).replace("i\u0307", "i").translate(_ALIKE)
    plain = " ".join(alike.split())
    return _AROUND_DASH.sub("-", _without_ends(plain) or plain)


def _without_ends(text: str) -> str:
    start, end = 0, len(text)
    while start < end and _is_end(text[start]) and not _is_minus(text, start):
        start += 1
    while end > start and _is_end(text[end - 1]):
        end -= 1
    return text[start:end]


def _is_end(sign: str) -> bool:
    return sign not in _DOUBT and (sign.isspace() or unicodedata.category(sign).startswith("P"))


def _is_minus(text: str, at: int) -> bool:
    return text[at] == "-" and text[at + 1 : at + 2].isdigit()


def without_marks(text: str) -> str:
    """Latin letters without what stands over and under them, as they are typed without the right keyboard."""
    kept = []
    is_latin = False
    for sign in unicodedata.normalize("NFD", text):
        if not unicodedata.combining(sign):
            is_latin = sign.isascii()
        elif is_latin:
            continue
        kept.append(sign)
    return unicodedata.normalize("NFC", "".join(kept)).replace("đ", "d").replace("ə", "e")


def has_word(text: str) -> bool:
    """Whether there is a letter or digit in it."""
    return any(map(str.isalnum, text))
