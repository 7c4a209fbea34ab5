"""The store: what is saved is read back, by those who have the key, whatever happens in between."""

from __future__ import annotations

import base64
import hashlib
import json
import os
import re
import secrets
import subprocess
import sys
import threading
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest
from sqlalchemy import event, func, select, text

from nlp.errors import SettingsError
from service.errors import SealBroken, StoreBehind, StoreError
from service.store import feedback
from service.store.access import Principal
from service.store.engine import Database, open_engine
from service.store.feedback import (
    Correction,
    Decided,
    NewFeedback,
    ReadsExceeded,
    Wanted,
    count_feedback,
    erase_case,
    export_feedback,
    list_feedback,
    purge,
    read_feedback,
    review_queue,
    save_feedback,
    uncertainty,
)
from service.store.receipts import Shown
from service.store.sealing import Keyring, read_keyring
from service.store.store import Store
from service.store.tables import Base, Feedback, Verdict

CANARY = "qazanarbekovaxx"
BIRD = Principal("bird", "reactor", "key1")
STONE = Principal("stone", "reactor", "key2")
RIVER = Principal("river", "coordinator", "key3")
ACCEPTED = Decided("violation", "health.denial", "accepted", primary=True)


def verify(store):
    with store.database.reading() as session:
        return store.audit.verify(session)


def run(store, statement, **values):
    with store.database.writing() as session:
        return session.execute(text(statement), values)


def count(store, table):
    with store.database.reading() as session:
        return session.scalar(select(func.count()).select_from(table))


def everything(store):
    return list_feedback(store, Wanted(), limit=1000)


# What is saved


def test_decision_is_read_back_as_it_was_saved(store, save, new_receipt, clock):
    decided = (
        ACCEPTED,
        Decided("violation", "violence.psychological", "rejected"),
        Decided("perpetrator", "police", "edited", "health"),
        Decided("population", "sw", "added", primary=True),
    )
    corrections = (Correction("hidden", 4, 10, "PERSON"), Correction("shown", 0, 3, "LOCATION"))
    receipt = new_receipt(store, "case-7")
    clock.advance(seconds=90)
    said = "The ўқитувчи refused 👋🏽 to see [PERSON_1]."
    identifier = save(store, said, receipt=receipt, decided=decided, corrections=corrections)
    found = read_feedback(store, identifier, RIVER)
    assert found is not None
    assert found.text == said
    assert found.corrections == corrections
    assert found.decided == decided
    assert found.shown == receipt.shown
    assert found.created == clock()
    assert found.seconds == 90.0
    assert (found.coder, found.origin, found.language, found.country) == ("bird", "assisted", "en", "Moldova")
    assert (found.bundle, found.codebook, found.policy) == ("constant-1", "react 1.1", "0123456789ab")
    assert found.uncertainty == uncertainty(receipt.shown)


def test_decision_survives_the_process(store, save, open_store, database_url):
    identifier = save(store, "The doctor refused.")
    store.close()
    assert read_feedback(open_store(database_url), identifier, RIVER).text == "The doctor refused."


def test_decision_without_text_has_none(store, save):
    assert read_feedback(store, save(store, None), RIVER).text is None


def test_lists_hold_no_texts(store, save):
    save(store, f"{CANARY} was refused")
    (found,) = everything(store)
    assert found.text is None
    assert CANARY not in repr(found)


def test_text_is_in_no_repr(store, save):
    assert CANARY not in repr(NewFeedback((), f"{CANARY} was refused"))
    assert CANARY not in repr(read_feedback(store, save(store, f"{CANARY} was refused"), RIVER))


def test_latest_come_first_a_page_at_a_time(store, save):
    saved = [save(store) for _ in range(5)]
    first = list_feedback(store, Wanted(), limit=2)
    second = list_feedback(store, Wanted(), limit=2, before=first[-1].number)
    third = list_feedback(store, Wanted(), limit=2, before=second[-1].number)
    assert [item.id for item in (*first, *second, *third)] == saved[::-1]


