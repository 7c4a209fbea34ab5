"""Knocks at ports from the machine that this runs on, as a program of a stranger does.

Standard input: a JSON list of places, each [address, port, what to say (hexadecimal), seconds to wait for an answer].
Standard output: a JSON list of the answers, in the same order; empty where nothing is said, null where nobody listens.
"""

from __future__ import annotations

import json
import socket
import sys
import time
from concurrent.futures import ThreadPoolExecutor

MOST = 1 << 16  # bytes of an answer


def knock(address: str, port: int, said: str, patience: float) -> str | None:
    until = time.monotonic() + patience
    try:
        connection = socket.create_connection((address, port), timeout=patience)
    except OSError:
        return None
    answer = b""
    with connection:
        try:
            connection.sendall(bytes.fromhex(said))
            while len(answer) < MOST and (left := until - time.monotonic()) > 0:
                connection.settimeout(left)
                if not (part := connection.recv(MOST)):
                    break
                answer += part
        except OSError:  # it is closed, or silent
            pass
    return answer.hex()


def main() -> None:
    places = json.load(sys.stdin)
    with ThreadPoolExecutor(max(len(places), 1)) as pool:
        json.dump(list(pool.map(lambda place: knock(*place), places)), sys.stdout)


if __name__ == "__main__":
    main()
