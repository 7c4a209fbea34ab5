"""Entities -> redacted text: every entity replaced by a placeholder, the same person by the same number."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from functools import cache, cached_property
from itertools import pairwise

import numpy as np

from ..errors import RedactionUnsettled
from ..reading import Reading
from ..types import Entity, Redaction, Replacement, Span
from ..view import PLACEHOLDER, View, normalize
from .base import Recognizer
from .casing import with_capitals
from .lexicon import WORD
from .local import is_everyday, local_words
from .mentions import PersonIndex, find_mentions, surface_key
from .overlap import resolve
from .recognizers.name_forms import IS_KIN
from .regional import any_of

MASK = "\ue000"
"""Stands for each character of a placeholder while recognizers look: no letter, no blank, part of no pattern."""

_MAX_ROUNDS = 50  # each round hides more; two are the rule
_MAX_NUMBER = 99_999  # of a placeholder that a text has already; a larger one is somebody's word
_GUESS = 0.7  # score below which a recognizer only guesses
_GUESSED = frozenset({"PERSON", "LOCATION", "ORGANISATION"})  # types of words; no number is ever let through
_SURE_OF_NOTHING = 0.9  # probability of the encoder, for every character, at which a guess is dropped
_EDGES = " \t\n\r\u00a0,;:"


class Redactor:
    """Hides what the recognizers find, and identifiers of ``types`` that something else has found. A recognizer that
    raises stops the redaction: nothing is ever half redacted."""

    def __init__(
        self, recognizers: Sequence[Recognizer], types: Collection[str] = (), *, only: Collection[str] | None = None
    ) -> None:
        self.recognizers = tuple(recognizers)
        found = frozenset(types) | {kind for recognizer in self.recognizers for kind in recognizer.entity_types}
        self.types = found if only is None else found & frozenset(only)

    def hiding_only(self, types: Collection[str]) -> Redactor:
        """The same redactor for some of its types; what others cover is looked at anew."""
        kept = [recognizer for recognizer in self.recognizers if set(recognizer.entity_types) & set(types)]
        return Redactor(kept, types, only=types)

    def recognize(self, reading: Reading) -> tuple[Entity, ...]:
        """Disjoint entities of a narrative in order, spans in the received text."""
        return self.redact(reading).entities

    def redact(self, reading: Reading, named: Sequence[Entity] = (), outside: np.ndarray | None = None) -> Redaction:
        """The narrative with its entities replaced by placeholders.

        ``named`` are entities that something else has found in the view of the narrative, such as the encoder; those of
        other types than the redactor's are left alone. ``outside`` is its probability that a character of the view,
        shape (n_characters,), belongs to none: what a recognizer only guesses is dropped where the encoder is sure that
        it is nothing.

        What is hidden changes what stands around it, so the result is looked through again until nothing more is found:
        redacting a redacted text changes nothing.
        """
        text = reading.text
        judge = _Judge(reading.view, outside)
        known = [entity for entity in named if entity.type in self.types]
        redaction = replace(text, self._find(reading.view, reading.language, judge, known))
        for _ in range(_MAX_ROUNDS):
            more = self._again(redaction, reading.language, judge) if redaction.replacements else ()
            if not more:
                return redaction
            redaction = replace(text, resolve([*redaction.entities, *_moved_back(more, redaction)]))
        raise RedactionUnsettled

    def _again(self, redaction: Redaction, language: str, judge: _Judge) -> tuple[Entity, ...]:
        return self._find(normalize(redaction.text), language, judge.of(redaction))

    def _find(self, view: View, language: str, judge: _Judge, named: Sequence[Entity] = ()) -> tuple[Entity, ...]:
        masked = with_capitals(self.kept.sub(lambda match: MASK * len(match[0]), view.text), language)
        guessed = [entity for recognizer in self.recognizers for entity in recognizer.find(masked, language)]
        found = [part for entity in named for part in _around_placeholders(entity, masked)]
        found += [entity for entity in guessed if judge.believes(entity, view)]
        found = [entity for entity in found if entity.type in self.types and not _is_region(entity, masked)]
        found = [entity for entity in found if not _is_everyday(entity, masked, language)]
        found = [_without_everyday(entity, masked, language) for entity in found]
        whole = [_trimmed(entity, masked) for entity in found if MASK not in _words(masked, entity)]
        if "PERSON" in self.types:
            persons = [entity for entity in whole if entity.type == "PERSON"]  # also those that a longer find covers
            whole += find_mentions(masked, resolve(whole), persons, language=language)
        whole += _bridges(resolve(whole), masked)
        return resolve(
            Entity(view.received(entity.span.start, entity.span.end), entity.type, entity.score, entity.source)
            for entity in whole
        )

    @cached_property
    def kept(self) -> re.Pattern[str]:
        """Placeholders of the types that this redactor makes; any other word in brackets may be a name."""
        return re.compile(rf"\[(?:{'|'.join(sorted(self.types))})_[0-9]{{1,6}}\]")


class _Judge:
    """Says which guesses of recognizers stand, by the probability that each received character is no identifier."""

    def __init__(self, view: View, outside: np.ndarray | None, redaction: Redaction | None = None) -> None:
        self._view, self._outside = view, outside
        self._back = _WayBack(redaction)

    def of(self, redaction: Redaction) -> _Judge:
        """The judge of what is found in a redacted text."""
        return _Judge(self._view, self._outside, redaction)

    def believes(self, entity: Entity, view: View) -> bool:
        """Whether an entity of ``view`` is more than a guess, or the encoder is not sure that it is nothing."""
        if self._outside is None or entity.score >= _GUESS or entity.type not in _GUESSED:
            return True
        span = self._back(view.received(entity.span.start, entity.span.end))
        start, end = self._view.within(span)
        return start == end or float(self._outside[start:end].min()) < _SURE_OF_NOTHING


def in_view(entities: Iterable[Entity], view: View) -> list[Entity]:
    """Entities of the received text where they stand in its view; one of invisible characters alone is left out."""
    moved = []
    for entity in entities:
        start, end = view.within(entity.span)
        if start < end:
            moved.append(Entity(Span(start, end), entity.type, entity.score, entity.source))
    return moved


def _is_region(entity: Entity, text: str) -> bool:
    """Whether a word that was taken for a place or a name is that of a region, which stays in sight."""
    if entity.type not in ("LOCATION", "PERSON") or " " in _words(text, entity):
        return False
    return _before_region().match(text, entity.span.end) is not None


_BRIDGED = frozenset({"ADDRESS", "ORGANISATION"})  # described in words, of which the middle ones are the least telling
_BRIDGE = re.compile(rf"(?!.*(?:[.!?;:\n]\s|\n|{MASK})).{{1,24}}", re.DOTALL)


def _bridges(entities: Sequence[Entity], text: str) -> list[Entity]:
    """What stands between two parts of one address or institution: a few words of one sentence."""
    return [
        Entity(Span(one.span.start, other.span.end), one.type, min(one.score, other.score), "between")
        for one, other in pairwise(entities)
        if one.type == other.type and one.type in _BRIDGED and _BRIDGE.fullmatch(text, one.span.end, other.span.start)
    ]


_UNSURE, _RATHER_SURE = 0.3, 0.65  # scores of the encoder
"""Below which it is not believed about everyday words, and about one that stands as the list has it."""


def _is_everyday(entity: Entity, text: str, language: str) -> bool:
    """Whether what was taken for a name, without much trust, has no word that is none."""
    found = _words(text, entity)
    words = WORD.findall(found)
    if entity.type not in _GUESSED or not words or any(character.isdigit() for character in found):
        return False
    least = _GUESS
    if entity.source == "encoder":
        local = local_words(language)
        listed = len(words) == 1 and local is not None and local.is_listed_word(words[0])
        least = _RATHER_SURE if listed else _UNSURE
    return entity.score < least and all(is_everyday(word, language) for word in words)


def _without_everyday(entity: Entity, text: str, language: str) -> Entity:
    """A name that rules found without the everyday words at its edges: "Онаси Ҳабибахон" is Ҳабибахон."""
    local = local_words(language)
    if local is None or entity.type != "PERSON" or entity.source == "encoder":
        return entity
    words = list(WORD.finditer(text, entity.span.start, entity.span.end))
    first, last = 0, len(words) - 1
    while first < last and local.is_common(words[first][0]):
        first += 1
    while last > first and local.is_common(words[last][0]) and not IS_KIN.fullmatch(words[last][0]):
        last -= 1
    if last - first == len(words) - 1 or not words:
        return entity
    start = words[first].start() if first else entity.span.start
    end = words[last].end() if last < len(words) - 1 else entity.span.end
    return Entity(Span(start, end), entity.type, entity.score, entity.source)


@cache
def _before_region() -> re.Pattern[str]:
    return re.compile(rf"\s(?:{any_of('region_after')})(?!\w)")


def _words(text: str, entity: Entity) -> str:
    return text[entity.span.start : entity.span.end]


_BETWEEN_PLACEHOLDERS = re.compile(f"[^{MASK}]+")


def _around_placeholders(entity: Entity, masked: str) -> list[Entity]:
    """The parts of an entity that no placeholder stands for yet."""
    start, end = entity.span.start, entity.span.end
    return [
        Entity(Span(*match.span()), entity.type, entity.score, entity.source)
        for match in _BETWEEN_PLACEHOLDERS.finditer(masked, start, end)
        if any(character.isalnum() for character in match[0])
    ]


def _trimmed(entity: Entity, text: str) -> Entity:
    """The entity without blanks and commas at its edges."""
    words = _words(text, entity)
    inner = words.strip(_EDGES)
    if not inner or inner == words:
        return entity
    start = entity.span.start + len(words) - len(words.lstrip(_EDGES))
    return Entity(Span(start, start + len(inner)), entity.type, entity.score, entity.source)


class _WayBack:
    """From a redacted text to the received one, for spans that touch no placeholder."""

    def __init__(self, redaction: Redaction | None = None) -> None:
        replacements = redaction.replacements if redaction else ()
        self._ends = [item.redacted_span.end for item in replacements]
        self._shifts = [0, *(item.entity.span.end - item.redacted_span.end for item in replacements)]

    def __call__(self, span: Span) -> Span:
        shift = self._shifts[bisect_right(self._ends, span.start)]
        return Span(span.start + shift, span.end + shift)


def _moved_back(entities: Sequence[Entity], redaction: Redaction) -> list[Entity]:
    """Entities of a redacted text, none of which touches a placeholder, where they stand in the received text."""
    back = _WayBack(redaction)
    return [Entity(back(entity.span), entity.type, entity.score, entity.source) for entity in entities]


def replace(text: str, entities: Sequence[Entity]) -> Redaction:
    """Replace disjoint, sorted entities by placeholders such as ``[PERSON_1]``.

    Numbers count from 1 for each type in the order of the text, past any placeholder that the text already has;
    mentions of one person, and equal values of another type, share a number.
    """
    numbers: dict[str, dict[str, int]] = defaultdict(dict)
    persons = PersonIndex()
    taken: dict[str, int] = defaultdict(int)
    for match in PLACEHOLDER.finditer(text):
        if int(match[2]) <= _MAX_NUMBER:
            taken[match[1]] = max(taken[match[1]], int(match[2]))
    words = []
    for entity in entities:
        surface = text[entity.span.start : entity.span.end]
        seen = surface if surface.isascii() else normalize(surface).text  # look-alikes make nobody another person
        key = persons.key(seen) if entity.type == "PERSON" else surface_key(seen)
        known = numbers[entity.type]
        number = known.setdefault(key, taken[entity.type] + len(known) + 1)
        words.append(f"[{entity.type}_{number}]")
    return put(text, entities, words)


def put(text: str, entities: Sequence[Entity], words: Sequence[str]) -> Redaction:
    """The text with one of ``words`` in place of each of the disjoint, sorted entities."""
    parts: list[str] = []
    replacements = []
    at = length = 0
    for entity, new in zip(entities, words, strict=True):
        span = entity.span
        parts += [text[at : span.start], new]
        length += span.start - at
        replacements.append(Replacement(entity, new, Span(length, length + len(new))))
        length += len(new)
        at = span.end
    return Redaction("".join([*parts, text[at:]]), tuple(replacements))
