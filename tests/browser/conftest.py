"""The pages in a real browser, on a service that runs here. All people, numbers and places are invented.

Whatever a test does, no request may leave the service, no script may fail or break the policy of the pages, and nothing
may stay in the storages of the browser: `visit` looks after that when the test is over.
"""

from __future__ import annotations

import re
import socket
import time
from collections.abc import Callable, Generator, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from threading import Thread
from typing import Any

import pytest
import uvicorn

from nlp.pipeline import Pipeline
from service.app import create_app
from service.settings import ServiceSettings
from service.store.access import Principal, Scope, create_key
from service.store.feedback import StoredFeedback, Wanted, list_feedback, read_feedback
from service.store.sealing import Keyring
from service.store.store import Store
from service.web.texts import TEXTS

CHROMIUM = Path("/usr/bin/chromium")
FLAGS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
PATIENCE = 30_000  # milliseconds until something that should happen has not
PEOPLE: dict[str, Scope] = {"bird": "reactor", "river": "coordinator"}
HURRY = """
  const later = window.setTimeout;
  window.setTimeout = (act, wait, ...values) => later(act, wait === 600 ? 60 : wait, ...values);
"""  # the pages wait 600 ms for the next letter; most tests have none to type
READER = Principal("test", "admin", None)
GRAVE = ("serious", "critical")
NARRATIVES = {
    "en": "Doctor John Miller refused to treat Mary Brown, phone +1 202 555 0143. The mayor of the village heard it.",
    "ru": "Врач Иван Петров отказал Марине Соколовой, телефон +7 912 345-67-89. Староста посёлка это слышал.",
}


_running = ExitStack()
_browsers: list[Any] = []


@pytest.fixture
def narratives():
    """A narrative with names in each language of the page."""
    return NARRATIVES


@pytest.fixture
def browser() -> Any:
    """The Chromium of all tests here."""
    if not _browsers:
        sync_api = pytest.importorskip("playwright.sync_api", reason="needs the package playwright")
        if not CHROMIUM.exists():
            pytest.skip(f"needs Chromium at {CHROMIUM}")
        playwright = _running.enter_context(sync_api.sync_playwright())
        started = playwright.chromium.launch(executable_path=CHROMIUM, args=list(FLAGS))
        _running.callback(started.close)
        _running.callback(_browsers.clear)
        _browsers.append(started)
    return _browsers[0]


@pytest.hookimpl(wrapper=True)
def pytest_runtest_teardown(item: Any, nextitem: Any) -> Generator[None, Any, Any]:
    """Close Chromium before tests of other folders: as long as Playwright runs no other event loop can."""
    try:
        return (yield)
    finally:
        if nextitem is None or Path(__file__).parent not in nextitem.path.parents:
            _running.close()


@dataclass
class Site:
    """A running service, with keys where it has some: ``bird`` is a REActor, ``river`` coordinates."""

    url: str
    store: Store | None
    keys: dict[str, str] = field(default_factory=dict, repr=False)
    app: Any = field(default=None, repr=False)

    def stored(self) -> list[StoredFeedback]:
        """All decisions with their texts, the latest first."""
        assert self.store is not None
        found = [read_feedback(self.store, item.id, READER) for item in list_feedback(self.store, Wanted())]
        return [item for item in found if item is not None]


@contextmanager
def listening(app: Any) -> Iterator[str]:
    """The address of an app that listens on a free port of this machine, for as long as it is used."""
    server = uvicorn.Server(uvicorn.Config(app, log_level="error", access_log=False, ws="none", timeout_keep_alive=60))
    with socket.create_server(("127.0.0.1", 0)) as place:
        thread = Thread(target=server.run, kwargs={"sockets": [place]}, daemon=True)
        thread.start()
        try:
            while not server.started:
                assert thread.is_alive(), "the service did not start"
                time.sleep(0.01)
            yield f"http://127.0.0.1:{place.getsockname()[1]}"
        finally:
            server.should_exit = True
            thread.join(10)
    assert not thread.is_alive()


@pytest.fixture
def serve(constant_pipeline_of_module: Pipeline, tmp_path: Path) -> Iterator[Callable[..., Site]]:
    """Starts a service, with settings; stops it after the test."""
    running: list[Any] = []

    def start(*, keeps: bool = True, keys: bool = False, **settings: Any) -> Site:
        url = f"sqlite:///{(tmp_path / f'store-{len(running)}.db').as_posix()}"
        store = Store.open(url, Keyring([bytes(range(32))])) if keeps else None
        made = {}
        if keys and store:
            made = {who: create_key(store, name=who, scope=scope, actor="test")[0] for who, scope in PEOPLE.items()}
        chosen = {"blind_share": 0.0, "requests_per_minute": 0, "request_seconds": 30.0, **settings}
        app = create_app(constant_pipeline_of_module, settings=ServiceSettings(**chosen), store=store)
        running.append(listening(app))
        return Site(running[-1].__enter__(), store, made, app)

    yield start
    for one in running:
        one.__exit__(None, None, None)


