"""Spark's settings as they are shipped and as they are refused. Nothing here starts Spark, nor needs it."""

from __future__ import annotations

import os
import re
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from nlp.bulk.engines import spark_session
from nlp.bulk.engines.spark import run_spark
from nlp.bulk.engines.spark_settings import (
    DEFAULTS,
    REQUIRED,
    SparkSettings,
    attempts,
    check,
    is_local,
    read_secret,
    weaknesses,
    with_attempts,
)
from nlp.errors import BackendUnavailable, RunError, SettingsError

SECRET = "0123456789abcdef" * 4
ANYWHERE = ["0.0.0.0", "::", "[::]", "*"]  # noqa: S104 (what is refused)
on_posix = pytest.mark.skipif(os.name != "posix", reason="Windows has other rights")


def shipped(root: Path) -> dict[str, str]:
    lines = (root / "deploy" / "spark" / "spark-defaults.conf").read_text(encoding="utf-8").splitlines()
    return dict(line.split(None, 1) for line in lines if line and not line.startswith("#"))


def test_shipped_file_is_not_weaker_than_what_is_required(root):
    assert list(weaknesses(shipped(root).get)) == []


def test_shipped_file_and_built_in_settings_are_the_same(root):
    found = shipped(root)
    assert {name: found.get(name) for name in DEFAULTS} == DEFAULTS


def test_shipped_file_holds_no_secret(root):
    assert not [name for name in shipped(root) if "secret" in name.lower()]


@pytest.mark.parametrize("name", sorted(REQUIRED))
@pytest.mark.parametrize("value", [None, "", "AES/CTR/NoPadding", "other"])
def test_each_weaker_setting_is_refused_by_name(name, value):
    with pytest.raises(RunError, match=r"docs/spark\.md") as caught:
        check({**DEFAULTS, name: value}.get)
    assert name in str(caught.value)
    assert REQUIRED[name][0] in str(caught.value)


@pytest.mark.parametrize("value", ["true", "True", " TRUE "])
def test_values_are_read_as_spark_reads_them(value):
    check({**DEFAULTS, "spark.authenticate": value}.get)


@pytest.mark.parametrize("address", ANYWHERE)
def test_address_of_all_networks_is_refused(address):
    with pytest.raises(RunError, match=r"spark\.driver\.bindAddress"):
        check({**DEFAULTS, "spark.driver.bindAddress": address}.get)


def test_tls_takes_the_place_of_keys_from_the_secret():
    opened = {**DEFAULTS, "spark.network.crypto.enabled": "false"}
    with pytest.raises(RunError, match=r"spark\.network\.crypto\.enabled"):
        check(opened.get)
    check({**opened, "spark.ssl.rpc.enabled": "true", "spark.ssl.rpc.trustStore": "/etc/casecoder/trusted.p12"}.get)


def test_tls_that_trusts_every_certificate_is_refused():
    with pytest.raises(RunError, match=r"spark\.ssl\.rpc\.trustStore"):
        check({**DEFAULTS, "spark.ssl.rpc.enabled": "true"}.get)


@pytest.mark.parametrize("name", ["spark.files", "spark.archives", "spark.jars", "spark.submit.pyFiles"])
def test_files_that_spark_would_hand_out_without_the_secret_are_refused(name):
    check({**DEFAULTS, name: ""}.get)
    with pytest.raises(RunError, match=re.escape(name)):
        check({**DEFAULTS, name: "/etc/casecoder/key"}.get)


@pytest.mark.parametrize(
    ("master", "tried"),
    [
        ("local", "local[1,8]"),
        ("local[2]", "local[2,8]"),
        ("local[*]", "local[*,8]"),
        ("local[2,3]", "local[2,3]"),
        ("spark://10.0.0.1:7077", "spark://10.0.0.1:7077"),
        ("yarn", "yarn"),
    ],
)
def test_one_machine_tries_a_shard_again_as_a_cluster_does(master, tried):
    assert with_attempts(master) == tried
    assert is_local(master) == master.startswith("local")


def test_attempts_are_those_that_spark_makes():
    assert attempts("local[2,3]", DEFAULTS.get) == 3
    assert attempts("spark://10.0.0.1:7077", DEFAULTS.get) == 8
    assert attempts("spark://10.0.0.1:7077", {"spark.task.maxFailures": "4"}.get) == 4


def test_settings_come_from_the_environment():
    environ = {"CASECODER_SPARK_MASTER": "spark://10.0.0.1:7077", "CASECODER_SPARK_SECRET_FILE": "/etc/secret"}
    found = SparkSettings.from_env(environ, workers=4)
    assert (found.master, found.secret_file, found.workers) == ("spark://10.0.0.1:7077", Path("/etc/secret"), 4)
    assert SparkSettings.from_env({}) == SparkSettings()


@pytest.fixture
def secret_file(tmp_path: Path) -> Path:
    path = tmp_path / "secret"
    path.touch(mode=0o600)
    path.write_text(SECRET + "\n")
    return path


def test_secret_is_read_from_a_private_file(secret_file):
    assert read_secret(secret_file) == SECRET


@on_posix
def test_secret_of_a_service_may_be_read_by_its_group(secret_file):
    secret_file.chmod(0o440)
    assert read_secret(secret_file) == SECRET


