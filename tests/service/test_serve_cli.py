"""Commands that look after the store; whatever they print holds no text and no case id."""

from __future__ import annotations

import json
import os
import re
import stat
import sys
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import text
from typer.testing import CliRunner

from nlp.bulk.shards import ShardRow
from nlp.bulk.tables import Row
from nlp.errors import SettingsError
from service import running
from service.cli import app, parse_age
from service.jobs.cases import CaseMarks
from service.jobs.folders import JobFiles
from service.settings import ServiceSettings
from service.store.access import Principal, who_has_key
from service.store.choice import Choice, keep_choice
from service.store.feedback import Wanted, count_feedback, list_feedback, read_feedback
from service.store.jobs import create_job, new_job_id, new_job_key, read_job
from service.store.sealing import read_keyring
from service.store.store import now

CANARY = "qazanarbekovaxx"
RIVER = Principal("river", "coordinator", "key3")
KEY = re.compile(r"cck_[0-9a-f]{12}_[\w-]{32}")


@pytest.fixture
def run(monkeypatch):
    """Runs a command, in which the canary is never printed."""
    monkeypatch.setattr(sys, "excepthook", sys.excepthook)  # commands set one of their own
    for name in ("CASECODER_DATABASE", "CASECODER_KEY_FILE", "CASECODER_KEY", "CASECODER_BUNDLE"):
        monkeypatch.delenv(name, raising=False)

    def invoke(*arguments, code=0, given=None):
        done = CliRunner().invoke(app, [str(item) for item in arguments], input=given)
        assert CANARY not in done.output
        assert CANARY not in str(done.exception)
        assert done.exit_code == code, (done.output, done.exception)
        return done

    return invoke


@pytest.fixture
def made(run, tmp_path, monkeypatch):
    """A folder that `init` made, in the environment."""
    folder = tmp_path / "kept"
    done = run("init", folder)
    monkeypatch.setenv("CASECODER_KEY_FILE", str(folder / "casecoder.key"))
    monkeypatch.setenv("CASECODER_DATABASE", f"sqlite:///{folder / 'casecoder.db'}")
    return folder, done


@pytest.fixture
def opened(made, open_store):
    """The store that commands work on."""

    def make():
        key_file, url = os.environ["CASECODER_KEY_FILE"], os.environ["CASECODER_DATABASE"]
        return open_store(url, read_keyring(type(made[0])(key_file)), clock=now)

    return make


@pytest.fixture
def filled(opened, save):
    """A store with decisions that hold the canary wherever they can."""
    store = opened()
    for number in range(3):
        save(
            store,
            f"{CANARY} was refused {number}",
            case_id=f"case-{CANARY}-{number}",
            request=f"request-{CANARY}-{number}",
        )
    return store  # fmt: skip


def test_init_makes_a_key_a_database_and_an_administrator(made, opened):
    folder, done = made
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert stat.S_IMODE((folder / "casecoder.key").stat().st_mode) == 0o600
    for variable in ("CASECODER_KEY_FILE", "CASECODER_DATABASE"):
        assert f"{variable}={os.environ[variable]}" in done.output
    (token,) = KEY.findall(done.output)
    assert who_has_key(opened(), token).scope == "admin"
    assert who_has_key(opened(), token).name == "admin"
    assert (folder / "casecoder.key").read_text().strip() not in done.output


def test_init_does_not_touch_what_is_there(made, run):
    folder, _ = made
    before = {path.name: path.read_bytes() for path in folder.iterdir() if path.suffix != ".db-shm"}
    done = run("init", folder, code=2)
    assert "exists already" in done.stderr
    after = {path.name: path.read_bytes() for path in folder.iterdir() if path.suffix != ".db-shm"}
    assert after["casecoder.key"] == before["casecoder.key"]
    assert after["casecoder.db"] == before["casecoder.db"]


def test_init_leaves_no_key_for_a_database_that_has_another(made, run):
    """With the key gone by mistake, a new one beside the old database would look right and open nothing."""
    folder, _ = made
    (folder / "casecoder.key").rename(folder / "elsewhere.key")
    run("init", folder, code=2)
    assert not (folder / "casecoder.key").exists()


