"""What people decided on rows of a coded file, put into the file itself. All of it is invented."""

from __future__ import annotations

import csv
import io
import json

import pytest

from nlp.bulk.tables import InputOptions, open_input, open_output
from service.jobs.deciding import DecidingTask, decide_apart, decide_file

pytestmark = pytest.mark.mostly_sqlite

HEADER = ("id", "text", "codes_violation", "n")
ROWS = (
    ("=1+2", "The doctor refused to see [her], he said.", "theirs", -5),
    ("@b", "The nurse shouted at him,\nand he left; later.", "theirs", 7),
    ("'=c", "They beat her at the station.", "", 0),
    ("+d", "Nobody came.", "", 1),
)
CORRECTION = [
    {"axis": "violation", "code": "health.denial", "verdict": "accepted", "primary": True},
    {"axis": "violation", "code": "violence.psychological", "verdict": "rejected"},
    {"axis": "violation", "code": "civic.hate", "verdict": "added"},
    {"axis": "population", "code": "plhiv", "verdict": "rejected"},
]


@pytest.fixture
def decided(api, code_file, tmp_path):
    """Codes a file of an ending, and decides on its rows: one is accepted, one corrected, one skipped, one left."""
    api.client.app.state.decide = decide_file

    def make(ending, **options):
        path = tmp_path / f"cases{ending}"
        with open_output(path, HEADER) as out:
            for row in ROWS:
                out.write(row)
        job = code_file(path.read_bytes(), path.name, **options)
        for act in ({"act": "accept"}, {"act": "correct", "verdicts": CORRECTION, "nothing": []}, {"act": "skip"}):
            row = api.post(f"/v1/jobs/{job}/review/next", {}, "river").json()["item"]["row"]
            reply = api.post(f"/v1/jobs/{job}/review/{row}", act, "river")
            assert reply.status_code == 200, reply.text
            api.clock.advance(seconds=1)
        return job

    return make


def fetch(api, job, kind, tmp_path):
    """The rows of a file, each as a mapping by column, as text."""
    reply = api.get(f"/v1/jobs/{job}/files/{kind}", "river")
    assert reply.status_code == 200, reply.text
    assert int(reply.headers["content-length"]) == len(reply.content)
    ending = reply.headers["content-disposition"].rpartition(".")[2]
    path = tmp_path / f"{kind}.{ending}"
    path.write_bytes(reply.content)
    with open_input(path, InputOptions(text_column="1", header=True)) as table:
        return [dict(zip(table.columns, row.cells, strict=True)) for row in table.rows()]


OURS = ("casecoder_codes_violation", "codes_by_violation", "codes_perpetrator", "codes_by_perpetrator",
        "codes_population", "codes_by_population")  # fmt: skip


@pytest.mark.parametrize("ending", [".csv", ".tsv", ".xlsx", ".jsonl", ".parquet"])
def test_decisions_stand_in_the_coded_file_and_nothing_else_differs(api, decided, tmp_path, ending):
    job = decided(ending)
    before, after = fetch(api, job, "output", tmp_path), fetch(api, job, "decided", tmp_path)
    rest = [{name: cell for name, cell in row.items() if name not in OURS} for row in before]
    assert [{name: cell for name, cell in row.items() if name not in OURS} for row in after] == rest
    said = [[row[name] or "" for name in OURS] for row in after]
    assert said[0] == ["health.denial;violence.psychological", "person", "health", "person", "plhiv", "person"]
    assert said[1] == ["health.denial;civic.hate", "person", "", "", "", "person"]
    assert said[2] == said[3] == ["", "", "", "", "plhiv", "machine"]


@pytest.mark.parametrize(("ending", "wanted"), [(".csv", "xlsx"), (".xlsx", "csv"), (".jsonl", "parquet")])
def test_decisions_come_in_the_format_of_the_coded_file(api, decided, tmp_path, ending, wanted):
    job = decided(ending, format=wanted)
    assert [row["codes_by_violation"] for row in fetch(api, job, "decided", tmp_path)][:2] == ["person", "person"]


