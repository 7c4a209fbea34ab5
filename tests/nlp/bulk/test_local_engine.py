"""Runs in worker processes, runs that are stopped, and runs that go on."""

from __future__ import annotations

import errno
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from typer.testing import CliRunner

from nlp.bulk import assemble
from nlp.bulk.engines import local
from nlp.bulk.engines.local import run_local
from nlp.bulk.receipts import Receipt, verify
from nlp.bulk.run import BulkOptions, LoadedBundle, run_bulk
from nlp.bulk.work import work_folder
from nlp.cli import app
from nlp.errors import BackendUnavailable, OutputError, RunError, TableError

CANARY = "qazanarbekovaxx"
KEY = bytes(range(32))
on_linux = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="finds processes in /proc")


def texts(count: int) -> list[str]:
    return [f"Case {number}: the doctor refused her." if number % 10 else "" for number in range(1, count + 1)]


def rows_of(path: Path) -> list[dict[str, object]]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def ids_of(path: Path) -> list[object]:
    return [row["id"] for row in rows_of(path)]


def command(*args: object) -> list[str]:
    program = "import sys; sys.argv[0] = 'casecoder'; from nlp.cli import command_line; command_line()"
    return [sys.executable, "-c", program, *map(str, args)]


def wait_for(fact) -> None:
    """Wait until something is so; the promise of how soon is kept apart, since machines differ."""
    for _ in range(600):
        if fact():
            return
        time.sleep(0.1)
    raise AssertionError("it did not come to pass")


def test_processes_give_the_same_bytes_as_one(write_cases, tmp_path, tiny):
    source = write_cases(texts(90))
    reports = []
    for name, workers in (("one", 1), ("two", 2)):
        options = BulkOptions(workers=workers, shard_rows=7)
        reports.append(run_bulk(tiny, source, tmp_path / f"{name}.csv", bulk=options))
    assert (tmp_path / "one.csv").read_bytes() == (tmp_path / "two.csv").read_bytes()
    assert reports[0].errors == reports[1].errors == {"narrative.empty": 9}
    assert reports[0].decisions == reports[1].decisions


@on_linux
def test_killed_worker_costs_no_row(write_cases, tmp_path, tiny, stumbling, workers_of):
    stumbling(pause=0.01)
    source, killed, seen = write_cases(texts(120)), [], []

    def kill_one(progress):
        seen.append(progress)
        alive = workers_of(os.getpid())
        if progress.shards_done >= 2 + 3 * len(killed) and len(killed) < 2 and alive:
            os.kill(alive[0], signal.SIGKILL)
            killed.append(alive[0])

    report = run_bulk(
        tiny, source, tmp_path / "out.jsonl", bulk=BulkOptions(workers=2, shard_rows=6), on_progress=kill_one
    )
    assert len(killed) == 2
    assert ids_of(tmp_path / "out.jsonl") == [f"c{number}" for number in range(1, 121)]
    assert report.errors == {"narrative.empty": 12}
    assert [item.rows for item in seen] == sorted(item.rows for item in seen)
    assert [item.errors for item in seen] == sorted(item.errors for item in seen)
    assert (seen[-1].rows, seen[-1].errors, seen[-1].shards_done) == (120, 12, 20)
    assert not workers_of(os.getpid())


def test_row_of_which_a_process_dies_twice_is_set_apart_and_the_rest_goes_on(write_cases, tmp_path, tiny, stumbling):
    log = stumbling()
    written = texts(70)
    written[33] = "The doctor refused poison."
    report = run_bulk(tiny, write_cases(written), tmp_path / "out.jsonl", bulk=BulkOptions(workers=2, shard_rows=10))
    rows = rows_of(tmp_path / "out.jsonl")
    assert report.errors == {"narrative.empty": 7, "row.crashed": 1}
    assert rows[33]["error"].startswith("row.crashed: ")
    assert rows[33]["text"] == ""
    assert rows[32]["suggestions"]
    assert rows[34]["suggestions"]
    assert log.read_text().split().count("c34") == 2


