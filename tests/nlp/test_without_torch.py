"""What nobody needs is not loaded into processes of our own."""

from __future__ import annotations

import subprocess
import sys

import pytest

PROGRAM = """
import sys
from nlp.without_torch import without_torch
without_torch()
import spacy
nlp = spacy.blank("ru")
print(len(nlp("Врач отказал.")), sys.modules["torch"])
"""
KEEPING = """
import sys
from nlp.without_torch import without_torch
sys.modules["torch"] = sys
without_torch()
print(sys.modules["torch"] is sys)
"""


def test_a_process_of_our_own_reads_texts_without_torch():
    pytest.importorskip("torch", reason="it is not installed here, so nothing could load it")
    done = subprocess.run([sys.executable, "-c", PROGRAM], capture_output=True, encoding="utf-8", check=True)
    assert done.stdout.split() == ["3", "None"]


def test_a_program_that_has_torch_keeps_it():
    done = subprocess.run([sys.executable, "-c", KEEPING], capture_output=True, encoding="utf-8", check=True)
    assert done.stdout.strip() == "True"
