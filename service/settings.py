"""Settings of the service from the environment, read once when it starts."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, get_args

from nlp.errors import SettingsError
from nlp.settings import Settings

DEFAULT_DATABASE = "sqlite:///casecoder.db"
_ORIGIN = re.compile(r"https?://[A-Za-z0-9.-]+(?::[0-9]{1,5})?")
MAX_BATCH = 64  # narratives in one batch
Priority = Literal["idle", "low"]


@dataclass(frozen=True)
class ServiceSettings:
    """What a deployment of the service can set beside `nlp.settings.Settings`, which is ``nlp``.

    Attributes
    ----------
    database : SQLAlchemy URL (``CASECODER_DATABASE``); a file ``casecoder.db`` in the working folder by default.
    key_file : file with the keys that encrypt what is stored (``CASECODER_KEY_FILE``); else ``CASECODER_KEY``.
    bundle_folder : folder with further bundles that an administrator may change to while the service runs
        (``CASECODER_BUNDLE_FOLDER``); those that came with casecoder need none.
    blind_share : share of cases, in [0, 1], whose suggestions are withheld until a person has coded them
        (``CASECODER_BLIND_SHARE``).
    request_seconds : a request that is not answered by then is given up with 503 (``CASECODER_REQUEST_SECONDS``).
    max_wait_seconds : the longest time that an answer of the models may be expected to take with those that come before
        it; who would have to wait longer is refused with 503 at once (``CASECODER_MAX_WAIT_SECONDS``).
    max_waiting : requests that may wait for the models, however fast they are (``CASECODER_MAX_WAITING``).
    requests_per_minute : of one key, or of one address without keys (``CASECODER_REQUESTS_PER_MINUTE``); 0 for no
        limit.
    reads_per_day : feedback texts that one key may read in a day (``CASECODER_READS_PER_DAY``); 0 for no limit.
    session_hours : how long a login on the page lasts (``CASECODER_SESSION_HOURS``).
    secure_cookies : whether browsers send the cookie over HTTPS only (``CASECODER_SECURE_COOKIES``); off for a
        machine without a proxy.
    allowed_origins : sites such as ``https://forms.example.org`` whose pages may ask for suggestions with a key of
        their own (``CASECODER_ALLOWED_ORIGINS``, blanks between); none by default.
    trusted_proxies : addresses of proxies, commas between, whose ``X-Forwarded-For`` tells who a caller is
        (``CASECODER_TRUSTED_PROXIES``); none by default.
    jobs_folder : where files of bulk jobs lie, sealed (``CASECODER_JOBS_FOLDER``); beside the SQLite file by default.
    max_upload_mb : the largest file that is taken, in millions of bytes (``CASECODER_MAX_UPLOAD_MB``).
    job_workers : processes that code a job (``CASECODER_JOB_WORKERS``); 0 where another machine or nobody runs jobs.
    job_priority : ``idle`` where a job takes only what nobody else wants of the machine, ``low`` where it takes a small
        share of a busy one (``CASECODER_JOB_PRIORITY``).
    job_days : how long the files of a job are kept after its end (``CASECODER_JOB_DAYS``).
    """

    nlp: Settings = field(default_factory=Settings)
    database: str = DEFAULT_DATABASE
    key_file: Path | None = None
    bundle_folder: Path | None = None
    blind_share: float = 0.05
    request_seconds: float = 5.0
    max_wait_seconds: float = 0.6
    max_waiting: int = 24
    requests_per_minute: int = 120
    reads_per_day: int = 2_000
    session_hours: float = 12.0
    secure_cookies: bool = False
    allowed_origins: tuple[str, ...] = ()
    trusted_proxies: str = ""
    jobs_folder: Path | None = None
    max_upload_mb: float = 100.0
    job_workers: int = 1
    job_priority: Priority = "idle"
    job_days: float = 14.0

    @property
    def max_upload(self) -> int:
        """The largest file that is taken, in bytes."""
        return round(self.max_upload_mb * 1_000_000)

    @classmethod
    def from_env(cls, environ: Mapping[str, str] | None = None) -> ServiceSettings:
        """Settings of the environment. Raises `SettingsError` for a value that cannot be used."""
        environ = os.environ if environ is None else environ
        numbers = _Numbers(environ)
        key_file = environ.get("CASECODER_KEY_FILE")
        jobs_folder = environ.get("CASECODER_JOBS_FOLDER")
        return cls(
            nlp=Settings.from_env(environ),
            database=environ.get("CASECODER_DATABASE") or DEFAULT_DATABASE,
            key_file=Path(key_file) if key_file else None,
            bundle_folder=_folder(environ.get("CASECODER_BUNDLE_FOLDER")),
            blind_share=numbers.between("CASECODER_BLIND_SHARE", 0.05, 0.0, 1.0),
            request_seconds=numbers.between("CASECODER_REQUEST_SECONDS", 5.0, 0.1, 600.0),
            max_wait_seconds=numbers.between("CASECODER_MAX_WAIT_SECONDS", 0.6, 0.01, 600.0),
            max_waiting=int(numbers.between("CASECODER_MAX_WAITING", 24, 1, 10_000)),
            requests_per_minute=int(numbers.between("CASECODER_REQUESTS_PER_MINUTE", 120, 0, 1_000_000)),
            reads_per_day=int(numbers.between("CASECODER_READS_PER_DAY", 2_000, 0, 1_000_000_000)),
            session_hours=numbers.between("CASECODER_SESSION_HOURS", 12.0, 0.1, 720.0),
            trusted_proxies=environ.get("CASECODER_TRUSTED_PROXIES", ""),
            allowed_origins=_origins(environ.get("CASECODER_ALLOWED_ORIGINS", "")),
            jobs_folder=Path(jobs_folder) if jobs_folder else None,
            max_upload_mb=numbers.between("CASECODER_MAX_UPLOAD_MB", 100.0, 0.001, 10_000.0),
            job_workers=int(numbers.between("CASECODER_JOB_WORKERS", 1, 0, 256)),
            job_priority=_priority(environ.get("CASECODER_JOB_PRIORITY") or "idle"),
            job_days=numbers.between("CASECODER_JOB_DAYS", 14.0, 0.01, 3_650.0),
            secure_cookies=environ.get("CASECODER_SECURE_COOKIES", "") in ("1", "true", "yes"),
        )


def _priority(name: str) -> Priority:
    for known in get_args(Priority):
        if name == known:
            return known  # type: ignore[no-any-return]
    raise SettingsError("CASECODER_JOB_PRIORITY wants idle or low")


def _folder(name: str | None) -> Path | None:
    if name and not Path(name).is_dir():
        raise SettingsError("CASECODER_BUNDLE_FOLDER wants a folder that is there")
    return Path(name) if name else None


def _origins(text: str) -> tuple[str, ...]:
    origins = tuple(text.split())
    if not all(_ORIGIN.fullmatch(origin) for origin in origins):
        raise SettingsError("CASECODER_ALLOWED_ORIGINS wants addresses such as https://forms.example.org")
    return origins


class _Numbers:
    """Numbers of the environment."""

    def __init__(self, environ: Mapping[str, str]) -> None:
        self._environ = environ

    def between(self, name: str, default: float, least: float, most: float) -> float:
        """The number of a variable. Raises `SettingsError`, without repeating it, for anything else."""
        try:
            value = float(self._environ.get(name) or default)
        except ValueError:
            value = float("nan")
        if not least <= value <= most:
            raise SettingsError(f"{name} wants a number from {least:g} to {most:g}")
        return value
