"""DuckLake: tables in Parquet files, in a folder or bucket, with a catalog in SQLite or PostgreSQL."""

from __future__ import annotations

import copy
import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, closing, contextmanager, nullcontext
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import dlt
import psycopg2
from dlt.destinations.exceptions import DatabaseTransientException

from ...warehouse import DbtConnection, InvalidWarehouseError, Space, Warehouse, WarehouseInUseError, read_duration
from ..duckdb.warehouse import close_dbt_connections
from ..postgres.advisory_lock import AdvisoryLock
from .destination import DuckLake
from .limits import limits

SECRET = "gong_lake"
"""Name of the secret in which a reader's DuckDB finds the address of a lake with its catalog in PostgreSQL."""

RETENTION_SETTING = "snapshot_retention"
DEFAULT_RETENTION = "1h"

_SQLITE = "sqlite"
_POSTGRES = ("postgresql", "postgres")
_CATALOGS = "sqlite:///catalog.sqlite or postgresql://user:password@host:5432/database"
_STORAGES = ("file", "s3")
# A new lake creates the schema; an existing one gets tables for small loads.
_PRIVILEGES = """
SELECT CASE
    WHEN EXISTS (SELECT FROM pg_namespace WHERE nspname = %(schema)s)
    THEN has_schema_privilege(%(schema)s, 'CREATE') AND has_schema_privilege(%(schema)s, 'USAGE')
    ELSE has_database_privilege(current_database(), 'CREATE')
END
"""


@dataclass(frozen=True, slots=True)
class DuckLakeWarehouse:
    """A lake.

    Attributes:
        name: Name of the destination.
        destination: dlt's destination.
        settings: Its configuration.
        dataset: The dataset that runs lock.
        retention: How long `maintain` keeps snapshots and replaced files.
    """

    name: str
    destination: DuckLake
    settings: Any
    dataset: str
    retention: timedelta
    _lock: AdvisoryLock = field(default_factory=AdvisoryLock)

    def __post_init__(self) -> None:
        """Let loads confirm the lock."""
        self.destination.confirm_load = lambda _: self.confirm_lock()

    @property
    def file(self) -> Path | None:
        return None

    @property
    def lock_beside(self) -> Path | None:
        return self._catalog_file

    @property
    def is_missing(self) -> bool:
        return False

    @property
    def location(self) -> str:
        return str(self.settings.data_location())

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
        destination = copy.copy(self.destination)
        destination.is_read_only = True
        return replace(self, destination=destination)

    def hold(self, *, create: bool = False) -> AbstractContextManager[None]:  # noqa: ARG002
        return nullcontext()

    def cancel_statements(self) -> None:
        from .lake import cancel_statements  # noqa: PLC0415 - imports DuckDB

        cancel_statements()

    @contextmanager
    def lock(self, pipeline: dlt.Pipeline, connection: str) -> Iterator[str | None]:
        """Hold an advisory lock of the catalog's server. For a catalog in SQLite, the lock file is enough."""
        if self._catalog_file is not None:
            yield None
            return
        with self._hold(self._lock, f"{pipeline.dataset_name} {connection}") as holder:
            yield holder

    def confirm_lock(self) -> None:
        self._lock.confirm()

    def limit_statements(self, deadline: datetime | None) -> None:
        """End statements that wait for the catalog after this time; None for no limit."""
        limits.set(deadline, {} if self._catalog_file else self._login())

    def write_obstacle(self, pipeline: dlt.Pipeline) -> str | None:
        for path in filter(None, (self._catalog_file, self._storage_folder)):
            existing = next(parent for parent in (path, *path.absolute().parents) if parent.exists())
            if not existing.is_dir() and existing != self._catalog_file:
                return f"{existing} is a file, and the lake needs a folder there: use another path"
            if not os.access(existing, os.W_OK):
                return f"{existing} cannot be written: change its permissions"
        with pipeline.sql_client() as sql:
            sql.execute_sql("SELECT 1")
        return None if self._catalog_file else self._missing_privilege()

    def prepare_publication(self) -> None:
        pass

    def publish_changes(self, pipeline: dlt.Pipeline) -> None:
        pass

    def maintain(self, pipeline: dlt.Pipeline, datasets: Sequence[str]) -> Space | None:
        """Maintain these datasets, and the snapshots, which all datasets of the lake share."""
        from .maintenance import maintain_lake  # noqa: PLC0415 - imports DuckDB

        with self._lock_marts(), pipeline.sql_client() as sql:
            client: Any = sql
            return maintain_lake(client, self.retention, datasets)

    def dbt_connection(self, pipeline: dlt.Pipeline) -> DbtConnection:
        """Return a connection to the DuckDB instance of this process, to which the lake is attached already."""
        with pipeline.sql_client() as sql:
            client: Any = sql
            address = client.address()
        output = {
            "type": "duckdb",
            "threads": 1,
            "path": address.database,
            "database": address.name,
            # The statement changes nothing, because the name is taken. dbt derives from it that this is a lake.
            "attach": [{"path": "ducklake:", "alias": address.name}],
            "settings": {"TimeZone": "UTC", "preserve_insertion_order": False},
        }
        return DbtConnection(output)

    @contextmanager
    def watch_dbt(self) -> Iterator[Callable[[str], str]]:
        """Hold the lock of the marts: changes would be lost while another machine maintains them."""
        with self._lock_marts():
            yield str

    def close_dbt(self) -> None:
        close_dbt_connections()

    def sqlalchemy_uri(self, credentials: Any) -> str | None:  # noqa: ARG002
        """Return a URI for `duckdb-engine`: DuckDB opens a lake by its catalog, or by a secret of that name."""
        if self._catalog_file is not None:
            return f"duckdb:///ducklake:sqlite:{self._catalog_file.absolute()}"
        # A secret is the only place for the catalog's schema, and the only one for a password outside of the file.
        return f"duckdb:///ducklake:{SECRET}"

    def _missing_privilege(self) -> str | None:
        """Return the privilege that the user lacks in the catalog's database; None if nothing is missing."""
        schema = self._metadata_schema
        with self._connect() as session, session.cursor() as cursor:
            cursor.execute(_PRIVILEGES, {"schema": schema})
            (can_write,) = cursor.fetchone() or (False,)
            user = session.info.user
        if can_write:
            return None
        return f"user {user} may not write to the catalog, schema {schema}: GRANT CREATE ON DATABASE, or own the schema"

    @contextmanager
    def _connect(self) -> Iterator[Any]:
        """Open a session on the catalog's server.

        Raises:
            DatabaseTransientException: If it cannot be reached.
        """
        try:
            session = psycopg2.connect(**self._login())
        except psycopg2.Error as error:
            raise DatabaseTransientException(error) from None
        session.autocommit = True
        with closing(session):
            yield session

    @contextmanager
    def _lock_marts(self) -> Iterator[None]:
        """Hold the lock of the dataset's marts on the catalog's server.

        Raises:
            WarehouseInUseError: If another machine holds it. The message names the process.
        """
        if self._catalog_file is not None:
            yield
            return
        with self._hold(AdvisoryLock(), f"{self.dataset} marts") as holder:
            if holder is not None:
                raise WarehouseInUseError(f"{holder}, builds or maintains the marts: run again when it has ended")
            yield

    @contextmanager
    def _hold(self, lock: AdvisoryLock, key: str) -> Iterator[str | None]:
        """Hold an advisory lock of the catalog's server in a session of its own; yield its holder if it is taken."""
        with self._connect() as session, session.cursor() as cursor:

            def execute(statement: str, *parameters: Any) -> Sequence[Sequence[Any]]:
                cursor.execute(statement, parameters)
                rows: Sequence[Sequence[Any]] = cursor.fetchall()
                return rows

            with lock.hold(execute, f"{self._metadata_schema} {key}") as holder:
                yield holder

    @property
    def _catalog_file(self) -> Path | None:
        catalog = self.settings.credentials.catalog
        return Path(catalog.database) if catalog.drivername == _SQLITE else None

    @property
    def _storage_folder(self) -> Path | None:
        credentials = self.settings.credentials
        return Path(credentials.storage_url) if credentials.storage.is_local_filesystem else None

    @property
    def _metadata_schema(self) -> str:
        credentials = self.settings.credentials
        return str(credentials.metadata_schema or credentials.ducklake_name)

    def _login(self) -> dict[str, Any]:
        from .lake import login  # noqa: PLC0415 - imports DuckDB

        return login(self.settings.credentials.catalog.to_url().render_as_string(hide_password=False))


