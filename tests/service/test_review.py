"""Rows of a coded file that somebody looks at: one person at a time, decided, taken back. All of it is invented."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest
from sqlalchemy import select

from service.store.access import Principal
from service.store.feedback import Wanted, erase_case, list_feedback, read_feedback
from service.store.jobs import ToReview, create_job, finish_job, new_job_id, new_job_key
from service.store.store import case_digest
from service.store.tables import AuditEntry, ReviewRow

FACTS = {"bundle": "constant-1", "codebook": "react 1.1", "policy": "0123456789ab", "files": {}}
UNSURE = [0.2, 0.9, 0.5, 0.9]


def suggestion(axis, code, probability, decision):
    evidence = [{"start": 0, "end": 11, "redacted": "She came to", "words": []}] if decision == "suggest" else []
    return {
        "axis": axis,
        "code": code,
        "probability": probability,
        "decision": decision,
        "suggested": decision != "review",
        "evidence": evidence,
    }


def content(row, **values):
    return {
        "row": row,
        "case": f"case-{row}",
        "country": "MD",
        "language": "en",
        "redacted_text": f"She came to [PERSON_1] and was refused, row {row}.",
        "suggestions": [
            suggestion("violation", "health.denial", 0.9, "suggest"),
            suggestion("violation", "civic.hate", 0.3, "review"),
            suggestion("perpetrator", "health", 0.8, "suggest"),
        ],
        "primary": {"violation": "health.denial", "population": None},
        "not_a_violation": 0.1,
        "doubts": [],
        **values,
    }


class Queue:
    """The queue of one job, as people use it over HTTP."""

    def __init__(self, api, rows):
        self.api = api
        self.id, key = new_job_id(), new_job_key()
        create_job(api.store, self.id, key, Principal("river", "coordinator", "x"), file_name="a.csv", size=1, days=14)
        files = api.client.app.state.job_files
        for block in range(0, len(rows), 2):
            files.write(self.id, f"review-{block // 2:05d}", json.dumps(rows[block : block + 2]).encode(), key)
        facts = {**FACTS, "to_review": len(rows)}
        found = [ToReview(item["row"], at // 2, UNSURE[at % 4]) for at, item in enumerate(rows)]
        finish_job(api.store, self.id, "done", days=14, facts=facts, to_review=found)

    def post(self, path, body, who="river"):
        return self.api.post(f"/v1/jobs/{self.id}/review/{path}", body, who)

    def next(self, who="river", **body):
        reply = self.post("next", body, who)
        assert reply.status_code == 200, reply.text
        return reply.json()["item"]

    def take(self, who="river", **body):
        item = self.next(who, **body)
        return item and item["row"]

    def decide(self, row, act="accept", who="river", **body):
        return self.post(row, {"act": act, **body}, who)

    def counts(self, who="river"):
        return self.api.get(f"/v1/jobs/{self.id}", who).json()["review"]


@pytest.fixture
def queue(api):
    return Queue(api, [content(row) for row in (1, 2, 3, 4)])


def decisions(api):
    reader = Principal("test", "admin", None)
    return [read_feedback(api.store, item.id, reader) for item in list_feedback(api.store, Wanted())]


def chosen(item):
    return {(one.code, one.verdict, one.primary) for one in item.decided}


def test_the_least_sure_row_comes_first(queue):
    taken = []
    while (row := queue.take()) is not None:
        taken.append(row)
        assert queue.decide(row).status_code == 200
    assert taken == [2, 4, 3, 1]


def test_row_comes_with_its_redacted_text_and_what_is_suggested(queue):
    item = queue.next()
    assert item["redacted_text"] == "She came to [PERSON_1] and was refused, row 2."
    assert (item["case"], item["uncertainty"]) == ("case-2", 0.9)
    assert item["suggestions"][0]["evidence"][0]["end"] == 11


def test_two_people_never_have_the_same_row(queue):
    assert {queue.take("river"), queue.take("hill")} == {2, 4}
    assert queue.take("river", held=[2]) == 3


def test_people_who_ask_at_once_get_different_rows(api):
    queue = Queue(api, [content(row) for row in range(1, 13)])
    held = {"river": [], "hill": []}

    def take_three(who):
        for _ in range(3):
            held[who].append(queue.take(who, held=held[who]))

    with ThreadPoolExecutor(2) as pool:
        list(pool.map(take_three, held))
    found = [*held["river"], *held["hill"]]
    assert None not in found
    assert len(set(found)) == 6


def test_page_that_is_loaded_again_gets_back_the_row_it_had(queue):
    assert (queue.take(), queue.take()) == (2, 2)


def test_row_that_nobody_decides_on_goes_to_others_after_ten_minutes(queue):
    assert queue.take("river") == 2
    queue.api.clock.advance(minutes=9)
    assert queue.take("hill") == 4
    queue.api.clock.advance(minutes=2)
    assert queue.take("hill", held=[4]) == 2
    reply = queue.decide(2, who="river")
    assert (reply.status_code, reply.json()["code"]) == (409, "review.gone")
    assert decisions(queue.api) == []


def test_late_decision_counts_where_nobody_else_took_the_row(queue):
    queue.take()
    queue.api.clock.advance(hours=1)
    assert queue.decide(2).status_code == 200


def test_rows_are_given_back_when_the_page_is_closed(queue):
    queue.take("river")
    assert queue.post("release", {}).json()["open"] == 4
    assert queue.take("hill") == 2


def test_row_that_was_not_lent_cannot_be_decided(queue):
    assert queue.decide(1).json()["code"] == "review.gone"
    assert queue.decide(99).json()["code"] == "review.gone"


def test_accepted_row_is_kept_as_a_decision_of_this_person(queue):
    queue.take()
    queue.api.clock.advance(seconds=8)
    reply = queue.decide(2).json()
    (item,) = decisions(queue.api)
    assert reply["feedback"] == item.id
    assert chosen(item) == {("health.denial", "accepted", True), ("health", "accepted", False)}
    assert (item.coder, item.origin, item.bundle, item.country, item.seconds) == (
        "river",
        "assisted",
        "constant-1",
        "MD",
        8,
    )
    assert item.text == "She came to [PERSON_1] and was refused, row 2."
    assert item.case == case_digest(queue.api.store, "case-2")[:16]
    assert item.disagreement == 0
    assert queue.counts() == {"open": 3, "lent": 0, "done": 1, "skipped": 0}


def test_accepting_a_row_without_suggestions_says_that_nothing_applies(api):
    rows = Queue(api, [content(1, suggestions=[], primary={})])
    rows.take()
    assert rows.decide(1).status_code == 200
    (item,) = decisions(api)
    assert item.nothing == ("perpetrator", "population", "violation")


def test_accepting_a_row_without_suggestions_leaves_people_their_codes(api):
    people = {
        "violation": {"codes": ["civic.hate"], "nothing": False, "unknown": 0},
        "perpetrator": {"codes": [], "nothing": False, "unknown": 1},
    }
    rows = Queue(api, [content(1, suggestions=[], primary={}, people=people, differs=["violation"])])
    rows.take()
    assert rows.decide(1).status_code == 200
    (item,) = decisions(api)
    assert item.nothing == ("population",)
    assert [(one.axis, one.code, one.verdict, one.primary) for one in item.decided] == [
        ("violation", "civic.hate", "added", True)
    ]


def test_decision_goes_by_the_codebook_of_the_bundle_that_coded_the_row(api, codebook, monkeypatch):
    of_the_job = replace(codebook, axes=codebook.axes[:1])
    known = {FACTS["bundle"]: of_the_job}
    monkeypatch.setattr(api.client.app.state.bundles, "codebook", lambda bundle, models: known[bundle])
    rows = Queue(api, [content(1, suggestions=[], primary={})])
    rows.take()
    assert rows.decide(1).status_code == 200
    (item,) = decisions(api)
    assert item.nothing == (codebook.axes[0].id,)


def test_corrected_row_is_kept_as_it_was_corrected(queue):
    queue.take()
    verdicts = [
        {"axis": "violation", "code": "health.denial", "verdict": "rejected"},
        {"axis": "violation", "code": "civic.hate", "verdict": "added", "primary": True},
    ]
    assert queue.decide(2, "correct", verdicts=verdicts, nothing=["population"], seconds=3.5).status_code == 200
    (item,) = decisions(queue.api)
    assert chosen(item) == {("health.denial", "rejected", False), ("civic.hate", "added", True)}
    assert (item.nothing, item.seconds) == (("population",), 3.5)


def test_correction_that_does_not_fit_is_refused_and_the_row_stays(queue):
    queue.take()
    wrong = [{"axis": "violation", "code": "no.such.code", "verdict": "added"}]
    assert queue.decide(2, "correct", verdicts=wrong).status_code == 422
    assert queue.take() == 2
    assert decisions(queue.api) == []


def test_words_that_were_hidden_are_kept_hidden(queue):
    queue.take()
    text = "She came to [PERSON_1] and was refused, row [PERSON_2]."
    start = text.index("[PERSON_2]")
    hidden = [{"kind": "hidden", "start": start, "end": start + 10, "type": "PERSON"}]
    assert queue.decide(2, redacted_text=text, corrections=hidden).status_code == 200
    assert decisions(queue.api)[0].text == text


def test_skipped_row_is_no_decision_and_comes_when_skipped_ones_are_wanted(queue):
    queue.take()
    assert queue.decide(2, "skip").json()["feedback"] is None
    assert decisions(queue.api) == []
    assert queue.take() == 4
    assert queue.counts()["skipped"] == 1
    assert queue.take(held=[4], skipped=True) == 2


def test_decision_is_stored_once_however_often_it_is_sent(queue):
    queue.take()
    assert queue.decide(2).status_code == 200
    assert queue.decide(2).status_code == 409
    assert len(decisions(queue.api)) == 1


def test_undo_erases_the_latest_decision_and_lends_the_row_again(queue):
    for row in (2, 4):
        assert queue.take() == row
        queue.api.clock.advance(seconds=5)
        queue.decide(row)
    item = queue.post("undo", {}).json()["item"]
    assert item["row"] == 4
    assert [found.case for found in decisions(queue.api)] == [decisions(queue.api)[0].case]
    assert queue.decide(4, "correct", verdicts=[], nothing=["violation"]).status_code == 200
    assert len(decisions(queue.api)) == 2
    assert queue.post("undo", {}).json()["item"]["row"] == 4
    assert queue.post("undo", {}).json()["item"]["row"] == 2
    assert queue.post("undo", {}).json()["item"] is None
    assert decisions(queue.api) == []


def test_undo_takes_back_a_skip(queue):
    queue.take()
    queue.decide(2, "skip")
    assert queue.post("undo", {}).json()["item"]["row"] == 2
    assert queue.counts()["skipped"] == 0


def test_nobody_takes_back_what_another_decided(queue):
    queue.take("river")
    queue.decide(2)
    assert queue.post("undo", {}, "hill").json()["item"] is None
    assert len(decisions(queue.api)) == 1


def test_case_that_was_erased_since_is_not_stored_again(queue):
    queue.take()
    queue.api.clock.advance(seconds=5)
    erase_case(queue.api.store, "case-2", actor="test")
    reply = queue.decide(2)
    assert (reply.status_code, reply.json()["code"]) == (409, "receipt.erased")


def test_reading_is_audited_without_any_text(queue):
    queue.take()
    with queue.api.store.database.reading() as session:
        entries = session.scalars(select(AuditEntry).where(AuditEntry.action == "read job row")).all()
    assert [entry.facts for entry in entries] == [{"job": queue.id, "row": 2}]


def test_reading_counts_against_the_texts_of_a_day(start):
    queue = Queue(start(reads_per_day=2), [content(row) for row in (1, 2, 3)])
    for _ in range(2):
        queue.decide(queue.take())
    reply = queue.post("next", {})
    assert (reply.status_code, reply.json()["code"]) == (429, "limit.reads")
    assert queue.take("hill") == 1


def test_decisions_can_be_fetched_as_a_table(queue):
    queue.take()
    queue.decide(2)
    queue.take()
    queue.decide(4, "correct", verdicts=[], nothing=["violation", "population"])
    queue.take()
    queue.decide(3, "skip")
    reply = queue.api.get(f"/v1/jobs/{queue.id}/files/decisions", "river")
    lines = reply.content.decode("utf-8-sig").split("\r\n")
    assert [line.split(",")[:4] for line in lines[1:-1]] == [
        ["2", "accept", "health.denial;health", ""],
        ["3", "skip", "", ""],
        ["4", "correct", "", "violation;population"],
    ]


def test_decisions_lie_sealed(queue, raw_content):
    queue.take()
    queue.decide(2)
    stored = raw_content(queue.api.store)
    assert b"She came to" not in stored
    assert b"case-2" not in stored


def test_decisions_stay_when_the_job_is_deleted(queue):
    queue.take()
    queue.decide(2)
    assert queue.api.send("DELETE", f"/v1/jobs/{queue.id}", "river").status_code == 204
    assert len(decisions(queue.api)) == 1
    with queue.api.store.database.reading() as session:
        assert session.scalars(select(ReviewRow)).all() == []


def test_rows_for_which_the_queue_has_no_place_are_told(api, code_file, monkeypatch):
    monkeypatch.setattr("service.jobs.review_file.MOST", 2)
    job = code_file("id,text\n" + "".join(f"{at},The nurse shouted at him {at} times.\n" for at in range(5)))
    found = api.get(f"/v1/jobs/{job}", "river").json()
    assert found["review"]["open"] == 2
    assert any(note.startswith("3 more row(s)") for note in found["notes"])
