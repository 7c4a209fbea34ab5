"""Where no other machine can be reached: all works, and nothing tries. All people, numbers and places are invented."""

from __future__ import annotations

import csv
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

TESTS = Path(__file__).parent
WITHOUT_NETWORK = TESTS / "without_network.py"
REACHED_OUT, IMPOSSIBLE = 99, 125
ELSEWHERE = {
    "connection": "import socket; socket.socket().connect_ex(('192.0.2.1', 443))",
    "datagram": "import socket; s = socket.socket(type=socket.SOCK_DGRAM); s.connect_ex(('192.0.2.1', 53))",
    "lookup": "import socket\ntry: socket.getaddrinfo('cases.example.org', 443)\nexcept OSError: pass",
    "program without our hooks": "import subprocess, sys; subprocess.run([sys.executable, '-I', '-S', '-c', "
    "'import socket; socket.socket().connect_ex((\"192.0.2.1\", 443))'], check=True)",
    "another version of the protocol": "import socket; socket.socket(socket.AF_INET6).connect_ex(('2001:db8::1', 443))",
}
HERE = """
import socket
with socket.create_server(("127.0.0.1", 0)) as server:
    socket.create_connection(("localhost", server.getsockname()[1]), 5).close()
raise SystemExit(7)
"""
SERVING = """
import http.client, json, subprocess, sys, time

def ask(method, path, body=None):
    connection = http.client.HTTPConnection("127.0.0.1", 8000, timeout=30)
    connection.request(method, path, body, {"Content-Type": "application/json"})
    answer = connection.getresponse()
    return answer.status, answer.read().decode()

serving = subprocess.Popen([sys.executable, "-m", "service", "run", "--port", "8000"])
try:
    while True:
        assert serving.poll() is None, "the service has ended"
        try:
            if ask("GET", "/health/ready")[0] == 200:
                break
        except OSError:
            pass
        time.sleep(0.1)
    assert ask("GET", "/")[0] == 200
    print(*ask("POST", "/v1/suggestions", json.dumps({"text": sys.stdin.read()})))
    time.sleep(4)  # what wants to call home may take its time
finally:
    serving.terminate()
    serving.wait(30)
"""

Run = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """An empty home folder."""
    folder = tmp_path / "home"
    folder.mkdir()
    return folder


@pytest.fixture
def run(root: Path, home: Path) -> Run:
    """Runs Python with these arguments where there is no network."""
    elsewhere = {"HOME": str(home), "XDG_CACHE_HOME": str(home / ".cache"), "PYTHONDONTWRITEBYTECODE": "1"}

    def run(*arguments: str, given: str = "") -> subprocess.CompletedProcess[str]:
        command = [sys.executable, str(WITHOUT_NETWORK), sys.executable, *arguments]
        done = subprocess.run(
            command,
            input=given,
            capture_output=True,
            encoding="utf-8",
            cwd=root,
            env={**os.environ, **elsewhere},
            check=False,
        )
        if done.returncode == IMPOSSIBLE:
            pytest.skip(done.stderr.strip())
        return done

    return run


@pytest.mark.parametrize("attempt", ELSEWHERE)
def test_reaching_for_another_machine_is_noticed(run, attempt):
    assert run("-c", ELSEWHERE[attempt]).returncode == REACHED_OUT


def test_talking_to_this_machine_is_no_attempt(run):
    assert run("-c", HERE).returncode == 7


@pytest.fixture
def case(root: Path) -> str:
    """The first of the example cases: it tells that a patient with HIV was turned away, and names her."""
    with (root / "annotations" / "examples" / "cases.csv").open(encoding="utf-8", newline="") as cases:
        return next(csv.DictReader(cases))["text"]


def _has_kept_to_itself(done, home):
    """Neither an attempt, nor a number of this machine or a message laid by in the home folder for another time."""
    assert done.returncode == 0, done.stderr
    assert [str(path.relative_to(home)) for path in home.rglob("*")] == []


def _is_coded_and_hidden(answer):
    assert "health.denial" in answer
    assert "[PERSON_1]" in answer
    assert "Toktosunova" not in answer


@pytest.mark.slow  # the service answers the same case below
def test_suggesting_needs_no_network_and_tries_none(run, home, case):
    done = run("-c", "from nlp.cli import command_line; command_line()", "suggest", "--json", given=case)
    _has_kept_to_itself(done, home)
    _is_coded_and_hidden(done.stdout)


def test_a_table_is_coded_without_a_network_and_without_trying(run, home, root, tmp_path):
    cases, coded = root / "annotations" / "examples" / "cases.csv", tmp_path / "coded.csv"
    done = run("-c", "from nlp.cli import command_line; command_line()", "bulk", str(cases), "-o", str(coded))
    _has_kept_to_itself(done, home)
    with cases.open(encoding="utf-8", newline="") as given, coded.open(encoding="utf-8-sig", newline="") as made:
        assert [row["id"] for row in csv.DictReader(made)] == [row["id"] for row in csv.DictReader(given)]


def test_the_service_answers_without_a_network_and_without_trying(run, home, case):
    done = run("-c", SERVING, given=case)
    _has_kept_to_itself(done, home)
    assert done.stdout.startswith("200 ")
    _is_coded_and_hidden(done.stdout)
