"""What makes many rows bearable: memory that does not hang on their number, and shortcuts that change nothing. The full
form is `make scale`."""

from __future__ import annotations

import json
import subprocess
import sys

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nlp.bulk.minhash import fold_text, words_of
from nlp.bulk.shards import parquet_bytes, parquet_table, records_of

on_linux = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="reads peaks of processes in /proc")


@on_linux
@pytest.mark.slow
def test_memory_is_the_same_for_few_and_for_many_rows(root):
    """The command with its default options, in worker processes; it fails where one of them grows by a tenth."""
    command = [sys.executable, "tests/benchmarks/bench_scale.py", "memory", "--without-redaction"]
    done = subprocess.run([*command, "--rows", "4000", "30000"], cwd=root, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    rows = [json.loads(line)["rows"] for line in done.stdout.splitlines()]
    assert rows == [4_000, 30_000]


LISTS = st.lists(st.none() | st.lists(st.floats(allow_nan=False), max_size=4), min_size=1, max_size=6)


@settings(deadline=None)
@given(LISTS, st.data())
def test_records_come_back_as_they_went_in_whole_and_in_part(lists, data):
    schema = pa.schema([("row", pa.int64()), ("numbers", pa.list_(pa.float64())), ("text", pa.string())])
    records = [{"row": at, "numbers": numbers, "text": None} for at, numbers in enumerate(lists)]
    table = parquet_table(parquet_bytes(records, schema))
    assert records_of(table) == records
    first = data.draw(st.integers(0, len(lists) - 1))
    assert records_of(table.slice(first, 2)) == records[first : first + 2]


@settings(deadline=None)
@given(st.text(st.characters(exclude_categories=["Cs"]), max_size=60))
def test_words_of_letters_alone_are_read_as_all_others(text):
    folded = fold_text(text)
    marked = " ".join(f"({chunk})" for chunk in folded.split())  # brackets are no words, and no chunk is letters alone
    assert words_of(folded) == words_of(marked)