WANTED = [
    (Wanted(), "abc"),
    (Wanted(coder="bird"), "ab"),
    (Wanted(key_id="key2"), "c"),
    (Wanted(code="health.denial"), "a"),
    (Wanted(verdict="added"), "b"),
    (Wanted(code="health.denial", verdict="added"), ""),
    (Wanted(origin="blind"), "c"),
    (Wanted(language="ru"), "c"),
    (Wanted(country="Moldova"), "ab"),
    (Wanted(bundle="constant-1"), "abc"),
    (Wanted(bundle="other-1"), ""),
    (Wanted(since=datetime(2031, 5, 6, 13, tzinfo=UTC)), "bc"),
    (Wanted(until=datetime(2031, 5, 6, 13, tzinfo=UTC)), "a"),
    # The same hour as told in Bishkek.
    (Wanted(since=datetime(2031, 5, 6, 19, tzinfo=timezone(timedelta(hours=6)))), "bc"),
    (Wanted(until=datetime(2031, 5, 6, 19, tzinfo=timezone(timedelta(hours=6)))), "a"),
]


def test_decisions_are_found_by_what_is_asked_for(store, save, new_receipt, clock):
    saved = {save(store): "a"}
    clock.advance(hours=1)
    saved[save(store, decided=(Decided("population", "sw", "added"),))] = "b"
    clock.advance(hours=1)
    blind = new_receipt(store, origin="blind", language="ru", country="Tajikistan")
    saved[save(store, decided=(), nothing=("violation",), receipt=blind, principal=STONE)] = "c"
    for wanted, found in WANTED:
        listed = list_feedback(store, wanted)
        assert ("".join(sorted(saved[item.id] for item in listed)), wanted) == (found, wanted)
        assert count_feedback(store, wanted) == len(found)


def test_what_differs_most_is_reviewed_first(store, save, new_receipt):
    suggested = [item for item in new_receipt(store).shown if item.decision in ("auto", "suggest")]
    agreed = save(store, decided=tuple(Decided(item.axis, item.code, "accepted") for item in suggested))
    differs = save(store, decided=(Decided("violation", "civic.hate", "added"),))
    assert [item.id for item in review_queue(store, Wanted(), limit=2)] == [differs, agreed]


def test_review_finds_a_differing_decision_among_many_sure_ones(store, save, new_receipt):
    shown = (Shown("violation", "health.denial", 0.5, "suggest"),)
    for _ in range(25):
        save(store, receipt=new_receipt(store, shown=shown))
    sure = new_receipt(store, shown=(Shown("violation", "health.denial", 0.99, "suggest"),))
    differs = save(store, receipt=sure, decided=(Decided("violation", "health.denial", "rejected"),))
    assert review_queue(store, Wanted(), limit=1)[0].id == differs


# What lies on the disk


def test_texts_case_ids_and_requests_lie_nowhere_in_plain_text(store, save, raw_content):
    corrections = (Correction("hidden", 0, len(CANARY), "PERSON"),)
    identifier = save(
        store, f"{CANARY} was refused", case_id=f"case-{CANARY}", request=f"request-{CANARY}", corrections=corrections
    )
    read_feedback(store, identifier, RIVER)
    list(export_feedback(store, Wanted(coder=CANARY), RIVER))
    content = raw_content(store)
    assert identifier.encode() in content  # the search looks where the decision is
    encoded = base64.b64encode(CANARY.encode())[:16]
    for form in (CANARY.encode(), CANARY.encode("utf-16-le"), CANARY.encode().hex().encode(), encoded):
        assert form not in content


def test_nothing_is_left_beside_the_database(store, save, tmp_path, monkeypatch):
    """No temporary file gets a text either."""
    folder = tmp_path / "temporary"
    folder.mkdir()
    monkeypatch.setenv("TMPDIR", str(folder))
    monkeypatch.setenv("SQLITE_TMPDIR", str(folder))
    for number in range(20):
        save(store, f"{CANARY} {number} " * 1000)
    everything(store)
    assert not list(folder.iterdir())


def test_case_ids_are_kept_as_hashes_of_a_key_of_the_store(store, save, open_store, new_url, raw_content):
    save(store, case_id="case-7")
    other = open_store(new_url("sqlite"))
    save(other, case_id="case-7")
    content = raw_content(store)
    assert store.digest("case", "case-7").encode() in content
    assert store.digest("case", "case-7") != other.digest("case", "case-7")
    assert b"case-7" not in content
    assert hashlib.sha256(b"case-7").hexdigest().encode() not in content


def test_hashes_of_two_purposes_differ(store):
    assert len({store.digest(purpose, "x") for purpose in ("case", "blind", "request", "login", "access key")}) == 5


def test_hashes_stay_when_the_store_is_opened_again(store, open_store, database_url):
    assert open_store(database_url).digest("case", "case-7") == store.digest("case", "case-7")


def test_flipped_bit_is_refused(store, save):
    identifier = save(store, "The doctor refused.")
    with store.database.reading() as session:
        sealed = session.execute(text("SELECT sealed_text FROM feedback")).scalar_one()
    for at in range(len(sealed)):
        flipped = bytearray(sealed)
        flipped[at] ^= 1 << at % 8
        with pytest.raises(SealBroken):
            store.keyring.open(bytes(flipped), of=f"feedback text {identifier}")
    for short in (b"", sealed[:8], sealed[:20], sealed[:-1]):
        with pytest.raises(SealBroken):
            store.keyring.open(short, of=f"feedback text {identifier}")
    flipped = bytearray(sealed)
    flipped[-1] ^= 1
    run(store, "UPDATE feedback SET sealed_text = :sealed", sealed=bytes(flipped))
    with pytest.raises(SealBroken):
        read_feedback(store, identifier, RIVER)


def test_text_that_cannot_be_opened_counts_as_not_read(store, save):
    identifier = save(store)
    run(store, "UPDATE feedback SET sealed_text = :sealed", sealed=b"x" * 60)
    with pytest.raises(SealBroken):
        read_feedback(store, identifier, RIVER)
    assert verify(store) == 1


def test_text_moved_to_another_row_is_refused(store, save):
    first, second = save(store, "The first text."), save(store, "The second text.")
    run(
        store,
        "UPDATE feedback SET sealed_text = (SELECT other.sealed_text FROM feedback other WHERE other.id = :second) "
        "WHERE id = :first",
        first=first,
        second=second,
    )
    with pytest.raises(SealBroken) as caught:
        read_feedback(store, first, RIVER)
    assert "text" not in str(caught.value)
    assert read_feedback(store, second, RIVER).text == "The second text."


def test_nonces_are_never_used_twice(keyring):
    seen = {keyring.seal(b"", of="x")[8:20] for _ in range(100_000)}
    assert len(seen) == 100_000


def test_equal_texts_are_sealed_differently(store, save):
    save(store, "The same text."), save(store, "The same text.")
    with store.database.reading() as session:
        sealed = session.execute(text("SELECT sealed_text FROM feedback")).scalars().all()
    assert len({item[8:] for item in sealed}) == 2


def test_wrong_key_opens_nothing(store, save, open_store, database_url, new_key):
    save(store)
    with pytest.raises(SealBroken):
        open_store(database_url, Keyring([new_key]))


@pytest.mark.parametrize("url", ["", "nonsense", f"mysql://{CANARY}@host/x", f"oracle://x:{CANARY}@h/x", CANARY])
def test_url_of_no_database_is_refused_without_its_password(keyring, url):
    with pytest.raises(StoreError) as caught:
        Store.open(url, keyring)
    assert CANARY not in str(caught.value)


def test_database_that_is_not_there_is_told_without_its_password(keyring, tmp_path):
    for url in (f"sqlite:///{tmp_path}/missing/store.db", f"postgresql://x:{CANARY}@127.0.0.1:1/x"):
        with pytest.raises(StoreError) as caught:
            Store.open(url, keyring)
        assert CANARY not in str(caught.value)
        assert caught.value.__cause__ is None


@pytest.mark.parametrize("content", ["", "\n", "nonsense", CANARY, "A" * 43, "Ж" * 44])
def test_key_file_without_a_key_is_refused_without_its_content(tmp_path, content):
    path = tmp_path / "keys"
    path.write_text(content, encoding="utf-8")
    with pytest.raises(SettingsError) as caught:
        read_keyring(path, {})
    assert CANARY not in str(caught.value)


