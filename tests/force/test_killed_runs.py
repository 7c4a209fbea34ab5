"""A run of which any process may be killed at any moment loses nothing, doubles nothing and tears nothing."""

from __future__ import annotations

from .bulk_run import KEY, BulkRun, Killer, Recipe
from .tally import wanted_kills

IN_SERVICE = 0.24  # of all kills; see `test_killed_jobs`
A_RUN = ("reading", "worker", "coding", "worker", "putting together")  # kills of one run, in their order


def recipes(tiny_bundle, shipped):
    """What runs are like, in turn."""
    yield Recipe(tiny_bundle)
    yield Recipe(tiny_bundle, "xlsx", "xlsx")
    yield Recipe(tiny_bundle, "jsonl", "parquet", key=KEY)
    yield Recipe(tiny_bundle, "parquet", "jsonl", options=("--keep-text", "--all-codes"))
    yield Recipe(shipped, rows=80, pause=0.0, quick=False)
    yield from recipes(tiny_bundle, shipped)


def test_run_that_is_killed_at_random_moments_gives_the_output_of_one_that_is_not(
    tmp_path, tiny_bundle, root, undisturbed, tally, random
):
    number = wanted_kills() - round(IN_SERVICE * wanted_kills())
    shipped = root / "models" / "react-0.6.0"
    before = tally.kills.total()
    for at, recipe in enumerate(recipes(tiny_bundle, shipped)):
        left = number - (tally.kills.total() - before)
        if left <= 0:
            break
        run = BulkRun(tmp_path / f"run-{at}", recipe)
        wanted = undisturbed(recipe)
        moments = sorted(random.sample(A_RUN, min(left, len(A_RUN))), key=A_RUN.index)
        Killer(run, tally, random).kill_at(moments)
        run.check(tally, wanted)
    tally.check()
