"""Python reads this at its start where `tests/without_network.py` puts it on the path. It writes down names looked up.

A resolver on this machine, or a file of hosts, can answer for a name without any packet that the kernel would count. So
names are noticed here, and everything else by the kernel.
"""

import ipaddress
import os
import sys

LOOKUPS = {"socket.getaddrinfo", "socket.gethostbyname", "socket.gethostbyaddr"}


def _is_name(host: object) -> bool:
    text = host.decode("ascii", "replace") if isinstance(host, bytes) else str(host or "localhost")
    try:
        ipaddress.ip_address(text.partition("%")[0])
    except ValueError:
        return text != "localhost" and not text.endswith(".localhost")
    return False


def _notice(event: str, args: tuple[object, ...]) -> None:
    if event in LOOKUPS and _is_name(args[0]):
        os.write(_log, f"{args[0]!r}\n".encode())


if "CASECODER_LOOKUPS" in os.environ:
    _log = os.open(os.environ["CASECODER_LOOKUPS"], os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    sys.addaudithook(_notice)
