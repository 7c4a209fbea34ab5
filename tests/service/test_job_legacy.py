"""Jobs on legacy files: codes of people, old labels, duplicates, and what lies beside the output. All of it is
invented."""

from __future__ import annotations

import csv
import io
import json

import pytest

from nlp.bulk.shard_run import LoadedBundle
from service.jobs.looking import look
from service.jobs.options import JobOptions, in_our_words
from service.jobs.runner import Runner
from service.store.jobs import job_key, next_job

CANARY = "qazanarbekovaxx"
STORY = "The doctor refused to see her because of her status and told the whole queue about it so she went home again."
TABLE = f"""id,story,outcome,kind,when
1,{STORY},Doctor Anna Berg called later.,refusal,05.03.2024
2,The police stopped him near the market and kept him for a night.,,arrest,17.03.2024
3,{STORY},Doctor Anna Berg called later.,,2024-04-01
4,They took his money and papers and let him go.,,{CANARY} said so,
"""
MAPPING = "old,code\nrefusal,health.denial\narrest,justice.detention\n"
OPTIONS = {"text_column": 2, "id_column": 1, "joins": [3], "coded": {"violation": [4]}, "language": "en"}


class Done:
    """A job that is coded as soon as it is started."""

    def __init__(self, task, loaded):
        from service.jobs.children import ChildFailed
        from service.jobs.coding import code_job

        self.said = []
        try:
            code_job(task, lambda **facts: self.said.append(json.loads(json.dumps(facts))), loaded=loaded)
        except ChildFailed as error:
            self.said.append({"event": "failed", "code": error.reason, "sentence": str(error)})

    def hear(self, seconds):
        return self.said.pop(0) if self.said else None

    @property
    def has_ended(self):
        return not self.said

    def stop(self):
        self.said.clear()

    kill = stop

    def how_it_ended(self):
        return "exit code 0"


class Files:
    """The service, as a coordinator brings files to it."""

    def __init__(self, api, loaded):
        self.api, self.loaded = api, loaded
        api.client.app.state.look = lambda task: look(task, loaded=loaded)
        self.sealed = api.client.app.state.job_files

    def send(self, method, path, content, name):
        headers = {"X-File-Name": name, "Content-Type": "application/octet-stream"}
        data = content if isinstance(content, bytes) else content.encode()
        return self.api.send(method, path, "river", content=data, headers=headers)

    def bring(self, table=TABLE):
        return self.send("POST", "/v1/jobs", table, "cases.csv").json()["id"]

    def map(self, job, mapping=MAPPING, name="old%20codes.csv"):
        return self.send("PUT", f"/v1/jobs/{job}/mapping", mapping, name)

    def try_it(self, job, **options):
        return self.api.post(f"/v1/jobs/{job}/dry-run", {**OPTIONS, **options}, "river")

    def run(self, job, **options):
        import threading

        reply = self.api.post(f"/v1/jobs/{job}/start", {**OPTIONS, **options}, "river")
        assert reply.status_code == 200, reply.text
        settings = self.api.client.app.state.settings
        runner = Runner(self.api.store, settings, threading.Event(), start=lambda task: Done(task, self.loaded))
        runner.run_one(next_job(self.api.store))
        runner.give_up()
        return self.api.get(f"/v1/jobs/{job}", "river").json()

    def done(self, mapping=MAPPING, **options):
        job = self.bring()
        if mapping:
            assert self.map(job, mapping).status_code == 200
        return self.run(job, **options)

    def fetch(self, job, kind):
        return self.api.get(f"/v1/jobs/{job['id']}/files/{kind}", "river")

    def rows(self, job, kind="output"):
        return list(csv.DictReader(io.StringIO(self.fetch(job, kind).content.decode("utf-8-sig"))))

    def next(self, job, *held):
        reply = self.api.post(f"/v1/jobs/{job['id']}/review/next", {"held": list(held)}, "river")
        return reply.json()["item"]


