"""Runs a command where no other machine can be reached, and counts attempts to reach one.

    python tests/without_network.py COMMAND ...

The command gets a network namespace of its own (Linux) with the loopback and no route. Whatever in it sends a packet to
another address, be it Python, a library in C or a browser, is refused by the kernel at once and counted by it. Names
that Python looks up are counted too. Variables that quiet libraries, or tell them that tests run, are taken away: they
must behave as they do on the machine of a user.

Exit codes: the command's own; 99 if there was an attempt; 125 if there can be no such namespace here.
"""

from __future__ import annotations

import os
import shutil
import socket
import struct
import subprocess
import sys
import tempfile
from pathlib import Path

REACHED_OUT = 99
IMPOSSIBLE = 125
SIOCGIFFLAGS, SIOCSIFFLAGS, IFF_UP = 0x8913, 0x8914, 1  # Linux, netdevice(7)
RECORDER = Path(__file__).parent / "outbound"
INSIDE = "--inside"
QUIETING = (
    "BUILD_ID CI DO_NOT_TRACK GITHUB_ACTIONS GITLAB_CI HF_HUB_DISABLE_TELEMETRY HF_HUB_OFFLINE JENKINS_URL "
    "ORT_DISABLE_TELEMETRY ORT_RUNNING_UNIT_TESTS TEAMCITY_VERSION TF_BUILD TRAVIS"
).split()


def obstacle() -> str | None:
    """Why there can be no namespace here, or None."""
    if not sys.platform.startswith("linux"):
        return "network namespaces are there on Linux only"
    if shutil.which("unshare") is None:
        return "the program unshare (package util-linux) is not installed"
    done = subprocess.run(_unshared("true"), capture_output=True, text=True, check=False)
    if done.returncode:
        return f"this system lets you make no network namespace: {done.stderr.strip()}. Run it as root."
    return None


def _unshared(*command: str) -> list[str]:
    return ["unshare", "--map-root-user", "--net", *command]


def _raise_loopback() -> None:
    import fcntl  # not on Windows, where `obstacle` has said so before

    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as any_socket:
        answer = fcntl.ioctl(any_socket, SIOCGIFFLAGS, struct.pack("16sh14x", b"lo", 0))
        flags = struct.unpack("16sh14x", answer)[1]
        fcntl.ioctl(any_socket, SIOCSIFFLAGS, struct.pack("16sh14x", b"lo", flags | IFF_UP))


def _refused() -> int:
    """How often the kernel has found no route in this namespace."""
    names, values = (line.split() for line in Path("/proc/net/snmp").read_text().splitlines() if line.startswith("Ip:"))
    refused = int(values[names.index("OutNoRoutes")])
    version_6 = Path("/proc/net/snmp6")
    lines = version_6.read_text().splitlines() if version_6.exists() else []
    return refused + sum(int(line.split()[1]) for line in lines if line.startswith("Ip6OutNoRoutes"))


def _inside(command: list[str]) -> int:
    _raise_loopback()
    before = _refused()
    with tempfile.TemporaryDirectory() as folder:
        lookups = Path(folder) / "lookups"
        path = os.pathsep.join([str(RECORDER), *filter(None, [os.environ.get("PYTHONPATH")])])
        environment = {name: value for name, value in os.environ.items() if name not in QUIETING}
        environment |= {"PYTHONPATH": path, "CASECODER_LOOKUPS": str(lookups)}
        code = subprocess.run(command, env=environment, check=False).returncode
        names = lookups.read_text().split() if lookups.exists() else []
    attempts = _refused() - before
    if not attempts and not names:
        return code
    told = f"; names looked up: {', '.join(sorted(set(names)))}" if names else ""
    sys.stderr.write(f"{attempts} packets or connections to other machines were refused{told}\n")
    return REACHED_OUT


def main(arguments: list[str]) -> int:
    """Runs the command without a network, or says why that cannot be."""
    if arguments[:1] == [INSIDE]:
        return _inside(arguments[1:])
    if not arguments:
        sys.stderr.write(f"{__doc__}")
        return IMPOSSIBLE
    if reason := obstacle():
        sys.stderr.write(f"Nothing was run: {reason}\n")
        return IMPOSSIBLE
    command = _unshared(sys.executable, __file__, INSIDE, *arguments)
    return subprocess.run(command, check=False).returncode


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
