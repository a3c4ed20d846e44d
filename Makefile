# Everything a developer or an operator does here. `make help` lists it.
SHELL := /bin/sh
.DEFAULT_GOAL := help

PYTHON ?= python3
BIN := .venv/bin
PYTEST := $(BIN)/pytest -n 3 --dist loadgroup
PORT ?= 8000

.PHONY: help up serve site test test-browser test-slow nightly check format screenshots bench crash outage fuzz lock release wheelhouse sbom \
  licences advisories clean

help: ## List what make can do
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sort | awk -F ':.*## ' '{printf "  make %-12s %s\n", $$1, $$2}'

up: .venv/ready ## Start a register: database, demonstration records, site and API
	$(BIN)/registry up --port $(PORT)

serve: .venv/ready ## Serve the API and the built site, without loading or building anything
	$(BIN)/registry serve --port $(PORT)

site: .venv/ready ## Build the static site from the register
	$(BIN)/registry site build

test: .venv/ready-dev ## Run the tests, but for the next two; T= a folder or file, all of it
	$(PYTEST) $(if $(T),$(T),-m "not browser and not slow and not nightly" tests)

test-browser: .venv/ready-dev ## Run the tests of every kind of page in a browser
	$(PYTEST) -n 2 -m "browser and not nightly" tests/browser

test-slow: .venv/ready-dev .venv/readers/ready ## Run attacks, faults, crashes, other people's programs, what is shipped
	$(PYTEST) -m "slow and not nightly" tests

nightly: .venv/ready-dev .venv/readers/ready ## Run the campaigns that take minutes each, then fuzz, crash and outage
	$(PYTEST) -n 2 -m nightly --ignore tests/fuzz tests
	$(MAKE) fuzz
	$(MAKE) crash
	$(MAKE) outage

check: .venv/ready-dev ## Run every linter; changes nothing
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/djlint site/templates site/console --lint --quiet
	$(BIN)/squawk registry/store/migrations/*.sql
	$(BIN)/codespell

format: .venv/ready-dev ## Put the code in its usual form
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

screenshots: .venv/ready-dev ## Take pictures of every kind of page into var/screenshots; ONLY= some
	$(if $(ONLY),ONLY="$(ONLY)") $(BIN)/python -m tests.browser.screenshots

bench: .venv/ready-dev ## Measure, and write tests/bench/results.md; ONLY= some, SIZES= of search
	$(if $(SIZES),BENCH_SIZES=$(SIZES)) $(BIN)/python -m tests.bench $(ONLY)

crash: .venv/ready-dev ## Kill it under load, ROUNDS times (100); SEED= repeats a campaign
	$(BIN)/python -m tests.crash $(if $(ROUNDS),--rounds $(ROUNDS)) $(if $(SEED),--seed $(SEED))

outage: .venv/ready-dev ## Cut hosts off, fail over, update; ROUNDS= failovers, ONLY= one, FROM= a commit with the same 0001
	$(BIN)/python -m tests.outage $(if $(ROUNDS),--rounds $(ROUNDS)) $(if $(ONLY),--only $(ONLY)) \
	  $(if $(FROM),--from $(FROM))

fuzz: .venv/ready-dev ## Ask it 20,000 things and more; SEED= and EXAMPLES= repeat a campaign
	FUZZ_EXAMPLES=$(or $(EXAMPLES),600) MUTANTS=20000 $(if $(SEED),FUZZ_SEED=$(SEED)) \
	  $(BIN)/pytest -s tests/fuzz tests/record/test_fast_validator.py tests/search/test_oracle.py \
	  tests/imports/test_reading_fuzz.py tests/imports/test_crosswalk_fuzz.py

lock: .venv/ready-dev ## Resolve the dependencies anew into the lock files
	$(BIN)/uv pip compile pyproject.toml --group build --universal --python-version 3.11 \
	  --generate-hashes --no-emit-index-url --custom-compile-command 'make lock' --upgrade --quiet \
	  -o requirements.lock
	$(BIN)/uv pip compile pyproject.toml --group dev --universal --python-version 3.11 \
	  --generate-hashes --no-emit-index-url --custom-compile-command 'make lock' --quiet \
	  -c requirements.lock -o requirements-dev.lock
	$(BIN)/uv pip compile --group pyproject.toml:readers --universal --python-version 3.11 \
	  --generate-hashes --no-emit-index-url --custom-compile-command 'make lock' --quiet \
	  -o requirements-readers.lock

release: .venv/ready-dev ## Make what a release of this commit is made of, in dist/release
	$(BIN)/python -m tools.release all

wheelhouse: .venv/ready-dev ## Pack all that a machine without network needs; PYTHONS= like its own
	$(BIN)/python -m tools.release $(PYTHONS:%=--python %) wheelhouse

sbom: .venv/ready-dev ## Write what the software is made of, CycloneDX, into dist/
	$(BIN)/python -m tools.release sbom

licences: .venv/ready-dev ## Write docs/security/licences.md anew
	$(BIN)/python -m tools.release licences

advisories: .venv/ready-dev ## Ask whether weaknesses of what is locked are known; needs network
	$(BIN)/uv tool run pip-audit@2.10.1 --strict --require-hashes --disable-pip -r requirements.lock \
	  && $(BIN)/uv tool run pip-audit@2.10.1 --strict --require-hashes --disable-pip -r requirements-dev.lock \
	  && $(BIN)/uv tool run pip-audit@2.10.1 --strict --require-hashes --disable-pip -r requirements-readers.lock \
	  || { echo "weaknesses are known, or no database could be asked: see above"; exit 1; }

clean: ## Remove the environment and everything that was built (not var/, the data)
	rm -rf .venv dist build .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache

# The environment: what the lock says and nothing else, then the package itself.
.venv/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
	  || { echo "Python 3.11 or later is needed; name one with: make PYTHON=python3.12 …"; exit 1; }
	@$(PYTHON) -m venv .venv \
	  || { rm -rf .venv; echo "The module venv is missing; on Debian: apt-get install python3-venv"; exit 1; }

.venv/ready: .venv/bin/python requirements.lock pyproject.toml
	$(BIN)/python -m pip install --disable-pip-version-check -q --require-hashes -r requirements.lock
	$(BIN)/python -m pip install --disable-pip-version-check -q --no-deps --no-build-isolation -e .
	@touch $@

.venv/ready-dev: .venv/ready requirements-dev.lock
	$(BIN)/python -m pip install --disable-pip-version-check -q --require-hashes -r requirements-dev.lock
	@touch $@

# The programs of those who read what is exported, which tests run: beside the register's own environment.
.venv/readers/ready: .venv/ready-dev requirements-readers.lock
	$(BIN)/python -m venv --without-pip .venv/readers
	$(BIN)/python -m pip --python .venv/readers/bin/python install --disable-pip-version-check -q --require-hashes --no-compile -r requirements-readers.lock
	@touch $@