@pytest.fixture
def database_url(new_url):
    return new_url("sqlite")


@pytest.fixture
def files(api, constant_pipeline):
    return Files(api, LoadedBundle.of(constant_pipeline))


def test_codes_of_people_stay_are_compared_and_come_first_where_the_machine_differs(files):
    job = files.done()
    rows = files.rows(job)
    assert [row["kind"] for row in rows] == ["refusal", "arrest", "", f"{CANARY} said so"]
    assert [row["codes_violation"] for row in rows[:2]] == ["health.denial", "justice.detention"]
    assert [row["codes_by_violation"] for row in rows] == ["person", "person", "", "person"]
    assert job["people"]["violation"]["rows"] == 3
    assert job["people"]["violation"]["compared"] == 2
    assert job["statuses"]["review"] >= 1
    first = files.next(job)
    assert first["differs"] == ["violation"]
    assert first["people"]["violation"]["codes"]
    assert 0 <= first["uncertainty"] <= 1
    order = [first["row"]]
    while (item := files.next(job, *order)) is not None:
        order.append(item["row"])
    differing = [row for row in order if rows[row - 1]["decision"] == "review"]
    assert order[: len(differing)] == differing


def test_labels_that_nobody_could_look_up_are_shown_to_nobody_but_in_their_file(files):
    job = files.done()
    assert (job["unmapped"]["labels"], job["unmapped"]["rows"]) == (1, 1)
    (label,) = files.rows(job, "unmapped")
    assert (label["axis"], label["old"], label["rows"]) == ("violation", f"{CANARY} said so", "1")
    assert CANARY not in json.dumps(job)
    seen = []
    while (item := files.next(job, *[one["row"] for one in seen])) is not None:
        seen.append(item)
    assert CANARY not in json.dumps(seen)
    assert {item["row"]: item["people"]["violation"]["unknown"] for item in seen if item["people"]}[4] == 1


def test_rows_that_repeat_another_say_so_unless_nobody_wants_to_know(files):
    job = files.done()
    assert [row["duplicate_of"] for row in files.rows(job)] == ["", "", "1", ""]
    assert job["duplicates"] == {"exact": 1, "near": 0}
    other = files.done(duplicates=False)
    assert "duplicate_of" not in files.rows(other)[0]
    assert other["duplicates"] is None


def test_all_that_lies_beside_the_output_comes_and_is_sealed(files, raw_content):
    job = files.done(check=2, report_language="ru")
    kinds = [item["kind"] for item in job["files"]]
    assert kinds == ["output", "report", "report-json", "check", "unmapped", "undo", "receipt", "decisions"]
    page = files.fetch(job, "report")
    assert page.headers["content-type"].startswith("text/html")
    assert page.headers["content-disposition"].endswith("''cases-coded.csv.report.html")
    assert "sandbox" in page.headers["content-security-policy"]
    assert 'lang="ru"' in page.text
    told = files.fetch(job, "report-json").json()
    assert told["rows"]["total"] == 4
    assert told["agreement"] is not None
    assert len(files.rows(job, "check")) == 2
    assert files.fetch(job, "undo").text.startswith('{"format":"casecoder undo')
    assert files.fetch(job, "undo").headers["content-disposition"].endswith("''cases-coded.csv.undo.jsonl")
    stored = b"\n".join(path.read_bytes() for path in files.sealed.folder.rglob("*") if path.is_file())
    for content in (stored, raw_content(files.api.store)):
        for word in (CANARY, "refusal", "health.denial;", "old codes", "told the whole queue"):
            assert word.encode() not in content
    for word in (CANARY, "Berg", "refusal"):
        assert word not in page.text


