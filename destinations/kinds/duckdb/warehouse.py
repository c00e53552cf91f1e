"""DuckDB: a warehouse in one file, opened by one process that writes or by several that read."""

from __future__ import annotations

import copy
import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any

import dlt
from dlt.common.destination import Destination
from dlt.common.destination.configuration import ParquetFormatConfiguration

from ...warehouse import REPLACE_STRATEGY, DbtConnection, InvalidWarehouseError, Retry, Space, Warehouse, try_once
from .copy import delete_drafts, replace_copy, write_copy
from .file import DuckDbFile, cancel_statements, checkpoint_file, close_file, is_missing, open_file

DEFAULT_FILE = "warehouse.duckdb"

# DuckDB reads the load files from the same disk; compressing them takes a tenth of a load's time.
_UNCOMPRESSED = ParquetFormatConfiguration(compression="none")

# A second thread makes neither a load nor a report faster, and takes 60 MB. By default DuckDB uses four fifths of the
# machine's memory, and caches what it has written and the load files it has read, which are not read again.
DUCKDB_CONFIG = {"threads": 1, "memory_limit": "150MB", "enable_external_file_cache": False}

# DuckDB builds one model while dbt prepares the next one; a third thread makes no build faster on two cores.
_DBT_THREADS = 2


@dataclass(frozen=True, slots=True)
class DuckDbWarehouse:
    """A DuckDB file.

    Attributes:
        name: Name of the destination.
        destination: dlt's destination.
        retry: Opens the file; waits while another process has it open.
        is_read_only: Whether the file is opened for reading only.
    """

    name: str
    destination: Destination[Any, Any]
    retry: Retry = try_once
    is_read_only: bool = False

    @property
    def file(self) -> Path | None:
        return _file(self.destination.config_params.get("credentials"))

    @property
    def lock_beside(self) -> Path | None:
        return self.file

    @property
    def is_missing(self) -> bool:
        return self.file is not None and is_missing(self.file)

    @property
    def location(self) -> str:
        if self.file is None:
            return str(dlt.secrets.get(f"destination.{self.name}.credentials"))
        return str(self.file.resolve())

    @property
    def has_marts(self) -> bool:
        return True

    @property
    def marts_advice(self) -> str:
        return ""

    @property
    def can_list_tables(self) -> bool:
        return True

    @property
    def has_transactions(self) -> bool:
        return True

    def read_only(self) -> Warehouse:
        if not isinstance(self.destination, DuckDbFile):
            return self
        destination = copy.copy(self.destination)
        destination.is_read_only = True
        return replace(self, destination=destination, is_read_only=True)

    @contextmanager
    def hold(self, *, create: bool = False) -> Iterator[None]:
        if self.file is None or (self.is_missing and not create):
            yield
            return
        connection = open_file(self.file, read_only=self.is_read_only, retry=self.retry)
        try:
            yield
        finally:
            close_file(connection)

    def cancel_statements(self) -> None:
        cancel_statements()

    def lock(self, pipeline: dlt.Pipeline, connection: str) -> AbstractContextManager[str | None]:  # noqa: ARG002
        return nullcontext()

    def confirm_lock(self) -> None:
        pass

    def limit_statements(self, deadline: datetime | None) -> None:
        pass

    def write_obstacle(self, pipeline: dlt.Pipeline) -> str | None:
        # A reading command may run beside other readers, so the file is not opened for writing.
        if self.file is not None:
            if not os.access(self.file, os.W_OK):
                return f"{self.file} cannot be written: change its permissions"
            if not os.access(self.file.absolute().parent, os.W_OK):
                return f"the folder of {self.file} cannot be written, and DuckDB writes a second file there"
        with pipeline.sql_client() as sql:
            sql.execute_sql("SELECT 1")
        return None

    def prepare_publication(self) -> None:
        pass

    def publish_changes(self, pipeline: dlt.Pipeline) -> None:
        pass

    def maintain(self, pipeline: dlt.Pipeline, datasets: Sequence[str]) -> Space | None:  # noqa: ARG002
        """Write the file again, without the space of deleted rows, and let the new file replace it."""
        file = self.file
        if file is None:
            return None
        # A link is kept, and the file that it names is replaced.
        target = file.resolve()
        draft = target.with_name(f".{target.name}.compact")
        delete_drafts(target.parent, draft.name)
        try:
            # The file is held until it is replaced, so that nothing can be written in between.
            with self.hold():
                # The log of a killed run is deleted with the old file, so its changes must not be in the log alone.
                checkpoint_file(file)
                bytes_before = target.stat().st_size
                write_copy(self, file, draft, file.name)
                replace_copy(draft, target)
        finally:
            delete_drafts(target.parent, draft.name)
        return Space(bytes_before, target.stat().st_size)

    def dbt_connection(self, pipeline: dlt.Pipeline) -> DbtConnection:  # noqa: ARG002
        file = "" if self.file is None else str(self.file.absolute())
        # Each model is committed, and a checkpoint after every 16 MB takes a tenth of a build.
        settings = {"TimeZone": "UTC", "preserve_insertion_order": False, "checkpoint_threshold": "128MB"}
        return DbtConnection({"type": "duckdb", "threads": _DBT_THREADS, "path": file, "settings": settings})

    def watch_dbt(self) -> AbstractContextManager[Callable[[str], str]]:
        return nullcontext(str)

    def close_dbt(self) -> None:
        """Close dbt's connection; otherwise the file stays open, partly unwritten, until the process exits."""
        close_dbt_connections()

    def sqlalchemy_uri(self, credentials: Any) -> str | None:  # noqa: ARG002
        return None if self.file is None else f"duckdb:///{self.file.absolute()}"


