# Two commands matter: make demo, make test. `make` alone lists the rest.
SHELL := /bin/bash
.DEFAULT_GOAL := help
PYTHON ?= python3
BIN := .venv/bin
LOCK := requirements/dev.txt
STAMP := .venv/installed
EXTRAS := podpac local build map lab app test bench docs
TESTS ?= tests

help: ## list the targets
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-12s %s\n", $$1, $$2}'

setup: $(STAMP) ## create .venv and install everything into it, once

$(STAMP): $(LOCK) setup.cfg
	@test -x $(BIN)/python || $(PYTHON) -m venv .venv
	@test -x $(BIN)/uv || $(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/uv.txt
	@$(BIN)/uv pip sync --quiet --python $(BIN)/python --require-hashes $(LOCK)
	@$(BIN)/uv pip install --quiet --python $(BIN)/python --no-deps --no-build-isolation --editable .
	@touch $@

demo: setup ## run the main job: embedded AWS, archives, the Studio in JupyterLab (HEADLESS=1: no browser)
	@$(BIN)/python -m podpac_lambda_widgets.demo $(if $(HEADLESS),--headless)

app: setup ## the Studio as a page of its own, without a notebook around it; embedded AWS as in demo
	@$(BIN)/python -m podpac_lambda_widgets.demo --app

test: setup browser archives ## run all tests (TESTS=tests/plan for a part)
	@$(BIN)/python -m pytest $(TESTS)

old-kernel: setup browser ## try the forms with ipykernel 6, which runs handlers on other threads than 7
	@$(BIN)/uv pip install --quiet --require-hashes --no-deps --target .venv/ipykernel6 -r requirements/ipykernel6.txt
	@PYTHONPATH=.venv/ipykernel6 $(BIN)/python -c 'import ipykernel; assert ipykernel.version_info[0] == 6'
	@PYTHONPATH=$(CURDIR)/.venv/ipykernel6 $(BIN)/python -m pytest tests/browser/test_forms.py tests/widgets/test_kernel_secret.py

sweep: setup ## cut the wire at every call of building, changing and deleting, in every way (half an hour on a quiet machine)
	@SWEEP=all $(BIN)/python -m pytest tests/deploy/test_cut_wire.py -n 2
	@SWEEP=all $(BIN)/python -m pytest tests/remote/test_malicious.py -rP

check: setup ## lint, format, types, layers, shell scripts
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports --config setup.cfg
	@$(BIN)/shellcheck dist/aws/*.sh scripts/*.sh .ci/run

bench: setup archives ## measure, as a table of ratios
	@$(BIN)/python -m benchmarks

bench-cold: setup archives ## measure cold starts beside the old design and the floor, and what each rule saves (minutes)
	@$(BIN)/python -m benchmarks.cold_start
	@$(BIN)/python -m benchmarks.rules

screenshots: setup browser archives ## take the pictures of docs/images
	@$(BIN)/python tests/browser/screenshots.py

archives: setup ## build dist/aws/podpac_dist.zip and podpac_deps.zip, unless they are there
	@$(BIN)/python -m podpac_lambda_widgets.packaging --output dist/aws

browser: ## install Debian's Chromium, where it is missing and apt may
	@scripts/install_chromium.sh

lock: setup ## resolve the locks again
	$(BIN)/uv pip compile --quiet requirements/dev.in setup.cfg $(addprefix --extra ,$(EXTRAS)) --universal \
	  --python-version 3.11 --generate-hashes --no-header --upgrade -o $(LOCK)
	printf 'ipykernel<7\nnest-asyncio\n' | $(BIN)/uv pip compile --quiet - --no-deps --universal --python-version 3.11 \
	  --generate-hashes --no-header --upgrade -o requirements/ipykernel6.txt
	grep -A200 '^uv==' $(LOCK) | awk 'NR==1||/^    --hash/{print;next}{exit}' | sed '$$ s/ \\$$//' > requirements/uv.txt

clean: ## remove .venv, archives and everything else that was made
	@rm -rf .venv build *.egg-info .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache demo.nc demo.png \
	  dist/aws/podpac_dist.zip dist/aws/podpac_deps.zip

.PHONY: help setup demo app test old-kernel sweep check bench bench-cold screenshots archives browser lock clean
