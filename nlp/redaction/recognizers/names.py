"""Names of people, by honest simple means: lists of given names, the forms of surnames and patronymics of the
region, titles before a name, and capital letters where a common noun would have none.

Recall comes before precision: a capitalized word in the middle of a sentence that no list knows is hidden.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from ...types import Entity, Span
from ..lexicon import CYRILLIC, WORD, english_words, is_harmless, without_possessive
from .name_forms import BEFORE_KIN, HONORIFIC, INITIALS, KIN_WORD, NOT_INITIALS, PATRONYMIC, titles
from .name_judgement import RATHER_WORDS, TITLE_REACH, KnownText, given_forms, judge, look_over, may_join

_LOWER_WORD = re.compile(r"(?<![\w.@/'’-])[^\W\d_]{4,24}(?![\w@/])")
_MIN_LOWER = 4  # letters of a name that is recognized without its capital
_SURE = 0.8  # score of a listed given name or a patronymic


@dataclass
class _Candidate:
    """A capitalized word: where it stands and how much it is to be believed as a name (0 for no name)."""

    start: int
    end: int
    score: float
    joins: bool  # may belong to a name beside it
    may_follow: bool = False  # may be the surname after a given name, whatever else it means


class NameRecognizer:
    """Names of people; neighboring name words become one span."""

    name = "name-rules"
    entity_types = ("PERSON",)
    source = "name lists written by hand, name forms of the region, OpenCorpora dictionary"

    def find(self, text: str, language: str = "") -> Sequence[Entity]:
        """Names in the order they stand."""
        known = look_over(text)
        spans = [(start, end, 0.85) for start, end in (*_with_initials(known), *_with_kin(text))]
        spans += _joined(text, [_candidate(known, match) for match in _capitalized(text)])
        spans += _in_lower_case(known)
        return [Entity(Span(start, end), "PERSON", score, self.name) for start, end, score in sorted(set(spans))]


def _capitalized(text: str) -> Iterator[re.Match[str]]:
    return (match for match in WORD.finditer(text) if match[0][0].isupper() and match.end() - match.start() > 1)


def _candidate(known: KnownText, match: re.Match[str]) -> _Candidate:
    """The candidate for a capitalized word; equal words with equal words before them are judged once."""
    start = match.start()
    surroundings = known.text[max(0, start - TITLE_REACH) : match.end()]
    judged = known.scores.get(surroundings)
    if judged is None:
        word = HONORIFIC.sub("", without_possessive(match[0]))
        score = 0.0 if is_harmless(word) else judge(known, start, word)
        joins = bool(score) or (not is_harmless(word) and may_join(known, word))
        judged = known.scores[surroundings] = (word, score, joins)
    word, score, joins = judged
    return _Candidate(start, start + len(word), score, joins, may_follow=len(word) > 2 and not is_harmless(word))


def _with_kin(text: str) -> Iterator[tuple[int, int]]:
    """Names built with a word for son or daughter: Мамедов Али оглы, Taalaibek uulu Ermek."""
    for match in KIN_WORD.finditer(text):
        before = BEFORE_KIN.search(text, max(0, match.start() - 52), match.start())
        if before and before[0][0].isupper():
            yield before.start(), match.end()


def _joined(text: str, candidates: list[_Candidate]) -> list[tuple[int, int, float]]:
    """Runs of neighboring words with a name in them; a run starts and ends with a name or what may join one."""
    spans: list[tuple[int, int, float]] = []
    run: list[_Candidate] = []
    for candidate in [*candidates, _Candidate(len(text) + 9, len(text) + 9, 0.0, joins=False)]:
        touches = bool(run) and _touches(text, run[-1].end, candidate.start)
        if touches and run[-1].score >= _SURE and candidate.may_follow:
            candidate.joins = True
        if run and not (candidate.joins and touches):
            if any(member.score for member in run):
                spans.append((run[0].start, run[-1].end, max(member.score for member in run)))
            run = []
        if candidate.joins:
            run.append(candidate)
    return spans


def _touches(text: str, end: int, start: int) -> bool:
    """Whether only one blank lies between two words."""
    return start - end == 1 and text[end] in " \u00a0"


def _with_initials(known: KnownText) -> Iterator[tuple[int, int]]:
    """Initials with the surname beside them, or several alone; after a title one is enough ("акушерка Б.")."""
    text, at = known.text, 0
    while match := INITIALS.search(text, at):
        at = match.end()
        surname = match["after"] or match["before"]
        if surname is None:
            if _letters(match[0]) not in NOT_INITIALS:
                yield match.start(), match.end()
        elif match["before"] and surname.lower() in titles():
            # The word is a title: the initials belong to what follows, or stand alone.
            at = match.end("before")
            if not _followed_by_name(text, match.end()):
                yield match.end("before") + 1, match.end()
        elif not (is_harmless(surname) or _is_plain(known, surname)):
            yield match.start(), match.end()
        else:
            at = match.end("before") if match["before"] else match.end()


def _letters(words: str) -> str:
    return "".join(character for character in words if character.isalpha()).lower()


def _followed_by_name(text: str, end: int) -> bool:
    after = text[end : end + 2].strip(" \u00a0")
    return bool(after) and after[0].isupper()


def _is_plain(known: KnownText, surname: str) -> bool:
    """Whether the word beside the initials is a common word that no one is called by ("гепатит C.")."""
    lowered = surname.lower()
    if lowered in given_forms():
        return False
    if CYRILLIC.match(surname):
        return known.russian_word(lowered).reading == "word" and not known.russian_word(lowered).may_be_name
    return lowered in english_words()


def _in_lower_case(known: KnownText) -> list[tuple[int, int, float]]:
    """Listed given names without a capital, where the language is known well enough to tell them from common words."""
    wanted = {word for word in known.lower & given_forms() if _is_name_in_lower_case(known, word)}
    if not wanted:
        return []
    return [
        (match.start(), _with_patronymic(known.text, match.end()), 0.6)
        for match in _LOWER_WORD.finditer(known.text)
        if match[0] in wanted
    ]


def _is_name_in_lower_case(known: KnownText, word: str) -> bool:
    if len(word) < _MIN_LOWER or word in RATHER_WORDS or is_harmless(word):
        return False
    if CYRILLIC.match(word):
        return known.russian and known.russian_word(word).reading != "word"
    return known.english and word not in english_words()


def _with_patronymic(text: str, end: int) -> int:
    following = _LOWER_WORD.match(text, end + 1)
    return following.end() if following and PATRONYMIC.search(following[0]) and len(following[0]) > 5 else end


NAMES = NameRecognizer()

RECOGNIZERS = (NAMES,)
