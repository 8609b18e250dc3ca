# make run    set up and start the installation    make test   the whole suite, on SQLite and on PostgreSQL
# make check  lint, types, contracts, tests        make bench  the table of figures
# make long   what takes longest: mutants of the rules
SHELL := /bin/sh
.SHELLFLAGS := -eu -c
MAKEFLAGS += --no-builtin-rules --no-print-directory
.DEFAULT_GOAL := run
.PHONY: run setup demo install test-install browser test test-sqlite test-postgres test-browser check lint types contracts \
        figures bench long mutants pictures assets lock messages migration clean

PYTHON ?= $(shell command -v python3.11 || command -v python3)
VENV := .venv
BIN := $(VENV)/bin
STAMPS := $(VENV)/stamps
PIP := $(BIN)/python -m pip --disable-pip-version-check --quiet
PYTEST := $(BIN)/python -m pytest --numprocesses 2 --dist loadfile
UV := 0.13.9
MUTMUT := 3.8.1

# A step is done again when what it is made from has changed, told by content: a checkout changes every file's time.
frontend_inputs = find frontend platform courses media_pipeline -name node_modules -prune -o -type f \
	\( -path 'frontend/*' -o -name '*.po' \) -print | LC_ALL=C sort

# A new data folder becomes a demonstration with six weeks behind it. One that cannot be made says why, and keeps nobody
# from the installation.
run: install
	@$(BIN)/xueji setup --demonstration
	@$(BIN)/xueji demo > /dev/null || echo "starting all the same"
	@exec $(BIN)/xueji up

setup: install
	@$(BIN)/xueji setup

demo: install
	@$(BIN)/xueji setup --demonstration
	@$(BIN)/xueji demo > /dev/null

$(VENV)/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
	  || { echo "Xueji needs Python 3.11 or newer; name it with make PYTHON=/path/to/python3.11"; exit 1; }
	@$(PYTHON) -m venv $(VENV) \
	  || { rm -rf $(VENV); echo "this Python cannot make virtual environments (Debian: apt install python3-venv)"; exit 1; }

install: $(VENV)/bin/python
	@mkdir -p $(STAMPS)
	@want=$$(sha256sum < requirements.txt); if [ "$$(cat $(STAMPS)/requirements 2>/dev/null)" != "$$want" ]; then \
	  echo "installing the locked dependencies"; \
	  $(PIP) install --require-hashes --no-deps -r requirements.txt; echo "$$want" > $(STAMPS)/requirements; fi
	@want=$$({ pwd; cat pyproject.toml; $(frontend_inputs) | xargs -d '\n' sha256sum; } | sha256sum); \
	if [ "$$(cat $(STAMPS)/project 2>/dev/null)" != "$$want" ]; then \
	  echo "building the front end and installing the program"; \
	  $(PIP) install --no-deps -e .; echo "$$want" > $(STAMPS)/project; fi

assets: $(VENV)/bin/python
	@rm -f $(STAMPS)/project
	@$(MAKE) install

test-install: install
	@want=$$(sha256sum < tests/requirements.txt); if [ "$$(cat $(STAMPS)/tests 2>/dev/null)" != "$$want" ]; then \
	  echo "installing what the tests need"; \
	  $(PIP) install --require-hashes --no-deps -r tests/requirements.txt; echo "$$want" > $(STAMPS)/tests; fi

# The browser tests want a Chromium; without one they are skipped, and the report says so.
browser:
	@found=$$(command -v chromium || command -v chromium-browser || command -v google-chrome || true); \
	if [ -z "$$found" ] && [ "$$(id -u)" = 0 ] && command -v apt-get > /dev/null; then \
	  echo "installing Chromium for the browser tests"; \
	  { apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends \
	      chromium fonts-wqy-microhei > /dev/null; } || true; \
	  found=$$(command -v chromium || true); fi; \
	if [ -z "$$found" ]; then echo "NO BROWSER: the browser tests will be skipped; install Chromium to run them"; fi

