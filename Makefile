PYTHON  ?= python3
SECONDS ?= 60
VENV    := .venv
BIN     := $(VENV)/bin

PYTEST  := $(BIN)/python -m pytest --numprocesses auto --dist worksteal

.PHONY: help demo test test-slow test-all soak bench check fix generate clean

help:
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "make %-10s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

demo: $(VENV)/.demo ## sign in against the built-in emulator, step by step
	@$(BIN)/python -m genauth_async demo

test: $(VENV)/.test ## the quick tests, in a few minutes; its last line says what it left out
	@$(PYTEST) -m "not slow"

test-slow: $(VENV)/.test ## the tests that `make test` leaves out
	@$(PYTEST) -m slow

test-all: ## both, one after the other
	@$(MAKE) --no-print-directory test
	@$(MAKE) --no-print-directory test-slow

soak: $(VENV)/.test ## hundreds of sessions for a minute (SECONDS=60), with faults; nothing may be lost or leak
	@$(BIN)/python -m tests.soak --seconds $(SECONDS)

bench: $(VENV)/.bench ## side by side with raw HTTP clients and the vendor's SDK, in a few minutes
	@$(BIN)/python -m benchmarks

check: $(VENV)/.check ## lint, types, freshness of what is generated (what CI runs before the tests)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/python -m tools.generate_sync --check
	$(BIN)/python -m tools.generate_docs --check
	$(BIN)/mypy
	$(BIN)/pyright

fix: $(VENV)/.check ## format, and repair what lint can repair
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

generate: $(VENV)/.check ## write genauth_sync and docs/reference anew from genauth_async
	$(BIN)/python -m tools.generate_sync
	$(BIN)/python -m tools.generate_docs

$(VENV)/.pip:
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --upgrade "pip>=25.1"
	@touch $@

$(VENV)/.demo: $(VENV)/.pip pyproject.toml
	$(BIN)/python -m pip install --quiet --editable ".[aiohttp,cli,emulator,events,fastapi,keyring,qrcode,redis,sm2]"
	@touch $@

$(VENV)/.test: $(VENV)/.demo tests/node/package.json
	$(BIN)/python -m pip install --quiet --group test
	$(BIN)/python -m tests.node_tools
	@touch $@

$(VENV)/.check: $(VENV)/.test
	$(BIN)/python -m pip install --quiet --group check
	@touch $@

$(VENV)/.bench: $(VENV)/.test
	$(BIN)/python -m pip install --quiet --group bench
	@touch $@

clean: ## remove the virtual environment, caches and npm packages
	rm -rf $(VENV) .mypy_cache .ruff_cache .hypothesis tests/node/node_modules
