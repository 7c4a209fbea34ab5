"""The same rows coded on a cluster and on one machine, compared row by row."""

from __future__ import annotations

import json
import re
from pathlib import Path

import numpy as np
import pytest

from nlp.bulk.receipts import Receipt
from nlp.bulk.results import Packing, read_result
from nlp.bulk.shard_run import LoadedBundle
from nlp.bulk.shards import Plan
from nlp.classification import LinearClassifier, columns_of
from nlp.classification.linear import plain_words
from nlp.types import Analysis
from training.package import write_draft

pytestmark = [pytest.mark.slow, pytest.mark.parametrize("cluster", ["loopback"], indirect=True)]

MANY = 100_000
SHIPPED = 2_000  # for the shipped bundle, which takes long for each
WORDS = 3_000  # in the vocabulary of the bundle for many rows


def narratives(root: Path, *languages: str) -> list[str]:
    """Texts of the corpus, files and so languages in turns; by default those of all languages."""
    files = sorted((root / "annotations" / "narratives").glob("*.jsonl"))
    wanted = [path for path in files if not languages or path.name[:2] in languages]
    lines = [path.read_text(encoding="utf-8").splitlines() for path in wanted]
    return [
        json.loads(some[turn])["text"] for turn in range(max(map(len, lines))) for some in lines if turn < len(some)
    ]


@pytest.fixture(scope="module")
def words_bundle(root, codebook, config, tmp_path_factory) -> Path:
    """A bundle that is fast: words with weights that are made up, so that each text has probabilities of its own."""
    words = sorted({word for text in narratives(root) for word in plain_words(text)})
    columns = columns_of(codebook)
    made_up = np.random.default_rng(1)
    model = LinearClassifier(
        columns,
        [f"w:{word}" for word in sorted(made_up.choice(words, WORDS, replace=False))],
        idf=np.ones(WORDS, dtype=np.float32),
        weights=made_up.normal(0, 4, (WORDS, len(columns))).astype(np.float32),
        bias=np.full(len(columns), -1.0, dtype=np.float32),
        calibration=np.vstack([np.ones(len(columns)), np.zeros(len(columns))]),
    )
    thresholds = {"review": 0.3, "suggest": 0.5, "auto": 0.9}
    policy = {"auto_precision": 0.95, "codes": {code: thresholds for axis in codebook.axes for code in axis.codes}}
    training = {"seed": 1, "cases": 1, "sources": {"invented": 1}, "data_hash": "0" * 64, "min_persons": 10}
    folder = tmp_path_factory.mktemp("words") / "words-1"
    write_draft(folder, model, codebook, policy, config, training=training)
    return folder


def sentences(root: Path, count: int) -> list[str]:
    """As many short texts: sentences in the languages of the bundle, now and then of another, or none."""
    served, others = (
        [part for text in texts for part in re.split(r"(?<=[.!?])\s+", text)]
        for texts in (narratives(root, "en", "ru"), narratives(root))
    )
    chosen = np.random.default_rng(2)
    texts = [str(text) for text in chosen.choice(served, count)]
    texts[::50] = [str(text) for text in chosen.choice(others, len(texts[::50]))]
    texts[::100] = [""] * len(texts[::100])
    return texts


def outcomes(work: Path, plan: Plan, packing: Packing, number: int) -> list[Analysis | str]:
    sha256 = Receipt.load(work, number).result_sha256
    return [packing.unpack(record) for record in read_result(work, number, sha256=sha256)]


def check_same(there: Path, here: Path, plan: Plan, bundle: Path) -> int:
    """Compare all rows of two work folders; how many of them have codes."""
    packing = Packing(LoadedBundle.open(bundle).codebook)
    coded = 0
    for shard in plan.shards:
        for number, one, other in zip(
            shard.numbers, *(outcomes(work, plan, packing, shard.number) for work in (there, here)), strict=True
        ):
            assert type(one) is type(other), number
            if isinstance(one, str) or isinstance(other, str):
                assert one == other, number
                continue
            assert [(s.code, s.decision, s.evidence) for s in one.suggestions] == [
                (s.code, s.decision, s.evidence) for s in other.suggestions
            ], number
            assert np.allclose(scores(one), scores(other), rtol=0, atol=1e-6), number
            assert (one.redaction, one.primary) == (other.redaction, other.primary), number
            coded += 1
    return coded


def scores(analysis: Analysis) -> list[float]:
    return [*(suggestion.probability for suggestion in analysis.suggestions), *analysis.nothing.values()]


def test_many_rows(cluster, make_work, coded_here, words_bundle, root, tmp_path):
    work, plan = make_work(sentences(root, MANY), words_bundle, shard_rows=1_000)
    run = cluster.run(work, words_bundle, **cluster.settings())
    assert run.code == 0, run.errors
    assert check_same(work, coded_here(work, plan, words_bundle, tmp_path), plan, words_bundle) > 0.8 * MANY


@pytest.mark.model
def test_shipped_bundle(cluster, make_work, coded_here, root, tmp_path):
    bundle = root / "models" / json.loads((root / "models" / "index.json").read_text())["default"]
    work, plan = make_work(narratives(root)[:SHIPPED], bundle, shard_rows=50)
    run = cluster.run(work, bundle, **cluster.settings())
    assert run.code == 0, run.errors
    # The others are in languages that the bundle does not serve, or takes for others.
    assert check_same(work, coded_here(work, plan, bundle, tmp_path), plan, bundle) > SHIPPED // 2
