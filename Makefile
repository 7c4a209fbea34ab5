# The two commands of a fresh machine are `make demo` and `make test`. Everything lives in .venv; nothing else is touched.

PYTHON ?= python3
VENV := .venv
BUNDLE := react-0.6.0
CONFIG := training/configs/encoder-more.toml
ENCODER := intfloat/multilingual-e5-small
NAMES :=
MINUTES := 60
KILLS := 50
SEED :=
ROWS := 1000000
PRESIDIO :=
UPGRADE :=
OPTIONS :=
BASELINES := tfidf-linear spacy-textcat frozen-encoder
BIN := $(VENV)/$(if $(filter Windows_NT,$(OS)),Scripts,bin)

COMPILE = $(BIN)/uv pip compile pyproject.toml --quiet --universal --python-version 3.11 --generate-hashes \
	--custom-compile-command 'make lock' $(if $(filter all,$(UPGRADE)),--upgrade,$(UPGRADE:%=--upgrade-package %))

.PHONY: demo test test-offline test-slow test-spark fuzz load soak force scale lint train finetune bench lock sbom audit wheelhouse clean help

help:  ## Show this list
	@grep -E '^[a-z-]+:.*##' Makefile | sed -E 's/:.*##/\t/'

$(VENV)/installed: pyproject.toml deploy/service.lock
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "casecoder needs Python 3.11 or later: make PYTHON=python3.12 ...")'
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --upgrade pip
	$(BIN)/python -m pip install --quiet --require-hashes --requirement deploy/service.lock
	$(BIN)/python -m pip install --quiet --no-deps --no-build-isolation --editable .
	touch $@

# The second line adds torch, which the lock leaves out.
$(VENV)/installed-dev: $(VENV)/installed deploy/dev.lock
	$(BIN)/python -m pip install --quiet --require-hashes --requirement deploy/dev.lock
	$(BIN)/python -m pip install --quiet --no-build-isolation --editable '.[dev]'
	touch $@

# Not from a lock: these tools make the locks.
$(VENV)/installed-supply: $(VENV)/installed
	$(BIN)/python -m pip install --quiet --no-build-isolation --editable '.[supply]'
	touch $@

demo: $(VENV)/installed  ## Install, then code an example file of invented cases
	mkdir -p demo-output
	$(BIN)/casecoder bulk annotations/examples/cases.csv -o demo-output/cases-coded.xlsx --show 12

test: $(VENV)/installed-dev  ## Run the tests (a few minutes)
	$(BIN)/python -m pytest -m "not slow" --numprocesses 2 --dist loadfile

# Without the browser: Chromium looks for its maker's hosts by itself. Its tests watch what the pages ask for.
test-offline: $(VENV)/installed-dev  ## Run the tests where no other machine can be reached (Linux); an attempt to reach one fails
	$(BIN)/python tests/without_network.py $(BIN)/python -m pytest -m "not slow and not browser" --numprocesses 2 --dist loadfile

fuzz: $(VENV)/installed-dev  ## Send 20,000 requests made from the API's description, valid and not
	CASECODER_FUZZ_CASES=20000 $(BIN)/python -m pytest tests/service/test_schema.py

load: $(VENV)/installed-dev  ## Twenty people who type, overload, 10,000 requests: latency, refusals, memory
	$(BIN)/python tests/benchmarks/bench_service.py

soak: $(VENV)/installed-dev  ## The service for an hour at half of what it can take: errors, memory, descriptors; MINUTES=2 for less
	$(BIN)/python tests/benchmarks/soak_service.py --minutes $(MINUTES)

# Full disks are small ones in memory, which root alone can mount; without root they are left out.
force: $(VENV)/installed-dev  ## Kill runs and jobs at 50 random moments, fill disks, exchange files, bring archive bombs; KILLS=10 for less
	CASECODER_FORCE_KILLS=$(KILLS) CASECODER_FORCE_SEED=$(SEED) $(BIN)/python -m pytest tests/force

lock: $(VENV)/installed-supply  ## Renew the locks for what pyproject.toml asks; UPGRADE=all: newest releases; UPGRADE=jinja2: of one
	$(COMPILE) --extra service --extra postgres --extra pseudonyms --output-file deploy/service.lock
	$(COMPILE) --all-extras --excludes deploy/unlocked.txt --constraints deploy/service.lock --output-file deploy/dev.lock

sbom: $(VENV)/installed-supply  ## Write the parts list (CycloneDX): every package, every file of the models
	$(BIN)/python deploy/sbom.py --validate --output build/sbom.cdx.json

audit: $(VENV)/installed-supply  ## Ask a public database for known vulnerabilities of what is locked (needs a network)
	$(BIN)/python deploy/audit.py $(OPTIONS)

wheelhouse: $(VENV)/installed  ## Pack an install that needs no network, with its check sums (same system, processor and Python)
	rm -rf wheelhouse
	$(BIN)/python -m pip wheel --quiet --require-hashes --only-binary :all: --wheel-dir wheelhouse --requirement deploy/service.lock
	$(BIN)/python -m pip wheel --quiet --no-deps --no-build-isolation --wheel-dir wheelhouse .
	$(BIN)/python deploy/wheelhouse.py wheelhouse
	@echo "Carry the folder wheelhouse over, then: python3 -m venv venv && venv/bin/pip install --no-index --find-links wheelhouse --require-hashes -r wheelhouse/requirements.txt"

test-slow: $(VENV)/installed-dev  ## Run also what takes long: the whole training, memory on 100,000 rows
	$(BIN)/python -m pytest

test-spark: $(VENV)/installed-dev  ## Install Spark, and run a cluster of it on this machine: kills, secrets, ports (needs Java 17; half an hour)
	$(BIN)/python -m pip install --quiet --no-build-isolation --editable '.[spark]'
	$(BIN)/python -m pytest -rs tests/nlp/bulk/spark

lint: $(VENV)/installed-dev  ## Format, style and type checks; codebook and narratives
	$(BIN)/casecoder-train check >/dev/null
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy

train: $(VENV)/installed-dev  ## Fit the heads anew on the encoder of the default bundle, measure and package (half an hour)
	$(BIN)/casecoder-train prepare --config $(CONFIG)
	$(BIN)/casecoder-train fit --encoder-of $(BUNDLE) --config $(CONFIG)
	$(BIN)/casecoder-train evaluate --split tune --config $(CONFIG)
	$(BIN)/casecoder-train evaluate --split test --config $(CONFIG)
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

# PRESIDIO: interpreter and spaCy model of an environment that has it, see tests/benchmarks/bench_presidio.py.
scale: $(VENV)/installed-dev  ## Bulk coding of a million rows: memory, speed without the encoder, what the engine costs (an hour); ROWS=100000 for less
	$(BIN)/python tests/benchmarks/bench_scale.py memory --rows 10000 $(ROWS)
	$(BIN)/python tests/benchmarks/bench_scale.py speed
	$(BIN)/python tests/benchmarks/bench_engine.py $(if $(PRESIDIO),--presidio $(PRESIDIO))

clean:  ## Remove what was built and installed here
	rm -rf $(VENV) build demo-output wheelhouse *.egg-info .pytest_cache .mypy_cache .ruff_cache
