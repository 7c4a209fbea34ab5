"""Counts and text statistics of narratives, for the data card and to compare a corpus with real cases."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from nlp.codebook import Codebook
from nlp.reading import Reader

from .corpus import Case, is_hard

_WORD = re.compile(r"[^\W\d_]+(?:['’ʼ-][^\W\d_]+)*")
_WINDOW = 50  # words: of the moving-average type-token ratio (Covington and McFall 2010)
_QUARTILES = (5, 25, 50, 75, 95)


def counts(cases: Sequence[Case], codebook: Codebook) -> dict[str, Any]:
    """How many cases by language, writer, country and tag, by code and language, and identifiers by type and
    language."""
    kinds = {identifier.id: identifier.kind for identifier in codebook.identifiers}
    labels = [(case.language, entity.type) for case in cases for entity in case.entities or ()]
    lead = codebook.axes[0].id
    return {
        "cases": len(cases),
        "languages": _sorted(case.language for case in cases),
        "writers": {
            language: len({case.writer for case in cases if case.language == language})
            for language in sorted({case.language for case in cases})
        },
        "countries": _sorted(case.country or "not stated" for case in cases),
        "tags": _sorted(tag for case in cases for tag in case.tags),
        "hard": sum(is_hard(case) for case in cases),
        "nothing": sum(case.codes[lead] == frozenset() for case in cases),
        "translations": sum(case.translation_of is not None for case in cases),
        "codes": {
            code: _sorted(case.language for case in cases if code in (case.codes[axis.id] or ()))
            for axis in codebook.axes
            for code in axis.codes
        },
        "identifiers": {
            identifier.id: _sorted(language for language, label in labels if label == identifier.id)
            for identifier in codebook.identifiers
        },
        "direct": _sorted(language for language, label in labels if kinds[label] == "direct"),
    }


def _sorted(items: Iterable[str]) -> dict[str, int]:
    """Counts, the most frequent first."""
    return dict(sorted(Counter(items).items(), key=lambda item: (-item[1], item[0])))


def text_statistics(cases: Sequence[Case]) -> dict[str, Any]:
    """Length, vocabulary and sentences of some texts of one language, as percentiles over narratives.

    ``type_token_ratio`` is the moving average over 50 words (of texts that have as many), so that it does not depend
    on length.
    """
    words = [_WORD.findall(case.text.lower()) for case in cases]
    sentences = [len(_read(case)) for case in cases]
    tokens = [word for text in words for word in text]
    return {
        "cases": len(cases),
        "words": _percentiles([len(text) for text in words]),
        "sentences": _percentiles(sentences),
        "words_per_sentence": _percentiles([len(t) / n for t, n in zip(words, sentences, strict=True) if n]),
        "letters_per_word": round(float(np.mean([len(word) for word in tokens])), 2) if tokens else None,
        "type_token_ratio": _mean(_moving_ratio(text) for text in words if len(text) >= _WINDOW),
        "with_quotation": _share(
            cases, lambda case: bool(re.search(r"\"[^\"\n]{3,}\"|[«“„][^»”“]{3,}[»”“]", case.text))
        ),
        "with_digits": _share(cases, lambda case: any(character.isdigit() for character in case.text)),
        "paragraphs": _mean(len(re.findall(r"\n\s*\n|\n", case.text.strip())) + 1 for case in cases),
    }


def unknown_words(cases: Sequence[Case], known: Sequence[Case]) -> float | None:
    """Share of the running words of some texts that others of the same language never have."""
    vocabulary = {word for case in known for word in _WORD.findall(case.text.lower())}
    tokens = [word for case in cases for word in _WORD.findall(case.text.lower())]
    return round(sum(word not in vocabulary for word in tokens) / len(tokens), 4) if tokens else None


def _read(case: Case) -> Sequence[Any]:
    return Reader(languages=(case.language,), max_characters=len(case.text)).read(case.narrative()).sentences


def _percentiles(values: Sequence[float]) -> dict[str, float]:
    return {f"p{at}": round(float(np.percentile(values, at)), 1) for at in _QUARTILES} if values else {}


def _moving_ratio(words: Sequence[str]) -> float:
    windows = range(len(words) - _WINDOW + 1)
    return float(np.mean([len(set(words[at : at + _WINDOW])) / _WINDOW for at in windows]))


def _mean(values: Iterable[float]) -> float | None:
    kept = list(values)
    return round(float(np.mean(kept)), 3) if kept else None


def _share(cases: Sequence[Case], holds: Callable[[Case], bool]) -> float | None:
    return _mean(float(holds(case)) for case in cases)


def by_language(cases: Iterable[Case]) -> Mapping[str, list[Case]]:
    """Cases of each language, languages by name."""
    found: dict[str, list[Case]] = {}
    for case in sorted(cases, key=lambda case: case.language):
        found.setdefault(case.language, []).append(case)
    return found