def test_row_that_takes_too_long_is_set_apart_and_the_rest_goes_on(prepared, tiny, stumbling, monkeypatch):
    log = stumbling()
    work, plan = prepared(["She left.", "The doctor refused endless.", "He left.", "They left."])
    count_time = local._Crew._time

    def count_an_hour_once_it_is_tried(crew, seconds):
        is_tried = "c2" in log.read_text().split() and any(worker.row == 2 for worker in crew._workers)
        count_time(crew, 3600 if is_tried else 0)

    monkeypatch.setattr(local._Crew, "_time", count_an_hour_once_it_is_tried)
    run_local(work, plan, bundle=tiny, workers=1, again=True)
    assert verify(work, plan) == []
    assert [dict(Receipt.load(work, number).errors) for number in (0, 1)] == [{"row.slow": 1}, {}]
    assert log.read_text().split() == ["c1", "c2", "c1", "c3", "c4"]


@pytest.mark.parametrize(
    ("program", "said"),
    [
        ("import os, sys\nif 'nlp.bulk.engines.worker' in sys.orig_argv: os._exit(7)", "exit code 7"),
        ("import queue; del queue.SimpleQueue", "AttributeError"),
    ],
)
def test_workers_that_cannot_start_end_the_run_with_a_sentence(write_cases, tmp_path, tiny, stumbling, program, said):
    stumbling(program=program)
    with pytest.raises(RunError, match=f"cannot start .*{said}"):
        run_bulk(tiny, write_cases(texts(70)), tmp_path / "out.jsonl", bulk=BulkOptions(workers=2, shard_rows=10))
    assert not [path for path in tmp_path.iterdir() if "out" in path.name]


def test_what_a_worker_says_of_a_crash_holds_no_text(prepared, tiny, stumbling, capfd):
    program = f"""
    import sys, nlp.bulk.engines.worker
    import nlp.bulk.shard_run as m
    def fail(*args, **kwargs): raise ValueError({CANARY!r})
    m.run_shard = fail
    print({CANARY!r}); print({CANARY!r}, file=sys.stderr)
    """
    import textwrap

    stumbling(program=textwrap.dedent(program))
    work, plan = prepared(texts(4))
    with pytest.raises(RunError, match=r"a worker process failed \(ValueError\)") as caught:
        run_local(work, plan, bundle=tiny, workers=1, again=True)
    assert CANARY not in "".join([*capfd.readouterr(), str(caught.value)])


def other_bundle(folder: Path) -> None:
    """Make a bundle another one, with all its files sound."""
    manifest = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
    (folder / "manifest.json").write_text(json.dumps({**manifest, "note": "another one"}), encoding="utf-8")


@on_linux
def test_bundle_that_is_exchanged_during_a_run_codes_no_row(write_cases, tmp_path, bundle_copy, stumbling, workers_of):
    stumbling(pause=0.01)
    done = []

    def exchange(progress):
        if progress.shards_done == 2 and not done:
            other_bundle(bundle_copy)
            done.append(workers_of(os.getpid()))
            for worker in done[0]:
                os.kill(worker, signal.SIGKILL)

    loaded, source, target = LoadedBundle.open(bundle_copy), write_cases(texts(120)), tmp_path / "out.jsonl"
    with pytest.raises(RunError, match="one run is coded by one bundle"):
        run_bulk(loaded, source, target, bulk=BulkOptions(workers=2, shard_rows=6), on_progress=exchange)
    assert not target.exists()
    with pytest.raises(RunError, match="was begun with the bundle"):
        run_bulk(LoadedBundle.open(bundle_copy), source, target, bulk=BulkOptions(resume=True))


class Stopped(Exception):
    pass


def stop_after(shards: int):
    def stop(progress):
        if progress.shards_done >= shards:
            raise Stopped

    return stop


