"""What a recognizer is: something that finds entities of given types in a text.

A recognizer sees the normalized view of a narrative (`nlp.reading.View`) and answers with entities whose spans
point into what it was given. Most are data: a pattern, a check and a source.

Every pattern runs on whatever a stranger types, so it must take linear time: each repetition has a bound, or
cannot start again inside itself.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Protocol

from ..types import Entity, Span
from ..view import fold_case


class Recognizer(Protocol):
    """Finds entities. Must be pure: the same text gives the same entities; raises rather than answering with half.

    ``language`` is that of the narrative, empty where nobody knows it; most recognizers look for all languages at once.
    """

    @property
    def name(self) -> str: ...

    @property
    def entity_types(self) -> tuple[str, ...]: ...

    @property
    def source(self) -> str: ...

    def find(self, text: str, language: str = "") -> Sequence[Entity]: ...


def compile_folded(pattern: str) -> re.Pattern[str]:
    """A pattern in lower case, for text that went through `fold_case`: several times faster than ``re.IGNORECASE``."""
    pieces = re.findall(r"\\.|\(\?P<|[^\\(]+|\(", pattern, re.DOTALL)
    return re.compile("".join(piece if piece.startswith(("\\", "(?P")) else fold_case(piece) for piece in pieces))


class Announced:
    """Whether telling words stand right before a place. Made for one text, so that equal surroundings are
    looked at once."""

    def __init__(self, pattern: re.Pattern[str], folded: str, reach: int) -> None:
        self._pattern = pattern
        self._folded = folded
        self._reach = reach
        self._known: dict[str, int] = {}

    def length(self, at: int) -> int:
        """Length of the words that end at this place, or -1."""
        start = max(0, at - self._reach)
        window = self._folded[max(0, start - 1) : at]
        known = self._known.get(window)
        if known is None:
            # Only words announce, or the start of a line: in a run of digits there is nothing to look for.
            worth = start == 0 or _TWO_LETTERS.search(window) or "\n" in window
            found = self._pattern.search(self._folded, start, at) if worth else None
            known = self._known[window] = at - found.start() if found else -1
        return known


_TWO_LETTERS = re.compile(r"[^\W\d_][^\W\d_.]|[^\W\d_]\W")


def accept_all(match: re.Match[str]) -> bool:
    """The check of a pattern that needs none."""
    return True


@dataclass(frozen=True)
class PatternRecognizer:
    """A regular expression, a check of each match, and where the rule comes from.

    The entity is the group ``entity`` of the pattern where it has one, else the whole match. ``before`` is a
    pattern of which a match must end where the match of ``pattern`` starts: cheaper than one pattern for both,
    since words are tried only where a number stands. With ``joined`` what it matched belongs to the entity; it
    sees lower case unless ``cased_before``. ``folded`` has ``pattern`` itself see lower case. A text that has
    none of ``needs`` is not looked at. ``score`` in [0, 1] is how much a match is to be believed: 0.9 and more
    for a checksum or an unmistakable form, about 0.6 for a form with a telling word. ``source`` is the
    standard, law or page that states the rule.
    """

    name: str
    entity_type: str
    pattern: str = field(repr=False)
    source: str
    score: float = 0.6
    before: str | None = field(default=None, repr=False)
    reach: int = 64  # characters before a match in which the words of ``before`` are looked for
    joined: bool = False
    cased_before: bool = False
    needs: tuple[str, ...] = ()
    accept: Callable[[re.Match[str]], bool] = field(default=accept_all, repr=False)
    folded: bool = False

    @property
    def entity_types(self) -> tuple[str, ...]:
        return (self.entity_type,)

    @cached_property
    def regex(self) -> re.Pattern[str]:
        return compile_folded(self.pattern) if self.folded else re.compile(self.pattern)

    @cached_property
    def _before(self) -> re.Pattern[str] | None:
        if self.before is None:
            return None
        pattern = rf"(?:{self.before})\Z"
        return re.compile(pattern) if self.cased_before else compile_folded(pattern)

    def find(self, text: str, language: str = "") -> list[Entity]:
        """Entities in the order they stand."""
        if self.needs and not any(part in text for part in self.needs):
            return []
        folded = fold_case(text) if self.folded or (self.before and not self.cased_before) else text
        announced = Announced(self._before, text if self.cased_before else folded, self.reach) if self._before else None
        group = "entity" if "entity" in self.regex.groupindex else 0
        found = []
        for match in self.regex.finditer(folded if self.folded else text):
            start, end = match.span(group)
            before = announced.length(match.start()) if announced else 0
            if start < end and before >= 0 and self.accept(match):
                start -= before if self.joined else 0
                found.append(Entity(Span(start, end), self.entity_type, self.score, self.name))
        return found