def open_ducklake(name: str, destination: DuckLake, settings: Any, dataset: str) -> DuckLakeWarehouse:
    """Return a lake.

    Args:
        name: Destination as the user named it.
        destination: dlt's destination of that name.
        settings: Its configuration.
        dataset: Dataset that it will hold.

    Raises:
        InvalidWarehouseError: If the catalog or the storage is of another kind, the lake has the dataset's name, or the
            retention is not a duration.
    """
    credentials = settings.credentials
    setting = f"destination.{name}.credentials"
    if credentials.catalog.drivername not in (_SQLITE, *_POSTGRES):
        raise InvalidWarehouseError(
            f"{setting}.catalog has the scheme {credentials.catalog.drivername}: use a URL like {_CATALOGS}"
        )
    if credentials.storage.protocol not in _STORAGES:
        raise InvalidWarehouseError(
            f"{setting}.storage.bucket_url has the scheme {credentials.storage.protocol}: use a folder or s3://…"
        )
    if credentials.ducklake_name.casefold() == dataset.casefold():
        raise InvalidWarehouseError(
            f"the lake has the name of its dataset {dataset!r}, and DuckDB cannot distinguish them: rename one, for"
            f" example with --dataset or {setting}.ducklake_name"
        )
    return DuckLakeWarehouse(name, destination, settings, dataset, _read_retention(name))


def _read_retention(name: str) -> timedelta:
    if str(dlt.config.get(f"destination.{name}.{RETENTION_SETTING}")) in ("0", "0s"):
        return timedelta()
    return read_duration(name, RETENTION_SETTING, DEFAULT_RETENTION)