@pytest.fixture
def stopped(write_cases, tmp_path, tiny):
    """A run of 20 rows that was stopped after two of ten shards."""
    source, target = write_cases(texts(20)), tmp_path / "out.jsonl"
    with pytest.raises(Stopped) as caught:
        run_bulk(tiny, source, target, bulk=BulkOptions(workers=1, shard_rows=2), on_progress=stop_after(2))
    assert "2 of 10 shards are done" in caught.value.__notes__[0]
    assert not target.exists()
    return source, target


def test_stopped_run_goes_on_where_it_was(stopped, tmp_path, tiny, stumbling):
    source, target = stopped
    log, seen = stumbling(), []
    report = run_bulk(tiny, source, target, bulk=BulkOptions(resume=True, workers=2), on_progress=seen.append)
    assert sorted(log.read_text().split()) == sorted(f"c{number}" for number in range(5, 21))
    assert ids_of(target) == [f"c{number}" for number in range(1, 21)]
    assert report.rows == 20
    assert seen[0].rows >= 4
    assert seen[-1].rows == 20
    assert not work_folder(target).exists()


def test_unfinished_work_is_refused_without_a_word_on_what_to_do(stopped, tiny):
    source, target = stopped
    before = sorted(path.name for path in work_folder(target).rglob("*"))
    with pytest.raises(RunError, match="--resume, or begin anew with --restart"):
        run_bulk(tiny, source, target)
    assert sorted(path.name for path in work_folder(target).rglob("*")) == before


def test_restart_begins_anew(stopped, tiny, monkeypatch):
    source, target = stopped
    run_bulk(tiny, source, target, bulk=BulkOptions(restart=True))
    assert ids_of(target) == [f"c{number}" for number in range(1, 21)]
    assert not work_folder(target).exists()


def test_resume_without_unfinished_work_begins_at_the_beginning(write_cases, tmp_path, tiny):
    report = run_bulk(tiny, write_cases(texts(3)), tmp_path / "out.jsonl", bulk=BulkOptions(resume=True))
    assert report.rows == 3


def test_run_that_was_stopped_while_it_cleared_its_folder_codes_nothing_again(write_cases, tmp_path, tiny, monkeypatch):
    source, target = write_cases(texts(20)), tmp_path / "out.jsonl"

    def interrupt(*args, **kwargs):
        raise KeyboardInterrupt

    with monkeypatch.context() as patched, pytest.raises(KeyboardInterrupt):
        patched.setattr(shutil, "rmtree", interrupt)
        run_bulk(tiny, source, target)
    content = target.read_bytes()
    with monkeypatch.context() as patched:
        patched.setattr("nlp.bulk.shard_run.code_row", lambda *args: pytest.fail("a row was coded again"))
        report = run_bulk(tiny, source, target, bulk=BulkOptions(resume=True))
    assert (report.rows, report.errors) == (20, {"narrative.empty": 2})
    assert target.read_bytes() == content
    assert not work_folder(target).exists()


def test_run_whose_output_is_gone_by_the_time_it_is_gone_on_with_begins_anew(write_cases, tmp_path, tiny, monkeypatch):
    source, target = write_cases(texts(20)), tmp_path / "out.jsonl"

    def interrupt(*args, **kwargs):
        raise KeyboardInterrupt

    with monkeypatch.context() as patched, pytest.raises(KeyboardInterrupt):
        patched.setattr(shutil, "rmtree", interrupt)
        run_bulk(tiny, source, target)
    target.unlink()
    assert run_bulk(tiny, source, target, bulk=BulkOptions(resume=True)).rows == 20
    assert target.exists()


def test_folder_without_a_plan_is_begun_anew(write_cases, tmp_path, tiny):
    target = tmp_path / "out.jsonl"
    left = work_folder(target) / "shards"
    left.mkdir(parents=True)
    (work_folder(target) / "casecoder.lock").touch()
    (left / "00009.parquet").write_bytes(b"half")
    assert run_bulk(tiny, write_cases(texts(3)), target).rows == 3
    assert not work_folder(target).exists()


