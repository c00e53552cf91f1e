"""The client of BigQuery, whose transactions are one query each. Importing it imports the driver."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing, contextmanager, suppress
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import msgspec
import requests
from dlt.common.destination import DestinationCapabilitiesContext
from dlt.common.destination.typing import PreparedTableSchema
from dlt.common.schema import Schema
from dlt.common.storages import FileStorage
from dlt.destinations.exceptions import DatabaseTransientException, DatabaseUndefinedRelation
from dlt.destinations.impl.bigquery.bigquery import BigQueryClient
from dlt.destinations.impl.bigquery.configuration import BigQueryClientConfiguration
from dlt.destinations.impl.bigquery.sql_client import BigQueryDBApiCursorImpl, BigQuerySqlClient
from dlt.destinations.sql_client import raise_database_error
from google.api_core.exceptions import Forbidden, GoogleAPICallError, NotFound, RetryError
from google.auth.exceptions import TransportError
from google.cloud.bigquery import dbapi
from google.cloud.bigquery.retry import DEFAULT_JOB_RETRY

from .script import build_transaction, is_deferrable, write_requirement, write_statement

_decode_row = msgspec.json.Decoder(dict[str, msgspec.Raw]).decode
_UNREACHABLE = (RetryError, TransportError, requests.exceptions.RequestException)


class ScriptSqlClient(BigQuerySqlClient):
    """Runs the statements of a transaction as one query when it ends.

    dlt opens a session for a transaction. A process that is killed leaves that session open for a day, and until then
    BigQuery rejects changes of the same tables ("Transaction is aborted due to concurrent update"). A query ends by
    itself: BigQuery rolls back its transaction if it fails.
    """

    _deferred: list[str] | None = None

    @raise_database_error
    def open_connection(self) -> Any:
        """Connect with limits for queries, too. The cursors of the driver's DB-API know none."""
        client = super().open_connection()
        client.query_and_wait = partial(
            client.query_and_wait,
            api_timeout=self.http_timeout,
            retry=self._default_retry,
            job_retry=self._job_retry,
        )
        return client

    def list_tables(self) -> list[str]:
        """Return the names of the tables in the dataset; none if the dataset does not exist."""
        return [name for name, kind in self._list_relations(self.dataset_name) if kind == "BASE TABLE"]

    def list_relations(self, dataset: str) -> list[str]:
        """Return the names of the tables and views in a dataset; none if the dataset does not exist."""
        return [name for name, _ in self._list_relations(dataset)]

    def list_columns(self, dataset: str) -> Sequence[Sequence[Any]]:
        """Return table, name and type of the columns in a dataset, in their order; none if it does not exist."""
        columns = self._information_schema(dataset, "COLUMNS")
        query = f"SELECT table_name, column_name, data_type FROM {columns} ORDER BY table_name, ordinal_position"
        try:
            return self.execute_sql(query) or ()
        except DatabaseUndefinedRelation:
            return ()

    def list_tables_beside(self, table: str, column: str) -> list[tuple[str, str]]:
        """Return dataset and name of the tables with a column, in datasets that have a certain table.

        The datasets are found by requests for that table, because INFORMATION_SCHEMA of a whole region is open only to
        logins with rights on the project.

        Args:
            table: Name of the table that these datasets have.
            column: Name of the column.
        """
        found = []
        with _unreachable_as_transient():
            limits = {"retry": self._default_retry, "timeout": self.http_timeout}
            datasets = [item.reference for item in self._client.list_datasets(**limits)]
            for dataset in datasets:
                # A table that this login may not read was not built by it.
                with suppress(NotFound, Forbidden):
                    self._client.get_table(dataset.table(table), **limits)
                    found.append(dataset.dataset_id)
        return [(dataset, name) for dataset in found for name in self._list_tables_with(dataset, column)]

    def _list_relations(self, dataset: str) -> Sequence[Sequence[Any]]:
        try:
            tables = self._information_schema(dataset, "TABLES")
            return self.execute_sql(f"SELECT table_name, table_type FROM {tables}") or ()
        except DatabaseUndefinedRelation:
            return ()

    def _list_tables_with(self, dataset: str, column: str) -> list[str]:
        columns, tables = (self._information_schema(dataset, view) for view in ("COLUMNS", "TABLES"))
        rows = self.execute_sql(
            f"SELECT table_name FROM {columns} WHERE lower(column_name) = %s AND table_name IN"
            f" (SELECT table_name FROM {tables} WHERE table_type = 'BASE TABLE') ORDER BY table_name",
            column,
        )
        return [str(name) for (name,) in rows or ()]

    def _information_schema(self, dataset: str, view: str) -> str:
        return f"`{self.project_id}`.`{dataset}`.INFORMATION_SCHEMA.{view}"

    @property
    def _job_retry(self) -> Any:
        """How failed queries are repeated. The driver would repeat a query that it cannot send for ten minutes."""
        return DEFAULT_JOB_RETRY.with_deadline(self._default_retry.deadline)

    @contextmanager
    @raise_database_error
    def begin_transaction(self) -> Iterator[Any]:
        """Defer the statements that change rows until the context ends. Others run at once, outside the transaction."""
        if self._deferred is not None:
            raise dbapi.ProgrammingError("Nested transactions are not supported on BigQuery")
        self._deferred = []
        try:
            yield self
            self.commit_transaction()
        finally:
            self._deferred = None

    def commit_transaction(self) -> None:
        """Run what was deferred; nothing is committed if it fails."""
        statements, self._deferred = self._deferred, None
        if statements:
            self._run_script(build_transaction(statements))

    def require_rows(self, query: str, values: Sequence[Any], message: str) -> bool:
        """Return whether a query has rows. In a transaction, it is True, and without rows the transaction fails."""
        if self._deferred is None:
            return bool(self.execute_sql(query, *values))
        self._deferred.append(write_requirement(query, values, message))
        return True

    def rollback_transaction(self) -> None:
        """Drop what was deferred."""
        self._deferred = None

    def execute_sql(self, sql: Any, *args: Any, **kwargs: Any) -> Sequence[Sequence[Any]] | None:
        """Run a statement and return its rows, or defer it."""
        if self._deferred is not None and is_deferrable(sql):
            self._deferred.append(write_statement(sql, args))
            return None
        return super().execute_sql(sql, *args, **kwargs)

    @contextmanager
    @raise_database_error
    def execute_query(self, query: Any, *args: Any, **kwargs: Any) -> Iterator[Any]:
        """Run a query over HTTP: the driver's gRPC connection has no limits, and warns if its package is missing."""
        connection = dbapi.Connection(client=self._client, prefer_bqstorage_client=False)
        with _unreachable_as_transient(), closing(connection):
            cursor = connection.cursor()
            cursor.execute(query, args or kwargs or None, job_config=self._default_query)
            yield BigQueryDBApiCursorImpl(cursor)

    @raise_database_error
    def _run_script(self, script: str) -> None:
        with _unreachable_as_transient():
            try:
                job = self._client.query(script, job_config=self._default_query, job_retry=self._job_retry)
                job.result(retry=self._default_retry)
            except GoogleAPICallError as error:
                raise dbapi.DatabaseError(error) from error


