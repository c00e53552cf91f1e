"""How dbt reaches the warehouse that a sync has loaded."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from destinations.warehouse import duckdb_file

from ..runtime.connection import Connection
from ..runtime.errors import UsageError
from ..runtime.target import Target
from ..runtime.warehouse_session import dataset_exists, restore_pipeline

# dbt hides values of variables that are called so in everything it prints.
_PASSWORD_VARIABLE = "DBT_ENV_SECRET_GONG_ELT_PASSWORD"
_THREADS = {"duckdb": 1, "postgres": 4}


def dbt_profile(
    connection: Connection, target: Target, analytics: str, folder: Path
) -> tuple[dict[str, Any], dict[str, str]]:
    """Dbt's profile for the warehouse, and what of it stands in the environment only.

    Args:
        connection: Which Gong account has loaded the dataset.
        target: Where the tables are.
        analytics: Dataset that dbt builds into.
        folder: An empty one to work in.

    Raises:
        UsageError: Nothing is loaded, or dbt does not build in such a warehouse.
    """
    kind = target.destination.destination_name
    if kind not in _THREADS:
        raise UsageError(
            f"gong-elt models builds in duckdb and postgres: for {target.name} run dbt in pipelines/models/ with a"
            " profile of your own"
        )
    pipeline = restore_pipeline(connection, target, folder)
    if not dataset_exists(pipeline, target):
        raise UsageError(f"nothing loaded yet into {target.name}, dataset {target.dataset}: run gong-elt sync")
    output: dict[str, Any] = {"type": kind, "schema": analytics, "threads": _THREADS[kind]}
    secrets = {}
    if (file := duckdb_file(target.destination)) is not None:
        output |= {"path": str(file.absolute()), "settings": {"TimeZone": "UTC", "preserve_insertion_order": False}}
    else:
        with pipeline.sql_client() as sql:
            server: Any = sql.credentials
        secrets[_PASSWORD_VARIABLE] = str(server.password or "")
        output |= {
            "host": server.host,
            "port": server.port,
            "user": server.username,
            "password": f"{{{{ env_var('{_PASSWORD_VARIABLE}') }}}}",
            "dbname": server.database,
            **{key: value for key, value in (server.query or {}).items() if key in ("sslmode", "sslrootcert")},
        }
    return {"target": "warehouse", "outputs": {"warehouse": output}}, secrets


@contextmanager
def environment(variables: Mapping[str, str]) -> Iterator[None]:
    """Has these variables in the environment meanwhile."""
    os.environ.update(variables)
    try:
        yield
    finally:
        for name in variables:
            del os.environ[name]


@contextmanager
def closed_afterwards(target: Target) -> Iterator[None]:
    """Has dbt let go of the DuckDB file, which it would keep open and half written until the process ends."""
    try:
        yield
    finally:
        if duckdb_file(target.destination) is not None:
            from dbt.adapters.duckdb import connections  # noqa: PLC0415

            manager: Any = connections.DuckDBConnectionManager
            manager.close_all_connections()
