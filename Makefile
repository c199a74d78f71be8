# make demo   a real stack and the agent on it, until Ctrl-C
# make test   lint, types, generated files fresh, every test; sets up what it needs
# make docs   write the generated files anew

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
SOURCES := probe tests bench

.PHONY: demo test lint types fresh tests coverage pythons docs services clean
.DELETE_ON_ERROR:

demo: $(VENV)/.demo
	@$(BIN)/probe demo $(ARGS)

test: lint types fresh tests pythons

lint: $(VENV)/.dev
	$(BIN)/ruff check $(SOURCES)
	$(BIN)/ruff format --check $(SOURCES)

types: $(VENV)/.dev
	$(BIN)/mypy

fresh: $(VENV)/.dev
	$(BIN)/python -m probe.docs --check

docs: $(VENV)/.dev
	$(BIN)/python -m probe.docs

tests: $(VENV)/.dev
	$(BIN)/pytest

# The same, a third slower, and what of probe no test has run.
coverage: $(VENV)/.dev
	$(BIN)/pytest --cov --cov-report=term

# The tests that need no server, on every other supported Python that is installed.
pythons: $(VENV)/.dev
	@PYTHON_OF_TESTS=$(BIN)/python sh tests/pythons.sh

services:
	sh tests/services.sh

$(VENV)/bin/pip:
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet --upgrade 'pip>=25.1'

$(VENV)/.demo: pyproject.toml $(VENV)/bin/pip
	$(BIN)/pip install --quiet --editable '.[demo]'
	@touch $@

$(VENV)/.dev: $(VENV)/.demo
	$(BIN)/pip install --quiet --group dev
	@touch $@

clean:
	rm -rf $(VENV) .venv-3.* .coverage .hypothesis .mypy_cache .pytest_cache .ruff_cache build dist
