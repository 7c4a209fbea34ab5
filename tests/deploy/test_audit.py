"""`make audit` against a database of vulnerabilities that runs here. Silence is no answer."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

import pytest

FLAW = {
    "schema_version": "1.6.0",
    "id": "GHSA-0000-0000-0000",
    "aliases": ["CVE-2031-0001"],
    "summary": "An invented flaw",
    "affected": [
        {
            "package": {"name": "jinja2", "ecosystem": "PyPI"},
            "ranges": [{"type": "ECOSYSTEM", "events": [{"introduced": "0"}, {"fixed": "99.1"}]}],
        }
    ],
}


@dataclass
class Database:
    """Answers as OSV does; it knows of flaws in these packages, and remembers what it was asked."""

    flawed: set[str] = field(default_factory=set)
    status: int = 200
    asked: list[tuple[str, str]] = field(default_factory=list)
    url: str = ""


@pytest.fixture
def database() -> Iterator[Database]:
    known = Database()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            query = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            name = query["package"]["name"]
            known.asked.append((name, query["version"]))
            body = json.dumps({"vulns": [FLAW]} if name in known.flawed else {}).encode()
            self.send_response(known.status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *args: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        known.url = f"http://127.0.0.1:{server.server_port}/v1/query"
        thread = Thread(target=server.serve_forever)
        thread.start()
        yield known
        server.shutdown()
        thread.join()


@pytest.fixture
def audit(root, database):
    pytest.importorskip("pip_audit", reason="needs the extra supply")

    def audit(*options):
        command = [sys.executable, str(root / "deploy" / "audit.py"), "--osv-url", database.url, *options]
        return subprocess.run(command, capture_output=True, text=True, check=False)

    return audit


def test_every_release_of_both_locks_is_asked_for(audit, database, deploy):
    done = audit()
    locks = deploy["locks"]
    locked = {(one.name, one.version) for path in (locks.SERVICE, locks.DEVELOPMENT) for one in locks.read_lock(path)}
    assert done.returncode == 0, done.stderr
    assert sorted(database.asked) == sorted(locked)
    assert done.stdout == f"{len(locked)} releases asked for; known vulnerabilities: 0\n"


def test_a_known_vulnerability_is_told_and_fails(audit, database):
    database.flawed = {"jinja2"}
    done = audit()
    assert done.returncode == 1
    assert "CVE-2031-0001, GHSA-0000-0000-0000; mended in 99.1" in done.stdout
    assert done.stdout.endswith("; known vulnerabilities: 1\n")


def test_a_vulnerability_that_was_looked_at_can_be_left_out_by_name(audit, database):
    database.flawed = {"jinja2"}
    assert audit("--ignore-vuln", "CVE-2031-0001").returncode == 0


@pytest.mark.parametrize("silence", ["not there", "out of order"])
def test_no_answer_is_not_taken_for_no_vulnerability(audit, database, silence):
    if silence == "not there":
        database.url = "http://127.0.0.1:9/v1/query"
    else:
        database.status = 500
    done = audit()
    assert done.returncode == 2
    assert done.stderr.startswith("NOT AUDITED: ")
    assert not done.stdout


def test_packages_are_grouped_so_that_none_is_twice_in_a_group(deploy):
    locks, groups = deploy["locks"], deploy["audit"].layers()
    locked = {(one.name, one.version) for path in (locks.SERVICE, locks.DEVELOPMENT) for one in locks.read_lock(path)}
    assert sorted(release for group in groups for release in group.items()) == sorted(locked)
