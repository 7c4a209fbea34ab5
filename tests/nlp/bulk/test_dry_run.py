"""What a dry run tells: of the whole table without coding, of a sample by coding it. All of it is invented."""

from __future__ import annotations

import pytest

from nlp.bulk import dry_run as module
from nlp.bulk.dry_run import dry_run
from nlp.bulk.legacy import LegacyOptions
from nlp.bulk.shard_run import LoadedBundle
from nlp.bulk.tables import InputOptions
from nlp.errors import LanguageNotServed, TableError

STORY = "The doctor refused to see her because of her status and told the whole queue about it so she went home again."
TABLE = f"""id,story,kind
1,{STORY},health.denial
2,,
3,{STORY},odd word
4,The police stopped him,too,many,cells
5,{STORY.lower()},odd word
"""
READING = InputOptions(text_column="story", header=True)


@pytest.fixture
def loaded(constant_pipeline):
    return LoadedBundle.of(constant_pipeline)


@pytest.fixture
def table(tmp_path):
    path = tmp_path / "cases.csv"
    path.write_text(TABLE, encoding="utf-8")
    return path


def _run(loaded, table, legacy=None, **options):
    return dry_run(loaded, table, options=READING, legacy=legacy, **options)


def test_the_whole_table_is_counted_and_a_sample_coded(loaded, table):
    found = _run(loaded, table, LegacyOptions(coded=("violation=kind",)), size=2, examples=1)
    assert (found.rows, found.unreadable, found.empty) == (5, 1, 1)
    assert found.forecast.sampled == 2
    assert (found.compared, found.duplicates) == (5, {"exact": 2, "near": 0})
    assert dict(found.by_person) == {"violation": 3}
    assert found.unmapped.most_frequent(5) == [("violation", "odd word", 2)]
    assert len(found.examples) == 1
    assert "odd word" not in " ".join(found.sentences(workers=1))
    assert "odd word" not in repr(found)


def test_it_leaves_nothing_on_the_disk(loaded, table, tmp_path):
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    _run(loaded, table, scratch=scratch)
    assert list(scratch.iterdir()) == []
    assert sorted(path.name for path in tmp_path.iterdir()) == ["cases.csv", "scratch"]


def test_duplicates_are_counted_in_the_first_rows_or_not_at_all(loaded, table, monkeypatch):
    monkeypatch.setattr(module, "MOST_COMPARED", 3)
    found = _run(loaded, table)
    assert (found.compared, found.duplicates) == (3, {"exact": 1, "near": 0})
    assert any("of the first 3" in sentence for sentence in found.sentences(workers=1))
    assert _run(loaded, table, LegacyOptions(duplicates=False)).duplicates is None


@pytest.mark.parametrize(
    ("legacy", "error"),
    [
        (LegacyOptions(otherwise="xx"), LanguageNotServed),
        (LegacyOptions(date_column=9), TableError),
        (LegacyOptions(coded=(("violation", 9),)), TableError),
    ],
)
def test_what_a_run_would_refuse_is_refused(loaded, table, legacy, error):
    with pytest.raises(error):
        _run(loaded, table, legacy)