def test_init_takes_a_pseudonym(run, tmp_path):
    assert "Access key of hill" in run("init", tmp_path / "kept", "--name", "hill").output


def test_keys_are_made_listed_and_revoked(made, run, opened):
    done = run("keys", "create", "bird", "--scope", "coordinator", "--days", "3")
    token = done.stdout.strip()
    assert KEY.fullmatch(token)  # alone on standard output, to be piped
    principal = who_has_key(opened(), token)
    assert (principal.name, principal.scope) == ("bird", "coordinator")
    listed = run("keys", "list").output
    assert principal.key_id in listed
    assert token.split("_", 2)[2] not in listed
    assert f"{datetime.now(UTC) + timedelta(days=3):%Y-%m-%d}" in listed
    run("keys", "revoke", principal.key_id)
    assert who_has_key(opened(), token) is None
    run("keys", "revoke", principal.key_id, code=2)


@pytest.mark.parametrize(
    "arguments",
    [
        ("keys", "create", "", "--scope", "admin"),
        ("keys", "create", "bird", "--scope", CANARY),
        ("keys", "create", f"a\n{CANARY}"),
        ("keys", "create", "bird", "--days", "0"),
        ("keys", "create", "bird", "--days", "999999999999"),
        ("keys", "revoke", CANARY),
        ("keys", "revoke", "cck_" + CANARY * 9),
        ("audit", "verify", "--expect", CANARY),
        ("audit", "verify", "--expect", "1:short"),
        ("audit", "verify", "--expect", "²:" + "0" * 64),
        ("audit", "show", "--limit", "0"),
        ("purge", "--older-than", CANARY),
        ("purge", "--older-than", "²d"),
        ("purge", "--older-than", "9999999999d", "--yes"),
        ("purge", "--older-than", "9000y", "--yes"),
        ("backup",),
        ("export",),
        ("restore", "missing.backup.gz"),
    ],
    ids=lambda arguments: ascii(" ".join(arguments))[:50],
)
def test_arguments_that_cannot_be_are_refused_with_a_sentence(filled, run, arguments):
    run(*arguments, code=2)
    assert count_feedback(filled, Wanted()) == 3


@pytest.mark.parametrize("command", [("keys", "list"), ("backup", "x"), ("rotate-key",), ("migrate",), ("erase",)])
def test_commands_want_a_key_file(run, command, tmp_path, monkeypatch):
    monkeypatch.setenv("CASECODER_DATABASE", f"sqlite:///{tmp_path / 'casecoder.db'}")
    done = run(*command, code=2, given="case-7\n")
    assert "CASECODER_KEY" in done.stderr
    assert not (tmp_path / "casecoder.db").exists()


def test_commands_want_a_database_of_this_version(made, run, tmp_path, monkeypatch):
    monkeypatch.setenv("CASECODER_DATABASE", f"sqlite:///{tmp_path / 'empty.db'}")
    assert "casecoder-serve migrate" in run("keys", "list", code=2).stderr
    assert re.search(r"version \d{4}", run("migrate").output)
    run("keys", "list")


def test_commands_want_the_key_that_fits(made, run, tmp_path, monkeypatch):
    from nlp.keys import new_key_file

    new_key_file(tmp_path / "other.key")
    monkeypatch.setenv("CASECODER_KEY_FILE", str(tmp_path / "other.key"))
    assert "key file" in run("keys", "list", code=2).stderr


def test_audit_log_is_verified_against_a_head_that_was_written_down(filled, run):
    head = run("audit", "head").stdout.strip()
    assert re.fullmatch(r"4:[0-9a-f]{64}", head)
    run("keys", "create", "bird")
    assert "5 entries" in run("audit", "verify").output
    assert "5 entries" in run("audit", "verify", "--expect", head).output
    run("audit", "verify", "--expect", "4:" + "0" * 64, code=2)
    with filled.database.writing() as session:
        session.execute(text("UPDATE audit SET actor = 'stone' WHERE number = 3"))
    assert "entry 3" in run("audit", "verify", code=2).stderr


