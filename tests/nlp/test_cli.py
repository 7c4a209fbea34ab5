from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys

import pytest
from typer.testing import CliRunner

from nlp.cli import app

runner = CliRunner()
TEXT = "Clinic in the city. The doctor refused to see Zarina Qodirova, tel. +992 917 123 456."


def run(*args, text=None):
    return runner.invoke(app, [str(arg) for arg in args], input=text)


@pytest.fixture(autouse=True)
def _bundle(use_tiny_bundle):
    return use_tiny_bundle


def test_suggest_reads_standard_input_and_prints_the_contract():
    done = run("suggest", "--json", text=TEXT)
    assert done.exit_code == 0
    said = json.loads(done.stdout)
    assert list(said) == [
        "id", "language", "redacted_text", "bundle", "codebook", "suggestions", "primary", "not_a_violation",
        "entities", "doubts", "error",
    ]  # fmt: skip
    assert "Zarina" not in done.stdout
    assert "917" not in done.stdout
    assert said["suggestions"][0] == {
        "axis": "violation",
        "code": "health.denial",
        "probability": pytest.approx(0.8, abs=0.2),
        "decision": "suggest",
        "suggested": True,
        "evidence": [{"start": 20, "end": len(TEXT), "redacted": said["redacted_text"][20:], "words": []}],
    }
    types = {entity["type"] for entity in said["entities"]}
    assert {"PERSON", "PHONE"} <= types


def test_all_codes_lists_every_code(codebook):
    said = json.loads(run("suggest", "--json", "--all-codes", text=TEXT).stdout)
    assert {item["code"] for item in said["suggestions"]} == {code for axis in codebook.axes for code in axis.codes}


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_suggest_reads_a_file(tmp_path, encoding):
    file = tmp_path / "case.txt"
    file.write_text("Врач отказал ей в приёме.", encoding=encoding)
    done = run("suggest", file)
    assert done.exit_code == 0
    assert "health.denial" in done.stdout
    assert "Отказ" in done.stdout  # meanings are told in the language of the text


def test_redact_prints_the_redacted_text():
    assert (
        run("redact", text="Позвонила Айгуль Садыкова, потом Айгуль ушла.").stdout
        == "Позвонила [PERSON_1], потом [PERSON_1] ушла.\n"
    )


def test_redact_json_gives_offsets_and_no_words():
    said = json.loads(run("redact", "--json", text=TEXT).stdout)
    assert [TEXT[item["start"] : item["end"]] for item in said["entities"]] == ["Zarina Qodirova", "+992 917 123 456"]
    assert all(set(item) == {"start", "end", "type", "score", "source"} for item in said["entities"])


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (b"", "no word"),
        (b" \n ", "no word"),
        ("😀😀".encode(), "no word"),
        (b"a" * 100_000, "100,000 characters"),
        (b"\xed\xa0\x80 refused", "no UTF-8"),
        (b"doctor\0refused", "NUL"),
        ("Врач отказал".encode("cp1251"), "no UTF-8"),
        ("Der Arzt hat mich nicht behandelt und war sehr böse mit mir".encode(), "'de'"),
    ],
)
@pytest.mark.parametrize("command", ["suggest", "redact"])
def test_bad_text_gives_a_sentence_and_exit_code_2(command, text, reason):
    done = run(command, text=text)
    assert done.exit_code == 2
    assert done.stdout == ""
    assert reason in done.stderr
    assert done.stderr.count("\n") == 1
    assert "Arzt" not in done.stderr


@pytest.mark.parametrize("damage", ["missing", "corrupt", "foreign"])
def test_bad_bundle_gives_a_sentence_and_exit_code_2(damage, bundle_copy):
    if damage == "missing":
        shutil.rmtree(bundle_copy)
    elif damage == "corrupt":
        (bundle_copy / "weights.npy").write_bytes(b"x")
    else:
        (bundle_copy / "manifest.json").write_text('{"a": 1}')
    for command in (["suggest"], ["redact"], ["bundle", "verify", bundle_copy]):
        done = run(*command, *([] if command[0] == "bundle" else ["--bundle", bundle_copy]), text=TEXT)
        assert done.exit_code == 2
        assert "casecoder: " in done.stderr
        assert done.stdout == ""


