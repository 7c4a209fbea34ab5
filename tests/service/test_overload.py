"""What the service does when more is asked of it than it can do: time is what the tests say it is, nothing is timed."""

from __future__ import annotations

import dataclasses
import time
from concurrent.futures import ThreadPoolExecutor
from threading import Event, Semaphore

import anyio.to_thread
import pytest
from prometheus_client.parser import text_string_to_metric_families

from nlp.errors import SettingsError
from service.settings import ServiceSettings
from service.turns import Turns

pytestmark = pytest.mark.mostly_sqlite

TEXT = {"text": "The doctor refused to see me."}
SINGLE, BATCH = "/v1/suggestions", "/v1/suggestions/batch"
PATIENCE = 60  # seconds until something that should happen has not


class Gate:
    """A classifier that lets through as many narratives as it was told to, each of which takes a time of its own."""

    def __init__(self, real):
        self._real = real
        self._open = Semaphore(0)
        self.at = 1000.0
        self.each = 0.0  # seconds that a narrative takes, by the clock of the test
        self.let(1_000)

    def __getattr__(self, name):
        return getattr(self._real, name)

    def clock(self):
        return self.at

    def let(self, many):
        for _ in range(many):
            self._open.release()

    def shut(self):
        while self._open.acquire(blocking=False):
            pass

    def predict_proba(self, X):
        assert self._open.acquire(timeout=PATIENCE)
        self.at += self.each
        return self._real.predict_proba(X)


@pytest.fixture
def gate(constant_pipeline):
    gate = Gate(constant_pipeline.classifier)
    yield gate
    gate.let(1_000)


@pytest.fixture
def turns(gate, monkeypatch):
    """One turn at a time, by the clock of the test."""
    turns = Turns(1, clock=gate.clock)
    monkeypatch.setattr("service.app.Turns", lambda at_once: turns)
    return turns


@pytest.fixture
def serve(constant_pipeline, gate, turns, start):
    def make(**settings):
        return start(dataclasses.replace(constant_pipeline, classifier=gate), **settings)

    return make


@pytest.fixture
def send(start, gate):
    """Sends requests in threads; depends on `start`, so that they end before the service does."""
    pool = ThreadPoolExecutor(40)
    yield lambda api, path, body: pool.submit(api.post, path, body)
    gate.let(1_000)
    pool.shutdown(wait=True)


def until(holds):
    """Wait for something that other threads do."""
    end = time.monotonic() + PATIENCE
    while not holds():
        assert time.monotonic() < end, "it never happened"
        time.sleep(0.01)


def inside(api):
    """How many narratives are inside, as the figures tell."""
    text = api.client.get("/metrics", headers={"Authorization": f"Bearer {api.keys['river']}"}).text
    families = text_string_to_metric_families(text)
    return next(item.samples[0].value for item in families if item.name == "casecoder_narratives_inside")


def refused(reply):
    """The seconds that a refusal tells to wait."""
    assert (reply.status_code, reply.json()["code"]) == (503, "limit.busy")
    return int(reply.headers["retry-after"])


def test_who_would_wait_too_long_is_refused_and_told_when_to_come_again(serve, send, gate, turns):
    api = serve(max_wait_seconds=1.2)
    gate.each = 0.5
    for _ in range(3):
        assert api.post(SINGLE, TEXT).status_code == 200
    gate.shut()
    first = send(api, SINGLE, TEXT)
    until(lambda: turns._began)
    second = send(api, SINGLE, TEXT)  # takes a second: one narrative is before it
    until(lambda: len(turns._line) == 1)
    assert refused(api.post(SINGLE, TEXT)) == 1  # would take one and a half
    gate.let(2)
    assert [item.result(PATIENCE).status_code for item in (first, second)] == [200, 200]
    gate.let(1)
    assert api.post(SINGLE, TEXT).status_code == 200


def test_more_is_let_in_where_longer_waits_are_allowed(serve, send, gate, turns):
    api = serve(max_wait_seconds=2.2)
    gate.each = 0.5
    assert api.post(SINGLE, TEXT).status_code == 200
    gate.shut()
    sent = []
    for waiting in range(4):
        sent.append(send(api, SINGLE, TEXT))
        until(lambda waiting=waiting: len(turns._line) == waiting and turns._began)
    assert refused(api.post(SINGLE, TEXT)) == 1  # four before it: two seconds and a half
    gate.let(4)
    assert [item.result(PATIENCE).status_code for item in sent] == [200] * 4


