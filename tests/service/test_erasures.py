"""A case that was erased does not come back with what was suggested on it before."""

from __future__ import annotations

import json
import threading
from datetime import timedelta

import pytest
from sqlalchemy import func, select, text

from service.store import feedback
from service.store.backup import back_up, restore
from service.store.engine import Database, open_engine
from service.store.feedback import Wanted, count_feedback, erase_case, list_feedback, purge
from service.store.store import case_digest
from service.store.tables import Erasure, Feedback

pytestmark = pytest.mark.mostly_sqlite

CANARY = "qazanarbekovaxx"
ACCEPT = {"axis": "violation", "code": "health.denial", "verdict": "accepted"}


def erase(api, case_id="case-7"):
    reply = api.post("/v1/erasures", {"case_id": case_id}, "hill")
    assert reply.status_code == 200, reply.text
    return reply.json()["erased"]


def refused(reply):
    assert (reply.status_code, reply.json()["code"]) == (409, "receipt.erased"), reply.text
    assert reply.headers["content-type"] == "application/problem+json"
    return reply.json()


def remembered(store):
    with store.database.reading() as session:
        return session.scalar(select(func.count()).select_from(Erasure))


@pytest.mark.parametrize("who", ["bird", "river", "hill"])
def test_receipt_from_before_the_erasure_of_its_case_is_refused(api, who):
    receipt = api.suggest(who=who, case_id="case-7")["receipt"]
    assert erase(api) == 0
    problem = refused(api.decide(who, receipt=receipt, verdicts=[ACCEPT]))
    assert "erased" in problem["detail"]
    assert "case-7" not in json.dumps(problem)
    assert count_feedback(api.store, Wanted()) == 0


@pytest.mark.both_databases
def test_decision_that_was_erased_is_not_stored_anew_by_sending_it_again(api, clock):
    receipt = api.suggest(case_id="case-7")["receipt"]
    assert api.decide(receipt=receipt, request="request-1").status_code == 201
    assert erase(api) == 1
    clock.advance(days=6)
    for request in ("request-1", "request-2", None):
        refused(api.decide(receipt=receipt, request=request))
    refused(api.decide("stone", receipt=receipt))
    assert count_feedback(api.store, Wanted()) == 0


def test_receipts_of_a_batch_are_refused_too(api):
    body = {"narratives": [{"text": "The doctor refused to see me.", "case_id": name} for name in ("case-7", "case-8")]}
    one, other = (item["suggestions"]["receipt"] for item in api.post("/v1/suggestions/batch", body).json()["results"])
    erase(api)
    refused(api.decide(receipt=one))
    assert api.decide(receipt=other).status_code == 201


def test_case_is_erased_however_its_id_is_written(api):
    receipt = api.suggest(case_id=" case-７")["receipt"]
    erase(api, "case-7 ")
    refused(api.decide(receipt=receipt))


def test_other_cases_and_texts_without_a_case_are_stored_as_before(api):
    receipts = [api.suggest(case_id=name)["receipt"] for name in ("case-70", "Case-7", None)]
    erase(api)
    assert [api.decide(receipt=receipt).status_code for receipt in receipts] == [201, 201, 201]


@pytest.mark.both_databases
def test_suggestions_that_are_asked_for_after_the_erasure_are_stored(api):
    erase(api)
    receipt = api.suggest(case_id="case-7")["receipt"]
    assert api.decide(receipt=receipt).status_code == 201
    assert erase(api) == 1
    refused(api.decide(receipt=receipt))


@pytest.mark.both_databases
def test_case_that_is_erased_twice_is_erased_up_to_the_last_time(api, clock):
    erase(api)
    receipt = api.suggest(case_id="case-7")["receipt"]
    clock.advance(hours=1)
    erase(api)
    refused(api.decide(receipt=receipt))
    assert remembered(api.store) == 1


def test_erasure_on_the_command_line_counts_too(store, api):
    receipt = api.suggest(case_id="case-7")["receipt"]
    erase_case(store, "case-7", actor="command line")
    refused(api.decide(receipt=receipt))


def test_refusal_is_told_in_russian(api):
    receipt = api.suggest(case_id="case-7")["receipt"]
    erase(api)
    reply = api.post("/v1/feedback", {"receipt": receipt, "verdicts": []}, headers={"Accept-Language": "ru"})
    assert "удалили" in refused(reply)["detail"]


