"""How good a bundle is on annotated cases: figures with intervals, undefined ones null."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from nlp.codebook import Codebook
from nlp.errors import NarrativeError
from nlp.pipeline import Pipeline
from nlp.reading import Reader
from nlp.types import Analysis, Entity, Span

from .corpus import Case

_BINS = np.linspace(0, 1, 11)
RESAMPLES = 1000  # of cases, for percentile intervals


def evaluate(
    pipeline: Pipeline, cases: Sequence[Case], *, seed: int, step: Callable[[], None] = lambda: None
) -> dict[str, Any]:
    """All figures of a bundle on some cases.

    A case that the bundle refuses counts as one without any suggestion; ``refused`` says how many. Each case is read
    in the
    language it is annotated with. Intervals are 95 % percentile intervals over resampled cases.
    """
    analyses: list[Analysis | None] = []
    for case in cases:
        analyses.append(_analyze(pipeline, case))
        step()
    rng = np.random.default_rng(seed)
    draws = rng.integers(0, len(cases), size=(RESAMPLES, len(cases)))
    return {
        "bundle": pipeline.bundle,
        "codebook": str(pipeline.codebook),
        "cases": len(cases),
        "refused": sum(analysis is None for analysis in analyses),
        "languages": dict(sorted(Counter(case.language for case in cases).items())),
        "axes": {axis.id: _axis(axis.id, pipeline.codebook, cases, analyses, draws) for axis in pipeline.codebook.axes},
        "primary": _primary(pipeline.codebook, cases, analyses),
        "redaction": redaction_figures(pipeline, cases, analyses),
    }


def _analyze(pipeline: Pipeline, case: Case) -> Analysis | None:
    try:
        return pipeline.analyze_one(case.narrative())
    except NarrativeError:
        return None


def _axis(
    axis_id: str, codebook: Codebook, cases: Sequence[Case], analyses: Sequence[Analysis | None], draws: np.ndarray
) -> dict[str, Any]:
    codes = codebook.axis(axis_id).codes
    gold = np.array([[_gold(case, axis_id, code) for code in codes] for case in cases])
    probabilities = np.zeros(gold.shape)
    chosen = np.zeros(gold.shape)
    for at, analysis in enumerate(analyses):
        for item in analysis.suggestions if analysis else ():
            if item.axis == axis_id:
                probabilities[at, codes.index(item.code)] = item.probability
                chosen[at, codes.index(item.code)] = item.suggested
    chosen = np.where(np.isnan(gold), 0, chosen)
    hits, said, true = _counts(gold, chosen)
    resampled = [_counts(gold[draw], chosen[draw]) for draw in draws]
    per_code = {}
    for at, code in enumerate(codes):
        per_code[code] = {
            "support": int(true[at]),
            "suggested": int(said[at]),
            "precision": _share(hits[at], said[at]),
            "recall": _share(hits[at], true[at]),
            "f1": _f1(hits[at], said[at], true[at]),
        }
    return {
        "micro_f1": _f1(hits.sum(), said.sum(), true.sum()),
        "micro_f1_interval": _interval([_f1(h.sum(), s.sum(), t.sum()) for h, s, t in resampled]),
        "micro_precision": _share(hits.sum(), said.sum()),
        "micro_recall": _share(hits.sum(), true.sum()),
        "macro_f1": _macro(hits, said, true),
        "macro_f1_interval": _interval([_macro(*counts) for counts in resampled]),
        "macro_codes": int((true > 0).sum()),
        "languages": _by_language([case.language for case in cases], gold, chosen),
        "nothing": _nothing(axis_id, codebook, cases, analyses),
        "expected_calibration_error": _calibration_error(probabilities, gold),
        "codes": per_code,
    }


def _by_language(languages: Sequence[str], gold: np.ndarray, chosen: np.ndarray) -> dict[str, Any]:
    """Micro- and macro-F1 on the cases of each language."""
    figures = {}
    for language in sorted(set(languages)):
        of = np.array([spoken == language for spoken in languages])
        hits, said, true = _counts(gold[of], chosen[of])
        figures[language] = {
            "cases": int(of.sum()),
            "micro_f1": _f1(hits.sum(), said.sum(), true.sum()),
            "macro_f1": _macro(hits, said, true),
        }
    return figures


def _nothing(
    axis_id: str, codebook: Codebook, cases: Sequence[Case], analyses: Sequence[Analysis | None]
) -> dict[str, Any] | None:
    """Of cases coded with nothing on the axis: how many got no suggestion on it, and how often no suggestion was right;
    the mean probability of "nothing" where it is gold and where it is not. None where the axis has no such answer."""
    if not codebook.axis(axis_id).nothing:
        return None
    rows = [
        (
            not case.codes[axis_id],
            not any(s.suggested for s in analysis.suggestions if s.axis == axis_id),
            analysis.nothing[axis_id],
        )
        for case, analysis in zip(cases, analyses, strict=True)
        if case.codes[axis_id] is not None and analysis is not None
    ]
    gold = [row for row in rows if row[0]]
    silent = [row for row in rows if row[1]]
    return {
        "support": len(gold),
        "recall": _share(sum(row[1] for row in gold), len(gold)),
        "precision": _share(sum(row[0] for row in silent), len(silent)),
        "mean_probability": _share(sum(row[2] for row in gold), len(gold)),
        "mean_probability_elsewhere": _share(sum(row[2] for row in rows if not row[0]), len(rows) - len(gold)),
    }


def _gold(case: Case, axis_id: str, code: str) -> float:
    codes = case.codes[axis_id]
    return float("nan") if codes is None else float(code in codes)


def _counts(gold: np.ndarray, chosen: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Hits, suggested and gold of each code, each of shape (n_codes,)."""
    return np.nansum(gold * chosen, axis=0), chosen.sum(axis=0), np.nansum(gold, axis=0)