@pytest.fixture
def visit(browser: Any) -> Iterator[Callable[..., Any]]:
    """Opens a page of a service as somebody who is there for the first time."""
    contexts: list[tuple[Any, Site, list[str], list[str]]] = []

    def make(
        site: Site, path: str = "/", language: str = "en", width: int = 1280, hurry: bool = True, **options: Any
    ) -> Any:
        context = browser.new_context(locale=language, viewport={"width": width, "height": 800}, **options)
        context.set_default_timeout(PATIENCE)
        if hurry:
            context.add_init_script(HURRY)
        asked: list[str] = []
        errors: list[str] = []
        context.on("request", lambda request: asked.append(request.url))
        context.on("weberror", lambda error: errors.append(str(error.error)))
        context.on("console", lambda said: errors.append(said.text) if "Content Security Policy" in said.text else None)
        contexts.append((context, site, asked, errors))
        page = context.new_page()
        page.goto(site.url + path)
        return page

    yield make
    for context, site, asked, errors in contexts:
        kept = [page.evaluate("[localStorage.length, sessionStorage.length]") for page in context.pages]
        context.close()
        assert errors == []
        assert [url for url in asked if not url.startswith((f"{site.url}/", "data:"))] == []
        assert all(lengths == [0, 0] for lengths in kept)


@pytest.fixture(scope="session")
def axe() -> Callable[[Any], None]:
    """Looks whether axe-core finds anything serious or critical in what a page shows now."""
    package = pytest.importorskip("axe_playwright_python.sync_playwright", reason="needs axe-playwright-python")
    checker = package.Axe()

    def check(page: Any) -> None:
        if not page.evaluate("'axe' in window"):
            page.evaluate(checker.axe_script)  # past the policy of the page, as the tools of developers are
        found = page.evaluate("axe.run({resultTypes: ['violations']}).then((results) => results.violations)")
        told = [(item["id"], node["target"], node["failureSummary"]) for item in found for node in item["nodes"]]
        assert [item["id"] for item in found if item["impact"] in GRAVE] == [], told

    return check


class Entry:
    """The page for case entry, as somebody uses it."""

    def __init__(self, page: Any, language: str) -> None:
        self.page = page
        self.language = language
        self.texts = TEXTS[language]
        self.narrative = NARRATIVES[language]

    def say(self, name: str, **values: object) -> str:
        """A sentence of the page."""
        return self.texts[name].format(**values)

    def at(self, name: str) -> Any:
        """The element with an id."""
        return self.page.locator(f'[id="{name}"]')

    def write(self, text: str, *, case: str = "") -> None:
        """Type a case, and wait until it is read."""
        if case:
            self.at("case").fill(case)
        self.at("text").fill(text)
        self.page.wait_for_selector("#preview:not(:has(.hint))")

    def press(self, act: str, choice: str) -> None:
        """Press a button of a chip, such as ``accept`` of ``violation/health.denial``."""
        self.at(f"{act}-{choice}").click()

    def likely(self, choice: str) -> str:
        """What stands under the label of a chip."""
        return str(self.page.locator(f'.chip[data-key="{choice}"] .likely').inner_text())

    def is_pressed(self, act: str, choice: str) -> bool:
        """Whether a button of a chip is pressed."""
        return bool(self.at(f"{act}-{choice}").get_attribute("aria-pressed") == "true")

    def result(self, name: str) -> None:
        """Wait until a sentence, of any number, stands under the decision."""
        self.at("result").get_by_text(re.compile(self.pattern(name))).wait_for()

    def pattern(self, name: str) -> str:
        """A pattern of a sentence, with any number in it."""
        forms = [text for key, text in self.texts.items() if key == name or key.startswith(f"{name}.")]
        return "|".join(re.escape(text).replace(r"\{n\}", r"\d+") for text in forms)

    def preview(self) -> str:
        """The text as it will be stored."""
        return str(self.at("preview").inner_text())

    def is_within(self, width: int) -> bool:
        """Whether nothing is wider than the screen."""
        return bool(self.page.evaluate("document.documentElement.scrollWidth") <= width)

    def tab_to(self, name: str, *, most: int = 80, key: str = "Tab") -> None:
        """Go to an element with the keyboard."""
        for _ in range(most):
            if self.page.evaluate("document.activeElement.id") == name:
                return
            self.page.keyboard.press(key)
        raise AssertionError(f"the keyboard does not reach {name}")


@pytest.fixture
def enter(visit: Callable[..., Any]) -> Callable[..., Entry]:
    """Opens the page for case entry."""

    def make(site: Site, language: str = "en", **options: Any) -> Entry:
        entry = Entry(visit(site, language=language, **options), language)
        entry.page.wait_for_selector("#type option", state="attached")  # the codebook is there
        return entry

    return make
