"""The audit log: whatever is done to it is noticed."""

from __future__ import annotations

import threading

import pytest
from sqlalchemy import select, text

from service.errors import AuditBroken, StoreError
from service.store.access import Principal, create_key, who_has_key
from service.store.feedback import Wanted, count_feedback, erase_case, export_feedback, purge, read_feedback
from service.store.tables import AuditEntry

CANARY = "qazanarbekovaxx"
COORDINATOR = Principal("river", "coordinator", "key2")
ENTRIES = 8
# psycopg warns of the cursor that `verify` leaves open where a log is broken, depending on what is collected first.
pytestmark = pytest.mark.filterwarnings("ignore:.*was deleted while still open:ResourceWarning")


@pytest.fixture
def log(store, clock):
    """A store with some entries."""
    for number in range(ENTRIES):
        with store.audited("bird", "export feedback", rows=number):
            clock.advance(seconds=1)
    return store


def run(store, *statements, **values):
    with store.database.writing() as session:
        for statement in statements:
            session.execute(text(statement), values)


def verify(store, **options):
    with store.database.reading() as session:
        return store.audit.verify(session, **options)


def head(store):
    with store.database.reading() as session:
        return store.audit.head(session)


def sealed_head(store):
    with store.database.reading() as session:
        return session.execute(text("SELECT sealed FROM secrets WHERE name = 'audit head'")).scalar_one()


def test_log_that_nobody_touched_holds_together(log):
    assert verify(log) == ENTRIES
    number, digest = head(log)
    assert number == ENTRIES
    assert verify(log, expected=(number, digest)) == ENTRIES


def test_empty_log_holds_together(store):
    assert verify(store) == 0
    assert verify(store, expected=head(store)) == 0


def test_log_holds_together_after_it_is_opened_again(log, open_store, database_url):
    assert verify(open_store(database_url)) == ENTRIES


def tampered(store, *statements):
    """Where the log is found to be broken after it was tampered with; then all is as it was before."""
    with pytest.raises(AuditBroken) as caught, store.database.writing() as session:
        for statement in statements:
            session.execute(text(statement))
        store.audit.verify(session)
    return caught.value.entry


def test_changed_entry_is_noticed(log):
    for number in (1, 4, ENTRIES):
        for change in (
            "actor = 'stone'",
            "action = 'read feedback'",
            "facts = '{}'",
            "facts = '{\"rows\": 9}'",
            "at = '2030-01-01 00:00:00.000000'",
            f"digest = '{'0' * 64}'",
        ):
            found = tampered(log, f"UPDATE audit SET {change} WHERE number = {number}")  # noqa: S608
            assert (found, change) == (number, change)
    assert verify(log) == ENTRIES


MIXED = {
    "first left out": ["DELETE FROM audit WHERE number = 1"],
    "left out in the middle": ["DELETE FROM audit WHERE number = 4"],
    "cut off at the end": ["DELETE FROM audit WHERE number = 8"],
    "many cut off at the end": ["DELETE FROM audit WHERE number > 3"],
    "all gone": ["DELETE FROM audit"],
    "left out, the rest moved up": [
        "DELETE FROM audit WHERE number = 4",
        *(f"UPDATE audit SET number = {at - 1} WHERE number = {at}" for at in range(5, 9)),  # noqa: S608
    ],
    "two swapped": [
        "UPDATE audit SET number = 100 WHERE number = 3",
        "UPDATE audit SET number = 3 WHERE number = 5",
        "UPDATE audit SET number = 5 WHERE number = 100",
    ],
    "reversed": ["UPDATE audit SET number = -number", "UPDATE audit SET number = 9 + number"],
    "last one twice": ["INSERT INTO audit SELECT 9, at, actor, action, facts, digest FROM audit WHERE number = 8"],
    "one before the first": [
        "INSERT INTO audit SELECT 0, at, actor, action, facts, digest FROM audit WHERE number = 1"
    ],
    "hash of another": ["UPDATE audit SET digest = (SELECT digest FROM audit WHERE number = 6) WHERE number = 5"],
}