def test_audit_log_is_shown_the_latest_last(filled, run):
    lines = run("audit", "show", "--limit", "2").output.splitlines()
    assert [line.split("\t")[0] for line in lines] == ["3", "4"]
    assert "store feedback" in lines[-1]
    assert run("audit", "show").output.splitlines()[0].split("\t")[3] == "create key"


@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
def test_backup_comes_back(filled, run, tmp_path, new_url, monkeypatch, opened, kind):
    done = run("backup", tmp_path / "backups")
    (path,) = (tmp_path / "backups").iterdir()
    assert str(path) in done.output
    assert "back" in run("audit", "show", "--limit", "1").output
    before = list_feedback(filled, Wanted())
    monkeypatch.setenv("CASECODER_DATABASE", new_url(kind))
    assert "holds together (5 entries)" in run("restore", path).output
    assert list_feedback(opened(), Wanted()) == before
    assert read_feedback(opened(), before[0].id, RIVER).text.startswith(CANARY)
    assert "not empty" in run("restore", path, code=2).stderr


def test_damaged_backup_is_refused(filled, run, tmp_path, new_url, monkeypatch):
    run("backup", tmp_path / "backups")
    (path,) = (tmp_path / "backups").iterdir()
    path.write_bytes(path.read_bytes()[:-100])
    monkeypatch.setenv("CASECODER_DATABASE", new_url("sqlite"))
    assert "no whole backup" in run("restore", path, code=2).stderr


def test_old_backups_are_removed(filled, run, tmp_path):
    folder = tmp_path / "backups"
    folder.mkdir()
    old, young = (datetime.now(UTC) - timedelta(days=days) for days in (31, 29))
    for moment in (old, young):
        (folder / f"casecoder-{moment:%Y%m%d-%H%M%S}.backup.gz").write_bytes(b"x")
    run("backup", folder)
    assert len(list(folder.iterdir())) == 2
    assert not (folder / f"casecoder-{old:%Y%m%d-%H%M%S}.backup.gz").exists()


def test_backup_into_what_is_no_folder_is_refused(filled, run, tmp_path):
    (tmp_path / "file").write_text("x")
    run("backup", tmp_path / "file", code=2)


def test_purge_erases_files_of_jobs_whose_time_is_over(opened, run):
    store = opened()
    files = JobFiles.of(store, ServiceSettings())
    kept, over = new_job_id(), new_job_id()
    for job_id, days in ((kept, 1), (over, -1)):
        files.write(job_id, "input", b"x", new_job_key())
        create_job(store, job_id, new_job_key(), RIVER, file_name=f"{CANARY}.csv", size=1, days=days)
    assert "1 bulk jobs that were over" in run("purge", "--older-than", "2y", "--yes").output
    assert [path.name for path in files.folder.iterdir()] == [kept]


def test_erase_says_which_jobs_may_hold_the_case(filled, run):
    job = new_job_id()
    create_job(filled, job, new_job_key(), RIVER, file_name=f"{CANARY}.csv", size=1, days=1)
    assert f"Bulk job {job} is kept" in run("erase", given=f"case-{CANARY}-1\n").stderr


def test_erase_fails_where_a_job_still_holds_the_case_and_deletes_it_where_asked(opened, run):
    store = opened()
    files, job, key = JobFiles.of(store, ServiceSettings()), new_job_id(), new_job_key()
    marks = CaseMarks(files, job, key, lambda: [0])
    marks.see(Row(1, (f"case-{CANARY}",)), ShardRow(1, "text"))
    marks.save(files.folder, None)
    create_job(store, job, key, RIVER, file_name=f"{CANARY}.csv", size=1, days=1)
    kept = run("erase", given=f"case-{CANARY}\n", code=2)
    assert "--delete-jobs" in kept.stderr
    assert read_job(store, job) is not None
    assert "is deleted" in run("erase", "--delete-jobs", given=f"case-{CANARY}\n").stderr
    assert read_job(store, job) is None
    assert list(files.folder.iterdir()) == []


def test_queue_of_jobs_does_not_run_without_a_key_file(run):
    assert "no key file" in run("jobs", code=2).output


