# All that a fresh clone needs is Python >= 3.11 and make. Everything is installed into .venv, nothing elsewhere.

PYTHON ?= python3
BIN := .venv/bin
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check
# More arguments for pytest: make test ARGS="-k laws -x"
ARGS ?=
# Processes that share the tests: make test WORKERS=0 for none but pytest's own, as a debugger wants it
WORKERS ?= auto

# pytest keeps its rewritten modules beside the tests: every worker needs all of them.
unexport PYTHONDONTWRITEBYTECODE

# make soak: hostile connections to each server, seconds for each and for chaos, the seed, streams beside, and minutes of
# the long run.
SOAK_CONNECTIONS ?= 100000
SOAK_SECONDS ?= 900
SOAK_SEED ?= 1
SOAK_STREAMS ?= 50
SOAK_MINUTES ?= 30

.DEFAULT_GOAL := help
.PHONY: help venv demo test lint format mapping settings fixtures unit client picture engines suites soak reliability bench stalls wheel lock coverage clean

help:  ## show this list
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  make %-10s %s\n", $$1, $$2 }' $(firstword $(MAKEFILE_LIST))

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "dragoman needs Python 3.11 or newer; name one with: make PYTHON=python3.12 ..." >&2; exit 1; }
	$(PYTHON) -m venv .venv

# Two stamps, because a demo should not wait for linters.
.venv/.run-stamp: pyproject.toml | $(BIN)/python
	$(PIP) --editable .
	@touch $@

.venv/.dev-stamp: pyproject.toml | $(BIN)/python
	$(PIP) --editable '.[dev]'
	@touch .venv/.run-stamp $@

venv: .venv/.dev-stamp  ## install dragoman and its tools into .venv, once

demo: .venv/.run-stamp  ## one streamed, tool-using exchange on the embedded emulator; no key needed
	@$(BIN)/dragoman demo

test: lint unit  ## lint, types, import rules, and all tests

# Side by side, each one's words together where make knows how to: GNU make 4 does, the 3.81 of macOS does not.
lint: .venv/.dev-stamp  ## ruff, mypy, import-linter
	@+$(MAKE) --no-print-directory --jobs 2 $(if $(filter output-sync,$(.FEATURES)),--output-sync) types style imports

.PHONY: types style imports
types:
	$(BIN)/mypy

style:
	$(BIN)/ruff check
	$(BIN)/ruff format --check

imports:
	$(BIN)/lint-imports

unit: .venv/.dev-stamp  ## the tests alone (ARGS="-k word" for some)
	$(BIN)/python -m pytest -n $(WORKERS) --maxprocesses 8 --dist worksteal $(ARGS)

format: .venv/.dev-stamp  ## format the code, and mend what ruff can
	$(BIN)/ruff check --fix
	$(BIN)/ruff format

mapping: .venv/.dev-stamp  ## write docs/mapping.md anew, out of the tables
	$(BIN)/python -m tests.house.mapping_page

settings: .venv/.dev-stamp  ## write docs/configuration.md and README's table anew, out of the catalogue
	$(BIN)/python -m tests.house.settings_page

fixtures: .venv/.dev-stamp  ## write what dragoman says in fixtures/ anew
	$(BIN)/python -m tests.support.fixture_writer

client: .venv/.dev-stamp  ## tests with the real Claude Code and the TypeScript SDK (need node and npm)
	$(BIN)/pytest -m client $(ARGS)

picture: .venv/.dev-stamp  ## take the pictures of docs/ anew: the page, and the real Claude Code (needs Chromium; npm for the latter)
	$(BIN)/python -m tests.support.page_picture docs
	$(BIN)/python -m tests.support.terminal_picture docs

engines: .venv/.dev-stamp  ## tests with real inference engines (each skips where its program is absent)
	$(BIN)/pytest -m engine $(ARGS)