def test_run_can_be_undone_with_its_downloads(files, tmp_path):
    from nlp.bulk.undo import undo_run

    job = files.done()
    coded, undo = tmp_path / "coded.csv", tmp_path / "undo.jsonl"
    coded.write_bytes(files.fetch(job, "output").content)
    undo.write_bytes(files.fetch(job, "undo").content)
    undo_run(coded, undo, tmp_path / "restored.csv")
    header = (tmp_path / "restored.csv").read_text(encoding="utf-8-sig").splitlines()[0]
    assert header == TABLE.splitlines()[0]


def test_dates_are_found_or_chosen_or_left_alone(files):
    def months(**options):
        groups = files.fetch(files.done(**options), "report-json").json()["groups"]
        return [item for item in groups if item["by"] == "month"]

    assert months()  # "when" is a usual name
    assert months(date_column=5) == months()
    assert months(date_column=0) == []


def test_wide_output_has_a_column_for_each_code(files):
    assert files.rows(files.done(wide=True))[0]["violation:health.denial"] == "1"


def test_language_is_that_of_rows_that_state_none(files):
    job = files.bring("id,text,language\n1,The doctor refused.,\n2,Врач отказал в приёме.,русский\n")
    done = files.run(job, coded={}, joins=[], text_column=2, language="en")
    assert [row["detected_language"] for row in files.rows(done)] == ["en", "ru"]
    refused = files.bring("id,text\n1,The doctor refused.\n")
    assert "not served" in files.run(refused, coded={}, joins=[], language="xx")["error"]


def test_joined_columns_are_not_warned_about(files):
    long = "He wrote down what they had done to him and when and who had seen it on four pages."
    table = f"id,text,more\n1,The doctor refused to see her and shouted at everybody in the queue.,{long}\n"
    with_it = files.run(files.bring(table), coded={}, joins=[3])
    without = files.run(files.bring(table), coded={}, joins=[])
    assert not any("copied without redaction" in note for note in with_it["notes"])
    assert any("copied without redaction" in note for note in without["notes"])


def test_number_of_a_column_holds_whatever_the_columns_are_called(files):
    job = files.bring("3,1,2\nx,The doctor refused to see her and shouted.,more\n")
    done = files.run(job, coded={}, joins=[3], text_column=2, id_column=None, header=True)
    assert done["state"] == "done", done["error"]
    assert files.rows(done)[0]["3"] == "x"


# The mapping


def test_mapping_is_checked_line_by_line_and_quotes_nothing(files):
    job = files.bring()
    for content, line in (
        (f"old,code\nrefusal,health.denial\n{CANARY},health.denail\n", "line 3"),
        (f"old,code,axis\n{CANARY},health.denial,{CANARY}\n", "line 2"),
        (f"old,code\n{CANARY},health.denial\n{CANARY},-\n", "line 3"),
        (f"{CANARY},x\n1,2\n", "old"),
        (f"old,code\n{CANARY},x,{CANARY}\n".encode("utf-16"), "code"),
    ):
        reply = files.map(job, content)
        assert (reply.status_code, reply.json()["code"]) == (422, "job.file"), reply.text
        assert line in reply.json()["detail"]
        assert CANARY not in reply.text
    assert files.api.get(f"/v1/jobs/{job}", "river").json()["mapping"] is None
    assert [path.name for path in files.sealed.of_job(job).iterdir()] == ["input"]


@pytest.mark.parametrize(
    ("name", "content"),
    [("codes.yaml", "refusal: health.denial\nn/a:\n"), ("codes.tsv", "old\tcode\nrefusal\thealth.denial\nn/a\t\n")],
)
def test_mapping_is_noted_replaced_and_removed(files, name, content):
    job = files.bring()
    found = files.map(job, content, name).json()["mapping"]
    assert found == {"file_name": name, "bytes": len(content), "labels": 2, "set_aside": 1}
    assert files.map(job).json()["mapping"]["file_name"] == "old codes.csv"
    stored = [path for path in files.sealed.of_job(job).iterdir() if path.name.startswith("mapping-")]
    assert len(stored) == 1
    assert files.sealed.read(job, stored[0].name, job_key(files.api.store, job)).decode() == MAPPING
    assert files.api.send("DELETE", f"/v1/jobs/{job}/mapping", "river").json()["mapping"] is None
    assert [path.name for path in files.sealed.of_job(job).iterdir()] == ["input"]


