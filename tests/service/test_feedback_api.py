"""Decisions over HTTP: who may do what, what is stored, what is refused, and how the service bears up."""

from __future__ import annotations

import base64
import dataclasses
import json
import logging
import os
import re
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from types import SimpleNamespace

import pytest
from fastapi.testclient import TestClient
from prometheus_client.parser import text_string_to_metric_families
from sqlalchemy import select, text

from service import traffic
from service.access import COOKIE, CSRF_HEADER, PERSON_HEADER
from service.app import create_app
from service.settings import ServiceSettings
from service.store.access import Principal, create_key, csrf_token, log_in, person_token, who_is_logged_in
from service.store.feedback import Wanted, count_feedback, list_feedback
from service.store.jobs import ToReview, create_job, finish_job, new_job_id, new_job_key, start_job
from service.store.review import lend_next
from service.store.sealing import Keyring
from service.store.tables import AuditEntry

CANARY = "qazanarbekovaxx"
NAMED = "The doctor refused to see Zarina Qodirova and shouted."
ACCEPT = {"axis": "violation", "code": "health.denial", "verdict": "accepted"}
CYRILLIC = re.compile(r"[а-яё]", re.IGNORECASE)


both_databases = pytest.mark.parametrize("kind", ["sqlite", "postgresql"])


@pytest.fixture
def kind():
    """SQLite, but for tests of what the database has a say in (`both_databases`)."""
    return "sqlite"


@pytest.fixture
def database_url(kind, new_url):
    return new_url(kind)


def stored(api):
    return list_feedback(api.store, Wanted(), limit=1000)


def refused(reply, status, code):
    assert reply.status_code == status, reply.text
    assert reply.headers["content-type"] == "application/problem+json"
    assert reply.json()["code"] == code
    return reply.json()


# What is stored


@both_databases
def test_decision_is_stored_and_read_back(api):
    suggested = api.suggest(case_id="case-7", country="Moldova")
    verdicts = [
        {**ACCEPT, "primary": True},
        {"axis": "violation", "code": "violence.psychological", "verdict": "rejected"},
        {"axis": "perpetrator", "code": "police", "verdict": "edited", "instead_of": "health"},
        {"axis": "population", "code": "sw", "verdict": "added"},
    ]
    said = "The doctor refused to see [PERSON_1]."
    corrections = [{"kind": "hidden", "start": 26, "end": 36, "type": "PERSON"}]
    reply = api.decide(
        receipt=suggested["receipt"], verdicts=verdicts, redacted_text=said, corrections=corrections, seconds=12.5
    )
    assert reply.status_code == 201
    answer = reply.json()
    assert answer["origin"] == "assisted"
    assert {(item["axis"], item["code"]) for item in answer["suggested"]} == {
        (item["axis"], item["code"]) for item in suggested["suggestions"]
    }
    found = api.get(f"/v1/feedback/{answer['id']}").json()
    assert found["redacted_text"] == said
    assert found["corrections"] == corrections
    assert found["seconds"] == 12.5
    assert (found["coder"], found["country"], found["language"]) == ("bird", "Moldova", "en")
    assert (found["bundle"], found["codebook"]) == (suggested["bundle"], suggested["codebook"])
    assert found["policy"] == suggested["policy"]
    assert [{key: value for key, value in item.items() if value} for item in found["verdicts"]] == verdicts
    assert "case-7" not in json.dumps(found)


def test_asking_for_suggestions_stores_nothing(api):
    api.suggest(case_id="case-7")
    api.post("/v1/suggestions/batch", {"narratives": [{"text": "The doctor refused to see me."}]})
    api.post("/v1/redactions", {"text": "The doctor refused to see me."})
    assert stored(api) == []


def test_receipts_of_a_batch_are_receipts(api):
    reply = api.post(
        "/v1/suggestions/batch", {"narratives": [{"text": "The doctor refused to see me."}, {"text": " "}]}
    )
    (first, second) = reply.json()["results"]
    assert second["problem"]["code"] == "narrative.empty"
    assert api.decide(receipt=first["suggestions"]["receipt"], verdicts=[ACCEPT]).status_code == 201


def test_service_without_a_store_keeps_nothing_and_says_so(constant_pipeline):
    settings = ServiceSettings(requests_per_minute=0)
    with TestClient(create_app(constant_pipeline, settings=settings), raise_server_exceptions=False) as client:
        said = client.post("/v1/suggestions", json={"text": "The doctor refused to see me."}).json()
        assert said["receipt"] is None
        assert not said["withheld"]
        reply = client.post("/v1/feedback", json={"receipt": "x", "verdicts": []})
        refused(reply, 503, "store.missing")


# Receipts


def test_receipt_tells_the_caller_nothing(api):
    receipt = api.suggest(case_id=CANARY, country="Moldova")["receipt"]
    content = base64.urlsafe_b64decode(receipt)
    for word in (CANARY, "health", "Moldova", "constant"):
        assert word.encode() not in content


@pytest.mark.parametrize(
    "change",
    [
        pytest.param(lambda receipt: "", id="empty"),
        pytest.param(lambda receipt: CANARY, id="a word"),
        pytest.param(lambda receipt: "квитанция", id="no ASCII"),
        pytest.param(lambda receipt: receipt[:-4], id="cut off"),
        pytest.param(lambda receipt: receipt[4:], id="cut off before"),
        pytest.param(lambda receipt: receipt + "AAAA", id="longer"),
        pytest.param(lambda receipt: receipt[:40] + ("B" if receipt[40] != "B" else "C") + receipt[41:], id="altered"),
        pytest.param(lambda receipt: base64.urlsafe_b64encode(b"x" * 200).decode(), id="forged"),
        pytest.param(
            lambda receipt: base64.urlsafe_b64encode(Keyring([b"k" * 32]).seal(b"{}", of="receipt")).decode(),
            id="another key",
        ),
        pytest.param(lambda receipt: "A" * 60_000, id="long"),
    ],
)
def test_receipts_that_are_none_are_refused(api, change):
    reply = api.decide(receipt=change(api.suggest()["receipt"]) or "-", verdicts=[])
    refused(reply, 422, "receipt.invalid")
    assert CANARY not in reply.text
    assert stored(api) == []


def test_receipt_that_is_too_long_is_refused(api):
    refused(api.decide(receipt="A" * 60_001, verdicts=[]), 422, "request.invalid")


def test_other_sealed_values_are_no_receipts(api):
    with api.store.database.reading() as session:
        values = session.execute(text("SELECT sealed FROM secrets")).scalars().all()
    for value in values:
        refused(api.decide(receipt=base64.urlsafe_b64encode(value).decode()), 422, "receipt.invalid")


def test_receipts_are_good_for_a_week(api, clock):
    receipt = api.suggest()["receipt"]
    clock.advance(days=7)
    assert api.decide(receipt=receipt).status_code == 201
    clock.advance(microseconds=1)
    refused(api.decide(receipt=receipt), 422, "receipt.invalid")


def test_receipt_of_another_store_is_refused_also_with_the_same_key_file(api, constant_pipeline, open_store, new_url):
    """Its hash of the case is another store's, so that the case could never be erased here."""
    other = open_store(new_url("sqlite"))
    settings = ServiceSettings(requests_per_minute=0, blind_share=0.0)
    with TestClient(create_app(constant_pipeline, settings=settings, store=other)) as client:
        body = {"text": "The doctor refused to see me.", "case_id": "case-7"}
        receipt = client.post("/v1/suggestions", json=body).json()["receipt"]
    refused(api.decide(receipt=receipt), 422, "receipt.invalid")


# Verdicts


