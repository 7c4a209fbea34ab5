"""What nobody needs is not loaded into processes of our own. All texts are invented."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

TORCH = """
from pathlib import Path
Path(__file__).with_name("loaded").touch()
raise ImportError
"""
KEEPING = """
import sys
from nlp.without_torch import without_torch
sys.modules["torch"] = sys
without_torch()
print(sys.modules["torch"] is sys)
"""
READING = "import spacy; spacy.blank('ru')"
CHILD = f"""
from service.jobs.children import be_child
def read(task, tell):
    {READING}
    tell(event="done")
be_child(read)
"""


@pytest.fixture
def run(root, tmp_path, tiny_bundle):
    """Runs a program where torch is installed; gives whether that was loaded."""
    (tmp_path / "torch").mkdir()
    (tmp_path / "torch" / "__init__.py").write_text(TORCH)
    path = os.pathsep.join([str(tmp_path), str(root)])

    def run(program, *arguments, given=""):
        command = [sys.executable, "-c", program, *map(str, arguments)]
        environment = {**os.environ, "PYTHONPATH": path, "CASECODER_BUNDLE": str(tiny_bundle)}
        done = subprocess.run(command, env=environment, input=given, capture_output=True, encoding="utf-8", check=False)
        assert done.returncode == 0, done.stderr
        return (tmp_path / "torch" / "loaded").exists()

    return run


def test_a_program_of_others_loads_what_it_likes(run):
    assert run(READING)


def test_commands_and_their_workers_do_without_torch(run, tmp_path):
    rows = "".join(f"{at},The doctor refused to see her.\n" for at in range(80))
    (tmp_path / "in.csv").write_text("id,text\n" + rows)
    command = "from nlp.cli import command_line; command_line()"
    assert not run(
        command, "bulk", tmp_path / "in.csv", "-o", tmp_path / "out.csv", "--workers", 2, "--progress", "none"
    )
    assert not run(command, "suggest", "-", given="The doctor refused to see her.")


def test_service_and_processes_of_jobs_do_without_torch(run, tmp_path):
    assert not run(f"from service.running import process_app; process_app(); {READING}")
    (tmp_path / "child.py").write_text(CHILD)
    assert not run("from service.jobs.children import ask_child; ask_child('child', {'it': 1}, seconds=100)")


def test_a_program_that_has_torch_keeps_it():
    done = subprocess.run([sys.executable, "-c", KEEPING], capture_output=True, encoding="utf-8", check=True)
    assert done.stdout.strip() == "True"