def test_mapping_that_cannot_be_taken_is_refused(files):
    job = files.bring()
    assert files.map(job, name="codes.exe").json()["code"] == "job.mapping"
    assert files.map(job, "x" * 2_000_001).status_code == 413
    assert files.map("0" * 32).status_code == 404
    headers = {"X-File-Name": "a.csv", "Content-Type": "text/csv"}
    assert files.api.send("PUT", f"/v1/jobs/{job}/mapping", "river", content=b"x", headers=headers).status_code == 415
    assert files.send("PUT", f"/v1/jobs/{job}/mapping", MAPPING, "a.csv").status_code == 200
    files.api.post(f"/v1/jobs/{job}/start", OPTIONS, "river")
    assert (files.map(job).status_code, files.map(job).json()["code"]) == (409, "job.state")
    assert files.api.send("DELETE", f"/v1/jobs/{job}/mapping", "river").status_code == 409
    for method in ("PUT", "DELETE"):
        assert files.api.send(method, f"/v1/jobs/{job}/mapping", "bird").status_code == 404


def test_job_with_another_mapping_begins_anew(files):
    job = files.bring()
    files.api.post(f"/v1/jobs/{job}/start", OPTIONS, "river")
    files.api.post(f"/v1/jobs/{job}/cancel", {}, "river")
    files.map(job)
    files.api.post(f"/v1/jobs/{job}/start", OPTIONS, "river")
    assert next_job(files.api.store).facts["anew"] is True


# The dry run


def test_dry_run_says_what_a_run_would_do(files):
    job = files.bring()
    files.map(job)
    reply = files.try_it(job)
    found = reply.json()
    assert (found["forecast"]["rows"], found["empty"], found["unreadable"]) == (4, 0, 0)
    assert found["forecast"]["precision"] == 0.95
    assert found["duplicates"] == {"compared": 4, "exact": 1, "near": 0}
    assert found["people"]["violation"]["rows"] == 3
    assert found["people"]["violation"]["compared"] == 2
    assert found["unmapped"]["most_frequent"] == [{"axis": "violation", "label": f"{CANARY} said so", "rows": 1}]
    assert not any("--" in note for note in found["notes"])
    assert "duplicates" in found
    assert files.try_it(job, duplicates=False).json()["duplicates"] is None
    statuses = {status: item["sampled"] for status, item in found["forecast"]["statuses"].items()}
    assert statuses == files.run(job)["statuses"]  # where the sample is the whole table


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"coded": {"violation": [9]}}, "coded: there is no column 9"),
        ({"coded": {"wrong": [4]}}, "coded: the axes of"),
        ({"coded": {"violation": [2]}}, "is the narrative"),
        ({"joins": [2]}, "joins: column 2 is a part of the narrative already"),
        ({"date_column": 9}, "no column 9 for the date"),
    ],
)
def test_choice_that_cannot_be_is_told_in_the_words_of_the_api(files, options, said):
    reply = files.try_it(files.bring(), **options)
    assert (reply.status_code, reply.json()["code"]) == (422, "job.file")
    assert said in reply.json()["detail"]


def test_options_travel_whole():
    options = JobOptions(text_column=2, joins=(3,), coded=(("violation", 4), ("violation", 6)), precision=0.9)
    assert options.to_json()["coded"] == {"violation": [4, 6]}
    assert JobOptions.from_json(json.loads(json.dumps(options.to_json()))) == options


def test_options_of_the_command_become_fields():
    assert in_our_words("give --header if it does, or --no-header") == "give header true if it does, or header false"
    assert in_our_words("--language-column none; --join: x") == "language_column none; joins: x"