@pytest.mark.parametrize("path", [SINGLE, BATCH, "/v1/redactions", "/v1/feedback"])
def test_nobody_is_let_in_to_wait_for_models_that_are_stuck(serve, send, gate, turns, path):
    api = serve(max_wait_seconds=0.8)
    gate.shut()
    stuck = send(api, SINGLE, TEXT)
    until(lambda: turns._began)
    gate.at += 4
    body = {"narratives": [TEXT] * 2} if path == BATCH else TEXT
    assert refused(api.post(path, body)) == 4  # 3.2 seconds too long
    gate.at += 1_000
    assert refused(api.post(path, body)) == 60
    gate.let(1)
    assert stuck.result(PATIENCE).status_code == 200
    assert inside(api) == 0


def test_batch_weighs_its_narratives_and_lets_single_ones_come_in_between(serve, send, gate, turns):
    api = serve(max_wait_seconds=0.8)
    gate.each = 0.05
    assert api.post(SINGLE, TEXT).status_code == 200
    gate.shut()
    batch = send(api, BATCH, {"narratives": [TEXT] * 64})
    until(lambda: turns._began)
    assert inside(api) == 64
    assert refused(api.post(BATCH, {"narratives": [TEXT] * 2})) == 3  # 3.2 seconds of work are before it
    single = send(api, SINGLE, TEXT)
    until(lambda: len(turns._line) == 1)
    assert inside(api) == 65
    gate.let(2)  # one of the batch, then the single one
    assert single.result(PATIENCE).status_code == 200
    assert not batch.done()
    until(lambda: inside(api) == 63)
    gate.let(63)
    assert all(item["suggestions"] for item in batch.result(PATIENCE).json()["results"])
    assert inside(api) == 0


def test_batch_that_is_refused_by_the_schema_leaves_nothing_behind(serve):
    api = serve()
    assert api.post(BATCH, {"narratives": [TEXT] * 65}).status_code == 422
    assert inside(api) == 0


@pytest.mark.parametrize("value", ["0", "-1", "700", "soon", "nan"])
def test_longest_wait_that_cannot_be_is_refused(value):
    with pytest.raises(SettingsError, match="CASECODER_MAX_WAIT_SECONDS"):
        ServiceSettings.from_env({"CASECODER_MAX_WAIT_SECONDS": value})


def test_longest_wait_is_read_from_the_environment():
    assert ServiceSettings.from_env({}).max_wait_seconds == 0.6
    assert ServiceSettings.from_env({"CASECODER_MAX_WAIT_SECONDS": "2.5"}).max_wait_seconds == 2.5


# Without a thread


@pytest.fixture
def no_thread(start):
    """Takes all threads of a service; what it gives lets them go. Depends on `start`, to let them go before the end."""
    free = Event()

    def take(api):
        portal = api.client.portal
        threads = portal.call(anyio.to_thread.current_default_thread_limiter)
        for _ in range(int(threads.available_tokens)):
            portal.start_task_soon(anyio.to_thread.run_sync, free.wait)
        until(lambda: portal.call(lambda: threads.available_tokens) == 0)
        return free

    yield take
    free.set()


@pytest.mark.parametrize("who", ["bird", None])
def test_refusal_waits_for_no_thread(serve, send, gate, turns, no_thread, who):
    """Not for the one that looks up a key either."""
    api = serve(max_wait_seconds=0.8)
    gate.shut()
    stuck = send(api, SINGLE, TEXT)
    until(lambda: turns._began)
    gate.at += 4
    free = no_thread(api)
    with ThreadPoolExecutor(1) as pool:
        reply = pool.submit(api.post, SINGLE, TEXT, who)
        try:
            assert refused(reply.result(PATIENCE)) == 4
        finally:
            free.set()
            gate.let(1)
    assert stuck.result(PATIENCE).status_code == 200


def test_service_is_alive_and_ready_while_every_thread_is_busy(api, no_thread):
    free = no_thread(api)
    with ThreadPoolExecutor(3) as pool:
        scrape = pool.submit(api.get, "/metrics", "river")
        asked = [pool.submit(api.client.get, path) for path in ("/health/live", "/health/ready")]
        try:
            assert [item.result(PATIENCE).status_code for item in asked] == [200, 200]
            assert not scrape.done()  # there really was no thread
        finally:
            free.set()
        assert scrape.result(PATIENCE).status_code == 200


def test_service_is_alive_while_its_figures_are_written(api, monkeypatch, request):
    begun, free = Event(), Event()
    request.addfinalizer(free.set)
    metrics = api.client.app.state.metrics
    written = metrics.text

    def slowly():
        begun.set()
        assert free.wait(PATIENCE)
        return written()

    monkeypatch.setattr(metrics, "text", slowly)
    with ThreadPoolExecutor(2) as pool:
        scrape = pool.submit(api.get, "/metrics", "river")
        assert begun.wait(PATIENCE)
        try:
            assert pool.submit(api.client.get, "/health/live").result(PATIENCE).status_code == 200
            assert not scrape.done()
        finally:
            free.set()
        assert scrape.result(PATIENCE).text.startswith("# HELP casecoder_")
