"""Spark's side of a run: a JVM that is started closed, and a context in it that is left behind by nobody."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import sys
import threading
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from importlib import import_module
from pathlib import Path
from typing import Any

import nlp

from ...errors import BackendUnavailable, CasecoderError, RunError
from .local import available_cores
from .spark_settings import DEFAULTS, SECRET, SECRET_FILE, SparkSettings, check, is_local, read_secret, with_attempts

APP = "casecoder"  # what the cluster calls the run: no name of a file
REST_PORT = 6066  # of a standalone master, where it takes programs from whoever asks
_LOOPBACK = "127.0.0.1"
_PATIENCE = 30.0  # seconds for Spark to end by itself
_SMALL = "-XX:TieredStopAtLevel=1 -XX:+UseSerialGC"  # on one machine: a JVM that does little should take little


class JavaUnavailable(BackendUnavailable):
    """No Java that Spark can run on."""

    def __init__(self, why: str) -> None:
        CasecoderError.__init__(
            self,
            f"the engine spark needs Java 17 or later besides the extra [spark], and {why}: install one, and name its "
            "folder by JAVA_HOME if it is not in PATH",
        )
        self.extra = "spark"


@contextmanager
def spark_context(settings: SparkSettings, log: Path) -> Iterator[Any]:
    """Have a context of Spark for a run; what was started for it has ended when the block does.

    A context that is open already in this process is used and left open. What Spark says goes to the file ``log``.

    Raises
    ------
    BackendUnavailable
        pyspark or Java is missing.
    RunError
        Spark's settings are too weak, or its master does not answer.
    """
    core = _pyspark()
    if core.SparkContext._active_spark_context is not None:
        context = core.SparkContext._active_spark_context
        check(context.getConf().get)
        yield context
        return
    _check_java()
    with _signals_kept(), _environment(settings), _gateway(core, log) as gateway:
        conf = _conf(core, gateway, settings)
        context = _started(core, conf, log)
        try:
            yield context
        finally:
            _stop(context)


def _pyspark() -> Any:
    """The library, without a type, so that all of this can be checked where it is not installed."""
    try:
        import pyspark
    except ImportError:
        raise BackendUnavailable("the engine spark", "spark") from None
    # It looks at pandas although nobody asked for it.
    warnings.filterwarnings("ignore", message="PySpark does not yet fully support pandas", category=FutureWarning)
    return pyspark


def _check_java() -> None:
    home = os.environ.get("JAVA_HOME")
    found = shutil.which("java", path=os.path.join(home, "bin")) if home else shutil.which("java")  # noqa: PTH118
    if not found:
        raise JavaUnavailable("JAVA_HOME holds none" if home else "finds none")


@contextmanager
def _gateway(core: Any, log: Path) -> Iterator[Any]:
    """A JVM that Spark's files have been read in, but nothing was started in yet."""
    earlier = core.SparkContext._gateway
    if earlier is not None:
        yield earlier
        return
    launch: Any = import_module("pyspark.java_gateway").launch_gateway
    descriptor = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    try:
        # Nothing is given on the command line, which all users of a machine may read.
        gateway = launch(popen_kwargs={"stdout": descriptor, "stderr": descriptor})
    except Exception as error:
        raise JavaUnavailable(f"it did not start ({type(error).__name__}; see {log})") from None
    finally:
        os.close(descriptor)
    try:
        core.SparkContext._ensure_initialized(gateway=gateway)
        yield gateway
    finally:
        core.SparkContext._gateway = core.SparkContext._jvm = None
        with suppress(Exception):
            gateway.shutdown()
        _end(gateway.proc)


def _end(process: subprocess.Popen[bytes] | None) -> None:
    """End a JVM, which it does by itself when it is no longer spoken to."""
    if process is None:
        return
    with suppress(OSError):
        if process.stdin:
            process.stdin.close()
    try:
        process.wait(_PATIENCE)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def _conf(core: Any, gateway: Any, settings: SparkSettings) -> Any:
    """Spark's settings: those of the site's files, ours where they say nothing; refused if they are too weak."""
    conf = core.SparkConf(_jvm=gateway.jvm)
    for name, value in DEFAULTS.items():
        conf.setIfMissing(name, value)
    conf.setAppName(APP)
    conf.set("spark.ui.showConsoleProgress", "false")  # Spark sets it for what it takes for a shell
    cores = settings.workers or available_cores()
    master = with_attempts(settings.master or conf.get("spark.master", f"local[{cores}]"))
    conf.setMaster(master)
    for name, value in _package().items():
        conf.setIfMissing(f"spark.executorEnv.{name}", value)
    if is_local(master):
        conf.setIfMissing("spark.driver.bindAddress", _LOOPBACK)
        conf.setIfMissing("spark.driver.host", _LOOPBACK)
    elif settings.workers and master.startswith("spark://"):
        conf.set("spark.cores.max", str(settings.workers))
    check(conf.get)
    _check_cluster(master, conf, settings)
    _set_secret(master, conf, settings)
    return conf


