"""A disk that is full for a while costs nothing but time: what is done stays whole, and the rest is gone on with."""

from __future__ import annotations

import os
import shutil
import subprocess

import pytest

from .bulk_run import CANARY, REFUSED, BulkRun, Recipe
from .job_site import JobSite, table_of
from .processes import wait_for

ROWS = 600


class Disk:
    """A small disk in memory, and the ballast that fills it."""

    def __init__(self, place):
        self.place = place
        self._ballast = place / "ballast"

    def fill(self):
        """Take all that is free."""
        with self._ballast.open("ab", buffering=0) as ballast:
            for size in (1 << 16, 1 << 12, 1):
                try:
                    while ballast.write(bytes(size)) == size:
                        pass
                except OSError:
                    continue

    def fill_until(self, fact):
        """Take what is free, and what becomes free."""
        wait_for(lambda: self.fill() or fact())

    def free(self):
        self._ballast.unlink()


@pytest.fixture
def disk(tmp_path):
    place = tmp_path / "disk"
    place.mkdir()
    mount, unmount = shutil.which("mount") or "", shutil.which("umount") or ""
    mounting = [mount, "-t", "tmpfs", "-o", "size=8m", "tmpfs", str(place)]
    if os.geteuid() != 0 or subprocess.run(mounting, capture_output=True, check=False).returncode:
        pytest.skip("a small disk can be mounted by root alone")
    yield Disk(place)
    subprocess.run([unmount, "--lazy", str(place)], check=True)


@pytest.mark.slow  # in short: test_local_engine.py
@pytest.mark.parametrize("moment", ["reading", "coding", "putting together"])
def test_run_on_a_full_disk_says_so_and_goes_on_when_there_is_space(
    disk, tmp_path, tiny_bundle, undisturbed, tally, moment
):
    recipe = Recipe(tiny_bundle)
    run = BulkRun(disk.place / "run", recipe, log=tmp_path / "tried.log")
    is_there = {
        "reading": lambda: run.shards() >= 2,
        "coding": lambda: run.receipts() >= 3,
        "putting together": run.parts,
    }[moment]
    process = run.start()
    wait_for(is_there, until=lambda: process.poll() is not None)
    disk.fill_until(lambda: process.poll() is not None)
    assert run.end(process) == REFUSED
    said = run.said.decode()
    assert "the disk is full" in said
    assert CANARY not in said
    assert "internal error" not in said
    assert not run.target.exists()
    assert not run.parts()
    assert not run.faults()
    if moment == "reading":
        assert not run.work.exists()
    else:
        assert f"{run.receipts()} of {recipe.shards} shards are done" in said
        assert "--resume" in said
    done = set(run.tried()) if moment == "putting together" else set()
    disk.free()
    run.finish()
    assert not done & set(run.tried())
    run.check(tally, undisturbed(recipe))


@pytest.mark.slow
def test_job_on_a_full_disk_fails_with_a_sentence_and_goes_on_when_there_is_space(disk, tmp_path, tiny_bundle):
    site = JobSite(tmp_path / "site", tiny_bundle, jobs_folder=disk.place / "jobs")
    site.start()
    try:
        content = table_of(ROWS)
        wanted = _coded(site, content)
        job = site.begin(content)
        wait_for(lambda: site.receipts(job) >= 1)
        disk.fill_until(lambda: site.job(job)["state"] == "failed")
        assert "the disk is full" in site.job(job)["error"]
        done = site.receipts(job)
        assert done >= 1
        status, problem = site.bring(content)
        assert (status, problem["code"]) == (503, "store.failed")
        site.log.write_text("")
        disk.free()
        site.go_on(job)
        assert site.ended(job)["state"] == "done"
        assert site.file(job, "output") == wanted
        assert len(site.log.read_text().split()) <= ROWS - 50 * done
        assert sorted(path.name for path in disk.place.joinpath("jobs").iterdir()) == sorted(site.jobs())
        assert not site.leaks()
    finally:
        site.close()


def _coded(site, content):
    """The output of a job that nothing disturbs."""
    job = site.begin(content)
    assert site.ended(job)["state"] == "done"
    return site.file(job, "output")
