# Klankbord. `make` lists what there is. Needs Python 3.11 or later with venv, make and git.

SHELL := /bin/sh
PYTHON ?= python3
BIN := .venv/bin
PYTEST := $(BIN)/python -m pytest
# Two processes: more only wait for each other on a small machine. A file's tests stay together.
SPREAD := -n 2 --dist loadfile

.DEFAULT_GOAL := help
.PHONY: help setup demo demo-reset run test test-browser test-counterparts bench check fix lock clean

help:  ## this list
	@sed -n 's/^\([a-z-]*\):.*##  *\(.*\)/\1\t\2/p' $(MAKEFILE_LIST) | while IFS="$$(printf '\t')" read -r name what; \
	do printf '  make %-18s %s\n' "$$name" "$$what"; done

setup: .venv/.dev  ## put everything for work on Klankbord into .venv

demo: .venv/.base  ## a desk with simulated platforms and customers; keeps what you did. Ends with Ctrl+C
	@$(BIN)/klankbord demo $(OPTIONS)

demo-reset: .venv/.base  ## the same, begun anew
	@$(BIN)/klankbord demo --reset $(OPTIONS)

run: .venv/.base  ## your own desk on this machine
	@$(BIN)/klankbord run $(OPTIONS)

test: .venv/.dev  ## all tests that this machine can run; says which it skips and why
	@$(PYTEST) $(SPREAD) $(TESTS)

test-browser: .venv/.dev  ## only those with a real browser (Debian: chromium)
	@$(PYTEST) -m browser $(TESTS)

test-counterparts: .venv/.dev  ## only those against real mail servers (Debian: dovecot-imapd dovecot-lmtpd postfix)
	@$(PYTEST) -m mailservers $(TESTS)

bench: .venv/.dev  ## measure (a line of JSON for each figure, then a table), and the long run of the fault tests
	@$(BIN)/klankbord bench all --table $(OPTIONS)
	@KLANKBORD_FAULTS=full $(PYTEST) tests/faults --timeout 7200

check: .venv/.dev  ## lint, format, types and the floors of the house
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports --no-cache

fix: .venv/.dev  ## let ruff mend what it can
	@$(BIN)/ruff check --fix .
	@$(BIN)/ruff format .

lock: .venv/.dev  ## move all packages to their newest version, or only PACKAGES="one two"
	@$(BIN)/python scripts/lock.py $(PACKAGES)

clean:  ## take away what was made here; a desk's data live elsewhere and stay
	rm -rf .venv build dist .mypy_cache .ruff_cache .pytest_cache .hypothesis

.venv/.base: requirements/uv.txt requirements/base.txt scripts/setup.py
	@$(PYTHON) scripts/setup.py base
	@touch $@

.venv/.dev: .venv/.base requirements/dev.txt
	@$(PYTHON) scripts/setup.py dev
	@touch $@
