"""One narrative of about 200 words, redacted and coded, beside the bare forward pass of the encoder on the same tokens;
start-up time and peak memory of a process that codes one narrative.

    python tests/benchmarks/bench_pipeline.py [NARRATIVES]

Passes and analyses take turns, so that whatever else the machine does slows both. Compare only figures of one run.
"""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
import time
from itertools import cycle, islice

from texts import ROOT, narratives, percentiles

FIRST = """
import json, resource, sys, time
started = time.perf_counter()
from nlp import Narrative, load_pipeline
pipeline = load_pipeline()
loaded = time.perf_counter() - started
pipeline.analyze_one(Narrative(sys.stdin.read(), language="en"))
peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
print(json.dumps({"load_s": round(loaded, 2), "first_s": round(time.perf_counter() - started, 2), "peak_mb": peak}))
"""


def main() -> None:
    number = int(sys.argv[1]) if len(sys.argv) > 1 else 200
    long = [item for item in narratives() if 170 <= len(item[0].split()) <= 230]
    texts = list(islice(cycle(long), number))
    sys.path.insert(0, str(ROOT))
    from nlp import Narrative, load_pipeline

    pipeline = load_pipeline()
    if pipeline.encoder is None:
        raise SystemExit("the default bundle has no encoder")
    encoder, pieces = pipeline.encoder, pipeline.encoder.pieces
    passes, analyses, tokens = [], [], []
    for text, language in [*texts[:5], *texts]:
        ids = pieces.framed(pieces.cut(text).ids[:510])
        started = time.perf_counter()
        encoder.network(ids)
        between = time.perf_counter()
        pipeline.analyze_one(Narrative(text, language=language))
        passes.append(between - started)
        analyses.append(time.perf_counter() - between)
        tokens.append(len(ids))
    passes, analyses, tokens = passes[5:], analyses[5:], tokens[5:]  # the first ones warm up
    first = subprocess.run(
        [sys.executable, "-c", FIRST], cwd=ROOT, check=True, input=texts[0][0], capture_output=True, text=True
    )
    figures = {
        "narratives": number,
        "tokens": round(statistics.mean(tokens)),
        "forward_pass": percentiles(passes),
        "redacted_and_coded": percentiles(analyses),
        "ratio": round(statistics.median(whole / bare for whole, bare in zip(analyses, passes, strict=True)), 2),
        "process": json.loads(first.stdout),
    }
    sys.stdout.write(json.dumps(figures) + "\n")


if __name__ == "__main__":
    main()
