# Everything a person does here begins with make. Each target does its own set-up (tools/setup).

PYTHON ?= python3
WORKERS ?= 2
# What is passed on: make run ARGS="--help", make test PYTEST_ARGS="-k contactor"
ARGS ?=
PYTEST_ARGS ?=

BIN := .venv/bin
PYTEST = $(BIN)/python -m pytest -n $(WORKERS) --dist worksteal

.DEFAULT_GOAL := help
.PHONY: help setup run test bench soak lint clean distclean

help: ## this list
	@sed -n 's/^\([a-z]*\):.*## /\1\t/p' Makefile | while IFS='	' read -r name what; do \
	  printf '  make %-10s %s\n' "$$name" "$$what"; done

setup: ## build .venv and build/lib; every target below does it when needed
	@command -v $(PYTHON) >/dev/null || \
	  { echo "setup: there is no $(PYTHON): sudo apt install python3 python3-venv" >&2; exit 2; }
	@$(PYTHON) -B tools/setup

run: setup ## the virtual charger with its view; ARGS="..." is passed on
	@$(BIN)/pilotwire run $(ARGS)

test: setup ## lint and all tests but the soak; PYTEST_ARGS="..." is passed on
	@failed=0; $(BIN)/ruff check || failed=1; $(PYTEST) $(PYTEST_ARGS) || failed=1; exit $$failed

bench: setup ## measure every figure, ten minutes on two cores; ARGS="..." is passed on
	@$(BIN)/pilotwire bench $(ARGS)

soak: setup ## the long tests
	@$(PYTEST) -m soak --timeout 0 $(PYTEST_ARGS)

lint: setup ## ruff over firmware, tools and tests
	@$(BIN)/ruff check

clean: ## remove what was built and what the tests left; keep .venv
	rm -rf build .pytest_cache .ruff_cache .hypothesis
	find firmware tools host_tests -name __pycache__ -type d -prune -exec rm -rf {} +

distclean: clean ## clean, and .venv; the downloads in ~/.cache/pilotwire stay
# The stamp first: half a .venv must not look whole.
	@rm -f .venv/set-up-complete
	rm -rf .venv
