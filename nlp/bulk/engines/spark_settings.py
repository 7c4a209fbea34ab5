"""What the Spark engine is told, and Spark's settings without which it does not run.

A Spark that is left as it comes answers whoever asks: it runs code for everybody who reaches the master, sends in the
clear, and serves pages about its work. Here it is closed; a site may change what is listed in `DEFAULTS`, but not
weaken what is in `REQUIRED`.
"""

from __future__ import annotations

import os
import re
import socket
import stat
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from ...errors import RunError, SettingsError
from .local import ROW_SECONDS

MASTER = "CASECODER_SPARK_MASTER"
SECRET_FILE = "CASECODER_SPARK_SECRET_FILE"  # noqa: S105 (the name of a variable)
MIN_SECRET = 32  # characters
SECRET = "spark.authenticate.secret"  # noqa: S105 (the name of a setting)
ATTEMPTS = 8  # at a shard, before the run ends

REQUIRED: Mapping[str, tuple[str, str]] = {
    "spark.authenticate": ("true", "or whoever reaches a port of Spark may run programs there"),
    "spark.network.crypto.enabled": ("true", "or what Spark sends can be read on its way"),
    "spark.network.crypto.cipher": ("AES/GCM/NoPadding", "or what Spark sends can be altered on its way"),
    "spark.network.crypto.authEngineVersion": ("2", "or keys are used as they were agreed on, without being derived"),
    "spark.network.crypto.saslFallback": ("false", "or an older and weaker way of proving the secret is taken"),
    "spark.io.encryption.enabled": ("true", "or what Spark puts on local disks lies there in the clear"),
    "spark.master.rest.enabled": ("false", "or whoever reaches port 6066 may submit programs"),
    "spark.ui.enabled": ("false", "or Spark serves pages about the run"),
    "spark.eventLog.enabled": ("false", "or Spark keeps a history of the run"),
    "spark.speculation": ("false", "or shards are coded twice for nothing"),
}
"""Setting -> its value, and what happens without it."""

DEFAULTS: Mapping[str, str] = {
    **{name: value for name, (value, _) in REQUIRED.items()},
    "spark.io.encryption.keySizeBits": "256",
    "spark.ui.killEnabled": "false",
    "spark.python.unix.domain.socket.enabled": str(hasattr(socket, "AF_UNIX")).lower(),  # Windows' Python has none
    "spark.python.worker.reuse": "true",
    "spark.driver.port": "7171",
    "spark.driver.blockManager.port": "7191",
    "spark.blockManager.port": "7211",
    "spark.port.maxRetries": "16",
    "spark.task.maxFailures": str(ATTEMPTS),
    "spark.executorEnv.OMP_NUM_THREADS": "1",
    "spark.executorEnv.OPENBLAS_NUM_THREADS": "1",
    "spark.executorEnv.MKL_NUM_THREADS": "1",
    "spark.executor.memory": "512m",
}
"""What holds where the site's spark-defaults.conf says nothing else."""

_OPEN = 0o037  # a group may read it, as of a service; systemd gives its credentials that way
_TLS = "spark.ssl.rpc.enabled"  # takes the place of spark.network.crypto
_TRUSTED = ("spark.ssl.rpc.trustStore", "spark.ssl.trustStore")
_SERVED = ("spark.files", "spark.archives", "spark.jars", "spark.submit.pyFiles")
_ADDRESSES = ("spark.driver.bindAddress", "spark.driver.host")
_ANYWHERE = {"0.0.0.0", "::", "[::]", "*"}  # noqa: S104 (what is refused)
_LOCAL = re.compile(r"local(\[(\d+|\*)(,\s*(\d+))?\])?")

Get = Callable[[str], str | None]
"""Gives the value of a Spark setting, None where it has none."""


