# Pulseprint: every task a developer or a newcomer needs. `make help` lists them.
#
#   make run PORT=8123                    another port
#   make demo DATA=../shared/data/ecg/ecg_id   real people instead of computed ones
#   make demo DATA=captures               the same with <person>/{ecg,face,fingerprint}/…, or a folder of research sets
#   make run FACE=0                       without fetching face networks
#   make test ARGS='-k feed -x'           arguments for pytest
#   PIP_EXTRA_INDEX_URL=… make test       where pip finds torch for CPUs (PyPI's for Linux brings gigabytes of CUDA)
#   make run PYTHON=/opt/python3.13/bin/python3   a particular interpreter for the environments

.DEFAULT_GOAL := help
SHELL := /bin/sh

PORT ?=
DATA ?=
FACE ?= 1
ARGS ?=

# The first interpreter that is new enough; recursive on purpose: asked only when an environment has to be made.
PYTHON ?= $(shell for python in python3 python3.14 python3.13 python3.12 python3.11; do \
	$$python -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && { echo $$python; break; }; done)

RUNTIME := .venv/bin/python
DEV := .venv-dev/bin/python
BASELINES := .venv-baselines/bin/python

checked_code := app ml migrations tests benchmarks deploy

ifneq ($(PORT),)
export PULSEPRINT_PORT := $(PORT)
endif

##@ Use

run: .venv/.made ## Set up on the first call, then serve (PORT=8123)
	@$(RUNTIME) -m app.cli setup
	$(fetch_face)
	@exec $(RUNTIME) -m app.cli serve

demo: .venv/.made ## Enroll and recognize people over HTTP on a fresh var/demo (PORT, DATA=folder, DEMO_EXIT=1)
	$(fetch_face)
	@exec $(RUNTIME) -m app.demo serve-and-run $(if $(PORT),--port $(PORT)) $(if $(DATA),--data $(DATA))

face: .venv/.made ## Fetch the face networks of others by their checksums; run and demo do it, FACE=0 leaves it out
	@$(RUNTIME) -m app.cli models fetch face

# Faces are optional: what cannot be fetched is one line, and the service starts without them.
define fetch_face
	@test "$(FACE)" = 0 || $(RUNTIME) -m app.cli models fetch face || true
endef

##@ Develop

test: .venv-dev/.made ## Install what the tests need and run them all (ARGS='-k name')
	$(DEV) -m pytest $(ARGS)

check: static test ## Everything that has to hold before a commit: static and test

static: format-check lint types architecture migrations ## All checks but the full suite

format: .venv-dev/.made ## Rewrite the code in the project's format
	$(DEV) -m ruff format $(checked_code)
	$(DEV) -m ruff check --fix --select I $(checked_code)

format-check: .venv-dev/.made ## Is the code in the project's format?
	$(DEV) -m ruff format --check $(checked_code)

lint: .venv-dev/.made ## Ruff, with the rules in pyproject.toml
	$(DEV) -m ruff check $(checked_code)

types: .venv-dev/.made ## mypy --strict on app and ml
	$(DEV) -m mypy

architecture: .venv-dev/.made ## Do imports point inwards?
	$(DEV) -m pytest -q tests/architecture

migrations: .venv-dev/.made ## Do migrations run up, down, up and end at the tables of the code?
	$(DEV) -m pytest -q tests/integration -k migration

# Hypothesis marks its own tests, and those of schemathesis, with `hypothesis`; -s shows the counts they print.
fuzz: .venv-dev/.made ## Property and API fuzzing with 500 examples instead of 50
	PULSEPRINT_HYPOTHESIS_PROFILE=fuzz $(DEV) -m pytest -m hypothesis -s $(ARGS)

# CI runs a form of these within a minute; the long one repeats the figures of docs/attacks.md.
attacks: .venv-dev/.made ## Attack the service as strangers would, in full strength (ARGS='-k climb')
	PULSEPRINT_ATTACKS=long $(DEV) -m pytest tests/attacks -s $(ARGS)

# Needs node and npm. What the generators make lies in build/clients and is never committed.
clients: .venv-dev/.made .venv-clients/.made ## Lint docs/openapi.json, generate clients and recognize people through them
	$(DEV) -m tests.clients