def test_keys_come_from_a_file_or_the_environment(tmp_path, old_key, new_key):
    lines = [base64.urlsafe_b64encode(key).decode() for key in (new_key, old_key)]
    path = tmp_path / "keys"
    path.write_text("\n".join(lines) + "\n")
    for ring in (read_keyring(path), read_keyring(None, {"CASECODER_KEY": ",".join(lines)})):
        assert ring.current == Keyring([new_key]).current
        assert ring.open(Keyring([old_key]).seal(b"x", of="y"), of="y") == b"x"
    with pytest.raises(SettingsError):
        read_keyring(None, {})


# Decisions that are sent twice


def test_same_request_is_stored_once(store, save, new_receipt):
    receipt = new_receipt(store)
    first = save(store, receipt=receipt, request="request-1")
    assert save(store, receipt=receipt, request="request-1") == first
    assert count_feedback(store, Wanted()) == 1
    assert verify(store) == 1


def test_request_of_another_person_is_another(store, save):
    assert save(store, request="request-1") != save(store, request="request-1", principal=STONE)


def test_same_request_sent_twice_at_once_is_stored_once(
    store, new_receipt, codebook, open_store, database_url, monkeypatch
):
    """Both answers name the one decision: a browser that sends again must not be told that nothing was stored."""
    stores = [store, open_store(database_url)]
    together = threading.Barrier(2)
    answers, errors = [], []

    real = feedback._row

    def slow(*args):
        with suppress(threading.BrokenBarrierError):  # one of them waits for the other, as it should
            together.wait(timeout=0.3)  # both have looked whether the request is known
        return real(*args)

    monkeypatch.setattr(feedback, "_row", slow)
    receipt = new_receipt(store)

    def send(its):
        try:
            answers.append(save_feedback(its, NewFeedback((ACCEPTED,)), receipt, codebook, BIRD, request="request-1"))
        except StoreError as error:
            errors.append(type(error).__name__)

    threads = [threading.Thread(target=send, args=(its,)) for its in stores]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=20)
    assert not errors
    assert len({identifier for identifier, _ in answers}) == 1
    assert sorted(is_new for _, is_new in answers) == [False, True]
    assert count_feedback(store, Wanted()) == 1


# Several processes

_WRITER = """
import base64, os, sys, time
from pathlib import Path
from nlp.codebook import load_codebook
from service.store.access import Principal
from service.store.feedback import Decided, NewFeedback, save_feedback
from service.store.receipts import Receipt, Shown
from service.store.sealing import Keyring
from service.store.store import Store

store = Store.open(os.environ["TEST_URL"], Keyring([base64.b64decode(os.environ["TEST_KEY"])]))
codebook = load_codebook(Path("annotations/codebook.yaml"))
print("ready", flush=True)
sys.stdin.readline()
for number in range(int(sys.argv[1])):
    shown = (Shown("violation", "health.denial", 0.9, "suggest"),)
    receipt = Receipt(store.clock(), "assisted", None, "en", None, "b", "c", "p", shown)
    new = NewFeedback((Decided("violation", "health.denial", "accepted"),), "text %d of %s" % (number, sys.argv[2]))
    print(save_feedback(store, new, receipt, codebook, Principal(sys.argv[2], "reactor", "key"))[0], flush=True)
    time.sleep(0.002)  # the other one's turn
store.close()
"""


