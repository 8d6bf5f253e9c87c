# `make` alone lists what there is. Everything happens inside .venv; `make clean` takes it all away.
SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
MAKEFLAGS += --no-print-directory

# The first of these that starts, is 3.11 or newer and can make a virtual environment. Or say PYTHON=...
PYTHONS := python3.13 python3.12 python3.11 python3
GOOD_PYTHON := import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 11))
PYTHON ?= $(shell for p in $(PYTHONS); do "$$p" -c '$(GOOD_PYTHON)' >/dev/null 2>&1 && { echo "$$p"; break; }; done)

BIN := .venv/bin
# A lock is whole, so nothing is resolved: pip takes newer releases of what is asked for with extras, and then refuses them.
LOCKED := -m pip --disable-pip-version-check install --quiet --require-hashes --no-deps
PIP := $(BIN)/python $(LOCKED)
CODE := $(wildcard src tests bench readiness conftest.py)
PAGES := $(wildcard README.md docs)
UV_LOCK := $(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes \
	--no-emit-index-url --custom-compile-command "make lock" $(UPGRADE)
UV_COMPILE := $(UV_LOCK) pyproject.toml
# For Linux alone, so that no line has a marker: pip would judge it by the Python that packs, not by Lambda's.
UV_LAMBDA := $(subst --universal,--python-platform linux,$(UV_LOCK)) --constraint requirements-dev.lock

# Two processes: the suite is made for two cores, and its tests share nothing.
PYTEST := $(BIN)/pytest -n 2 --dist worksteal

.PHONY: help setup run test fast check format cover bench proof simulate mutants readiness clinic browser postgres screenshots languages docs template lock clean

help: ## list these targets
	@echo "Slotkeeper: appointments, never double-booked. Start with 'make run'."
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  make %-11s %s\n", $$1, $$2 }' $(firstword $(MAKEFILE_LIST))

setup: .venv/.stamp ## make .venv with all that development needs

run: .venv/.run-stamp ## start Slotkeeper with a demonstration business, and serve it
	@PYTHONPATH=src $(BIN)/python -c 'from slotkeeper.cli.main import main; main()' demo --serve

test: check .venv-emulator/.stamp .venv-template/.stamp .venv-peers/.stamp .nag/.stamp browser postgres ## check, see that tests/core takes every branch of core/, then run every test
	$(BIN)/pytest -q tests/core --cov --cov-report=
	$(BIN)/coverage report --include="src/slotkeeper/core/*" --fail-under=100
	$(PYTEST) $(ARGS)

fast: .venv/.stamp .venv-emulator/.stamp ## run the tests that are not slow, within 20 seconds
	$(PYTEST) -q -m "not slow" --hypothesis-profile=fast $(ARGS)

check: .venv/.stamp docs ## formatting, lint, types, floors, and the code blocks of the docs
	$(BIN)/ruff format --check $(CODE)
	$(BIN)/ruff check $(CODE)
	$(BIN)/mypy $(CODE)
	$(BIN)/lint-imports

format: .venv/.stamp ## format the code, and mend what lint can mend
	$(BIN)/ruff check --fix-only --quiet $(CODE)
	$(BIN)/ruff format $(CODE)

cover: .venv/.stamp ## run every test and show the branches that none took
	$(BIN)/pytest --cov --cov-report=term $(ARGS)

bench: .venv/.stamp .venv-emulator/.stamp .venv-peers/.stamp postgres ## measure every headline figure; ARGS=--quick takes minutes, ARGS=NAME one bench
	$(BIN)/python -m bench $(ARGS)

proof: .venv/.stamp .venv-emulator/.stamp .venv-fuzz/.stamp ## try to show each promise false; ARGS=--quick takes minutes, ARGS=NAME one proof
	$(BIN)/python -m bench.proof $(ARGS)

simulate: .venv/.stamp ## let storms rage over the whole service; SEED=N replays one, ARGS=--year lets a year pass
	$(BIN)/python -m bench.simulation $(if $(SEED),--seed $(SEED)) $(ARGS)

mutants: .venv/.stamp .venv-emulator/.stamp ## put small faults into the code, and tell which no test notices; ARGS=desk/holds.py one module
	$(BIN)/python -m bench.mutants $(ARGS)

readiness: .venv/.stamp .venv-emulator/.stamp .venv-template/.stamp ## check what the AWS home must do, row by row, and write docs/reference/readiness.md
	$(BIN)/python -m readiness $(ARGS)

# pytest ends with 5 where it finds no test: pages without code are in order.
clinic: .venv/.stamp .venv-clinic/.stamp ## take a year of ten providers in, made by medscheduler, and remind
	.venv-clinic/bin/python -m bench.clinic.rows .venv-clinic/rows.csv.gz $(ARGS)
	$(BIN)/python -m bench.clinic.year .venv-clinic/rows.csv.gz

# What does not belong beside our own packages: .venv-NAME holds what requirements-NAME.lock says.
.venv-%/.stamp: requirements-%.lock
	@echo "Installing the locked packages of $(@D) ..."
	@$(PYTHON) -m venv $(@D)
	@$(@D)/bin/python $(LOCKED) -r $<
	@touch $@

# cdk-nag, which judges the template, comes from npm, and Node.js with the other judges. Its packages lie outside the sources.
.nag/.stamp: tests/aws/nag/package.json tests/aws/nag/package-lock.json | .venv-template/.stamp
	@echo "Installing the locked packages of $(@D) ..."
	@mkdir -p $(@D) && cp $^ $(@D)
	@PATH="$(CURDIR)/.venv-template/bin:$$PATH" npm --prefix $(@D) ci --ignore-scripts --no-audit --no-fund --loglevel=error >/dev/null
	@touch $@

# The tests' browser comes from the system. Where it is missing and may be installed, it is; else its tests say why they wait.
CHROMIUM := chromium-headless-shell fonts-dejavu-core
browser:
	@command -v chromium-headless-shell >/dev/null || { [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null && echo "Installing Chromium ..." && \
		apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -qq --yes --no-install-recommends $(CHROMIUM) >/dev/null; } || \
		command -v chromium >/dev/null || \
		echo "There is no Chromium here, so tests in a browser are left out (on Debian: apt-get install $(CHROMIUM))." >&2

# So does PostgreSQL, which our figures are measured beside. Its package would start a server of its own: we start ours.
POSTGRES := /usr/lib/postgresql/15/bin/postgres
postgres:
	@{ [ -x $(POSTGRES) ] || command -v postgres >/dev/null; } || { [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null && \
		echo "Installing PostgreSQL 15 ..." && mkdir -p /etc/postgresql-common && \
		{ [ -e /etc/postgresql-common/createcluster.conf ] || echo "create_main_cluster = false" >/etc/postgresql-common/createcluster.conf; } && \
		apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -qq --yes --no-install-recommends \
		-o Dpkg::Options::=--force-confold postgresql-15 >/dev/null; } || \
		echo "There is no PostgreSQL here, so what is measured beside it is left out (on Debian: apt-get install postgresql-15)." >&2

screenshots: .venv/.stamp browser ## take the pictures of every page that stand in docs/pictures
	$(BIN)/python -m tests.browser.showcase

languages: .venv/.stamp ## bring the catalogues of the pages' words up to date
	$(BIN)/python -m tests.catalogues

docs: .venv/.stamp ## run every code block of README.md and docs/
	$(BIN)/pytest -q $(PAGES) || [ $$? = 5 ]

template: .venv/.stamp ## remake the CloudFormation template, and the page that lists its parameters
	@mkdir -p build
	$(BIN)/python -m slotkeeper.aws.stack >build/template.json
	mv build/template.json src/slotkeeper/aws/template.json
	$(BIN)/python -m tests.aws.template_page

lock: .venv/.stamp ## remake the locks (UPGRADE=--upgrade takes the newest releases)
	$(BIN)/python -m pip --disable-pip-version-check install --quiet uv
	$(UV_COMPILE) --extra dev -o requirements-dev.lock
	$(UV_COMPILE) --constraint requirements-dev.lock -o requirements.lock
	$(UV_COMPILE) --constraint requirements-dev.lock --extra clinic -o requirements-clinic.lock
	$(UV_LOCK) requirements-fuzz.in -o requirements-fuzz.lock
	$(UV_LOCK) requirements-emulator.in -o requirements-emulator.lock
	$(UV_LOCK) requirements-template.in -o requirements-template.lock
	$(UV_LOCK) requirements-peers.in -o requirements-peers.lock
	$(UV_LAMBDA) requirements-lambda.in -o src/slotkeeper/aws/requirements-lambda.lock
	! grep -n "://" requirements*.lock src/slotkeeper/aws/*.lock

clean: ## remove .venv, caches and what was built
	rm -rf .venv .venv-* .nag .mutants build dist htmlcov .coverage .coverage.* .*_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

.venv/bin/python:
	@[ -n "$(PYTHON)" ] || { echo "Slotkeeper needs Python 3.11 or newer with its venv module" \
		"(on Debian: apt-get install python3-venv), or say which: make $(MAKECMDGOALS) PYTHON=/path/to/python3." >&2; exit 1; }
	@"$(PYTHON)" -c '$(GOOD_PYTHON)' || { echo "$(PYTHON) cannot be used: it must be Python 3.11 or newer with its" \
		"venv module (on Debian: apt-get install python3-venv)." >&2; exit 1; }
	@echo "Making .venv with $$("$(PYTHON)" --version) ..."
	@"$(PYTHON)" -m venv .venv

# What running needs, and nothing more, with the command `slotkeeper` as a script of ours; `setup` includes it.
.venv/.run-stamp: requirements.lock | .venv/bin/python
	@echo "Installing what Slotkeeper runs on ..."
	@$(PIP) -r requirements.lock
	@printf '#!/bin/sh\nPYTHONPATH="%s/src" exec "%s/$(BIN)/python" -m slotkeeper "$$@"\n' "$(CURDIR)" "$(CURDIR)" >$(BIN)/slotkeeper
	@chmod +x $(BIN)/slotkeeper
	@touch $@

.venv/.stamp: pyproject.toml requirements-dev.lock requirements.lock | .venv/bin/python
	@echo "Installing the locked packages: about a minute, once ..."
	@$(PIP) -r requirements-dev.lock
	@$(BIN)/python -m pip --disable-pip-version-check install --quiet --no-deps --no-build-isolation --editable .
	@touch .venv/.run-stamp $@
