"""What casecoder hides beside what Presidio (English) and natasha (Russian) hide, on one file of marked narratives.

    python tests/benchmarks/bench_redaction.py FILE PYTHON [MODEL]

FILE has narratives as `casecoder-train prepare` writes them, such as build/encoder/tune.jsonl. PYTHON is the
interpreter of an environment with `presidio-analyzer` and an English spaCy model (MODEL, a package), with `natasha`,
or with both; what it does not have is left out. An identifier counts only if every letter and digit of it is hidden.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

ROOT = Path(__file__).parents[2]
DIRECT_AND_OTHERS = ("direct", "quasi")
Spans = list[tuple[int, int]]

PRESIDIO = """
import importlib, json, pathlib, sys
from presidio_analyzer import AnalyzerEngine
from presidio_analyzer.nlp_engine import NlpEngineProvider
model = sys.argv[1]
if not pathlib.Path(model).is_dir():
    folder = pathlib.Path(importlib.import_module(model).__file__).parent
    model = str(next(path.parent for path in sorted(folder.rglob("config.cfg"))))
models = [{"lang_code": "en", "model_name": model}]
engine = NlpEngineProvider(nlp_configuration={"nlp_engine_name": "spacy", "models": models}).create_engine()
analyzer = AnalyzerEngine(nlp_engine=engine, supported_languages=["en"])
found = [[(item.start, item.end) for item in analyzer.analyze(text, language="en")] for text in json.load(sys.stdin)]
print(json.dumps(found))
"""
NATASHA = """
import json, sys
from natasha import AddrExtractor, DatesExtractor, Doc, MorphVocab, NewsEmbedding, NewsNERTagger, Segmenter
segmenter, vocab = Segmenter(), MorphVocab()
tagger, dates, addresses = NewsNERTagger(NewsEmbedding()), DatesExtractor(vocab), AddrExtractor(vocab)
found = []
for text in json.load(sys.stdin):
    doc = Doc(text)
    doc.segment(segmenter)
    doc.tag_ner(tagger)
    spans = [(span.start, span.stop) for span in doc.spans]
    for extractor in (dates, addresses):
        spans += [(match.start, match.stop) for match in extractor(text)]
    found.append(spans)
print(json.dumps(found))
"""


def of_others(python: str, program: str, texts: Sequence[str], *arguments: str) -> list[Spans] | None:
    """What another tool hides in each text; None where it is not installed."""
    done = subprocess.run(
        [python, "-c", program, *arguments],
        input=json.dumps(texts),
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        check=False,
    )
    return json.loads(done.stdout.splitlines()[-1]) if done.returncode == 0 else None


def of_casecoder(cases: Sequence[dict]) -> list[Spans]:
    """What casecoder hides in each narrative."""
    from nlp import Narrative, load_pipeline

    pipeline = load_pipeline()
    found = []
    for case in cases:
        redaction = pipeline.redact_one(Narrative(case["text"], language=case["lang"]))
        found.append([(entity.span.start, entity.span.end) for entity in redaction.entities])
    return found


def figures(cases: Sequence[dict], found: Sequence[Spans], kinds: dict[str, str]) -> dict[str, float | int]:
    """Recall of whole identifiers by kind, and the share of hidden letters and digits that belong to one."""
    whole = dict.fromkeys(DIRECT_AND_OTHERS, 0)
    total = dict.fromkeys(DIRECT_AND_OTHERS, 0)
    right = hidden_total = 0
    for case, spans in zip(cases, found, strict=True):
        text = case["text"]
        hidden = {at for start, end in spans for at in range(start, end) if text[at].isalnum()}
        gold = {at for mark in case["spans"] for at in range(mark["start"], mark["end"]) if text[at].isalnum()}
        right += len(hidden & gold)
        hidden_total += len(hidden)
        for mark in case["spans"]:
            kind = kinds[mark["label"]]
            total[kind] += 1
            whole[kind] += {at for at in range(mark["start"], mark["end"]) if text[at].isalnum()} <= hidden
    shares = {f"{kind}_recall": round(whole[kind] / max(1, total[kind]), 3) for kind in DIRECT_AND_OTHERS}
    return {
        **shares,
        "precision_of_characters": round(right / max(1, hidden_total), 3),
        "identifiers": sum(total.values()),
    }


def main() -> None:
    if len(sys.argv) < 3:
        raise SystemExit(__doc__)
    sys.path.insert(0, str(ROOT))
    from nlp import load_codebook

    kinds = {item.id: item.kind for item in load_codebook(ROOT / "annotations" / "codebook.yaml").identifiers}
    lines = Path(sys.argv[1]).read_text(encoding="utf-8").splitlines()
    cases = [case for case in map(json.loads, lines) if case["spans"] is not None]
    for language, program, arguments in (("en", PRESIDIO, sys.argv[3:4] or ["en_core_web_sm"]), ("ru", NATASHA, [])):
        of_language = [case for case in cases if case["lang"] == language]
        others = of_others(sys.argv[2], program, [case["text"] for case in of_language], *arguments)
        rows = {"casecoder": of_casecoder(of_language), "presidio" if language == "en" else "natasha": others}
        for tool, found in rows.items():
            said = figures(of_language, found, kinds) if found is not None else "not installed"
            sys.stdout.write(json.dumps({"language": language, "tool": tool, "figures": said}) + "\n")


if __name__ == "__main__":
    main()
