"""Which bundle is served, and the change to another one while the service runs.

The loaded models are one value. A request takes it once and keeps it, so that no answer is of two bundles; another
bundle takes its place when it is verified, loaded and warm, and where it is none of that nothing changes.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from http import HTTPStatus
from pathlib import Path
from threading import Event, Lock, Thread

from starlette.datastructures import State

from nlp.bundle import MANIFEST, Bundle, open_bundle, shipped_bundles, shipped_folder
from nlp.codebook import Codebook
from nlp.errors import BundleCorrupt, BundleError, BundleIncompatible, CasecoderError
from nlp.pipeline import Pipeline
from nlp.types import Narrative

from .deps import Models
from .errors import BundleUnknown
from .metrics import SHARED
from .problems import RequestRefused
from .settings import ServiceSettings
from .store.choice import Choice, keep_choice, read_choice
from .store.store import Store
from .turns import Turns

_log = logging.getLogger("casecoder.service")
_EVERY = 1.0  # seconds between two looks at what was chosen
_LAST_LOOK = 5.0  # seconds that a stop waits for a look that is under way


class Bundles:
    """The bundles that one process can serve; the one that it does is ``state.models``."""

    def __init__(self, state: State, settings: ServiceSettings, turns: Turns) -> None:
        self._state = state
        self._settings = settings
        self._turns = turns
        self._changing = Lock()
        self._seen: Choice | None = None
        self._own: dict[str, Path] = {}
        self._codebooks: dict[str, Codebook] = {}

    def begin(self, given: Pipeline | None = None, bundle: Bundle | None = None) -> None:
        """Serve a given pipeline; else the bundle that was chosen last, else the one that the settings name.

        Raises a `BundleError` where the latter cannot be used.
        """
        if given is not None:
            self._serve(self._warm(given, bundle))
            return
        bundle = open_bundle(self._settings.nlp.bundle)
        self._own[bundle.name] = bundle.path
        self._look()
        if self._state.models is None:
            self._serve(self._load(bundle))
        elif bundle.name not in self._codebooks:
            self._codebooks[bundle.name] = bundle.codebook()  # of receipts that were given out before the choice

    def change(self, name: str, *, actor: str) -> Models:
        """Serve another bundle from now on, here and in all processes with the same store.

        Raises `BundleUnknown` or a `BundleError` where it cannot be; then all stays as it is.
        """
        store: Store | None = self._state.store
        if store is None and os.environ.get(SHARED):
            raise RequestRefused(
                HTTPStatus.SERVICE_UNAVAILABLE,
                "store.missing",
                "This service has several workers and keeps nothing by which they could follow: name the bundle in "
                "CASECODER_BUNDLE and start it again.",
            )
        with self._changing:
            bundle = self._open(name)
            models = self._load(bundle)
            choice = Choice(name, bundle.digest, self._reference)
            if store is not None:
                keep_choice(store, choice, actor=actor)
            self._seen = choice
            self._serve(models)
        return models

    def follow(self) -> None:
        """Serve what was chosen, if that was not seen yet. Raises `StoreError`."""
        with self._changing:
            self._look()

    @contextmanager
    def following(self) -> Iterator[None]:
        """Look at what was chosen elsewhere every second, for as long as the service runs."""
        stop = Event()
        thread = Thread(target=self._follow, args=(stop,), name="casecoder bundles", daemon=True)
        if self._state.store is not None:
            thread.start()
        try:
            yield
        finally:
            stop.set()
            if thread.ident is not None:
                thread.join(_LAST_LOOK)

    def codebook(self, bundle: str, models: Models) -> Codebook:
        """The codebook of a bundle that was served before, else that of ``models``."""
        return self._codebooks.get(bundle, models.pipeline.codebook)

    @property
    def _reference(self) -> str:
        return self._settings.nlp.bundle or ""

    def _follow(self, stop: Event) -> None:
        while not stop.wait(_EVERY):
            with suppress(CasecoderError):  # a store that fails is told by the requests that need it
                self.follow()

    def _look(self) -> None:
        store: Store | None = self._state.store
        choice = read_choice(store) if store is not None else None
        if choice is None or choice == self._seen:
            return
        self._seen = choice  # whatever comes of it: one that cannot be used is not tried each second
        if choice.instead_of != self._reference:  # the settings were changed since, and were said later
            return
        try:
            bundle = self._open(choice.name)
            if bundle.digest != choice.digest:
                raise BundleCorrupt(choice.name, "it is not as it was when it was chosen")
            self._serve(self._load(bundle))
        except CasecoderError as error:
            _log.error("the bundle that was chosen is not served: %s", error)

    def _open(self, name: str) -> Bundle:
        found = self._found()
        if name not in found:
            raise BundleUnknown(sorted(found))
        try:
            bundle = open_bundle(found[name])
        except BundleError:
            raise
        except OSError as error:
            raise BundleCorrupt(name, f"it cannot be read ({type(error).__name__})") from None
        if bundle.name != name:
            raise BundleIncompatible(name, f"it calls itself {bundle.name}, and its folder must have the same name")
        return bundle

    def _found(self) -> dict[str, Path]:
        """Where the bundles lie that may be chosen, by name."""
        found = {}
        with suppress(OSError):  # a folder that is gone has none
            folder = self._settings.bundle_folder
            found = {path.name: path for path in (folder.iterdir() if folder else ()) if _has_manifest(path)}
        return found | {name: shipped_folder() / name for name in shipped_bundles()} | self._own

    def _load(self, bundle: Bundle) -> Models:
        try:
            return self._warm(bundle.pipeline(max_characters=self._settings.nlp.max_characters), bundle)
        except CasecoderError:
            raise
        except Exception as error:  # whatever is wrong with another bundle, the one before goes on
            raise BundleIncompatible(bundle.name, f"it cannot be loaded ({type(error).__name__})") from error

    def _warm(self, pipeline: Pipeline, bundle: Bundle | None) -> Models:
        """The models of a pipeline that has coded a narrative already: the first one takes longer."""
        language = pipeline.reader.languages[0]
        pipeline.analyze_one(Narrative("Warm up: nobody was harmed in the city.", language=language))
        measured = bundle.manifest.get("metrics", {}) if bundle else {}
        return Models(pipeline, self._turns, seconds=self._settings.request_seconds, measured=measured)

    def _serve(self, models: Models) -> None:
        self._codebooks[models.pipeline.bundle] = models.pipeline.codebook
        self._state.models = models
        self._state.metrics.bundle(models.pipeline.bundle, str(models.pipeline.codebook))


def _has_manifest(path: Path) -> bool:
    with suppress(OSError):
        return (path / MANIFEST).is_file()
    return False
