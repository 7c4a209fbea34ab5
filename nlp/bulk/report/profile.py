"""What a set of narratives looks like, in counts that do not grow with it and hold no content.

The same description is made of the tuning split while a bundle is fitted (``reference.json``) and of each bulk run, so
that the two can be compared.
"""

from __future__ import annotations

import json
from bisect import bisect_right
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from ...bundle import Bundle
from ...classification.linear import plain_words
from ...codebook import Codebook
from ...errors import BundleIncompatible
from ...types import Analysis, Redaction
from .counts import FEWEST

FILE = "reference.json"
"""Its name in a bundle. Optional: bundles before 0.6.0 have none."""

FORMAT = 1
LENGTHS = (0, 5, 10, 15, 20, 30, 40, 60, 80, 120, 160, 240, 320, 480, 1000)  # words; the last bin has no end
SHARES = tuple(at / 20 for at in range(20))  # each bin of a share is five points wide
OTHER = "other"
"""Stands for all languages of fewer than five narratives: small numbers identify people."""

_DECILES = tuple(at / 10 for at in range(1, 10))


@dataclass
class Bins:
    """Counts of a number in bins, for each language: ``edges`` are where bins begin, counts of shape (n_bins,)."""

    edges: tuple[float, ...]
    counts: dict[str, np.ndarray] = field(default_factory=dict, repr=False)

    def add(self, language: str, value: float) -> None:
        """Count one value; one below the first edge counts in the first bin."""
        counts = self.counts.setdefault(language, np.zeros(len(self.edges), dtype=np.int64))
        counts[max(0, bisect_right(self.edges, value) - 1)] += 1

    @property
    def total(self) -> np.ndarray:
        """The counts of all languages, of shape (n_bins,)."""
        return np.asarray(sum(self.counts.values(), start=np.zeros(len(self.edges), dtype=np.int64)))

    def deciles(self) -> list[float]:
        """The nine values between tenths, by the bins as far as these tell; nothing without values."""
        total = self.total
        if not total.sum():
            return []
        ends = [*self.edges[1:], self.edges[-1] + (self.edges[-1] - self.edges[-2])]
        cumulated = np.concatenate([[0], np.cumsum(total)]) / total.sum()
        found = np.interp(_DECILES, cumulated, [self.edges[0], *ends])
        return [round(float(value), 2) for value in found]

    def to_json(self, languages: Collection[str]) -> dict[str, Any]:
        """Plain values; counts of other ``languages`` than these stand together."""
        counts: dict[str, np.ndarray] = {}
        for language, values in sorted(self.counts.items()):
            name = language if language in languages else OTHER
            counts[name] = counts.get(name, 0) + values
        lists = {name: values.tolist() for name, values in sorted(counts.items())}
        return {"from": list(self.edges), "counts": lists, "deciles": self.deciles()}

    @classmethod
    def from_json(cls, data: Mapping[str, Any], edges: Sequence[float]) -> Bins:
        """Raises ValueError where the bins are others."""
        counts = {str(name): np.array(values, dtype=np.int64) for name, values in data["counts"].items()}
        sound = all(values.shape == (len(edges),) and (values >= 0).all() for values in counts.values())
        if [float(edge) for edge in data["from"]] != list(edges) or not sound:
            raise ValueError("its bins are others")
        return cls(tuple(edges), counts)


