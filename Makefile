# `make` lists what there is. Needs git, make and Python 3.11 or later; everything else goes into .venv.
# LIMS_PYTHON=/path/to/python3.12 chooses the interpreter, PYTEST_ARGS="-k import" what is tested.

LIMS_PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PYTHON := $(BIN)/python
PIP := $(PYTHON) -m pip --disable-pip-version-check --no-input install --quiet --quiet --no-compile --root-user-action=ignore
LOCK := uv pip compile --universal --generate-hashes --no-emit-index-url --no-header --no-annotate --quiet
IMPORTED := lims.cli, lims.app, openpyxl, reportlab.graphics.barcode.code128, statsmodels.duration.survfunc, vl_convert
PYTEST_ARGS ?= -n auto --dist worksteal

# The tests start many processes; compiled once, what each of them imports is there in a third of the time. That is done by
# the first to import a module: of all that pip installs, most is never imported, and compiling it takes a minute. So installing
# imports once what the application does, at its start and later: nobody's first plot waits ten seconds for its statistics.
unexport PYTHONDONTWRITEBYTECODE

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: help demo test check lint types layers templates tables vendor fix bench migration lock wheel screenshots clean

help: ## List what can be made
	@awk -F ':.*## ' '/^[a-z]+:.*## / {printf "  make %-11s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

demo: $(VENV)/.runtime ## Seed a made-up laboratory and serve it on this machine
	@$(BIN)/lims demo

test: $(VENV)/.dev ## Run the tests; says what was skipped and why
	$(PYTHON) -m pytest $(PYTEST_ARGS)

check: lint types layers templates tables vendor ## Run every check but the tests

lint: $(VENV)/.dev
	$(BIN)/ruff check
	$(BIN)/ruff format --check

types: $(VENV)/.dev
	$(BIN)/mypy

layers: $(VENV)/.dev
	$(BIN)/lint-imports --no-cache

templates: $(VENV)/.dev
	$(BIN)/djlint --lint --quiet templates

tables: $(VENV)/.dev
	$(PYTHON) -m pytest -q tests/test_migrations.py -k "of_the_models or newest_revision or would_have_to_say"

vendor: $(VENV)/.dev
	$(PYTHON) scripts/check_vendor.py

fix: $(VENV)/.dev ## Mend what ruff can mend, and format
	$(BIN)/ruff check --fix
	$(BIN)/ruff format

bench: $(VENV)/.dev ## Measure imports, the audit trail and start-up against floors
	$(PYTHON) -m benchmarks

migration: $(VENV)/.dev ## Write a migration from what changed in the models: make migration m="Add cages"
	@$(PYTHON) scripts/new_migration.py "$(m)"

lock: ## Choose newer versions of what we depend on (needs uv)
	@command -v uv >/dev/null || { echo "make lock needs uv: https://docs.astral.sh/uv/getting-started/installation/"; exit 1; }
	$(LOCK) --upgrade pyproject.toml --group dev -o requirements/dev.txt
	$(LOCK) --upgrade pyproject.toml -c requirements/dev.txt -o requirements/runtime.txt
	$(LOCK) --upgrade --group build -c requirements/dev.txt -o requirements/build.txt

wheel: $(VENV)/.dev ## Build dist/*.whl, which runs without this checkout
	$(PYTHON) -m hatchling build -t wheel

screenshots: $(VENV)/.dev ## Take the documentation's pictures again (needs Chromium)
	$(PYTHON) scripts/screenshots.py

clean: ## Remove what was made: .venv, dist and caches; data folders are left alone
	rm -rf $(VENV) dist build .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis .coverage htmlcov
	find . -name __pycache__ -type d -not -path './frontend/*' -prune -exec rm -rf {} +

# A stamp is newer than what it was made from, so the second call has nothing to do.

$(VENV)/.made:
	@$(LIMS_PYTHON) -c "import sys; sys.exit(sys.version_info < (3, 11))" || { \
	    echo "Python 3.11 or later is needed, and $(LIMS_PYTHON) is none. Install it (Debian, Ubuntu: apt-get install python3; Fedora: dnf install python3)"; \
	    echo "or name another one: make LIMS_PYTHON=/usr/bin/python3.12"; exit 1; }
	@$(LIMS_PYTHON) -c "import venv, ensurepip" 2>/dev/null || { \
	    echo "$(LIMS_PYTHON) has no venv module with pip. Install it (Debian, Ubuntu: apt-get install python3-venv; Fedora: dnf install python3-pip)"; \
	    echo "and call make again."; exit 1; }
	@echo "Setting up $(VENV) (once; a minute or two) ..."
	@$(LIMS_PYTHON) -m venv $(VENV)
	@touch $@

$(VENV)/.runtime: $(VENV)/.made requirements/runtime.txt requirements/build.txt pyproject.toml
	@$(PIP) --require-hashes -r requirements/runtime.txt -r requirements/build.txt
	@$(PIP) --no-deps --no-build-isolation --no-index -e .
	@$(PYTHON) -c "import $(IMPORTED)"
	@touch $@

$(VENV)/.dev: $(VENV)/.runtime requirements/dev.txt
	@$(PIP) --require-hashes -r requirements/dev.txt
	@touch $@
