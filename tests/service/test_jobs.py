"""Bulk jobs: brought, looked at, run, gone on with, fetched, erased. All people, numbers and places are invented."""

from __future__ import annotations

import json
import queue
import threading
import time
from dataclasses import replace

import pytest
from sqlalchemy import select

from nlp.bulk.shard_run import LoadedBundle
from service.errors import SealBroken
from service.jobs.children import ChildFailed
from service.jobs.coding import CodingTask, code_job
from service.jobs.folders import JobFiles, plain_folder, sweep_plain
from service.jobs.looking import look
from service.jobs.runner import LeaseLost, Runner
from service.jobs.sealed_file import FRAME, SealedFile, read_sealed, writing_sealed
from service.jobs.sweeping import sweep_jobs
from service.store.jobs import finish_job, hold_lease, job_key, next_job, read_job, release_lease
from service.store.sealing import Keyring
from service.store.tables import AuditEntry, Job

pytestmark = pytest.mark.mostly_sqlite

CANARY = "Qazanarbek Ovaxx"
TABLE = f"""id,what happened,place
a-1,The doctor refused to see {CANARY} because of his status.,Osh
a-2,"The nurse shouted at him,
and he left.",Bishkek
a-3,They beat her at the station.,Osh
"""
OPTIONS = {"text_column": 2, "id_column": 1}


class ThreadChild:
    """A job in a thread of this process, for tests of what surrounds it."""

    def __init__(self, task, loaded, *, until=lambda said: False, then=lambda: None):
        """``until`` tells of which word it waits for its end, after ``then``."""
        self.said = queue.SimpleQueue()
        self.stopped = threading.Event()
        self.until, self.then = until, then
        self.thread = threading.Thread(target=self._work, args=(task, loaded), daemon=True)
        self.ended = False
        self.thread.start()

    def _work(self, task, loaded):
        try:
            code_job(task, self._tell, loaded=loaded)
        except ChildFailed as error:
            self.said.put({"event": "failed", "code": error.reason, "sentence": str(error)})
        except SystemExit:
            pass
        finally:
            self.said.put(None)

    def _tell(self, **facts):
        self.said.put(json.loads(json.dumps(facts)))
        if self.until(facts):
            self.then()
            assert self.stopped.wait(120)
        if self.stopped.is_set():
            raise SystemExit

    def hear(self, seconds):
        if self.ended:
            return None
        try:
            said = self.said.get(timeout=seconds)
        except queue.Empty:
            return None
        self.ended = said is None
        return said

    @property
    def has_ended(self):
        return self.ended

    def stop(self):
        self.stopped.set()

    def kill(self):
        self.stopped.set()

    def how_it_ended(self):
        return "SIGKILL"


class SilentChild(ThreadChild):
    """One that dies without a word."""

    def _work(self, task, loaded):
        self.said.put(None)


@pytest.fixture
def loaded(constant_pipeline):
    return LoadedBundle.of(constant_pipeline)


@pytest.fixture
def jobs(api, loaded, monkeypatch):
    """The service with jobs that run in this process."""
    monkeypatch.setattr("service.jobs.coding._OFTEN", 0.0)
    monkeypatch.setattr("service.jobs.runner._TOLD", 0.0)
    api.client.app.state.look = lambda task: look(task, loaded=loaded)

    def bring(content=TABLE, name="cases.csv", who="river"):
        headers = {"X-File-Name": name, "Content-Type": "application/octet-stream"}
        data = content if isinstance(content, bytes) else content.encode()
        return api.send("POST", "/v1/jobs", who, content=data, headers=headers)

    def runner(stop=None, start=None):
        settings = api.client.app.state.settings
        stop = stop or threading.Event()
        return Runner(api.store, settings, stop, start=start or (lambda task: ThreadChild(task, loaded)), tick=0.01)

    def run(**options):
        job = next_job(api.store)
        found = runner(**options)
        found.run_one(job)
        found.give_up()
        return api.get(f"/v1/jobs/{job.id}", "river").json()

    def done(content=TABLE, name="cases.csv", **options):
        job = bring(content, name).json()
        reply = api.post(f"/v1/jobs/{job['id']}/start", {**OPTIONS, **options}, "river")
        assert reply.status_code == 200, reply.text
        return run()

    api.bring, api.runner, api.run, api.done = bring, runner, run, done
    api.files = api.client.app.state.job_files
    return api