def test_apostrophes_that_keep_cells_from_being_formulas_stay(api, decided):
    job = decided(".csv")
    before, after = (api.get(f"/v1/jobs/{job}/files/{kind}", "river").text for kind in ("output", "decided"))
    for cell in ("''=1+2", "''@b", "'''=c", "''+d"):  # they were escaped once when the file was made
        assert f"\r\n{cell}," in before
        assert f"\r\n{cell}," in after


def test_file_has_what_is_decided_when_it_is_fetched(api, decided, tmp_path):
    job = decided(".csv")
    api.post(f"/v1/jobs/{job}/review/undo", {}, "river")
    assert api.post(f"/v1/jobs/{job}/review/3", {"act": "accept"}, "river").status_code == 200
    assert fetch(api, job, "decided", tmp_path)[2]["codes_by_violation"] == "person"
    api.post(f"/v1/jobs/{job}/review/undo", {}, "river")
    assert fetch(api, job, "decided", tmp_path)[2]["codes_by_violation"] in ("", None)


@pytest.mark.both_databases
def test_decisions_of_an_erased_case_are_not_in_the_file(api, decided, tmp_path):
    job = decided(".csv")
    fetch(api, job, "decided", tmp_path)
    api.post("/v1/erasures", {"case_id": "=1+2"}, "hill")
    assert not (api.client.app.state.job_files.of_job(job) / "decided").exists()
    assert [row["codes_by_violation"] for row in fetch(api, job, "decided", tmp_path)][:2] == ["", "person"]


def test_file_is_offered_once_something_is_decided(api, code_file):
    job = code_file("id,text\n1,The doctor refused to see her.\n")

    def kinds():
        return [item["kind"] for item in api.get(f"/v1/jobs/{job}", "river").json()["files"]]

    assert "decided" not in kinds()
    row = api.post(f"/v1/jobs/{job}/review/next", {}, "river").json()["item"]["row"]
    api.post(f"/v1/jobs/{job}/review/{row}", {"act": "accept"}, "river")
    assert kinds()[:2] == ["output", "decided"]


def test_file_of_a_job_without_columns_for_decisions_is_not_there(api, code_file):
    """As of one that an earlier version has coded: another column might have their name."""
    from service.store.tables import Job

    job = code_file("id,text\n1,The doctor refused to see her.\n")
    with api.store.database.writing() as session:
        found = session.get(Job, job)
        found.facts = {name: value for name, value in found.facts.items() if name != "has_standing_codes"}
    assert api.get(f"/v1/jobs/{job}/files/decided", "river").status_code == 404
    assert api.get("/v1/jobs/0/files/decided", "river").status_code == 404


STORY = "The nurse shouted at him and he left"
TWICE = f"""id,text,kind
a,{STORY}.,
b,They beat her at the station.,
c,{STORY}.,
d,{STORY.upper()}!,
e,{STORY}.,civic.hate
"""


@pytest.fixture
def twice(api, code_file):
    """Codes a file in which a row repeats the text of another, another one has it in capitals, and one was coded."""
    api.client.app.state.decide = decide_file
    return code_file(TWICE, coded={"violation": [3]})


def lend(api, job, who="river", **options):
    return api.post(f"/v1/jobs/{job}/review/next", options, who).json()["item"]


def decide(api, job, row, act="correct", who="river"):
    body = {"act": act, **({"verdicts": CORRECTION, "nothing": []} if act == "correct" else {})}
    reply = api.post(f"/v1/jobs/{job}/review/{row}", body, who)
    assert reply.status_code == 200, reply.text
    return reply.json()


def codes(api, job, tmp_path):
    return [row["codes_violation"] or "" for row in fetch(api, job, "decided", tmp_path)]


def seen_by(api, job, **options):
    """The rows that somebody is lent one after the other, with how many are decided with each."""
    found = {}
    while (item := lend(api, job, held=list(found), **options)) is not None:
        found[item["row"]] = item["repeats"]
    return found


@pytest.mark.both_databases
def test_rows_that_are_alike_come_once_and_are_decided_together(api, twice, tmp_path):
    assert seen_by(api, twice) == {1: 1, 2: 0, 4: 0, 5: 0}  # what people coded otherwise comes by itself
    counts = decide(api, twice, 1)["counts"]
    assert (counts["done"], counts["open"], counts["lent"]) == (2, 0, 3)
    assert codes(api, twice, tmp_path) == ["health.denial;civic.hate", "", "health.denial;civic.hate", "", "civic.hate"]
    table = api.get(f"/v1/jobs/{twice}/files/decisions", "river").content.decode("utf-8-sig")
    assert [row["row"] for row in csv.DictReader(io.StringIO(table))] == ["1", "3"]
    assert len(api.get("/v1/feedback", "river").json()["items"]) == 1