def test_purge_asks_before_it_erases(filled, run):
    with filled.database.writing() as session:
        session.execute(text("UPDATE feedback SET created = :then WHERE number < 3"), {"then": datetime(2020, 1, 1)})
    run("purge", "--older-than", "2y", code=1, given="n\n")
    assert count_feedback(filled, Wanted()) == 3
    assert "2 decisions erased" in run("purge", "--older-than", "2y", given="y\n").output
    assert "0 decisions erased" in run("purge", "--older-than", "2y", "--yes").output
    assert count_feedback(filled, Wanted()) == 1


def test_case_is_erased_by_an_id_from_standard_input(filled, run):
    assert "1 decisions erased" in run("erase", given=f"case-{CANARY}-1\n").output
    for gone in (f"case-{CANARY}-1", f"case-{CANARY}"):
        assert "nothing is kept" in run("erase", given=f"{gone}\n", code=2).stderr
    assert count_feedback(filled, Wanted()) == 2


@pytest.mark.parametrize("given", ["", "\n", "  \n"])
def test_erasing_wants_an_id(filled, run, given):
    run("erase", code=2, given=given)
    assert count_feedback(filled, Wanted()) == 3


def test_case_whose_id_ends_in_a_space_can_be_erased(opened, run, save):
    """Ids of other systems are taken as they are, over HTTP; so they can be erased as they are."""
    save(opened(), case_id=" case 7 ")
    assert "1 decisions erased" in run("erase", given=" case 7 \n").output


def test_no_command_takes_a_case_id_as_an_argument(made, run):
    done = CliRunner().invoke(app, ["erase", f"case-{CANARY}-1"])
    assert done.exit_code == 2


def test_export_is_a_file_of_its_own_for_its_owner(filled, run, tmp_path):
    path = tmp_path / "rows.jsonl"
    assert "3 decisions" in run("export", "-o", path).output
    rows = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    assert [row["text"] for row in rows] == [f"{CANARY} was refused {number}" for number in range(3)]
    assert [row["feedback"]["chosen"] for row in rows] == [{"violation": ["health.denial"]}] * 3
    assert "plhiv" not in path.read_text(encoding="utf-8")
    assert f"case-{CANARY}" not in path.read_text(encoding="utf-8")
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    content = path.read_bytes()
    run("export", "-o", path, code=2)
    assert path.read_bytes() == content


def test_export_is_told_to_the_audit_log(filled, run, tmp_path):
    run("export", "-o", tmp_path / "rows.jsonl")
    assert "export feedback" in run("audit", "show", "--limit", "1").output


def test_key_is_changed(filled, run, tmp_path):
    from nlp.keys import new_key_file

    key_file = tmp_path / "kept" / "casecoder.key"
    old = key_file.read_text()
    new_key_file(tmp_path / "new.key")
    new = (tmp_path / "new.key").read_text()
    key_file.write_text(new + old)
    assert "4 values" in run("rotate-key").output
    assert "0 values" in run("rotate-key").output
    key_file.write_text(new)
    run("audit", "verify")
    run("export", "-o", tmp_path / "rows.jsonl")
    key_file.write_text(old)
    run("audit", "verify", code=2)


@pytest.mark.parametrize(
    ("said", "days"),
    [("1d", 1), ("365d", 365), ("26w", 182), ("12m", 360), ("2y", 730), ("0001d", 1)],
)
def test_ages_are_days_weeks_months_and_years(said, days):
    assert parse_age(said) == timedelta(days=days)


NO_AGES = [
    "",
    "d",
    "0d",
    "000y",
    "-1d",
    "1",
    "1h",
    "1 d",
    "1.5d",
    "1D",
    " 1d",
    "1d ",
    "1e3d",
    "²d",
    "½y",
    "x" * 99,
    CANARY,
]


@pytest.mark.parametrize("said", [*NO_AGES, "9" * 20 + "y", "9" * 5000 + "d"], ids=lambda said: ascii(said)[:12])
def test_other_ages_are_refused_without_repeating_them(said):
    with pytest.raises(SettingsError) as caught:
        parse_age(said)
    assert CANARY not in str(caught.value)


