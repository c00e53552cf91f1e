"""dbt profile and environment for the warehouse that a sync has loaded."""

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

# dbt masks variables with this prefix in its output.
_PASSWORD_VARIABLE = "DBT_ENV_SECRET_GONG_ELT_PASSWORD"
_THREADS = {"duckdb": 1, "postgres": 4}


def dbt_profile(
    connection: Connection, target: Target, analytics: str, folder: Path
) -> tuple[dict[str, Any], dict[str, str]]:
    """Return dbt's profile for the warehouse, and the secrets that it reads from environment variables.

    Args:
        connection: The Gong account that loaded the dataset.
        target: The warehouse.
        analytics: Dataset that dbt builds into.
        folder: An empty working folder.

    Raises:
        UsageError: If nothing is loaded yet, or gong-elt cannot build marts in this kind of warehouse.
    """
    kind = target.destination.destination_name
    if kind not in _THREADS:
        raise UsageError(
            f"gong-elt models supports duckdb and postgres, not {target.name}: run dbt in pipelines/models/ with your"
            " own profile"
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
    """Set environment variables within a `with` block."""
    os.environ.update(variables)
    try:
        yield
    finally:
        for name in variables:
            del os.environ[name]


@contextmanager
def release_duckdb_file(target: Target) -> Iterator[None]:
    """Close dbt's DuckDB connections when a `with` block ends.

    Otherwise the file stays open, partly unwritten, until the process exits.
    """
    try:
        yield
    finally:
        if duckdb_file(target.destination) is not None:
            from dbt.adapters.duckdb import connections  # noqa: PLC0415

            manager: Any = connections.DuckDBConnectionManager
            manager.close_all_connections()
