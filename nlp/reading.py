"""Text of a narrative -> spaCy ``Doc`` with tokens and sentences, and the normalized view that recognizers match on.

This is the only place where a ``Doc`` is built. The received text is never altered: offsets of tokens, sentences and of the
view all point into it.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Collection
from dataclasses import dataclass, field
from functools import cache, cached_property
from typing import TYPE_CHECKING

from .errors import LanguageNotServed, NarrativeEmpty, NarrativeTooLong, NarrativeUnreadable
from .language import detect_language
from .types import Narrative, Span

if TYPE_CHECKING:
    from spacy.language import Language
    from spacy.tokens import Doc

MAX_CHARACTERS = 50_000  # code points; the longest published story has 806 words, about 5,000 characters
_LONG_SENTENCE = 40  # tokens; a longer one is cut at its next comma, since notes often have no full stops

# Characters that show nothing and only hide words from a matcher: soft hyphen, zero-width, direction marks, variation selectors.
_INVISIBLE = re.compile("[\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180e\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufe00-\ufe0f\ufeff]")
_SURROGATE = re.compile("[\ud800-\udfff]")
_LETTER = re.compile(r"[^\W\d_]")
_ENDS = frozenset({".", "!", "?", "…", "...", "։", "!!", "!!!", "??", "?!"})
_CLOSERS = frozenset('"\'»”’)]')
_ABBREVIATIONS = frozenset(  # words that a full stop follows without ending the sentence
    "г гг ул пр просп д дом кв корп стр п пп ст ч руб тыс млн им т е тд тп др проф зав вул буд обл р рн мкр с ул пер тел моб ок см "
    "mr mrs ms dr prof st str nr no art vs etc tel ap app bl sec st jr sr ul br".split()
)


@dataclass(frozen=True, slots=True)
class View:
    """The normalized text: NFKC, invisible characters left out. ``offsets[i]`` is where its character ``i`` stands in the
    received text, and ``offsets[len(text)]`` is the length of the received text; monotone and total."""

    text: str = field(repr=False)
    offsets: tuple[int, ...] | range = field(repr=False)

    def received(self, start: int, end: int) -> Span:
        """The span of the received text that a range of the view stands for."""
        first, last = self.offsets[start], self.offsets[end - 1]
        return Span(first, last + 1)


@dataclass(frozen=True)
class Reading:
    """A narrative that has been read: its ``Doc``, its sentences, its language and its normalized view."""

    narrative: Narrative
    language: str
    doc: Doc = field(repr=False)

    @property
    def text(self) -> str:
        return self.narrative.text

    @cached_property
    def view(self) -> View:
        return normalize(self.narrative.text)

    @cached_property
    def sentences(self) -> tuple[Span, ...]:
        """Sentences with at least one letter or digit, in order; blanks around them left out."""
        spans = []
        for sentence in self.doc.sents:
            text = sentence.text
            if any(character.isalnum() for character in text):
                start = sentence.start_char + len(text) - len(text.lstrip())
                spans.append(Span(start, start + len(text.strip())))
        return tuple(spans)


class Reader:
    """Reads narratives in the languages it is told to serve."""

    def __init__(self, *, languages: Collection[str], max_characters: int = MAX_CHARACTERS) -> None:
        self.languages = tuple(languages)
        self.max_characters = max_characters

    def read(self, narrative: Narrative) -> Reading:
        """Check and read one narrative. Raises a `NarrativeError` for a text that cannot be analyzed."""
        check_text(narrative.text, max_characters=self.max_characters)
        language = narrative.language or detect_language(narrative.text)
        if language not in self.languages:
            raise LanguageNotServed(language, self.languages)
        return Reading(narrative, language, _spacy_nlp()(narrative.text))


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


def normalize(text: str) -> View:
    """The view of a text that recognizers match on."""
    if text.isascii():
        return View(text, range(len(text) + 1))
    characters: list[str] = []
    offsets: list[int] = []
    for at, character in enumerate(text):
        for normal in _normal(character):
            characters.append(normal)
            offsets.append(at)
    offsets.append(len(text))
    return View("".join(characters), tuple(offsets))


@cache
def _normal(character: str) -> str:
    return "" if _INVISIBLE.match(character) else unicodedata.normalize("NFKC", character)


@cache
def _spacy_nlp() -> Language:
    """The blank multilingual pipeline; loaded on first use, since importing spaCy takes a second."""
    import spacy
    from spacy.language import Language

    if not Language.has_factory("casecoder_sentences"):
        Language.component("casecoder_sentences", func=_mark_sentences)
    pipeline = spacy.blank("xx")
    pipeline.add_pipe("casecoder_sentences")
    # Set for pipelines with a parser, whose memory grows with the text; the reader has its own limit.
    pipeline.max_length = 10**9
    return pipeline


def _mark_sentences(doc: Doc) -> Doc:
    """Sentences end at . ! ? before something that is not lower case, at a line break, and at a comma once they are long."""
    starts = [False] * len(doc)
    length = 0
    ended = False
    for token in doc:
        text = token.text
        breaks = token.is_space and "\n" in text
        if token.i and (ended and not _continues(text)):
            starts[token.i] = True
            length = 0
        if breaks:
            ended = True
        elif text in _ENDS:
            ended = text != "." or not _abbreviates(doc, token.i)
        elif not (ended and (text in _CLOSERS or token.is_space)):
            ended = length > _LONG_SENTENCE and text in {",", ";", "-", "–", "—"}
        length += 1
    for token, start in zip(doc, starts, strict=True):
        token.is_sent_start = start or token.i == 0
    return doc


def _continues(text: str) -> bool:
    """Whether a token belongs to the sentence before it although that one has ended: closing marks and blanks."""
    return text in _CLOSERS or text in _ENDS or text.isspace()


def _abbreviates(doc: Doc, at: int) -> bool:
    """Whether the full stop at this token follows an abbreviation, an initial or a number, or stands before lower case."""
    before = doc[at - 1].text.lower() if at else ""
    if before in _ABBREVIATIONS or (len(before) == 1 and before.isalpha()):
        return True
    after = doc[at + 1].text if at + 1 < len(doc) else ""
    return bool(after) and after[0].islower() and not doc[at].whitespace_