class ScriptBigQueryClient(BigQueryClient):
    """dlt's client of BigQuery with `ScriptSqlClient`."""

    def __init__(
        self, schema: Schema, config: BigQueryClientConfiguration, capabilities: DestinationCapabilitiesContext
    ) -> None:
        super().__init__(schema, config, capabilities)
        client = self.sql_client
        self.sql_client = ScriptSqlClient(
            client.dataset_name,
            client.staging_dataset_name,
            config.credentials,
            capabilities,
            config.get_location(),
            config.project_id,
            config.http_timeout,
            config.retry_deadline,
        )

    def _create_load_job(self, table: PreparedTableSchema, file_path: str) -> Any:
        """Start to load a file, with the values of JSON columns: BigQuery would load their text as a JSON string."""
        columns = [name for name, column in table["columns"].items() if column.get("data_type") == "json"]
        if not columns:
            return super()._create_load_job(table, file_path)
        with TemporaryDirectory(prefix="gong-elt-json-") as folder:
            # dlt derives the job's id from the file's name.
            file = Path(folder, Path(file_path).name)
            with FileStorage.open_zipsafe_ro(file_path, "rb") as lines, file.open("wb") as output:
                output.writelines(embed_json(line, columns) for line in lines)
            return super()._create_load_job(table, str(file))


def embed_json(line: bytes, columns: Iterable[str]) -> bytes:
    """Return a line of JSON in which the fields of these columns are the JSON that was their text."""
    row = _decode_row(line)
    for column in columns:
        if (field := row.get(column)) is not None:
            text = msgspec.json.decode(field)
            row[column] = msgspec.Raw(text.encode() if isinstance(text, str) else field)
    return msgspec.json.encode(row) + b"\n"


@contextmanager
def _unreachable_as_transient() -> Iterator[None]:
    """Raise the error that dlt expects if the server was not reached. The DB-API passes such errors on."""
    try:
        yield
    except _UNREACHABLE as error:
        raise DatabaseTransientException(error) from error
