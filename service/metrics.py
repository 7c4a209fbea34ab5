"""Figures for Prometheus: counts, durations, the queue, the bundle. Labels are templates of routes and status codes; no
text, no case id, no key."""

from __future__ import annotations

import os

from prometheus_client import (
    CONTENT_TYPE_LATEST,
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    generate_latest,
    multiprocess,
)

_SECONDS = (0.01, 0.025, 0.05, 0.1, 0.2, 0.4, 0.8, 1.6, 3.2, 6.4)
SHARED = "PROMETHEUS_MULTIPROC_DIR"
"""Variable with the folder in which several workers put their figures together."""


def known_method(method: str) -> str:
    """The method of a request, or ``other``: anybody may send any word."""
    return method if method in ("GET", "POST", "DELETE", "HEAD", "OPTIONS") else "other"


class Metrics:
    """The figures of one process, or with `SHARED` of all workers together."""

    content_type = CONTENT_TYPE_LATEST

    def __init__(self) -> None:
        self._registry = CollectorRegistry()
        self._requests = Counter(
            "casecoder_requests_total",
            "Requests answered.",
            ["route", "method", "status"],
            registry=self._registry,
        )
        self._seconds = Histogram(
            "casecoder_request_seconds", "Time to the answer.", ["route"], buckets=_SECONDS, registry=self._registry
        )
        self.waiting = Gauge(
            "casecoder_narratives_inside",
            "Narratives that are worked on or wait.",
            registry=self._registry,
            multiprocess_mode="livesum",
        )
        self._bundle = Gauge(
            "casecoder_bundle",
            "1 for the bundle that is served, 0 for one that was.",
            ["bundle", "codebook"],
            registry=self._registry,
            multiprocess_mode="max",
        )
        self._served: tuple[str, str] | None = None

    def request(self, route: str, method: str, status: int, seconds: float) -> None:
        """Count a request."""
        self._requests.labels(route, known_method(method), str(status)).inc()
        self._seconds.labels(route).observe(seconds)

    def bundle(self, name: str, codebook: str) -> None:
        """Tell which bundle is served."""
        if self._served and self._served != (name, codebook):
            self._bundle.labels(*self._served).set(0)
        self._served = (name, codebook)
        self._bundle.labels(name, codebook).set(1)

    def text(self) -> bytes:
        """All figures as Prometheus reads them."""
        registry = self._registry
        if SHARED in os.environ:
            registry = CollectorRegistry()
            multiprocess.MultiProcessCollector(registry)  # type: ignore[no-untyped-call]
        return generate_latest(registry)
