"""Backups: all of it comes back, on each database and across them, or nothing does."""

from __future__ import annotations

import gzip
import json
import random
import stat
import struct
import zlib
from datetime import timedelta

import pytest
from sqlalchemy import func, select, text

from service.errors import SealBroken, StoreError
from service.store import backup
from service.store.access import Principal, create_key, log_in, revoke_key, who_has_key, who_is_logged_in
from service.store.backup import back_up, restore
from service.store.engine import Database, open_engine
from service.store.feedback import (
    Correction,
    Decided,
    FeedbackRepeated,
    Wanted,
    erase_case,
    export_feedback,
    list_feedback,
    read_feedback,
)
from service.store.sealing import Keyring
from service.store.tables import Base

CANARY = "qazanarbekovaxx"
KINDS = ("sqlite", "postgresql")
RIVER = Principal("river", "coordinator", "key3")
# psycopg warns of a cursor that a failed backup leaves open, depending on what is collected first.
pytestmark = pytest.mark.filterwarnings("ignore:.*was deleted while still open:ResourceWarning")


def counts(database):
    with database.reading() as session:
        return {
            table.name: session.scalar(select(func.count()).select_from(table)) for table in Base.metadata.sorted_tables
        }


def rows_of(database):
    """Everything that is kept, without the zones that SQLite does not keep."""
    with database.reading() as session:
        return {
            table.name: [
                tuple(value.replace(tzinfo=None) if hasattr(value, "tzinfo") else value for value in row)
                for row in session.execute(select(table).order_by(*table.primary_key.columns))
            ]
            for table in Base.metadata.sorted_tables
        }


def verify(store):
    with store.database.reading() as session:
        return store.audit.verify(session)


def lines_of(path):
    with gzip.open(path, "rt", encoding="ascii") as stream:
        return stream.read().splitlines()


def write(path, lines):
    with gzip.open(path, "wt", encoding="ascii") as stream:
        stream.write("".join(f"{line}\n" for line in lines))


@pytest.fixture
def fill(save, clock):
    """Puts some of everything into a store; what a person can read of it, by id, and a key with a login."""

    def make(store):
        token, _ = create_key(store, name="ўқитувчи", scope="reactor", actor="hill", valid=timedelta(days=900))
        revoke_key(store, create_key(store, name="stone", scope="admin", actor="hill")[1].id, actor="hill")
        login = log_in(store, token, hours=12)[0]
        texts = {}
        for number in range(6):
            said = f"Дело {number}: 👋🏽 [PERSON_1] отказали."
            texts[save(store, said, case_id=f"case-{number}", request=f"request-{number}")] = said
            clock.advance(minutes=1, microseconds=7)
        decided = (
            Decided("violation", "health.denial", "accepted", primary=True),
            Decided("perpetrator", "police", "edited", "health"),
        )
        texts[save(store, None, decided=decided)] = None
        corrections = (Correction("hidden", 0, 3, "PERSON"),)
        texts[save(store, "abcdef", corrections=corrections)] = "abcdef"
        list(export_feedback(store, Wanted(coder="bird"), RIVER))
        return texts, token, login

    return make


@pytest.fixture
def backup_file(open_store, new_url, fill, tmp_path, clock):
    """A backup of a filled store on SQLite."""
    store = open_store(new_url("sqlite"))
    fill(store)
    return back_up(store.database, tmp_path / "backups", at=clock())[0]


@pytest.fixture
def empty(new_url, engines):
    """Makes an empty database of a kind."""

    def make(kind="sqlite"):
        database = Database(open_engine(new_url(kind)))
        engines.append(database.engine)
        return database

    return make