@on_posix
@pytest.mark.parametrize("mode", [0o644, 0o604, 0o660])
def test_secret_that_others_may_read_or_write_is_refused(secret_file, mode):
    secret_file.chmod(mode)
    with pytest.raises(SettingsError, match="chmod 600"):
        read_secret(secret_file)


@pytest.mark.parametrize("content", [b"", b"short", b"two words that are long enough to be a secret", b"\xff" * 40])
def test_what_is_no_secret_is_refused_without_being_repeated(secret_file, content):
    secret_file.write_bytes(content)
    with pytest.raises(SettingsError) as caught:
        read_secret(secret_file)
    assert "words" not in str(caught.value)


def test_missing_secret_file_is_named(tmp_path):
    with pytest.raises(SettingsError, match="CASECODER_SPARK_SECRET_FILE"):
        read_secret(tmp_path / "none")


def test_missing_pyspark_names_the_extra(prepared, tiny, monkeypatch):
    work, plan = prepared(["The doctor refused her."])
    monkeypatch.setitem(sys.modules, "pyspark", None)
    with pytest.raises(BackendUnavailable, match=r"\[spark\]"):
        run_spark(work, plan, bundle=tiny)


@pytest.mark.parametrize("home", [None, "/nowhere"])
def test_missing_java_is_named_with_the_extra(monkeypatch, home):
    monkeypatch.setenv("PATH", "")
    monkeypatch.delenv("JAVA_HOME", raising=False)
    if home:
        monkeypatch.setenv("JAVA_HOME", home)
    with pytest.raises(BackendUnavailable, match=r"Java 17 .*\[spark\].*JAVA_HOME"):
        spark_session._check_java()


class TestBeforeACluster:
    """What is looked at before anything is sent there."""

    @pytest.fixture
    def conf(self) -> dict[str, str]:
        return {**DEFAULTS, "spark.driver.host": "127.0.0.1"}

    def test_address_of_this_machine_is_asked_for(self):
        with pytest.raises(RunError, match=r"spark\.driver\.host"):
            spark_session._check_cluster("spark://127.0.0.1:7077", {}, SparkSettings())

    def test_master_that_takes_programs_from_anybody_is_refused(self, conf, monkeypatch):
        with socket.create_server(("127.0.0.1", 0)) as open_one:
            monkeypatch.setattr(spark_session, "REST_PORT", open_one.getsockname()[1])
            with pytest.raises(RunError, match=r"spark\.master\.rest\.enabled"):
                spark_session._check_cluster("spark://127.0.0.1:7077", conf, SparkSettings())
        spark_session._check_cluster("spark://127.0.0.1:7077", conf, SparkSettings())

    def test_workers_are_not_silently_ignored_by_others_than_standalone(self, conf):
        with pytest.raises(RunError, match=r"spark\.executor\.instances"):
            spark_session._check_cluster("yarn", conf, SparkSettings(workers=4))
        spark_session._check_cluster("yarn", conf, SparkSettings())

    def test_secret_of_a_standalone_cluster_is_asked_for(self, conf):
        with pytest.raises(RunError, match="CASECODER_SPARK_SECRET_FILE"):
            spark_session._set_secret("spark://127.0.0.1:7077", conf, SparkSettings())


@on_posix
class TestLauncher:
    """The script that starts a daemon; here only what it refuses."""

    @pytest.fixture
    def launch(self, root, tmp_path, secret_file):
        def run(*args: str, **environment: str) -> subprocess.CompletedProcess[str]:
            given = {
                "CASECODER_SPARK_CONF": str(root / "deploy" / "spark"),
                "CASECODER_SPARK_SECRET_FILE": str(secret_file),
                "CASECODER_SPARK_STATE": str(tmp_path / "state"),
                "CASECODER_SPARK_PYTHON": "/bin/false",
                "RUNTIME_DIRECTORY": str(tmp_path / "run"),
                "PATH": os.environ["PATH"],
                **environment,
            }
            script = root / "deploy" / "spark" / "casecoder-spark"
            return subprocess.run([str(script), *args], env=given, capture_output=True, text=True, check=False)

        return run

    @pytest.mark.parametrize("args", [(), ("worker",), ("master", "spark://10.0.0.1:7077"), ("history",)])
    def test_other_words_get_the_usage(self, launch, args):
        done = launch(*args)
        assert done.returncode == 2
        assert "usage" in done.stderr

    @pytest.mark.parametrize("address", ANYWHERE)
    def test_address_of_all_networks(self, launch, address):
        done = launch("master", CASECODER_SPARK_ADDRESS=address)
        assert done.returncode == 2
        assert "private address" in done.stderr

    def test_secret_that_others_may_read(self, launch, secret_file):
        secret_file.chmod(0o644)
        assert "chmod 600" in launch("master").stderr

    @pytest.mark.parametrize(
        ("content", "said"), [("qazan", "too short"), (f"qazan {SECRET}", "blanks")], ids=["short", "blank"]
    )
    def test_what_is_no_secret(self, launch, secret_file, content, said):
        secret_file.write_text(content)
        done = launch("master")
        assert said in done.stderr
        assert "qazan" not in done.stderr

    def test_missing_secret(self, launch, tmp_path):
        assert "no secret to read" in launch("master", CASECODER_SPARK_SECRET_FILE=str(tmp_path / "none")).stderr

    def test_missing_pyspark(self, launch):
        done = launch("master")
        assert "[spark]" in done.stderr
        assert SECRET not in done.stdout + done.stderr