def test_resume_of_a_changed_input_is_refused(stopped, tiny):
    source, target = stopped
    source.write_text(source.read_text().replace("refused her", "treated her", 1))
    with pytest.raises(RunError, match=r"the input has changed .*--restart"):
        run_bulk(tiny, source, target, bulk=BulkOptions(resume=True))
    assert work_folder(target).exists()


def test_resume_without_the_input_is_refused(stopped, tiny):
    source, target = stopped
    source.unlink()
    with pytest.raises(TableError, match="there is no file"):
        run_bulk(tiny, source, target, bulk=BulkOptions(resume=True))


@pytest.mark.parametrize(
    ("options", "said"), [({"language": "en"}, "--language"), ({"options": {"text_column": "text"}}, "--text-column")]
)
def test_resume_with_other_options_is_refused(stopped, tiny, options, said):
    from nlp.bulk.tables import InputOptions

    source, target = stopped
    if "options" in options:
        options = {"options": InputOptions(**options["options"])}
    with pytest.raises(RunError, match=f"other options .{said}."):
        run_bulk(tiny, source, target, bulk=BulkOptions(resume=True), **options)


def test_resume_may_change_how_the_output_looks(stopped, tiny, tmp_path):
    source, target = stopped
    options = BulkOptions(resume=True, work=work_folder(target), shard_rows=9, workers=1)
    run_bulk(tiny, source, tmp_path / "other.csv", bulk=options, keep_text=True, all_codes=True)
    assert not work_folder(target).exists()
    assert (tmp_path / "other.csv").exists()


def test_resume_by_another_version_is_refused(stopped, tiny, monkeypatch):
    source, target = stopped
    monkeypatch.setattr("nlp.bulk.run.__version__", "99.0")
    with pytest.raises(RunError, match="begun by casecoder"):
        run_bulk(tiny, source, target, bulk=BulkOptions(resume=True))


def test_altered_plan_is_refused(stopped, tiny):
    source, target = stopped
    plan = work_folder(target) / "plan.json"
    plan.write_text(plan.read_text().replace('"rows": 20', '"rows": 21'))
    with pytest.raises(RunError, match=r"plan\.json was altered"):
        run_bulk(tiny, source, target, bulk=BulkOptions(resume=True))
    run_bulk(tiny, source, target, bulk=BulkOptions(restart=True))


def test_input_that_changes_while_rows_are_coded_gives_no_output(write_cases, tmp_path, tiny):
    source = write_cases(texts(20))

    def change(progress):
        source.write_text(source.read_text().replace("refused her", "treated her", 1))

    with pytest.raises(RunError, match="the input has changed"):
        run_bulk(tiny, source, tmp_path / "out.jsonl", on_progress=change)
    assert not (tmp_path / "out.jsonl").exists()


def test_cells_that_change_while_the_output_is_put_together_give_no_output(write_cases, tmp_path, tiny, monkeypatch):
    source, target = write_cases(texts(20)), tmp_path / "out.jsonl"
    content, read = source.read_text(), assemble._side_by_side

    def change_at_the_end(*args):
        yield from read(*args)
        source.write_text(content.replace('"c20"', '"c21"'))

    with monkeypatch.context() as patched, pytest.raises(RunError, match="the input has changed"):
        patched.setattr(assemble, "_side_by_side", change_at_the_end)
        run_bulk(tiny, source, target)
    assert not target.exists()
    source.write_text(content)
    assert run_bulk(tiny, source, target, bulk=BulkOptions(resume=True)).rows == 20


