from __future__ import annotations

import csv
import dataclasses
import json
import shutil

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nlp.bulk.prepare import FIRST_ROWS, FIRST_SHARD_ROWS, prepare
from nlp.bulk.shard_run import LoadedBundle
from nlp.bulk.shards import PLAN, Plan, ShardRow, read_shard, shard_path, text_sha256, write_shard
from nlp.bulk.tables import InputOptions
from nlp.errors import RunError, TableError

CANARY = "qazanarbekovaxx"
KEY = bytes(range(32))
TEXTS = ["The doctor refused.", "Врач отказал ей.\r\nОна ушла.", "nul \0 and half a pair \ud800", "", "She left."]

anything = st.text(st.characters(exclude_categories=[]), max_size=30)


@pytest.fixture(scope="module")
def work(tmp_path_factory):
    folder = tmp_path_factory.mktemp("work")
    (folder / "shards").mkdir()
    return folder


@settings(deadline=None)
@given(st.lists(st.tuples(anything, st.none() | anything, st.none() | anything), min_size=1, max_size=5), st.booleans())
def test_rows_come_back_from_a_shard_as_they_went_in(work, texts, is_sealed):
    key = KEY if is_sealed else None
    rows = [ShardRow(7 + at, text, "ru", country, case) for at, (text, country, case) in enumerate(texts)]
    shard = write_shard(work, 3, rows, key=key)
    assert read_shard(work, shard, key=key) == rows
    assert shard.longest == max(len(text) for text, _, _ in texts)


def test_row_that_cannot_be_read_comes_back_with_its_problem(work):
    rows = [ShardRow(1, None, problem="the row has 3 cells for 2 columns")]
    shard = write_shard(work, 0, rows)
    assert read_shard(work, shard) == rows
    assert rows[0].sha256 == ""


@pytest.mark.parametrize("key", [None, KEY])
def test_same_rows_give_the_same_bytes(work, key):
    rows = [ShardRow(number, text, case_id=str(number)) for number, text in enumerate(TEXTS, 1)]
    shards = []
    for _ in range(2):
        shards.append((write_shard(work, 0, rows, key=key), shard_path(work, 0).read_bytes()))
    assert shards[0] == shards[1]


@pytest.mark.parametrize("key", [None, KEY])
def test_every_altered_byte_of_a_shard_is_found(work, key):
    shard = write_shard(work, 0, [ShardRow(1, "The doctor refused.")], key=key)
    content = shard_path(work, 0).read_bytes()
    for at in range(0, len(content), 7):
        shard_path(work, 0).write_bytes(content[:at] + bytes([content[at] ^ 1]) + content[at + 1 :])
        with pytest.raises(RunError, match="altered"):
            read_shard(work, shard, key=key)


def test_sealed_files_cannot_stand_for_each_other(work):
    write_shard(work, 0, [ShardRow(1, "The doctor refused.")], key=KEY)
    shutil.copy(shard_path(work, 0), shard_path(work, 1))
    shard = write_shard(work, 0, [ShardRow(1, "The doctor refused.")], key=KEY)
    with pytest.raises(RunError, match="another key, or altered"):
        read_shard(work, dataclasses.replace(shard, number=1), key=KEY)


@pytest.mark.parametrize(
    ("written", "read", "said"),
    [(KEY, None, "--key-file"), (KEY, bytes(32), "another key"), (None, KEY, "not sealed")],
)
def test_wrong_key_is_told(work, written, read, said):
    shard = write_shard(work, 0, [ShardRow(1, "The doctor refused.")], key=written)
    with pytest.raises(RunError, match=said):
        read_shard(work, shard, key=read)


def test_shard_with_other_rows_than_the_plan_names_is_refused(work):
    shard = write_shard(work, 0, [ShardRow(1, "a"), ShardRow(2, "b")])
    with pytest.raises(RunError, match="does not hold the rows"):
        read_shard(work, dataclasses.replace(shard, first_row=2))


def test_plan_comes_back_as_it_was_saved(prepared):
    work, plan = prepared(TEXTS)
    assert Plan.load(work) == plan
    assert Plan.load(work).digest == plan.digest
    assert [shard.rows for shard in plan.shards] == [2, 2, 1]
    assert plan.input.rows == len(TEXTS)
    assert plan.bundle_name.startswith("react-linear-")