ADD = {"axis": "violation", "code": "civic.hate", "verdict": "added"}
PLHIV = {"axis": "population", "code": "plhiv", "verdict": "accepted"}
VERDICTS = [
    ([], 201),
    ([ACCEPT], 201),
    ([{**ACCEPT, "verdict": "rejected"}], 201),
    ([ADD], 201),
    ([{"axis": "violation", "code": "justice.search", "verdict": "edited", "instead_of": "health.denial"}], 201),
    ([{**ACCEPT, "primary": True}, {**PLHIV, "primary": True}], 201),
    ([{**ACCEPT, "verdict": "added"}], 422),  # it was suggested
    ([{**ACCEPT, "verdict": "edited", "instead_of": "violence.psychological"}], 422),
    ([{**ACCEPT, "code": "civic.hate"}], 422),  # up for review, not suggested
    ([{**ACCEPT, "code": "civic.hate", "verdict": "rejected"}], 422),
    ([{**ACCEPT, "code": CANARY}], 422),
    ([{**ACCEPT, "axis": CANARY}], 422),
    ([{**ACCEPT, "axis": "perpetrator"}], 422),  # a code of another axis
    ([ACCEPT, ACCEPT], 422),
    ([ACCEPT, {**ACCEPT, "verdict": "rejected"}], 422),
    ([{"axis": "violation", "code": "justice.search", "verdict": "edited"}], 422),
    ([{"axis": "violation", "code": "justice.search", "verdict": "edited", "instead_of": CANARY}], 422),
    ([{"axis": "violation", "code": "justice.search", "verdict": "edited", "instead_of": "health"}], 422),
    ([{"axis": "violation", "code": "justice.search", "verdict": "added", "instead_of": "health.denial"}], 422),
    ([{**ACCEPT, "verdict": "rejected", "primary": True}], 422),
    ([{**ACCEPT, "primary": True}, {**ADD, "primary": True}], 422),
    ([{**ACCEPT, "verdict": CANARY}], 422),
    ([{**ACCEPT, CANARY: 1}], 422),
    ([{**ACCEPT, "code": "a\0b"}], 422),
    ([ACCEPT] * 61, 422),
    ("accepted", 422),
]
CORRECTIONS = [
    ([{"kind": "hidden", "start": 0, "end": 3, "type": "PERSON"}], 201),
    ([{"kind": "hidden", "start": 0, "end": 29, "type": "PERSON"}], 201),
    ([{"kind": "hidden", "start": 0, "end": 30, "type": "PERSON"}], 422),
    ([{"kind": "hidden", "start": 3, "end": 3, "type": "PERSON"}], 422),
    ([{"kind": "hidden", "start": 4, "end": 3, "type": "PERSON"}], 422),
    ([{"kind": "hidden", "start": -1, "end": 3, "type": "PERSON"}], 422),
    ([{"kind": "hidden", "start": 0, "end": 3, "type": CANARY}], 422),
    ([{"kind": CANARY, "start": 0, "end": 3, "type": "PERSON"}], 422),
    ([{"kind": "hidden", "start": 0, "end": 3}], 422),
    ([{"kind": "hidden", "start": 0, "end": 2**70, "type": "PERSON"}], 422),
]


def test_verdicts_fit_the_codebook_and_what_was_suggested(api):
    for verdicts, status in VERDICTS:
        before = count_feedback(api.store, Wanted())
        reply = api.decide(verdicts=verdicts)
        assert (reply.status_code, verdicts) == (status, verdicts), reply.text
        assert count_feedback(api.store, Wanted()) == before + (status == 201)
        if status != 201:
            assert reply.json()["code"] in ("feedback.invalid", "request.invalid")
            assert CANARY not in reply.text


def test_corrections_lie_in_the_text(api):
    said = "The doctor refused to see me."
    assert len(said) == 29
    for corrections, status in CORRECTIONS:
        before = count_feedback(api.store, Wanted())
        reply = api.decide(redacted_text=said, corrections=corrections)
        assert (reply.status_code, corrections) == (status, corrections), reply.text
        assert CANARY not in reply.text
        assert count_feedback(api.store, Wanted()) == before + (status == 201)


def test_corrections_without_a_text_are_refused(api):
    corrections = [{"kind": "hidden", "start": 0, "end": 3, "type": "PERSON"}]
    refused(api.decide(corrections=corrections), 422, "feedback.invalid")


def test_seconds_are_of_one_day(api):
    receipt = api.suggest()["receipt"]
    for seconds in (-1, 86_401, "x", float("nan"), float("inf")):
        content = json.dumps({"receipt": receipt, "verdicts": [], "seconds": seconds})
        reply = api.send("POST", "/v1/feedback", content=content, headers={"content-type": "application/json"})
        refused(reply, 422, "request.invalid")


def test_nothing_names_axes_without_a_code(api):
    for nothing, verdicts, status in (
        (["population"], [ACCEPT], 201),
        (["violation"], [{**ACCEPT, "verdict": "rejected"}], 201),
        (["violation"], [ACCEPT], 422),
        ([CANARY], [], 422),
    ):
        reply = api.decide(nothing=nothing, verdicts=verdicts)
        assert (reply.status_code, nothing) == (status, nothing), reply.text
        assert CANARY not in reply.text


# Texts that still hold a name


@both_databases
def test_text_that_still_holds_a_name_is_redacted_before_it_is_stored(api, raw_content):
    reply = api.decide(redacted_text=NAMED)
    assert reply.status_code == 201
    found = api.get(f"/v1/feedback/{reply.json()['id']}").json()
    assert found["redacted_text"] == "The doctor refused to see [PERSON_1] and shouted."
    assert b"Zarina" not in raw_content(api.store)


def test_what_is_redacted_again_does_not_take_a_number_that_is_there(api):
    reply = api.decide(redacted_text="[PERSON_1] came with Zarina Qodirova to the clinic.")
    found = api.get(f"/v1/feedback/{reply.json()['id']}").json()
    assert found["redacted_text"] == "[PERSON_1] came with [PERSON_2] to the clinic."


def test_text_with_corrections_that_still_holds_a_name_is_refused(api):
    corrections = [{"kind": "hidden", "start": 0, "end": 3, "type": "PERSON"}]
    reply = api.decide(redacted_text=NAMED, corrections=corrections)
    problem = refused(reply, 409, "feedback.unredacted")
    assert "Zarina" not in json.dumps(problem)
    assert stored(api) == []


@pytest.mark.parametrize(
    ("first", "after", "status"),
    [
        (26, 41, 201),  # just the name
        (22, 45, 201),
        (26, 40, 409),  # all but a letter of it
        (27, 41, 409),
        (26, 32, 409),
        (0, 3, 409),
    ],
)
def test_what_a_person_shows_again_stays_in_sight(api, first, after, status):
    assert NAMED[26:41] == "Zarina Qodirova"
    corrections = [{"kind": "shown", "start": first, "end": after, "type": "PERSON"}]
    reply = api.decide(redacted_text=NAMED, corrections=corrections)
    assert reply.status_code == status, reply.text
    if status == 201:
        assert api.get(f"/v1/feedback/{reply.json()['id']}").json()["redacted_text"] == NAMED


def test_one_name_shown_does_not_show_another(api):
    said = "Zarina Qodirova and Rustam Nazarov were refused."
    corrections = [{"kind": "shown", "start": 0, "end": 15, "type": "PERSON"}]
    refused(api.decide(redacted_text=said, corrections=corrections), 409, "feedback.unredacted")


@pytest.mark.parametrize(
    ("said", "status", "code"),
    [
        ("", 422, "narrative.empty"),
        ("\0 x", 422, "narrative.unreadable"),
        ("word " * 20_000, 413, "narrative.too_long"),
    ],
)
def test_texts_that_cannot_be_read_are_refused(api, said, status, code):
    refused(api.decide(redacted_text=said), status, code)
    assert stored(api) == []


# The same decision sent twice


@both_databases
def test_same_request_with_the_same_body_is_stored_once(api):
    receipt = api.suggest(case_id="case-7")["receipt"]
    replies = [
        api.decide(receipt=receipt, verdicts=[ACCEPT], redacted_text=NAMED, request="request-1") for _ in range(3)
    ]
    assert [reply.status_code for reply in replies] == [201, 200, 200]
    assert len({reply.text for reply in replies}) == 1
    assert len(stored(api)) == 1


@pytest.mark.parametrize(
    "change",
    [
        pytest.param({"verdicts": [{**ACCEPT, "verdict": "rejected"}]}, id="verdict"),
        pytest.param({"verdicts": []}, id="no verdict"),
        pytest.param({"verdicts": [{**ACCEPT, "primary": True}]}, id="primary"),
        pytest.param({"redacted_text": "The nurse refused to see me."}, id="text"),
        pytest.param({"redacted_text": None}, id="no text"),
        pytest.param({"seconds": 3.0}, id="seconds"),
        pytest.param({"corrections": [{"kind": "hidden", "start": 0, "end": 3, "type": "PERSON"}]}, id="corrections"),
    ],
)
def test_same_request_with_another_body_is_refused(api, change):
    body = {"receipt": api.suggest()["receipt"], "verdicts": [ACCEPT], "redacted_text": "The doctor refused to see me."}
    assert api.decide(**body, request="request-1").status_code == 201
    refused(api.decide(**{**body, **change}, request="request-1"), 409, "feedback.repeated")
    assert len(stored(api)) == 1


