# Start with `make demo` and `make test`: both create .venv first.

PYTHON ?= $(shell command -v python3.11 || command -v python3)
BIN := .venv/bin

.PHONY: install demo check test test-slow test-emulators test-mariadb test-ducklake test-iceberg test-spark wheel-test dist audit sbom bench soak soak-upload superset parse duckdb-matrix pages docs clean requirements

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

test: install .docs/installed
	$(BIN)/pytest -n auto --dist worksteal

# Tests that take minutes: signals, concurrent commands, dropped tables, kills at further moments, waits in PostgreSQL,
# documented commands.
test-slow: install
	$(BIN)/pytest -n auto --dist worksteal -m slow

# Run gong-elt with real drivers against emulators of cloud warehouses, each in an environment of its own.
test-emulators: .emulators/installed
	.emulators/client/bin/pytest -n 0 -m emulator tests/emulators
	.emulators/client/bin/pytest -n 0 -m 'emulator and promise and not slow' tests/conformance

.emulators/installed: requirements.txt pyproject.toml $(wildcard tests/emulators/requirements/*.txt)
	$(PYTHON) -m venv .emulators/snowflake
	.emulators/snowflake/bin/python -m pip install --quiet --disable-pip-version-check --no-deps \
	  -r tests/emulators/requirements/snowflake.txt
	$(PYTHON) -m venv .emulators/bigquery
	.emulators/bigquery/bin/python -m pip install --quiet --disable-pip-version-check --no-deps \
	  -r tests/emulators/requirements/bigquery.txt
	$(PYTHON) -m venv .emulators/client
	.emulators/client/bin/python -m pip install --quiet --disable-pip-version-check --no-deps --require-hashes \
	  -r requirements.txt
	.emulators/client/bin/python -m pip install --quiet --disable-pip-version-check --no-deps \
	  -r tests/emulators/requirements/client.txt
	.emulators/client/bin/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation \
	  --editable .
	@touch $@

# Run all tests on MariaDB (apt-get install mariadb-server), with its driver in an environment of its own.
test-mariadb: .mariadb/installed
	.mariadb/bin/pytest -n auto -m mariadb tests

# Run the promises and the maintenance on DuckLake, with its catalog in SQLite and in PostgreSQL.
test-ducklake: install
	$(BIN)/pytest -n auto -m ducklake tests

# Run the promises and the publication on Iceberg, with catalogs in SQLite, PostgreSQL and REST.
test-iceberg: install
	$(BIN)/pytest -n auto -m iceberg tests

# Build the marts with Spark, and compare the engines that read Iceberg tables. Needs Java 17 and PostgreSQL's driver for
# Java (apt-get install openjdk-17-jre-headless libpostgresql-jdbc-java).
test-spark: .spark/installed
	.spark/bin/pytest -n 0 -m spark tests/spark

.spark/installed: requirements.txt pyproject.toml tests/spark/requirements.txt
	$(PYTHON) -m venv .spark
	.spark/bin/python -m pip install --quiet --disable-pip-version-check --no-deps --require-hashes -r requirements.txt
	.spark/bin/python -m pip install --quiet --disable-pip-version-check --no-deps -r tests/spark/requirements.txt
	.spark/bin/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	@touch $@

.mariadb/installed: requirements.txt pyproject.toml tests/conformance/mariadb-requirements.txt
	$(PYTHON) -m venv .mariadb
	.mariadb/bin/python -m pip install --quiet --disable-pip-version-check --no-deps --require-hashes -r requirements.txt
	.mariadb/bin/python -m pip install --quiet --disable-pip-version-check --no-deps \
	  -r tests/conformance/mariadb-requirements.txt
	.mariadb/bin/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	@touch $@

# Install the wheel from the package index into empty environments, on every Python that is here.
wheel-test: install
	$(BIN)/pytest -n 0 -m slow tests/packaging

# Build the wheel and the source distribution into dist/.
dist: install
	rm -rf dist
	$(BIN)/python -m hatchling build -d dist

# An environment with the wheel and its extras at the tested versions, without the tools of development.
.audit/installed: requirements.txt pyproject.toml tests/packaging/audit-requirements.txt
	$(PYTHON) -m venv .audit
	sed -n 's/^\([A-Za-z0-9._-]*==[^\\]*[^\\ ]\) *\\*$$/\1/p' requirements.txt > .audit/constraints.txt
	$(PYTHON) -m venv .audit/shipped
	.audit/shipped/bin/python -m pip install --quiet --disable-pip-version-check -c .audit/constraints.txt '.[all]'
	.audit/bin/python -m pip install --quiet --disable-pip-version-check -r tests/packaging/audit-requirements.txt
	@touch $@

# Write the SBOM and the licences of what users install into dist/.
sbom: .audit/installed
	mkdir -p dist
	.audit/bin/cyclonedx-py environment --pyproject pyproject.toml --output-reproducible \
	  --output-file dist/gong-elt-sbom.json .audit/shipped/bin/python
	.audit/bin/pip-licenses --python .audit/shipped/bin/python --format markdown --with-urls \
	  --output-file dist/gong-elt-licences.md

# Fail on a known vulnerability in a dependency; asks the package index for advisories.
audit: sbom
	.audit/bin/pip-audit --strict --requirement .audit/constraints.txt --no-deps --disable-pip

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

# Run sync, models, search, report, export and published copies with other versions of DuckDB; results are in
# .duckdb-matrix. DUCKDB=2.0.1 runs one version.
duckdb-matrix: install
	$(BIN)/python -m tests.system.duckdb_matrix $(DUCKDB)

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
	rm -rf .venv .emulators .mariadb .spark .audit dist .docs .superset .parse .duckdb-matrix demo site .pytest_cache .mypy_cache .ruff_cache