# Start


@pytest.fixture
def listened(monkeypatch, use_tiny_bundle):
    """What the server was started with."""
    calls = []
    monkeypatch.setattr("uvicorn.run", lambda *arguments, **options: calls.append(options))
    monkeypatch.setattr(running, "no_core_dumps", lambda: calls.append("no core dumps"))
    for name in (running.LOG_REQUESTS, running.SHARED_FIGURES):
        monkeypatch.setenv(name, "")
    return calls


PUBLIC = ["0.0.0.0", "::", "192.0.2.1", "example.org", "127.0.0.1.example.org", "", "2130706433"]  # noqa: S104


@pytest.fixture
def no_keys(run, tmp_path, monkeypatch, listened, tiny_bundle):
    """A key file and a database without access keys."""
    from nlp.keys import new_key_file

    monkeypatch.setenv("CASECODER_BUNDLE", str(tiny_bundle))
    new_key_file(tmp_path / "casecoder.key")
    monkeypatch.setenv("CASECODER_KEY_FILE", str(tmp_path / "casecoder.key"))
    monkeypatch.setenv("CASECODER_DATABASE", f"sqlite:///{tmp_path / 'casecoder.db'}")


@pytest.mark.parametrize("host", PUBLIC)
def test_public_address_is_refused_without_access_keys(no_keys, run, listened, host):
    done = run("run", "--host", host, code=2)
    assert "access keys" in done.stderr
    assert listened == []


@pytest.mark.parametrize("host", PUBLIC[:3])
def test_public_address_is_refused_without_a_store(run, listened, tiny_bundle, monkeypatch, host):
    monkeypatch.setenv("CASECODER_BUNDLE", str(tiny_bundle))
    run("run", "--host", host, code=2)
    assert listened == []


@pytest.mark.parametrize("host", ["127.0.0.1", "::1", "localhost", "127.0.0.2"])
def test_own_address_needs_no_access_keys(no_keys, run, listened, host):
    assert "no access keys" in run("run", "--host", host).stderr
    assert listened[0] == "no core dumps"
    assert listened[1]["host"] == host
    assert not listened[1]["access_log"]
    assert not listened[1]["proxy_headers"]


def test_public_address_is_taken_with_access_keys(made, run, listened, tiny_bundle, monkeypatch):
    monkeypatch.setenv("CASECODER_BUNDLE", str(tiny_bundle))
    assert "access keys are needed" in run("run", "--host", "0.0.0.0").stderr  # noqa: S104
    assert listened[1]["host"] == "0.0.0.0"  # noqa: S104


def test_start_tells_of_the_bundle_that_was_chosen(made, run, listened, opened, tiny_bundle, bundle_copy, monkeypatch):
    monkeypatch.setenv("CASECODER_BUNDLE", str(tiny_bundle))
    assert "has chosen" not in run("run").stderr
    keep_choice(opened(), Choice("site-2", "0" * 64, instead_of=str(tiny_bundle)), actor="hill")
    assert "serves site-2, which an administrator has chosen" in run("run").stderr
    monkeypatch.setenv("CASECODER_BUNDLE", str(bundle_copy))  # said later, and so it holds
    assert "has chosen" not in run("run").stderr


def test_store_that_cannot_be_opened_stops_the_start(no_keys, run, listened, monkeypatch, tmp_path):
    run("keys", "list", code=2)  # made by nobody yet
    (tmp_path / "casecoder.db").write_bytes(b"no database at all, but " + CANARY.encode() * 100)
    run("run", code=2)
    assert listened == []


def test_process_makes_its_app_from_the_environment(made, use_tiny_bundle, monkeypatch):
    from fastapi.testclient import TestClient

    monkeypatch.setattr(running, "no_core_dumps", lambda: None)
    monkeypatch.delenv(running.LOG_REQUESTS, raising=False)
    (token,) = KEY.findall(made[1].output)
    with TestClient(running.worker_app()) as client:
        assert client.get("/v1/keys").status_code == 401
        assert client.get("/v1/keys", headers={"Authorization": f"Bearer {token}"}).status_code == 200