def test_interrupted_putting_together_codes_nothing_again(write_cases, tmp_path, tiny, monkeypatch):
    source, target = write_cases(texts(20)), tmp_path / "out.jsonl"

    def interrupt(*args, **kwargs):
        raise KeyboardInterrupt

    with monkeypatch.context() as patched, pytest.raises(KeyboardInterrupt):
        patched.setattr("nlp.bulk.assemble.open_output", interrupt)
        run_bulk(tiny, source, target)
    monkeypatch.setattr("nlp.bulk.shard_run.code_row", lambda *args: pytest.fail("a row was coded again"))
    assert run_bulk(tiny, source, target, bulk=BulkOptions(resume=True)).rows == 20


def test_two_runs_do_not_share_a_folder(write_cases, tmp_path, tiny):
    source, target = write_cases(texts(5)), tmp_path / "out.jsonl"

    def second(progress):
        for options in (BulkOptions(), BulkOptions(resume=True), BulkOptions(restart=True)):
            with pytest.raises(RunError, match="another run is working"):
                run_bulk(tiny, source, target, bulk=options)

    assert run_bulk(tiny, source, target, on_progress=second).rows == 5


def test_folder_with_other_files_is_never_taken_for_work(write_cases, tmp_path, tiny):
    mine = tmp_path / "mine"
    mine.mkdir()
    (mine / "letter.txt").write_text("keep me")
    for restart in (False, True):
        with pytest.raises(RunError, match="holds other files"):
            run_bulk(tiny, write_cases(texts(3)), tmp_path / "out.jsonl", bulk=BulkOptions(work=mine, restart=restart))
    assert (mine / "letter.txt").read_text() == "keep me"


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has other rights")
def test_folder_that_another_user_has_put_there_is_never_worked_in(write_cases, tmp_path, tiny, monkeypatch):
    theirs = work_folder(tmp_path / "out.jsonl")
    theirs.mkdir()
    monkeypatch.setattr("os.geteuid", lambda: theirs.stat().st_uid + 1)
    with pytest.raises(RunError, match="another user's folder"):
        run_bulk(tiny, write_cases(texts(3)), tmp_path / "out.jsonl")
    assert not list(theirs.iterdir())


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has other rights")
def test_work_is_for_its_owner_alone_and_gone_at_the_end(write_cases, tmp_path, tiny):
    modes = []
    target = tmp_path / "out.jsonl"
    run_bulk(
        tiny,
        write_cases(texts(3)),
        target,
        on_progress=lambda progress: modes.append(work_folder(target).stat().st_mode & 0o777),
    )
    assert set(modes) == {0o700}
    assert sorted(path.name for path in tmp_path.iterdir()) == ["cases.jsonl", "out.jsonl", "out.jsonl.receipt.json"]


@pytest.mark.parametrize("workers", [1, 2])
def test_sealed_run_leaves_no_text_in_its_folder_at_any_moment(write_cases, tmp_path, tiny, workers):
    source = write_cases([f"The doctor refused {CANARY} number {number}." for number in range(70)])
    target, found, files = tmp_path / "out.jsonl", [], set()

    def look(progress):
        for path in work_folder(target).rglob("*"):
            if path.is_file():
                content = path.read_bytes()
                files.add(path.parent.name)
                found.extend([path] if CANARY.encode() in content or b"PAR1" in content else [])

    run_bulk(tiny, source, target, bulk=BulkOptions(key=KEY, workers=workers, shard_rows=7), on_progress=look)
    assert files >= {"shards", "results", "receipts"}
    assert not found
    assert len(ids_of(target)) == 70


def test_sealed_work_goes_on_with_its_key_alone(write_cases, tmp_path, tiny):
    source, target = write_cases(texts(20)), tmp_path / "out.jsonl"
    options = {"workers": 1, "shard_rows": 2}
    with pytest.raises(Stopped):
        run_bulk(tiny, source, target, bulk=BulkOptions(key=KEY, **options), on_progress=stop_after(2))
    for key, said in ((None, "--key-file"), (bytes(32), "another key")):
        with pytest.raises(RunError, match=said):
            run_bulk(tiny, source, target, bulk=BulkOptions(key=key, resume=True))
    assert run_bulk(tiny, source, target, bulk=BulkOptions(key=KEY, resume=True, workers=1)).rows == 20


