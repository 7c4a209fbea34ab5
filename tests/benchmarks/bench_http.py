"""Latency of one suggestion over HTTP beside the pipeline's own time; start-up time of service and command.

    python tests/benchmarks/bench_http.py [REQUESTS]

Starts the service on a loopback port, sends narratives of the corpus, and stops it.
"""

from __future__ import annotations

import http.client
import json
import socket
import subprocess
import sys
import time
from itertools import cycle, islice

from texts import ROOT, narratives, percentiles

CODE = "import sys; from service.cli import app; sys.argv = ['casecoder-serve', 'run', '--port', sys.argv[1]]; app()"


def of_usual_length(number: int) -> list[tuple[str, str]]:
    """Narratives of 80 to 120 words, and their languages."""
    return list(islice(cycle(item for item in narratives() if 80 <= len(item[0].split()) <= 120), number))


def free_port() -> int:
    """A port that is free now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def wait_until_ready(port: int) -> float:
    """Seconds until the service is ready."""
    started = time.perf_counter()
    while time.perf_counter() - started < 60:
        try:
            connection = http.client.HTTPConnection("127.0.0.1", port, timeout=1)
            connection.request("GET", "/health/ready")
            if connection.getresponse().status == 200:
                return time.perf_counter() - started
        except OSError:
            time.sleep(0.02)
    raise SystemExit("the service did not become ready within 60 s")


def main() -> None:
    requests = int(sys.argv[1]) if len(sys.argv) > 1 else 500
    texts = of_usual_length(requests)
    port = free_port()
    server = subprocess.Popen([sys.executable, "-c", CODE, str(port)], cwd=ROOT, stderr=subprocess.DEVNULL)
    try:
        ready = wait_until_ready(port)
        over_http = []
        connection = http.client.HTTPConnection("127.0.0.1", port)
        for text, language in texts:
            body = json.dumps({"text": text, "language": language}).encode()
            started = time.perf_counter()
            connection.request("POST", "/v1/suggestions", body, {"Content-Type": "application/json"})
            connection.getresponse().read()
            over_http.append(time.perf_counter() - started)
    finally:
        server.terminate()
        server.wait()
    sys.path.insert(0, str(ROOT))
    from nlp import Narrative, load_pipeline

    pipeline = load_pipeline()
    pipeline.analyze_one(Narrative(texts[0][0], language=texts[0][1]))
    alone = []
    for text, language in texts:
        started = time.perf_counter()
        pipeline.analyze_one(Narrative(text, language=language))
        alone.append(time.perf_counter() - started)
    started = time.perf_counter()
    subprocess.run(
        [sys.executable, "-c", "from nlp.cli import app; app(['--version'])"],
        cwd=ROOT,
        check=True,
        stdout=subprocess.DEVNULL,
    )
    command = time.perf_counter() - started
    figures = {
        "requests": requests,
        "http": percentiles(over_http),
        "pipeline": percentiles(alone),
        "service_ready_s": round(ready, 2),
        "command_start_s": round(command, 2),
    }
    sys.stdout.write(json.dumps(figures) + "\n")


if __name__ == "__main__":
    main()