@dataclass
class Profile:
    """How many narratives there are of each language, length, share of unknown words, confidence and code.

    ``confidence`` has for each axis the highest probability of any answer on it. ``unknown`` is of narratives with a
    word, and empty where ``known`` is: the single words that the bundle's model on words has.
    """

    axes: tuple[str, ...]
    known: Collection[str] = field(default=(), repr=False)
    rows: int = 0
    languages: Counter[str] = field(default_factory=Counter)
    codes: Counter[str] = field(default_factory=Counter)
    lengths: Bins = field(default_factory=lambda: Bins(LENGTHS))
    unknown: Bins = field(default_factory=lambda: Bins(SHARES))
    confidence: dict[str, Bins] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for axis in self.axes:
            self.confidence.setdefault(axis, Bins(SHARES))

    @classmethod
    def of(cls, codebook: Codebook, known: Collection[str] = ()) -> Profile:
        """An empty one."""
        return cls(tuple(axis.id for axis in codebook.axes), known)

    def add(self, language: str, redaction: Redaction, confidence: Mapping[str, float], codes: Iterable[str]) -> None:
        """Count one narrative: ``codes`` are those that are suggested. Placeholders are no words."""
        words = list(words_in(redaction))
        self.rows += 1
        self.languages[language] += 1
        self.codes.update(codes)
        self.lengths.add(language, len(words))
        if words and self.known:
            self.unknown.add(language, sum(word not in self.known for word in words) / len(words))
        for axis, value in confidence.items():
            self.confidence[axis].add(language, value)

    def add_analysis(self, analysis: Analysis) -> None:
        """Count one narrative of a run."""
        confidence = dict(analysis.nothing)
        for item in analysis.suggestions:
            confidence[item.axis] = max(confidence.get(item.axis, 0.0), item.probability)
        codes = [item.code for item in analysis.suggestions if item.suggested]
        self.add(analysis.language, analysis.redaction, confidence, codes)

    def to_json(self) -> dict[str, Any]:
        """Plain values; a language or code of fewer than five narratives is null: small numbers identify people."""
        shown = {name for name, count in self.languages.items() if count >= FEWEST}
        return {
            "format": FORMAT,
            "narratives": self.rows,
            "languages": _hidden(self.languages),
            "codes": _hidden(self.codes),
            "words": self.lengths.to_json(shown),
            "share_of_unknown_words": self.unknown.to_json(shown),
            "confidence": {axis: bins.to_json(shown) for axis, bins in self.confidence.items()},
        }

    def to_bytes(self) -> bytes:
        """As a bundle stores it."""
        return (json.dumps(self.to_json(), ensure_ascii=False) + "\n").encode()

    @classmethod
    def from_json(cls, data: Any, codebook: Codebook) -> Profile:
        """Raises ValueError for anything else than what `to_json` gave for this codebook."""
        try:
            if data["format"] != FORMAT:
                raise ValueError("its format is another")
            return cls(
                tuple(axis.id for axis in codebook.axes),
                rows=int(data["narratives"]),
                languages=_seen(data["languages"]),
                codes=_seen(data["codes"]),
                lengths=Bins.from_json(data["words"], LENGTHS),
                unknown=Bins.from_json(data["share_of_unknown_words"], SHARES),
                confidence={axis.id: Bins.from_json(data["confidence"][axis.id], SHARES) for axis in codebook.axes},
            )
        except (KeyError, TypeError, AttributeError, OverflowError):
            raise ValueError("it is no description of narratives") from None


def words_in(redaction: Redaction) -> Iterator[str]:
    """The words of a redacted text as the models on words see them, without its placeholders."""
    at = 0
    for replacement in redaction.replacements:
        yield from plain_words(redaction.text[at : replacement.redacted_span.start])
        at = replacement.redacted_span.end
    yield from plain_words(redaction.text[at:])


def single_words(vocabulary: Iterable[str]) -> frozenset[str]:
    """The single words of a vocabulary of features, without pairs, pieces of words and types of identifiers."""
    return frozenset(name[2:] for name in vocabulary if name.startswith("w:") and " " not in name)


def reference_of(bundle: Bundle, codebook: Codebook) -> Profile | None:
    """What the narratives look like that a bundle was tuned on; None where it does not say. Raises
    `BundleIncompatible`."""
    if FILE not in bundle.files:
        return None
    try:
        return Profile.from_json(json.loads(bundle.files[FILE]), codebook)
    except ValueError as error:
        reason = "it is no JSON" if isinstance(error, json.JSONDecodeError | UnicodeDecodeError) else str(error)
        raise BundleIncompatible(bundle.name, f"{FILE}: {reason}") from None


def known_words(bundle: Bundle) -> frozenset[str]:
    """The words that a bundle's model on words knows; none where it has no such model."""
    name = "vocabulary.json" if bundle.manifest["kind"] == "linear" else "words.json"
    try:
        return single_words(json.loads(bundle.files[name]))
    except KeyError:
        return frozenset()


def _hidden(counts: Counter[str]) -> dict[str, int | None]:
    return {name: count if count >= FEWEST else None for name, count in sorted(counts.items()) if count}


def _seen(counts: Mapping[str, int | None]) -> Counter[str]:
    """Counts as they were; a hidden one is taken for the middle of what it can be."""
    return Counter({str(name): FEWEST // 2 if count is None else int(count) for name, count in counts.items()})