def test_every_altered_byte_of_a_plan_is_found(prepared):
    work, _ = prepared(TEXTS)
    content = (work / PLAN).read_bytes()
    for at in range(len(content)):
        (work / PLAN).write_bytes(content[:at] + bytes([content[at] ^ 1]) + content[at + 1 :])
        with pytest.raises(RunError):
            Plan.load(work)


def test_plan_holds_no_text_and_no_id(prepared):
    work, _ = prepared([f"The doctor refused {CANARY}."])
    assert CANARY not in (work / PLAN).read_text()
    assert '"c1"' not in (work / PLAN).read_text()


def test_shards_hold_the_texts_of_the_table_in_order(prepared):
    work, plan = prepared(TEXTS)
    rows = [row for shard in plan.shards for row in read_shard(work, shard)]
    assert [(row.number, row.case_id, row.text) for row in rows] == [
        (number, f"c{number}", text) for number, text in enumerate(TEXTS, 1)
    ]


def test_only_what_is_coded_goes_into_a_shard(tmp_path, tiny):
    source = tmp_path / "in.csv"
    source.write_text(f"id,text,note\n1,The doctor refused.,{CANARY}\n2,She left.,{CANARY},{CANARY}\n")
    plan = prepare(source, tmp_path, InputOptions(), bundle=tiny)
    (first, second) = read_shard(tmp_path, plan.shards[0])
    assert CANARY not in repr(dataclasses.astuple(first))
    assert dataclasses.astuple(second)[1:5] == (None, None, None, None)
    assert second.problem.startswith("the row has 4 cells")


def test_sealed_work_holds_no_readable_text(prepared):
    work, plan = prepared([f"The doctor refused {CANARY}."] * 3, key=KEY)
    stored = b"".join(path.read_bytes() for path in work.rglob("*") if path.is_file())
    assert CANARY.encode() not in stored
    assert b"PAR1" not in stored
    assert read_shard(work, plan.shards[0], key=KEY)[0].text == f"The doctor refused {CANARY}."


def test_shard_closes_early_where_texts_are_long(tmp_path, tiny, monkeypatch):
    monkeypatch.setattr("nlp.bulk.prepare.SHARD_CHARACTERS", 100)
    source = tmp_path / "in.jsonl"
    texts = ["x" * 40, "x" * 40, "x" * 40, "x" * 150, "x"]
    source.write_text("".join(json.dumps({"text": text}) + "\n" for text in texts))
    plan = prepare(source, tmp_path, InputOptions(text_column="text"), bundle=tiny)
    assert [(shard.rows, shard.longest) for shard in plan.shards] == [(3, 40), (1, 150), (1, 1)]


def test_short_file_has_shards_for_several_processes(tmp_path, tiny):
    source = tmp_path / "in.csv"
    with source.open("w", newline="") as stream:
        csv.writer(stream).writerows([["text"], *(["The doctor refused."] for _ in range(FIRST_ROWS + 300))])
    plan = prepare(source, tmp_path, InputOptions(), bundle=tiny)
    assert {shard.rows for shard in plan.shards[:-2]} == {FIRST_SHARD_ROWS}
    assert [shard.rows for shard in plan.shards[-2:]] == [250, 50]


def test_table_without_rows_leaves_no_plan(tmp_path, tiny):
    source = tmp_path / "in.csv"
    source.write_text("id,text\n")
    with pytest.raises(TableError, match="no rows"):
        prepare(source, tmp_path, InputOptions(), bundle=tiny)
    assert not (tmp_path / PLAN).exists()


def test_bundle_digest_is_that_of_the_manifest(tiny_bundle, tiny):
    from nlp.bundle import open_bundle

    assert tiny.digest == open_bundle(tiny_bundle).digest
    assert LoadedBundle.of(tiny.pipeline).folder is None


def test_hash_of_a_text_tells_lone_surrogates_apart():
    assert len({text_sha256(text) for text in ("", "\ud800", "\ud801", None)}) == 4
