# Everything a newcomer needs: `make bench` and `make test`. Both install what is missing into .venv and nothing else.

PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check
# asv files its results under this name; by default it would be the host's.
ASV_MACHINE ?= local
# --quick calls every benchmark once; ASV_OPTIONS= takes asv's own number of samples, and an hour.
ASV_OPTIONS ?= --quick
# What is imported compiles itself at its first import and no other time; most of what is installed never is.
export PYTHONDONTWRITEBYTECODE :=
INSTALL := $(PIP) install --quiet --no-compile --constraint constraints.txt

.DEFAULT_GOAL := help
.PHONY: help bench full test lint types tests benchmarks asv truths gate-study torture clean

help: ## list the targets
	@grep -E '^[a-z-]+:.*##' Makefile | sed -E 's/:[^#]*##/\t/' | expand -t 14

bench: $(VENV)/installed .bakeoff/compiled ## measure every suite (quick profile); ends with the table, the verdicts and the page
	$(BIN)/python -m harness run --profile quick

full: $(VENV)/installed ## the same with the full profile, which takes hours
	$(BIN)/python -m harness run --profile full

test: lint ## lint, type check and all tests
	@$(MAKE) --no-print-directory --jobs 2 types tests

lint: $(VENV)/installed-dev
	$(BIN)/python -m ruff check .
	$(BIN)/python -m ruff format --check .

types: $(VENV)/installed-dev
	$(BIN)/python -m mypy

# Two at a time whatever the machine has: many tests start processes of their own and wait for them.
tests: $(VENV)/installed-dev
	$(BIN)/python -m pytest -n 2 --dist loadgroup

benchmarks: $(VENV)/installed-dev ## every case under pytest-benchmark
	$(BIN)/python -m pytest tests/benchmarks --benchmark-only

asv: $(VENV)/installed-asv ## track the current commit with asv and publish its pages under reports/asv
	$(BIN)/python -m harness.adapters.asv_machine $(ASV_MACHINE)
	$(BIN)/python -m asv run --python=same --machine $(ASV_MACHINE) --set-commit-hash "$$(git rev-parse HEAD)" $(ASV_OPTIONS)
	$(BIN)/python -m asv publish

truths: $(VENV)/installed-asv $(VENV)/installed-dev ## prove the measuring on known truths and against peers: two hours on an idle machine
	$(INSTALL) pyperf
	$(BIN)/python -m tests.truths.waiting
	$(BIN)/python -m tests.truths.nanoseconds
	$(BIN)/python -m tests.truths.same_twice
	$(BIN)/python -m tests.truths.same_twice --load 1
	$(BIN)/python -m tests.truths.same_twice --with slower
	$(BIN)/python -m tests.truths.coverage
	$(BIN)/python -m tests.truths.asv_agrees
	$(BIN)/python -m tests.truths.peers
	$(BIN)/python -m tests.truths.in_place_operations

gate-study: $(VENV)/installed-asv $(VENV)/installed-dev ## how often gates are wrong, ours and others': goes on where it was stopped
	$(INSTALL) pyperf
	test -f reports/published/gate_study_truth.csv || $(BIN)/python -m tests.gate_study.truth
	$(BIN)/python -m tests.gate_study

torture: $(VENV)/installed-dev ## kill, fuzz and starve the harness for half an hour; writes reports/published/torture.md
	$(INSTALL) atheris || echo "atheris cannot be installed here; the report will say so"
	$(BIN)/python -m tests.torture

clean: ## remove the virtual environment and caches
	rm -rf $(VENV) .asv .bakeoff .mypy_cache .ruff_cache .pytest_cache .hypothesis build *.egg-info

# torch is pinned and in the same resolve, so that no other package pulls in another build of it.
$(VENV)/installed: pyproject.toml constraints.txt
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(INSTALL) torch --editable '.[peers]' || { \
		echo "not every peer can be installed here; they will be shown as unavailable"; \
		$(INSTALL) torch --editable .; }
	touch $@

# Compiling our Numba kernels is set-up, as it would be for a C extension; a run compiles anew what was edited since.
.bakeoff/compiled: $(VENV)/installed
	$(BIN)/python -m harness check --device cpu 'adaboost/numba_*' 'attention/numba_*' 'concurrency/numba_*' 'ensembles/numba_*' 'estimation/*numba' expand/overlap_search 'gbdt/numba_*' 'knn/numba_*' 'random_forest/numba_*' 'xgboost/numba_*' --where n_rows=500 --where seq_len=128
	mkdir -p .bakeoff
	touch $@

$(VENV)/installed-dev: $(VENV)/installed
	$(INSTALL) --editable '.[dev]'
	touch $@

$(VENV)/installed-asv: $(VENV)/installed
	$(INSTALL) --editable '.[asv]'
	touch $@
