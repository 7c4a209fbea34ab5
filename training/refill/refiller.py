"""Makes of a narrative another one in which the marked identifiers are different ones of the same kind.

Some stay as they are: ages in words or without another number that agrees; dates that name neither day, month nor year;
addresses and institutions without a name or number; words of a marked name that are no name. `Tally.unchanged` counts
the identifiers that stayed whole.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from random import Random

from nlp.pseudonyms.people import People
from nlp.pseudonyms.pools import country_of
from nlp.pseudonyms.spelling import spelling_of
from nlp.pseudonyms.wording import Habits
from nlp.types import Entity, Span

from ..corpus import Case
from . import numbers
from .contacts import contact
from .dates import new_age, new_date
from .noise import NO_NOISE, Noise, add_noise
from .places import Places

Edit = tuple[int, int, str]  # start, end, new words


@dataclass
class Tally:
    """What was done: identifiers by type that are new and that stayed as they were; marked people, and those whose
    grammatical case was told."""

    swapped: Counter[str] = field(default_factory=Counter)
    unchanged: Counter[str] = field(default_factory=Counter)
    people: int = 0
    people_told: int = 0


class Refiller:
    """Swaps the marked identifiers of narratives. Same seed, same case, same copy: same result."""

    def __init__(self, *, seed: int, noise: Noise = NO_NOISE) -> None:
        self.seed = seed
        self.noise = noise
        self.tally = Tally()

    def refill(self, case: Case, copy: int = 0) -> Case:
        """The case with other identifiers, and with noise. Codes, tags and groups stay those of the original."""
        rng = Random(f"{self.seed}/{case.case_id}/{copy}")  # noqa: S311 - invented names, no secret
        entities = case.entities or ()
        evidence = case.all_places()
        text, mapped = _edited(case.text, self._edits(case, entities, rng), entities)
        spans = [mapped(entity.span) for entity in entities]
        self._count(case, entities, text, spans)
        stretches = [(axis, code, mapped(span)) for axis, code, span in evidence]
        if self.noise != NO_NOISE:
            keep = [next((at for at in range(s.start, s.end) if text[at].isalnum()), s.start) for s in spans]
            keep += [s.start for _, _, s in stretches]
            text, positions = add_noise(text, self.noise, rng, language=case.language, keep=keep)
            spans = [_moved(span, positions) for span in spans]
            stretches = [(axis, code, _moved(span, positions)) for axis, code, span in stretches]
        return replace(
            case,
            case_id=f"{case.case_id}+{copy}",
            text=text,
            entities=None
            if case.entities is None
            else tuple(replace(entity, span=span) for entity, span in zip(entities, spans, strict=True)),
            evidence=_evidence(case.evidence, stretches, text),
            source="refilled",
            translation_of=case.translation_of or case.case_id,
        )

    def _edits(self, case: Case, entities: Sequence[Entity], rng: Random) -> list[Edit]:
        country = country_of(case.country, case.language)
        people = People(case.text, entities, language=case.language, country=country, draws=lambda key: rng)
        self.tally.people += people.mentions
        self.tally.people_told += people.told
        others = _Others(case, country, rng, people.latin_names())
        edits = people.edits()
        edits += [
            (entity.span.start, entity.span.end, others.new(entity)) for entity in entities if entity.type != "PERSON"
        ]
        habits = Habits(case.text, case.language)
        return [(start, end, _written(habits, case.text[start:end], new)) for start, end, new in sorted(edits)]

    def _count(self, case: Case, entities: Sequence[Entity], text: str, spans: Sequence[Span]) -> None:
        for entity, span in zip(entities, spans, strict=True):
            old, new = case.text[entity.span.start : entity.span.end], text[span.start : span.end]
            (self.tally.unchanged if old == new else self.tally.swapped)[entity.type] += 1


def _written(habits: Habits, old: str, new: str) -> str:
    return old if new == old else habits.write(new)


class _Others:
    """New values of the identifiers that are no people; a value that stands twice in a text is swapped the same."""

    def __init__(self, case: Case, country: str, rng: Random, names: Mapping[str, str]) -> None:
        self._case = case
        self._country = country
        self._rng = rng
        self._names = names
        self._places = Places(case.language, country, rng)
        self._made: dict[tuple[str, str], str] = {}

    def new(self, entity: Entity) -> str:
        start, end = entity.span.start, entity.span.end
        old = self._case.text[start:end]
        if entity.type == "LOCATION":
            return self._places.location(self._case.text, start, end)
        made = self._made.get((entity.type, old))
        if made is None:
            made = self._made[entity.type, old] = self._make(entity.type, old)
        return made

    def _make(self, kind: str, old: str) -> str:
        rng, language = self._rng, self._case.language
        if kind in _NUMBERS:
            return _NUMBERS[kind](old, rng, self._country)
        if kind in ("EMAIL", "HANDLE", "URL"):
            return contact(old, rng, self._country, self._names)
        if kind in ("DATE", "BIRTH_DATE"):
            return new_date(old, rng, spelling_of(language, old), of_birth=kind == "BIRTH_DATE")
        if kind == "AGE":
            return new_age(old, rng, language)
        if kind == "ADDRESS":
            return self._places.address(old)
        return self._places.organisation(old) if kind == "ORGANISATION" else numbers.document(old, rng)


_NUMBERS: dict[str, Callable[[str, Random, str], str]] = {
    "PHONE": numbers.phone,
    "NATIONAL_ID": numbers.national_id,
    "BANK": lambda old, rng, _: numbers.bank(old, rng),
    "VEHICLE": lambda old, rng, _: numbers.document(old, rng),
    "IP": lambda old, rng, _: numbers.ip(old, rng),
    "DOCUMENT": lambda old, rng, _: numbers.document(old, rng),
}


class _Mapping:
    """Where the spans of the old text stand in the edited one; a cut through an identifier goes around it."""

    def __init__(self, edits: Sequence[Edit], entities: Sequence[Entity]) -> None:
        self._edits = edits
        self._entities = [entity.span for entity in entities]

    def __call__(self, span: Span) -> Span:
        start, end = span.start, span.end
        for entity in self._entities:
            start = entity.start if entity.start < start < entity.end else start
            end = entity.end if entity.start < end < entity.end else end
        return Span(self._at(start), self._at(end))

    def _at(self, position: int) -> int:
        return position + sum(len(new) - (end - start) for start, end, new in self._edits if end <= position)


def _edited(text: str, edits: Sequence[Edit], entities: Sequence[Entity]) -> tuple[str, _Mapping]:
    made, at = [], 0
    for start, end, new in edits:
        made += [text[at:start], new]
        at = end
    return "".join([*made, text[at:]]), _Mapping(edits, entities)


def _moved(span: Span, positions: Sequence[int]) -> Span:
    return Span(positions[span.start], positions[span.end])


def _evidence(
    old: Mapping[str, Mapping[str, tuple[str, ...]]], stretches: Iterable[tuple[str, str, Span]], text: str
) -> dict[str, dict[str, tuple[str, ...]]]:
    made: dict[str, dict[str, list[str]]] = {axis: {code: [] for code in by_code} for axis, by_code in old.items()}
    for axis, code, span in stretches:
        made[axis][code].append(text[span.start : span.end])
    return {axis: {code: tuple(words) for code, words in by_code.items()} for axis, by_code in made.items()}
