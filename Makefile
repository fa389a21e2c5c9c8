# Every task of the project in one place. `make help` lists them.
SHELL := /bin/bash
.DEFAULT_GOAL := help
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
UV := $(shell command -v uv 2>/dev/null || echo .uv/bin/uv)
STAMP := $(VENV)/.setup-stamp

.PHONY: help setup run test check bench docs lock services clean

help: ## List the tasks
	@awk -F ':.*## ' '/^[a-z-]+:.*## /{printf "  make %-10s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

$(STAMP): pyproject.toml requirements/dev.lock
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "OpenCTO needs Python 3.11 or newer; set PYTHON=… to one." >&2; exit 1; }
	@command -v $(UV) >/dev/null 2>&1 || { echo "→ fetching uv"; $(PYTHON) -m venv .uv && .uv/bin/pip install --quiet --disable-pip-version-check uv; }
	@test -x $(BIN)/python || { echo "→ creating $(VENV)"; $(UV) venv --quiet --python $(PYTHON) $(VENV); }
	@echo "→ installing the locked packages (about half a minute the first time)"
	@VIRTUAL_ENV=$(CURDIR)/$(VENV) $(UV) pip sync --require-hashes --quiet requirements/dev.lock
	@VIRTUAL_ENV=$(CURDIR)/$(VENV) $(UV) pip install --no-deps --quiet --editable .
	@env -u PYTHONDONTWRITEBYTECODE $(BIN)/python -c 'import opencto.app, opencto.cli.serving, opencto.cli.start, alembic.command' # compile once what every start imports
	@touch $@

setup: $(STAMP) ## Install everything into .venv

run: setup ## Set everything up and start OpenCTO
	@$(BIN)/opencto up

services: ## Install what the tests need besides Python (Debian: PostgreSQL, Chromium)
	@scripts/services

test: setup services ## Everything that CI runs: check, then the tests
	@$(MAKE) --no-print-directory check
	@$(BIN)/pytest -n 2 $(ARGS)

check: setup ## Format, lint, types, import arrows
	@$(BIN)/ruff format --check .
	@$(BIN)/ruff check .
	@$(BIN)/lint-imports --no-cache
	@$(BIN)/pyright

bench: setup ## Measure speed against something real; prints ratios
	@$(BIN)/python -m benchmarks
	@$(BIN)/python -m benchmarks.upstream

lock: ## Resolve the locks anew
	@for lock in server:"--extra all" dev:"--all-extras --group dev"; do \
	  $(UV) pip compile pyproject.toml $${lock#*:} --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header --quiet -o requirements/$${lock%%:*}.lock; done

docs: setup ## Write the reference pages from the program itself
	@$(BIN)/python -m opencto.cli.reference docs/reference

clean: ## Remove what can be made again
	@rm -rf $(VENV) .uv .pytest_cache .ruff_cache .hypothesis .coverage htmlcov dist build
