"""A bulk job of a running service, which goes on and pauses as a measurement wants it."""

from __future__ import annotations

import csv
import http.client
import io
import json
import time
from collections.abc import Sequence
from typing import Any

from serving import Caller, Service

_TICK = 0.25  # seconds between two looks
_PATIENCE = 180.0  # seconds until a row is coded: on a machine that others use, a job starves


class BulkJob:
    """A file of narratives, uploaded as CSV; each of ``copies`` has a number of its own at its end."""

    def __init__(self, service: Service, texts: Sequence[tuple[str, str]], *, copies: int) -> None:
        self._service = service
        self._caller = Caller(service)
        self.id = self._upload(_csv([text for text, _ in texts], copies))

    def go_on(self) -> int:
        """Start it, or go on; the rows that are coded when the first one of this time is."""
        self._ask("POST", "/start", {"text_column": 2, "id_column": 1})
        end = time.monotonic() + _PATIENCE
        while not (rows := self._rows(self._until("running"))):
            if time.monotonic() > end:
                raise RuntimeError("the job gets nothing of this machine: is it quiet?")
            time.sleep(_TICK)
        return rows

    def pause(self) -> int:
        """Cancel it; the rows that were coded when it was asked to."""
        rows = self._rows(self._until("running"))
        self._ask("POST", "/cancel", {})
        self._until("cancelled")
        return rows

    def _rows(self, job: dict[str, Any]) -> int:
        progress = job["progress"]
        return int(progress["rows"]) if progress["phase"] == "coding" else 0

    def _until(self, state: str) -> dict[str, Any]:
        while (job := self._ask("GET", ""))["state"] != state:
            if job["state"] in ("done", "failed"):
                raise RuntimeError(f"the job is {job['state']} before the measurement is: {job['error']}")
            time.sleep(_TICK)
        return job

    def _ask(self, method: str, path: str, body: object = None) -> dict[str, Any]:
        found: dict[str, Any] = self._caller.send(method, f"/v1/jobs/{self.id}{path}", body).json()
        return found

    def _upload(self, table: bytes) -> str:
        connection = http.client.HTTPConnection("127.0.0.1", self._service.port, timeout=60)
        headers = {
            "Authorization": f"Bearer {self._service.key}",
            "Content-Type": "application/octet-stream",
            "X-File-Name": "cases.csv",
        }
        connection.request("POST", "/v1/jobs", table, headers)
        return str(json.loads(connection.getresponse().read())["id"])


def _csv(texts: Sequence[str], copies: int) -> bytes:
    stream = io.StringIO()
    writer = csv.writer(stream)
    writer.writerow(["case", "narrative"])
    for copy in range(copies):
        writer.writerows([f"L-{copy}-{at}", f"{text} ({copy}.{at})"] for at, text in enumerate(texts))
    return stream.getvalue().encode()