@contextmanager
def writer(root, url, key, *arguments):
    """A process that saves decisions and says the id of each once it is saved; it waits for a line to begin."""
    env = {
        **os.environ,
        "PYTHONPATH": os.pathsep.join(sys.path),
        "TEST_URL": url,
        "TEST_KEY": base64.b64encode(key).decode(),
    }
    process = subprocess.Popen(
        [sys.executable, "-c", _WRITER, *arguments],
        cwd=root,
        env=env,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


def begin(process):
    process.stdin.write("\n")
    process.stdin.flush()


def test_processes_that_open_a_new_store_at_once_all_get_it(database_url, root, old_key, open_store):
    with writer(root, database_url, old_key, "1", "a") as one, writer(root, database_url, old_key, "1", "b") as other:
        said = [process.communicate("\n", timeout=60)[0].split() for process in (one, other)]
        assert [process.returncode for process in (one, other)] == [0, 0]
    assert [len(lines) for lines in said] == [2, 2]
    assert verify(open_store(database_url, clock=lambda: datetime.now(UTC))) == 2


def test_processes_save_side_by_side_and_nothing_is_lost(store, database_url, root, old_key):
    with writer(root, database_url, old_key, "40", "a") as one, writer(root, database_url, old_key, "40", "b") as other:
        for process in (one, other):
            assert process.stdout.readline() == "ready\n"
        for process in (one, other):
            begin(process)
        said = [process.communicate(timeout=60)[0].split() for process in (one, other)]
    found = everything(store)
    assert sorted(item.id for item in found) == sorted(said[0] + said[1])
    assert len(found) == 80
    for who, ids in zip("ab", said, strict=True):
        assert [item.id for item in found[::-1] if item.coder == who] == ids
    assert verify(store) == 80


def test_process_killed_amid_saving_loses_nothing_that_it_acknowledged(store, database_url, root, old_key, save):
    with writer(root, database_url, old_key, "100000", "a") as process:
        assert process.stdout.readline() == "ready\n"
        begin(process)
        said = [process.stdout.readline().strip() for _ in range(25)]
        process.kill()
        rest = process.communicate(timeout=20)[0]
    said += [line for line in rest.split("\n")[:-1] if line]
    identifier = save(store)  # waits until what the other one had begun is over
    found = [item.id for item in everything(store)]
    assert found[0] == identifier
    assert set(said) <= set(found)
    assert len(found) - 1 - len(said) in (0, 1)  # the last one may have been kept before it was said
    assert verify(store) == len(found)
    for item in said:
        assert read_feedback(store, item, RIVER).text.startswith("text ")


def test_stores_opened_at_once_agree_on_their_secret(database_url, open_store, monkeypatch):
    """Two services that start for the first time on one empty database."""
    Database(open_engine(database_url)).migrate()
    together = threading.Barrier(2)
    real = secrets.token_bytes
    stores, errors = [], []

    def slow(size):
        if size == 32:
            with suppress(threading.BrokenBarrierError):  # one of them waits for the other, as it should
                together.wait(timeout=0.3)  # both have found no secret
        return real(size)

    monkeypatch.setattr("service.store.store.secrets.token_bytes", slow)

    def start():
        try:
            stores.append(open_store(database_url))
        except StoreError as error:
            errors.append(str(error))

    threads = [threading.Thread(target=start) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=20)
    assert not errors
    assert len({store.digest("case", "x") for store in stores}) == 1


# Full disk


@pytest.fixture
def small_disk(open_store, new_url):
    """A store on SQLite, and a function that limits its pages; None lifts the limit."""
    store = open_store(new_url("sqlite"))
    limit = {"pages": 2**30}

    @event.listens_for(store.database.engine, "begin", insert=True)
    def restrict(connection):
        connection.connection.driver_connection.execute(f"PRAGMA max_page_count={limit['pages']}")

    def set_limit(more):
        with store.database.engine.connect() as connection:
            pages = connection.execute(text("PRAGMA page_count")).scalar_one()
        limit["pages"] = pages + more if more is not None else 2**30

    return store, set_limit


def test_full_disk_is_told_and_the_store_goes_on_after(small_disk, save):
    store, limit = small_disk
    before = save(store, "The text before.")
    limit(2)
    with pytest.raises(StoreError) as caught:
        for _ in range(20):
            save(store, f"{CANARY} " * 5_000)
    assert CANARY not in str(caught.value)
    assert caught.value.__cause__ is None
    kept = len(everything(store))
    assert verify(store) == kept
    assert everything(store)[-1].id == before
    limit(None)
    after = save(store, "The text after.")
    assert read_feedback(store, after, RIVER).text == "The text after."
    assert read_feedback(store, before, RIVER).text == "The text before."
    assert verify(store) == kept + 3


def test_cases_can_be_erased_on_a_full_disk(small_disk, save):
    store, limit = small_disk
    for _ in range(5):
        save(store, "A text. " * 500, case_id="case-7")
    limit(0)
    assert erase_case(store, "case-7", actor="hill") == 5
    assert everything(store) == []


def test_connection_that_the_server_ended_is_made_anew(new_url, open_store, save):
    url = new_url("postgresql")
    store, other = open_store(url), open_store(url)
    identifier = save(store)
    with store.database.engine.connect() as connection:
        process = connection.execute(text("SELECT pg_backend_pid()")).scalar_one()
    run(other, "SELECT pg_terminate_backend(:process)", process=process)
    assert read_feedback(store, identifier, RIVER) is not None


# Rotation


def sealed_values(store):
    with store.database.reading() as session:
        texts = session.execute(text("SELECT sealed_text FROM feedback WHERE sealed_text IS NOT NULL")).scalars().all()
        return [*texts, *session.execute(text("SELECT sealed FROM secrets")).scalars().all()]


def test_everything_has_the_new_key_after_rotation(store, save, open_store, database_url, old_key, new_key):
    saved = {save(store, f"Text {number}."): f"Text {number}." for number in range(7)}
    save(store, None)
    both = open_store(database_url, Keyring([new_key, old_key]))
    assert both.rotate(batch=3) == 7 + 1  # and the pepper
    assert all(both.keyring.is_current(value) for value in sealed_values(both))
    alone = open_store(database_url, Keyring([new_key]))
    for identifier, said in saved.items():
        assert read_feedback(alone, identifier, RIVER).text == said
    assert alone.digest("case", "case-7") == store.digest("case", "case-7")
    assert verify(alone) == 8 + 1 + 7
    with pytest.raises(SealBroken):
        open_store(database_url, Keyring([old_key]))


def test_rotation_goes_on_while_another_process_writes(store, save, open_store, database_url, old_key, new_key):
    for number in range(6):
        save(store, f"Text {number}.")
    rotating = open_store(database_url, Keyring([new_key, old_key]))
    serving = open_store(database_url, Keyring([new_key, old_key]))
    during, read = [], []

    def serve(done):
        if len(during) < 5:
            during.append(save(serving, "Text in between."))
        read.append([read_feedback(serving, item.id, RIVER).text for item in everything(serving)])

    rotating.rotate(batch=2, step=serve)
    assert len(during) >= 3
    assert all(None not in texts for texts in read)
    alone = open_store(database_url, Keyring([new_key]))
    texts = [read_feedback(alone, item.id, RIVER).text for item in everything(alone)]
    assert len(texts) == 6 + len(during)
    verify(alone)


def test_rotation_that_was_broken_off_is_taken_up(store, save, open_store, database_url, old_key, new_key):
    saved = [save(store, f"Text {number}.") for number in range(6)]
    both = open_store(database_url, Keyring([new_key, old_key]))

    class Stopped(Exception):
        pass

    def stop(done):
        raise Stopped

    with pytest.raises(Stopped):
        both.rotate(batch=2, step=stop)
    assert [read_feedback(both, item, RIVER).text for item in saved] == [f"Text {number}." for number in range(6)]
    assert both.rotate(batch=2) == 4
    assert both.rotate(batch=2) == 0
    verify(open_store(database_url, Keyring([new_key])))


def test_rotation_goes_on_when_a_case_is_erased_meanwhile(store, save, open_store, database_url, old_key, new_key):
    for number in range(4):
        save(store, f"Text {number}.", case_id=f"case-{number}")
    rotating = open_store(database_url, Keyring([new_key, old_key]))
    serving = open_store(database_url, Keyring([new_key, old_key]))
    real = rotating.keyring.open
    erasing = []

    def open_slowly(sealed, *, of):
        if of.startswith("feedback text") and not erasing:
            erasing.append(threading.Thread(target=erase_case, args=(serving, "case-2"), kwargs={"actor": "hill"}))
            erasing[0].start()
            erasing[0].join(timeout=0.5)  # done at once, or after this batch
        return real(sealed, of=of)

    rotating.keyring.open = open_slowly
    rotating.rotate()
    erasing[0].join(timeout=20)
    assert len(everything(store)) == 3
    assert all(rotating.keyring.is_current(value) for value in sealed_values(rotating))


# Time


def test_order_of_decisions_is_kept_when_the_clock_goes_back_a_day(store, save, clock):
    first = save(store)
    clock.advance(days=-1)
    second = save(store)
    clock.advance(days=2)
    third = save(store)
    assert [item.id for item in everything(store)] == [third, second, first]
    assert [item["id"] for item in export_feedback(store, Wanted(), RIVER)] == [first, second, third]
    verify(store)


def test_time_to_a_decision_is_never_below_zero(store, save, new_receipt, clock):
    receipt = new_receipt(store)
    clock.advance(days=-1)
    assert read_feedback(store, save(store, receipt=receipt), RIVER).seconds == 0.0


def test_reads_of_a_day_are_counted_until_midnight(store, save, clock):
    identifier = save(store)
    for _ in range(3):
        read_feedback(store, identifier, RIVER, limit=3)
    with pytest.raises(ReadsExceeded):
        read_feedback(store, identifier, RIVER, limit=3)
    assert verify(store) == 5  # the log is told of the limit too
    assert read_feedback(store, identifier, BIRD, limit=3) is not None
    clock.advance(hours=12)
    assert read_feedback(store, identifier, RIVER, limit=3) is not None


def test_reads_are_counted_for_each_key_also_where_two_have_one_name(store, save):
    identifier = save(store)
    read_feedback(store, identifier, RIVER, limit=1)
    assert read_feedback(store, identifier, Principal("river", "coordinator", "key9"), limit=1) is not None


# Erasing


def test_erased_case_is_gone_with_all_that_hangs_on_it(store, save):
    save(store, case_id="case-7")
    save(store, case_id="case-7", principal=STONE)
    kept = [save(store, case_id="case-70"), save(store)]
    assert erase_case(store, "case-7", actor="hill") == 2
    assert sorted(item.id for item in everything(store)) == sorted(kept)
    assert count(store, Verdict) == 2
    assert erase_case(store, "case-7", actor="hill") == 0
    verify(store)


def test_erased_text_lies_nowhere_on_the_disk(store, save, raw_content):
    """Not even sealed, in the write-ahead log or a free page: whoever has the key could read it there."""
    save(store, "The doctor refused. " * 400, case_id="case-7")
    save(store)
    with store.database.reading() as session:
        sealed = session.execute(text("SELECT sealed_text FROM feedback ORDER BY number")).scalars().first()
    assert sealed[100:140] in raw_content(store)
    erase_case(store, "case-7", actor="hill")
    content = raw_content(store)
    assert not [at for at in range(0, len(sealed) - 40, 40) if sealed[at : at + 40] in content]


def test_purge_erases_what_is_older_and_no_more(store, save, clock):
    for _ in range(4):
        save(store)
        clock.advance(days=10)
    assert purge(store, older_than=timedelta(days=30), actor="hill") == 1
    assert purge(store, older_than=timedelta(days=30), actor="hill") == 0
    assert purge(store, older_than=timedelta(days=15), actor="hill") == 2
    assert count(store, Feedback) == count(store, Verdict) == 1
    verify(store)


def test_numbers_are_not_given_twice_after_the_last_decision_was_erased(store, save):
    """Else a page of a list that was asked for before, or an export, shows another decision in its place."""
    save(store)
    save(store, case_id="case-7")
    last = everything(store)[0].number
    erase_case(store, "case-7", actor="hill")
    save(store)
    assert everything(store)[0].number > last


# Export


def test_export_has_what_people_set_and_nothing_that_only_the_machine_said(store, save):
    save(
        store,
        "The doctor refused.",
        decided=(
            ACCEPTED,
            Decided("violation", "violence.psychological", "rejected"),
            Decided("perpetrator", "police", "edited", "health"),
        ),
        corrections=(Correction("hidden", 4, 10, "PERSON"),),
        nothing=("population",),
    )
    (row,) = export_feedback(store, Wanted(), RIVER)
    assert row["violation"] == ["health.denial"]
    assert row["perpetrator"] == ["police"]
    assert row["population"] == []  # looked at, and found that no code applies
    assert row["primary"] == {"violation": "health.denial", "perpetrator": None, "population": None}
    assert row["text"] == "The doctor refused."
    assert row["feedback"]["corrections"] == [{"kind": "hidden", "start": 4, "end": 10, "type": "PERSON"}]
    written = json.dumps(row)
    assert "plhiv" not in written
    assert "civic.hate" not in written
    assert "0.97" not in written


def test_export_leaves_an_axis_open_that_nobody_decided(store, save):
    save(store, decided=(ACCEPTED,))
    (row,) = export_feedback(store, Wanted(), RIVER)
    assert "population" not in row
    assert "population" not in row["primary"]


def test_decisions_without_a_text_are_not_exported(store, save):
    save(store, None)
    assert list(export_feedback(store, Wanted(), RIVER)) == []


def test_export_holds_no_hash_of_a_case_and_no_key(store, save):
    save(store, case_id="case-7")
    (row,) = export_feedback(store, Wanted(), RIVER)
    written = json.dumps(row)
    assert store.digest("case", "case-7") not in written
    assert "key1" not in written


def test_case_erased_during_an_export_is_not_in_it(store, save):
    """The export holds no transaction between its rows: whoever reads it slowly would keep erased texts on the disk."""
    save(store, case_id="case-1")
    save(store, case_id="case-2")
    rows = export_feedback(store, Wanted(), RIVER)
    next(rows)
    held = store.database.engine.pool.checkedout()
    if held:
        rows.close()
    assert held == 0
    erase_case(store, "case-2", actor="hill")
    assert list(rows) == []


def test_only_the_owner_and_coordinators_read_a_text(store, save):
    identifier = save(store)
    for principal, may in ((BIRD, True), (STONE, False), (RIVER, True), (Principal("bird", "reactor", "key8"), False)):
        assert (read_feedback(store, identifier, principal) is not None) == may
    assert read_feedback(store, "0" * 32, RIVER) is None


# Migrations


def test_store_that_cannot_be_opened_leaves_no_connection_open(database_url, open_store, engines, new_key):
    with pytest.raises(StoreBehind):
        open_store(database_url, migrate=False)
    behind = engines[-1]
    open_store(database_url)
    with pytest.raises(SealBroken):
        open_store(database_url, Keyring([new_key]))
    assert [engine.pool.checkedin() for engine in (behind, engines[-1])] == [0, 0]


def test_empty_database_is_brought_to_the_version(database_url, open_store, keyring, clock):
    with pytest.raises(StoreBehind):
        Store.open(database_url, keyring, migrate=False, clock=clock)
    database = Database(open_engine(database_url))
    assert database.version() is None
    database.migrate()
    assert re.fullmatch(r"\d{4}", database.version())
    database.close()
    open_store(database_url, migrate=False)


def test_database_of_this_version_is_left_as_it_is(store, save):
    identifier = save(store)
    store.database.migrate()
    store.database.check()
    assert read_feedback(store, identifier, RIVER) is not None


def test_migrations_make_the_tables_that_the_code_uses(store):
    from alembic.autogenerate import compare_metadata
    from alembic.migration import MigrationContext

    with store.database.engine.connect() as connection:
        assert compare_metadata(MigrationContext.configure(connection), Base.metadata) == []


@pytest.mark.parametrize("migrate", [False, True])
@pytest.mark.parametrize("version", ["9999", "0000"])
def test_database_of_another_version_is_refused(store, keyring, database_url, version, migrate):
    """One of a newer casecoder too, when a service is put back to an older one."""
    run(store, "UPDATE alembic_version SET version_num = :version", version=version)
    with pytest.raises(StoreBehind) as caught:
        Store.open(database_url, keyring, migrate=migrate)
    assert "casecoder-serve migrate" in str(caught.value)


def test_secure_settings_hold_for_every_connection(open_store, new_url):
    store = open_store(new_url("sqlite"))
    connections = [store.database.engine.connect() for _ in range(3)]
    try:
        for connection in connections:
            told = [
                connection.exec_driver_sql(f"PRAGMA {name}").scalar_one()
                for name in ("journal_mode", "synchronous", "foreign_keys", "secure_delete")
            ]
            assert told == ["wal", 2, 1, 1]
    finally:
        for connection in connections:
            connection.close()


def test_package_has_its_migrations(root):
    folder = Path(root) / "service" / "store" / "migrations"
    assert (folder / "env.py").is_file()
    assert (folder / "__init__.py").is_file()
    assert (folder / "versions" / "__init__.py").is_file()
