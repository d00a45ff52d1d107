# `make demo` shows the whole pipeline on this machine; `make test` proves it.  `make help` lists the rest.

PYTHON ?= $(shell command -v python3.13 || command -v python3)
BIN := .venv/bin
SOURCES := functions layers/netvitals/netvitals tests local benchmarks

.PHONY: help demo test check lint types imports lock clean

help: ## What there is to make
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 14

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info[:2] != (3, 13))' \
	  || { echo "netvitals needs Python 3.13; name one with: make PYTHON=/path/to/python3.13" >&2; exit 1; }
	$(PYTHON) -m venv .venv

# What runs the command and the demo.
$(BIN)/netvitals: $(BIN)/python local/requirements.txt pyproject.toml
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r local/requirements.txt
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --editable .
	@touch $@

# SAM, apart: it pins the very packages that the collector pins otherwise.
.venv-sam/bin/sam: tests/sam-requirements.txt $(BIN)/netvitals
	$(PYTHON) -m venv .venv-sam
	$(BIN)/uv pip install --quiet --python .venv-sam/bin/python --require-hashes -r tests/sam-requirements.txt
	@touch $@

# What tests and checks it, besides.
.venv/tested-with: tests/requirements.txt $(BIN)/netvitals
	$(BIN)/uv pip install --quiet --python $(BIN)/python --require-hashes -r tests/requirements.txt
	@touch $@

demo: $(BIN)/netvitals ## Run the whole pipeline here: no account, no Docker, no root (WATCH=1 keeps it running)
	$(BIN)/python -m local.demo $(if $(WATCH),--watch)

test: .venv/tested-with .venv-sam/bin/sam ## Run every test that this machine can run
	$(BIN)/python -m pytest $(ARGS)

check: lint types imports ## Lint, types, direction of imports

lint: .venv/tested-with
	$(BIN)/ruff check $(SOURCES)
	$(BIN)/ruff format --check $(SOURCES)

types: .venv/tested-with
	$(BIN)/mypy $(SOURCES)

imports: .venv/tested-with
	$(BIN)/lint-imports

lock: ## Pin the dependencies anew
	$(BIN)/uv pip compile --quiet --upgrade --generate-hashes --no-header --no-emit-index-url --python-version 3.13 \
	  --python-platform aarch64-manylinux_2_28 pyproject.toml -o layers/dependencies/requirements.txt
	$(BIN)/uv pip compile --quiet --upgrade --generate-hashes --no-header --no-emit-index-url --python-version 3.13 \
	  -c layers/dependencies/requirements.txt --universal --extra cli --group demo pyproject.toml -o local/requirements.txt
	$(BIN)/uv pip compile --quiet --upgrade --generate-hashes --no-header --no-emit-index-url --python-version 3.13 \
	  -c local/requirements.txt --universal --extra cli --group dev pyproject.toml -o tests/requirements.txt
	echo aws-sam-cli | $(BIN)/uv pip compile --quiet --upgrade --generate-hashes --no-header --no-emit-index-url \
	  --python-version 3.13 --universal - -o tests/sam-requirements.txt

clean:
	rm -rf .venv .venv-sam .aws-sam
