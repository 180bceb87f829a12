# Each target sets up what it needs; `make help` lists them.
.DEFAULT_GOAL := help
.PHONY: help demo test setup check format pictures bench bench-web lock

BIN := .venv/bin
UV := $(or $(shell command -v uv 2>/dev/null),.venv/lock/bin/uv)
CHROMIUM := $(shell for name in chromium chromium-browser google-chrome; do command -v $$name && break; done)

help: ## list the targets
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/  make \1\t\2/p' Makefile | expand -t 16

demo: setup ## set up, run the whole circle on the sample desk, then serve it
	$(BIN)/wfm demo

test: setup ## set up, then pass the tests (browser tests need Chromium)
ifeq ($(CHROMIUM),)
	@echo "test: no Chromium, so no browser tests; install it (Debian: apt-get install chromium fonts-noto-cjk)" >&2
	@test -z "$$CI"
endif
	$(BIN)/pytest -n 2 --dist loadfile --max-worker-restart 0 $(if $(CHROMIUM),,-m "not browser")

setup: .venv/complete ## make .venv from requirements.lock

.venv/complete: requirements.lock pyproject.toml
	@scripts/setup

check: setup ## format, lint, types, walls, and migrations in step with the tables
	$(BIN)/ruff format --check
	$(BIN)/ruff check
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/wfm db check

format: setup ## format the code and mend what the linter can
	$(BIN)/ruff format
	$(BIN)/ruff check --fix

pictures: setup ## make the demo and take the guides' pictures from it into docs/pictures
	mkdir -p docs/pictures
	WFM_PICTURES=$(CURDIR)/docs/pictures $(BIN)/pytest -q tests/e2e -k "opens or spring"

bench: setup ## run the benchmarks (long); TOPIC=business_time for one of them
	set -e; for run in $(or $(TOPIC:%=benchmarks/%/run.py),$(filter-out benchmarks/web/%,$(wildcard benchmarks/*/run.py))); do echo "$$run"; $(BIN)/python $$run; done

bench-web: setup ## the pages under load: demo data × 10, a hundred dispatchers (wants wrk; long)
	$(BIN)/python benchmarks/web/run.py

lock: $(UV) ## resolve the dependencies again into requirements.lock; UPGRADE=--upgrade for newer ones
	$(UV) pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header \
	    --all-extras --group dev $(UPGRADE) pyproject.toml -o requirements.lock

.venv/lock/bin/uv: | setup
	$(BIN)/python -m venv .venv/lock
	.venv/lock/bin/pip install --quiet uv