# In an environment of its own: what the suites need is nothing that dragoman needs. What is not on this machine is left out.
suites: .venv/.run-stamp suites/go/sdk suites/ai_sdk/node_modules suites/agents/node_modules  ## other people's suites and clients (need a registry; node, go, Java and Maven for some)
	test -d .venv-suites || $(PYTHON) -m venv .venv-suites
	.venv-suites/bin/python -m pip install --quiet --disable-pip-version-check -r suites/requirements.txt
	.venv-suites/bin/python -m pytest -c suites/pytest.ini suites $(ARGS)

suites/%/node_modules: suites/%/package.json
	! command -v npm > /dev/null || npm install --silent --no-audit --prefix suites/$*

# The SDK's tests are in its module, in a place that cannot be written to.
suites/go/sdk: suites/go/go.mod
	! command -v go > /dev/null || { rm -rf $@ && \
		cp -r "$$(cd suites/go && go mod download -json | sed -n 's/.*"Dir": "\(.*\)".*/\1/p')" $@ && chmod -R u+w $@; }

# Bounded in count and time. What each part finds is noted, and the page written anew.
soak: .venv/.dev-stamp  ## hostile bytes, chaos, overload and a long run: an hour or two (SOAK_...)
	SOAK_CONNECTIONS=$(SOAK_CONNECTIONS) SOAK_SECONDS=$(SOAK_SECONDS) SOAK_SEED=$(SOAK_SEED) SOAK_STREAMS=$(SOAK_STREAMS) \
		$(BIN)/pytest tests/fuzz $(ARGS)
	$(BIN)/python -m tests.chaos.rounds --seconds $(SOAK_SECONDS) --seed $(SOAK_SEED)
	$(BIN)/python -m tests.chaos.overload --seed $(SOAK_SEED)
	$(BIN)/python -m tests.chaos.kills --seed $(SOAK_SEED)
	$(BIN)/python -m tests.chaos.soak --minutes $(SOAK_MINUTES) --seed $(SOAK_SEED)
	$(MAKE) reliability

reliability: .venv/.dev-stamp  ## write docs/reliability.md anew, out of what make soak has found
	$(BIN)/python -m tests.chaos.report

bench: .venv/.dev-stamp  ## what an event and a stream cost on this machine
	$(BIN)/dragoman bench $(ARGS)

stalls: .venv/.dev-stamp  ## how long streams stand still while something large is sent
	$(BIN)/python -m pipeline.bench.stalls $(ARGS)

.PHONY: telemetry
telemetry: .venv/.dev-stamp  ## what log, metrics and spans cost a request
	$(BIN)/python -m pipeline.bench.telemetry $(ARGS) 2>/dev/null

# The wheel as a user gets it: its own venv, another directory, nothing of the checkout on the path.
wheel: .venv/.dev-stamp  ## build the wheel and test it as installed
	rm -rf dist
	$(BIN)/python -m build --outdir dist .
	@room=$$(mktemp -d) && trap 'rm -rf "$$room"' EXIT && set -e && \
		$(BIN)/python -m venv "$$room/venv" && \
		"$$room/venv/bin/python" -m pip install --quiet --disable-pip-version-check dist/*.whl && \
		cp tests/house/installed.py "$$room/" && cd "$$room" && \
		venv/bin/dragoman --version && \
		venv/bin/python installed.py

lock:  ## write deploy/requirements.lock anew, with uv: what the image installs, by version and hash
	uv pip compile pyproject.toml --extra offline --extra otel --universal --python-version 3.11 --generate-hashes --upgrade \
		--no-header --no-annotate --no-emit-index-url --quiet --output-file deploy/requirements.lock

# Watching every line takes half as long again, so it is not part of `make test`.
coverage: .venv/.dev-stamp  ## branch coverage, held to its limit; and each module's by its own test file alone
	$(BIN)/coverage run -m pytest -p tests.house.contexts $(ARGS)
	$(BIN)/coverage report
	$(BIN)/python -m tests.house.individual_coverage

clean:  ## remove what was built; .venv stays (rm -rf .venv for that)
	rm -rf dist build .coverage .coverage.* .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
	find . -name .venv -prune -o -name __pycache__ -type d -exec rm -rf {} +
