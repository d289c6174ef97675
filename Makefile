# Everything a person runs. Each target sets up what it needs first; a second run finds it done.
SHELL := /bin/sh
.DELETE_ON_ERROR:

SEEDS ?= 100
ROUNDS ?= 50
OUTAGES ?= 100
CUTS ?= 100
SEED ?= 1
TRANSCRIPTS ?= 10000
ARGS ?=
SEATWATCH_SHARED_DATA ?= ../shared/data
export SEATWATCH_SHARED_DATA

# Where this is set (containers often do), every process and every worker of the tests would compile all of it anew.
unexport PYTHONDONTWRITEBYTECODE

PYTHON_IN_VENV := .venv/bin/python
LOCKS := pyproject.toml tools/setup.sh $(wildcard requirements/*.txt)

.PHONY: help setup system demo up test test-data lint bench bench-probe sim kills cuts pages oracle pictures lock clean

help: ## list the targets
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/  make \1|\2/p' Makefile | awk -F'|' '{ printf "%-18s %s\n", $$1, $$2 }'

.venv/.installed-server: $(LOCKS)
	@tools/setup.sh server

.venv/.installed-dev: $(LOCKS)
	@tools/setup.sh dev

setup: .venv/.installed-dev ## build .venv from the lock files, with the test tools

system: ## as root on Debian: install the servers the tests talk to
	@tools/system-packages.sh

demo: .venv/.installed-server ## watch a simulated contact center live (ARGS="--for 60s --seed 1")
	@$(PYTHON_IN_VENV) -m seatwatch demo $(ARGS)

up: .venv/.installed-server ## run collector, engine and board in one process (ARGS="--config FILE --data DIR")
	@$(PYTHON_IN_VENV) -m seatwatch up $(ARGS)

test: setup system ## run the test suite against real servers, four files at a time, then the tests that need the machine alone
	@$(PYTHON_IN_VENV) -m pytest -n 4 --dist loadfile --no-loadscope-reorder -m "not alone" --ignore=tests/shared_data $(ARGS); \
	beside=$$?; echo "== tests that need the machine alone"; \
	$(PYTHON_IN_VENV) -m pytest -m alone --ignore=tests/shared_data $(ARGS); \
	case $$beside-$$? in 0-0|0-5|5-0) ;; *) exit 1;; esac # 5: ARGS asked for none of them

test-data: setup ## run the tests over real recordings in SEATWATCH_SHARED_DATA
	@test -d "$(SEATWATCH_SHARED_DATA)" || { echo "SEATWATCH_SHARED_DATA: no folder at $(SEATWATCH_SHARED_DATA)" >&2; exit 1; }
	@$(PYTHON_IN_VENV) -m pytest tests/shared_data $(ARGS)

lint: setup ## ruff and mypy, both strict
	@.venv/bin/ruff check .
	@.venv/bin/ruff format --check .
	@.venv/bin/mypy

bench-probe: setup system ## footprint of the probe beside two other agents (ARGS=60 for its seconds)
	@$(PYTHON_IN_VENV) -m bench.bench_probe $(ARGS)

bench: setup ## run every bench in turn and print its table
	@missed=; for bench in bench/bench_*.py; do \
	    echo "== $$bench"; $(PYTHON_IN_VENV) -m "bench.$$(basename "$$bench" .py)" || missed="$$missed $$bench"; \
	done; test -z "$$missed" || { echo "failed, or beyond a limit:$$missed" >&2; exit 1; }

sim: setup ## run the seeded world (SEEDS=100)
	@$(PYTHON_IN_VENV) -m tests.sim --seeds $(SEEDS) $(ARGS)

oracle: setup ## compare the engine with the oracle over random ledgers (TRANSCRIPTS=10000 SEED=1)
	@$(PYTHON_IN_VENV) -m tests.oracle --transcripts $(TRANSCRIPTS) --seed $(SEED) $(ARGS)

pages: setup system ## outages injected from UPS to telephone, and whether each was paged once (OUTAGES=100 SEED=1)
	@$(PYTHON_IN_VENV) -m tests.integration.outages --outages $(OUTAGES) --seed $(SEED)

kills: setup system ## kill -9 every process at random under load (ROUNDS=50 SEED=1)
	@$(PYTHON_IN_VENV) -m tests.integration.kill_rounds --rounds $(ROUNDS) --seed $(SEED) $(ARGS)

cuts: setup system ## as root: cut the lines of a site at random and check the record (CUTS=100 SEED=1)
	@$(PYTHON_IN_VENV) -m tests.integration.line_cuts --cuts $(CUTS) --seed $(SEED) $(ARGS)

pictures: setup system ## take every picture in README and docs anew, of a running demo and of a day on record
	@$(PYTHON_IN_VENV) tools/screenshot_wallboard.py $(ARGS)
	@$(PYTHON_IN_VENV) -m tools.screenshot_day $(ARGS)
	@$(PYTHON_IN_VENV) -m tools.screenshot_portal

lock: setup ## compile requirements/*.txt anew (ARGS=--upgrade for newer versions)
	@tools/lock.sh $(ARGS)

clean: ## remove .venv, caches and build output
	@rm -rf .venv .mypy_cache .ruff_cache .pytest_cache .hypothesis build dist *.egg-info
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +
