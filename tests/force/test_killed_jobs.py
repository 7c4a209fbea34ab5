"""A job of the service of which any process may be killed at any moment is done all the same, once."""

from __future__ import annotations

import csv
import io
import subprocess
import time

import pytest

from .bulk_run import CANARY, command
from .job_site import JobSite, table_of
from .processes import wait_for
from .stretching import shards_repeated
from .tally import wanted_kills
from .test_killed_runs import IN_SERVICE

pytestmark = pytest.mark.slow
ROWS, SHARD_ROWS = 600, 50
A_JOB = ("worker of a job", "process of a job", "runner of the queue", "server")  # kills of one job


@pytest.fixture
def site(tmp_path, tiny_bundle):
    made = JobSite(tmp_path / "site", tiny_bundle)
    made.start()
    yield made
    made.close()


def test_job_whose_processes_are_killed_at_random_moments_gives_the_output_of_one_whose_are_not(
    site, tmp_path, tally, random
):
    content = table_of(ROWS)
    undisturbed = site.begin(content)
    assert site.ended(undisturbed)["state"] == "done"
    wanted = site.file(undisturbed, "output")
    left = round(IN_SERVICE * wanted_kills())
    while left > 0:
        kinds = random.sample(A_JOB, min(left, len(A_JOB)))
        left -= len(kinds)
        job, tries = kill_during_a_job(site, content, kinds, tally, random)
        check(site, job, tmp_path, content, wanted, tally)
        shard_of = {f"c{number}": (number - 1) // SHARD_ROWS for number in range(1, ROWS + 1)}
        tally.repeated = max(tally.repeated, shards_repeated(tries, shard_of))
    tally.check()


def kill_during_a_job(site, content, kinds, tally, random):
    """Kill once of each kind while a job is coded; the rows that were tried between."""
    site.log.write_text("")
    job, tries = site.begin(content), []
    for at, kind in enumerate(kinds):
        share = (at + random.random()) / (len(kinds) + 1)
        wait_for(lambda share=share: site.receipts(job) >= share * ROWS / SHARD_ROWS)
        wait_for(lambda kind=kind: site.members(kind))
        time.sleep(random.random() * 0.2)
        orphans = site.kill(kind, random.randrange(2))
        assert orphans is not None, f"the job ended before its {kind} was killed"
        tally.count("server with a job" if kind == "server" else kind, orphans)
        tries.append(site.log.read_text().split())
        site.log.write_text("")
        if kind == "server":
            site.start()
    assert site.ended(job)["state"] == "done", site.job(job)["error"]
    return job, [*tries, site.log.read_text().split()]


def check(site, job, folder, content, wanted, tally):
    """Everything that must be so at the end."""
    output, receipt = site.file(job, "output"), site.file(job, "receipt")
    rows = list(csv.DictReader(io.StringIO(output.decode("utf-8-sig"), newline="")))
    ids = [f"c{number}" for number in range(1, ROWS + 1)]
    tally.compare([row["id"] for row in rows], ids, same_bytes=output == wanted)
    for name, held in (("in.csv", content), ("out.csv", output), ("out.csv.receipt.json", receipt)):
        (folder / name).write_bytes(held)
    verified = subprocess.run(
        command("verify", folder / "out.csv", "--input", folder / "in.csv"), capture_output=True, check=False
    )
    assert verified.returncode == 0, verified.stderr.decode()
    assert CANARY.encode() not in verified.stdout + verified.stderr + receipt
    assert not (site.jobs_folder / job / "work").exists()
    assert not site.leaks()
