"""How the service starts: what it needs before it listens, and the app that each of its processes makes."""

from __future__ import annotations

import ipaddress
import logging
import os
import sys
from typing import TYPE_CHECKING

from nlp.core_dumps import no_core_dumps
from nlp.errors import SettingsError
from nlp.keys import VARIABLE
from nlp.without_torch import without_torch

from .metrics import SHARED as SHARED_FIGURES
from .settings import ServiceSettings
from .store.store import Store

if TYPE_CHECKING:
    from fastapi import FastAPI

__all__ = ["LOG_REQUESTS", "SHARED_FIGURES", "no_core_dumps", "prepare", "process_app", "worker_app"]

LOG_REQUESTS = "CASECODER_LOG_REQUESTS"
"""Variable that tells the processes to write a line of JSON for each request."""


def open_store(settings: ServiceSettings) -> Store | None:
    """The store; None where no key is set, since nothing is stored unencrypted."""
    if not keeps(settings):
        return None
    from .store.sealing import read_keyring

    return Store.open(settings.database, read_keyring(settings.key_file))


def keeps(settings: ServiceSettings) -> bool:
    """Whether there is a key, and so a store."""
    return settings.key_file is not None or bool(os.environ.get(VARIABLE))


def prepare(settings: ServiceSettings, host: str) -> str:
    """Check that the service may listen on an address, and say in a sentence what it will do.

    Raises `SettingsError` for an address that others can reach while there are no access keys.
    """
    from .store.access import has_keys
    from .store.choice import read_choice

    store = open_store(settings)
    keys = store is not None and has_keys(store)
    choice = read_choice(store) if store is not None else None
    if store is not None:
        store.close()
    if not keys and not is_loopback(host):
        raise SettingsError(
            f"{host} can be reached from other machines, and there are no access keys: run `casecoder-serve init` and "
            "`casecoder-serve keys create` first, or listen on 127.0.0.1"
        )
    if store is None:
        return "no key file is set, so nothing is kept and nobody but this machine is answered"
    told = "access keys are needed" if keys else "there are no access keys, so nobody but this machine is answered"
    if choice is None or choice.instead_of != (settings.nlp.bundle or ""):
        return told
    return f"{told}; it serves {choice.name}, which an administrator has chosen"


def is_loopback(host: str) -> bool:
    """Whether an address is this machine's own, which no other can reach."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def process_app() -> FastAPI:
    """The same as `worker_app`, in a process that does nothing else."""
    without_torch()
    return worker_app()


def worker_app() -> FastAPI:
    """The app of one process, made from the environment."""
    from .app import create_app

    if os.environ.get(LOG_REQUESTS):
        handler = logging.StreamHandler(sys.stderr)
        handler.setFormatter(logging.Formatter("%(message)s"))
        log = logging.getLogger("casecoder.requests")
        log.addHandler(handler)
        log.setLevel(logging.INFO)
        log.propagate = False
    no_core_dumps()
    settings = ServiceSettings.from_env()
    return create_app(settings=settings, store=open_store(settings))