@pytest.mark.parametrize("workers", [1, 2])
def test_full_disk_keeps_what_is_done_and_the_run_goes_on_when_there_is_space(
    write_cases, tmp_path, tiny, stumbling, monkeypatch, workers
):
    source, target = write_cases(texts(80)), tmp_path / "out.jsonl"
    sync = os.fsync

    def full(descriptor):
        if work_folder(target).joinpath("receipts", "00002.json").exists():
            raise OSError(errno.ENOSPC, "No space left on device")
        sync(descriptor)

    program = f"""
import os, errno, pathlib
sync = os.fsync
def full(descriptor):
    if pathlib.Path({str(work_folder(target) / "receipts" / "00002.json")!r}).exists():
        raise OSError(errno.ENOSPC, "No space left on device")
    sync(descriptor)
os.fsync = full
"""
    with monkeypatch.context() as patched:
        if workers == 1:
            patched.setattr(os, "fsync", full)
        else:
            stumbling(program=program)
        with pytest.raises(OutputError, match="disk is full") as caught:
            run_bulk(tiny, source, target, bulk=BulkOptions(workers=workers, shard_rows=10))
    assert "shards are done" in caught.value.__notes__[0]
    assert not target.exists()
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join(sys.path))
    seen = []
    report = run_bulk(tiny, source, target, bulk=BulkOptions(resume=True, workers=1), on_progress=seen.append)
    assert report.rows == 80
    assert seen[0].before >= 10
    assert ids_of(target) == [f"c{number}" for number in range(1, 81)]


def test_spark_names_the_extra(write_cases, tmp_path, tiny, monkeypatch):
    monkeypatch.setitem(sys.modules, "pyspark", None)
    with pytest.raises(BackendUnavailable, match=r"\[spark\]"):
        run_bulk(tiny, write_cases(texts(3)), tmp_path / "out.jsonl", bulk=BulkOptions(engine="spark"))


def test_resume_and_restart_at_once_are_refused(write_cases, tmp_path, tiny):
    with pytest.raises(RunError, match="give one of them"):
        run_bulk(tiny, write_cases(texts(3)), tmp_path / "out.jsonl", bulk=BulkOptions(resume=True, restart=True))


