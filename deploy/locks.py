"""What a lock holds: each package with its version, its hashes and what wants it. Standard library alone."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

DEPLOY = Path(__file__).parent
ROOT = DEPLOY.parent
SERVICE = DEPLOY / "service.lock"
DEVELOPMENT = DEPLOY / "dev.lock"

PINNED = re.compile(r"(?P<name>[a-z0-9-]+)==(?P<version>[^\s;]+)(?: ; (?P<marker>[^\\]+?))?(?: \\)?")
HASH = re.compile(r"    --hash=sha256:(?P<hash>[0-9a-f]{64})(?: \\)?")
WANTED = re.compile(r"    #(?: via$| via |   )(?P<by>\S.*)?")


@dataclass(frozen=True)
class Locked:
    """One release of one package. The same package stands in a lock twice where Python versions need different ones."""

    name: str
    version: str
    marker: str | None
    hashes: tuple[str, ...]
    wanted_by: tuple[str, ...]

    @property
    def purl(self) -> str:
        """Its package URL, which names it in an SBOM and in databases of vulnerabilities."""
        return f"pkg:pypi/{self.name}@{self.version}"


def read_lock(path: Path) -> tuple[Locked, ...]:
    """The packages of a lock, in its order.

    Raises ``ValueError`` for a line that is no part of a lock, and for a package without a hash.
    """
    packages: list[Locked] = []
    for at, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1):
        if not line or line.startswith("#"):
            continue
        if found := PINNED.fullmatch(line):
            packages.append(Locked(found["name"], found["version"], found["marker"], (), ()))
        elif packages and (found := HASH.fullmatch(line) or WANTED.fullmatch(line)):
            packages[-1] = _with(packages[-1], found.groupdict())
        else:
            raise ValueError(f"{path.name}, line {at}: not a pinned package, a hash or a note. Run `make lock`.")
    bare = [package.name for package in packages if not package.hashes]
    if bare or not packages:
        raise ValueError(f"{path.name}: without a hash: {', '.join(bare) or 'everything'}. Run `make lock`.")
    return tuple(packages)


def _with(package: Locked, said: dict[str, str | None]) -> Locked:
    digest, by = said.get("hash"), said.get("by")
    hashes = (*package.hashes, digest) if digest else package.hashes
    wanted_by = (*package.wanted_by, by) if by and not by.startswith("-c ") else package.wanted_by
    return Locked(package.name, package.version, package.marker, hashes, wanted_by)
