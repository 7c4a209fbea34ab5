"""Completes a folder of wheels, so that pip installs from it only what the lock says.

    python deploy/wheelhouse.py FOLDER

It adds requirements.txt (the lock, and casecoder's own wheel with its hash), the parts list, and SHA256SUMS of all.
"""

from __future__ import annotations

import hashlib
import sys
from pathlib import Path

from locks import SERVICE
from sbom import written


def complete(folder: Path) -> None:
    """Writes the three files. ``ValueError`` where casecoder's own wheel is not there, or more than one of it."""
    own = sorted(folder.glob("casecoder-*.whl"))
    if len(own) != 1:
        raise ValueError(f"{folder} must hold one wheel of casecoder, and holds {len(own)}.")
    itself = f"casecoder=={own[0].name.split('-')[1]} --hash=sha256:{_sha256(own[0])}\n"
    (folder / "requirements.txt").write_bytes(SERVICE.read_bytes() + itself.encode())
    (folder / "sbom.cdx.json").write_bytes(written().encode())
    files = sorted(path for path in folder.iterdir() if path.name != "SHA256SUMS")
    sums = "".join(f"{_sha256(path)}  {path.name}\n" for path in files)
    (folder / "SHA256SUMS").write_bytes(sums.encode())


def _sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def main() -> int:
    """Completes the folder that is named; 0, or 2 with a sentence."""
    if len(sys.argv) != 2:
        sys.stderr.write("Usage: python deploy/wheelhouse.py FOLDER\n")
        return 2
    try:
        complete(Path(sys.argv[1]))
    except (ValueError, OSError) as error:
        sys.stderr.write(f"{error}\n")
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