@pytest.mark.both_databases
def test_decision_on_rows_that_are_alike_is_taken_back_for_all(api, twice, tmp_path):
    seen_by(api, twice)
    decide(api, twice, 1)
    item = api.post(f"/v1/jobs/{twice}/review/undo", {}, "river").json()["item"]
    assert (item["row"], item["repeats"]) == (1, 1)
    assert api.post(f"/v1/jobs/{twice}/review/undo", {}, "river").json()["item"] is None
    assert codes(api, twice, tmp_path)[:3] == ["", "", ""]
    decide(api, twice, 1)
    assert codes(api, twice, tmp_path)[2] == "health.denial;civic.hate"


def test_rows_that_are_alike_are_skipped_together_and_come_back_once(api, twice):
    seen_by(api, twice)
    assert decide(api, twice, 1, "skip")["counts"]["skipped"] == 2
    assert lend(api, twice, "hill") is None
    item = lend(api, twice, "hill", skipped=True)
    assert (item["row"], item["repeats"]) == (1, 1)
    assert decide(api, twice, 1, who="hill")["counts"]["done"] == 2


@pytest.mark.both_databases
def test_nobody_gets_a_row_whose_like_somebody_looks_at(api, twice):
    assert lend(api, twice)["row"] == 5  # people coded it otherwise than the machine
    assert lend(api, twice, held=[5])["row"] == 1
    others = seen_by(api, twice, who="hill")
    assert set(others) == {2, 4}
    api.clock.advance(minutes=11)
    assert lend(api, twice, "hill", held=[2, 4])["row"] in (1, 5)


@pytest.mark.both_databases
def test_erasure_of_a_case_leaves_the_decision_on_another_with_its_text(api, twice, tmp_path):
    seen_by(api, twice)
    decide(api, twice, 1)
    assert api.post("/v1/erasures", {"case_id": "a"}, "hill").json()["rows"] == 1
    assert codes(api, twice, tmp_path)[:3] == ["", "", "health.denial;civic.hate"]
    assert api.get("/v1/feedback", "river").json()["items"] == []


def test_row_comes_by_itself_once_the_case_with_its_text_is_erased(api, twice):
    api.post("/v1/erasures", {"case_id": "a"}, "hill")
    assert seen_by(api, twice) == {2: 0, 3: 0, 4: 0, 5: 0}


def test_old_labels_that_nobody_knows_keep_rows_apart(api, code_file):
    table = f"id,text,kind\na,{STORY}.,beating\nb,{STORY}.,bribe\n"
    assert seen_by(api, code_file(table, coded={"violation": [3]})) == {1: 0, 2: 0}


def test_run_that_codes_each_row_for_itself_brings_each_row(api, code_file):
    assert seen_by(api, code_file(TWICE, duplicates=False)) == {1: 0, 2: 0, 3: 0, 4: 0, 5: 0}


def test_file_lies_sealed_and_is_for_coordinators(api, decided, tmp_path):
    job = decided(".csv")
    fetch(api, job, "decided", tmp_path)
    assert b"civic.hate" not in (api.client.app.state.job_files.of_job(job) / "decided").read_bytes()
    assert api.get(f"/v1/jobs/{job}/files/decided", "bird").status_code == 404


def test_decisions_are_put_in_by_a_process_of_its_own(api, decided, tmp_path):
    job = decided(".csv")
    api.client.app.state.decide = decide_apart
    assert fetch(api, job, "decided", tmp_path)[0]["codes_by_violation"] == "person"


def test_task_travels_to_its_process_whole(tmp_path):
    task = DecidingTask(tmp_path, "0" * 32, b"k" * 32, ".csv", {1: {"codes_violation": "x"}}, ";")
    assert DecidingTask.from_json(json.loads(json.dumps(task.to_json()))) == task
    assert "codes_violation" not in repr(task)
