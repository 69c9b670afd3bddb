# Everything runs in a virtual environment of its own, .venv, from locked requirements.
# Only Python 3.11 or later and make are needed. PIP_* variables and pip's own configuration hold.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
SHARED ?= $(or $(TIERWISE_SHARED),../shared)
CASES := $(SHARED)/conformance/feel

POLICY := policies/working-capital.yaml
SAMPLES := policies/samples

PACKAGING := pyproject.toml $(wildcard engine/_alias/*)
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check --no-input

# Tests run on two workers; `make test TESTS=tests/house ARGS=-x` narrows them.
TESTS ?=
ARGS ?=
WORKERS ?= 2

.DEFAULT_GOAL := help
.PHONY: help demo test test-real nightly mutation lint types contracts docs docs-check conformance conformance-sql bench bench-portfolio lock wheel clean

help:  ## show this list
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:[^#]*## /\t/' | expand -t 17

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "tierwise needs Python 3.11 or later; name one with: make PYTHON=..." >&2; exit 2; }
	@echo "making $(VENV)" >&2
	@$(PYTHON) -m venv $(VENV)

# A stamp is older than its lock exactly when the lock has changed since the last installation.
$(VENV)/run.stamp: requirements.txt requirements-build.txt $(PACKAGING) | $(BIN)/python
	@echo "installing what a run needs" >&2
	@$(PIP) --require-hashes -r requirements.txt -r requirements-build.txt
	@$(PIP) --no-deps --no-build-isolation --editable .
	@touch $@

$(VENV)/dev.stamp: requirements-dev.txt $(VENV)/run.stamp
	@echo "installing what tests need" >&2
	@$(PIP) --require-hashes -r requirements-dev.txt
	@touch $@

$(VENV)/bench.stamp: requirements-bench.txt $(VENV)/dev.stamp
	@echo "installing the peers of the benchmarks" >&2
	@$(PIP) --require-hashes -r requirements-bench.txt
	@touch $@

$(VENV)/spark.stamp: requirements-spark.txt $(VENV)/dev.stamp
	@echo "installing Spark" >&2
	@$(PIP) --require-hashes -r requirements-spark.txt
	@touch $@

$(VENV)/models.stamp: requirements-models.txt $(VENV)/dev.stamp
	@echo "installing what reads models of other libraries" >&2
	@$(PIP) --require-hashes -r requirements-models.txt
	@touch $@

demo: $(VENV)/run.stamp  ## decide the sample portfolio with the shipped policy
	@mkdir -p out
	@echo '$$ tierwise check $(POLICY)'
	@$(BIN)/tierwise check $(POLICY)
	@echo; echo '$$ tierwise run $(POLICY) $(SAMPLES)/firms.csv ... -o out/decisions.csv'
	@$(BIN)/tierwise run $(POLICY) $(SAMPLES)/firms.csv --as-of 2026-07-01 -o out/decisions.csv \
		--history repayments=$(SAMPLES)/repayments.csv --history invoices=$(SAMPLES)/invoices.csv \
		|| [ $$? -eq 1 ]
	@echo; echo '$$ head -n 5 out/decisions.csv'; head -n 5 out/decisions.csv
	@echo; echo '$$ tierwise decide $(POLICY) $(SAMPLES)/customer.json --as-of 2026-07-01'
	@$(BIN)/tierwise decide $(POLICY) $(SAMPLES)/customer.json --as-of 2026-07-01

test: $(VENV)/dev.stamp  ## run all tests but those marked real
	$(BIN)/python -m pytest -n $(WORKERS) --dist loadgroup -m "not real" $(ARGS) $(TESTS)

test-real: $(VENV)/spark.stamp $(VENV)/models.stamp  ## run the tests that install packages, need services or take minutes
	$(BIN)/python -m pytest -m real $(ARGS) $(TESTS)

nightly: $(VENV)/dev.stamp  ## random policies through every evaluator, at the long setting
	$(BIN)/python -m tests.differential --nightly $(ARGS)
	TIERWISE_FORMAT_POLICIES=1000 $(BIN)/python -m pytest -n $(WORKERS) tests/format

mutation: $(VENV)/dev.stamp  ## change each threshold and outcome of the standards, and list what their cases miss
	$(BIN)/python -m tests.mutation $(ARGS)

lint: $(VENV)/dev.stamp  ## ruff
	$(BIN)/ruff check .

types: $(VENV)/dev.stamp  ## mypy, strict
	$(BIN)/mypy

contracts: $(VENV)/dev.stamp  ## which part of the engine may import which
	$(BIN)/lint-imports

docs: $(VENV)/dev.stamp  ## write the generated pages
	$(BIN)/python scripts/docs.py

docs-check: $(VENV)/dev.stamp  ## fail where a generated page is out of date
	$(BIN)/python scripts/docs.py --check

conformance: $(VENV)/dev.stamp  ## the FEEL conformance rates
	$(BIN)/python -m tests.conformance $(CASES)/*.jsonl

conformance-sql: $(VENV)/dev.stamp  ## the FEEL cases whose types are static, as SQL in DuckDB
	$(BIN)/python -m tests.conformance --sql $(CASES)/*.jsonl

bench: $(VENV)/bench.stamp  ## measure against hand-written code and peers
	$(BIN)/python -m benchmarks

bench-portfolio: $(VENV)/bench.stamp  ## the portfolio alone, ten million customers and a history larger than memory
	$(BIN)/python -m benchmarks portfolio columns history large memory

lock: $(VENV)/dev.stamp  ## write the lock files anew from pyproject.toml
	@$(PIP) pip-tools
	PYTHON=$(BIN)/python scripts/lock.sh $(ARGS)

wheel: $(VENV)/dev.stamp  ## build the wheel into dist/
	$(BIN)/python -m build --wheel --no-isolation

nightly-spark: $(VENV)/spark.stamp  ## 200 random policies of 500 customers through Spark
	$(BIN)/python -m tests.differential.spark $(ARGS)

bench-spark: $(VENV)/bench.stamp $(VENV)/spark.stamp  ## measure Spark beside the hand-written statement
	$(BIN)/python -m benchmarks.spark $(ARGS)

bench-scorers: $(VENV)/bench.stamp $(VENV)/models.stamp  ## measure scorers beside the libraries of their models
	$(BIN)/python -m benchmarks scorers $(ARGS)

clean:  ## remove the environment and what was built
	rm -rf $(VENV) dist build out
