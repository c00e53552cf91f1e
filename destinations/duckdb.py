"""DuckDB: a warehouse in one file, opened by one process at a time."""

from __future__ import annotations

import os
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import dlt
from dlt.common.destination import Destination
from dlt.common.destination.configuration import ParquetFormatConfiguration

from .warehouse import REPLACE_STRATEGY, DbtConnection, InvalidWarehouseError, sql_client

DEFAULT_FILE = "warehouse.duckdb"

# DuckDB reads the load files from the same disk; compressing them takes a tenth of a load's time.
_UNCOMPRESSED = ParquetFormatConfiguration(compression="none")

# More threads have nothing to do at Gong's rate limit. By default DuckDB uses four fifths of the machine's memory, and
# caches what it has written and the load files it has read, which are not read again.
_THREADS = min(4, os.cpu_count() or 1)
_DUCKDB_CONFIG = {
    "threads": _THREADS,
    "memory_limit": f"{100 * max(2, _THREADS)}MB",
    "enable_external_file_cache": False,
}


@dataclass(frozen=True, slots=True)
class DuckDbWarehouse:
    """A DuckDB file. It needs no lock between machines: one process at a time can open it."""

    name: str
    destination: Destination[Any, Any]

    @property
    def file(self) -> Path | None:
        return _file(self.destination.config_params.get("credentials"))

    @property
    def location(self) -> str:
        if self.file is None:
            return str(dlt.secrets.get(f"destination.{self.name}.credentials"))
        return str(self.file.resolve())

    @property
    def has_marts(self) -> bool:
        return True

    def lock(self, pipeline: dlt.Pipeline, connection: str) -> AbstractContextManager[str | None]:  # noqa: ARG002
        return nullcontext()

    def write_obstacle(self, pipeline: dlt.Pipeline) -> str | None:
        if self.file is not None:
            with self.file.open("r+b"):
                pass
        with pipeline.sql_client() as sql:
            sql.execute_sql("SELECT 1")
        return None

    def checkpoint(self, pipeline: dlt.Pipeline) -> None:
        """Move loaded rows from the write-ahead log into the file, as closing it does.

        While a run waits for Gong this costs nothing; at its end it would take half a second.
        """
        with sql_client(pipeline) as sql:
            sql.execute_sql("CHECKPOINT")

    def dbt_connection(self, pipeline: dlt.Pipeline) -> DbtConnection:  # noqa: ARG002
        file = "" if self.file is None else str(self.file.absolute())
        settings = {"TimeZone": "UTC", "preserve_insertion_order": False}
        return DbtConnection({"type": "duckdb", "threads": 1, "path": file, "settings": settings})

    def close_dbt(self) -> None:
        """Close dbt's connection; otherwise the file stays open, partly unwritten, until the process exits."""
        from dbt.adapters.duckdb import connections  # noqa: PLC0415 - an optional package

        manager: Any = connections.DuckDBConnectionManager
        manager.close_all_connections()

    def sqlalchemy_uri(self, credentials: Any) -> str | None:  # noqa: ARG002
        return None if self.file is None else f"duckdb:///{self.file.absolute()}"


def open_duckdb(dataset: str, file: Path | None = None) -> DuckDbWarehouse:
    """Return the DuckDB warehouse.

    Args:
        dataset: Dataset that it will hold.
        file: Its file; by default the one in dlt's configuration, otherwise `warehouse.duckdb` in the current folder.

    Raises:
        InvalidWarehouseError: If the file's folder is missing, or the file has the dataset's name.
    """
    configured: Any = dlt.secrets.get("destination.duckdb.credentials") or DEFAULT_FILE
    credentials = configured if file is None else str(file)
    if (path := _file(credentials)) is not None:
        if path.stem == dataset:
            raise InvalidWarehouseError(
                f"the DuckDB file {path.name!r} has the name of its dataset {dataset!r}, and DuckDB cannot distinguish"
                " them: rename one, for example with --dataset"
            )
        if not path.absolute().parent.is_dir():
            raise InvalidWarehouseError(f"the folder of the DuckDB file {str(path)!r} does not exist: create it")
    destination = dlt.destinations.duckdb(
        credentials=_with_limits(credentials),
        replace_strategy=REPLACE_STRATEGY,
        parquet_format=_UNCOMPRESSED,
        max_parallel_load_jobs=_THREADS,
    )
    return DuckDbWarehouse("duckdb", destination)


def _with_limits(credentials: Any) -> Any:
    """Return the credentials with our DuckDB configuration; the user's `global_config` takes precedence."""
    overrides: Any = dlt.secrets.get("destination.duckdb.credentials.global_config", dict)
    config = {"global_config": {**_DUCKDB_CONFIG, **(overrides or {})}}
    if isinstance(credentials, dict):
        return {"database": DEFAULT_FILE, **credentials, **config}
    file = _file(credentials)
    return credentials if file is None or "?" in str(credentials) else {"database": str(file), **config}


def _file(credentials: Any) -> Path | None:
    """Return the file that the credentials name; None for a database in memory."""
    text = str(credentials.get("database", "")) if isinstance(credentials, dict) else str(credentials)
    path = text.removeprefix("duckdb:///").split("?")[0]
    return None if path in ("", ":memory:", ":pipeline:", ":external:") else Path(path)
