"""Jobs in processes of their own: what they leave behind when they end, and that killing any of them loses nothing."""

from __future__ import annotations

import base64
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from sqlalchemy import delete

from nlp.errors import SettingsError
from nlp.settings import Settings
from service.jobs.children import ChildFailed, ask_child, environment
from service.jobs.folders import JobFiles
from service.jobs.looking import LookingTask
from service.jobs.options import JobOptions
from service.routes.jobs import look_apart
from service.settings import ServiceSettings
from service.store.access import LOCAL
from service.store.jobs import cancel_job, create_job, job_key, new_job_id, new_job_key, read_job, start_job
from service.store.sealing import Keyring
from service.store.store import Store
from service.store.tables import Lease

pytestmark = pytest.mark.skipif(not Path("/proc").is_dir(), reason="looks at processes as Linux shows them")

CANARY = "Qazanarbek"
KEY = bytes(range(32))
ROWS = 2_000  # so many that nobody codes them in the second until they are seen to be coded
PATIENCE = 180.0  # seconds until something that should happen has not


class Site:
    """A store with a job in its queue, and runners that are started for it."""

    def __init__(self, folder, bundle, rows):
        self.url = f"sqlite:///{(folder / 'store.db').as_posix()}"
        self.store = Store.open(self.url, Keyring([KEY]))
        self.settings = ServiceSettings(nlp=Settings(bundle=str(bundle)), database=self.url)
        self.files = JobFiles.of(self.store, self.settings)
        self.job, key = new_job_id(), new_job_key()
        table = "id,text\n" + "".join(f"{at},The doctor refused to see {CANARY} number {at}.\n" for at in range(rows))
        self.files.write(self.job, "input", table.encode(), key)
        create_job(self.store, self.job, key, LOCAL, file_name="cases.csv", size=len(table), days=1)
        start_job(self.store, self.job, LOCAL, {"text_column": 2})
        self.runners = []

    def run(self, **settings):
        variables = {
            "CASECODER_DATABASE": self.url,
            "CASECODER_KEY": base64.urlsafe_b64encode(KEY).decode(),
            "CASECODER_BUNDLE": self.settings.nlp.bundle,
            "CASECODER_JOB_PRIORITY": "low",  # a busy machine would let these tests starve
            **settings,
        }
        runner = subprocess.Popen(
            [sys.executable, "-m", "service.jobs.runner"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            env={**environment(), **variables},
        )
        self.runners.append(runner)
        return runner

    def until(self, what):
        end = time.monotonic() + PATIENCE
        while not what():
            assert time.monotonic() < end, read_job(self.store, self.job)
            time.sleep(0.05)

    def state(self):
        return read_job(self.store, self.job).state

    def is_coding(self):
        return read_job(self.store, self.job).facts.get("shards_done", 0) > 0

    def free_queue(self):
        with self.store.database.writing() as session:
            session.execute(delete(Lease))

    def output(self):
        key = job_key(self.store, self.job)
        return self.files.read(self.job, "output", key).decode("utf-8-sig").splitlines()

    def close(self):
        for runner in self.runners:
            runner.kill()
            runner.communicate()
        self.store.close()


@pytest.fixture
def site(tmp_path, tiny_bundle):
    made = []

    def make(rows):
        made.append(Site(tmp_path, tiny_bundle, rows))
        return made[-1]

    yield make
    for one in made:
        one.close()


def children_of(pid):
    try:
        found = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    except OSError:
        return []
    return [int(one) for one in found]


def is_alive(pid):
    try:
        return "Z" not in Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return False


def test_job_goes_on_when_its_process_or_its_runner_is_killed(site):
    site = site(ROWS)
    runner = site.run()
    site.until(site.is_coding)
    (child,) = children_of(runner.pid)
    os.kill(child, signal.SIGKILL)
    site.until(lambda: children_of(runner.pid) not in ([], [child]))
    (child,) = children_of(runner.pid)
    runner.kill()
    runner.wait()
    site.until(lambda: not is_alive(child))
    assert site.state() == "running"
    site.free_queue()
    site.run()
    site.until(lambda: site.state() == "done")
    lines = site.output()
    assert len(lines) == ROWS + 1
    assert [line.split(",")[0] for line in lines[1:]] == [str(at) for at in range(ROWS)]


def test_runner_that_is_asked_to_end_stops_its_job_in_order_and_says_no_text(site):
    site = site(ROWS)
    runner = site.run()
    site.until(site.is_coding)
    (child,) = children_of(runner.pid)
    (worker,) = children_of(child)  # one of its own, so that a row that never ends holds up nobody
    runner.send_signal(signal.SIGTERM)
    said, _ = runner.communicate(timeout=PATIENCE)
    assert runner.returncode == 0
    assert not is_alive(child)
    assert not is_alive(worker)
    assert CANARY.encode() not in said
    assert site.state() == "running"
    for path in site.files.folder.rglob("*"):
        assert not path.is_file() or CANARY.encode() not in path.read_bytes()


@pytest.mark.slow
def test_running_job_is_cancelled_within_seconds(site):
    site = site(ROWS)
    site.run()
    site.until(site.is_coding)
    cancel_job(site.store, site.job, LOCAL, days=1)
    site.until(lambda: site.state() == "cancelled")


GOING_LAST = """
import os, subprocess, sys, threading
from service.jobs.children import go_last

def wait():
    held.wait()

held = threading.Event()
before = threading.Thread(target=wait)
before.start()
go_last()
after = threading.Thread(target=wait)
after.start()
found = {os.sched_getscheduler(thread) for thread in (0, before.native_id, after.native_id)}
asked = "import os; print(os.sched_getscheduler(0))"
found.add(int(subprocess.run([sys.executable, "-c", asked], capture_output=True, check=True).stdout))
held.set()
print(found == {os.SCHED_IDLE})
"""


def test_threads_from_before_and_all_that_is_started_later_go_last():
    said = subprocess.check_output([sys.executable, "-c", GOING_LAST], env=environment(), timeout=PATIENCE)
    assert said.strip() == b"True"


def test_priority_of_jobs_is_one_of_two():
    assert ServiceSettings.from_env({}).job_priority == "idle"
    assert ServiceSettings.from_env({"CASECODER_JOB_PRIORITY": "low"}).job_priority == "low"
    with pytest.raises(SettingsError, match="idle or low"):
        ServiceSettings.from_env({"CASECODER_JOB_PRIORITY": "Zarina"})


@pytest.mark.slow  # on a busy machine
@pytest.mark.parametrize("workers", ["1", "2"])
def test_all_of_a_job_takes_only_what_nobody_else_wants(site, workers):
    site = site(ROWS)
    runner = site.run(CASECODER_JOB_WORKERS=workers, CASECODER_JOB_PRIORITY="idle")
    site.until(site.is_coding)
    (child,) = children_of(runner.pid)
    processes = [child, *children_of(child)]
    assert len(processes) == 1 + int(workers)
    threads = [int(path.name) for pid in processes for path in Path(f"/proc/{pid}/task").iterdir()]
    assert {os.sched_getscheduler(thread) for thread in threads} == {os.SCHED_IDLE}
    assert os.sched_getscheduler(runner.pid) == os.SCHED_OTHER  # it holds the queue, and must not starve


def test_file_is_looked_at_in_a_process_of_its_own(site):
    site = site(3)
    key = job_key(site.store, site.job)
    task = LookingTask("preview", site.files.folder.resolve(), site.job, key, ".csv", JobOptions())
    assert look_apart(task)["columns"] == ["id", "text"]
    site.files.write(site.job, "input", b"PK\x03\x04", key)
    broken = LookingTask("preview", site.files.folder.resolve(), site.job, key, ".xlsx", JobOptions())
    with pytest.raises(ChildFailed) as caught:
        look_apart(broken)
    assert "/dev" not in str(caught.value)


HUNGRY = """
from service.jobs.children import be_child

be_child(lambda task, tell: tell(event="done", size=len(bytearray(task["bytes"]))), memory=500_000_000)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux limits it")
def test_process_that_wants_more_memory_than_it_may_have_fails_with_a_sentence(tmp_path, monkeypatch):
    (tmp_path / "hungry.py").write_text(HUNGRY)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    assert ask_child("hungry", {"bytes": 1_000_000}, seconds=PATIENCE)["size"] == 1_000_000
    with pytest.raises(ChildFailed, match="not enough memory") as caught:
        ask_child("hungry", {"bytes": 1_000_000_000}, seconds=PATIENCE)
    assert caught.value.reason == "job.memory"
