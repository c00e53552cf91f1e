"""Open a warehouse by the name of its destination. A new kind of warehouse is one line of `_KINDS`."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import dlt
from dlt.common.destination import Destination
from dlt.common.destination.exceptions import UnknownDestinationModule
from dlt.common.libs.sql_alchemy_shims import make_url

from .duckdb import DuckDbWarehouse, open_duckdb
from .postgres import PostgresWarehouse
from .warehouse import REPLACE_STRATEGY, InvalidWarehouseError, Retry, SqlWarehouse, Warehouse, try_once

_KINDS: Mapping[str, Callable[[str, Destination[Any, Any]], Warehouse]] = {
    "duckdb": DuckDbWarehouse,
    "postgres": PostgresWarehouse,
}

# Destinations whose credentials are one URL.
_CONFIGURED_BY_URL = ("clickhouse", "mssql", "postgres", "redshift", "snowflake", "sqlalchemy", "synapse")


def open_warehouse(name: str, dataset: str, file: Path | None = None, retry: Retry = try_once) -> Warehouse:
    """Return the warehouse of a destination. No connection is opened.

    Args:
        name: `duckdb`, `postgres` or another SQL destination of dlt.
        dataset: Dataset that it will hold.
        file: DuckDB file; by default the one in dlt's configuration, otherwise `warehouse.duckdb`.
        retry: Opens a file; waits while another process has it open.

    Raises:
        InvalidWarehouseError: If the destination is unknown, its configuration is invalid, or it cannot hold the
            dataset.
    """
    if name == "duckdb":
        return open_duckdb(dataset, file, retry)
    try:
        destination = Destination.from_reference(name, replace_strategy=REPLACE_STRATEGY)
    except (UnknownDestinationModule, ModuleNotFoundError, TypeError) as error:
        raise InvalidWarehouseError(
            f"destination {name!r} cannot be opened ({' '.join(str(error).split())[:120]}): use duckdb or postgres"
        ) from error
    if destination is None:
        raise InvalidWarehouseError(f"destination {name!r} is unknown: use duckdb or postgres")
    if destination.destination_name in _CONFIGURED_BY_URL:
        _check_url(name)
    return _KINDS.get(destination.destination_name, SqlWarehouse)(name, destination)


def _check_url(name: str) -> None:
    """Refuse invalid URLs here: dlt and the drivers would quote them in their errors, including the password."""
    configured: Any = dlt.secrets.get(f"destination.{name}.credentials")
    try:
        is_url = not isinstance(configured, str) or "@" not in (make_url(configured).host or "")
    except ValueError:
        is_url = False
    if not is_url:
        raise InvalidWarehouseError(
            f"destination.{name}.credentials is not a URL like {name}://user:password@host:5432/database: correct it,"
            " and write an @ in the password as %40 (the value is not shown, because it may contain a password)"
        )
