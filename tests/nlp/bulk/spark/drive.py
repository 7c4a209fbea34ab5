"""A run on Spark in a process of its own, which a test can kill: one JSON object a line for progress, then "done".

The first argument is a JSON object: work, bundle, and settings of Spark (master, secret_file, key_file, patience ...).
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

from nlp.bulk.engines.spark import run_spark
from nlp.bulk.engines.spark_settings import SparkSettings
from nlp.bulk.progress import Progress
from nlp.bulk.shards import Plan
from nlp.bulk.stopping import stopping_in_order
from nlp.errors import CasecoderError


def say(progress: Progress) -> None:
    print(json.dumps(progress.to_json()), flush=True)  # noqa: T201 (the test reads it)


def main() -> None:
    told = json.loads(sys.argv[1])
    work, bundle = Path(told.pop("work")), Path(told.pop("bundle"))
    settings = SparkSettings(**{name: Path(value) if name.endswith("_file") else value for name, value in told.items()})
    try:
        with stopping_in_order():
            run_spark(work, Plan.load(work), bundle=bundle, settings=settings, on_progress=say)
    except CasecoderError as error:
        print(f"{type(error).__name__}: {error}", file=sys.stderr)  # noqa: T201 (the test reads it)
        sys.exit(2)
    print("done")  # noqa: T201 (the test reads it)


if __name__ == "__main__":
    main()
