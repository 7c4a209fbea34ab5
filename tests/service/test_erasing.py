"""A case that is to be erased, where it lies in files of bulk jobs and their queues. All of it is invented."""

from __future__ import annotations

import json

import pytest
from sqlalchemy import select

from service.jobs.cases import erase_texts, rows_of_case
from service.store.access import Principal
from service.store.feedback import Wanted, list_feedback
from service.store.jobs import finish_job, job_key, next_job, read_job, start_job
from service.store.tables import AuditEntry, ReviewRow

pytestmark = pytest.mark.mostly_sqlite

CANARY = "qazanarbekovaxx"
TABLE = f"""id,text,place
C-{CANARY},The doctor refused to see her.,Osh
C-2,The nurse shouted at him.,Bishkek
C-{CANARY},They beat her at the station.,Osh
,Nobody came when she called.,Osh
"""
KEPT = "C-2,The nurse shouted at him.,Bishkek"


def erase(api, case_id=f"C-{CANARY}", **body):
    reply = api.post("/v1/erasures", {"case_id": case_id, **body}, "hill")
    assert reply.status_code == 200, reply.text
    return reply.json()


def queue_rows(api, job):
    with api.store.database.reading() as session:
        return sorted(session.scalars(select(ReviewRow.row).where(ReviewRow.job_id == job)))


def texts(api, job):
    files, key = api.client.app.state.job_files, job_key(api.store, job)
    return b"".join(files.read(job, path.name, key) for path in files.of_job(job).glob("review-*"))


def review(api, job, act="accept"):
    item = api.post(f"/v1/jobs/{job}/review/next", {}, "river").json()["item"]
    assert api.post(f"/v1/jobs/{job}/review/{item['row']}", {"act": act}, "river").status_code == 200
    return item["row"]


def told(api, action):
    with api.store.database.reading() as session:
        return session.scalars(select(AuditEntry.facts).where(AuditEntry.action == action)).all()


@pytest.mark.both_databases
def test_rows_of_a_case_leave_the_queue_with_their_texts_and_decisions(api, code_file):
    job = code_file(TABLE)
    assert {review(api, job) for _ in range(4)} == {1, 2, 3, 4}
    found = erase(api)
    assert (found["erased"], found["rows"]) == (2, 2)
    assert queue_rows(api, job) == [2, 4]
    assert CANARY.encode() not in texts(api, job)
    assert b"shouted" in texts(api, job)
    assert len(list_feedback(api.store, Wanted())) == 2
    reply = api.get(f"/v1/jobs/{job}/files/decisions", "river")
    assert [line.split(",")[0] for line in reply.text.splitlines()[1:]] == ["2", "4"]


def test_job_that_holds_the_case_is_told_and_kept(api, code_file):
    job = code_file(TABLE)
    (one,) = erase(api)["jobs"]
    assert (one["id"], one["holds"], one["deleted"], one["file_name"]) == (job, "yes", False, "cases.csv")
    assert one["expires"] == api.get(f"/v1/jobs/{job}", "river").json()["expires"]
    assert api.get(f"/v1/jobs/{job}/files/output", "river").status_code == 200


@pytest.mark.both_databases
def test_job_that_holds_the_case_is_deleted_with_all_its_files_where_asked(api, code_file, raw_content):
    job, other = code_file(TABLE), code_file(f"id,text\n{KEPT}\n")
    review(api, job)
    found = erase(api, jobs="delete")
    assert [(one["id"], one["deleted"]) for one in found["jobs"]] == [(job, True)]
    files = api.client.app.state.job_files
    assert [path.name for path in files.folder.iterdir()] == [other]
    assert api.get(f"/v1/jobs/{job}", "river").status_code == 404
    assert queue_rows(api, job) == []
    assert {"job": job} in told(api, "delete job")
    assert CANARY.encode() not in raw_content(api.store)


def test_keeping_at_first_does_not_keep_from_deleting_later(api, code_file):
    job = code_file(TABLE)
    assert erase(api)["rows"] == 2
    again = erase(api)
    assert (again["rows"], again["jobs"][0]["holds"]) == (0, "yes")
    assert erase(api, jobs="delete")["jobs"][0]["deleted"]
    assert erase(api, jobs="delete")["jobs"] == []
    assert read_job(api.store, job) is None


def test_case_is_found_in_a_table_that_was_coded_before(api, code_file):
    """There, an apostrophe stands before what looks like a formula."""
    job = code_file("id,text\n'+7-1,The doctor refused to see her.\n8,The nurse shouted at him.\n")
    assert review(api, job) == 1
    found = erase(api, "+7-1")
    assert (found["erased"], found["rows"], queue_rows(api, job)) == (1, 1, [2])


@pytest.mark.parametrize("written", [f" C-{CANARY}\u00a0", f"Ｃ-{CANARY}"])
def test_case_is_found_however_its_id_is_written(api, code_file, written):
    code_file(TABLE)
    assert erase(api, written)["rows"] == 2