def audit(api):
    with api.store.database.reading() as session:
        return [
            (entry.actor, entry.action) for entry in session.scalars(select(AuditEntry).order_by(AuditEntry.number))
        ]


def on_disk(api):
    return b"\n".join(path.read_bytes() for path in sorted(api.files.folder.rglob("*")) if path.is_file())


# Sealed files


@pytest.mark.parametrize("size", [0, 1, FRAME - 1, FRAME, FRAME + 1, 2 * FRAME, 2 * FRAME + 5])
def test_sealed_file_gives_back_what_was_written(tmp_path, size):
    content = (b"casecoder" * (size // 9 + 1))[:size]
    with writing_sealed(tmp_path / "file", b"k" * 32, "job/file") as file:
        for at in range(0, size, 70_001):
            file.write(content[at : at + 70_001])
    with SealedFile(tmp_path / "file", b"k" * 32, "job/file") as sealed:
        sealed.check_end()
        assert (sealed.size, b"".join(sealed.pieces())) == (size, content)
    assert (tmp_path / "file").stat().st_mode & 0o077 == 0


def _sealed(tmp_path, name="file", content=b"secret" * FRAME):
    with writing_sealed(tmp_path / name, b"k" * 32, f"job/{name}") as file:
        file.write(content)
    return tmp_path / name


FRAME_STORED = FRAME + 16
HEAD = 37


@pytest.mark.parametrize(
    "damage",
    [
        lambda content: content[:-1],
        lambda content: content[: HEAD + 2 * FRAME_STORED],
        lambda content: content[:HEAD],
        lambda content: content[:10],
        lambda content: b"",
        lambda content: content + b"x",
        lambda content: content[:100] + bytes([content[100] ^ 1]) + content[101:],
        lambda content: (
            content[:HEAD]
            + content[HEAD + FRAME_STORED : HEAD + 2 * FRAME_STORED]
            + content[HEAD : HEAD + FRAME_STORED]
            + content[HEAD + 2 * FRAME_STORED :]
        ),
    ],
    ids=["last byte", "at a frame", "no frame", "head", "empty", "longer", "bit", "swapped"],
)
def test_sealed_file_that_was_altered_does_not_open(tmp_path, damage):
    path = _sealed(tmp_path)
    path.write_bytes(damage(path.read_bytes()))
    with pytest.raises(SealBroken):
        read_sealed(path, b"k" * 32, "job/file")


def test_sealed_file_that_was_cut_off_is_noticed_before_any_of_it_is_handed_on(tmp_path):
    path = _sealed(tmp_path)
    path.write_bytes(path.read_bytes()[: HEAD + 2 * FRAME_STORED])
    with SealedFile(path, b"k" * 32, "job/file") as sealed, pytest.raises(SealBroken):
        sealed.check_end()


@pytest.mark.parametrize(("key", "name"), [(b"K" * 32, "job/file"), (b"k" * 32, "job/other")])
def test_sealed_file_opens_with_its_key_and_name_alone(tmp_path, key, name):
    with pytest.raises(SealBroken):
        read_sealed(_sealed(tmp_path, content=b"secret"), key, name)


def test_sealed_file_that_fails_leaves_nothing(tmp_path):
    with pytest.raises(RuntimeError), writing_sealed(tmp_path / "file", b"k" * 32, "job/file") as file:
        file.write(b"x" * 3 * FRAME)
        raise RuntimeError
    assert list(tmp_path.iterdir()) == []


def test_plain_folder_is_private_and_goes_away():
    with plain_folder(10) as folder:
        assert folder.stat().st_mode & 0o077 == 0
        sweep_plain()  # what is in use is left alone
        assert folder.exists()
    assert not folder.exists()


def test_plain_folder_of_a_process_that_died_is_swept():
    with plain_folder(10) as folder:
        left = folder.with_name(f"{folder.name}-left")
        left.mkdir()
        (left / "in-use").touch()
        (left / "input.csv").write_text(CANARY)
        sweep_plain()
        assert not left.exists()


# Bringing a file


@pytest.mark.both_databases
def test_file_is_stored_encrypted_and_told_to_the_audit_log(jobs, raw_content):
    reply = jobs.bring(name="%D0%94%D0%B5%D0%BB%D0%B0%20Qazanarbek.csv")
    assert reply.status_code == 201
    job = reply.json()
    assert (job["file_name"], job["state"], job["bytes"]) == ("Дела Qazanarbek.csv", "uploaded", len(TABLE.encode()))
    assert ("river (" + jobs.ids["river"] + ")", "create job") in audit(jobs)
    assert jobs.files.read(job["id"], "input", job_key(jobs.store, job["id"])).decode() == TABLE
    for content in (on_disk(jobs), raw_content(jobs.store)):
        assert b"Qazanarbek" not in content
        assert b"refused" not in content
    assert jobs.files.folder.stat().st_mode & 0o077 == 0


@pytest.mark.parametrize(
    ("name", "code"), [("cases.exe", "job.name"), ("", "job.name"), ("..%2F..%2F.csv", "job.name"), ("a", "job.name")]
)
def test_file_with_a_name_that_is_none_of_a_table_is_refused(jobs, name, code):
    reply = jobs.bring(name=name)
    assert (reply.status_code, reply.json()["code"]) == (422, code)
    assert jobs.get("/v1/jobs", "river").json() == []


def test_folders_in_a_name_are_left_away(jobs):
    assert jobs.bring(name="..%2F..%5Cetc%2Fcases.csv").json()["file_name"] == "cases.csv"


def test_empty_file_is_refused_and_leaves_nothing(jobs):
    assert jobs.bring(b"").json()["code"] == "job.empty"
    assert on_disk(jobs) == b""


def test_file_above_the_limit_is_refused_before_it_is_read_and_while_it_comes(start):
    api = start(max_upload_mb=0.001)
    headers = {"X-File-Name": "cases.csv", "Content-Type": "application/octet-stream"}
    told = api.send("POST", "/v1/jobs", "river", content=b"x" * 1001, headers=headers)
    streamed = api.send("POST", "/v1/jobs", "river", content=iter([b"x" * 600, b"x" * 600]), headers=headers)
    fits = api.send("POST", "/v1/jobs", "river", content=iter([b"x" * 500, b"x" * 500]), headers=headers)
    assert [reply.status_code for reply in (told, streamed, fits)] == [413, 413, 201]
    assert len(list(api.client.app.state.job_files.folder.rglob("input*"))) == 1


@pytest.mark.parametrize("media", ["application/json", "multipart/form-data", "text/plain"])
def test_file_of_another_media_type_is_refused(jobs, media):
    headers = {"X-File-Name": "cases.csv", "Content-Type": media}
    assert jobs.send("POST", "/v1/jobs", "river", content=b"x", headers=headers).status_code == 415


def test_jobs_are_not_there_for_reactors(jobs):
    job = jobs.bring().json()["id"]
    for method, path in (
        ("GET", ""), ("POST", "/preview"), ("POST", "/start"), ("POST", "/dry-run"), ("POST", "/cancel"),
        ("DELETE", ""), ("GET", "/files/output"), ("POST", "/review/next"), ("POST", "/review/undo"),
        ("POST", "/review/1"),
    ):  # fmt: skip
        options = {"json": {}} if method == "POST" else {}
        assert jobs.send(method, f"/v1/jobs/{job}{path}", "bird", **options).status_code == 404
    assert jobs.bring(who="bird").status_code == 404
    assert jobs.get("/v1/jobs", "bird").status_code == 404


def test_no_route_tells_outsiders_whether_there_is_a_job(jobs):
    job = jobs.done()["id"]
    for path, methods in sorted(jobs.client.app.openapi()["paths"].items()):
        for method in methods if path.startswith("/v1/jobs") else ():
            for who, status in ((None, 401), ("bird", 404)):
                options = {"json": {}} if method == "post" else {}
                places = [path.format(job_id=id_, kind="output", row=1) for id_ in (job, "0" * 32)]
                there, not_there = (jobs.send(method.upper(), place, who, **options) for place in places)
                assert (there.status_code, there.text) == (status, not_there.text), (method, path)


def test_every_coordinator_sees_every_job(jobs):
    job = jobs.bring().json()["id"]
    assert [item["id"] for item in jobs.get("/v1/jobs", "hill").json()] == [job]


# Looking at it


def test_preview_shows_columns_and_first_rows_and_is_audited(jobs):
    job = jobs.bring().json()["id"]
    reply = jobs.post(f"/v1/jobs/{job}/preview", {}, "river")
    found = reply.json()
    assert found["columns"] == ["id", "what happened", "place"]
    assert (found["text_column"], found["id_column"]) == (2, 1)
    assert found["rows"][1]["cells"][1] == "The nurse shouted at him,\nand he left."
    assert reply.headers["cache-control"] == "no-store"
    assert audit(jobs)[-1][1] == "preview job"


def test_preview_of_a_table_that_does_not_say_which_column_shows_it_all_the_same(jobs):
    job = jobs.bring("a,b,c\n1,x y,z\n2,y,z\n").json()["id"]
    found = jobs.post(f"/v1/jobs/{job}/preview", {}, "river").json()
    assert found["text_column"] is None
    assert "not clear" in found["problem"]
    assert found["columns"] == ["a", "b", "c"]


def test_file_that_is_no_table_is_told_in_a_sentence_without_its_place(jobs):
    job = jobs.bring(b"PK\x03\x04 no archive", name="cases.xlsx").json()["id"]
    reply = jobs.post(f"/v1/jobs/{job}/preview", {}, "river")
    assert (reply.status_code, reply.json()["code"]) == (422, "job.file")
    assert "/" not in reply.json()["detail"].replace("and/or", "")


def test_dry_run_forecasts_and_stores_nothing(jobs):
    job = jobs.bring(TABLE + "a-4,,\n").json()["id"]
    found = jobs.post(f"/v1/jobs/{job}/dry-run", OPTIONS, "river").json()
    assert (found["forecast"]["rows"], found["empty"], found["unreadable"]) == (4, 1, 0)
    assert found["forecast"]["statuses"]["failed"]["sampled"] == 1
    assert CANARY.split(maxsplit=1)[0] not in json.dumps(found["examples"]) or found["examples"]
    assert jobs.get(f"/v1/jobs/{job}", "river").json()["state"] == "uploaded"


def test_column_that_is_not_there_is_told(jobs):
    job = jobs.bring().json()["id"]
    reply = jobs.post(f"/v1/jobs/{job}/dry-run", {"text_column": 2, "joins": [9]}, "river")
    assert (reply.status_code, reply.json()["code"]) == (422, "job.file")


@pytest.mark.parametrize("options", [{"text_column": 2, "id_column": 2}, {**OPTIONS, "joins": [1]}])
def test_column_of_the_narrative_is_no_id_which_comes_out_as_it_is(jobs, options):
    job = jobs.bring().json()["id"]
    reply = jobs.post(f"/v1/jobs/{job}/dry-run", options, "river")
    assert reply.status_code == 422
    assert "cannot be" in reply.json()["detail"]


# Running it


@pytest.mark.both_databases
def test_job_runs_and_its_output_has_every_row(jobs, raw_content):
    job = jobs.done()
    assert (job["state"], job["progress"]["rows"], job["progress"]["errors"]) == ("done", 3, 0)
    assert job["counts"]["violation"]["health.denial"] == {"suggest": 3}
    reply = jobs.get(f"/v1/jobs/{job['id']}/files/output", "river")
    lines = reply.content.decode("utf-8-sig").splitlines()
    assert lines[0].startswith("id,what happened,place,")
    assert "health.denial" in reply.text
    assert reply.headers["content-disposition"].endswith("filename*=UTF-8''cases-coded.csv")
    assert int(reply.headers["content-length"]) == len(reply.content)
    assert audit(jobs)[-1][1] == "download job file"
    for content in (on_disk(jobs), raw_content(jobs.store)):
        assert b"refused" not in content
        assert b"what happened" not in content


def test_work_folder_is_gone_after_the_end(jobs):
    job = jobs.done()
    assert not (jobs.files.of_job(job["id"]) / "work").exists()


@pytest.mark.parametrize("ending", ["jsonl", "xlsx", "parquet"])
def test_output_can_have_another_format(jobs, ending):
    job = jobs.done(format=ending)
    reply = jobs.get(f"/v1/jobs/{job['id']}/files/output", "river")
    start = {"jsonl": b"{", "xlsx": b"PK", "parquet": b"PAR1"}[ending]
    assert reply.content.startswith(start)


def test_joined_columns_are_one_narrative_and_each_is_redacted(jobs):
    table = "id,text,more\n1,The doctor refused to see Ivan Petrov.,He said: call +996 700 123 456 at once.\n"
    job = jobs.done(table, text_column=2, joins=[3], format="jsonl")
    (row,) = [json.loads(line) for line in jobs.get(f"/v1/jobs/{job['id']}/files/output", "river").text.splitlines()]
    assert "700" not in row["more"]
    assert row["redacted_text"] == f"{row['text']}\n\n{row['more']}"


def test_job_that_cannot_be_read_fails_with_its_sentence(jobs):
    job = jobs.bring("a,b,c\n1,x,z\n").json()["id"]
    jobs.post(f"/v1/jobs/{job}/start", {}, "river")
    found = jobs.run()
    assert found["state"] == "failed"
    assert "not clear" in found["error"]


@pytest.mark.both_databases
def test_job_is_started_once(jobs):
    job = jobs.bring().json()["id"]
    assert jobs.post(f"/v1/jobs/{job}/start", OPTIONS, "river").json()["state"] == "queued"
    again = jobs.post(f"/v1/jobs/{job}/start", OPTIONS, "hill")
    assert (again.status_code, again.json()["code"]) == (409, "job.state")


@pytest.mark.both_databases
def test_jobs_run_in_the_order_in_which_they_were_started(jobs):
    first, second, third = (jobs.bring().json()["id"] for _ in range(3))
    for job in (second, third, first):
        jobs.clock.advance(seconds=1)
        jobs.post(f"/v1/jobs/{job}/start", OPTIONS, "river")
    assert [jobs.get(f"/v1/jobs/{job}", "river").json()["ahead"] for job in (second, third, first)] == [0, 1, 2]
    assert [jobs.run()["id"] for _ in range(3)] == [second, third, first]


@pytest.mark.both_databases
def test_queued_job_can_be_cancelled_and_started_again(jobs):
    job = jobs.bring().json()["id"]
    jobs.post(f"/v1/jobs/{job}/start", OPTIONS, "river")
    assert jobs.post(f"/v1/jobs/{job}/cancel", {}, "river").json()["state"] == "cancelled"
    assert next_job(jobs.store) is None
    assert jobs.post(f"/v1/jobs/{job}/cancel", {}, "river").status_code == 409
    jobs.post(f"/v1/jobs/{job}/start", OPTIONS, "river")
    assert jobs.run()["state"] == "done"


def long_table(rows):
    return "id,text\n" + "".join(f"{number},The doctor refused to see her.\n" for number in range(rows))


def half_done(said):
    return said.get("shards_done") == 1


@pytest.fixture
def half(jobs, loaded):
    """A job of which some rows are coded when it is cancelled."""
    job = jobs.bring(long_table(120)).json()["id"]
    jobs.post(f"/v1/jobs/{job}/start", {"text_column": 2}, "river")

    def cancel():
        assert jobs.post(f"/v1/jobs/{job}/cancel", {}, "river").json()["state"] == "stopping"

    found = jobs.run(start=lambda task: ThreadChild(task, loaded, until=half_done, then=cancel))
    assert found["state"] == "cancelled"
    return job


@pytest.fixture
def coded(monkeypatch):
    """The rows that are coded from now on."""
    from nlp.bulk import shard_run

    real, found = shard_run.code_row, []

    def counted(pipeline, row):
        found.append(row.number)
        return real(pipeline, row)

    monkeypatch.setattr(shard_run, "code_row", counted)
    return found


@pytest.mark.both_databases
def test_cancelled_job_goes_on_where_it_was_when_it_is_started_again(jobs, half, coded):
    jobs.post(f"/v1/jobs/{half}/start", {"text_column": 2}, "river")
    found = jobs.run()
    assert (found["state"], found["progress"]["rows"]) == ("done", 120)
    assert 0 < len(coded) < 120


def test_job_started_with_another_output_goes_on_where_it_was(jobs, half, coded):
    other = {"text_column": 2, "report_language": "ru", "format": "xlsx", "wide": True, "check": 5}
    jobs.post(f"/v1/jobs/{half}/start", other, "hill")
    found = jobs.run()
    assert (found["state"], found["files"][0]["kind"]) == ("done", "output")
    assert 0 < len(coded) < 120
    assert "report.html" in jobs.get(f"/v1/jobs/{half}/files/report", "river").headers["content-disposition"]
    assert 'lang="ru"' in jobs.get(f"/v1/jobs/{half}/files/report", "river").text


def test_job_started_with_other_options_begins_anew(jobs, half, coded):
    jobs.post(f"/v1/jobs/{half}/start", {"text_column": 2, "language": "en"}, "river")
    assert jobs.run()["state"] == "done"
    assert len(coded) == 120


def test_job_begun_by_another_bundle_begins_anew(jobs, half, coded, loaded):
    jobs.post(f"/v1/jobs/{half}/start", {"text_column": 2}, "river")
    other = replace(loaded, digest="0" * 64)
    assert jobs.run(start=lambda task: ThreadChild(task, other))["state"] == "done"
    assert len(coded) == 120


@pytest.mark.both_databases
def test_job_whose_server_ended_is_gone_on_with_by_the_next_runner(jobs, loaded, coded):
    job = jobs.bring(long_table(120)).json()["id"]
    jobs.post(f"/v1/jobs/{job}/start", {"text_column": 2}, "river")
    stop = threading.Event()
    found = jobs.run(stop=stop, start=lambda task: ThreadChild(task, loaded, until=half_done, then=stop.set))
    assert found["state"] == "running"
    assert jobs.run()["state"] == "done"
    assert sorted(coded) == list(range(1, 121))


def test_job_whose_output_could_not_be_sealed_is_not_coded_again(jobs, loaded, coded, monkeypatch):
    job = jobs.bring(long_table(120)).json()["id"]
    jobs.post(f"/v1/jobs/{job}/start", {"text_column": 2}, "river")

    def refuse(*args):
        raise ChildFailed("store.failed", "is the disk full?")

    with monkeypatch.context() as patched:
        patched.setattr("service.jobs.coding._take_in", refuse)
        assert jobs.run()["state"] == "failed"
    assert len(coded) == 120
    jobs.post(f"/v1/jobs/{job}/start", {"text_column": 2}, "river")
    assert jobs.run()["state"] == "done"
    assert len(coded) == 120
    assert not (jobs.files.of_job(job) / "work").exists()


def test_what_a_process_that_was_killed_leaves_in_plain_is_removed_at_once(jobs, loaded, tmp_path, monkeypatch):
    monkeypatch.setattr("service.jobs.folders._MEMORY", tmp_path)
    left = tmp_path / "casecoder-plain-left"

    class KilledChild(SilentChild):
        def _work(self, task, loaded):
            left.mkdir()
            (left / "in-use").touch()
            (left / "input.csv").write_text(CANARY)
            super()._work(task, loaded)

    job = jobs.bring().json()["id"]
    jobs.post(f"/v1/jobs/{job}/start", OPTIONS, "river")
    seen = []
    kinds = iter([KilledChild, ThreadChild])

    def start(task):
        seen.append(left.exists())
        return next(kinds)(task, loaded)

    assert jobs.run(start=start)["state"] == "done"
    assert seen == [False, False]
    assert not left.exists()


def test_job_whose_process_dies_again_and_again_fails(jobs, loaded):
    job = jobs.bring().json()["id"]
    jobs.post(f"/v1/jobs/{job}/start", OPTIONS, "river")
    started = []

    def start(task):
        started.append(task)
        return SilentChild(task, loaded)

    found = jobs.run(start=start)
    assert (found["state"], len(started)) == ("failed", 3)
    assert "SIGKILL" in found["error"]


def test_job_whose_process_dies_once_is_done_all_the_same(jobs, loaded):
    job = jobs.bring().json()["id"]
    jobs.post(f"/v1/jobs/{job}/start", OPTIONS, "river")
    kinds = iter([SilentChild, ThreadChild])
    assert jobs.run(start=lambda task: next(kinds)(task, loaded))["state"] == "done"


def test_job_without_its_files_fails_with_a_sentence(jobs):
    job = jobs.bring().json()["id"]
    jobs.post(f"/v1/jobs/{job}/start", OPTIONS, "river")
    jobs.files.remove(job)
    found = jobs.run()
    assert found["state"] == "failed"
    assert "Bring the file again" in found["error"]


@pytest.mark.both_databases
def test_one_runner_has_the_queue_until_its_lease_is_over(jobs):
    assert hold_lease(jobs.store, "jobs", "one", 15)
    assert not hold_lease(jobs.store, "jobs", "two", 15)
    jobs.clock.advance(seconds=10)
    assert hold_lease(jobs.store, "jobs", "one", 15)
    jobs.clock.advance(seconds=10)
    assert not hold_lease(jobs.store, "jobs", "two", 15)
    jobs.clock.advance(seconds=6)
    assert hold_lease(jobs.store, "jobs", "two", 15)
    assert not hold_lease(jobs.store, "jobs", "one", 15)
    release_lease(jobs.store, "jobs", "two")
    assert hold_lease(jobs.store, "jobs", "one", 15)


@pytest.mark.both_databases
def test_runner_that_lost_the_queue_leaves_the_job_alone(jobs, loaded, monkeypatch):
    monkeypatch.setattr("service.jobs.runner._RENEWED", 0.0)
    job = jobs.bring(long_table(60)).json()["id"]
    jobs.post(f"/v1/jobs/{job}/start", {"text_column": 2}, "river")
    runner = jobs.runner(start=lambda task: ThreadChild(task, loaded, until=half_done))
    assert hold_lease(jobs.store, "jobs", "somebody else", 1000)
    with pytest.raises(LeaseLost):
        runner.run_one(next_job(jobs.store))
    assert read_job(jobs.store, job).state == "running"


@pytest.mark.both_databases
def test_runner_takes_jobs_as_they_come_and_gives_the_queue_back(jobs):
    stop = threading.Event()
    thread = threading.Thread(target=jobs.runner(stop=stop).run)
    thread.start()
    try:
        job = jobs.bring().json()["id"]
        jobs.post(f"/v1/jobs/{job}/start", OPTIONS, "river")
        until = time.monotonic() + 30
        while jobs.get(f"/v1/jobs/{job}", "river").json()["state"] != "done":
            assert time.monotonic() < until
            time.sleep(0.05)
    finally:
        stop.set()
        thread.join(20)
    assert hold_lease(jobs.store, "jobs", "another", 15)


# Erasing it


@pytest.mark.both_databases
def test_deleted_job_leaves_no_file_and_no_row(jobs, raw_content):
    job = jobs.done()["id"]
    assert jobs.send("DELETE", f"/v1/jobs/{job}", "hill").status_code == 204
    assert jobs.get(f"/v1/jobs/{job}", "river").status_code == 404
    assert list(jobs.files.folder.iterdir()) == []
    assert ("hill (" + jobs.ids["hill"] + ")", "delete job") in audit(jobs)
    assert jobs.send("DELETE", f"/v1/jobs/{job}", "hill").status_code == 404


@pytest.mark.both_databases
def test_running_job_is_not_deleted(jobs):
    job = jobs.bring().json()["id"]
    jobs.post(f"/v1/jobs/{job}/start", OPTIONS, "river")
    next_job(jobs.store)
    assert jobs.send("DELETE", f"/v1/jobs/{job}", "river").status_code == 409
    assert jobs.files.of_job(job).exists()


@pytest.mark.both_databases
def test_job_is_erased_when_its_time_is_over(jobs):
    done, waiting = jobs.done()["id"], jobs.bring().json()["id"]
    jobs.post(f"/v1/jobs/{waiting}/start", OPTIONS, "river")
    jobs.clock.advance(days=13.9)
    assert sweep_jobs(jobs.store, jobs.files, actor="test") == 0
    jobs.clock.advance(days=0.2)
    assert sweep_jobs(jobs.store, jobs.files, actor="test") == 1
    assert [item["id"] for item in jobs.get("/v1/jobs", "river").json()] == [waiting]
    assert not jobs.files.of_job(done).exists()
    assert ("test", "erase expired job") in audit(jobs)


def test_download_of_a_damaged_file_gives_nothing_of_it(jobs):
    job = jobs.done()["id"]
    path = jobs.files.of_job(job) / "output"
    path.write_bytes(path.read_bytes()[:-1])
    reply = jobs.get(f"/v1/jobs/{job}/files/output", "river")
    assert (reply.status_code, reply.json()["code"]) == (500, "store.sealed")


@pytest.mark.both_databases
def test_jobs_stay_readable_when_the_key_file_is_rotated(jobs, open_store, database_url, old_key, new_key):
    job = jobs.done()["id"]
    open_store(database_url, Keyring([new_key, old_key])).rotate()
    store = open_store(database_url, Keyring([new_key]))
    assert read_job(store, job).file_name == "cases.csv"
    assert JobFiles(jobs.files.folder).read(job, "output", job_key(store, job))


@pytest.mark.both_databases
def test_end_of_a_job_is_written_whole_or_not_at_all(jobs, monkeypatch):
    job = jobs.bring().json()["id"]
    jobs.post(f"/v1/jobs/{job}/start", OPTIONS, "river")
    next_job(jobs.store)
    with monkeypatch.context() as patch, pytest.raises(ZeroDivisionError):
        patch.setattr(jobs.store.audit, "add", lambda *a, **k: 1 / 0)
        finish_job(jobs.store, job, "done", days=1)
    with jobs.store.database.reading() as session:
        assert session.get(Job, job).state == "running"


def test_task_travels_to_its_process_whole(tmp_path):
    from service.jobs.options import JobOptions

    task = CodingTask(tmp_path, "0" * 32, b"k" * 32, ".csv", JobOptions(text_column=2, joins=(3, 4)), "x", 2, True)
    assert CodingTask.from_json(json.loads(json.dumps(task.to_json()))) == task
    assert "text_column" not in repr(task)
