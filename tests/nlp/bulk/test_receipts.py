from __future__ import annotations

import dataclasses
import json
import math
import shutil

import pytest

from nlp.bulk.receipts import Receipt, receipt_path, standing, verify
from nlp.bulk.results import pack, read_result, result_path, unpack, write_result
from nlp.bulk.shard_run import CRASHED, SLOW, LoadedBundle, run_shard
from nlp.bulk.shards import Plan, shard_path
from nlp.errors import OutputError, RunError
from nlp.types import Evidence, Narrative, Replacement, Span

KEY = bytes(range(32))
CANARY = "qazanarbekovaxx"
TEXTS = ["The doctor refused Zarina Qodirova.", "", "Врач отказал. Тел. +996 700 123 456.", "12345", "She left."]


def run_all(work, plan, tiny, **options):
    return [run_shard(work, shard, tiny, **options) for shard in plan.shards]


@pytest.mark.parametrize("text", [TEXTS[0], TEXTS[2], "He has HIV; the doctor\r\nrefused him. Police beat him. 😀"])
def test_analysis_comes_back_from_its_record_as_it_was(constant_pipeline, codebook, text):
    analysis = constant_pipeline.analyze_one(Narrative(text, case_id="c\ud800"))
    assert analysis.redaction.replacements or "beat" in text
    assert unpack(pack(4, analysis, codebook), codebook) == analysis


def test_analysis_with_words_and_evidence_of_its_own_comes_back(constant_pipeline, codebook):
    analysis = constant_pipeline.analyze_one(Narrative(TEXTS[0]))
    first, *others = analysis.suggestions
    odd = Evidence(Span(0, 5), "not what stands there", 0.1 + 0.2, (Span(0, 2), Span(3, 5)))
    changed = dataclasses.replace(first, evidence=(odd,), probability=math.nextafter(first.probability, 1))
    (replacement, *_) = analysis.redaction.replacements
    redaction = dataclasses.replace(
        analysis.redaction,
        replacements=(Replacement(replacement.entity, "[X_1]", Span(1, 6)),),
        doubts=(Span(2, 4), Span(8, 9)),
    )
    analysis = dataclasses.replace(analysis, suggestions=(changed, *others), redaction=redaction)
    assert unpack(pack(1, analysis, codebook), codebook) == analysis


def test_error_comes_back_from_its_record(codebook):
    record = pack(2, "narrative.empty: there is no word", codebook)
    assert unpack(record, codebook) == "narrative.empty: there is no word"
    assert set(record.values()) == {2, "narrative.empty: there is no word", None}


@pytest.mark.parametrize("key", [None, KEY])
def test_running_a_shard_again_gives_the_same_bytes(prepared, tiny, key):
    work, plan = prepared(TEXTS, key=key)
    contents = []
    for _ in range(2):
        run_all(work, plan, tiny, key=key)
        contents.append([result_path(work, shard.number).read_bytes() for shard in plan.shards])
        shutil.rmtree(work / "receipts")
        (work / "receipts").mkdir()
    assert contents[0] == contents[1]


def test_results_hold_every_row_with_its_analysis_or_error(prepared, tiny):
    work, plan = prepared(TEXTS)
    receipts = run_all(work, plan, tiny)
    assert [receipt.errors for receipt in receipts] == [{"narrative.empty": 1}, {"narrative.empty": 1}, {}]
    records = [
        record for receipt in receipts for record in read_result(work, receipt.shard, sha256=receipt.result_sha256)
    ]
    assert [record["row"] for record in records] == [1, 2, 3, 4, 5]
    assert records[0]["redacted_text"] == "The doctor refused [PERSON_1]."
    assert unpack(records[0], tiny.codebook) == tiny.pipeline.analyze_one(Narrative(TEXTS[0], case_id="c1"))
    assert verify(work, plan) == []


def test_shard_that_is_done_is_not_coded_again(prepared, tiny):
    work, plan = prepared(TEXTS)
    first = run_all(work, plan, tiny)
    tried = []
    again = run_all(work, plan, tiny, on_row=lambda row, characters, errors: tried.append(row))
    assert again == first
    assert not tried


@pytest.mark.parametrize("what", ["result", "receipt", "no receipt"])
def test_shard_whose_work_was_damaged_is_coded_again(prepared, tiny, what):
    work, plan = prepared(TEXTS)
    before = run_all(work, plan, tiny)[0]
    path = result_path(work, 0) if what == "result" else receipt_path(work, 0)
    path.unlink() if what == "no receipt" else path.write_bytes(path.read_bytes()[:-3])
    assert standing(work, plan, plan.shards[0]) is None
    assert run_shard(work, plan.shards[0], tiny).result_sha256 == before.result_sha256
    assert verify(work, plan) == []


def test_rows_are_told_before_they_are_tried_and_without_their_text(prepared, tiny):
    work, plan = prepared(TEXTS)
    told = []
    run_shard(work, plan.shards[0], tiny, on_row=lambda *facts: told.append(facts))
    assert told == [(1, len(TEXTS[0]), 0), (2, 0, 0), (None, 0, 1)]


