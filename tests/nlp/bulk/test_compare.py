from __future__ import annotations

import csv
import json
import shutil
from pathlib import Path

import pytest
from typer.testing import CliRunner

from nlp.bulk.compare import compare_bundles
from nlp.bulk.tables import InputOptions
from nlp.classification import ConstantClassifier
from nlp.cli import app
from nlp.codebook import Codebook, parse_codebook
from nlp.decision import Policy, Thresholds
from nlp.errors import LanguageNotServed, OutputError, TableError
from nlp.pipeline import Pipeline

CANARY = "Zarinatestova"
TEXTS = {
    "a1": "The doctor refused to see her.",
    "a2": "Врач отказал ей в приёме.",
    "a3": "",
}


def pipeline_of(codebook: Codebook, said: dict[str, float], *, name: str, languages=("en", "ru")) -> Pipeline:
    codes = {code: Thresholds(0.25, 0.5, 0.95) for axis in codebook.axes for code in axis.codes}
    return Pipeline.assemble(
        name,
        codebook,
        ConstantClassifier(codebook, said),
        Policy(codes, 0.95),
        languages=languages,
        max_characters=50_000,
    )


@pytest.fixture
def source(tmp_path: Path) -> Path:
    path = tmp_path / "cases.csv"
    with path.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.writer(stream)
        writer.writerow(["case_id", "text"])
        writer.writerows(TEXTS.items())
    return path


@pytest.fixture
def first(codebook) -> Pipeline:
    return pipeline_of(codebook, {"health.denial": 0.9, "social.work": 0.4, "plhiv": 0.9}, name="react-1")


@pytest.fixture
def second(codebook) -> Pipeline:
    return pipeline_of(codebook, {"health.denial": 0.3, "social.work": 0.6, "plhiv": 0.97}, name="react-2")


def test_a_bundle_compared_with_itself_changes_nothing(first, source):
    said = compare_bundles(first, first, source).to_json()
    for changes in said["axes"].values():
        assert changes["rows"] == 2
        assert changes["changed"] == 0
        assert changes["mean_absolute_change"] == 0
        assert changes["gained"] == changes["lost"] == changes["only_in_first"] == changes["only_in_second"] == {}
        assert changes["decisions"] == []


def test_codes_and_decisions_that_change_are_counted(first, second, source, codebook):
    axes = compare_bundles(first, second, source).to_json()["axes"]
    assert axes["violation"]["changed"] == 2
    assert axes["violation"]["gained"] == {"social.work": 2}
    assert axes["violation"]["lost"] == {"health.denial": 2}
    assert axes["violation"]["decisions"] == [
        {"first": "review", "second": "suggest", "count": 2},
        {"first": "suggest", "second": "review", "count": 2},
    ]
    n_codes = len(codebook.axis("violation").codes)
    assert axes["violation"]["mean_absolute_change"] == pytest.approx((0.6 + 0.2) / n_codes, abs=1e-4)


def test_a_stronger_decision_for_the_same_codes_changes_no_row(first, second, source):
    population = compare_bundles(first, second, source).to_json()["axes"]["population"]
    assert population["changed"] == 0
    assert population["decisions"] == [{"first": "suggest", "second": "auto", "count": 2}]


def test_the_other_way_round_gains_what_was_lost(first, second, source):
    there = compare_bundles(first, second, source).to_json()["axes"]
    back = compare_bundles(second, first, source).to_json()["axes"]
    for axis, changes in there.items():
        assert back[axis]["gained"] == changes["lost"]
        assert back[axis]["changed"] == changes["changed"]
        assert back[axis]["mean_absolute_change"] == changes["mean_absolute_change"]