@pytest.mark.both_databases
def test_erasures_are_forgotten_when_no_receipt_is_older(api, clock):
    receipt = api.suggest(case_id="case-7")["receipt"]
    erase(api)
    clock.advance(days=7)
    refused(api.decide(receipt=receipt))
    purge(api.store, older_than=timedelta(days=365), actor="hill")
    assert remembered(api.store) == 1
    clock.advance(microseconds=1)
    purge(api.store, older_than=timedelta(days=365), actor="hill")
    assert remembered(api.store) == 0
    reply = api.decide(receipt=receipt)
    assert (reply.status_code, reply.json()["code"]) == (422, "receipt.invalid")


@pytest.mark.both_databases
def test_erasure_keeps_neither_the_id_nor_the_hash_that_decisions_have(api, raw_content):
    digest = case_digest(api.store, f"case-{CANARY}")
    api.decide(receipt=api.suggest(case_id=f"case-{CANARY}")["receipt"])
    erase(api, f"case-{CANARY}")
    with api.store.database.reading() as session:
        (kept,) = session.scalars(select(Erasure.digest))
        told = session.execute(text("SELECT facts FROM audit WHERE action = 'erase case'")).scalars().all()
    assert kept != digest
    assert len(kept) == 64
    assert digest not in str(told)
    assert CANARY.encode() not in raw_content(api.store)


@pytest.mark.parametrize("blank", [" ", "\t", "\u00a0\u2003"])
def test_blank_id_is_that_of_no_case(api, blank):
    """Decisions without a case are no case of their own: they stay."""
    api.decide()
    reply = api.post("/v1/erasures", {"case_id": blank}, "hill")
    assert (reply.status_code, reply.json()["code"]) == (422, "request.invalid")
    assert erase_case(api.store, blank, actor="hill") == 0
    assert count_feedback(api.store, Wanted()) == 1


@pytest.mark.both_databases
def test_erasures_come_back_with_a_backup(api, open_store, new_url, tmp_path, clock, save, new_receipt):
    receipt = new_receipt(api.store, "case-7")
    clock.advance(seconds=1)
    erase(api)
    path, _ = back_up(api.store.database, tmp_path, at=clock())
    url = new_url("sqlite")
    database = Database(open_engine(url))
    restore(database, path)
    database.close()
    back = open_store(url)
    with pytest.raises(feedback.ReceiptErased):
        save(back, receipt=receipt)
    assert count_feedback(back, Wanted()) == 0


@pytest.mark.both_databases
def test_decision_that_comes_while_its_case_is_erased_is_erased_or_refused(
    store, save, open_store, database_url, new_receipt, clock, monkeypatch
):
    """Nothing is left of the case, whoever is first."""
    other = open_store(database_url)
    receipt = new_receipt(store, "case-7")
    clock.advance(seconds=1)
    erasing = threading.Thread(target=erase_case, args=(other, "case-7"), kwargs={"actor": "hill"})
    real = feedback._row

    def slow(*args):
        erasing.start()
        erasing.join(timeout=0.5)  # it waits for the decision, as it should; else it finds nothing to erase
        return real(*args)

    monkeypatch.setattr(feedback, "_row", slow)
    save(store, receipt=receipt)
    erasing.join(timeout=20)
    assert not erasing.is_alive()
    assert count_feedback(store, Wanted()) == 0


@pytest.mark.both_databases
def test_database_of_the_version_before_is_brought_to_this_one_and_keeps_all(
    store, save, open_store, database_url, new_receipt, clock
):
    from alembic import command

    from service.store.engine import _alembic, _versions

    identifier = save(store, case_id="case-7")
    with store.database.engine.execution_options(writes=True).begin() as connection:
        config = _alembic()
        config.attributes["connection"] = connection
        command.downgrade(config, "0001")
    assert store.database.version() == "0001"
    store.close()
    back = open_store(database_url)
    assert back.database.version() == _versions()[0]
    assert [item.id for item in list_feedback(back, Wanted())] == [identifier]
    receipt = new_receipt(back, "case-7")
    clock.advance(seconds=1)
    assert erase_case(back, "case-7", actor="hill") == 1
    with pytest.raises(feedback.ReceiptErased):
        save(back, receipt=receipt)
    with back.database.reading() as session:
        assert session.scalar(select(func.count()).select_from(Feedback)) == 0
