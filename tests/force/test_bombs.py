"""Archive bombs are refused with a sentence, in seconds, and in the memory that any file takes."""

from __future__ import annotations

import os
import subprocess
import threading
import time
from contextlib import suppress
from pathlib import Path

import pytest

from .bombs import BOMBS, QUICK
from .bulk_run import REFUSED, command
from .job_site import JobSite
from .processes import family

MOST_MEGABYTES = 300
SLOWLY = [pytest.param(name, marks=[] if name in QUICK else pytest.mark.slow) for name in BOMBS]


@pytest.fixture
def bomb(tmp_path):
    def make(name):
        ending, build = BOMBS[name]
        path = tmp_path / f"in{ending}"
        build(path)
        return path

    return make


class Watch:
    """The most memory that processes with this in their command have taken, in megabytes, as the kernel counts it."""

    def __init__(self, running):
        self.megabytes = 0.0
        self._running = running
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._look)

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *error):
        self._over.set()
        self._thread.join()

    def _look(self):
        while not self._over.wait(0.01):
            for process in family(os.getpid(), running=self._running):
                self.megabytes = max(self.megabytes, _peak(process.pid))


def _peak(pid):
    with suppress(OSError, IndexError):
        status = Path(f"/proc/{pid}/status").read_text()
        return int(status.partition("VmHWM:")[2].split()[0]) / 1024
    return 0.0


@pytest.mark.parametrize("name", SLOWLY)
def test_bomb_is_refused_by_a_run(tmp_path, tiny_bundle, bomb, told, name):
    path, target = bomb(name), tmp_path / "out.csv"
    started = time.monotonic()
    with Watch(str(path)) as watch:
        done = subprocess.run(
            command("bulk", path, "-o", target, "--bundle", tiny_bundle, "--workers", 1, "--progress", "none"),
            capture_output=True,
            text=True,
            check=False,
        )
    told(f"run: {name}", time.monotonic() - started, watch.megabytes, path)
    assert done.returncode == REFUSED, done.stderr
    assert done.stderr.startswith("casecoder: ")
    assert "internal error" not in done.stderr
    assert sorted(file.name for file in tmp_path.iterdir()) == [path.name]
    assert watch.megabytes <= MOST_MEGABYTES


@pytest.fixture(scope="module")
def site(tmp_path_factory, tiny_bundle):
    made = JobSite(tmp_path_factory.mktemp("bombs") / "site", tiny_bundle)
    made.start()
    yield made
    made.close()


@pytest.mark.slow
@pytest.mark.parametrize("name", BOMBS)
def test_bomb_that_is_brought_to_the_service_is_refused(site, bomb, told, name):
    path = bomb(name)
    status, job = site.bring(path.read_bytes(), path.name)
    assert status == 201
    started = time.monotonic()
    with Watch("service.jobs.looking") as watch:
        status, answer = site.send(f"/v1/jobs/{job['id']}/dry-run", {"text_column": 1})
    told(f"service: {name}", time.monotonic() - started, watch.megabytes, path)
    assert status == 422, answer
    assert answer["code"].startswith("job.")
    assert watch.megabytes <= MOST_MEGABYTES
    assert site.ask("GET", "/health/ready")[0] == 200
    assert site.ask("DELETE", f"/v1/jobs/{job['id']}")[0] == 204
