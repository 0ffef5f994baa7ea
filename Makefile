# The manual of a developer's day. Every target makes what it needs, once.
#
#   make serve     run the service on http://127.0.0.1:6543 (PORT=8080 moves it); another database by
#                  DATABASE_URL=postgresql+psycopg://... (its driver is installed)
#   make test      run every test, on SQLite, PostgreSQL and MariaDB
#   make check     what CI runs: lint, types, tests, packaging, published and generated
#                  clients, the API against its description, its pages in a browser
#   make ui        drive all of the browser UI, for minutes: axe, roles, bulk changes, sessions, languages
#   make scripts   check the types of the scripts of the browser UI (npm is needed)
#   make coverage  the tests, with what they cover of the code
#   make conformance   write docs/conformance.md: which test shows which requirement
#   make asvs      write the table of docs/security.md: which test shows which row of ASVS
#   make openapi   write docs/openapi.json: the description of the API
#   make fuzz      fuzz the service against its description, for long (EXAMPLES=500)
#   make bench     measure the service next to its peers (wrk is needed; ARGS='--seconds 3')
#   make format    format the code with ruff
#   make constraints   write constraints.txt: the newest versions of everything that is installed
#   make install   make .venv with the service in it
#   make generator install what `users-service resource` needs as well
#   make clean     remove everything that these targets made, the development database too

PYTHON ?= python3
PORT ?= 6543
VENV ?= .venv
EXAMPLES ?= 500
BIN := $(VENV)/bin
# The value as it is: a $ in a password is no variable of make.
ifneq ($(value DATABASE_URL),)
    export USERS_SERVICE_DATABASE_URL := $(value DATABASE_URL)
endif
# The driver that the database needs, if it is not the one that Python has.
URL := $(or $(value USERS_SERVICE_DATABASE_URL),$(shell \
	test -z "$$USERS_SERVICE_DATABASE_URL_FILE" || head -c 16 "$$USERS_SERVICE_DATABASE_URL_FILE"))
DRIVER := $(if $(filter postgresql%,$(URL)),postgresql,$(if $(filter mysql%,$(URL)),mysql))
INSTALLED := $(VENV)/installed$(if $(DRIVER),-$(DRIVER))
PIP := $(BIN)/python -m pip --disable-pip-version-check --quiet install \
	--no-build-isolation --constraint constraints.txt

.DEFAULT_GOAL := serve
.PHONY: serve install test check lint types scripts coverage conformance asvs package clients description fuzz \
	browser ui generator openapi bench format constraints clean

$(BIN)/python:
	@echo "== Making $(VENV)"
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or newer is needed: make PYTHON=python3.12")'
	@$(PYTHON) -m venv $(VENV)

$(VENV)/installed: $(BIN)/python setup.py constraints.txt
	@echo "== Installing the service"
	@$(PIP) setuptools wheel
	@$(PIP) --editable .
	@touch $@

$(VENV)/installed-dev: $(VENV)/installed
	@echo "== Installing the tools of development"
	@$(PIP) --editable '.[dev]'
	@touch $@

$(VENV)/installed-postgresql $(VENV)/installed-mysql $(VENV)/installed-generate: \
		$(VENV)/installed-%: $(VENV)/installed
	@echo "== Installing what $* needs"
	@$(PIP) --editable '.[$*]'
	@touch $@

install: $(INSTALLED)

generator: $(VENV)/installed-generate

serve: $(INSTALLED)
	@echo "== Migrating the database"
	@$(BIN)/users-service migrate development.ini
	@echo "== Serving the API on http://127.0.0.1:$(PORT)/api/v1/users (Ctrl-C stops it)"
	@echo "== Its documentation, to read and to try: http://127.0.0.1:$(PORT)/api/v1/docs"
	@echo "== Its UI, for a browser: http://127.0.0.1:$(PORT)/ui/"
	@exec $(BIN)/pserve --reload development.ini http_port=$(PORT)

test: $(VENV)/installed-dev
	@echo "== Running the tests"
	@$(BIN)/python -m pytest --numprocesses 2 --conformance=check $(ARGS)

check: lint types scripts test package clients description browser

lint: $(VENV)/installed-dev
	@echo "== Linting"
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .

types: $(VENV)/installed-dev
	@echo "== Checking types"
	@$(BIN)/mypy

scripts: $(VENV)/installed-dev
	@echo "== Checking the types of the scripts of the browser UI (npm is needed)"
	@$(BIN)/python -m pytest -m clients tests/ui

coverage: $(VENV)/installed-dev
	@rm -f .coverage .coverage.*
	@$(MAKE) --no-print-directory test ARGS="--cov --cov-report=term"

conformance: $(VENV)/installed-dev
	@echo "== Writing docs/conformance.md"
	@$(BIN)/python -m pytest --numprocesses 2 -m "conformance and not clients" --conformance=write $(ARGS)

asvs: $(VENV)/installed-dev
	@echo "== Writing the table of docs/security.md"
	@$(BIN)/python -m pytest --numprocesses 2 -m asvs --asvs=write $(ARGS)

package: $(VENV)/installed-dev
	@echo "== Building the wheel, and serving it from an empty folder"
	@$(BIN)/python -m pytest -m package tests/package

clients: $(VENV)/installed-dev
	@echo "== Running published and generated clients, and the rules for the description (npm is needed)"
	@$(BIN)/python -m pytest --numprocesses 2 --dist loadscope -m clients tests/clients tests/openapi

description: $(VENV)/installed-dev
	@echo "== Holding the service against its description"
	@$(BIN)/python -m pytest --numprocesses 2 -m description tests/openapi

fuzz: $(VENV)/installed-dev
	@echo "== Holding the service against its description, for long"
	@FUZZ_EXAMPLES=$(EXAMPLES) $(BIN)/python -m pytest --numprocesses 2 -m description tests/openapi

browser: $(VENV)/installed-dev
	@echo "== Opening the pages of the service in a browser (Chromium and its driver are needed)"
	@$(BIN)/python -m pytest --numprocesses 2 --dist loadfile -m browser tests

ui: $(VENV)/installed-dev
	@echo "== Driving all of the browser UI, for minutes (Chromium, its driver and npm are needed)"
	@$(BIN)/python -m pytest --numprocesses 2 --dist loadfile -m ui tests/ui

openapi: $(VENV)/installed
	@echo "== Writing docs/openapi.json"
	@$(BIN)/users-service openapi development.ini > docs/openapi.json

bench: $(VENV)/installed-dev
	@$(BIN)/python -m bench.run $(ARGS)

format: $(VENV)/installed-dev
	@$(BIN)/ruff format .
	@$(BIN)/ruff check --fix .

constraints: $(VENV)/installed-dev
	@$(BIN)/uv pip compile --quiet --universal --upgrade --no-annotate \
		--custom-compile-command "make constraints" --python-version 3.11 \
		--extra dev setup.py --output-file constraints.txt

clean:
	rm -rf $(VENV) build dist var *.egg-info .coverage* .mypy_cache .ruff_cache