def _macro(hits: np.ndarray, said: np.ndarray, true: np.ndarray) -> float | None:
    """Mean F1 of the codes that have gold cases."""
    values = [_f1(h, s, t) for h, s, t in zip(hits, said, true, strict=True) if t]
    return _round(float(np.mean([value or 0.0 for value in values]))) if values else None


def _f1(hits: float, said: float, true: float) -> float | None:
    return _round(2 * hits / (said + true)) if said + true else None


def _share(part: float, whole: float) -> float | None:
    return _round(part / whole) if whole else None


def _round(value: float) -> float:
    return round(float(value), 4)


def _interval(values: Sequence[float | None]) -> list[float] | None:
    known = [value for value in values if value is not None]
    return [_round(bound) for bound in np.percentile(known, [2.5, 97.5])] if known else None


def _calibration_error(probabilities: np.ndarray, gold: np.ndarray) -> float | None:
    """Expected calibration error over all codes of an axis in ten equal bins, where the probability is 0.2 or more."""
    counted = ~np.isnan(gold) & (probabilities >= 0.2)
    if not counted.any():
        return None
    p, y = probabilities[counted], gold[counted]
    bins = np.clip(np.digitize(p, _BINS) - 1, 0, len(_BINS) - 2)
    gaps = [abs(p[bins == at].mean() - y[bins == at].mean()) * (bins == at).mean() for at in np.unique(bins)]
    return _round(float(np.sum(gaps)))


def _primary(codebook: Codebook, cases: Sequence[Case], analyses: Sequence[Analysis | None]) -> dict[str, Any]:
    """Share of cases with a primary code whose primary code was found."""
    figures = {}
    for axis in codebook.axes:
        if not axis.has_primary:
            continue
        pairs = [
            (case.primary.get(axis.id), analysis.primary[axis.id] if analysis else None)
            for case, analysis in zip(cases, analyses, strict=True)
            if case.primary.get(axis.id)
        ]
        figures[axis.id] = {"support": len(pairs), "accuracy": _share(sum(a == b for a, b in pairs), len(pairs))}
    return figures


def redaction_figures(
    pipeline: Pipeline, cases: Sequence[Case], analyses: Sequence[Analysis | None]
) -> dict[str, Any] | None:
    """Recall of marked identifiers, overall, by kind, type and language; None where no case has marks.

    An identifier counts as hidden only if every letter and digit of it is. ``precision_of_characters`` is the share
    of hidden letters and
    digits that lie in a marked identifier; ``leaking`` the share of cases with a direct identifier left in sight.
    """
    kinds = {identifier.id: identifier.kind for identifier in pipeline.codebook.identifiers}
    found: dict[str, list[int]] = defaultdict(lambda: [0, 0])
    hidden_total = hidden_right = leaks = marked_cases = 0
    for case, analysis in zip(cases, analyses, strict=True):
        if case.entities is None:
            continue
        found_entities = analysis.redaction.entities if analysis else _recognize(pipeline, case)
        if found_entities is None:
            continue
        marked_cases += 1
        hidden = _characters(case.text, [entity.span for entity in found_entities])
        gold = _characters(case.text, [entity.span for entity in case.entities])
        hidden_total += len(hidden)
        hidden_right += len(hidden & gold)
        leaks += _count(case, hidden, kinds, found)
    if not marked_cases:
        return None
    return {
        "cases": marked_cases,
        "precision_of_characters": _share(hidden_right, hidden_total),
        "leaking": _share(leaks, marked_cases),
        "recall": {
            key: {"support": total, "recall": _share(hits, total)} for key, (hits, total) in sorted(found.items())
        },
    }


def _recognize(pipeline: Pipeline, case: Case) -> Sequence[Entity] | None:
    """The entities of a case that the pipeline did not analyze, for its language perhaps; None for no readable text."""
    try:
        reading = Reader(languages=(case.language,), max_characters=len(case.text)).read(case.narrative())
    except NarrativeError:
        return None
    return pipeline.redactor.recognize(reading)


def _characters(text: str, spans: Sequence[Span]) -> set[int]:
    return {at for span in spans for at in range(span.start, span.end) if text[at].isalnum()}


def _count(case: Case, hidden: set[int], kinds: Mapping[str, str], found: dict[str, list[int]]) -> bool:
    """Count each marked identifier under its keys; whether a direct one is left in sight."""
    leaking = False
    for entity in case.entities or ():
        whole = _is_hidden(case.text, entity, hidden)
        kind = kinds[entity.type]
        leaking |= kind == "direct" and not whole
        for key in ("all", f"kind:{kind}", f"type:{entity.type}", f"language:{case.language}:{kind}"):
            found[key][0] += whole
            found[key][1] += 1
    return leaking


def _is_hidden(text: str, entity: Entity, hidden: set[int]) -> bool:
    return all(at in hidden for at in range(entity.span.start, entity.span.end) if text[at].isalnum())
