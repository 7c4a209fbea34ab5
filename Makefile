# The two commands of a fresh machine are `make demo` and `make test`. Everything lives in .venv; nothing else is touched.

PYTHON ?= python3
VENV := .venv
BUNDLE := react-0.5.0
ENCODER := intfloat/multilingual-e5-small
NAMES :=
BASELINES := tfidf-linear spacy-textcat frozen-encoder
BIN := $(VENV)/$(if $(filter Windows_NT,$(OS)),Scripts,bin)

.PHONY: demo test test-slow fuzz load lint train finetune bench wheelhouse clean help

help:  ## Show this list
	@grep -E '^[a-z-]+:.*##' Makefile | sed -E 's/:.*##/\t/'

$(VENV)/installed: pyproject.toml
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "casecoder needs Python 3.11 or later: make PYTHON=python3.12 ...")'
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --upgrade pip
	$(BIN)/python -m pip install --quiet --editable '.[service]'
	touch $@

$(VENV)/installed-dev: $(VENV)/installed
	$(BIN)/python -m pip install --quiet --editable '.[dev]'
	touch $@

demo: $(VENV)/installed  ## Install, then code an example file of invented cases
	mkdir -p demo-output
	$(BIN)/casecoder bulk annotations/examples/cases.csv -o demo-output/cases-coded.xlsx --show 12

test: $(VENV)/installed-dev  ## Run the tests (a few minutes)
	$(BIN)/python -m pytest -m "not slow" --numprocesses 2 --dist loadfile

fuzz: $(VENV)/installed-dev  ## Send 20,000 requests made from the API's description, valid and not
	CASECODER_FUZZ_CASES=20000 $(BIN)/python -m pytest tests/service/test_schema.py

load: $(VENV)/installed-dev  ## Twenty people who type, overload, 10,000 requests: latency, refusals, memory
	$(BIN)/python tests/benchmarks/bench_service.py

wheelhouse: $(VENV)/installed  ## Pack an install that needs no network, with its check sums (same system, processor and Python)
	rm -rf wheelhouse
	$(BIN)/python -m pip wheel --quiet --wheel-dir wheelhouse '.[service,postgres,pseudonyms]' 'setuptools>=77'
	$(BIN)/python -c 'import hashlib, pathlib; folder = pathlib.Path("wheelhouse"); (folder / "SHA256SUMS").write_text("".join(f"{hashlib.sha256(path.read_bytes()).hexdigest()}  {path.name}\n" for path in sorted(folder.glob("*.whl"))))'
	@echo "Carry the folder wheelhouse over, then: python3 -m venv venv && venv/bin/pip install --no-index --find-links wheelhouse 'casecoder[service,postgres]'"

test-slow: $(VENV)/installed-dev  ## Run also what takes long: the whole training, memory on 100,000 rows
	$(BIN)/python -m pytest

lint: $(VENV)/installed-dev  ## Format, style and type checks; codebook and narratives
	$(BIN)/casecoder-train check >/dev/null
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy

train: $(VENV)/installed-dev  ## Fit the heads anew on the encoder of the default bundle, measure and package (half an hour)
	$(BIN)/casecoder-train prepare
	$(BIN)/casecoder-train fit --encoder-of $(BUNDLE)
	$(BIN)/casecoder-train evaluate --split tune
	$(BIN)/casecoder-train evaluate --split test
	$(BIN)/casecoder-train package

finetune: $(VENV)/installed-dev  ## Fine-tune the encoder anew (hours), then all of that: make finetune NAMES=folder [ENCODER=folder]
	$(BIN)/casecoder-train prepare
	$(BIN)/casecoder-train finetune --encoder $(ENCODER) $(if $(NAMES),--names $(NAMES))
	$(BIN)/casecoder-train fit
	$(BIN)/casecoder-train parity --encoder $(ENCODER) $(if $(NAMES),--names $(NAMES))
	$(if $(NAMES),$(BIN)/casecoder-train names $(NAMES))
	$(BIN)/casecoder-train baselines --encoder $(ENCODER)
	$(BIN)/casecoder-train evaluate --split tune
	$(BIN)/casecoder-train evaluate --split test $(foreach name,$(BASELINES),--baseline build/encoder/baselines/$(name)-test.json)
	$(BIN)/casecoder-train package

bench: $(VENV)/installed-dev  ## Measure one narrative beside the bare encoder, speed and memory of bulk, and latency over HTTP
	$(BIN)/python tests/benchmarks/bench_pipeline.py
	$(BIN)/python tests/benchmarks/bench_bulk.py
	$(BIN)/python tests/benchmarks/bench_http.py

clean:  ## Remove what was built and installed here
	rm -rf $(VENV) build demo-output wheelhouse *.egg-info .pytest_cache .mypy_cache .ruff_cache