def test_same_request_on_another_case_is_refused(api):
    """Else the second case would seem to be stored, and would not be."""
    first, second = (api.suggest(case_id=case)["receipt"] for case in ("case-1", "case-2"))
    assert api.decide(receipt=first, verdicts=[ACCEPT], request="request-1").status_code == 201
    refused(api.decide(receipt=second, verdicts=[ACCEPT], request="request-1"), 409, "feedback.repeated")


def test_same_request_of_another_key_is_another(api):
    first = api.decide("bird", request="request-1")
    second = api.decide("stone", request="request-1")
    assert (first.status_code, second.status_code) == (201, 201)
    assert first.json()["id"] != second.json()["id"]


def test_receipt_is_good_for_one_decision(api):
    """Else one answer of the models could be decided on as often as somebody likes."""
    receipt = api.suggest()["receipt"]
    assert api.decide(receipt=receipt).status_code == 201
    for who in ("bird", "stone"):
        refused(api.decide(who, receipt=receipt, verdicts=[ACCEPT]), 409, "feedback.repeated")
    assert len(stored(api)) == 1


def test_receipts_of_one_moment_are_two(api):
    """Clocks are coarse, and two texts may get the same suggestions."""
    body = {"text": "The doctor refused to see me."}
    receipts = [api.post("/v1/suggestions", body).json()["receipt"] for _ in range(2)]
    assert [api.decide(receipt=receipt).status_code for receipt in receipts] == [201, 201]


@pytest.mark.parametrize("request_key", ["short", "x" * 201])
def test_request_keys_have_a_length(api, request_key):
    refused(api.decide(request=request_key), 422, "request.invalid")


# Blind cases


@both_databases
def test_blind_case_is_withheld_until_somebody_has_coded_it(start):
    api = start(blind_share=1.0)
    said = api.suggest(case_id="case-7", all_codes=True)
    assert said["withheld"]
    assert said["suggestions"] == []
    assert set(said["primary"].values()) == {None}
    assert said["not_a_violation"] is None
    assert said["redacted_text"]
    assert "health.denial" not in json.dumps(said)
    assert api.suggest(case_id="case-7", who="stone")["withheld"]
    reply = api.decide(
        receipt=said["receipt"], verdicts=[{"axis": "violation", "code": "health.denial", "verdict": "added"}]
    ).json()
    assert reply["origin"] == "blind"
    assert {item["code"] for item in reply["suggested"]} >= {"health.denial", "violence.psychological", "plhiv"}
    for who in ("bird", "stone"):
        after = api.suggest(case_id="case-7", who=who)
        assert not after["withheld"]
        assert after["suggestions"]
    assert api.suggest(case_id="case-8")["withheld"]


def test_blind_case_is_not_revealed_by_a_decision_that_decides_nothing(start):
    api = start(blind_share=1.0)
    refused(api.decide(receipt=api.suggest(case_id="case-7")["receipt"]), 422, "feedback.invalid")
    assert api.suggest(case_id="case-7")["withheld"]


def test_blind_case_is_the_same_however_its_id_is_written(start):
    """Else a blank after the id would show what is withheld."""
    api = start(blind_share=1.0)
    verdicts = [{"axis": "violation", "code": "health.denial", "verdict": "added"}]
    api.decide(receipt=api.suggest(case_id="case-7")["receipt"], verdicts=verdicts)
    assert not api.suggest(case_id=" case-7\n")["withheld"]


def test_blind_cases_are_withheld_in_a_batch_too(start):
    api = start(blind_share=1.0)
    body = {"narratives": [{"text": "The doctor refused to see me.", "case_id": "case-7", "all_codes": True}]}
    (result,) = api.post("/v1/suggestions/batch", body).json()["results"]
    assert result["suggestions"]["withheld"]
    assert result["suggestions"]["suggestions"] == []


@pytest.mark.parametrize("verdict", ["accepted", "rejected", "edited"])
def test_what_was_withheld_is_neither_accepted_nor_rejected(start, verdict):
    api = start(blind_share=1.0)
    receipt = api.suggest(case_id="case-7")["receipt"]
    item = {**ACCEPT, "verdict": verdict}
    if verdict == "edited":
        item |= {"code": "civic.hate", "instead_of": "health.denial"}
    refused(api.decide(receipt=receipt, verdicts=[item]), 422, "feedback.invalid")


def test_blind_case_is_shown_again_to_be_coded_when_its_decision_is_erased(start):
    api = start(blind_share=1.0)
    api.decide(receipt=api.suggest(case_id="case-7")["receipt"], nothing=["violation"])
    assert api.post("/v1/erasures", {"case_id": "case-7"}, "hill").json()["erased"] == 1
    assert api.suggest(case_id="case-7")["withheld"]


def test_no_case_is_withheld_where_the_share_is_nothing(start):
    api = start(blind_share=0.0)
    assert not any(api.suggest(case_id=f"case-{number}")["withheld"] for number in range(20))


def test_text_without_a_case_is_never_withheld(start):
    assert not start(blind_share=1.0).suggest()["withheld"]


def test_share_of_blind_cases_is_the_one_asked_for(store):
    from service.store.blind import is_blind

    blind = [is_blind(store, f"case-{number}", 0.25) for number in range(2_000)]
    assert 0.2 < sum(blind) / 2_000 < 0.3
    assert blind == [is_blind(store, f"case-{number}", 0.25) for number in range(2_000)]
    assert all(is_blind(store, f"case-{number}", 0.5) for number in range(2_000) if blind[number])


# Who may do what

LEAST = {
    ("POST", "/v1/suggestions"): "reactor",
    ("POST", "/v1/suggestions/batch"): "reactor",
    ("POST", "/v1/redactions"): "reactor",
    ("POST", "/v1/feedback"): "reactor",
    ("GET", "/v1/feedback"): "reactor",
    ("GET", "/v1/feedback/{feedback_id}"): "reactor",
    ("GET", "/v1/codebook"): "reactor",
    ("GET", "/v1/bundles"): "reactor",
    ("GET", "/v1/feedback/export"): "coordinator",
    ("GET", "/v1/feedback/review"): "coordinator",
    ("GET", "/v1/statistics"): "coordinator",
    ("GET", "/v1/jobs"): "coordinator",
    ("POST", "/v1/jobs"): "coordinator",
    ("GET", "/v1/jobs/{job_id}"): "coordinator",
    ("DELETE", "/v1/jobs/{job_id}"): "coordinator",
    ("POST", "/v1/jobs/{job_id}/preview"): "coordinator",
    ("PUT", "/v1/jobs/{job_id}/mapping"): "coordinator",
    ("DELETE", "/v1/jobs/{job_id}/mapping"): "coordinator",
    ("POST", "/v1/jobs/{job_id}/dry-run"): "coordinator",
    ("POST", "/v1/jobs/{job_id}/start"): "coordinator",
    ("POST", "/v1/jobs/{job_id}/cancel"): "coordinator",
    ("GET", "/v1/jobs/{job_id}/files/{kind}"): "coordinator",
    ("POST", "/v1/jobs/{job_id}/review/next"): "coordinator",
    ("POST", "/v1/jobs/{job_id}/review/undo"): "coordinator",
    ("POST", "/v1/jobs/{job_id}/review/release"): "coordinator",
    ("POST", "/v1/jobs/{job_id}/review/{row}"): "coordinator",
    ("POST", "/v1/erasures"): "admin",
    ("GET", "/v1/keys"): "admin",
    ("POST", "/v1/keys"): "admin",
    ("DELETE", "/v1/keys/{key_id}"): "admin",
    ("POST", "/v1/bundles/active"): "admin",
}
RANK = ["reactor", "coordinator", "admin"]
SCOPE = {"bird": "reactor", "stone": "reactor", "river": "coordinator", "hill": "admin"}
DENIED = [
    (method, path, who) for (method, path), least in LEAST.items() for who in ("bird", "river", "hill")
    if RANK.index(SCOPE[who]) < RANK.index(least)
]  # fmt: skip
BODIES = {
    "/v1/suggestions": {"text": "The doctor refused to see me."},
    "/v1/suggestions/batch": {"narratives": [{"text": "The doctor refused to see me."}]},
    "/v1/redactions": {"text": "The doctor refused to see me."},
    "/v1/erasures": {"case_id": "case-7"},
    "/v1/keys": {"name": "sky", "scope": "admin"},
    "/v1/bundles/active": {"name": "denial-1"},
    "/v1/jobs/{job_id}/review/{row}": {"act": "accept"},
}


def fill_in(api, path):
    known = {"feedback_id": "0" * 32, "job_id": "0" * 32, "key_id": api.ids["stone"], "kind": "output", "row": 1}
    return path.format(**known)


def send(api, method, path, who, **options):
    if method in ("POST", "PUT"):
        options = {"json": BODIES.get(path, {}), **options}
    return api.send(method, fill_in(api, path), who, **options)


def absent(api, method, who, **options):
    """The answer to a path that nobody has."""
    options = {"json": {}, **options} if method in ("POST", "PUT") else options
    return api.send(method, "/v1/nothing-of-the-kind", who, **options)


def same(reply, other):
    def told(item):
        return {name: value for name, value in item.headers.items() if name != "date"}

    assert (reply.status_code, reply.text) == (other.status_code, other.text)
    assert told(reply) == told(other)


def test_every_route_has_its_least_scope_in_this_table(api):
    schema = api.client.get("/openapi.json").json()
    found = {
        (method.upper(), path) for path, item in schema["paths"].items() if path.startswith("/v1") for method in item
    }
    assert found == set(LEAST)


@both_databases
def test_what_one_may_not_use_looks_as_if_it_were_not_there(api):
    for method, path, who in DENIED:
        same(send(api, method, path, who), absent(api, method, who))


@pytest.mark.parametrize("content", [b"{", b"[]", b'{"x": 1}', b"\xff"])
def test_what_one_may_not_use_looks_so_with_a_broken_body_too(api, content):
    options = {"content": content, "json": None, "headers": {"content-type": "application/json"}}
    for method, path, who in DENIED:
        if method == "POST":
            same(send(api, method, path, who, **options), absent(api, method, who, **options))


def test_what_one_may_not_use_looks_so_with_a_broken_query_too(api):
    for query in ("limit=x", "verdict=nonsense", "since=never", "coder=" + "x" * 100, "limit=999"):
        for path in ("/v1/feedback/export", "/v1/feedback/review", "/v1/statistics"):
            same(api.get(f"{path}?{query}"), absent(api, "GET", "bird"))


def new_job(api, path, who):
    """The id of a job with which a route has something to do."""
    job_id, key, principal = new_job_id(), new_job_key(), Principal(who, SCOPE[who], api.ids[who])
    create_job(api.store, job_id, key, principal, file_name="cases.csv", size=1, days=1)
    if path.endswith("/cancel"):
        start_job(api.store, job_id, principal, {})
    elif "/files/" in path or "/review/" in path:
        files = api.client.app.state.job_files
        files.write(job_id, "output", b"x", key)
        row = {"row": 1, "case": None, "country": None, "language": "en", "redacted_text": "He was refused.",
               "suggestions": [], "primary": {}, "not_a_violation": None, "doubts": []}  # fmt: skip
        files.write(job_id, "review-00000", json.dumps([row]).encode(), key)
        facts = {
            "bundle": "constant-1",
            "codebook": "react 1.1",
            "policy": "0",
            "files": {"output": {"ending": ".csv"}},
        }
        finish_job(api.store, job_id, "done", days=1, facts=facts, to_review=[ToReview(1, 0, 0.5)])
        if path.endswith("{row}"):
            lend_next(api.store, job_id, principal)
    return job_id


def seen(task):
    unmapped = {"rows": 0, "labels": 0, "most_frequent": []}
    return {
        "preview": {"columns": [], "text_column": None, "id_column": None, "rows": [], "notes": [], "problem": None},
        "mapping": {"labels": 1, "set_aside": 0},
        "dry-run": {"unreadable": 0, "empty": 0, "forecast": {}, "duplicates": None, "people": {}, "unmapped": unmapped,
                    "examples": [], "notes": []},
    }[task.look]  # fmt: skip


def test_what_one_may_use_is_there(start, two_bundles):
    api = start(bundle_folder=two_bundles)
    known = {"feedback_id": api.decide("bird").json()["id"], "kind": "output", "row": 1}
    api.client.app.state.look = seen
    for (method, path), least in LEAST.items():
        for who in ("bird", "river", "hill"):
            if RANK.index(SCOPE[who]) >= RANK.index(least):
                known["key_id"] = create_key(api.store, name="sky", scope="reactor", actor="test")[1].id
                bodies = BODIES | {"/v1/feedback": {"receipt": api.suggest()["receipt"], "verdicts": []}}
                if "{job_id}" in path:
                    known["job_id"] = new_job(api, path, who)
                options = {"json": bodies.get(path, {})} if method == "POST" else {}
                if (method, path) in (("POST", "/v1/jobs"), ("PUT", "/v1/jobs/{job_id}/mapping")):
                    headers = {"X-File-Name": "cases.csv", "Content-Type": "application/octet-stream"}
                    options = {"content": b"text", "headers": headers}
                reply = api.send(method, path.format(**known), who, **options)
                assert 200 <= reply.status_code < 300, reply.text


def test_nothing_that_was_denied_was_done(api):
    for method, path, who in DENIED:
        send(api, method, path, who)
    assert len(api.get("/v1/keys", "hill").json()) == 4
    assert not [item for item in api.get("/v1/keys", "hill").json() if item["revoked"]]


@both_databases
def test_only_the_owner_and_those_above_read_a_decision(api):
    identifier = api.decide("bird", redacted_text="The doctor refused to see me.").json()["id"]
    path = f"/v1/feedback/{identifier}"
    for who in ("bird", "river", "hill"):
        assert api.get(path, who).json()["redacted_text"] == "The doctor refused to see me."
    denied = api.get(path, "stone")
    same(denied, api.get(f"/v1/feedback/{'0' * 32}", "stone"))
    same(denied, absent(api, "GET", "stone"))


def test_namesake_with_another_key_is_somebody_else(api):
    identifier = api.decide("bird").json()["id"]
    token, _ = create_key(api.store, name="bird", scope="reactor", actor="test")
    api.keys["namesake"] = token
    assert api.get(f"/v1/feedback/{identifier}", "namesake").status_code == 404
    assert api.get("/v1/feedback", "namesake").json()["total"] == 0


@both_databases
def test_reactors_list_their_own_decisions_and_others_all(api):
    own, other = api.decide("bird").json()["id"], api.decide("stone").json()["id"]
    for who, expected in (("bird", [own]), ("stone", [other]), ("river", [other, own]), ("hill", [other, own])):
        page = api.get("/v1/feedback", who).json()
        assert [item["id"] for item in page["items"]] == expected
        assert page["total"] == len(expected)


def test_no_filter_shows_a_reactor_what_is_not_theirs(api):
    api.decide("stone", verdicts=[ACCEPT])
    for query in ("coder=stone", "code=health.denial", "verdict=accepted", "origin=assisted", "limit=200"):
        page = api.get(f"/v1/feedback?{query}", "bird").json()
        assert (page["items"], page["total"]) == ([], 0)


@both_databases
def test_pages_go_through_all_decisions(api):
    saved = [api.decide("bird").json()["id"] for _ in range(5)]
    found, following = [], None
    while True:
        page = api.get(f"/v1/feedback?limit=2{f'&before={following}' if following else ''}").json()
        assert page["total"] == 5
        found += [item["id"] for item in page["items"]]
        following = page["next"]
        if following is None:
            break
    assert found == saved[::-1]


@both_databases
def test_export_is_json_lines_of_what_people_set(api):
    identifier = api.decide("bird", verdicts=[ACCEPT], redacted_text="The doctor refused to see me.").json()["id"]
    reply = api.get("/v1/feedback/export", "river")
    assert reply.headers["content-type"].startswith("application/x-ndjson")
    (row,) = [json.loads(line) for line in reply.text.splitlines()]
    assert (row["id"], row["feedback"]["chosen"]) == (identifier, {"violation": ["health.denial"]})
    assert row["violation"] is None  # nobody has said anything of the other code that was suggested
    assert "plhiv" not in reply.text
    assert "civic.hate" not in reply.text
    assert api.get("/v1/feedback/export?coder=stone", "river").text == ""


