"""Text of a narrative -> language, sentences, and the normalized view that recognizers match on.

spaCy tokenizes, here and nowhere else; its ``Doc`` does not leave this module. The received text is never altered:
offsets of sentences and of the
view all point into it.
"""

from __future__ import annotations

import re
import threading
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from functools import cache, cached_property
from typing import TYPE_CHECKING

from .errors import LanguageNotServed, NarrativeEmpty, NarrativeTooLong, NarrativeUnreadable
from .language import detect_language
from .types import Narrative, Span
from .view import View, normalize

if TYPE_CHECKING:
    from spacy.language import Language

MAX_CHARACTERS = 50_000  # code points; the longest published story has 806 words, about 5,000 characters
_LONG_SENTENCE = 40  # tokens; a longer one is cut at its next comma, since notes often have no full stops

_TOKENIZING = threading.Lock()
_SURROGATE = re.compile("[\ud800-\udfff]")
_LETTER = re.compile(r"[^\W\d_]")
_ENDS = frozenset({".", "!", "?", "…", "...", "։", "!!", "!!!", "??", "?!"})
# Full stops that the tokenizer leaves on a Georgian or Armenian word (not on one of up to three letters, an
# abbreviation), and the Armenian full stop, also typed as a colon.
_ENDED_WORD = re.compile(r"[\u0531-\u0587\u10d0-\u10ff]{4}\.$|[\u0531-\u0587][:։]$")
_CLOSERS = frozenset("\"'»”’)]")
_ABBREVIATIONS = frozenset(  # words that a full stop follows without ending the sentence
    "г гг ул пр просп д дом кв корп стр п пп ст ч руб тыс млн им т е тд тп др проф зав вул буд обл р рн мкр "
    "тел моб ок см "
    "mr mrs ms dr prof st str nr no art vs etc tel ap app bl sec st jr sr ul br".split()
)


@dataclass(frozen=True)
class Reading:
    """A narrative that has been read: its language, its sentences and its normalized view.

    ``sentences`` have at least one letter or digit each, stand in order, and leave out the blanks around them.
    """

    narrative: Narrative
    language: str
    sentences: tuple[Span, ...]

    @property
    def text(self) -> str:
        return self.narrative.text

    @cached_property
    def view(self) -> View:
        return normalize(self.narrative.text)


class Reader:
    """Reads narratives in the languages it is told to serve."""

    def __init__(self, *, languages: Collection[str], max_characters: int = MAX_CHARACTERS) -> None:
        self.languages = tuple(languages)
        self.max_characters = max_characters

    def read(self, narrative: Narrative) -> Reading:
        """Check and read one narrative. Raises a `NarrativeError` for a text that cannot be analyzed."""
        check_text(narrative.text, max_characters=self.max_characters)
        stated = normal_language(narrative.language)
        language = stated or detect_language(narrative.text, prefer=self.languages)
        if language not in self.languages:
            raise LanguageNotServed(language, self.languages)
        return Reading(narrative, language, _sentences(narrative.text))


def normal_language(language: str | None) -> str | None:
    """The language code without its region and in lower case: ``ru`` for ``ru-RU`` and ``RU``."""
    return language.strip().replace("_", "-").split("-")[0].lower() if language else None


def check_text(text: str, *, max_characters: int = MAX_CHARACTERS) -> None:
    """Raise the `NarrativeError` that says why this text cannot be analyzed, if it cannot."""
    if len(text) > max_characters:
        raise NarrativeTooLong(length=len(text), limit=max_characters)
    if surrogate := _SURROGATE.search(text):
        raise NarrativeUnreadable("half a surrogate pair", position=surrogate.start())
    if (at := text.find("\0")) >= 0:
        raise NarrativeUnreadable("a NUL character", position=at)
    if not _LETTER.search(text):
        raise NarrativeEmpty


@cache
def _spacy_nlp() -> Language:
    """The blank multilingual pipeline; loaded on first use, since importing spaCy takes a second."""
    import spacy

    pipeline = spacy.blank("xx")
    # Set for pipelines with a parser, whose memory grows with the text; the reader has its own limit.
    pipeline.max_length = 10**9
    # Shapes, stop words and the like of each new word: nothing here asks for them, and they cost half of tokenizing.
    pipeline.vocab.lex_attr_getters = {}  # type: ignore[attr-defined]  # missing in spaCy's stub
    return pipeline


def _tokenize(text: str) -> tuple[list[str], list[bool]]:
    """Tokens, and whether a blank follows each; together they are the text.

    spaCy keeps every word it has seen, and would so keep every name. The memory zone drops them when the text is
    done; since it
    is one for the whole vocabulary, one text is tokenized at a time.
    """
    spacy_nlp = _spacy_nlp()
    with _TOKENIZING, spacy_nlp.memory_zone():
        tokens = list(spacy_nlp.make_doc(text))
        return [token.text for token in tokens], [bool(token.whitespace_) for token in tokens]


def _sentences(text: str) -> tuple[Span, ...]:
    words, spaces = _tokenize(text)
    starts: list[int] = []
    at = 0
    for word, space, is_start in zip(words, spaces, _sentence_starts(words, spaces), strict=True):
        if is_start:
            starts.append(at)
        at += len(word) + space
    spans = []
    for start, end in zip(starts, [*starts[1:], len(text)], strict=True):
        sentence = text[start:end]
        if any(character.isalnum() for character in sentence):
            first = start + len(sentence) - len(sentence.lstrip())
            spans.append(Span(first, first + len(sentence.strip())))
    return tuple(spans)


def _sentence_starts(words: Sequence[str], spaces: Sequence[bool]) -> list[bool]:
    """Where sentences start: after . ! ? unless lower case follows at once, after a line break, and after a comma
    once a sentence is long."""
    starts = []
    length = 0
    ended: bool = False
    for at, word in enumerate(words):
        is_start = not at or (ended and not _continues(word))
        starts.append(is_start)
        length = 1 if is_start else length + 1
        if word.isspace() and "\n" in word:
            ended = True
        elif word in _ENDS:
            ended = word != "." or not _abbreviates(words, spaces, at)
        elif _ENDED_WORD.search((words[at - 1] if at and word == ":" else "") + word):
            ended = True
        elif not (ended and (word in _CLOSERS or word.isspace())):
            ended = length > _LONG_SENTENCE and word in {",", ";", "-", "–", "—"}
    return starts


def _continues(text: str) -> bool:
    """Whether a token belongs to the sentence before it although that one has ended: closing marks and blanks."""
    return text in _CLOSERS or text in _ENDS or text.isspace()


def _abbreviates(words: Sequence[str], spaces: Sequence[bool], at: int) -> bool:
    """Whether the full stop at this token follows an abbreviation or an initial, or stands right before lower case."""
    before = words[at - 1].lower() if at else ""
    if before in _ABBREVIATIONS or (len(before) == 1 and before.isalpha()):
        return True
    after = words[at + 1] if at + 1 < len(words) else ""
    return bool(after) and after[0].islower() and not spaces[at]
