"""`casecoder redact` beyond placeholders: levels, maps, pages, invented names."""

from __future__ import annotations

import json
import re
import stat

import pytest
from typer.testing import CliRunner

from nlp.cli import app

TEXT = "Zarina Qodirova, 34, was refused in Khujand on 12.05.2024, tel +992 917 123 456. Zarina left."


def run(*args, text=None):
    return CliRunner().invoke(app, [str(arg) for arg in args], input=text)


@pytest.fixture
def key(tmp_path):
    assert run("new-key", tmp_path / "secret.key").exit_code == 0
    return tmp_path / "secret.key"


@pytest.fixture(autouse=True)
def _bundle(tiny_bundle, monkeypatch):
    monkeypatch.setenv("CASECODER_BUNDLE", str(tiny_bundle))


def test_a_new_key_is_for_its_owner_alone_and_never_overwritten(key):
    assert stat.S_IMODE(key.stat().st_mode) == 0o600
    before = key.read_bytes()
    done = run("new-key", key)
    assert done.exit_code == 2
    assert "exists already" in done.stderr
    assert key.read_bytes() == before


def test_minimal_leaves_what_does_not_identify_by_itself():
    strict = run("redact", text=TEXT).stdout
    minimal = run("redact", "--level", "minimal", text=TEXT).stdout
    assert "Khujand" not in strict
    assert "12.05.2024" not in strict
    assert "Khujand on 12.05.2024" in minimal
    assert not any(word in minimal for word in ("Zarina", "917"))


def test_a_map_brings_the_text_back(tmp_path, key):
    hidden = run("redact", "--map", tmp_path / "case.map", "--key-file", key, text=TEXT)
    assert hidden.exit_code == 0
    assert "Zarina" not in hidden.stdout
    assert b"Zarina" not in (tmp_path / "case.map").read_bytes()
    back = run("redact", "--restore", tmp_path / "case.map", "--key-file", key, text=hidden.stdout.rstrip("\n"))
    assert back.stdout == TEXT + "\n"


def test_a_map_without_its_key_brings_nothing_back(tmp_path, key):
    hidden = run("redact", "--map", tmp_path / "case.map", "--key-file", key, text=TEXT).stdout
    run("new-key", tmp_path / "other.key")
    done = run("redact", "--restore", tmp_path / "case.map", "--key-file", tmp_path / "other.key", text=hidden)
    assert done.exit_code == 2
    assert "another key" in done.stderr
    assert "Zarina" not in done.stdout + done.stderr


@pytest.mark.parametrize("option", [["--map", "case.map"], ["--pseudonyms"], ["--shift-dates", "a1"]])
def test_what_needs_a_key_says_so_before_any_work(option, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("CASECODER_KEY", raising=False)
    done = run("redact", *option, text=TEXT)
    assert done.exit_code == 2
    assert "--key-file" in done.stderr
    assert not list(tmp_path.glob("*.map"))


def test_invented_names_are_the_same_in_every_text(key):
    first = run("redact", "--pseudonyms", "--key-file", key, text=TEXT).stdout
    second = run("redact", "--pseudonyms", "--key-file", key, text="They called Zarina Qodirova again.").stdout
    assert not any(word in first + second for word in ("Zarina", "Qodirova", "PERSON"))
    assert "[PHONE_1]" in first
    name = re.search(r"They called (.+) again", second)[1]
    assert first.startswith(name)
    assert f"{name.split()[0]} left." in first


def test_dates_move_by_case(key):
    moved = [
        run("redact", "--shift-dates", case, "--key-file", key, text=TEXT).stdout for case in ("a1", "a1", "b7", "c3")
    ]
    dates = [re.search(r"on (\d\d\.\d\d\.20\d\d),", text)[1] for text in moved]
    assert dates[0] == dates[1] != "12.05.2024"
    assert len(set(dates)) > 1


def test_the_page_shows_what_is_hidden_and_loads_nothing(tmp_path):
    done = run("redact", "--report", tmp_path / "page.html", text=TEXT + " <script>alert(1)</script> call 55512")
    assert done.exit_code == 0
    page = (tmp_path / "page.html").read_text(encoding="utf-8")
    assert "Zarina Qodirova<small>[PERSON_1]</small>" in page
    assert '<mark class="doubt" title="in sight: look at it">55512' in page
    assert "<script>" not in page
    assert not re.search(r"(?:src|href)\s*=|url\(|@import", page)
    assert stat.S_IMODE((tmp_path / "page.html").stat().st_mode) == 0o600


def test_the_page_warns_of_what_stays_together(tmp_path):
    run("redact", "--level", "minimal", "--report", tmp_path / "page.html", text=TEXT)
    page = (tmp_path / "page.html").read_text(encoding="utf-8")
    assert "A place, an exact date and an age stay in sight" in page


def test_doubts_are_places_in_sight():
    text = "Позвонила на 55512 и ушла."
    said = json.loads(run("redact", "--json", text=text).stdout)
    assert [text[item["start"] : item["end"]] for item in said["doubts"]] == ["55512"]
    shown = run("redact", text=text)
    assert "1 place(s) may still tell" in shown.stderr
    assert shown.stdout == text + "\n"