# The browser tests start one installation of their own, on SQLite, and watch films in real time: one process runs
# them, and once is enough, for what a page shows does not depend on the database that every other test runs on too.
# Films, webcam and judge share the machine with the page: a test that was late is given one more turn, and says so.
BROWSER_TESTS := $(BIN)/python -m pytest -m browser tests/browser
IN_BROWSER := $(BROWSER_TESTS) || { \
	  echo "== FAILED IN THE BROWSER at the first try, as told above; the failed tests once more"; \
	  $(BROWSER_TESTS) --last-failed || { echo "== FAILED IN THE BROWSER at the second try too"; exit 1; }; \
	  echo "== THE BROWSER TESTS PASSED ONLY AT THE SECOND TRY: the first failure above wants a cause"; }

test: test-install browser
	@echo "== the whole suite on SQLite"
	@XUEJI_TEST_DATABASE=sqlite $(PYTEST) -m "not browser"
	@echo "== in a real browser"
	@$(IN_BROWSER)
	@echo "== the whole suite on PostgreSQL"
	@XUEJI_TEST_DATABASE=postgres $(PYTEST) -m "not browser"

test-sqlite: test-install
	@XUEJI_TEST_DATABASE=sqlite $(PYTEST) -m "not browser"

test-postgres: test-install
	@XUEJI_TEST_DATABASE=postgres $(PYTEST) -m "not browser"

test-browser: test-install browser
	@$(IN_BROWSER)

check: lint types contracts test

lint: test-install
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .

types: test-install
	@$(BIN)/mypy platform courses media_pipeline bench tools tests migrations wsgi.py

contracts: test-install
	@$(BIN)/lint-imports

# The pictures in the README, made anew by the browser tests.
pictures: test-install browser
	@$(BIN)/python -m pytest -m pictures tests/browser

# The house in figures: functions, files, names, comments, tests. `make figures of=COMMIT` sets a commit beside it.
figures: $(VENV)/bin/python
	@$(BIN)/python tools/figures.py $(of)

bench: test-install
	@$(BIN)/python -m bench

long: mutants

# Changes the pure rules in small ways and asks whether a test notices: `make mutants of='xueji.hours.rules.*'` for some;
# `of="--living --jobs 4"` only those that lived the last time, four at once.
# The tool stands apart from the tests: what it needs (setproctitle) makes Celery and gunicorn rename their processes.
mutants: test-install
	@[ -d build/mutmut ] || $(PIP) install --target build/mutmut mutmut==$(MUTMUT)
	@PYTHONPATH=$(CURDIR)/build/mutmut $(BIN)/python tools/mutants.py $(of)

# After changing the dependencies in pyproject.toml. Versions that still fit are kept; `make lock UPGRADE=--upgrade` renews.
lock:
	@folder=$$(mktemp -d); trap 'rm -rf "$$folder"' EXIT; \
	$(PYTHON) -m venv "$$folder"; "$$folder/bin/pip" install --quiet --disable-pip-version-check uv==$(UV); \
	compile="$$folder/bin/uv pip compile --quiet --generate-hashes --python-version 3.11 \
	  --python-platform x86_64-manylinux_2_28 --no-header --no-emit-index-url --no-annotate $(UPGRADE)"; \
	$$compile pyproject.toml -o requirements.txt; \
	$$compile pyproject.toml --extra dev -c requirements.txt -o tests/requirements.txt

# Add new words to each part's English catalogue, for translating.
messages: test-install
	@$(BIN)/python tools/messages.py

migration: test-install
	@[ -n "$(m)" ] || { echo 'say what it does: make migration m="Add …"'; exit 1; }
	@XUEJI_DATA=$$(mktemp -d) sh -c '$(BIN)/alembic upgrade head && $(BIN)/alembic revision --autogenerate -m "$(m)"; rm -rf "$$XUEJI_DATA"'

clean:
	@rm -rf $(VENV) build dist platform/xueji/web/static/built .mypy_cache .ruff_cache .pytest_cache .hypothesis \
	  .import_linter_cache
	@find platform courses media_pipeline migrations tests bench -name __pycache__ -type d -prune -exec rm -rf {} +
	@find platform courses media_pipeline -name '*.mo' -delete
