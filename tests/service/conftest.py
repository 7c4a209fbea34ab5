"""Stores on each database, and a service with keys, for tests of what is kept.

PostgreSQL is tested where ``CASECODER_TEST_POSTGRES`` holds the URL of a scratch database, in a schema for each test.
"""

from __future__ import annotations

import os
import secrets
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from functools import cache
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import Connection, Engine, NullPool, create_engine, make_url, text

from nlp.bulk.shard_run import LoadedBundle
from nlp.codebook import Codebook
from nlp.pipeline import Pipeline
from service.app import create_app
from service.jobs.coding import CodingTask, code_job
from service.jobs.options import JobOptions
from service.settings import ServiceSettings
from service.store.access import Principal, Scope, create_key
from service.store.engine import Database, open_engine
from service.store.feedback import Decided, NewFeedback, save_feedback
from service.store.jobs import ToReview, finish_job, job_key, next_job
from service.store.receipts import Receipt, Shown
from service.store.sealing import Keyring
from service.store.store import Store, case_digest
from service.store.tables import Base
from training.package import Identity

POSTGRES = "CASECODER_TEST_POSTGRES"
KINDS = ("sqlite", "postgresql")
SHOWN = (
    Shown("violation", "health.denial", 0.9, "suggest"),
    Shown("violation", "violence.psychological", 0.7, "suggest"),
    Shown("perpetrator", "health", 0.8, "suggest"),
    Shown("population", "plhiv", 0.97, "auto"),
    Shown("violation", "civic.hate", 0.3, "review"),
)


