"""How well counts are corrected for the errors of a classifier, by simulation: does the interval hold what it says?

    python tests/benchmarks/bench_prevalence.py [RUNS] [few] [heavy] [quapy]

Scores of cases with and without a code are drawn from two normal distributions (with ``heavy``: of Student, three
degrees of freedom, which no logistic calibration fits), so far apart that a threshold has the wanted rates. One draw
makes the tuning split of 800 cases, another one the file. Told are, over all settings, how often the 95 % interval
holds the true share (smallest, 5th percentile, median, largest), its mean width, and how far the point estimates are
off (root mean squared error in points, and relative to the adjusted count) for

- the raw share, the adjusted count with the interval of casecoder, the same with the delta method,
- the probabilistic adjusted count (PACC), expectation maximization (EM, Saerens 2002), both on probabilities calibrated
  by cross-fitting on the tuning split; for EM with an interval by normal draws of the calibration and multinomial draws
  of the file,
- with ``quapy``, which wants that package to be installed (for this comparison alone), its ACC, PACC and EMQ, and the
  interval of its bootstrap, which takes half a second.

Probabilities are fitted in one run of ten, since they take long; with ``few`` settings (16 of 432) in every run.
"""

from __future__ import annotations

import itertools
import json
import sys
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np
from scipy.stats import norm
from scipy.stats import t as student
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import cross_val_predict
from texts import ROOT

sys.path.insert(0, str(ROOT))

from nlp.bulk.report.prevalence import Confusion, interval
from nlp.classification.linear import sigmoid

TUNING = 800
SHARES = (0.01, 0.03, 0.1, 0.4)
FOUND = (0.6, 0.75, 0.9)
FALSE = (0.005, 0.02, 0.05)
POSITIVES = (10, 25, 60, 200)
ROWS = (500, 2_000, 20_000)
_Z = 1.959964


@dataclass(frozen=True)
class Drawn:
    """Scores and gold of a tuning split, scores of a file, and the threshold."""

    scores: np.ndarray
    gold: np.ndarray
    file: np.ndarray
    share: float
    threshold: float

    @property
    def confusion(self) -> Confusion:
        chosen, positive = self.scores >= self.threshold, self.gold == 1
        counts = (chosen & positive, positive, chosen & ~positive, ~positive)
        return Confusion(*(int(values.sum()) for values in counts))

    @property
    def suggested(self) -> int:
        return int((self.file >= self.threshold).sum())


def draw(
    draws: np.random.Generator,
    share: float,
    found: float,
    false: float,
    positives: int,
    rows: int,
    *,
    heavy: bool = False,
) -> Drawn:
    shape = student(3) if heavy else norm
    threshold = float(shape.isf(false))
    apart = threshold - float(shape.isf(found))
    gold = np.r_[np.ones(positives), np.zeros(TUNING - positives)]
    truth = draws.random(rows) < share
    tuning, file = (shape.rvs(size=n, random_state=draws) for n in (TUNING, rows))
    return Drawn(tuning + apart * gold, gold, file + apart * truth, share, threshold)


def adjusted(drawn: Drawn) -> float:
    seen = drawn.confusion
    found, false = seen.hits / seen.positives, seen.false / seen.negatives
    return float(np.clip((drawn.suggested / len(drawn.file) - false) / max(found - false, 0.01), 0, 1))


def delta(drawn: Drawn) -> tuple[float, float]:
    """The interval of Rogan and Gladen (1978), by the delta method."""
    seen, n, share = drawn.confusion, len(drawn.file), adjusted(drawn)
    found, false, raw = seen.hits / seen.positives, seen.false / seen.negatives, drawn.suggested / len(drawn.file)
    variance = (
        raw * (1 - raw) / n
        + share**2 * found * (1 - found) / seen.positives
        + (1 - share) ** 2 * false * (1 - false) / seen.negatives
    ) / max(found - false, 0.01) ** 2
    return share - _Z * variance**0.5, share + _Z * variance**0.5


def probabilistic(drawn: Drawn) -> dict[str, float]:
    """PACC and EM."""
    X, model = drawn.scores[:, None], LogisticRegression(C=100.0)
    tuning = cross_val_predict(model, X, drawn.gold, cv=5, method="predict_proba")[:, 1]
    file = np.clip(model.fit(X, drawn.gold).predict_proba(drawn.file[:, None])[:, 1], 1e-9, 1 - 1e-9)
    high, low = tuning[drawn.gold == 1].mean(), tuning[drawn.gold == 0].mean()
    pacc = float(np.clip((file.mean() - low) / max(high - low, 0.01), 0, 1))
    weights = np.full((1, len(file)), 1 / len(file))
    return {"PACC": pacc, "EM": float(maximized(file[None], weights, np.array([drawn.gold.mean()]))[0])}


def maximized(file: np.ndarray, weights: np.ndarray, prior: np.ndarray) -> np.ndarray:
    """The shares that expectation maximization ends at, one a line of probabilities and their weights."""
    share, before = prior.copy(), prior[:, None]
    for _ in range(500):
        odds = file / (1 - file) * (share / (1 - share))[:, None] * (1 - before) / before
        new = np.clip((weights * odds / (1 + odds)).sum(axis=1), 1e-9, 1 - 1e-9)
        if np.abs(new - share).max() < 1e-6:
            break
        share = new
    return np.asarray(share)


