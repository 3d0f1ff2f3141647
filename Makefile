# Everything a fresh machine with python3 and make needs. `make help` lists the targets.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt
DEMO_OUT ?= runs/demo
DEMO_DPO_OUT ?= runs/demo-dpo
DEMO_LOOP_OUT ?= runs/demo-loop
DEMO_OPTIMISE_OUT ?= runs/demo-optimise
JOBS ?= 2

.DEFAULT_GOAL := help
.PHONY: help demo demo-dpo demo-loop demo-optimise examples test test-all check bench docs format clean

help:  ## this list
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:[^#]*## /\t/' | expand -t 16

$(VENV)/.runtime: pyproject.toml constraints.txt
	$(PYTHON) -m venv $(VENV)
	$(PIP) --upgrade pip
	$(PIP) torch==2.13.0
	$(PIP) --editable .
	@touch $@

$(VENV)/.tools: $(VENV)/.runtime
	$(PIP) --editable '.[test,roundtrip,dev,docs,study,browser,ray]'
	$(PIP) --no-deps label-studio-sdk==2.1.2
	$(PIP) --no-deps lm-eval==0.4.13 sacrebleu==2.6.0 portalocker==4.4.2 tabulate==0.10.0 evaluate==0.4.6
	@touch $@

demo: $(VENV)/.runtime  ## the reward flow on the simulated support desk: pairs in, verdict and report out
	$(BIN)/assay demo --out $(DEMO_OUT)

demo-dpo: $(VENV)/.runtime  ## a policy tuned on simulated grants, judged blind by simulated editors: pairs in, verdict out
	$(PIP) --editable '.[study]'
	$(BIN)/assay demo-dpo --out $(DEMO_DPO_OUT)

demo-loop: $(VENV)/.runtime  ## two rounds of simulated judging and training along helpful, harmless, honest; before and after
	$(PIP) --editable '.[study]'
	$(BIN)/python examples/improvement_loop.py $(DEMO_LOOP_OUT)

demo-optimise: $(VENV)/.runtime  ## a reward passes by accuracy, is caught by best of n, is mended: two gold curves, simulated
	$(BIN)/assay demo-optimise --out $(DEMO_OPTIMISE_OUT)

examples: $(VENV)/.tools  ## every script of examples/, a minute or two in all
	for script in examples/*.py; do echo "== $$script"; $(BIN)/python $$script || exit 1; done

test: $(VENV)/.tools  ## the whole suite in minutes, in parallel
	$(BIN)/python -m pytest -n $(JOBS) --dist worksteal -m 'not slow'

test-all: $(VENV)/.tools  ## and the long ones: training at size, coverage of intervals, load
	$(BIN)/python -m pytest -n $(JOBS) --dist worksteal

check: $(VENV)/.tools  ## ruff, strict types, import layers and circles, size, names, share of Any
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/mypy benchmarks/*.py scripts/*.py examples/*.py
	$(BIN)/lint-imports
	$(BIN)/python scripts/house.py

bench: $(VENV)/.tools  ## every benchmark, one after the other; tables on the terminal, JSON in benchmarks/results/
	for script in benchmarks/bench_*.py; do $(BIN)/python $$script || exit 1; done

docs: $(VENV)/.tools  ## the documentation as a site in site/, every link checked
	$(BIN)/mkdocs build --strict --quiet

format: $(VENV)/.tools  ## what ruff can mend by itself
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

clean:  ## everything these targets made
	rm -rf $(VENV) build dist site .mypy_cache .ruff_cache .pytest_cache