def test_rows_that_only_one_bundle_can_code_are_counted_apart(codebook, first, source):
    english = pipeline_of(codebook, {}, name="english-1", languages=("en",))
    said = compare_bundles(first, english, source).to_json()
    assert said["rows"] == {"all": 3, "both": 1, "only_first": 1, "only_second": 0, "neither": 1}
    assert said["first"]["errors"] == {"narrative.empty": 1}
    assert said["second"]["errors"] == {"narrative.empty": 1, "narrative.language": 1}
    assert said["axes"]["violation"]["rows"] == 1
    assert compare_bundles(english, first, source).to_json()["rows"]["only_second"] == 1


def test_codes_that_only_one_codebook_has_are_named_and_change_no_row(first, codebook, source):
    other = parse_codebook(codebook.source.replace("health.denial", "health.refused"))
    renamed = pipeline_of(other, {"health.refused": 0.9, "social.work": 0.4, "plhiv": 0.9}, name="react-2")
    violation = compare_bundles(first, renamed, source).to_json()["axes"]["violation"]
    assert violation["only_in_first"] == {"health.denial": 2}
    assert violation["only_in_second"] == {"health.refused": 2}
    assert violation["changed"] == 0
    assert violation["mean_absolute_change"] == 0


def test_an_axis_that_only_one_codebook_has_is_all_apart(first, codebook, source):
    other = parse_codebook(codebook.source.replace("\n  population:", "\n  people:", 1))
    said = compare_bundles(first, pipeline_of(other, {"plhiv": 0.9}, name="react-2"), source).to_json()["axes"]
    assert list(said) == ["violation", "perpetrator", "population", "people"]
    assert said["population"]["only_in_first"]["plhiv"] == 2
    assert said["people"]["only_in_second"]["plhiv"] == 2
    assert said["people"]["mean_absolute_change"] is None


def test_changed_rows_are_listed_as_csv(first, second, source, tmp_path):
    target = tmp_path / "changes.csv"
    compare_bundles(first, second, source, target)
    with target.open(encoding="utf-8-sig", newline="") as stream:
        rows = list(csv.DictReader(stream))
    assert rows == [
        {"row": row, "id": case_id, "axis": "violation", "gained": "social.work", "lost": "health.denial"}
        for row, case_id in [("1", "a1"), ("2", "a2")]
    ]


def test_changed_rows_are_listed_as_jsonl(first, second, source, tmp_path):
    target = tmp_path / "changes.jsonl"
    compare_bundles(first, second, source, target)
    rows = [json.loads(line) for line in target.read_text(encoding="utf-8").splitlines()]
    assert rows[0] == {
        "row": 1, "id": "a1", "axis": "violation", "gained": ["social.work"], "lost": ["health.denial"],
    }  # fmt: skip
    assert [row["row"] for row in rows] == [1, 2]


def test_earlier_list_of_changes_is_kept_aside(first, second, source, tmp_path):
    target = tmp_path / "changes.csv"
    target.write_text("work of a person")
    comparison = compare_bundles(first, second, source, target)
    assert (tmp_path / "changes.csv.bak").read_text() == "work of a person"
    assert any("changes.csv.bak" in note for note in comparison.notes)


@pytest.mark.parametrize("ending", ["xlsx", "parquet", "txt"])
def test_other_formats_of_changes_are_refused_before_the_work(first, second, source, tmp_path, ending):
    with pytest.raises(TableError, match=r"\.csv or \.jsonl"):
        compare_bundles(
            first, second, source, tmp_path / f"changes.{ending}", on_progress=lambda _: pytest.fail("a row was coded")
        )


def test_input_is_never_overwritten(first, second, source):
    with pytest.raises(TableError, match="same file"):
        compare_bundles(first, second, source, source)


def test_language_that_one_of_the_bundles_does_not_serve_is_refused(codebook, first, source):
    english = pipeline_of(codebook, {}, name="english-1", languages=("en",))
    for pair in ((first, english), (english, first)):
        with pytest.raises(LanguageNotServed):
            compare_bundles(*pair, source, language="ru")


def test_table_without_rows_leaves_no_output(first, second, tmp_path):
    source, target = tmp_path / "cases.csv", tmp_path / "changes.csv"
    source.write_text("id,text\n")
    with pytest.raises(TableError):
        compare_bundles(first, second, source, target)
    assert not target.exists()


