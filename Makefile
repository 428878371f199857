# Bare `make` lists the targets. Everything runs in .venv, which `make setup` makes from the pins in setup.py.
PYTHON ?= python3
BIN := .venv/bin
export SPARK_LOCAL_IP := 127.0.0.1
export PYSPARK_PYTHON := $(CURDIR)/$(BIN)/python
export PYSPARK_DRIVER_PYTHON := $(CURDIR)/$(BIN)/python

.DEFAULT_GOAL := help
.PHONY: help setup demo once test test-unit test-spark test-streaming test-aws test-browser test-scenarios check format bench evaluate fuzz chaos chaos-tables chaos-guards soak notebook test-matrix package deploy up down clean

help: ## this list
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F':.*## ' '{printf "  make %-16s %s\n", $$1, $$2}'

.venv/ready: setup.py tools/preflight.py
	@$(PYTHON) tools/preflight.py
	@test -d .venv || $(PYTHON) -m venv .venv
	@echo "Installing the pinned dependencies into .venv (some minutes the first time) ..."
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[archive,browser,demo,dev,notebook]'
	@touch .venv/ready

setup: .venv/ready ## make .venv with every pinned dependency

demo: setup ## an AWS account on this machine, the real Spark job, and scenarios played into both; then a page to look at
	@$(BIN)/probable-cause demo

once: setup ## the demo without waiting for you: plays, checks every expectation, exits 0 or 1
	@$(BIN)/probable-cause demo --once

test: setup ## every tier of tests, in two processes, cheap ones first
	@$(BIN)/python tools/browser.py
	@$(BIN)/python tools/tests.py

test-unit test-spark test-streaming test-aws test-browser test-scenarios: test-%: setup ## one tier: unit, spark, streaming, aws, browser or scenarios
	@$(BIN)/python -m pytest tests/$*

check: setup ## lint, format, types, pinned versions and their known faults; changes nothing
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@$(BIN)/cfn-lint infra/cloudformation/*.yaml
	@$(BIN)/python tools/guard.py
	@$(BIN)/python tools/audit.py

format: setup ## rewrite the code in the project's format
	@$(BIN)/ruff check --fix --quiet . || true
	@$(BIN)/ruff format .

evaluate: setup ## score the ranking on the published benchmark; fails when it got worse
	@$(BIN)/python -m benchmarks.incidents.evaluate

fuzz: setup ## mutated log lines through every parser, for a bounded time; by coverage too where atheris is installed
	@$(BIN)/python -m tests.fuzz.run
	@$(BIN)/python -m tests.fuzz.coverage

chaos: setup ## the job under fire, against an oracle (CHAOS="--seed 1 --kills 40 --events 200000" for more)
	@$(BIN)/python -m tests.chaos $(CHAOS)

chaos-tables: setup ## the tables' part alone: a million events, hundreds of crashes, lost checkpoints
	@$(BIN)/python -m tests.chaos.tables_only --events 1000000 --crashes 1000 $(CHAOS)

chaos-guards: setup ## each guard taken out once: the harness must find that out
	@$(BIN)/python -m tests.chaos --guards-off $(CHAOS)

MINUTES ?= 5
RATE ?= 2000
soak: setup ## a steady stream for MINUTES at RATE lines/s: memory, checkpoint, lag
	@$(BIN)/python -m tests.chaos.soak --minutes $(MINUTES) --rate $(RATE)

bench: setup ## speed and latency on this machine, as ratios within one run, beside Polars and DuckDB
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[bench]'
	@$(BIN)/python -m benchmarks.compare
	@$(BIN)/python -m benchmarks.speed
	@$(BIN)/python -m benchmarks.families
	@$(BIN)/python -m benchmarks.log_processor
	@$(BIN)/python -m benchmarks.rules
	@$(BIN)/python -m benchmarks.floods
	@$(BIN)/python -m benchmarks.growth
	@$(BIN)/python -m benchmarks.latency

notebook: setup ## open the notebooks in JupyterLab, on 127.0.0.1 only
	@$(BIN)/python -m jupyterlab notebooks --ip 127.0.0.1 --allow-root

test-matrix: setup ## unit and Spark tests on each Python here, with the pinned and the newest Spark and Delta that go together
	@$(BIN)/python tools/matrix.py

package: setup ## the wheel, the Lambdas' zips, templates and page for AWS, under dist/, with sizes
	@$(BIN)/python tools/package.py

STACK ?= main
deploy: ## a stack into AWS, with a preview: make deploy STACK=main ARGS="--param VpcId=vpc-0abc" (docs/deploy.md)
	@$(BIN)/python -m tools.deploy $(STACK) $(ARGS)

up: ## emulator, job and dashboard in containers
	@docker compose up --build --detach
	@docker compose logs --follow --no-log-prefix dashboard

down: ## end them, and forget what they kept
	@docker compose down --volumes

clean: ## remove what was built, not .venv
	@rm -rf build dist .local spark-warehouse .pytest_cache .mypy_cache .ruff_cache