@pytest.mark.parametrize(
    "headers",
    [
        pytest.param({}, id="no key"),
        pytest.param({"Authorization": "Bearer nonsense"}, id="nonsense"),
        pytest.param({"Authorization": "Bearer cck_000000000000_" + "A" * 32}, id="unknown"),
        pytest.param({"Authorization": "Basic YTpi"}, id="another way"),
        pytest.param({"Authorization": "Bearer"}, id="empty"),
        pytest.param({"Cookie": f"{COOKIE}=nonsense"}, id="no login"),
    ],
)
def test_without_a_valid_key_nothing_is_answered(start, headers, monkeypatch):
    monkeypatch.setattr(traffic, "_LOGINS_PER_MINUTE", 4_000)  # so many wrong keys of one address are of no matter here
    api = start()
    for method, path in LEAST:
        reply = send(api, method, path, None, headers=headers)
        refused(reply, 401, "http.401")
        assert reply.headers["www-authenticate"] == "Bearer"


def test_without_a_valid_key_a_broken_body_is_not_looked_at(api):
    headers = {"content-type": "application/json"}
    refused(api.send("POST", "/v1/feedback", None, content=b"{", headers=headers), 401, "http.401")


def test_who_has_no_key_is_told_the_same_whatever_the_key_was(api, clock):
    expired, _ = create_key(api.store, name="sky", scope="admin", actor="test", valid=timedelta(hours=1))
    api.keys["expired"] = expired
    assert api.get("/v1/keys", "expired").status_code == 200
    clock.advance(hours=2)
    assert api.send("DELETE", f"/v1/keys/{api.ids['stone']}", "hill").status_code == 204
    api.keys["wrong"] = "cck_000000000000_" + "A" * 32
    replies = [api.get("/v1/codebook", who) for who in ("expired", "stone", "wrong")]
    for reply in replies[1:]:
        same(reply, replies[0])
    assert replies[0].status_code == 401


@both_databases
def test_revoked_key_is_refused_at_once(api):
    assert api.get("/v1/codebook", "bird").status_code == 200
    assert api.send("DELETE", f"/v1/keys/{api.ids['bird']}", "hill").status_code == 204
    for reply in (api.get("/v1/codebook", "bird"), api.post("/v1/redactions", {"text": "x"}, "bird")):
        refused(reply, 401, "http.401")
    refused(api.send("DELETE", f"/v1/keys/{api.ids['bird']}", "hill"), 404, "http.404")


def test_keys_are_made_over_http_and_shown_once(api):
    reply = api.post("/v1/keys", {"name": "sky", "scope": "reactor", "days": 1}, "hill")
    assert reply.status_code == 201
    api.keys["sky"] = reply.json()["key"]
    assert api.get("/v1/codebook", "sky").status_code == 200
    assert reply.json()["key"] not in api.get("/v1/keys", "hill").text


def test_keys_that_cannot_be_are_refused(api):
    for body in (
        {"name": "", "scope": "admin"},
        {"name": "  ", "scope": "admin"},
        {"name": "a\nb", "scope": "admin"},
        {"name": "sky", "scope": "root"},
        {"name": "sky", "scope": "admin", "days": 0},
        {"name": "sky", "scope": "admin", "days": 1e300},
        {"scope": "admin"},
    ):
        assert (api.post("/v1/keys", body, "hill").status_code, body) == (422, body)
    assert len(api.get("/v1/keys", "hill").json()) == 4


@both_databases
def test_erasure_takes_all_decisions_of_a_case(api):
    for who in ("bird", "stone"):
        api.decide(who, receipt=api.suggest(who=who, case_id="case-7")["receipt"])
    kept = api.decide(receipt=api.suggest(case_id="case-8")["receipt"]).json()["id"]
    assert api.post("/v1/erasures", {"case_id": "case-7"}, "hill").json()["erased"] == 2
    assert [item.id for item in stored(api)] == [kept]
    assert api.post("/v1/erasures", {"case_id": "case-7"}, "hill").json() == {"erased": 0, "rows": 0, "jobs": []}


@both_databases
def test_reads_of_a_day_have_a_limit_for_each_key(start, clock):
    api = start(reads_per_day=2)
    identifier = api.decide("bird").json()["id"]
    path = f"/v1/feedback/{identifier}"
    assert [api.get(path, "river").status_code for _ in range(3)] == [200, 200, 429]
    refused(api.get(path, "river"), 429, "limit.reads")
    assert api.get(path, "bird").status_code == 200
    clock.advance(days=1)
    assert api.get(path, "river").status_code == 200


def test_text_that_cannot_be_opened_is_the_fault_of_the_service(api):
    """Not of the caller: whoever looks after it is to be told, and nothing was wrong with the request."""
    identifier = api.decide(redacted_text="The doctor refused to see me.").json()["id"]
    with api.store.database.writing() as session:
        session.execute(text("UPDATE feedback SET sealed_text = :sealed"), {"sealed": b"x" * 60})
    assert api.get(f"/v1/feedback/{identifier}").status_code >= 500


# Logins of the page


@pytest.fixture
def login(api):
    """Headers of a browser that bird is logged in with and has a page of, and the token of that page."""
    login, principal = log_in(api.store, api.keys["bird"], hours=1)
    headers = {"Cookie": f"{COOKIE}={login}", PERSON_HEADER: person_token(api.store, principal)}
    return headers, csrf_token(api.store, principal)


def test_login_reads_without_and_changes_only_with_the_token_of_its_page(api, login):
    cookie, token = login
    assert api.get("/v1/codebook", None, headers=cookie).status_code == 200
    body = {"text": "The doctor refused to see me."}
    for sent in ({}, {CSRF_HEADER: ""}, {CSRF_HEADER: "x"}, {CSRF_HEADER: token[:-1]}, {CSRF_HEADER: "0" * len(token)}):
        reply = api.post("/v1/suggestions", body, None, headers={**cookie, **sent})
        refused(reply, 403, "request.forged")
    assert api.post("/v1/suggestions", body, None, headers={**cookie, CSRF_HEADER: token}).status_code == 200


def test_token_of_another_login_does_not_fit(api, login):
    other = csrf_token(api.store, log_in(api.store, api.keys["bird"], hours=1)[1])
    reply = api.post("/v1/redactions", {"text": "x"}, None, headers={**login[0], CSRF_HEADER: other})
    refused(reply, 403, "request.forged")


def test_login_is_over_when_its_key_is_revoked(api, login):
    api.send("DELETE", f"/v1/keys/{api.ids['bird']}", "hill")
    refused(api.get("/v1/codebook", None, headers=login[0]), 401, "http.401")
    assert who_is_logged_in(api.store, login[0]["Cookie"].split("=")[1]) is None


def test_wrong_key_is_not_made_good_by_a_login(api, login):
    headers = {**login[0], "Authorization": "Bearer nonsense"}
    refused(api.get("/v1/codebook", None, headers=headers), 401, "http.401")


@pytest.fixture
def open_api(store, constant_pipeline):
    """A service without keys."""
    settings = ServiceSettings(requests_per_minute=0, blind_share=0.0)
    with TestClient(create_app(constant_pipeline, settings=settings, store=store)) as client:
        yield client


@pytest.mark.parametrize(
    ("host", "status"),
    [
        ("127.0.0.1:8000", 200),
        ("localhost", 200),
        ("[::1]:8000", 200),
        ("evil.example", 403),
        ("127.0.0.1.evil.example", 403),
        ("localhost.evil.example", 403),
        ("192.0.2.1", 403),
        ("0.0.0.0", 403),  # noqa: S104
    ],
)
def test_without_keys_only_this_machine_is_answered(open_api, host, status):
    reply = open_api.get("/v1/codebook", headers={"Host": host})
    assert reply.status_code == status
    if status == 403:
        refused(reply, 403, "request.host")


def test_first_key_closes_the_service_at_once(open_api, store):
    assert open_api.get("/v1/keys").status_code == 200
    create_key(store, name="hill", scope="admin", actor="test")
    refused(open_api.get("/v1/keys"), 401, "http.401")


# Languages