def test_folder_that_does_not_exist_is_told_before_the_work(first, second, source, tmp_path):
    with pytest.raises(OutputError, match="folder does not exist"):
        compare_bundles(
            first, second, source, tmp_path / "none" / "c.csv", on_progress=lambda _: pytest.fail("a row was coded")
        )


def test_columns_are_chosen_as_in_bulk(first, second, tmp_path):
    source = tmp_path / "cases.csv"
    source.write_text("key;story\nb7;The doctor refused to see her.\n", encoding="utf-8")
    target = tmp_path / "changes.jsonl"
    options = InputOptions(text_column="story", id_column="key", delimiter=";")
    compare_bundles(first, second, source, target, options=options)
    assert json.loads(target.read_text(encoding="utf-8").splitlines()[0])["id"] == "b7"


def test_no_text_of_a_row_is_kept_or_written(first, second, tmp_path):
    source, target = tmp_path / "cases.csv", tmp_path / "changes.jsonl"
    source.write_text(f"id,text\n1,The doctor refused {CANARY}.\n2,{CANARY},{CANARY}\n3,{CANARY}\0\n", encoding="utf-8")
    comparison = compare_bundles(first, second, source, target)
    assert comparison.rows == 3
    assert CANARY not in repr(comparison) + json.dumps(comparison.to_json()) + target.read_text(encoding="utf-8")


def test_nobody_is_warned_of_columns_that_are_not_copied(first, second, tmp_path):
    source = tmp_path / "cases.csv"
    words = "The doctor refused to see her and shouted at her in front of all who were there. " * 3
    source.write_text(f"id,text,remark\n1,{words},{words}\n", encoding="utf-8")
    assert not [note for note in compare_bundles(first, second, source).notes if "redaction" in note]


def run(*args):
    return CliRunner().invoke(app, [str(arg) for arg in args])


def test_command_shows_a_table_of_each_axis(tiny_bundle, source, codebook):
    done = run("bundle", "compare", tiny_bundle, tiny_bundle, source)
    assert done.exit_code == 3  # one row is empty
    for axis in codebook.axes:
        assert axis.label[codebook.languages[0]] in done.stdout
    assert "rows coded by both" in done.stdout
    assert "1 row(s) that neither bundle could code" in done.stdout
    assert "doctor" not in done.stdout + done.stderr


def test_command_gives_json_and_a_file_of_changes(tiny_bundle, source, tmp_path):
    target = tmp_path / "changes.csv"
    done = run("bundle", "compare", tiny_bundle, tiny_bundle, source, "--json", "-o", target)
    assert done.exit_code == 3
    said = json.loads(done.stdout)
    assert said["rows"]["both"] == 2
    assert said["first"] == said["second"]
    assert target.read_text(encoding="utf-8-sig").splitlines() == ["row,id,axis,gained,lost"]


def test_command_ends_well_where_both_bundles_code_all_rows(tiny_bundle, tmp_path):
    source = tmp_path / "cases.jsonl"
    source.write_text('{"id": 1, "text": "The doctor refused to see her."}\n')
    assert run("bundle", "compare", tiny_bundle, tiny_bundle, source, "--language", "en").exit_code == 0


@pytest.mark.parametrize("at", [0, 1])
def test_bundle_that_is_missing_is_told_in_a_sentence(at, tiny_bundle, bundle_copy, source):
    shutil.rmtree(bundle_copy)
    pair = [tiny_bundle, tiny_bundle]
    pair[at] = bundle_copy
    done = run("bundle", "compare", *pair, source)
    assert done.exit_code == 2
    assert done.stdout == ""
    assert "casecoder: there is no bundle" in done.stderr


def test_command_has_help_and_stands_in_the_readme(root):
    assert "which suggestions change" in run("bundle", "compare", "--help").stdout
    assert "casecoder bundle compare" in (root / "README.md").read_text(encoding="utf-8")