def open_duckdb(dataset: str, file: Path | None = None, retry: Retry = try_once) -> DuckDbWarehouse:
    """Return the DuckDB warehouse.

    Args:
        dataset: Dataset that it will hold.
        file: Its file; by default the one in dlt's configuration, otherwise `warehouse.duckdb` in the current folder.
        retry: Opens the file; waits while another process has it open.

    Raises:
        InvalidWarehouseError: If the file's folder is missing, or the file has the dataset's name.
    """
    configured: Any = dlt.secrets.get("destination.duckdb.credentials") or DEFAULT_FILE
    credentials = configured if file is None else str(file)
    if (path := _file(credentials)) is not None:
        if path.stem.casefold() == dataset.casefold():
            raise InvalidWarehouseError(
                f"the DuckDB file {path.name!r} has the name of its dataset {dataset!r}, and DuckDB cannot distinguish"
                " them: rename one, for example with --dataset"
            )
        if not path.absolute().parent.is_dir():
            raise InvalidWarehouseError(f"the folder of the DuckDB file {str(path)!r} does not exist: create it")
    destination = DuckDbFile(
        credentials=_with_limits(credentials),
        replace_strategy=REPLACE_STRATEGY,
        parquet_format=_UNCOMPRESSED,
        max_parallel_load_jobs=1,
    )
    destination.retry = retry
    return DuckDbWarehouse("duckdb", destination, retry)


def close_dbt_connections() -> None:
    """Close the connections of dbt's adapter for DuckDB."""
    from dbt.adapters.duckdb import connections  # noqa: PLC0415 - an optional package

    manager: Any = connections.DuckDBConnectionManager
    manager.close_all_connections()


def _with_limits(credentials: Any) -> Any:
    """Return the credentials with our DuckDB configuration; the user's `global_config` takes precedence."""
    overrides: Any = dlt.secrets.get("destination.duckdb.credentials.global_config", dict)
    config = {"global_config": {**DUCKDB_CONFIG, **(overrides or {})}}
    if isinstance(credentials, dict):
        return {"database": DEFAULT_FILE, **credentials, **config}
    file = _file(credentials)
    return credentials if file is None or "?" in str(credentials) else {"database": str(file), **config}


def _file(credentials: Any) -> Path | None:
    """Return the file that the credentials name; None for a database in memory."""
    text = str(credentials.get("database", "")) if isinstance(credentials, dict) else str(credentials)
    path = text.removeprefix("duckdb:///").split("?")[0]
    return None if path in ("", ":memory:", ":pipeline:", ":external:") else Path(path)