class TestCommand:
    @pytest.fixture(autouse=True)
    def _bundle(self, use_tiny_bundle):
        return use_tiny_bundle

    @on_linux
    @pytest.mark.slow  # the tests by force kill runs too
    def test_killed_run_leaves_no_worker_and_goes_on(self, write_cases, tmp_path, stumbling, workers_of):
        log = stumbling(pause=0.05)
        source, target = write_cases(texts(150)), tmp_path / "out.jsonl"
        receipts = work_folder(target) / "receipts"
        with subprocess.Popen(
            command("bulk", source, "-o", target, "--workers", 2, "--shard-rows", 5),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        ) as run:
            wait_for(lambda: receipts.is_dir() and len(list(receipts.glob("*.json"))) >= 3)
            workers = workers_of(run.pid)
            run.kill()
        assert workers
        wait_for(lambda: not any(Path(f"/proc/{worker}/stat").exists() for worker in workers))
        assert not target.exists()
        done = len(list(receipts.glob("*.json")))
        log.write_text("")
        resumed = subprocess.run(
            command("bulk", source, "-o", target, "--resume", "--workers", 2), capture_output=True, check=False
        )
        assert resumed.returncode == 3, resumed.stderr.decode()
        assert len(log.read_text().split()) <= 150 - 5 * done
        assert ids_of(target) == [f"c{number}" for number in range(1, 151)]
        assert not work_folder(target).exists()

    @on_linux
    def test_run_that_is_asked_to_end_says_how_to_go_on(self, write_cases, tmp_path, stumbling, workers_of):
        stumbling(pause=0.05)
        source, target = write_cases(texts(150)), tmp_path / "out.jsonl"
        receipts = work_folder(target) / "receipts"
        with subprocess.Popen(
            command("bulk", source, "-o", target, "--workers", 2, "--shard-rows", 5, "--progress", "none"),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
        ) as run:
            wait_for(lambda: receipts.is_dir() and list(receipts.glob("*.json")))
            workers = workers_of(run.pid)
            run.terminate()
            said = run.communicate()[1].decode()
        assert run.returncode == 128 + signal.SIGTERM
        assert "shards are done" in said
        assert "--resume" in said
        assert not any(Path(f"/proc/{worker}/stat").exists() for worker in workers)
        assert (work_folder(target) / "plan.json").exists()

    def test_progress_for_programs_is_monotone_complete_and_without_content(self, write_cases, tmp_path):
        written = [f"The doctor refused {CANARY}." if number % 5 else f"{CANARY} \0" for number in range(80)]
        done = subprocess.run(
            command(
                "bulk", write_cases(written), "-o", tmp_path / "out.jsonl", "--progress", "json", "--workers", 2,
                "--shard-rows", 10,
            ),
            capture_output=True,
            check=False,
        )  # fmt: skip
        assert done.returncode == 3
        assert CANARY.encode() not in done.stdout + done.stderr
        said = [json.loads(line) for line in done.stderr.decode().splitlines()]
        assert [item["event"] for item in said] == ["progress"] * (len(said) - 1) + ["done"]
        assert all(
            set(item) == {"event", "rows", "errors", "shards_done", "shards", "rate", "seconds_left"} for item in said
        )
        for name in ("rows", "errors", "shards_done"):
            assert [item[name] for item in said] == sorted(item[name] for item in said)
        receipt = json.loads((tmp_path / "out.jsonl.receipt.json").read_text())
        assert (said[-1]["rows"], said[-1]["errors"]) == (receipt["rows"], sum(receipt["errors"].values())) == (80, 16)
        assert said[-1]["shards_done"] == said[-1]["shards"] == 8

    def test_no_progress_where_none_is_wanted(self, write_cases, tmp_path):
        done = CliRunner().invoke(
            app, ["bulk", str(write_cases(texts(3))), "-o", str(tmp_path / "out.csv"), "--progress", "none"]
        )
        assert done.exit_code == 0
        assert done.stderr == ""

    def test_unfinished_work_is_refused_with_exit_code_2(self, stopped):
        source, target = stopped
        done = CliRunner().invoke(app, ["bulk", str(source), "-o", str(target)])
        assert done.exit_code == 2
        assert "2 of 10 shards are done" in done.stderr
        assert "--resume" in done.stderr

    def test_resume_says_whether_there_is_anything_to_go_on_with(self, stopped, tmp_path):
        source, target = stopped
        done = CliRunner().invoke(app, ["bulk", str(source), "-o", str(tmp_path / "other.jsonl"), "--resume"])
        assert done.exit_code in (0, 3)
        assert "nothing to go on with" in done.stderr
        done = CliRunner().invoke(app, ["bulk", str(source), "-o", str(target), "--resume", "--workers", "1"])
        assert "nothing to go on with" not in done.stderr

    def test_key_of_the_environment_seals_the_work(self, stopped, monkeypatch):
        source, target = stopped
        from base64 import urlsafe_b64encode

        monkeypatch.setenv("CASECODER_KEY", urlsafe_b64encode(KEY).decode())
        done = CliRunner().invoke(app, ["bulk", str(source), "-o", str(target), "--resume"])
        assert done.exit_code == 2
        assert "begun without a key" in done.stderr
        shutil.rmtree(work_folder(target))
        assert CliRunner().invoke(app, ["bulk", str(source), "-o", str(target)]).exit_code == 3