def test_errors_are_told_in_russian_to_who_asks_for_it(start, monkeypatch):
    api = start(requests_per_minute=0)
    receipt = api.suggest()["receipt"]
    api.decide(receipt=receipt, request="request-1")
    hidden = [{"kind": "hidden", "start": 0, "end": 3, "type": "PERSON"}]
    json_type = {"content-type": "application/json"}
    cases = {
        "narrative.empty": lambda **more: api.post("/v1/suggestions", {"text": " "}, **more),
        "narrative.language": lambda **more: api.post("/v1/redactions", {"text": "x y", "language": "xx"}, **more),
        "request.invalid": lambda **more: api.post("/v1/suggestions", {"text": 5}, **more),
        "request.media_type": lambda **more: api.send(
            "POST",
            "/v1/suggestions",
            content=b"x",
            **{"headers": {**more.pop("headers"), "content-type": "text/plain"}},
        ),
        "request.too_large": lambda **more: api.send(
            "POST", "/v1/suggestions", content=b" " * 2_000_000, **{"headers": {**more.pop("headers"), **json_type}}
        ),
        "feedback.invalid": lambda **more: api.post(
            "/v1/feedback", {"receipt": receipt, "verdicts": [{**ACCEPT, "code": CANARY}]}, **more
        ),
        "feedback.repeated": lambda **more: api.post(
            "/v1/feedback",
            {"receipt": receipt, "verdicts": [ACCEPT]},
            headers={**more.pop("headers"), "Idempotency-Key": "request-1"},
        ),
        "feedback.unredacted": lambda **more: api.post(
            "/v1/feedback", {"receipt": receipt, "verdicts": [], "redacted_text": NAMED, "corrections": hidden}, **more
        ),
        "receipt.invalid": lambda **more: api.post("/v1/feedback", {"receipt": CANARY, "verdicts": []}, **more),
        "http.401": lambda **more: api.get("/v1/codebook", None, **more),
        "http.404": lambda **more: api.get("/v1/keys", **more),
        "http.405": lambda **more: api.send("PUT", "/v1/feedback", json={}, **more),
    }
    english = []
    for code, ask in cases.items():
        for language in ("ru", "ru-RU,ru;q=0.9,en;q=0.8", "en-GB,en;q=0.9,ru;q=0.5", "de"):
            problem = ask(headers={"Accept-Language": language}).json()
            assert problem["code"] == code
            assert CANARY not in json.dumps(problem)
            if bool(CYRILLIC.search(problem["detail"])) != language.startswith("ru"):
                english.append((code, language))
    assert english == []


def test_crash_is_told_in_russian_to_who_asks_for_it(api, monkeypatch):
    def crash(self, narrative):
        raise RuntimeError(CANARY)

    monkeypatch.setattr("nlp.pipeline.Pipeline.analyze_one", crash)
    body = {"text": "The doctor refused to see me."}
    problem = refused(api.post("/v1/suggestions", body, headers={"Accept-Language": "ru"}), 500, "internal")
    assert CANARY not in json.dumps(problem)
    assert CYRILLIC.search(problem["detail"])


def test_every_russian_sentence_has_its_facts_and_no_code_is_told_in_english_alone():
    from nlp.errors import LanguageNotServed, NarrativeEmpty, NarrativeTooLong
    from service.errors import SealBroken, StoreError
    from service.messages import told
    from service.store.feedback import FeedbackRefused, FeedbackRepeated

    for kind in (
        LanguageNotServed,
        NarrativeEmpty,
        NarrativeTooLong,
        SealBroken,
        StoreError,
        FeedbackRefused,
        FeedbackRepeated,
    ):
        facts = {"limit": 1, "served": "en, ru"}
        assert CYRILLIC.search(told(kind.code, "English", "ru", facts)), kind.code  # fmt: skip


# Limits


def test_rate_of_one_key_is_limited_and_told_when_to_come_back(start, monkeypatch):
    now = [1000.0]
    monkeypatch.setattr(traffic, "time", SimpleNamespace(monotonic=lambda: now[0], perf_counter=time.perf_counter))
    api = start(requests_per_minute=8)  # bursts of two
    assert [api.get("/v1/codebook").status_code for _ in range(2)] == [200, 200]
    reply = api.get("/v1/codebook", headers={"Accept-Language": "ru"})
    problem = refused(reply, 429, "limit.rate")
    assert CYRILLIC.search(problem["detail"])
    wait = int(reply.headers["retry-after"])
    assert 1 <= wait <= 8
    assert api.get("/v1/codebook", "stone").status_code == 200  # others go on
    assert api.client.get("/health/live").status_code == 200
    now[0] += wait
    assert api.get("/v1/codebook").status_code == 200
    assert api.get("/v1/codebook").status_code == 429


def test_rate_is_within_a_twentieth_of_the_limit(monkeypatch):
    """R38: ten times as many requests as allowed, for an hour."""
    now = [0.0]
    monkeypatch.setattr(traffic, "time", SimpleNamespace(monotonic=lambda: now[0]))
    rate = traffic._Rate(120)
    allowed = 0
    for _ in range(72_000):
        allowed += rate.wait(b"caller") == 0
        now[0] += 0.05
    assert 120 * 60 * 0.95 <= allowed <= 120 * 60 * 1.05


def flood(api, now, who="bird", *, minutes, pace):
    """How many requests are let through of those that come ``pace`` seconds apart."""
    allowed = 0
    for _ in range(round(60 * minutes / pace)):
        allowed += api.get("/v1/jobs", who).status_code != 429
        now[0] += pace
    return allowed


@pytest.mark.parametrize("who", ["bird", "river"])
def test_key_that_asks_ten_times_too_often_gets_what_is_allowed(start, monkeypatch, who):
    """R38, over HTTP."""
    now = [1000.0]
    monkeypatch.setattr(traffic, "time", SimpleNamespace(monotonic=lambda: now[0], perf_counter=time.perf_counter))
    api = start(requests_per_minute=8)
    minutes = 8
    assert 8 * minutes * 0.95 <= flood(api, now, who, minutes=minutes, pace=60 / 80) <= 8 * minutes * 1.05
    assert api.get("/v1/jobs", "stone").status_code != 429  # others go on


def test_key_that_asks_as_often_as_allowed_is_never_refused(start, monkeypatch):
    now = [1000.0]
    monkeypatch.setattr(traffic, "time", SimpleNamespace(monotonic=lambda: now[0], perf_counter=time.perf_counter))
    assert flood(start(requests_per_minute=8), now, minutes=10, pace=60 / 8) == 80


@both_databases
@pytest.mark.parametrize("who", ["bird", "river"])
def test_slow_scraping_of_texts_ends_at_the_limit_of_the_day_and_is_told_to_the_audit_log(start, clock, who):
    """R38: a text every half hour is no matter for the rate, but for the day."""
    api = start(reads_per_day=20)
    path = f"/v1/feedback/{api.decide('bird').json()['id']}"
    clock.at = clock.at.replace(hour=0, minute=0)
    statuses = []
    for _ in range(2 * 48):
        statuses.append(api.get(path, who).status_code)
        clock.advance(minutes=30)
    assert statuses == 2 * (20 * [200] + 28 * [429])
    with api.store.database.reading() as session:
        told = [
            (item.action, item.facts) for item in session.scalars(select(AuditEntry).order_by(AuditEntry.number))
            if item.actor == f"{who} ({api.ids[who]})" and item.action in ("read feedback", "reach read limit")
        ]  # fmt: skip
        api.store.audit.verify(session)
    assert [action for action, _ in told] == 2 * (20 * ["read feedback"] + ["reach read limit"])
    assert told[20][1] == {"limit": 20}


@both_databases
def test_limit_of_the_day_holds_for_requests_that_come_at_once(start):
    api = start(reads_per_day=5)
    path = f"/v1/feedback/{api.decide('bird').json()['id']}"
    with ThreadPoolExecutor(4) as pool:
        statuses = list(pool.map(lambda _: api.get(path, "river").status_code, range(12)))
    assert (statuses.count(200), statuses.count(429)) == (5, 7)


def test_rate_is_not_evaded_by_writing_the_key_otherwise(start):
    api = start(requests_per_minute=8)
    key = api.keys["bird"]
    written = [
        f"{scheme} {key}" for scheme in ("Bearer", "bearer", "BEARER", "bEarer", "beArer", "Bearer ", "Bearer  ")
    ]
    statuses = [api.get("/v1/codebook", None, headers={"Authorization": item}).status_code for item in written]
    assert statuses.count(200) == 2
    assert set(statuses) == {200, 429}


def test_rate_is_not_evaded_by_more_cookies(start):
    api = start(requests_per_minute=8)
    login, _ = log_in(api.store, api.keys["bird"], hours=1)
    cookies = [f"{COOKIE}={login}", *(f"x={number}; {COOKIE}={login}" for number in range(5))]
    statuses = [api.get("/v1/codebook", None, headers={"Cookie": item}).status_code for item in cookies]
    assert statuses.count(200) == 2
    assert set(statuses) == {200, 429}


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_rate_is_not_evaded_by_keys_that_are_none(start, method):
    """Keys that nobody has count for the address that they come from."""
    api = start(requests_per_minute=8)
    statuses = []
    for number in range(15):
        headers = {"Authorization": f"Bearer cck_{number:012x}_{'A' * 32}"}
        path = "/v1/codebook" if method == "GET" else "/v1/redactions"
        statuses.append(send(api, method, path, None, headers=headers).status_code)
    assert set(statuses) == {401, 429}


# Overload


class Stuck:
    """A classifier that answers only when it is let go."""

    def __init__(self, real):
        self._real = real
        self.free = threading.Event()
        self.free.set()

    def __getattr__(self, name):
        return getattr(self._real, name)

    def predict_proba(self, X):
        assert self.free.wait(60)
        return self._real.predict_proba(X)


@pytest.fixture
def stuck(constant_pipeline):
    """A pipeline with a classifier that can be made to hang; it is let go after the test."""
    classifier = Stuck(constant_pipeline.classifier)
    yield dataclasses.replace(constant_pipeline, classifier=classifier), classifier.free
    classifier.free.set()


@pytest.fixture
def asking(stuck, start):
    """Sends requests in threads; depends on `start`, so that they end before the service does."""
    pool = ThreadPoolExecutor(60)

    def ask(api, many, body=None):
        body = body or {"text": "The doctor refused to see me."}
        return [pool.submit(api.post, "/v1/suggestions", body) for _ in range(many)]

    yield ask
    stuck[1].set()
    pool.shutdown(wait=True)


def figures(api):
    reply = api.client.get("/metrics", headers={"Authorization": f"Bearer {api.keys['river']}"})
    assert reply.status_code == 200
    return {
        (sample.name, *(value for _, value in sorted(sample.labels.items()))): sample.value
        for family in text_string_to_metric_families(reply.text)
        for sample in family.samples
    }


def until_inside(api, many):
    for _ in range(200):
        if figures(api)["casecoder_narratives_inside",] == many:
            return
        time.sleep(0.01)
    raise AssertionError(f"never {many} inside")


def places(max_waiting):
    return (os.cpu_count() or 1) + max_waiting


def test_what_does_not_fit_is_refused_at_once_while_models_are_stuck(start, stuck, asking):
    pipeline, free = stuck
    api = start(pipeline, max_waiting=1)
    free.clear()
    inside = asking(api, places(1))
    until_inside(api, places(1))
    for path in ("/v1/suggestions", "/v1/redactions", "/v1/suggestions/batch", "/v1/feedback"):
        began = time.perf_counter()
        reply = api.post(path, {"text": "x"}, headers={"Accept-Language": "ru"})
        assert time.perf_counter() - began < 4  # the deadline is five seconds
        problem = refused(reply, 503, "limit.busy")
        assert CYRILLIC.search(problem["detail"])
        assert int(reply.headers["retry-after"]) >= 1
    free.set()
    assert [item.result(30).status_code for item in inside] == [200] * places(1)
    until_inside(api, 0)
    assert api.suggest()["suggestions"]


def test_service_stays_alive_and_answers_what_needs_no_model_while_models_are_stuck(start, stuck, asking):
    pipeline, free = stuck
    api = start(pipeline, max_waiting=4)
    free.clear()
    asking(api, places(4))
    until_inside(api, places(4))
    for path in ("/health/live", "/health/ready"):
        assert api.client.get(path).status_code == 200
    assert api.get("/v1/feedback", "river").status_code == 200
    assert api.get("/v1/codebook").status_code == 200


def test_request_has_a_deadline(start, stuck, asking):
    pipeline, free = stuck
    api = start(pipeline, request_seconds=0.3)
    free.clear()
    began = time.perf_counter()
    reply = api.post("/v1/suggestions", {"text": "The doctor refused to see me."}, headers={"Accept-Language": "ru"})
    assert 0.25 < time.perf_counter() - began < 4  # without the setting it is five
    problem = refused(reply, 503, "limit.time")
    assert CYRILLIC.search(problem["detail"])
    assert int(reply.headers["retry-after"]) >= 1
    free.set()
    assert api.suggest()["suggestions"]


def test_requests_that_were_given_up_still_take_a_place_until_the_models_let_them_go(start, stuck, asking):
    """Else every deadline that passes lets more in, and threads pile up for as long as the models are stuck."""
    pipeline, free = stuck
    api = start(pipeline, request_seconds=0.1, max_waiting=1)
    before = set(threading.enumerate())
    free.clear()
    for _ in range(6):
        for item in asking(api, places(1)):
            assert item.result(30).json()["code"] in ("limit.time", "limit.busy")
    working = [item for item in threading.enumerate() if item.name.startswith("AnyIO worker") and item not in before]
    assert len(working) <= places(1) + 4


def test_deadline_holds_for_a_body_that_does_not_come(start, monkeypatch):
    """A caller that sends half a request and waits."""
    assert traffic._BODY_SECONDS <= 15  # R16
    monkeypatch.setattr(traffic, "_BODY_SECONDS", 0.3)
    api = start(request_seconds=0.3)
    import asyncio

    sent = []

    async def receive():
        await asyncio.sleep(30)

    async def answer(message):
        sent.append(message)

    scope = {
        "type": "http", "asgi": {"version": "3.0"}, "http_version": "1.1", "method": "POST", "scheme": "http",
        "path": "/v1/suggestions", "raw_path": b"/v1/suggestions", "query_string": b"", "root_path": "",
        "headers": [(b"content-type", b"application/json"), (b"authorization", f"Bearer {api.keys['bird']}".encode())],
        "client": ("127.0.0.1", 5), "server": ("127.0.0.1", 80), "state": {},
    }  # fmt: skip
    began = time.perf_counter()
    api.client.portal.call(api.client.app, scope, receive, answer)
    assert time.perf_counter() - began < 2
    assert sent[0]["status"] == 408


def test_database_that_fails_is_told_and_nothing_is_stored(api, monkeypatch):
    from service.errors import StoreError

    receipt = api.suggest()["receipt"]
    with monkeypatch.context() as patch:

        def fail(*args, **kwargs):
            raise StoreError("the database failed")

        patch.setattr(api.store.audit, "add", fail)
        refused(api.decide(receipt=receipt, redacted_text="The doctor refused."), 503, "store.failed")
    assert count_feedback(api.store, Wanted()) == 0
    assert api.decide(receipt=receipt).status_code == 201


# What is told of it all