@pytest.mark.parametrize("other", ["C-3", f"c-{CANARY}", "4", CANARY])
def test_job_without_the_case_is_not_told(api, code_file, other):
    """Not even where an id is the number of a row that has none."""
    code_file(TABLE)
    assert erase(api, other) == {"erased": 0, "rows": 0, "jobs": []}


def test_ids_that_are_numbers_of_rows_are_ids_all_the_same(api, code_file):
    job = code_file("id,text\n1,The doctor refused to see her.\n2,The nurse shouted at him.\n")
    assert {review(api, job), review(api, job)} == {1, 2}
    found = erase(api, "2")
    assert (found["erased"], found["rows"], queue_rows(api, job)) == (1, 1, [1])


def test_whether_a_file_holds_the_case_is_unknown_until_it_was_read_or_without_ids(api, code_file):
    without = code_file("text,place\nThe doctor refused to see her.,Osh\n", text_column=1, id_column=None)
    headers = {"X-File-Name": "new.csv", "Content-Type": "application/octet-stream"}
    new = api.send("POST", "/v1/jobs", "river", content=TABLE.encode(), headers=headers).json()["id"]
    found = erase(api, jobs="delete")
    assert {one["id"]: (one["holds"], one["deleted"]) for one in found["jobs"]} == {
        without: ("unknown", False),
        new: ("unknown", False),
    }


def test_job_that_was_read_and_cancelled_is_known_to_hold_the_case(api, code_file):
    job = code_file(TABLE, until="begun")
    assert [(one["id"], one["holds"]) for one in erase(api)["jobs"]] == [(job, "yes")]


@pytest.mark.both_databases
def test_running_job_is_deleted_too_and_its_end_is_no_error(api, code_file):
    job = code_file(TABLE, until="begun")
    start_job(api.store, job, Principal("river", "coordinator", None), {"text_column": 2, "id_column": 1})
    next_job(api.store)
    assert erase(api, jobs="delete")["jobs"][0]["deleted"]
    finish_job(api.store, job, "done", days=14)
    assert read_job(api.store, job) is None


def test_case_is_found_among_the_rows_of_a_workbook(api, code_file, tmp_path):
    from nlp.bulk.tables import open_output

    with open_output(tmp_path / "cases.xlsx", ("id", "text")) as out:
        out.write([17, "The doctor refused to see her."])
        out.write([170, "The nurse shouted at him."])
    job = code_file((tmp_path / "cases.xlsx").read_bytes(), "cases.xlsx")
    assert erase(api, "17")["rows"] == 1
    assert queue_rows(api, job) == [2]


@pytest.mark.both_databases
def test_hashes_of_cases_lie_sealed_and_differ_between_jobs(api, code_file):
    files = api.client.app.state.job_files
    one, other = (code_file(TABLE) for _ in range(2))
    assert rows_of_case(files, one, job_key(api.store, one), f"C-{CANARY}") == [1, 3]
    assert files.read(one, "cases", job_key(api.store, one)) != files.read(other, "cases", job_key(api.store, other))
    for path in files.folder.rglob("*"):
        assert not path.is_file() or CANARY.encode() not in path.read_bytes()


def test_erasing_is_audited_without_the_case(api, code_file):
    job = code_file(TABLE)
    erase(api)
    assert told(api, "erase job rows") == [{"job": job, "rows": 2}]
    assert told(api, "erase case") == [{"erased": 0}]
    with api.store.database.reading() as session:
        assert CANARY not in str(session.scalars(select(AuditEntry.facts)).all())


@pytest.mark.both_databases
def test_row_of_an_erased_case_that_somebody_has_cannot_be_decided(api, code_file):
    job = code_file(TABLE)
    item = api.post(f"/v1/jobs/{job}/review/next", {}, "river").json()["item"]
    erase(api, item["case"])
    reply = api.post(f"/v1/jobs/{job}/review/{item['row']}", {"act": "accept"}, "river")
    assert (reply.status_code, reply.json()["code"]) == (409, "review.gone")


@pytest.mark.both_databases
def test_text_that_is_gone_while_its_row_is_lent_is_told_as_gone(api, code_file):
    job = code_file(TABLE)
    row = api.post(f"/v1/jobs/{job}/review/next", {}, "river").json()["item"]["row"]
    erase_texts(api.client.app.state.job_files, job, job_key(api.store, job), {row})
    reply = api.post(f"/v1/jobs/{job}/review/{row}", {"act": "accept"}, "river")
    assert (reply.status_code, reply.json()["code"]) == (409, "review.gone")


@pytest.mark.both_databases
def test_nothing_is_erased_where_the_audit_log_cannot_be_written(api, code_file, monkeypatch):
    job = code_file(TABLE)
    with monkeypatch.context() as patch:
        patch.setattr(api.store.audit, "add", lambda *a, **k: 1 / 0)
        reply = api.post("/v1/erasures", {"case_id": f"C-{CANARY}", "jobs": "delete"}, "hill")
    assert reply.status_code == 500
    assert len(queue_rows(api, job)) == 4
    assert json.loads(texts(api, job))[0]["case"] == f"C-{CANARY}"
