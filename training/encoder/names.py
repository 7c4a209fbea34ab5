"""How well the token head finds names in sentences of public corpora, language by language."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from nlp.encoding import Encoder, States
from nlp.tags import Tagger
from nlp.types import Entity

from .examples import NAMES, Sentence

PRECISION = 0.85  # at which recall is asked for
_GRID = tuple(float(threshold) for threshold in np.round(np.arange(0.02, 0.991, 0.01), 2))  # thresholds of persons

_Found = tuple[Sentence, Mapping[float, Sequence[Entity]]]  # what is found in it, by the threshold of persons


def name_figures(
    encoder: Encoder, tagger: Tagger, sentences: Sequence[Sentence], *, step: Callable[[], None] = lambda: None
) -> dict[str, Any]:
    """Recall and precision of whole names, by language and type.

    A marked name is found if found spans of any type hide every letter of it: a person taken for a place is hidden all
    the same. A found person is right if it touches a marked name. ``recall`` and ``precision`` are those at the
    bundle's thresholds; ``at_precision`` is the largest recall of persons with at least `PRECISION`, over all
    thresholds of this type.
    """
    found: dict[str, list[_Found]] = defaultdict(list)
    taggers = {threshold: _with_threshold(tagger, threshold) for threshold in (*_GRID, tagger.thresholds["PERSON"])}
    for sentence in sentences:
        found[sentence.language].append(
            (sentence, _by_threshold(taggers, sentence.text, encoder.encode(sentence.text)))
        )
        step()
    return {language: _figures(items, tagger.thresholds["PERSON"]) for language, items in sorted(found.items())}


def _with_threshold(tagger: Tagger, threshold: float) -> Tagger:
    thresholds = {**tagger.thresholds, "PERSON": threshold}
    return tagger.with_thresholds(thresholds, tagger.growth)


def _by_threshold(taggers: Mapping[float, Tagger], text: str, states: States) -> dict[float, tuple[Entity, ...]]:
    """What is found at each threshold of persons; looked for anew only where a word comes or goes."""
    usual = next(iter(taggers.values()))
    proba = usual.predict_proba(text, states)
    begins = usual.tags.number("B", "PERSON")
    person = proba[:, begins : begins + 2].sum(axis=1)
    known: dict[int, tuple[Entity, ...]] = {}
    found = {}
    for threshold, tagger in taggers.items():
        passing = int((person >= threshold).sum())
        if passing not in known:
            known[passing] = tagger.find(text, states)
        found[threshold] = known[passing]
    return found


def _figures(items: Sequence[_Found], usual: float) -> dict[str, Any]:
    figures: dict[str, Any] = {"sentences": len(items)}
    for label in NAMES:
        figures[label] = _at(items, label, usual)
    curve = [_at(items, "PERSON", threshold) for threshold in _GRID]
    good = [point for point in curve if point["precision"] is not None and point["precision"] >= PRECISION]
    figures["at_precision"] = max(good, key=lambda point: point["recall"] or 0.0) if good else None
    return figures


def _at(items: Sequence[_Found], label: str, person: float) -> dict[str, Any]:
    """Figures of one type when persons are taken from the threshold ``person`` on."""
    hits = marked = right = found = 0
    for sentence, entities in items:
        hidden = {at for entity in entities[person] for at in range(entity.span.start, entity.span.end)}
        gold = [(start, end) for start, end, kind in sentence.spans if kind == label]
        named = {at for start, end, _ in sentence.spans for at in range(start, end)}
        marked += len(gold)
        hits += sum(all(at in hidden for at in range(start, end) if sentence.text[at].isalnum()) for start, end in gold)
        of_kind = [entity for entity in entities[person] if entity.type == label]
        found += len(of_kind)
        right += sum(any(at in named for at in range(e.span.start, e.span.end)) for e in of_kind)
    return {
        "threshold": person,
        "support": marked,
        "recall": round(hits / marked, 4) if marked else None,
        "found": found,
        "precision": round(right / found, 4) if found else None,
    }


def rows(figures: Mapping[str, Any]) -> list[tuple[str, str, str, str]]:
    """Lines of a table: language, recall and precision of persons, recall at the asked precision."""

    def said(value: float | None) -> str:
        return "–" if value is None else f"{value:.3f}"

    return [
        (
            language,
            said(item["PERSON"]["recall"]),
            said(item["PERSON"]["precision"]),
            said(item["at_precision"]["recall"] if item["at_precision"] else None),
        )
        for language, item in figures.items()
    ]