def everything_with_a_canary(api):
    """Replies to requests that hold the canary wherever something can be sent."""
    said = f"The doctor refused to see {CANARY} and shouted."
    receipt = api.suggest(said, case_id=CANARY)["receipt"]
    made = api.decide(receipt=receipt, redacted_text=said, verdicts=[ACCEPT], request=f"request-{CANARY}")
    assert made.status_code == 201
    json_type = {"content-type": "application/json"}
    replies = [
        api.decide(receipt=receipt, redacted_text=f"{said} x", request=f"request-{CANARY}"),
        api.decide(receipt=CANARY),
        api.decide(receipt=receipt, verdicts=[{**ACCEPT, "code": CANARY}]),
        api.decide(receipt=receipt, verdicts=[{**ACCEPT, "axis": CANARY, "instead_of": CANARY}]),
        api.decide(receipt=receipt, verdicts=CANARY, **{CANARY: CANARY}),
        api.decide(receipt=receipt, redacted_text=f"{CANARY}\0"),
        api.decide(
            receipt=receipt,
            redacted_text=f"{CANARY} {NAMED}",
            corrections=[{"kind": "hidden", "start": 0, "end": 3, "type": CANARY}],
        ),
        api.post("/v1/suggestions", {"text": said, "axes": [CANARY]}),
        api.post("/v1/suggestions", {"text": said, "language": CANARY}),
        api.post("/v1/suggestions", {"text": said, "case_id": CANARY * 50}),
        api.send("POST", "/v1/feedback", content=f'{{"receipt": "{CANARY}'.encode(), headers=json_type),
        api.send("POST", "/v1/feedback", content=CANARY.encode(), headers={"content-type": f"text/{CANARY}"}),
        api.get(f"/v1/feedback/{CANARY}"),
        api.get(f"/v1/feedback?limit={CANARY}"),
        api.get(f"/v1/feedback?verdict={CANARY}", "river"),
        api.get(f"/v1/feedback?since={CANARY}", "river"),
        api.get(f"/v1/feedback?coder={CANARY}&country={CANARY}&bundle={CANARY}", "river"),
        api.get(f"/v1/feedback/export?coder={CANARY}", "river"),
        api.get(f"/v1/statistics?code={CANARY}", "river"),
        api.get(f"/v1/{CANARY}"),
        api.get(f"/{CANARY}", None),
        api.get("/v1/codebook", None, headers={"Authorization": f"Bearer {CANARY}"}),
        api.get("/v1/codebook", None, headers={"Cookie": f"{COOKIE}={CANARY}", "User-Agent": CANARY}),
        api.get("/v1/codebook", headers={"Accept-Language": CANARY, "Host": f"{CANARY}.example"}),
        api.send("DELETE", f"/v1/keys/{CANARY}", "hill"),
        api.send("DELETE", f"/v1/keys/{CANARY * 5}", "hill"),
        api.post("/v1/keys", {"name": f"{CANARY}\n", "scope": CANARY}, "hill"),
        api.post("/v1/erasures", {"case_id": f"no-{CANARY}"}, "hill"),
        api.send("PURGE", "/v1/feedback"),
        api.send(CANARY.upper(), f"/v1/feedback/{CANARY}"),
    ]
    return [made, *replies]


@both_databases
def test_no_reply_and_no_log_tells_what_was_sent(start, caplog, capfd):
    caplog.set_level(logging.DEBUG)
    api = start()
    replies = everything_with_a_canary(api)
    assert not [(reply.status_code, reply.text) for reply in replies if CANARY in reply.text]
    assert not [reply.headers for reply in replies if CANARY in str(reply.headers)]
    assert not [reply.status_code for reply in replies if reply.status_code >= 500]
    client = ("httpx", "httpcore", "httpx2", "httpcore2")  # that is the test itself
    ours = [record for record in caplog.records if not record.name.startswith(client)]
    assert any(record.name == "casecoder.requests" for record in ours)
    assert not [(record.name, record.getMessage()) for record in ours if CANARY in record.getMessage().lower()]
    assert not [record for record in ours if record.exc_info]
    captured = capfd.readouterr()
    assert CANARY not in (captured.out + captured.err).lower()


def test_log_has_a_line_of_known_fields_for_each_request(start, caplog):
    caplog.set_level(logging.INFO, logger="casecoder.requests")
    api = start()
    api.suggest()
    api.get("/v1/feedback/" + "0" * 32)
    api.get(f"/{CANARY}")
    lines = [json.loads(record.getMessage()) for record in caplog.records if record.name == "casecoder.requests"]
    assert [(line["route"], line["method"], line["status"]) for line in lines] == [
        ("/v1/suggestions", "POST", 200),
        ("/v1/feedback/{feedback_id}", "GET", 404),
        ("other", "GET", 404),
    ]
    assert all(set(line) == {"route", "method", "status", "ms"} for line in lines)


def test_figures_have_closed_sets_of_labels_and_no_canary(api):
    everything_with_a_canary(api)
    api.get("/health/live", None)
    reply = api.client.get("/metrics", headers={"Authorization": f"Bearer {api.keys['bird']}"})
    assert CANARY not in reply.text.lower()
    schema = api.client.get("/openapi.json").json()
    routes = set(schema["paths"]) | {"other", "/openapi.json"}
    methods = {"GET", "POST", "DELETE", "HEAD", "OPTIONS", "other"}
    for family in text_string_to_metric_families(reply.text):
        for sample in family.samples:
            labels = sample.labels
            assert set(labels) <= {"route", "method", "status", "le", "bundle", "codebook"}
            assert labels.get("route", "other") in routes
            assert labels.get("method", "other") in methods
            assert re.fullmatch(r"[1-5]\d\d", labels.get("status", "200")), labels
            assert labels.get("bundle", "constant-1") == "constant-1"


def test_figures_count_what_was_asked(api):
    for _ in range(3):
        api.suggest()
    api.get("/v1/keys")
    found = figures(api)
    assert found["casecoder_requests_total", "POST", "/v1/suggestions", "200"] == 3
    denied = [count for (name, *labels), count in found.items() if name.endswith("requests_total") and "404" in labels]
    assert denied == [1]
    assert found["casecoder_request_seconds_count", "/v1/suggestions"] == 3
    assert found["casecoder_narratives_inside",] == 0
    assert found["casecoder_bundle", "constant-1", api.suggest()["codebook"]] == 1


def test_figures_need_a_key(api):
    refused(api.client.get("/metrics"), 401, "http.401")
    reply = api.client.get("/metrics", headers={"Authorization": "Bearer nonsense"})
    refused(reply, 401, "http.401")
    assert reply.headers["www-authenticate"] == "Bearer"
    assert [api.get("/metrics", who).status_code for who in ("bird", "river", "hill")] == [200, 200, 200]


def test_figures_are_for_nobody_whose_key_was_revoked(api):
    api.send("DELETE", f"/v1/keys/{api.ids['bird']}", "hill")
    refused(api.get("/metrics"), 401, "http.401")


def test_guessed_keys_are_limited_at_the_figures_as_elsewhere(start):
    """Keys that nobody has count for the address, wherever they are tried; those that are valid go on."""
    api = start(requests_per_minute=8)
    guesses = [
        api.get(path, None, headers={"Authorization": f"Bearer cck_{number:012x}_{'A' * 32}"})
        for number in range(6)
        for path in ("/metrics", "/v1/codebook")
    ]
    assert [reply.status_code for reply in guesses] == [401, 401] + 10 * [429]
    refused(guesses[-2], 429, "limit.rate")
    assert int(guesses[-2].headers["retry-after"]) >= 1
    assert api.get("/metrics", "bird").status_code == 200


def test_figures_have_the_rate_of_their_key(start):
    api = start(requests_per_minute=8)
    assert [api.get("/metrics").status_code for _ in range(4)] == [200, 200, 429, 429]
    assert [api.get("/metrics", None).status_code for _ in range(4)] == [401, 401, 429, 429]


@both_databases
def test_strange_requests_are_no_failures_of_the_service(api):
    asked = [
        ("GET", "/v1/feedback/%00"),
        ("GET", "/v1/feedback?coder=%00"),
        ("GET", "/v1/feedback?code=%00"),
        ("GET", "/v1/feedback?country=a%00b"),
        ("GET", "/v1/feedback?language=%00"),
        ("GET", "/v1/feedback?bundle=%00"),
        ("GET", "/v1/feedback?since=0001-01-01T00:00:00%2B14:00"),
        ("GET", "/v1/feedback?until=9999-12-31T23:59:59-12:00"),
        ("GET", "/v1/feedback?before=2147483647"),
        ("GET", "/v1/statistics?since=0001-01-01T00:00:00"),
        ("GET", "/v1/feedback/%ED%A0%80"),
        ("DELETE", "/v1/keys/%00"),
        ("DELETE", "/v1/keys/%ED%A0%80"),
    ]
    replies = {(method, path): api.send(method, path, "hill").status_code for method, path in asked}
    assert {asked: status for asked, status in replies.items() if status >= 500} == {}


@both_databases
@pytest.mark.parametrize(
    "fields",
    [
        {"country": "a\0b"},
        {"case_id": "a\0b"},
        {"case_id": "\ud800"},
        {"country": "\ud800"},
        {"country": "👋🏽" * 20},
        {"language": "e\0"},
    ],
    ids=ascii,
)
def test_strange_fields_are_refused_or_stored_and_no_failures_of_the_service(api, fields):
    content = json.dumps({"text": "The doctor refused to see me.", **fields}).encode()
    reply = api.send("POST", "/v1/suggestions", content=content, headers={"content-type": "application/json"})
    assert reply.status_code in (200, 422), reply.text
    if reply.status_code == 200:
        made = api.decide(receipt=reply.json()["receipt"])
        assert made.status_code == 201, made.text
        assert api.get(f"/v1/feedback/{made.json()['id']}").status_code == 200