@pytest.mark.parametrize("target", KINDS)
@pytest.mark.parametrize("source", KINDS)
def test_everything_comes_back_on_each_database_and_across_them(
    source, target, open_store, new_url, fill, tmp_path, clock, save
):
    store = open_store(new_url(source))
    texts, token, login = fill(store)
    path, rows = back_up(store.database, tmp_path / "backups", at=clock())
    url = new_url(target)
    database = Database(open_engine(url))
    assert restore(database, path) == rows == sum(counts(store.database).values())
    assert counts(database) == counts(store.database)
    assert rows_of(database) == rows_of(store.database)
    database.close()
    back = open_store(url)
    assert verify(back) == verify(store)
    assert list_feedback(back, Wanted()) == list_feedback(store, Wanted())
    assert {identifier: read_feedback(back, identifier, RIVER).text for identifier in texts} == texts
    assert who_has_key(back, token).name == "ўқитувчи"
    assert who_is_logged_in(back, login) is not None
    assert back.digest("case", "case-1") == store.digest("case", "case-1")
    assert erase_case(back, "case-1", actor="hill") == 1
    # It goes on where it was: numbers, the audit log, requests and receipts that were used already.
    before = list_feedback(back, Wanted())[0].number
    with pytest.raises(FeedbackRepeated):
        save(back, request="request-0")
    new = save(back)
    assert list_feedback(back, Wanted())[0].id == new
    assert list_feedback(back, Wanted())[0].number == before + 1
    verify(back)


@pytest.mark.parametrize("target", KINDS)
def test_store_without_decisions_comes_back(target, open_store, new_url, tmp_path, clock, save):
    store = open_store(new_url("sqlite"))
    path, rows = back_up(store.database, tmp_path, at=clock())
    assert rows == 2  # the secret of its hashes, and the head of the audit log
    url = new_url(target)
    database = Database(open_engine(url))
    assert restore(database, path) == 2
    database.close()
    back = open_store(url)
    save(back)
    assert verify(back) == 1


def test_backup_holds_no_text_in_plain(open_store, database_url, save, tmp_path, clock):
    store = open_store(database_url)
    save(store, f"{CANARY} was refused", case_id=f"case-{CANARY}", request=f"request-{CANARY}")
    path, _ = back_up(store.database, tmp_path / "backups", at=clock())
    assert CANARY.encode() not in gzip.decompress(path.read_bytes())
    assert [item.name for item in path.parent.iterdir()] == [path.name]


def test_backup_is_readable_for_its_owner_alone(backup_file):
    assert stat.S_IMODE(backup_file.stat().st_mode) == 0o600


def test_backup_is_of_no_use_without_its_key(backup_file, new_url, open_store, new_key):
    url = new_url("sqlite")
    database = Database(open_engine(url))
    restore(database, backup_file)
    database.close()
    with pytest.raises(SealBroken):
        open_store(url, Keyring([new_key]))


def test_backup_is_one_moment_while_others_write(open_store, database_url, save, tmp_path, clock, monkeypatch, empty):
    """The audit log in it holds together, and every decision has its verdicts and its entry."""
    store, other = open_store(database_url), open_store(database_url)
    for _ in range(3):
        save(store)
    real = backup._plain
    seen = []

    def slow(value):
        if len(seen) < 200:
            seen.append(value)
            if len(seen) % 20 == 0:
                save(other)
        return real(value)

    with monkeypatch.context() as patch:
        patch.setattr(backup, "_plain", slow)
        path, _ = back_up(store.database, tmp_path / "backups", at=clock())
    assert len(list_feedback(store, Wanted())) > 5
    database = empty()
    restore(database, path)
    found = counts(database)
    back = open_store(database.engine.url.render_as_string(hide_password=False))
    assert verify(back) == found["feedback"] == found["verdicts"] == found["audit"]


# What is refused


def changed_row(lines, table, **values):
    found = []
    for line in lines:
        item = json.loads(line)
        if item.get("table") == table:
            item["row"].update(values)
        found.append(json.dumps(item))
    return found