def test_log_that_was_cut_or_mixed_is_noticed(log):
    for statements in MIXED.values():
        tampered(log, *statements)
    assert verify(log) == ENTRIES


def test_head_put_back_alone_is_noticed(log):
    old = sealed_head(log)
    with log.audited("bird", "export feedback", rows=1):
        pass
    run(log, "UPDATE secrets SET sealed = :old WHERE name = 'audit head'", old=old)
    with pytest.raises(AuditBroken):
        verify(log)


def test_end_cut_off_with_its_head_put_back_is_noticed_against_a_head_that_was_written_down(log):
    old = sealed_head(log)
    with log.audited("bird", "export feedback", rows=1):
        pass
    written = head(log)
    run(
        log,
        f"DELETE FROM audit WHERE number > {ENTRIES}",  # noqa: S608
        "UPDATE secrets SET sealed = :old WHERE name = 'audit head'",
        old=old,
    )
    with pytest.raises(AuditBroken) as caught:
        verify(log, expected=written)
    assert caught.value.entry == ENTRIES


def test_head_that_was_written_down_still_fits_after_more_entries(log):
    written = head(log)
    with log.audited("bird", "export feedback", rows=1):
        pass
    assert verify(log, expected=written) == ENTRIES + 1


def test_other_hash_than_the_one_written_down_is_noticed(log):
    for number in (1, 4, ENTRIES):
        with pytest.raises(AuditBroken) as caught:
            verify(log, expected=(number, "0" * 64))
        assert caught.value.entry == number


def test_forged_head_is_refused(log):
    run(log, "UPDATE secrets SET sealed = :forged WHERE name = 'audit head'", forged=b"x" * 60)
    with pytest.raises(StoreError):
        verify(log)


def test_another_sealed_value_is_no_head(log):
    run(log, "UPDATE secrets SET sealed = (SELECT sealed FROM secrets WHERE name = 'pepper') WHERE name = 'audit head'")
    with pytest.raises(StoreError):
        verify(log)


@pytest.mark.parametrize("entries_go_too", [False, True])
def test_head_that_is_gone_is_noticed(log, open_store, database_url, entries_go_too):
    """Also after the service was started again: an emptied log must not begin anew as if nothing had been."""
    run(log, "DELETE FROM secrets WHERE name = 'audit head'")
    if entries_go_too:
        run(log, "DELETE FROM audit")
    with pytest.raises(StoreError):
        verify(log)
    with pytest.raises(StoreError):
        verify(open_store(database_url))


def test_nothing_is_done_once_the_head_is_gone(log, save):
    run(log, "DELETE FROM secrets WHERE name = 'audit head'")
    with pytest.raises(StoreError):
        save(log)
    assert count_feedback(log, Wanted()) == 0


def test_key_of_another_store_does_not_make_a_log_whole(log, open_store, new_url):
    """An entry that another store wrote, with the same key file, is not one of this log."""
    other = open_store(new_url("sqlite"))
    with other.audited("stone", "purge", erased=5):
        pass
    with other.database.reading() as session:
        entry = session.get_one(AuditEntry, 1)
    run(log, "UPDATE audit SET digest = :digest WHERE number = 1", digest=entry.digest)
    with pytest.raises(AuditBroken):
        verify(log)


def test_order_is_kept_when_the_clock_goes_back_a_day(log, clock):
    clock.advance(days=-1)
    with log.audited("bird", "export feedback", rows=1):
        pass
    clock.advance(days=2)
    with log.audited("bird", "export feedback", rows=2):
        pass
    assert verify(log) == ENTRIES + 2
    with log.database.reading() as session:
        entries = session.scalars(select(AuditEntry).order_by(AuditEntry.number)).all()
    assert [item.number for item in entries] == list(range(1, ENTRIES + 3))
    assert entries[-2].at < entries[-3].at < entries[-1].at


