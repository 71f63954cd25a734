PYTHON  ?= python3
SECONDS ?= 60
VENV    := .venv
BIN     := $(VENV)/bin

.PHONY: help demo test soak bench check fix generate clean

help:
	@echo "make demo      sign in against the built-in emulator, step by step"
	@echo "make test      the tests"
	@echo "make soak      hundreds of sessions for a minute (SECONDS=60), with faults; nothing may be lost or leak"
	@echo "make bench     side by side with raw HTTP clients and the vendor's SDK, in about four minutes"
	@echo "make check     lint, types, freshness of what is generated (what CI runs before the tests)"
	@echo "make fix       format, and repair what lint can repair"
	@echo "make generate  write genauth_sync and docs/reference anew from genauth_async"

demo: $(VENV)/.demo
	@$(BIN)/python -m genauth_async demo

test: $(VENV)/.test
	@$(BIN)/python -m pytest

soak: $(VENV)/.test
	@$(BIN)/python -m tests.soak --seconds $(SECONDS)

bench: $(VENV)/.bench
	@$(BIN)/python -m benchmarks

check: $(VENV)/.check
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/python -m tools.generate_sync --check
	$(BIN)/python -m tools.generate_docs --check
	$(BIN)/mypy
	$(BIN)/pyright

fix: $(VENV)/.check
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

generate: $(VENV)/.check
	$(BIN)/python -m tools.generate_sync
	$(BIN)/python -m tools.generate_docs

$(VENV)/.pip:
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --upgrade "pip>=25.1"
	@touch $@

$(VENV)/.demo: $(VENV)/.pip pyproject.toml
	$(BIN)/python -m pip install --quiet --editable ".[aiohttp,cli,emulator,events,fastapi,keyring,qrcode,redis,sm2]"
	@touch $@

$(VENV)/.test: $(VENV)/.demo
	$(BIN)/python -m pip install --quiet --group test
	@touch $@

$(VENV)/.check: $(VENV)/.test
	$(BIN)/python -m pip install --quiet --group check
	@touch $@

$(VENV)/.bench: $(VENV)/.test
	$(BIN)/python -m pip install --quiet --group bench
	@touch $@

clean:
	rm -rf $(VENV) .mypy_cache .ruff_cache .hypothesis tests/node/node_modules
