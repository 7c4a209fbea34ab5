"""Texts in small letters get back the capitals that rules look for, as far as word lists and dictionaries tell.

A note typed in haste has no capitals at all, and one all in capitals none that say anything (its view has small letters
too). In English and Russian a dictionary tells common words from names; in other languages only listed names and towns
get their capital, and the encoder has to find the rest.
"""

from __future__ import annotations

import re
from functools import cache

from ..view import letter_case
from .lexicon import CYRILLIC, WORD, english_words, is_common, is_harmless, load_words, without_possessive
from .local import LocalWords, local_words
from .recognizers.name_forms import PATRONYMIC, SURNAME
from .recognizers.name_judgement import RATHER_WORDS, TITLE_REACH, KnownText, given_forms, has_title, look_over
from .recognizers.towns import is_town

_CODE = re.compile(r"(?<![\w@./+-])(?=[^\W_]{0,12}\d)(?=\d{0,12}[^\W\d_])[^\W_]{2,16}(?![\w@/]|\.\w|-[^\W\d])")
"""Letters and digits in one word, as plates, passports and registers have them."""
_MIN_NAME = 4  # letters of a word that is taken for a name because no dictionary has it
_MIN_FORM = 6  # letters of a word that is taken for a name because of its ending


def with_capitals(text: str, language: str = "") -> str:
    """A text in small letters with capitals where a name, an abbreviation or a code stands; others as they are."""
    if letter_case(text) != "lower":
        return text
    known = look_over(text)
    text = _CODE.sub(lambda match: _same_length(match[0], match[0].upper()), text)
    return WORD.sub(lambda match: _capitalized(match, known, local_words(language)), text)


def _capitalized(match: re.Match[str], known: KnownText, local: LocalWords | None) -> str:
    word = match[0]
    before, after = match.string[max(0, match.start() - 1) : match.start()], match.string[match.end() : match.end() + 1]
    if before in _INSIDE_ADDRESSES or after in _BEFORE_ADDRESSES or not word.islower():
        return word
    if word in _abbreviations():
        return _same_length(word, word.upper())
    ahead = match.string[max(0, match.start() - _REACH) : match.start()].rstrip(" \t")
    starts = (not ahead and match.start() <= _REACH) or ahead[-1:] in _ENDS
    if starts or _is_name(word, known) or (local is not None and local.is_name(word)) or _has_title(word, match, local):
        return _same_length(word, "-".join(part[:1].upper() + part[1:] for part in word.split("-")))
    return word


def _has_title(word: str, match: re.Match[str], local: LocalWords | None) -> bool:
    """Whether a word that is no everyday one stands after a title: "dr zovku"."""
    if len(word) < _MIN_NAME or is_common(word) or is_harmless(word) or (local is not None and local.is_common(word)):
        return False
    return has_title(match.string[max(0, match.start() - TITLE_REACH) : match.start()])


_INSIDE_ADDRESSES = frozenset("@/_.=&") | {"-"}
_BEFORE_ADDRESSES = frozenset("@/_")
_REACH = 8  # characters before a word in which a sentence may have ended
_ENDS = frozenset(".!?\n\r")


def _is_name(word: str, known: KnownText) -> bool:
    plain = without_possessive(word)
    if is_harmless(plain) or plain in RATHER_WORDS or len(plain) < _MIN_NAME:
        return False
    if plain in given_forms() or is_town(plain):
        return not known.is_common(plain)
    if CYRILLIC.match(plain) and known.russian:
        return known.russian_word(plain).reading != "word"
    form = SURNAME if known.english and plain not in english_words() else PATRONYMIC
    return len(plain) >= _MIN_FORM and form.search(plain) is not None


@cache
def _abbreviations() -> frozenset[str]:
    """Listed words all in capitals, in small letters: hiv, ст, ровд."""
    listed = (*load_words("harmless.txt"), *_INSTITUTIONS)
    names = {word for word in listed if word.isupper() and len(word) > 1}
    return frozenset(word.lower() for word in names)


_INSTITUTIONS = (
    "РОВД ГОВД ОВД УВД РУВД ГУВД РУП СИЗО ИВС ИК УП ЦСМ ЦРБ ЦРЛ ГКБ ГСВ ФАП МЦ ТБ ОО ОФ БФ НПО ТОО ООО ОсОО МЧЖ КУСП "
    "ЕРДР ЖУИ ИИН ЖСН ПИНФЛ ИНН СНИЛС РНОКПП ІПН ROVD GOVD OVD SIZO NGO LLC SRL DOOEL IIN PINFL JMBG EMBG IDNP CNP"
).split()


def _same_length(old: str, new: str) -> str:
    return new if len(new) == len(old) else old