def test_log_can_be_verified_while_others_write(log, open_store, database_url, monkeypatch):
    """An entry that comes in between is no sign of tampering."""
    other = open_store(database_url)
    real = log.audit.head

    def late_head(session):
        def write():
            with other.audited("stone", "purge", erased=1):
                pass

        writer = threading.Thread(target=write)
        writer.start()
        writer.join(timeout=5)
        return real(session)

    monkeypatch.setattr(log.audit, "head", late_head)
    assert verify(log) in (ENTRIES, ENTRIES + 1)


def test_every_act_is_told_with_who_did_it(store, save, clock):
    identifier = save(store, case_id="case-7")
    read_feedback(store, identifier, COORDINATOR)
    list(export_feedback(store, Wanted(), COORDINATOR))
    erase_case(store, "case-7", actor="hill")
    purge(store, older_than=clock() - clock().replace(year=2030), actor="hill")
    create_key(store, name="stone", scope="reactor", actor="hill")
    store.rotate()
    with store.database.reading() as session:
        entries = session.scalars(select(AuditEntry).order_by(AuditEntry.number)).all()
    assert [(item.actor, item.action) for item in entries] == [
        ("bird (key1)", "store feedback"),
        ("river (key2)", "read feedback"),
        ("river (key2)", "export feedback"),
        ("hill", "erase case"),
        ("hill", "purge"),
        ("hill", "create key"),
        ("command line", "rotate key"),
    ]
    assert entries[0].facts == entries[1].facts == {"feedback": identifier}
    assert entries[3].facts == {"erased": 1}


def test_people_with_the_longest_names_can_be_told(store, save):
    token, _ = create_key(store, name="b" * 80, scope="coordinator", actor="a" * 80)
    principal = who_has_key(store, token)
    identifier = save(store, principal=principal)
    assert read_feedback(store, identifier, principal) is not None
    assert verify(store) == 3


def test_entries_hold_no_text_and_no_case_id(store, save):
    identifier = save(store, f"{CANARY} was refused", case_id=f"case-{CANARY}")
    read_feedback(store, identifier, COORDINATOR)
    list(export_feedback(store, Wanted(coder=CANARY), COORDINATOR))
    erase_case(store, f"case-{CANARY}", actor="hill")
    with store.database.reading() as session:
        entries = session.scalars(select(AuditEntry)).all()
        assert len(entries) == 4
        assert CANARY not in str([(item.actor, item.action, item.facts) for item in entries])


def test_without_an_entry_nothing_is_done_or_read(store, save, monkeypatch, clock):
    identifier = save(store, case_id="case-7")

    def fail(*args, **kwargs):
        raise StoreError("the audit log cannot be written")

    acts = {
        "save": lambda: save(store),
        "read": lambda: read_feedback(store, identifier, COORDINATOR),
        "export": lambda: next(iter(export_feedback(store, Wanted(), COORDINATOR))),
        "erase": lambda: erase_case(store, "case-7", actor="hill"),
        "purge": lambda: purge(store, older_than=clock() - clock(), actor="hill"),
        "create key": lambda: create_key(store, name="stone", scope="admin", actor="hill"),
    }
    clock.advance(days=1)
    with monkeypatch.context() as patch:
        patch.setattr(store.audit, "add", fail)
        for act in acts.values():
            with pytest.raises(StoreError):
                act()
    assert count_feedback(store, Wanted()) == 1
    with store.database.reading() as session:
        assert not session.execute(text("SELECT id FROM keys")).all()
    assert verify(store) == 1


def test_act_that_fails_leaves_no_entry(store):
    class Stopped(Exception):
        pass

    with pytest.raises(Stopped), store.audited("hill", "purge", erased=3):
        raise Stopped
    assert verify(store) == 0
