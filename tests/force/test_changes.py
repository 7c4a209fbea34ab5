"""An input or a bundle that changes while a run works on it is noticed: nothing of two kinds comes out."""

from __future__ import annotations

import os
import shutil

import pytest

from .bulk_run import CANARY, DONE, REFUSED, BulkRun, Recipe
from .processes import family, wait_for


@pytest.fixture
def other_bundle(tmp_path, make_bundle, codebook, config):
    """A sound bundle that says another code."""
    return make_bundle(tmp_path / "other" / "tiny-1", codebook, config, code="violence.physical")


def exchange(bundle, other, *names):
    """Put files of another bundle in the place of those of one."""
    for path in other.iterdir():
        if not names or path.name in names:
            new = bundle / f"{path.name}.new"
            shutil.copyfile(path, new)
            new.replace(bundle / path.name)


@pytest.mark.slow  # in short: test_local_engine.py
def test_bundle_that_is_exchanged_while_workers_run_codes_no_row(
    tmp_path, tiny_bundle, bundle_copy, other_bundle, undisturbed, tally
):
    run = BulkRun(tmp_path / "run", Recipe(bundle_copy))
    process = run.start()
    wait_for(lambda: run.receipts() >= 3)
    exchange(bundle_copy, other_bundle)
    for worker in family(process.pid, running="engines.worker"):
        worker.kill()
    assert run.end(process) == REFUSED
    assert b"one run is coded by one bundle" in run.said
    assert not run.target.exists()
    assert run.end(run.start()) == REFUSED
    assert b"was begun with the bundle" in run.said
    assert not run.target.exists()
    exchange(bundle_copy, tiny_bundle)
    run.finish()
    run.check(tally, undisturbed(Recipe(tiny_bundle)))


@pytest.mark.slow
@pytest.mark.parametrize("part", ["manifest.json", "weights.npy", "policy.json"])
def test_bundle_of_which_a_file_is_exchanged_while_workers_run_is_refused(
    tmp_path, tiny_bundle, bundle_copy, other_bundle, undisturbed, tally, part
):
    run = BulkRun(tmp_path / "run", Recipe(bundle_copy))
    process = run.start()
    wait_for(lambda: run.receipts() >= 3)
    (bundle_copy / part).write_bytes((other_bundle / part).read_bytes() + b" ")
    for worker in family(process.pid, running="engines.worker"):
        worker.kill()
    assert run.end(process) == REFUSED
    assert run.end(run.start()) == REFUSED
    assert not run.target.exists()
    exchange(bundle_copy, tiny_bundle)
    run.finish()
    run.check(tally, undisturbed(Recipe(tiny_bundle)))


@pytest.mark.slow
def test_bundle_that_is_exchanged_where_every_process_has_loaded_it_changes_nothing(
    tmp_path, tiny_bundle, bundle_copy, other_bundle, undisturbed, tally
):
    run = BulkRun(tmp_path / "run", Recipe(bundle_copy))
    process = run.start()
    wait_for(lambda: run.receipts() >= 3)
    exchange(bundle_copy, other_bundle)
    assert run.end(process) in DONE
    run.check(tally, undisturbed(Recipe(tiny_bundle)))


def append(path):
    with path.open("ab") as stream:
        stream.write(b"c999,She was refused.,Osh\r\n")


def flip(path):
    """Change one letter, and neither the size nor the time."""
    content, times = bytearray(path.read_bytes()), path.stat()
    content[-3] ^= 1
    path.write_bytes(content)
    os.utime(path, ns=(times.st_atime_ns, times.st_mtime_ns))
    assert path.stat().st_size == times.st_size


def replace(path):
    new = path.with_name("new")
    new.write_bytes(path.read_bytes().replace(b"refused", b"treated", 1))
    new.replace(path)


@pytest.mark.slow
@pytest.mark.parametrize("change", [append, flip, replace])
@pytest.mark.parametrize("moment", ["reading", "coding", "putting together"])
def test_input_that_changes_during_a_run_gives_no_output(tmp_path, tiny_bundle, undisturbed, tally, change, moment):
    run = BulkRun(tmp_path / "run", Recipe(tiny_bundle))
    content = run.source.read_bytes()
    is_there = {
        "reading": lambda: run.shards() >= 2,
        "coding": lambda: run.receipts() >= 3,
        "putting together": run.parts,
    }[moment]
    process = run.start()
    wait_for(is_there, until=lambda: process.poll() is not None)
    change(run.source)
    assert run.end(process) == REFUSED
    assert b"the input" in run.said
    assert b"changed" in run.said
    assert CANARY.encode() not in run.said
    assert not run.target.exists()
    assert not run.parts()
    run.source.write_bytes(content)
    run.finish()
    run.check(tally, undisturbed(Recipe(tiny_bundle)))
