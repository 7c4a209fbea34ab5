from __future__ import annotations

import json
import sys

import pytest
from typer.testing import CliRunner

from training.cli import app

CASE = {
    "id": "ru-a-1",
    "lang": "ru",
    "country": "Kyrgyzstan",
    "text": "Айгуль позвонила: +996 555 01 02 03.",
    "violation": [],
    "perpetrator": [],
    "population": None,
    "spans": [{"start": 0, "end": 6, "label": "PERSON"}, {"start": 18, "end": 35, "label": "PHONE"}],
}


@pytest.fixture
def run(tmp_path, root):
    source = tmp_path / "in.jsonl"
    source.write_text(json.dumps(CASE) + "\n", encoding="utf-8")
    output = tmp_path / "out.jsonl"

    def run(*options):
        arguments = ["refill", str(source), "-o", str(output), "--codebook", str(root / "annotations/codebook.yaml")]
        result = CliRunner().invoke(app, [*arguments, *options])
        made = output.read_text(encoding="utf-8").splitlines() if output.exists() else []
        return result, [json.loads(line) for line in made]

    return run


def test_command_writes_copies_and_reports_what_was_swapped(run):
    result, made = run("--copies", "3", "--noise", "light")
    assert result.exit_code == 0
    assert [case["id"] for case in made] == ["ru-a-1+0", "ru-a-1+1", "ru-a-1+2"]
    assert "PHONE" in result.output
    assert "of 3 names of people" in result.output
    assert "Айгуль" not in result.output


def test_missing_library_is_named_by_its_extra(run, monkeypatch):
    monkeypatch.setitem(sys.modules, "pytrovich", None)
    result, made = run()
    assert result.exit_code == 2
    assert "[corpus]" in result.output
    assert not made
