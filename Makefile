# Two commands matter: make demo, make test. `make` alone lists the rest.
SHELL := /bin/bash
.DEFAULT_GOAL := help
PYTHON ?= python3
BIN := .venv/bin
LOCK := requirements/dev.txt
STAMP := .venv/installed
ARCHIVES := dist/aws/podpac_dist.zip dist/aws/podpac_deps.zip
EXTRAS := podpac local build lab test docs

help: ## list the targets
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-12s %s\n", $$1, $$2}'

setup: $(STAMP) ## create .venv and install everything into it, once

$(STAMP): $(LOCK) setup.cfg
	@test -x $(BIN)/python || $(PYTHON) -m venv .venv
	@test -x $(BIN)/uv || $(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/uv.txt
	@$(BIN)/uv pip sync --quiet --python $(BIN)/python --require-hashes $(LOCK)
	@$(BIN)/uv pip install --quiet --python $(BIN)/python --no-deps --no-build-isolation --editable .
	@touch $@

lock: ## resolve the locks again
	$(BIN)/uv pip compile --quiet requirements/dev.in setup.cfg $(addprefix --extra ,$(EXTRAS)) --universal --python-version 3.11 \
	  --generate-hashes --no-header --upgrade -o $(LOCK)
	grep -A200 '^uv==' $(LOCK) | awk 'NR==1||/^    --hash/{print;next}{exit}' | sed '$$ s/ \\$$//' > requirements/uv.txt

.PHONY: help setup lock