def _check_cluster(master: str, conf: Any, settings: SparkSettings) -> None:
    """Refuse what can be known to fail, or to be open, before anything is sent there."""
    if is_local(master):
        return
    if conf.get("spark.driver.host") is None:
        raise RunError(
            "spark.driver.host is not set: set it in spark-defaults.conf to the private address of this machine at "
            "which the nodes of the cluster reach it"
        )
    if not master.startswith("spark://"):
        if settings.workers:
            raise RunError(
                "--workers says nothing to YARN and Kubernetes: leave it out, and set spark.executor.instances and "
                "spark.executor.cores in spark-defaults.conf"
            )
        return
    for place in master.removeprefix("spark://").split(","):
        host = place.rpartition(":")[0].strip("[]")
        with suppress(OSError), socket.create_connection((host, REST_PORT), timeout=2.0):
            raise RunError(
                f"the Spark master at {host} takes programs from whoever asks at port {REST_PORT}: set "
                "spark.master.rest.enabled to false in its spark-defaults.conf and start it again"
            )


def _set_secret(master: str, conf: Any, settings: SparkSettings) -> None:
    """Tell Spark the secret in its memory. YARN, Kubernetes and a single machine make one for each run."""
    if settings.secret_file:
        conf.set(SECRET, read_secret(settings.secret_file))
    elif master.startswith("spark://") and conf.get(SECRET) is None:
        raise RunError(f"the cluster has a secret: name a file with it by {SECRET_FILE}")


def _started(core: Any, conf: Any, log: Path) -> Any:
    master = conf.get("spark.master")
    try:
        context = core.SparkContext(conf=conf)
        context.setLogLevel("WARN")
    except Exception as error:  # py4j's errors, whose text is a whole trace
        core.SparkContext._active_spark_context = None
        raise RunError(
            f"Spark could not begin at {master} ({_first_line(error)}): is its master running, and is the secret the "
            f"same there? {log} says more"
        ) from None
    return context


def _first_line(error: Exception) -> str:
    """What Java says of an error, without its trace; nothing of a row has been near Java."""
    said = ""
    with suppress(Exception):  # Java may have ended over it
        said = str(error.java_exception.getMessage())  # type: ignore[attr-defined]
    return said.strip().splitlines()[0][:200] if said.strip() else type(error).__name__


def _stop(context: Any) -> None:
    """End a context, also where its JVM is gone already."""
    thread = threading.Thread(target=_stop_now, args=(context,), daemon=True)
    thread.start()
    thread.join(_PATIENCE)


def _stop_now(context: Any) -> None:
    with suppress(Exception):
        context.cancelAllJobs()
    with suppress(Exception):
        context.stop()
    type(context)._active_spark_context = None


@contextmanager
def _signals_kept() -> Iterator[None]:
    """Spark takes Ctrl-C for itself and does not give it back."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    handler, path = signal.getsignal(signal.SIGINT), list(sys.path)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, handler)
        sys.path[:] = path  # it adds a folder of its own, which is gone by now


@contextmanager
def _environment(settings: SparkSettings) -> Iterator[None]:
    """What Spark reads from the environment alone: the Python of the nodes, and the address of a single machine."""
    ours = {"PYSPARK_PYTHON": sys.executable}
    if settings.master is None or is_local(settings.master):
        ours |= {"SPARK_LOCAL_IP": _LOOPBACK, "SPARK_SUBMIT_OPTS": _SMALL}
    ours = {name: value for name, value in ours.items() if name not in os.environ}
    os.environ.update(ours)
    try:
        yield
    finally:
        for name in ours:
            os.environ.pop(name, None)


def _package() -> Mapping[str, str]:
    """Where nodes find this very package, if it is run from its sources."""
    root = Path(nlp.__file__).resolve().parent.parent
    if root.name in ("site-packages", "dist-packages"):
        return {}
    return {"PYTHONPATH": os.pathsep.join([str(root), *filter(None, [os.environ.get("PYTHONPATH")])])}
