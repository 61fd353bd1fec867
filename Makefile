# Needs Python 3.11 or later and make; everything else is installed into this folder. `make help` lists the verbs.
PYTHON ?= python3
PY := .venv/bin/python
COMPILE := .venv/bin/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header --no-emit-index-url
LOCAL := $(PYTHON) -m deploy.local
export PYTHON_IS_NAMED := $(if $(filter-out file,$(origin PYTHON)),yes)
export PYTHONDONTWRITEBYTECODE :=
.DEFAULT_GOAL := help
.PHONY: .python help run setup lock lint lint-fast contracts test bench faults reset screenshots manage verifier

help: ## What can be made
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/  make \1	\2/p' Makefile

run: ## Start everything on this machine: http://localhost:8000 (PORT=, BANK_PORT=)
	@exec $(LOCAL) run

setup: ## Install the Python packages and the front end's, nothing else
	@$(LOCAL) setup

.python:
	@$(LOCAL) setup-python

lock: .python ## Pin the dependencies anew from pyproject.toml: all, and without the tools of development
	@$(COMPILE) --group dev --group embedded pyproject.toml -o requirements.lock
	@$(COMPILE) --constraint requirements.lock pyproject.toml -o requirements-production.lock
	@$(LOCAL) setup-python

lint-fast: .python ## ruff and the import contracts
	@$(PY) -m deploy.checks fast

lint: setup ## Everything that can be checked without running the product
	@$(PY) -m deploy.checks all

reset: ## Stop the embedded PostgreSQL and empty var/
	@$(LOCAL) reset

contracts: setup ## Write the API's and the socket's schemas and the front end's types
	@$(PY) -m deploy.contracts

test: setup ## Everything: checks, tests, journeys, the front end's tests (ARGS= for pytest)
	@$(PY) -m deploy.suite $(ARGS)


screenshots: setup ## Take the README's pictures anew from the demo world
	@$(PY) -m pytest -q -n0 tests/journeys/screenshots.py

verifier: .python ## The command that checks receipts, as one file: var/verify-receipt.pyz
	@$(PY) -m deploy.verifier

manage: .python ## A command of manage.py on the embedded database: make manage DO=verify_ledger
	@$(LOCAL) manage $(DO)

bench: setup ## Measure against ejabberd, Node and pgbench; writes var/bench.json (ARGS="chat --rounds 1")
	@$(PY) -m benchmarks $(ARGS)

faults: setup ## The long fault runs, figures to var/faults.json (FAULTS_S=300, FAULTS_SEED=, ARGS="-k restore" for a part, figures kept)
	@[ -n "$(ARGS)" ] || rm -f var/faults.json
	@FAULTS_S=$${FAULTS_S:-300} FUZZ_FRAMES=$${FUZZ_FRAMES:-100000} $(PY) -m pytest tests/faults tests/chat/test_fuzz.py tests/chat/test_state.py -q -n0 -s $(ARGS)