@pytest.mark.parametrize("reason", [CRASHED, SLOW])
def test_row_that_is_set_apart_is_not_tried(prepared, tiny, reason):
    work, plan = prepared(TEXTS)
    told = []
    receipt = run_shard(
        work, plan.shards[0], tiny, apart={1: reason, 99: SLOW}, on_row=lambda *facts: told.append(facts)
    )
    assert [row for row, _, _ in told] == [2, None]
    assert receipt.apart == [1]
    assert receipt.errors == {"narrative.empty": 1, reason: 1}
    record = read_result(work, 0, sha256=receipt.result_sha256)[0]
    assert record["error"].startswith(f"{reason}: ")
    assert record["redacted_text"] is None


def test_altered_shard_is_refused_before_it_is_coded(prepared, tiny):
    work, plan = prepared(TEXTS)
    content = shard_path(work, 0).read_bytes()
    shard_path(work, 0).write_bytes(content[:-1] + bytes([content[-1] ^ 1]))
    with pytest.raises(RunError, match="altered"):
        run_shard(work, plan.shards[0], tiny, on_row=lambda *facts: pytest.fail("a row was coded"))
    assert not result_path(work, 0).exists()


def test_another_bundle_is_refused(prepared, tiny, constant_pipeline):
    work, plan = prepared(TEXTS)
    with pytest.raises(RunError, match="one run is coded by one bundle"):
        run_shard(work, plan.shards[0], LoadedBundle.of(constant_pipeline))


def test_bundle_that_is_exchanged_between_its_manifest_and_its_models_is_refused(prepared, bundle_copy):
    from nlp.errors import BundleCorrupt

    loaded = LoadedBundle.open(bundle_copy)
    manifest = json.loads((bundle_copy / "manifest.json").read_text())
    (bundle_copy / "manifest.json").write_text(json.dumps({**manifest, "note": "another one"}))
    with pytest.raises(BundleCorrupt, match="exchanged"):
        _ = loaded.pipeline


def test_result_that_cannot_be_written_leaves_no_receipt(prepared, tiny, monkeypatch):
    work, plan = prepared(TEXTS)

    def full(*args):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", full)
    with pytest.raises(OutputError, match="disk is full"):
        run_shard(work, plan.shards[0], tiny)
    assert not list((work / "receipts").iterdir())
    assert not list((work / "results").iterdir())


@pytest.mark.parametrize("key", [None, KEY])
def test_verify_finds_one_altered_byte_in_any_file(prepared, tiny, key):
    work, plan = prepared(TEXTS, key=key)
    run_all(work, plan, tiny, key=key)
    assert verify(work, plan, key=key) == []
    for folder in ("shards", "results", "receipts"):
        for path in sorted((work / folder).iterdir()):
            content = path.read_bytes()
            for at in range(0, len(content), 101):
                path.write_bytes(content[:at] + bytes([content[at] ^ 1]) + content[at + 1 :])
                assert verify(work, plan, key=key), f"{path.name} at {at}"
            path.write_bytes(content)
    assert verify(work, plan, key=key) == []


def test_verify_finds_a_shard_that_is_not_done(prepared, tiny):
    work, plan = prepared(TEXTS)
    run_shard(work, plan.shards[0], tiny)
    assert verify(work, plan) == ["shard 1 has no receipt: it is not done", "shard 2 has no receipt: it is not done"]
    assert verify(work, plan, only_done=True) == []


def test_verify_finds_results_of_another_bundle_and_of_another_run(prepared, tiny):
    work, plan = prepared(TEXTS)
    for changed, said in (({"bundle_digest": "0" * 64}, "another bundle"), ({"plan": "0" * 64}, "another run")):
        receipt = run_all(work, plan, tiny)[1]
        dataclasses.replace(receipt, **changed).save(work)
        assert [fault for fault in verify(work, plan) if said in fault]
        assert standing(work, plan, plan.shards[1]) is None
        receipt.save(work)


@pytest.mark.parametrize("rows", [[1], [1, 1], [2, 1], [1, 2, 3], [1, 3]])
def test_verify_finds_rows_that_are_lost_doubled_or_out_of_order(prepared, tiny, rows):
    work, plan = prepared(TEXTS)
    receipt = run_all(work, plan, tiny)[0]
    records = read_result(work, 0, sha256=receipt.result_sha256)
    changed = [{**records[0], "row": row} for row in rows]
    stored = write_result(work, 0, changed)
    dataclasses.replace(receipt, result_sha256=stored, errors={}).save(work)
    assert verify(work, plan) == ["the result of shard 0 does not hold each of its rows once and in order"]


def test_verify_finds_errors_that_nobody_counted(prepared, tiny):
    work, plan = prepared(TEXTS)
    dataclasses.replace(run_all(work, plan, tiny)[0], errors={}).save(work)
    assert verify(work, plan) == ["the receipt of shard 0 counts other errors than its result has"]


def test_verify_finds_a_plan_whose_shards_leave_rows_out(prepared, tiny):
    work, plan = prepared(TEXTS)
    shards = (plan.shards[0], plan.shards[2])
    short = Plan(**{**{f.name: getattr(plan, f.name) for f in dataclasses.fields(plan)}, "shards": shards})
    assert "shard 1 of the plan does not follow the one before it" in verify(work, short, only_done=True)
    assert "the shards of the plan hold 3 rows, the input 5" in verify(work, short, only_done=True)


def test_receipts_hold_no_text_and_no_id(prepared, tiny):
    work, plan = prepared([f"The doctor refused {CANARY}."])
    run_all(work, plan, tiny)
    said = receipt_path(work, 0).read_text()
    assert CANARY not in said
    assert '"c1"' not in said
    assert Receipt.load(work, 0).rows == 1
