"""Noise in a text as hurried people, phones, scanners and filters make it, with an exact map of positions."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from random import Random

from nlp.pseudonyms.spelling import respell
from nlp.pseudonyms.wording import lower, upper

_KEYBOARDS = ("qwertyuiop", "asdfghjkl", "zxcvbnm", "йцукенгшщзхъ", "фывапролджэ", "ячсмитьбю")
_OCR_PAIRS = (
    "0 О О 0 O 0 o 0 l 1 1 l I l з 3 З 3 б 6 B 8 S 5 ш щ щ ш и н н и п л ё е й и m rn w vv d cl c e e c "
    "ї і ө о ү у қ к ә а ğ g ş s ç c ə e č c ț t ă a"
).split()
_OCR = dict(zip(_OCR_PAIRS[::2], _OCR_PAIRS[1::2], strict=True))
_CYRILLIC_TWINS, _LATIN_TWINS = "аеорсухіАВЕКМНОРСТХІ", "aeopcyxiABEKMHOPCTXI"
_TWINS = dict(zip(_CYRILLIC_TWINS + _LATIN_TWINS, _LATIN_TWINS + _CYRILLIC_TWINS, strict=True))
_INVISIBLE = "\u200b\u200c\u200d\u2060\ufeff"
_PUNCTUATION = frozenset(".,;:!?-–—\"'«»“”()")


@dataclass(frozen=True)
class Noise:
    """How much noise: ``lower``, ``upper`` and ``transliterate`` are probabilities of a whole text, the others of a
    letter (of a mark, for ``lost_punctuation``)."""

    typos: float = 0.0
    ocr: float = 0.0
    lower: float = 0.0
    upper: float = 0.0
    homoglyphs: float = 0.0
    zero_width: float = 0.0
    transliterate: float = 0.0
    lost_punctuation: float = 0.0

    def __post_init__(self) -> None:
        if not all(0 <= share <= 1 for share in vars(self).values()):
            raise ValueError("shares of noise are probabilities")


NO_NOISE = Noise()
LIGHT = Noise(
    typos=0.005, ocr=0.002, lower=0.05, upper=0.01, homoglyphs=0.002, transliterate=0.01, lost_punctuation=0.02
)
HEAVY = Noise(
    typos=0.03,
    ocr=0.02,
    lower=0.2,
    upper=0.05,
    homoglyphs=0.02,
    zero_width=0.005,
    transliterate=0.05,
    lost_punctuation=0.2,
)


def _neighbors() -> dict[str, str]:
    found: dict[str, str] = {}
    for row in _KEYBOARDS:
        for at, letter in enumerate(row):
            found[letter] = row[max(0, at - 1) : at] + row[at + 1 : at + 2]
    return found


_NEIGHBORS = _neighbors()


def add_noise(
    text: str, noise: Noise, rng: Random, *, language: str, keep: Iterable[int] = ()
) -> tuple[str, tuple[int, ...]]:
    """The noisy text, and for each position of the text (its end included) where it stands now.

    Positions never go back; characters at ``keep`` may change but never vanish.
    """
    whole = {name: rng.random() < getattr(noise, name) for name in ("lower", "upper", "transliterate")}
    kept = frozenset(keep)
    pieces: list[str] = []
    positions = [0]
    for at, character in enumerate(text):
        piece = character
        if character.isalnum():
            piece = _letter(character, noise, rng, may_vanish=at not in kept and at > 0 and text[at - 1].isalnum())
        elif character in _PUNCTUATION and at not in kept and rng.random() < noise.lost_punctuation:
            piece = ""
        piece = _whole(piece, whole, language) or (character if at in kept else "")
        pieces.append(piece)
        positions.append(positions[-1] + len(piece))
    return "".join(pieces), tuple(positions)


def _letter(character: str, noise: Noise, rng: Random, *, may_vanish: bool) -> str:
    piece = character
    if rng.random() < noise.typos:
        piece = _typo(character, rng, may_vanish=may_vanish)
    elif rng.random() < noise.ocr:
        piece = _OCR.get(character, character)
    elif rng.random() < noise.homoglyphs:
        piece = _TWINS.get(character, character)
    if noise.zero_width and rng.random() < noise.zero_width:
        piece += rng.choice(_INVISIBLE)
    return piece


def _typo(character: str, rng: Random, *, may_vanish: bool) -> str:
    kind = rng.randrange(3)
    if kind == 0 and may_vanish and not character.isdigit():
        return ""
    if kind == 1 and not character.isdigit():
        return character * 2
    neighbors = _NEIGHBORS.get(character.lower())
    if not neighbors:
        return character
    neighbor = rng.choice(neighbors)
    return neighbor.upper() if character.isupper() else neighbor


def _whole(piece: str, whole: dict[str, bool], language: str) -> str:
    if whole["transliterate"]:
        piece = "".join(_latin(letter, language) for letter in piece)
    if whole["lower"]:
        return lower(piece, language)
    if whole["upper"]:
        return upper(piece, language)
    return piece


def _latin(letter: str, language: str) -> str:
    if not "Ѐ" <= letter <= "ԯ":
        return letter
    source = language if language in ("uk", "tg", "mk") else "ru"
    letter = respell(letter, language, "ru") if language in ("kk", "ky") else letter
    return respell(letter, "sr-cyrl", "sr") if language == "sr" else respell(letter, source, "en")
