"""The warehouse by name: DuckDB in a file unless told otherwise, any other SQL destination of dlt by its name."""

from __future__ import annotations

import os
from functools import lru_cache
from hashlib import blake2b
from pathlib import Path
from typing import Any

import dlt
from dlt.common.destination import Destination
from dlt.common.destination.configuration import ParquetFormatConfiguration
from dlt.common.destination.exceptions import UnknownDestinationModule
from dlt.common.libs.sql_alchemy_shims import make_url
from dlt.destinations.sql_client import SqlClientBase

DEFAULT_DUCKDB_FILE = "warehouse.duckdb"

# Lists such as users are exchanged in one transaction: a reader never sees an empty table,
# and a run killed in between leaves the old list.
_REPLACE = "insert-from-staging"

# A load file goes no farther than to the DuckDB beside it: to compress it is a tenth of a whole load's time.
_READ_FROM_THE_SAME_DISK = ParquetFormatConfiguration(compression="none")

# DuckDB beside a run. More threads than this have nothing to do at Gong's pace. Left to itself it takes four fifths of
# the machine's memory, and keeps there what it has written and the load files it has read, which nobody reads again.
_THREADS = min(4, os.cpu_count() or 1)
_DUCKDB_CONFIG = {
    "threads": _THREADS,
    "memory_limit": f"{100 * max(2, _THREADS)}MB",
    "enable_external_file_cache": False,
}

# Destinations that take their credentials as one URL.
_BY_URL = ("clickhouse", "mssql", "postgres", "redshift", "snowflake", "sqlalchemy", "synapse")


class InvalidWarehouseError(ValueError):
    """The destination cannot be used as it is configured; says what to change."""


def warehouse(name: str, dataset: str, file: Path | None = None) -> Destination[Any, Any]:
    """Dlt's destination for a warehouse.

    Args:
        name: `duckdb`, `postgres` or another SQL destination of dlt.
        dataset: Where its tables will be.
        file: DuckDB file; by default what dlt's configuration says, else `warehouse.duckdb` here.

    Raises:
        InvalidWarehouseError: There is no such destination, or it cannot hold the dataset.
    """
    if name == "duckdb":
        configured: Any = dlt.secrets.get("destination.duckdb.credentials") or DEFAULT_DUCKDB_FILE
        credentials = configured if file is None else str(file)
        if (path := _duckdb_file(credentials)) is not None:
            if path.stem == dataset:
                raise InvalidWarehouseError(
                    f"the DuckDB file {path.name!r} is named like its dataset {dataset!r}, which DuckDB cannot tell"
                    " apart: rename one, for example with --dataset"
                )
            if not path.absolute().parent.is_dir():
                raise InvalidWarehouseError(f"the folder of the DuckDB file {str(path)!r} does not exist: create it")
        return dlt.destinations.duckdb(
            credentials=_bounded(credentials),
            replace_strategy=_REPLACE,
            parquet_format=_READ_FROM_THE_SAME_DISK,
            max_parallel_load_jobs=_THREADS,
        )
    try:
        found = Destination.from_reference(name, replace_strategy=_REPLACE)
    except (UnknownDestinationModule, ModuleNotFoundError, TypeError) as failure:
        raise InvalidWarehouseError(
            f"destination {name!r} cannot be opened ({' '.join(str(failure).split())[:120]}): use duckdb or postgres"
        ) from failure
    if found is None:
        raise InvalidWarehouseError(f"destination {name!r} is unknown: use duckdb or postgres")
    if found.destination_name in _BY_URL:
        _refuse_what_is_no_url(name)
    return found


def duckdb_file(destination: Destination[Any, Any] | None) -> Path | None:
    """The file of a DuckDB destination; None for anything else."""
    if destination is None or destination.destination_name != "duckdb":
        return None
    return _duckdb_file(destination.config_params.get("credentials"))


def missing_file(destination: Destination[Any, Any]) -> Path | None:
    """The DuckDB file of a destination that has none yet; None where there is nothing to be missed."""
    file = duckdb_file(destination)
    return file if file is not None and not file.exists() else None


def sql_client(pipeline: dlt.Pipeline) -> SqlClientBase[Any]:
    """The client of a pipeline for short questions, one `with` at a time and all in one thread.

    Made once: for each that `pipeline.sql_client` makes dlt reads its configuration and schemas, which takes 10 ms.
    """
    return _made_once(pipeline, pipeline.default_schema_name)


@lru_cache(maxsize=1)
def _made_once(pipeline: dlt.Pipeline, _schema: str | None) -> SqlClientBase[Any]:
    return pipeline.sql_client()


def checkpoint(pipeline: dlt.Pipeline) -> None:
    """Has DuckDB write what was loaded into its place in the file, as it does when the file is closed.

    Done while answers of Gong are waited for; at the end of a run it would take half a second of its own.
    """
    if pipeline.destination is not None and pipeline.destination.destination_name == "duckdb":
        with sql_client(pipeline) as sql:
            sql.execute_sql("CHECKPOINT")


def identity(name: str, destination: Destination[Any, Any], dataset: str) -> str:
    """Eight characters that stand for one dataset in one warehouse: locks and working folders are named by it."""
    file = duckdb_file(destination)
    where = str(file.resolve()) if file is not None else str(dlt.secrets.get(f"destination.{name}.credentials"))
    return blake2b(f"{name} {where} {dataset}".encode(), digest_size=4).hexdigest()


def _bounded(credentials: Any) -> Any:
    """DuckDB's credentials with our configuration of it, unless the user's `global_config` says otherwise."""
    users: Any = dlt.secrets.get("destination.duckdb.credentials.global_config", dict)
    config = {"global_config": {**_DUCKDB_CONFIG, **(users or {})}}
    if isinstance(credentials, dict):
        return {"database": DEFAULT_DUCKDB_FILE, **credentials, **config}
    file = _duckdb_file(credentials)
    return credentials if file is None or "?" in str(credentials) else {"database": str(file), **config}


def _refuse_what_is_no_url(name: str) -> None:
    """Refuses here what dlt and drivers would quote in their errors, with the password that is in it."""
    configured: Any = dlt.secrets.get(f"destination.{name}.credentials")
    try:
        is_url = not isinstance(configured, str) or "@" not in (make_url(configured).host or "")
    except ValueError:
        is_url = False
    if not is_url:
        raise InvalidWarehouseError(
            f"destination.{name}.credentials is no URL like {name}://user:password@host:5432/database: mend it; in a"
            " password write @ as %40 (it may hold one, so it is not shown)"
        )


def _duckdb_file(credentials: Any) -> Path | None:
    text = str(credentials.get("database", "")) if isinstance(credentials, dict) else str(credentials)
    path = text.removeprefix("duckdb:///").split("?")[0]
    return None if path in ("", ":memory:", ":pipeline:", ":external:") else Path(path)
