"""Asks a public database whether anything in the locks has a known vulnerability: `make audit`.

    python deploy/audit.py [options of pip-audit]

pip-audit does the asking. By itself it would look only at what this machine would install, and take packages that the
database cannot answer for as sound; here every line of both locks is asked for, and no answer is a failure.
Exit codes: 0 nothing known, 1 something known, 2 not all could be asked. It sends names and versions of the packages,
nothing else. Needs the extra `supply` and a network.
"""

from __future__ import annotations

import importlib.util
import json
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from locks import DEVELOPMENT, SERVICE, Locked, read_lock

Releases = dict[str, str]  # version by name


class NotAsked(Exception):
    """The database was not reached, or has not answered for every package."""


def layers() -> list[Releases]:
    """Every release of both locks, in as few groups as possible without a package twice: pip-audit refuses that."""
    found: list[Releases] = []
    for name, version in sorted({(package.name, package.version) for package in _all()}):
        free = next((layer for layer in found if name not in layer), None)
        if free is None:
            found.append(free := {})
        free[name] = version
    return found


def _all() -> list[Locked]:
    return [*read_lock(SERVICE), *read_lock(DEVELOPMENT)]


def ask(releases: Releases, options: list[str]) -> list[dict[str, Any]]:
    """What pip-audit says of each of these releases."""
    with tempfile.TemporaryDirectory() as folder:
        asked = Path(folder) / "requirements.txt"
        asked.write_text("".join(f"{name}=={version}\n" for name, version in releases.items()), encoding="utf-8")
        command = ["-m", "pip_audit", "--no-deps", "--disable-pip", "--strict", "--format", "json", "-r", str(asked)]
        done = subprocess.run(  # noqa: S603  # our own arguments, and those of whoever runs it
            [sys.executable, *command, "--progress-spinner", "off", "--vulnerability-service", "osv", *options],
            capture_output=True,
            text=True,
            encoding="utf-8",
            check=False,
        )
    try:
        answers: list[dict[str, Any]] = json.loads(done.stdout)["dependencies"]
    except (ValueError, KeyError, TypeError):
        told = done.stderr.strip().splitlines() or ["it said nothing"]
        raise NotAsked(told[-1]) from None
    missing = set(releases) - {answer["name"] for answer in answers if "vulns" in answer}
    if missing:
        raise NotAsked(f"no answer for {', '.join(sorted(missing))}")
    return answers


def main() -> int:
    """Asks, and tells what is known."""
    if importlib.util.find_spec("pip_audit") is None:
        sys.stderr.write("The audit needs the extra `supply`: pip install '.[supply]'\n")
        return 2
    try:
        answers = [answer for releases in layers() for answer in ask(releases, sys.argv[1:])]
    except ValueError as error:
        sys.stderr.write(f"{error}\n")
        return 2
    except NotAsked as error:
        sys.stderr.write(
            f"NOT AUDITED: {error}\n"
            "The database of vulnerabilities has not answered for every package, so nothing is known.\n"
            "It needs a way to api.osv.dev; `make audit OPTIONS='--vulnerability-service pypi'` asks the index of\n"
            "packages instead.\n"
        )
        return 2
    known = [(answer, vulnerability) for answer in answers for vulnerability in answer["vulns"]]
    for answer, vulnerability in known:
        names = ", ".join([vulnerability["id"], *vulnerability.get("aliases", [])])
        fixed = ", ".join(vulnerability.get("fix_versions", [])) or "no version yet"
        sys.stdout.write(f"{answer['name']} {answer['version']}: {names}; mended in {fixed}\n")
    sys.stdout.write(f"{len(answers)} releases asked for; known vulnerabilities: {len(known)}\n")
    return 1 if known else 0


if __name__ == "__main__":
    sys.exit(main())
