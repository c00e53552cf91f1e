"""The client of a lake: dlt's, with connections that share one attachment, and loads that are one snapshot."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from typing import Any

import duckdb
from dlt.common.destination import DestinationCapabilitiesContext
from dlt.common.destination.client import FollowupJobRequest, HasFollowupJobs, LoadJob
from dlt.common.destination.typing import PreparedTableSchema
from dlt.common.schema import Schema
from dlt.common.schema.typing import TSchemaTables
from dlt.common.storages.load_package import ParsedLoadJobFileName
from dlt.destinations.exceptions import DatabaseTerminalException
from dlt.destinations.impl.ducklake.ducklake import DuckLakeClient
from dlt.destinations.impl.ducklake.sql_client import DuckLakeSqlClient
from dlt.destinations.job_client_impl import SqlLoadJob
from dlt.destinations.sql_client import raise_open_connection_error

from ...loading.atomic_load import AtomicLoad, DeferredJob
from .lake import MEMORY, POSTGRES, SQLITE, LakeAddress, close_cursor, open_cursor, quote_name, quote_text
from .limits import limits
from .months import CALLS, PARTITIONED, WITH_MONTH, CallMonths, MergeJob, MonthlyMergeJob, add_month, select_with_month


class LakeSqlClient(DuckLakeSqlClient):
    """dlt's SQL client, whose connections share one attachment of the lake in this process."""

    _conn: duckdb.DuckDBPyConnection | None  # type: ignore[assignment]

    @raise_open_connection_error
    def open_connection(self) -> duckdb.DuckDBPyConnection:
        """Open a connection.

        Raises:
            DestinationConnectionError: If the catalog cannot be reached.
        """
        self._conn = open_cursor(self.address())
        return self._conn

    def close_connection(self) -> None:
        """Close the connection; what was not committed is rolled back."""
        if self._conn:
            close_cursor(self._conn)
            self._conn = None

    def execute_sql(self, sql: Any, *args: Any, **kwargs: Any) -> Any:
        """Run a statement and return its rows; wait while another program has the catalog locked.

        Raises:
            DatabaseException: If the lake rejects it, or the wait takes too long.
        """
        return limits.repeat_while_locked(partial(super().execute_sql, sql, *args, **kwargs))

    @classmethod
    def _make_database_exception(cls, ex: Exception) -> Exception:
        # dlt would repeat the statement.
        return DatabaseTerminalException(ex) if limits.name_cause(ex) else super()._make_database_exception(ex)

    def catalog_name(self, quote: bool = True, casefold: bool = True) -> str | None:  # noqa: ARG002
        """Return the database of the dataset: that of load files is in the memory of this process."""
        if self.dataset_name != self.staging_dataset_name:
            return None
        return quote_name(MEMORY) if quote else MEMORY

    def address(self) -> LakeAddress:
        """Return where the lake is."""
        credentials: Any = self.credentials
        storage = credentials.storage
        is_sqlite = credentials.catalog.drivername == SQLITE
        options = {
            "OVERRIDE_DATA_PATH true": self.override_data_path,
            "AUTOMATIC_MIGRATION true": self.automatic_migration,
        }
        secrets = (
            []
            if storage.is_local_filesystem
            else self._build_secret_statements(storage.bucket_url, storage.credentials, "gong_elt_storage", "", False)
        )
        return LakeAddress(
            name=credentials.ducklake_name,
            kind=SQLITE if is_sqlite else POSTGRES,
            catalog=credentials.catalog.database
            if is_sqlite
            else credentials.catalog.to_url().render_as_string(hide_password=False),
            metadata_schema=credentials.metadata_schema or credentials.ducklake_name,
            storage=credentials.storage_url,
            secrets=tuple(secrets),
            options=tuple(option for option, is_set in options.items() if is_set),
            settings=tuple(sorted((name, str(value)) for name, value in (credentials.global_config or {}).items())),
            is_read_only=credentials.read_only,
        )


class StagedFile(DeferredJob, HasFollowupJobs):
    """A load file that dlt's statements merge: they read it, and it is not copied."""


