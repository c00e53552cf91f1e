"""An empty workspace for each kind of warehouse that is tested."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

from tests.support.servers.ducklake import DuckLakeConnection
from tests.support.servers.iceberg import IcebergConnection
from tests.support.servers.mariadb import MariaDbConnection
from tests.support.workspace import Workspace


def _build_mariadb(request: pytest.FixtureRequest, folder: Path) -> Workspace:
    warehouse = MariaDbConnection(request.getfixturevalue("mariadb").port)
    warehouse.drop_datasets()
    workspace = Workspace(folder, other_warehouse=warehouse)
    # The run after a kill waits for the lease to expire.
    workspace.settings["DESTINATION__SQLALCHEMY__LOCK_EXPIRY"] = "5s"
    return workspace


def _build_lake_in_postgres(request: pytest.FixtureRequest, folder: Path) -> Workspace:
    database = request.getfixturevalue("postgres").create_database()
    return Workspace(folder, other_warehouse=DuckLakeConnection(folder, database))


def _build_iceberg_in_postgres(request: pytest.FixtureRequest, folder: Path) -> Workspace:
    database = request.getfixturevalue("postgres").create_database()
    return Workspace(folder, other_warehouse=IcebergConnection(folder, database))


_BUILDERS: dict[str, Callable[[pytest.FixtureRequest, Path], Workspace]] = {
    "duckdb": lambda _, folder: Workspace(folder),
    "postgres": lambda request, folder: Workspace(
        folder, postgres=request.getfixturevalue("postgres").create_database()
    ),
    "sqlalchemy": _build_mariadb,
    "ducklake": lambda _, folder: Workspace(folder, other_warehouse=DuckLakeConnection(folder)),
    "ducklake-postgres": _build_lake_in_postgres,
    "iceberg": lambda _, folder: Workspace(folder, other_warehouse=IcebergConnection(folder)),
    "iceberg-postgres": _build_iceberg_in_postgres,
}
# The fixtures `postgres` and `mariadb` are running servers.

WAREHOUSES = ("duckdb", "postgres")
"""Names of the destinations that every machine can run."""

MARIADB = pytest.param("sqlalchemy", marks=pytest.mark.mariadb)
"""Parameter of a fixture: MariaDB, which `make test` leaves out."""

LAKES: Sequence[Any] = [pytest.param(name, marks=pytest.mark.ducklake) for name in ("ducklake", "ducklake-postgres")]
"""Parameters of a fixture: lakes with their catalog in SQLite and in PostgreSQL, which `make test` leaves out."""

ICEBERGS: Sequence[Any] = [pytest.param(name, marks=pytest.mark.iceberg) for name in ("iceberg", "iceberg-postgres")]
"""Parameters of a fixture: Iceberg tables with their catalog in SQLite and in PostgreSQL, which `make test` leaves
out."""

ALL_WAREHOUSES: Sequence[Any] = (*WAREHOUSES, MARIADB, *LAKES, *ICEBERGS)
"""Parameters of a fixture: the destinations that are run for real."""

RUN_FOR_REAL = tuple(_BUILDERS)
"""Names of these destinations."""


def build_workspace(request: pytest.FixtureRequest, folder: Path) -> Workspace:
    """Return a workspace with the kind of warehouse that a fixture's parameter names, and the simulated Gong's key."""
    workspace = _BUILDERS[request.param](request, folder)
    workspace.use_demo_key()
    return workspace