def test_missing_file_gives_a_sentence(tmp_path):
    done = run("suggest", tmp_path / "none.txt")
    assert done.exit_code == 2
    assert "cannot be read" in done.stderr


def test_bad_setting_gives_a_sentence(monkeypatch):
    monkeypatch.setenv("CASECODER_MAX_CHARACTERS", "many")
    assert "CASECODER_MAX_CHARACTERS" in run("suggest", text=TEXT).stderr


def test_bundle_show_and_verify(use_tiny_bundle):
    assert json.loads(run("bundle", "show", "--json").stdout)["name"] == "react-linear"
    assert "it loads" in run("bundle", "verify", use_tiny_bundle).stdout


def test_bundle_list_marks_the_default():
    assert "(default)" in run("bundle", "list").stdout


@pytest.mark.parametrize(
    "command",
    [
        [],
        ["suggest"],
        ["redact"],
        ["bulk"],
        ["verify"],
        ["check-result"],
        ["bundle"],
        ["bundle", "list"],
        ["bundle", "show"],
        ["bundle", "verify"],
    ],
)
def test_every_command_has_help_and_stands_in_the_readme(command, root):
    done = run(*command, "--help")
    assert done.exit_code == 0
    assert len(done.stdout) > 100
    if command and command != ["bundle"]:
        assert f"casecoder {' '.join(command)}" in (root / "README.md").read_text(encoding="utf-8")


def test_crash_shows_where_but_not_what(root):
    program = (
        "import nlp.cli, nlp.pipeline\n"
        "def crash(self, narrative): raise KeyError('Zarina Qodirova')\n"
        "nlp.pipeline.Pipeline.analyze_one = crash\n"
        "import sys; sys.argv = ['casecoder', 'suggest']; nlp.cli.command_line()\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program],
        input=TEXT,
        capture_output=True,
        text=True,
        cwd=root,
        env=dict(os.environ),
        check=False,
    )
    assert done.returncode == 1
    assert "Zarina" not in done.stdout + done.stderr
    assert "KeyError" in done.stderr


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="a device of Linux")  # noqa: PTH110
def test_full_standard_output_gives_a_sentence(root):
    program = "import sys; from nlp.cli import command_line; sys.argv = ['casecoder', 'redact']; command_line()"
    with open("/dev/full", "w") as full:  # noqa: PTH123
        done = subprocess.run(
            [sys.executable, "-c", program],
            input=TEXT.encode(),
            stdout=full,
            stderr=subprocess.PIPE,
            cwd=root,
            check=False,
        )
    assert done.returncode == 2
    assert b"No space left" in done.stderr
    assert b"Zarina" not in done.stderr


def test_output_into_a_file_is_utf_8_whatever_the_console_speaks(root):
    program = "import sys; from nlp.cli import command_line; sys.argv = ['casecoder', 'redact']; command_line()"
    done = subprocess.run(
        [sys.executable, "-c", program],
        input="Врач отказал ей.".encode(),
        capture_output=True,
        cwd=root,
        env={**os.environ, "PYTHONIOENCODING": "cp1252"},
        check=True,
    )
    assert done.stdout.decode().strip() == "Врач отказал ей."


@pytest.mark.skipif(sys.platform == "win32", reason="Windows writes none of these")
def test_a_crash_leaves_no_copy_of_the_memory():
    program = (
        "import resource, sys; from nlp.cli import command_line; sys.argv = ['casecoder', 'bundle', 'list']\n"
        "try: command_line()\n"
        "except SystemExit as ended: assert not ended.code\n"
        "assert resource.getrlimit(resource.RLIMIT_CORE) == (0, 0)"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, check=False)
    assert done.returncode == 0, done.stderr.decode()


def test_a_text_does_not_command_the_terminal(tmp_path):
    story = "The doctor refused her.\x1b]0;title\x07\x1b[2J\x9b31m She went\thome\nat night."
    (tmp_path / "cases.jsonl").write_text(json.dumps({"id": "1", "text": story}) + "\n")
    shown = [run("suggest", text=story), run("bulk", tmp_path / "cases.jsonl", "-o", tmp_path / "out.csv", "--show", 1)]
    for done in shown:
        assert done.exit_code == 0, done.stderr
        assert "refused her." in done.stdout
        assert not {"\x1b", "\x07", "\x9b"} & set(done.stdout)