def em_interval(drawn: Drawn, draws: np.random.Generator, n: int = 100) -> tuple[float, float]:
    """What could be an interval for EM."""
    X = np.c_[drawn.scores, np.ones(TUNING)]
    model = LogisticRegression(C=100.0).fit(X[:, :1], drawn.gold)
    fitted = np.r_[model.coef_[0], model.intercept_]
    p = sigmoid(X @ fitted)
    bent = (X * (p * (1 - p))[:, None]).T @ X + np.eye(2) / 100
    lines = draws.multivariate_normal(fitted, np.linalg.inv(bent), n)
    counts, edges = np.histogram(drawn.file, 100)
    middles = (edges[1:] + edges[:-1]) / 2
    weights = draws.multinomial(len(drawn.file), counts / len(drawn.file), n) / len(drawn.file)
    file = np.clip(sigmoid(lines[:, :1] * middles + lines[:, 1:]), 1e-9, 1 - 1e-9)
    prior = sigmoid(lines[:, :1] * drawn.scores + lines[:, 1:]).mean(axis=1)
    low, high = np.quantile(maximized(file, weights, prior), (0.025, 0.975))
    return float(low), float(high)


def of_quapy(drawn: Drawn, seed: int) -> tuple[dict[str, float], tuple[float, float]]:
    """The same by quapy, and its interval for ACC. Raises ModuleNotFoundError."""
    from quapy.method.aggregative import ACC, EMQ, PACC
    from quapy.method.confidence import AggregativeBootstrap

    X, gold = drawn.scores[:, None], drawn.gold.astype(int)
    model = LogisticRegression(C=100.0).fit(X, gold)
    tuning = cross_val_predict(model, X, gold, cv=5, method="predict_proba")
    file = model.predict_proba(drawn.file[:, None])
    pacc = PACC(model, fit_classifier=False, val_split=None)
    pacc.aggregation_fit(tuning, gold)
    prior = np.array([1 - gold.mean(), gold.mean()])
    found = {"quapy PACC": float(pacc.aggregate(file)[1]), "quapy EMQ": float(EMQ.EM(prior, file)[0][1])}
    acc = ACC(model, fit_classifier=False, val_split=None)
    chosen, seen = ((values >= drawn.threshold).astype(int) for values in (drawn.scores, drawn.file))
    bootstrap = AggregativeBootstrap(acc, n_train_samples=1, n_test_samples=200, random_state=seed)
    bootstrap.aggregation_fit(chosen, gold)
    point, region = bootstrap.aggregate_conf(seen)
    found["quapy ACC"] = float(point[1])
    return found, (float(region.I_low[1]), float(region.I_high[1]))


def settings(*, few: bool) -> Iterator[tuple[float, float, float, int, int]]:
    if few:
        return itertools.product(SHARES, FOUND[1:2], FALSE[1:2], POSITIVES, ROWS[1:2])
    return itertools.product(SHARES, FOUND, FALSE, POSITIVES, ROWS)


@dataclass
class Tally:
    """What is told of one interval or estimate, setting by setting."""

    held: list[float] = field(default_factory=list)
    width: list[float] = field(default_factory=list)
    error: list[float] = field(default_factory=list)


def one_setting(
    draws: np.random.Generator,
    setting: tuple[float, float, float, int, int],
    runs: int,
    *,
    few: bool,
    heavy: bool,
    quapy: bool,
) -> tuple[dict[str, list[tuple[float, float]]], dict[str, list[float]]]:
    """Intervals and estimates of all runs."""
    bounds: dict[str, list[tuple[float, float]]] = defaultdict(list)
    found: dict[str, list[float]] = defaultdict(list)
    for run in range(runs):
        drawn = draw(draws, *setting, heavy=heavy)
        rows = len(drawn.file)
        told = {"raw": drawn.suggested / rows, "ACC": adjusted(drawn)}
        bounds["casecoder"].append(interval(drawn.suggested, rows, drawn.confusion))
        bounds["delta"].append(delta(drawn))
        if few or run % 10 == 0:
            told |= probabilistic(drawn)
            bounds["EM"].append(em_interval(drawn, draws))
        if quapy:
            more, of_bootstrap = of_quapy(drawn, run)
            bounds["quapy bootstrap"].append(of_bootstrap)
            told |= more
        for name, share in told.items():
            found[name].append(share)
    return bounds, found


def main(runs: int, *, few: bool, heavy: bool, quapy: bool) -> None:
    draws = np.random.default_rng(0)
    tallies: dict[str, Tally] = defaultdict(Tally)
    for setting in settings(few=few):
        share = setting[0]
        bounds, found = one_setting(draws, setting, runs, few=few, heavy=heavy, quapy=quapy)
        for name, pairs in bounds.items():
            low, high = np.array(pairs).T
            tallies[name].held.append(float(np.mean((low <= share) & (share <= high))))
            tallies[name].width.append(float(np.mean(high - low)))
        for name, shares in found.items():
            tallies[name].error.append(float(np.mean((np.array(shares) - share) ** 2) ** 0.5))
    for name, tally in tallies.items():
        told: dict[str, object] = {"name": name}
        if tally.held:
            spread = np.quantile(tally.held, [0, 0.05, 0.5, 1])
            told |= {"interval_holds": spread.round(3).tolist(), "mean_width": round(float(np.mean(tally.width)), 4)}
        if tally.error:
            relative = np.exp(np.mean(np.log(np.array(tally.error) / np.array(tallies["ACC"].error))))
            told |= {"rmse_points": round(100 * float(np.mean(tally.error)), 2), "relative": round(float(relative), 2)}
        sys.stdout.write(json.dumps(told) + "\n")


if __name__ == "__main__":
    numbers = [int(given) for given in sys.argv[1:] if given.isdecimal()]
    main(numbers[0] if numbers else 300, **{name: name in sys.argv[1:] for name in ("few", "heavy", "quapy")})