class FakeClock:
    """A clock that a test sets."""

    def __init__(self) -> None:
        self.at = datetime(2031, 5, 6, 12, 0, 0, 250_000, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.at

    def advance(self, **time: float) -> None:
        self.at += timedelta(**time)


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def old_key() -> bytes:
    return bytes(range(32))


@pytest.fixture
def new_key() -> bytes:
    return bytes(range(100, 132))


@pytest.fixture
def keyring(old_key: bytes) -> Keyring:
    return Keyring([old_key])


@pytest.fixture(scope="session")
def on_postgres() -> Iterator[Callable[[str], None]]:
    """Sends a statement to the scratch database, over one connection that is opened when it is first needed."""
    with ExitStack() as held:

        @cache
        def connection() -> Connection:
            engine = create_engine(os.environ[POSTGRES], poolclass=NullPool, isolation_level="AUTOCOMMIT")
            return held.enter_context(engine.connect())

        def send(statement: str) -> None:
            connection().execute(text(statement))

        yield send


@pytest.fixture
def new_url(tmp_path: Path, on_postgres: Callable[[str], None]) -> Iterator[Callable[[str], str]]:
    """Makes the URL of a fresh database of a kind; takes it away after the test."""
    made: list[str] = []

    def make(kind: str) -> str:
        if kind == "sqlite":
            folder = tmp_path / f"database-{secrets.token_hex(4)}"
            folder.mkdir()
            return f"sqlite:///{(folder / 'store.db').as_posix()}"
        if not os.environ.get(POSTGRES):
            pytest.skip(f"{POSTGRES} holds no URL of a scratch PostgreSQL database")
        schema = f"test_{secrets.token_hex(6)}"
        on_postgres(f"CREATE SCHEMA {schema}")
        made.append(schema)
        facts = {"options": f"-csearch_path={schema}", "application_name": schema}
        url = make_url(os.environ[POSTGRES]).update_query_dict(facts)
        return url.render_as_string(hide_password=False)

    yield make
    for schema in made:  # a test that failed may have left a transaction open, which would keep the schema
        on_postgres(f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = '{schema}'")  # noqa: S608
        on_postgres(f"DROP SCHEMA {schema} CASCADE")


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """What PostgreSQL repeats of modules marked `mostly_sqlite` is slow, but for tests marked `both_databases`."""
    for item in items:
        kind = getattr(item, "callspec", None) and item.callspec.params.get("database_url")
        repeats = kind == "postgresql" and item.get_closest_marker("mostly_sqlite")
        if repeats and not item.get_closest_marker("both_databases"):
            item.add_marker(pytest.mark.slow)


@pytest.fixture(params=KINDS)
def database_url(request: pytest.FixtureRequest, new_url: Callable[[str], str]) -> str:
    return new_url(request.param)


@pytest.fixture(autouse=True)
def engines(new_url: object, monkeypatch: pytest.MonkeyPatch) -> Iterator[list[Engine]]:
    """The engines that a test has opened, closed after it: also those of stores that could not be opened."""
    opened: list[Engine] = []

    def recorded(url: str) -> Engine:
        opened.append(open_engine(url))
        return opened[-1]

    monkeypatch.setattr("service.store.engine.open_engine", recorded)
    monkeypatch.setattr("service.store.store.open_engine", recorded)
    yield opened
    for engine in opened:
        engine.dispose()


@pytest.fixture
def open_store(new_url: object, engines: object, keyring: Keyring, clock: FakeClock) -> Iterator[Callable[..., Store]]:
    """Opens stores, and closes them after the test."""
    opened: list[Store] = []

    def make(url: str, keys: Keyring | None = None, **options: Any) -> Store:
        store = Store.open(url, keys or keyring, **{"clock": clock, **options})
        opened.append(store)
        return store

    yield make
    for store in opened:
        store.close()


@pytest.fixture(scope="session")
def migrated(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """An empty SQLite database of this version: to make one for each test takes longer than most tests."""
    path = tmp_path_factory.mktemp("migrated") / "store.db"
    database = Database(open_engine(f"sqlite:///{path.as_posix()}"))
    database.migrate()
    database.close()
    return path.read_bytes()


@pytest.fixture
def store(database_url: str, open_store: Callable[..., Store], migrated: bytes) -> Store:
    url = make_url(database_url)
    if url.get_backend_name() != "sqlite" or not url.database:
        return open_store(database_url)
    path = Path(url.database)
    path.touch(0o600)
    path.write_bytes(migrated)
    return open_store(database_url, migrate=False)


@pytest.fixture
def new_receipt() -> Callable[..., Receipt]:
    """Makes a receipt by hand, of what the constant pipeline suggests; each of a moment of its own."""
    given = count()

    def make(store: Store, case_id: str | None = None, **values: Any) -> Receipt:
        facts = {
            "at": store.clock() + timedelta(microseconds=next(given)),
            "origin": "assisted",
            "case_digest": case_digest(store, case_id),
            "language": "en",
            "country": "Moldova",
            "bundle": "constant-1",
            "codebook": "react 1.1",
            "policy": "0123456789ab",
            "shown": SHOWN,
        }
        return Receipt(**{**facts, **values})

    return make


@pytest.fixture
def save(codebook: Codebook, new_receipt: Callable[..., Receipt]) -> Callable[..., str]:
    """Stores a decision, and gives its id."""

    def make(
        store: Store,
        text: str | None = "The doctor refused to see [PERSON_1].",
        *,
        case_id: str | None = None,
        decided: tuple[Decided, ...] = (Decided("violation", "health.denial", "accepted", primary=True),),
        principal: Principal | None = None,
        request: str | None = None,
        receipt: Receipt | None = None,
        **values: Any,
    ) -> str:
        who = principal or Principal("bird", "reactor", "key1")
        new = NewFeedback(decided, text, **values)
        # A receipt is good for one decision: tests that decide again do so with another one that says the same.
        again = replace(receipt, nonce=secrets.token_hex(8)) if receipt else new_receipt(store, case_id)
        return save_feedback(store, new, again, codebook, who, request=request)[0]

    return make


@pytest.fixture
def raw_content() -> Callable[[Store], bytes]:
    """Everything that a store has written: files with the write-ahead log, or all rows of PostgreSQL."""
    return _raw_content


def _raw_content(store: Store) -> bytes:
    url = store.database.engine.url
    if url.database and store.database.engine.dialect.name == "sqlite":
        return b"\n".join(path.read_bytes() for path in sorted(Path(url.database).parent.rglob("*")) if path.is_file())
    parts: list[bytes] = []
    with store.database.engine.connect() as connection:
        for table in Base.metadata.sorted_tables:
            for row in connection.execute(table.select()):
                parts += [value if isinstance(value, bytes) else str(value).encode() for value in row]
    return b"\n".join(parts)


@dataclass
class Api:
    """A running service and who may use it: ``bird`` and ``stone`` are REActors, ``river`` coordinates, ``hill``
    administers."""

    client: TestClient
    store: Store
    keys: dict[str, str] = field(repr=False)
    ids: dict[str, str]
    clock: FakeClock

    def send(self, method: str, path: str, who: str | None = "bird", **options: Any) -> Any:
        headers = {"Authorization": f"Bearer {self.keys[who]}"} if who else {}
        return self.client.request(method, path, headers={**headers, **options.pop("headers", {})}, **options)

    def get(self, path: str, who: str | None = "bird", **options: Any) -> Any:
        return self.send("GET", path, who, **options)

    def post(self, path: str, body: Any, who: str | None = "bird", **options: Any) -> Any:
        return self.send("POST", path, who, json=body, **options)

    def suggest(self, text: str = "The doctor refused to see me.", who: str = "bird", **fields: Any) -> dict[str, Any]:
        self.clock.advance(microseconds=1)
        reply = self.post("/v1/suggestions", {"text": text, **fields}, who)
        assert reply.status_code == 200, reply.text
        return dict(reply.json())

    def decide(
        self, who: str = "bird", *, receipt: str | None = None, request: str | None = None, **fields: Any
    ) -> Any:
        """The reply to a decision; on a case of its own without a receipt."""
        body = {"receipt": receipt or self.suggest(who=who)["receipt"], "verdicts": [], **fields}
        return self.post("/v1/feedback", body, who, headers={"Idempotency-Key": request} if request else {})


PEOPLE: dict[str, Scope] = {"bird": "reactor", "stone": "reactor", "river": "coordinator", "hill": "admin"}


@pytest.fixture
def start(store: Store, constant_pipeline: Pipeline, clock: FakeClock, tmp_path: Path) -> Iterator[Callable[..., Api]]:
    """Starts a service on the store, with settings; stops it after the test."""
    running: list[TestClient] = []

    def make(pipeline: Pipeline | None = None, **settings: Any) -> Api:
        made = {name: create_key(store, name=name, scope=scope, actor="test") for name, scope in PEOPLE.items()}
        usual: dict[str, Any] = {
            "blind_share": 0.0,
            "requests_per_minute": 0,
            "request_seconds": 30.0,
            "max_wait_seconds": 60.0,
        }
        usual["jobs_folder"] = tmp_path / "jobs"
        chosen = ServiceSettings(**{**usual, **settings})
        app = create_app(pipeline or constant_pipeline, settings=chosen, store=store)
        client = TestClient(app, raise_server_exceptions=False)
        client.__enter__()
        running.append(client)
        keys = {name: token for name, (token, _) in made.items()}
        return Api(client, store, keys, {name: facts.id for name, (_, facts) in made.items()}, clock)

    yield make
    for client in running:
        client.__exit__(None, None, None)


@pytest.fixture(scope="session")
def two_bundles(tmp_path_factory: pytest.TempPathFactory, codebook: Codebook, make_bundle: Callable[..., Path]) -> Path:
    """A folder with ``denial-1``, which says health.denial where somebody "refused", and ``hate-1``: civic.hate."""
    folder = tmp_path_factory.mktemp("served")
    for name, code, suggest in (("denial", "health.denial", 0.4), ("hate", "civic.hate", 0.45)):
        identity = Identity(name, "1", "2031-05-06", ("en", "ru"))
        make_bundle(folder / f"{name}-1", codebook, identity, code=code, suggest=suggest)
    return folder


@pytest.fixture
def api(start: Callable[..., Api]) -> Api:
    return start()


@pytest.fixture
def code_file(api: Api, constant_pipeline: Pipeline) -> Callable[..., str]:
    """Brings a file as ``river`` and codes it in this process; the id of its job. ``until`` is a word of its process
    after which it is cancelled."""

    def make(
        table: str | bytes, name: str = "cases.csv", *, until: str | None = None, at: Api = api, **options: Any
    ) -> str:
        headers = {"X-File-Name": name, "Content-Type": "application/octet-stream"}
        content = table if isinstance(table, bytes) else table.encode()
        job = at.send("POST", "/v1/jobs", "river", content=content, headers=headers).json()["id"]
        options = {"text_column": 2, "id_column": 1, **options}
        assert at.post(f"/v1/jobs/{job}/start", options, "river").status_code == 200
        next_job(at.store)
        files, key = at.client.app.state.job_files, job_key(at.store, job)
        ending = f".{name.rpartition('.')[2]}"
        said: list[dict[str, Any]] = []

        def tell(**facts: Any) -> None:
            said.append(facts)
            if facts["event"] == until:
                raise SystemExit

        task = CodingTask(files.folder.resolve(), job, key, ending, JobOptions.from_json(options))
        try:
            code_job(task, tell, loaded=LoadedBundle.of(constant_pipeline))
        except SystemExit:
            finish_job(at.store, job, "cancelled", days=14)
            return job
        done = said[-1]
        rows = [ToReview(*item) for item in done["to_review"]]
        finish_job(at.store, job, "done", days=14, facts=done["facts"], notes=done["notes"], to_review=rows)
        return job

    return make
