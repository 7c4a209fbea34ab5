"""A redacted narrative that reads like one: invented names for people, other days for dates, placeholders for the rest.

The invented name hangs on the real one and a secret key alone: HMAC-SHA-256 (RFC 2104, FIPS 180-4) of each part of the
name in its base form seeds the choice, so that a person has the same name in every text, however it is bent or spelt,
and nobody without the key can try out names. Two people of a text for whom the same name would be drawn get different
ones; the second then differs from what other texts call that person.
"""

from __future__ import annotations

import hmac
import re
from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from random import Random

from ..errors import BackendUnavailable
from ..redaction.lexicon import WORD
from ..redaction.mentions import stem
from ..redaction.redactor import put
from ..types import Entity, Redaction, Span
from . import declension, lexicon, russian, spelling, surnames
from .dates import shifted
from .name_parts import KIN
from .people import People
from .pools import country_of
from .spelling import spelling_of
from .wording import Habits

_PURPOSE = b"casecoder pseudonyms 1"
_MOST_WEEKS = 26  # by which dates are moved: half a year each way, so that seasons blur; whole weeks, since the day of
# the week may stand beside a date


class Pseudonymizer:
    """Turns placeholders of people into invented names of their gender, people and script, in the grammatical case that
    they stood in.

    Parameters
    ----------
    key : secret, 32 bytes, as `nlp.keys.read_key` gives it. Whoever has it can test whether a name he guesses is the
        one that a pseudonym stands for.
    """

    def __init__(self, key: bytes) -> None:
        self._key = hmac.digest(key, _PURPOSE, "sha256")  # of its own, since the same key seals maps
        try:
            import pytrovich  # noqa: F401 - what bends Russian names
        except ModuleNotFoundError:
            raise BackendUnavailable("pseudonyms", "pseudonyms") from None

    def names(self, text: str, redaction: Redaction, *, language: str, country: str | None = None) -> Redaction:
        """The redaction of ``text`` with invented names in place of the placeholders of people.

        A name of which some part cannot be told apart from an ordinary word keeps its placeholder, so that nothing
        of it stays in sight.
        """
        people = [item.entity for item in redaction.replacements if item.entity.type == "PERSON"]
        made = self._invented(text, people, language, country) if people else {}
        return _written(text, redaction, {span: words for span, words in made.items() if words})

    def dates(self, text: str, redaction: Redaction, *, case_id: str, language: str) -> Redaction:
        """The redaction with the dates of ``text`` in place of their placeholders, all moved by one number of weeks,
        which hangs on ``case_id`` and the key, so that the days between them stay.

        Dates of birth, and dates that cannot be read to the day, keep their placeholder. A year is taken to have 365
        days where a date does not tell it.
        """
        weeks = [week for week in range(-_MOST_WEEKS, _MOST_WEEKS + 1) if week]
        days = 7 * self._random(f"days {case_id}").choice(weeks)
        made = {}
        for item in redaction.replacements:
            span = item.entity.span
            if item.entity.type == "DATE":
                old = text[span.start : span.end]
                new = shifted(old, timedelta(days=days), spelling_of(language, old))
                if new:
                    made[span] = new
        return _written(text, redaction, made)

    def _random(self, name: str) -> Random:
        seed = hmac.digest(self._key, name.encode(), "sha256")
        return Random(seed)  # noqa: S311 - its seed is the secret

    def _invented(
        self, text: str, people: Sequence[Entity], language: str, country: str | None
    ) -> dict[Span, str | None]:
        try:
            drawn = People(
                text, people, language=language, country=country_of(country, language), draws=self._random, steady=True
            )
            habits = Habits(text, language)
            edits = [(start, end, habits.write(new)) for start, end, new in drawn.edits()]
        finally:
            _forget()
        return {entity.span: _renamed(text, entity.span, edits) for entity in people}


def _renamed(text: str, span: Span, edits: Sequence[tuple[int, int, str]]) -> str | None:
    """The words of a span with its names edited; None where a word of it would stay."""
    parts, at = [], span.start
    for start, end, new in edits:
        if span.start <= start and end <= span.end:
            old = text[start:end].lower()
            if new.lower() == old and old not in KIN:
                return None
            parts += [text[at:start], new]
            at = end
    new = "".join([*parts, text[at : span.end]])
    kept = {stem(word) for word in _words(text[span.start : span.end])} & {stem(word) for word in _words(new)}
    return None if kept or re.search(r"\d", new) else new


def _words(words: str) -> list[str]:
    """The words that may be a name: no initial, and not what stands for kinship in many names."""
    return [word for word in WORD.findall(words) if len(word) > 2 and word.lower() not in KIN]


def _written(text: str, redaction: Redaction, made: dict[Span, str]) -> Redaction:
    """The redaction with other words in place of some placeholders."""
    words = [made.get(item.entity.span, item.placeholder) for item in redaction.replacements]
    return replace(put(text, redaction.entities, words), doubts=redaction.doubts)


def _forget() -> None:
    """Drop every name that was looked up: no process keeps names of people longer than their text."""
    for remembered in (
        lexicon.plain,
        declension.forms,
        declension.analyses,
        russian.russian,
        russian.readings,
        russian.is_common_noun,
        spelling.respell,
        surnames.read_surname,
    ):
        remembered.cache_clear()