bench: .venv-dev/.made ## Measure the budgets of DESIGN §10; raw numbers as JSON
	$(DEV) -m benchmarks $(ARGS)

##@ Environments

environments: .venv/.made .venv-dev/.made ## Make .venv (runtime) and .venv-dev (tests and tools)

.venv/.made: requirements/runtime.txt
	$(call make_environment,.venv,$<)

# Tests and tools, and what training needs: networks are tested like everything else. Both in one command, so that
# pip takes the build of torch that is pinned.
.venv-dev/.made: requirements/dev.txt requirements/train.txt
	$(call make_environment,.venv-dev,$^)

.venv-baselines/.made: requirements/baselines.txt
	$(call make_environment,.venv-baselines,$<)

.venv-clients/.made: requirements/clients.txt
	$(call make_environment,.venv-clients,$<)

baselines: .venv-baselines/.made ## Make .venv-baselines (BioSPPy, NeuroKit2) for the comparison tables

# Pinned requirements are installed in place: unchanged pins cost two seconds, changed ones only what changed.
define make_environment
	@test -n "$(PYTHON)" && $(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || { \
		echo "pulseprint: Python 3.11 or newer is needed and was not found; name one with: make PYTHON=/path/to/python3" >&2; \
		exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || { \
		echo "pulseprint: $(PYTHON) has no venv module; install it first (Debian, Ubuntu: apt install python3-venv)" >&2; \
		exit 1; }
	@$(1)/bin/python -c 'import pip' 2>/dev/null || $(PYTHON) -m venv --clear $(1)
	@echo "pulseprint: installing $(2) into $(1) (the first time takes a minute)" >&2
	@$(1)/bin/python -m pip install --quiet --disable-pip-version-check $(addprefix --requirement ,$(2))
	@touch $@
endef

lock: .venv-dev/.made ## Resolve pyproject.toml anew into requirements/*.txt, for every platform
	$(DEV) -m pip install --quiet uv
	@# With hashes, which pip then demands of everything in the file; torch comes from several indexes, so dev and train have none.
	$(lock_command) --generate-hashes pyproject.toml --output-file requirements/runtime.txt
	$(lock_command) pyproject.toml --extra dev --constraints requirements/runtime.txt --output-file requirements/dev.txt
	$(lock_command) pyproject.toml --extra train --constraints requirements/dev.txt --output-file requirements/train.txt
	@# What only torch's builds for CUDA need, they bring themselves.
	grep -vE '^(cuda-|nvidia-|triton)' requirements/train.txt > requirements/train.tmp && mv requirements/train.tmp requirements/train.txt
	$(lock_command) pyproject.toml --extra baselines --constraints requirements/runtime.txt --output-file requirements/baselines.txt
	$(lock_command) requirements/clients.in --output-file requirements/clients.txt

lock_command = $(DEV) -m uv pip compile --quiet --upgrade --universal --python-version 3.11 --fork-strategy fewest \
	--no-annotate --custom-compile-command 'make lock'

##@ Deploy

pin-images: ## Write the digests of the base images of today into deploy.env; commit to them by keeping that file
	@sh deploy/pin-images.sh

deploy-secrets: ## Draw the master key and the database password of docker-compose.yml, once
	@sh deploy/make-secrets.sh

##@ Clean up

clean: ## Remove caches and build products; keeps environments, data and .env
	rm -rf .mypy_cache .pytest_cache .ruff_cache .hypothesis build dist *.egg-info
	find app ml migrations tests benchmarks -name __pycache__ -type d -prune -exec rm -rf {} +

clean-environments: ## Remove .venv, .venv-dev, .venv-baselines and .venv-clients
	rm -rf .venv .venv-dev .venv-baselines .venv-clients

help: ## Show this list
	@awk 'BEGIN { FS = ":.*## " } \
		/^##@/ { printf "\n%s\n", substr($$0, 5) } \
		/^[a-z-]+:.*## / { printf "  make %-20s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

.PHONY: run demo face test check static format format-check lint types architecture migrations fuzz clients bench environments baselines \
	lock pin-images deploy-secrets clean clean-environments help