BYTES = {
    "empty": lambda content: b"",
    "no archive": lambda content: b"casecoder" * 50,
    "cut in half": lambda content: content[: len(content) // 2],
    "last bytes missing": lambda content: content[:-4],
    "zeros in the middle": lambda content: (
        content[: len(content) // 2] + bytes(200) + content[len(content) // 2 + 200 :]
    ),
    "wrong checksum": lambda content: content[:-8] + b"\1\2\3\4" + content[-4:],
}
LINES = {
    "another format": lambda lines: ['{"format": "other"}', *lines[1:]],
    "no head": lambda lines: lines[1:],
    "head is a list": lambda lines: ["[]", *lines[1:]],
    "another version": lambda lines: [json.dumps(json.loads(lines[0]) | {"version": "9999"}), *lines[1:]],
    "no JSON": lambda lines: [*lines[:3], CANARY, *lines[3:]],
    "a row missing": lambda lines: [*lines[:4], *lines[5:]],
    "a row twice": lambda lines: [*lines[:4], lines[3], *lines[4:]],
    "no end": lambda lines: lines[:-1],
    "rows after the end": lambda lines: [*lines, lines[-2]],
    "unknown table": lambda lines: [*lines[:2], '{"table": "users", "row": {}}', *lines[2:]],
    "columns missing": lambda lines: [*lines[:2], '{"table": "keys", "row": {}}', *lines[3:]],
    "no base64": lambda lines: changed_row(lines, "secrets", sealed=f"?{CANARY}?"),
    "no date": lambda lines: changed_row(lines, "audit", at=CANARY),
    "date is a number": lambda lines: changed_row(lines, "audit", at=5),
    "number too large": lambda lines: changed_row(lines, "verdicts", feedback_number=2**80),
    "same id twice": lambda lines: changed_row(lines, "feedback", id=CANARY),
    "verdict of no decision": lambda lines: changed_row(lines, "verdicts", feedback_number=99_999),
}


def cleared(database):
    with database.writing() as session:
        for table in reversed(Base.metadata.sorted_tables):
            session.execute(table.delete())


@pytest.mark.parametrize("target", KINDS)
def test_damaged_backup_is_refused_and_nothing_is_taken(backup_file, empty, target):
    database = empty(target)
    content, lines = backup_file.read_bytes(), lines_of(backup_file)
    wrong = {}
    for damage in (*BYTES, *LINES):
        if damage in BYTES:
            backup_file.write_bytes(BYTES[damage](content))
        else:
            write(backup_file, LINES[damage](lines))
        try:
            restore(database, backup_file)
            wrong[damage] = "taken"
            cleared(database)
        except StoreError as error:
            assert CANARY not in str(error)
            assert set(counts(database).values()) == {0}
        except Exception as error:
            wrong[damage] = type(error).__name__
    assert wrong == {}


def test_backup_that_was_damaged_anywhere_comes_back_whole_or_not_at_all(backup_file, tmp_path, empty):
    """Flipped bits at many places: what is restored is what was there, or nothing."""
    whole = lines_of(backup_file)
    content = backup_file.read_bytes()
    chance = random.Random(7)  # noqa: S311
    database = empty()
    taken = 0
    for at in sorted(chance.sample(range(len(content)), 60)):
        flipped = bytearray(content)
        flipped[at] ^= 1 << chance.randrange(8)
        path = tmp_path / "flipped.backup.gz"
        path.write_bytes(bytes(flipped))
        try:
            restore(database, path)
        except StoreError:
            assert set(counts(database).values()) == {0}
            continue
        assert lines_of(path) == whole  # only the archive's own name or time was hit
        taken += 1
        cleared(database)
    assert taken < 10


def test_values_changed_beside_the_checksum_are_noticed(backup_file, empty):
    """As a bit that flips on a disk changes them: the file still unpacks, only its checksum does not fit."""
    content = gzip.decompress(backup_file.read_bytes())
    changed = content.replace(b'"accepted"', b'"rejected"')
    assert changed != content
    packed = gzip.compress(changed)
    real = struct.pack("<I", zlib.crc32(content))
    backup_file.write_bytes(packed[:-8] + real + packed[-4:])
    with pytest.raises(StoreError):
        restore(empty(), backup_file)


@pytest.mark.parametrize("kind", KINDS)
def test_database_that_is_not_empty_is_left_as_it_is(backup_file, open_store, new_url, save, kind):
    store = open_store(new_url(kind))
    identifier = save(store)
    before = rows_of(store.database)
    with pytest.raises(StoreError) as caught:
        restore(store.database, backup_file)
    assert "not empty" in str(caught.value)
    assert rows_of(store.database) == before
    assert read_feedback(store, identifier, RIVER) is not None


def test_missing_backup_is_refused(empty, tmp_path):
    with pytest.raises(StoreError):
        restore(empty(), tmp_path / "missing.backup.gz")


def test_after_a_refusal_the_whole_backup_comes_back(backup_file, tmp_path, empty):
    database = empty()
    damaged = tmp_path / "damaged.backup.gz"
    damaged.write_bytes(backup_file.read_bytes()[:-20])
    with pytest.raises(StoreError):
        restore(database, damaged)
    assert restore(database, backup_file) > 10


# Old backups, erased cases


def test_old_backups_are_removed_and_nothing_else(store, tmp_path, clock):
    folder = tmp_path / "backups"
    folder.mkdir()
    others = ["notes.txt", "casecoder-old.backup.gz", "casecoder-20200101-000000.txt"]
    for name in others:
        (folder / name).write_text("x")
    made = []
    for _ in range(5):
        made.append(back_up(store.database, folder, at=clock(), keep=timedelta(days=31))[0])
        clock.advance(days=10)
    assert [path.exists() for path in made] == [False, True, True, True, True]  # the first one was 40 days old
    assert all((folder / name).exists() for name in others)


def test_backups_stay_without_a_limit(store, tmp_path, clock):
    first = back_up(store.database, tmp_path, at=clock())[0]
    clock.advance(days=900)
    back_up(store.database, tmp_path, at=clock())
    assert first.exists()


def test_erased_case_is_gone_after_a_later_backup_is_restored(store, save, open_store, new_url, tmp_path, clock):
    save(store, case_id="case-7")
    kept = save(store, case_id="case-8")
    earlier, _ = back_up(store.database, tmp_path, at=clock(), keep=timedelta(days=30))
    erase_case(store, "case-7", actor="hill")
    clock.advance(days=31)
    later, _ = back_up(store.database, tmp_path, at=clock(), keep=timedelta(days=30))
    assert not earlier.exists()
    url = new_url("sqlite")
    database = Database(open_engine(url))
    restore(database, later)
    database.close()
    back = open_store(url)
    assert [item.id for item in list_feedback(back, Wanted())] == [kept]
    assert erase_case(back, "case-7", actor="hill") == 0
    with back.database.reading() as session:
        assert session.execute(text("SELECT count(*) FROM verdicts")).scalar_one() == 1
    verify(back)


def test_backup_that_fails_leaves_no_file(store, save, tmp_path, clock, monkeypatch):
    save(store)
    folder = tmp_path / "backups"

    def fail(value):
        raise OSError("no space")

    monkeypatch.setattr(backup, "_plain", fail)
    with pytest.raises(OSError, match="no space"):
        back_up(store.database, folder, at=clock())
    assert list(folder.iterdir()) == []


def test_backup_that_fails_removes_no_older_one(store, save, tmp_path, clock, monkeypatch):
    save(store)
    first = back_up(store.database, tmp_path / "backups", at=clock())[0]
    clock.advance(days=99)

    def fail(value):
        raise OSError("no space")

    monkeypatch.setattr(backup, "_plain", fail)
    with pytest.raises(OSError, match="no space"):
        back_up(store.database, first.parent, at=clock(), keep=timedelta(days=30))
    assert first.exists()
