# Start with `make demo` and `make test`: both create .venv first.

PYTHON ?= $(shell command -v python3.11 || command -v python3)
BIN := .venv/bin

.PHONY: install demo check test test-slow bench soak soak-upload superset parse pages docs clean requirements

install: .venv/installed

.venv/installed: requirements.txt pyproject.toml
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --require-hashes -r requirements.txt
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	@touch $@

demo: install
	$(BIN)/gong-elt demo

check: install .docs/installed
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/python -m docs.generate.pages --check
	$(BIN)/python -m tests.project.word_list
	NO_MKDOCS_2_WARNING=1 .docs/bin/mkdocs build

test: install
	$(BIN)/pytest -n auto

# Tests that take minutes: signals, concurrent commands, dropped tables, kills at further moments, waits in PostgreSQL.
test-slow: install
	$(BIN)/pytest -n auto -m slow

bench: install
	$(BIN)/python -m tests.benchmarks.run

soak: install
	$(BIN)/python -m tests.system.soak

# Upload ten thousand calls with kills and failures in between.
soak-upload: install
	$(BIN)/python -m tests.system.upload_soak

# Import the dashboard into Superset, which takes 700 MB in a separate environment.
superset: install
	test -d .superset || ($(PYTHON) -m venv .superset && .superset/bin/python -m pip install --quiet \
	  --disable-pip-version-check -r tests/system/superset-requirements.txt)
	$(BIN)/python -m tests.system.superset

# Parse the dbt project with the adapters of warehouses that cannot be run here.
parse: install
	test -d .parse || ($(PYTHON) -m venv .parse && .parse/bin/python -m pip install --quiet \
	  --disable-pip-version-check -r tests/system/other-warehouses-requirements.txt)
	$(BIN)/python -m tests.system.other_warehouses

# Write the generated pages of docs; tests compare them with the code.
pages: install
	$(BIN)/python -m docs.generate.pages

# Build the documentation site into site/. A broken link, anchor or unlisted page fails the build.
docs: pages .docs/installed
	NO_MKDOCS_2_WARNING=1 .docs/bin/mkdocs build

.docs/installed: docs/requirements.txt
	$(PYTHON) -m venv .docs
	.docs/bin/python -m pip install --quiet --disable-pip-version-check --no-deps --require-hashes -r docs/requirements.txt
	@touch $@

# Pin all dependencies with hashes, without registry addresses; needs `uv`.
requirements:
	uv pip compile pyproject.toml --extra dev --generate-hashes --no-header --no-annotate --no-emit-index-url \
	  --python-version 3.11 --universal --quiet --output-file requirements.txt
	uv pip compile docs/requirements.in --generate-hashes --no-header --no-annotate --no-emit-index-url \
	  --python-version 3.11 --universal --quiet --output-file docs/requirements.txt

clean:
	rm -rf .venv .docs .superset .parse demo site .pytest_cache .mypy_cache .ruff_cache