@dataclass(frozen=True)
class SparkSettings:
    """What a run on Spark is told; all else stands in Spark's own files (``SPARK_CONF_DIR``).

    ``master`` is where the cluster is, by default what Spark's files say, or else the cores of this machine;
    ``secret_file`` holds the secret of a standalone cluster, ``key_file`` the key of a sealed work folder, at a path
    that is the same on all nodes (without it they take theirs from CASECODER_KEY). ``workers`` are cores to use at
    most. ``row_seconds`` is that of the local engine; ``patience`` how long to wait for a machine to join, in seconds.
    """

    master: str | None = None
    secret_file: Path | None = None
    key_file: Path | None = None
    workers: int | None = None
    row_seconds: float = ROW_SECONDS
    patience: float = 300.0

    @classmethod
    def from_env(
        cls,
        environ: Mapping[str, str] | None = None,
        *,
        workers: int | None = None,
        row_seconds: float = ROW_SECONDS,
        key_file: Path | None = None,
    ) -> SparkSettings:
        """Settings of the environment, and of the command that runs."""
        environ = os.environ if environ is None else environ
        secret_file = environ.get(SECRET_FILE)
        return cls(
            master=environ.get(MASTER) or None,
            secret_file=Path(secret_file) if secret_file else None,
            key_file=key_file,
            workers=workers,
            row_seconds=row_seconds,
        )


def weaknesses(get: Get) -> Iterator[str]:
    """What keeps Spark's settings from being safe enough, as sentences; none where they are."""
    encrypted = _is(get(_TLS), "true")
    for name, (wanted, why) in REQUIRED.items():
        value = get(name)
        if not _is(value, wanted) and not (encrypted and name.startswith("spark.network.crypto.")):
            said = "is not set" if value is None else f"is {value!r}"
            yield f"{name} {said}: set it to {wanted}, {why}"
    if encrypted and not any(map(get, _TRUSTED)):
        yield f"{_TRUSTED[0]} is not set: name a file of certificates, or Spark trusts any that it is shown"
    for name in _SERVED:
        if get(name):
            yield f"{name} is set: leave it out, since the driver sends such files to whoever asks, secret or not"
    for name in _ADDRESSES:
        if get(name) in _ANYWHERE:
            yield f"{name} is {get(name)!r}: set it to one private address of this machine, or all its networks get in"


def check(get: Get) -> None:
    """Raise `RunError` for settings that are too weak, with all that is wrong with them."""
    if found := list(weaknesses(get)):
        raise RunError(
            "Spark is set up too openly for narratives. " + ". ".join(found) + ". The place for it is "
            "spark-defaults.conf in SPARK_CONF_DIR; docs/spark.md has a whole one"
        )


def is_local(master: str) -> bool:
    """Whether a master means the cores of this machine, without a cluster."""
    return _LOCAL.fullmatch(master) is not None


def with_attempts(master: str) -> str:
    """A local master that tries a shard again as a cluster does; by itself it would end at the first mishap."""
    found = _LOCAL.fullmatch(master)
    if not found or found[4]:
        return master
    return f"local[{found[2] or 1},{ATTEMPTS}]"


def attempts(master: str, get: Get) -> int:
    """How often Spark tries a task."""
    found = _LOCAL.fullmatch(master)
    if found:
        return int(found[4] or 1)
    value = get("spark.task.maxFailures") or ""
    return int(value) if value.isdigit() else ATTEMPTS


def read_secret(path: Path) -> str:
    """The secret of a cluster. Raises `SettingsError`, which never repeats what was read."""
    try:
        mode = path.stat().st_mode
        secret = path.read_text(encoding="ascii").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsError(f"the file {path} of {SECRET_FILE} cannot be read ({type(error).__name__})") from None
    if os.name == "posix" and stat.S_IMODE(mode) & _OPEN:
        raise SettingsError(f"others may read {path}, which holds the secret of the cluster: chmod 600 it")
    if len(secret) < MIN_SECRET or len(secret.split()) != 1:
        raise SettingsError(
            f"{path} holds no secret: it wants one line of {MIN_SECRET} characters or more, as `openssl rand -hex 32` "
            "makes it"
        )
    return secret


def _is(value: str | None, wanted: str) -> bool:
    return value is not None and value.strip().lower() == wanted.lower()