class LakeClient(AtomicLoad, DuckLakeClient):
    """dlt's client, whose loads are one snapshot of all tables.

    dlt's staging dataset is a schema in the memory of this process, with a view per table over its load files. So no
    copy of a call remains in the lake when it is merged.
    """

    sql_client: LakeSqlClient

    def __init__(self, schema: Schema, config: Any, capabilities: DestinationCapabilitiesContext) -> None:
        super().__init__(schema, config, capabilities)
        self.sql_client = LakeSqlClient(
            self.sql_client.dataset_name,
            self.sql_client.staging_dataset_name,
            config.credentials,
            capabilities,
            config.override_data_path,
            config.automatic_migration,
        )

    def initialize_storage(self, truncate_tables: Any = None) -> None:
        """Create the dataset."""
        if not self.in_staging_dataset_mode:
            super().initialize_storage(truncate_tables)

    def is_storage_initialized(self) -> bool:
        """Return whether the dataset exists."""
        return not self.in_staging_dataset_mode and super().is_storage_initialized()

    def update_stored_schema(
        self, only_tables: Any = None, expected_update: Any = None, force: bool = False
    ) -> TSchemaTables | None:
        """Create and alter tables."""
        if self.in_staging_dataset_mode:
            return {}
        return super().update_stored_schema(only_tables, expected_update, force)

    def prepare_load_table(self, table_name: str) -> PreparedTableSchema:
        """Return the declaration of a table, of which dlt's statements insert all columns."""
        return add_month(super().prepare_load_table(table_name))

    def create_load_job(
        self, table: PreparedTableSchema, file_path: str, load_id: str, restore: bool = False
    ) -> LoadJob:
        """Return a job that leaves a file for the transaction."""
        if not SqlLoadJob.is_sql_job(file_path) and self.should_load_data_to_staging_dataset(table["name"]):
            return StagedFile(file_path)
        return super().create_load_job(table, file_path, load_id, restore)

    def complete_load(self, load_id: str) -> None:
        """Commit everything that the load changes, as one snapshot.

        Raises:
            DatabaseException: If the warehouse rejects it. Then nothing of it was committed.
        """
        with self._staged_files(load_id):
            limits.repeat_while_locked(partial(super().complete_load, load_id))

    def _create_merge_followup_jobs(self, table_chain: Sequence[PreparedTableSchema]) -> list[FollowupJobRequest]:
        job = MonthlyMergeJob if table_chain[0]["name"] in PARTITIONED else MergeJob
        return [job.from_table_chain(table_chain, self.sql_client)]

    def _load_deferred_files(self, load_id: str) -> None:
        """Merge the calls first: the months of all other rows are those of their calls."""
        files = list(self._deferred_files(load_id))
        tables = {file: ParsedLoadJobFileName.parse(file.name).table_name for file in files}
        if not (staged := WITH_MONTH.intersection(tables.values())):
            super()._load_deferred_files(load_id)
            return
        existing = {table: columns for table, columns in self.get_storage_tables(sorted(WITH_MONTH)) if columns}
        months = CallMonths(self.sql_client, existing, staged)
        months.begin()
        self._load_files([file for file in files if tables[file] == CALLS], load_id)
        months.follow_calls()
        self._load_files([file for file in files if tables[file] != CALLS], load_id)

    def _clear_staging(self, load_id: str) -> None:
        """Do nothing: there are views only."""

    @contextmanager
    def _staged_files(self, load_id: str) -> Iterator[None]:
        """Let the tables of the staging dataset be views of the load files."""
        files = defaultdict(list)
        for file in self._completed_files(load_id):
            table = ParsedLoadJobFileName.parse(file.name).table_name
            if not SqlLoadJob.is_sql_job(file.name) and self.should_load_data_to_staging_dataset(table):
                files[table].append(str(file))
        with self.sql_client.with_staging_dataset():
            schema = self.sql_client.fully_qualified_dataset_name()
            self.sql_client.execute_sql(f"CREATE SCHEMA IF NOT EXISTS {schema}")
            CallMonths.declare(self.sql_client)
            for table, paths in files.items():
                name = self.sql_client.make_qualified_table_name(table)
                query = select_with_month(table, self._select_files(table, paths))
                self.sql_client.execute_sql(f"CREATE OR REPLACE VIEW {name} AS {query}")
        try:
            yield
        finally:
            with self.sql_client.with_staging_dataset():
                self.sql_client.execute_sql(f"DROP SCHEMA IF EXISTS {schema} CASCADE")

    def _select_files(self, table_name: str, files: Sequence[str]) -> str:
        """Return the query of a table's files. A column that none of them has is NULL."""
        table = super().prepare_load_table(table_name)
        columns = ", ".join(
            f"CAST(NULL AS {self.type_mapper.to_destination_type(column, table)}) AS"
            f" {self.sql_client.escape_column_name(name)}"
            for name, column in table["columns"].items()
            if "data_type" in column
        )
        paths = ", ".join(map(quote_text, files))
        rows = f"SELECT * FROM read_parquet([{paths}], union_by_name = true)"
        return f"SELECT {columns} WHERE false UNION ALL BY NAME {rows}"
