# make demo | test | test-all | test-kills | lint | format | docs | release | clean. Installs only into .venv.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
READY_ALL := $(VENV)/.ready-all
THREADS := OMP_NUM_THREADS=1 MKL_NUM_THREADS=1

.PHONY: demo test test-all test-slow test-kills lint format docs notebook release benchmark clean
.DEFAULT_GOAL := demo

$(READY): pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(0 if sys.version_info >= (3, 11) else "error: Python 3.11 or newer is needed, found " + sys.version.split()[0] + "\n  fix: make PYTHON=/path/to/python3.11 ...")'
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@echo "installing into $(VENV) (a minute or two, once)"
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[dev]'
	@touch $@

$(READY_ALL): $(READY)
	@echo "installing Ray into $(VENV) (half a minute, once)"
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[ray]'
	@touch $@

demo: $(READY)  ## train, score and report ten variants on the embedded digits
	$(BIN)/python -m bench.train -m sweeps=quick
	$(BIN)/bench report quick --to runs/reports/quick

test: $(READY) lint  ## lint and the tests that are not slow: some 10 CPU minutes
	$(THREADS) $(BIN)/python -m pytest -n 2 --dist worksteal -m "not slow" --durations=20

test-all: test test-slow  ## all tests, including slow ones and those with real services

test-slow: $(READY_ALL)  ## only the slow tests: kills, launchers, a private Slurm and Ray
	$(THREADS) $(BIN)/python -m pytest -n 2 --dist loadfile -m slow

KILLS ?= 200
test-kills: $(READY)  ## kill sweeps at random moments: KILLS=200, SEED=N to repeat a schedule
	cd tests && $(THREADS) ../$(BIN)/python -m kills.storm --kills $(KILLS) $(if $(SEED),--seed $(SEED))

lint: $(READY)  ## style, import floors, types
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/lint-imports
	$(BIN)/mypy

format: $(READY)
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

docs: $(READY)  ## make pages and pictures of docs/ anew, and the site: docs/_build/index.html
	$(BIN)/python docs/make_variants.py
	$(BIN)/python docs/make_mode_dropping.py
	$(BIN)/python -m sphinx -W --keep-going -q -d docs/_build/.doctrees docs docs/_build

release: $(READY)  ## check tag, version and changelog, then build dist/: VERSION=0.2.0
	$(BIN)/python .ci/release.py $(VERSION)

notebook: $(READY)  ## execute docs/claims.ipynb: minutes
	$(BIN)/python docs/make_notebook.py

benchmark: $(READY)  ## speed, as ratios
	$(THREADS) $(BIN)/python benchmarks/training.py
	$(THREADS) $(BIN)/python benchmarks/scoring.py
	$(THREADS) $(BIN)/python benchmarks/sweeping.py
	$(THREADS) $(BIN)/python benchmarks/reporting.py
	$(THREADS) $(BIN)/python benchmarks/packed.py

clean:  ## remove the environment and caches; never runs/, data/ or results/
	rm -rf $(VENV) .pytest_cache .ruff_cache .mypy_cache .hypothesis .import_linter_cache build dist docs/_build docs/api docs/course docs/project
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
